"""Lines that several detail pages share: a VM, a job, a writer."""

from __future__ import annotations

from typing import Final

from hvtui.model.activity import activity_of
from hvtui.model.conditions import RUNNING_JOBS
from hvtui.model.durations import job_key, writer_key
from hvtui.model.enums import JobState, JobType, name_of
from hvtui.model.records import Job
from hvtui.model.rows import VmRow
from hvtui.model.severity import Severity
from hvtui.model.views import NodeView
from hvtui.model.writers import Writer
from hvtui.ui.cells import fit
from hvtui.ui.panes.writer_matrix import ROLES
from hvtui.ui.screens.facts import Facts, span, text
from hvtui.ui.widgets.document import Line

SEVERITY_ROLES = {Severity.BAD: "bad", Severity.WARN: "warn", Severity.UNKNOWN: "unread", Severity.INFO: "info"}
"""Style role of a severity; OK has none."""


def glyph_of(facts: Facts, severity: Severity) -> str:
    """Glyph of a severity."""
    glyphs = facts.look.glyphs
    return {
        Severity.BAD: glyphs.bad,
        Severity.WARN: glyphs.warn,
        Severity.UNKNOWN: glyphs.unknown,
        Severity.INFO: glyphs.info,
    }.get(severity, glyphs.ok)


def vm_line(facts: Facts, row: VmRow, *, node: bool = False) -> Line:
    """One VM: glyph, name, state, volumes, activity and why it stands out."""
    role = SEVERITY_ROLES.get(row.severity, "ok")
    look = facts.look
    spans = [span(f"{glyph_of(facts, row.severity)} ", role), span(fit(row.name, 24, ellipsis=look.glyphs.ellipsis))]
    spans.append(span(f" {fit(row.state, 15, ellipsis=look.glyphs.ellipsis)}", "dim" if row.state == "Running" else ""))
    if node:
        spans.append(span(f" {fit(row.node or '?', 10, ellipsis=look.glyphs.ellipsis)}"))
    spans.append(span(f" {fit(', '.join(row.csvs) or '?', 20, ellipsis=look.glyphs.ellipsis)}", "dim"))
    words = [*row.reasons, *([row.activity] if row.activity else [])]
    spans.append(span(f" {look.plain(' · '.join(words))}", role if row.reasons else "busy"))
    return text(*spans, wrap=False)


_ENDED_BADLY: Final = frozenset({JobState.Exception, JobState.Killed, JobState.Terminated})


def job_line(facts: Facts, view: NodeView, job: Job, *, name: bool = True) -> Line:
    """One job: VM, what it does, how far, how long it has stood there."""
    vm = (view.vms or {}).get(job.vm or "")
    words = activity_of(None, (job,), None).text or name_of(JobType, job.type)
    spans = [span(f"{vm.name if vm is not None else job.vm or 'host'}  ")] if name else []
    spans += [
        span(facts.look.plain(words), "busy" if job.state in RUNNING_JOBS else ""),
        span(f"  {name_of(JobState, job.state)}", "bad" if job.state in _ENDED_BADLY else "dim"),
    ]
    stands = facts.state.history.text(facts.state, job_key(view.name, job.id), facts.look.zone)
    if stands:
        spans.append(span(f", at this percentage {facts.look.plain(stands)}", "dim"))
    if job.error:
        # WMI's own codes (32768 and on) are known as decimals, HRESULTs in hex.
        code = str(job.error) if 0 < job.error < 2**16 else f"{job.error & 0xFFFFFFFF:#010x}"
        spans.append(span(f"  error {code}", "bad"))
    if job.started is not None:
        spans += [span("  started ", "dim"), facts.moment(job.started, view.name)]
    return text(*spans)


def writer_line(facts: Facts, node: str, writer: Writer) -> Line:
    """One writer: glyph, `[n]`, name, Windows' words, and since when."""
    glyphs = facts.look.glyphs
    role = ROLES.get(writer.state_class, "warn")
    glyph = {"ok": glyphs.ok, "busy": glyphs.busy, "failed": glyphs.bad}.get(writer.state_class, glyphs.unknown)
    number = "?" if writer.code is None else writer.code
    spans = [span(f"{glyph} [{number}] ", role), span(writer.name, "" if writer.state_class == "ok" else role)]
    if writer.state_class == "ok":
        return text(*spans, span(f"  {writer.state_text}", "dim"))
    spans.append(span(f"  {writer.state_text or '?'} {glyphs.dot} {writer.error_text or '?'}", role))
    lasting = facts.state.history.text(facts.state, writer_key(node, writer), facts.look.zone)
    if lasting:
        spans.append(span(f" {glyphs.dot} {facts.look.plain(lasting)}", role))
    return text(*spans)
