"""The lines between a `pwsh -s` process and whoever speaks for its client (PowerShell's OutOfProcTransportManager)."""

from __future__ import annotations

import base64
import binascii
import re
import uuid
from typing import Final, NamedTuple

POOL: Final = str(uuid.UUID(int=0))
"""The GUID that means the runspace pool; a pipeline has its own."""

# Exactly these attributes, in this order; an element with a body is Data, every other one is empty.
_PACKET: Final = re.compile(
    rb"<(?P<kind>[A-Za-z]+)(?: Stream='(?P<stream>[A-Za-z]+)')? PSGuid='(?P<guid>[0-9a-fA-F-]{36})'"
    rb"(?: ?/>|>(?P<body>[A-Za-z0-9+/=]*)</(?P=kind)>)"
)


class Packet(NamedTuple):
    """One line: `kind` is Data, Command, Signal or Close, or one of them with Ack; `guid` is lower case."""

    kind: str
    guid: str
    data: bytes = b""
    stream: str = ""

    def line(self) -> bytes:
        """The packet as it is sent."""
        if self.kind == "Data":
            body = base64.b64encode(self.data).decode()
            return f"<Data Stream='{self.stream or 'Default'}' PSGuid='{self.guid}'>{body}</Data>".encode()
        return f"<{self.kind} PSGuid='{self.guid}' />".encode()


def read_packet(line: bytes) -> Packet | None:
    """A line of the engine; None when it is no packet, which means that the engine is broken."""
    found = _PACKET.fullmatch(line)
    if found is None:
        return None
    try:
        data = base64.b64decode(found["body"] or b"", validate=True)
    except binascii.Error:
        return None
    stream = (found["stream"] or b"").decode()
    return Packet(found["kind"].decode(), found["guid"].decode().lower(), data, stream)
