"""Who may take part in VSS, changed on a world: read, proposed, set node by node, read back, proven, given back."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hvtui.model.vss_access import VssAccess
from hvtui.operations.plan import Level, Plan, Target, Verb
from hvtui.operations.run import ItemState, Run, RunState
from hvtui.operations.verbs.vss_access import access_target
from hvtui.operations.vss_access import table, value_of
from hvtui.operations.vss_proposals import proposals, unheard_of
from hvtui.operations.vss_verified import BackupsSeen, Proof, asking
from hvtui.operations.vss_verified import checks as checks_of
from tests.support.desk import Stage, small
from tests.support.killed import killed_at

ACCOUNT = "CORP\\svc-replay"
CLUSTER = f"account = '{ACCOUNT}'"
NODES = ("HV01", "HV02", "HV03")
BACKUP = """
[[behaviours]]
kind = "host_backup"
nodes = ["HV01"]
start = "30m"
every = "30m"
copy = "3m"
callback_denied = true
"""
SERVICE = f"""
[[services]]
name = "ReplayManager"
title = "Replay Manager Service"
account = '{ACCOUNT}'
"""
Make = Callable[..., Stage]


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Make]:
    made: list[Stage] = []

    def make(**parts: Any) -> Stage:
        made.append(Stage(small(tmp_path, **({"cluster": CLUSTER, "more": SERVICE} | parts)), tmp_path))
        made[-1].nodes.pump(5.0)
        return made[-1]

    yield make
    for one in made:
        await one.operations.close()


def values(stage: Stage) -> dict[str, dict[str, int]]:
    return {node.name: dict(node.access_control) for node in stage.world.nodes.values()}


def entries(*nodes: str, account: str = ACCOUNT) -> list[Target]:
    return [access_target(node, account) for node in nodes or NODES]


async def setting(stage: Stage, *nodes: str, value: str = "1", account: str = ACCOUNT) -> Plan:
    return await stage.plan(Verb.VSSACCESS, *entries(*nodes, account=account), value=value)


def texts(run: Run) -> dict[str, tuple[ItemState, str]]:
    return {item.source: (item.state, item.text) for item in run.items}


async def test_set_on_all_nodes_read_back_and_given_back_exactly(stage: Make) -> None:
    here = stage(nodes="[[node]]\nname = \"HV02\"\naccess_control = { 'CORP\\SVC-REPLAY' = 2 }\n")
    before = values(here)
    plan = await here.plan(Verb.VSSACCESS, account=ACCOUNT, value="3")
    assert (plan.level, plan.name) == (Level.TYPED, "CLU-OPS")
    assert [(one.node, one.before, one.after) for one in plan.changes] == [
        ("HV01", "absent", "3"),
        ("HV02", "2", "3"),
        ("HV03", "absent", "3"),
    ]
    assert values(here) == before
    run = await here.run(plan)
    assert run.state is RunState.DONE, texts(run)
    assert values(here)["HV01"] == before["HV01"] | {ACCOUNT: 3}
    assert values(here)["HV02"] == before["HV02"] | {"CORP\\SVC-REPLAY": 3}, "an entry keeps its spelling"
    answers = await here.operations.vss_access()
    assert {node: value_of(answer, ACCOUNT) for node, answer in answers.items()} == dict.fromkeys(NODES, 3)

    offer = run.offers[0]
    undo = await here.plan(offer.verb, *offer.targets, **offer.options)
    assert [(one.before, one.after) for one in undo.changes] == [("3", "absent"), ("3", "2"), ("3", "absent")]
    assert (await here.run(undo)).state is RunState.DONE
    assert values(here) == before
    assert [name for _, name in here.nodes.changing()] == [
        *["Set-HvTuiVssAccess"] * 3,
        "Remove-HvTuiVssAccess",
        "Set-HvTuiVssAccess",
        "Remove-HvTuiVssAccess",
    ]
    here.assert_unharmed()


async def test_an_undo_leaves_what_somebody_changed_since(stage: Make) -> None:
    here = stage()
    run = await here.run(await setting(here))
    here.world.node("HV02").access_control[ACCOUNT] = 3
    del here.world.node("HV03").access_control[ACCOUNT]
    undo = await here.plan(Verb.VSSACCESS_UNDO, operation=run.id)
    assert [change.node for change in undo.changes] == ["HV01"]
    assert {left.node: left.text for left in undo.left} == {
        "HV02": "it is 3 both now, and hvtui left it at 1 writer: somebody changed it since",
        "HV03": "no entry already: nothing to change",
    }
    assert undo.name == "HV01"
    assert (await here.run(undo)).state is RunState.DONE
    assert [ACCOUNT in one for one in values(here).values()] == [False, True, False]
    here.assert_unharmed()


async def test_the_last_one_is_undone_and_each_only_once(stage: Make) -> None:
    here = stage()
    first = await here.run(await setting(here, "HV01"))
    second = await here.run(await setting(here, "HV02"))
    for expected in (second, first):
        undo = await here.plan(Verb.VSSACCESS_UNDO)
        assert undo.options["operation"] == expected.id
        assert (await here.run(undo)).state is RunState.DONE
    nothing = await here.plan(Verb.VSSACCESS_UNDO)
    assert [refusal.rule for refusal in nothing.refusals] == ["undo"]
    assert not any(ACCOUNT in one for one in values(here).values())


async def test_a_denial_is_given_back_as_the_denial_it_was(stage: Make) -> None:
    here = stage(nodes=f"[[node]]\nname = \"HV01\"\naccess_control = {{ '{ACCOUNT}' = 0 }}\n")
    run = await here.run(await setting(here, "HV01"))
    assert values(here)["HV01"][ACCOUNT] == 1
    undo = await here.plan(Verb.VSSACCESS_UNDO, operation=run.id)
    assert undo.changes[0].after == "0"
    assert (await here.run(undo)).state is RunState.DONE
    assert values(here)["HV01"][ACCOUNT] == 0
    here.assert_unharmed()


async def test_an_entry_is_removed_and_comes_back(stage: Make) -> None:
    here = stage(nodes=f"[[node]]\nname = \"HV03\"\naccess_control = {{ '{ACCOUNT}' = 2 }}\n")
    before = values(here)
    plan = await here.plan(Verb.VSSACCESS_REMOVE, account=ACCOUNT.upper())
    assert [change.node for change in plan.changes] == ["HV03"]
    assert len(plan.left) == 2
    run = await here.run(plan)
    assert run.state is RunState.DONE
    assert ACCOUNT not in values(here)["HV03"]
    assert (await here.run(await here.plan(Verb.VSSACCESS_UNDO, operation=run.id))).state is RunState.DONE
    assert values(here) == before


@pytest.mark.parametrize(
    ("account", "value", "rule"),
    [
        ("CORP\\nobody", "1", "expect.account"),
        ("CORP\\Domain Users", "1", "vss-wide"),
        ("BUILTIN\\Users", "2", "vss-wide"),
        ("NT AUTHORITY\\Authenticated Users", "3", "vss-wide"),
        ("Everyone", "1", "vss-account"),
        ("NT AUTHORITY\\NETWORK SERVICE", "3", "vss-shipped"),
        ("NT Authority\\NetworkService", "2", "vss-shipped"),
        (ACCOUNT, "0", "vss-value"),
        (ACCOUNT, "7", "vss-value"),
        (ACCOUNT, "", "vss-value"),
    ],
)
async def test_what_is_never_listed(stage: Make, account: str, value: str, rule: str) -> None:
    here = stage()
    before = values(here)
    plan = await setting(here, account=account, value=value)
    run = await here.run(plan)
    assert run.state is not RunState.DONE
    said = {refusal.rule for refusal in (*plan.refusals, *run.refusals)} | {item.code for item in run.items}
    assert rule in said, (plan, texts(run))
    assert values(here) == before
    # One node has said that the account is none: the others are not asked.
    assert len(here.nodes.changing()) == (1 if rule == "expect.account" else 0)
    here.assert_unharmed()


async def test_a_node_that_is_not_heard_is_left_and_the_others_are_set(stage: Make) -> None:
    here = stage()
    here.world.node("HV02").faults.down = True
    here.nodes.pump(60.0)
    plan = await setting(here)
    assert [change.node for change in plan.changes] == ["HV01", "HV03"]
    assert [left.node for left in plan.left] == ["HV02"]
    assert (await here.run(plan)).state is RunState.DONE
    assert [ACCOUNT in one for one in values(here).values()] == [True, False, True]


async def test_a_colleague_between_plan_and_start_and_between_two_nodes(stage: Make) -> None:
    here = stage()
    plan = await setting(here)
    here.world.node("HV03").access_control[ACCOUNT] = 2
    run = await here.run(plan)
    assert (run.state, {refusal.rule for refusal in run.refusals}) == (RunState.REFUSED, {"changed"})
    del here.world.node("HV03").access_control[ACCOUNT]

    def colleague(node: str, function: str) -> None:
        if (node, function) == ("HV02", "Set-HvTuiVssAccess"):
            here.world.node("HV02").access_control[ACCOUNT] = 3

    here.nodes.before = colleague
    run = await here.run(await setting(here))
    assert [item.state for item in run.items] == [ItemState.DONE, ItemState.REFUSED, ItemState.DONE]
    assert values(here)["HV02"][ACCOUNT] == 3
    here.assert_unharmed()


async def test_two_consoles_race_for_the_same_entries(stage: Make) -> None:
    """Whoever comes second on a node finds the entry as it wanted it, or is refused: it is set once on each."""
    here = stage()
    other = here.console(journal="colleague")
    plan = await setting(here)
    async with here.nodes.drive():
        theirs = await other.plan(Verb.VSSACCESS, entries(), value="2")
        first, second = await asyncio.gather(
            here.operations.start(plan, confirmed=plan.name), other.start(theirs, confirmed=theirs.name)
        )
        await here.operations.wait(first)
        await other.wait(second)
    set_by = {name: {one.target for one in run.items if one.state is ItemState.DONE} for name, run in
              (("1", first), ("2", second))}  # fmt: skip
    assert not set_by["1"] & set_by["2"], "nobody's entry was overwritten"
    for target in entries():
        won = next((value for value, targets in set_by.items() if target in targets), None)
        assert won is not None
        assert str(values(here)[target.id.partition("/")[0]][ACCOUNT]) == won
    here.assert_unharmed()
    await other.close()


async def test_cancelled_between_two_nodes(stage: Make) -> None:
    here = stage()
    runs: list[Run] = []
    here.operations.subscribe(runs.append)

    def cancel(node: str, function: str) -> None:
        if function == "Set-HvTuiVssAccess":
            runs[-1].cancelling = True

    here.nodes.before = cancel
    run = await here.run(await setting(here))
    assert run.state is RunState.CANCELLED
    assert [item.state for item in run.items] == [ItemState.DONE, ItemState.CANCELLED, ItemState.CANCELLED]
    assert [ACCOUNT in one for one in values(here).values()] == [True, False, False]


# --- answers that are lost, consoles that are killed ---


@pytest.mark.parametrize(
    ("fault", "state", "value"),
    [
        ("never", ItemState.FAILED, None),
        ("before", ItemState.UNKNOWN, None),
        ("after", ItemState.DONE, 1),
    ],
)
async def test_a_lost_answer_is_read_back_and_never_sent_again(
    stage: Make, fault: str, state: ItemState, value: int | None
) -> None:
    here = stage()
    plan = await setting(here, "HV01")
    here.nodes.fault = lambda node, function: fault if function == "Set-HvTuiVssAccess" else ""
    run = await here.run(plan)
    assert [item.state for item in run.items] == [state], texts(run)
    assert values(here)["HV01"].get(ACCOUNT) == value
    assert len(here.nodes.changing()) == 1
    here.nodes.fault = lambda node, function: ""
    undo = await here.plan(Verb.VSSACCESS_UNDO, operation=run.id)
    assert bool(undo.changes) is (value is not None)
    here.assert_unharmed()


async def test_what_cannot_be_read_back_is_not_called_done(stage: Make) -> None:
    here = stage()
    plan = await setting(here, "HV01")
    asked = itertools.count()

    def fault(node: str, function: str) -> str:
        return "never" if function == "Get-HvTuiVssAccess" and next(asked) >= 2 else ""

    here.nodes.fault = fault
    run = await here.run(plan)
    assert run.state is RunState.UNKNOWN
    assert "could not be read back" in run.items[0].text


@pytest.mark.parametrize("moment", ["begun", "step", "called", "outcome", "read back"])
async def test_killed_at_any_step_nothing_is_run_twice(
    stage: Make, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process dies right after a line was written, or in the middle of the call: what it held in memory is gone."""
    here = stage()
    plan = await setting(here, "HV01", "HV02")
    await killed_at(here, plan, moment, monkeypatch)
    ran = moment in {"called", "outcome", "read back"}
    assert (ACCOUNT in values(here)["HV01"]) is ran
    assert ACCOUNT not in values(here)["HV02"]

    here.operations = here.console()
    await here.operations.look_back()
    (left,) = here.operations.unfinished()
    async with here.nodes.drive():
        truth = await here.operations.read_back(left)
    first = f"{ACCOUNT} on HV01 has {'1 writer, as was asked for' if ran else 'no entry'}"
    assert truth.lines[0].startswith(first), truth.lines
    assert truth.lines[1] == f"{ACCOUNT} on HV02 has no entry; it was not asked yet"
    assert not truth.settled
    assert [offer.verb for offer in truth.offers] == [Verb.VSSACCESS_UNDO, Verb.VSSACCESS][0 if ran else 1 :]
    again = truth.offers[-1]
    rest = await here.plan(again.verb, *again.targets, **again.options)
    assert (await here.run(rest)).state is RunState.DONE
    assert [values(here)[name][ACCOUNT] for name in ("HV01", "HV02")] == [1, 1]
    assert len(here.nodes.changing()) == 2, "nothing is run twice"
    async with here.nodes.drive():
        assert (await here.operations.read_back(left)).settled
    if ran:
        undo = await here.plan(Verb.VSSACCESS_UNDO, operation=left.operation)
        assert [(change.node, change.after) for change in undo.changes] == [("HV01", "absent")]
    await here.operations.close_unfinished(left.operation, "read back")
    here.assert_unharmed()


# --- which account, and whether it helped ---


async def test_the_field_report_from_8194_to_its_proof(stage: Make) -> None:
    here = stage(more=SERVICE + BACKUP)
    here.quiet()
    here.nodes.pump(30 * 60.0, writers=True)
    (found,) = proposals(await here.operations.vss_access(), here.nodes.state.events.recent())
    assert (found.account, found.value, found.nodes, found.needed) == (ACCOUNT, 1, NODES, True)
    assert any("8194 on HV01" in line for line in found.evidence)
    assert any("Replay Manager Service" in line for line in found.evidence)
    before = values(here)
    run = await here.run(await setting(here))
    assert run.state is RunState.DONE
    here.nodes.pump(60.0)
    checks = {one.node: one for one in here.operations.access_checks()}
    assert {name: one.proof for name, one in checks.items()} == dict.fromkeys(NODES, Proof.WAITING)
    assert checks["HV01"].account == ACCOUNT
    for _ in range(35):
        here.nodes.pump(60.0, writers=True)
    proof = {one.node: one for one in here.operations.access_checks()}["HV01"]
    assert proof.proof is Proof.CLEAR, proof
    # Whoever did not see a backup through the writers cannot call it a proof; unread events are none at all.
    state = here.nodes.state
    assert {one.node: one.proof for one in checks_of(state, BackupsSeen())}["HV01"] is Proof.QUIET
    state.events.set_error("HV01", "Application", "access is denied", "denied")
    unread = {one.node: one for one in here.operations.access_checks()}["HV01"]
    assert (unread.proof, "access is denied" in unread.text) == (Proof.UNREAD, True)
    here.nodes.pump(60.0)
    assert asking(here.nodes.state) == [], "what came before the entry was set asks for no other account"
    assert proposals(await here.operations.vss_access(), here.nodes.state.events.recent()) == ()
    await here.run(await here.plan(Verb.VSSACCESS_UNDO, operation=run.id))
    assert values(here) == before
    for _ in range(35):
        here.nodes.pump(60.0, writers=True)
    assert proposals(await here.operations.vss_access(), here.nodes.state.events.recent())[0].account == ACCOUNT
    here.assert_unharmed()


async def test_an_entry_for_the_wrong_account_is_told_by_the_next_backup(stage: Make) -> None:
    here = stage(cluster=CLUSTER + "\naccounts = ['CORP\\other']", more=SERVICE + BACKUP)
    here.nodes.pump(5.0)
    assert (await here.run(await setting(here, account="CORP\\other"))).state is RunState.DONE
    for _ in range(35):
        here.nodes.pump(60.0, writers=True)
    proof = {one.node: one for one in here.operations.access_checks()}
    assert proof["HV01"].proof is Proof.AGAIN
    assert "8194 came again" in proof["HV01"].text


async def test_the_table_of_all_nodes_says_what_differs_and_what_is_unread(stage: Make) -> None:
    here = stage(nodes="[[node]]\nname = \"HV02\"\naccess_control = { 'CORP\\gone' = 3 }\n")
    here.world.node("HV03").faults.down = True
    here.nodes.pump(60.0)
    answers = await here.operations.vss_access()
    assert isinstance(answers["HV01"], VssAccess)
    assert isinstance(answers["HV03"], str)
    shown = table(answers)
    gone, shipped = shown.rows
    assert (gone.account, gone.differs, gone.cells["HV02"].text) == ("CORP\\gone", True, "3 both, resolves to nothing")
    assert (shipped.shipped, shipped.differs, shipped.cells["HV01"].text) == (True, False, "1 writer")
    assert set(shown.unread) == {"HV03"}
    assert "HV03" not in gone.cells


async def test_the_plan_of_an_undo_survives_a_file(stage: Make) -> None:
    here = stage()
    run = await here.run(await setting(here, "HV01"))
    undo = await here.plan(Verb.VSSACCESS_UNDO, operation=run.id)
    again = msgspec.json.decode(msgspec.json.encode(undo), type=Plan)
    assert (await here.run(again)).state is RunState.DONE


async def test_no_account_is_proposed_by_guess_while_a_log_is_unread(stage: Make) -> None:
    here = stage()
    state = here.nodes.state
    unread = {name: VssAccess(v=1, time=one.time, node=name, entries=one.entries, services=one.services)
              for name, one in (await here.operations.vss_access()).items() if isinstance(one, VssAccess)}  # fmt: skip
    (guessed,) = proposals(unread, [])
    assert (guessed.account, guessed.value, guessed.needed) == (ACCOUNT, 2, False)
    assert proposals(unread, [], ["HV02"]) == (), "8194 in that log would ask for 1"
    assert set(unheard_of(state)) <= set(NODES)


async def test_of_several_accounts_the_backup_products_comes_first(stage: Make) -> None:
    array = SERVICE.replace("ReplayManager", "ArrayVss").replace("Replay Manager Service", "Array VSS Provider")
    here = stage(more=SERVICE + array.replace(ACCOUNT, "CORP\\svc-array") + BACKUP)
    here.quiet()
    here.nodes.pump(30 * 60.0, writers=True)
    found = proposals(await here.operations.vss_access(), asking(here.nodes.state))
    assert [(one.account, one.needed) for one in found] == [(ACCOUNT, True), ("CORP\\svc-array", True)]
    assert all("one of" in one.reason for one in found)
    here.assert_unharmed()
