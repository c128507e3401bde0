"""Reading what a person pasted of `Get-ClusterSharedVolumeState`: the list form, one block for each volume and node.

PowerShell's property and enum names are the same in every language. A name that no document lists stays as it is and is
said to be unknown; a table is not read, because it cuts what does not fit.
"""

from __future__ import annotations

import re
from enum import IntEnum, IntFlag
from typing import Final

import msgspec

from hvtui.model.conditions import io_word
from hvtui.model.enums import BlockRedirectedIOReason, CsvIoState, FileSystemRedirectedIOReason
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
        match = _LINE.match(line[: 2 * _LENGTH])
        name = _NAMES.get(match[1].lower()) if match else None
        if match is None or name is None or name in block:
            if _STATE in block and len(rows) < ROW_LIMIT:
                rows.append(_row(block))
            block = {}
        if match is not None and name is not None:
            block[name] = match[2].strip()[:_LENGTH]
    return tuple(rows)


def _row(block: dict[str, str]) -> CsvStateText:
    unknown: list[str] = []
    state = _number(CsvIoState, block.get(_STATE, ""), unknown)
    reason = _number(FileSystemRedirectedIOReason, block.get(_REASON, ""), unknown)
    blocked = _number(BlockRedirectedIOReason, block.get(_BLOCK, ""), unknown)
    severity, meaning = _meaning(state, reason, blocked)
    missing = [name for name in (_STATE, _REASON, _BLOCK) if not block.get(name)]
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
