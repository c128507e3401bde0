"""A run: a plan being carried out. Data only; the runner changes it, everybody else reads it and is told of changes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from hvtui.model.severity import Severity
from hvtui.operations.plan import Level, Plan, Refusal, Target, Verb


class RunState(StrEnum):
    """How a run stands."""

    CHECKING = "checking"
    """Started by a person; the facts are read once more and the gate looks at them."""
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    """Something of it was not done; its items say what and why."""
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"
    """An answer was lost, and the cluster does not show yet whether it was done."""
    REFUSED = "refused"
    """Nothing was begun."""
    LEFT = "left"
    """The console ends while Windows works on; the next start finds it in the journal."""


class ItemState(StrEnum):
    """How one VM, node, service or CSV of a run stands."""

    QUEUED = "queued"
    WAITING = "waiting"
    """Another client has all places: asked again after a while."""
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    HELD = "held"
    """A HOLD stood against it when its turn came."""
    REFUSED = "refused"
    UNKNOWN = "unknown"


ENDED: Final = frozenset(
    {RunState.DONE, RunState.FAILED, RunState.CANCELLED, RunState.UNKNOWN, RunState.REFUSED, RunState.LEFT}
)
ITEM_ENDED: Final = frozenset(
    {
        ItemState.DONE,
        ItemState.FAILED,
        ItemState.CANCELLED,
        ItemState.HELD,
        ItemState.REFUSED,
        ItemState.UNKNOWN,
    }
)


@dataclass
class RunItem:
    """One target of a run. `code` is Windows' code of a failure; `text` says it, `advice` what to do about it."""

    target: Target
    state: ItemState = ItemState.QUEUED
    percent: int | None = None
    text: str = ""
    code: str = ""
    advice: str = ""
    source: str = ""
    destination: str = ""

    @property
    def ended(self) -> bool:
        """Nothing more is done about it."""
        return self.state in ITEM_ENDED


@dataclass(frozen=True)
class RunLine:
    """A line of evidence: what was seen or done, and when."""

    time: datetime
    text: str
    severity: Severity = Severity.INFO


@dataclass
class RunStage:
    """A step of a runbook and how it stands; `text` is its newest evidence."""

    action: str
    node: str
    title: str
    state: ItemState = ItemState.QUEUED
    text: str = ""


@dataclass(frozen=True)
class Command:
    """A mutating call as it was made: the line of the command log. `outcome` is empty until it is known."""

    time: datetime
    operation: str
    call: str
    node: str
    text: str
    outcome: str = ""


@dataclass(frozen=True)
class Offer:
    """What may be done next, as a new plan: `Operations.plan(offer.verb, offer.targets, **offer.options)`."""

    verb: Verb
    targets: tuple[Target, ...]
    text: str
    options: dict[str, str] = field(default_factory=dict)


@dataclass
class Run:
    """A plan being carried out, from its confirmation to its end."""

    id: str
    plan: Plan
    state: RunState = RunState.CHECKING
    items: list[RunItem] = field(default_factory=list)
    stages: list[RunStage] = field(default_factory=list)
    lines: list[RunLine] = field(default_factory=list)
    refusals: tuple[Refusal, ...] = ()
    offers: tuple[Offer, ...] = ()
    can_cancel: bool = False
    cancel_text: str = "cannot cancel: nothing runs yet"
    """Why it cannot be cancelled, or what cancelling does."""
    cancelling: bool = False
    started: datetime | None = None
    ended: datetime | None = None
    acknowledged: bool = False
    """A person has seen how it ended; a failed one stays on the screen until then."""
    current: int | None = None
    """Index of the stage that runs now."""

    @property
    def over(self) -> bool:
        """It has ended, one way or another."""
        return self.state in ENDED

    @property
    def percent(self) -> int | None:
        """How far its items are, each counted alike; None without items."""
        if not self.items:
            return None
        done = sum(100 if item.ended else item.percent or 0 for item in self.items)
        return done // len(self.items)

    @property
    def level(self) -> Level:
        """How it was confirmed."""
        return self.plan.level

    def item(self, key: str) -> RunItem | None:
        """The item of a target, by `Target.key`."""
        return next((item for item in self.items if item.target.key == key), None)

    @property
    def holds(self) -> frozenset[str]:
        """Keys of everything it touches, which no other operation may touch meanwhile."""
        keys = {target.key for target in self.plan.targets}
        keys |= {move.vm.key for move in self.plan.moves}
        keys |= {change.target.key for change in self.plan.changes}
        keys |= {stage.target.key for stage in self.plan.stages if stage.target is not None}
        return frozenset(keys)
