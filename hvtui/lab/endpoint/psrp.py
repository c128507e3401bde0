"""PowerShell Remoting in one shell, on psrpcore's server classes, answered by the native engine."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from typing import Any, Final

from psrpcore import PSRPCoreError, PSRPPayload, ServerPipeline, ServerRunspacePool, StreamType
from psrpcore import _events as events
from psrpcore._payload import create_fragment, create_message
from psrpcore.types import ApplicationPrivateData, PSRPMessageType, PSVersion, RunspacePoolInitData

from hvtui.lab.endpoint import faults, records
from hvtui.lab.endpoint.buffer import OutputBuffer
from hvtui.lab.endpoint.pipeline import Pipeline, Rewrite
from hvtui.lab.endpoint.runspace import Runspace, RunspaceOptions
from hvtui.lab.endpoint.session import Outlet
from hvtui.lab.engine import CommandError, Engine

FRAGMENT: Final = 32_768
"""Bytes of a server's fragment (PowerShell's BaseTransportManager), header included."""
_HEADER: Final = 21
_ASKS: Final = (
    events.SetMaxRunspacesEvent,
    events.SetMinRunspacesEvent,
    events.ResetRunspaceStateEvent,
)


class PsrpSession:
    """The native `Session`: one runspace pool."""

    def __init__(
        self, engine: Engine, options: RunspaceOptions, outlet: Outlet, rewrite: Rewrite | None = None
    ) -> None:
        self._engine = engine
        self._outlet = outlet
        self._rewrite = rewrite
        self._pool = ServerRunspacePool(application_private_data={"PSVersionTable": _versions(options.build)})
        self._runspace = Runspace(engine, options)
        self._slot = asyncio.Semaphore(1)
        self._pipelines: dict[str, Pipeline] = {}

    async def open(self, data: bytes) -> None:
        """Take the client's handshake from Create; the answers go to the pool's buffer."""
        self._feed(data, None)
        # Pipelines beyond the pool's runspaces wait, as in PowerShell.
        self._slot = asyncio.Semaphore(max(1, self._pool.max_runspaces))

    async def connect(self, data: bytes) -> bytes:
        """Another client takes over: capability and init data in the answer, private data on the pool's stream.

        psrpcore would restart the object ids and say the pool's state again; Windows does neither.
        """
        if not data:
            raise faults.bad_parameter()
        pool = self._pool
        pool.prepare_message(pool.our_capability)
        pool.prepare_message(RunspacePoolInitData(MinRunspaces=pool.min_runspaces, MaxRunspaces=pool.max_runspaces))
        answer = b"".join(fragment for _, fragment in self._drain())
        pool.prepare_message(ApplicationPrivateData(ApplicationPrivateData=pool.application_private_data))
        self.flush()
        return answer

    async def command(self, command_id: str, data: bytes) -> None:
        """A new pipeline with its first fragment."""
        pipe = ServerPipeline(self._pool, uuid.UUID(command_id))
        channel = _Channel(self, pipe.pipeline_id, self._outlet.buffer(command_id))
        pipeline = Pipeline(pipe, channel, self._engine, self._runspace)
        pipeline.rewrite = self._rewrite
        self._pipelines[command_id] = pipeline
        self._feed(data, pipe.pipeline_id)

    async def send(self, command_id: str | None, stream: str, data: bytes) -> None:
        """More data for a pipeline or the pool; the stream says nothing that the fragment does not."""
        self._feed(data, uuid.UUID(command_id) if command_id else None)

    async def stop(self, command_id: str) -> None:
        """Ask a pipeline to stop; its Stopped state comes as output."""
        pipeline = self._pipelines.get(command_id)
        if pipeline is not None:
            pipeline.stop()

    async def close_command(self, command_id: str) -> None:
        """Forget a pipeline at once."""
        pipeline = self._pipelines.pop(command_id, None)
        if pipeline is not None:
            await pipeline.close()
        self._pool.pipeline_table.pop(uuid.UUID(command_id), None)

    async def close(self, *, at_once: bool = False) -> None:
        """End everything in the shell, which never takes long here."""
        for command_id in list(self._pipelines):
            await self.close_command(command_id)

    def flush(self) -> None:
        """Put what psrpcore prepared into the buffers it belongs to."""
        for pipeline_id, fragment in self._drain():
            # A pipeline that was closed meanwhile has no buffer, and nobody to read it.
            with contextlib.suppress(faults.Fault):
                self._outlet.buffer(str(pipeline_id).upper() if pipeline_id else None).put(fragment)

    def emit(self, buffer: OutputBuffer, pipeline_id: uuid.UUID, data: bytes) -> None:
        """Put one output object, already serialised, into a pipeline's buffer."""
        pool = self._pool
        message = create_message(False, PSRPMessageType.PipelineOutput, data, pool.runspace_pool_id, pipeline_id)
        object_id = pool._fragment_counter
        size = FRAGMENT - _HEADER
        for number, start in enumerate(range(0, len(message), size)):
            end = start + size >= len(message)
            buffer.put(create_fragment(object_id, number, message[start : start + size], end))

    def _drain(self) -> list[tuple[uuid.UUID | None, bytes]]:
        # One rsp:Stream per fragment, as Windows sends them; data_to_send would glue several into one.
        result = []
        for message in self._pool._send_buffer:
            while True:
                part = message.fragment(FRAGMENT - _HEADER)
                data = create_fragment(part.object_id, part.fragment_id, bytes(part.data), part.end)
                result.append((message.pipeline_id, data))
                if part.end:
                    break
        self._pool._send_buffer.clear()
        return result

    def _feed(self, data: bytes, pipeline_id: uuid.UUID | None) -> None:
        pool = self._pool
        try:
            pool.receive_data(PSRPPayload(data, StreamType.default, pipeline_id))
            while (event := pool.next_event()) is not None:
                self._react(event)
        except (PSRPCoreError, ValueError, AttributeError, IndexError, SyntaxError) as error:
            raise faults.bad_parameter() from error
        self.flush()

    def _react(self, event: Any) -> None:
        if isinstance(event, events.CreatePipelineEvent):
            pipeline = self._pipelines.get(str(event.pipeline_id).upper())
            if pipeline is not None and not pipeline.created:
                pipeline.begin(event.pipeline.commands, self._slot)
        elif isinstance(event, events.GetCommandMetadataEvent):
            self._pipelines[str(event.pipeline_id).upper()].refuse(
                CommandError("The lab tells no command metadata.", error_id="LabNoMetadata", category="NotImplemented")
            )
        elif isinstance(event, _ASKS):
            self._pool.runspace_availability_response(event.ci, True)
        elif isinstance(event, events.GetAvailableRunspacesEvent):
            busy = sum(pipeline.running for pipeline in self._pipelines.values())
            self._pool.runspace_availability_response(event.ci, max(0, self._pool.max_runspaces - busy))


class _Channel:
    """One pipeline's way out."""

    def __init__(self, session: PsrpSession, pipeline_id: uuid.UUID, buffer: OutputBuffer) -> None:
        self._session = session
        self._pipeline_id = pipeline_id
        self.buffer = buffer

    def string(self, text: str) -> None:
        """Put a string on the output stream."""
        self._session.emit(self.buffer, self._pipeline_id, records.string(text))

    def flush(self) -> None:
        """Send what psrpcore prepared."""
        self._session.flush()


def _versions(build: str) -> dict[str, Any]:
    """$PSVersionTable of Windows PowerShell on a node of this build, the part a client gets."""
    version = PSVersion("5.1." + build.split(".", 2)[2])
    return {
        "PSVersion": version,
        "PSEdition": "Desktop",
        "PSCompatibleVersions": [PSVersion(f"{number}.0") for number in range(1, 6)] + [version],
        "CLRVersion": PSVersion("4.0.30319.42000"),
        "BuildVersion": PSVersion(build),
        "WSManStackVersion": PSVersion("3.0"),
        "PSRemotingProtocolVersion": PSVersion("2.3"),
        "SerializationVersion": PSVersion("1.1.0.1"),
    }
