"""Cluster Shared Volumes (windows.md §1.8, §1.9)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hvtui.model.enums import BackupState, CsvIoState, FileSystemRedirectedIOReason, ResourceState

if TYPE_CHECKING:
    from hvtui.lab.world.node import Node
    from hvtui.lab.world.vm import Layer


@dataclass(slots=True, eq=False)
class Csv:
    """One CSV volume. `io` holds what a node sees when it differs from what the file system gives."""

    resource_id: str
    resource: str
    path: str
    volume: str
    file_system: str
    size: int
    used: int
    owner: Node
    partition: int = 2
    state: int = ResourceState.Online
    fault: int = 0
    maintenance: bool = False
    redirected: bool = False
    backups: int = 0
    """Backups that hold it now."""
    snapshotting: bool = False
    """A software snapshot is being made: other nodes go through the owner for a moment."""
    layers: dict[str, Layer] = field(default_factory=dict)
    io: dict[str, tuple[int, int, int]] = field(default_factory=dict)
    revision: int = 0

    @property
    def id(self) -> str:
        """Resource and partition: SharedVolumeInfo is a collection."""
        return f"{self.resource_id}/{self.partition}"

    @property
    def backup(self) -> int:
        """BackupState of MSCluster_ClusterSharedVolume."""
        return BackupState.InProgress if self.backups else BackupState.NoBackup

    def free(self, time: float) -> int:
        """Free bytes at a world time: what is not used by disks and by growing checkpoint layers."""
        return max(0, self.size - self.used - sum(layer.size(time) for layer in self.layers.values()))

    def io_state(self, node: Node) -> tuple[int, int, int]:
        """State, file system redirection reason and block redirection reason as `node` sees them.

        ReFS is FileSystemRedirected for ever and that is no fault (windows.md §1.9). No reason value exists for a
        snapshot, so it shows as redirected with reason 0.
        """
        special = self.io.get(node.name)
        if special is not None:
            return special
        if self.redirected:
            return (CsvIoState.FileSystemRedirected, FileSystemRedirectedIOReason.UserRequest, 0)
        if self.file_system == "ReFS":
            return (CsvIoState.FileSystemRedirected, FileSystemRedirectedIOReason.FileSystemReFs, 0)
        if self.snapshotting and node is not self.owner:
            return (CsvIoState.FileSystemRedirected, 0, 0)
        return (CsvIoState.Direct, 0, 0)

    def touch(self) -> None:
        """Note that something a reader can see has changed."""
        self.revision += 1
