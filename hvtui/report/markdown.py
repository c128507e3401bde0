"""The report as Markdown, for a ticket: the timeline is text. Every text of nodes and guests is escaped."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Final

import hvtui
from hvtui.model.durations import span_text
from hvtui.model.severity import Severity
from hvtui.report import words
from hvtui.report.night import Found, Night, worst_of
from hvtui.report.picture import axis_of, shown_csvs, shown_nodes, shown_vms, ticks
from hvtui.text import safe_text
from hvtui.window.records import Backup, Outcome, Phase, Standing, Stretch

_CELLS: Final = 64
_NAME: Final = 22
_SPECIAL: Final = re.compile(r"([\\`*_{}\[\]()<>#+!|~&@:-])")
_LEVELS: Final = {
    Severity.OK: ".",
    Severity.INFO: "b",
    Severity.UNKNOWN: "?",
    Severity.WARN: "!",
    Severity.BAD: "X",
}


def markdown_of(night: Night, zone: tzinfo | None = None) -> str:
    """The whole text, times in `zone` (None: this machine's)."""
    worst = worst_of(night)
    lines = [
        f"# {words.MARKS[worst]} {_safe(words.name_of_cluster(night))}",
        "",
        f"{_plain(words.span_of(night, zone))} · {_plain(words.size_of(night))}",
        "",
    ]
    window = words.expected_of(night, zone)
    if window:
        lines += [f"Backup window {_plain(window)}", ""]
    lines += [", ".join(f"{what} **{count}**" for what, count, _ in words.counts(night)), ""]
    lines += [f"> {_safe(note)}  " for note in night.notes]
    lines += ["", "## Timeline", "", "```text", *_timeline(night, zone), "```", "", _legend(), ""]
    lines += ["## Findings", "", *_findings(night, zone)]
    lines += ["## Left behind", "", *_left(night), ""]
    lines += ["## Operations", "", *_done(night, zone), ""]
    lines += ["## Unlike earlier nights", "", *_outliers(night, zone), ""]
    lines += ["## VMs", "", *_durations(night, zone), ""]
    lines += [f"hvtui {hvtui.__version__}, from a recording by hvtui {_safe(night.about.program)}"]
    return "\n".join(lines) + "\n"


# --- timeline ---


def _timeline(night: Night, zone: tzinfo | None) -> Iterator[str]:
    begin, end = axis_of(night)
    axis = _Axis(begin, end)
    head = [" "] * (_CELLS + 6)
    for time in ticks(begin, end, zone):
        at = axis.cell(time)
        if all(c == " " for c in head[max(0, at - 1) : at + 5]):
            head[at : at + 5] = f"{time:%H:%M}"
    yield f"{'':{_NAME}} {''.join(head).rstrip()}"
    volumes, quiet = shown_csvs(night.timeline.csvs)
    for line in volumes:
        low = line.lowest
        note = "" if low is None or not line.size else f"{100 * low / line.size:.0f}% free"
        yield _row(line.name, axis.strip(line.stretches), note)
    if quiet:
        yield f"{f'{quiet} volumes more':>{_NAME}} nothing happened on them"
    nodes, quiet = shown_nodes(night.timeline.nodes)
    for node in nodes:
        yield _row(node.node, axis.strip(node.stretches), "writer")
    if quiet:
        yield f"{f'{quiet} writers more':>{_NAME}} nothing happened to them"
    for vm in shown_vms(night.timeline.vms):
        last = vm.last
        note = words.STANDINGS[vm.standing]
        if vm.standing is Standing.DONE and last is not None and last.end is not None:
            note = span_text(last.seconds(night.timeline.now))
        yield _row(vm.name, axis.backups(vm.backups), note)


class _Axis:
    """Cells of a line of text, each a slice of the night."""

    def __init__(self, begin: datetime, end: datetime) -> None:
        self.begin, self.end = begin, end
        self.slice = (end - begin) / _CELLS

    def cell(self, time: datetime) -> int:
        """The cell of a time, kept within the line."""
        if self.slice <= timedelta(0):
            return 0
        return min(_CELLS - 1, max(0, int((time - self.begin) / self.slice)))

    def strip(self, stretches: Sequence[Stretch]) -> str:
        """A strip: in each cell the worst of what was so."""
        cells: list[Severity | None] = [None] * _CELLS
        for one in stretches:
            end = one.end or self.end
            if end < self.begin:
                continue
            for at in range(self.cell(one.begin), self.cell(end) + 1):
                cells[at] = one.severity if cells[at] is None else max(cells[at] or one.severity, one.severity)
        return "".join(" " if level is None else _LEVELS[level] for level in cells)

    def backups(self, backups: Sequence[Backup]) -> str:
        """A VM's backups: in each cell the phase that lasted longest there; `X` where one failed."""
        spent: list[dict[str, float]] = [{} for _ in range(_CELLS)]
        failed = set()
        for backup in backups:
            for span in backup.spans:
                end = span.end or self.end
                self._spend(spent, span.begin, span.stalled or end, words.LETTERS[span.phase])
                if span.stalled is not None:
                    self._spend(spent, span.stalled, end, words.STALL)
            if backup.outcome is Outcome.FAILED and backup.end is not None:
                failed.add(self.cell(backup.end))
        return "".join(
            "X" if at in failed else max(cell, key=cell.__getitem__) if cell else " " for at, cell in enumerate(spent)
        )

    def _spend(self, spent: list[dict[str, float]], begin: datetime, end: datetime, letter: str) -> None:
        if end < self.begin:
            return
        for at in range(self.cell(begin), self.cell(end) + 1):
            low = self.begin + self.slice * at
            share = (min(end, low + self.slice) - max(begin, low)).total_seconds()
            spent[at][letter] = spent[at].get(letter, 0.0) + max(share, 0.001)


def _row(name: str, body: str, note: str) -> str:
    shown = safe_text(name).replace("`", "'")
    cut = shown if len(shown) <= _NAME else shown[: _NAME - 1] + "…"
    return f"{cut:>{_NAME}} {body} {note}".rstrip()


def _legend() -> str:
    told = [f"{words.LETTERS[phase]} {phase.value}" for phase in Phase]
    return f"{', '.join(told)}, {words.STALL} stood still, X failed; of volumes and writers: . well, b at work, ! X not"


# --- sections ---


def _findings(night: Night, zone: tzinfo | None) -> Iterator[str]:
    if not night.found:
        yield from ("None.", "")
    for found in night.found:
        yield from _finding(found, zone)


def _finding(found: Found, zone: tzinfo | None) -> Iterator[str]:
    finding = found.finding
    state = [words.SURE[finding.sure], words.since_of(found, zone)]
    state += ["quiet"] if found.quiet else []
    if found.acknowledged is not None:
        state.append(f"acknowledged{f': {found.acknowledged}' if found.acknowledged else ''}")
    yield f"### {words.MARKS[finding.severity]} {_safe(finding.text)}"
    yield ""
    yield f"{_safe('; '.join(state), 600)} · `{finding.rule}`"
    yield ""
    if len(finding.vms) > 1:
        more = f" and {len(finding.vms) - 12} more" if len(finding.vms) > 12 else ""
        yield f"- VMs: {_safe(', '.join(vm.name for vm in finding.vms[:12]), 2_000)}{more}"
    for evidence in finding.evidence[: words.MOST_EVIDENCE]:
        yield f"- seen: {_safe(words.evidence_of(evidence, zone), 800)}"
    if len(finding.evidence) > words.MOST_EVIDENCE:
        yield f"- and {len(finding.evidence) - words.MOST_EVIDENCE} more"
    for name, text in (("why", found.cause), ("next", found.next), ("not", found.never)):
        if text:
            yield f"- **{name}**: {_safe(text, 2_000)}"
    yield ""


def _left(night: Night) -> Iterator[str]:
    left = night.timeline.leftovers
    if not left:
        yield "Nothing that can be seen."
        return
    rows = []
    for one in left[: words.MOST_ROWS]:
        age = "?" if one.since is None else span_text((night.timeline.now - one.since).total_seconds())
        rows.append([words.MARKS[one.severity], one.kind, one.name, one.node, age, one.text])
    yield from _table(("", "what", "of", "on", "for", ""), rows)
    if len(left) > words.MOST_ROWS:
        yield f"\nand {len(left) - words.MOST_ROWS} more"


def _done(night: Night, zone: tzinfo | None) -> Iterator[str]:
    if not night.done:
        yield "Nothing was changed by hvtui."
    for done in night.done:
        yield f"- {words.clock(done.time, zone)} {_safe(done.text)}: {_safe(done.outcome)}"
        yield from (f"  - {_safe(line, 800)}" for line in done.details)


def _outliers(night: Night, zone: tzinfo | None) -> Iterator[str]:
    if not night.compared:
        yield "No earlier recordings of this cluster lie beside this one."
        return
    yield f"Compared with {', '.join(f'{began.astimezone(zone):%Y-%m-%d %H:%M}' for began in night.compared)}."
    yield ""
    yield from (f"- **{_safe(one.name)}** {_safe(one.text)}" for one in night.outliers)
    if not night.outliers:
        yield "Every VM did as usual, as far as that is known."


def _durations(night: Night, zone: tzinfo | None) -> Iterator[str]:
    rows = [[words.MARKS[severity], *cells] for _, severity, cells in words.duration_rows(night, zone)]
    if not rows:
        yield "No backup was seen, and none is known."
        return
    yield from _table(("", *words.DURATION_COLUMNS), rows)
    if len(night.took) > len(rows):
        yield f"\nand {len(night.took) - len(rows)} more"


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(columns)} |"
    yield f"|{'|'.join('---:' if column in words.NUMBERS else '---' for column in columns)}|"
    for row in rows:
        yield f"| {' | '.join(_safe(cell) for cell in row)} |"


def _plain(text: str) -> str:
    """Words that are hvtui's own, numbers and times."""
    return safe_text(text)


def _safe(text: str, limit: int = 300) -> str:
    """Text of nodes and guests: nothing in it is Markdown, HTML or a link."""
    made = _SPECIAL.sub(_escaped, safe_text(text, limit))
    # Bare addresses become links in some places.
    return made.replace("://", "&#58;//").replace("www.", "www&#46;")


def _escaped(match: re.Match[str]) -> str:
    # Colons and hyphens make links, lists and rules only beside others of their kind: times and words stay readable.
    if match[1] in ":-()+@":
        return match[1] if match[1] != "@" else "&#64;"
    return {"<": "&lt;", ">": "&gt;", "&": "&amp;"}.get(match[1], f"\\{match[1]}")
