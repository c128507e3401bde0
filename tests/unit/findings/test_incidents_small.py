"""Small clusters in which one thing goes wrong, seen through the streams: outages, silent fallbacks, hanging stops."""

from __future__ import annotations

import msgspec

from hvtui.findings.engine import Engine
from hvtui.findings.finding import Finding, Sure
from hvtui.findings.look import Answers
from hvtui.lab.native.fork_commit import fork_commit
from hvtui.lab.world import actions
from hvtui.lab.world.world import World
from hvtui.model.preflight import ForkCommit
from tests.lab.small_world import small
from tests.support.world import DirectFeed
from tests.unit.findings.runner import told


class Watch:
    """An engine that looks at a world, every few seconds."""

    def __init__(self, world: World) -> None:
        self.feed = DirectFeed(world)
        self.engine = Engine()
        self.answers = Answers()
        self.feed.subscribe(self.engine.note)
        self.go_on(2.0)

    def go_on(self, seconds: float, step: float = 2.0) -> list[Finding]:
        """What stands after so many seconds, gravest first."""
        for number in range(max(1, round(seconds / step))):
            self.feed.pump(step, writers=number % 10 == 0)
            self.engine.look(self.feed.state, self.feed.clock.monotonic(), self.answers)
            assert not self.engine.failed
        return [one.finding for one in self.engine.standing]


def test_a_vm_that_a_host_backup_saved_is_an_outage_with_its_reason() -> None:
    world = small(
        vms=[{"name": "A"}, {"name": "OLD", "guest": "windows-no-vmicvss"}, {"name": "SPARE", "state": "Saved"}],
        behaviours=[{"kind": "host_backup", "nodes": ["HV01"], "start": 20, "every": "2h", "copy": "5m"}],
    )
    found = Watch(world).go_on(90.0)
    assert [(one.rule, one.target.name, one.sure) for one in found] == [("vm-saved-in-backup", "OLD", Sure.CERTAIN)], (
        told(found)
    )
    assert "does not answer" in found[0].text
    assert [harm.target for harm in world.ledger.of("vm_interrupted")] == ["OLD"]


def test_a_checkpoint_that_fell_back_is_told_until_it_is_gone() -> None:
    world = small(vms=[{"name": "A"}, {"name": "B", "guest": "windows-vss-off"}])
    watch = Watch(world)
    for name in ("A", "B"):
        actions.checkpoint(world, world.vm(name))
    found = watch.go_on(60.0)
    assert [(one.rule, one.target.name, one.sure) for one in found] == [("silent-fallback", "B", Sure.CERTAIN)]
    actions.remove_checkpoint(world, world.vm("B"), world.vm("B").checkpoints[0])
    after = watch.go_on(60.0)
    assert not after, told(after)


def test_a_stop_of_vmms_that_hangs_is_told_after_minutes_and_an_ordinary_one_never() -> None:
    world = small(node=[{"name": "HV02", "hanging_stops": ["vmms"]}], vms=[{"name": "A"}])
    watch = Watch(world)
    for name in ("HV02", "HV03"):
        actions.stop_service(world, world.node(name), "vmms")
    early = watch.go_on(150.0, step=10.0)
    assert not early, told(early)
    found = watch.go_on(60.0, step=10.0)
    assert [(one.rule, one.target.name, one.sure) for one in found] == [("vmms-stop-pending", "HV02", Sure.LIKELY)]
    found = watch.go_on(480.0, step=10.0)
    assert [one.sure for one in found] == [Sure.CERTAIN]


def test_a_checkpoint_that_a_backup_left_is_told_a_day_later() -> None:
    world = small(vms=[{"name": "A", "checkpoints": [{"type": "Recovery", "age": "23h"}]}])
    watch = Watch(world)
    assert not watch.go_on(600.0, step=60.0)
    found = watch.go_on(3600.0, step=300.0)
    assert [(one.rule, one.target.name, one.sure) for one in found] == [
        ("recovery-checkpoint-left", "A", Sure.CERTAIN)
    ], told(found)


def test_a_layer_that_nobody_lists_has_the_logs_searched_and_becomes_a_hold() -> None:
    world = small(vms=[{"name": "A", "fork_commit": "22d"}])
    watch = Watch(world)
    found = watch.go_on(60.0, step=10.0)
    assert [(one.rule, one.sure) for one in found] == [("avhdx-without-checkpoint", Sure.LIKELY)]
    assert set(watch.engine.wanted) >= {("fork", name) for name in world.nodes}
    watch.answers.fork = {
        node.name: msgspec.json.decode(fork_commit(world, node), type=ForkCommit) for node in world.nodes.values()
    }
    found = watch.go_on(60.0, step=10.0)
    assert [(one.rule, one.target.name) for one in found] == [("fork-not-committed", "A")]
    assert found[0].sure is Sure.CERTAIN
