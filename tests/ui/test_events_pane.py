"""The Events pane: order, filter, what its note says."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec

from hvtui.clock import ManualClock
from hvtui.ui.panes.events import EventsPane
from hvtui.ui.widgets.line_table import LineTable
from hvtui.ui.widgets.note_line import NoteLine
from tests.support import builders as b
from tests.support.screens import console, press, settle
from tests.support.still import StillFeed, live, night


async def test_events_are_newest_first_and_name_their_subject() -> None:
    async with console(StillFeed(night())) as (app, pilot):
        await press(pilot, "6")
        table: LineTable[Any] = app.overview.query_one(EventsPane).query_one(LineTable)
        rows = [table.order.rows[key] for key in table.order.view]
        assert [row.time for row in rows] == sorted((row.time for row in rows), reverse=True)
        assert "System Writer" in rows[0].text
        assert "SQL07" in rows[1].text


async def test_a_node_whose_clock_is_wrong_does_not_stay_on_top() -> None:
    feed = StillFeed(night())
    ahead = timedelta(hours=3)
    feed.state.set_link("HV02", msgspec.structs.replace(live(), offset=ahead))
    old, new = b.NOW - timedelta(minutes=9) + ahead, b.NOW - timedelta(seconds=1)
    feed.state.add_events("HV02", b.page([b.backup_failed("WEB01", old, 78)]))
    feed.state.add_events("HV01", b.page([b.backup_failed("SQL07", new, 79)]))
    async with console(feed) as (app, pilot):
        await press(pilot, "6")
        table: LineTable[Any] = app.overview.query_one(EventsPane).query_one(LineTable)
        rows = [table.order.rows[key] for key in table.order.view]
        assert (rows[0].node, rows[0].time) == ("HV01", new)
        late = next(row for row in rows if row.node == "HV02" and row.vm == "WEB01")
        assert late.time == old, "the node's own clock is shown"
        assert [row.order for row in rows] == sorted((row.order for row in rows), reverse=True)


async def test_the_cursor_stays_on_its_event_while_newer_ones_come() -> None:
    feed = StillFeed(night())
    async with console(feed) as (app, pilot):
        await press(pilot, "6", "j", "j")
        table: LineTable[Any] = app.overview.query_one(EventsPane).query_one(LineTable)
        key = table.cursor_key
        fresh = [b.backup_failed("WEB01", b.NOW, 77)]
        feed.tell(feed.state.add_events("HV02", b.page(fresh)))
        await settle(pilot)
        assert table.cursor_key == key
        assert any(row.vm == "WEB01" for row in table.order.rows.values())


async def test_events_filter() -> None:
    async with console(StillFeed(night())) as (app, pilot):
        await press(pilot, "6", "/", *"id:10102", "enter")
        pane = app.overview.query_one(EventsPane)
        table: LineTable[Any] = pane.query_one(LineTable)
        assert {table.order.rows[key].id for key in table.order.view} == {10102}
        assert pane.counts().startswith("4 of 6")


async def test_the_coverage_note_names_what_is_missing() -> None:
    feed = StillFeed(night())
    feed.state.set_event_error("HV01", "System", "Access is denied.", "denied")
    recent = b.page([], channel="System", oldest_time=b.NOW, wrapped=True)
    feed.state.add_events("HV02", recent)
    async with console(feed) as (app, _):
        words = app.overview.query_one(EventsPane).query_one(NoteLine).words
        assert "complete since 03-14 00:48 (HV02 System has wrapped)" in words
        assert "1 logs not readable: HV01 System: Access is denied." in words
        assert "not read: HV05, HV06" in words


async def test_the_events_pane_tells_the_age_of_the_log_read_longest_ago() -> None:
    feed = StillFeed(night())
    async with console(feed) as (app, _):
        pane = app.overview.query_one(EventsPane)
        assert pane.data_age() == 0.0
        assert isinstance(feed.clock, ManualClock)
        feed.clock.advance(200)
        assert pane.data_age() == 200.0
        assert pane.data_stale()


async def test_a_zoomed_pane_of_the_lower_row_fills_the_screen_at_once() -> None:
    async with console(StillFeed(night())) as (app, pilot):
        await press(pilot, "6", "+")
        assert app.overview.query_one(EventsPane).outer_size.height == 37
        await press(pilot, "+")
        assert app.overview.query_one(EventsPane).outer_size.height < 15
