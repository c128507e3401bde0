"""Checkpoint types by keys, one VM or a node's, and back again; the page of a VM's checkpoints."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from hvtui.model.checkpoints import CheckpointInfo, Checkpoints, PolicyLine
from hvtui.model.enums import CheckpointType
from hvtui.model.records import CheckpointCount
from hvtui.operations.plan import Level, Verb
from hvtui.operations.run import RunState
from hvtui.operations.service import Operations
from hvtui.ui.app import HvtuiApp
from hvtui.ui.dialogs.checkpoint_name import CheckpointName
from hvtui.ui.dialogs.checkpoint_types import CheckpointTypes
from hvtui.ui.overview import Overview
from hvtui.ui.screens.checkpoints_page import CheckpointsPage
from hvtui.ui.screens.operations_page import OperationsPage
from tests.support import builders
from tests.support.acting import ActingFeed, acting
from tests.support.builders import NOW, guid
from tests.support.screens import settle, text_of
from tests.support.small_clusters import Small, VmSpec
from tests.support.snapshots import check
from tests.ui.acts import armed, dialog
from tests.ui.console import settled, text

SIZES = [(80, 24), (120, 40)]
MIXED = Small(
    vms=(
        VmSpec("SQL07", "HV01", memory=48.0),
        VmSpec("APP01", "HV01", ("Volume2",)),
        VmSpec("OLD01", "HV01", ("Volume2",), state=3),
        VmSpec("WEB01", "HV02", ("Volume2",), more={"pass_through": ["Disk 3"]}),
    )
)


def listing(*held: CheckpointInfo, **more: Any) -> Checkpoints:
    """What the node tells of SQL07's checkpoints."""
    fields: dict[str, Any] = {"state": 2, "checkpoint_type": 3, "current": guid("two"), "name": "SQL07"} | more
    return Checkpoints(v=1, time=NOW, node="HV01", vm=guid("SQL07"), checkpoints=list(held), **fields)


ONE = CheckpointInfo(id=guid("one"), name="before the update", type=0, saved=False, created=NOW - timedelta(days=3),
                     parent="")  # fmt: skip
TWO = CheckpointInfo(id=guid("two"), name="by hand [x]", type=0, saved=True, created=NOW - timedelta(hours=5),
                     parent=guid("one"))  # fmt: skip
LEFT = CheckpointInfo(id=guid("left"), name="SQL07 - (backup)", type=1, saved=False, created=NOW - timedelta(days=40),
                      parent=guid("gone"))  # fmt: skip
UNREAD = CheckpointInfo(id=guid("unread"), name="?", type=0)


def feed_with(answer: Checkpoints, small: Small = MIXED) -> ActingFeed:
    """A cluster whose SQL07 has these checkpoints."""
    return ActingFeed(facts=replace(small.facts(), checkpoints={guid("SQL07"): answer}))


async def _page(app: HvtuiApp, pilot: Pilot[None]) -> CheckpointsPage:
    await pilot.press("3")
    app.overview.vms.go_to(guid("SQL07"))
    await pilot.press("K")
    await settled(pilot, lambda: isinstance(app.screen, CheckpointsPage) and not app.screen.reading)
    page = app.screen
    assert isinstance(page, CheckpointsPage)
    await settle(pilot)
    return page


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_the_page_says_which_kind_each_really_became(size: tuple[int, int], tmp_path: Path) -> None:
    async with acting(feed_with(listing(ONE, TWO, LEFT, UNREAD)), tmp_path, size) as (app, pilot, _):
        page = await _page(app, pilot)
        kinds = {line.name: line.kind for line in page.table.order.rows.values()}
        assert kinds == {
            "before the update": "production",
            "by hand [x]": "standard, with memory",
            "SQL07 - (backup)": "Recovery, of a backup",
            "?": "?",
        }
        check(f"checkpoints-{size[0]}x{size[1]}", text_of(app))
        page.table.put_cursor(guid("left"))
        await settled(pilot, lambda: "no backup runs" in " ".join(page.page.text.split()))


async def test_checkpoints_that_were_not_read_are_not_none(tmp_path: Path) -> None:
    unread = Checkpoints(v=1, time=NOW, node="HV01", vm=guid("SQL07"))
    async with acting(feed_with(unread), tmp_path) as (app, pilot, _):
        page = await _page(app, pilot)
        assert page.table.empty_text == "not read"
    async with acting(feed_with(listing()), tmp_path / "none") as (app, pilot, _):
        page = await _page(app, pilot)
        assert page.table.empty_text == "none"


async def test_one_is_taken_with_a_name_applied_and_removed_from_the_page(tmp_path: Path) -> None:
    feed = feed_with(listing(ONE, TWO))
    async with acting(feed, tmp_path) as (app, pilot, _):
        page = await _page(app, pilot)
        await pilot.press("C")
        await settled(pilot, lambda: isinstance(app.screen, CheckpointName))
        assert app.screen.typed == "hvtui 2026-03-14 00:48"  # type: ignore[attr-defined]
        await pilot.press(*"by me")
        await armed(app, pilot)
        await pilot.press("enter")
        shown = await dialog(app, pilot)
        assert shown.plan is not None
        assert (shown.plan.verb, shown.plan.options["name"]) == (Verb.CHECKPOINT, "by me"), (
            "what is typed takes the place of the proposal"
        )
        assert shown.level() is Level.KEY
        await pilot.press("escape")
        await settled(pilot, lambda: app.screen is page)
        page.table.put_cursor(guid("one"))
        await pilot.press("P")
        shown = await dialog(app, pilot)
        assert shown.plan is not None
        assert shown.plan.verb is Verb.APPLY
        assert shown.plan.targets[0].id == f"{guid('SQL07')}/{guid('one')}"
        assert "SQL07 is off afterwards" in " ".join(shown.page.text.split())
        assert shown.name_to_type() == "SQL07"
        await pilot.press("escape")
        await settled(pilot, lambda: app.screen is page)
        await pilot.press("R")
        shown = await dialog(app, pilot)
        assert shown.plan is not None
        assert shown.plan.verb is Verb.REMOVE
        assert shown.level() is Level.TYPED
        assert feed.sent == []


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_types_with_what_the_guests_deliver_and_the_plan(size: tuple[int, int], tmp_path: Path) -> None:
    async with acting(ActingFeed(MIXED), tmp_path, size) as (app, pilot, _):
        await pilot.press("3", "*", "T")
        await settled(pilot, lambda: isinstance(app.screen, CheckpointTypes) and bool(app.screen.choices[0].about))
        await settle(pilot)
        check(f"types-{size[0]}x{size[1]}", text_of(app))
        await pilot.press("3")
        shown = await dialog(app, pilot)
        assert shown.plan is not None
        await pilot.press(*shown.plan.name)
        await armed(app, pilot)
        await settle(pilot)
        check(f"type-plan-{size[0]}x{size[1]}", text_of(app))


def _obeying(feed: ActingFeed, failing: Iterable[str] = ()) -> None:
    """Nodes do what a stream of types asks, and their pictures show it; VMs in `failing` say no."""
    fails = {guid(name) for name in failing}

    def lines(node: str, function: str, parameters: Mapping[str, Any]) -> Iterable[PolicyLine]:
        assert function == "Set-HvTuiCheckpointType"
        fields: dict[str, Any] = {"v": 1, "time": NOW, "node": node, "function": function,
                                  "operation": parameters["OperationId"]}  # fmt: skip
        done = 0
        for part in parameters["VM"].split(","):
            vm, before, after = part.split(":")
            if vm in fails:
                yield PolicyLine(kind="vm", vm=vm, outcome="failed", text="Windows says no", before=int(before),
                                 after=int(before), **fields)  # fmt: skip
                continue
            done += 1
            known = feed.state.vm(vm)
            assert known is not None
            changed = builders.vm(known[1].name, known[1].slot, checkpoint_type=int(after), state=known[1].state)
            seq = (feed.state.nodes[node].seq or 0) + 1
            frame = builders.node_frame(node, [changed], kind="delta", seq=seq)
            feed.tell(feed.state.apply_node(node, frame, builders.live()))
            yield PolicyLine(
                kind="vm", vm=vm, outcome="done", before=int(before), after=int(after), changed=done, **fields
            )
        yield PolicyLine(kind="end", outcome="done", changed=done, **fields)

    feed.lines = lines


def _type(feed: ActingFeed, name: str) -> CheckpointType:
    found = feed.state.vm(guid(name))
    assert found is not None
    return CheckpointType(found[1].checkpoint_type or 0)


async def _begin(app: HvtuiApp, pilot: Pilot[None], operations: Operations, key: str) -> None:
    """Confirm the plan of a type, and wait for its end."""
    before = len(operations.runs)
    await settled(pilot, lambda: isinstance(app.screen, CheckpointTypes))
    await pilot.press(key)
    shown = await dialog(app, pilot)
    assert shown.plan is not None
    if shown.level() is Level.TYPED:
        await pilot.press(*shown.plan.name)
    await armed(app, pilot)
    await pilot.press("enter" if shown.level() is Level.TYPED else "y")
    await settled(pilot, lambda: len(operations.runs) > before and operations.runs[-1].over)


async def test_types_of_a_node_are_set_and_given_back_where_nobody_changed_them(tmp_path: Path) -> None:
    feed = ActingFeed(MIXED)
    _obeying(feed, failing=["OLD01"])
    async with acting(feed, tmp_path) as (app, pilot, operations):
        await pilot.press("1", "T")
        await _begin(app, pilot, operations, "3")
        run = operations.runs[0]
        assert run.state is RunState.FAILED
        assert _type(feed, "SQL07") is CheckpointType.Standard
        page = app.screen
        assert isinstance(page, OperationsPage)
        await settled(pilot, lambda: "Windows says no" in page.text)
        assert page.text.index("OLD01") < page.text.index("SQL07"), "what failed comes first only among many"
        await pilot.press("Z")
        shown = await dialog(app, pilot)
        plan = shown.plan
        assert plan is not None
        assert sorted(change.target.name for change in plan.changes) == ["APP01", "SQL07"]
        assert "Standard → Production" in shown.page.text
        await armed(app, pilot)
        await pilot.press("y")
        await settled(pilot, lambda: len(operations.runs) == 2 and operations.runs[1].over)
        assert operations.runs[1].state is RunState.DONE
        assert {_type(feed, name) for name in ("SQL07", "APP01")} == {CheckpointType.Production}


async def test_undo_of_something_else_says_so(tmp_path: Path) -> None:
    async with acting(ActingFeed(MIXED), tmp_path) as (app, pilot, _):
        await pilot.press("O", "Z")
        await pilot.pause(0.05)
        assert isinstance(app.screen, OperationsPage)
        await pilot.press("escape")
        await settled(pilot, lambda: isinstance(app.screen, Overview))
        await pilot.press("2", "K")
        await settled(pilot, lambda: "put the cursor on a VM (3) first" in text(app))


async def test_the_page_and_the_types_in_ascii(tmp_path: Path) -> None:
    async with acting(feed_with(listing(ONE, TWO, LEFT, UNREAD)), tmp_path, (100, 30), ascii_only=True) as (
        app,
        pilot,
        _,
    ):
        await _page(app, pilot)
        assert text_of(app).isascii()
        await pilot.press("escape", "T")
        await settled(pilot, lambda: isinstance(app.screen, CheckpointTypes) and bool(app.screen.choices[0].about))
        await settle(pilot)
        assert text_of(app).isascii()


async def test_a_silent_fallback_is_told_on_the_page(tmp_path: Path) -> None:
    feed = feed_with(listing(TWO))
    async with acting(feed, tmp_path) as (app, pilot, _):
        count = [CheckpointCount(type=0, saved=True, count=1)]
        seq = (feed.state.nodes["HV01"].seq or 0) + 1
        now = builders.vm("SQL07", 1, checkpoints=count)
        feed.tell(
            feed.state.apply_node("HV01", builders.node_frame("HV01", [now], kind="delta", seq=seq), builders.live())
        )
        page = await _page(app, pilot)
        await settled(pilot, lambda: "Silent fallback to a standard checkpoint" in page.page.text)
        assert "though its type is Production" in " ".join(page.page.text.split())
