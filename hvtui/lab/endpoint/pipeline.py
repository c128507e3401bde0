"""One pipeline of a runspace pool: its statements run one after another, its states and records go to its buffer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Final, Protocol

from psrpcore import ServerPipeline
from psrpcore.types import PipelineState, ProgressRecordType, PSCredential, PSInvocationState, PSRPMessageType

from hvtui.lab.endpoint import records
from hvtui.lab.endpoint.buffer import OutputBuffer
from hvtui.lab.endpoint.runspace import Command, Runspace, not_found
from hvtui.lab.engine import Call, CommandError, Engine
from hvtui.model.secret import GuestCredential

_log = logging.getLogger(__name__)

STOP_GRACE: Final = 0.5
"""Seconds a command has to end by itself after the stop signal, then it is cancelled."""

Rewrite = Callable[[str], str]


class Channel(Protocol):
    """How a pipeline reaches its client."""

    buffer: OutputBuffer

    def string(self, text: str) -> None:
        """Put a string on the output stream."""
        ...

    def flush(self) -> None:
        """Send what psrpcore prepared for this pipeline."""
        ...


class PipelineOutput:
    """The engine's `Output`: strings wait for the client, error records do not."""

    def __init__(self, pipe: Any, channel: Channel, activity: str, rewrite: Rewrite | None) -> None:
        self._pipe = pipe
        self._channel = channel
        self._activity = activity
        self._rewrite = rewrite

    async def write(self, text: str) -> None:
        """One string on the output stream; waits while the client does not read."""
        await self._channel.buffer.room()
        self._channel.string(self._rewrite(text) if self._rewrite else text)

    def error(self, record: CommandError) -> None:
        """A non-terminating error record."""
        message = records.error_record(record, activity=self._activity)
        self._pipe.prepare_message(message, message_type=PSRPMessageType.ErrorRecord)
        self._channel.flush()


class Pipeline:
    """A pipeline that was created and will run when its runspace is free."""

    def __init__(self, pipe: ServerPipeline, channel: Channel, engine: Engine, runspace: Runspace) -> None:
        self._pipe = pipe
        self._channel = channel
        self._engine = engine
        self._runspace = runspace
        self._call: Call | None = None
        self._stopping = False
        self._task: asyncio.Task[None] | None = None
        self.rewrite: Rewrite | None = None

    @property
    def running(self) -> bool:
        """Whether the client has to wait for a state."""
        return self._task is not None and not self._task.done()

    @property
    def created(self) -> bool:
        """Whether its CreatePipeline message has come whole."""
        return self._task is not None

    def begin(self, commands: list[Any], slot: asyncio.Semaphore) -> None:
        """Start running the commands as psrpcore read them, as soon as `slot` is free."""
        self._task = asyncio.get_running_loop().create_task(self._run(commands, slot))

    def refuse(self, error: CommandError) -> None:
        """Fail without running anything."""
        self._fail(error)

    def stop(self) -> None:
        """The stop signal: the command may end by itself, for a moment."""
        if not self.running or self._task is None:
            return
        self._stopping = True
        if self._call is None:
            self._task.cancel()
            return
        self._call.stopped.set()
        asyncio.get_running_loop().call_later(STOP_GRACE, self._task.cancel)

    async def close(self) -> None:
        """End at once, without telling anybody."""
        if self._task is not None and not self._task.done():
            self._stopping = False
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _run(self, commands: list[Any], slot: asyncio.Semaphore) -> None:
        try:
            async with slot:
                self._pipe.state = PSInvocationState.Running
                self._greet()
                for statement in _statements(commands):
                    await self._statement(statement)
                    if self._stopping:
                        break
        except asyncio.CancelledError:
            if not self._stopping:
                raise
        except CommandError as error:
            if not self._stopping:
                self._fail(error)
                return
        except Exception as error:
            _log.exception("a command of the lab failed")
            self._fail(CommandError(f"{type(error).__name__}: {error}", error_id="LabFailure"))
            return
        if self._stopping:
            self._pipe.state = PSInvocationState.Running
            self._pipe.stop()
        else:
            self._pipe.complete()
        self._end()

    def _greet(self) -> None:
        if self._runspace.fresh:
            self._runspace.fresh = False
            self._pipe.write_progress(
                "Preparing modules for first use.", 0, " ", record_type=ProgressRecordType.Completed
            )
            self._channel.flush()

    def _fail(self, error: CommandError) -> None:
        record = records.error_record(error, activity="")
        state = PipelineState(PipelineState=int(PSInvocationState.Failed), ExceptionAsErrorRecord=record)
        self._pipe.prepare_message(state)
        self._pipe.state = PSInvocationState.Failed
        self._end()

    def _end(self) -> None:
        self._channel.flush()
        self._channel.buffer.finish()
        self._pipe.close()

    async def _statement(self, statement: list[Command]) -> None:
        if len(statement) != 1:
            raise CommandError(
                "The lab runs one command per statement.", error_id="LabOneCommand", category="NotImplemented"
            )
        command = statement[0]
        if command.is_script:
            self._runspace.check_script(command.text)
            return
        name = self._runspace.function(command.text)
        if name is not None:
            await self._function(name, command)
            return
        own = self._runspace.built_in(command.text)
        if own is None:
            raise not_found(command.text)
        found, errors = self._runspace.run_built_in(own, command.parameters)
        for error in errors:
            PipelineOutput(self._pipe, self._channel, own, None).error(error)
        await self._channel.buffer.room()
        for thing in found:
            self._pipe.write_output(thing)
        self._channel.flush()

    async def _function(self, name: str, command: Command) -> None:
        self._call = self._runspace.call(name, command.parameters)
        if self._stopping:
            return
        await self._engine.run(self._call, PipelineOutput(self._pipe, self._channel, name, self.rewrite))


def _statements(commands: list[Any]) -> list[list[Command]]:
    """psrpcore's flat list, cut where a statement ends; positional arguments have an empty name."""
    result: list[list[Command]] = [[]]
    for entry in commands:
        parameters = {str(name or "").strip("-:"): _plain(value) for name, value in entry.parameters}
        result[-1].append(Command(str(entry.command_text), bool(entry.is_script), parameters))
        if entry.end_of_statement:
            result.append([])
    return [statement for statement in result if statement]


def _plain(value: Any) -> Any:
    """A deserialised value as the plain Python one; a switch without a value is True."""
    if value is None:
        return True
    if isinstance(value, bool):
        return value
    if isinstance(value, PSCredential):
        return GuestCredential(str(value.UserName), str(value.Password.decrypt()))
    for kind in (int, float, str):
        if isinstance(value, kind):
            return kind(value)
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    return value
