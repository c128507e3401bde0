"""Whatever the layers below raise becomes an error with words and a hint."""

from __future__ import annotations

import errno
import socket
import struct
import xml.etree.ElementTree as ET

import pytest
import requests
from pypsrp.exceptions import AuthenticationError, WinRMError, WinRMTransportError, WSManFaultError
from spnego.exceptions import InvalidCredentialError

from hvtui.errors import BadReply, NodeRefused, NotAuthenticated, NotAuthorised, RemoteError, Unreachable, Untrusted
from hvtui.remote.faults import explain, is_connection_lost


def _caused(outer: BaseException, inner: BaseException) -> BaseException:
    outer.__cause__ = inner
    return outer


def _tls(text: str) -> BaseException:
    return requests.exceptions.SSLError(text)


@pytest.mark.parametrize(
    ("error", "kind", "says"),
    [
        (_caused(requests.ConnectionError("x"), socket.gaierror(-2, "unknown")), Unreachable, "name hv01 is not known"),
        (_caused(requests.ConnectionError("x"), OSError(errno.EHOSTUNREACH, "no")), Unreachable, "no route"),
        (_caused(requests.ConnectionError("x"), OSError(10061, "refused")), Unreachable, "Nothing listens"),
        (requests.ConnectTimeout("x"), Unreachable, "No connection to hv01:5986 within 5 s"),
        (requests.ReadTimeout("x"), Unreachable, "accepts connections but does not answer"),
        (requests.ConnectionError("reset"), Unreachable, "broke"),
        (_tls("certificate verify failed: certificate has expired"), Untrusted, "has expired"),
        (_tls("certificate verify failed: certificate is not yet valid"), Untrusted, "not valid yet"),
        (_tls("certificate verify failed: Hostname mismatch"), Untrusted, "for another name"),
        (_tls("certificate verify failed: unable to get local issuer"), Untrusted, "CA that is not trusted"),
        (_tls("wrong version number"), Untrusted, "TLS with hv01:5986 failed"),
        (AuthenticationError("Failed to authenticate the user x with ntlm"), NotAuthenticated, "refused the log-on"),
        (AuthenticationError("The server did not response with one of the following"), BadReply, "offers neither"),
        (InvalidCredentialError(context_msg="no ticket"), NotAuthenticated, "no ticket"),
        (WSManFaultError(5, None, "Access is denied.", None, None, None), NotAuthorised, "Access denied"),
        (WSManFaultError(2150858843, None, "no shell", None, None, None), Unreachable, "ended the session"),
        (WSManFaultError(2150858793, None, "late", None, None, None), Unreachable, "did not finish in time"),
        (WSManFaultError(87, None, "bad\x1bthing", None, None, None), NodeRefused, "code 87"),
        (WinRMTransportError("http", 503, "busy"), BadReply, "HTTP 503"),
        (ET.ParseError("no element found"), BadReply, "cannot be read"),
        (struct.error("unpack requires"), BadReply, "cannot be read"),
        (WinRMError("wrong id"), BadReply, "wrong id"),
        (UnicodeDecodeError("utf-8", b"x", 0, 1, "bad"), BadReply, "cannot be read"),
        (Unreachable("already clear"), Unreachable, "already clear"),
    ],
)
def test_errors(error: BaseException, kind: type[RemoteError], says: str) -> None:
    explained = explain(error, node="HV01", where="hv01:5986")
    assert type(explained) is kind
    assert says in explained.text
    assert explained.node == "HV01"
    assert "\x1b" not in explained.text


def test_what_may_be_asked_again() -> None:
    assert is_connection_lost(requests.ConnectionError("reset"))
    assert is_connection_lost(WSManFaultError(2150858843, None, "no shell", None, None, None))
    assert not is_connection_lost(requests.ReadTimeout("silent"))
    assert not is_connection_lost(requests.ConnectTimeout("silent"))
    assert not is_connection_lost(requests.exceptions.SSLError("expired"))
    assert not is_connection_lost(WSManFaultError(5, None, "denied", None, None, None))
