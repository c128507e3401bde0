"""The WS-Management operations on a node's shells."""

from __future__ import annotations

import asyncio
import base64
import binascii
import uuid
from collections.abc import Callable
from typing import Final
from xml.etree import ElementTree

from hvtui.lab.endpoint import faults, soap
from hvtui.lab.endpoint.accounts import Account
from hvtui.lab.endpoint.session import Outlet, Session
from hvtui.lab.endpoint.shell import DEFAULT_IDLE, Shell
from hvtui.lab.endpoint.soap import PWSH, RSP, Request, W
from hvtui.lab.endpoint.trouble import Trouble

# The misspelling is Windows' own; every other code closes the command (WSManPlugin.cs).
STOP: Final = "powershell/signal/crtl_c"
_CONFIG: Final = (
    '<cfg:Config xmlns:cfg="http://schemas.microsoft.com/wbem/wsman/1/config">'
    "<cfg:MaxEnvelopeSizekb>500</cfg:MaxEnvelopeSizekb><cfg:MaxTimeoutms>60000</cfg:MaxTimeoutms>"
    "<cfg:MaxBatchItems>32000</cfg:MaxBatchItems></cfg:Config>"
)
_MAX_ENVELOPE: Final = 512_000

NewSession = Callable[[str, Outlet], Session | None]
"""Makes the session of a configuration by its name; None when the node has no such configuration."""


class Service:
    """All shells of one node. A shell is seen only by the user who created it."""

    def __init__(
        self,
        new_session: NewSession,
        *,
        max_shells: int = 25,
        batching: float = 0.0,
        trouble: Trouble | None = None,
    ) -> None:
        self._new_session = new_session
        self._trouble = trouble or Trouble()
        self.max_shells = max_shells
        self.batching = batching
        self.shells: dict[str, Shell] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._ending: set[asyncio.Task[None]] = set()

    async def answer(self, request: Request, account: Account, gone: Callable[[], bool]) -> bytes:
        """The envelope that answers a request; raises `faults.Fault`, or ClientGone for a Receive left alone."""
        if not account.allowed:
            raise faults.denied()
        operation = _OPERATIONS.get(request.action)
        if operation is not None:
            return await operation(self, request, account.principal)
        if request.action == f"{soap.SHELL}/Receive":
            return await self._receive(request, account.principal, gone)
        raise faults.unsupported()

    async def close(self) -> None:
        """End every shell, as when the node dies."""
        await asyncio.gather(*(self._end(shell_id, at_once=True) for shell_id in list(self.shells)))
        if self._ending:
            await asyncio.wait(self._ending)

    def _shell(self, request: Request, owner: str) -> Shell:
        shell = self.shells.get(request.shell_id)
        if shell is None or shell.owner != owner:
            raise faults.unknown_shell()
        shell.touch()
        return shell

    def _own(self, owner: str) -> list[Shell]:
        return [shell for shell in self.shells.values() if shell.owner == owner]

    async def _create(self, request: Request, owner: str) -> bytes:
        kind = request.resource.removeprefix(soap.POWERSHELL)
        body = request.body
        if kind == request.resource:
            raise faults.unknown_resource()
        if body is None or body.tag != f"{RSP}Shell":
            raise faults.bad_parameter()
        if len(self._own(owner)) >= self.max_shells:
            raise faults.quota(self.max_shells)
        shell_id = _identifier(body.get("ShellId")) or str(uuid.uuid4()).upper()
        if shell_id in self.shells:
            raise faults.bad_parameter()
        data = _decode(body.findtext(f"{PWSH}creationXml"))
        idle = soap.seconds(body.findtext(f"{RSP}IdleTimeOut") or "") or DEFAULT_IDLE
        shell = Shell(request, shell_id, owner, idle=idle, batching=self.batching, trouble=self._trouble)
        session = self._new_session(kind, shell)
        if session is None:
            raise faults.unknown_resource()
        shell.session = session
        shell.on_broken = lambda: self._end_soon(shell)
        # Counted from now on: a real PowerShell takes a moment to start.
        self.shells[shell_id] = shell
        try:
            await shell.session.open(data)
        except faults.Fault:
            self.shells.pop(shell_id, None)
            raise
        self._watch(shell)
        return soap.created(request, shell_id, soap.shell_element(shell.fields(whole=False)))

    async def _command(self, request: Request, owner: str) -> bytes:
        shell = self._shell(request, owner)
        shell.need_connected()
        body = _body(request, "CommandLine")
        command_id = _identifier(body.get("CommandId")) or str(uuid.uuid4()).upper()
        await shell.command(command_id, _decode(body.findtext(f"{RSP}Arguments")))
        identifier = f"<rsp:CommandId>{command_id}</rsp:CommandId>"
        return soap.answer(request, f"<rsp:CommandResponse>{identifier}</rsp:CommandResponse>")

    async def _send(self, request: Request, owner: str) -> bytes:
        shell = self._shell(request, owner)
        shell.need_connected()
        for stream in _body(request, "Send").iterfind(f"{RSP}Stream"):
            command_id = _identifier(stream.get("CommandId"))
            shell.buffer(command_id)
            await shell.session.send(command_id, stream.get("Name", "stdin"), _decode(stream.text))
        return soap.answer(request, "<rsp:SendResponse/>")

    async def _receive(self, request: Request, owner: str, gone: Callable[[], bool]) -> bytes:
        shell = self._shell(request, owner)
        shell.need_connected()
        wanted = _body(request, "Receive").find(f"{RSP}DesiredStream")
        command_id = _identifier(wanted.get("CommandId")) if wanted is not None else None
        limit = (min(request.max_envelope, _MAX_ENVELOPE) - 2_048) * 3 // 4
        delivery = await shell.receive(request, command_id, limit, gone)
        return soap.received(request, delivery.fragments, command_id, done=delivery.done and command_id is not None)

    async def _signal(self, request: Request, owner: str) -> bytes:
        shell = self._shell(request, owner)
        shell.need_connected()
        body = _body(request, "Signal")
        command_id = _identifier(body.get("CommandId"))
        if command_id is None:
            raise faults.bad_parameter()
        shell.buffer(command_id)
        if (body.findtext(f"{RSP}Code") or "").strip() == STOP:
            await shell.session.stop(command_id)
        else:
            await shell.close_command(command_id)
        return soap.answer(request, "<rsp:SignalResponse/>")

    async def _delete(self, request: Request, owner: str) -> bytes:
        await self._end(self._shell(request, owner).id)
        return soap.answer(request)

    async def _disconnect(self, request: Request, owner: str) -> bytes:
        shell = self._shell(request, owner)
        shell.need_connected()
        idle = request.body.findtext(f"{RSP}IdleTimeOut") if request.body is not None else None
        if idle:
            shell.idle = soap.seconds(idle) or shell.idle
        shell.disconnect()
        return soap.answer(request)

    async def _reconnect(self, request: Request, owner: str) -> bytes:
        shell = self._shell(request, owner)
        if shell.session_id != request.session_id:
            raise faults.other_client()
        shell.connected = True
        return soap.answer(request)

    async def _connect(self, request: Request, owner: str) -> bytes:
        shell = self._shell(request, owner)
        body = _body(request, "Connect")
        command_id = _identifier(body.get("CommandId"))
        if command_id is not None:
            shell.need_connected()
            shell.buffer(command_id)
            return soap.connected(request, None)
        if shell.connected and shell.session_id != request.session_id:
            raise faults.other_client()
        answer = await shell.session.connect(_decode(body.findtext(f"{PWSH}connectXml")))
        shell.session_id = request.session_id
        shell.connected = True
        return soap.connected(request, answer)

    async def _get(self, request: Request, owner: str) -> bytes:
        if request.resource.startswith(soap.CONFIG):
            return soap.answer(request, _CONFIG)
        return soap.answer(request, soap.shell_element(self._shell(request, owner).fields(whole=True)))

    async def _enumerate(self, request: Request, owner: str) -> bytes:
        if request.resource == soap.SHELL:
            shells = self._own(owner)
            return soap.enumerated(request, "".join(soap.shell_element(shell.fields(whole=True)) for shell in shells))
        if request.resource != f"{soap.SHELL}/Command" or request.body is None:
            raise faults.unknown_resource()
        selector = request.body.find(f"{W}Filter/{W}SelectorSet/{W}Selector[@Name='ShellId']")
        named = self.shells.get((selector.text or "").upper()) if selector is not None else None
        if named is None or named.owner != owner:
            raise faults.unknown_shell()
        items = "".join(
            f"<rsp:Command><rsp:CommandId>{command}</rsp:CommandId><rsp:CommandLine></rsp:CommandLine>"
            f"<rsp:CommandState>{'Running' if named.running(command) else 'Done'}</rsp:CommandState></rsp:Command>"
            for command in named.commands
        )
        return soap.enumerated(request, items)

    def _watch(self, shell: Shell) -> None:
        """End the shell once it was idle for its idle time."""
        loop = asyncio.get_running_loop()

        def look() -> None:
            left = shell.idle - shell.idle_for
            if left > 0:
                self._timers[shell.id] = loop.call_later(left, look)
                return
            self._end_soon(shell)

        self._timers[shell.id] = loop.call_later(shell.idle, look)

    def _end_soon(self, shell: Shell) -> None:
        if self.shells.get(shell.id) is not shell:
            return
        task = asyncio.get_running_loop().create_task(self._end(shell.id))
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    async def _end(self, shell_id: str, *, at_once: bool = False) -> None:
        shell = self.shells.pop(shell_id, None)
        timer = self._timers.pop(shell_id, None)
        if timer is not None:
            timer.cancel()
        if shell is not None:
            await shell.close(at_once=at_once)


_OPERATIONS: Final = {
    f"{soap.TRANSFER}Create": Service._create,
    f"{soap.TRANSFER}Delete": Service._delete,
    f"{soap.TRANSFER}Get": Service._get,
    f"{soap.ENUMERATION}Enumerate": Service._enumerate,
    f"{soap.SHELL}/Command": Service._command,
    f"{soap.SHELL}/Send": Service._send,
    f"{soap.SHELL}/Signal": Service._signal,
    f"{soap.SHELL}/Disconnect": Service._disconnect,
    f"{soap.SHELL}/Reconnect": Service._reconnect,
    f"{soap.SHELL}/Connect": Service._connect,
}


def _body(request: Request, tag: str) -> ElementTree.Element:
    if request.body is None or request.body.tag != f"{RSP}{tag}":
        raise faults.bad_parameter()
    return request.body


def _identifier(text: str | None) -> str | None:
    """A GUID upper case as Windows compares it; None without one."""
    if not text:
        return None
    try:
        return str(uuid.UUID(text)).upper()
    except ValueError as error:
        raise faults.bad_parameter() from error


def _decode(text: str | None) -> bytes:
    try:
        return base64.b64decode(text or "", validate=True)
    except binascii.Error as error:
        raise faults.bad_parameter() from error
