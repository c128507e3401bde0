"""Facts: everything a plan, a rule and the gate look at, gathered once and then only read.

The streams' picture is `state`; what only operations ask was fetched for this plan and is kept beside it by node. An
absent answer is a fact that is unknown, and unknown never means fine.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

from hvtui.model.preflight import ForkCommit, ForkSign, Preflight, ServiceState, VmPreflight
from hvtui.model.state import ClusterState
from hvtui.operations.fork_commit import signs_by_vm


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
    """`preflight:NODE`, `fork:NODE`, `service:NODE/name` → why there is no answer."""
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

    @cached_property
    def _vms(self) -> dict[str, VmPreflight]:
        return {vm.id: vm for answer in self.preflight.values() for vm in answer.vms or ()}

    @cached_property
    def fork_signs(self) -> dict[str, list[ForkSign]]:
        """VM → signs of a fork that was not committed."""
        return signs_by_vm(self.fork.values(), self.state.events.recent())

    def vm(self, key: str) -> VmPreflight | None:
        """What was asked of a VM, on whichever node has it."""
        return self._vms.get(key)
