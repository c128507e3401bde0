"""A shell of the endpoint with a real PowerShell engine inside: its fragments are handed on as they are."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import uuid
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from xml.etree import ElementTree

from psrpcore._crypto import PSRemotingCrypto
from psrpcore.types import PipelineState, PSInvocationState, serialize

from hvtui.lab.endpoint import faults, records
from hvtui.lab.endpoint.session import Outlet
from hvtui.lab.engine import CommandError
from hvtui.lab.pwsh import fragments
from hvtui.lab.pwsh.fragments import Assembler, BadFragment, Message
from hvtui.lab.pwsh.guard import Guard
from hvtui.lab.pwsh.outgoing import Outgoing
from hvtui.lab.pwsh.packets import POOL, Packet
from hvtui.lab.pwsh.process import EngineProcess
from hvtui.lab.pwsh.relay import EngineLost, Relay

_log = logging.getLogger(__name__)

START_SECONDS: Final = 60.0
"""Seconds within which a started engine has answered the client's handshake."""
END_SECONDS: Final = 10.0
"""Seconds a session may take to close before it is killed."""
EXIT_SECONDS: Final = 2.0
"""Seconds an engine whose session is closed may take to end."""

_ENDED: Final = {b"3", b"4", b"5"}  # Stopped, Completed, Failed
_STATE: Final = re.compile(rb'N="PipelineState"[^>]*>(\d+)<')
_RUNSPACES: Final = re.compile(rb'N="(M(?:in|ax)Runspaces)"[^>]*>(-?\d+)<')
_REFUSAL_OBJECT: Final = 1 << 62
"""Object id of the endpoint's own message; the engine counts up from 1 and never comes near."""


@dataclass
class _Pipeline:
    """A pipeline of the client's. The engine hears of it once the guard has seen it whole."""

    guid: str
    incoming: Assembler = field(default_factory=Assembler)
    outgoing: Outgoing = field(default_factory=Outgoing)
    begun: bool = False
    over: bool = False


@dataclass(frozen=True)
class EngineStart:
    """How a session comes by its engine: the command line and its whole environment.

    `slot`: so many engines start at a time. `ended` is called when the session is over. `guard` is None on a
    restricted endpoint, where the engine itself refuses what is not allowed.
    """

    command: Sequence[str]
    environment: Mapping[str, str]
    slot: asyncio.Semaphore
    ended: Callable[[], None]
    patience: float
    guard: Guard | None


class PwshSession:
    """The PSRP side of one shell, spoken by an engine."""

    def __init__(self, engine: EngineStart, outlet: Outlet) -> None:
        self._engine = engine
        self._outlet = outlet
        self._relay: Relay | None = None
        self._opening: asyncio.Task[None] | None = None
        self._closed = False
        self._from_client = Assembler()
        self._from_engine = Outgoing()
        self._pool_id = bytes(16)
        self._runspaces: dict[bytes, bytes] = {}
        self._kept: dict[int, Message] = {}
        self._pipelines: dict[str, _Pipeline] = {}

    @property
    def pid(self) -> int | None:
        """The engine's process id; None while there is no engine."""
        return self._relay.process.pid if self._relay is not None else None

    # --- what the endpoint asks ---

    async def open(self, data: bytes) -> None:
        """Start the engine and hand it the client's handshake; a fault when it does not come up."""
        self._watch_pool(data)
        self._opening = asyncio.create_task(self._start(data))
        try:
            await self._opening
        except (OSError, asyncio.CancelledError, faults.Fault) as error:
            _log.warning("no engine for a session: %r", error)
            await self.close(at_once=True)
            raise faults.aborted() from error

    def kill(self) -> None:
        """End the engine at once, as when somebody kills its process."""
        if self._relay is not None:
            self._relay.process.kill()
        elif self._opening is not None:
            self._opening.cancel()

    async def connect(self, data: bytes) -> bytes:
        """Another client takes over. `pwsh -s` knows no such thing: what it said at the beginning is said again."""
        capability = self._kept.get(fragments.SESSION_CAPABILITY)
        private = self._kept.get(fragments.APPLICATION_PRIVATE_DATA)
        if not data or capability is None or private is None:
            raise faults.bad_parameter()
        counts = "".join(
            f'<I32 N="{name.decode()}">{count.decode()}</I32>' for name, count in sorted(self._runspaces.items())
        )
        introduction = _introduction(fragments.RUNSPACEPOOL_INIT_DATA, self._pool_id)
        facts = introduction + f'<Obj RefId="0"><MS>{counts}</MS></Obj>'.encode()
        buffer = self._outlet.buffer(None)
        for fragment in private.fragments:
            buffer.put(fragment)
        return b"".join([*capability.fragments, *fragments.fragmented(_REFUSAL_OBJECT + 1, facts)])

    async def command(self, command_id: str, data: bytes) -> None:
        """A new pipeline with its first fragment."""
        self._pipelines[command_id] = _Pipeline(command_id.lower())
        await self._feed(self._pipelines[command_id], command_id, "", data)

    async def send(self, command_id: str | None, stream: str, data: bytes) -> None:
        """More data for a pipeline or the pool."""
        name = "PromptResponse" if stream == "pr" else ""
        if command_id is None:
            self._watch_pool(data)
            await self._ask("Data", POOL, data, name)
            return
        pipeline = self._pipelines.get(command_id)
        if pipeline is None:
            raise faults.unknown_command()
        await self._feed(pipeline, command_id, name, data)

    async def stop(self, command_id: str) -> None:
        """Ask a pipeline to stop; its Stopped state comes as output."""
        pipeline = self._pipelines.get(command_id)
        if pipeline is not None and pipeline.begun:
            await self._ask("Signal", pipeline.guid)

    async def close_command(self, command_id: str) -> None:
        """Forget a pipeline."""
        pipeline = self._pipelines.pop(command_id, None)
        if pipeline is not None and pipeline.begun:
            await self._ask("Close", pipeline.guid)
            if self._relay is not None:
                self._relay.drop(pipeline.guid)

    async def close(self, *, at_once: bool = False) -> None:
        """End everything in the shell, the engine's process included."""
        if self._closed:
            return
        self._closed = True
        try:
            await self._end_engine(at_once)
        finally:
            self._engine.ended()

    async def _start(self, data: bytes) -> None:
        engine = self._engine
        async with engine.slot:
            process = await EngineProcess.start(engine.command, engine.environment)
            self._relay = Relay(process, self._received, self._lost, patience=engine.patience)
            await self._ask("Data", POOL, data, patience=START_SECONDS)

    # --- on the way in ---

    async def _feed(self, pipeline: _Pipeline, command_id: str, stream: str, data: bytes) -> None:
        """Hand a client's messages on, each when it is whole: what would be started is looked at first."""
        for message in _messages(pipeline.incoming, data):
            parts = message.fragments
            if message.kind == fragments.CREATE_PIPELINE:
                try:
                    parts = self._admitted(message)
                except CommandError as error:
                    self._refuse(pipeline, command_id, error)
                    return
                if not pipeline.begun:
                    pipeline.begun = True
                    await self._ask("Command", pipeline.guid)
            if not pipeline.begun:
                if pipeline.over:
                    return
                if message.kind != fragments.GET_COMMAND_METADATA:
                    raise faults.bad_parameter()
                pipeline.begun = True
                await self._ask("Command", pipeline.guid)
            await self._ask("Data", pipeline.guid, b"".join(parts), stream)

    def _admitted(self, message: Message) -> tuple[bytes, ...]:
        guard = self._engine.guard
        if guard is None:
            return message.fragments
        body = guard.admit(message.body)
        if body is message.body:
            return message.fragments
        return tuple(fragments.fragmented(message.object_id, message.introduction + body))

    def _refuse(self, pipeline: _Pipeline, command_id: str, error: CommandError) -> None:
        record = records.error_record(error, activity="")
        state = PipelineState(PipelineState=int(PSInvocationState.Failed), ExceptionAsErrorRecord=record)
        body = ElementTree.tostring(serialize(state, PSRemotingCrypto()), encoding="utf-8", method="xml")
        introduction = _introduction(fragments.PIPELINE_STATE, self._pool_id, uuid.UUID(pipeline.guid).bytes_le)
        pipeline.over = True
        buffer = self._outlet.buffer(command_id)
        for fragment in fragments.fragmented(_REFUSAL_OBJECT, introduction + body):
            buffer.put(fragment)
        buffer.finish()

    def _watch_pool(self, data: bytes) -> None:
        for message in _messages(self._from_client, data):
            if message.kind == fragments.CREATE_PIPELINE:
                # A pipeline belongs to a command, where the guard looks at it.
                raise faults.bad_parameter()
            if message.kind == fragments.INIT_RUNSPACEPOOL:
                self._pool_id = message.introduction[8:24]
                self._runspaces = dict(_RUNSPACES.findall(message.body))

    async def _ask(self, kind: str, guid: str, data: bytes = b"", stream: str = "", *, patience: float = 0.0) -> None:
        if self._relay is None:
            raise faults.aborted()
        try:
            await self._relay.ask(kind, guid, data, stream, patience=patience)
        except EngineLost as error:
            raise faults.aborted() from error

    # --- on the way out ---

    async def _received(self, packet: Packet) -> None:
        command_id = None if packet.guid == POOL else packet.guid.upper()
        pipeline = self._pipelines.get(command_id) if command_id else None
        if command_id and pipeline is None:
            return  # closed meanwhile: nobody is there to read it
        stream = pipeline.outgoing if pipeline else self._from_engine
        try:
            buffer = self._outlet.buffer(command_id)
            passed = stream.feed(packet.data, self._outlet.rewrite)
            for fragment in passed.fragments:
                buffer.put(fragment)
            for message in passed.messages:
                if pipeline is None:
                    if message.kind in {fragments.SESSION_CAPABILITY, fragments.APPLICATION_PRIVATE_DATA}:
                        self._kept[message.kind] = message
                elif message.kind == fragments.PIPELINE_STATE and _ends(message.body):
                    pipeline.over = True
                    buffer.finish()
        except faults.Fault:
            return
        except BadFragment:
            # The engine's side of the protocol is broken; it cannot be followed any further.
            assert self._relay is not None
            self._relay.process.kill()
            return
        if buffer.full and self._relay is not None:
            # Buffer mode Block: the engine waits while nobody reads, unless it is asked something meanwhile.
            await _first(buffer.below_limit(), self._relay.awaiting.wait())

    def _lost(self) -> None:
        if not self._closed:
            self._outlet.broken()

    # --- the end ---

    async def _end_engine(self, at_once: bool) -> None:
        if self._opening is not None and not self._opening.done():
            self._opening.cancel()
            await asyncio.wait([self._opening])
        if self._relay is None:
            return
        if not at_once and not self._relay.gone:
            with contextlib.suppress(TimeoutError, EngineLost):
                async with asyncio.timeout(END_SECONDS):
                    await self._close_pool(self._relay)
        await self._relay.end(0 if at_once else EXIT_SECONDS)

    async def _close_pool(self, relay: Relay) -> None:
        # The engine's Close of the pool waits for every pipeline for ever: they are closed first.
        for pipeline in self._pipelines.values():
            if pipeline.begun:
                await relay.ask("Close", pipeline.guid)
        self._pipelines.clear()
        await relay.ask("Close", POOL)


def _messages(assembler: Assembler, data: bytes) -> list[Message]:
    try:
        return list(assembler.feed(data))
    except BadFragment as error:
        raise faults.bad_parameter() from error


def _introduction(kind: int, pool_id: bytes, pipeline_id: bytes = bytes(16)) -> bytes:
    """A message of a server to its client."""
    return (1).to_bytes(4, "little") + kind.to_bytes(4, "little") + pool_id + pipeline_id


def _ends(body: bytes) -> bool:
    found = _STATE.search(body)
    return found is not None and found[1] in _ENDED


async def _first(*waits: Coroutine[Any, Any, object]) -> None:
    tasks = [asyncio.create_task(wait) for wait in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
