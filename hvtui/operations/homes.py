"""Where VMs were before hvtui moved them for a while, kept by name until they are back.

One file for each cluster and name in the state directory. A VM that is moved again before it came back keeps its first
home. What is kept decides nothing: the plan that sends VMs back passes the gate as any other.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from hvtui.errors import InputError, NotDone
from hvtui.operations.plan import Move, Utc
from hvtui.paths import state_dir

_LARGEST: Final = 50_000_000
"""Bytes."""


class Home(msgspec.Struct, frozen=True, kw_only=True):
    """Where a VM was."""

    name: str
    node: str


class Isolation(msgspec.Struct, frozen=True, kw_only=True):
    """Why they were gathered. `backups`: each VM's LastSuccessfulBackupTime then, by id; null when it was unread."""

    node: str
    control: str
    time: Utc
    """The isolating node's clock."""
    names: dict[str, str]
    backups: dict[str, Utc | None]


class Saved(msgspec.Struct, frozen=True, kw_only=True):
    """What one file holds. `homes` is by VM id."""

    cluster_id: str
    cluster: str
    name: str
    time: Utc
    homes: dict[str, Home]
    isolation: Isolation | None = None


def load(cluster_id: str, name: str) -> Saved:
    """What is kept under the name. Raises NotDone when there is nothing, InputError when it cannot be read."""
    path = _file(cluster_id, name)
    try:
        if path.stat().st_size > _LARGEST:
            raise InputError(f"{path} is too large for what hvtui writes there")
        return msgspec.json.decode(path.read_bytes(), type=Saved)
    except FileNotFoundError:
        known = ", ".join(names(cluster_id)) or "none"
        raise NotDone(f"nothing is kept under the name {name} for this cluster", hint=f"Kept: {known}.") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from None
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not what hvtui writes there: {error}") from None


def names(cluster_id: str) -> list[str]:
    """Names under which something is kept for a cluster."""
    return sorted(
        path.name.removeprefix("homes-").removesuffix(".json") for path in _folder(cluster_id).glob("homes-*.json")
    )


def kept(cluster_id: str, name: str) -> Saved | None:
    """The same, None when there is nothing. Raises InputError."""
    try:
        return load(cluster_id, name)
    except NotDone:
        return None


def keep(
    cluster_id: str,
    cluster: str,
    name: str,
    moves: Iterable[Move],
    *,
    time: datetime,
    isolation: Isolation | None = None,
) -> None:
    """Before the moves: where each VM is now, beside what is kept already. Raises InputError."""
    before = kept(cluster_id, name) or Saved(cluster_id=cluster_id, cluster=cluster, name=name, time=time, homes={})
    homes = {move.vm.id: Home(name=move.vm.name, node=move.source) for move in moves} | before.homes
    write(msgspec.structs.replace(before, time=time, homes=homes, isolation=isolation or before.isolation))


def restore(cluster_id: str, name: str, before: Saved | None) -> None:
    """As it was: nothing was begun. Raises InputError."""
    if before is not None:
        write(before)
    else:
        _remove(_file(cluster_id, name))


def forget(cluster_id: str, name: str, vms: Iterable[str]) -> None:
    """Those VMs are home: they are no longer kept, and with the last one the file goes. Raises InputError."""
    saved = kept(cluster_id, name)
    if saved is None:
        return
    gone = set(vms)
    homes = {vm: home for vm, home in saved.homes.items() if vm not in gone}
    if homes:
        write(msgspec.structs.replace(saved, homes=homes))
    else:
        _remove(_file(cluster_id, name))


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"{path} cannot be removed: {error.strerror or error}") from None


def write(saved: Saved) -> None:
    """Whole or not at all, also when the machine stops in the middle."""
    path = _file(saved.cluster_id, saved.name)
    part = path.with_suffix(f".{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(msgspec.json.format(msgspec.json.encode(saved), indent=2) + b"\n")
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise InputError(f"{path} cannot be written: {error.strerror or error}") from None


def _folder(cluster_id: str) -> Path:
    return state_dir() / "homes" / "".join(c if c.isalnum() or c == "-" else "_" for c in cluster_id.lower())


def _file(cluster_id: str, name: str) -> Path:
    """The prefix keeps names that Windows reserves (CON, NUL) from being one."""
    return _folder(cluster_id) / f"homes-{name.lower()}.json"
