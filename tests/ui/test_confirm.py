"""What stands between a key and a change: the two levels, the moment in which no key counts, and ids that stay."""

from __future__ import annotations

from pathlib import Path

from hvtui.model.change import Change
from hvtui.operations.plan import Level
from hvtui.ui.dialogs.arming import SECONDS
from hvtui.ui.dialogs.plan_dialog import PlanDialog
from hvtui.ui.overview import Overview
from tests.support.acting import ActingFeed, acting
from tests.support.builders import guid
from tests.support.small_clusters import Small, VmSpec
from tests.ui.acts import Stopped, armed, dialog, menu, migrate
from tests.ui.console import settled, text


async def test_y_is_ignored_until_the_button_is_armed_and_then_starts_the_move(tmp_path: Path) -> None:
    feed = ActingFeed()
    async with acting(feed, tmp_path) as (app, pilot, operations):
        shown = await migrate(app, pilot, guid("APP01"), "HV02")
        assert shown.level() is Level.KEY
        clock = Stopped(shown)
        await pilot.press("y")
        assert isinstance(app.screen, PlanDialog)
        assert "( Move APP01 to HV02 )" in text(app)
        assert not shown.armed
        clock.wait()
        await armed(app, pilot)
        assert "[ y  Move APP01 to HV02 ]" in text(app)
        await pilot.press("y")
        await settled(pilot, lambda: bool(feed.sent))
        assert isinstance(app.screen, Overview)
        node, function, parameters = feed.sent[0]
        assert (node, function) == ("HV01", "Move-HvTuiVM")
        assert parameters["VMId"] == guid("APP01")
        assert parameters["Node"] == "HV02"
        assert len(operations.runs) == 1


async def test_enter_cancels_where_a_key_confirms(tmp_path: Path) -> None:
    feed = ActingFeed()
    async with acting(feed, tmp_path) as (app, pilot, operations):
        shown = await migrate(app, pilot, guid("APP01"), "HV02")
        clock = Stopped(shown)
        await pilot.press("enter")
        assert isinstance(app.screen, PlanDialog), "too early to count"
        clock.wait()
        await armed(app, pilot)
        assert app.focused is shown.buttons
        await pilot.press("enter")
        await settled(pilot, lambda: isinstance(app.screen, Overview))
        assert operations.runs == []
        assert feed.sent == []


async def test_a_key_that_is_held_down_never_confirms(tmp_path: Path) -> None:
    feed = ActingFeed()
    async with acting(feed, tmp_path) as (app, pilot, operations):
        shown = await migrate(app, pilot, guid("APP01"), "HV02")
        clock = Stopped(shown)
        for _ in range(12):
            await pilot.press("y")
            clock.wait(SECONDS / 6)
        assert isinstance(app.screen, PlanDialog)
        assert operations.runs == []


async def test_a_name_is_typed_where_much_may_happen_and_nothing_of_it_is_lost(tmp_path: Path) -> None:
    feed = ActingFeed()
    feed.ready.clear()
    async with acting(feed, tmp_path) as (app, pilot, operations):
        await pilot.press("1", "D", *"HV0")
        shown = app.screen
        assert isinstance(shown, PlanDialog)
        assert shown.plan is None
        assert shown.typed == "HV0"
        await pilot.press("enter")
        feed.ready.set()
        await dialog(app, pilot)
        assert shown.level() is Level.TYPED
        assert shown.typed == "HV0", "what was typed before the plan came stays"
        await pilot.pause(0.4)
        assert not shown.armed
        await pilot.press("enter")
        assert operations.runs == []
        assert "that is not HV01" in text(app)
        await pilot.press("1")
        await armed(app, pilot)
        await pilot.press("enter")
        await settled(pilot, lambda: bool(feed.sent))
        assert [(node, function) for node, function, _ in feed.sent] == [("HV01", "Suspend-HvTuiNode")]


async def test_y_is_a_letter_where_a_name_is_typed(tmp_path: Path) -> None:
    feed = ActingFeed()
    async with acting(feed, tmp_path) as (app, pilot, operations):
        await pilot.press("1", "D")
        shown = await dialog(app, pilot)
        await pilot.pause(0.4)
        await pilot.press("y")
        assert shown.typed == "y"
        assert operations.runs == []


async def test_the_dialog_keeps_the_vm_of_the_key_press_whatever_the_table_does_then(tmp_path: Path) -> None:
    feed = ActingFeed()
    feed.ready.clear()
    async with acting(feed, tmp_path) as (app, pilot, _):
        await pilot.press("3")
        assert app.overview.vms.go_to(guid("APP01"))
        await pilot.press("M")
        app.overview.vms.table.put_cursor(guid("WEB01"))
        feed.ready.set()
        await menu(app, pilot)
        await pilot.press("1")
        shown = await dialog(app, pilot)
        assert shown.plan is not None
        assert [target.id for target in shown.plan.targets] == [guid("APP01")]


async def test_a_plan_that_is_another_one_says_so_disarms_and_must_be_read(tmp_path: Path) -> None:
    vms = (VmSpec("SQL07", "HV01"), VmSpec("APP01", "HV01", ("Volume2",)), VmSpec("WEB01", "HV02", ("Volume2",)))
    feed = ActingFeed(Small(vms=vms))
    async with acting(feed, tmp_path) as (app, pilot, operations):
        await pilot.press("1", "D", *"HV01")
        shown = await dialog(app, pilot)
        await armed(app, pilot)
        # APP01 leaves by itself: the drain would move one VM only.
        feed.move("APP01", "HV01", "HV02", "Volume2")
        shown._asked_at = float("-inf")
        await settled(pilot, lambda: "It is another plan now" in text(app))
        assert "no longer moved: APP01" in text(app)
        assert not shown.armed
        assert shown.typed == "HV01", "what was typed stays"
        await pilot.pause(0.4)
        assert not shown.armed
        await pilot.press("enter")
        assert operations.runs == [], "the first Enter says that it was read"
        await armed(app, pilot)
        await pilot.press("enter")
        await settled(pilot, lambda: bool(operations.runs))
        assert [move.vm.name for move in operations.runs[0].plan.moves] == ["SQL07"]


async def test_what_comes_up_against_a_plan_disarms_it_at_once(tmp_path: Path) -> None:
    feed = ActingFeed()
    async with acting(feed, tmp_path) as (app, pilot, operations):
        shown = await migrate(app, pilot, guid("APP01"), "HV02")
        await armed(app, pilot)
        operations.read_only = True
        feed.tell(Change(cluster=True))
        await settled(pilot, lambda: not shown.armed)
        await pilot.press("y")
        assert operations.runs == []


async def test_a_protected_cluster_is_named_and_always_wants_the_name(tmp_path: Path) -> None:
    feed = ActingFeed()
    async with acting(feed, tmp_path, protected=True) as (app, pilot, operations):
        assert " PROD " in text(app).splitlines()[0]
        shown = await migrate(app, pilot, guid("APP01"), "HV02")
        assert shown.level() is Level.TYPED
        assert shown.has_class("-protected")
        await pilot.pause(0.4)
        await pilot.press("y", "enter")
        assert operations.runs == []
        await pilot.press("backspace", *"app01")
        await armed(app, pilot)
        await pilot.press("enter")
        await settled(pilot, lambda: bool(feed.sent))


async def test_escape_leaves_without_doing_anything(tmp_path: Path) -> None:
    feed = ActingFeed()
    async with acting(feed, tmp_path) as (app, pilot, operations):
        await pilot.press("1", "D")
        await dialog(app, pilot)
        await pilot.press("escape")
        await settled(pilot, lambda: isinstance(app.screen, Overview))
        assert operations.runs == []
