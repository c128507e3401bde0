"""The heart of the field report on nodes that run the module itself: see the stuck writer, and make it well again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest

from hvtui.lab.serve import Lab
from hvtui.lab.world import World
from hvtui.live.timing import Timing
from hvtui.model.writer_catalog import HYPER_V
from hvtui.operations.pace import Pace
from hvtui.operations.plan import Verb
from hvtui.operations.run import ItemState, RunState
from tests.engine.stub_session import engine
from tests.support.desk import node, small
from tests.support.executed import executed
from tests.support.site import Site, told
from tests.support.wait import until

pytestmark = pytest.mark.timeout(900)

SPEED: Final = 4.0
AT: Final = 30 * 60.0
"""The job was killed eighteen minutes ago; no other backup of the host begins for hours."""
PATIENCE: Final = 300.0
"""Some 15 engines share the processors with whatever else runs."""
STUCK: Final = """
[[vms]]
name = "SQL01"
nodes = ["HV03"]
csvs = ["Volume1"]
memory_gb = 8
guest = "windows-2016"
volumes = [{ name = "C:", size_gb = 80, free_gb = 0.4 }]

[[behaviours]]
kind = "host_backup"
nodes = ["HV03"]
start = 40
every = "10h"

[[timeline]]
at = "12m"
do = "kill_backup"
node = "HV03"
"""
"""`stuck-writer` on three nodes, as each of its six would need five engines."""
SLOW: Final = Pace(tick=0.5, poll=1.0, grace=8.0, settle=200.0, writer_again=2.0, fresh=60.0, service=200.0)
STEPS: Final = ("Suspend-HvTuiNode", "Stop-HvTuiService", "Start-HvTuiService", "Resume-HvTuiNode")


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    engine()
    with Lab(small(tmp_path, more=STUCK), at=AT, speed=SPEED, engine="pwsh", patience=120.0) as lab:
        made = Site(lab, tmp_path)
        yield made
        await made.close()


def on(world: World, name: str) -> set[str]:
    return {vm.name for vm in world.vms.values() if vm.node.name == name}


async def test_the_stuck_writer_is_well_again_on_the_module(site: Site) -> None:
    console = await site.console(pace=SLOW, timing=Timing(), patience=PATIENCE)
    view = console.monitor.state.nodes["HV03"]

    def writer() -> int | None:
        found = view.writers.writers if view.writers is not None and not view.writers.reading else ()
        return next((one.code for one in found if one.id == HYPER_V), None)

    await until(lambda: writer() == 5, PATIENCE)
    refused = await console.operations.plan(Verb.VMMS, [node("HV03")])
    assert "backup-orphaned" in {refusal.rule for refusal in refused.refusals}, refused.refusals
    assert await console.operations.say_backup_stopped("HV03", "HV03") == ""
    plan = await console.plan(Verb.VMMS, node("HV03"))
    assert plan.refusals == ()
    away = {move.vm.name for move in plan.moves}
    run = await console.run(plan)
    assert run.state is RunState.DONE, told(run)
    assert [stage.state for stage in run.stages] == [ItemState.DONE] * 4
    assert site.look(lambda world: world.node("HV03").hyperv_writer.state) == 1
    await until(lambda: writer() == 1, PATIENCE)
    assert away <= site.look(lambda world: on(world, "HV03"))
    assert sorted(function for _, function, _ in site.look(executed)) == sorted(STEPS)
    assert {name: site.wire.arrived[name] for name in STEPS} == dict.fromkeys(STEPS, 1)
    assert console.operations.unfinished() == []
