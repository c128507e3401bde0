"""Both engines do and say the same when they are asked to change something: answers, and the worlds afterwards."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import pytest

from hvtui.lab.world import actions
from hvtui.lab.world.node import Node
from hvtui.lab.world.vm import Vm
from hvtui.lab.world.world import World
from hvtui.model.enums import DrainStatus, GroupStatus, NodeState, VmState
from tests.engine.support.changes import Pair, Values, service_values
from tests.engine.support.stage import Stage

Prepare = Callable[[World], object]
_UP: Final = "HV02,HV03,HV04,HV05,HV06,HV07,HV08"


def mover(world: World, name: str = "HV01") -> Vm:
    """A VM of a node that nothing stands against."""
    return next(vm for vm in world.node(name).vms.values() if vm.role is not None and vm.running and not vm.busy)


def move_values(world: World, **other: Any) -> Values:
    """The parameters of a move that is right."""
    return {"VMId": mover(world).id, "Node": "HV02", "ExpectOwner": "HV01", "ExpectState": 2, **other}


# --- moves ---


def test_a_live_migration_is_started_and_arrives(stage: Stage) -> None:
    pair = Pair(stage, "healthy")
    values = move_values(pair.module)
    answer = pair.call("HV01", "Move-HvTuiVM", values)
    assert (answer["outcome"], answer["rule"], answer["recorded"]) == ("started", "", True)
    assert "-MigrationType Live -Wait 0" in answer["command"]
    pair.advance(300.0)
    assert pair.module.vms[values["VMId"]].node.name == "HV02"
    assert pair.module.ledger.entries == []
    asked = [change.asked for change in pair.module.commands.changes]
    assert [(one.function, one.actor[:4]) for one in asked] == [("Move-HvTuiVM", "anna")]


@pytest.mark.parametrize("state", [VmState.Off, VmState.Saved])
def test_a_cold_vm_is_moved_as_that(stage: Stage, state: VmState) -> None:
    pair = Pair(stage, "healthy", prepare=lambda world: mover(world).set_state(state))
    vm = next(vm for vm in pair.module.node("HV01").vms.values() if vm.state == state)
    values = {"VMId": vm.id, "Node": "HV02", "ExpectOwner": "HV01", "ExpectState": int(state)}
    answer = pair.call("HV01", "Move-HvTuiVM", values)
    assert "-MigrationType Quick" in answer["command"]
    pair.advance(60.0)
    assert pair.module.vms[vm.id].node.name == "HV02"
    assert pair.module.ledger.entries == []


def test_a_paused_vm_is_moved_live(stage: Stage) -> None:
    pair = Pair(stage, "healthy")
    id = mover(pair.module).id
    pair.prepare(lambda world: world.vms[id].set_state(VmState.Paused))
    answer = pair.call("HV01", "Move-HvTuiVM", {"VMId": id, "Node": "HV02", "ExpectOwner": "HV01", "ExpectState": 9})
    assert "-MigrationType Live" in answer["command"]


def _first(do: Callable[[World, Vm], object]) -> Prepare:
    return lambda world: do(world, mover(world))


def _node(name: str, **values: Any) -> Prepare:
    def change(world: World) -> None:
        for key, value in values.items():
            setattr(world.node(name), key, value)
        world.node(name).touch()

    return change


_MOVE_REFUSALS: Final[dict[str, tuple[Prepare, Values, str]]] = {
    "the role has another owner": (_first(lambda world, vm: None), {"ExpectOwner": "HV05"}, "expect.owner"),
    "the VM is in another state": (_first(lambda world, vm: None), {"ExpectState": 3}, "expect.state"),
    "the role is locked": (_first(lambda world, vm: vm.lock(on=True)), {}, "busy"),
    "the role is queued": (_first(lambda world, vm: vm.role.flag(GroupStatus.Queued, on=True)), {}, "busy"),  # type: ignore[union-attr]
    "a merge runs": (_first(lambda world, vm: vm.begin(32772)), {}, "busy"),
    "a backup runs": (_first(lambda world, vm: vm.begin(32776)), {}, "busy"),
    "it is being moved already": (
        _first(lambda world, vm: actions.move_role(world, vm, world.node("HV03"), "Live")), {}, "busy",
    ),
    "it is starting": (_first(lambda world, vm: vm.set_state(VmState.Starting)), {"ExpectState": 10}, "forbidden"),
    "the target is paused": (_node("HV02", state=NodeState.Paused), {}, "expect.target"),
    "the target is down": (_node("HV02", state=NodeState.Down), {}, "expect.target"),
    "the target is isolated": (_node("HV02", status=1), {}, "expect.target"),
    "the target is quarantined": (_node("HV02", status=2), {}, "expect.target"),
    "the target drains": (_node("HV02", drain=DrainStatus.InProgress), {}, "expect.target"),
    "the target is the owner": (_first(lambda world, vm: None), {"Node": "hv01"}, "forbidden"),
    "there is no such node": (_first(lambda world, vm: None), {"Node": "HV99"}, "expect.target"),
    "there is no such VM": (
        _first(lambda world, vm: None), {"VMId": "00000000-0000-4000-8000-000000000000"}, "expect.role",
    ),
    "VMMS hangs": (lambda world: setattr(world.node("HV01").faults, "vmms_hung", True), {}, "unread"),
    "the cluster service hangs": (
        lambda world: setattr(world.node("HV01").faults, "cluster_service_hung", True), {}, "unread",
    ),
    "the account sees no VM": (lambda world: world.node("HV01").faults.rights.add("hyperv"), {}, "denied"),
    "the account sees no cluster": (lambda world: world.node("HV01").faults.rights.add("cluster"), {}, "denied"),
    "Windows refuses a node that may not own it": (
        _first(lambda world, vm: setattr(vm, "possible_owners", ["HV01", "HV03"])), {}, "windows",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", _MOVE_REFUSALS)
def test_a_move_is_refused(stage: Stage, case: str) -> None:
    prepare, other, rule = _MOVE_REFUSALS[case]
    pair = Pair(stage, "healthy")
    values = move_values(pair.module, **other)
    pair.prepare(prepare)
    answer = pair.call("HV01", "Move-HvTuiVM", values)
    assert (answer["outcome"], answer["rule"]) == ("refused", rule)
    assert answer["text"]
    assert bool(answer["command"]) == (rule == "windows")
    pair.advance(60.0)
    assert pair.module.ledger.entries == []


def test_a_migration_is_cancelled(stage: Stage) -> None:
    pair = Pair(stage, "healthy")
    values = move_values(pair.module)
    pair.call("HV01", "Move-HvTuiVM", values)
    pair.advance(3.0)
    stop = {"VMId": values["VMId"], "ExpectOwner": "HV01"}
    assert pair.call("HV01", "Stop-HvTuiMove", stop | {"ExpectOwner": "HV02"})["rule"] == "expect.owner"
    answer = pair.call("HV01", "Stop-HvTuiMove", stop)
    assert (answer["outcome"], answer["before"]["migration_state"]) == ("started", 2)
    pair.advance(120.0)
    assert pair.module.vms[values["VMId"]].node.name == "HV01"
    assert pair.call("HV01", "Stop-HvTuiMove", stop)["rule"] == "expect.migration"


def test_a_cancel_gets_through_while_vmms_hangs(stage: Stage) -> None:
    pair = Pair(stage, "healthy")
    values = move_values(pair.module)
    pair.call("HV01", "Move-HvTuiVM", values)
    pair.advance(3.0)
    pair.prepare(lambda world: setattr(world.node("HV01").faults, "vmms_hung", True))
    answer = pair.call("HV01", "Stop-HvTuiMove", {"VMId": values["VMId"], "ExpectOwner": "HV01"})
    assert answer["outcome"] == "started"


# --- nodes ---


def test_a_node_is_drained_and_resumed(stage: Stage) -> None:
    pair = Pair(stage, "healthy")
    up = "HV08,hv07,HV06,HV05,HV04,HV03,HV02"
    suspend = {"ExpectState": 0, "ExpectDrain": 0, "ExpectUp": up}
    answer = pair.call("HV01", "Suspend-HvTuiNode", suspend)
    assert (answer["outcome"], answer["after"]) == ("started", {"state": 2, "drain": 1, "up": _UP})
    assert pair.call("HV01", "Suspend-HvTuiNode", suspend)["rule"] == "expect.state"
    pair.advance(900.0)
    resume = {"Failback": "NoFailback", "ExpectState": 2, "ExpectDrain": 1}
    assert pair.call("HV01", "Resume-HvTuiNode", resume)["rule"] == "expect.drain"
    answer = pair.call("HV01", "Resume-HvTuiNode", resume | {"ExpectDrain": 2})
    assert (answer["outcome"], answer["after"]) == ("done", {"state": 0, "drain": 0})
    answer = pair.call("HV01", "Resume-HvTuiNode", resume | {"ExpectState": 0, "ExpectDrain": 0})
    assert answer["rule"] == "forbidden"


def test_a_resume_with_failback_brings_home(stage: Stage) -> None:
    pair = Pair(stage, "healthy")
    home = set(pair.module.node("HV01").vms)
    pair.call("HV01", "Suspend-HvTuiNode", {"ExpectState": 0, "ExpectDrain": 0, "ExpectUp": _UP})
    pair.advance(900.0)
    assert not pair.module.node("HV01").vms
    answer = pair.call("HV01", "Resume-HvTuiNode", {"Failback": "Immediate", "ExpectState": 2, "ExpectDrain": 2})
    assert answer["outcome"] == "started"
    pair.advance(120.0)
    assert set(pair.module.node("HV01").vms) == home


_SUSPEND_REFUSALS: Final[dict[str, tuple[Prepare, Values, str]]] = {
    "another node is up than the plan saw": (lambda world: None, {"ExpectUp": "HV02,HV03"}, "expect.up"),
    "a node of the plan is down": (_node("HV05", state=NodeState.Down), {}, "expect.up"),
    "a node of the plan drains": (lambda world: actions.suspend(world, world.node("HV05")), {}, "expect.up"),
    "the node is paused": (_node("HV01", state=NodeState.Paused), {}, "expect.state"),
    "a drain failed before": (_node("HV01", drain=DrainStatus.Failed), {}, "expect.drain"),
    "the cluster service hangs": (
        lambda world: setattr(world.node("HV01").faults, "cluster_service_hung", True), {}, "unread",
    ),
    "the account sees no cluster": (lambda world: world.node("HV01").faults.rights.add("cluster"), {}, "denied"),
    "no other node is up": (
        lambda world: [_node(f"HV0{i}", state=NodeState.Down)(world) for i in range(2, 9)], {"ExpectUp": ""},
        "forbidden",
    ),
    "the node is joining": (_node("HV01", state=NodeState.Joining), {"ExpectState": 3}, "forbidden"),
}  # fmt: skip


@pytest.mark.parametrize("case", _SUSPEND_REFUSALS)
def test_a_drain_is_refused(stage: Stage, case: str) -> None:
    prepare, other, rule = _SUSPEND_REFUSALS[case]
    pair = Pair(stage, "healthy", prepare=prepare)
    values = {"ExpectState": 0, "ExpectDrain": 0, "ExpectUp": _UP, **other}
    answer = pair.call("HV01", "Suspend-HvTuiNode", values)
    assert (answer["outcome"], answer["rule"], answer["command"]) == ("refused", rule, "")


def test_a_failed_drain_may_be_tried_again(stage: Stage) -> None:
    pair = Pair(stage, "healthy", prepare=_node("HV01", state=NodeState.Paused, drain=DrainStatus.Failed))
    answer = pair.call("HV01", "Suspend-HvTuiNode", {"ExpectState": 2, "ExpectDrain": 3, "ExpectUp": _UP})
    assert answer["outcome"] == "started"


# --- services ---


def drained(world: World, name: str = "HV02") -> Node:
    """A node that was drained and has no VM left."""
    node = world.node(name)
    actions.suspend(world, node)
    world.advance(900.0)
    return node


def test_vmms_is_stopped_and_started_on_a_drained_node(stage: Stage) -> None:
    pair = Pair(stage, "healthy", prepare=drained)
    answer = pair.call("HV02", "Stop-HvTuiService", service_values(pair.module, "HV02", "vmms"))
    assert (answer["outcome"], answer["after"]["state"]) == ("started", "Stop Pending")
    pair.advance(20.0)
    answer = pair.call("HV02", "Start-HvTuiService", service_values(pair.module, "HV02", "vmms"))
    assert (answer["outcome"], answer["before"]["state"]) == ("started", "Stopped")
    pair.advance(20.0)
    assert pair.module.node("HV02").services["vmms"].state == "Running"
    assert [entry for entry in pair.module.ledger.entries if entry.kind != "clients_dropped"] == []


def _left(world: World) -> Node:
    """A VM that is no role of the cluster stays on the drained node."""
    node, vm = drained(world), mover(world)
    assert vm.role is not None
    vm.node.vms.pop(vm.id)
    world.roles.pop(vm.role.id)
    node.vms[vm.id], vm.node, vm.role = vm, node, None
    node.touch()
    return node


def test_vmms_is_stopped_under_what_is_no_role_of_the_cluster(stage: Stage) -> None:
    pair = Pair(stage, "healthy", prepare=_left)
    answer = pair.call("HV02", "Stop-HvTuiService", service_values(pair.module, "HV02", "vmms"))
    assert (answer["outcome"], answer["before"]["vms"]) == ("started", 0)
    pair.advance(20.0)
    assert pair.module.ledger.of("vmms_undrained") == []


_STOP_REFUSALS: Final[dict[str, tuple[str, Prepare, Values, str]]] = {
    "another state": ("vmms", drained, {"ExpectState": "Paused"}, "expect.state"),
    "another process": ("vmms", drained, {"ExpectProcessId": 4}, "expect.process_id"),
    "another start": ("vmms", drained, {"ExpectStarted": "2026-11-01T00:00:00Z"}, "expect.started"),
    "no start": ("vmms", drained, {"ExpectStarted": ""}, "expect.started"),
    "a node that is not drained": ("vmms", lambda world: None, {}, "forbidden"),
    "a node that still drains": ("vmms", lambda world: actions.suspend(world, world.node("HV02")), {}, "forbidden"),
    "a node on which a VM is left": (
        "vmms", lambda world: drained(world).vms.update({vm.id: vm for vm in [mover(world)]}), {}, "forbidden",
    ),
    "a node whose roles cannot be told": (
        "vmms", lambda world: _left(world).faults.unreadable.update({"roles.vm": "timeout"}), {}, "unread",
    ),
    "a job that runs": (
        "CryptSvc", lambda world: actions.move_role(world, mover(world, "HV02"), world.node("HV03"), "Live"), {},
        "busy",
    ),
    "VMMS that hangs": (
        "CryptSvc", lambda world: setattr(world.node("HV02").faults, "vmms_hung", True), {}, "unread",
    ),
    "a service that is stopped": ("BITS", lambda world: None, {}, "forbidden"),
    "a service that is not installed": (
        "SQLWriter", lambda world: None, {"ExpectState": "Running", "ExpectProcessId": 0, "ExpectStarted": ""},
        "unread",
    ),
    "an account that is no administrator": (
        "CryptSvc", lambda world: world.node("HV02").faults.rights.add("elevated"), {}, "denied",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", _STOP_REFUSALS)
def test_a_stop_is_refused(stage: Stage, case: str) -> None:
    name, prepare, other, rule = _STOP_REFUSALS[case]
    pair = Pair(stage, "healthy", prepare=prepare)
    values = service_values(pair.module, "HV02", name) | other
    answer = pair.call("HV02", "Stop-HvTuiService", values)
    assert (answer["outcome"], answer["rule"]) == ("refused", rule)
    assert "broken" not in "".join(entry.kind for entry in pair.module.ledger.entries)


def test_a_stop_of_a_service_that_others_need_is_refused(stage: Stage) -> None:
    def needed(world: World) -> None:
        services = world.node("HV02").services
        services["CryptSvc"].dependents.append("ClusSvc")

    pair = Pair(stage, "healthy", prepare=needed)
    answer = pair.call("HV02", "Stop-HvTuiService", service_values(pair.module, "HV02", "CryptSvc"))
    assert (answer["rule"], answer["text"]) == ("forbidden", "services that depend on it run: ClusSvc")


def test_the_start_of_a_service_is_held_by_nothing_but_itself(stage: Stage) -> None:
    def stopped(world: World) -> None:
        # The node is not drained, something hangs and a job runs: none of that holds the way back.
        node = world.node("HV02")
        actions.move_role(world, mover(world, "HV02"), world.node("HV03"), "Live")
        node.services["vmms"].state, node.services["vmms"].started = "Stopped", None
        node.faults.cluster_service_hung = True

    pair = Pair(stage, "healthy", prepare=stopped)
    values = service_values(pair.module, "HV02", "vmms")
    assert pair.call("HV02", "Start-HvTuiService", values | {"ExpectProcessId": 8})["rule"] == "expect.process_id"
    assert pair.call("HV02", "Start-HvTuiService", values)["outcome"] == "started"
    pair.advance(20.0)
    running = service_values(pair.module, "HV02", "vmms")
    assert pair.call("HV02", "Start-HvTuiService", running)["rule"] == "forbidden"


# --- CSVs ---


def test_a_csv_is_moved(stage: Stage) -> None:
    pair = Pair(stage, "healthy")
    csv = next(one for one in pair.module.csvs.values() if one.owner.name == "HV01")
    values = {"CsvId": csv.resource_id, "Node": "HV03", "ExpectOwner": "HV01"}
    assert pair.call("HV01", "Move-HvTuiCsv", values | {"ExpectOwner": "HV02"})["rule"] == "expect.owner"
    assert pair.call("HV01", "Move-HvTuiCsv", values | {"Node": "HV01"})["rule"] == "forbidden"
    answer = pair.call("HV01", "Move-HvTuiCsv", values | {"CsvId": "00000000-0000-4000-8000-000000000000"})
    assert answer["rule"] == "expect.csv"
    answer = pair.call("HV01", "Move-HvTuiCsv", values)
    assert (answer["outcome"], answer["after"]) == ("done", {"owner": "HV03"})


def test_a_csv_is_not_moved_while_it_is_backed_up(stage: Stage) -> None:
    id = ""

    def backup(world: World) -> None:
        nonlocal id
        csv = next(one for one in world.csvs.values() if one.owner.name == "HV01")
        csv.backups, id = 1, csv.resource_id
        csv.touch()

    pair = Pair(stage, "healthy", prepare=backup)
    answer = pair.call("HV01", "Move-HvTuiCsv", {"CsvId": id, "Node": "HV03", "ExpectOwner": "HV01"})
    assert (answer["rule"], answer["command"]) == ("busy", "")


def test_windows_vetoes_the_move_of_a_csv(stage: Stage) -> None:
    def snapshot(world: World) -> None:
        csv = next(one for one in world.csvs.values() if one.owner.name == "HV01")
        csv.snapshotting = True

    pair = Pair(stage, "healthy", prepare=snapshot)
    csv = next(one for one in pair.module.csvs.values() if one.owner.name == "HV01")
    answer = pair.call("HV01", "Move-HvTuiCsv", {"CsvId": csv.resource_id, "Node": "HV03", "ExpectOwner": "HV01"})
    assert (answer["rule"], answer["code"]) == ("windows", "0x8007173d")
