"""VSS writers: one that waits with an error, one that failed, one that is missing, and a list that does not come.

A writer that waits without an error is in a backup and is left alone. A writer's state is no verdict on a backup by
itself: how sure a finding is depends on events and on what was saved since.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from hvtui.findings.finding import Evidence, Finding, Sure
from hvtui.findings.guilty import DAY, Guest, guest_evidence, guilty_guests, names, saved_after, stamp
from hvtui.findings.look import Look
from hvtui.findings.rules import rule
from hvtui.model.activity import BACKUP_JOBS
from hvtui.model.conditions import RUNNING_JOBS
from hvtui.model.durations import writer_key
from hvtui.model.event_catalog import writer_of
from hvtui.model.events import NodeEvent
from hvtui.model.severity import Severity
from hvtui.model.views import NodeView
from hvtui.model.writer_catalog import CSV, HYPER_V, SYSTEM, WAITING, WRITERS, service_of
from hvtui.model.writers import Writer, WriterPicture
from hvtui.operations.backup_state import QUIET, Answer

REJECTED: Final = 8229
"""VSS: a writer rejected an event."""
CALLBACK: Final = 8194
UNREACHABLE: Final = 12302
"""VSS: the writers could not be contacted (Microsoft, "Error 0x8000FFFF when you run vssadmin list writers")."""
_RETRY: Final = frozenset({"retryable", "timeout", "resources"})
"""Errors that Microsoft's guidance wants retried before a service is touched."""
_RETRY_CODES: Final = frozenset({"0x800423f1", "0x800423f2", "0x800423f3"})
_KILLED_CODE: Final = "0x80042302"
_REGISTERS: Final = timedelta(minutes=5)
"""A service that has just started may not have registered its writer yet."""
_SLOW_MS: Final = 60_000
"""A freeze lasts a minute at most; a list of writers that took longer did not wait for one."""
_LASTING: Final = 3600.0
"""Seconds: that nothing was saved since a writer was first seen failed means something only after a while."""
RESTARTED: Final = frozenset({"VSS", "CryptSvc", "BITS", "SQLWriter"})
"""Services of writers that hvtui restarts by themselves; VMMS has a runbook of its own."""
_EXPECTED: Final = {HYPER_V: Severity.BAD, CSV: Severity.WARN, SYSTEM: Severity.WARN}
"""Writers that every node of a cluster with Hyper-V has."""


@rule("writer-pending", per="node", ids=(10102, REJECTED))
def writer_pending(look: Look, key: str) -> Iterator[Finding]:
    """The Hyper-V writer waits with a retryable error, guests failed, and none of them was saved since (mission S3)."""
    writer = _hyper_v(look, key)
    if writer is None or writer.code not in WAITING or writer.error_kind not in _RETRY:
        return
    guests = guilty_guests(look, key, _vmms_started(look, key))
    if not guests:
        return
    known = all(guest.saved is not None for guest in guests)
    evidence = [_writer_read(look, key, writer), *guest_evidence(look, guests)]
    rejected = _rejections(look, key, HYPER_V, _RETRY_CODES)
    evidence += [look.evidence(item) for item in rejected[:1]]
    now = "; they have room now: resume the job" if all(guest.roomy for guest in guests) else ""
    if look.backup(key).answer is Answer.RUNNING:
        now += "; a run is under way"
    yield look.make(
        "writer-pending",
        look.node_target(key),
        f"{key}: the Hyper-V writer waits [{writer.code}] with {writer.error_text or 'an error'}"
        f"{_lasting(look, key, writer)}; the job stays pending: no shadow copy inside {names(guests)}{now}",
        sure=Sure.CERTAIN if known else Sure.LIKELY,
        evidence=evidence,
        vms=[guest.target for guest in guests],
        since=_began(guests),
    )


@rule("writer-orphaned", per="node", ids=(10102, REJECTED, CALLBACK))
def writer_orphaned(look: Look, key: str) -> Iterator[Finding]:
    """The Hyper-V writer waits with an unexpected error, events tell of the failed run, and no job is left (S3)."""
    writer = _hyper_v(look, key)
    if writer is None or writer.code not in WAITING or writer.error_kind != "unexpected":
        return
    floor = _vmms_started(look, key)
    guests = guilty_guests(look, key, floor)
    rejected = _rejections(look, key, HYPER_V, _RETRY_CODES | {_KILLED_CODE}, floor)
    if not guests and not rejected:
        return
    evidence = [_writer_read(look, key, writer), *guest_evidence(look, guests)]
    evidence += [look.evidence(item) for item in rejected[:1]]
    callbacks = look.events((CALLBACK,), node=key, source="vss", since=DAY)
    began = _began(guests) or rejected[-1].event.time
    evidence += [look.evidence(item) for item in callbacks[:1] if item.event.time >= began]
    gone = _no_job(look, key)
    if gone is None:
        sure, job = Sure.LIKELY, "whether its job is gone is not known"
    elif gone:
        sure, job = Sure.CERTAIN, "its job is gone"
        evidence.append(look.read("no backup job runs on the node", key, "job"))
    else:
        sure, job = Sure.LIKELY, "a backup runs: end it in the backup product before anything else"
    blamed = f"; it comes back while a guest is full: {names(guests)}" if guests else ""
    yield look.make(
        "writer-orphaned",
        look.node_target(key),
        f"{key}: the Hyper-V writer is stuck [{writer.code}] with {writer.error_text or 'an error'}"
        f"{_lasting(look, key, writer)}; {job}{blamed}",
        sure=sure,
        evidence=evidence,
        vms=[guest.target for guest in guests],
        since=began,
    )


@rule("writer-retry", per="node", ids=(REJECTED,))
def writer_retry(look: Look, key: str) -> Iterator[Finding]:
    """A writer failed with an error that passes: contention, a time-out, no resources (windows.md §4.3)."""
    yield from _failed(look, key, "writer-retry", retry=True)


@rule("writer-failed", per="node", ids=(REJECTED,))
def writer_failed(look: Look, key: str) -> Iterator[Finding]:
    """A writer failed with an error that does not pass by itself (windows.md §4.3)."""
    yield from _failed(look, key, "writer-failed", retry=False)


@rule("writers-missing", per="node", ids=(UNREACHABLE,))
def writers_missing(look: Look, key: str) -> Iterator[Finding]:
    """A writer that every node has is not in a list that was read whole; or there is no list, and 12302 says why."""
    view = look.node(key)
    picture = view.writers if view is not None else None
    if view is None or picture is None or picture.reading:
        return
    if picture.failure or not picture.writers:
        yield from _no_list(look, key, picture)
        return
    if picture.unreadable:
        return
    there = {writer.id for writer in picture.writers}
    for missing in _EXPECTED.keys() - there:
        yield from _missing(look, key, view, picture, missing)


@rule("writers-slow", per="node")
def writers_slow(look: Look, key: str) -> Iterator[Finding]:
    """vssadmin takes minutes, or does not answer, and no freeze explains it (windows.md §4.7; peers.md 6)."""
    view = look.node(key)
    picture = view.writers if view is not None else None
    if view is None or picture is None or picture.reading or picture.duration_ms < _SLOW_MS:
        return
    quiet = look.signs.quiet(look.state, look.state.node_name(key), look.monotonic)
    if look.backup(key).answer is Answer.RUNNING or quiet < QUIET:
        look.again(QUIET)
        return  # it may have waited behind a freeze
    seconds = picture.duration_ms // 1000
    vms = len(view.vms) if view.vms is not None else None
    evidence = [Evidence(text=f"the list took {seconds} s", node=key, time=picture.time, source="writers")]
    if vms is not None:
        evidence.append(look.read(f"{vms} VMs are on the node: each is asked for", key, "VMs"))
    text = f"{key}: vssadmin took {seconds} s for the list of writers"
    if picture.failure:
        evidence.append(Evidence(text=picture.failure, node=key, source="writers"))
        text = f"{key}: vssadmin gave no list of writers within {seconds} s"
    yield look.make(
        "writers-slow",
        look.node_target(key),
        text,
        sure=Sure.LIKELY if picture.failure else Sure.POSSIBLE,
        evidence=evidence,
        since=picture.time,
    )


# --- a writer that failed ---


def _failed(look: Look, key: str, rule_id: str, *, retry: bool) -> Iterator[Finding]:
    view = look.node(key)
    picture = view.writers if view is not None else None
    if picture is None or picture.reading:
        return
    for writer in picture.writers:
        if writer.state_class == "failed" and (writer.error_kind in _RETRY) is retry and not _told(look, key, writer):
            yield _one_failed(look, key, rule_id, writer)


def _told(look: Look, key: str, writer: Writer) -> bool:
    """The Hyper-V writer's own rules speak."""
    if writer.id != HYPER_V:
        return False
    return next(writer_pending(look, key), None) is not None or next(writer_orphaned(look, key), None) is not None


def _one_failed(look: Look, key: str, rule_id: str, writer: Writer) -> Finding:
    evidence = [_writer_read(look, key, writer)]
    codes = _RETRY_CODES if rule_id == "writer-retry" else frozenset()
    rejected = _rejections(look, key, writer.id, codes)
    since = look.state.history.since(look.state, writer_key(look.state.node_name(key), writer))
    began = rejected[-1].event.time if rejected else since.time if since is not None else None
    agree = 1 if rejected else 0
    evidence += [look.evidence(item) for item in rejected[:1]]
    saved = saved_after(look, look.vms_of(key), began) if began is not None else None
    told = ""
    lasts = look.state.history.seconds(look.state, writer_key(look.state.node_name(key), writer))
    if saved is False and began is not None and look.vms_of(key) and (rejected or lasts >= _LASTING):
        agree += 1
        evidence.append(look.read(f"no VM of {key} was saved since {stamp(began)}", key, "VMs"))
    elif saved:
        told = "; backups of the node's VMs succeed nevertheless"
    severity = Severity.INFO if saved else None
    return look.make(
        rule_id,
        look.node_target(key),
        f"{key}: {writer.name} failed [{writer.code}] {writer.error_text}{_lasting(look, key, writer)}{told}",
        sure=Sure.POSSIBLE if saved else Sure(1 + agree),
        evidence=[*evidence, *_advice(key, writer)],
        since=began,
        severity=severity,
        action=_action(writer.id),
        part=writer.id or writer.name,
    )


def _action(writer: str) -> str:
    """What hvtui itself can do about a writer: nothing where its service is none that hvtui restarts."""
    service = service_of(writer)
    special = {"vmms": "verb.vmms", "ClusSvc": "verb.drain"}
    return special.get(service) or ("verb.service" if service in RESTARTED else "")


def _advice(key: str, writer: Writer) -> Iterator[Evidence]:
    if writer.advice:
        yield Evidence(text=writer.advice, node=key, source="writers: what helps")


def _rejections(
    look: Look, node: str, writer: str, codes: frozenset[str], since: datetime | None = None
) -> list[NodeEvent]:
    """Events in which a writer rejected something, with one of these codes (with any where there are none)."""
    found = look.events((REJECTED,), node=node, source="vss", since=DAY)
    return [
        item
        for item in found
        if writer_of(item.event)[0] == writer
        and (not codes or codes & set(item.event.codes))
        and (since is None or item.event.time >= since)
    ]


# --- the Hyper-V writer ---


def _hyper_v(look: Look, node: str) -> Writer | None:
    view = look.node(node)
    picture = view.writers if view is not None else None
    if picture is None:
        return None
    return next((writer for writer in picture.writers if writer.id == HYPER_V), None)


def _vmms_started(look: Look, node: str) -> datetime | None:
    """A restart of VMMS makes a new writer: what happened before is not its trouble."""
    view = look.node(node)
    return view.host.vmms_started if view is not None and view.host is not None else None


def _no_job(look: Look, node: str) -> bool | None:
    """No backup job is left on a node; None when that could not be read."""
    if look.backup(node).answer is Answer.RUNNING:
        return False
    view = look.node(node)
    if view is None or view.jobs is None or look.unread(node, "jobs"):
        return None
    return not any(job.type in BACKUP_JOBS and job.state in RUNNING_JOBS for job in view.jobs.values())


def _writer_read(look: Look, node: str, writer: Writer) -> Evidence:
    view = look.node(node)
    picture = view.writers if view is not None else None
    text = f"{writer.name} [{writer.code}] {writer.state_text}: {writer.error_text or 'its error was not read'}"
    return Evidence(text=text, node=node, time=picture.time if picture is not None else None, source="writers")


def _lasting(look: Look, node: str, writer: Writer) -> str:
    told = look.state.history.told(look.state, writer_key(look.state.node_name(node), writer))
    return f" for {told}" if told else ""


def _began(guests: list[Guest]) -> datetime | None:
    return min((guest.first for guest in guests), default=None)


# --- writers that are not there ---


def _missing(look: Look, key: str, view: NodeView, picture: WriterPicture, missing: str) -> Iterator[Finding]:
    host = view.host
    if missing == HYPER_V:
        if host is None or host.vmms != "Running":
            return  # it lives in VMMS: that this does not run is another finding
        now = look.now(key)
        if host.vmms_started is None or now is None or now - host.vmms_started < _REGISTERS:
            return
    others = [
        name
        for name, other in look.state.nodes.items()
        if name != view.name and other.writers is not None and any(w.id == missing for w in other.writers.writers)
    ]
    if not others:
        return
    known = WRITERS[missing]
    time = picture.time
    evidence = [
        Evidence(
            text=f"{len(picture.writers)} writers were read, it is not among them",
            node=key,
            time=time,
            source="writers",
        ),
        Evidence(text=f"{others[0]} has it", node=others[0], source="writers"),
    ]
    if missing == HYPER_V:
        evidence.append(look.read("VMMS, which hosts it, runs", key, "VMMS"))
    evidence.append(Evidence(text=known.restart, node=key, source="writers: what helps"))
    why = "VMMS runs" if missing == HYPER_V else f"{others[0]} has it"
    yield look.make(
        "writers-missing",
        look.node_target(key),
        f"{key}: the {known.name} is not there, although {why}",
        sure=Sure.LIKELY,
        evidence=evidence,
        severity=_EXPECTED[missing],
        action=_action(missing),
        part=missing,
        since=picture.time,
    )


def _no_list(look: Look, key: str, picture: WriterPicture) -> Iterator[Finding]:
    """A list that could not be read is unknown; it is trouble when VSS itself says so at the same time."""
    told = look.events((UNREACHABLE,), node=key, source="vss", since=timedelta(hours=1))
    if not told:
        return
    evidence = [look.evidence(told[0])]
    evidence.append(Evidence(text=picture.failure or "the list is empty", node=key, source="writers"))
    yield look.make(
        "writers-missing",
        look.node_target(key),
        f"{key}: VSS cannot reach its writers, and their list cannot be read",
        sure=Sure.LIKELY,
        evidence=evidence,
        severity=Severity.BAD,
        part="all",
        since=told[-1].event.time,
    )
