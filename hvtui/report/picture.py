"""The timeline as an inline SVG: volumes, nodes and VMs on one time axis, with events and operations as marks.

Colours are classes of the page's style sheet; what a colour says is said by a shape or word as well. Every text passes
`html.escape` after it was made harmless.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from html import escape
from typing import Final

from hvtui.model.durations import span_text
from hvtui.model.guest_rows import size_text
from hvtui.model.severity import Severity
from hvtui.report.night import Night
from hvtui.report.words import MOST_STRIPS, MOST_VMS, clock
from hvtui.text import natural, safe_text
from hvtui.window.records import Backup, CsvLine, Mark, NodeLine, Outcome, Span, Standing, Stretch, VmLine

_LEFT: Final = 190
_WIDTH: Final = 900
_RIGHT: Final = 110
_ROW: Final = 18
_BAR: Final = 12
_MARKS: Final = 300
"""Marks drawn at most, the gravest first: a log of a bad night has thousands."""
_NAME: Final = 26
_TICKS: Final = (60, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400)


def picture(night: Night, zone: tzinfo | None) -> str:
    """The whole SVG element."""
    return _Drawing(night, zone).made()


class _Drawing:
    def __init__(self, night: Night, zone: tzinfo | None) -> None:
        self.night, self.zone = night, zone
        self.begin, self.end = axis_of(night)
        self.parts: list[str] = []
        self.y = 26

    def made(self) -> str:
        """The element with its title, axis and rows."""
        volumes, quiet = shown_csvs(self.night.timeline.csvs)
        self._group("volumes", [(line.name, self._csv(line)) for line in volumes], quiet)
        nodes, quiet = shown_nodes(self.night.timeline.nodes)
        self._group("Hyper-V writers", [(n.node, self._stretches(n.stretches, "writer")) for n in nodes], quiet)
        lines = shown_vms(self.night.timeline.vms)
        hidden = sum(_first(line) is not None for line in self.night.timeline.vms) - sum(
            _first(line) is not None for line in lines
        )
        self._group("VMs", [(line.name, self._vm(line)) for line in lines])
        if hidden > 0:
            self._text(0, f"and {hidden} VMs more, see the table", "dim")
            self.y += _ROW
        height = self.y + 8
        marks = "".join(self._marks(height))
        width = _LEFT + _WIDTH + _RIGHT
        head = (
            f'<svg class="timeline" role="img" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">'
            f"<title>Timeline of the night, from {clock(self.begin, self.zone)} to {clock(self.end, self.zone)}</title>"
            '<defs><pattern id="stall" width="6" height="6" patternUnits="userSpaceOnUse" '
            'patternTransform="rotate(45)"><rect class="hatch" width="3" height="6"/></pattern></defs>'
        )
        return f"{head}{''.join(self._axis(height))}{marks}{''.join(self.parts)}</svg>"

    # --- axis ---

    def x(self, time: datetime) -> float:
        """Where a time stands; what lies outside is at the edge."""
        whole = (self.end - self.begin).total_seconds() or 1.0
        share = (time - self.begin).total_seconds() / whole
        return round(_LEFT + _WIDTH * min(1.0, max(0.0, share)), 1)

    def _axis(self, height: int) -> Iterator[str]:
        for time in ticks(self.begin, self.end, self.zone):
            x = self.x(time)
            yield f'<line class="grid" x1="{x}" y1="16" x2="{x}" y2="{height}"/>'
            yield f'<text class="tick" x="{x}" y="11">{time:%H:%M}</text>'
        told = self.night.timeline.expected
        if told is not None and told.begin is not None and told.end is not None:
            x1, x2 = self.x(told.begin), self.x(told.end)
            yield f'<rect class="window" x="{x1}" y="14" width="{round(x2 - x1, 1)}" height="{height - 14}">'
            yield "<title>the configured backup window</title></rect>"

    def _marks(self, height: int) -> Iterator[str]:
        held = [mark for mark in self.night.timeline.marks if self.begin <= mark.time <= self.end]
        drawn = sorted(held, key=lambda mark: (mark.kind != "action", -mark.severity))[:_MARKS]
        for mark in drawn:
            yield self._mark(mark, height)

    def _mark(self, mark: Mark, height: int) -> str:
        x = self.x(mark.time)
        kind = "action" if mark.kind == "action" else _class(mark.severity)
        title = _safe(f"{clock(mark.time, self.zone)} {mark.node} {mark.text}")
        shape = f"M{x - 3},16 L{x + 3},16 L{x},22 Z" if mark.kind == "action" else f"M{x},16 L{x},22"
        return f'<g class="mark {kind}"><path d="{shape}"/><title>{title}</title></g>'

    # --- rows ---

    def _group(self, title: str, rows: Sequence[tuple[str, str]], quiet: int = 0) -> None:
        if not rows and not quiet:
            return
        self._text(0, title, "head")
        self.y += _ROW
        for name, body in rows:
            shown = safe_text(name)
            cut = shown if len(shown) <= _NAME else shown[: _NAME - 1] + "…"
            self.parts.append(f'<g transform="translate(0,{self.y})">')
            self.parts.append(f'<text class="name" x="{_LEFT - 6}" y="{_BAR - 2}">{escape(cut)}<title>{escape(shown)}')
            self.parts.append(f"</title></text>{body}</g>")
            self.y += _ROW
        if quiet:
            self._text(0, f"{quiet} more, nothing happened on them", "dim")
            self.y += _ROW
        self.y += 6

    def _text(self, x: int, text: str, kind: str) -> None:
        self.parts.append(f'<text class="{kind}" x="{x}" y="{self.y + _BAR - 2}">{_safe(text)}</text>')

    def _bar(self, begin: datetime, end: datetime, kind: str, title: str, *, height: int = _BAR, y: int = 0) -> str:
        x1, x2 = self.x(begin), self.x(end)
        width = max(1.0, round(x2 - x1, 1))
        place = f'x="{x1}" y="{y}" width="{width}" height="{height}"'
        return f'<rect class="{kind}" {place}><title>{_safe(title)}</title></rect>'

    def _stretches(self, stretches: Sequence[Stretch], word: str) -> str:
        made: list[str] = []
        for one in stretches:
            end = one.end or self.end
            if end < self.begin or one.begin > self.end:
                continue
            title = (
                f"{word} {clock(one.begin, self.zone)} – {clock(end, self.zone)}: {one.text or _class(one.severity)}"
            )
            made.append(self._bar(one.begin, end, f"strip {_class(one.severity)}", title, height=6, y=3))
            if one.backup:
                made.append(self._bar(one.begin, end, "strip backup", f"backup in progress, {title}", height=3, y=10))
        return "".join(made)

    def _csv(self, line: CsvLine) -> str:
        made = self._stretches(line.stretches, line.name)
        if line.size and line.free:
            share = [(self.x(s.time), round(_BAR - _BAR * min(1.0, s.free / line.size), 1)) for s in line.free]
            share.append((self.x(self.end), share[-1][1]))
            points = " ".join(f"{x},{y}" for x, y in share)
            low = line.lowest or 0
            title = _safe(f"free space: least {size_text(low)} of {size_text(line.size)}")
            made += f'<polyline class="free" points="{points}"><title>{title}</title></polyline>'
            percent = f"{100 * low / line.size:.0f}% free"
            made += f'<text class="note" x="{_LEFT + _WIDTH + 6}" y="{_BAR - 2}">{percent}</text>'
        return made

    def _vm(self, line: VmLine) -> str:
        made = "".join(self._backup(backup) for backup in line.backups)
        word, kind = _END.get(line.standing, ("", "dim"))
        last = line.last
        if last is not None and last.end is not None and line.standing is Standing.DONE:
            word = span_text(last.seconds(self.night.timeline.now))
        return made + f'<text class="note {kind}" x="{_LEFT + _WIDTH + 6}" y="{_BAR - 2}">{_safe(word)}</text>'

    def _backup(self, backup: Backup) -> str:
        made = [self._span(span) for span in backup.spans]
        if backup.outcome is Outcome.FAILED and backup.end is not None:
            x = self.x(backup.end)
            title = _safe(f"failed {clock(backup.end, self.zone)}: {backup.reason}")
            made.append(
                f'<g class="cross"><path d="M{x - 4},1 L{x + 4},11 M{x + 4},1 L{x - 4},11"/><title>{title}</title></g>'
            )
        return "".join(made)

    def _span(self, span: Span) -> str:
        end = span.end or self.end
        if end < self.begin or span.begin > self.end:
            return ""
        percent = f", {span.percent}%" if span.percent is not None and span.end is None else ""
        took = span_text((end - span.begin).total_seconds())
        title = f"{span.phase.value} {clock(span.begin, self.zone)} – {clock(end, self.zone)}, {took}{percent}"
        made = self._bar(span.begin, end, f"phase {span.phase.value.replace(' ', '-')}", title)
        if span.stalled is not None:
            why = f"stood still since {clock(span.stalled, self.zone)}: {span.stall}"
            made += self._bar(span.stalled, end, "stalled", why)
        return made


_END: Final = {
    Standing.FAILED: ("failed", "bad"),
    Standing.MISSED: ("missed", "bad"),
    Standing.STALLED: ("stalled", "warn"),
    Standing.ENDED: ("ended ?", "dim"),
    Standing.RUNNING: ("running", "dim"),
    Standing.WAITING: ("waiting", "dim"),
}


def shown_csvs(lines: Sequence[CsvLine]) -> tuple[list[CsvLine], int]:
    """Volumes in the picture, as a person counts them, and how many are left out because nothing happened on them."""
    fullest = sorted((line for line in lines if line.size and line.lowest is not None), key=_share)[:_FULLEST]
    full = {line.csv for line in fullest}
    eventful = [line for line in lines if _eventful(line.stretches) or line.csv in full]
    kept = list(lines) if len(lines) <= MOST_STRIPS else eventful
    return sorted(kept, key=lambda line: natural(line.name)), len(lines) - len(kept)


def shown_nodes(lines: Sequence[NodeLine]) -> tuple[list[NodeLine], int]:
    """The same of nodes and their writers."""
    kept = [line for line in lines if len(lines) <= MOST_STRIPS or _eventful(line.stretches) or line.stalled]
    return sorted(kept, key=lambda line: natural(line.node)), len(lines) - len(kept)


def _eventful(stretches: Sequence[Stretch]) -> bool:
    return any(one.severity is not Severity.OK or one.backup for one in stretches)


def _share(line: CsvLine) -> float:
    return (line.lowest or 0) / (line.size or 1)


_FULLEST: Final = 5
"""Of many volumes those with the least room are shown, whatever happened on them."""


def ticks(begin: datetime, end: datetime, zone: tzinfo | None) -> list[datetime]:
    """About ten round times of this zone within the axis."""
    length = (end - begin).total_seconds()
    step: int = next((step for step in _TICKS if length / step <= 12), _TICKS[-1])
    local = begin.astimezone(zone)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    first = -(-(local - midnight).total_seconds() // step) * step
    made: list[datetime] = []
    time = midnight + timedelta(seconds=first)
    while time <= end and len(made) < 40:
        made.append(time)
        time += timedelta(seconds=step)
    return made


def axis_of(night: Night) -> tuple[datetime, datetime]:
    """What the picture spans: the recording, and backups that began or marks that fell before it within the window."""
    line = night.timeline
    begins = [backup.begin for vm in line.vms for backup in vm.backups if (backup.end or line.now) >= line.begin]
    begin = min([night.about.began, *(time for time in begins if time >= line.begin)])
    end = max(night.about.ended, line.now)
    return begin, end if end > begin else begin + timedelta(minutes=1)


def shown_vms(lines: Sequence[VmLine]) -> list[VmLine]:
    """VMs with something to see, the worst first, then by when their backup began."""
    held = [line for line in lines if _first(line) is not None or line.standing in _GRAVE]
    worst = sorted(held, key=lambda line: -_rank(line))[:MOST_VMS]
    return sorted(worst, key=lambda line: (-_rank(line), _first(line) or _LAST, natural(line.name), line.vm))


def _first(line: VmLine) -> datetime | None:
    """When the first backup began that was seen; of others only LastSuccessfulBackupTime is known."""
    return next((backup.begin for backup in line.backups if backup.spans), None)


_GRAVE: Final = frozenset({Standing.FAILED, Standing.STALLED, Standing.MISSED})
_LAST: Final = datetime.max.replace(tzinfo=UTC)


def _rank(line: VmLine) -> int:
    return int(line.standing) if line.standing in _GRAVE else 0


def _class(severity: Severity) -> str:
    return {Severity.OK: "ok", Severity.INFO: "info", Severity.UNKNOWN: "unknown", Severity.WARN: "warn"}.get(
        severity, "bad"
    )


def _safe(text: str) -> str:
    return escape(safe_text(text), quote=True)
