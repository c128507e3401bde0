"""Every dialog of a change and the operations page, as a person sees them on a small and on a usual screen."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from hvtui.journal.entry import Entry, Kind, Who
from hvtui.journal.unfinished import Call, Unfinished
from hvtui.model.severity import Severity
from hvtui.operations.plan import Level, Plan, Refusal, Target, Verb
from hvtui.operations.recovery import Truth
from hvtui.operations.run import Command, ItemState, Offer, Run, RunItem, RunLine, RunStage, RunState
from hvtui.operations.service import Operations
from hvtui.ui.app import HvtuiApp
from hvtui.ui.dialogs.ask_dialog import CancelRun, CloseUnfinished
from hvtui.ui.screens.operations_page import OperationsPage
from tests.support.acting import ActingFeed, acting
from tests.support.builders import HYPER_V_WRITER, NOW, guid
from tests.support.screens import settle, text_of
from tests.support.small_clusters import Small, VmSpec
from tests.support.snapshots import check
from tests.ui.acts import armed, dialog, menu

SIZES = [(80, 24), (120, 40)]

VMS = (
    VmSpec("SQL07", "HV01", memory=48.0),
    VmSpec("APP01", "HV01", ("Volume2",)),
    VmSpec("TEST01", "HV01", priority=1000),
    VmSpec("OLD01", "HV01", state=3),
    VmSpec("LOCAL01", "HV01", clustered=False, more={"clustered": False}),
    VmSpec("WEB01", "HV02", ("Volume2",), more={"possible_owners": ["HV02"]}),
    VmSpec("WEB02", "HV03", ("Volume2",), status=1),
)
MIXED = Small(vms=VMS)
FULL = Small(nodes={"HV01": 200.0, "HV02": 3.0, "HV03": 3.0}).vm("APP01", status=1)
STUCK = Small(writers={HYPER_V_WRITER: (5, "Unexpected error")})
PAUSED = MIXED.but(member_more={"HV02": {"state": 2, "drain": 2, "status": 8}})

Play = Callable[[HvtuiApp, Pilot[None], Operations], Awaitable[None]]


async def _open(app: HvtuiApp, pilot: Pilot[None], *keys: str) -> None:
    for key in keys:
        await pilot.press(key)
    await settle(pilot)


def _plan(*keys: str, typed: str = "") -> Play:
    async def play(app: HvtuiApp, pilot: Pilot[None], operations: Operations) -> None:
        await _open(app, pilot, *keys)
        shown = await dialog(app, pilot)
        if shown.word():
            await pilot.press(*typed)
            await (armed(app, pilot) if typed or shown.level() is Level.KEY else pilot.pause(0.35))

    return play


def _menu(*keys: str) -> Play:
    async def play(app: HvtuiApp, pilot: Pilot[None], operations: Operations) -> None:
        await _open(app, pilot, *keys)
        await menu(app, pilot)

    return play


async def _destinations(app: HvtuiApp, pilot: Pilot[None], operations: Operations) -> None:
    await _open(app, pilot, "3")
    app.overview.vms.go_to(guid("WEB01"))
    await pilot.press("M")
    await menu(app, pilot)


async def _migrate(app: HvtuiApp, pilot: Pilot[None], operations: Operations) -> None:
    await _open(app, pilot, "3")
    app.overview.vms.go_to(guid("OLD01"))
    await pilot.press("M")
    await menu(app, pilot)
    await pilot.press("enter")
    await dialog(app, pilot)
    await armed(app, pilot)


async def _overridden(app: HvtuiApp, pilot: Pilot[None], operations: Operations) -> None:
    await _open(app, pilot, "1", "D")
    first = await dialog(app, pilot)
    plan = first.plan
    await pilot.press("f2")
    while first.plan is plan:
        await pilot.pause(0.02)
    await pilot.pause(0.4)


async def _control(app: HvtuiApp, pilot: Pilot[None], operations: Operations) -> None:
    await _open(app, pilot, "3", ".")
    shown = await menu(app, pilot)
    shown.table.put_cursor(Verb.ISOLATE.value)
    await _open(app, pilot, "enter")


async def _stopped(app: HvtuiApp, pilot: Pilot[None], operations: Operations) -> None:
    await _open(app, pilot, "1", "V")
    await dialog(app, pilot)
    await pilot.press("f3")
    await pilot.pause(0.4)


# Name, cluster, how to come there, options of the configuration.
DIALOGS: list[tuple[str, Small, Play, dict[str, Any]]] = [
    ("destinations", MIXED, _destinations, {}),
    ("migrate-off", MIXED, _migrate, {}),
    ("migrate-protected", MIXED, _plan("3", "M", "1"), {"protected": True}),
    ("drain", MIXED, _plan("1", "D", typed="HV01"), {}),
    ("drain-refused", FULL, _plan("1", "D"), {}),
    ("drain-set-aside", Small(nodes={"HV01": 200.0, "HV02": 3.0, "HV03": 3.0}), _overridden, {}),
    ("align", MIXED, _plan("3", "A"), {}),
    ("vmms-orphaned", STUCK, _plan("1", "V"), {}),
    ("backup-stopped", STUCK, _stopped, {}),
    ("vmms-needed", Small(), _menu("1", "V"), {}),
    ("resume", PAUSED, _menu("1", "U"), {}),
    ("services", Small(), _menu("1", "W"), {}),
    ("control", MIXED, _control, {}),
    ("row-menu", MIXED, _menu("3", "."), {}),
]


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("case", DIALOGS, ids=lambda case: case[0])
async def test_dialog(case: tuple[str, Small, Play, dict[str, Any]], size: tuple[int, int], tmp_path: Path) -> None:
    name, small, play, config = case
    async with acting(ActingFeed(small), tmp_path, size, **config) as (app, pilot, operations):
        await play(app, pilot, operations)
        await settle(pilot)
        check(f"act-{name}-{size[0]}x{size[1]}", text_of(app))


async def test_a_dialog_in_ascii(tmp_path: Path) -> None:
    async with acting(ActingFeed(MIXED), tmp_path, (100, 30), ascii_only=True) as (app, pilot, operations):
        await _plan("1", "D", typed="HV01")(app, pilot, operations)
        await settle(pilot)
        assert text_of(app).isascii()
        check("act-drain-ascii", text_of(app))


# --- the operations page ---


def vm(name: str) -> Target:
    """A VM."""
    return Target(kind="vm", id=guid(name), name=name)


def plan(verb: Verb, title: str, *targets: Target, level: Level = Level.TYPED) -> Plan:
    """A plan with a title."""
    return Plan(verb=verb, cluster_id="", cluster="CLU-TEST", made=NOW, title=title, targets=targets, level=level)


HV01 = Target(kind="node", id="HV01", name="HV01")


def failed_run() -> Run:
    """Two moves: one arrived, one failed with Windows' code."""
    return Run(
        id=guid("failed"),
        plan=plan(Verb.MIGRATE, "Move 2 VMs to HV02", vm("SQL07"), vm("APP01"), level=Level.KEY),
        state=RunState.FAILED,
        items=[
            RunItem(vm("SQL07"), ItemState.DONE, None, "on HV02", source="HV01", destination="HV02"),
            RunItem(vm("APP01"), ItemState.FAILED, None, "still on HV01", "0xc03a0014", "", "HV01", "HV02"),
        ],
        lines=[
            RunLine(NOW - timedelta(minutes=9), "SQL07: done, on HV02"),
            RunLine(NOW - timedelta(minutes=8), "APP01: failed, still on HV01", Severity.WARN),
        ],
        offers=(Offer(Verb.MIGRATE, (vm("APP01"),), "Move APP01 to HV02 again", {"destination": "HV02"}),),
        started=NOW - timedelta(minutes=10),
        ended=NOW - timedelta(minutes=8),
    )  # fmt: skip


def runbook() -> Run:
    """A restart of VMMS that is draining."""
    stages = [
        RunStage("drain", "HV01", "Suspend-ClusterNode HV01 -Drain, and wait until it is empty", ItemState.RUNNING,
                 "HV01 is draining: 1 VMs are left on it"),
        RunStage("stop", "HV01", "stop VMMS on HV01 (Win32_Service), following its state"),
        RunStage("start", "HV01", "start VMMS on HV01, until it lists the same VMs and the Hyper-V writer is back"),
        RunStage("resume", "HV01", "Resume-ClusterNode HV01 -Failback Immediate, and wait until its roles are home"),
    ]  # fmt: skip
    return Run(
        id=guid("runbook"),
        plan=plan(Verb.VMMS, "Restart VMMS on HV01", HV01),
        state=RunState.RUNNING,
        items=[
            RunItem(vm("APP01"), ItemState.DONE, None, "on HV02, Running as before", source="HV01", destination="HV02"),
            RunItem(vm("SQL07"), ItemState.RUNNING, 37, "leaving", source="HV01"),
        ],
        stages=stages,
        lines=[RunLine(NOW - timedelta(minutes=1), "HV01 is draining: 1 VMs are left on it")],
        can_cancel=True,
        cancel_text="running migrations are cancelled, then HV01 is resumed without failback",
        started=NOW - timedelta(minutes=2),
        current=0,
    )


def refused_run() -> Run:
    """Nothing was begun."""
    hold = Refusal(rule="hold", text="APP01: a disk merge runs at 40%", target=vm("APP01"), hold=True)
    return Run(
        id=guid("refused"),
        plan=plan(Verb.DRAIN, "Drain HV01", HV01),
        state=RunState.REFUSED,
        refusals=(hold,),
        started=NOW - timedelta(minutes=20),
        ended=NOW - timedelta(minutes=20),
    )


def unfinished() -> Unfinished:
    """What a console that was killed left behind."""
    who = Who(user="bob", account="CORP\\bob", machine="PC9", pid=1, front="console")

    def entry(kind: Kind, **more: object) -> Entry:
        fields = {"time": NOW - timedelta(hours=1), "who": who, "session": "", "operation": guid("left")} | more
        return Entry(kind=kind, title="Restart VMMS on HV01", **fields)  # type: ignore[arg-type]

    begun = entry(Kind.BEGUN, verb="vmms")
    step = entry(Kind.STEP, node="HV01", function="Stop-HvTuiService", call="c",
                 command="Stop-HvTuiService -Name 'vmms' -ExpectState 'Running'")  # fmt: skip
    return Unfinished(operation=guid("left"), begun=begun, calls=(Call(step=step),), last=step)


TRUTH = Truth(
    ("vmms on HV01 is Stopped", "HV01 is paused, its drain is Completed"),
    False,
    (Offer(Verb.START_VMMS, (Target(kind="service", id="HV01/vmms", name="vmms on HV01"),), "Start VMMS on HV01"),),
)


async def _page(app: HvtuiApp, pilot: Pilot[None], operations: Operations, cursor: str) -> OperationsPage:
    operations.runs += [refused_run(), failed_run(), runbook()]
    operations._past.left = [unfinished()]
    await pilot.press("O")
    page = app.screen
    assert isinstance(page, OperationsPage)
    page._truths[guid("left")] = TRUTH
    page.table.put_cursor(guid(cursor))
    await settle(pilot)
    return page


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("cursor", ["runbook", "failed", "refused", "left"])
async def test_operations_page(cursor: str, size: tuple[int, int], tmp_path: Path) -> None:
    async with acting(ActingFeed(), tmp_path, size) as (app, pilot, operations):
        await _page(app, pilot, operations, cursor)
        check(f"act-page-{cursor}-{size[0]}x{size[1]}", text_of(app))


async def test_command_log(tmp_path: Path) -> None:
    async with acting(ActingFeed(), tmp_path, (100, 30)) as (app, pilot, operations):
        text = "Suspend-HvTuiNode -ExpectState 0 -ExpectDrain 0 -ExpectUp 'HV02,HV03' -Actor 'alice@PC7'"
        stop = "Stop-HvTuiService -Name 'vmms'"
        operations._desk.commands += [
            Command(NOW, guid("runbook"), "1", "HV01", text, "started"),
            Command(NOW + timedelta(seconds=9), guid("runbook"), "2", "HV01", stop, "refused"),
            Command(NOW + timedelta(seconds=30), guid("runbook"), "3", "HV01", stop),
        ]  # fmt: skip
        await _page(app, pilot, operations, "runbook")
        await _open(app, pilot, "c")
        check("act-command-log", text_of(app))


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_cancel_and_close(size: tuple[int, int], tmp_path: Path) -> None:
    async with acting(ActingFeed(), tmp_path, size) as (app, pilot, operations):
        page = await _page(app, pilot, operations, "runbook")
        await pilot.press("X")
        assert isinstance(app.screen, CancelRun)
        await armed(app, pilot)
        await settle(pilot)
        check(f"act-cancel-run-{size[0]}x{size[1]}", text_of(app))
        await _open(app, pilot, "escape")
        page.table.put_cursor(guid("left"))
        await _open(app, pilot, "enter")
        await menu(app, pilot)
        check(f"act-unfinished-menu-{size[0]}x{size[1]}", text_of(app))
        await pilot.press("2")
        await settle(pilot)
        assert isinstance(app.screen, CloseUnfinished)
        await pilot.press(*"read it")
        await armed(app, pilot)
        await settle(pilot)
        check(f"act-close-unfinished-{size[0]}x{size[1]}", text_of(app))


async def test_marks_on_the_rows(tmp_path: Path) -> None:
    async with acting(ActingFeed(), tmp_path, (140, 40)) as (app, pilot, operations):
        operations.runs += [failed_run(), runbook()]
        operations._desk.tell(operations.runs[0])
        await settle(pilot)
        await pilot.pause(0.2)
        await settle(pilot)
        check("act-marks", text_of(app))
