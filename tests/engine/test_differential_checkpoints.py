"""Both engines do and say the same about checkpoints: answers, and the worlds afterwards, whatever the guest is."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

import pytest

from hvtui.lab.native.checkpoints import checkpoints
from hvtui.lab.native.preflight import preflight
from hvtui.lab.world import actions
from hvtui.lab.world.events import VMMS
from hvtui.lab.world.scenario import Scenario, parse_scenario
from hvtui.lab.world.vm import Vm
from hvtui.lab.world.world import World
from hvtui.model.enums import CheckpointType, GroupStatus, VmState
from tests.engine.support.changes import Pair, Values, _comparable
from tests.engine.support.picture import differences
from tests.engine.support.stage import Stage
from tests.engine.test_hostile import NAMES

NODE: Final = "HV01"


def cluster(*vms: dict[str, Any]) -> Scenario:
    """Two nodes, with these VMs on the first one."""
    return parse_scenario(
        {
            "title": "checkpoints",
            "cluster": {"name": "CLU", "id": "5b1f1f0e-9d0c-4a3e-8b0a-61c0f1d2aff4"},
            "nodes": {"count": 2},
            "csvs": [{"count": 2}],
            "vms": [{"nodes": [NODE], **vm} for vm in vms],
        },
        "checkpoints",
    )


KINDS: Final[dict[str, dict[str, Any]]] = {
    # One for each condition of a production checkpoint.
    "vss-on": {},
    "vss-off": {"guest": "windows-vss-off"},
    "vss-silent": {"guest": "windows-no-vmicvss"},
    "linux": {"guest": "linux"},
    "linux-no-daemon": {"guest": "linux-no-daemon"},
    "version-5": {"config_version": "5.0"},
    "controller": {"guest": "domain-controller"},
    "pass-through": {"other_disks": ["Disk 3 40.00 GB Bus 0 Lun 1 Target 2"]},
    "shared": {"shared_disks": ["C:\\ClusterStorage\\Volume1\\quorum.vhds"]},
    "fibre-channel": {"fibre_channel": 2},
    "gpu": {"gpu": 1},
    "no-kvp": {"guest": "windows-no-kvp"},
    "off": {"state": "Off"},
    "alone": {"clustered": False},
    "refuses": {"set_fails": "The file is in use."},
}
EVERY: Final = cluster(*({"name": name, **values} for name, values in KINDS.items()))


def named(world: World, name: str) -> Vm:
    return next(vm for vm in world.vms.values() if vm.name == name)


def said(pair: Pair) -> list[int]:
    """Events of VMMS since it was started."""
    return [one.id for one in pair.module.node(NODE).logs[VMMS].records if one.id != 14094]


def of(pair: Pair, name: str) -> Values:
    """The id of a VM, and what it is in."""
    vm = named(pair.module, name)
    return {"VMId": vm.id, "ExpectState": int(vm.state)}


def take(pair: Pair, name: str, **other: Any) -> dict[str, Any]:
    values = of(pair, name) | {"Name": f"of {name}", "ExpectType": int(named(pair.module, name).checkpoint_type)}
    return pair.call(NODE, "New-HvTuiCheckpoint", values | other)


def listed(pair: Pair, name: str) -> dict[str, Any]:
    """Both engines' list of a VM's checkpoints, which must be one."""
    vm = named(pair.module, name)
    engine = pair.stage.engine(NODE)
    told = engine.call(f"Get-HvTuiCheckpoint -VMId {vm.id}")
    mine = json.loads(checkpoints(pair.native, pair.native.node(NODE), vm.id))
    assert differences(_comparable(mine), _comparable(told)) == []
    return told


def test_what_decides_about_a_checkpoint_is_told_for_every_kind_of_guest(stage: Stage) -> None:
    pair = Pair(stage, EVERY)
    told = stage.engine(NODE).call("Get-HvTuiPreflight -Part Vms")
    mine = json.loads(preflight(pair.native, pair.native.node(NODE), "Vms"))
    assert differences(_comparable(mine), _comparable(told)) == []
    found = {vm["name"]: (vm["fibre_channel"], vm["system"], vm["product"]) for vm in told["vms"]}
    assert found["fibre-channel"][0] == 2
    assert found["vss-on"] == (0, "Windows Server 2019 Standard", 3)
    assert found["controller"][2] == 2
    assert found["linux"][1:] == ("Ubuntu 22.04", 0)
    assert found["no-kvp"] == found["off"] == (0, "", 0)


@pytest.mark.parametrize(
    ("name", "saved"),
    [("vss-on", False), ("linux", False), ("controller", False), ("off", False), ("alone", False), ("vss-off", True)]
    + [(name, True) for name in ("vss-silent", "linux-no-daemon", "version-5")],
)
def test_a_checkpoint_becomes_what_the_guest_can_make(stage: Stage, name: str, saved: bool) -> None:
    pair = Pair(stage, EVERY)
    answer = take(pair, name)
    assert (answer["outcome"], answer["rule"], answer["recorded"]) == ("started", "", True)
    assert answer["command"].endswith("-AsJob")
    pair.advance(1.0)
    assert take(pair, name)["rule"] == "busy"
    pair.advance(60.0)
    (one,) = listed(pair, name)["checkpoints"]
    assert (one["name"], one["saved"], one["type"], one["parent"]) == (f"of {name}", saved, 0, "")
    assert said(pair) == ([18016] if saved and name != "version-5" else [])
    assert pair.module.ledger.entries == []


@pytest.mark.parametrize("name", ["pass-through", "shared", "fibre-channel", "gpu"])
def test_what_a_checkpoint_cannot_hold_is_refused_by_windows(stage: Stage, name: str) -> None:
    pair = Pair(stage, EVERY)
    answer = take(pair, name)
    assert (answer["outcome"], answer["rule"], answer["code"]) == ("refused", "windows", "0x80070032")
    assert "not supported" in answer["text"]


def test_production_only_fails_with_the_reason(stage: Stage) -> None:
    pair = Pair(stage, cluster({"name": "A", "guest": "windows-no-vmicvss", "checkpoint_type": "ProductionOnly"}))
    assert take(pair, "A")["outcome"] == "started"
    pair.advance(60.0)
    assert listed(pair, "A")["checkpoints"] == []
    assert said(pair) == [18016, 10150, 18012]
    (failed,) = (one for one in pair.module.node(NODE).logs[VMMS].records if one.id == 10150)
    assert "0x80070426" in failed.codes


Prepare = Callable[[Vm], object]
_REFUSALS: Final[dict[str, tuple[Prepare, Values, str]]] = {
    "another state": (lambda vm: None, {"ExpectState": 3}, "expect.state"),
    "another type": (lambda vm: setattr(vm, "checkpoint_type", CheckpointType.Standard), {}, "expect.checkpoint_type"),
    "no such VM": (lambda vm: None, {"VMId": "00000000-0000-4000-8000-000000000000"}, "expect.owner"),
    "locked": (lambda vm: vm.lock(on=True), {}, "busy"),
    "queued": (lambda vm: vm.role.flag(GroupStatus.Queued, on=True), {}, "busy"),  # type: ignore[union-attr]
    "backed up": (lambda vm: vm.begin(32776), {}, "busy"),
    "merging": (lambda vm: vm.begin(32772), {}, "busy"),
    "starting": (lambda vm: vm.set_state(VmState.Starting), {"ExpectState": 10}, "forbidden"),
    "VMMS hangs": (lambda vm: setattr(vm.node.faults, "vmms_hung", True), {}, "unread"),
    "the cluster service hangs": (lambda vm: setattr(vm.node.faults, "cluster_service_hung", True), {}, "unread"),
    "shown no VM": (lambda vm: vm.node.faults.rights.add("hyperv"), {}, "denied"),
    "shown no cluster": (lambda vm: vm.node.faults.rights.add("cluster"), {}, "denied"),
}


@pytest.mark.parametrize("case", _REFUSALS)
def test_a_checkpoint_is_refused(stage: Stage, case: str) -> None:
    prepare, other, rule = _REFUSALS[case]
    pair = Pair(stage, EVERY)
    values = of(pair, "vss-on") | {"Name": "x", "ExpectType": 3} | other
    pair.prepare(lambda world: prepare(named(world, "vss-on")))
    answer = pair.call(NODE, "New-HvTuiCheckpoint", values)
    assert (answer["outcome"], answer["rule"], answer["command"]) == ("refused", rule, "")


def test_checkpoints_are_disabled_and_fifty_are_enough(stage: Stage) -> None:
    many = {"name": "MANY", "checkpoints": [{}] * 50}
    pair = Pair(stage, cluster({"name": "NONE", "checkpoint_type": "Disabled"}, many))
    assert take(pair, "NONE")["rule"] == "forbidden"
    answer = take(pair, "MANY")
    assert (answer["rule"], answer["code"]) == ("windows", "0x80070718")
    assert len(listed(pair, "MANY")["checkpoints"]) == 50


# --- apply and remove ---

TWO: Final = cluster(
    {"name": "APP", "checkpoints": [{"name": "first", "age": "2d"}, {"name": "second", "age": "1d", "saved": True}]},
    {"name": "DC", "guest": "domain-controller", "checkpoints": [{"name": "old", "saved": True}]},
    {"name": "LEFT", "checkpoints": [{"type": "Recovery"}]},
    {"name": "REPLICA", "checkpoints": [{"type": "Replica"}]},
)


def checkpoint_of(pair: Pair, vm: str, name: str) -> str:
    return next(one.id for one in named(pair.module, vm).checkpoints if one.name == name or not name)


def apply(pair: Pair, vm: str, name: str = "", **other: Any) -> dict[str, Any]:
    chosen = next(one for one in named(pair.module, vm).checkpoints if one.name == name or not name)
    values = of(pair, vm) | {"CheckpointId": chosen.id.upper(), "ExpectSaved": int(chosen.saved), **other}
    return pair.call(NODE, "Restore-HvTuiCheckpoint", values)


def remove(pair: Pair, vm: str, name: str = "", **other: Any) -> dict[str, Any]:
    found = named(pair.module, vm).checkpoints
    chosen = next(one for one in found if one.name == name or not name)
    children = sum(one.parent == chosen.id for one in found)
    values = {"VMId": of(pair, vm)["VMId"], "CheckpointId": chosen.id}
    seen = {"ExpectType": int(chosen.type), "ExpectChildren": children}
    return pair.call(NODE, "Remove-HvTuiCheckpoint", values | seen | other)


def test_a_production_checkpoint_leaves_the_vm_off_and_it_is_started(stage: Stage) -> None:
    pair = Pair(stage, TWO)
    answer = apply(pair, "APP", "first")
    assert (answer["outcome"], answer["after"]["state"]) == ("started", int(VmState.Saving))
    pair.advance(30.0)
    told = listed(pair, "APP")
    assert told["state"] == VmState.Off
    assert told["current"] == checkpoint_of(pair, "APP", "first")
    # The second rests on the first still, and the VM on the first: it is a tree now.
    assert {one["parent"] for one in told["checkpoints"]} == {"", told["current"]}
    answer = pair.call(NODE, "Start-HvTuiVM", of(pair, "APP"))
    assert (answer["outcome"], "Start-ClusterGroup" in answer["command"]) == ("started", True)
    pair.advance(30.0)
    assert listed(pair, "APP")["state"] == VmState.Running
    assert pair.call(NODE, "Start-HvTuiVM", of(pair, "APP"))["rule"] == "forbidden"
    # And back to the one that lies aside now.
    assert apply(pair, "APP", "second")["outcome"] == "started"
    pair.advance(30.0)
    assert listed(pair, "APP")["current"] == checkpoint_of(pair, "APP", "second")
    assert pair.module.ledger.entries == []


def test_memory_comes_back_and_hurts_a_domain_controller(stage: Stage) -> None:
    pair = Pair(stage, TWO)
    assert apply(pair, "DC", ExpectSaved=0)["rule"] == "expect.saved"
    assert apply(pair, "DC")["outcome"] == "started"
    pair.advance(60.0)
    assert listed(pair, "DC")["state"] == VmState.Running
    assert [entry.kind for entry in pair.module.ledger.entries] == ["stale_memory"]


def test_one_of_a_backup_or_of_a_replica_is_not_applied(stage: Stage) -> None:
    pair = Pair(stage, TWO)
    assert [apply(pair, name)["rule"] for name in ("LEFT", "REPLICA")] == ["forbidden", "forbidden"]
    assert remove(pair, "REPLICA")["rule"] == "forbidden"


def test_a_checkpoint_is_removed_and_its_disks_are_merged(stage: Stage) -> None:
    pair = Pair(stage, TWO)
    assert remove(pair, "APP", "first", ExpectChildren=0)["rule"] == "expect.children"
    assert remove(pair, "LEFT", ExpectType=0)["rule"] == "expect.type"
    assert remove(pair, "APP", CheckpointId="00000000-0000-4000-8000-000000000000")["rule"] == "expect.checkpoint"
    assert remove(pair, "APP", "first")["outcome"] == "started"
    pair.advance(5.0)
    (second,) = listed(pair, "APP")["checkpoints"]
    assert (second["name"], second["parent"]) == ("second", "")
    assert 32772 in named(pair.module, "APP").operational()
    pair.advance(900.0)
    assert said(pair) == [19070, 19080]
    assert remove(pair, "LEFT")["outcome"] == "started"
    pair.advance(900.0)
    assert listed(pair, "LEFT")["checkpoints"] == []
    assert len(named(pair.module, "APP").disks[0].layers) == 1
    assert pair.module.ledger.entries == []


def test_what_lies_aside_is_removed_without_the_layer_in_use(stage: Stage) -> None:
    pair = Pair(stage, TWO)
    apply(pair, "APP", "first")
    pair.advance(30.0)
    used = named(pair.module, "APP").disks[0].active
    assert remove(pair, "APP", "second")["outcome"] == "started"
    pair.advance(900.0)
    disk = named(pair.module, "APP").disks[0]
    assert (disk.active, disk.aside) == (used, [])


def test_a_backup_that_reads_from_a_checkpoint_is_not_disturbed(stage: Stage) -> None:
    pair = Pair(stage, TWO)
    pair.prepare(lambda world: named(world, "LEFT").begin(32776))
    assert remove(pair, "LEFT")["rule"] == "busy"
    # Nobody but hvtui asks first.
    vm = named(pair.module, "LEFT")
    actions.remove_checkpoint(pair.module, vm, vm.checkpoints[0])
    assert [entry.kind for entry in pair.module.ledger.entries] == ["backup_broken"]


# --- the type ---


def change(pair: Pair, *wanted: tuple[str, int, int]) -> list[dict[str, Any]]:
    text = ",".join(f"{named(pair.module, name).id}:{before}:{after}" for name, before, after in wanted)
    return pair.lines(NODE, "Set-HvTuiCheckpointType", {"VM": text})


def test_types_are_changed_one_line_a_vm(stage: Stage) -> None:
    pair = Pair(stage, EVERY)
    pair.prepare(lambda world: named(world, "controller").lock(on=True))
    lines = change(
        pair, ("vss-on", 3, 5), ("off", 3, 2), ("alone", 3, 4), ("linux", 5, 4), ("gpu", 3, 3), ("refuses", 3, 5),
        ("version-5", 5, 3), ("controller", 3, 5),
    )  # fmt: skip
    assert [(one["kind"], one["outcome"], one["rule"], one["after"]) for one in lines] == [
        ("vm", "done", "", 5), ("vm", "done", "", 2), ("vm", "done", "", 4),
        ("vm", "refused", "expect.checkpoint_type", None), ("vm", "refused", "forbidden", None),
        ("vm", "failed", "windows", 3), ("vm", "failed", "windows", 5), ("vm", "refused", "busy", None),
        ("end", "done", "", None),
    ]  # fmt: skip
    assert (lines[-1]["changed"], lines[-1]["refused"], lines[-1]["failed"]) == (3, 3, 2)
    records = [one for one in pair.module.node(NODE).logs["Application"].records if one.provider == "HvTui"]
    assert [one.id for one in records] == [4108]
    assert pair.module.ledger.entries == []


def test_five_failures_one_after_the_other_end_it(stage: Stage) -> None:
    names = [f"BAD{n}" for n in range(1, 8)]
    pair = Pair(stage, cluster(*({"name": name, "set_fails": "No."} for name in names)))
    lines = change(pair, *((name, 3, 5) for name in names))
    assert [one["outcome"] for one in lines] == ["failed"] * 5 + ["stopped"]
    assert len(pair.module.commands.changes) == 5


def test_a_node_that_cannot_be_asked_changes_nothing(stage: Stage) -> None:
    for fault in ("vmms_hung", "cluster_service_hung"):
        pair = Pair(stage, EVERY)
        pair.prepare(lambda world, fault=fault: setattr(world.node(NODE).faults, fault, True))  # type: ignore[misc]
        lines = change(pair, ("vss-on", 3, 5))
        assert [one["outcome"] for one in lines] == ["refused", "done"]
        assert lines[0]["rule"] == "unread"
        assert list(pair.module.commands.changes) == []


def test_names_that_are_made_to_hurt(stage: Stage) -> None:
    pair = Pair(stage, cluster({"names": list(NAMES), "checkpoints": [{"name": "x"}]}))
    wanted = ",".join(f"{vm.id}:3:5" for vm in pair.module.vms.values())
    lines = pair.lines(NODE, "Set-HvTuiCheckpointType", {"VM": wanted})
    assert {one["outcome"] for one in lines} == {"done"}
    chosen = [vm.id for vm in pair.module.vms.values() if any(char in vm.name for char in "*[]?'$")][:4]
    assert len(chosen) == 4
    for id in chosen:
        # Whatever it is called, the name of its VM is a name of a checkpoint, too.
        title = "".join(char for char in pair.module.vms[id].name if char.isprintable())[:100]
        values = {"VMId": id, "ExpectState": 2, "ExpectType": 5, "Name": title}
        assert pair.call(NODE, "New-HvTuiCheckpoint", values)["outcome"] == "started", title
    pair.advance(60.0)
    for id in chosen:
        first = pair.module.vms[id].checkpoints[0]
        values = {"VMId": id, "CheckpointId": first.id, "ExpectType": 0, "ExpectChildren": 1}
        assert pair.call(NODE, "Remove-HvTuiCheckpoint", values)["outcome"] == "started", id
    pair.advance(900.0)
    found = {id: [one.name for one in vm.checkpoints] for id, vm in pair.module.vms.items()}
    assert all(("x" in names) != (id in chosen) and len(names) == 1 for id, names in found.items())
