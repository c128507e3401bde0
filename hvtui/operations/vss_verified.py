"""Whether an entry of VssAccessControl helped: no new 8194 in the next backup through the node's VSS writers.

A backup by checkpoint (2016+) asks no writer of the host, so that a VM was backed up proves nothing by itself: the node
must have been seen in a backup of the VSS kind since then (its Hyper-V writer, or BackupState of a CSV under a VM that
was saved). What was not seen is said as that.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from hvtui.model.enums import BackupState
from hvtui.model.events import NodeEvent
from hvtui.model.placement import place
from hvtui.model.state import ClusterState, NodeView
from hvtui.model.writer_catalog import HYPER_V, WAITING
from hvtui.operations.records import ChangeRecord, records
from hvtui.operations.vss_proposals import CHANNEL, EVENTS

SET: Final = "Set-HvTuiVssAccess"
REMOVE: Final = "Remove-HvTuiVssAccess"
_NAME: Final = re.compile(r"-Name '((?:[^']|'')*)'")
"""The account in the command that a node recorded."""


class Proof(StrEnum):
    """What the event stream says of a node since an entry was set there."""

    AGAIN = "again"
    """8194 or 8213 came again."""
    CLEAR = "clear"
    """A backup through the node's writers ended, and nothing came."""
    QUIET = "quiet"
    """VMs were backed up and nothing came; whether through the node's writers was not seen."""
    WAITING = "waiting"
    """No backup has ended there since."""
    UNREAD = "unread"
    """The events of the node could not be read since."""


@dataclass(frozen=True)
class Check:
    """Of one node. `since` is when an entry was set there last, by the node's clock; `by` who did."""

    node: str
    account: str
    since: datetime
    by: str
    proof: Proof
    text: str


@dataclass
class BackupsSeen:
    """When each node was last seen in a backup through its writers, and each CSV with one in progress.

    Times are the nodes' and the cluster's own clocks. Fed now and then with the picture.
    """

    nodes: dict[str, datetime] = field(default_factory=dict)
    csvs: dict[str, datetime] = field(default_factory=dict)
    _read_at: dict[str, float] = field(default_factory=dict)

    def observe(self, state: ClusterState, monotonic: float) -> None:
        """Look once."""
        for name, view in state.nodes.items():
            writers = view.writers
            if writers is None or writers.read_at is None or self._read_at.get(name) == writers.read_at:
                continue
            self._read_at[name] = writers.read_at
            busy = any(writer.id == HYPER_V and writer.code in WAITING for writer in writers.writers)
            now = writers.time or view.link.node_now(monotonic)
            if busy and now is not None:
                self.nodes[name] = now
        now = state.cluster.link.node_now(monotonic)
        for key, csv in (state.cluster.csvs or {}).items():
            if csv.backup == BackupState.InProgress and now is not None:
                self.csvs[key] = now


def checks(state: ClusterState, seen: BackupsSeen) -> list[Check]:
    """For each entry that hvtui set and did not remove since, by the records in the nodes' own logs: did it help?"""
    last: dict[tuple[str, str], ChangeRecord] = {}
    for record in records(state):
        if record.function in {SET, REMOVE}:
            last[(record.node, _account(record).lower())] = record
    return [check(state, seen, record) for _, record in sorted(last.items()) if record.function == SET]


def asking(state: ClusterState) -> list[NodeEvent]:
    """What asks for an entry now: an event from before one was set on its node, and left there, was answered by it."""
    last: dict[str, ChangeRecord] = {}
    for record in records(state):
        if record.function in {SET, REMOVE}:
            last[record.node.lower()] = record
    answered = {node: record.time for node, record in last.items() if record.function == SET}
    told = state.events.of(EVENTS)
    return [found for found in told if (since := answered.get(found.node.lower())) is None or found.event.time > since]


def check(state: ClusterState, seen: BackupsSeen, record: ChangeRecord) -> Check:
    """What the events say since one record."""
    node, since = state.node_name(record.node), record.time
    proof, text = _judge(state, seen, node, since)
    return Check(node, _account(record), since, record.actor, proof, f"{node}: {text}")


def _account(record: ChangeRecord) -> str:
    found = _NAME.search(record.command)
    return found[1].replace("''", "'") if found is not None else ""


def _judge(state: ClusterState, seen: BackupsSeen, node: str, since: datetime) -> tuple[Proof, str]:
    told = [
        found.event
        for found in state.events.of(EVENTS, since=since)
        if found.node.lower() == node.lower() and found.event.provider.lower() == "vss" and found.event.time > since
    ]
    after = f"the change of {since:%Y-%m-%d %H:%M} UTC"
    if told:
        times = "" if len(told) == 1 else f" {len(told)} times"
        newest = max(told, key=lambda event: event.time)
        return Proof.AGAIN, f"{newest.id} came again{times} after {after}, the last at {newest.time:%H:%M} UTC"
    view = state.nodes.get(node)
    read_at = state.events.read_at(node)
    error = state.events.error(node, CHANNEL)
    if view is None or read_at is None or read_at <= since or error:
        return Proof.UNREAD, f"its events since {after} could not be read{f': {error}' if error else ''}"
    saved = _saved(view, since, read_at)
    if saved is None:
        return Proof.WAITING, f"no VM there was backed up since {after}; the next backup shows it"
    name, ended, vm = saved
    through = seen.nodes.get(node, since) > since
    through = through or any(seen.csvs.get(csv, since) > since for csv in place(state, vm).csvs)
    text = f"no new 8194 since {after}; {name} was backed up at {ended:%H:%M} UTC"
    if through:
        return Proof.CLEAR, text
    return Proof.QUIET, f"{text}, through the node's VSS writers or not was not seen"


def _saved(view: NodeView, since: datetime, read_at: datetime) -> tuple[str, datetime, str] | None:
    """The VM there that was backed up last since then, before the events were read."""
    found = [
        (vm.last_backup, vm.name, key)
        for key, vm in (view.vms or {}).items()
        if vm.last_backup is not None and since < vm.last_backup <= read_at
    ]
    if not found:
        return None
    ended, name, key = max(found)
    return name, ended, key
