"""One simulated node: an HTTP(S) listener on its own port of 127.0.0.1, with WinRM's log-on and encryption."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import weakref
from base64 import b64encode
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

from aiohttp import web
from spnego.channel_bindings import GssChannelBindings

from hvtui.lab.endpoint import encryption, faults, soap
from hvtui.lab.endpoint.accounts import Accounts
from hvtui.lab.endpoint.auth import Logon
from hvtui.lab.endpoint.errors import BadMessage, LogonFailed
from hvtui.lab.endpoint.psrp import PsrpSession
from hvtui.lab.endpoint.runspace import RunspaceOptions
from hvtui.lab.endpoint.service import NewSession, Service
from hvtui.lab.endpoint.session import Outlet
from hvtui.lab.endpoint.shell import ClientGone
from hvtui.lab.endpoint.trouble import Trouble
from hvtui.lab.engine import Engine

DEFAULT_SESSION: Final = "Microsoft.PowerShell"
_SOAP: Final = "application/soap+xml;charset=UTF-8"
_PATH: Final = "/wsman"


@dataclass
class NodeOptions:
    """How a node's WinRM is set up.

    `sessions`: the session configurations by name, each with its language mode and module.
    `idle_close`: seconds after which an idle connection is closed (HTTP.sys; 120 by default there).
    `batching_ms`: how long WinRM collects output before it answers a Receive.
    """

    sessions: dict[str, RunspaceOptions] = field(default_factory=lambda: {DEFAULT_SESSION: RunspaceOptions()})
    max_shells: int = 25
    batching_ms: int = 0
    idle_close: float = 120.0


@dataclass(frozen=True)
class Tls:
    """A server side of TLS: its context, and the channel binding that log-ons over it must carry."""

    context: ssl.SSLContext
    bindings: GssChannelBindings | None


class LabNode:
    """Serves one node's engine. Everything runs on the loop that `start` was called on.

    After `stop` a `start` listens on the same port again, as a node that was restarted.
    """

    def __init__(
        self,
        name: str,
        engine: Engine,
        accounts: Accounts,
        *,
        options: NodeOptions | None = None,
        tls: Tls | None = None,
        new_session: NewSession | None = None,
    ) -> None:
        self.name = name
        self.engine = engine
        self.options = options or NodeOptions()
        self.tls = tls
        self.trouble = Trouble()
        self.port = 0
        self.requests = 0
        """Requests that came since the lab began, log-ons included."""
        self._accounts = accounts
        self._service = Service(
            new_session or self._native,
            max_shells=self.options.max_shells,
            batching=self.options.batching_ms / 1_000,
            trouble=self.trouble,
        )
        self._server: web.Server | None = None
        self._listener: asyncio.Server | None = None
        self._logons: weakref.WeakKeyDictionary[asyncio.BaseTransport, Logon] = weakref.WeakKeyDictionary()

    @property
    def address(self) -> str:
        """`127.0.0.1:port`."""
        return f"127.0.0.1:{self.port}"

    @property
    def connections(self) -> int:
        """TCP connections that are open now and have made a request."""
        return sum(not transport.is_closing() for transport in list(self._logons))

    @property
    def service(self) -> Service:
        """The node's shells."""
        return self._service

    async def start(self, port: int = 0) -> None:
        """Listen on the given port, else on the port it had before, else on any free one."""
        if self._listener is not None:
            return
        self._server = web.Server(self._handle, keepalive_timeout=self.options.idle_close, access_log=None)
        self._listener = await asyncio.get_running_loop().create_server(
            self._server,
            "127.0.0.1",
            port or self.port,
            ssl=self.tls.context if self.tls else None,
        )
        self.port = self._listener.sockets[0].getsockname()[1]

    async def stop(self, *, keep_shells: bool = False) -> None:
        """Refuse connections and break those there are; without `keep_shells` as a node that died."""
        if self._listener is None or self._server is None:
            return
        listener, server = self._listener, self._server
        self._listener = self._server = None
        # A connection that was just accepted becomes a transport some turns of the loop later; in between a closed
        # listener would leave its socket open (Python 3.11). So accepting ends first. The proactor has no readers.
        with contextlib.suppress(NotImplementedError):
            for held in listener.sockets:
                asyncio.get_running_loop().remove_reader(held.fileno())
        for _ in range(5):
            await asyncio.sleep(0)
        listener.close()
        for transport in list(self._logons):
            if isinstance(transport, asyncio.Transport):
                transport.abort()
        if not keep_shells:
            await self._service.close()
        await server.shutdown(0.1)
        # Newer Pythons wait here for every connection, half-open TLS ones included.
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(listener.wait_closed(), 0.5)

    def hang(self, on: bool = True) -> None:
        """Accept connections and answer nothing, or go back to normal for new requests."""
        self.trouble.hang = on

    def _native(self, configuration: str, outlet: Outlet) -> PsrpSession | None:
        known = {name.lower(): options for name, options in self.options.sessions.items()}
        options = known.get(configuration.lower())
        return PsrpSession(self.engine, options, outlet, self._rewrite) if options else None

    def _rewrite(self, text: str) -> str:
        return self.trouble.rewrite(text) if self.trouble.rewrite else text

    async def _handle(self, http: web.BaseRequest) -> web.StreamResponse:
        self.requests += 1
        transport = http.transport
        if transport is None:
            return web.Response(status=HTTPStatus.BAD_REQUEST)
        logon = self._logons.get(transport)
        if logon is None:
            logon = self._logons[transport] = Logon(self._accounts, self.tls.bindings if self.tls else None)
        body = await http.read()
        await self._stall()
        if http.path.lower() != _PATH or http.method != "POST":
            return web.Response(status=HTTPStatus.NOT_FOUND)
        headers = self._log_on(logon, http.headers.get("Authorization"))
        if logon.account is None:
            return web.Response(status=HTTPStatus.UNAUTHORIZED, headers=headers)
        return await self._soap(http, transport, logon, body, headers) if body else web.Response(headers=headers)

    def _log_on(self, logon: Logon, header: str | None) -> dict[str, str]:
        """One step of the log-on; the header that tells the client how to go on."""
        token: bytes | None = None
        if header is not None:
            with contextlib.suppress(LogonFailed):
                token = logon.step(header)
        if token is not None:
            return {"WWW-Authenticate": f"Negotiate {b64encode(token).decode()}"}
        return {} if logon.account else {"WWW-Authenticate": "Negotiate"}

    async def _soap(
        self,
        http: web.BaseRequest,
        transport: asyncio.Transport,
        logon: Logon,
        body: bytes,
        headers: dict[str, str],
    ) -> web.StreamResponse:
        sealed = encryption.is_encrypted(http.headers.get("Content-Type", ""))
        if not sealed and self.tls is None:
            # AllowUnencrypted is false on every node (the status that Windows gives then is UNVERIFIED).
            return web.Response(status=HTTPStatus.INTERNAL_SERVER_ERROR)
        try:
            message = encryption.unwrap(logon.context, body) if sealed else body
        except BadMessage:
            return web.Response(status=HTTPStatus.BAD_REQUEST)
        self._listen_in(message)
        assert logon.account is not None
        status, verb, relates_to = HTTPStatus.OK, "", ""
        try:
            request = soap.parse(message)
            verb, relates_to = request.verb, request.message_id
            answer = await self._service.answer(request, logon.account, transport.is_closing)
        except ClientGone:
            return web.Response()
        except faults.Fault as error:
            status = HTTPStatus.INTERNAL_SERVER_ERROR
            answer = soap.fault(error, relates_to or error.relates_to, self.name)
        self._listen_in(answer)
        await self._stall()
        spoilt = self.trouble.take(verb)
        if spoilt is not None:
            answer = self.trouble.spoil(spoilt, answer)
        if self.trouble.delay:
            await asyncio.sleep(self.trouble.delay)
        headers["Content-Type"] = encryption.CONTENT_TYPE if sealed else _SOAP
        whole = encryption.wrap(logon.context, answer) if sealed else answer
        if spoilt == "drop":
            return await self._drop(http, transport, whole, headers)
        return web.Response(status=status, body=whole, headers=headers)

    def _listen_in(self, message: bytes) -> None:
        if self.trouble.heard is not None:
            self.trouble.heard.append(message)

    async def _stall(self) -> None:
        """While the node hangs nobody gets an answer, until the connection ends."""
        if self.trouble.hang:
            await asyncio.get_running_loop().create_future()

    async def _drop(
        self, http: web.BaseRequest, transport: asyncio.Transport, whole: bytes, headers: dict[str, str]
    ) -> web.StreamResponse:
        response = web.StreamResponse(headers=headers)
        response.content_length = len(whole)
        await response.prepare(http)
        await response.write(whole[: len(whole) // 2])
        transport.abort()
        return response
