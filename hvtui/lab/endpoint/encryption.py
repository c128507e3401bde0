"""WinRM message encryption: the multipart/encrypted body that carries a sealed SOAP message over plain HTTP."""

from __future__ import annotations

import re
import struct
from typing import Any, Final

from hvtui.lab.endpoint.errors import BadMessage

BOUNDARY: Final = b"--Encrypted Boundary"
CONTENT_TYPE: Final = (
    'multipart/encrypted;protocol="application/HTTP-SPNEGO-session-encrypted";boundary="Encrypted Boundary"'
)
_LENGTH: Final = re.compile(rb"Length=(\d+)")
_PAYLOAD: Final = b"\tContent-Type: application/octet-stream\r\n"


def is_encrypted(content_type: str) -> bool:
    """Whether a request's Content-Type announces a sealed message."""
    return content_type.lower().startswith("multipart/encrypted")


def unwrap(context: Any, body: bytes) -> bytes:
    """Open a sealed message; raises BadMessage when the frame, the signature or the stated length is wrong.

    `context` is the connection's accepted security context, whose sequence numbers advance with every message.
    """
    # The sealed bytes are arbitrary, so the frame is cut at its fixed ends and never searched from the middle.
    start = body.find(_PAYLOAD)
    end = body.rfind(BOUNDARY + b"--")
    length = _LENGTH.search(body, 0, start if start > 0 else 0)
    if start < 0 or end < start or length is None:
        raise BadMessage("not a multipart/encrypted message")
    sealed = body[start + len(_PAYLOAD) : end]
    if len(sealed) < 4:
        raise BadMessage("the sealed message is cut short")
    (size,) = struct.unpack("<i", sealed[:4])
    if not 0 < size <= len(sealed) - 4:
        raise BadMessage("the signature's length is wrong")
    try:
        plain: bytes = context.unwrap_winrm(sealed[4 : 4 + size], sealed[4 + size :])
    except Exception as error:
        raise BadMessage(f"the message cannot be opened: {error}") from error
    if len(plain) != int(length.group(1)):
        raise BadMessage("the stated length is wrong")
    return plain


def wrap(context: Any, message: bytes) -> bytes:
    """Seal a message into a multipart/encrypted body."""
    header, sealed, padding = context.wrap_winrm(message)
    return b"".join(
        (
            BOUNDARY,
            b"\r\n\tContent-Type: application/HTTP-SPNEGO-session-encrypted\r\n",
            b"\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length=%d\r\n" % (len(message) + padding),
            BOUNDARY,
            b"\r\n",
            _PAYLOAD,
            struct.pack("<i", len(header)),
            header,
            sealed,
            BOUNDARY,
            b"--\r\n",
        )
    )
