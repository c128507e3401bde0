"""WS-Management envelopes: what a request says, and the answers a real WinRM gives, element for element."""

from __future__ import annotations

import re
import uuid
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final
from xml.etree import ElementTree
from xml.sax.saxutils import escape, quoteattr

from hvtui.lab.endpoint import faults

S: Final = "{http://www.w3.org/2003/05/soap-envelope}"
A: Final = "{http://schemas.xmlsoap.org/ws/2004/08/addressing}"
W: Final = "{http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd}"
P: Final = "{http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd}"
RSP: Final = "{http://schemas.microsoft.com/wbem/wsman/1/windows/shell}"
PWSH: Final = "{http://schemas.microsoft.com/powershell}"

TRANSFER: Final = "http://schemas.xmlsoap.org/ws/2004/09/transfer/"
ENUMERATION: Final = "http://schemas.xmlsoap.org/ws/2004/09/enumeration/"
SHELL: Final = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"
CONFIG: Final = "http://schemas.microsoft.com/wbem/wsman/1/config"
POWERSHELL: Final = "http://schemas.microsoft.com/powershell/"

_ANONYMOUS: Final = "http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous"
_NAMESPACES: Final = (
    'xmlns:s="http://www.w3.org/2003/05/soap-envelope" '
    'xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" '
    'xmlns:x="http://schemas.xmlsoap.org/ws/2004/09/transfer" '
    'xmlns:n="http://schemas.xmlsoap.org/ws/2004/09/enumeration" '
    'xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd" '
    'xmlns:rsp="http://schemas.microsoft.com/wbem/wsman/1/windows/shell" '
    'xmlns:p="http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd"'
)
_DURATION: Final = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?")
_DEFAULT_TIMEOUT: Final = 60.0


@dataclass(frozen=True, slots=True)
class Request:
    """The parts of a WSMan request that the lab looks at; times are seconds, sizes bytes."""

    action: str
    message_id: str
    resource: str
    timeout: float = _DEFAULT_TIMEOUT
    max_envelope: int = 153_600
    session_id: str = ""
    to: str = ""
    selectors: dict[str, str] = field(default_factory=dict)
    options: dict[str, str] = field(default_factory=dict)
    body: ElementTree.Element | None = None

    @property
    def shell_id(self) -> str:
        """The shell meant, upper case as Windows compares it; empty when none was named."""
        return self.selectors.get("ShellId", "").upper()

    @property
    def verb(self) -> str:
        """Last word of the action: `Create`, `Receive`, …"""
        return self.action.rpartition("/")[2]


def seconds(text: str) -> float | None:
    """An xs:duration in seconds, None when it is not one."""
    match = _DURATION.fullmatch(text)
    if match is None or text in ("P", "PT"):
        return None
    days, hours, minutes, secs = (float(part or 0) for part in match.groups())
    return days * 86_400 + hours * 3_600 + minutes * 60 + secs


def parse(data: bytes) -> Request:
    """Read an envelope; raises `faults.Fault` for what WinRM refuses."""
    if b"<!DOCTYPE" in data:
        raise faults.malformed()
    try:
        root = ElementTree.fromstring(data)  # noqa: S314 - no document type, so no entities can be declared
    except ElementTree.ParseError as error:
        raise faults.malformed() from error
    header = root.find(f"{S}Header")
    body = root.find(f"{S}Body")
    if root.tag != f"{S}Envelope" or header is None or body is None:
        raise faults.malformed()

    def text(tag: str) -> str:
        return (header.findtext(tag) or "").strip()

    timeout = _DEFAULT_TIMEOUT
    message_id = text(f"{A}MessageID")
    if value := text(f"{W}OperationTimeout"):
        parsed = seconds(value)
        if parsed is None:
            raise faults.bad_timeout(value, message_id)
        timeout = parsed
    size = text(f"{W}MaxEnvelopeSize")
    return Request(
        action=text(f"{A}Action"),
        message_id=message_id,
        resource=text(f"{W}ResourceURI"),
        timeout=timeout,
        max_envelope=int(size) if size.isdigit() else 153_600,
        session_id=text(f"{P}SessionId"),
        to=text(f"{A}To"),
        selectors=_named(header, f"{W}SelectorSet/{W}Selector"),
        options=_named(header, f"{W}OptionSet/{W}Option"),
        body=next(iter(body), None),
    )


def _named(header: ElementTree.Element, path: str) -> dict[str, str]:
    return {element.get("Name", ""): element.text or "" for element in header.iterfind(path)}


def envelope(action: str, relates_to: str, body: str) -> bytes:
    """A whole answer; `body` is XML that uses the prefixes declared here."""
    return (
        f'<s:Envelope xml:lang="en-US" {_NAMESPACES}><s:Header><a:Action>{action}</a:Action>'
        f"<a:MessageID>uuid:{_guid()}</a:MessageID><p:ActivityId>{_guid()}</p:ActivityId><a:To>{_ANONYMOUS}</a:To>"
        f"<a:RelatesTo>{escape(relates_to)}</a:RelatesTo></s:Header><s:Body>{body}</s:Body></s:Envelope>"
    ).encode()


def _guid() -> str:
    return str(uuid.uuid4()).upper()


def answer(request: Request, body: str = "") -> bytes:
    """The success answer to a request: its action with `Response` behind it."""
    return envelope(f"{request.action}Response", request.message_id, body)


def fault(error: faults.Fault, relates_to: str, machine: str) -> bytes:
    """A SOAP fault with the WSManFault detail that clients read the code from."""
    about = f"http://schemas.dmtf.org/wbem/wsman/1/wsman/faultDetail/{error.about}" if error.about else ""
    message = escape(error.text)
    detail = (
        (f"<w:FaultDetail>{about}</w:FaultDetail>" if about else "")
        + '<f:WSManFault xmlns:f="http://schemas.microsoft.com/wbem/wsman/1/wsmanfault" '
        + f'Code="{error.code}" Machine={quoteattr(machine)}><f:Message>{message}</f:Message></f:WSManFault>'
    )
    return envelope(
        "http://schemas.dmtf.org/wbem/wsman/1/wsman/fault",
        relates_to,
        f"<s:Fault><s:Code><s:Value>s:{'Sender' if error.sender else 'Receiver'}</s:Value><s:Subcode>"
        f"<s:Value>{error.subcode}</s:Value></s:Subcode></s:Code><s:Reason>"
        f'<s:Text xml:lang="en-US">{message}</s:Text></s:Reason><s:Detail>{detail}</s:Detail></s:Fault>',
    )


def duration(value: float) -> str:
    """How WinRM writes time spans of a shell: days, hours, minutes and whole seconds."""
    total = int(value)
    return f"P{total // 86_400}DT{total // 3_600 % 24}H{total // 60 % 60}M{total % 60}S"


def shell_element(fields: Iterable[tuple[str, str]]) -> str:
    """`rsp:Shell` with the given children in order."""
    inner = "".join(f"<rsp:{name}>{escape(value)}</rsp:{name}>" for name, value in fields)
    return f"<rsp:Shell>{inner}</rsp:Shell>"


def created(request: Request, shell_id: str, shell: str) -> bytes:
    """Answer to Create: where the new shell is, and what it is like."""
    return answer(
        request,
        f"<x:ResourceCreated><a:Address>{escape(request.to)}</a:Address><a:ReferenceParameters>"
        f"<w:ResourceURI>{escape(request.resource)}</w:ResourceURI><w:SelectorSet>"
        f'<w:Selector Name="ShellId">{shell_id}</w:Selector></w:SelectorSet></a:ReferenceParameters>'
        f"</x:ResourceCreated>{shell}",
    )


def received(request: Request, fragments: Iterable[bytes], command_id: str | None, *, done: bool) -> bytes:
    """Answer to Receive: one `rsp:Stream` per fragment; the last of a command also says `Done`."""
    named = f" CommandId={quoteattr(command_id)}" if command_id else ""
    streams = "".join(f'<rsp:Stream Name="stdout"{named}>{b64encode(data).decode()}</rsp:Stream>' for data in fragments)
    state = f"<rsp:CommandState{named} State={quoteattr(SHELL + '/CommandState/Done')}>" if done else ""
    ending = f"{state}<rsp:ExitCode>0</rsp:ExitCode></rsp:CommandState>" if done else ""
    return answer(request, f"<rsp:ReceiveResponse>{streams}{ending}</rsp:ReceiveResponse>")


def connected(request: Request, data: bytes | None) -> bytes:
    """Answer to Connect: with the pool's handshake for a shell, empty for a command."""
    if data is None:
        return answer(request, "<rsp:ConnectResponse/>")
    return answer(
        request,
        "<rsp:ConnectResponse><rsp:InputStreams>stdin pr</rsp:InputStreams><rsp:OutputStreams>stdout"
        '</rsp:OutputStreams><connectResponseXml xmlns="http://schemas.microsoft.com/powershell">'
        f"{b64encode(data).decode()}</connectResponseXml></rsp:ConnectResponse>",
    )


def enumerated(request: Request, items: str) -> bytes:
    """Answer to an optimised Enumerate: everything at once."""
    return answer(
        request,
        f"<n:EnumerateResponse><n:EnumerationContext></n:EnumerationContext><w:Items>{items}</w:Items>"
        "<w:EndOfSequence/></n:EnumerateResponse>",
    )
