"""No single key changes anything, wherever it is pressed; the palette, the protected frame, leaving in the middle."""

from __future__ import annotations

from pathlib import Path

import pytest

from hvtui.ui.actions import ACTIONS
from hvtui.ui.dialogs.ask_dialog import LeaveRunning
from hvtui.ui.overview import Overview
from hvtui.ui.screens.operations_page import OperationsPage
from tests.support.acting import ActingFeed, acting
from tests.support.screens import looks_of
from tests.ui.acts import armed, dialog
from tests.ui.console import settled, text
from tests.ui.test_act_snapshots import failed_run, runbook

KEYS = sorted(
    {key for action in ACTIONS for key in action.keys}
    | {f"ctrl+{letter}" for letter in "aeknswl"}
    | set("xpymABCDEFHIJKLPQRSUVWXYZ")
)


@pytest.mark.timeout(240)
@pytest.mark.parametrize("place", ["nodes", "vms", "operations"])
async def test_no_key_alone_changes_anything(place: str, tmp_path: Path) -> None:
    feed = ActingFeed()
    async with acting(feed, tmp_path) as (app, pilot, operations):
        operations.runs += [failed_run(), runbook()]
        for key in KEYS:
            if key in {"q", "ctrl+q"}:
                continue
            page = OperationsPage if place == "operations" else Overview
            while not isinstance(app.screen, Overview | page):
                app.screen.dismiss()
                await pilot.pause()
            if place == "operations":
                if not isinstance(app.screen, OperationsPage):
                    app.action_operations()
                    await settled(pilot, lambda: isinstance(app.screen, OperationsPage))
            else:
                app.overview.show_pane(place)
            await pilot.press(key)
        assert feed.sent == []
        assert len(operations.runs) == 2
        assert not any(run.cancelling for run in operations.runs)


async def test_a_verb_can_be_found_in_the_palette(tmp_path: Path) -> None:
    feed = ActingFeed()
    async with acting(feed, tmp_path) as (app, pilot, _):
        await pilot.press("1", "ctrl+p", *"drain node")
        await settled(pilot, lambda: "Drain node" in text(app))
        await pilot.pause(0.2)
        await pilot.press("enter")
        shown = await dialog(app, pilot)
        assert shown.plan is not None
        assert shown.plan.title == "Drain HV01"


async def test_a_protected_cluster_has_a_frame_of_its_own(tmp_path: Path) -> None:
    async with acting(ActingFeed(), tmp_path, protected=True) as (app, pilot, _):
        frame = app.palettes["dark"].colours["bad"]
        corner = app.screen._compositor.render_strips()[2]._segments[0]
        assert corner.style is not None
        assert str(corner.style.color.name if corner.style.color else "") == frame
        await pilot.press("O")
        assert " PROD " in text(app).splitlines()[0]
        assert looks_of(app)


async def test_leaving_while_something_runs_is_asked_first(tmp_path: Path) -> None:
    async with acting(ActingFeed(), tmp_path) as (app, pilot, operations):
        operations.runs.append(runbook())
        await pilot.press("q")
        await settled(pilot, lambda: isinstance(app.screen, LeaveRunning))
        assert "Restart VMMS on HV01" in text(app)
        await armed(app, pilot)
        await pilot.press("enter")
        await settled(pilot, lambda: isinstance(app.screen, Overview))
        await pilot.press("q")
        await armed(app, pilot)
        await pilot.press("y")
        await settled(pilot, lambda: not app.is_running)


async def test_leaving_while_nothing_runs_is_not_asked(tmp_path: Path) -> None:
    async with acting(ActingFeed(), tmp_path) as (app, pilot, operations):
        operations.runs.append(failed_run())
        await pilot.press("q")
        await settled(pilot, lambda: not app.is_running)
