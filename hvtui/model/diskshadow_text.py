"""Reading what `list writers status` of diskshadow prints: the writers that vssadmin lists, with numbers for words.

A writer is: a line with its name, a line with its number and the constant of VSS_WRITER_STATE, a line with an HRESULT,
two lines with a GUID (writer, instance). Labels are not read. What does not fit never makes a writer look healthy.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from hvtui.model import writer_catalog as catalog
from hvtui.model.writer_text import LIMIT, decode, plain_lines
from hvtui.model.writers import UNREADABLE_LIMIT, Writer, WriterReport

WRITER_LIMIT: Final = 2_000
STATES: Final = (
    "UNKNOWN",
    "STABLE",
    "WAITING_FOR_FREEZE",
    "WAITING_FOR_THAW",
    "WAITING_FOR_POST_SNAPSHOT",
    "WAITING_FOR_BACKUP_COMPLETE",
    "FAILED_AT_IDENTIFY",
    "FAILED_AT_PREPARE_BACKUP",
    "FAILED_AT_PREPARE_SNAPSHOT",
    "FAILED_AT_FREEZE",
    "FAILED_AT_THAW",
    "FAILED_AT_POST_SNAPSHOT",
    "FAILED_AT_BACKUP_COMPLETE",
    "FAILED_AT_PRE_RESTORE",
    "FAILED_AT_POST_RESTORE",
    "FAILED_AT_BACKUPSHUTDOWN",
)
"""VSS_WRITER_STATE of vss.h without its prefix, by number."""

_STATE: Final = re.compile(r"([0-9]{1,2}) ?\(VSS_WS_([A-Z_]+)\)")
_ERROR: Final = re.compile(r"0x([0-9a-fA-F]{8})(?: ?\((\w+)\))?")
_GUID: Final = re.compile(r"\{([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\}", re.IGNORECASE)
_NAME: Final = re.compile(r"WRITER +[\"']?(.+?)[\"']?\Z")
_COUNT: Final = re.compile(r"([0-9]{1,4}) \w[\w ]*\.\Z")
_SHOWN: Final = 300


@dataclass(slots=True)
class _Draft:
    name: str
    code: int | None = None
    state: str = ""
    error: str = ""
    guids: list[str] = field(default_factory=list)


def holds_diskshadow(text: str) -> bool:
    """Whether a text has a state as only diskshadow prints it."""
    return "VSS_WS_" in text


def read_diskshadow(text: str | bytes) -> WriterReport:
    """The writers of a text, however it was pasted; never raises."""
    text = decode(text) if isinstance(text, bytes) else text
    lines, _ = plain_lines(text)
    drafts: list[_Draft] = []
    unreadable: list[str] = []
    told: int | None = None
    for line in lines:
        draft = drafts[-1] if drafts else None
        name, state, guid, error = (p.search(line) for p in (_NAME, _STATE, _GUID, _ERROR))
        if name and (state or guid):
            # Several of a writer's lines run together: whose they are is not certain.
            unreadable.append(line[:_SHOWN])
        elif state and draft is not None and not draft.state:
            draft.state = state[2]
            number = int(state[1])
            draft.code = number if number < len(STATES) and STATES[number] == state[2] else None
        elif guid and draft is not None and len(draft.guids) < 2:
            draft.guids.append(guid[1].lower())
        elif error and not guid and draft is not None and not draft.error:
            draft.error = error[0]
        elif name:
            drafts.append(_Draft(name[1][:_SHOWN]))
        elif drafts and (count := _COUNT.match(line)):
            told = int(count[1])
        elif drafts or state or guid:
            unreadable.append(line[:_SHOWN])
    writers = tuple(_writer(draft) for draft in drafts[:WRITER_LIMIT])
    if told is not None and told != len(drafts):
        unreadable.append(f"the text says {told} writers, it shows {len(drafts)}")
    if len(text) > LIMIT or len(drafts) > WRITER_LIMIT:
        unreadable.append("… the text is longer than diskshadow's can be; the rest was not read")
    return WriterReport(
        writers=writers,
        unreadable=tuple(unreadable[:UNREADABLE_LIMIT]),
        failure="" if writers else "no writer could be read",
    )


def _writer(draft: _Draft) -> Writer:
    writer, instance = (*draft.guids, "", "")[:2]
    kind = catalog.kind_of(draft.error) if draft.error else "unreadable"
    state_class = catalog.class_of(draft.code, kind)
    known = catalog.WRITERS.get(writer)
    return Writer(
        name=draft.name or (known.name if known else "?"),
        id=writer,
        instance=instance,
        code=draft.code,
        state_text=draft.state,
        state_class=state_class,
        error_text=draft.error,
        error_kind=kind,
        service=catalog.service_of(writer),
        advice=catalog.advice_for(writer, draft.code, state_class, kind),
    )
