"""What a console that was killed leaves open is found, and what another one still does is left alone."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import pytest

from hvtui.journal.entry import Entry, Kind
from hvtui.journal.store import Journal
from hvtui.journal.unfinished import START, STOP, stopped_services, unfinished
from tests.support.journal import entry

CONSOLE = """
import sys
from pathlib import Path
from hvtui.journal.entry import Kind
from hvtui.journal.store import Journal
from tests.support.journal import entry
journal = Journal(Path(sys.argv[1]))
journal.append(entry(Kind.BEGUN, operation="theirs", session=journal.session, requested={"plan": "{}"}))
journal.append(entry(Kind.STEP, operation="theirs", session=journal.session, call="c1", step=1))
print("ready", flush=True)
sys.stdin.read()
"""


def of(journal: Journal, *entries: Entry) -> list[str]:
    for one in entries:
        journal.append(one)
    return [one.operation for one in unfinished(journal, "id-1")]


def begun(operation: str, **more: object) -> Entry:
    return entry(Kind.BEGUN, operation=operation, session="11111111-1111-1111-1111-111111111111", **more)


def test_an_operation_without_an_end_is_unfinished(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    assert of(journal, begun("a"), begun("b"), entry(Kind.ENDED, operation="a")) == ["b"]
    assert of(journal, begun("c"), entry(Kind.CLOSED, operation="b")) == ["c"]
    assert of(journal, begun("d", cluster_id="another")) == ["c"]
    journal.close()


def test_its_calls_tell_which_ended(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    of(
        journal,
        begun("a", requested={"plan": '{"x": 1}'}),
        entry(Kind.STEP, operation="a", call="1", step=1),
        entry(Kind.OUTCOME, operation="a", call="1", outcome="started"),
        entry(Kind.READ_BACK, operation="a", call="1", outcome="done"),
        entry(Kind.STEP, operation="a", call="2", step=2),
        entry(Kind.OUTCOME, operation="a", call="2", outcome="unknown"),
        entry(Kind.STEP, operation="a", call="3", step=3, text="last"),
    )
    found = unfinished(journal)[0]
    journal.close()
    assert [call.open for call in found.calls] == [False, True, True]
    assert found.plan == '{"x": 1}'
    assert found.last.text == "last"


def test_what_runs_here_is_not_unfinished_until_it_is_left(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    mine = entry(Kind.BEGUN, operation="mine", session=journal.session)
    assert of(journal, mine) == []
    assert of(journal, entry(Kind.LEFT, operation="mine", session=journal.session)) == ["mine"]
    journal.close()
    other = Journal(tmp_path)
    assert of(other) == ["mine"]
    other.close()


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_a_living_console_keeps_its_operation_and_a_killed_one_does_not(tmp_path: Path) -> None:
    console = subprocess.Popen(
        [sys.executable, "-c", CONSOLE, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert console.stdout is not None
        assert console.stdout.readline() == "ready\n"
        journal = Journal(tmp_path)
        assert of(journal) == []
        os.kill(console.pid, signal.SIGKILL)
        console.wait(60)
        assert of(journal) == ["theirs"]
        journal.close()
    finally:
        console.kill()
        console.communicate()


def service(kind: Kind, function: str, call: str, **more: object) -> Entry:
    return entry(kind, function=function, call=call, target_kind="service", target_id="HV03/vmms", **more)


def stopped(tmp_path: Path, *entries: Entry) -> list[str]:
    journal = Journal(tmp_path)
    for one in entries:
        journal.append(one)
    found = list(stopped_services(journal, "id-1"))
    journal.close()
    return found


def test_a_stop_without_a_start_is_told_even_when_nobody_saw_its_end(tmp_path: Path) -> None:
    assert stopped(tmp_path, service(Kind.STEP, STOP, "1")) == ["hv03/vmms"]
    assert stopped(tmp_path, service(Kind.OUTCOME, STOP, "1", outcome="started")) == ["hv03/vmms"]
    assert stopped(tmp_path, service(Kind.STEP, START, "2")) == ["hv03/vmms"]
    assert stopped(tmp_path, service(Kind.OUTCOME, START, "2", outcome="unknown")) == ["hv03/vmms"]
    assert stopped(tmp_path, service(Kind.READ_BACK, START, "2", outcome="done")) == []


def test_a_refused_stop_stopped_nothing(tmp_path: Path) -> None:
    assert stopped(tmp_path, service(Kind.STEP, STOP, "1"), service(Kind.OUTCOME, STOP, "1", outcome="refused")) == []
    again = (service(Kind.STEP, STOP, "2"), service(Kind.OUTCOME, STOP, "2", outcome="started"))
    assert stopped(tmp_path, *again) == ["hv03/vmms"]
    other = service(Kind.STEP, STOP, "3", cluster_id="another")
    assert stopped(tmp_path, service(Kind.OUTCOME, START, "4", outcome="started"), other) == []


def test_what_killed_processes_left_is_swept_after_a_day_and_the_living_stay(tmp_path: Path) -> None:
    living = Journal(tmp_path)
    living.open()
    left = [tmp_path / "sessions" / f"{uuid4()}.lock" for _ in range(2)]
    for file in left:
        with closing(sqlite3.connect(file)) as database:
            database.execute("CREATE TABLE alive (id)")
    for file in (*left[:1], tmp_path / "sessions" / f"{living.session}.lock"):
        os.utime(file, (1, 1))
    other = Journal(tmp_path)
    other.open()
    assert not left[0].exists()
    assert left[1].exists(), "a young file may be one that is just being locked"
    assert other.writer_lives(living.session)
    other.close()
    living.close()
    assert [file.name for file in (tmp_path / "sessions").iterdir()] == [left[1].name]
