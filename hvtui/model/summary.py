"""The cluster in one line: whether to worry, and how much."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from hvtui.model.csv_rows import SILENT, csv_row
from hvtui.model.enums import QuorumType, ResourceState, name_of
from hvtui.model.link import LinkStatus
from hvtui.model.node_rows import node_row
from hvtui.model.severity import Severity
from hvtui.model.views import problem_texts
from hvtui.model.vm_rows import vm_row

if TYPE_CHECKING:
    from hvtui.model.state import ClusterState


class Summary(msgspec.Struct, kw_only=True, frozen=True):
    """Counts and health words for the header. None stands for what could not be read.

    `words` are the reasons for `severity`, worst first, each naming its node, CSV or VM count. `health` is one word:
    `healthy`, `trouble`, `attention` or `unknown`. Writers that were not read yet do not make it unknown: they are read
    on demand, and `writers_unread` counts their nodes.
    """

    name: str | None = None
    nodes: int = 0
    nodes_ok: int = 0
    csvs: int | None = None
    csvs_ok: int = 0
    vms: int = 0
    running: int = 0
    drift: int = 0
    split: int = 0
    vms_bad: int = 0
    vms_unknown: int = 0
    writers_failed: int = 0
    writers_unread: int = 0
    """Nodes whose writers were not read or not understood."""
    severity: Severity = Severity.OK
    words: tuple[str, ...] = ()
    health: str = "unknown"
    quorum: str = "?"


def summary(state: ClusterState) -> Summary:
    """Look at everything once; milliseconds at 64 nodes and 8,000 VMs."""
    tally = state.tally.refresh(state)
    nodes = [node_row(state, name) for name in state.node_names()]
    csvs = [csv_row(state, csv) for csv in state.cluster.csvs or ()]
    reasons: list[tuple[Severity, str]] = []
    reasons += [(row.severity, f"{row.name}: {row.reasons[0]}") for row in nodes if row.severity > Severity.INFO]
    # That the cluster is silent is told once, not for every volume.
    troubled = [row for row in csvs if row.severity > Severity.INFO and row.reasons[0] != SILENT]
    reasons += [(row.severity, f"{row.name}: {row.reasons[0]}") for row in troubled]
    reasons += _vm_reasons(state)
    reasons += _cluster_reasons(state)
    reasons.sort(key=lambda reason: -reason[0])
    top = reasons[0][0] if reasons else Severity.OK
    info = state.cluster.info
    return Summary(
        name=None if info is None else info.name,
        nodes=len(nodes),
        nodes_ok=sum(row.severity <= Severity.INFO for row in nodes),
        csvs=None if state.cluster.csvs is None else len(csvs),
        csvs_ok=sum(row.severity <= Severity.INFO for row in csvs),
        vms=tally.vms,
        running=tally.running,
        drift=tally.drift,
        split=tally.split,
        vms_bad=tally.severities[Severity.BAD],
        vms_unknown=tally.severities[Severity.UNKNOWN],
        writers_failed=sum(row.writers.failed for row in nodes),
        writers_unread=sum(
            not row.writers.read or bool(row.writers.unreadable or row.writers.failure) for row in nodes
        ),
        severity=top,
        words=tuple(text for _, text in reasons),
        health=_HEALTH[top],
        quorum=_quorum(state),
    )


_NAMED: Final = 3
"""So many VMs in trouble are named, more are counted."""
_VM_WORDS: Final = {Severity.BAD: "in trouble", Severity.WARN: "need attention", Severity.UNKNOWN: "not read"}


def _vm_reasons(state: ClusterState) -> list[tuple[Severity, str]]:
    reasons: list[tuple[Severity, str]] = []
    for severity, words in _VM_WORDS.items():
        count = state.tally.severities[severity]
        if count > _NAMED:
            reasons.append((severity, f"{count} VMs {words}"))
        elif count:
            rows = [vm_row(state, key) for key in state.tally.keys_with(severity)]
            reasons += [(severity, text) for text in sorted(f"{row.name}: {row.reasons[0]}" for row in rows)]
    return reasons


_HEALTH: Final = {
    Severity.OK: "healthy",
    Severity.INFO: "healthy",
    Severity.UNKNOWN: "unknown",
    Severity.WARN: "attention",
    Severity.BAD: "trouble",
}


def _cluster_reasons(state: ClusterState) -> list[tuple[Severity, str]]:
    view, reasons = state.cluster, []
    status = view.link.status
    if status is not LinkStatus.LIVE:
        bad = status not in (LinkStatus.CONNECTING, LinkStatus.NOT_CONTACTED)
        text = f"cluster service {status.value}" + (f": {view.link.text}" if view.link.text else "")
        reasons.append((Severity.BAD if bad else Severity.UNKNOWN, text))
    reasons += [(Severity.UNKNOWN, text) for text in problem_texts(view.problems)]
    info = view.info
    if info is not None and info.witness_state == ResourceState.Failed:
        reasons.append((Severity.BAD, "the witness has failed"))
    elif info is not None and info.witness_state == ResourceState.Offline:
        reasons.append((Severity.WARN, "the witness is offline"))
    return reasons


def _quorum(state: ClusterState) -> str:
    info = state.cluster.info
    if info is None:
        return "?"
    witness = "?" if info.witness is None else info.witness or "no witness"
    votes = [node.dynamic_weight for node in (state.cluster.nodes or {}).values()]
    shown = "?" if not votes or None in votes else str(sum(vote or 0 for vote in votes) + (info.witness_weight or 0))
    return f"{name_of(QuorumType, info.quorum_type)}, {witness}, {shown} votes"
