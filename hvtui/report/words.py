"""What both forms of the report say, in the same words: header, counts, rows of tables. Texts are still raw."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, tzinfo
from typing import Final

from hvtui.findings.finding import Evidence, Sure
from hvtui.model.durations import span_text
from hvtui.model.enums import CheckpointType, name_of
from hvtui.model.severity import Severity
from hvtui.report.durations import Took
from hvtui.report.night import Found, Night
from hvtui.window.records import Phase, Standing

SURE: Final = {Sure.POSSIBLE: "possible", Sure.LIKELY: "likely", Sure.CERTAIN: "certain"}
MARKS: Final = {
    Severity.OK: "✓",
    Severity.INFO: "·",
    Severity.UNKNOWN: "?",
    Severity.WARN: "▲",
    Severity.BAD: "✗",
}
STANDINGS: Final = {
    Standing.NONE: "–",
    Standing.DONE: "done",
    Standing.WAITING: "waiting",
    Standing.RUNNING: "running",
    Standing.ENDED: "ended, unknown how",
    Standing.MISSED: "missed",
    Standing.STALLED: "stalled",
    Standing.FAILED: "failed",
}
GRAVE: Final = {
    Standing.FAILED: Severity.BAD,
    Standing.MISSED: Severity.BAD,
    Standing.STALLED: Severity.WARN,
    Standing.ENDED: Severity.UNKNOWN,
    Standing.DONE: Severity.OK,
}
PHASES: Final = (Phase.FREEZE, Phase.CHECKPOINT, Phase.COPY, Phase.CONVERT, Phase.MERGE)
LETTERS: Final = {
    Phase.FREEZE: "F",
    Phase.CHECKPOINT: "K",
    Phase.COPY: "c",
    Phase.CONVERT: "v",
    Phase.MERGE: "M",
    Phase.UNSEEN: "?",
}
"""A letter for each phase, where there is no colour."""
STALL: Final = "!"
MOST_VMS: Final = 60
"""VMs shown in the picture; the others are in the table."""
MOST_STRIPS: Final = 24
"""Of more volumes or nodes only those are in the picture on which something happened."""
MOST_ROWS: Final = 400
MOST_EVIDENCE: Final = 6


def name_of_cluster(night: Night) -> str:
    """The cluster's own name, else how it was called in the configuration."""
    return night.about.cluster or night.about.title


def span_of(night: Night, zone: tzinfo | None) -> str:
    """From when to when, in this zone."""
    began, ended = night.about.began.astimezone(zone), night.about.ended.astimezone(zone)
    until = f"{ended:%H:%M}" if began.date() == ended.date() else f"{ended:%Y-%m-%d %H:%M}"
    return f"{began:%Y-%m-%d %H:%M} – {until} {ended:%Z} ({span_text((ended - began).total_seconds())})"


def size_of(night: Night) -> str:
    """What was watched."""
    vms = "? VMs" if night.vms is None else f"{night.vms} VMs"
    csvs = "? CSVs" if night.csvs is None else f"{night.csvs} CSVs"
    return f"{night.nodes} nodes, {vms}, {csvs}"


def counts(night: Night) -> list[tuple[str, str, Severity]]:
    """The night in numbers: what, how many, and how grave that is."""
    summary = night.timeline.summary
    findings = [one for one in night.found if not one.quiet]
    worst = max((one.finding.severity for one in findings), default=Severity.OK)
    return [
        ("findings", str(len(findings)), worst),
        ("backups done", str(summary.done), Severity.OK),
        ("failed", str(summary.failed), Severity.BAD if summary.failed else Severity.OK),
        ("stalled", str(summary.stalled), Severity.WARN if summary.stalled else Severity.OK),
        ("missed", str(summary.missed), Severity.BAD if summary.missed else Severity.OK),
        ("running", str(summary.running), Severity.INFO if summary.running else Severity.OK),
        ("waiting", str(summary.waiting), Severity.INFO if summary.waiting else Severity.OK),
        ("ended, unknown how", str(summary.ended), Severity.UNKNOWN if summary.ended else Severity.OK),
        ("left behind", str(summary.leftovers), Severity.WARN if summary.leftovers else Severity.OK),
        ("unlike other nights", str(len(night.outliers)), Severity.WARN if night.outliers else Severity.OK),
        ("operations", str(len(night.done)), Severity.OK),
    ]


def expected_of(night: Night, zone: tzinfo | None) -> str:
    """The configured window, empty without one."""
    told = night.timeline.expected
    if told is None or told.begin is None or told.end is None:
        return ""
    begin, end = told.begin.astimezone(zone), told.end.astimezone(zone)
    return f"{begin:%H:%M} – {end:%H:%M} {end:%Z}"


def clock(time: datetime | None, zone: tzinfo | None) -> str:
    """A time of the night; `–` for none."""
    return "–" if time is None else f"{time.astimezone(zone):%H:%M:%S}"


def since_of(found: Found, zone: tzinfo | None) -> str:
    """When a finding came, and when it went."""
    began = found.finding.since or found.came
    words = f"since {began.astimezone(zone):%H:%M}" if found.finding.since else f"first seen {clock(found.came, zone)}"
    if found.went is not None:
        words += f", gone {clock(found.went, zone)}"
    if found.times > 1:
        words += f", came {found.times} times"
    return words


def evidence_of(evidence: Evidence, zone: tzinfo | None) -> str:
    """What was read, where and when."""
    where = " ".join(w for w in (evidence.node, clock(evidence.time, zone) if evidence.time else "") if w)
    source = f" ({evidence.source})" if evidence.source else ""
    return f"{f'{where}: ' if where else ''}{evidence.text}{source}"


def duration_rows(night: Night, zone: tzinfo | None) -> Iterator[tuple[Took, Severity, list[str]]]:
    """Rows of the table of durations: cells for `DURATION_COLUMNS`."""
    types = {line.vm: line.checkpoint_type for line in night.timeline.vms}
    for took in night.took[:MOST_ROWS]:
        standing = Standing(took.standing)
        phases = [span_text(took.phases[p.value]) if p.value in took.phases else "" for p in PHASES]
        kind = types.get(took.vm)
        yield (
            took,
            GRAVE.get(standing, Severity.INFO),
            [
                took.name,
                took.node,
                STANDINGS[standing],
                clock(took.begin, zone) if took.begin else "–",
                clock(took.end, zone) if took.end else "–",
                span_text(took.seconds) if took.seconds is not None else "?" if took.begin else "–",
                *phases,
                str(took.attempts or ""),
                "?" if kind is None else name_of(CheckpointType, kind),
                took.consistency if took.begin else "–",
                took.reason,
            ],
        )


DURATION_COLUMNS: Final = (
    "VM",
    "node",
    "backup",
    "began",
    "ended",
    "took",
    *(phase.value for phase in PHASES),
    "attempts",
    "checkpoint type",
    "consistency",
    "",
)
NUMBERS: Final = frozenset({"began", "ended", "took", "attempts", *(phase.value for phase in PHASES)})
"""Columns that are set to the right."""
