"""A tiny control server: what the stubs' own tests ask instead of a lab."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

Request = dict[str, Any]
Answer = dict[str, Any]


class StubControl:
    """Answers each command from `answers` (a record, or a function of the request); `None` never answers."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer | Callable[[Request], Answer] | None] = {}
        self.requests: list[Request] = []
        self.arrived = threading.Condition()
        self._closed_lines = 0
        self._sending = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._lines: list[socket.socket] = []
        self._thread = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # A blocked accept is woken by shutting the listener down, not by closing it.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for line in self._lines:
            line.close()
        self._thread.join(5)

    @property
    def address(self) -> str:
        """Where the stubs reach it."""
        host, port = self._listener.getsockname()
        return f"{host}:{port}"

    @property
    def closed_lines(self) -> int:
        """Number of connections that the other side has closed."""
        return self._closed_lines

    def of(self, command: str) -> list[Request]:
        """The requests of one command, in order."""
        return [one for one in self.requests if one.get("command") == command]

    def wait_for(self, what: Callable[[], bool], seconds: float = 30) -> bool:
        """Waits until something about the requests or connections holds."""
        with self.arrived:
            return self.arrived.wait_for(what, seconds)

    def _accept(self) -> None:
        while True:
            try:
                line, _ = self._listener.accept()
            except OSError:
                return
            self._lines.append(line)
            threading.Thread(target=self._serve, args=(line,), daemon=True).start()

    def _serve(self, line: socket.socket) -> None:
        try:
            with line.makefile("rb") as stream:
                for text in stream:
                    request = json.loads(text)
                    with self.arrived:
                        self.requests.append(request)
                        self.arrived.notify_all()
                    # Each on its own: a question that waits must not hold up the next.
                    threading.Thread(target=self._reply, args=(line, request), daemon=True).start()
        except (OSError, ValueError):
            # The other side was killed, or the test is over.
            pass
        with self.arrived:
            self._closed_lines += 1
            self.arrived.notify_all()

    def _reply(self, line: socket.socket, request: Request) -> None:
        answer = self._answer(request)
        if answer is not None:
            with self._sending:
                line.sendall(json.dumps({"id": request["id"], **answer}).encode() + b"\n")

    def _answer(self, request: Request) -> Answer | None:
        if "cancel" in request:
            return None
        found = self.answers.get(request["command"], {"output": [], "errors": []})
        return found(request) if callable(found) else found
