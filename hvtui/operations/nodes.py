"""How operations reach a cluster: its picture from the streams, and single calls to its nodes."""

from __future__ import annotations

import asyncio
import itertools
import math
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, TypeVar

from hvtui.errors import RemoteError
from hvtui.model.change import Change
from hvtui.model.checkpoints import Checkpoints
from hvtui.model.guests import GuestFiles
from hvtui.model.preflight import ForkCommit, Preflight, ServiceState
from hvtui.model.secret import GuestCredential
from hvtui.model.state import ClusterState
from hvtui.model.vss_access import VssAccess
from hvtui.operations.vss_access import GET_VSS_ACCESS

T = TypeVar("T")
Parameters = Mapping[str, str | int | bool | GuestCredential | None]

ACTION: Final = "action"
"""Lane of what changes something: calls of seconds, so that a cancel always gets through."""
FACTS: Final = "facts"
"""Lane of short questions that may hang with Windows: the state of a service."""
WORK: Final = "work"
"""Lane of questions that take long: preflight, the search of the whole log."""
POLICY: Final = "policy"
"""Lane of the stream that changes checkpoint types."""
GUESTS: Final = "guests"
"""Lane of the looks into guests."""

GET_GUEST: Final = "Get-HvTuiGuest"
GET_GUEST_FILE: Final = "Get-HvTuiGuestFile"
GET_PREFLIGHT: Final = "Get-HvTuiPreflight"
GET_FORK: Final = "Get-HvTuiForkCommit"
GET_SERVICE: Final = "Get-HvTuiService"
GET_CHECKPOINT: Final = "Get-HvTuiCheckpoint"

_AT_ONCE: Final = 8


class Nodes(Protocol):
    """Implemented by `live.Monitor`, for the console and the command line alike."""

    state: ClusterState

    async def call(self, node: str, function: str, parameters: Parameters, *, lane: str = ACTION) -> Any:
        """Run a function of the contract on a node and give back its record. Raises RemoteError.

        A mutating function is sent once: when its answer is lost, whether it ran is not known.
        """
        ...

    def stream(self, node: str, function: str, parameters: Parameters, *, lane: str) -> AsyncGenerator[Any, None]:
        """The records of a stream of the contract, as they come; close it (`aclosing`), or it goes on.

        It is sent when its first record is asked for, and once. `aclose` stops it, and returns when nothing of it runs
        on the node any more. One that changes something raises OutcomeUnknown when it breaks after it was sent, and
        RemoteError of another kind when it was not sent.
        """
        ...

    def monotonic(self) -> float:
        """The clock that ages of links are counted on."""
        ...

    def subscribe(self, listener: Callable[[Change], None]) -> Callable[[], None]:
        """Call `listener` after the picture changed; the result unsubscribes."""
        ...

    def refresh(self, what: str, node: str = "") -> str:
        """Read now: `cluster`, `node`, `writers` or `events`."""
        ...

    @property
    def pinned(self) -> str:
        """The cluster id of the first contact; empty when none is kept."""
        ...


@dataclass
class Answers:
    """What the nodes answered to the questions that only operations ask, each with the time it came."""

    preflight: dict[str, tuple[float, Preflight]] = field(default_factory=dict)
    fork: dict[str, tuple[float, ForkCommit]] = field(default_factory=dict)
    services: dict[str, tuple[float, ServiceState]] = field(default_factory=dict)
    access: dict[str, tuple[float, VssAccess]] = field(default_factory=dict)
    checkpoints: dict[str, tuple[float, Checkpoints]] = field(default_factory=dict)
    """By VM."""
    unread: dict[str, str] = field(default_factory=dict)

    def forget(self, node: str) -> None:
        """A change was made there: before the next step its preflight is asked again, however young it is.

        It stays until then: an operation that has just asked is not told that there was no answer.
        """
        if node in self.preflight:
            self.preflight[node] = (-math.inf, self.preflight[node][1])


@dataclass(frozen=True)
class _Question:
    """A call that only reads."""

    node: str
    function: str
    parameters: Parameters
    lane: str


class Asker:
    """Asks nodes what plans depend on, several at once, and keeps answers for a while."""

    def __init__(self, nodes: Nodes) -> None:
        self._nodes = nodes
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self.answers = Answers()

    async def ask(
        self,
        nodes: Iterable[str],
        *,
        services: Iterable[str] = (),
        preflight_age: float = 0.0,
        fork_age: float = 0.0,
        fork: bool = True,
        searched: Iterable[str] = (),
    ) -> None:
        """Read preflight and fork-commit signs of `nodes`, and `services` (`NODE/name`), unless kept and young enough.

        Of `searched` only the signs are read. What could not be read is in `answers.unread`, with the reason; an old
        answer is not used in its place.
        """
        kept = self.answers
        questions: list[Awaitable[None]] = []
        nodes = list(dict.fromkeys(nodes))
        for node in nodes:
            if not self._young(kept.preflight.get(node), preflight_age):
                asked = _Question(node, GET_PREFLIGHT, {"Part": "All"}, WORK)
                questions.append(self._one(f"preflight:{node}", node, kept.preflight, asked))
        for node in dict.fromkeys((*nodes, *searched)):
            if fork and not self._young(kept.fork.get(node), fork_age):
                asked = _Question(node, GET_FORK, {}, WORK)
                questions.append(self._one(f"fork:{node}", node, kept.fork, asked))
        for service in dict.fromkeys(services):
            node, _, name = service.partition("/")
            asked = _Question(node, GET_SERVICE, {"Name": name}, FACTS)
            questions.append(self._one(f"service:{service}", service, kept.services, asked))
        await asyncio.gather(*questions)

    async def service(self, node: str, name: str) -> ServiceState:
        """The state of a service now. Raises RemoteError."""
        answer: ServiceState = await self._nodes.call(node, GET_SERVICE, {"Name": name}, lane=FACTS)
        self.answers.services[f"{node}/{name}"] = (self._nodes.monotonic(), answer)
        self.answers.unread.pop(f"service:{node}/{name}", None)
        return answer

    async def access(self, nodes: Iterable[str]) -> None:
        """Read who may take part in VSS on each of `nodes`, always afresh: it is one small registry key.

        What could not be read is in `answers.unread` under `vssaccess:NODE`; an old answer is not used in its place.
        """
        asked = [
            self._one(f"vssaccess:{n}", n, self.answers.access, _Question(n, GET_VSS_ACCESS, {}, FACTS))
            for n in dict.fromkeys(nodes)
        ]
        await asyncio.gather(*asked)

    async def checkpoints_of(self, node: str, vm: str) -> Checkpoints:
        """The checkpoints of a VM now. Raises RemoteError."""
        answer: Checkpoints = await self._nodes.call(node, GET_CHECKPOINT, {"VMId": vm}, lane=FACTS)
        return answer

    async def checkpoints(self, wanted: Mapping[str, str]) -> None:
        """Read the checkpoints of VMs (VM → its node), always afresh.

        What could not be read is in `answers.unread` under `checkpoints:VM`; an old answer is not used in its place.
        """
        asked = [
            self._one(
                f"checkpoints:{vm}",
                vm,
                self.answers.checkpoints,
                _Question(node, GET_CHECKPOINT, {"VMId": vm}, FACTS),
            )
            for vm, node in wanted.items()
        ]
        await asyncio.gather(*asked)

    def guests(
        self, node: str, vms: Iterable[str], credential: GuestCredential, parallel: int
    ) -> AsyncGenerator[Any, None]:
        """Look into guests of a node: a line for each as it answers. Sent once; close it, or it goes on."""
        parameters: Parameters = {"VM": ",".join(vms), "Credential": credential, "Parallel": parallel}
        return self._nodes.stream(node, GET_GUEST, parameters, lane=GUESTS)

    async def guest_files(self, node: str, vm: str, credential: GuestCredential, search: Parameters) -> GuestFiles:
        """The largest files of a volume of a guest. Sent once. Raises RemoteError."""
        parameters: Parameters = {"VMId": vm, "Credential": credential, **search}
        answer: GuestFiles = await self._nodes.call(node, GET_GUEST_FILE, parameters, lane=GUESTS)
        return answer

    def _young(self, kept: tuple[float, object] | None, age: float) -> bool:
        return kept is not None and self._nodes.monotonic() - kept[0] <= age > 0

    async def _one(self, what: str, key: str, kept: dict[str, tuple[float, T]], asked: _Question) -> None:
        async with self._slots:
            try:
                answer: T = await self._nodes.call(asked.node, asked.function, asked.parameters, lane=asked.lane)
            except RemoteError as error:
                kept.pop(key, None)
                self.answers.unread[what] = str(error)
            else:
                kept[key] = (self._nodes.monotonic(), answer)
                self.answers.unread.pop(what, None)


class Watcher:
    """Waits for something to be so in the picture."""

    def __init__(self, nodes: Nodes, tick: float) -> None:
        self._nodes = nodes
        self._tick = tick
        self._waiting: dict[int, asyncio.Event] = {}
        self._numbers = itertools.count()
        self._unsubscribe = nodes.subscribe(lambda change: self.wake())

    def wake(self) -> None:
        """Let everybody look again now."""
        for event in self._waiting.values():
            event.set()

    async def until(self, holds: Callable[[], bool], seconds: float | None = None) -> bool:
        """Wait until `holds`, looking after every change and tick; False when `seconds` passed before."""
        began = self._nodes.monotonic()
        number, event = next(self._numbers), asyncio.Event()
        self._waiting[number] = event
        try:
            while not holds():
                left = self._tick
                if seconds is not None:
                    left = min(left, began + seconds - self._nodes.monotonic())
                    if left <= 0:
                        return False
                event.clear()
                await _wait(event, left)
            return True
        finally:
            del self._waiting[number]

    async def pause(self, seconds: float) -> None:
        """Let time pass between two looks at something that is no part of the picture."""
        await self.until(lambda: False, seconds)

    def close(self) -> None:
        """Listen no more."""
        self._unsubscribe()


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
