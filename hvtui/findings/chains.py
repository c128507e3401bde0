"""Disk chains of VMs as far as they were read: AVHDX files, merges that failed, forks that were not committed.

Files come with the node's stream, every half minute or so; a whole chain is read only when somebody asks (Get-VHD).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from hvtui.config import ClusterConfig
from hvtui.findings.finding import Evidence
from hvtui.findings.look import Look
from hvtui.model.enums import JobType, ReplicationMode
from hvtui.model.events import NodeEvent
from hvtui.model.records import Vm
from hvtui.model.signals import Chain, ChainLink
from hvtui.operations.fork_commit import CODES, EVENT, signs_by_vm

DAYS: Final = timedelta(days=3)
"""The past that a merge is looked for in: VMMS tries a failed one again and again, so newer events come."""
MERGE_STARTED: Final = 19070
MERGED: Final = 19080
MERGE_CUT: Final = 19090
MERGE_FAILED: Final = 19100
MERGES: Final = (MERGE_STARTED, MERGED, MERGE_CUT, MERGE_FAILED)
FORK_IDS: Final = (EVENT, 18590, 18012, 18014, 10150, MERGE_CUT, MERGE_FAILED)
"""Events that carry a sign of a fork that was not committed: 3216, or another with one of the four codes."""
_JUST_NOW: Final = timedelta(minutes=1)
_CHAIN_KEPT: Final = timedelta(hours=1)
_DISK_JOBS: Final = frozenset(
    {
        JobType.MergeDisks,
        JobType.Snapshot,
        JobType.ApplySnapshot,
        JobType.DeleteSnapshot,
        JobType.Backup,
        JobType.ConvertToReferencePoint,
        JobType.CreateReferencePoint,
        JobType.DeleteReferencePoint,
        JobType.ExportReferencePoint,
    }
)
"""Jobs that put an AVHDX into use or take one out of it; VMMS lists one for five minutes after its end."""


@dataclass(frozen=True)
class Layers:
    """The AVHDX files that a VM's disks and checkpoints name. `loose`: there are more than its checkpoints explain;
    None: that cannot be told. `chain` says that the whole chain was read, and just now.
    """

    paths: tuple[str, ...]
    loose: bool | None
    chain: bool

    @property
    def text(self) -> str:
        """The files by name."""
        names = [path.rpartition("\\")[2] for path in self.paths]
        more = f" and {len(names) - 2} more" if len(names) > 2 else ""
        return f"{', '.join(names[:2])}{more}"


def layers_of(look: Look, key: str) -> Layers | None:
    """None while neither the VM's files nor its chain were read."""
    found = look.vm(key)
    if found is None:
        return None
    view, vm = found
    files, chain = look.state.files(key, view), _chain(look, key, view.name)
    if files is None or files.disks is None:
        if chain is None:
            return None
        paths = [link.path for disk in chain.disks or () for link in disk.files]
    elif chain is not None and chain.layers() == 0:
        paths = []
    else:
        paths = files.disks
    layers = tuple(path for path in paths if path.lower().endswith(".avhdx"))
    return Layers(layers, _loose(vm, layers, chain), chain is not None)


def _chain(look: Look, key: str, node: str) -> Chain | None:
    """The VM's chain when it was read whole and is still so: just now, or the files that the stream tells are its."""
    picture, now = look.facts.chains.get(key), look.now(node)
    if picture is None or picture.chain is None or picture.time is None or now is None or not picture.chain.whole:
        return None
    age, files = now - picture.time, look.state.files(key)
    if age < _JUST_NOW or age > _CHAIN_KEPT or files is None or files.disks is None:
        return picture.chain if age < _JUST_NOW else None
    told = {path.lower() for path in files.disks}
    disks = picture.chain.disks or ()
    known = {link.path.lower() for disk in disks for link in disk.files}
    same = all(disk.attached.lower() in told for disk in disks)
    return picture.chain if same and all(path in known for path in told if path.endswith(".avhdx")) else None


def _loose(vm: Vm, layers: tuple[str, ...], chain: Chain | None) -> bool | None:
    if chain is not None and chain.checkpoints is not None:
        most = max((sum(map(_is_layer, disk.files)) for disk in chain.disks or ()), default=0)
        return most > chain.checkpoints
    if vm.checkpoints is None:
        return None
    # A checkpoint names files of its own: with one, only a whole chain tells which of them is too many.
    return bool(layers) if not vm.checkpoints else None


def _is_layer(link: ChainLink) -> bool:
    return link.path.lower().endswith(".avhdx")


def layer_evidence(look: Look, key: str, layers: Layers) -> Evidence:
    """The files that are in use."""
    if not layers.chain:
        look.want("chain", key)
    return look.read(f"in use: {layers.text}", key, "disk chain" if layers.chain else "VM files")


def is_replica(vm: Vm) -> bool:
    """It waits for its primary, and its checkpoints are those of the replication."""
    return vm.replication in {ReplicationMode.Replica, ReplicationMode.TestReplica}


def at_work(look: Look, key: str) -> bool:
    """Something changes the VM's disks, or has just done so: what its files say may be of the moment before."""
    found = look.vm(key)
    if found is None:
        return False
    view, vm = found
    if (vm.op or ())[1:] or any(job.type in _DISK_JOBS for job in view.jobs_of.get(key, ())):
        return True
    ended, now = look.memory.busy_until(key), look.now(view.name)
    return ended is not None and now is not None and now - ended < timedelta(minutes=5)


def jobs_unread(look: Look, key: str) -> bool:
    """What is being done to the VM is not known."""
    found = look.vm(key)
    return found is None or found[1].op is None or bool(look.unread(found[0].name, "vms", "jobs"))


# --- merges ---


@dataclass(frozen=True)
class MergeTrouble:
    """Merges of a VM since the last one that finished. Lists are newest first; `code` is that of the newest failure."""

    failed: tuple[NodeEvent, ...]
    others: tuple[NodeEvent, ...]
    """Starts and interruptions."""
    code: str

    @property
    def nodes(self) -> tuple[str, ...]:
        """Where merges failed with the newest code, the newest first."""
        same = [item.node for item in self.failed if self.code in item.event.codes]
        return tuple(dict.fromkeys(same))

    @property
    def since(self) -> datetime:
        """When the first of them failed, or was begun."""
        return (self.failed or self.others)[-1].event.time


def merge_trouble(look: Look, key: str) -> MergeTrouble | None:
    """What went on since the last finished merge; None when nothing did, or a fork holds the VM."""
    events = look.events(MERGES, vm=key, source="vmms", since=DAYS)
    done = next((number for number, item in enumerate(events) if item.event.id == MERGED), len(events))
    events = events[:done]
    if not events:
        return None
    failed = tuple(item for item in events if item.event.id == MERGE_FAILED)
    others = tuple(item for item in events if item.event.id != MERGE_FAILED)
    code = next((code for item in failed for code in item.event.codes if code != "0x00000000"), "")
    return MergeTrouble(failed, others, code)


def merge_stands(look: Look, key: str) -> MergeTrouble | None:
    """A merge that failed and was not made up for: as far as files were read, the AVHDX is still in use."""
    trouble = merge_trouble(look, key)
    if trouble is None or not trouble.failed:
        return None
    layers = layers_of(look, key)
    return None if layers is not None and not layers.paths else trouble


# --- forks ---


@dataclass(frozen=True)
class ForkTrouble:
    """Signs that a fork of a VM was not committed, oldest first, each once."""

    evidence: tuple[Evidence, ...]
    since: datetime
    event: bool
    """The worker's own event, 3216, is among them."""
    code: str


def fork_trouble(look: Look, key: str) -> ForkTrouble | None:
    """From the whole logs, where a node was asked for them, and from events since; None without a sign."""
    found: dict[tuple[str, int, datetime], Evidence] = {}
    event, code = False, ""
    for node, sign in look.fork_signs.get(key, ()):
        said = f" ({sign.code})" if sign.code else ""
        source = f"event {sign.channel} {sign.id} record {sign.record}"
        text = f"a checkpoint failed between two disks{said}"
        found[sign.channel, sign.record, sign.time] = Evidence(text=text, node=node, time=sign.time, source=source)
        event, code = event or sign.id == EVENT, code or sign.code
    for item in look.events(FORK_IDS, vm=key, source="hyperv"):
        if not signs_by_vm((), (item,)):
            continue
        one = item.event
        found.setdefault((one.channel, one.record, one.time), look.evidence(item))
        event = event or one.id == EVENT
        code = code or next((held for held in one.codes if held in CODES), "")
    if not found:
        return None
    evidence = sorted(found.values(), key=lambda one: (one.time is None, one.time))
    since = min(time for _, _, time in found)
    return ForkTrouble(tuple(evidence), since, event, code)


def fork_holds(look: Look, key: str) -> bool:
    """There is a sign, and no reading says that the VM rests on no AVHDX: nothing may be done to it.

    A VM whose disks were merged since, and whose AVHDX is that of a later checkpoint, got over it.
    """
    trouble, found = fork_trouble(look, key), look.vm(key)
    if trouble is None or found is None:
        return False
    layers = layers_of(look, key)
    if layers is None or not layers.paths:
        return layers is None
    merged = look.events((MERGED,), vm=key, source="vmms")
    over = bool(merged) and merged[0].event.time > trouble.since
    return not (over and explained(found[1], layers, trouble.since))


def explained(vm: Vm, layers: Layers, since: datetime) -> bool:
    """Checkpoints that are all younger than `since` are listed, and nothing says that there are more layers."""
    ages = [one.oldest for one in vm.checkpoints or ()]
    return not layers.loose and bool(ages) and all(age is not None and age > since for age in ages)


# --- the configuration ---


def is_kept(config: ClusterConfig | None, name: str) -> bool:
    """The configuration says that the product keeps this VM's Recovery checkpoint; an entry may name a group."""
    if config is None:
        return False
    groups = {group.lower(): vms for group, vms in config.groups.items()}
    patterns = (vm for entry in config.kept_checkpoints for vm in groups.get(entry.lower(), (entry,)))
    return is_called(name, patterns)


def is_called(name: str, patterns: Iterable[str]) -> bool:
    """`*` in a pattern stands for anything; every other character, brackets too, for itself."""
    for pattern in patterns:
        literal = ".*".join(re.escape(part) for part in pattern.lower().split("*"))
        if re.fullmatch(literal, name.lower(), re.DOTALL):
            return True
    return False


def stamp(time: datetime) -> str:
    """A time in a text."""
    return f"{time:%d %b %H:%M} UTC"


def times(number: int) -> str:
    """How often something happened."""
    return "once" if number == 1 else f"{number} times"
