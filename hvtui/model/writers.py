"""Reading `vssadmin list writers`, in any language.

The labels are never read. A writer is: a line with its name, two lines with a GUID (writer, instance), a line with
`[n]`, a line with the last error. What does not fit is reported as unreadable; it never makes a writer look healthy.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec

from hvtui.model import writer_catalog as catalog
from hvtui.model.records import Problem, WriterText
from hvtui.model.writer_text import LIMIT, decode, plain_lines

UNREADABLE_LIMIT: Final = 200
"""Unreadable lines kept; a last one counts the rest."""
_SHOWN: Final = 300
_WRITER_LIMIT: Final = 2_000


class Writer(msgspec.Struct, frozen=True, kw_only=True):
    """One VSS writer instance.

    `code` is the number of VSS_WRITER_STATE, None when it could not be read. `state_class` is one of
    `ok busy failed unreadable`; `error_kind` one of `none retryable nonretryable timeout resources inconsistent
    unexpected not_responding other unreadable`. The texts are Windows' own, in the node's language. `id` and
    `instance` are GUIDs, empty when unreadable.
    """

    name: str
    id: str
    instance: str
    code: int | None
    state_text: str
    state_class: str
    error_text: str
    error_kind: str
    service: str = ""
    advice: str = ""


class WriterReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a text said. `failure` is set when not one writer could be read: an empty list is never good news."""

    writers: tuple[Writer, ...] = ()
    unreadable: tuple[str, ...] = ()
    failure: str = ""


class WriterPicture(msgspec.Struct, frozen=True, kw_only=True):
    """What one read of a node's writers gave. `failure` is the reason when there is nothing to show.

    `time` is the node's clock, `read_at` the client's monotonic clock.
    """

    time: datetime | None = None
    read_at: float | None = None
    duration_ms: int = 0
    writers: tuple[Writer, ...] = ()
    unreadable: tuple[str, ...] = ()
    failure: str = ""
    reading: bool = False


_DASH: Final = r"[-?\u0080-\uffff]{1,3}"
"""A hyphen, or what a wrong code page made of a dash."""
_GUID: Final = re.compile(
    rf"(?<![0-9a-zA-Z])([0-9a-fA-F]{{8}}){_DASH}([0-9a-fA-F]{{4}}){_DASH}([0-9a-fA-F]{{4}}){_DASH}([0-9a-fA-F]{{4}})"
    rf"{_DASH}([0-9a-fA-F]{{12}})(?![0-9a-zA-Z])"
)
_BROKEN_GUID: Final = re.compile(
    r"\{[0-9a-fA-F-]{0,40}\s*\}?\s*\Z|[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F-]*|\{[^{}]{20,60}\}\s*\Z"
)
_STATE: Final = re.compile(r"\[ ?([0-9]{1,2}) ?\]")
_QUOTED: Final = re.compile(r"""['"]+(.+?)['"]+\Z""")
_NAMED: Final = re.compile(r""": ?(['"\ufffd?]+)(.+?)['"\ufffd?]+\Z""")
_PROMPT: Final = re.compile(r"^(?:\[[^\]]*\]: ?)?(?:PS )?(?:[A-Za-z]:|\\\\|Microsoft\.PowerShell)[^>]*>|^PS>")
_GARBLED: Final = re.compile(r"[^\x20-\x7e]|\?")


@dataclass(slots=True)
class _Draft:
    """A writer while its lines are gathered; `guids` holds None for one that was there but broken."""

    name: str | None
    guids: list[str | None]
    state: str | None = None
    error: str | None = None
    error_cut: bool = False


@dataclass(frozen=True, slots=True)
class _Language:
    """`no_error`: words for it, in lower case, empty when not found. `known`: some error text is a known one."""

    no_error: str
    known: bool


def read_writers(text: str | bytes) -> WriterReport:
    """Read a `vssadmin list writers` text, however it was pasted; never raises, linear in the first 2 MB."""
    long = len(text) > LIMIT * (2 if isinstance(text, bytes) else 1)
    lines, ended = plain_lines(decode(text) if isinstance(text, bytes) else text)
    drafts, unreadable = _drafts(lines, ended and not long)
    language = _language(drafts)
    writers = tuple(_writer(draft, language) for draft in drafts[:_WRITER_LIMIT])
    if long or len(drafts) > _WRITER_LIMIT:
        unreadable.append("… the text is longer than vssadmin's can be; the rest was not read")
    failure = ""
    if not writers:
        failure = "no writer could be read" if lines else "the text is empty"
    return WriterReport(writers=writers, unreadable=_bounded(unreadable), failure=failure)


def writer_picture(answer: WriterText, read_at: float | None = None) -> WriterPicture:
    """What a node's answer to Get-HvTuiWriter means; `failure` says why there is nothing to show."""
    report = WriterReport(failure=_why_not(answer)) if answer.text is None else read_writers(answer.text)
    failure = report.failure
    if failure and answer.text is not None:
        failure = _why_not(answer, failure)
        if report.unreadable:
            failure = f"{failure}: {_said(report.unreadable)}"
    unreadable = report.unreadable
    if report.writers and (answer.exit_code or answer.errors):
        # Writers may be missing, and the text need not show where it was cut.
        unreadable += (_why_not(answer),)
    return WriterPicture(
        time=answer.time,
        read_at=read_at,
        duration_ms=answer.duration_ms,
        writers=report.writers,
        unreadable=unreadable,
        failure=failure,
    )


def _said(lines: tuple[str, ...]) -> str:
    """What vssadmin said instead of writers, without its heading, whose two lines name it and its maker anywhere."""
    told = [line for line in lines if "vssadmin 1." not in line and "Microsoft Corp" not in line]
    return " ".join(told or lines)[:_SHOWN]


def _why_not(answer: WriterText, otherwise: str = "the node sent no text") -> str:
    if answer.busy:
        return "another read of the writers is running on the node"
    if answer.timed_out:
        return f"vssadmin did not answer within {answer.duration_ms / 1000:.0f} s: VSS on the node may hang"
    problem: Problem | None = next(iter(answer.errors), None)
    if problem is not None:
        return problem.text or problem.kind
    if answer.exit_code:
        return f"vssadmin ended with code {answer.exit_code}"
    return otherwise


# --- lines to drafts ----------------------------------------------------------------------------------------------


def _drafts(lines: list[str], ended: bool) -> tuple[list[_Draft], list[str]]:
    drafts: list[_Draft] = []
    unreadable: list[str] = []
    texts: list[str] = []  # text lines since the last GUID or state line
    for line in lines:
        if _PROMPT.match(line):
            continue
        found = _GUID.findall(line)
        state = _STATE.search(line)
        if len(found) > 1 or (found and state):
            # Several of a writer's lines run together: none of them can be trusted.
            unreadable += [*_settle(drafts, texts, ended=True), line]
            texts = []
        elif found or (not state and _BROKEN_GUID.search(line)):
            if not found:
                unreadable.append(line)
            guid = "-".join(found[0]).lower() if found else None
            draft = drafts[-1] if drafts else None
            if draft is not None and not texts and draft.state is None and len(draft.guids) == 1:
                draft.guids.append(guid)
                continue
            name = _take_name(drafts, texts)
            unreadable += _settle(drafts, texts, ended=True)
            texts = []
            drafts.append(_Draft(name, [guid]))
        elif state:
            draft = drafts[-1] if drafts else None
            if draft is None or draft.state is not None:
                unreadable += [*_settle(drafts, texts, ended=True), line]
            else:
                unreadable += texts
                draft.state = line
            texts = []
        else:
            texts.append(line)
    preamble_only = not drafts
    rest = _settle(drafts, texts, ended=ended, last=True)
    unreadable += texts if preamble_only else rest
    # A broken line that opened a "writer" with nothing else readable in it is no writer.
    whole = [draft for draft in drafts if any(draft.guids) or draft.state is not None]
    return whole, unreadable


def _take_name(drafts: list[_Draft], texts: list[str]) -> str | None:
    """The last text line before a writer's first GUID is its name, unless it is the error of the one before."""
    if not texts:
        return None
    draft = drafts[-1] if drafts else None
    if draft is not None and draft.state is not None and len(texts) == 1 and not _QUOTED.search(texts[0]):
        error = _after_colon(texts[0])
        if error and catalog.kind_of(error) != "other":
            return None
    return texts.pop()


def _settle(drafts: list[_Draft], texts: list[str], *, ended: bool, last: bool = False) -> list[str]:
    """Give the text lines that follow a state line to its writer; the result is what fits nowhere."""
    draft = drafts[-1] if drafts else None
    if draft is None:
        return []  # the heading of the output, in whatever language
    if draft.state is None or draft.error is not None or not texts:
        return texts
    error, *rest = texts
    if last and not rest and _is_name(error):
        return texts
    draft.error = error
    draft.error_cut = last and not rest and not ended
    return rest


def _is_name(line: str) -> bool:
    """A quoted text that is no known error: the name of a writer whose other lines are lost."""
    quoted = _QUOTED.search(line)
    return quoted is not None and catalog.kind_of(quoted[1]) == "other"


# --- drafts to writers --------------------------------------------------------------------------------------------


def _language(drafts: list[_Draft]) -> _Language:
    """What the error lines of all writers together tell about the words of an unknown language.

    Writers are stable without error nearly always, so the words that most stable ones share mean *no error*; when none
    is stable, the words that at least three waiting ones and most of them share.
    """
    stable: Counter[str] = Counter()
    waiting: Counter[str] = Counter()
    known = False
    for draft in drafts:
        if draft.error is None or draft.state is None or draft.error_cut:
            continue
        text, code = _after_colon(draft.error), _code(draft.state)
        known = known or catalog.kind_of(text) != "other"
        if text and code == catalog.STABLE:
            stable[text.lower()] += 1
        elif text and code in catalog.WAITING:
            waiting[text.lower()] += 1
    counts, least = (stable, 1) if stable else (waiting, 3)
    words, count = counts.most_common(1)[0] if counts else ("", 0)
    if count >= least and count * 2 > counts.total() and catalog.kind_of(words) == "other":
        return _Language(words, known)
    return _Language("", known)


def _writer(draft: _Draft, language: _Language) -> Writer:
    first, second = (*draft.guids, None)[:2]
    writer, instance = first or "", second or ""
    if len(draft.guids) == 1 and writer not in catalog.WRITERS and not _QUOTED.search(draft.name or ""):
        # Of a writer whose first lines are cut off the instance is what is left.
        writer, instance = "", writer
    code = _code(draft.state) if draft.state is not None else None
    error = _after_colon(draft.error) if draft.error is not None else ""
    kind = _kind(error, draft.error_cut, language)
    doubt = kind == "other" and not language.known and not language.no_error
    state_class = catalog.class_of(code, kind, doubt=doubt)
    return Writer(
        name=_name(draft.name, writer, instance),
        id=writer,
        instance=instance,
        code=code,
        state_text=_state_text(draft.state),
        state_class=state_class,
        error_text=error,
        error_kind=kind,
        service=catalog.service_of(writer),
        advice=catalog.advice_for(writer, code, state_class, kind),
    )


def _kind(error: str, cut: bool, language: _Language) -> str:
    if not error:
        return "unreadable"
    kind = catalog.kind_of(error)
    if kind != "other":
        return kind
    words, no_error = error.lower(), language.no_error
    if words == no_error:
        return "none"
    # The last line of a paste may end in the middle of any word.
    return "unreadable" if cut and (catalog.is_cut(error) or no_error.startswith(words)) else "other"


def _code(state: str) -> int:
    match = _STATE.search(state)
    return int(match[1]) if match else -1


def _state_text(state: str | None) -> str:
    match = _STATE.search(state) if state is not None else None
    return "" if state is None or match is None else state[match.end() :].strip(" :-")[:_SHOWN]


def _after_colon(line: str) -> str:
    """The value of a line; without a colon only a known error text counts as one."""
    label, colon, value = line.partition(":")
    if colon:
        return value.strip()[:_SHOWN]
    return label.strip() if catalog.kind_of(label) != "other" else ""


def _name(line: str | None, writer: str, instance: str) -> str:
    known = catalog.WRITERS.get(writer)
    name = ""
    if line is not None:
        named = _NAMED.search(line)
        quoted = _QUOTED.search(line) if ":" not in line else None
        name = named[2] if named else quoted[1] if quoted else line.partition(":")[2] or line
        name = name.strip(" '\"\ufffd")[:_SHOWN]
    if known is not None and (not name or _GARBLED.search(name)):
        return known.name
    return name or (f"{{{writer or instance}}}" if writer or instance else "?")


def _bounded(lines: list[str]) -> tuple[str, ...]:
    kept = [line[:_SHOWN] for line in lines[:UNREADABLE_LIMIT]]
    if len(lines) > UNREADABLE_LIMIT:
        kept.append(f"… and {len(lines) - UNREADABLE_LIMIT} more lines")
    return tuple(kept)
