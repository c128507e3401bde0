"""A scene: a small healthy cluster, put together piece by piece, that rules look at.

HV01 and HV02 are up and heard; Volume1 (HV01), Volume2 and Volume10 (HV02) are direct; SQL07 and APP01 run on HV01,
WEB01 on HV02. Everything was read: writers stable, channels to their end, preflight without shadow copies. All rules
are silent.

Pieces are functions that take a scene and change what it will say: `scene.vm("SQL07", state=6)`,
`scene.event(10102, vm="SQL07")`. `later` lets time pass: what was described so far is applied, then the clocks go on.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final, Self

import msgspec

from hvtui.config import ClusterConfig
from hvtui.findings.catalogue import catalogue
from hvtui.findings.engine import Engine
from hvtui.findings.event_index import EventIndex
from hvtui.findings.finding import Finding
from hvtui.findings.look import Answers, Look
from hvtui.findings.memory import Memory
from hvtui.findings.rules import all_rules
from hvtui.model.preflight import NodePreflight, Preflight, ShadowCopy, VmPreflight
from hvtui.model.records import Event, Host, Job, Problem, Provider, Vm, VmFiles
from hvtui.model.state import ClusterState
from hvtui.model.writers import WriterPicture, writer_picture
from hvtui.operations.backup_state import BackupSigns
from hvtui.remote.contract import CHANNELS
from tests.support import builders
from tests.support.builders import CLUSTER_PROVIDER, NOW, VMMS_ADMIN, VMMS_PROVIDER, csv_id, guid

WORKER: Final = ("Microsoft-Windows-Hyper-V-Worker-Admin", "Microsoft-Windows-Hyper-V-Worker")
VMMS: Final = (VMMS_ADMIN, VMMS_PROVIDER)
CLUSTER: Final = ("Microsoft-Windows-FailoverClustering/Operational", CLUSTER_PROVIDER)
HIGH_AVAILABILITY: Final = (
    "Microsoft-Windows-Hyper-V-High-Availability-Admin",
    "Microsoft-Windows-Hyper-V-High-Availability",
)
STORAGE_VSP: Final = ("Microsoft-Windows-Hyper-V-StorageVSP-Admin", "Microsoft-Windows-Hyper-V-StorageVSP")
VSS: Final = ("Application", "VSS")
CAPI2: Final = ("Application", "Microsoft-Windows-CAPI2")
VOLSNAP: Final = ("System", "volsnap")
SYSTEM_CLUSTER: Final = ("System", CLUSTER_PROVIDER)

_BUILD: Final = "20348"
DIRECT: Final = (2, 0, 0)


class Scene:
    """What every source will say; `now` is the clock of cluster and nodes, `monotonic` the client's."""

    def __init__(self) -> None:
        self.state = ClusterState()
        self.memory = Memory()
        self.signs = BackupSigns()
        self.answers = Answers()
        self.now: datetime = NOW
        self.monotonic = 10_000.0
        self.members: dict[str, dict[str, Any]] = {}
        self.hosts: dict[str, Host] = {}
        self.csvs: dict[str, dict[str, Any]] = {}
        self.ios: dict[str, dict[str, tuple[int, int, int]]] = {}
        self.vms: dict[str, tuple[str, Vm]] = {}
        self.files: dict[str, VmFiles] = {}
        self.roles: dict[str, dict[str, Any]] = {}
        self.jobs: dict[str, tuple[str, Job]] = {}
        self.states: dict[str, dict[tuple[str, str], tuple[int, str]]] = {}
        self.pictures: dict[str, WriterPicture] = {}
        self.raw_writers: dict[str, str | None] = {}
        self.took: dict[str, int] = {}
        self.logs: dict[tuple[str, str], list[Event]] = {}
        self.problems: dict[str, list[Problem]] = {}
        self.unheard: set[str] = set()
        self.unasked: set[str] = set()
        self.config = ClusterConfig(name="prod", seeds=("HV01",))
        self._record = 500
        for name in ("HV01", "HV02"):
            self.node(name)
        self.csv("Volume1", owner="HV01").csv("Volume2", owner="HV02").csv("Volume10", owner="HV02")
        self.vm("SQL07", "HV01", "Volume1").vm("APP01", "HV01", "Volume1").vm("WEB01", "HV02", "Volume2")

    # --- the cluster ---

    def node(self, name: str, **member: Any) -> Self:
        """A node, or more about it as the cluster sees it (`state`, `status`, `drain`, …)."""
        self.members[name] = self.members.get(name, {}) | member
        self.hosts.setdefault(name, builders.host(name))
        if name not in self.answers.preflight and name not in self.unasked:
            self.preflight(name, shadow_copies=[])
        return self

    def host(self, name: str, **host: Any) -> Self:
        """Facts of the host itself (`vmms`, `vmms_started`, `boot`, …)."""
        self.node(name)
        fields = {f: getattr(self.hosts[name], f) for f in self.hosts[name].__struct_fields__}
        self.hosts[name] = Host(**(fields | host))
        return self

    def csv(self, name: str, **csv: Any) -> Self:
        """A volume, or more about it (`owner`, `state`, `fault`, `backup`, `redirected`, `free`, …)."""
        self.csvs[name] = {"owner": "HV01"} | self.csvs.get(name, {}) | csv
        return self

    def io(self, name: str, node: str, state: int, fs: int = 0, block: int = 0) -> Self:
        """A node's I/O state of a volume (CsvIoState, file system reason, block reason)."""
        self.ios.setdefault(name, {})[node] = (state, fs, block)
        return self

    def role(self, vm: str, **role: Any) -> Self:
        """More about a VM's role (`state`, `status`, `owner`, `anti_affinity`, …)."""
        self.roles[vm] = self.roles.get(vm, {}) | role
        return self

    def no_role(self, vm: str) -> Self:
        """The VM is not clustered."""
        self.roles.pop(vm, None)
        return self

    # --- VMs ---

    def vm(self, name: str, node: str = "", *volumes: str, **vm: Any) -> Self:
        """A VM on a node with files on volumes, or more about one that is there (`state`, `checkpoints`, `op`, …)."""
        held = self.vms.get(name)
        if held is None:
            made = builders.vm(name, len(self.vms) + 1, **vm)
            self.roles.setdefault(name, {})
        else:
            made = Vm(**({f: getattr(held[1], f) for f in held[1].__struct_fields__} | vm))
        self.vms[name] = (node or (held[0] if held is not None else "HV01"), made)
        if volumes or name not in self.files:
            self.files[name] = builders.files(name, *(volumes or ("Volume1",)))
        return self

    def disks(self, name: str, *paths: str) -> Self:
        """Every disk of a VM by path."""
        held = self.files[name]
        fields = {f: getattr(held, f) for f in held.__struct_fields__}
        self.files[name] = VmFiles(**(fields | {"disks": list(paths)}))
        return self

    def job(self, vm: str, type: int, percent: int | None = None, *, node: str = "", **job: Any) -> Self:
        """A job of a VM on its node (JobType)."""
        home = node or (self.vms[vm][0] if vm in self.vms else "HV01")
        started = {"started": self.now - timedelta(minutes=5)}
        made = builders.job(vm, type, percent, **(started | job))
        self.jobs[made.id] = (home, made)
        return self

    def no_jobs(self) -> Self:
        """All jobs have ended."""
        self.jobs.clear()
        return self

    # --- writers and events ---

    def writer(self, node: str, writer: tuple[str, str], code: int, error: str = "No error") -> Self:
        """The state of a VSS writer (name, GUID) on a node, such as `builders.HYPER_V_WRITER`."""
        self.states.setdefault(node, {})[writer] = (code, error)
        return self

    def writers_text(self, node: str, text: str | None) -> Self:
        """What vssadmin printed on a node; None: it could not be read."""
        self.raw_writers[node] = text
        return self

    def writers_took(self, node: str, milliseconds: int) -> Self:
        """How long vssadmin took on a node."""
        self.took[node] = milliseconds
        return self

    def picture(self, node: str, picture: WriterPicture) -> Self:
        """What a read of a node's writers meant, whatever printed it."""
        self.pictures[node] = picture
        return self

    def providers(self, node: str, *providers: Provider) -> Self:
        """The VSS providers of a node."""
        self.state.node(node).providers = providers
        return self

    def providers_unread(self, node: str) -> Self:
        """The VSS providers of a node are not known."""
        self.state.node(node).providers = None
        return self

    def event(
        self,
        id: int,
        log: tuple[str, str] = VMMS,
        *,
        node: str = "HV01",
        ago: timedelta = timedelta(minutes=30),
        vm: str = "",
        codes: Iterable[str] = (),
        **data: str,
    ) -> Self:
        """An event in a node's log (channel, provider). `vm` puts a VM's GUID and name in, `data` further values."""
        self._record += 1
        values = ({"VmName": vm, "VmId": guid(vm)} if vm else {}) | data
        made = builders.event(
            id,
            self.now - ago,
            self._record,
            channel=log[0],
            provider=log[1],
            vm=guid(vm) if vm else None,
            vm_name=vm or None,
            codes=list(codes),
            data=values,
        )
        self.logs.setdefault((node, log[0]), []).append(made)
        return self

    # --- what nodes were asked, and what could not be read ---

    def preflight(self, node: str, *vms: VmPreflight, **fields: Any) -> Self:
        """More of a node's answer about itself and its VMs (`shadow_copies`, `affinity_rules`, …)."""
        held = self.answers.preflight.get(node)
        about: dict[str, Any] = {"name": node, "shadow_copies": []}
        if held is not None and held.node is not None:
            about = {f: getattr(held.node, f) for f in held.node.__struct_fields__}
        listed = [*(held.vms or () if held is not None else ()), *vms]
        self.answers.preflight[node] = Preflight(v=1, time=self.now, node=NodePreflight(**(about | fields)), vms=listed)
        return self

    def shadows(self, node: str, *copies: tuple[str, timedelta]) -> Self:
        """The shadow copies a node has now: ids and how long ago each was made; replaces the earlier ones."""
        made = [
            ShadowCopy(id=guid(f"shadow {name}"), volume=builders.volume_name("Volume1"), created=self.now - ago)
            for name, ago in copies
        ]
        return self.preflight(node, shadow_copies=made)

    def problem(self, node: str, part: str, kind: str = "denied") -> Self:
        """A part of a node's stream could not be read (`""`: the cluster's)."""
        self.problems.setdefault(node, []).append(builders.problem(part, kind))
        return self

    def silent(self, node: str) -> Self:
        """A node that is not heard any more."""
        self.unheard.add(node)
        return self

    def not_asked(self, node: str) -> Self:
        """Nothing is known of a node beside its streams: no preflight, no shadow copies."""
        self.answers.preflight.pop(node, None)
        self.unasked.add(node)
        return self

    def configure(self, **fields: Any) -> Self:
        """The cluster's configuration (`windows`, `groups`, `quiet`)."""
        self.config = replace(self.config, **fields)
        return self

    # --- time ---

    def later(self, **span: float) -> Self:
        """Everything described so far is so; then the clocks go on by a `timedelta(**span)`."""
        self.apply()
        self.now += timedelta(**span)
        self.monotonic += timedelta(**span).total_seconds()
        return self

    def apply(self) -> Self:
        """Say everything that was described, as of now: full messages of every stream, writers, events."""
        link = builders.live(self.now, self.monotonic)
        self.state.restart("")
        self.state.apply_cluster(
            builders.cluster_frame(
                [builders.cluster_node(name, **fields) for name, fields in self.members.items()],
                [builders.csv(name, **fields) for name, fields in self.csvs.items()],
                [builders.role(vm, **({"owner": self.vms[vm][0]} | fields)) for vm, fields in self.roles.items()],
                [
                    builders.csv_io(name, dict.fromkeys(self.members, DIRECT) | self.ios.get(name, {}))
                    for name in self.csvs
                ],
                time=self.now,
                errors=self.problems.get("", []),
            ),
            link,
        )
        for name in self.members:
            if name not in self.unheard:
                self._apply_node(name)
                held = self.answers.preflight.get(name)
                if held is not None and name not in self.unasked:
                    self.answers.preflight[name] = msgspec.structs.replace(held, time=self.now)
        self.signs.observe(self.state, self.monotonic)
        self.memory.observe(self.state)
        for node in self.members:
            told = self.answers.with_signals(self.state).shadow_copies(node)
            if told is not None:
                self.memory.shadows_read(node, *told)
        return self

    def _apply_node(self, name: str) -> None:
        self.state.restart(name)
        here = [vm for vm, (node, _) in self.vms.items() if node == name]
        self.state.apply_node(
            name,
            builders.node_frame(
                name,
                [self.vms[vm][1] for vm in here],
                [self.files[vm] for vm in here if vm in self.files],
                [job for node, job in self.jobs.values() if node == name],
                time=self.now,
                host=self.hosts[name],
                errors=self.problems.get(name, []),
            ),
            builders.live(self.now, self.monotonic),
        )
        text = self.raw_writers.get(name, builders.writer_lines(self.states.get(name)))
        answer = builders.writer_text(text, self.now, duration_ms=self.took.get(name, 900))
        self.state.set_writers(name, self.pictures.get(name) or writer_picture(answer, self.monotonic))
        for channel in CHANNELS:
            events = self.logs.get((name, channel), [])
            self.state.add_events(name, builders.page(events, channel, self.now))

    # --- looking ---

    def look(self) -> Look:
        """The moment, as a rule sees it."""
        self.apply()
        index = EventIndex()
        index.catch_up(self.state.events)
        return Look(
            self.state,
            self.monotonic,
            catalogue(),
            index,
            self.memory,
            self.answers.with_signals(self.state),
            self.config,
            self.signs,
        )

    def findings(self, engine: Engine | None = None) -> list[Finding]:
        """What all rules find, by the engine."""
        self.apply()
        asked = engine if engine is not None else Engine(self.config, memory=self.memory)
        asked.look(self.state, self.monotonic, self.answers)
        assert not asked.failed, asked.failed
        return [one.finding for one in asked.standing]

    def keys(self, per: str) -> list[str]:
        """The keys that rules of a kind are asked about."""
        if per == "node":
            return list(self.state.nodes)
        if per == "csv":
            return list(self.state.cluster.csvs or ())
        return list(self.state.vm_keys()) if per == "vm" else [""]

    def ask(self, rule: str) -> list[Finding]:
        """What one rule finds, everywhere."""
        look, asked = self.look(), all_rules()[rule]
        return [finding for key in self.keys(asked.per) for finding in asked.function(look, key)]


def csv_key(name: str) -> str:
    """The key of a volume of the scene."""
    return csv_id(name)


def vm_key(name: str) -> str:
    """The key of a VM of the scene."""
    return guid(name)
