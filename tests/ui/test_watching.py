"""What is watched rings: a bell, OSC 9 and a toast, when it ends, fails or stalls, and at no other time."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hvtui.model.change import Change
from hvtui.model.severity import Severity
from hvtui.ui.pointed import Pointed
from hvtui.ui.watching import News, Watching, notification, ring
from hvtui.ui.window_feed import WindowFeed
from hvtui.window.records import Backup, CsvLine, Outcome, Standing, Stretch, VmLine
from tests.support.builders import NOW
from tests.support.world import DirectFeed
from tests.ui.console import console, lines, settled, text
from tests.ui.test_window_page import play


def line(standing: Standing, *outcomes: Outcome, reason: str = "") -> VmLine:
    """A VM with so many attempts; one that runs is open."""
    backups = tuple(
        Backup(
            vm="sql", node="HV01", begin=NOW + timedelta(hours=n), outcome=outcome,
            end=None if outcome is Outcome.RUNNING else NOW + timedelta(hours=n, minutes=9),
        )
        for n, outcome in enumerate(outcomes)
    )  # fmt: skip
    return VmLine(
        vm="sql", name="SQL07", node="HV01", standing=standing, backups=backups, attempts=len(backups), reason=reason
    )  # fmt: skip


def told(*seen: VmLine) -> list[str]:
    """What a watched VM rings for in the course of these looks."""
    watching = Watching()
    watching.toggle(Pointed("vm", ("sql",)))
    return [news.text for one in seen for news in watching.news({"sql": one}, ())]


RUNNING = line(Standing.RUNNING, Outcome.RUNNING)


@pytest.mark.parametrize(
    ("after", "rings"),
    [
        (line(Standing.DONE, Outcome.DONE), "SQL07: backup done"),
        (line(Standing.FAILED, Outcome.FAILED, reason="no volume shadow copy inside the guest"),
         "SQL07: backup failed: no volume shadow copy inside the guest"),
        (line(Standing.STALLED, Outcome.RUNNING, reason="merge stands at 11%"),
         "SQL07: backup stalled: merge stands at 11%"),
        (line(Standing.ENDED, Outcome.ENDED), "SQL07: backup ended, nothing tells how"),
    ],
)  # fmt: skip
def test_it_rings_once_for_an_end_a_failure_and_a_stall(after: VmLine, rings: str) -> None:
    assert told(RUNNING, after, after) == [rings]


def test_it_does_not_ring_for_how_it_was_when_it_was_watched_nor_for_a_begin() -> None:
    assert told(line(Standing.FAILED, Outcome.FAILED)) == []
    assert told(line(Standing.WAITING), RUNNING, RUNNING) == []


def test_each_failure_of_a_retry_loop_rings() -> None:
    again = line(Standing.FAILED, Outcome.FAILED, Outcome.FAILED, reason="the backup checkpoint failed")
    first = line(Standing.FAILED, Outcome.FAILED, reason="the backup checkpoint failed")
    assert told(RUNNING, first, again) == ["SQL07: backup failed: the backup checkpoint failed"] * 2


def test_nothing_is_news_after_a_seek() -> None:
    watching = Watching()
    watching.toggle(Pointed("vm", ("sql",)))
    watching.news({"sql": RUNNING}, ())
    watching.restart()
    assert watching.news({"sql": line(Standing.DONE, Outcome.DONE)}, ()) == []


def test_a_volume_rings_when_its_backup_ends_and_when_it_is_redirected() -> None:
    watching = Watching()
    watching.toggle(Pointed("csv", ("v1",)))

    def volume(severity: Severity, text: str, *, backup: bool) -> list[str]:
        stretch = Stretch(begin=NOW, severity=severity, text=text, backup=backup)
        return [news.text for news in watching.news({}, [CsvLine(csv="v1", name="Volume1", stretches=(stretch,))])]

    assert volume(Severity.OK, "direct", backup=True) == []
    assert volume(Severity.OK, "direct", backup=False) == ["Volume1: no backup is in progress on it any more"]
    assert volume(Severity.WARN, "redirected", backup=False) == ["Volume1: redirected"]
    assert volume(Severity.WARN, "redirected", backup=False) == []


def test_all_marked_rows_are_watched_or_none() -> None:
    watching = Watching()
    assert watching.toggle(Pointed("vm", ("a", "b")))
    assert watching.toggle(Pointed("vm", ("b", "c")))
    assert watching.rows == {("vm", "a"), ("vm", "b"), ("vm", "c")}
    assert not watching.toggle(Pointed("vm", ("b", "c")))
    assert watching.rows == {("vm", "a")}


@given(st.text())
def test_a_notification_says_nothing_else_to_the_terminal(name: str) -> None:
    sent = notification(name)
    assert sent.startswith("\x1b]9;hvtui: ")
    assert sent.endswith("\x07")
    inside = sent[len("\x1b]9;hvtui: ") : -1]
    assert not any(ord(char) < 32 or 0x7F <= ord(char) < 0xA0 for char in inside)
    assert len(inside) <= 140


class Written:
    """A terminal that keeps what it is sent."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    def write(self, data: str) -> None:
        self.sent.append(data)


def test_ring_sends_the_bell_and_the_notification() -> None:
    bells: list[str] = []
    terminal = Written()
    ring(News("SQL07: backup done"), bell=lambda: bells.append("bell"), terminal=terminal)
    assert (bells, terminal.sent) == (["bell"], ["\x1b]9;hvtui: SQL07: backup done\x07"])


def test_after_a_step_back_the_window_begins_anew_and_nothing_rings() -> None:
    feed = DirectFeed.load("backup-window")
    rung: list[News] = []
    window = WindowFeed(feed, tell=rung.append)
    window.apply(Change())
    feed.subscribe(window.apply)
    window.toggle(Pointed("vm", tuple(vm.id for vm in feed.world.vms.values() if vm.name.startswith("APP0"))))
    for _ in range(40):
        feed.pump(5)
    window.second(None)
    assert not rung
    timeline = window.timeline()
    assert timeline is not None
    assert timeline.summary.running == 6
    watched = timeline.watched
    window.restart()
    for _ in range(2):
        window.second(None)
    again = window.timeline()
    assert again is not None
    assert again.watched > watched
    assert again.summary.running == 6
    assert not rung
    assert window.failure == ""


# --- in the console ---


async def test_w_marks_a_vm_and_rings_when_its_backup_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    async with console("backup-window") as (app, pilot, feed):
        rung: list[str] = []
        monkeypatch.setattr(app, "bell", lambda: rung.append("bell"))
        assert app._driver is not None
        monkeypatch.setattr(app._driver, "write", rung.append)
        key = next(vm.id for vm in feed.world.vms.values() if vm.name == "APP01")
        app.overview.vms.go_to(key)
        await pilot.press("W")
        await settled(pilot, lambda: "◉ APP01" in text(app))
        assert app.window.watching.has("vm", key)
        play(app, feed, 30)
        app.window.second(None)
        assert not any("\x1b]9;" in one for one in rung)
        play(app, feed, 500)
        app.window.second(None)
        notes = [one for one in rung if one.startswith("\x1b]9;")]
        assert notes == ["\x1b]9;hvtui: APP01: backup done\x07"]
        assert rung.count("bell") == 1
        await settled(pilot, lambda: "APP01: backup done" in text(app))
        await pilot.press("W")
        await settled(pilot, lambda: "◉ APP01" not in text(app))
        assert not app.window.watching.rows


async def test_bells_can_be_turned_off_and_the_toast_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    async with console("backup-window") as (app, pilot, _):
        rung: list[str] = []
        monkeypatch.setattr(app, "bell", lambda: rung.append("bell"))
        monkeypatch.setattr(app, "_bells", False)
        app._ring(News("SQL07: backup done"))
        await settled(pilot, lambda: "SQL07: backup done" in text(app))
        assert rung == []


async def test_w_watches_a_volume_and_still_restarts_a_service_on_other_rows() -> None:
    async with console("backup-window") as (app, pilot, _):
        await pilot.press("2", "W")
        await settled(pilot, lambda: any("◉ " in shown for shown in lines(app)))
        assert [kind for kind, _ in app.window.watching.rows] == ["csv"]
        await pilot.press("1", "W")
        await settled(pilot, lambda: "this console only watches" in text(app))
        assert len(app.window.watching.rows) == 1


async def test_w_on_the_page_of_the_window_watches_its_row() -> None:
    async with console("backup-window") as (app, pilot, feed):
        play(app, feed, 120)
        await pilot.press("9")
        await settled(pilot, lambda: "VMs " in text(app))
        await pilot.press("W")
        await settled(pilot, lambda: "◉ " in "\n".join(lines(app)[2:8]))
        await pilot.press("escape")
        await settled(pilot, lambda: "◉ " in text(app))
