"""ClusterState: everything hvtui knows of one cluster, changed only by applying frames and answers.

One writer (the store on the event loop), many readers. Nothing here does I/O; time is passed in.
A source that stops answering keeps its last data: `Link` says how old they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from hvtui.model.change import Change
from hvtui.model.events import EventLog
from hvtui.model.link import Link
from hvtui.model.records import (
    ClusterFrame,
    ClusterInfo,
    ClusterNode,
    Csv,
    CsvIo,
    Frame,
    Host,
    Info,
    Job,
    NodeFrame,
    Problem,
    Provider,
    Record,
    Role,
    Vm,
    VmFiles,
)
from hvtui.model.writers import WriterPicture

R = TypeVar("R", bound=Record)


class SequenceGapError(Exception):
    """A frame is missing; the stream must be started again with a full picture."""


@dataclass(slots=True)
class ClusterView:
    """The cluster's own picture."""

    link: Link = field(default_factory=Link)
    seq: int = 0
    info: ClusterInfo | None = None
    nodes: dict[str, ClusterNode] | None = None
    csvs: dict[str, Csv] | None = None
    io: dict[str, CsvIo] | None = None
    roles: dict[str, Role] | None = None
    problems: tuple[Problem, ...] = ()
    tick_ms: int = 0


@dataclass(slots=True)
class NodeView:
    """One node's own picture."""

    name: str
    link: Link = field(default_factory=Link)
    seq: int = 0
    info: Info | None = None
    host: Host | None = None
    vms: dict[str, Vm] | None = None
    files: dict[str, VmFiles] | None = None
    jobs: dict[str, Job] | None = None
    load: tuple[int, int] | None = None
    """CPU percent and memory in use, MB, of the host."""
    vm_load: dict[int, tuple[int, int]] = field(default_factory=dict)
    """Slot → CPU percent, memory MB."""
    problems: tuple[Problem, ...] = ()
    tick_ms: int = 0
    writers: WriterPicture | None = None
    providers: tuple[Provider, ...] | None = None


@dataclass(slots=True)
class ClusterState:
    """All views, and the indexes between them."""

    cluster: ClusterView = field(default_factory=ClusterView)
    nodes: dict[str, NodeView] = field(default_factory=dict)
    events: EventLog = field(default_factory=EventLog)
    homes: dict[str, list[str]] = field(default_factory=dict)
    """VM → nodes that list it; two for a moment around a migration."""
    roles_of: dict[str, str] = field(default_factory=dict)
    """VM → id of its role."""

    # --- reading ---

    def node(self, name: str) -> NodeView:
        """The view of a node, made when it is first named. Names are compared as Windows does, without case."""
        view = self.nodes.get(name)
        if view is None:
            lower = name.lower()
            view = next((v for k, v in self.nodes.items() if k.lower() == lower), None)
            if view is None:
                view = self.nodes[name] = NodeView(name)
        return view

    def vm_keys(self) -> Iterator[str]:
        """Keys of all VMs: GUIDs, and `role:<id>` for a VM role whose VM is unknown."""
        seen = set(self.homes)
        yield from self.homes
        for role in (self.cluster.roles or {}).values():
            key = vm_key(role)
            if key not in seen:
                seen.add(key)
                yield key

    def role(self, key: str) -> Role | None:
        """The cluster role of a VM, None when it is not clustered or the roles are unknown."""
        roles = self.cluster.roles or {}
        if key.startswith("role:"):
            return roles.get(key[5:])
        return roles.get(self.roles_of.get(key, ""))

    def home(self, key: str) -> str | None:
        """The node a VM lives on: the role's owner if that node lists it, else the node that lists it."""
        listed = self.homes.get(key, [])
        role = self.role(key)
        if role is not None and role.owner:
            if not listed or role.owner in listed:
                return role.owner
            owner = role.owner.lower()
            return next((node for node in listed if node.lower() == owner), listed[0])
        return listed[0] if listed else None

    def vm(self, key: str) -> tuple[NodeView, Vm] | None:
        """The VM's record and the node that told it."""
        listed = self.homes.get(key)
        if not listed:
            return None
        home = self.home(key)
        view = self.nodes[home if home in listed else listed[0]]
        record = (view.vms or {}).get(key)
        return None if record is None else (view, record)

    # --- changing ---

    def apply_cluster(self, frame: ClusterFrame, link: Link) -> Change:
        """Apply one message of the cluster's stream; raises SequenceGapError when one is missing."""
        view, change = self.cluster, Change(heard={""})
        _check_sequence(view.seq, frame)
        view.seq, view.tick_ms = frame.seq, frame.tick_ms
        if frame.errors is not None and tuple(frame.errors) != view.problems:
            view.problems = tuple(frame.errors)
            change.cluster = True
        self._set_link(change, "", link)
        if frame.cluster is not None and view.info != frame.cluster:
            change.cluster = True
            view.info = frame.cluster
        view.nodes, names = _merge(view.nodes, frame.nodes, frame, "nodes", key="name")
        view.csvs, csvs = _merge(view.csvs, frame.csvs, frame, "csvs")
        view.io, volumes = _merge(view.io, frame.io, frame, "io")
        before = view.roles or {}
        view.roles, roles = _merge(view.roles, frame.roles, frame, "roles")
        for name in names:
            self.node(name)
        change.nodes |= names
        change.csvs |= csvs | {c.id for c in (view.csvs or {}).values() if c.volume in volumes}
        for role_id in roles:
            old, new = before.get(role_id), (view.roles or {}).get(role_id)
            if old is not None:
                change.vms.add(vm_key(old))
                self.roles_of.pop(old.vm or "", None)
            if new is not None:
                change.vms.add(vm_key(new))
        self.roles_of.update((r.vm, r.id) for i in roles if (r := (view.roles or {}).get(i)) is not None and r.vm)
        return change

    def apply_node(self, name: str, frame: NodeFrame, link: Link) -> Change:
        """Apply one message of a node's stream; raises SequenceGapError when one is missing."""
        view, change = self.node(name), Change()
        name = view.name
        change.heard.add(name)
        _check_sequence(view.seq, frame)
        view.seq = frame.seq
        if frame.kind != "beat":
            change.nodes.add(name)
            view.tick_ms = frame.tick_ms
        if frame.errors is not None:
            view.problems = tuple(frame.errors)
        self._set_link(change, name, link)
        if frame.host is not None:
            view.host = frame.host
        before = view.vms or {}
        view.vms, vms = _merge(view.vms, frame.vms, frame, "vms")
        view.files, files = _merge(view.files, frame.files, frame, "files")
        old_jobs = view.jobs or {}
        view.jobs, jobs = _merge(view.jobs, frame.jobs, frame, "jobs")
        for vm in vms:
            self._set_home(vm, name, listed=vm in (view.vms or {}))
        change.vms |= vms | files
        for job_id in jobs:
            for record in (old_jobs.get(job_id), (view.jobs or {}).get(job_id)):
                if record is not None and record.vm:
                    change.vms.add(record.vm)
        if frame.kind == "full":
            view.vm_load = {}
        if frame.load is not None:
            self._apply_load(view, frame, change, before)
        return change

    def set_link(self, name: str, link: Link) -> Change:
        """Record the connection state of a node, or of the cluster's stream (`""`)."""
        change = Change()
        self._set_link(change, name, link)
        return change

    def restart(self, name: str) -> None:
        """A new stream begins: its numbers start again. The last data stay."""
        if name:
            self.node(name).seq = 0
        else:
            self.cluster.seq = 0

    def set_writers(self, name: str, picture: WriterPicture, providers: tuple[Provider, ...] | None = None) -> Change:
        """Keep what `vssadmin list writers` said on a node."""
        view = self.node(name)
        view.writers = picture
        if providers is not None:
            view.providers = providers
        return Change(writers={view.name}, nodes={view.name})

    # --- helpers ---

    def _set_link(self, change: Change, name: str, link: Link) -> None:
        view: ClusterView | NodeView = self.node(name) if name else self.cluster
        if (view.link.status, view.link.text) != (link.status, link.text):
            change.links.add(name if not name else self.node(name).name)
        view.link = link

    def _set_home(self, vm: str, name: str, *, listed: bool) -> None:
        homes = self.homes.setdefault(vm, [])
        if listed and name not in homes:
            homes.append(name)
        elif not listed and name in homes:
            homes.remove(name)
        if not homes:
            del self.homes[vm]

    def _apply_load(self, view: NodeView, frame: NodeFrame, change: Change, before: dict[str, Vm]) -> None:
        load = frame.load
        if load is None:
            return
        if load.host is not None:
            view.load = load.host
            change.nodes.add(view.name)
        if not load.vms:
            return
        by_slot = {vm.slot: vm.id for vm in (view.vms or before).values()}
        for slot, cpu, memory in zip(load.vms[::3], load.vms[1::3], load.vms[2::3], strict=True):
            view.vm_load[slot] = (cpu, memory)
            if slot in by_slot:
                change.vms.add(by_slot[slot])


def vm_key(role: Role) -> str:
    """The key of the VM behind a role: its GUID, or the role itself while the GUID is unknown."""
    return role.vm or f"role:{role.id}"


def _check_sequence(last: int, frame: Frame) -> None:
    if frame.kind == "full":
        return
    if last == 0 or frame.seq != last + 1:
        raise SequenceGapError(f"expected message {last + 1}, got {frame.seq}")


def _merge(
    held: dict[str, R] | None, sent: Iterable[R] | None, frame: Frame, section: str, key: str = "id"
) -> tuple[dict[str, R] | None, set[str]]:
    """The section after the frame, and the keys that differ. A full frame without the section keeps the old one."""
    if sent is None and section not in frame.gone:
        return held, set()
    old = held or {}
    new = {} if frame.kind == "full" else dict(old)
    changed = set()
    for gone in frame.gone.get(section, ()):
        if new.pop(gone, None) is not None:
            changed.add(gone)
    for record in sent or ():
        name = getattr(record, key)
        if old.get(name) != record:
            changed.add(name)
        new[name] = record
    if frame.kind == "full":
        changed |= old.keys() - new.keys()
    return new, changed
