"""Checkpoint types on a world: one stream a node, stops between two VMs, read back, journaled, and given back."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hvtui.journal.entry import Entry, Kind
from hvtui.journal.store import Journal
from hvtui.model.enums import CheckpointType
from hvtui.model.link import Link, LinkStatus
from hvtui.operations.facts import Was
from hvtui.operations.gate import check
from hvtui.operations.plan import Level, Plan, Target, Verb, decode_plan
from hvtui.operations.run import ItemState, Run, RunState
from hvtui.operations.verbs.policy import plan_policy, plan_undo
from tests.support.builders import guid
from tests.support.desk import Stage, small
from tests.support.small_clusters import Small, VmSpec

SET_TYPE = "Set-HvTuiCheckpointType"
FORTY = "\n".join(
    f'[[vms]]\nprefix = "{prefix}"\ncount = 20\nmemory_gb = 1\nnodes = ["{node}"]\n'
    for prefix, node in (("X", "HV01"), ("Y", "HV02"))
)


@pytest.fixture
def here(tmp_path: Path) -> Stage:
    return Stage(small(tmp_path), tmp_path)


@pytest.fixture
def forty(tmp_path: Path) -> Stage:
    """Six VMs anywhere, twenty on each of two nodes."""
    return Stage(small(tmp_path, more=FORTY), tmp_path)


def types(stage: Stage) -> dict[str, CheckpointType]:
    return {name: CheckpointType(vm.checkpoint_type) for name, vm in stage.vms.items()}


def set_type(stage: Stage, name: str, kind: CheckpointType) -> None:
    """A colleague does."""
    stage.vms[name].checkpoint_type = kind
    stage.vms[name].touch()
    stage.nodes.pump(5.0)


def entries(stage: Stage, *kinds: Kind) -> list[Entry]:
    return [line.entry for line in Journal(stage.folder / "journal").lines(kinds=kinds)]


async def wish(stage: Stage, kind: str, *names: str) -> Plan:
    return await stage.plan(Verb.POLICY, *(stage.vm(name) for name in names or stage.vms), type=kind)


def states(run: Run) -> dict[str, ItemState]:
    return {item.target.name: item.state for item in run.items}


async def test_one_vm_by_a_key_and_back_again(here: Stage) -> None:
    plan = await wish(here, "productiononly", "APP01")
    (change,) = plan.changes
    assert (change.before, change.after, plan.level) == ("Production", "ProductionOnly", Level.KEY)
    run = await here.run(plan)
    assert run.state is RunState.DONE, run.lines
    assert types(here)["APP01"] is CheckpointType.ProductionOnly
    (part,) = [entry for entry in entries(here, Kind.OUTCOME) if not entry.call]
    assert (part.target, part.before, part.after, part.outcome) == ("APP01", {"type": 3}, {"type": 4}, "done")
    assert part.command.startswith("Set-VM -VM ")

    back = await here.plan(Verb.POLICY_UNDO, operation=run.id)
    assert [(one.target.name, one.before, one.after) for one in back.changes] == [
        ("APP01", "ProductionOnly", "Production")
    ]
    undone = await here.run(back)
    assert undone.state is RunState.DONE
    assert types(here)["APP01"] is CheckpointType.Production
    again = await here.plan(Verb.POLICY_UNDO, operation=run.id)
    assert again.changes == ()
    assert [left.text for left in again.left] == ["it has Production again"]
    here.assert_unharmed()


@pytest.mark.parametrize(
    ("kind", "count", "level"),
    [
        ("Standard", 1, Level.TYPED),
        ("Disabled", 1, Level.TYPED),
        ("ProductionOnly", 20, Level.KEY),
        ("ProductionOnly", 21, Level.TYPED),
    ],
)
async def test_what_is_typed(kind: str, count: int, level: Level, forty: Stage) -> None:
    plan = await wish(forty, kind, *list(forty.vms)[:count])
    assert (plan.level, plan.name) == (level, "APP01" if count == 1 else "CLU-OPS")
    assert len(plan.changes) == count
    assert ("stale data" in " ".join(note.text for note in plan.notes)) == (kind == "Standard")


async def test_many_on_all_nodes_each_with_its_line_and_exactly_those_are_given_back(forty: Stage) -> None:
    set_type(forty, "X01", CheckpointType.Standard)
    set_type(forty, "X02", CheckpointType.Disabled)
    before = types(forty)
    plan = await wish(forty, "Standard")
    assert [left.vm.name for left in plan.left] == ["X01"]
    assert len(plan.changes) == 45
    run = await forty.run(plan)
    assert run.state is RunState.DONE, run.lines
    assert set(types(forty).values()) == {CheckpointType.Standard}
    assert set(states(run).values()) == {ItemState.DONE}
    calls = [(node, name) for node, name, _, lane in forty.nodes.sent if lane == "policy"]
    assert sorted(calls) == [("HV01", SET_TYPE), ("HV02", SET_TYPE), ("HV03", SET_TYPE)]
    assert len([e for e in entries(forty, Kind.OUTCOME) if not e.call]) == 45

    set_type(forty, "Y05", CheckpointType.ProductionOnly)
    back = await forty.plan(Verb.POLICY_UNDO, operation=run.id)
    assert [(left.vm.name, left.text) for left in back.left] == [
        ("Y05", "somebody set ProductionOnly since: hvtui set Standard")
    ]
    assert (await forty.run(back)).state is RunState.DONE
    assert types(forty) == before | {"Y05": CheckpointType.ProductionOnly}
    forty.assert_unharmed()


async def test_those_that_are_held_stay_and_the_others_go_on(here: Stage) -> None:
    here.vms["APP01"].lock(on=True)
    here.nodes.pump(20.0)
    plan = await wish(here, "Standard", "APP01", "APP02", "APP03")
    assert [(left.vm.name, [r.rule for r in left.refusals]) for left in plan.left] == [("APP01", ["locked"])]
    assert sorted(target.name for target in plan.targets) == ["APP02", "APP03"]
    set_type(here, "APP02", CheckpointType.Disabled)
    run = await here.run(plan)
    assert states(run) == {"APP03": ItemState.DONE}
    assert [left.vm.name for left in run.plan.left] == ["APP01", "APP02"]
    assert run.lines[0].text == "2 VMs stay as they are: 1 locked, 1 changed"
    assert types(here)["APP01"] is CheckpointType.Production
    assert types(here)["APP02"] is CheckpointType.Disabled
    here.assert_unharmed()


async def test_five_failures_in_a_row_stop_their_node_and_the_rest_is_offered(forty: Stage) -> None:
    for name in ("X03", "X04", "X05", "X06", "X07"):
        forty.vms[name].set_fails = "The disk is gone."
    plan = await wish(forty, "Standard", *(name for name in forty.vms if name[0] in "XY"))
    run = await forty.run(plan)
    assert run.state is RunState.FAILED
    found = states(run)
    failed = {name for name, state in found.items() if state is ItemState.FAILED}
    assert failed == {"X03", "X04", "X05", "X06", "X07"}
    left = {name for name, state in found.items() if state is ItemState.CANCELLED}
    assert left == {f"X{n:02}" for n in range(8, 21)}
    assert all(found[name] is ItemState.DONE for name in found if name.startswith("Y"))
    assert next(item.text for item in run.items if item.target.name == "X03").endswith("The disk is gone.")
    going_on, once_more = run.offers
    assert (len(going_on.targets), going_on.options) == (13, {"type": "Standard"})
    for name in failed:
        forty.vms[name].set_fails = ""
    for offer in (going_on, once_more):
        more = await forty.run(await forty.plan(offer.verb, *offer.targets, **offer.options))
        assert more.state is RunState.DONE, more.lines
    assert {types(forty)[name] for name in found} == {CheckpointType.Standard}
    forty.assert_unharmed()


async def test_too_many_failures_stop_all_nodes(forty: Stage) -> None:
    """Every second VM: never five in a row, but more than ten, and more than two in a hundred."""
    for number in range(2, 21, 2):
        for prefix in "XY":
            forty.vms[f"{prefix}{number:02}"].set_fails = "No."
    run = await forty.run(await wish(forty, "Standard", *(name for name in forty.vms if name[0] in "XY")))
    assert run.state is RunState.FAILED
    found = list(states(run).values())
    assert found.count(ItemState.FAILED) >= 10
    assert found.count(ItemState.CANCELLED) > 5
    assert any("stopped between two VMs: " in line.text for line in run.lines)
    done = {name for name, state in states(run).items() if state is ItemState.DONE}
    assert {name for name, kind in types(forty).items() if kind is CheckpointType.Standard} == done
    forty.assert_unharmed()


def third_change(stage: Stage) -> asyncio.Event:
    """Set when a node has told of its third change."""
    third = asyncio.Event()

    def after(node: str, function: str, answer: Any) -> Any:
        if function == SET_TYPE and answer.changed == 3:
            third.set()
        return answer

    stage.nodes.after = after
    return third


async def test_a_cancel_stops_between_two_vms(forty: Stage) -> None:
    operations, third = forty.operations, third_change(forty)
    plan = await wish(forty, "Standard", *(name for name in forty.vms if name.startswith("X")))

    async with forty.nodes.drive():
        run = await operations.start(plan, confirmed=plan.name)
        await third.wait()
        said = await operations.cancel(run)
        await operations.wait(run)
    assert said.startswith("cancelling: it stops between two VMs")
    assert run.state is RunState.CANCELLED, run.lines
    found = states(run)
    done = {name for name, state in found.items() if state is ItemState.DONE}
    assert 3 <= len(done) < 20
    assert {name for name, kind in types(forty).items() if kind is CheckpointType.Standard} == done
    assert all(item.text == "cancelled before it began" for item in run.items if item.state is ItemState.CANCELLED)
    assert len(run.offers[0].targets) == 20 - len(done)
    forty.assert_unharmed()


@pytest.mark.parametrize("lost", ["never", "before", "after"])
async def test_a_lost_stream_is_read_back_and_nothing_is_sent_twice(lost: str, forty: Stage) -> None:
    forty.nodes.fault = lambda node, function: lost if (node, function) == ("HV01", SET_TYPE) else ""
    names = [name for name in forty.vms if name[0] in "XY"]
    run = await forty.run(await wish(forty, "Standard", *names))
    found = states(run)
    changed = {name for name, kind in types(forty).items() if kind is CheckpointType.Standard}
    assert {name for name, state in found.items() if state is ItemState.DONE} == changed
    assert {name for name in changed if name.startswith("Y")} == {f"Y{n:02}" for n in range(1, 21)}
    expected = ItemState.FAILED if lost == "never" else ItemState.UNKNOWN
    assert {state for name, state in found.items() if name not in changed} <= {expected}
    assert run.state is (RunState.FAILED if lost == "never" else RunState.UNKNOWN)
    assert [node for node, name in forty.nodes.changing() if node == "HV01"] == ["HV01"]
    forty.nodes.fault = lambda node, function: ""
    if changed - {name for name in changed if name.startswith("Y")}:
        back = await forty.plan(Verb.POLICY_UNDO, operation=run.id)
        assert {change.target.name for change in back.changes} == changed
    forty.assert_unharmed()


async def test_what_a_killed_console_changed_can_be_given_back(forty: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was killed before a line of its VMs was in the journal: the step, which is there before, names them."""
    real = Journal.append_all

    def append_all(self: Journal, lines: Any) -> int:
        if any(entry.kind is Kind.OUTCOME and not entry.call for entry in lines):
            return 0
        return real(self, [entry for entry in lines if entry.kind not in {Kind.OUTCOME, Kind.ENDED}])

    monkeypatch.setattr(Journal, "append_all", append_all)
    run = await forty.run(await wish(forty, "Standard", "X01", "X02", "X03"))
    monkeypatch.undo()
    set_type(forty, "X02", CheckpointType.Production)
    back = await forty.plan(Verb.POLICY_UNDO, operation=run.id)
    assert sorted(change.target.name for change in back.changes) == ["X01", "X03"]
    assert [left.text for left in back.left] == ["it has Production again"]


async def test_an_operation_that_changed_nothing_has_nothing_to_give_back(here: Stage) -> None:
    plan = await here.plan(Verb.POLICY_UNDO, operation="0f0e8a52-0000-4000-8000-000000000000")
    assert [refusal.rule for refusal in plan.refusals] == ["undo"]
    nonsense = await here.plan(Verb.POLICY, here.vm("APP01"), type="Sometimes")
    assert [refusal.rule for refusal in nonsense.refusals] == ["type"]


async def test_a_node_that_is_not_heard_keeps_only_its_own_vms_out(forty: Stage) -> None:
    assert (await wish(forty, "Standard", "X01", "Y01")).left == ()
    view = forty.nodes.state.nodes["HV02"]
    view.link = Link(status=LinkStatus.UNREACHABLE, last_frame=view.link.last_frame)
    plan = plan_policy(forty.operations.facts(), [forty.vm(name).id for name in ("X01", "Y01")], "Standard")
    assert [change.target.name for change in plan.changes] == ["X01"]
    assert [(left.vm.name, {r.rule for r in left.refusals}) for left in plan.left] == [("Y01", {"stale", "unread"})]
    assert plan.refusals == ()


async def test_the_next_console_says_what_became_of_it_and_offers_both_ways(forty: Stage) -> None:
    third = third_change(forty)
    plan = await wish(forty, "Standard", *(name for name in forty.vms if name.startswith("X")))
    async with forty.nodes.drive():
        run = await forty.operations.start(plan, confirmed=plan.name)
        await third.wait()
        await forty.operations.close()
    assert run.state is RunState.LEFT
    changed = {name for name, kind in types(forty).items() if kind is CheckpointType.Standard}
    assert 3 <= len(changed) < 20

    forty.nodes.after = lambda node, function, answer: answer
    forty.operations = forty.console()
    await forty.operations.look_back()
    (left,) = forty.operations.unfinished()
    async with forty.nodes.drive():
        truth = await forty.operations.read_back(left)
    assert not truth.settled
    assert truth.lines[0] == f"{len(changed)} of 20 VMs have the type that was wanted"
    going_on, back = truth.offers
    assert {target.name for target in going_on.targets} == {f"X{n:02}" for n in range(1, 21)} - changed
    undo = await forty.plan(back.verb, *back.targets, **back.options)
    assert {change.target.name for change in undo.changes} == changed
    more = await forty.run(await forty.plan(going_on.verb, *going_on.targets, **going_on.options))
    assert more.state is RunState.DONE
    async with forty.nodes.drive():
        assert (await forty.operations.read_back(left)).settled
    await forty.operations.close_unfinished(left.operation, "gone on with")
    set_twice = [one for one in forty.world.commands.changes if one.command == "Set-VM"]
    assert len({one.target for one in set_twice}) == len(set_twice) == 20
    forty.assert_unharmed()


# --- over random worlds of the picture, without nodes ---

KINDS = st.sampled_from(list(CheckpointType))
LOCKS = st.sampled_from([0, 0, 0, 1, None])


@st.composite
def pictures(draw: st.DrawFn) -> Small:
    count = draw(st.integers(1, 12))
    made = [
        VmSpec(
            f"VM{n:02}",
            draw(st.sampled_from(["HV01", "HV02", "HV03"])),
            status=draw(LOCKS),
            state=draw(st.sampled_from([2, 3, 6, 9])),
            record={"checkpoint_type": draw(st.none() | KINDS.map(int)), "vss": draw(st.sampled_from([2, 12, None]))},
        )
        for n in range(count)
    ]
    return Small(vms=tuple(made))


@given(pictures(), KINDS)
@settings(max_examples=60, deadline=None)
def test_a_plan_changes_or_leaves_each_vm_and_none_that_is_held(small_one: Small, kind: CheckpointType) -> None:
    facts = small_one.facts()
    keys = [guid(vm.name) for vm in small_one.vms]
    plan = plan_policy(facts, keys, kind.name)
    changed = {change.target.id for change in plan.changes}
    left = [one.vm.id for one in plan.left]
    assert sorted([*changed, *left]) == sorted(keys)
    for vm in small_one.vms:
        now = vm.record["checkpoint_type"]
        expected = vm.status == 0 and now is not None and now != kind
        assert (guid(vm.name) in changed) is expected
    assert plan.level is Level.TYPED or all(
        change.after in {"Production", "ProductionOnly"}
        or (change.after == "Standard" and change.before in {"Disabled", "Standard"})
        for change in plan.changes
    )
    assert plan.refusals == ()
    assert check(plan, facts) == () or not plan.changes
    assert decode_plan(msgspec.json.encode(plan)) == plan


@given(pictures(), st.data())
@settings(max_examples=60, deadline=None)
def test_an_undo_gives_back_exactly_what_still_is_as_hvtui_set_it(small_one: Small, data: st.DataObject) -> None:
    facts = small_one.facts()
    done = [
        Was(
            Target(kind="vm", id=guid(vm.name), name=vm.name),
            vm.node,
            {"type": int(data.draw(KINDS))},
            {"type": int(data.draw(KINDS))},
            sure=data.draw(st.booleans()),
        )
        for vm in small_one.vms
    ]
    plan = plan_undo(replace(facts, undo=tuple(done)), "op")
    given_back = {change.target.id: change.after for change in plan.changes}
    for vm, was in zip(small_one.vms, done, strict=True):
        now, before, after = vm.record["checkpoint_type"], was.before["type"], was.after["type"]
        wanted = vm.status == 0 and now == after and now != before
        assert given_back.get(guid(vm.name)) == (CheckpointType(int(before or 0)).name if wanted else None)


def test_eight_thousand_vms_are_planned_in_less_than_a_second() -> None:
    nodes = {f"HV{n:02}": 2000.0 for n in range(1, 65)}
    many = tuple(VmSpec(f"VM{n:04}", f"HV{n % 64 + 1:02}") for n in range(8000))
    small_one = Small(nodes=nodes, vms=many)
    facts = small_one.facts()
    keys = [guid(vm.name) for vm in many]
    plan_policy(facts, keys[:100], "Standard")
    began = time.process_time()
    plan = plan_policy(facts, keys, "Standard")
    assert len(plan.changes) == 8000
    assert time.process_time() - began < 1.0
