"""What a rule may ask: one moment's picture, the events about a thing, the memory, and what nodes were asked besides.

Pure: everything was read before. What is missing is unknown, and a rule says nothing of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Final
from zoneinfo import ZoneInfo

from hvtui.config import ClusterConfig
from hvtui.findings.catalogue import Catalogue
from hvtui.findings.event_index import EventIndex, is_from
from hvtui.findings.finding import Evidence, Finding, Sure, Target
from hvtui.findings.memory import Memory
from hvtui.model.checkpoints import Checkpoints
from hvtui.model.event_catalog import describe, vm_of
from hvtui.model.events import NodeEvent
from hvtui.model.guest_rows import GuestRow
from hvtui.model.placement import Placement, place, short_path
from hvtui.model.preflight import ForkCommit, ForkSign, NodePreflight, Preflight, ShadowCopy
from hvtui.model.records import ClusterNode, Csv, CsvIo, Job, Role, Vm
from hvtui.model.severity import Severity
from hvtui.model.signals import ChainPicture, FilterPicture, HotfixPicture, ShadowPicture, signals_of
from hvtui.model.state import ClusterState, NodeView, vm_key
from hvtui.model.vss_access import VssAccess
from hvtui.operations.backup_state import BackupSigns, BackupState, backup_state
from hvtui.operations.facts import Facts, Leftover

COPIES_FRESH: Final = timedelta(minutes=15)
"""How long a list of shadow copies counts as that of now."""
_NEVER: Final = datetime.min.replace(tzinfo=UTC)


@dataclass
class Answers:
    """What nodes were asked beside the streams, by node (`chains`, `guests`, `checkpoints`: by VM).

    A key that is missing was not read, or could not be: unknown, never *none*.
    """

    preflight: dict[str, Preflight] = field(default_factory=dict)
    fork: dict[str, ForkCommit] = field(default_factory=dict)
    vss_access: dict[str, VssAccess] = field(default_factory=dict)
    guests: dict[str, GuestRow] = field(default_factory=dict)
    checkpoints: dict[str, Checkpoints] = field(default_factory=dict)
    filters: dict[str, FilterPicture] = field(default_factory=dict)
    hotfixes: dict[str, HotfixPicture] = field(default_factory=dict)
    chains: dict[str, ChainPicture] = field(default_factory=dict)
    shadows: dict[str, ShadowPicture] = field(default_factory=dict)
    backup_stopped: dict[str, Leftover] = field(default_factory=dict)
    """Node → what an operator said of its leftovers."""

    def with_signals(self, state: ClusterState) -> Answers:
        """The same with what the state holds of shadow copies, filters, hotfixes and chains."""
        found = signals_of(state.nodes, state.chains)
        return replace(
            self,
            filters={**found.filters, **self.filters},
            hotfixes={**found.hotfixes, **self.hotfixes},
            chains={**found.chains, **self.chains},
            shadows={**found.shadows, **self.shadows},
        )

    def shadow_copies(self, node: str) -> tuple[datetime, Sequence[ShadowCopy]] | None:
        """The newest answer that told a node's shadow copies, and its time; None when none did."""
        told: list[tuple[datetime, Sequence[ShadowCopy]]] = []
        preflight, picture = self.preflight.get(node), self.shadows.get(node)
        if preflight is not None and preflight.node is not None and preflight.node.shadow_copies is not None:
            told.append((preflight.time, preflight.node.shadow_copies))
        if picture is not None and picture.time is not None and picture.shadows is not None:
            told.append((picture.time, picture.shadows))
        return max(told, key=lambda one: one[0], default=None)


class Owners:
    """Which VMs the cluster has on which node (in lower case); gathered anew when a role is another."""

    def __init__(self) -> None:
        self._roles: dict[str, Role] = {}
        self._found: dict[str, list[str]] = {}

    def of(self, roles: dict[str, Role]) -> dict[str, list[str]]:
        """Node → its VMs. A state replaces its roles whenever one of them is another."""
        if roles is not self._roles:
            self._roles, self._found = roles, {}
            for role in roles.values():
                if role.owner is not None:
                    self._found.setdefault(role.owner.lower(), []).append(vm_key(role))
        return self._found


@dataclass
class Look:
    """One moment. `monotonic` is the client's clock that ages of links are counted on."""

    state: ClusterState
    monotonic: float
    catalogue: Catalogue
    index: EventIndex
    memory: Memory
    facts: Answers = field(default_factory=Answers)
    config: ClusterConfig | None = None
    signs: BackupSigns = field(default_factory=BackupSigns)
    owners: Owners = field(default_factory=Owners)
    wanted: dict[tuple[str, str], None] = field(default_factory=dict)
    """What rules would like to know, see `want`."""
    again_in: float | None = None
    """Seconds after which the rule that is being asked wants to be asked again, see `again`."""
    _backups: dict[str, BackupState] = field(default_factory=dict)

    # --- clocks ---

    def now(self, node: str = "") -> datetime | None:
        """A node's own clock now, the cluster's stream for `""`; None while it has said nothing."""
        view = self.state.nodes.get(self.state.node_name(node)) if node else self.state.cluster
        return None if view is None else view.link.node_now(self.monotonic)

    def age(self, item: NodeEvent) -> timedelta | None:
        """How long ago an event was, by the clock of its node."""
        now = self.now(item.node) or self.state.events.read_at(item.node)
        return None if now is None else now - item.event.time

    def in_window(self, node: str = "") -> bool | None:
        """By the node's clock a backup window of the configuration is open; None when there is none, or no clock."""
        now = self.now(node)
        windows = self.config.windows if self.config is not None else ()
        if now is None or not windows:
            return None
        for window in windows:
            local = now.astimezone(ZoneInfo(window.zone)).time()
            if window.start <= window.end:
                inside = window.start <= local < window.end
            else:
                inside = local >= window.start or local < window.end
            if inside:
                return True
        return False

    def again(self, after: timedelta) -> None:
        """Ask this rule about this thing again after so long, even when nothing changes until then."""
        seconds = max(1.0, after.total_seconds())
        self.again_in = seconds if self.again_in is None else min(seconds, self.again_in)

    def want(self, what: str, key: str) -> None:
        """An answer that nobody asked for would decide: `access`, `filters` or `fork` of a node, `chain` of a VM."""
        self.wanted[what, key] = None

    # --- things ---

    def node(self, name: str) -> NodeView | None:
        """A node's own picture."""
        return self.state.nodes.get(self.state.node_name(name))

    def member(self, name: str) -> ClusterNode | None:
        """A node as the cluster sees it."""
        return self.state.member(name)

    def vm(self, key: str) -> tuple[NodeView, Vm] | None:
        """A VM and the node that tells it."""
        return self.state.vm(key)

    def role(self, key: str) -> Role | None:
        """A VM's role."""
        return self.state.role(key)

    def jobs(self, key: str) -> tuple[Job, ...]:
        """The jobs of a VM on the node that tells it; empty also when they could not be read, see `unread`."""
        found = self.state.vm(key)
        return found[0].jobs_of.get(key, ()) if found is not None else ()

    def csv(self, key: str) -> Csv | None:
        """A volume."""
        return (self.state.cluster.csvs or {}).get(key)

    def io(self, key: str) -> CsvIo | None:
        """The I/O state of a volume on every node."""
        csv = self.csv(key)
        return (self.state.cluster.io or {}).get(csv.volume or "") if csv is not None else None

    def place(self, key: str) -> Placement:
        """Where a VM's files are."""
        return place(self.state, key)

    def vms_on(self, csv: str) -> list[str]:
        """VMs with a file on a volume, as far as files were read."""
        # The counts place every VM that changed; without them a VM nobody has asked about is on no volume yet.
        self.state.tally.refresh(self.state)
        return [key for key in self.state.placements.on({csv}) if key in self.state.homes]

    def vms_of(self, node: str) -> list[str]:
        """VMs that a node lists."""
        view = self.node(node)
        return list(view.vms or ()) if view is not None else []

    def owned_by(self, node: str) -> list[str]:
        """VMs whose roles the cluster has on a node, whether the node lists them or not."""
        return self.owners.of(self.state.cluster.roles or {}).get(node.lower(), [])

    def unread(self, node: str, *parts: str) -> str:
        """Why parts of a node (`vms`, `jobs`, …; of the cluster for `""`) are not known now; empty when they are."""
        view = self.node(node) if node else self.state.cluster
        if view is None:
            return f"{node} is not watched"
        if view.link.stale(self.monotonic):
            return f"{node or 'the cluster'} is not heard ({view.link.status.value})"
        for part in parts:
            problem = view.problem(part)
            if problem is not None:
                return problem.text or problem.kind
            if "." not in part and getattr(view, part, ()) is None:
                return f"{part} was not read yet"
        return ""

    @cached_property
    def fork_signs(self) -> dict[str, list[tuple[str, ForkSign]]]:
        """VM → signs of a fork that was not committed in the whole logs of nodes, each with its node."""
        found: dict[str, list[tuple[str, ForkSign]]] = {}
        for node, answer in self.facts.fork.items():
            for sign in answer.signs or ():
                found.setdefault(sign.vm.lower(), []).append((node, sign))
        return found

    # --- backups ---

    def backup(self, node: str) -> BackupState:
        """Whether a backup runs on a node, with the evidence; worked out once in a look."""
        name = self.state.node_name(node)
        found = self._backups.get(name)
        if found is None:
            found = self._backups[name] = backup_state(self._facts_of(name), name)
        return found

    def _facts_of(self, node: str) -> Facts:
        """What `backup_state` wants to know of one node."""
        told, now = self.facts.shadow_copies(node), self.now(node)
        preflight = {}
        # An old answer says nothing of the shadow copies that are there now.
        if told is not None and now is not None and now - told[0] < COPIES_FRESH:
            about = NodePreflight(name=node, shadow_copies=list(told[1]))
            preflight[node] = Preflight(v=1, time=told[0], node=about)
        return Facts(
            state=self.state,
            now=self.state.cluster.link.node_now(self.monotonic) or self.state.cluster.time or _NEVER,
            monotonic=self.monotonic,
            preflight=preflight,
            quiet={node: self.signs.quiet(self.state, node, self.monotonic)},
            backup_stopped=self.facts.backup_stopped,
        )

    # --- events ---

    def events(
        self,
        ids: Iterable[int],
        *,
        node: str = "",
        vm: str = "",
        csv: str = "",
        about: str = "",
        source: str = "hyperv",
        since: timedelta | None = None,
    ) -> list[NodeEvent]:
        """Events of a source with these ids, newest first, each once.

        `node`: only that node's log. `vm`: about this VM, by its GUID (of a cluster event: by its role's name).
        `csv`: naming this volume. `about`: naming this in any value. `since`: no older, by the clock of its node.
        """
        numbers = tuple(ids)
        found: dict[str, NodeEvent] = {}
        for item in self._candidates(numbers, (node, vm, csv, about), source):
            if not is_from(item, source) or (node and item.node.lower() != node.lower()):
                continue
            if about and not _names(item, {about.lower()}):
                continue
            if since is not None:
                age = self.age(item)
                if age is None or age > since:
                    continue
            found[item.key] = item
        return sorted(found.values(), key=NodeEvent.order, reverse=True)

    def _candidates(self, ids: tuple[int, ...], where: tuple[str, str, str, str], source: str) -> Iterable[NodeEvent]:
        node, vm, csv, about = where
        if vm:
            yield from self.index.of(ids, "vm", vm)
            if source == "cluster":
                for name in self.role_names(vm):
                    yield from self.index.of(ids, "name", name)
            else:
                yield from self._without_guid(ids, vm)
        elif csv:
            for name in self._csv_names(csv):
                yield from self.index.of(ids, "name", name)
        elif about:
            yield from self.index.of(ids, "name", about)
        elif node:
            yield from self.index.of(ids, "node", node)
        else:
            yield from self.index.of(ids)

    def role_names(self, key: str) -> tuple[str, ...]:
        """What the cluster's events call a VM: its role, and the role's resources."""
        role = self.state.role(key)
        if role is None:
            return ()
        return role.name, f"Virtual Machine {role.name}", f"Virtual Machine Configuration {role.name}"

    def _without_guid(self, ids: tuple[int, ...], key: str) -> Iterable[NodeEvent]:
        """Events that name a VM by its name alone; nothing when another VM has the same name."""
        found = self.state.vm(key)
        if found is None or self.index.ids("name", found[1].name).isdisjoint(ids):
            return
        if self.vm_named(found[1].name) == key:
            held = self.index.of(ids, "name", found[1].name)
            yield from (item for item in held if not vm_of(item.event)[0])

    def vm_named(self, name: str) -> str:
        """Key of the only VM with this name; empty when there is none, or more than one."""
        return self._by_name.get(name.lower(), "")

    @cached_property
    def _by_name(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for key in self.state.homes:
            held = self.state.vm(key)
            if held is not None:
                name = held[1].name.lower()
                found[name] = "" if name in found else key
        return found

    def _csv_names(self, key: str) -> list[str]:
        csv = self.csv(key)
        if csv is None:
            return []
        names = (csv.resource, csv.path, short_path(csv.path), csv.volume, (csv.volume or "").rstrip("\\"))
        return list(dict.fromkeys(name for name in names if name))

    # --- saying ---

    def vm_target(self, key: str) -> Target:
        """A VM as a target: by its own name, its role's while that is unknown."""
        found = self.state.vm(key)
        role = self.state.role(key)
        return Target("vm", key, found[1].name if found is not None else role.name if role is not None else key)

    def node_target(self, name: str) -> Target:
        """A node as a target."""
        spelled = self.state.node_name(name)
        return Target("node", spelled, spelled)

    def csv_target(self, key: str) -> Target:
        """A volume as a target: the last part of its path."""
        csv = self.csv(key)
        return Target("csv", key, short_path(csv.path) if csv is not None else key)

    def cluster_target(self) -> Target:
        """The cluster as a target."""
        info = self.state.cluster.info
        return Target("cluster", "", info.name if info is not None else "the cluster")

    def evidence(self, item: NodeEvent) -> Evidence:
        """An event as evidence."""
        event = item.event
        return Evidence(
            text=describe(event),
            node=item.node,
            time=event.time,
            source=f"event {event.channel} {event.id} record {event.record}",
        )

    def read(self, text: str, target: str, source: str) -> Evidence:
        """What a stream or an answer showed; `target` is a VM's key, a node's name, or `""` for the cluster.

        `time` is when that node was last heard.
        """
        node = self.state.home(target) if target in self.state.homes or ":" in target else target
        view = self.node(node or "") if node else self.state.cluster
        return Evidence(text=text, node=node or "", time=view.time if view is not None else None, source=source)

    def make(
        self,
        rule: str,
        target: Target,
        text: str,
        *,
        sure: Sure,
        evidence: Sequence[Evidence],
        vms: Sequence[Target] = (),
        since: datetime | None = None,
        severity: Severity | None = None,
        action: str | None = None,
        part: str = "",
    ) -> Finding:
        """A finding; severity and action are the catalogue's unless given."""
        entry = self.catalogue.entries[rule]
        return Finding(
            rule=rule,
            target=target,
            text=text,
            severity=entry.level if severity is None else severity,
            sure=sure,
            evidence=tuple(evidence),
            vms=tuple(vms),
            since=since,
            action=entry.action if action is None else action,
            part=part,
        )


def _names(item: NodeEvent, names: set[str]) -> bool:
    return any(value.lower() in names for value in item.event.data.values())
