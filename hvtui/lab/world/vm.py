"""Virtual machines, their disks, checkpoints and guests, and the cluster roles that hold them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from hvtui.lab.world.guests import GuestKind
from hvtui.model.enums import (
    CheckpointType,
    GroupState,
    GroupStatus,
    OperationalStatus,
    ReplicationMode,
    ResourceState,
    VmState,
)

if TYPE_CHECKING:
    from hvtui.lab.world.jobs import Job
    from hvtui.lab.world.node import Node

GB: Final = 1024**3
MB: Final = 1024**2


@dataclass(slots=True)
class GuestVolume:
    """A partition inside a guest, seen by nobody from outside; when it is full, the guest's VSS fails (mission S3)."""

    name: str
    """A letter such as `C:`, a mount point, or nothing."""
    size: int
    free: int
    label: str = ""
    file_system: str = "NTFS"
    files: list[tuple[str, int]] = field(default_factory=list)
    """Large files: path below the root, bytes."""

    @property
    def full(self) -> bool:
        """Too little is free for a shadow copy: less than 1 GB; of small partitions 320 MB, of very small ones 50."""
        need = GB if self.size > GB else 320 * MB if self.size > 500 * MB else 50 * MB
        return self.free < need


@dataclass(slots=True)
class Layer:
    """A differencing disk (.avhdx) above a base disk; it grows by what the guest writes, `rate` bytes a second."""

    path: str
    created: float
    rate: float

    def size(self, time: float) -> int:
        """Bytes it holds at a world time."""
        return int(max(0.0, time - self.created) * self.rate) + 4 * MB


@dataclass(slots=True)
class Disk:
    """A virtual disk: its base file and the layers that checkpoints put on it. The last one is in use.

    `aside` are layers that only checkpoints name which the VM does not rest on: an earlier one was applied.
    """

    base: str
    size: int
    layers: list[Layer] = field(default_factory=list)
    aside: list[Layer] = field(default_factory=list)

    @property
    def active(self) -> str:
        """The file the guest writes to."""
        return self.layers[-1].path if self.layers else self.base

    def files(self) -> list[str]:
        """All files of the chain, the one in use first."""
        return [*(layer.path for layer in reversed(self.layers)), self.base]


@dataclass(slots=True)
class Checkpoint:
    """A checkpoint. `saved`: it holds memory; a production checkpoint never does (windows.md §2.2).

    `parent` is the id of the one it rests on, empty for none. `files` are what it names, a file a disk, while the VM
    does not rest on it; None while it does.
    """

    id: str
    name: str
    type: int
    saved: bool
    created: float
    parent: str = ""
    files: list[str] | None = None


@dataclass(slots=True, eq=False)
class Role:
    """The cluster group of a VM, with its two resources (windows.md §1.5, §1.6)."""

    id: str
    name: str
    vm: Vm
    owner: Node
    priority: int = 2000
    anti_affinity: tuple[str, ...] = ()
    status: int = 0
    state: int = GroupState.Online
    resource_state: int = ResourceState.Online
    configuration_state: int = ResourceState.Online
    migration_state: int = 0
    migration: Job | None = None
    moving: bool = False
    """It is on its way without a migration job: saved, off, or waiting in the queue."""
    revision: int = 0

    def flag(self, flag: GroupStatus, on: bool) -> None:
        """Set or clear one bit of StatusInformation."""
        self.status = self.status | flag if on else self.status & ~flag
        self.revision += 1

    @property
    def locked(self) -> bool:
        """A locked role refuses to be moved (windows.md §1.5, event 1071)."""
        return bool(self.status & GroupStatus.Locked)


_ROLE_STATES: Final = {
    # windows.md §1.6: a paused VM is Online for the cluster; Off and Saved are Offline.
    VmState.Off: (GroupState.Offline, ResourceState.Offline),
    VmState.Saved: (GroupState.Offline, ResourceState.Offline),
    VmState.SavedVendor: (GroupState.Offline, ResourceState.Offline),
    VmState.Starting: (GroupState.Pending, ResourceState.OnlinePending),
    VmState.Stopping: (GroupState.Pending, ResourceState.OfflinePending),
    VmState.Saving: (GroupState.Pending, ResourceState.OfflinePending),
}


@dataclass(slots=True, eq=False)
class Vm:
    """A virtual machine. `key` is its number in the noise functions, `cpu` its usual load in percent."""

    id: str
    name: str
    key: int
    node: Node
    guest: GuestKind
    configuration: str
    memory: int
    """Assigned memory, MB."""
    checkpoint_path: str = ""
    """Where checkpoints go, when it is not the configuration's place."""
    processors: int = 2
    cpu: float = 3.0
    dynamic: bool = False
    state: int = VmState.Running
    health: int = 5
    started: float | None = 0.0
    """World time of the last start; negative before the world began."""
    memory_startup: int = 0
    memory_minimum: int = 512
    memory_maximum: int = 1_048_576
    """MB; without dynamic memory Windows shows these two, and they mean nothing."""
    config_version: str = "9.0"
    checkpoint_type: int = CheckpointType.Production
    disks: list[Disk] = field(default_factory=list)
    other_disks: list[str] = field(default_factory=list)
    """Pass-through and share paths, as Windows names them."""
    shared: list[str] = field(default_factory=list)
    """Disks that several VMs write to."""
    switches: list[str] = field(default_factory=list)
    dvd: list[str] = field(default_factory=list)
    """Images that are inserted."""
    gpu: int = 0
    """GPU partitions and devices assigned to it."""
    fibre_channel: int = 0
    """Virtual Fibre Channel adapters."""
    tpm: bool = False
    possible_owners: list[str] | None = None
    """Names of nodes; None: all."""
    preferred_owners: list[str] = field(default_factory=list)
    fork_commit: bool = False
    """A checkpoint's fork was not committed: what is in the newest layer is lost when the VM moves or starts again."""
    held: str = ""
    """Why its layers cannot be merged: the code with which opening their files fails; empty: it does not."""
    unmerged: bool = False
    """A layer whose checkpoint is gone waits for its merge, and no checkpoint can be taken."""
    checkpoints: list[Checkpoint] = field(default_factory=list)
    current: str = ""
    """Id of the checkpoint it rests on; empty for none."""
    set_fails: str = ""
    """Why Windows does not change its settings; empty: it does."""
    volumes: list[GuestVolume] = field(default_factory=list)
    spent_writers: bool = False
    """Writers inside stay at [9] without an error after a good backup."""
    guest_unreadable: dict[str, str] = field(default_factory=dict)
    """Parts that the guest does not tell (`volumes services system storage writers`), and the kind of problem."""
    role: Role | None = None
    replication: int = ReplicationMode.NotReplicated
    last_backup: float | None = None
    busy: list[int] = field(default_factory=list)
    """Operations going on, the newest last (secondary OperationalStatus)."""
    revision: int = 0

    def touch(self) -> None:
        """Note that something a reader can see has changed."""
        self.revision += 1

    @property
    def running(self) -> bool:
        """Its guest runs now."""
        return self.state == VmState.Running

    @property
    def cold(self) -> bool:
        """It is off or saved: it holds no memory, and only its registration moves."""
        return self.state in {VmState.Off, VmState.Saved}

    def set_state(self, state: int) -> None:
        """Change EnabledState and what the cluster says of its role."""
        self.state = state
        self.touch()
        if self.role is not None:
            group, resource = _ROLE_STATES.get(VmState(state), (GroupState.Online, ResourceState.Online))
            self.role.state, self.role.resource_state = group, resource
            self.role.revision += 1

    def begin(self, operation: int) -> None:
        """An operation starts that shows in OperationalStatus."""
        self.busy.append(operation)
        self.touch()

    def end(self, operation: int) -> None:
        """The operation is over."""
        if operation in self.busy:
            self.busy.remove(operation)
            self.touch()

    def operational(self) -> list[int]:
        """OperationalStatus, primary first: InService while busy, Ok beside a merge (windows.md §2.1)."""
        if not self.busy:
            return [OperationalStatus.Ok]
        newest = self.busy[-1]
        if newest == OperationalStatus.MergingDisks:
            return [OperationalStatus.Ok, newest]
        return [OperationalStatus.InService, newest]

    def lock(self, on: bool) -> None:
        """Backup and export lock the role against moves (windows.md §1.5)."""
        if self.role is not None:
            self.role.flag(GroupStatus.Locked, on)

    def full_volumes(self) -> list[GuestVolume]:
        """Guest partitions that are full: its shadow copy fails (mission S3)."""
        return [volume for volume in self.volumes if volume.full]

    def files(self) -> list[str]:
        """Every disk file of the VM and of its checkpoints."""
        aside = [layer.path for disk in self.disks for layer in disk.aside]
        return [path for disk in self.disks for path in disk.files()] + aside + self.other_disks

    def pass_through(self) -> list[str]:
        """Physical disks, as Windows names them."""
        return [path for path in self.other_disks if path.startswith("Disk ")]

    def chain(self, time: float) -> list[tuple[str, str, int]]:
        """Every file of every virtual disk, the one in use first: path, parent (empty for a base), bytes."""
        found = []
        for disk in self.disks:
            parents = [*disk.files()[1:], ""]
            sizes = [*(layer.size(time) for layer in reversed(disk.layers)), disk.size]
            found += list(zip(disk.files(), parents, sizes, strict=True))
        return found

    def branch(self) -> list[Checkpoint]:
        """The checkpoints it rests on, the oldest first."""
        by_id = {one.id: one for one in self.checkpoints}
        found: list[Checkpoint] = []
        at = self.current
        while at in by_id:
            found.insert(0, by_id[at])
            at = by_id[at].parent
        return found

    def attached(self, checkpoint: Checkpoint | None = None) -> list[str]:
        """The files that the settings of the VM name, or those of a checkpoint: what was written to when it was taken.

        A file below these is known to the disk above it only, such as the one a merge is going into.
        """
        if checkpoint is None:
            return [disk.active for disk in self.disks]
        if checkpoint.files is not None:
            return checkpoint.files
        below = self.branch().index(checkpoint)
        return [([disk.base] + [layer.path for layer in disk.layers])[: below + 1][-1] for disk in self.disks]

    def named_files(self) -> list[str]:
        """Every disk that the settings of the VM and of its checkpoints name."""
        owners = (None, *self.checkpoints)
        return [path for owner in owners for path in self.attached(owner)] + self.other_disks + self.shared
