"""The control channel: where the commands of a lab's PowerShell sessions are answered out of the world.

Listens on this machine only. A session holds a token that names its node; one TCP connection, one JSON object a line
each way, answers in any order. Everything runs on the lab's event loop, as all that reads or changes the world does.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Final, Self

import msgspec

from hvtui.lab.pwsh.cim.instances import View
from hvtui.lab.pwsh.cim.repository import Repository
from hvtui.lab.pwsh.commands import errors, guests
from hvtui.lab.pwsh.commands.answer import Answer, LabError, Refused
from hvtui.lab.pwsh.commands.call import CommandCall
from hvtui.lab.pwsh.commands.registry import COMMANDS
from hvtui.lab.world.actions import Asked
from hvtui.lab.world.world import World

ADDRESS: Final = "HVTUI_LAB_CONTROL"
TOKEN: Final = "HVTUI_LAB_TOKEN"  # noqa: S105 - the name of a variable
_HOST: Final = "127.0.0.1"
_LINE: Final = 16 * 1024 * 1024
_INSIDE: Final = "HvTui:"
"""Questions that stand for one-statement functions of the module, not for commands of Windows."""

Match = dict[str, str] | Callable[[dict[str, Any]], bool]


class _Request(msgspec.Struct):
    """One line from a session."""

    token: str = ""
    id: int = 0
    command: str = ""
    parameters: dict[str, Any] = {}
    set: str = ""
    cancel: int | None = None
    asked: dict[str, str] | None = None


@dataclass(eq=False, slots=True)
class Failure:
    """A planned failure; a test keeps it to see whether it was met, or to lift it."""

    node: str
    command: str
    error: LabError | None
    """None: the command never answers."""
    match: Match | None
    times: int | None
    skip: int
    met: int = 0
    _plans: list[Failure] = field(default_factory=list, repr=False)

    def lift(self) -> None:
        """From now on the command works again."""
        with contextlib.suppress(ValueError):
            self._plans.remove(self)

    def applies(self, node: str, command: str, parameters: dict[str, Any]) -> bool:
        """Whether it is this call's turn to fail; counts what it lets pass."""
        if self.node.lower() not in {"", "*", node.lower()} or self.command.lower() != command.lower():
            return False
        if not _matches(self.match, parameters):
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        if self.times is not None and self.met >= self.times:
            return False
        self.met += 1
        return True


class Control:
    """The server side. `async with Control(world) as control:` listens; `session` admits a session of a node."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._server: asyncio.Server | None = None
        self._sessions: dict[str, Repository] = {}
        self._repositories: dict[str, Repository] = {}
        self._connections: set[asyncio.Task[None]] = set()
        self._failures: list[Failure] = []
        self._encode = msgspec.json.Encoder().encode
        self._decode = msgspec.json.Decoder(_Request).decode

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen on a free port of 127.0.0.1."""
        self._server = await asyncio.start_server(self._connected, _HOST, 0, limit=_LINE)

    async def stop(self) -> None:
        """Close every connection; sessions that wait learn it."""
        if self._server is not None:
            self._server.close()
        for task in tuple(self._connections):
            task.cancel()
        if self._connections:
            await asyncio.wait(self._connections)
        if self._server is not None:
            await self._server.wait_closed()
            self._server = None

    @property
    def address(self) -> str:
        """`127.0.0.1:port`."""
        if self._server is None:
            raise RuntimeError("the control channel was not started")
        return f"{_HOST}:{self._server.sockets[0].getsockname()[1]}"

    # --- sessions ---

    def session(self, node: str) -> str:
        """Admit a new session of a node; its token."""
        name = self.world.node(node).name
        token = secrets.token_urlsafe(24)
        repository = self._repositories.get(name)
        if repository is None:
            repository = self._repositories[name] = Repository(View(self.world, self.world.node(name)))
        self._sessions[token] = repository
        return token

    def environment(self, token: str) -> dict[str, str]:
        """What a session's process needs in its environment."""
        return {ADDRESS: self.address, TOKEN: token}

    def repository(self, token: str) -> Repository:
        """What a session's node shows; raises KeyError for a token that is worth nothing."""
        return self._sessions[token]

    def end(self, token: str) -> None:
        """The session is over: its token is worth nothing any more."""
        self._sessions.pop(token, None)

    # --- planned failures ---

    def fail(
        self,
        node: str,
        command: str,
        error: LabError | str,
        *,
        match: Match | None = None,
        times: int | None = None,
        skip: int = 0,
    ) -> Failure:
        """Let a command fail on a node (`*`: on all).

        `error` is an error or the name of one (`errors.named`), or `hang`: no answer at all. `match` chooses calls by
        parameters: name → text or wildcard, or a function of them. `times`: how often, None for ever; `skip`: after
        how many calls that work.
        """
        made = None if error == "hang" else errors.named(error, command) if isinstance(error, str) else error
        failure = Failure(node, command, made, match, times, skip, _plans=self._failures)
        self._failures.append(failure)
        return failure

    def heal(self) -> None:
        """Lift all planned failures."""
        self._failures.clear()

    # --- serving ---

    async def answer(
        self,
        repository: Repository,
        command: str,
        parameters: dict[str, Any],
        set_: str = "",
        asked: dict[str, str] | None = None,
    ) -> Answer:
        """Answer one command as the node of a session does. The world may run: it is brought up to now first."""
        world, node = self.world, repository.view.node
        world.sync()
        world.commands.note(world.elapsed, node.name, command, parameters)
        try:
            for failure in tuple(self._failures):
                if failure.applies(node.name, command, parameters):
                    if failure.error is None:
                        await asyncio.Event().wait()
                    else:
                        raise Refused(failure.error)
            call = CommandCall(repository, command, parameters, set_, _asked(asked))
            if command == guests.END:
                self.end(str(call.get("Session")))
                return Answer()
            if command == guests.LOG_ON:
                return self._admit(guests.log_on(call))
            handler = COMMANDS.get(command.lower())
            if handler is None:
                raise Refused(errors.unsupported(command))
            await call.wait_while(lambda: node.faults.down)
            return await handler(call)
        except Refused as refused:
            return Answer((), [refused.error], exit=1)

    def _admit(self, guest: Repository | Answer) -> Answer:
        """A session in a guest, if there came one about: an empty kind, and its token."""
        if isinstance(guest, Answer):
            return guest
        token = secrets.token_urlsafe(24)
        self._sessions[token] = guest
        return Answer([["", token]])

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        work: dict[tuple[str, int], asyncio.Task[None]] = {}
        try:
            with contextlib.suppress(ConnectionError, asyncio.LimitOverrunError, ValueError, asyncio.CancelledError):
                await self._serve(reader, writer, work)
        finally:
            for one in tuple(work.values()):
                one.cancel()
            writer.close()
            with contextlib.suppress(ConnectionError, asyncio.CancelledError):
                await writer.wait_closed()
            self._connections.discard(task)

    async def _serve(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        work: dict[tuple[str, int], asyncio.Task[None]],
    ) -> None:
        """Until the session closes the connection or sends what is no request of its own."""
        while line := await reader.readline():
            try:
                request = self._decode(line)
            except msgspec.DecodeError:
                return
            repository = self._sessions.get(request.token)
            if repository is None:
                return
            if request.cancel is not None:
                waiting = work.get((request.token, request.cancel))
                if waiting is not None:
                    waiting.cancel()
                continue
            key = (request.token, request.id)
            one = work[key] = asyncio.create_task(self._respond(repository, request, writer))
            one.add_done_callback(lambda done, key=key: _finish(work, key, done))  # type: ignore[misc]

    async def _respond(self, repository: Repository, request: _Request, writer: asyncio.StreamWriter) -> None:
        try:
            answer = await self.answer(repository, request.command, request.parameters, request.set, request.asked)
        except Exception as error:
            # A bug of the lab is told to the session, not hidden in silence; the server goes on.
            text = f"the lab failed to answer {request.command}: {error!r}"
            answer = Answer((), [LabError(text, id="HvTuiLabFailure", terminating=True)], exit=1)
        record = {
            "id": request.id,
            "output": list(answer.output),
            "errors": [one.wire() for one in answer.errors],
            "exit": answer.exit,
            **answer.more,
        }
        with contextlib.suppress(ConnectionError):
            writer.write(self._encode(record) + b"\n")
            await writer.drain()


def _finish(work: dict[tuple[str, int], asyncio.Task[None]], key: tuple[str, int], done: asyncio.Task[None]) -> None:
    if work.get(key) is done:
        del work[key]


def _asked(given: dict[str, str] | None) -> Asked | None:
    if given is None:
        return None
    return Asked(given.get("function", ""), given.get("operation", "").lower(), given.get("actor", ""))


def _matches(match: Match | None, parameters: dict[str, Any]) -> bool:
    if match is None:
        return True
    if callable(match):
        return match(parameters)
    given = {name.lower(): value for name, value in parameters.items()}
    return all(
        any(fnmatchcase(text.lower(), pattern.lower()) for text in _texts(given.get(name.lower())))
        for name, pattern in match.items()
    )


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for one in value:
            yield from _texts(one)
    elif value is not None:
        yield str(value)
