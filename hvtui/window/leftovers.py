"""What backups left behind: Recovery checkpoints, AVHDX files, redirected volumes, writers that are not stable.

A leftover is a sign without anything that works on it. What Windows cannot tell apart from a quiet backup of another
product is worded so; nothing here proposes to delete a file (windows.md §10.4).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from hvtui.model import conditions
from hvtui.model.enums import FileSystemRedirectedIOReason
from hvtui.model.placement import short_path
from hvtui.model.records import Vm, VmFiles
from hvtui.model.severity import Severity
from hvtui.model.state import ClusterState
from hvtui.model.writer_catalog import BACKUP_COMPLETE
from hvtui.window.records import Leftover, Way
from hvtui.window.vms import Vms

QUIET: Final = timedelta(minutes=15)
"""How long a sign must stand alone where it also occurs for moments on healthy clusters."""
_DIFFERENCING: Final = (".avhdx", ".avhd")


@dataclass(slots=True)
class Leftovers:
    """Since when signs stand alone: times by the clock of the node, or of the cluster's stream for volumes."""

    kept: Callable[[str], bool] = lambda _name: False
    """Whether the product keeps the Recovery checkpoint of a VM of this name on purpose."""
    _orphans: dict[str, datetime] = field(default_factory=dict)
    _files: dict[str, tuple[VmFiles | None, int | None]] = field(default_factory=dict)
    _locks: dict[str, datetime] = field(default_factory=dict)
    _signs: dict[tuple[str, str], datetime] = field(default_factory=dict)

    def look(self, state: ClusterState, keys: set[str]) -> None:
        """VMs that changed: which of them write to an AVHDX without having a checkpoint."""
        for key in keys:
            found = state.vm(key)
            if found is None:
                for held in (self._orphans, self._files, self._locks):
                    held.pop(key, None)
                continue
            view, vm = found
            files = state.files(key, view)
            count = None if vm.checkpoints is None else sum(one.count for one in vm.checkpoints)
            known = self._files.get(key)
            if known is not None and known[0] is files and known[1] == count:
                continue
            self._files[key] = (files, count)
            if _orphan(vm, files) and view.time is not None:
                self._orphans.setdefault(key, view.time)
            else:
                self._orphans.pop(key, None)

    def found(self, state: ClusterState, vms: Vms, *, inside: bool) -> tuple[Leftover, ...]:
        """All leftovers now, those longest known first. `inside`: a configured window is open."""
        made = [
            *self._checkpoints(state, vms),
            *self._chains(state, vms),
            *self._volumes(state, vms, inside=inside),
            *self._writers(state, vms, inside=inside),
        ]
        return tuple(sorted(made, key=lambda one: (one.since is None, one.since, one.kind, one.name)))

    # --- VMs ---

    def _checkpoints(self, state: ClusterState, vms: Vms) -> Iterator[Leftover]:
        for key, signs in vms.recovery.items():
            if key in vms.live:
                self._locks.pop(key, None)
                continue
            if signs.recovery and not self.kept(signs.name):
                several = "" if signs.recovery == 1 else f"{signs.recovery} "
                word = "Recovery checkpoint" + ("s" if several else "")
                yield Leftover(
                    kind="checkpoint", target="vm", key=key, name=signs.name, node=signs.node, since=signs.created,
                    text=f"{several}{word}, and no job that works on it: left behind, or a product still reads it",
                )  # fmt: skip
            if signs.locked:
                since = self._locks.setdefault(key, signs.time)
                view = state.nodes.get(signs.node)
                if view is not None and view.time is not None and view.time - since > QUIET:
                    yield Leftover(
                        kind="lock", target="vm", key=key, name=signs.name, node=signs.node, since=since,
                        text="its role is locked, and no backup or export can be seen: it cannot be moved",
                    )  # fmt: skip
            else:
                self._locks.pop(key, None)

    def _chains(self, state: ClusterState, vms: Vms) -> Iterator[Leftover]:
        for key, since in self._orphans.items():
            found = state.vm(key)
            if key in vms.live or found is None:
                continue
            view, vm = found
            if conditions.of_merge(vm, view.jobs_of.get(key, ())) or view.time is None:
                continue
            # Files are read slowly: after a merge the list is of before it for a while.
            if view.time - since > QUIET:
                yield Leftover(
                    kind="avhdx", target="vm", key=key, name=vm.name, node=view.name, since=since,
                    text="it writes to an .avhdx and has no checkpoint: merge with the VM off, delete no file by hand",
                )  # fmt: skip

    # --- volumes and writers ---

    def _volumes(self, state: ClusterState, vms: Vms, *, inside: bool) -> Iterator[Leftover]:
        now = state.cluster.time
        if now is None:
            return
        host = any(self._host(vms, key) for key in vms.live)
        for key, csv in (state.cluster.csvs or {}).items():
            io = (state.cluster.io or {}).get(csv.volume or "")
            by_backup = bool(csv.redirected)
            for _, number, reason, block in ((n, *told) for n, told in (io.nodes if io is not None else {}).items()):
                if conditions.io_word(csv, number, reason, block) == "redirected":
                    # Filters and tiering have causes of their own; a backup redirects on request or for no reason.
                    by_backup = by_backup or not reason & ~(
                        FileSystemRedirectedIOReason.UserRequest | FileSystemRedirectedIOReason.FileSystemReFs
                    )
            name = short_path(csv.path)
            redirected = by_backup and not csv.backup and not inside
            since = self._lasts(("redirected", key), redirected, now)
            if since is not None:
                yield Leftover(
                    kind="redirected", target="csv", key=key, name=name, node=csv.owner or "", since=since,
                    text="I/O is redirected, and no backup is in progress on it",
                )  # fmt: skip
            since = self._lasts(("backup", key), bool(csv.backup) and not inside and not host, now)
            if since is not None and now - since > QUIET:
                yield Leftover(
                    kind="backup", target="csv", key=key, name=name, node=csv.owner or "", since=since,
                    text="BackupState says that a backup is in progress, and none of a VM can be seen",
                )  # fmt: skip

    def _writers(self, state: ClusterState, vms: Vms, *, inside: bool) -> Iterator[Leftover]:
        busy_nodes = {vms.live[key].lower() for key in vms.live if self._host(vms, key)}
        for name, view in state.nodes.items():
            picture = view.writers
            if picture is None or picture.time is None or picture.failure:
                continue
            for writer in picture.writers:
                failed = writer.state_class == "failed" or (
                    writer.state_class == "busy" and writer.error_kind not in ("none", "unreadable")
                )
                stale = writer.code == BACKUP_COMPLETE and not inside
                holds = name.lower() not in busy_nodes and (failed or stale)
                since = self._lasts(("writer", f"{name}|{writer.id}|{writer.instance}"), holds, picture.time)
                if since is not None and (failed or picture.time - since > QUIET):
                    error = f", {writer.error_text}" if writer.error_kind != "none" else ""
                    told = f"{writer.name} is at [{writer.code}] {writer.state_text}{error}"
                    yield Leftover(
                        kind="writer", target="node", key=name, name=name, node=name, since=since,
                        severity=Severity.BAD if failed else Severity.WARN,
                        text=f"{told}, and no backup of a VM can be seen",
                    )  # fmt: skip

    def _host(self, vms: Vms, key: str) -> bool:
        held = vms.books[key].open
        return held is not None and held.backup.way is Way.HOST

    def _lasts(self, sign: tuple[str, str], holds: bool, now: datetime) -> datetime | None:
        if not holds:
            self._signs.pop(sign, None)
            return None
        return self._signs.setdefault(sign, now)


def _orphan(vm: Vm, files: VmFiles | None) -> bool:
    """A disk in use is a differencing file, and the VM, whose checkpoints were read, has none."""
    if files is None or files.disks is None or vm.checkpoints is None or vm.checkpoints:
        return False
    return any(path.lower().endswith(_DIFFERENCING) for path in files.disks)
