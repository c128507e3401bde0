"""The console shows the same on a real PowerShell engine as on the native one: every pane, every page, word for word.

Both labs stand still at the same second of the same world, and so does the console's clock; so data have no age, and a
difference is a difference of what was told.
"""

from __future__ import annotations

import asyncio
import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest
from textual.pilot import Pilot

from hvtui.clock import ManualClock
from hvtui.lab.serve import EngineKind, Lab
from hvtui.live.monitor import Monitor
from hvtui.model.change import Change
from hvtui.ui.app import HvtuiApp
from hvtui.ui.messages import OpenDetail
from hvtui.ui.overview import Overview
from hvtui.ui.panes.writer_matrix import row_key
from hvtui.ui.screens.detail import KINDS, DetailScreen
from hvtui.ui.screens.facts import Facts
from tests.engine.stub_session import engine
from tests.engine.support.whole import unread
from tests.remote.conftest import config_for, gate_for
from tests.support.screens import console, press, settle, text_of
from tests.support.wait import until

pytestmark = pytest.mark.timeout(600)

START: Final = datetime(2026, 11, 24, tzinfo=UTC)
AT: Final = 3600.0
"""An hour in: the job was killed, the Hyper-V writer of HV03 has failed and stays so, other backups run."""
COMPLETE: Final = 240.0
"""Seconds within which everything was read; 24 engines share the processors with whatever else runs."""

OVERVIEWS: Final = ((80, 24), (120, 40), (200, 60))
PANES: Final = {"nodes": "1", "csvs": "2", "vms": "3", "writers": "4", "placement": "5", "events": "6", "findings": "8"}
VMS: Final = ("SQL07", "FILE02", "PRINT01", "BRANCH-SQL", "OLD-CRM", "ARCHIVE01", "DC01", "LNX01", "WEB01", "APP01")
"""One of each kind: the causes, their neighbour, a replica, one that is off, one with a checkpoint that was left, …"""

MASKS: Final = (
    (r"(\btook[^\w\n]+)\d+\.\d(?= s\b)", "how long vssadmin really took"),
    (r"^([^\w\n]*looks every[^\w\n]+)\d[\d.]*(?= s\b)", "the wait follows from what a round cost"),
    (r"^([^\w\n]*PowerShell[^\w\n]+)[57]\.\d[\w.-]*", "Windows PowerShell on a node, PowerShell 7 here"),
    (r"^(─ What hvtui costs this node )[^\n]*\n.*?(?=^$)", "calls, CPU and bytes of this very console"),
)
"""What cannot be equal, each with its reason; the group stays, the rest of the match is masked."""


@dataclass
class Shown:
    """What one console showed: screens by name, and for every other thing the parts of its page with their colours."""

    screens: dict[str, str] = field(default_factory=dict)
    pages: dict[str, str] = field(default_factory=dict)


@pytest.fixture(scope="module")
def native() -> Shown:
    """The console on the native engine."""
    return asyncio.run(_look("native"))


@pytest.fixture(scope="module")
def module() -> Shown:
    """The console on nodes that run the module on a real engine."""
    engine()
    return asyncio.run(_look("pwsh"))


async def _look(kind: EngineKind) -> Shown:
    with Lab("stuck-writer", speed=0, at=AT, start=START, engine=kind) as lab:
        clock = ManualClock(START + timedelta(seconds=AT))
        feed = Monitor(config_for(lab), credentials=gate_for(lab), clock=clock)
        try:
            async with console(feed) as (app, pilot):
                await until(lambda: len(feed.state.nodes) == len(lab.addresses), COMPLETE)
                for name in lab.addresses:
                    feed.refresh("signals", name)
                await until(lambda: not list(unread(feed, lab)) and not list(_unasked(feed)), COMPLETE)
                shown = Shown()
                await _overviews(shown, app, pilot)
                await _details(shown, app, pilot, feed)
                _pages(shown, app, feed)
                return shown
        finally:
            await feed.stop()


def _unasked(feed: Monitor) -> Iterator[str]:
    """Nodes of which something that is read seldom, or when asked for, was not read."""
    for name, view in feed.state.nodes.items():
        if None in (view.shadows, view.filters, view.hotfixes):
            yield name


async def _overviews(shown: Shown, app: HvtuiApp, pilot: Pilot[None]) -> None:
    for width, height in OVERVIEWS:
        await _resize(app, pilot, width, height)
        shown.screens[f"overview {width}x{height}"] = text_of(app)
    # High enough for every row, so that nothing hides below the edge.
    await _resize(app, pilot, 240, 100)
    for name, key in PANES.items():
        await press(pilot, key, "+")
        shown.screens[f"pane {name}"] = text_of(app)
        if name in {"writers", "placement"}:
            await press(pilot, "z")
            shown.screens[f"pane {name}, unfolded"] = text_of(app)
        await pilot.press("+")
    await press(pilot, "3", "/", *"drift:yes", "enter")
    shown.screens["pane vms, filtered"] = text_of(app)
    await press(pilot, "escape", "?")
    shown.screens["help"] = text_of(app)
    await press(pilot, "escape")
    await press(pilot, "ctrl+p", *"sql07")
    shown.screens["palette"] = text_of(app)
    await press(pilot, "escape")
    await until(lambda: isinstance(app.screen, Overview))


async def _resize(app: HvtuiApp, pilot: Pilot[None], width: int, height: int) -> None:
    await pilot.resize_terminal(width, height)
    await settle(pilot)
    # Rows of panes take their heights from what is in them: what was cut at first gets its room now.
    app.overview.apply(Change())
    await settle(pilot)


async def _details(shown: Shown, app: HvtuiApp, pilot: Pilot[None], feed: Monitor) -> None:
    """The whole text of pages, with head and keys; in one column, so that a mask takes nothing beside it."""
    await pilot.resize_terminal(100, 60)
    facts = Facts(feed, app.look)
    for kind, key in _keys(feed):
        title = KINDS[kind].title(facts, key)
        if kind == "vm" and title not in VMS:
            continue
        if kind in {"writer", "event"} and not key.startswith("HV03"):
            continue
        app.overview.post_message(OpenDetail(kind, key))
        await until(lambda: isinstance(app.screen, DetailScreen) and app.screen.text)
        await pilot.pause()
        assert isinstance(app.screen, DetailScreen)
        head, *_, keys = text_of(app).splitlines()
        shown.screens[f"{kind} {key!r}"] = f"{head}\n{app.screen.text}\n{keys}\n"
        await pilot.press("escape")
        await until(lambda: isinstance(app.screen, Overview))


def _pages(shown: Shown, app: HvtuiApp, feed: Monitor) -> None:
    """Every page of everything, with the roles of its words."""
    facts = Facts(feed, app.look)
    for kind, key in _keys(feed):
        lines = [KINDS[kind].title(facts, key)]
        for section in KINDS[kind].page(facts, key):
            lines.append(f"─ {section.title} ─ {section.note}")
            for line in section.lines:
                lines.append(f"{line.label}: " + "".join(f"{text}‹{role}›" for text, role in line.spans))
            lines.append("")
        shown.pages[f"{kind} {key!r}"] = "\n".join([*lines, ""])


def _keys(feed: Monitor) -> list[tuple[str, str]]:
    """Kind and key of everything that has a page."""
    state = feed.state
    pictures = [(name, view.writers) for name, view in sorted(state.nodes.items()) if view.writers is not None]
    return [
        *(("node", name) for name in sorted(state.nodes)),
        *(("csv", key) for key in sorted(state.cluster.csvs or {})),
        *(("vm", key) for key in sorted(state.vm_keys())),
        *(("writer", f"{name}|{row_key(writer)}") for name, picture in pictures for writer in picture.writers),
        *(
            ("event", f"{item.node}\n{item.event.channel}\n{item.event.record}")
            for item in sorted(
                state.events.recent(), key=lambda item: (item.node, item.event.channel, item.event.record)
            )
        ),
    ]


def _masked(text: str) -> str:
    for pattern, _reason in MASKS:
        text = re.sub(pattern, r"\1…", text, flags=re.MULTILINE | re.DOTALL)
    return text


def _differences(native: dict[str, str], module: dict[str, str]) -> str:
    found = [f"only one of them shows {name}" for name in native.keys() ^ module.keys()]
    for name in native.keys() & module.keys():
        one, other = _masked(native[name]), _masked(module[name])
        if one != other:
            lines = difflib.unified_diff(one.splitlines(), other.splitlines(), "native", "module", lineterm="", n=0)
            found.append("\n".join([name, *lines]))
    return "\n\n".join(sorted(found))


@pytest.mark.parametrize("what", ["overview", "pane", "node", "csv", "vm", "writer", "event", "help", "palette"])
def test_the_screens_are_the_same(native: Shown, module: Shown, what: str) -> None:
    one = {name: text for name, text in native.screens.items() if name.split(" ")[0] == what}
    assert one
    assert _differences(one, {name: text for name, text in module.screens.items() if name.split(" ")[0] == what}) == ""


def test_the_pages_of_everything_are_the_same_in_words_and_colours(native: Shown, module: Shown) -> None:
    kinds = {name.split(" ")[0] for name in native.pages}
    assert kinds == set(KINDS)
    assert _differences(native.pages, module.pages) == ""


def test_the_incident_is_on_them(native: Shown, module: Shown) -> None:
    # What is compared is a full picture, not two empty ones.
    for shown in (native, module):
        text = shown.screens["overview 120x40"]
        assert re.search(r"HV03: Microsoft Hyper-V VSS Writer \[5\] Unexpected error, \d+ min \(event\)", text)
        assert "6 nodes · 57 VMs · 7 CSVs" in text
        assert "71 ✓" in text
        assert not re.search(r"not read|unread", shown.screens["pane writers, unfolded"])
        assert len(shown.pages) > 200


def test_a_mask_takes_only_what_it_names() -> None:
    cost = ["─ What hvtui costs this node ── last 12 s ─", " calls 12 Get-HvTuiInfo 2,", "       Watch-HvTuiNode 1", ""]
    told = [
        " took     1.6 s",
        " PowerShell 5.1.14393.6614",
        " looks every 1.99 s",
        " age here 4 s",
        " modules HvTui 1.0.0",
    ]
    masked = [" took     … s", " PowerShell …", " looks every … s", *told[3:]]
    page = "\n".join([*cost, *told])
    assert _masked(page).splitlines() == ["─ What hvtui costs this node …", *masked]
