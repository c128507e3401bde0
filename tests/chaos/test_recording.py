"""Recorders that are killed, interrupted, or lose their disk: what they wrote can be shown, and nobody else notices."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hvtui.lab.serve import Lab
from hvtui.recording.reader import Cursor, Recording
from hvtui.recording.recorder import Recorder
from tests.support.recorded import ToldFeed, recorder_of
from tests.support.wait import until

ROOT = Path(__file__).parents[2]
GRACE = 1.5
"""Seconds that may be missing at the end: half a second between two writes, and what a busy machine adds."""
LEAST = 100_000
"""Bytes that hold about one segment of the small scenario."""


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The configuration of a lab that lives."""
    with Lab("stuck-writer", speed=20.0, at=1_500.0, tls=False) as lab:
        file = tmp_path_factory.mktemp("config") / "lab.toml"
        file.write_text(lab.config_text(), encoding="utf-8")
        yield file


def started(config: Path, file: Path, *words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "hvtui", "record", "--config", str(config), "-o", str(file), *words]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def _seconds(file: Path) -> float:
    """How much is in the file; 0 before there is a picture."""
    try:
        with Recording.open(file) as recording:
            known = sum(view.vms is not None for view in _end(recording).state.nodes.values())
            return (recording.end - recording.began) / 1000 if known == 6 else 0.0
    except Exception:
        return 0.0


def _end(recording: Recording) -> Cursor:
    cursor = recording.cursor()
    cursor.seek_ms(recording.end)
    return cursor


async def test_killed_it_opens_and_says_where_it_ends(config: Path, tmp_path: Path) -> None:
    file = tmp_path / "night.hvtrec"
    with started(config, file) as child:
        try:
            await until(lambda: _seconds(file) > 3.0, 60.0)
        finally:
            killed = datetime.now(UTC)
            child.kill()
    with Recording.open(file) as recording:
        about = recording.about
        assert not about.clean
        assert f"it ends at {about.ended:%H:%M:%S} UTC" in about.problem
        assert (killed - about.ended).total_seconds() < GRACE
        state = _end(recording).state
        assert len(list(state.vm_keys())) == 57
        assert state.cluster.info is not None
        cursor = recording.cursor()
        assert sum(1 for _ in cursor.play()) > 2
        assert cursor.over


@pytest.mark.skipif(sys.platform == "win32", reason="signals of one process to another")
async def test_ctrl_c_ends_it_well(config: Path, tmp_path: Path) -> None:
    file = tmp_path / "night.hvtrec"
    with started(config, file) as child:
        try:
            await until(lambda: _seconds(file) > 1.0, 60.0)
        finally:
            os.kill(child.pid, signal.SIGINT)
        out, err = child.communicate(timeout=60)
    assert (child.returncode, err) == (0, "")
    assert f"into {file}" in out
    assert "recorded " in out
    assert not file.with_name(file.name + "-wal").exists()
    with Recording.open(file) as recording:
        assert recording.about.clean


async def test_it_ends_by_itself_at_its_time(config: Path, tmp_path: Path) -> None:
    file = tmp_path / "night.hvtrec"
    with started(config, file, "--until", "6s", "--redact") as child:
        out, err = child.communicate(timeout=90)
    assert (child.returncode, err) == (0, ""), out
    with Recording.open(file) as recording:
        assert recording.about.clean
        assert recording.about.redacted
        assert 5.0 <= (recording.about.ended - recording.about.began).total_seconds() < 20.0


def test_a_full_disk_ends_the_recording_and_nothing_else(tmp_path: Path) -> None:
    feed = ToldFeed.load("drift")
    file = tmp_path / "night.hvtrec"
    recorder = recorder_of(feed, file)
    feed.pump(writers=True)
    for _ in range(40):
        feed.pump(2.0)
    recorder.write()
    (pages,) = recorder._writer._database.execute("PRAGMA page_count").fetchone()
    recorder._writer._database.execute(f"PRAGMA max_page_count = {pages}")
    for _ in range(40):
        feed.pump(2.0)
    told = recorder.told
    why = recorder.close()
    assert "cannot be written" in why
    assert "full" in why
    feed.pump(2.0)
    assert recorder.told == told
    with Recording.open(file) as recording:
        assert recording.end == 80_000
        assert not recording.about.clean


def test_a_file_that_is_taken_away_ends_the_recording_and_nothing_else(tmp_path: Path) -> None:
    feed = ToldFeed.load("drift")
    recorder = recorder_of(feed, tmp_path / "night.hvtrec")
    feed.pump()
    recorder._writer._database.close()
    feed.pump(2.0)
    why = recorder.close()
    assert "cannot be written" in why
    feed.pump(2.0)
    assert len(list(feed.state.vm_keys())) == 47


def test_a_disk_that_does_not_keep_up_ends_the_recording(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hvtui.recording.recorder.MOST_WAITING", 50)
    feed = ToldFeed.load("drift")
    recorder = recorder_of(feed, tmp_path / "night.hvtrec")
    for _ in range(20):
        feed.pump(2.0)
    assert "does not keep up" in recorder.failure
    assert "does not keep up" in recorder.close()


def test_a_file_stays_below_its_limit_and_says_that_its_beginning_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Short segments, and keyframes that rest on others that rest on others.
    monkeypatch.setattr("hvtui.recording.recorder.SEGMENT_MS", 240_000)
    monkeypatch.setattr("hvtui.recording.writer.BASES", 2)
    monkeypatch.setattr("hvtui.recording.writer.CHAIN", 3)
    feed = ToldFeed.load("backup-window")
    file = tmp_path / "night.hvtrec"
    recorder = Recorder(file, feed.state, feed.clock, title="x", limit=LEAST, own_thread=False)
    feed.store.tap = recorder.tap
    for second in range(0, 4_800, 6):
        feed.pump(6.0, events=second % 60 == 0, writers=second % 600 == 0)
        recorder.write()
    assert recorder.close() == ""
    assert file.stat().st_size < 2 * LEAST
    with Recording.open(file) as recording:
        assert recording.about.dropped
        assert recording.began > 0
        for segment in recording.segments:
            recording.expand(segment)
        assert _end(recording).state.cluster.info == feed.state.cluster.info
        cursor = recording.cursor()
        cursor.seek_ms(0)
        assert cursor.at == recording.began
        assert len(list(cursor.state.vm_keys())) == len(list(feed.state.vm_keys()))
