"""`hvtui recording` and `hvtui replay` on good files, and on files that are none; names that must not be left."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from hvtui.recording import keyframe
from hvtui.recording.reader import Recording
from tests.support.cli import Shell
from tests.support.recorded import ToldFeed, record_world, recorder_of
from tests.support.schemas import checked


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty-five minutes of the worst scenario, with a finding and an operation in it."""
    file = tmp_path_factory.mktemp("night") / "night.hvtrec"
    record_world("stuck-writer", file, 1_500.0, 10.0, at=3_000.0)
    return file


def test_what_a_recording_is_of(night: Path, shell: Shell) -> None:
    ran = shell("recording", "show", str(night))
    assert (ran.code, ran.err) == (0, "")
    assert "CLU-STUCK: 6 nodes, 57 VMs at its end" in ran.out
    assert "(0:25:00)" in ran.out
    told = checked("recording", shell("recording", "show", str(night), "--json").out)
    assert told["whole"]
    assert (told["nodes"], told["vms"], told["bytes"]) == (6, 57, night.stat().st_size)


def _foreign(file: Path) -> None:
    file.unlink()
    with closing(sqlite3.connect(file)) as other:
        other.execute("CREATE TABLE head (key, value)")


def _newer(file: Path) -> None:
    with closing(sqlite3.connect(file)) as database:
        database.execute("PRAGMA user_version = 2")


def _cut(file: Path) -> None:
    raw = file.read_bytes()
    file.write_bytes(raw[: len(raw) // 2 // 4096 * 4096])


def _spoiled(file: Path) -> None:
    with closing(sqlite3.connect(file)) as database:
        number, body = database.execute("SELECT id, body FROM segments ORDER BY id DESC LIMIT 1").fetchone()
        broken = body[: len(body) // 2] + bytes([body[len(body) // 2] ^ 0xFF]) + body[len(body) // 2 + 1 :]
        database.execute("UPDATE segments SET body = ? WHERE id = ?", (broken, number))
        database.commit()


def _no_base(file: Path) -> None:
    with closing(sqlite3.connect(file)) as database:
        database.execute("UPDATE segments SET base = 99 WHERE id = (SELECT max(id) FROM segments)")
        database.commit()


def _hostile(file: Path) -> None:
    """A body that would unpack to more than any memory."""
    header = bytes.fromhex("28b52ffd") + bytes([0xE0]) + (2**60).to_bytes(8, "little")
    with closing(sqlite3.connect(file)) as database:
        database.execute("UPDATE segments SET body = ?", (header,))
        database.commit()


WRONG: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (Path.unlink, "there is no file"),
    "empty": (lambda file: file.write_bytes(b""), "no recording of hvtui"),
    "text": (lambda file: file.write_text("Get-VM | Export-Csv" * 400), "no recording of hvtui"),
    "another database": (_foreign, "another SQLite database"),
    "newer": (_newer, "written by a newer hvtui"),
    "cut off": (_cut, "(cut off|damaged)"),
    "spoiled": (_spoiled, "damaged"),
    "without its base": (_no_base, "damaged"),
    "hostile": (_hostile, "damaged"),
}


@pytest.mark.parametrize("how", WRONG)
@pytest.mark.parametrize("words", [("recording", "show"), ("replay",)], ids=lambda words: words[0])
def test_what_is_no_recording_is_told_in_a_line(
    how: str, words: tuple[str, ...], night: Path, tmp_path: Path, shell: Shell
) -> None:
    file = tmp_path / "copy.hvtrec"
    file.write_bytes(night.read_bytes())
    spoil, wanted = WRONG[how]
    spoil(file)
    ran = shell(*words, str(file))
    assert ran.code == 2
    assert ran.out == ""
    assert re.search(wanted, ran.err), ran.err
    assert "Traceback" not in ran.err


def test_a_copy_of_a_file_that_was_not_ended_is_whole(night: Path, tmp_path: Path, shell: Shell) -> None:
    feed = ToldFeed.load("drift")
    torn = tmp_path / "torn.hvtrec"
    recorder = recorder_of(feed, torn)
    feed.pump(writers=True)
    for _ in range(45):
        feed.pump(2.0)
    recorder.write()
    recorder._writer.abandon()

    ran = shell("recording", "show", str(torn))
    assert ran.code == 1
    assert "it ends at 00:01:30 UTC: its recorder was killed, or is still recording" in ran.err
    whole = tmp_path / "whole.hvtrec"
    assert shell("recording", "copy", str(torn), "-o", str(whole)).code == 0
    with Recording.open(torn) as one, Recording.open(whole) as other:
        assert other.about.clean
        assert (other.about.began, other.about.ended) == (one.about.began, one.about.ended)
        for second in (0, 30, 59, 90):
            places = one.cursor(), other.cursor()
            for place in places:
                place.seek_ms(second * 1000)
            first, second_ = (msgspec.to_builtins(keyframe.take(place.state)) for place in places)
            # Of load figures a copy has those of its marks; these are before the first.
            assert [node[:8] for node in first[1]] == [node[:8] for node in second_[1]]
    again = shell("recording", "copy", str(torn), "-o", str(whole))
    assert again.code == 2
    assert "is there already" in again.err
    assert shell("recording", "copy", str(torn)).code == 64


def _strings(file: Path) -> str:
    """Every text of a recording, unpacked."""
    found = []
    with Recording.open(file) as recording:
        found.append(msgspec.json.encode(recording.head).decode())
        for segment in recording.segments:
            key, told = recording.expand(segment)
            found.append(msgspec.json.encode([key, [one.told for one in told]]).decode())
        found.append(json.dumps([note.data for note in recording.notes()], default=str))
    return "\n".join(found)


def _names(feed: ToldFeed) -> set[str]:
    world = feed.world
    names = {*world.nodes, *(vm.name for vm in world.vms.values()), *(role.name for role in world.roles.values())}
    names |= {csv.path.rpartition("\\")[2] for csv in world.csvs.values()}
    return {name for name in names if len(name) > 2} | {"CLU-HOSTILE", "CLU-STUCK", "CORP\\\\svc", "svc-backup"}


def _canary(feed: ToldFeed) -> None:
    """Names in every kind of text that comes from outside."""
    node = next(iter(feed.world.nodes.values()))
    vm = next(iter(node.vms.values()))
    from datetime import timedelta

    from hvtui.lab.world import events

    events.write(
        feed.world, node, events.VMMS, 10102, feed.world.time_of(node) - timedelta(seconds=1), vm=vm,
        path=f"C:\\ClusterStorage\\Volume1\\{vm.name}\\{vm.name}_disk0.vhdx on \\\\{node.name}.corp.example\\share",
        who=f"CORP\\svc-backup and svc-backup@corp.example of {node.name.lower()}",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("scenario", "way"),
    [("stuck-writer", "copied"), ("drift", "copied"), ("access-denied", "recorded"), ("drift", "recorded")],
)
def test_no_name_is_left_in_a_redacted_file(scenario: str, way: str, tmp_path: Path, shell: Shell) -> None:
    feed = ToldFeed.load(scenario, at=3_000.0)
    file = tmp_path / "night.hvtrec"
    recorder = recorder_of(feed, file, redact=way == "recorded")
    feed.pump(writers=True)
    _canary(feed)
    for _ in range(4):
        feed.pump(10.0)
    node, vm = next(iter(feed.world.nodes)), next(iter(feed.world.vms.values())).name
    recorder.note("finding", {"state": "new", "finding": {"text": f"{vm} on {node}: stuck", "rule": "x"}})
    recorder.note(
        "action", {"kind": "begun", "who": {"user": "alice", "account": "CORP\\svc-backup", "machine": "PC7"}}
    )
    assert recorder.close() == ""
    if way == "copied":
        assert node in _strings(file)
        copied = tmp_path / "copy.hvtrec"
        assert shell("recording", "copy", str(file), "-o", str(copied), "--redact").code == 0
        file = copied
    text = _strings(file)
    left = {name for name in _names(feed) if re.search(rf'(?<!\w){re.escape(name)}(?!\w|":)', text, re.IGNORECASE)}
    assert not left
    assert not re.search(r"alice|PC7|svc-backup|corp\.example", text)
    assert b"stuck-writer" not in file.read_bytes()
    with Recording.open(file) as recording:
        assert recording.about.redacted
        cursor = recording.cursor()
        cursor.seek_ms(recording.end)
        # The picture is the same one under other names.
        assert set(cursor.state.vm_keys()) == set(feed.state.vm_keys())
        assert len(cursor.state.nodes) == len(feed.state.nodes)
        for key in feed.state.vm_keys():
            assert (cursor.state.home(key) is None) == (feed.state.home(key) is None)
        assert len(cursor.state.events) == len(feed.state.events)
        from hvtui.model.rows import summary

        one, other = summary(cursor.state), summary(feed.state)
        assert (one.nodes, one.vms, one.csvs, one.drift, one.severity) == (
            other.nodes, other.vms, other.csvs, other.drift, other.severity,
        )  # fmt: skip


def test_the_same_name_is_the_same_everywhere() -> None:
    from hvtui.recording.redact import Redactor

    redactor = Redactor()
    node, vm = redactor.learn("NODE", "HV03"), redactor.learn("VM", "File server of Lübeck")
    assert redactor.text("hv03.corp.example: FILE SERVER OF LÜBECK") == f"{node}.domain: {vm}"
    assert redactor.text("the Hyper-V writer on HV03, HV033 and HV3") == f"the Hyper-V writer on {node}, HV033 and HV3"
    first = redactor.path(r"C:\ClusterStorage\Volume1\SQL07\SQL07_5F2A.avhdx")
    assert first == redactor.path(r"C:\ClusterStorage\Volume1\SQL07\SQL07_5F2A.avhdx")
    assert first.startswith("C:\\ClusterStorage\\CSV01\\")
    assert first.endswith(".avhdx")
    assert "SQL" not in first
    assert redactor.text(r"NT AUTHORITY\SYSTEM") == r"NT AUTHORITY\SYSTEM"
    assert redactor.text("10.0.20348.2762") == "10.0.20348.2762"
    assert redactor.text("see 10.1.2.3") != "see 10.1.2.3"
