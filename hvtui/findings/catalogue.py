"""The catalogue: what each finding looks like, its likely cause, the safe next step, what not to do, and the undo.

One file, `catalogue.toml`, is the source of the console's pages, of the command line and of docs/findings.md.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

import msgspec

from hvtui.model.severity import Severity

_SEVERITIES: Final = {"bad": Severity.BAD, "warn": Severity.WARN, "info": Severity.INFO}


class Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A rule in words. `next`, `never` and `undo` are for a person at night: what to do first, what not, the way back.

    `incidents` are numbers of the collection of known incidents, `signals` what the rule reads, `action` the id of an
    action of the console, `source` where the facts are from.
    """

    title: str
    severity: str
    looks: str
    cause: str
    next: str
    never: str
    undo: str
    source: str
    incidents: tuple[int, ...] = ()
    signals: tuple[str, ...] = ()
    action: str = ""

    @property
    def level(self) -> Severity:
        """The severity as the console orders it."""
        return _SEVERITIES[self.severity]


class Unseen(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An incident that hvtui's signals cannot tell, and why."""

    incident: int
    what: str
    why: str


class Silent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something that looks like trouble and is none: no rule may speak. `incident` 0: not in the collection."""

    incident: int
    what: str
    why: str = ""


@dataclass(frozen=True)
class Catalogue:
    """All entries by rule, in the order of the file."""

    entries: dict[str, Entry]
    unseen: tuple[Unseen, ...] = ()
    silent: tuple[Silent, ...] = ()


def parse(text: str) -> Catalogue:
    """The catalogue in `text`; raises ValueError that names the entry and what is wrong with it."""
    tables: dict[str, Any] = tomllib.loads(text)
    unseen, silent = tables.pop("unseen", []), tables.pop("silent", [])
    entries = {}
    for name, table in tables.items():
        try:
            entry = msgspec.convert(table, Entry)
        except msgspec.ValidationError as error:
            raise ValueError(f"catalogue: [{name}]: {error}") from None
        if entry.severity not in _SEVERITIES:
            raise ValueError(f"catalogue: [{name}]: severity is bad, warn or info, not {entry.severity}")
        entries[name] = entry
    try:
        return Catalogue(
            entries, msgspec.convert(unseen, tuple[Unseen, ...]), msgspec.convert(silent, tuple[Silent, ...])
        )
    except msgspec.ValidationError as error:
        raise ValueError(f"catalogue: [[unseen]] or [[silent]]: {error}") from None


@cache
def catalogue() -> Catalogue:
    """The one that hvtui ships."""
    return parse(files("hvtui.findings").joinpath("catalogue.toml").read_text(encoding="utf-8"))
