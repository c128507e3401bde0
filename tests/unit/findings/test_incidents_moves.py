"""Small clusters in which a move, a drain, a node or a volume is in trouble, seen through the streams."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from hvtui.findings.engine import Engine
from hvtui.findings.finding import Finding, Sure
from hvtui.findings.look import Answers
from hvtui.lab.native.preflight import preflight
from hvtui.lab.world import actions
from hvtui.lab.world.world import World
from hvtui.model.preflight import Preflight
from tests.lab.small_world import small
from tests.support.world import DirectFeed
from tests.unit.findings.runner import told

CERTAIN, LIKELY = Sure.CERTAIN, Sure.LIKELY
Told = tuple[str, str, Sure]


class Watch:
    """An engine that looks at a world every few seconds, with everything that nodes can be asked before a change."""

    def __init__(self, world: World) -> None:
        self.world, self.feed, self.engine = world, DirectFeed(world), Engine()
        self.feed.subscribe(self.engine.note)
        self.go_on(2.0)

    def go_on(self, seconds: float, step: float = 2.0) -> list[Finding]:
        """What stands after so many seconds, gravest first."""
        for _ in range(max(1, round(seconds / step))):
            self.feed.pump(step)
            answers = Answers()
            for node in self.world.nodes.values():
                if not node.faults.down:
                    answer = preflight(self.world, node, "All")
                    answers.preflight[node.name] = msgspec.json.decode(answer, type=Preflight)
            self.engine.look(self.feed.state, self.feed.clock.monotonic(), answers)
            assert not self.engine.failed
        return [one.finding for one in self.engine.standing]


def said(findings: list[Finding]) -> set[Told]:
    return {(one.rule, one.target.name, one.sure) for one in findings}


MOVES: list[tuple[dict[str, Any], dict[str, Any], Told]] = [
    ({"dvd": ["D:\\setup.iso"]}, {}, ("move-medium-missing", "A", CERTAIN)),
    ({"gpu": 1}, {}, ("move-device", "A", CERTAIN)),
    ({"other_disks": ["Disk 9 2048.00 GB Bus 0 Lun 1 Target 3"]}, {}, ("move-device", "A", CERTAIN)),
    (
        {"switches": ["DMZ"]},
        {"node": [{"name": "HV01", "switches": ["vSwitch", "DMZ"]}, {"name": "HV03", "switches": ["DMZ"]}]},
        ("move-no-switch", "A", CERTAIN),
    ),
    ({"memory_gb": 40}, {"node": [{"name": "HV02", "memory_gb": 32}]}, ("move-no-memory", "A", CERTAIN)),
]


@pytest.mark.parametrize(("vm", "parts", "expected"), MOVES, ids=[f"{one[2][0]}-{next(iter(one[0]))}" for one in MOVES])
def test_a_move_that_fails_is_told_with_its_reason(vm: dict[str, Any], parts: dict[str, Any], expected: Told) -> None:
    world = small(vms=[{"name": "A", **vm}, {"name": "B"}], **parts)
    watch = Watch(world)
    before = watch.go_on(2.0)
    assert not before, told(before)
    actions.migrate(world, world.vm("A"), world.node("HV02"))
    found = watch.go_on(20.0)
    assert said(found) == {expected}, told(found)


def test_a_move_that_goes_well_later_ends_the_finding() -> None:
    world = small(
        vms=[{"name": "A", "switches": ["DMZ"]}],
        node=[{"name": "HV01", "switches": ["vSwitch", "DMZ"]}, {"name": "HV03", "switches": ["vSwitch", "DMZ"]}],
    )
    watch = Watch(world)
    actions.migrate(world, world.vm("A"), world.node("HV02"))
    assert said(watch.go_on(20.0)) == {("move-no-switch", "A", CERTAIN)}
    actions.migrate(world, world.vm("A"), world.node("HV03"))
    after = watch.go_on(40.0)
    assert world.vm("A").node.name == "HV03"
    assert not after, told(after)


def test_a_node_without_vmms_is_why_nothing_can_go_there() -> None:
    world = small(vms=[{"name": "A"}, {"name": "B"}])
    watch = Watch(world)
    actions.stop_service(world, world.node("HV02"), "vmms")
    watch.go_on(10.0)
    actions.migrate(world, world.vm("A"), world.node("HV02"))
    found = watch.go_on(20.0)
    assert ("move-no-connection", "HV01", CERTAIN) in said(found), told(found)
    assert "VMMS of HV02 is Stopped" in next(one.text for one in found if one.rule == "move-no-connection")


def test_a_drain_tells_whom_it_saves_and_whom_it_leaves() -> None:
    world = small(
        vms=[
            {"name": "LOW", "priority": 1000},
            *({"name": name, "memory_gb": 8} for name in ("A", "B", "C")),
            {"name": "LOCAL", "clustered": False},
        ]
    )
    watch = Watch(world)
    actions.suspend(world, world.node("HV01"))
    during = watch.go_on(6.0)
    assert ("drain-saves-vms", "HV01", CERTAIN) in said(during), told(during)
    found = watch.go_on(120.0)
    assert said(found) == {("drain-leaves-vms", "HV01", CERTAIN)}, told(found)
    assert [vm.name for vm in found[0].vms] == ["LOCAL"]
    actions.resume(world, world.node("HV01"))
    after = watch.go_on(90.0)
    assert not after, told(after)


def test_a_vm_that_a_drain_saved_and_no_node_can_start() -> None:
    world = small(
        vms=[{"name": "LOW", "priority": 1000, "memory_gb": 40}],
        node=[{"name": name, "memory_gb": 32} for name in ("HV02", "HV03")],
    )
    watch = Watch(world)
    actions.suspend(world, world.node("HV01"))
    found = watch.go_on(30.0)
    assert ("drain-left-saved", "LOW", CERTAIN) in said(found), told(found)


def _volume(**more: Any) -> dict[str, Any]:
    return {"csvs": [{"name": "Volume1", "owner": "HV01", **more}, {"name": "Volume2", "owner": "HV02"}]}


STATES: list[tuple[str, dict[str, Any], set[Told]]] = [
    (
        "no direct path",
        {
            "csvs": [
                {"name": "Volume1", "owner": "HV01", "no_direct_io": ["HV02"]},
                {"name": "Volume2", "owner": "HV02"},
            ]
        },
        {("csv-no-direct-path", "Volume1", LIKELY)},
    ),
    (
        "paused for minutes",
        _volume(paused_on=["HV03"]),
        {("csv-paused", "Volume1", LIKELY)},
    ),
    (
        "out of reach for minutes",
        {
            "csvs": [
                {"name": "Volume1", "owner": "HV01", "unavailable_on": ["HV03"]},
                {"name": "Volume2", "owner": "HV02"},
            ]
        },
        {("csv-no-access", "Volume1", LIKELY)},
    ),
    ("isolated", {"node": [{"name": "HV02", "isolated": True}]}, {("node-isolated", "HV02", LIKELY)}),
    ("in quarantine", {"node": [{"name": "HV02", "quarantined": True}]}, {("node-quarantined", "HV02", LIKELY)}),
    (
        "two that should be apart on one node",
        {"vms": [{"name": name, "csvs": [f"Volume{n}"], "anti_affinity": ["dc"]} for n, name in ((1, "A"), (2, "B"))]},
        {("apart-on-one-node", "HV01", CERTAIN)},
    ),
    (
        "two that should be apart on one volume",
        {
            "vms": [
                {"name": name, "nodes": [node], "anti_affinity": ["dc"]}
                for name, node in (("A", "HV01"), ("B", "HV03"))
            ]
        },
        {("apart-on-one-csv", "Volume1", CERTAIN)},
    ),
    (
        "the storage repairs itself",
        {
            "cluster": {
                "s2d": True,
                "virtual_disks": [{"name": "Volume1", "health": 1}],
                "storage_jobs": [{"name": "Repair Volume1"}],
            }
        },
        {("storage-repairs", "CLU-SMALL", CERTAIN)},
    ),
]


@pytest.mark.parametrize(("parts", "expected"), [one[1:] for one in STATES], ids=[one[0] for one in STATES])
def test_a_state_of_the_cluster_is_told(parts: dict[str, Any], expected: set[Told]) -> None:
    found = Watch(small(**parts)).go_on(150.0, step=10.0)
    assert said(found) == expected, told(found)


def _benign(world: World) -> None:
    world.csv("Volume1").snapshotting = True
    world.csv("Volume1").touch()


@pytest.mark.parametrize(
    "change",
    [
        _benign,
        lambda world: actions.suspend(world, world.node("HV02")),
        lambda world: actions.migrate(world, world.vm("A"), world.node("HV02")),
        lambda world: actions.move_volume(world, world.csv("Volume1"), world.node("HV03")),
    ],
    ids=["a snapshot", "a drain of an empty node", "a move", "a move of a volume"],
)
def test_what_people_do_all_day_is_not_told(change: Callable[[World], None]) -> None:
    world = small(vms=[{"name": "A"}, {"name": "B"}])
    watch = Watch(world)
    change(world)
    for _ in range(15):
        found = watch.go_on(4.0)
        assert not found, told(found)
