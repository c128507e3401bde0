"""docs/findings.md is the catalogue, written down; with HVTUI_SNAPSHOTS=update it is written anew."""

from __future__ import annotations

import pytest

from hvtui.findings.catalogue import catalogue, parse
from hvtui.model.severity import Severity
from hvtui.ui.actions import ACTIONS
from tests.support.schemas import DOCS
from tests.support.snapshots import UPDATE
from tests.unit.findings.document import page

INCIDENTS = 67
"""How many the collection has."""
PAGE = DOCS / "findings.md"
ENTRY = "\n".join(f'{key} = "{key}"' for key in ("title", "looks", "cause", "next", "never", "undo", "source"))


def test_the_page_says_what_the_catalogue_says() -> None:
    if UPDATE:
        PAGE.write_text(page(catalogue()), encoding="utf-8", newline="\n")
    assert PAGE.read_text(encoding="utf-8") == page(catalogue()), __doc__


def test_actions_of_the_catalogue_are_the_console_s() -> None:
    known = {action.id for action in ACTIONS}
    assert {entry.action for entry in catalogue().entries.values() if entry.action} <= known


def test_every_entry_says_everything() -> None:
    for name, entry in catalogue().entries.items():
        for text in (entry.title, entry.looks, entry.cause, entry.next, entry.never, entry.undo, entry.source):
            assert text.strip() == text != "", name
        assert entry.signals, name


def test_every_known_incident_is_found_or_silent_or_said_to_be_unseen() -> None:
    told = catalogue()
    found = {number for entry in told.entries.values() for number in entry.incidents}
    unseen = {one.incident for one in told.unseen}
    silent = {one.incident for one in told.silent if one.incident}
    assert found | unseen | silent == set(range(1, INCIDENTS + 1))
    assert not unseen & (found | silent)


def test_an_entry_has_its_severity() -> None:
    made = parse(f'[one]\nseverity = "warn"\n{ENTRY}')
    assert made.entries["one"].level is Severity.WARN


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f'[one]\nseverity = "awful"\n{ENTRY}', r"\[one\]: severity is bad, warn or info, not awful"),
        (f"[one]\n{ENTRY}", r"\[one\].*severity"),
        (f'[one]\nseverity = "bad"\ncolour = "red"\n{ENTRY}', r"\[one\].*colour"),
        ("[[unseen]]\nincident = 22", r"\[\[unseen\]\]"),
        ('[[silent]]\nincident = "x"\nwhat = "x"', r"\[\[silent\]\]"),
    ],
)
def test_a_wrong_entry_is_named(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        parse(text)
