"""Log-on of one connection: Negotiate with NTLM inside, bare or wrapped in SPNEGO, accepted by pure Python."""

from __future__ import annotations

import base64
import binascii
import struct
from typing import Any, Final

import spnego
from spnego._context import GSSMech
from spnego.channel_bindings import GssChannelBindings

from hvtui.lab.endpoint.accounts import Account, Accounts
from hvtui.lab.endpoint.errors import LogonFailed

_NTLM: Final = b"NTLMSSP\x00"
_AUTHENTICATE: Final = _NTLM + struct.pack("<I", 3)
_UNICODE: Final = 1


class Logon:
    """The security context of one TCP connection: WinRM's log-on and its keys live and die with it."""

    def __init__(self, accounts: Accounts, bindings: GssChannelBindings | None) -> None:
        self._accounts = accounts
        self._bindings = bindings
        self._context: Any = None
        self.account: Account | None = None

    @property
    def context(self) -> Any:
        """The accepted context that seals and opens messages, None before the log-on."""
        return self._context if self.account else None

    def step(self, header: str) -> bytes | None:
        """Take one `Authorization` header.

        Returns the token for the client; `account` is set when the log-on is complete. Raises LogonFailed.
        """
        scheme, _, value = header.partition(" ")
        try:
            token = base64.b64decode(value, validate=True)
        except binascii.Error as error:
            raise LogonFailed("not base64") from error
        if scheme.lower() != "negotiate" or not token:
            raise LogonFailed(f"{scheme} is not offered")
        if self.account is not None:
            # A client that starts over on a connection gets new keys.
            self._context = self.account = None
        name = _user_name(token)
        known = self._accounts.find(name) if name else None
        if known and known.status == "locked":
            self._refuse(name, "the account is locked")
        answer: bytes | None = None
        try:
            with self._accounts.provider():
                if self._context is None:
                    self._context = _acceptor(self._bindings)
                answer = self._context.step(token)
        except Exception as error:  # the provider raises its own and struct's errors for what a client may send
            self._refuse(name, str(error))
        if self._context.complete:
            self._finish()
        return answer

    def _finish(self) -> None:
        principal = self._context.client_principal or ""
        account = self._accounts.find(principal)
        if account is None or account.status != "ok":
            self._refuse(principal, f"the account is {account.status if account else 'unknown'}")
        else:
            self._accounts.succeeded(account)
            self.account = account

    def _refuse(self, name: str, why: str) -> None:
        self._context = self.account = None
        if name:
            self._accounts.failed(name)
        raise LogonFailed(why)


def _acceptor(bindings: GssChannelBindings | None) -> Any:
    """An acceptor that is Python throughout: never SSPI or GSSAPI, whose accounts would be the machine's own."""
    ntlm = spnego.server(protocol="ntlm", options=spnego.NegotiateOptions.use_ntlm, channel_bindings=bindings)
    return spnego.server(
        protocol="negotiate",
        options=spnego.NegotiateOptions.use_negotiate,
        channel_bindings=bindings,
        _negotiate_contexts={GSSMech.ntlm: ntlm},
    )


def _user_name(token: bytes) -> str:
    """The account in an NTLM AUTHENTICATE message ([MS-NLMP] 2.2.1.3), empty in any other token."""
    start = token.find(_AUTHENTICATE)
    message = token[start:] if start >= 0 else b""
    if len(message) < 64:
        return ""

    def text(at: int) -> str:
        length, _, offset = struct.unpack_from("<HHI", message, at)
        return message[offset : offset + length].decode(codec, "replace")

    (flags,) = struct.unpack_from("<I", message, 60)
    codec = "utf-16-le" if flags & _UNICODE else "ascii"
    domain, user = text(28), text(36)
    return f"{domain}\\{user}" if domain else user
