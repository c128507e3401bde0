"""Single calls to a node: each on the lane of its purpose, none behind another that hangs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from hvtui.errors import RemoteError, Unreachable
from hvtui.lab.serve import Lab
from hvtui.live.timing import Timing
from hvtui.model.link import LinkStatus
from hvtui.model.records import Info, Providers
from tests.live.conftest import QUICK
from tests.support.wait import until

Watch = Callable[..., Any]
Labs = Callable[..., Lab]
BASIC = {"Part": "Basic"}
ID = "0b0d1f5c-39a7-4f52-9f8e-6d1f6a2b7c01"


def seen(monitor: Any, name: str) -> bool:
    return monitor.state.node(name).link.status is LinkStatus.LIVE and monitor.state.node(name).vms is not None


def lanes(monitor: Any, name: str) -> set[str]:
    return set(monitor._nodes[name.lower()].calls._lanes)


async def test_each_purpose_has_its_lane_and_idle_ones_are_closed(labs: Labs, watch: Watch) -> None:
    lab = labs("healthy")
    quick = Timing(**{**QUICK.__dict__, "idle": 0.3})
    monitor = await watch(lab, timing=quick)
    name = monitor._config.seeds[0]
    await until(lambda: seen(monitor, name))
    info = await monitor.call(name.lower(), "Get-HvTuiInfo", BASIC)
    assert isinstance(info, Info)
    assert isinstance(await monitor.call(name, "Get-HvTuiProvider", {}, lane="work"), Providers)
    assert isinstance(await monitor.call(name, "Get-HvTuiInfo", BASIC, lane="facts"), Info)
    assert lanes(monitor, name) >= {"action"}
    await until(lambda: lanes(monitor, name) == {"action"})
    assert isinstance(await monitor.call(name, "Get-HvTuiInfo", BASIC, lane="work"), Info), "opened again"


async def test_a_call_on_the_work_lane_holds_up_no_action(labs: Labs, watch: Watch) -> None:
    lab = labs("healthy")
    monitor = await watch(lab)
    name = monitor._config.seeds[0]
    await until(lambda: seen(monitor, name))
    lab.call(lambda world: setattr(world.nodes[name].faults, "vmms_hung", True))
    try:
        hanging = asyncio.create_task(monitor.call(name, "Get-HvTuiInfo", {"Part": "All"}, lane="work"))
        await until(lambda: "work" in lanes(monitor, name))
        async with asyncio.timeout(15):
            await monitor.call(name, "Get-HvTuiInfo", BASIC)
        assert not hanging.done()
    finally:
        lab.call(lambda world: setattr(world.nodes[name].faults, "vmms_hung", False))
    hanging.cancel()


async def test_a_cancel_gets_through_while_another_action_hangs(labs: Labs, watch: Watch) -> None:
    lab = labs("healthy")
    monitor = await watch(lab)
    name = monitor._config.seeds[0]
    await until(lambda: seen(monitor, name) and monitor.state.cluster.roles)
    vm = next(iter(monitor.state.node(name).vms))
    who = {"OperationId": "5b4b7b0c-3f5e-4a5e-9a49-0f5b9b1f3a11", "Actor": "alice@PC7"}
    lab.call(lambda world: setattr(world.nodes[name].faults, "vmms_hung", True))
    try:
        move = {"VMId": vm, "Node": "HV02", "ExpectOwner": name, "ExpectState": 2, **who}
        hanging = asyncio.create_task(monitor.call(name, "Move-HvTuiVM", move))
        await until(lambda: monitor._nodes[name.lower()].calls._open("action").users)
        answer = await monitor.call(name, "Stop-HvTuiMove", {"VMId": vm, "ExpectOwner": name, **who})
        assert (answer.outcome, answer.rule) == ("refused", "expect.migration")
        assert not hanging.done()
    finally:
        lab.call(lambda world: setattr(world.nodes[name].faults, "vmms_hung", False))
    assert (await hanging).function == "Move-HvTuiVM"


async def test_no_action_before_the_first_picture_and_none_where_nobody_watches(labs: Labs, watch: Watch) -> None:
    lab = labs("healthy")
    monitor = await watch(lab)
    name = monitor._config.seeds[0]
    with pytest.raises(Unreachable, match="first picture"):
        await monitor.call(name, "Get-HvTuiInfo", BASIC)
    with pytest.raises(Unreachable, match="not watched"):
        await monitor.call("HV99", "Get-HvTuiInfo", BASIC)
    await until(lambda: seen(monitor, name))
    with pytest.raises(ValueError, match="no lane"):
        await monitor.call(name, "Get-HvTuiInfo", BASIC, lane="watch")
    assert monitor.pinned == monitor.state.cluster.info.id
    await monitor.stop()
    with pytest.raises(RemoteError):
        await monitor.call(name, "Get-HvTuiInfo", BASIC)


async def test_a_stream_of_changes_has_a_lane_of_its_own_and_ends_between_two(labs: Labs, watch: Watch) -> None:
    lab = labs("healthy")
    monitor = await watch(lab)
    name = monitor._config.seeds[0]
    await until(lambda: seen(monitor, name))
    vm = lab.call(lambda world: next(vm.id for vm in world.nodes[name].vms.values() if vm.checkpoint_type == 3))
    # There and back, more often than lines may wait for their reader.
    wanted = {"VM": ",".join([f"{vm}:3:5", f"{vm}:5:3"] * 512), "OperationId": ID, "Actor": "anna@ADMIN7"}

    def changed() -> int:
        return int(lab.call(lambda world: sum(one.command == "Set-VM" for one in world.commands.changes)))

    stream = monitor.stream(name, "Set-HvTuiCheckpointType", wanted, lane="policy")
    assert changed() == 0, "nothing is sent before its first line is asked for"
    first = await anext(stream)
    assert (first.kind, first.vm, first.outcome, first.after) == ("vm", vm, "done", 5)
    assert "policy" in lanes(monitor, name)
    # A call on the action lane does not wait for it.
    assert isinstance(await monitor.call(name, "Get-HvTuiInfo", BASIC), Info)
    await stream.aclose()
    some = changed()
    assert 0 < some < 1024
    assert isinstance(await monitor.call(name, "Get-HvTuiInfo", BASIC), Info)
    assert changed() == some, "nothing of it runs any more"
    now = lab.call(lambda world: world.vms[vm].checkpoint_type)
    again = {**wanted, "VM": f"{vm}:{now}:4"}
    lines = [line async for line in monitor.stream(name, "Set-HvTuiCheckpointType", again, lane="policy")]
    assert [(line.kind, line.outcome) for line in lines] == [("vm", "done"), ("end", "done")]


async def test_a_stream_to_a_node_that_is_not_seen_yet_is_not_sent(labs: Labs, watch: Watch) -> None:
    lab = labs("healthy")
    monitor = await watch(lab)
    with pytest.raises(Unreachable, match="is not watched"):
        await anext(monitor.stream("HV99", "Set-HvTuiCheckpointType", {}, lane="policy"))
    with pytest.raises(ValueError, match="no lane is called"):
        await anext(monitor.stream(monitor._config.seeds[0], "Set-HvTuiCheckpointType", {}, lane="other"))
