"""From what the libraries raise to an error a person can act on."""

from __future__ import annotations

import errno
import logging
import socket
from collections.abc import Callable, Iterator
from typing import Any, Final

import requests
import spnego.exceptions
import urllib3.exceptions
from pypsrp.exceptions import AuthenticationError, WinRMTransportError, WSManFaultError

from hvtui.errors import (
    BadReply,
    NodeRefused,
    NotAuthenticated,
    NotAuthorised,
    RemoteError,
    Unreachable,
    Untrusted,
)
from hvtui.remote.transport import CONNECT_SECONDS, AbandonedError, ConnectionGoneError
from hvtui.text import safe_text

OPERATION_TIMED_OUT: Final = 2150858793
"""Nothing happened within a Receive's time: ask again."""
SHELL_NOT_FOUND: Final = 2150858843
SHELL_DISCONNECTED: Final = 2150859204
ACCESS_DENIED: Final = 5
ABORTED: Final = 995
QUOTA: Final = 2150859173

_log = logging.getLogger(__name__)

_REFUSED_CONNECTION: Final = {errno.ECONNREFUSED, 10061}
_NO_ROUTE: Final = {errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, 10051, 10065}


def explain(error: BaseException, *, node: str, where: str) -> RemoteError:
    """The RemoteError for anything the layers below may raise; `where` is `host:port`."""
    if isinstance(error, RemoteError):
        error.node = error.node or node
        return error
    for kinds, translate in _TRANSLATIONS:
        if isinstance(error, kinds):
            return translate(error, node, where)
    # What a damaged answer makes the layers below raise cannot be listed; a fault of hvtui's own must not get lost.
    _log.info("unexpected from %s", where, exc_info=error)
    return BadReply(
        f"The answer of {where} cannot be read: {type(error).__name__} {safe_text(str(error))}".rstrip(), node=node
    )


def is_connection_lost(error: BaseException) -> bool:
    """The connection or the shell went away: a new one may do what this one could not."""
    if isinstance(error, WSManFaultError):
        return error.code in {SHELL_NOT_FOUND, SHELL_DISCONNECTED, ABORTED}
    if isinstance(error, requests.ConnectionError | requests.exceptions.ChunkedEncodingError):
        return not isinstance(error, requests.Timeout | requests.exceptions.SSLError)
    return isinstance(error, ConnectionGoneError)


def _transport(error: BaseException, node: str, where: str) -> RemoteError:
    code = error.code if isinstance(error, WinRMTransportError) else "?"
    return BadReply(
        f"{where} answered with HTTP {code}, not with WSMan",
        node=node,
        hint="Check that the address and port are WinRM's.",
    )


def _closed(error: BaseException, node: str, where: str) -> RemoteError:
    return Unreachable(f"The connection to {where} was closed", node=node)


def _log_on(error: BaseException, node: str, where: str) -> RemoteError:
    return NotAuthenticated(
        f"The log-on at {where} failed: {safe_text(str(error))}",
        node=node,
        hint="Check `auth`, the account, and for Kerberos the ticket and the node's name.",
    )


def _fault(error: BaseException, node: str, where: str) -> RemoteError:
    assert isinstance(error, WSManFaultError)
    reason = safe_text(" ".join(str(error.provider_fault or error.reason or "no reason given").split()))
    if error.code == ACCESS_DENIED:
        return NotAuthorised(
            f"Access denied: the account may not open a PowerShell session on {node}",
            node=node,
            hint="Add it to Remote Management Users on the node, or use an endpoint it may use.",
        )
    if error.code in {SHELL_NOT_FOUND, SHELL_DISCONNECTED, ABORTED}:
        return Unreachable(f"{node} ended the session ({reason})", node=node)
    if error.code == OPERATION_TIMED_OUT:
        return Unreachable(f"WinRM on {node} did not finish in time", node=node)
    hint = ""
    if error.code == QUOTA:
        hint = "Too many sessions: use personal accounts, close other consoles; left ones end after three minutes."
    text = f"WinRM on {node} refused: {reason} (code {error.code})"
    return NodeRefused(text, node=node, code=str(error.code), hint=hint)


def _authentication(error: BaseException, node: str, where: str) -> RemoteError:
    text = str(error)
    if "did not response with one of" in text or "did not ask for a log-on" in text:
        return BadReply(
            f"{where} offers neither Negotiate nor Kerberos nor NTLM",
            node=node,
            hint="Allow Negotiate in WinRM on the node: Set-Item WSMan:\\localhost\\Service\\Auth\\Negotiate $true",
        )
    return NotAuthenticated(
        f"{node or where} refused the log-on",
        node=node,
        hint="Check user name and password; nothing is tried again with them.",
    )


def _connection(error: BaseException, node: str, where: str) -> RemoteError:
    causes = list(_chain(error))
    for cause in causes:
        if isinstance(cause, requests.exceptions.SSLError | urllib3.exceptions.SSLError):
            return _tls(causes, node, where)
    for cause in causes:
        found = _socket_error(cause, node, where)
        if found is not None:
            return found
    if any(isinstance(cause, requests.ConnectTimeout | urllib3.exceptions.ConnectTimeoutError) for cause in causes):
        return Unreachable(
            f"No connection to {where} within {CONNECT_SECONDS:.0f} s",
            node=node,
            hint="The node is down, or a firewall drops the packets.",
        )
    if any(isinstance(c, requests.ReadTimeout | urllib3.exceptions.ReadTimeoutError | TimeoutError) for c in causes):
        return Unreachable(
            f"{where} accepts connections but does not answer",
            node=node,
            hint="The node hangs, or something else listens at that port.",
        )
    return Unreachable(f"The connection to {where} broke", node=node)


def _socket_error(cause: BaseException, node: str, where: str) -> RemoteError | None:
    if isinstance(cause, socket.gaierror | urllib3.exceptions.NameResolutionError):
        host = where.rpartition(":")[0]
        hint = "Correct the address in the configuration, or DNS."
        return Unreachable(f"The name {host} is not known", node=node, hint=hint)
    if isinstance(cause, OSError) and cause.errno in _REFUSED_CONNECTION:
        hint = "Is the node up, the port right, and WinRM enabled there (Enable-PSRemoting)?"
        return Unreachable(f"Nothing listens at {where}", node=node, hint=hint)
    if isinstance(cause, OSError) and cause.errno in _NO_ROUTE:
        return Unreachable(f"There is no route to {where}", node=node, hint="Check network and VPN.")
    return None


def _tls(causes: list[BaseException], node: str, where: str) -> RemoteError:
    text = " ".join(str(cause) for cause in causes)
    if "certificate has expired" in text:
        return Untrusted(f"The certificate of {where} has expired", node=node, hint="Renew it on the node.")
    if "not yet valid" in text:
        return Untrusted(f"The certificate of {where} is not valid yet", node=node, hint="Compare the clocks.")
    if "mismatch" in text or "doesn't match" in text or "not valid for" in text:
        return Untrusted(
            f"The certificate of {where} is for another name",
            node=node,
            hint="Use the name in the certificate as the node's address.",
        )
    if "certificate verify failed" in text or "self-signed" in text or "self signed" in text:
        return Untrusted(
            f"The certificate of {where} comes from a CA that is not trusted here",
            node=node,
            hint="Give its CA in the configuration (`ca`), or install it on this machine.",
        )
    return Untrusted(
        f"TLS with {where} failed: {safe_text(str(causes[-1]))}",
        node=node,
        hint="Is the port WinRM's HTTPS port? Without TLS it is 5985 and `tls = false`.",
    )


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and everything it came from, wherever the libraries put it."""
    seen: set[int] = set()
    waiting: list[BaseException] = [error]
    while waiting:
        current = waiting.pop(0)
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        inner = [current.__cause__, current.__context__, getattr(current, "reason", None), *current.args]
        waiting.extend(item for item in inner if isinstance(item, BaseException))


_TRANSLATIONS: Final[tuple[tuple[Any, Callable[[BaseException, str, str], RemoteError]], ...]] = (
    (WSManFaultError, _fault),
    (WinRMTransportError, _transport),
    (AuthenticationError, _authentication),
    (spnego.exceptions.SpnegoError, _log_on),
    ((requests.RequestException, urllib3.exceptions.HTTPError, OSError), _connection),
    ((ConnectionGoneError, AbandonedError), _closed),
)
