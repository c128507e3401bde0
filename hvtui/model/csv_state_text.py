"""Reading what a person pasted of `Get-ClusterSharedVolumeState`: a list of blocks, or a table.

PowerShell's property and enum names are the same in every language. A name that no document lists stays as it is and is
said to be unknown. A table cuts what does not fit: a name that was cut counts when it can be one name only.
"""

from __future__ import annotations

import re
from enum import IntEnum, IntFlag
from typing import Final

import msgspec

from hvtui.model.conditions import io_word
from hvtui.model.enums import BlockRedirectedIOReason, CsvIoState, FileSystemRedirectedIOReason
from hvtui.model.pasted import pasted
from hvtui.model.powershell_text import read_rows, whole
from hvtui.model.severity import Severity
from hvtui.model.writer_text import LIMIT, decode

ROW_LIMIT: Final = 10_000
_LINE: Final = re.compile(r"[ \t>*]*(\w+)[ \t]*:[ \t]?(.*)\Z")
_BREAKS: Final = re.compile(r"\r\n|[\r\n]")
_LENGTH: Final = 300
_NAMES: Final = {
    name.lower(): name
    for name in (
        "BlockRedirectedIOReason",
        "FileSystemRedirectedIOReason",
        "Name",
        "Node",
        "StateInfo",
        "VolumeFriendlyName",
        "VolumeName",
    )
}
_STATE, _REASON, _BLOCK = "StateInfo", "FileSystemRedirectedIOReason", "BlockRedirectedIOReason"
_NONE: Final = {"NotFileSystemRedirected", "NotBlockRedirected"}
_WHOLE: Final = {
    _STATE: frozenset(CsvIoState.__members__),
    _REASON: frozenset({*FileSystemRedirectedIOReason.__members__, "NotFileSystemRedirected"}),
    _BLOCK: frozenset({*BlockRedirectedIOReason.__members__, "NotBlockRedirected"}),
}


class CsvStateText(msgspec.Struct, frozen=True, kw_only=True):
    """One node's way to one volume; empty texts for what was not printed.

    `unknown` holds the values that no document lists and the names of properties without which nothing can be said.
    """

    volume: str
    node: str
    state: str
    reason: str
    block: str
    severity: Severity
    meaning: str
    unknown: tuple[str, ...] = ()


def holds_csv_states(text: str) -> bool:
    """Whether a text is one of this command."""
    return _STATE in text and (_REASON in text or _BLOCK in text)


def read_csv_states(text: str | bytes) -> tuple[CsvStateText, ...]:
    """Every block of a text; never raises."""
    text = (decode(text) if isinstance(text, bytes) else text)[:LIMIT]
    rows: list[CsvStateText] = []
    block: dict[str, str] = {}
    for line in [*_BREAKS.split(text), ""]:
        # Blocks first; a table has no line with a colon behind one of the names.
        match = _LINE.match(line[: 2 * _LENGTH])
        name = _NAMES.get(match[1].lower()) if match else None
        if match is None or name is None or name in block:
            if _STATE in block and len(rows) < ROW_LIMIT:
                rows.append(_row(block))
            block = {}
        if match is not None and name is not None:
            block[name] = match[2].strip()[:_LENGTH]
    return tuple(rows or _table(text))


def _table(text: str) -> list[CsvStateText]:
    rows = []
    for row in read_rows(pasted(text).lines, _NAMES.values())[:ROW_LIMIT]:
        found = {name: row.get(name) for name in _NAMES.values() if row.get(name)}
        for name, names in _WHOLE.items():
            if name in found:
                found[name] = ", ".join(whole(part.strip(), names) for part in found[name].split(","))
        if _STATE in found:
            rows.append(_row(found, table=True))
    return rows


def _row(block: dict[str, str], *, table: bool = False) -> CsvStateText:
    unknown: list[str] = []
    state = _number(CsvIoState, block.get(_STATE, ""), unknown)
    reason = _number(FileSystemRedirectedIOReason, block.get(_REASON, ""), unknown)
    blocked = _number(BlockRedirectedIOReason, block.get(_BLOCK, ""), unknown)
    severity, meaning = _meaning(state, reason, blocked)
    # A table has the columns that somebody chose; only what decides is missing then.
    needed = _DECIDING.get(state, ()) if table else (_STATE, _REASON, _BLOCK)
    missing = [name for name in needed if not block.get(name)]
    return CsvStateText(
        volume=block.get("VolumeFriendlyName") or block.get("Name") or block.get("VolumeName", ""),
        node=block.get("Node", ""),
        state=block.get(_STATE, ""),
        reason=block.get(_REASON, ""),
        block=block.get(_BLOCK, ""),
        severity=severity,
        meaning=meaning,
        unknown=(*unknown, *missing),
    )


def _number(enum: type[IntEnum] | type[IntFlag], text: str, unknown: list[str]) -> int | None:
    """The number of a name, of several with commas between, or a number itself; None when one of them is unknown."""
    total = 0
    for part in text.split(","):
        name = part.strip()
        if name in enum.__members__:
            total |= enum[name].value
        elif name.isascii() and name.isdigit() and len(name) < 10:
            total |= int(name)
        elif name not in _NONE:
            if name:
                unknown.append(name)
            return None
    return total


def _meaning(state: int | None, reason: int | None, block: int | None) -> tuple[Severity, str]:
    deciding = reason if state == CsvIoState.FileSystemRedirected else block
    if state in _PLAIN:
        return _PLAIN[state]
    if state not in (CsvIoState.FileSystemRedirected, CsvIoState.BlockRedirected) or deciding is None:
        return Severity.UNKNOWN, "not known what this means"
    if not io_word(None, state, reason or 0, block or 0):
        return Severity.OK, "redirected by design, no fault"
    if state == CsvIoState.BlockRedirected:
        return Severity.WARN, "this node reaches the disk through the coordinator node only"
    return _redirected(deciding & ~FileSystemRedirectedIOReason.FileSystemReFs)


def _redirected(reason: int) -> tuple[Severity, str]:
    if not reason:
        return Severity.WARN, "redirected; Windows gives no reason, perhaps a backup runs"
    severity = Severity.WARN if reason & ~_PASSING else Severity.INFO
    return severity, _REASONS.get(reason, "redirected for several reasons")


_DECIDING: Final[dict[int | None, tuple[str, ...]]] = {
    CsvIoState.FileSystemRedirected: (_REASON,),
    CsvIoState.BlockRedirected: (_BLOCK,),
}
_PLAIN: Final[dict[int | None, tuple[Severity, str]]] = {
    CsvIoState.Direct: (Severity.OK, "direct: the node reaches the storage itself"),
    CsvIoState.Unavailable: (Severity.BAD, "the volume cannot be reached"),
    CsvIoState.Paused: (Severity.BAD, "I/O is paused and queued"),
}
_PASSING: Final = FileSystemRedirectedIOReason.FileSystemTiering | FileSystemRedirectedIOReason.BitLockerInitializing
"""Reasons that end by themselves."""
_REASONS: Final[dict[int, str]] = {
    FileSystemRedirectedIOReason.UserRequest: "redirected because a person or product turned it on",
    FileSystemRedirectedIOReason.IncompatibleFileSystemFilter: (
        "redirected because of a file system filter: `fltmc filters` on the node names it"
    ),
    FileSystemRedirectedIOReason.IncompatibleVolumeFilter: "redirected because of a volume filter",
    FileSystemRedirectedIOReason.FileSystemTiering: "redirected while tiers are moved",
    FileSystemRedirectedIOReason.BitLockerInitializing: "redirected while BitLocker begins",
}
