"""Facts: everything a plan, a rule and the gate look at, gathered once and then only read.

The streams' picture is `state`; what only operations ask was fetched for this plan and is kept beside it by node. An
absent answer is a fact that is unknown, and unknown never means fine.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

from hvtui.model.checkpoints import Checkpoints
from hvtui.model.enums import NodeState, signed
from hvtui.model.preflight import ForkCommit, ForkSign, Preflight, ServiceState, VmPreflight
from hvtui.model.state import ClusterState
from hvtui.model.vss_access import VssAccess
from hvtui.operations.fork_commit import signs_by_vm
from hvtui.operations.guest_knowledge import GuestKnowledge
from hvtui.operations.plan import Target


@dataclass(frozen=True)
class Limits:
    """What the configuration says of capacity and concurrency. Memory is MB."""

    reserve: int = 4096
    """Kept free on every node beside what arriving VMs need."""
    fresh: float = 30.0
    """Seconds after which a stream's picture is too old to act on."""
    window: float = 8 * 3600.0
    """Seconds: a shadow copy younger than this belongs to a backup that may run."""


@dataclass(frozen=True)
class Leftover:
    """An operator said that a node's backup job was stopped in the backup product: who, and when."""

    node: str
    by: str
    time: datetime


@dataclass(frozen=True)
class Was:
    """What the journal tells of one change that an operation made: values as that operation's calls name them.

    `sure` is False when the call was made and how it ended for this target is not in the journal.
    """

    target: Target
    node: str
    before: dict[str, str | int | None]
    after: dict[str, str | int | None]
    sure: bool = True


@dataclass(frozen=True)
class Facts:
    """A moment's knowledge. Dictionaries are keyed by the node's name as `state` spells it.

    `monotonic` is the clock that links' ages are counted on. `busy` maps `Target.key` to the title of the running
    operation that holds it. `stopped` names services (`NODE/vmms`) that hvtui stopped, by the journal or the node's
    event record. `backup_stopped` is by node.
    """

    state: ClusterState
    now: datetime
    monotonic: float
    limits: Limits = field(default_factory=Limits)
    preflight: dict[str, Preflight] = field(default_factory=dict)
    fork: dict[str, ForkCommit] = field(default_factory=dict)
    services: dict[str, ServiceState] = field(default_factory=dict)
    """`NODE/name` → what the node said of the service."""
    unread: dict[str, str] = field(default_factory=dict)
    """`preflight:NODE`, `fork:NODE`, `service:NODE/name`, `vssaccess:NODE` → why there is no answer."""
    checkpoints: dict[str, Checkpoints] = field(default_factory=dict)
    """VM → its checkpoints, of VMs that were asked; what could not be read is in `unread` as `checkpoints:VM`."""
    undo: tuple[Was, ...] = ()
    """What the operation did that is to be undone."""
    busy: dict[str, str] = field(default_factory=dict)
    stopped: frozenset[str] = frozenset()
    backup_stopped: dict[str, Leftover] = field(default_factory=dict)
    read_only: str = ""
    """Why nothing may be changed, naming the line to add and the file; empty when it may."""
    pinned: str = ""
    """The cluster id of the first contact; empty when none is kept (demo)."""
    protected: bool = False
    groups: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Named groups of the configuration: VMs (names, or patterns with `*`) that a backup job wants on one node."""
    quiet: dict[str, timedelta] = field(default_factory=dict)
    """Node → how long it is known to have shown no sign of a running backup (`BackupSigns`)."""
    access: dict[str, VssAccess] = field(default_factory=dict)
    """Who may take part in VSS, where that was asked."""
    guests: GuestKnowledge = field(default_factory=GuestKnowledge)
    """What looks into guests have found."""

    @cached_property
    def _vms(self) -> dict[str, VmPreflight]:
        return {vm.id: vm for answer in self.preflight.values() for vm in answer.vms or ()}

    @cached_property
    def fork_signs(self) -> dict[str, list[ForkSign]]:
        """VM → signs of a fork that was not committed."""
        return signs_by_vm(self.fork.values(), self.state.events.recent())

    @cached_property
    def searchable(self) -> tuple[str, ...]:
        """Nodes whose logs must have been searched: all that take part and are not down."""
        members = self.state.cluster.nodes
        gone = set(self.down)
        return tuple(name for name in map(self.state.node_name, members or self.state.nodes) if name not in gone)

    @cached_property
    def down(self) -> tuple[str, ...]:
        """Nodes that nobody can ask: a VM that failed over from one may have its sign in that node's log only."""
        members = self.state.cluster.nodes or {}
        return tuple(self.state.node_name(n) for n, node in members.items() if signed(node.state) == NodeState.Down)

    @cached_property
    def unsearched(self) -> dict[str, str]:
        """Nodes whose logs were not searched for fork-commit signs, and why where that was told."""
        found = {}
        for node in self.searchable:
            answer = self.fork.get(node)
            if answer is None or answer.signs is None:
                errors = answer.errors if answer is not None else ()
                found[node] = self.unread.get(f"fork:{node}") or next((f": {e.text}" for e in errors if e.text), "")
        return found

    def vm(self, key: str) -> VmPreflight | None:
        """What was asked of a VM, on whichever node has it."""
        return self._vms.get(key)
