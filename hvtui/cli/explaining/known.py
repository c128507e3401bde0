"""What is known of codes, events and products' texts: known.toml, with the findings catalogue where an entry fits."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib.resources import files
from typing import Final

import msgspec

from hvtui.findings.catalogue import catalogue
from hvtui.model.severity import Severity

SEVERITIES: Final = {"bad": Severity.BAD, "warn": Severity.WARN, "info": Severity.INFO, "": Severity.UNKNOWN}
_WILD: Final = r".{0,160}?"
_SUBJECT: Final = r"(?P<subject>[^']{1,256}?)"


class Case(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A kind of trouble. `finding` is the id of the catalogue's entry that has its words, empty for one of the file."""

    title: str
    cause: str
    next: str
    never: str
    undo: str = ""
    finding: str = ""


class Code(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An error code: Windows' name for it, what it says, and its case, empty when it may be anything."""

    name: str
    says: str
    case: str = ""


class EventRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"instead": "with"}):
    """Events of a source. `says` and `severity` are for ids that the catalogue of events does not have.

    `instead`: code → case, when the event carries that code.
    """

    source: str
    ids: list[int]
    says: str = ""
    severity: str = ""
    case: str = ""
    instead: dict[str, str] = {}


class Text(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"instead": "with"}):
    """A text of an event (`event`: source and id) or of a product. One of `any` or `regex` tells it.

    `general`: it only says that something of the product failed, and is not told beside another text of that product.
    """

    any: list[str] = []
    regex: str = ""
    event: tuple[str, int] | None = None
    product: str = ""
    says: str = ""
    severity: str = ""
    case: str = ""
    instead: dict[str, str] = {}
    general: bool = False


class Known(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file."""

    cases: dict[str, Case]
    codes: dict[str, Code]
    events: list[EventRow]
    texts: list[Text]

    def event(self, provider: str, number: int) -> EventRow | None:
        """The row of an event, None when none is about it."""
        name = provider.lower()
        return next((row for row in self.events if number in row.ids and name.startswith(row.source)), None)

    def sources_of(self, number: int) -> list[str]:
        """The sources that have an event of this id."""
        return [row.source for row in self.events if number in row.ids]


@cache
def known() -> Known:
    """The file that hvtui ships."""
    text = files("hvtui.cli.explaining").joinpath("known.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), Known)


def case_of(name: str) -> Case:
    """A case in its words: of the file, or of the findings catalogue. KeyError for a name that neither has."""
    own = known().cases.get(name)
    if own is not None:
        return own
    entry = catalogue().entries[name]
    return Case(title=entry.title, cause=entry.cause, next=entry.next, never=entry.never, undo=entry.undo, finding=name)


def patterns(text: Text) -> list[tuple[str, re.Pattern[str]]]:
    """For each phrase: words that must stand in the text before it is worth looking, and the pattern."""
    made = []
    for phrase in text.any:
        parts = re.split(r"(\*|\{subject\})", phrase)
        written = "".join({"*": _WILD, "{subject}": _SUBJECT}.get(part, re.escape(part)) for part in parts)
        made.append((max(parts, key=len), re.compile(written)))
    if text.regex:
        made.append(("", re.compile(text.regex)))
    return made
