"""The table of cases answers as committed, under every culture, and runs past the module's branches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pytest

from tests.branches.__main__ import WANTED
from tests.branches.marks import branches, marked
from tests.powershell.answers import differences, kept
from tests.powershell.cases import CASES
from tests.powershell.engine import needs_engine
from tests.powershell.table import Run, TableEngine, assemble, parts, run_table
from tests.support.fuller import FULLER

# The whole table in one test: a minute and more on a busy machine.
pytestmark = [needs_engine, pytest.mark.timeout(600)]

CALENDARS: Final = (
    "PersianCalendar",
    "HebrewCalendar",
    "ThaiBuddhistCalendar",
    "HijriCalendar",
    "UmAlQuraCalendar",
    # JapaneseCalendar itself needs data of cultures that an engine may lack; this one has the same eras.
    "JapaneseLunisolarCalendar",
)
TRIED: Final = CALENDARS if FULLER else ()
"""Each takes the whole table once more; tests/engine/test_cultures.py has some on whole answers in every run."""


@pytest.fixture(scope="module")
def table() -> Iterator[TableEngine]:
    one = TableEngine()
    yield one
    one.close()


@pytest.fixture(scope="module")
def plain(table: TableEngine) -> Run:
    """The table under no culture."""
    return run_table(table, assemble(parts()))


def test_case_names_are_unique() -> None:
    assert len({case.name for case in CASES}) == len(CASES)


def test_answers_are_those_committed_and_the_branches_are_run(table: TableEngine) -> None:
    """Marks in the module change no answer, so one run tells both."""
    found = branches()
    run = run_table(table, marked(found))
    assert differences(kept(), run.answers) == []
    hits = frozenset[str]().union(*run.hits.values())
    missed = [branch for branch in found if branch.name not in hits]
    assert 100 * (len(found) - len(missed)) / len(found) >= WANTED, missed


@pytest.mark.parametrize("calendar", TRIED)
def test_another_culture_changes_no_answer(calendar: str, table: TableEngine, plain: Run) -> None:
    """Decimal comma, a minus that is no hyphen, Arabic digits and right-to-left names, years of another era."""
    assert differences(plain.answers, run_table(table, assemble(parts()), calendar).answers) == []
