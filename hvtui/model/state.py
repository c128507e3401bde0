"""ClusterState: everything hvtui knows of one cluster, changed only by applying frames and answers.

One writer (the store on the event loop), many readers. Nothing here does I/O; time is passed in.
A source that stops answering keeps its last data: `Link` says how old they are. A frame is applied whole or not at
all: everything is worked out before anything is changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from hvtui.model.change import Change
from hvtui.model.durations import History
from hvtui.model.events import EventLog
from hvtui.model.fallback import FallbackBook
from hvtui.model.link import Link, LinkStatus
from hvtui.model.merge import SequenceGapError, check_sequence, jobs_by_vm, merge, read_load, slots_freed
from hvtui.model.placement import Placements, is_at_rest
from hvtui.model.records import (
    ClusterFrame,
    ClusterNode,
    Csv,
    EventPage,
    Info,
    NodeFrame,
    Problem,
    Provider,
    Role,
    Vm,
    VmFiles,
)
from hvtui.model.signals import (
    ChainPicture,
    FilterPicture,
    NodePicture,
    ShadowPicture,
    kept_chain,
    kept_filters,
    kept_hotfixes,
    kept_shadows,
)
from hvtui.model.tally import Tally
from hvtui.model.views import ClusterView, NodeView
from hvtui.model.writers import WriterPicture

__all__ = ["ClusterState", "ClusterView", "NodeView", "SequenceGapError", "vm_key"]


@dataclass(slots=True)
class Adrift:
    """A clustered VM that its old node no longer lists and its new one does not list yet."""

    node: str
    vm: Vm
    files: VmFiles | None
    looks: int = 0
    """Messages of the role's owner since, none of which listed the VM."""


@dataclass(slots=True)
class ClusterState:
    """All views, and the indexes between them."""

    cluster: ClusterView = field(default_factory=ClusterView)
    nodes: dict[str, NodeView] = field(default_factory=dict)
    events: EventLog = field(default_factory=EventLog)
    history: History = field(default_factory=History)
    placements: Placements = field(default_factory=Placements)
    tally: Tally = field(default_factory=Tally)
    homes: dict[str, list[str]] = field(default_factory=dict)
    """VM → nodes that list it, the one that listed it first in front; two for a moment around a migration."""
    roles_of: dict[str, str] = field(default_factory=dict)
    """VM → id of its role."""
    adrift: dict[str, Adrift] = field(default_factory=dict)
    fallbacks: FallbackBook = field(default_factory=FallbackBook)
    chains: dict[str, ChainPicture] = field(default_factory=dict)
    """VM → the chains of its disks, of those that were asked for."""
    _spelling: dict[str, str] = field(default_factory=dict)
    """Node name in lower case → as it is spelled in `nodes`."""

    # --- reading: nodes ---

    def node(self, name: str) -> NodeView:
        """The view of a node, made when it is first named. Names are compared as Windows does, without case."""
        view = self.nodes.get(name)
        if view is None:
            spelled = self._spelling.setdefault(name.lower(), name)
            view = self.nodes.get(spelled)
            if view is None:
                view = self.nodes[spelled] = NodeView(spelled)
        return view

    def node_name(self, name: str) -> str:
        """A node's name as it is spelled in `nodes`; the name itself for a node never heard of."""
        return name if name in self.nodes else self._spelling.get(name.lower(), name)

    def node_names(self) -> list[str]:
        """The cluster's nodes in its order, then nodes known otherwise."""
        members = [self.node_name(name) for name in self.cluster.nodes or ()]
        return [*members, *(name for name in self.nodes if name not in members)]

    def member(self, name: str) -> ClusterNode | None:
        """A node as the cluster sees it, None when the cluster does not know it or was not read."""
        members = self.cluster.nodes or {}
        found = members.get(name)
        if found is None:
            lower = name.lower()
            found = next((node for key, node in members.items() if key.lower() == lower), None)
        return found

    # --- reading: VMs ---

    def vms_known(self) -> bool:
        """Somebody told which VMs there are, be it that there are none."""
        return self.cluster.roles is not None or any(view.vms is not None for view in self.nodes.values())

    def vm_keys(self) -> Iterator[str]:
        """Keys of all VMs: GUIDs, and `role:<id>` for a VM role whose VM is unknown."""
        yield from self.homes
        for role in (self.cluster.roles or {}).values():
            key = vm_key(role)
            if key not in self.homes and (role.vm is None or self.roles_of.get(key) == role.id):
                yield key

    def role(self, key: str) -> Role | None:
        """The cluster role of a VM, None when it is not clustered or the roles are unknown."""
        roles = self.cluster.roles
        if not roles:
            return None
        found = self.roles_of.get(key)
        if found is None:
            return roles.get(key[5:]) if key.startswith("role:") else None
        return roles.get(found)

    def owned_by(self, node: str) -> list[str]:
        """Keys of the VMs whose roles the cluster has on a node, whether the node lists them or not."""
        lower = node.lower()
        roles = (self.cluster.roles or {}).values()
        return [vm_key(role) for role in roles if role.owner is not None and role.owner.lower() == lower]

    def home(self, key: str, role: Role | None = None) -> str | None:
        """The node a VM lives on: the role's owner if that node lists it, else a node that lists it."""
        listed = self.homes.get(key)
        role = role or self.role(key)
        if role is not None and role.owner:
            owner = role.owner if role.owner in self.nodes else self.node_name(role.owner)
            if not listed or owner in listed:
                return owner
        return self._lister(listed) if listed else None

    def vm(self, key: str, home: str | None = None) -> tuple[NodeView, Vm] | None:
        """The VM's record and the node that told it; for a VM between two nodes the last one that did."""
        listed = self.homes.get(key)
        if not listed:
            last = self.adrift.get(key)
            return None if last is None else (self.nodes[last.node], last.vm)
        name = listed[0]
        if len(listed) > 1:
            home = home or self.home(key)
            name = home if home in listed else self._lister(listed)
        view = self.nodes[name]
        record = (view.vms or {}).get(key)
        return None if record is None else (view, record)

    def files(self, key: str, view: NodeView | None = None) -> VmFiles | None:
        """Where a VM's files are, None while that is unread."""
        if view is None:
            found = self.vm(key)
            if found is None:
                return None
            view = found[0]
        files = view.files.get(key) if view.files is not None else None
        return self.adrift[key].files if files is None and key in self.adrift else files

    def at_rest(self, key: str) -> bool | None:
        """The VM is off or saved; None when its state is unread."""
        found = self.vm(key)
        return None if found is None else is_at_rest(found[1].state)

    def _lister(self, listed: list[str]) -> str:
        """Of several nodes that list a VM the newest that is heard: an unreachable one tells the past."""
        return next((name for name in reversed(listed) if self.nodes[name].heard), listed[-1])

    # --- changing ---

    def apply_cluster(self, frame: ClusterFrame, link: Link) -> Change:
        """Apply one message of the cluster's stream; raises SequenceGapError when one is missing."""
        view, change = self.cluster, Change(heard={""})
        check_sequence(view.seq, frame)
        nodes, names = merge(view.nodes, frame.nodes, frame, "nodes", key="name")
        csvs, csv_ids = merge(view.csvs, frame.csvs, frame, "csvs")
        io, volumes = merge(view.io, frame.io, frame, "io")
        roles, role_ids = merge(view.roles, frame.roles, frame, "roles")
        old_roles, old_csvs = view.roles or {}, view.csvs or {}

        view.seq, view.tick_ms, view.time = frame.seq, frame.tick_ms, frame.time
        if frame.errors is not None and tuple(frame.errors) != view.problems:
            view.problems = tuple(frame.errors)
            change.cluster = True
            change.csvs.update(csvs or ())
        self._set_link(change, "", link)
        if frame.cluster is not None and view.info != frame.cluster:
            change.cluster = True
            view.info = frame.cluster
        view.nodes, view.csvs, view.io, view.roles = nodes, csvs, io, roles
        change.nodes |= {self.node(name).name for name in names}
        change.csvs |= csv_ids | {c.id for c in (csvs or {}).values() if c.volume in volumes}
        self._index_roles(change, old_roles, role_ids)
        change.vms.update(self._moved_with(old_csvs, csv_ids))
        self.history.after_cluster(self, change)
        self.tally.touch(change.vms)
        change.told |= change.vms
        return change

    def apply_node(self, name: str, frame: NodeFrame, link: Link) -> Change:
        """Apply one message of a node's stream; raises SequenceGapError when one is missing."""
        view = self.node(name)
        name = view.name
        check_sequence(view.seq, frame)
        vms, vm_ids = merge(view.vms, frame.vms, frame, "vms")
        files, file_ids = merge(view.files, frame.files, frame, "files")
        jobs, job_ids = merge(view.jobs, frame.jobs, frame, "jobs")
        load, load_problem = read_load(frame.load) if frame.load is not None else ({}, None)
        by_slot = {vm.slot: key for key, vm in (vms or {}).items()} if load else {}
        if load and len(by_slot) != len(vms or ()):
            load, load_problem = {}, Problem(part="load", kind="other", text="two VMs share a place in the load vector")
        before, old_files, old_jobs = view.vms, view.files or {}, view.jobs or {}

        change = Change(heard={name})
        view.seq, view.time = frame.seq, frame.time
        if frame.kind != "beat":
            change.nodes.add(name)
            view.tick_ms = frame.tick_ms
        if frame.errors is not None and tuple(frame.errors) != view.problems:
            view.problems = tuple(frame.errors)
            change.nodes.add(name)
            # What could not be read is marked in every row of the node.
            change.vms.update(vms or ())
        self._set_link(change, name, link)
        if frame.host is not None:
            view.host = frame.host
        view.vms, view.files = vms, files
        if jobs is not view.jobs:
            view.jobs, view.jobs_of = jobs, jobs_by_vm(jobs)
        self.fallbacks.look(name, vms, vm_ids, frame.time)
        for key in vm_ids:
            self._set_home(key, name, (before or {}).get(key), old_files.get(key))
        self._expire_adrift(name, change)
        change.vms |= vm_ids | file_ids
        for job_id in job_ids:
            change.vms.update(r.vm for r in (old_jobs.get(job_id), (jobs or {}).get(job_id)) if r is not None and r.vm)
        # A job that stands still is news, too.
        change.vms.update(view.jobs_of.keys() & (vms or {}).keys())
        self.history.after_node(self, name, change)
        self.tally.touch(change.vms)
        change.told |= change.vms
        # Load comes last: it changes numbers in rows, and nothing that is counted.
        if frame.kind == "full":
            view.vm_load = {}
        else:
            for slot in slots_freed(before, vms, vm_ids):
                view.vm_load.pop(slot, None)
        if frame.load is not None:
            view.load_problem = load_problem
            if frame.load.host is not None:
                view.load = frame.load.host
                change.nodes.add(name)
            view.vm_load.update(load)
            change.vms.update(by_slot[slot] for slot in load if slot in by_slot)
        return change

    def set_link(self, name: str, link: Link) -> Change:
        """Record the connection state of a node, or of the cluster's stream (`""`)."""
        change = Change()
        self._set_link(change, name, link)
        self.tally.touch(change.vms)
        change.told |= change.vms
        return change

    def restart(self, name: str) -> None:
        """A new stream begins: its numbers start again. The last data stay."""
        if name:
            self.node(name).seq = 0
        else:
            self.cluster.seq = 0

    def set_info(self, name: str, info: Info) -> Change:
        """Keep what Get-HvTuiInfo said of a node."""
        view = self.node(name)
        view.info = info
        return Change(nodes={view.name})

    def set_writers(self, name: str, picture: WriterPicture, providers: tuple[Provider, ...] | None = None) -> Change:
        """Keep what `vssadmin list writers` said on a node.

        A read that gave nothing (`failure`) or has just begun (`reading`) keeps the writers of the read before.
        """
        view = self.node(name)
        held = view.writers
        if held is not None and not picture.writers and (picture.reading or picture.failure) and held.writers:
            picture = WriterPicture(
                time=held.time,
                read_at=held.read_at,
                duration_ms=picture.duration_ms or held.duration_ms,
                writers=held.writers,
                unreadable=held.unreadable,
                failure=picture.failure,
                reading=picture.reading,
            )
        view.writers = picture
        if providers is not None:
            view.providers = providers
        change = Change(writers={view.name}, nodes={view.name})
        self.history.after_writers(self, view.name)
        return change

    def set_signal(self, name: str, picture: NodePicture) -> Change:
        """Keep what a node said of its shadow copies, filter drivers or hotfixes, or why it did not."""
        view = self.node(name)
        if isinstance(picture, ShadowPicture):
            view.shadows = kept_shadows(view.shadows, picture)
        elif isinstance(picture, FilterPicture):
            view.filters = kept_filters(view.filters, picture)
        else:
            view.hotfixes = kept_hotfixes(view.hotfixes, picture)
        return Change(nodes={view.name})

    def set_chain(self, vm: str, picture: ChainPicture) -> Change:
        """Keep the chains of a VM's disks, or why they could not be read."""
        self.chains[vm] = kept_chain(self.chains.get(vm), picture)
        return Change(vms={vm})

    def add_events(self, name: str, page: EventPage) -> Change:
        """Take in a piece of a node's event log."""
        view = self.node(name)
        before = self.events.backup_failed
        change = Change(events=self.events.add(view.name, page))
        if self.events.backup_failed is not before:
            after = self.events.backup_failed
            change.vms.update(key for key in before.keys() | after.keys() if before.get(key) is not after.get(key))
            self.tally.touch(change.vms)
            change.told |= change.vms
        if change.events:
            # An event may tell when something that is already shown began.
            change.nodes.add(view.name)
            change.writers.add(view.name)
        return change

    def set_event_error(self, name: str, channel: str, text: str, kind: str = "other") -> Change:
        """Note that a node's event channel could not be asked."""
        return Change(events=self.events.set_error(self.node(name).name, channel, text, kind))

    # --- helpers ---

    def _set_link(self, change: Change, name: str, link: Link) -> None:
        view: ClusterView | NodeView = self.node(name) if name else self.cluster
        if (view.link.status, view.link.text) != (link.status, link.text):
            change.links.add(view.name if isinstance(view, NodeView) else "")
            if not isinstance(view, NodeView):
                change.csvs.update(view.csvs or ())
            elif (view.link.status is LinkStatus.LIVE) != (link.status is LinkStatus.LIVE):
                change.vms.update(view.vms or ())
        view.link = link

    def _moved_with(self, before: dict[str, Csv], changed: set[str]) -> Iterable[str]:
        """VMs that may have begun or ceased to drift because a volume has another owner, or is another."""
        owners = set()
        for csv_id in changed:
            old, new = before.get(csv_id), (self.cluster.csvs or {}).get(csv_id)
            if old is None or new is None or (old.path, old.volume) != (new.path, new.volume):
                return self.vm_keys()
            if old.owner != new.owner:
                owners.add(csv_id)
        return self.placements.on(owners) if owners else ()

    def _index_roles(self, change: Change, before: dict[str, Role], changed: set[str]) -> None:
        if not changed:
            return
        after = self.cluster.roles or {}
        freed = set()
        for role_id in changed:
            old = before.get(role_id)
            if old is not None:
                change.vms.add(vm_key(old))
                new = after.get(role_id)
                if old.vm and self.roles_of.get(old.vm) == role_id and (new is None or new.vm != old.vm):
                    del self.roles_of[old.vm]
                    freed.add(old.vm)
        for role_id in changed:
            if role_id in after:
                change.vms.add(vm_key(after[role_id]))
        # Of two roles that claim one VM the first told has it, until it lets go.
        unclaimed = freed or any(r in after and (after[r].vm or "") not in self.roles_of for r in changed)
        for role in after.values() if unclaimed else ():
            if role.vm and (role.id in changed or role.vm in freed):
                self.roles_of.setdefault(role.vm, role.id)
        for key in [key for key in self.adrift if key not in self.roles_of]:
            del self.adrift[key]

    def _set_home(self, vm: str, name: str, old: Vm | None, files: VmFiles | None) -> None:
        listed = vm in (self.nodes[name].vms or {})
        homes = self.homes.setdefault(vm, [])
        if listed:
            self.adrift.pop(vm, None)
            if name not in homes:
                homes.append(name)
        elif name in homes:
            homes.remove(name)
        if not homes:
            del self.homes[vm]
            role = self.role(vm)
            if old is not None and role is not None:
                self.adrift[vm] = Adrift(name, old, files)

    def _expire_adrift(self, name: str, change: Change) -> None:
        """The role's owner was looked at twice and does not list the VM: it is registered nowhere."""
        for key, last in list(self.adrift.items()):
            if self.home(key) == name:
                last.looks += 1
                if last.looks >= 2:
                    del self.adrift[key]
                    change.vms.add(key)


def vm_key(role: Role) -> str:
    """The key of the VM behind a role: its GUID, or the role itself while the GUID is unknown."""
    return role.vm or f"role:{role.id}"
