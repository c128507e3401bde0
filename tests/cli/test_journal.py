"""`hvtui journal`: lists, shows, verifies and exports what the journal has."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from hvtui.journal.entry import Failure, Kind
from hvtui.journal.store import Journal
from tests.support.cli import Shell
from tests.support.journal import entry
from tests.support.schemas import checked

OPERATION = "5b4b7b0c-3f5e-4a5e-9a49-0f5b9b1f3a11"


@pytest.fixture
def journal() -> Iterator[Journal]:
    """Four lines: a note, and an operation with one call that failed."""
    made = Journal()
    made.append(entry(text="first"))
    made.append(entry(Kind.BEGUN, operation=OPERATION, verb="migrate", title="Move SQL07", target="SQL07"))
    failure = Failure(kind="windows", code="0x800705aa", text="no memory")
    made.append(
        entry(
            Kind.OUTCOME,
            operation=OPERATION,
            call="c",
            step=1,
            function="Move-HvTuiVM",
            node="HV01",
            target_kind="vm",
            target="SQL\x1b[31m07",
            outcome="failed",
            error=failure,
            command="Move-ClusterVirtualMachineRole -VMId x",
            requested={"Node": "HV02"},
            duration=0.2,
        )
    )
    made.append(entry(Kind.ENDED, operation=OPERATION, outcome="failed"))
    yield made
    made.close()


def test_it_lists_newest_last_and_no_escape_reaches_the_terminal(journal: Journal, shell: Shell) -> None:
    ran = shell("journal", "list")
    assert ran.code == 0
    assert "4 of 4 lines" in ran.out
    assert "alice@PC7" in ran.out
    assert "outcome: Move-HvTuiVM" in ran.out
    assert "\x1b" not in ran.out
    assert len(shell("journal", "list", "--last", "2").out.strip().splitlines()) == 4
    everything = checked("journal", shell("journal", "list", "--last", "0", "--json").out)
    assert [line["id"] for line in everything["lines"]] == [1, 2, 3, 4]


def test_an_empty_journal_is_said_to_be_empty(shell: Shell) -> None:
    ran = shell("journal", "list")
    assert ran.code == 0
    assert "empty" in ran.out


@pytest.mark.parametrize("wanted", ["3", OPERATION, OPERATION[:8], OPERATION[:8].upper()])
def test_it_shows_a_whole_operation(journal: Journal, shell: Shell, wanted: str) -> None:
    ran = shell("journal", "show", wanted)
    assert ran.code == 0
    assert "error.code: 0x800705aa" in ran.out
    assert "command: Move-ClusterVirtualMachineRole -VMId x" in ran.out
    assert [line["id"] for line in checked("journal", shell("journal", "show", wanted, "--json").out)["lines"]] == [
        2,
        3,
        4,
    ]


def test_it_shows_a_line_without_an_operation_alone(journal: Journal, shell: Shell) -> None:
    assert [line["id"] for line in json.loads(shell("journal", "show", "1", "--json").out)["lines"]] == [1]


def test_what_is_not_there_or_not_said_is_complained_of(journal: Journal, shell: Shell) -> None:
    assert shell("journal", "show", "99").code == 2
    assert shell("journal", "show").code == 64
    assert shell("journal", "list", "3").code == 64
    assert shell("journal", "export").code == 64
    journal.append(entry(Kind.BEGUN, operation=OPERATION.replace("3a11", "3a12")))
    assert "several operations" in shell("journal", "show", OPERATION[:8]).err


def test_it_verifies_and_names_the_line(journal: Journal, shell: Shell) -> None:
    assert shell("journal", "verify").code == 0
    whole = json.loads(shell("journal", "verify", "--json").out)
    assert (whole["whole"], whole["lines"], whole["faults"]) == (True, 4, [])
    with closing(sqlite3.connect(journal.file, isolation_level=None)) as database:
        database.execute("DROP TRIGGER lines_last")
        database.execute("DELETE FROM lines WHERE id = 2")
    ran = shell("journal", "verify")
    assert ran.code == 1
    assert "line 2 is missing" in ran.out
    assert json.loads(shell("journal", "verify", "--json").out)["faults"] == [{"line": 2, "text": "line 2 is missing"}]
    export = shell("journal", "export", "--json")
    assert export.code == 1
    assert checked("journal", export.out)["whole"] is False


def test_the_export_has_every_line(journal: Journal, shell: Shell) -> None:
    ran = shell("journal", "export", "--json")
    assert ran.code == 0
    exported = checked("journal", ran.out)
    assert exported["whole"] is True
    assert [line["hash"] for line in exported["lines"]] == [line.hash for line in journal.lines()]


def test_a_journal_that_cannot_be_read_ends_in_one_line(journal: Journal, shell: Shell) -> None:
    journal.close()
    for file in journal.folder.glob("journal.sqlite3*"):
        file.unlink()
    journal.file.write_bytes(b"no database" * 500)
    ran = shell("journal", "verify")
    assert ran.code == 2
    assert "cannot be read" in ran.err
    assert "Traceback" not in ran.err


def test_what_a_killed_console_left_is_closed_by_a_person(journal: Journal, shell: Shell) -> None:
    left = "6c5c8c1d-4f6e-4b6f-8b5a-1f6c0c2f4b22"
    journal.append(entry(Kind.BEGUN, operation=left, verb="drain", title="Drain HV03"))
    assert shell("journal", "close", OPERATION, "--note", "it has ended").code == 2, "that one is not unfinished"
    assert shell("journal", "close").code == 64
    assert shell("journal", "close", left).code == 64, "without a reason"
    assert shell("journal", "close", left, "--note", "  ").code == 64
    ran = shell("journal", "close", left[:8].upper(), "--note", "resumed by hand")
    assert (ran.code, ran.out) == (0, f"closed: Drain HV03 ({left})\n")
    (closed,) = journal.lines(kinds=[Kind.CLOSED])
    assert (closed.entry.operation, closed.entry.text, closed.entry.cluster_id) == (left, "resumed by hand", "id-1")
    assert shell("journal", "close", left, "--note", "again").code == 2
    assert shell("journal", "verify").code == 0
