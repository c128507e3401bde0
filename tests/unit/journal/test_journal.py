"""The journal's file: what is written is there, in order and chained, whoever writes and whenever it ends."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from hvtui.journal.entry import Failure, Kind
from hvtui.journal.store import BATCH, FILE, HEAD, Journal, JournalError
from hvtui.journal.verify import Report, verify
from tests.support.journal import entry

WRITER = """
import sys
from pathlib import Path
from hvtui.journal.store import Journal
from tests.support.journal import entry
journal = Journal(Path(sys.argv[1]))
for number in range(int(sys.argv[3])):
    print(journal.append(entry(text=f"{sys.argv[2]} {number}")), flush=True)
"""


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    made = Journal(tmp_path)
    yield made
    made.close()


def fill(journal: Journal, count: int = 5) -> None:
    for number in range(count):
        journal.append(entry(text=f"line {number + 1}"))


def edit(folder: Path, change: Callable[[sqlite3.Connection], object]) -> None:
    """Change the file as somebody would who wants to hide something: the guards in it are no obstacle."""
    with closing(sqlite3.connect(folder / FILE, isolation_level=None)) as database:
        database.execute("DROP TRIGGER lines_stay")
        database.execute("DROP TRIGGER lines_last")
        change(database)


def faults(report: Report) -> list[tuple[int, str]]:
    return [(fault.line, fault.text) for fault in report.faults]


def test_lines_come_back_as_they_were_written(journal: Journal) -> None:
    written = entry(
        Kind.OUTCOME,
        operation="op",
        call="call",
        target_kind="vm",
        target="Ünïcode [1] '\u202e",
        requested={"Node": "HV02", "state": 2},
        before={"owner": "HV01"},
        after={"owner": None},
        outcome="failed",
        error=Failure(kind="windows", code="0x800705aa", text="no memory"),
        command="Move-ClusterVirtualMachineRole -VMId x",
        duration=1.5,
    )
    assert journal.append(written) == 1
    assert journal.append(entry()) == 2
    lines = journal.lines()
    assert [line.id for line in lines] == [1, 2]
    assert lines[0].entry == written
    assert journal.lines(operation="op")[0].entry == written
    assert journal.lines(kinds=(Kind.OUTCOME,))[0].id == 1
    report = verify(journal.folder)
    assert (report.lines, report.faults, report.notes) == (2, (), ())


def test_an_empty_journal_is_right_and_reading_makes_no_file(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "none")
    assert journal.lines() == []
    assert verify(tmp_path / "none") == Report(lines=0)
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("number", [1, 3, 5])
def test_a_changed_line_is_named(journal: Journal, number: int) -> None:
    fill(journal)
    text = json.dumps({"text": "harmless"})
    edit(
        journal.folder,
        lambda db: db.execute("UPDATE lines SET body = json_patch(body, ?) WHERE id = ?", (text, number)),
    )
    assert [line for line, _ in faults(verify(journal.folder))] == [number]


@pytest.mark.parametrize("column", ["operation", "kind", "function"])
def test_a_line_filed_as_something_else_is_named(journal: Journal, column: str) -> None:
    fill(journal)
    edit(journal.folder, lambda db: db.execute(f"UPDATE lines SET {column} = 'x' WHERE id = 2"))
    assert faults(verify(journal.folder)) == [(2, "line 2 is filed as something else than it says")]


@pytest.mark.parametrize(
    ("cut", "line", "text"),
    [
        ("id = 1", 1, "line 1 is missing"),
        ("id = 3", 3, "line 3 is missing"),
        ("id IN (2, 3)", 2, "lines 2 to 3 are missing"),
        ("id = 5", 5, "line 5 is missing at the end"),
        ("id > 2", 3, "lines 3 to 5 are missing at the end"),
        ("id > 0", 1, "lines 1 to 5 are missing at the end"),
    ],
)
def test_missing_and_cut_lines_are_named(journal: Journal, cut: str, line: int, text: str) -> None:
    fill(journal)
    edit(journal.folder, lambda db: db.execute(f"DELETE FROM lines WHERE {cut}"))
    assert faults(verify(journal.folder)) == [(line, text)]


def test_what_is_written_after_a_cut_does_not_hide_it(journal: Journal) -> None:
    fill(journal)
    edit(journal.folder, lambda db: db.execute("DELETE FROM lines WHERE id > 3"))
    journal.close()
    again = Journal(journal.folder)
    assert again.append(entry(text="later")) == 7
    again.close()
    assert [kind.entry.kind for kind in again.lines()[-2:]] == [Kind.DAMAGE, Kind.NOTE]
    found = faults(verify(journal.folder))
    assert (4, "lines 4 to 5 are missing") in found
    assert any(line == 6 and "lines 4 to 5 are missing" in text for line, text in found)
    assert "lines 4 to 5 are missing" in again.notes[0]


def test_a_last_line_rewritten_with_its_hash_is_missed_by_the_head(journal: Journal) -> None:
    from hvtui.journal.chain import digest

    fill(journal)
    lines = journal.lines()
    body = json.dumps(json.loads(_body(journal.folder, 5)) | {"text": "harmless"})
    forged = digest(lines[3].hash, 5, body)
    edit(journal.folder, lambda db: db.execute("UPDATE lines SET body = ?, hash = ? WHERE id = 5", (body, forged)))
    assert faults(verify(journal.folder)) == [(5, "line 5 is not the one that the head was written for")]


def _body(folder: Path, number: int) -> str:
    with closing(sqlite3.connect(folder / FILE)) as database:
        return str(database.execute("SELECT body FROM lines WHERE id = ?", (number,)).fetchone()[0])


def test_a_missing_and_an_unreadable_head_are_named(journal: Journal) -> None:
    fill(journal)
    (journal.folder / HEAD).unlink()
    assert "head is missing" in faults(verify(journal.folder))[0][1]
    (journal.folder / HEAD).write_text("{")
    assert "cannot be read as one" in faults(verify(journal.folder))[0][1]


def test_the_lines_cannot_be_changed_by_accident(journal: Journal) -> None:
    fill(journal)
    with closing(sqlite3.connect(journal.file)) as database:
        with pytest.raises(sqlite3.DatabaseError, match="only added"):
            database.execute("UPDATE lines SET body = '{}'")
        with pytest.raises(sqlite3.DatabaseError, match="only added"):
            database.execute("DELETE FROM lines")


def test_a_head_left_behind_is_put_right_and_said(journal: Journal) -> None:
    fill(journal, 2)
    head = (journal.folder / HEAD).read_bytes()
    fill(journal, 1)
    (journal.folder / HEAD).write_bytes(head)
    report = verify(journal.folder)
    assert (report.faults, len(report.notes)) == ((), 1)
    again = Journal(journal.folder)
    again.open()
    assert "line 3 had been written" in again.notes[0]
    again.append(entry())
    again.close()
    assert (verify(journal.folder).faults, verify(journal.folder).notes) == ((), ())


def test_many_lines_at_once_are_chained_and_survive_a_kill_in_between(journal: Journal) -> None:
    """The lines of a batch are there, the head is not: the next one to open it puts that right and says so."""
    first = journal.append(entry())
    last = journal.append_all([entry(text=f"line {number}") for number in range(1, 2 * BATCH + 4)])
    assert last == first + 2 * BATCH + 3
    assert verify(journal.folder).faults == ()
    head = (journal.folder / HEAD).read_bytes()
    journal.append_all([entry(text=f"line {number}") for number in range(BATCH)])
    (journal.folder / HEAD).write_bytes(head)
    journal.close()
    again = Journal(journal.folder)
    again.open()
    (note,) = again.notes
    assert f"lines {last + 1} to {last + BATCH} had been written when a process ended" in note
    assert verify(journal.folder).faults == ()
    assert len(again.lines()) == first + 3 * BATCH + 3
    again.close()


def test_the_first_line_without_its_head_is_no_damage(journal: Journal) -> None:
    fill(journal, 1)
    (journal.folder / HEAD).unlink()
    assert verify(journal.folder).faults == ()
    journal.append(entry())
    assert verify(journal.folder).faults == ()


def test_secrets_are_nowhere_in_the_files(tmp_path: Path) -> None:
    canary, quoted = "Sw0rdfish-7f3a", 'pass"\\wörd'
    journal = Journal(tmp_path, secrets=lambda: (canary, quoted, "", "abc"))
    journal.append(
        entry(
            Kind.OUTCOME,
            title=f"x {canary}",
            text=f"denied: {quoted}",
            command=f"net use /user:a {canary} abc",
            requested={"a": canary, "b": 3},
            before={"b": quoted},
            error=Failure(kind="x", text=canary, hint=quoted),
            target=canary,
        )
    )
    line = journal.lines()[0].entry
    journal.close()
    assert (line.title, line.text, line.requested["a"]) == ("x ***", "denied: ***", "***")
    assert line.command == "net use /user:a *** abc", "too short to be told from ordinary words"
    for file in tmp_path.rglob("*"):
        if file.is_file():
            content = file.read_bytes()
            assert canary.encode() not in content
            assert json.dumps(quoted)[1:-1].encode() not in content
            assert quoted.encode() not in content
    assert verify(tmp_path).faults == ()


def test_two_processes_write_at_once_and_the_chain_stays_right(tmp_path: Path) -> None:
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), name, "40"], stdout=subprocess.PIPE, text=True)
        for name in ("one", "two")
    ]
    numbers = [int(n) for writer in writers for n in writer.communicate(timeout=100)[0].split()]
    assert all(writer.returncode == 0 for writer in writers)
    assert sorted(numbers) == list(range(1, 81))
    report = verify(tmp_path)
    assert (report.lines, report.faults, report.notes) == (80, (), ())
    journal = Journal(tmp_path)
    texts = [line.entry.text for line in journal.lines()]
    journal.close()
    for name in ("one", "two"):
        assert [t for t in texts if t.startswith(name)] == [f"{name} {number}" for number in range(40)]


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_killed_at_any_moment_it_opens_again_and_verifies(tmp_path: Path) -> None:
    told = 0
    for attempt in range(6):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path), f"r{attempt}", "100000"], stdout=subprocess.PIPE, text=True
        )
        assert writer.stdout is not None
        for _ in range(1 + 3 * attempt):
            told = int(writer.stdout.readline())
        os.kill(writer.pid, signal.SIGKILL)
        rest = writer.communicate(timeout=60)[0].split("\n")
        told = max([told, *(int(number) for number in rest[:-1] if number)])
        assert verify(tmp_path).faults == ()
    journal = Journal(tmp_path)
    journal.open()
    assert journal.append(entry(text="after all")) > told, "what was told as written is there"
    assert len(journal.lines()) == journal.lines()[-1].id
    journal.close()
    report = verify(tmp_path)
    assert (report.faults, report.notes) == ((), ())


def test_a_journal_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    journal = Journal(tmp_path / "file")
    with pytest.raises(JournalError, match="cannot be written"):
        journal.open()
    with pytest.raises(JournalError, match="cannot be written"):
        journal.append(entry())


def test_a_file_that_is_no_journal_says_so(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"this is no database at all, not even a small one" * 100)
    with pytest.raises(JournalError, match="cannot be written"):
        Journal(tmp_path).append(entry())
    with pytest.raises(JournalError, match="cannot be read"):
        verify(tmp_path)


def test_a_head_that_cannot_be_replaced_stops_a_change(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(journal, 1)

    def refuse(self: Path, target: Path) -> Path:
        raise PermissionError(13, "in use")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(JournalError, match="in use"):
        journal.append(entry())
    monkeypatch.undo()
    assert not list(journal.folder.glob(f"{HEAD}?*")), "nothing is left beside it"
    assert verify(journal.folder).faults == ()
