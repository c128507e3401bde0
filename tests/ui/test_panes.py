"""What the panes do beyond looking right."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from hvtui.clock import ManualClock
from hvtui.model.change import Change
from hvtui.model.link import Link, LinkStatus
from hvtui.model.records import Load
from hvtui.model.state import ClusterState
from hvtui.model.writers import writer_picture
from hvtui.ui.look import Look
from hvtui.ui.panes.csvs import CsvsPane
from hvtui.ui.panes.nodes import NodesPane
from hvtui.ui.panes.placement import PlacementPane
from hvtui.ui.panes.vms import VmsPane
from hvtui.ui.panes.writer_matrix import READ_ROW, writer_view
from hvtui.ui.panes.writers import WritersPane
from hvtui.ui.screens.detail import DetailScreen
from hvtui.ui.widgets.matrix import Matrix
from hvtui.ui.widgets.matrix_layout import FOLD, Cell, MatrixData
from hvtui.ui.widgets.note_line import NoteLine
from tests.support import builders as b
from tests.support.screens import console, press, settle, text_of
from tests.support.still import MONOTONIC, StillFeed, live, night
from tests.support.wait import until


def clock_of(feed: StillFeed) -> ManualClock:
    assert isinstance(feed.clock, ManualClock)
    return feed.clock


# --- nodes --------------------------------------------------------------------------------------------------------


async def test_nodes_come_worst_first_and_the_title_counts_the_rest() -> None:
    async with console(StillFeed(night())) as (app, _):
        pane = app.overview.query_one(NodesPane)
        assert pane.table.order.view == ["HV03", "HV05", "HV01", "HV06", "HV04", "HV02"]
        assert pane.counts() == "6 · 2 ✖ · 2 ? · 2 ✓"


async def test_a_silent_node_keeps_its_data_with_their_age_and_comes_back_alone() -> None:
    feed = StillFeed(night())
    async with console(feed, (160, 40)) as (app, pilot):
        table = app.overview.query_one(NodesPane).table
        before = dict(table.order.rows)
        assert before["HV05"].silent == "3 min"
        assert before["HV05"].row.cpu == 5
        feed.tell(feed.state.set_link("HV05", live()))
        await settle(pilot)
        after = table.order.rows
        assert after["HV05"].silent == ""
        assert [name for name in after if after[name] != before[name]] == ["HV05"]


async def test_hanging_is_not_called_unreachable() -> None:
    feed = StillFeed(night())
    text = "VMMS does not answer"
    link = msgspec.structs.replace(live(), status=LinkStatus.HANGING, text=text, last_frame=MONOTONIC - 12)
    feed.state.set_link("HV02", link)
    async with console(feed, (160, 40)) as (app, _):
        assert "hanging 12 s" in text_of(app)


async def test_silence_grows_without_any_message() -> None:
    feed = StillFeed(night())
    async with console(feed) as (app, _):
        pane = app.overview.query_one(NodesPane)
        clock_of(feed).advance(60)
        pane.second()
        assert pane.table.order.rows["HV05"].silent == "4 min"
        assert pane.table.order.rows["HV01"].silent == "60 s"
        assert pane.data_stale()


async def test_a_clock_is_shown_only_when_one_is_off() -> None:
    feed = StillFeed(night())
    async with console(feed, (160, 40)) as (app, pilot):
        table = app.overview.query_one(NodesPane).table
        assert any(column.key == "clock" for column in table.columns)
        assert "+7.2 s" in text_of(app)
        feed.tell(feed.state.apply_node("HV02", b.node_frame("HV02", kind="beat", seq=2), live()))
        clock_of(feed).advance(1)
        app.overview.query_one(NodesPane).load()
        await settle(pilot)
        assert not any(column.key == "clock" for column in table.columns)


# --- CSVs ---------------------------------------------------------------------------------------------------------


async def test_refs_redirection_is_no_fault_but_redirection_by_hand_is() -> None:
    async with console(StillFeed(night())) as (app, _):
        pane = app.overview.query_one(CsvsPane)
        assert pane.table.order.view[0] == b.csv_id("Volume10")
        assert pane.counts() == "4 · 1 ▲ · 3 ✓ · 1 in backup"
        text = text_of(app)
        assert "redirected: UserRequest" in text
        assert "redirected (ReFS)" in text


async def test_enter_opens_the_volume_and_escape_comes_back() -> None:
    feed = StillFeed(night())
    async with console(feed) as (app, pilot):
        listening = feed.listeners
        await press(pilot, "2", "enter")
        assert isinstance(app.screen, DetailScreen)
        assert "C:\\ClusterStorage\\Volume10" in app.screen.text
        assert feed.listeners == listening + 1
        await press(pilot, "escape")
        assert len(app.screen_stack) == 1
        assert feed.listeners == listening


# --- writers ------------------------------------------------------------------------------------------------------


async def test_the_note_tells_the_worst_writer_and_its_true_start() -> None:
    async with console(StillFeed(night())) as (app, _):
        note = app.overview.query_one(WritersPane).query_one(NoteLine)
        start = "since 13 Mar 23:34 (event)"
        assert note.words == f"HV03 Hyper-V [5] Retryable error · {start} · Waiting for completion"


def test_unread_and_unreadable_never_look_healthy() -> None:
    state = night()
    view = writer_view(state, MONOTONIC, Look())
    assert view.data.blind == {"HV05", "HV06"}
    assert not {"HV05", "HV06"} & set(view.data.quiet_columns())
    broken = b.writer_lines().replace("[1]", "[?]")
    state.set_writers("HV01", writer_picture(b.writer_text(broken), MONOTONIC))
    view = writer_view(state, MONOTONIC, Look())
    assert "HV01" not in view.data.quiet_columns()
    assert view.counts["unreadable"] + len(view.data.blind) >= 1


def test_a_writer_that_others_have_and_a_node_lacks_is_missing() -> None:
    state = night()
    lines = b.writer_lines().split("\r\n\r\n")
    without = "\r\n\r\n".join(block for block in lines if "Hyper-V" not in block)
    state.set_writers("HV01", writer_picture(b.writer_text(without), MONOTONIC))
    view = writer_view(state, MONOTONIC, Look())
    cell = view.data.cell(b.HYPER_V_WRITER[1], "HV01")
    assert (cell.text, cell.quiet) == ("▲ missing", False)
    assert view.counts["missing"] == 1


def test_a_reading_that_failed_keeps_the_old_one_and_says_so() -> None:
    state = night()
    answer = b.writer_text(None, timed_out=True)
    state.set_writers("HV01", writer_picture(answer, MONOTONIC))
    view = writer_view(state, MONOTONIC, Look())
    assert view.data.cell(b.HYPER_V_WRITER[1], "HV01").text == "[1]✓ ok"
    assert view.data.cell(READ_ROW, "HV01").text.startswith("failed")
    assert "HV01" not in view.data.quiet_columns()


async def test_r_reads_the_node_under_the_cursor() -> None:
    feed = StillFeed(night())
    async with console(feed) as (app, pilot):
        await press(pilot, "4", "r")
        assert feed.asked[-1] == ("writers", "HV03")
        await press(pilot, "l", "r")
        assert feed.asked[-1] == ("writers", "HV04")
        assert app.overview.query_one(WritersPane).query_one(Matrix).cursor == (b.HYPER_V_WRITER[1], "HV04")


async def test_enter_opens_the_writer_with_its_advice() -> None:
    async with console(StillFeed(night())) as (app, pilot):
        await press(pilot, "4", "enter")
        assert isinstance(app.screen, DetailScreen)
        text = app.screen.text
        assert "Microsoft Hyper-V VSS Writer" in text_of(app)
        assert "what to do" in text
        assert "10102" in text


# --- the matrix ---------------------------------------------------------------------------------------------------


def big_state(failed: set[str]) -> ClusterState:
    state = ClusterState()
    names = [f"HV{number:02d}" for number in range(1, 65)]
    state.apply_cluster(b.cluster_frame([b.cluster_node(name) for name in names], [], [], []), live())
    for name in names:
        state.set_link(name, live())
        error = {b.HYPER_V_WRITER: (7, "Retryable error")} if name in failed else {}
        state.set_writers(name, writer_picture(b.writer_text(b.writer_lines(error)), MONOTONIC))
    return state


async def test_sixty_four_nodes_fold_and_unfold_with_the_cursor_on_its_cell() -> None:
    feed = StillFeed(big_state({"HV40"}))
    async with console(feed) as (app, pilot):
        matrix = app.overview.query_one(WritersPane).query_one(Matrix)
        assert list(matrix._plan.columns) == ["HV40", FOLD]
        assert len(matrix._plan.folded_columns) == 63
        await press(pilot, "4")
        assert matrix.cursor == (b.HYPER_V_WRITER[1], "HV40")
        await press(pilot, "z")
        assert matrix.cursor == (b.HYPER_V_WRITER[1], "HV40")
        assert FOLD not in matrix._plan.columns
        assert "HV40" in text_of(app)
        failed = b.writer_lines({b.HYPER_V_WRITER: (7, "Retryable error")})
        feed.tell(feed.state.set_writers("HV39", writer_picture(b.writer_text(failed), MONOTONIC)))
        await press(pilot, "z")
        assert list(matrix._plan.columns) == ["HV39", "HV40", FOLD]
        assert matrix.cursor == (b.HYPER_V_WRITER[1], "HV40")
        await press(pilot, "N")
        assert matrix.cursor == (b.HYPER_V_WRITER[1], "HV39")


async def test_enter_on_a_fold_opens_it() -> None:
    async with console(StillFeed(big_state(set()))) as (app, pilot):
        matrix = app.overview.query_one(WritersPane).query_one(Matrix)
        await press(pilot, "4", "enter")
        assert app.screen is app.overview
        assert matrix.unfolded
        assert matrix.cursor == (b.HYPER_V_WRITER[1], "HV01")


async def test_only_lines_that_differ_are_painted_again(monkeypatch: pytest.MonkeyPatch) -> None:
    feed = StillFeed(night())
    async with console(feed) as (app, _):
        matrix = app.overview.query_one(WritersPane).query_one(Matrix)
        painted: list[Any] = []
        real = matrix.refresh

        def refresh(*regions: Any, **more: Any) -> Any:
            painted.extend(regions)
            return real(*regions, **more)

        monkeypatch.setattr(matrix, "refresh", refresh)
        pane = app.overview.query_one(WritersPane)
        pane.second()
        assert painted == []
        failed = b.writer_lines({b.HYPER_V_WRITER: (7, "Retryable error")})
        pane.apply(feed.state.set_writers("HV03", writer_picture(b.writer_text(failed), MONOTONIC - 60)))
        assert {region.y for region in painted} == {1}


# --- placement ----------------------------------------------------------------------------------------------------


async def test_enter_on_a_cell_shows_exactly_those_vms() -> None:
    async with console(StillFeed(night()), (160, 48)) as (app, pilot):
        placement = app.overview.query_one(PlacementPane)
        assert placement.counts().startswith("2 off-owner ≠")
        cells = placement.query_one(Matrix)
        await press(pilot, "5")
        cells.put_cursor("HV01", b.csv_id("Volume10"))
        assert placement.shown.data.cell("HV01", b.csv_id("Volume10")).text == "1≠"
        await press(pilot, "enter")
        table = app.overview.query_one(VmsPane).table
        assert [table.order.rows[key].name for key in table.order.view] == ["APP01"]
        await press(pilot, "5")
        cells.put_cursor("HV02", b.csv_id("Volume1"))
        await press(pilot, "enter")
        assert [table.order.rows[key].name for key in table.order.view] == ["WEB01"]


async def test_the_owner_is_marked_and_unread_vms_are_counted() -> None:
    async with console(StillFeed(night())) as (app, _):
        pane = app.overview.query_one(PlacementPane)
        data = pane.shown.data
        assert data.cell("HV03", b.csv_id("Volume10")).text.strip() == "◆1"
        assert data.cell("HV03", b.csv_id("Volume10")).role == "owner"
        assert pane.shown.unknown == 1
        assert "1 unread" in pane.counts()


# --- detail pages -------------------------------------------------------------------------------------------------


async def test_a_detail_page_lives_on() -> None:
    feed = StillFeed(night())
    async with console(feed) as (app, pilot):
        await press(pilot, "1", "enter")
        assert isinstance(app.screen, DetailScreen)
        screen = app.screen
        assert "97% of 32 logical processors" in screen.text
        load = Load(host=(12, 100_000), vms=[])
        feed.tell(feed.state.apply_node("HV03", b.node_frame("HV03", kind="delta", seq=2, load=load), live()))
        await until(lambda: "12% of 32 logical processors" in screen.text)


async def test_r_on_a_detail_page_asks_its_node() -> None:
    feed = StillFeed(night())
    async with console(feed) as (_, pilot):
        await press(pilot, "4", "enter", "r")
        assert feed.asked[-1] == ("writers", "HV03")


async def test_a_page_of_something_that_went_away_says_so() -> None:
    feed = StillFeed(night())
    async with console(feed) as (app, pilot):
        await press(pilot, "2", "enter")
        assert isinstance(app.screen, DetailScreen)
        gone = {"csvs": [b.csv_id("Volume10")]}
        feed.tell(feed.state.apply_cluster(b.cluster_frame(kind="delta", seq=4, gone=gone), live()))
        screen = app.screen
        await until(lambda: "does not list this volume" in screen.text)


async def test_a_link_that_never_spoke_is_never_called_fine() -> None:
    feed = StillFeed(ClusterState())
    feed.state.set_link("HV01", Link(status=LinkStatus.CONNECTING, since=MONOTONIC))
    feed.tell(Change(links={"HV01"}))
    async with console(feed) as (app, _):
        assert app.overview.query_one(NodesPane).counts() == "1 · 1 ?"
        assert app.overview.query_one(CsvsPane).counts() == "not read yet"
        assert app.overview.query_one(WritersPane).counts() == "1 nodes not read"


async def test_the_mouse_puts_the_cursor_and_a_double_click_opens() -> None:
    async with console(StillFeed(night())) as (app, pilot):
        matrix = app.overview.query_one(WritersPane).query_one(Matrix)
        x = 1 + matrix._plan.label_width + 3
        await pilot.click(matrix, offset=(x, 1))
        await settle(pilot)
        assert matrix.cursor == (b.HYPER_V_WRITER[1], "HV01")
        await pilot.click(matrix, offset=(x, 2), times=2)
        await settle(pilot)
        assert isinstance(app.screen, DetailScreen)
        assert "System Writer on HV01" in text_of(app)


async def test_a_wide_matrix_begins_at_its_left_edge_while_trouble_is_in_sight(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # The pane would put its own data back once a second.
    monkeypatch.setattr(WritersPane, "_paint", lambda _pane: None)
    bad = Cell("7 failed", "bad", quiet=False)
    columns = [(f"c{number:02d}", f"HV{number:02d}") for number in range(40)]
    cells = {("r0", "c39"): bad, ("r1", "c02"): bad} | {("r2", key): bad for key, _ in columns}
    data = MatrixData([("r0", "one"), ("r1", "two"), ("r2", "three")], columns, cells, corner="writer")
    async with console(StillFeed(night())) as (app, pilot):
        matrix = app.overview.query_one(WritersPane).query_one(Matrix)
        matrix.show_data(data)
        assert matrix.cursor == ("r1", "c02")
        assert matrix._columns.start == 0
        app.screen.set_focus(matrix)
        await press(pilot, "k", *("l" * 39))
        assert matrix.cursor == ("r0", "c39")
        assert matrix._columns.stop == 40
