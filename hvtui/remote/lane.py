"""A lane: one thread, one connection and one PowerShell session, behind an asyncio facade.

pypsrp is synchronous and its objects must never be touched by two threads: cipher sequence numbers, serializer and
fragmenter are shared and unlocked. So each lane has a thread of its own that does everything, one job after another,
and talks to the event loop only through futures and queues. The threads are daemons: none can hold up the end of the
process, whatever a node does.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, TypeVar

from hvtui.clock import SystemClock
from hvtui.errors import DeadlinePassed, OutcomeUnknown, RemoteError, Unreachable
from hvtui.remote.contract import GET_INFO, Function
from hvtui.remote.faults import explain, is_connection_lost
from hvtui.remote.meter import Meter, SessionMeter
from hvtui.remote.module import Source, prepare
from hvtui.remote.session import OPEN_SECONDS, STOP_SECONDS, Control, PipelineFailed, Session, Value
from hvtui.remote.transport import Transport
from hvtui.remote.wire import decode

_NOT_BEGUN: Final = (
    "CommandNotFoundException",
    "MissingMandatoryParameter",
    "NamedParameterNotFound",
    "ParameterArgument",
    "ParameterBinding",
)
"""How the ids of errors begin with which PowerShell refuses a command before it runs."""

T = TypeVar("T")
Parameters = Mapping[str, Value]

OPEN_LIMIT: Final = OPEN_SECONDS * 2
CLOSE_LIMIT: Final = 4.0
PROBE_LIMIT: Final = 10.0
"""Seconds that an old session may take to show that it still answers, before a change is sent through it."""
AHEAD: Final = 64
"""Messages of a stream that may wait for the event loop; beyond it the lane stops reading, and the node waits."""


class _Job:
    """Something the lane's thread is to do."""

    def __init__(self, work: Callable[[_Job], object], loop: asyncio.AbstractEventLoop) -> None:
        self.work = work
        self.loop = loop
        self.outcome: asyncio.Future[Any] = loop.create_future()
        self.stop = threading.Event()
        self.sent = threading.Event()
        """A change is on its way: from here on it may have reached the node."""

    def settle(self, result: object, error: BaseException | None) -> None:
        """Hand the outcome to the event loop; called on the lane's thread."""

        def deliver() -> None:
            if self.outcome.done():
                return
            if error is None:
                self.outcome.set_result(result)
            else:
                self.outcome.set_exception(error)
                # A stream tells its error through its queue; the future's copy may never be looked at.
                self.outcome.exception()

        post(self.loop, deliver)


def post(loop: asyncio.AbstractEventLoop, call: Callable[..., object], *args: object) -> None:
    """Run `call` on the loop, if the loop still runs: a lane may outlive it by a moment."""
    try:
        loop.call_soon_threadsafe(call, *args)
    except RuntimeError:
        return


class Stream:
    """The messages of a running stream, decoded; `async for`, and `aclose` (or `async with`) to stop it."""

    def __init__(self, job_of: Callable[[Stream], _Job]) -> None:
        self._items: asyncio.Queue[Any] = asyncio.Queue()
        self._slots = threading.Semaphore(AHEAD)
        self._job = job_of(self)

    def __aiter__(self) -> Stream:
        return self

    async def __anext__(self) -> Any:
        """The next message; may be cancelled (a time-out around it) without harm to the stream."""
        kind, value = await self._items.get()
        if kind == "item":
            self._slots.release()
            return value
        self._items.put_nowait((kind, value))
        if value is not None:
            raise value
        raise StopAsyncIteration

    async def __aenter__(self) -> Stream:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Ask the lane to stop the pipeline; the lane's next job waits for it."""
        self._job.stop.set()

    async def ended(self, seconds: float) -> bool:
        """Wait until nothing of it runs any more; False when it still does after so many seconds."""
        with contextlib.suppress(TimeoutError, RemoteError):
            async with asyncio.timeout(seconds):
                await asyncio.shield(self._job.outcome)
        return self._job.outcome.done()

    def push(self, value: object) -> None:
        """Called on the lane's thread; waits while the event loop is behind."""
        # Asked first: what still comes after a stop must not be waited for, item by item.
        while not self._job.stop.is_set():
            if self._slots.acquire(timeout=0.2):
                post(self._job.loop, self._items.put_nowait, ("item", value))
                return

    def end(self, error: BaseException | None) -> None:
        """Called on the lane's thread: nothing more comes."""
        post(self._job.loop, self._items.put_nowait, ("end", error))


class Lane:
    """One conversation with one node. All methods are called on the event loop.

    A lane whose session broke opens a new one for the next call. Errors are those of `hvtui.errors`.
    """

    def __init__(
        self,
        connect: Callable[[], Transport],
        *,
        node: str,
        purpose: str,
        endpoint: str = "Microsoft.PowerShell",
        meter: Meter | None = None,
    ) -> None:
        """`meter` counts what the node is asked."""
        self.node = node
        self.purpose = purpose
        self.source: Source | None = None
        self._connect = connect
        self._endpoint = endpoint
        self._meter = meter or Meter()
        self._counted: SessionMeter | None = None
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._current: _Job | None = None
        self._closing = threading.Event()
        self._ended = threading.Event()
        self._transport: Transport | None = None
        self._session: Session | None = None

    # --- on the event loop ---

    async def open(self) -> None:
        """Log on, start PowerShell and make the functions available, unless that is done."""
        await self._outcome(self._submit(lambda job: self._ready()), OPEN_LIMIT)

    async def call(
        self, function: Function, parameters: Parameters | None = None, *, deadline: float | None = None
    ) -> Any:
        """Run a function and return its record, an instance of `function.result`.

        Past the deadline (the contract's unless given), or when the awaiting task is cancelled, the pipeline is
        stopped on the node; the lane stays usable. A read that got lost with an old session is asked again; what is
        for operators only is sent at most once: a mutating function raises OutcomeUnknown when its answer is lost.
        """
        limit = deadline or function.deadline or OPEN_LIMIT
        if function.mutating:
            job = self._submit(lambda job: self._change(job, function, parameters or {}, limit))
            # The session is tried before, which takes a call's time.
            limit += PROBE_LIMIT
        else:
            job = self._submit(lambda job: self._call(job, function, parameters or {}, limit))
            limit += PROBE_LIMIT if function.guarded else 0
        # The node is given time to stop it; opening a lost session again takes time as well.
        try:
            return await self._outcome(job, limit + STOP_SECONDS + 1, opening=True)
        except DeadlinePassed as error:
            if function.mutating and job.sent.is_set():
                raise self._unknown(function, error) from error
            raise

    def stream(self, function: Function, parameters: Parameters | None = None, *, poll: float = 3.0) -> Stream:
        """Start a stream. `poll` is how long a silent pipeline is waited for before a stop is noticed, in seconds.

        It is sent at most once. One that changes something raises OutcomeUnknown when it breaks after it was sent.
        """

        def start(stream: Stream) -> _Job:
            return self._submit(lambda job: self._stream(job, stream, function, parameters or {}, poll))

        return Stream(start)

    async def end(self, stream: Stream) -> None:
        """Stop a stream, and wait until it has ended on the node; one that does not end loses its connection."""
        await stream.aclose()
        if not await stream.ended(STOP_SECONDS * 2):
            self._abort()
            await stream.ended(STOP_SECONDS)

    async def close(self) -> None:
        """Stop what runs, end the session on the node and the thread; a node that hangs is left within seconds."""
        self._closing.set()
        if self._current is not None:
            self._current.stop.set()
        if self._thread is None:
            return
        self._jobs.put(None)
        if not await self._wait_ended(CLOSE_LIMIT):
            self._abort()
            await self._wait_ended(1.0)

    @property
    def alive(self) -> bool:
        """The lane's thread runs."""
        return self._thread is not None and not self._ended.is_set()

    @property
    def opened(self) -> bool:
        """It has a session: a call need not open one first."""
        return self._session is not None

    @property
    def silent_for(self) -> float | None:
        """Seconds since the node last answered on this lane; None while it has no session.

        While a stream runs the node answers every few seconds, even when it has nothing to tell: WinRM does that by
        itself, however busy PowerShell is.
        """
        session = self._session
        heard = None if session is None else session.heard
        return None if heard is None else SystemClock().monotonic() - heard

    def _submit(self, work: Callable[[_Job], object]) -> _Job:
        job = _Job(work, asyncio.get_running_loop())
        if self._closing.is_set():
            job.settle(None, Unreachable("The lane is closed", node=self.node))
            return job
        if self._thread is None:
            self._thread = threading.Thread(target=self._serve, name=f"{self.node} {self.purpose}", daemon=True)
            self._thread.start()
        self._jobs.put(job)
        return job

    async def _outcome(self, job: _Job, limit: float, *, opening: bool = False) -> Any:
        try:
            async with asyncio.timeout(limit + (OPEN_LIMIT if opening and self._session is None else 0)):
                return await job.outcome
        except TimeoutError:
            job.stop.set()
            self._abort()
            raise DeadlinePassed(
                f"{self.node} did not answer within {limit:.0f} s", node=self.node, hint="The connection was given up."
            ) from None
        except asyncio.CancelledError:
            job.stop.set()
            raise

    async def _wait_ended(self, seconds: float) -> bool:
        until = SystemClock().monotonic() + seconds
        while not self._ended.is_set():
            if SystemClock().monotonic() > until:
                return False
            await asyncio.sleep(0.01)
        return True

    def _abort(self) -> None:
        transport = self._transport
        if transport is not None:
            transport.abort()

    # --- on the lane's thread ---

    def _serve(self) -> None:
        while (job := self._jobs.get()) is not None:
            if job.stop.is_set() or self._closing.is_set():
                job.settle(None, Unreachable("The lane was closed", node=self.node))
                continue
            self._current = job
            try:
                result = job.work(job)
            except BaseException as error:
                self._drop_broken()
                job.settle(None, error if isinstance(error, RemoteError) else self._explain(error))
            else:
                job.settle(result, None)
            finally:
                self._current = None
        self._end_session()
        self._ended.set()

    def _ready(self) -> Session:
        """The lane's session, opened if there is none."""
        if self._session is not None:
            return self._session
        transport = self._transport = self._connect()
        if self._closing.is_set():
            transport.abort()
        session = Session(transport, node=self.node, endpoint=self._endpoint)
        try:
            session.open()
            self.source = prepare(session)
        except BaseException:
            self._session = session
            self._end_session()
            raise
        self._session = session
        self._counted = self._meter.session(self.purpose)
        return session

    def _call(self, job: _Job, function: Function, parameters: Parameters, limit: float) -> Any:
        again = self._session is not None and not function.guarded
        while True:
            answer: list[str] = []
            session = self._ready_to_change(job) if function.guarded else self._ready()
            try:
                control = Control(job.stop.is_set, self._closing.is_set, limit)
                self._called(function)
                session.run(function.name, parameters, answer.append, control)
            except Exception as error:
                # What only reads may be asked again when it got lost with an old session.
                if not (again and is_connection_lost(error)) or job.stop.is_set() or self._closing.is_set():
                    raise
                again = False
                self._drop_broken()
                continue
            return self._record(function, "".join(answer))

    def _change(self, job: _Job, function: Function, parameters: Parameters, limit: float) -> Any:
        """Run a mutating function, once. Whatever happens after it was sent leaves open whether it was run."""
        session = self._ready_to_change(job)
        answer: list[str] = []
        with self._open_outcome(function):
            control = Control(job.stop.is_set, self._closing.is_set, limit)
            self._called(function)
            session.run(function.name, parameters, answer.append, control)
            return self._record(function, "".join(answer))

    def _ready_to_change(self, job: _Job) -> Session:
        """A session that answers, the last thing before something is sent that is sent once; raises when given up."""
        if self._session is not None:
            # A session that died while nobody used it takes a read with it, not the change.
            self._call(job, GET_INFO, {"Part": "Basic"}, PROBE_LIMIT)
        session = self._ready()
        # The event loop sets `stop` first and looks at `sent` then: one of the two sides sees the other.
        job.sent.set()
        if job.stop.is_set() or self._closing.is_set():
            raise Unreachable("The call was given up before it was sent", node=self.node)
        return session

    @contextlib.contextmanager
    def _open_outcome(self, function: Function) -> Iterator[None]:
        """Around a change that is sent: an error leaves open whether it ran, unless PowerShell refused to begin."""
        try:
            yield
        except PipelineFailed as error:
            if error.code.startswith(_NOT_BEGUN):
                raise
            raise self._unknown(function, error) from error
        except Exception as error:
            raise self._unknown(function, self._explain(error)) from error

    def _unknown(self, function: Function, cause: RemoteError) -> OutcomeUnknown:
        return OutcomeUnknown(
            f"Whether {function.name} was carried out on {self.node} is not known: {cause.text}",
            node=self.node,
            hint="It is not sent again; what became of it is read from the cluster.",
            cause=cause,
        )

    def _stream(self, job: _Job, stream: Stream, function: Function, parameters: Parameters, poll: float) -> None:
        try:
            control = Control(job.stop.is_set, self._closing.is_set, poll=poll)
            session = self._ready_to_change(job) if function.operators else self._ready()
            with self._open_outcome(function) if function.mutating else contextlib.nullcontext():
                self._called(function)
                session.run(function.name, parameters, lambda text: stream.push(self._record(function, text)), control)
        except BaseException as error:
            stream.end(self._explain(error))
            raise
        stream.end(None)

    def _called(self, function: Function) -> None:
        if self._counted is not None:
            self._counted.called(function.name)

    def _record(self, function: Function, text: str) -> Any:
        record = decode(function, text, self.node)
        if self._counted is not None:
            self._counted.answered(record.cpu_ms, stream=function.name if function.stream else "")
        return record

    def _explain(self, error: BaseException) -> RemoteError:
        where = self._session.where if self._session else self._where()
        return explain(error, node=self.node, where=where)

    def _where(self) -> str:
        return f"{self._transport.server}:{self._transport.port}" if self._transport else self.node

    def _drop_broken(self) -> None:
        if self._session is not None and self._session.broken:
            self._end_session()

    def _end_session(self) -> None:
        counted, self._counted = self._counted, None
        if counted is not None:
            counted.close()
        session, self._session = self._session, None
        if session is None:
            return
        # Whatever goes wrong here, the node ends an idle session by itself.
        with contextlib.suppress(Exception):
            session.close()
