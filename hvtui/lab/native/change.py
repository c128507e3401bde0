"""One mutating call under way on the native engine: what it read, what it decided, and the answer it gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

from hvtui.lab.native.app_log import record_text, write_record
from hvtui.lab.native.problems import (
    DENIED,
    NO_NODES,
    TIMEOUT,
    Trouble,
    cluster_trouble,
    hyperv_trouble,
    problem,
)
from hvtui.lab.native.stream import stamp, wire
from hvtui.lab.world.actions import Asked
from hvtui.lab.world.actions import Refused as WindowsRefused
from hvtui.lab.world.node import Node
from hvtui.lab.world.world import World
from hvtui.remote.contract import WIRE

_DENIED_NUMBER: Final = 5


class Refusal(Exception):
    """Ends a change before anything was done."""

    def __init__(self, rule: str, text: str) -> None:
        super().__init__(text)
        self.rule, self.text = rule, text


class Wait(Protocol):
    """Waits while something holds, at most `seconds` of real time; None waits until the call is stopped."""

    async def __call__(self, blocked: Callable[[], bool], seconds: float | None) -> None:
        """Returns when it holds no longer, or the time is over."""


@dataclass(slots=True)
class Change:
    """The state of one call; `before` and `after` keep their order, which is the answer's."""

    world: World
    node: Node
    function: str
    operation: str
    actor: str
    wait: Wait
    cpu_ms: int = 0
    outcome: str = "refused"
    rule: str = ""
    text: str = ""
    code: str = ""
    before: dict[str, str | int | None] = field(default_factory=dict)
    after: dict[str, str | int | None] = field(default_factory=dict)
    command: str = ""
    recorded: bool | None = None
    problems: list[dict[str, str]] = field(default_factory=list)

    @property
    def asked(self) -> Asked:
        """Who asks, for the world's own log."""
        return Asked(self.function, self.operation.lower(), self.actor)

    def expect(self, name: str, expected: object, found: object) -> None:
        """Refuse when something is not as the plan saw it."""
        if str(expected).lower() != str(found).lower():
            raise Refusal(f"expect.{name}", f"{name} is '{found}', the plan saw '{expected}'")

    def unread(self, part: str, trouble: Trouble) -> Refusal:
        """The refusal because of something that must be compared and could not be read."""
        self.problems.append(problem(part, trouble))
        rule = "denied" if trouble.kind == "denied" else "unread"
        return Refusal(rule, f"{part} could not be read: {trouble.text}")

    async def ask_cluster(self, part: str, *, cmdlet: bool = False) -> None:
        """The cluster service answers; by CIM within the deadline, a cmdlet waits for ever."""
        trouble = await self._settled(lambda: cluster_trouble(self.node), None if cmdlet else self.world.deadline)
        if trouble is DENIED and not cmdlet:
            trouble = NO_NODES
        if trouble is not None:
            raise self.unread(part, trouble)

    async def ask_machines(self, part: str) -> None:
        """VMMS answers."""
        trouble = await self._settled(lambda: hyperv_trouble(self.node), self.world.deadline)
        if trouble is not None:
            raise self.unread(part, trouble)

    async def _settled(self, look: Callable[[], Trouble | None], seconds: float | None) -> Trouble | None:
        """What is wrong after waiting for something that hangs."""
        await self.wait(lambda: look() is TIMEOUT, seconds)
        return look()

    def run(self, command: str, act: Callable[[], object]) -> bool:
        """Record and run the one command; False when Windows refused."""
        self.command = command
        self.record()
        try:
            act()
        except WindowsRefused as refused:
            self.refused_by_windows(refused)
            return False
        finally:
            self.world.changed()
        return True

    def refused_by_windows(self, refused: WindowsRefused) -> None:
        """The command said no."""
        self.rule = "denied" if refused.number == _DENIED_NUMBER else "windows"
        self.text, self.code = refused.text, code_of(refused.number)

    def record(self) -> None:
        """Write the record into the node's Application log, before anything is changed."""
        try:
            text = record_text(self.function, self.operation, self.actor, self.command)
            write_record(self.world, self.node, self.function, text)
        except PermissionError:
            self.recorded = False
            self.problems.append(problem("record", DENIED))
        else:
            self.recorded = True

    def answer(self) -> str:
        """The ActionResult as the module writes it."""
        return wire(
            {
                "v": WIRE,
                "time": stamp(self.world.time_of(self.node)),
                "cpu_ms": self.cpu_ms,
                "node": self.node.name,
                "function": self.function,
                "operation": self.operation.lower(),
                "outcome": self.outcome,
                "rule": self.rule,
                "text": self.text,
                "code": self.code,
                "before": self.before,
                "after": self.after,
                "command": self.command,
                "recorded": self.recorded,
                "errors": self.problems,
            }
        ).decode()


def code_of(number: int) -> str:
    """A Win32 number as an HRESULT; one that is an HRESULT already stays."""
    return f"0x{number:08x}" if number > 0xFFFF else f"0x8007{number:04x}"
