"""Asks the rules, again only where something changed, and keeps what they found in order.

A look costs by what changed: VMs with another record, jobs, role or events; nodes and CSVs likewise; what a rule asked
to see again; and a few of the rest in turn, so that nothing that only time makes true is missed for long.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime
from heapq import heappop, heappush
from time import perf_counter
from typing import Final

from hvtui.config import ClusterConfig
from hvtui.findings.catalogue import Catalogue, catalogue
from hvtui.findings.event_index import EventIndex
from hvtui.findings.finding import Finding, Target
from hvtui.findings.look import Answers, Look, Owners
from hvtui.findings.memory import Memory
from hvtui.findings.rules import Rule, all_rules
from hvtui.findings.standing import Acknowledged, Standing, quiet_vms, rank
from hvtui.model.change import Change
from hvtui.model.event_catalog import vm_of
from hvtui.model.events import NodeEvent
from hvtui.model.state import ClusterState
from hvtui.operations.backup_state import BackupSigns
from hvtui.operations.backup_watch import OBSERVE

EVERY: Final = 1.0
"""Seconds between two looks, at least."""
ROUND: Final = 300.0
"""Seconds in which every VM is looked at, changed or not."""
SLOW: Final = {"cluster": 10.0, "node": 5.0, "csv": 5.0}
"""Seconds after which a thing of this kind is looked at again when it changed, and in any case after six times that."""
BUDGET: Final = 0.012
"""Seconds that a look may work; VMs that are left over wait for the next one."""

Asked = tuple[str, str]
"""A rule, and the key of what it is asked about."""

_log = logging.getLogger(__name__)


@dataclass
class Engine:
    """One for a cluster. Not thread-safe: the event loop's thread."""

    config: ClusterConfig | None = None
    acknowledged: Acknowledged = field(default_factory=Acknowledged)
    rules: Mapping[str, Rule] = field(default_factory=all_rules)
    words: Catalogue = field(default_factory=catalogue)
    memory: Memory = field(default_factory=Memory)
    standing: tuple[Standing, ...] = ()
    """Everything that stands, gravest first; what is acknowledged or quiet last."""
    wanted: dict[tuple[str, str], None] = field(default_factory=dict)
    """What rules would like to know since somebody last looked here: `access filters fork chain`, and of whom."""
    failed: dict[str, str] = field(default_factory=dict)
    """Rule → its own fault. What it would have found is not known."""
    _index: EventIndex = field(default_factory=EventIndex)
    _signs: BackupSigns = field(default_factory=BackupSigns)
    _pending: Change | None = None
    _looked: float = float("-inf")
    _observed: float = float("-inf")
    _owners: Owners = field(default_factory=Owners)
    _found: dict[Asked, tuple[Finding, ...]] = field(default_factory=dict)
    _first: dict[str, tuple[datetime | None, float]] = field(default_factory=dict)
    _unread: dict[str, str] = field(default_factory=dict)
    _once: dict[Asked, None] = field(default_factory=dict)
    _vms: dict[str, None] = field(default_factory=dict)
    _marks: dict[str, tuple[object, ...]] = field(default_factory=dict)
    _round: Iterator[str] = field(default_factory=lambda: iter(()))
    _last: dict[tuple[str, str], float] = field(default_factory=dict)
    _dirty: dict[tuple[str, str], None] = field(default_factory=dict)
    _timers: list[tuple[float, str, str]] = field(default_factory=list)
    _timed: dict[Asked, float] = field(default_factory=dict)
    _state: ClusterState | None = None

    def __post_init__(self) -> None:
        self._per: dict[str, tuple[Rule, ...]] = {
            kind: tuple(rule for rule in self.rules.values() if rule.per == kind)
            for kind in ("cluster", "node", "csv", "vm")
        }
        self._by_event: dict[int, tuple[Rule, ...]] = {
            number: tuple(rule for rule in self.rules.values() if number in rule.ids)
            for number in {number for rule in self.rules.values() for number in rule.ids}
        }

    # --- asking ---

    def note(self, change: Change) -> None:
        """Remember what changed for the next look."""
        if self._pending is None:
            self._pending = Change()
        self._pending.add(change)

    def due(self, monotonic: float) -> bool:
        """A second has passed since the last look."""
        return monotonic - self._looked >= EVERY

    def look(
        self, state: ClusterState, monotonic: float, facts: Answers | None = None, *, budget: float | None = None
    ) -> bool:
        """Ask what must be asked; True when the findings are others than before.

        `budget`: seconds after which the rest waits for the next look; None: no limit. The first look asks everything.
        """
        began = perf_counter()
        answers = (facts if facts is not None else Answers()).with_signals(state)
        change, self._pending = self._pending, None
        if self._state is not state:
            self._begin(state)
            change = None
        passed = monotonic - self._looked
        self._looked = monotonic
        if monotonic - self._observed >= OBSERVE:
            self._observed = monotonic
            self._signs.observe(state, monotonic)
        self.memory.observe(state, None if change is None else change.told)
        for node in state.nodes:
            told = answers.shadow_copies(node)
            if told is not None:
                self.memory.shadows_read(node, *told)
        look = Look(
            state, monotonic, self.words, self._index, self.memory, answers, self.config, self._signs, self._owners
        )
        self._take_events(state, self._once)
        self._take_timers(monotonic, self._once)
        self._take_change(state, change, passed)
        until = None if budget is None else began + budget
        self._ask_once(look, monotonic, until)
        self._ask_slow(look, state, monotonic, until)
        self._ask_vms(look, monotonic, until)
        self.wanted.update(look.wanted)
        return self._settle(look, monotonic)

    def alarms(self) -> list[Standing]:
        """What a person must hear: neither acknowledged nor quiet, gravest first."""
        return [one for one in self.standing if one.alarming]

    def acknowledge(self, key: str, note: str, by: str, time: datetime) -> bool:
        """Keep that a person knows of a finding; False when there is none by this key. Raises OSError."""
        held = next((one for one in self.standing if one.finding.key == key), None)
        if held is None:
            return False
        self.acknowledged.take(held.finding, note, by, time)
        self._rank()
        return True

    def know(self, book: Acknowledged) -> None:
        """Use these acknowledgements from now on."""
        self.acknowledged = book
        self._rank()

    def ask_again(self, kind: str, key: str) -> None:
        """Answers came that no change tells of: ask about a thing at the next look."""
        self._dirty[kind, key] = None
        self._last.pop((kind, key), None)

    def withdraw(self, key: str) -> None:
        """Forget an acknowledgement. Raises OSError."""
        self.acknowledged.forget(key)
        self._rank()

    # --- what must be asked ---

    def _begin(self, state: ClusterState) -> None:
        self._state = state
        self._index = EventIndex()
        for held in (
            self._once,
            self._found,
            self._first,
            self._unread,
            self._vms,
            self._marks,
            self._last,
            self._dirty,
        ):
            held.clear()
        self._timers.clear()
        self._timed.clear()

    def _take_events(self, state: ClusterState, once: dict[Asked, None]) -> None:
        """A rule that listens for an event is asked about what the event names."""
        roles: dict[str, str] | None = None
        for item in self._index.catch_up(state.events):
            for rule in self._by_event.get(item.event.id, ()):
                if rule.per == "vm":
                    vm = vm_of(item.event)[0]
                    if vm:
                        once[rule.id, vm.lower()] = None
                        continue
                    if roles is None:
                        roles = _names_of_vms(state)
                    once.update({(rule.id, roles[name]): None for name in _values(item) if name in roles})
                elif rule.per == "node":
                    once[rule.id, state.node_name(item.node)] = None
                    once.update({(rule.id, n): None for v in _values(item) if (n := state.node_name(v)) in state.nodes})
                elif rule.per == "csv":
                    once.update({(rule.id, key): None for key in state.cluster.csvs or ()})
                else:
                    once[rule.id, ""] = None

    def _take_timers(self, monotonic: float, once: dict[Asked, None]) -> None:
        while self._timers and self._timers[0][0] <= monotonic:
            when, rule_id, key = heappop(self._timers)
            if self._timed.get((rule_id, key)) == when:
                del self._timed[rule_id, key]
                once[rule_id, key] = None

    def _take_change(self, state: ClusterState, change: Change | None, passed: float) -> None:
        """Note the things that changed; with `change` None all of them."""
        if change is None:
            vms: Iterable[str] = state.vm_keys()
            nodes: Iterable[str] = state.nodes
            csvs: Iterable[str] = state.cluster.csvs or ()
        else:
            vms, nodes, csvs = change.told, change.nodes | change.links | change.writers, change.csvs
        self._dirty["cluster", ""] = None
        self._dirty.update({("node", name): None for name in nodes if name})
        self._dirty.update({("csv", key): None for key in csvs})
        for key in vms:
            if self._mark(state, key):
                self._vms[key] = None
        for _ in range(int(min(passed, ROUND) / ROUND * len(state.homes)) + 1):
            key = next(self._round, "")
            if not key:
                self._round = iter(list(state.vm_keys()))
                break
            self._vms[key] = None

    def _mark(self, state: ClusterState, key: str) -> bool:
        """The VM is another than at the last look: its load is no reason to ask about it."""
        found = state.vm(key)
        if found is None:
            mark: tuple[object, ...] = (state.role(key), state.chains.get(key))
        else:
            view, vm = found
            files = (view.files or {}).get(key)
            mark = (vm, view.name, view.jobs_of.get(key), files, state.role(key), state.chains.get(key))
        held = self._marks.get(key)
        if held is not None and len(held) == len(mark) and all(a is b for a, b in zip(held, mark, strict=True)):
            return False
        self._marks[key] = mark
        return True

    # --- asking ---

    def _ask_once(self, look: Look, monotonic: float, until: float | None) -> None:
        """What an event or its time has come for: one rule about one thing."""
        while self._once:
            rule_id, key = next(iter(self._once))
            del self._once[rule_id, key]
            self._ask(look, self.rules[rule_id], key, monotonic)
            if until is not None and perf_counter() > until:
                break

    def _ask_slow(self, look: Look, state: ClusterState, monotonic: float, until: float | None) -> None:
        """Cluster, nodes and volumes, those first that wait longest; they are many rules each."""
        things = [("cluster", ""), *(("node", name) for name in state.nodes)]
        things += [("csv", key) for key in state.cluster.csvs or ()]
        due = []
        for thing in things:
            since = monotonic - self._last.get(thing, float("-inf"))
            if since >= SLOW[thing[0]] * 6 or (since >= SLOW[thing[0]] and thing in self._dirty):
                due.append((-since, thing))
        due.sort()
        # Spread over the looks: all at once would make every fifth look as heavy as five.
        share = len(due) if until is None else len(things) // int(SLOW["node"]) + 1
        for _, thing in due[:share]:
            self._last[thing] = monotonic
            self._dirty.pop(thing, None)
            for rule in self._per[thing[0]]:
                self._ask(look, rule, thing[1], monotonic)
            if until is not None and perf_counter() > until:
                break

    def _ask_vms(self, look: Look, monotonic: float, until: float | None) -> None:
        while self._vms:
            key = next(iter(self._vms))
            del self._vms[key]
            told = self._told_of(look, key)
            for rule in self._per["vm"]:
                self._ask(look, rule, key, monotonic, told)
            if until is not None and perf_counter() > until:
                break

    def _ask(self, look: Look, rule: Rule, key: str, monotonic: float, told: AbstractSet[int] | None = None) -> None:
        """Ask one rule about one thing; `told` are the ids of the events about a VM, where the caller has them."""
        asked = (rule.id, key)
        found: tuple[Finding, ...] = ()
        if self._may_speak(look, rule, key, told):
            look.again_in = None
            try:
                found = tuple(rule.function(look, key))
            except Exception as error:
                # The other rules speak on; what this one would say is not known, and that is told.
                if rule.id not in self.failed:
                    _log.exception("the rule %s failed", rule.id)
                self.failed[rule.id] = f"{type(error).__name__}: {error}"
                return
            self.failed.pop(rule.id, None)
            if look.again_in is not None:
                when = monotonic + look.again_in
                self._timed[asked] = when
                heappush(self._timers, (when, *asked))
        if found:
            self._found[asked] = found
            self._unread.pop(f"{rule.id}\n{key}", None)
        elif asked in self._found:
            why = _unreadable(look, self._found[asked][0].target)
            if why:
                # Silence where nothing could be read is no good news: the last that was seen stands, and says so.
                self._unread[f"{rule.id}\n{key}"] = why
            else:
                del self._found[asked]
                self._unread.pop(f"{rule.id}\n{key}", None)

    def _may_speak(self, look: Look, rule: Rule, key: str, told: AbstractSet[int] | None) -> bool:
        if not rule.needs_event or rule.per not in ("vm", "node"):
            return True
        if rule.per == "node":
            index = self._index
            return not (index.ids("node", key).isdisjoint(rule.ids) and index.ids("name", key).isdisjoint(rule.ids))
        return not (self._told_of(look, key) if told is None else told).isdisjoint(rule.ids)

    def _told_of(self, look: Look, key: str) -> AbstractSet[int]:
        """Ids of the events about a VM, by its GUID, its name or its role's."""
        found, role = look.vm(key), look.role(key)
        names = [found[1].name] if found is not None else []
        names += look.role_names(key) if role is not None else ()
        told = set(self._index.ids("vm", key))
        for name in names:
            told |= self._index.ids("name", name)
        return told

    # --- what stands ---

    def _settle(self, look: Look, monotonic: float) -> bool:
        self._drop_gone(look.state)
        before = self.standing
        now = {finding.key for found in self._found.values() for finding in found}
        for key in [key for key in self._first if key not in now]:
            del self._first[key]
        for found in self._found.values():
            for finding in found:
                if finding.key not in self._first:
                    clock = _clock(look, finding.target)
                    self._first[finding.key] = (clock, monotonic)
        self._rank()
        return self.standing != before

    def _drop_gone(self, state: ClusterState) -> None:
        """What is no longer there has no trouble."""
        for rule_id, key in list(self._found):
            kind = self.rules[rule_id].per
            there = (
                kind == "cluster"
                or (kind == "node" and key in state.nodes)
                or (kind == "csv" and (state.cluster.csvs is None or key in state.cluster.csvs))
                or (kind == "vm" and (not state.vms_known() or key in state.homes or state.role(key) is not None))
            )
            if not there:
                del self._found[rule_id, key]
                self._unread.pop(f"{rule_id}\n{key}", None)

    def _rank(self) -> None:
        quiet = quiet_vms(self.config)
        held = []
        for (rule_id, key), found in self._found.items():
            for finding in found:
                seen, _ = self._first.get(finding.key, (None, 0.0))
                held.append(
                    Standing(
                        finding=finding,
                        seen=seen,
                        quiet=finding.target.kind == "vm" and quiet(finding.target.name),
                        acknowledged=self.acknowledged.of(finding),
                        unread=self._unread.get(f"{rule_id}\n{key}", ""),
                    )
                )
        self.standing = rank(held)


def _values(item: NodeEvent) -> list[str]:
    return [value.lower() for value in item.event.data.values() if value]


def _names_of_vms(state: ClusterState) -> dict[str, str]:
    """What events without a GUID call VMs, in lower case → the VM; names that two share are left out."""
    found: dict[str, str] = {}
    for key in state.vm_keys():
        held, role = state.vm(key), state.role(key)
        names = {held[1].name.lower()} if held is not None else set()
        if role is not None:
            names |= {
                f"{kind}{role.name}".lower() for kind in ("", "Virtual Machine ", "Virtual Machine Configuration ")
            }
        for name in names:
            found[name] = "" if name in found else key
    return {name: key for name, key in found.items() if key}


def _unreadable(look: Look, target: Target) -> str:
    """Why nothing can be said of a target now; empty when it is read."""
    if target.kind == "node":
        return look.unread(target.key, "vms", "jobs")
    if target.kind == "vm":
        home = look.state.home(target.key)
        return look.unread(home, "vms", "jobs") if home is not None else ""
    return look.unread("", "csvs", "nodes", "roles")


def _clock(look: Look, target: Target) -> datetime | None:
    if target.kind == "node":
        return look.now(target.key)
    if target.kind == "vm":
        return look.now(look.state.home(target.key) or "")
    return look.now("")
