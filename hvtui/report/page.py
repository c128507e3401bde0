"""The report as one HTML file: nothing is loaded, nothing is run, every text of nodes and guests is escaped.

A content security policy in the page allows its own style sheet, by its hash, and nothing else; so no element has a
style attribute. Light and dark follow the reader's system.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from datetime import tzinfo
from hashlib import sha256
from html import escape
from importlib.resources import files
from typing import Final

import hvtui
from hvtui.model.durations import span_text
from hvtui.model.severity import Severity
from hvtui.report import words
from hvtui.report.night import Found, Night, worst_of
from hvtui.report.picture import picture
from hvtui.text import safe_text
from hvtui.window.records import Leftover, Phase

_WORD: Final = {
    Severity.OK: "quiet",
    Severity.INFO: "quiet",
    Severity.UNKNOWN: "not all of it is known",
    Severity.WARN: "needs a look",
    Severity.BAD: "trouble",
}


def html_of(night: Night, zone: tzinfo | None = None) -> str:
    """The whole file, times in `zone` (None: this machine's)."""
    style = files("hvtui.report").joinpath("page.css").read_text(encoding="utf-8")
    policy = f"default-src 'none'; style-src 'sha256-{_hash(style)}'; base-uri 'none'; form-action 'none'"
    worst = worst_of(night)
    title = f"{words.name_of_cluster(night)} · {words.span_of(night, zone)}"
    parts = [
        "<!DOCTYPE html>",
        '<html lang="en"><head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{escape(policy, quote=True)}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="color-scheme" content="light dark"><meta name="referrer" content="no-referrer">',
        f"<title>{_safe(title)}</title><style>{style}</style></head><body>",
        f'<header><h1>{_safe(words.name_of_cluster(night))} <span class="verdict {_class(worst)}">',
        f"{words.MARKS[worst]} {_WORD[worst]}</span></h1>",
        f"<p>{_safe(words.span_of(night, zone))} · {_safe(words.size_of(night))}</p>",
        *_header(night, zone),
        "</header><main>",
        *_section("Timeline", [*_legend(), '<div class="wide">', picture(night, zone), "</div>"]),
        *_section("Findings", _findings(night, zone)),
        *_section("Left behind", _left(night, zone)),
        *_section("Operations", _done(night, zone)),
        *_section("Unlike earlier nights", _outliers(night, zone)),
        *_section("VMs", _durations(night, zone)),
        f"</main><footer>hvtui {escape(hvtui.__version__)}, from a recording by hvtui {_safe(night.about.program)}",
        f"; times are {_safe(f'{night.about.began.astimezone(zone):%Z}')}</footer></body></html>",
    ]
    return "\n".join(parts) + "\n"


def _header(night: Night, zone: tzinfo | None) -> Iterator[str]:
    window = words.expected_of(night, zone)
    if window:
        yield f"<p>Backup window {_safe(window)}</p>"
    yield '<ul class="counts">'
    for what, count, severity in words.counts(night):
        quiet = " zero" if count == "0" else ""
        yield f'<li class="{_class(severity)}{quiet}"><b>{_safe(count)}</b> {_safe(what)}</li>'
    yield "</ul>"
    for note in night.notes:
        yield f'<p class="doubt">{_safe(note)}</p>'


def _section(title: str, body: Iterable[str]) -> Iterator[str]:
    yield f"<section><h2>{escape(title)}</h2>"
    yield from body
    yield "</section>"


def _legend() -> Iterator[str]:
    yield '<p class="legend">'
    for phase in Phase:
        yield f'<span><i class="key {phase.value.replace(" ", "-")}"></i>{escape(phase.value)}</span>'
    yield '<span><i class="key stalled"></i>stood still</span>'
    yield "<span>✗ failed</span><span>▾ operation, | event above the rows</span></p>"


def _findings(night: Night, zone: tzinfo | None) -> Iterator[str]:
    if not night.found:
        yield "<p>None.</p>"
    for found in night.found:
        yield from _finding(found, zone)


def _finding(found: Found, zone: tzinfo | None) -> Iterator[str]:
    finding = found.finding
    gone = " gone" if found.went is not None else ""
    yield f'<article class="finding {_class(finding.severity)}{gone}">'
    yield f"<h3>{words.MARKS[finding.severity]} {_safe(finding.text)}</h3>"
    state = [words.SURE[finding.sure], words.since_of(found, zone)]
    state += ["quiet"] if found.quiet else []
    if found.acknowledged is not None:
        state.append(f"acknowledged{f': {found.acknowledged}' if found.acknowledged else ''}")
    yield f'<p class="state">{_safe("; ".join(state), 600)}</p>'
    if len(finding.vms) > 1:
        more = f" and {len(finding.vms) - 12} more" if len(finding.vms) > 12 else ""
        yield f"<p>VMs: {_safe(', '.join(vm.name for vm in finding.vms[:12]), 2_000)}{more}</p>"
    if finding.evidence:
        yield "<ul>"
        for evidence in finding.evidence[: words.MOST_EVIDENCE]:
            yield f"<li>{_safe(words.evidence_of(evidence, zone), 800)}</li>"
        if len(finding.evidence) > words.MOST_EVIDENCE:
            yield f"<li>and {len(finding.evidence) - words.MOST_EVIDENCE} more</li>"
        yield "</ul>"
    rows = (("why", found.cause), ("next", found.next), ("not", found.never))
    told = [f"<dt>{name}</dt><dd>{_safe(text, 2_000)}</dd>" for name, text in rows if text]
    if told:
        yield f"<dl>{''.join(told)}</dl>"
    yield f'<p class="rule">{_safe(finding.rule)}</p></article>'


def _left(night: Night, zone: tzinfo | None) -> Iterator[str]:
    left = night.timeline.leftovers
    if not left:
        yield "<p>Nothing that can be seen.</p>"
        return
    rows = [(one.severity, _left_cells(one, night, zone)) for one in left[: words.MOST_ROWS]]
    yield from _table(("what", "of", "on", "for", ""), rows)
    if len(left) > words.MOST_ROWS:
        yield f"<p>and {len(left) - words.MOST_ROWS} more</p>"


def _left_cells(one: Leftover, night: Night, zone: tzinfo | None) -> list[str]:
    age = "?" if one.since is None else span_text((night.timeline.now - one.since).total_seconds())
    return [one.kind, one.name, one.node, age, one.text]


def _done(night: Night, zone: tzinfo | None) -> Iterator[str]:
    if not night.done:
        yield "<p>Nothing was changed by hvtui.</p>"
    for done in night.done:
        yield f"<h3>{words.clock(done.time, zone)} {_safe(done.text)}: {_safe(done.outcome)}</h3>"
        if done.details:
            yield f"<ul>{''.join(f'<li>{_safe(line, 800)}</li>' for line in done.details)}</ul>"


def _outliers(night: Night, zone: tzinfo | None) -> Iterator[str]:
    if not night.compared:
        yield "<p>No earlier recordings of this cluster lie beside this one.</p>"
        return
    nights = ", ".join(f"{began.astimezone(zone):%Y-%m-%d %H:%M}" for began in night.compared)
    yield f"<p>Compared with {_safe(nights)}.</p>"
    if not night.outliers:
        yield "<p>Every VM did as usual, as far as that is known.</p>"
        return
    yield "<ul>" + "".join(f"<li><b>{_safe(o.name)}</b> {_safe(o.text)}</li>" for o in night.outliers) + "</ul>"


def _durations(night: Night, zone: tzinfo | None) -> Iterator[str]:
    rows = [(severity, cells) for _, severity, cells in words.duration_rows(night, zone)]
    if not rows:
        yield "<p>No backup was seen, and none is known.</p>"
        return
    yield from _table(words.DURATION_COLUMNS, rows)
    if len(night.took) > len(rows):
        yield f"<p>and {len(night.took) - len(rows)} more</p>"


def _table(columns: Sequence[str], rows: Sequence[tuple[Severity, list[str]]]) -> Iterator[str]:
    yield '<div class="wide"><table><thead><tr><th></th>'
    yield "".join(f"<th{_right(column)}>{escape(column)}</th>" for column in columns)
    yield "</tr></thead><tbody>"
    for severity, cells in rows:
        made = "".join(f"<td{_right(c)}>{_safe(cell)}</td>" for c, cell in zip(columns, cells, strict=True))
        yield f'<tr class="{_class(severity)}"><td class="mark">{words.MARKS[severity]}</td>{made}</tr>'
    yield "</tbody></table></div>"


def _right(column: str) -> str:
    return ' class="n"' if column in words.NUMBERS else ""


def _class(severity: Severity) -> str:
    return severity.name.lower()


def _safe(text: str, limit: int = 300) -> str:
    return escape(safe_text(text, limit), quote=True)


def _hash(style: str) -> str:
    return b64encode(sha256(style.encode()).digest()).decode("ascii")
