"""Every verb of the registry: refused when read-only, never unconfirmed, and no rule of the gate is lost on its way."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from hvtui.model.enums import JobType
from hvtui.operations.plan import Level, Target, Verb
from hvtui.ui.action import Action, Confirm
from hvtui.ui.actions import ACTIONS
from hvtui.ui.app import HvtuiApp
from hvtui.ui.dialogs.confirm import ConfirmScreen
from hvtui.ui.dialogs.menu import MenuScreen
from hvtui.ui.dialogs.plan_dialog import PlanDialog, Wish
from hvtui.ui.notice import NoticeScreen
from hvtui.ui.overview import Overview
from tests.operations.test_rules import CASES, HELD, OLD, PLANS, SVC, Change, facts_for, held, listing
from tests.support.acting import ActingFeed, acting
from tests.support.builders import guid, job
from tests.support.small_clusters import Small
from tests.ui.acts import armed, dialog, menu
from tests.ui.console import settled, text

MUTATING = [action for action in ACTIONS if action.mutating]
NODE = (Target(kind="node", id="HV01", name="HV01"),)
SQL07 = (Target(kind="vm", id=guid("SQL07"), name="SQL07"),)

TARGETS: dict[Verb, tuple[tuple[Target, ...], dict[str, str]]] = {
    Verb.MIGRATE: (SQL07, {"destination": "HV02"}),
    Verb.CANCEL: ((Target(kind="vm", id=guid("APP01"), name="APP01"),), {}),
    Verb.ISOLATE: (SQL07, {"control": guid("WEB01"), "node": "HV03"}),
    Verb.RETURN: (SQL07, {"home": f"{guid('SQL07')}=HV02"}),
    Verb.ALIGN: ((), {}),
    Verb.DRAIN: (NODE, {}),
    Verb.RESUME: (NODE, {"returning": guid("WEB01")}),
    Verb.VMMS: (NODE, {}),
    Verb.START_VMMS: ((Target(kind="service", id="HV01/vmms", name="vmms on HV01"),), {}),
    Verb.SERVICE: ((Target(kind="service", id="HV01/VSS", name="VSS on HV01"),), {}),
    Verb.POLICY: (SQL07, {"type": "Standard"}),
    Verb.CHECKPOINT: (SQL07, {"name": "before the update"}),
    Verb.APPLY: ((HELD,), {}),
    Verb.REMOVE: ((HELD,), {}),
    Verb.START_VM: (SQL07, {}),
    Verb.VSSACCESS: ((SVC,), {"value": "1"}),
    Verb.VSSACCESS_REMOVE: ((OLD,), {}),
}
"""What is undone is read from the journal: test_checkpoints_page.py and tests/e2e/test_access.py play it."""
UNDO = {Verb.POLICY_UNDO, Verb.VSSACCESS_UNDO}

PLANNED = [verb for verb in Verb if verb not in UNDO]


def _words(app: HvtuiApp) -> str:
    """What is on the screen, without frames and line breaks."""
    return " ".join(text(app).replace("│", " ").split())


def _by_id(action: Action) -> str:
    return action.id


def test_every_verb_has_an_action_and_every_mutating_action_a_verb() -> None:
    assert {action.verb for action in MUTATING} == {verb.value for verb in Verb}
    assert all(action.confirm is not Confirm.NONE for action in MUTATING)
    assert all(action.on for action in MUTATING)
    assert not [action.id for action in ACTIONS if action.verb and not action.mutating]


@pytest.mark.parametrize("action", MUTATING, ids=_by_id)
async def test_a_read_only_console_refuses_it_and_names_the_line_and_the_file(action: Action, tmp_path: Path) -> None:
    feed = ActingFeed()
    async with acting(feed, tmp_path, actions=False) as (app, pilot, operations):
        for pane in ("1", "2", "3", "4"):
            await pilot.press(pane)
            app.action_verb(action.verb)
            await settled(pilot, lambda: isinstance(app.screen, NoticeScreen))
            assert "`actions = true` is missing under [clusters.test] of hvtui.toml" in _words(app)
            await pilot.press("escape")
            await settled(pilot, lambda: isinstance(app.screen, Overview))
        assert feed.asked_nodes == []
        assert operations.runs == []


async def test_the_toggle_only_restricts_and_lifts_its_own_restriction(tmp_path: Path) -> None:
    feed = ActingFeed()
    async with acting(feed, tmp_path) as (app, pilot, operations):
        await pilot.press("f8")
        assert operations.read_only
        assert "READ-ONLY" in text(app).splitlines()[0]
        await pilot.press("1", "D")
        await settled(pilot, lambda: isinstance(app.screen, NoticeScreen))
        assert "F8 lifts it again" in text(app)
        await pilot.press("escape", "f8")
        assert not operations.read_only
    async with acting(ActingFeed(), tmp_path / "other", actions=False) as (app, pilot, operations):
        await pilot.press("f8", "f8")
        assert operations.read_only, "what the configuration says stays"


@pytest.mark.parametrize("verb", PLANNED)
async def test_the_plan_asks_at_least_for_what_the_registry_says(verb: Verb, tmp_path: Path) -> None:
    small, _ = PLANS[verb]
    if verb is Verb.CANCEL:
        small = small.vm("APP01", jobs=(job("APP01", JobType.MigrateVm, 30, kind="migration"),))
    facts = facts_for(verb, small)
    if verb is Verb.CHECKPOINT:
        # The run looks which there are before it takes another.
        facts = replace(facts, checkpoints={guid("SQL07"): listing(held())})
    feed = ActingFeed(facts=facts)
    action = next(action for action in MUTATING if action.verb == verb)
    targets, options = TARGETS[verb]
    async with acting(feed, tmp_path) as (app, pilot, operations):
        assert app.acting is not None
        app.acting.open_plan(Wish(verb, targets, action.title, action.confirm, dict(options)))
        shown = await dialog(app, pilot)
        assert shown.plan is not None
        assert not shown.plan.refused, shown.plan.refusals
        if action.confirm is Confirm.TYPED:
            assert shown.level() is Level.TYPED
        if shown.level() is Level.TYPED:
            assert not shown.armed
            await pilot.press(*shown.plan.name.lower())
        await armed(app, pilot)
        await pilot.press("y" if shown.level() is Level.KEY else "enter")
        await settled(pilot, lambda: bool(feed.sent))
        assert operations.runs[0].plan.verb is verb


def _distinct() -> list[tuple[str, Verb, Small | None, Change | None]]:
    """One case a rule; what only comes up between plan and start has a test of its own."""
    made = {case[0]: case for case in reversed(CASES) if case[1] in PLANNED}
    return [case for case in made.values() if case[0] not in {"read-only", "changed", "busy", "not-drained", "service"}]


@pytest.mark.parametrize("case", _distinct(), ids=lambda case: f"{case[0]}-{case[1].value}")
async def test_a_rule_refuses_in_the_console(
    case: tuple[str, Verb, Small | None, Change | None], tmp_path: Path
) -> None:
    rule, verb, small, change = case
    facts = facts_for(verb, small or PLANS[verb][0])
    feed = ActingFeed(facts=change(facts) if change is not None else facts)
    targets, options = TARGETS[verb]
    # No menu offers that value.
    options = {"value": "0"} if rule == "vss-value" else options
    async with acting(feed, tmp_path) as (app, pilot, operations):
        assert app.acting is not None
        app.acting.open_plan(Wish(verb, targets, verb.value, Confirm.TYPED, dict(options)))
        shown = await dialog(app, pilot)
        plan = shown.plan
        assert plan is not None
        left = [refusal for one in plan.left for refusal in one.refusals]
        assert [*plan.refusals, *left], "nothing stands against it"
        told = " ".join(shown.page.text.replace("\n", " ").split())
        for refusal in (*plan.refusals, *left):
            words = refusal.text.removeprefix(f"{refusal.target.name}: " if refusal.target is not None else "")
            assert " ".join(words.split()[:8]) in told, refusal.text
        if plan.moves and not plan.refused:
            # Of a batch the others may go; whoever is held must not be among them.
            assert not {move.vm.key for move in plan.moves} & {one.vm.key for one in plan.left}
            return
        assert shown.word() == ""
        await pilot.pause(0.35)
        await pilot.press("y", *plan.name, "enter")
        await pilot.pause(0.05)
        assert operations.runs == []
        assert feed.sent == []


async def test_what_changes_between_the_last_look_and_the_start_is_refused_by_the_gate(tmp_path: Path) -> None:
    feed = ActingFeed()
    async with acting(feed, tmp_path) as (app, pilot, operations):
        await pilot.press("1", "D", *"HV01")
        shown = await dialog(app, pilot)
        await armed(app, pilot)
        shown._look = lambda: None  # type: ignore[method-assign]  # the picture changes after the last look
        feed.move("APP01", "HV01", "HV02", "Volume2")
        await pilot.press("enter")
        await settled(pilot, lambda: isinstance(app.screen, NoticeScreen))
        assert "has changed" in text(app)
        assert operations.runs[0].refusals
        assert feed.sent == []


@pytest.mark.parametrize(("pane", "entries"), [
    ("1", {"align", "drain", "resume", "vmms", "start-vmms", "service", "policy", "acts.guests", "acts.access"}),
    ("2", {"align", "watch.toggle"}),
    ("3", {"align", "migrate", "cancel", "isolate", "return", "policy", "checkpoint", "start-vm", "acts.checkpoints",
           "acts.guests", "watch.toggle"}),
    ("4", {"align", "vmms", "service"}),
])  # fmt: skip
async def test_the_row_menu_has_what_the_row_can_be_asked_for(pane: str, entries: set[str], tmp_path: Path) -> None:
    async with acting(ActingFeed(), tmp_path) as (app, pilot, _):
        await pilot.press(pane, ".")
        shown = await menu(app, pilot)
        assert {choice.id for choice in shown.choices} == entries
        await pilot.press("escape")
        await settled(pilot, lambda: isinstance(app.screen, Overview))


async def test_the_menu_watches_too(tmp_path: Path) -> None:
    async with acting(ActingFeed(), tmp_path) as (app, pilot, _):
        await pilot.press("3", ".")
        await menu(app, pilot)
        await pilot.press("W")
        await settled(pilot, lambda: bool(app.window.watching.rows))
        assert isinstance(app.screen, Overview)


async def test_an_entry_of_the_menu_is_about_the_row_it_was_opened_on(tmp_path: Path) -> None:
    async with acting(ActingFeed(), tmp_path) as (app, pilot, _):
        await pilot.press("1", ".")
        await menu(app, pilot)
        app.overview.panes["nodes"].go_to("HV03")
        await pilot.press("D")
        shown = await dialog(app, pilot)
        assert shown.plan is not None
        assert [target.id for target in shown.plan.targets] == ["HV01"]


async def test_a_verb_without_its_row_says_where_to_put_the_cursor(tmp_path: Path) -> None:
    feed = ActingFeed()
    async with acting(feed, tmp_path) as (app, pilot, _):
        await pilot.press("3", "D")
        await settled(pilot, lambda: "put the cursor on a node (1) first" in text(app))
        assert not isinstance(app.screen, ConfirmScreen)
        assert feed.asked_nodes == []


async def test_marked_vms_are_moved_together_and_each_is_listed(tmp_path: Path) -> None:
    feed = ActingFeed()
    async with acting(feed, tmp_path) as (app, pilot, _):
        await pilot.press("3", "g", "space", "space", "M")
        shown = await menu(app, pilot)
        assert "Move 2 VMs to which node?" in text(app)
        shown.table.put_cursor("HV03")
        assert "2 of 2 fit" in text(app)
        await pilot.press("enter")
        plan = (await dialog(app, pilot)).plan
        assert plan is not None
        assert sorted(move.vm.name for move in plan.moves) == ["APP01", "SQL07"]
        assert "APP01, SQL07" in text(app)
        await armed(app, pilot)
        await pilot.press("y")
        await settled(pilot, lambda: bool(feed.sent))


async def test_destinations_are_ranked_with_their_reasons(tmp_path: Path) -> None:
    feed = ActingFeed(Small().vm("SQL07", more={"possible_owners": ["HV01", "HV03"]}))
    async with acting(feed, tmp_path) as (app, pilot, _):
        await pilot.press("3")
        app.overview.vms.go_to(guid("SQL07"))
        await pilot.press("M")
        shown = await menu(app, pilot)
        assert [choice.id for choice in shown.choices] == ["HV03", "HV02"]
        assert shown.choices[1].sign == "✖"
        await pilot.press("j")
        await settled(pilot, lambda: "HV02 is not among its possible owners" in text(app))
        await pilot.press("enter")
        plan_dialog = await dialog(app, pilot)
        assert plan_dialog.word() == "", "what does not fit can be looked at, not done"


async def test_resume_asks_for_its_failback(tmp_path: Path) -> None:
    small, _ = PLANS[Verb.RESUME]
    feed = ActingFeed(small)
    async with acting(feed, tmp_path) as (app, pilot, _):
        await pilot.press("1")
        app.overview.panes["nodes"].go_to("HV01")
        await pilot.press("U")
        await menu(app, pilot)
        await pilot.press("2")
        shown = await dialog(app, pilot)
        assert shown.plan is not None
        assert shown.plan.options["failback"] == "NoFailback"
        await armed(app, pilot)
        await pilot.press("y")
        await settled(pilot, lambda: bool(feed.sent))
        assert feed.sent[0][1:] == ("Resume-HvTuiNode", feed.sent[0][2])
        assert feed.sent[0][2]["Failback"] == "NoFailback"


async def test_a_writer_that_is_stable_asks_whether_the_restart_is_needed(tmp_path: Path) -> None:
    async with acting(ActingFeed(), tmp_path) as (app, pilot, operations):
        await pilot.press("1", "V")
        shown = await menu(app, pilot)
        assert isinstance(shown, MenuScreen)
        assert "[1] Stable" in text(app)
        await pilot.press("1")
        await settled(pilot, lambda: isinstance(app.screen, Overview))
        await pilot.press("V")
        await menu(app, pilot)
        await pilot.press("2")
        planned = await dialog(app, pilot)
        assert planned.plan is not None
        assert [stage.action for stage in planned.plan.stages] == ["drain", "stop", "start", "resume"]
        assert operations.runs == []


async def test_a_service_that_hvtui_does_not_restart_says_why(tmp_path: Path) -> None:
    feed = ActingFeed()
    async with acting(feed, tmp_path) as (app, pilot, _):
        await pilot.press("1", "W")
        await menu(app, pilot)
        await pilot.press("3")
        shown = await dialog(app, pilot)
        assert shown.plan is not None
        assert shown.plan.targets[0].id == "HV01/CryptSvc"
        assert isinstance(app.screen, PlanDialog)
        assert shown.word() == "", "its state could not be read"
