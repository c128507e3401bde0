"""The operations page and what stands on the rows: running, failed until seen, next steps, and what was left behind."""

from __future__ import annotations

from pathlib import Path

from hvtui.journal.entry import Entry, Kind
from hvtui.model.preflight import ActionResult
from hvtui.operations.plan import Level, Verb
from hvtui.operations.run import ItemState, Run, RunState
from hvtui.ui.dialogs.ask_dialog import BackupStopped, CancelRun, CloseUnfinished
from hvtui.ui.dialogs.plan_dialog import PlanDialog
from hvtui.ui.isolations import isolation_of
from hvtui.ui.overview import Overview
from hvtui.ui.screens.operations_page import OperationsPage
from tests.support import builders
from tests.support.acting import ActingFeed, acting
from tests.support.builders import HYPER_V_WRITER, NOW, guid
from tests.support.journal import entry
from tests.support.small_clusters import Small, service
from tests.ui.acts import Stopped, armed, dialog, menu, migrate
from tests.ui.console import settled, text
from tests.ui.test_act_snapshots import TRUTH, failed_run, runbook, unfinished

STUCK = Small(writers={HYPER_V_WRITER: (5, "Unexpected error")})


async def _known() -> None:
    """The journal holds what a test says."""


def refused(*_: object) -> ActionResult:
    """The node says no."""
    return ActionResult(
        v=1, time=NOW, node="HV01", function="", operation="", outcome="refused", rule="windows",
        text="The operation did not complete", code="0x00001748", command="Move-ClusterVirtualMachineRole -VMId …",
    )  # fmt: skip


async def test_a_move_that_the_node_refuses_stays_on_its_row_until_it_was_seen(tmp_path: Path) -> None:
    feed = ActingFeed()
    feed.answer = refused
    async with acting(feed, tmp_path) as (app, pilot, operations):
        await migrate(app, pilot, guid("APP01"), "HV02")
        await armed(app, pilot)
        await pilot.press("y")
        await settled(pilot, lambda: bool(operations.runs) and operations.runs[0].over)
        await settled(pilot, lambda: "1 to look at (O)" in text(app).splitlines()[0])
        row = next(line for line in text(app).splitlines() if "APP01" in line)
        assert "move failed" in row
        await pilot.press("O")
        page = app.screen
        assert isinstance(page, OperationsPage)
        await settled(pilot, lambda: "Windows says 0x00001748" in text(app))
        assert "a backup, export or checkpoint has it" in page.text
        assert "Wait until it has ended, then try again." in page.text
        await pilot.press("a", "escape")
        await settled(pilot, lambda: "to look at" not in text(app).splitlines()[0])
        row = next(line for line in text(app).splitlines() if "APP01" in line)
        assert "move failed" not in row


async def test_the_command_log_has_every_mutating_call_verbatim(tmp_path: Path) -> None:
    feed = ActingFeed()
    async with acting(feed, tmp_path) as (app, pilot, operations):
        await migrate(app, pilot, guid("APP01"), "HV02")
        await armed(app, pilot)
        await pilot.press("y")
        await settled(pilot, lambda: bool(feed.sent))
        await pilot.press("O", "c")
        page = app.screen
        assert isinstance(page, OperationsPage)
        await settled(pilot, lambda: "Command log" in text(app))
        told = " ".join(page.text.split())
        assert f"HV01 started Move-HvTuiVM -VMId '{guid('APP01')}' -Node 'HV02' -ExpectOwner 'HV01'" in told
        assert "Get-" not in told, "only what changes something"
        assert len(operations.commands) == len(feed.sent)


async def test_an_operation_is_cancelled_by_key_after_it_was_asked(tmp_path: Path) -> None:
    async with acting(ActingFeed(), tmp_path) as (app, pilot, operations):
        run = runbook()
        operations.runs.append(run)
        await pilot.press("O", "X")
        assert isinstance(app.screen, CancelRun)
        assert "Let it run" in text(app)
        clock = Stopped(app.screen)
        await pilot.press("y")
        assert not run.cancelling, "too early"
        clock.wait()
        await armed(app, pilot)
        await pilot.press("enter")
        await settled(pilot, lambda: isinstance(app.screen, OperationsPage))
        assert not run.cancelling, "Enter lets it run"
        await pilot.press("X")
        await armed(app, pilot)
        await pilot.press("y")
        await settled(pilot, lambda: run.cancelling)
        await settled(pilot, lambda: "cancelling" in text(app))


async def test_what_cannot_be_cancelled_says_why(tmp_path: Path) -> None:
    async with acting(ActingFeed(), tmp_path) as (app, pilot, operations):
        run = runbook()
        run.can_cancel, run.cancel_text = False, "cannot cancel: a service that stops goes on by itself"
        operations.runs.append(run)
        await pilot.press("O")
        await settled(pilot, lambda: run.cancel_text in text(app))
        await pilot.press("X")
        await pilot.pause(0.1)
        assert isinstance(app.screen, OperationsPage)
        assert not run.cancelling


async def test_a_next_step_is_a_plan_like_any_other(tmp_path: Path) -> None:
    feed = ActingFeed()
    async with acting(feed, tmp_path) as (app, pilot, operations):
        operations.runs.append(failed_run())
        await pilot.press("O", "enter")
        await menu(app, pilot)
        assert "Move APP01 to HV02 again" in text(app)
        await pilot.press("1")
        shown = await dialog(app, pilot)
        assert shown.plan is not None
        assert shown.plan.verb is Verb.MIGRATE
        assert feed.sent == []
        assert len(operations.runs) == 1


async def test_what_an_earlier_console_left_is_read_back_and_closed_with_a_note(tmp_path: Path) -> None:
    async with acting(ActingFeed(), tmp_path) as (app, pilot, operations):
        left = [unfinished()]
        operations._past.left = left
        operations.look_back = _known  # type: ignore[method-assign]
        notes: list[tuple[str, str]] = []

        async def close(operation: str, note: str) -> None:
            notes.append((operation, note))
            left.clear()

        operations.close_unfinished = close  # type: ignore[method-assign]  # the journal has no such operation
        app.overview.header.tick()
        await settled(pilot, lambda: "1 to look at (O)" in text(app).splitlines()[0])
        await pilot.press("O")
        page = app.screen
        assert isinstance(page, OperationsPage)
        await settled(pilot, lambda: "Left unfinished: Restart VMMS on HV01" in text(app))
        assert "nobody saw the end" in " ".join(text(app).split())
        page._truths[guid("left")] = TRUTH
        await pilot.press("enter")
        await menu(app, pilot)
        await pilot.press("2")
        await settled(pilot, lambda: isinstance(app.screen, CloseUnfinished))
        await pilot.pause(0.4)
        await pilot.press("enter")
        assert notes == [], "without a note nothing is closed"
        await pilot.press(*"read it", "enter")
        await settled(pilot, lambda: bool(notes))
        assert notes == [(guid("left"), "read it")]
        await settled(pilot, lambda: not page._rows() and not page.text.strip())


async def test_a_read_back_asks_the_service_and_starts_nothing(tmp_path: Path) -> None:
    facts = Small().facts()
    facts.services["HV01/vmms"] = service("vmms", "Stopped")
    feed = ActingFeed(facts=facts)
    async with acting(feed, tmp_path) as (app, pilot, operations):
        operations._past.left = [unfinished()]
        await pilot.press("O", "r")
        await settled(pilot, lambda: "its plan is not in the journal" in text(app))
        assert feed.sent == []


def stop_in_journal() -> Entry:
    """The line of a stop of VMMS."""
    return entry(Kind.STEP, call="c1", node="HV01", function="Stop-HvTuiService", target_id="HV01/vmms")


async def test_vmms_that_hvtui_stopped_is_the_first_thing_on_the_screen_and_one_key_starts_it(tmp_path: Path) -> None:
    facts = Small().facts()
    facts.services["HV01/vmms"] = service("vmms", "Stopped")
    feed = ActingFeed(facts=facts)
    async with acting(feed, tmp_path) as (app, pilot, operations):
        operations._past.stopped = {"hv01/vmms": stop_in_journal()}
        operations.look_back = _known  # type: ignore[method-assign]
        feed.stop_vmms("HV01")
        app.overview.header.tick()
        await settled(pilot, lambda: "VMMS is stopped on HV01, by hvtui: S starts it" in text(app).splitlines()[0])
        await pilot.press("S")
        shown = await dialog(app, pilot)
        assert shown.level() is Level.KEY
        assert shown.plan is not None
        assert shown.plan.verb is Verb.START_VMMS
        await armed(app, pilot)
        await pilot.press("y")
        await settled(pilot, lambda: bool(feed.sent))
        assert [(node, function) for node, function, _ in feed.sent] == [("HV01", "Start-HvTuiService")]
        assert isinstance(app.screen, OperationsPage)


async def test_an_orphaned_backup_is_answered_typed_and_then_the_restart_can_be_confirmed(tmp_path: Path) -> None:
    feed = ActingFeed(STUCK)
    async with acting(feed, tmp_path) as (app, pilot, operations):
        await pilot.press("1", "V")
        shown = await dialog(app, pilot)
        assert shown.word() == ""
        assert "F3 says it was stopped" in text(app)
        await pilot.press("f3")
        await settled(pilot, lambda: isinstance(app.screen, BackupStopped))
        await pilot.pause(0.4)
        await pilot.press("enter")
        assert isinstance(app.screen, BackupStopped), "nothing was typed"
        await pilot.press(*"hv01")
        await armed(app, pilot)
        await pilot.press("enter")
        await settled(pilot, lambda: app.screen is shown and bool(shown.word()))
        assert "says alice at" in text(app)
        assert not shown._unread, "what a person said is no surprise"
        await pilot.press(*"HV01")
        await armed(app, pilot)
        assert operations.runs == []


async def test_rules_are_set_aside_by_a_key_listed_and_typed(tmp_path: Path) -> None:
    feed = ActingFeed(Small(nodes={"HV01": 200.0, "HV02": 3.0, "HV03": 3.0}))
    async with acting(feed, tmp_path) as (app, pilot, operations):
        await pilot.press("1", "D")
        shown = await dialog(app, pilot)
        assert shown.word() == ""
        await pilot.press("f2")
        await settled(pilot, lambda: bool(shown.word()))
        assert "capacity  set aside by you" in text(app)
        assert shown.level() is Level.TYPED
        await pilot.press(*"HV01")
        await armed(app, pilot)
        await pilot.press("enter")
        await settled(pilot, lambda: bool(feed.sent))
        assert operations.runs[0].plan.overrides == ("capacity",)


async def test_what_must_not_be_set_aside_is_not(tmp_path: Path) -> None:
    votes = {"HV02": {"dynamic_weight": 0}, "HV03": {"dynamic_weight": 0}}
    async with acting(ActingFeed(Small(member_more=votes)), tmp_path) as (app, pilot, _):
        await pilot.press("1", "D")
        shown = await dialog(app, pilot)
        await pilot.press("f2")
        await pilot.pause(0.1)
        assert "overrides" not in shown.wish.options
        assert shown.word() == ""


async def test_the_incident_is_copied_for_a_ticket(tmp_path: Path) -> None:
    async with acting(ActingFeed(STUCK), tmp_path) as (app, pilot, operations):
        operations.runs.append(failed_run())
        await pilot.press("y")
        copied = app.clipboard
        assert copied.startswith("Incident on CLU-TEST (")
        assert "HV01: Microsoft Hyper-V VSS Writer [5] Unexpected error" in copied
        assert "Move 2 VMs to HV02: failed, 1 of 2 done" in copied
        assert "APP01: failed still on HV01 (0xc03a0014)" in copied
        assert "- failed: Move 2 VMs to HV02" in copied
        assert isinstance(app.screen, Overview)
        assert not isinstance(app.screen, PlanDialog)


async def test_isolated_vms_are_sent_back_from_the_menu(tmp_path: Path) -> None:
    feed = ActingFeed()
    async with acting(feed, tmp_path) as (app, pilot, operations):
        await pilot.press("3")
        app.overview.vms.go_to(guid("SQL07"))
        await pilot.press(".")
        shown = await menu(app, pilot)
        shown.table.put_cursor("isolate")
        await pilot.press("enter")
        control = await menu(app, pilot)
        await settled(pilot, lambda: "which clean VM is the control?" in text(app))
        assert guid("SQL07") not in {choice.id for choice in control.choices}
        assert isinstance(app.screen, type(control))
        app.screen.table.put_cursor(guid("WEB01"))
        await pilot.press("enter")
        planned = await dialog(app, pilot)
        assert planned.plan is not None
        assert planned.level() is Level.TYPED
        run = Run(id="r", plan=planned.plan, state=RunState.DONE)
        assert app.acting is not None
        isolation = isolation_of(feed, planned.plan, planned.wish.targets)
        assert isolation is not None
        assert set(isolation.names.values()) == {"SQL07", "WEB01"}
        app.acting.isolations["r"] = isolation
        assert all(item.state is ItemState.DONE for item in run.items)
        operations.runs.append(run)
        await pilot.press("escape")
        homes = planned.plan.options["home"]
        assert homes
        for pair in homes.split(","):
            key, _, source = pair.partition("=")
            name = "SQL07" if key == guid("SQL07") else "WEB01"
            feed.move(name, source, planned.plan.options["node"], "Volume1" if name == "SQL07" else "Volume2")
        late = builders.backup_failed("SQL07", NOW, 77)
        feed.tell(feed.state.add_events(isolation.node, builders.page([late])))
        await pilot.press("O")
        page = app.screen
        assert isinstance(page, OperationsPage)
        await settled(pilot, lambda: f"Backups on {isolation.node}" in page.text)
        assert "SQL07           failed  10102 1x" in page.text
        assert "WEB01 (control) none yet" in page.text
        await pilot.press("escape")
        await settled(pilot, lambda: isinstance(app.screen, Overview))
        app.overview.vms.go_to(guid("SQL07"))
        await pilot.press(".")
        shown = await menu(app, pilot)
        shown.table.put_cursor("return")
        await pilot.press("enter")
        back = await dialog(app, pilot)
        assert back.plan is not None
        assert {(move.vm.id, move.destination) for move in back.plan.moves} == {
            tuple(pair.split("=")) for pair in homes.split(",")
        }


async def test_what_was_begun_gets_the_cursor_although_keys_hold_the_order(tmp_path: Path) -> None:
    async with acting(ActingFeed(), tmp_path) as (app, pilot, operations):
        operations._past.left = [unfinished()]
        await pilot.press("O")
        page = app.screen
        assert isinstance(page, OperationsPage)
        await pilot.press("j")
        assert page.table.frozen
        operations.runs.append(runbook())
        operations._desk.tell(operations.runs[0])
        page._show()
        assert page.table.cursor_key == guid("runbook")


async def test_what_was_read_back_is_not_shown_any_more_once_another_operation_has_ended(tmp_path: Path) -> None:
    async with acting(ActingFeed(), tmp_path) as (app, pilot, operations):
        left = unfinished()
        operations._past.left = [left]
        await pilot.press("O")
        page = app.screen
        assert isinstance(page, OperationsPage)
        page._truths[left.operation] = TRUTH
        page._show()
        assert "vmms on HV01 is Stopped" in page.text
        operations.runs.append(failed_run())
        operations._desk.tell(operations.runs[0])
        page.table.put_cursor(left.operation)
        page._show()
        assert "vmms on HV01 is Stopped" not in page.text
