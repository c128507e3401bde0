"""What the streams' messages add up to: deltas applied one by one equal a full picture taken at the end."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from hvtui.lab.native.cluster_stream import ClusterStream
from hvtui.lab.native.node_stream import NodeStream
from hvtui.lab.world import World, actions
from hvtui.lab.world.behaviours.csv_moves import move_csv
from hvtui.lab.world.noise import cpu_percent, memory_mb
from hvtui.model.enums import SnapshotType
from hvtui.model.link import Link, LinkStatus
from hvtui.model.records import ClusterFrame, NodeFrame
from hvtui.model.state import ClusterState
from tests.support.world import START

LIVE: Final = Link(status=LinkStatus.LIVE)
SMALL: Final = ("drift", "stuck-writer", "backup-window", "access-denied", "hostile")


class Watch:
    """All streams of a world, applied to one state."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.state = ClusterState()
        self.cluster = ClusterStream(world, next(iter(world.nodes.values())), slow_seconds=0)
        self.nodes = [NodeStream(world, node, slow_seconds=0, load_seconds=0) for node in world.nodes.values()]
        self.kinds: list[str] = []

    def tick(self) -> None:
        frame = msgspec.json.decode(self.cluster.tick(), type=ClusterFrame)
        self.state.apply_cluster(frame, LIVE)
        self.kinds.append(frame.kind)
        for stream in self.nodes:
            own = msgspec.json.decode(stream.tick(), type=NodeFrame)
            self.kinds.append(own.kind)
            self.state.apply_node(stream.node.name, own, LIVE)


def facts(state: ClusterState) -> dict[str, Any]:
    """Everything but what depends on when a stream began.

    Slots are numbered by each stream, load has hysteresis, and whose job it was is known only to a stream that saw the
    job while its VM was still here.
    """
    cluster = state.cluster
    out: dict[str, Any] = {
        "info": cluster.info, "nodes": cluster.nodes, "csvs": cluster.csvs, "io": cluster.io, "roles": cluster.roles,
        "homes": {vm: sorted(names) for vm, names in state.homes.items()},
    }  # fmt: skip
    for name, view in state.nodes.items():
        vms = {key: msgspec.structs.replace(vm, slot=0) for key, vm in (view.vms or {}).items()}
        jobs = {
            key: job if job.vm in vms or job.kind == "migration" else msgspec.structs.replace(job, vm=None)
            for key, job in (view.jobs or {}).items()
        }
        out[name] = (view.host, vms, view.files, jobs, view.problems)
    return out


def loads(state: ClusterState, name: str) -> dict[str, tuple[int, int]]:
    view = state.nodes[name]
    return {vm.id: view.vm_load[vm.slot] for vm in (view.vms or {}).values()}


def close(held: tuple[int, int], now: tuple[int, int]) -> bool:
    return abs(held[0] - now[0]) < 5 and abs(held[1] - now[1]) * 50 <= held[1]


def act(world: World, number: int) -> None:
    """One of the things that may happen, chosen by a number."""
    nodes, vms = list(world.nodes.values()), list(world.vms.values())
    node, vm = nodes[number % len(nodes)], vms[number % len(vms)]
    csvs = list(world.csvs.values())
    doings: list[Callable[[], object]] = [
        lambda: actions.migrate(world, vm, node),
        lambda: move_csv(world, csvs[number % len(csvs)], node),
        lambda: actions.drain(world, node),
        lambda: actions.resume(world, node),
        lambda: actions.restart_vmms(world, node),
        lambda: actions.kill_backup(world, node),
        lambda: actions.start_backup(world, node),
        lambda: node.faults.unreadable.update({"jobs": "timeout"}),
        lambda: node.faults.unreadable.update({"vms.last_backup": "missing"}),
        lambda: node.faults.unreadable.update({"files": "denied"}),
        node.faults.unreadable.clear,
        lambda: node.faults.rights.symmetric_difference_update({"hyperv"}),
    ]
    doings[number // 7 % len(doings)]()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(SMALL),
    st.integers(0, 2**16),
    st.lists(st.tuples(st.floats(0.1, 90.0), st.integers(0, 10_000)), min_size=1, max_size=14),
)
@example(scenario="hostile", seed=0, moves=[(15.0, 0), (1.0, 182)])  # a VM that moves away from its ended job
def test_deltas_add_up_to_the_full_picture(scenario: str, seed: int, moves: list[tuple[float, int]]) -> None:
    world = World.load(scenario, start=START, seed=seed)
    watch = Watch(world)
    watch.tick()
    for seconds, number in moves:
        act(world, number)
        world.advance(seconds)
        watch.tick()
    for node in world.nodes.values():
        node.faults.unreadable.clear()
        node.faults.rights.clear()
    # A restart of VMMS that is going on hides the VMs; both pictures are taken after it.
    world.advance(30)
    watch.tick()
    fresh = Watch(world)
    fresh.tick()
    assert facts(watch.state) == facts(fresh.state)
    for name in world.nodes:
        held, now = loads(watch.state, name), loads(fresh.state, name)
        assert held.keys() == now.keys()
        assert all(close(held[vm], now[vm]) for vm in now)
    assert set(watch.kinds[: 1 + len(world.nodes)]) == {"full"}


@pytest.mark.parametrize("scenario", SMALL)
def test_one_seed_gives_one_history_however_it_is_stepped(scenario: str) -> None:
    first = World.load(scenario, start=START)
    second = World.load(scenario, start=START)
    one, two = Watch(first), Watch(second)
    for _ in range(20):
        first.advance(30)
        for _ in range(60):
            second.advance(0.5)
        texts = [stream.tick() for stream in (one.cluster, *one.nodes)]
        assert texts == [stream.tick() for stream in (two.cluster, *two.nodes)]
    assert [(w.state, w.error) for n in first.nodes.values() for w in n.writers] == [
        (w.state, w.error) for n in second.nodes.values() for w in n.writers
    ]
    logs = [[list(log.records) for log in node.logs.values()] for node in first.nodes.values()]
    assert logs == [[list(log.records) for log in node.logs.values()] for node in second.nodes.values()]


def test_another_seed_gives_another_history() -> None:
    texts = set()
    for seed in (1, 2):
        world = World.load("healthy", start=START, seed=seed, at=300)
        texts.add(NodeStream(world, world.node("HV01")).tick())
    assert len(texts) == 2


def test_noise_depends_on_nothing_but_its_arguments() -> None:
    wanted = [(cpu_percent(3, key, t / 7, 20.0), memory_mb(3, key, t / 7, 4096, dynamic=True)) for key, t in PAIRS]
    again = [
        (cpu_percent(3, key, t / 7, 20.0), memory_mb(3, key, t / 7, 4096, dynamic=True)) for key, t in reversed(PAIRS)
    ]
    assert wanted == again[::-1]
    assert len({cpu for cpu, _ in wanted}) > 10
    assert all(0 <= cpu <= 100 and 0 < memory <= 4096 for cpu, memory in wanted)


PAIRS: Final = [(key, time) for key in range(8) for time in range(0, 9000, 311)]


def test_nothing_changed_is_a_beat() -> None:
    world = World.load("empty", start=START)
    stream = NodeStream(world, world.node("HV01"), load_seconds=600)
    stream.tick()
    world.advance(2)
    beat = msgspec.json.decode(stream.tick(), type=NodeFrame)
    assert (beat.kind, beat.seq, beat.errors) == ("beat", 2, None)
    assert beat.time == START + timedelta(seconds=2)


def test_small_wobbles_of_load_are_not_sent() -> None:
    world = World.load("healthy", start=START)
    node = world.node("HV01")
    stream = NodeStream(world, node, load_seconds=1)
    first = msgspec.json.decode(stream.tick(), type=NodeFrame).load
    assert first is not None
    assert len(first.vms) == 3 * len(node.vms)
    sent = {first.vms[i]: (first.vms[i + 1], first.vms[i + 2]) for i in range(0, len(first.vms), 3)}
    quiet = 0
    for _ in range(60):
        world.advance(2)
        load = msgspec.json.decode(stream.tick(), type=NodeFrame).load
        flat = load.vms if load is not None else []
        for i in range(0, len(flat), 3):
            slot, new = flat[i], (flat[i + 1], flat[i + 2])
            old = sent.get(slot)
            assert old is None or not close(old, new)
            sent[slot] = new
        quiet += len(flat) < 3 * len(node.vms)
    assert quiet == 60


def test_a_section_that_was_never_read_makes_the_next_message_full() -> None:
    world = World.load("healthy", start=START)
    node = world.node("HV01")
    node.faults.unreadable["jobs"] = "timeout"
    stream = NodeStream(world, node)
    first = msgspec.json.decode(stream.tick(), type=NodeFrame)
    assert first.kind == "full"
    assert first.jobs is None
    assert [(p.part, p.kind) for p in first.errors or ()] == [("jobs", "timeout")]
    node.faults.unreadable.clear()
    second = msgspec.json.decode(stream.tick(), type=NodeFrame)
    assert (second.kind, second.errors) == ("full", [])
    assert second.jobs is not None


def test_what_cannot_be_read_is_null_with_its_reason_and_nothing_is_gone() -> None:
    world = World.load("healthy", start=START)
    node = world.node("HV01")
    stream = NodeStream(world, node)
    stream.tick()
    node.faults.unreadable["vms.last_backup"] = "denied"
    blind = msgspec.json.decode(stream.tick(), type=NodeFrame)
    assert blind.vms is not None
    assert {vm.last_backup for vm in blind.vms} == {None}
    assert [(p.part, p.kind) for p in blind.errors or ()] == [("vms.last_backup", "denied")]
    node.faults.rights.add("hyperv")
    denied = msgspec.json.decode(stream.tick(), type=NodeFrame)
    assert denied.vms is None
    assert denied.gone == {}
    assert {p.kind for p in denied.errors or ()} == {"denied"}
    # Able again: the same VMs in the same slots, with what is known of them.
    before = [msgspec.structs.replace(vm, last_backup=None) for vm in blind.vms]
    node.faults.rights.clear()
    node.faults.unreadable.clear()
    able = msgspec.json.decode(stream.tick(), type=NodeFrame)
    assert able.vms is not None
    assert [msgspec.structs.replace(vm, last_backup=None) for vm in able.vms] == [
        vm for vm in before if vm.id in {one.id for one in able.vms}
    ]


def test_the_cluster_stream_says_when_its_service_hangs_or_stops() -> None:
    world = World.load("healthy", start=START)
    node = world.node("HV01")
    stream = ClusterStream(world, node)
    assert msgspec.json.decode(stream.tick(), type=ClusterFrame).errors == []
    node.faults.cluster_service_hung = True
    assert stream.hanging()
    hung = msgspec.json.decode(stream.tick(), type=ClusterFrame)
    assert {p.kind for p in hung.errors or ()} == {"timeout"}
    assert hung.roles is None
    assert not stream.hanging()
    node.faults.cluster_service_hung = False
    node.services["ClusSvc"].state = "Stopped"
    stopped = msgspec.json.decode(stream.tick(), type=ClusterFrame)
    assert {p.kind for p in stopped.errors or ()} == {"unavailable"}


def test_a_vm_that_moves_leaves_one_node_and_comes_to_the_other() -> None:
    world = World.load("drift", start=START)
    watch = Watch(world)
    watch.tick()
    vm = world.vm("ERP01")
    actions.migrate(world, vm, world.node("HV01"))
    percents, states = [], []
    for _ in range(80):
        world.advance(1)
        watch.tick()
        role = watch.state.role(vm.id)
        assert role is not None
        percents.append(role.migration_percent or 0)
        states.append(role.migration_state)
        assert watch.state.homes[vm.id] in (["HV02"], ["HV01"])
        if watch.state.homes[vm.id] == ["HV01"] and role.owner == "HV01":
            break
    else:
        raise AssertionError("it never arrived")
    assert sorted(percents[:-1]) == percents[:-1]
    assert max(percents) > 80
    assert set(states) >= {1, 2, 3, 0}
    jobs = [job for job in (watch.state.nodes["HV02"].jobs or {}).values() if job.vm == vm.id]
    assert [(job.kind, job.type, job.state, job.percent, job.destination) for job in jobs] == [
        ("migration", 305, 7, 100, "HV01")
    ]
    world.advance(301)
    watch.tick()
    assert vm.id not in {job.vm for job in (watch.state.nodes["HV02"].jobs or {}).values()}


def test_free_space_shrinks_while_a_checkpoint_grows() -> None:
    world = World.load("backup-window", start=START)
    csv = world.csv("Volume1")
    before = csv.free(world.elapsed)
    world.advance(180)
    growing = [layer for layer in csv.layers.values() if layer.rate > 0]
    assert growing
    assert csv.free(world.elapsed) < before
    assert any(c.type == SnapshotType.Recovery for vm in world.vms.values() for c in vm.checkpoints)
