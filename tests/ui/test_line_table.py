"""The table: cursor and marks are keys, the order waits for the user, and nothing a row says can break the screen."""

from __future__ import annotations

from dataclasses import replace

import pytest
from rich.cells import cell_len
from textual.events import MouseScrollDown

from hvtui.ui.widgets.line_table import LineTable
from tests.ui.table_app import Row, TableApp, some_rows

HOSTILE = (
    "VM[/prod]",
    "[@click=app.quit]x[/]",
    "a\x1b[31mb",
    "Ünïcode 漢字",
    "x" * 300,
    "",
    "\u202egnp.exe",
    "a\nb\tc",
)


async def test_cursor_and_marks_stay_on_their_row_while_rows_move_come_and_go() -> None:
    app = TableApp(some_rows(50), sort="cpu")
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.press("j", "j", "space")
        marked, under = app.table.marked, app.table.cursor_key
        assert marked == ["k47"]
        assert under == "k46"
        app.rest()
        app.table.update_rows({"k46": Row("VM46", 0), "k47": Row("VM47", 1), "new": Row("aaa", 99), "k1": None})
        await pilot.pause()
        assert app.table.cursor_key == "k46"
        assert app.table.order.view[app.table.cursor_place] == "k46"
        assert app.table.order.view[0] == "new"
        assert app.table.marked == ["k47"]


async def test_the_row_under_the_cursor_stays_as_a_ghost_when_it_goes_and_lives_again_when_it_comes_back() -> None:
    app = TableApp(some_rows(5))
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.press("j")
        app.rest()
        app.table.update_rows({"k1": None})
        await pilot.pause()
        assert app.table.cursor_key == "k1"
        assert app.table.row("k1") is None
        assert app.names() == ["VM0", "VM1", "VM2", "VM3", "VM4"]
        assert app.table.order.passing() == 4
        app.table.update_rows({"k1": Row("VM1", 7)})
        await pilot.pause()
        assert app.table.row("k1") == Row("VM1", 7)
        app.table.update_rows({"k1": None})
        await pilot.press("j")
        app.rest()
        await pilot.pause()
        assert app.table.cursor_key == "k2"
        assert app.names() == ["VM0", "VM2", "VM3", "VM4"]


async def test_marks_survive_a_row_that_is_gone_for_a_moment_but_are_not_offered_meanwhile() -> None:
    app = TableApp(some_rows(5))
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.press("space", "space")
        assert app.table.marked == ["k0", "k1"]
        app.rest()
        app.table.update_rows({"k0": None})
        assert app.table.marked == ["k1"]
        app.table.update_rows({"k0": Row("VM0")})
        assert app.table.marked == ["k0", "k1"]


async def test_rows_keep_their_places_while_the_user_navigates_but_show_their_new_values() -> None:
    app = TableApp(some_rows(10), sort="cpu")
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.press("j")
        before = app.names()
        app.table.update_rows({"k0": Row("VM0", 100), "k5": None, "new": Row("new", 50)})
        await pilot.pause()
        assert app.names() == before
        assert any("VM0" in line and "100%" in line for line in app.lines())
        app.rest()
        assert app.names()[0] == "new" if app.names()[0] == "new" else app.names()[0] == "VM0"
        assert "new" in app.names()
        assert "VM5" not in app.names()


async def test_the_first_rows_come_at_once_whatever_was_pressed_before() -> None:
    app = TableApp({}, sort="cpu")
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.press("j", "G")
        app.table.update_rows(some_rows(3))
        await pilot.pause()
        assert app.names() == ["VM2", "VM1", "VM0"]


async def test_an_open_dialog_holds_the_order() -> None:
    app = TableApp(some_rows(3), sort="cpu")
    async with app.run_test(size=(60, 20)) as pilot:
        app.table.hold()
        app.table.update_rows({"k0": Row("VM0", 90)})
        await pilot.pause()
        assert app.names() == ["VM2", "VM1", "VM0"]
        app.table.release()
        assert app.names() == ["VM0", "VM2", "VM1"]


async def test_the_order_thaws_by_itself_when_the_user_rests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LineTable, "FREEZE", 0.05)
    app = TableApp(some_rows(3), sort="cpu")
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.press("j")
        app.table.update_rows({"k0": Row("VM0", 90)})
        assert app.names() == ["VM2", "VM1", "VM0"]
        app.clock.advance(1)
        for _ in range(200):
            await pilot.pause(0.02)
            if app.names()[0] == "VM0":
                break
        assert app.names() == ["VM0", "VM2", "VM1"]


async def test_until_the_user_touches_it_the_cursor_is_on_the_first_row() -> None:
    app = TableApp({"b": Row("B")})
    async with app.run_test(size=(60, 20)) as pilot:
        app.table.update_rows({"a": Row("A")})
        await pilot.pause()
        assert app.table.cursor_key == "a"


async def test_movement_is_that_of_vim() -> None:
    app = TableApp(some_rows(100))
    async with app.run_test(size=(60, 21)) as pilot:
        steps = (
            (("j",), 1), (("k",), 0), (("G",), 99), (("g",), 0), (("d",), 10), (("u",), 0), (("ctrl+d",), 10),
            (("ctrl+u",), 0), (("ctrl+f",), 20), (("ctrl+b",), 0), (("end",), 99), (("home",), 0), (("down",), 1),
            (("up",), 0), (("pagedown",), 20), (("k", "k"), 18),
        )  # fmt: skip
        for keys, place in steps:
            await pilot.press(*keys)
            assert app.table.cursor_place == place, keys
            y = place - app.table.scroll_offset.y
            assert 0 <= y < app.table.page, keys


async def test_n_goes_round_the_rows_in_trouble() -> None:
    rows = {**some_rows(9), "k3": Row("VM3", 0, "Critical"), "k7": Row("VM7", 0, "Critical")}
    app = TableApp(rows)
    async with app.run_test(size=(60, 20)) as pilot:
        seen = []
        for key in ("n", "n", "n", "N"):
            await pilot.press(key)
            seen.append(app.table.cursor_key)
        assert seen == ["k3", "k7", "k3", "k7"]


async def test_ranges_and_all() -> None:
    app = TableApp(some_rows(10))
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.press("j", "v", "j", "j", "v", "j")
        assert app.table.marked == ["k1", "k2", "k3"]
        await pilot.press("shift+down")
        assert app.table.marked == ["k1", "k2", "k3", "k4", "k5"]
        await pilot.press("shift+up")
        assert app.table.marked == ["k1", "k2", "k3", "k4"]
        await pilot.press("*")
        assert len(app.table.marked) == 10
        await pilot.press("*")
        assert app.table.marked == []


async def test_every_column_sorts_both_ways_and_the_unknown_is_last() -> None:
    rows = {"a": Row("VM10", 5), "b": Row("VM2", None), "c": Row("vm1", 50)}
    app = TableApp(rows)
    async with app.run_test(size=(60, 20)) as pilot:
        assert app.names() == ["vm1", "VM2", "VM10"]
        await pilot.press("o")
        assert app.names() == ["VM10", "VM2", "vm1"]
        await pilot.press("<")
        assert app.table.sort_key == "cpu"
        assert app.names() == ["vm1", "VM10", "VM2"] if app.table.descending else ["VM10", "vm1", "VM2"]
        await pilot.press("o")
        assert app.names()[-1] == "VM2"
        await pilot.press(">")
        assert app.table.sort_key == "name"


async def test_mouse_sorts_selects_marks_opens_and_scrolls() -> None:
    app = TableApp(some_rows(100))
    async with app.run_test(size=(60, 20)) as pilot:
        cpu = next(slot for slot in app.table.slots if slot.column.key == "cpu")
        await pilot.click(LineTable, offset=(cpu.x, 0))
        assert (app.table.sort_key, app.table.descending) == ("cpu", True)
        await pilot.click(LineTable, offset=(cpu.x, 0))
        assert app.table.descending is False
        await pilot.click(LineTable, offset=(2, 4))
        assert app.table.cursor_key == "k3"
        await pilot.click(LineTable, offset=(2, 6), control=True)
        assert app.table.marked == ["k5"]
        await pilot.click(LineTable, offset=(2, 8), shift=True)
        assert app.table.marked == ["k5", "k6", "k7"]
        await pilot.click(LineTable, offset=(2, 3), times=2)
        assert app.opened == [("k2", "name")]
        await pilot._post_mouse_events([MouseScrollDown], LineTable, offset=(2, 3))
        await pilot.pause()
        assert app.table.scroll_offset.y == 3
        assert app.table.cursor_key == "k2"


async def test_enter_opens_the_row_and_the_cell() -> None:
    app = TableApp(some_rows(3), cell_cursor=True)
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.press("j", "l", "enter", "l", "l", "enter", "h", "h", "h", "enter")
        assert app.opened == [("k1", "state"), ("k1", "cpu"), ("k1", "name")]


async def test_hostile_names_stay_text_and_every_line_has_the_width_of_the_screen() -> None:
    app = TableApp({f"h{i}": Row(name) for i, name in enumerate(HOSTILE)})
    async with app.run_test(size=(40, 14)) as pilot:
        await pilot.press("j", "space")
        strips = app.screen._compositor.render_strips()
        assert {cell_len(strip.text) for strip in strips} == {40}
        text = "\n".join(strip.text for strip in strips)
        assert not set(text) & {"\x1b", "\r", "\t", "\u202e"}
        assert "VM[/prod]" in text
        assert "[@click=app." in text
        assert "Ünïcode 漢字" in text


async def test_narrow_tables_drop_columns_by_priority_and_l_brings_them() -> None:
    app = TableApp(some_rows(3))
    async with app.run_test(size=(24, 8)) as pilot:
        assert [slot.column.key for slot in app.table.slots] == ["name", "state"]
        assert app.lines()[0].endswith("›")
        await pilot.press("l")
        await pilot.pause()
        assert [slot.column.key for slot in app.table.slots] == ["name", "cpu"]
        await pilot.press("h")
        await pilot.pause()
        assert [slot.column.key for slot in app.table.slots] == ["name", "state"]


async def test_ascii_mode_draws_with_ascii_only() -> None:
    app = TableApp(some_rows(100), ascii_only=True)
    async with app.run_test(size=(24, 10)) as pilot:
        await pilot.press("j", "space", "<")
        await pilot.pause()
        text = "".join(app.lines())
        assert text.isascii()
        assert any(line.startswith("*VM") for line in app.lines())
        assert any(line.startswith(">VM") for line in app.lines())


async def test_a_filter_hides_rows_and_keeps_their_marks() -> None:
    app = TableApp(some_rows(20))
    async with app.run_test(size=(60, 30)) as pilot:
        await pilot.press("j", "space")
        app.table.set_filter(lambda row: row.name.endswith("2"))
        await pilot.pause()
        assert app.names() == ["VM2", "VM12"]
        assert app.table.cursor_key == "k2"
        assert app.table.marked == ["k1"]
        app.table.set_filter(None)
        await pilot.pause()
        assert len(app.names()) == 20
        assert app.table.cursor_key == "k2"


async def test_a_row_that_no_longer_passes_the_filter_stays_under_the_cursor() -> None:
    app = TableApp(some_rows(4))
    async with app.run_test(size=(60, 30)) as pilot:
        app.table.set_filter(lambda row: row.state == "Running")
        await pilot.press("j")
        app.rest()
        app.table.update_rows({"k1": replace(app.rows["k1"], state="Off"), "k2": replace(app.rows["k2"], state="Off")})
        await pilot.pause()
        assert app.table.cursor_key == "k1"
        assert app.names() == ["VM0", "VM1", "VM3"]


async def test_a_change_paints_only_its_line_again() -> None:
    app = TableApp(some_rows(1000))
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.pause()
        before = dict(app.table._strips)
        app.table.update_rows({"k3": Row("VM3", 77), "k900": Row("VM900", 1)})
        await pilot.pause()
        after = app.table._strips
        built = {key for key, strip in after.items() if before.get(key) is not strip}
        assert {key[0] for key in built} == {"k3"}


async def test_another_theme_recolours_the_rows_that_are_shown() -> None:
    app = TableApp(some_rows(3))
    async with app.run_test(size=(60, 10)) as pilot:
        await pilot.pause()
        line = app.screen._compositor.render_strips()[2]
        app.theme = "light"
        await pilot.pause()
        again = app.screen._compositor.render_strips()[2]
        assert line.text == again.text
        assert [segment.style for segment in line] != [segment.style for segment in again]
