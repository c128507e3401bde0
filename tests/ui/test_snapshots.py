"""Every pane, every detail page and every theme, as a person sees them."""

from __future__ import annotations

import pytest

from hvtui.ui.messages import OpenDetail
from hvtui.ui.themes import load_themes, theme_dirs
from tests.support import builders as b
from tests.support.screens import console, looks_of, press, settle, text_of
from tests.support.snapshots import check
from tests.support.still import StillFeed, night

PANES = {"nodes": "1", "csvs": "2", "vms": "3", "writers": "4", "placement": "5", "events": "6", "findings": "8"}
SHIPPED = ("colour-blind", "dark", "high-contrast", "light")


def test_the_shipped_themes_are_the_ones_with_a_snapshot() -> None:
    assert sorted(load_themes(theme_dirs())[0]) == sorted(SHIPPED)


@pytest.mark.parametrize("theme", SHIPPED)
async def test_theme(theme: str) -> None:
    async with console(StillFeed(night()), theme=theme) as (app, _):
        check(f"theme-{theme}", looks_of(app))


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
async def test_overview(size: tuple[int, int]) -> None:
    async with console(StillFeed(night()), size) as (app, _):
        check(f"overview-{size[0]}x{size[1]}", text_of(app))


async def test_overview_in_ascii() -> None:
    async with console(StillFeed(night()), ascii_only=True) as (app, _):
        text = text_of(app)
        check("overview-ascii", text)
        assert text.isascii()


@pytest.mark.parametrize("pane", PANES)
async def test_pane(pane: str) -> None:
    async with console(StillFeed(night()), (120, 30)) as (app, pilot):
        await press(pilot, PANES[pane], "+")
        check(f"pane-{pane}", text_of(app))


DETAILS = {
    "node": ("node", "HV03"),
    "node-silent": ("node", "HV05"),
    "csv": ("csv", b.csv_id("Volume10")),
    "vm": ("vm", b.guid("SQL07")),
    "vm-drift": ("vm", b.guid("APP01")),
    "writer": ("writer", f"HV03|{b.HYPER_V_WRITER[1]}"),
    "event": ("event", "HV03\nMicrosoft-Windows-Hyper-V-VMMS-Admin\n1"),
}


@pytest.mark.parametrize("name", DETAILS)
async def test_detail(name: str) -> None:
    kind, key = DETAILS[name]
    async with console(StillFeed(night()), (120, 50)) as (app, pilot):
        app.overview.post_message(OpenDetail(kind, key))
        await settle(pilot)
        check(f"detail-{name}", text_of(app))


async def test_the_page_of_a_finding() -> None:
    async with console(StillFeed(night()), (120, 50)) as (app, pilot):
        await press(pilot, "8", "g", "e")
        check("finding", text_of(app))


async def test_detail_on_a_small_screen() -> None:
    async with console(StillFeed(night()), (80, 24)) as (app, pilot):
        app.overview.post_message(OpenDetail("writer", DETAILS["writer"][1]))
        await settle(pilot)
        check("detail-80x24", text_of(app))


async def test_a_terminal_made_small_shows_what_a_small_one_shows() -> None:
    async with console(StillFeed(night()), (120, 40)) as (app, pilot):
        await pilot.resize_terminal(80, 24)
        await settle(pilot)
        check("overview-80x24", text_of(app))
