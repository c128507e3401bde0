"""A node as one row: the cluster's view of it, its own, and how well it can be heard."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, ClassVar, Final

import msgspec

from hvtui.model import conditions
from hvtui.model.durations import Key, node_key, writer_key
from hvtui.model.enums import NodeState, name_of
from hvtui.model.link import LinkStatus
from hvtui.model.severity import Severity, worst
from hvtui.model.views import problem_texts
from hvtui.model.writer_catalog import BACKUP_COMPLETE, HYPER_V

if TYPE_CHECKING:
    from hvtui.model.records import ClusterNode
    from hvtui.model.state import ClusterState
    from hvtui.model.views import NodeView
    from hvtui.model.writers import WriterPicture


class WriterCounts(msgspec.Struct, frozen=True):
    """How many writers of a node are in which class; `read` is False while nothing is known of them."""

    read: bool = False
    ok: int = 0
    busy: int = 0
    failed: int = 0
    unreadable: int = 0
    failure: str = ""
    """Why the last read gave nothing; the counts are then those of the read before."""


class NodeRow(msgspec.Struct, kw_only=True, frozen=True):
    """One node. `?` and None stand for what could not be read.

    `state` is the cluster's word (`Up Down Paused Joining`), with `draining drained isolated quarantined` where that
    says more. `vms` counts those whose home it is. `offset` is the node's clock minus the client's. `votes` is the
    dynamic vote, then the assigned one. `since` is how long it is not simply Up.
    """

    FIELDS: ClassVar[dict[str, str]] = {
        "node": "name",
        "name": "name",
        "state": "state",
        "link": "link",
        "vms": "vms",
        "drift": "drift",
        "cpu": "cpu",
        "mem": "memory_percent",
        "memory": "memory_percent",
        "vmms": "vmms",
        "build": "build",
        "severity": "severity",
        "reason": "reasons",
    }

    key: str
    name: str
    state: str = "?"
    link: LinkStatus = LinkStatus.CONNECTING
    severity: Severity = Severity.OK
    reasons: tuple[str, ...] = ()
    vms: int = 0
    running: int = 0
    drift: int = 0
    cpu: int | None = None
    memory_mb: int | None = None
    memory_percent: int | None = None
    writers: WriterCounts = WriterCounts()
    vmms: str = "?"
    vmms_started: datetime | None = None
    boot: datetime | None = None
    build: str = "?"
    votes: tuple[int | None, int | None] = (None, None)
    offset: timedelta | None = None
    since: str = ""

    def words(self) -> Iterator[str]:
        """What a plain search word looks at."""
        yield self.name
        yield self.state
        yield self.link.value
        yield from self.reasons


_FREEZE_SECONDS: Final = 120.0
"""A shadow copy is made in a minute; a writer that waits for it longer is stuck."""
_SKEW: Final = timedelta(minutes=5)
"""Kerberos and the domain allow no more."""
_LINKS: Final = {
    LinkStatus.HANGING: Severity.BAD,
    LinkStatus.UNREACHABLE: Severity.BAD,
    LinkStatus.REFUSED: Severity.BAD,
    LinkStatus.UNUSABLE: Severity.BAD,
    LinkStatus.STOPPED: Severity.UNKNOWN,
    LinkStatus.CONNECTING: Severity.UNKNOWN,
    LinkStatus.NOT_CONTACTED: Severity.UNKNOWN,
}
_STATES: Final = {
    "quarantined": ("Quarantined", Severity.BAD),
    "down": ("Down", Severity.BAD),
    "isolated": ("Isolated", Severity.BAD),
    "draining": ("draining", Severity.INFO),
    "drain failed": ("drain failed", Severity.BAD),
    "drained": ("drained", Severity.INFO),
    "paused": ("Paused", Severity.INFO),
    "joining": ("Joining", Severity.WARN),
    "unknown": ("Unknown", Severity.UNKNOWN),
}


def writer_counts(picture: WriterPicture | None) -> WriterCounts:
    """The writers of a node by class; lines that could not be read count as unreadable."""
    if picture is None:
        return WriterCounts()
    # Lines beside writers that were read are of one more; without any, `failure` says it all.
    counts = {"ok": 0, "busy": 0, "failed": 0, "unreadable": 1 if picture.unreadable and picture.writers else 0}
    for writer in picture.writers:
        counts[writer.state_class] += 1
    return WriterCounts(bool(picture.writers), failure=picture.failure, **counts)


def node_row(state: ClusterState, name: str) -> NodeRow:
    """Everything shown of one node."""
    view = state.node(name)
    name = view.name
    member = state.member(name)
    tally = state.tally.refresh(state)
    host = view.host
    counts = writer_counts(view.writers)
    total = None if host is None or host.memory is None else host.memory // 2**20
    used = None if view.load is None else view.load[1]
    severity, reasons = worst(
        [*_cluster_reasons(state, member), *_link_reasons(state, view), *_own_reasons(state, view, counts)]
    )
    return NodeRow(
        key=name,
        name=name,
        state=_state_text(state, member),
        link=view.link.status,
        severity=severity,
        reasons=reasons,
        vms=tally.by_node[name],
        running=tally.running_by_node[name],
        drift=tally.drift_by_node[name],
        cpu=None if view.load is None else view.load[0],
        memory_mb=used,
        memory_percent=None if not total or used is None else min(100, used * 100 // total),
        writers=counts,
        vmms="?" if host is None or host.vmms is None else host.vmms,
        vmms_started=None if host is None else host.vmms_started,
        boot=None if host is None else host.boot,
        build=(host.build if host is not None else None) or (member.build if member is not None else None) or "?",
        votes=(None, None) if member is None else (member.dynamic_weight, member.weight),
        offset=view.link.offset,
        since=state.history.text(state, node_key(name)),
    )


def _state_text(state: ClusterState, member: ClusterNode | None) -> str:
    if member is None:
        return "?" if state.cluster.nodes is None else "not in the cluster"
    word = conditions.of_node(member)
    return _STATES[word][0] if word else name_of(NodeState, member.state)


def _cluster_reasons(state: ClusterState, member: ClusterNode | None) -> list[tuple[Severity, str]]:
    if member is None:
        return [
            (Severity.UNKNOWN, "not in the cluster" if state.cluster.nodes is not None else "the cluster is not read")
        ]
    word = conditions.of_node(member)
    return [(_STATES[word][1], _STATES[word][0])] if word else []


def _link_reasons(state: ClusterState, view: NodeView) -> list[tuple[Severity, str]]:
    status = view.link.status
    if status is not LinkStatus.LIVE:
        text = f"{status.value}: {view.link.text}" if view.link.text else status.value
        return [(_LINKS[status], text)]
    told = state.cluster.link.offset
    if view.link.offset is not None and told is not None and abs(view.link.offset - told) > _SKEW:
        return [(Severity.WARN, "its clock differs from the cluster's by more than 5 min")]
    return []


def _lasting(state: ClusterState, key: Key) -> str:
    """How long, unless it was seen just now for the first time: that it lasted 0 s would be no news."""
    return f", {state.history.told(state, key)}" if state.history.seconds(state, key) >= 1 else ""


def _own_reasons(state: ClusterState, view: NodeView, counts: WriterCounts) -> list[tuple[Severity, str]]:
    reasons: list[tuple[Severity, str]] = []
    host = view.host
    if host is not None and host.vmms is not None and host.vmms != "Running":
        reasons.append((Severity.BAD, f"vmms {host.vmms}"))
    reasons += [(Severity.UNKNOWN, text) for text in problem_texts(view.problems)]
    if view.load_problem is not None:
        reasons += [(Severity.UNKNOWN, text) for text in problem_texts((view.load_problem,))]
    picture = view.writers
    if picture is None:
        return reasons
    for writer in picture.writers:
        words = f"{writer.name} [{writer.code}] {writer.error_text or writer.state_text}"
        key = writer_key(view.name, writer)
        if writer.state_class == "failed":
            reasons.append((Severity.BAD, words + _lasting(state, key)))
        elif writer.state_class == "busy" and writer.code != BACKUP_COMPLETE:
            stands = state.history.seconds(state, key)
            if stands >= _FREEZE_SECONDS:
                reasons.append((Severity.WARN, words + _lasting(state, key)))
    if counts.unreadable:
        reasons.append((Severity.UNKNOWN, f"{counts.unreadable} writers unreadable"))
    if counts.failure:
        reasons.append((Severity.UNKNOWN, f"writers: {counts.failure}"))
    elif picture.writers and not counts.unreadable and all(writer.id != HYPER_V for writer in picture.writers):
        reasons.append((Severity.WARN, "the Hyper-V writer is missing"))
    return reasons
