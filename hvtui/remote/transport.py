"""HTTP under pypsrp: one connection, one log-on, and nothing the user did not ask for.

pypsrp's own transport honours proxy variables, retries a silent node for minutes, and never recovers when the server
closes an idle connection with message encryption: the new connection is not logged on, and what is sent on it was
encrypted for the old one. Here a request may only use the connection that was logged on. When that one is gone,
nothing has been sent yet, so logging on again and sending the request is always safe.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import urllib.parse
import warnings
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

import requests
import urllib3
from pypsrp.encryption import WinRMEncryption
from pypsrp.exceptions import AuthenticationError, WinRMTransportError
from pypsrp.negotiate import HTTPNegotiateAuth
from pypsrp.wsman import _TransportHTTP
from requests.adapters import HTTPAdapter
from spnego.exceptions import SpnegoError
from urllib3.util.retry import Retry

from hvtui.remote.credentials import CredentialGate
from hvtui.remote.meter import Meter

CONNECT_SECONDS = 5.0
LOG_ON_SECONDS = 8.0
"""How long a node may take for each answer of a log-on."""


class ConnectionGoneError(Exception):
    """The connection that was logged on is no more; the request was not sent."""


class AbandonedError(Exception):
    """The lane is being closed; no connection is opened any more."""


@cache
def _system_trust() -> ssl.SSLContext:
    """The CAs this system trusts: on Windows its certificate store, where a company's own CA is."""
    return ssl.create_default_context()


class GatedAuth(HTTPNegotiateAuth):
    """Negotiate, NTLM or Kerberos, with each use of the credential going through the gate."""

    def __init__(self, gate: CredentialGate, node: str, abandoned: Callable[[], bool], **options: Any) -> None:
        super().__init__(**options)
        self._gate = gate
        self._node = node
        self._abandoned = abandoned

    def handle_401(self, response: Any, **kwargs: Any) -> Any:
        """Answer the node's question for a credential; called once per connection."""
        with self._gate.attempt(self._node, self._abandoned) as attempt:
            self.username = attempt.credential.username or None
            self.password = attempt.credential.password or None
            try:
                answer = super().handle_401(response, **kwargs)  # type: ignore[no-untyped-call]
            except SpnegoError:
                # Kerberos may fail before the node is asked; the domain has counted it all the same. Once the
                # credential was good elsewhere it is this node's own trouble: its name, its trust.
                if not self._gate.proven:
                    attempt.ended(accepted=False)
                raise
            finally:
                self.password = None
            attempt.ended(accepted=answer.status_code != 401)
        return answer


class Transport(_TransportHTTP):
    """What pypsrp's WSMan sends its messages through. Used by one thread; `abort` may be called from any."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        node: str,
        gate: CredentialGate,
        auth: str = "negotiate",
        tls: bool = True,
        verify: bool = True,
        ca: Path | None = None,
        meter: Meter | None = None,
    ) -> None:
        super().__init__(host, port, None, None, tls, auth=auth, no_proxy=True)
        self._gate = gate
        self._node = node
        self._verify = verify
        self._ca = ca
        self._meter = meter or Meter()
        self._fresh_allowed = True
        self._aborted = threading.Event()
        self._wire: Any = None
        self.read_seconds = LOG_ON_SECONDS
        """How long an answer may take when pypsrp does not say."""

    def send(
        self,
        message: bytes,
        *,
        retries_on_read_timeout: int = 0,
        timeout: float | tuple[float, float] | None = None,
    ) -> bytes:
        """Send one WSMan message and return the answer. A `timeout` is what pypsrp derives from the operation's."""
        read = timeout + 2 if isinstance(timeout, (int, float)) else self.read_seconds
        try:
            if self.session is None:
                self._log_on()
            try:
                return self._post(message, read)
            except (ConnectionGoneError, AuthenticationError):
                pass
            except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError) as error:
                # Only a Receive may be repeated when it may have arrived: the server keeps its answer.
                if isinstance(error, requests.Timeout | requests.exceptions.SSLError) or not retries_on_read_timeout:
                    raise
            self.reset()
            self._log_on()
            return self._post(message, read)
        except WinRMTransportError:
            raise
        except Exception:
            self.reset()
            raise

    def reset(self) -> None:
        """Forget the connection; the next message logs on again. The shell on the node is not touched."""
        held, self._wire = self._wire, None
        if held is not None:
            # One that broke in the middle of an answer is not in the session's pool any more.
            held.close()
        self.close()
        self.session = None
        self.encryption = None

    def abort(self) -> None:
        """Break whatever the lane's thread waits for; nothing is sent any more."""
        self._aborted.set()
        held = getattr(self._wire, "sock", None)
        if held is not None:
            with contextlib.suppress(OSError):
                held.shutdown(socket.SHUT_RDWR)

    def _log_on(self) -> None:
        session = self.session = self._build_session()
        auth = GatedAuth(
            self._gate,
            self._node,
            self._aborted.is_set,
            auth_provider=self.auth,
            send_cbt=self.ssl,
            wrap_required=self.wrap_required,
        )
        self._fresh_allowed = True
        request = session.prepare_request(requests.Request("POST", self.endpoint, data=None, auth=auth))
        try:
            self._send_request(request, timeout=(CONNECT_SECONDS, LOG_ON_SECONDS))
        except AuthenticationError:
            self._gate.check(self._node)
            raise
        except WinRMTransportError:
            # An empty message is no WSMan message; what counts is that the log-on before it was accepted.
            if not auth.contexts:
                raise
        # From here on a 401 means that the connection is not the one that was logged on.
        self._fresh_allowed = False
        if self.wrap_required:
            context = auth.contexts.get(urllib.parse.urlparse(self.endpoint).hostname or "")
            if context is None:
                raise AuthenticationError("The node did not ask for a log-on, so messages could not be encrypted")
            kerberos = context.response_auth_header == "kerberos"
            self.encryption = WinRMEncryption(context, WinRMEncryption.KERBEROS if kerberos else WinRMEncryption.SPNEGO)

    def _post(self, message: bytes, read: float) -> bytes:
        assert self.session is not None
        kind, payload = "application/soap+xml;charset=UTF-8", message
        if self.encryption is not None:
            kind, payload = self.encryption.wrap_message(message)
            kind = f'{kind};protocol="{self.encryption.protocol}";boundary="Encrypted Boundary"'
        request = requests.Request("POST", self.endpoint, data=payload, headers={"Content-Type": kind})
        return self._send_request(self.session.prepare_request(request), timeout=(CONNECT_SECONDS, read))

    def _send_request(self, request: requests.PreparedRequest, timeout: Any = None) -> bytes:
        sent, received = len(request.body or b""), 0
        try:
            answer: bytes = super()._send_request(request, timeout=timeout)
            received = len(answer)
            return answer
        finally:
            self._meter.request(sent, received)

    def _build_session(self) -> requests.Session:
        session = requests.Session()
        # No proxy, no .netrc, no CA bundle from the environment.
        session.trust_env = False
        session.headers["User-Agent"] = "hvtui"
        session.headers["Accept-Encoding"] = "identity"
        session.verify = str(self._ca) if self._ca and self._verify else self._verify
        adapter = HTTPAdapter(pool_connections=1, pool_maxsize=1, max_retries=Retry(0, read=False))
        manager = adapter.poolmanager
        manager.pool_classes_by_scheme = {
            scheme: partial(self._pool, made) for scheme, made in manager.pool_classes_by_scheme.items()
        }
        if self.ssl and self._verify and self._ca is None:
            manager.connection_pool_kw["ssl_context"] = _system_trust()
        if not self._verify:
            warnings.simplefilter("ignore", urllib3.exceptions.InsecureRequestWarning)
        session.mount("http://", adapter)
        session.mount("https://", adapter)
        return session

    def _pool(self, made: Callable[..., Any], *args: Any, **options: Any) -> Any:
        pool = made(*args, **options)
        pool.ConnectionCls = partial(self._connection, pool.ConnectionCls)
        return pool

    def _connection(self, made: Callable[..., Any], *args: Any, **options: Any) -> Any:
        connection = made(*args, **options)
        connection.connect = partial(self._connect, connection, connection.connect)
        return connection

    def _connect(self, connection: Any, connect: Callable[[], None]) -> None:
        if self._aborted.is_set():
            raise AbandonedError
        if not self._fresh_allowed:
            raise ConnectionGoneError
        self._wire = connection
        connect()
