"""The console over a recording: the same screens, its own keys; and recording from the console."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC
from pathlib import Path

import pytest
from textual.pilot import Pilot

from hvtui.model.change import Change
from hvtui.recording.feed import ReplayFeed
from hvtui.recording.reader import Recording
from hvtui.ui.app import HvtuiApp
from hvtui.ui.look import Look
from tests.support.fuller import in_fuller_run
from tests.support.recorded import ToldFeed, record_world, recorder_of
from tests.support.screens import press, settle, text_of

MARKS = (118, 1318)
"""Seconds just before a mark: there a recording has everything. The last one is behind the end of a segment."""


@asynccontextmanager
async def shown(
    feed: ToldFeed | ReplayFeed, folder: Path, *, bar: bool = True, ascii_only: bool = False
) -> AsyncIterator[tuple[HvtuiApp, Pilot[None]]]:
    app = HvtuiApp(feed, look=Look(ascii=ascii_only, zone=UTC), recordings=folder)
    # One whole look at the findings, however long that takes: what is shown must not depend on the machine.
    app.findings.every, app.findings.budget = float("inf"), None
    if not bar:
        app.overview.replay = None
    async with app.run_test(size=(140, 44), notifications=True) as pilot:
        before = ""
        while before != text_of(app):
            # Rows of panes take their heights from what is in them.
            before = text_of(app)
            app.overview.apply(Change())
            await settle(pilot)
        yield app, pilot


async def _looks(feed: ToldFeed | ReplayFeed, folder: Path) -> list[str]:
    """The overview, and what stands behind some of its panes."""
    found = []
    async with shown(feed, folder, bar=False) as (app, pilot):
        found.append(text_of(app))
        for keys in (("1", "enter"), ("escape", "6")):
            await press(pilot, *keys)
            found.append(text_of(app))
    return found


@in_fuller_run
async def test_live_and_replay_show_the_same_screens(tmp_path: Path) -> None:
    feed = ToldFeed.load("stuck-writer", at=1500.0)
    file = tmp_path / "night.hvtrec"
    recorder = recorder_of(feed, file)
    live: dict[int, list[str]] = {}
    feed.pump(writers=True)
    for second in range(2, MARKS[-1] + 32, 2):
        feed.pump(2.0, events=second % 60 == 2, writers=second % 600 == 2)
        recorder.write()
        if second in MARKS:
            live[second] = await _looks(feed, tmp_path)
    assert recorder.close() == ""

    with Recording.open(file) as recording:
        assert len(recording.segments) == 4
        for second in reversed(MARKS):
            replay = ReplayFeed(recording)
            replay.paused = True
            replay.cursor.seek_ms(second * 1000)
            for here, there in zip(await _looks(replay, tmp_path), live[second], strict=True):
                assert here.splitlines() == there.splitlines(), second


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten minutes of a cluster."""
    file = tmp_path_factory.mktemp("night") / "night.hvtrec"
    record_world("drift", file, 600.0)
    return file


async def test_keys_of_a_replay(night: Path, tmp_path: Path) -> None:
    replay = ReplayFeed(Recording.open(night))
    replay.paused = True
    async with shown(replay, tmp_path) as (app, pilot):
        assert "REPLAY" in text_of(app)
        assert "paused  1x  00:00:00" in text_of(app)
        await press(pilot, "ctrl+right", "ctrl+right", "ctrl+left", "]")
        assert "paused  2x  00:01:00" in text_of(app)
        await press(pilot, "}")
        assert "00:01:02" in text_of(app)
        await press(pilot, "shift+right")
        assert "at its end" in text_of(app)
        await press(pilot, "[", "[", "ctrl+left", "space")
        assert replay.speed == 1
        assert not replay.paused
        await press(pilot, "space")
        assert "paused" in text_of(app)
        # What is typed into a field is no key.
        await press(pilot, "/", "a", "space", "b")
        assert replay.paused
        await press(pilot, "escape")


async def test_nothing_can_be_changed_in_a_replay(night: Path, tmp_path: Path) -> None:
    replay = ReplayFeed(Recording.open(night))
    replay.paused = True
    async with shown(replay, tmp_path, ascii_only=True) as (app, pilot):
        assert "READ-ONLY" in text_of(app)
        await press(pilot, "M")
        assert "read-only: a recording" in text_of(app)
        await press(pilot, "r")
        assert "nothing is read again" in text_of(app)
        await press(pilot, "R")
        assert "cannot be recorded" in text_of(app)
        assert text_of(app).isascii()


async def test_recording_from_the_console(tmp_path: Path) -> None:
    feed = ToldFeed.load("drift")
    feed.pump(writers=True)
    async with shown(feed, tmp_path) as (app, pilot):
        assert " REC " not in text_of(app)
        await press(pilot, "R")
        assert "● REC " in text_of(app)
        feed.pump(2.0)
        feed.pump(2.0)
        await press(pilot, "R")
        assert "● REC " not in text_of(app)
        assert "hvtui replay" in text_of(app)
    (file,) = list(tmp_path.glob("*.hvtrec"))  # noqa: ASYNC240
    with Recording.open(file) as recording:
        about = recording.about
        assert about.clean
        assert (about.ended - about.began).total_seconds() == 4.0
        assert {note.kind for note in recording.notes()} <= {"finding"}
        cursor = recording.cursor()
        assert set(cursor.state.vm_keys()) == set(feed.state.vm_keys())


async def test_a_file_that_cannot_be_written_is_told_and_the_console_goes_on(tmp_path: Path) -> None:
    feed = ToldFeed.load("drift")
    feed.pump(writers=True)
    (tmp_path / "file").write_text("in the way")
    async with shown(feed, tmp_path / "file") as (app, pilot):
        await press(pilot, "R")
        assert any("cannot be written" in one.message for one in app._notifications)
        assert " REC " not in text_of(app)
        feed.pump(2.0)
        assert feed.store.tap is None
