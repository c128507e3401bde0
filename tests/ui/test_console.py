"""The console as a whole: what it shows, where keys lead, and that it survives what clusters and people do to it."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from rich.cells import cell_len
from textual.widgets import Input

from hvtui.lab.world import World
from hvtui.model.change import Change
from hvtui.ui.actions import ACTIONS, PANE_KEYS, PANES
from hvtui.ui.app import HvtuiApp
from hvtui.ui.help import HelpScreen
from hvtui.ui.look import Look
from hvtui.ui.messages import OpenDetail
from hvtui.ui.overview import Overview
from hvtui.ui.panes.csvs import CsvsPane
from tests.support.world import START, DirectFeed
from tests.ui.console import console, lines, settled, text

SIZES = [(80, 24), (100, 30), (120, 40), (200, 60), (40, 12)]


@pytest.mark.parametrize("size", SIZES)
async def test_the_overview_fits_every_size(size: tuple[int, int]) -> None:
    async with console("drift", size=size) as (app, _, _):
        shown = lines(app)
        assert len(shown) == size[1]
        assert {cell_len(line) for line in shown} == {size[0]}
        assert "CLU-DRIFT" in shown[0]
        for title in ("Nodes", "CSVs", "VMs", "VSS writers"):
            assert title in text(app), title


async def test_the_first_frame_comes_before_the_first_answer() -> None:
    feed = DirectFeed.load("healthy")
    started: list[str] = []

    async def start() -> None:
        started.append("x" if "no data yet" in text(app) or app.screen.is_attached else "")

    feed.start = start  # type: ignore[method-assign]
    app = HvtuiApp(feed, look=Look())
    async with app.run_test(size=(100, 30)) as pilot:
        await settled(pilot, lambda: bool(started))


async def test_a_fast_digit_and_enter_open_what_the_digit_shows() -> None:
    async with console("drift") as (app, pilot, _):
        await pilot.press("6", "3", "enter")
        await settled(pilot, lambda: not isinstance(app.screen, Overview))
        assert "APP01" in lines(app)[0]
        await pilot.press("escape")
        await settled(pilot, lambda: isinstance(app.screen, Overview))


async def test_digits_and_tab_reach_every_pane_and_zoom_gives_it_the_screen() -> None:
    async with console("drift", size=(80, 24)) as (app, pilot, _):
        for digit, key in zip(PANE_KEYS, PANES, strict=True):
            await pilot.press(digit)
            await pilot.pause()
            assert app.overview.focused_pane.key == key
            assert app.overview.panes[key].display
        await pilot.press("tab")
        assert app.overview.focused_pane.key == "nodes"
        await pilot.press("shift+tab")
        assert app.overview.focused_pane.key == "findings"
        await pilot.press("3", "+")
        await pilot.pause()
        assert app.overview.vms.size.height == 24 - 3 - 1
        await pilot.press("tab")
        await pilot.pause()
        assert app.overview.panes["writers"].display
        assert not app.overview.vms.display
        await pilot.press("escape")
        await pilot.pause()
        assert app.overview.vms.display


async def test_the_filter_works_while_one_types_and_goes_with_escape() -> None:
    async with console("drift") as (app, pilot, _):
        total = len(app.overview.vms.table.order.view)
        await pilot.press("/", *"drift:yes")
        await settled(pilot, lambda: len(app.overview.vms.table.order.view) < total)
        shown = app.overview.vms.table.order
        assert shown.view
        assert all(shown.rows[key].drift for key in shown.view)
        assert f"VMs · {len(shown.view)} of {total} · filter: drift:yes" in text(app)
        await pilot.press("enter", "j", "escape")
        await settled(pilot, lambda: len(app.overview.vms.table.order.view) == total)
        assert not isinstance(app.focused, Input)


async def test_keys_typed_at_once_after_a_filter_reach_the_rows() -> None:
    async with console("drift") as (app, pilot, _):
        await pilot.press("/", *"web", "enter", "j", "j", "space")
        await settled(pilot, lambda: bool(app.overview.vms.table.marks))
        assert app.overview.vms.clear_filter()
        assert [app.overview.vms.table.order.rows[key].name for key in app.overview.vms.table.marks] == ["WEB03"]


async def test_escape_undoes_one_thing_at_a_time() -> None:
    async with console("drift") as (app, pilot, _):
        table = app.overview.vms.table
        await pilot.press("space", "+", "v", "escape")
        assert (table.ranging, len(table.marks)) == (False, 2)
        await pilot.press("escape")
        assert table.marks == set()
        assert app.overview.has_class("-zoomed")
        await pilot.press("escape")
        assert not app.overview.has_class("-zoomed")
        await pilot.press("escape")
        assert isinstance(app.screen, Overview)


async def test_r_reads_what_the_focused_pane_shows_and_nothing_else_asks_a_node() -> None:
    async with console("drift") as (app, pilot, feed):
        feed.asked.clear()
        for key in ("1", "2", "3", "4", "5", "6"):
            await pilot.press(key)
            assert feed.asked == []
            await pilot.press("r")
            asked = [what for what, _ in feed.asked]
            expected = app.overview.focused_pane.reads
            assert asked == ([expected] if expected else [])
            feed.asked.clear()


async def test_no_key_changes_the_cluster() -> None:
    async with console("drift") as (app, pilot, feed):
        before = [(vm.name, vm.state, vm.node.name, vm.checkpoint_type, vm.revision) for vm in feed.world.vms.values()]
        keys = sorted(
            {key for action in ACTIONS for key in action.keys} | {f"ctrl+{c}" for c in "aeknsw"} | set("xypmMADVC")
        )
        for key in keys:
            if key in {"q", "ctrl+q"}:
                continue
            await pilot.press(key, "escape")
        assert [
            (vm.name, vm.state, vm.node.name, vm.checkpoint_type, vm.revision) for vm in feed.world.vms.values()
        ] == before
        assert {what for what, _ in feed.asked} <= {"cluster", "node", "writers", "events"}
        assert not app.failed


async def test_help_lists_every_action() -> None:
    async with console("healthy", size=(100, 230)) as (app, pilot, _):
        await pilot.press("?")
        await settled(pilot, lambda: isinstance(app.screen, HelpScreen))
        shown = " ".join(text(app).replace("│", " ").split())
        for action in ACTIONS:
            assert " ".join(action.help.split()) in shown, action.id
        await pilot.press("j", "d", "G", "g", "escape")
        await settled(pilot, lambda: isinstance(app.screen, Overview))


async def test_the_palette_goes_to_a_vm_even_when_a_filter_hides_it() -> None:
    async with console("drift") as (app, pilot, _):
        await pilot.press("/", *"sql", "enter", "ctrl+p", *"web07")
        await settled(pilot, lambda: "Go to vm WEB07" in text(app))
        await pilot.press("down", "enter")
        table = app.overview.vms.table
        await settled(
            pilot, lambda: table.cursor_key is not None and table.order.rows[table.cursor_key].name == "WEB07"
        )
        assert isinstance(app.screen, Overview)


async def test_names_that_break_things_stay_text_on_every_surface() -> None:
    async with console("hostile", size=(160, 50)) as (app, pilot, _):
        seen: list[str] = []

        async def look() -> None:
            await pilot.pause()
            shown = lines(app)
            assert {cell_len(line) for line in shown} == {160}
            assert not any(ord(char) < 32 or 0x7F <= ord(char) < 0xA0 for line in shown for char in line)
            assert not set("".join(shown)) & set("\u202e\u2066\u200d\u2028")
            seen.extend(shown)

        await look()
        rows = app.overview.vms.table.order.rows
        nasty = ("[/", "@click", "\x1b", "\n", "\u202e", "LONG", "漢", "\u200d")
        for key in [next(key for key, row in rows.items() if part in row.name) for part in nasty]:
            app.overview.post_message(OpenDetail("vm", key))
            await settled(pilot, lambda: not isinstance(app.screen, Overview))
            await look()
            await pilot.press("escape")
            await settled(pilot, lambda: isinstance(app.screen, Overview))
        for key in ("1", "2", "4", "5", "6"):
            await pilot.press(key, "+")
            await look()
            await pilot.press("j", "enter")
            await look()
            await pilot.press("escape", "escape")
        for name in ("vm[", "click", "trailing"):
            await pilot.press("ctrl+p", *name)
            await settled(pilot, lambda: "Go to vm" in text(app))
            await look()
            await pilot.press("escape")
        await pilot.press("3", "/", *"[/b]", "space", "*")
        await look()
        everything = "\n".join(seen)
        assert "VM[/prod]" in everything
        assert "[@click=app.quit]x[/]" in everything
        assert "Go to vm [@click=app.quit]x[/]" in everything
        assert "CLU-[b]HOSTILE[/b]" in everything
        assert app.is_running


async def test_a_node_that_goes_keeps_its_rows_marked_and_comes_back_and_no_other_row_flinches() -> None:
    async with console("drift", size=(140, 60)) as (app, pilot, feed):
        table = app.overview.vms.table
        mine = {key for key, row in table.order.rows.items() if row.node == "HV02"}
        assert mine
        others = {
            key: strip for key, strip in table._strips.items() if key[0] not in mine and key[0] in table.order.rows
        }
        feed.world.nodes["HV02"].faults.down = True
        feed.pump(0.0)
        await settled(pilot, lambda: all(table.order.rows[key].source == "HV02" for key in mine))
        assert {key for key in table.order.rows if table.order.rows[key].node == "HV02"} == mine
        assert "stale" in lines(app)[0] or "unreachable" in text(app)
        gone = {key for key, strip in others.items() if table._strips.get(key) is not strip}
        assert gone == set()
        feed.world.nodes["HV02"].faults.down = False
        feed.pump(0.0)
        await settled(pilot, lambda: all(not table.order.rows[key].source for key in mine if key in table.order.rows))


async def test_nothing_read_is_not_shown_as_none() -> None:
    feed = DirectFeed(World.load("healthy", start=START))

    async def start() -> None:
        return

    feed.start = start  # type: ignore[method-assign]
    app = HvtuiApp(feed, look=Look())
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot, lambda: "? VMs" in lines(app)[0])
        assert "VMs · not read yet" in text(app)
        assert "? CSVs" in lines(app)[0]
        assert "healthy" not in lines(app)[0]


async def test_ages_count_while_nothing_comes() -> None:
    async with console("drift") as (app, pilot, feed):
        feed.clock.advance(47)  # type: ignore[attr-defined]
        await settled(pilot, lambda: "47 s" in text(app))
        assert app.overview.vms.data_stale()


async def test_many_changes_in_a_moment_are_shown_in_one_step(monkeypatch: pytest.MonkeyPatch) -> None:
    async with console("healthy") as (app, pilot, feed):
        steps: list[Change] = []
        monkeypatch.setattr(app.overview.vms, "apply", steps.append)
        for _ in range(50):
            feed._tell(Change(vms={"x"}))
            feed._tell(Change(nodes={"HV01"}))
        await settled(pilot, lambda: bool(steps))
        assert len(steps) == 1
        assert (steps[0].vms, steps[0].nodes) == ({"x"}, {"HV01"})


async def test_a_lost_timer_delays_changes_by_a_second_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    async with console("healthy") as (app, pilot, feed):
        shown: list[Change] = []
        monkeypatch.setattr(app.overview, "apply", shown.append)
        # As Textual does when the loop was busy for longer than the timer was to wait.
        monkeypatch.setattr(app, "set_timer", lambda *_: None)
        feed._tell(Change(nodes={"HV01"}))
        await settled(pilot, lambda: bool(shown))


async def test_a_pane_that_fails_says_so_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: CsvsPane, change: Change) -> None:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr(CsvsPane, "apply", fail)
    async with console("drift") as (app, pilot, feed):
        feed.pump(2.0)
        await settled(pilot, lambda: "ZeroDivisionError in hvtui itself" in text(app))
        await pilot.press("j")
        assert app.is_running
        assert app.overview.vms.table.cursor_place == 1


async def test_a_feed_that_cannot_start_is_told_in_the_header() -> None:
    feed = DirectFeed.load("healthy")

    async def start() -> None:
        raise OSError("no route [to] host")

    feed.start = start  # type: ignore[method-assign]
    async with console(feed=feed) as (app, pilot, _):
        await settled(pilot, lambda: "cannot start watching: no route [to] host" in text(app))


async def test_ascii_mode_draws_nothing_else() -> None:
    async with console("healthy", ascii_only=True, size=(160, 50)) as (app, pilot, _):
        for keys in (["j", "space"], ["+"], ["escape", "?"], ["escape", "ctrl+p"], ["escape", "f9", "/", "x"]):
            await pilot.press(*keys)
            await pilot.pause(0.2)
            assert [line for line in lines(app) if not line.isascii()] == []


async def test_themes_switch_while_running() -> None:
    async with console("healthy") as (app, pilot, _):
        assert "APP01" in text(app)
        colours = {str(segment.style) for strip in app.screen._compositor.render_strips() for segment in strip}
        seen = {app.theme}
        for _ in range(3):
            await pilot.press("f9")
            await pilot.pause(0.05)
            seen.add(app.theme)
        assert seen == {"dark", "light", "high-contrast", "colour-blind"}
        assert "APP01" in text(app)
        assert {str(s.style) for strip in app.screen._compositor.render_strips() for s in strip} != colours


async def test_an_unknown_theme_is_told_and_the_default_used() -> None:
    app = HvtuiApp(DirectFeed.load("healthy"), theme="drak")
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await settled(pilot, lambda: "there is no theme 'drak'" in text(app))
        assert app.theme == "dark"


async def test_a_fault_of_hvtui_itself_is_logged_without_the_values_of_variables(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    app = HvtuiApp(DirectFeed.load("healthy"), log_file=tmp_path / "hvtui.log")

    def breaks() -> None:
        password = "hunter2"
        raise RuntimeError(f"broken {len(password)}")

    async def run() -> None:
        async with app.run_test(size=(100, 30)) as pilot:
            app.call_later(breaks)
            await settled(pilot, lambda: app.failed)

    with caplog.at_level(logging.CRITICAL, logger="hvtui"), pytest.raises(RuntimeError):
        await run()
    assert app.failed
    assert "RuntimeError: broken 7" in caplog.text
    assert "hunter2" not in caplog.text


async def test_marks_of_read_only_and_protected_clusters_are_always_in_sight() -> None:
    feed = DirectFeed.load("healthy")
    feed.protected = True
    async with console(feed=feed, size=(80, 24)) as (app, _, _):
        assert " PROD " in lines(app)[0]
        assert "READ-ONLY" in lines(app)[0]
