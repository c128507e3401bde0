"""The backup window page: what it shows at every size, and what its keys do."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, time
from functools import partial

import pytest
from rich.cells import cell_len
from textual.pilot import Pilot

from hvtui.config import BackupWindow, ClusterConfig
from hvtui.ui.app import HvtuiApp
from hvtui.ui.look import Look
from hvtui.ui.overview import Overview
from hvtui.ui.screens.detail import DetailScreen
from hvtui.ui.screens.window_page import WindowPage
from hvtui.ui.themes import load_themes, theme_dirs
from tests.support.snapshots import check
from tests.support.world import DirectFeed
from tests.ui.console import console, lines, settled, text


@asynccontextmanager
async def window(
    scenario: str = "backup-window",
    *,
    at: float = 930,
    seconds: int = 100,
    size: tuple[int, int] = (120, 40),
    **more: object,
) -> AsyncIterator[tuple[HvtuiApp, Pilot[None], DirectFeed, WindowPage]]:
    """The page on a scenario that ran for some time, the last seconds of which the tracker saw."""
    async with console(scenario, size=size, at=at, **more) as (app, pilot, feed):  # type: ignore[arg-type]
        play(app, feed, seconds)
        await pilot.press("9")
        await settled(pilot, lambda: isinstance(app.screen, WindowPage) and app.screen.table.row is not None)
        page = app.screen
        assert isinstance(page, WindowPage)
        yield app, pilot, feed, page


def play(app: HvtuiApp, feed: DirectFeed, seconds: int) -> None:
    """Let time pass in steps that the tracker sees; the app gathers changes for the screen meanwhile."""
    unsubscribe = feed.subscribe(app.window.apply)
    for step in range(0, seconds, 5):
        feed.pump(5, writers=step % 60 == 0)
    unsubscribe()


SIZES = ((80, 24), (120, 40), (200, 60))


async def test_it_looks_like_this_at_every_size_and_in_every_theme() -> None:
    async with window(size=SIZES[0]) as (app, pilot, _, page):
        for width, height in SIZES:
            await pilot.resize_terminal(width, height)
            await settled(pilot, partial(_has_size, app, page, width, height))
            check(f"window-{width}x{height}", text(app))
            assert {cell_len(line) for line in lines(app)} == {width}
        plain = text(app)
        for theme in load_themes(theme_dirs())[0]:
            app.theme = theme
            await pilot.pause()
            assert text(app) == plain
            # The row of a backup that runs, not the one under the cursor: several colours, none of another theme.
            styles = {str(segment.style) for segment in page.table.render_line(3)}
            assert len(styles) > 2
            assert any(app.palettes[theme].colours["info"] in style for style in styles), theme
        assert not app.failed


def _has_size(app: HvtuiApp, page: WindowPage, width: int, height: int) -> bool:
    return page.table.size.width == width and len(lines(app)) == height


async def test_without_glyphs_it_looks_like_this() -> None:
    async with window("stuck-writer", size=(120, 40), ascii_only=True) as (app, _, _, _):
        shown = text(app)
        check("window-ascii", shown)
        assert shown.isascii()


async def test_hostile_names_stay_text() -> None:
    async with window("hostile", size=(100, 40), at=0, seconds=30) as (app, pilot, _, _):
        for key in ("", "G", "tab", "s", "s", "n"):
            if key:
                await pilot.press(key)
            await pilot.pause()
            shown = lines(app)
            assert {cell_len(line) for line in shown} == {100}
            assert not any(ord(char) < 32 or 0x7F <= ord(char) < 0xA0 for line in shown for char in line)
        assert not app.failed


async def test_trouble_stands_first_and_what_is_under_way_after_it() -> None:
    async with window() as (app, pilot, _, page):
        assert page.window is not None
        shown = [line for line in lines(app) if " SQL03 " in line or " APP" in line or " WEB" in line]
        assert "SQL03" in shown[0]
        row = page.table.row
        assert row is not None
        assert (row.name, row.trouble) == ("SQL03", True)
        assert "the backup checkpoint failed (0x800423f2)" in text(app)
        assert "▲ 1 left behind, oldest: ARCHIVE01 checkpoint" in text(app)
        await pilot.press("s")
        assert "by name" in lines(app)[0]
        await pilot.press("g")
        row = page.table.row
        assert row is not None
        assert row.name == "APP01"


async def test_enter_goes_to_the_vm_and_back_to_the_same_row() -> None:
    async with window() as (app, pilot, _, page):
        await pilot.press("j", "j", "k", "enter")
        await settled(pilot, lambda: isinstance(app.screen, DetailScreen))
        row = page.table.row
        assert row is not None
        assert row.name in lines(app)[0]
        await pilot.press("escape")
        await settled(pilot, lambda: app.screen is page)
        assert page.table.row is not None
        assert page.table.row.id == row.id


async def test_the_time_axis_goes_back_and_on_is_live_again_and_wider_and_closer() -> None:
    async with window() as (app, pilot, feed, page):
        axis = page.table.axis
        assert axis is not None
        await pilot.press("h", "h")
        back = page.table.axis
        assert back is not None
        assert back.end < axis.end
        assert "back (t: live)" in lines(app)[0]
        # It stays where it was put, whatever the time.
        play(app, feed, 30)
        page.show()
        assert page.table.axis == back
        await pilot.press("l", "l", "l", "l")
        assert "live" in lines(app)[0]
        assert "back" not in lines(app)[0]
        live = page.table.axis
        assert live is not None
        assert live.begin <= feed.state.cluster.time < live.end  # type: ignore[operator]
        await pilot.press("h", "t")
        assert page.table.axis == live
        axis = live
        await pilot.press("-")
        wider = page.table.axis
        assert wider is not None
        assert wider.step > axis.step
        await pilot.press("+", "+")
        closer = page.table.axis
        assert closer is not None
        assert closer.step < axis.step
        await pilot.press(*["-"] * 10)
        assert page.table.axis is not None
        assert page.table.axis.step == 1800
        await pilot.press(*["+"] * 10)
        assert page.table.axis is not None
        assert page.table.axis.step == 5


async def test_parts_are_reached_by_tab_and_rows_by_the_keys_of_every_list() -> None:
    async with window(size=(80, 24)) as (app, pilot, _, page):
        kinds = []
        for _ in range(5):
            await pilot.press("tab")
            assert page.table.row is not None
            kinds.append(page.table.row.kind)
        assert kinds == ["left", "node", "csv", "mark", "vm"]
        await pilot.press("G")
        assert page.table.row is not None
        assert page.table.row.kind == "mark"
        await pilot.press("u", "pageup", "d", "pagedown", "N", "n", "shift+tab", "g")
        assert page.table.row is not None
        assert page.table.row.kind == "vm"
        # The first row is seen with its heading.
        assert "VMs " in lines(app)[3]
        for section, word in (("node", "Node"), ("csv", "CSV")):
            while page.table.row is None or page.table.row.kind != section:
                await pilot.press("tab")
            assert page.pointed().kind == section
            await pilot.press("enter")
            await settled(pilot, lambda: isinstance(app.screen, DetailScreen))
            assert lines(app)[0].startswith(f" {word} ")
            await pilot.press("escape")
            await settled(pilot, lambda: app.screen is page)


async def test_the_cursor_stays_on_its_vm_while_the_order_changes() -> None:
    async with window() as (app, pilot, feed, page):
        await pilot.press("j", "j")
        row = page.table.row
        assert row is not None
        play(app, feed, 400)
        page.table.thaw()
        page.show()
        await pilot.pause()
        assert page.table.row is not None
        assert page.table.row.key == row.key


async def test_r_reads_the_writers() -> None:
    async with window() as (_, pilot, feed, page):
        feed.asked.clear()
        await pilot.press("r")
        assert feed.asked == [("writers", "")]
        while page.table.row is None or page.table.row.kind != "node":
            await pilot.press("tab")
        await pilot.press("r")
        assert feed.asked[-1] == ("writers", page.table.row.key)


async def test_a_fault_in_the_tracker_is_said_and_the_console_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    async with window() as (app, pilot, _, page):

        def broken(*_: object) -> None:
            raise ValueError("planted")

        monkeypatch.setattr(app.window.tracker, "timeline", broken)
        page.show()
        assert "ValueError in hvtui itself" in page.table.empty_text
        await pilot.press("escape")
        await settled(pilot, lambda: isinstance(app.screen, Overview))
        assert not app.failed


async def test_the_configured_window_counts_down() -> None:
    windows = (BackupWindow(time(23, 0), time(3, 0), "Europe/Berlin"),)
    feed = DirectFeed.load("empty", start=datetime(2026, 11, 23, 23, 50, tzinfo=UTC))
    app = HvtuiApp(feed, look=Look(zone=UTC), config=ClusterConfig(name="demo", seeds=("HV01",), windows=windows))
    async with app.run_test(size=(120, 30)) as pilot:
        await pilot.press("9")
        await settled(pilot, lambda: isinstance(app.screen, WindowPage) and bool(text(app).strip()))
        page = app.screen
        assert isinstance(page, WindowPage)
        heads = []
        # The window is 22:00 to 02:00 UTC; the cluster's clock goes on without a picture of what happens.
        for moment in ("00:00", "01:59", "02:00", "21:59", "22:01"):
            hours, minutes = (int(part) for part in moment.split(":"))
            app.window.tracker._now = datetime(2026, 11, 24, hours, minutes, tzinfo=UTC)
            page.show()
            await pilot.pause()
            heads.append(lines(app)[0].partition("  live")[0].strip())
    assert heads == [
        "Backup window 22:00–02:00, 2:00 left",
        "Backup window 22:00–02:00, 0:01 left",
        "Backup window 22:00–02:00, over for 0:00, next in 20:00",
        "Backup window 22:00–02:00, over for 19:59, next in 0:01",
        "Backup window 22:00–02:00, 3:59 left",
    ]
