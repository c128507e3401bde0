"""Alignment plans against brute force on small clusters, and against an independent replay on large ones."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hvtui.operations.plan import Level, Plan
from hvtui.operations.verbs.align import plan_align
from hvtui.operations.verbs.move_csv import plan_move_csv
from tests.support.builders import guid
from tests.support.replay import Cluster, after, broken, most_moves
from tests.support.small_clusters import GB, Small, VmSpec


def replayed(small: Small) -> tuple[Cluster, dict[str, str]]:
    """The same cluster for the checker, and which VM wants to be where: worked out from the spec alone."""
    reserve = int(small.reserve * GB)
    groups: dict[str, set[str]] = {}
    for vm in small.vms:
        for name in vm.apart:
            groups.setdefault(name, set()).add(vm.name)
    cluster = Cluster(
        {name: int(free * GB) - reserve for name, free in small.nodes.items()},
        {vm.name: vm.node for vm in small.vms},
        {vm.name: int(vm.memory * GB) for vm in small.vms},
        list(groups.values()),
    )
    wishes = {}
    for vm in small.vms:
        owners = {small.csvs[csv] for csv in vm.csvs}
        if len(owners) == 1 and vm.node not in owners and vm.state == 2 and vm.clustered:
            wishes[vm.name] = owners.pop()
    return cluster, wishes


def moves_of(plan: Plan) -> list[tuple[str, str, str, int]]:
    return [(move.vm.name, move.source, move.destination, move.wave) for move in plan.moves]


@st.composite
def clusters(draw: st.DrawFn) -> Small:
    """Up to four nodes with little room, and up to eight VMs that are mostly where they should not be."""
    nodes = [f"HV{number:02}" for number in range(1, draw(st.integers(2, 4)) + 1)]
    free = {name: float(draw(st.integers(0, 24))) for name in nodes}
    csvs = {f"Volume{number}": draw(st.sampled_from(nodes)) for number in (1, 2, 10)}
    vms = []
    for number in range(draw(st.integers(1, 8))):
        volumes = draw(st.lists(st.sampled_from(sorted(csvs)), min_size=1, max_size=2, unique=True))
        vms.append(
            VmSpec(
                f"VM{number}",
                draw(st.sampled_from(nodes)),
                tuple(volumes) if draw(st.integers(0, 4)) == 0 else (volumes[0],),
                memory=float(draw(st.sampled_from([1, 2, 4, 8, 16]))),
                apart=tuple(draw(st.lists(st.sampled_from(["dc", "sql"]), max_size=1))),
                state=draw(st.sampled_from([2, 2, 2, 2, 3])),
            )
        )
    return Small(nodes=free, csvs=csvs, vms=tuple(vms), reserve=draw(st.sampled_from([0.0, 2.0])))


@given(small=clusters())
def test_as_many_move_as_in_the_best_of_all_orders(small: Small) -> None:
    plan = plan_align(small.facts())
    cluster, wishes = replayed(small)
    # VMs that meet already are apart from then on: the checker does not move them together either.
    assert {vm for vm, *_ in moves_of(plan)} <= wishes.keys()
    assert broken(cluster, moves_of(plan)) == []
    assert len(plan.moves) == most_moves(cluster, wishes)
    done = {move.vm.name for move in plan.moves}
    said = {left.vm.name for left in plan.left if left.refusals}
    assert wishes.keys() - done == said & wishes.keys()


@pytest.mark.parametrize("seed", range(4))
def test_a_large_plan_breaks_nothing_and_leaves_nobody_who_could_move(seed: int) -> None:
    chance = random.Random(seed)
    nodes = [f"HV{number:02}" for number in range(1, 17)]
    csvs = {f"Volume{number}": nodes[number % 16] for number in range(1, 25)}
    vms = tuple(
        VmSpec(
            f"VM{number:04}",
            chance.choice(nodes),
            (chance.choice(list(csvs)),),
            memory=float(chance.choice([1, 2, 4, 8, 16, 32])),
            apart=(f"group{number % 40}",) if number % 7 == 0 else (),
        )
        for number in range(800)
    )
    small = Small(nodes={name: float(chance.randint(0, 160)) for name in nodes}, csvs=csvs, vms=vms, reserve=4.0)
    plan = plan_align(small.facts())
    cluster, wishes = replayed(small)
    assert broken(cluster, moves_of(plan)) == []
    assert len(plan.moves) > 100
    end = after(cluster, moves_of(plan))
    done = {move.vm.name for move in plan.moves}
    assert [vm for vm, node in wishes.items() if vm not in done and end.allows(vm, node)] == []


def test_volume1_is_not_volume10() -> None:
    small = Small(
        csvs={"Volume1": "HV01", "Volume10": "HV02"},
        vms=(VmSpec("AT-HOME", "HV02", ("Volume10",)), VmSpec("AWAY", "HV02", ("Volume1",))),
    )
    plan = plan_align(small.facts())
    assert moves_of(plan) == [("AWAY", "HV02", "HV01", 0)]
    assert [(line.name, line.before, line.after) for line in plan.csvs] == [("Volume1", 1, 1), ("Volume10", 1, 1)]


def test_the_snapshots_before_and_after_and_the_other_way() -> None:
    vms = [VmSpec(f"VM{n}", "HV02" if n < 3 else "HV03", ("Volume1",)) for n in range(4)]
    plan = plan_align(Small(vms=tuple(vms)).facts())
    line = plan.csvs[0]
    assert (line.owner, line.before, line.after, line.moves) == ("HV01", 2, 1, 4)
    assert (line.alternative, line.alternative_moves) == ("HV02", 1)


def test_vms_on_several_volumes_are_named_with_their_files_and_not_moved() -> None:
    small = Small(vms=(VmSpec("SPLIT", "HV02", ("Volume1", "Volume3")),))
    plan = plan_align(small.facts())
    assert plan.moves == ()
    assert plan.left[0].vm.id == guid("SPLIT")
    for part in ("Volume1, owner HV01", "Volume3, owner HV03", "disk1.vhdx"):
        assert part in plan.left[0].text


def test_a_swap_takes_two_waves_when_there_is_room_for_one_only() -> None:
    small = Small(
        nodes={"HV01": 4.0, "HV02": 0.0},
        csvs={"Volume1": "HV01", "Volume2": "HV02"},
        vms=(VmSpec("A", "HV02", ("Volume1",)), VmSpec("B", "HV01", ("Volume2",))),
    )
    assert moves_of(plan_align(small.facts())) == [("A", "HV02", "HV01", 0), ("B", "HV01", "HV02", 1)]


def test_a_group_goes_where_most_of_it_can_be_with_the_fewest_moves() -> None:
    small = Small(
        vms=(
            VmSpec("SQL01", "HV01", ("Volume1",)),
            VmSpec("SQL02", "HV02", ("Volume2",)),
            VmSpec("SQL03", "HV02", ("Volume3",)),
            VmSpec("WEB01", "HV03", ("Volume3",)),
        )
    )
    facts = replace(small.facts(), groups={"databases": ("sql*",)})
    assert moves_of(plan_align(facts, group="databases")) == [("SQL01", "HV01", "HV02", 0)]
    unknown = plan_align(facts, group="mail")
    assert unknown.refused
    assert "databases" in unknown.refusals[0].text


def test_many_moves_need_the_name_of_the_cluster() -> None:
    vms = tuple(VmSpec(f"VM{n:02}", "HV02", ("Volume1",), memory=1.0) for n in range(21))
    assert plan_align(Small(vms=vms[:20]).facts()).level is Level.KEY
    many = plan_align(Small(vms=vms).facts())
    assert (many.level, many.name) == (Level.TYPED, "CLU-TEST")
    assert len(plan_align(Small(vms=vms).facts(), most=5).moves) == 5


def test_a_balancer_that_may_undo_it_is_told() -> None:
    small = Small(node_more={name: {"balancer": 2} for name in ("HV01", "HV02", "HV03")})
    assert any("AutoBalancerMode 2" in note.text for note in plan_align(small.facts()).notes)


def test_the_csv_goes_to_its_vms_instead() -> None:
    vms = [VmSpec(f"VM{n}", "HV02" if n < 3 else "HV03", ("Volume1",)) for n in range(4)]
    small = Small(vms=tuple(vms))
    plan = plan_move_csv(small.facts(), "volume1")
    assert (plan.refusals, plan.moves, plan.level, plan.name) == ((), (), Level.TYPED, "Volume1")
    assert [(stage.action, stage.node) for stage in plan.stages] == [("csv", "HV02")]
    busy = plan_move_csv(small.but(csv_more={"Volume1": {"backup": 1}}).facts(), "Volume1")
    assert {refusal.rule for refusal in busy.refusals} == {"frozen"}
    lost = plan_move_csv(small.but(io={("Volume1", "HV02"): (4, 0, 1)}).facts(), "Volume1")
    assert {refusal.rule for refusal in lost.refusals} == {"csv"}
    paused = plan_move_csv(small.but(member_more={"HV02": {"state": 2}}).facts(), "Volume1")
    assert {refusal.rule for refusal in paused.refusals} == {"destination"}
    assert plan_move_csv(small.facts(), "Volume9").refused
    home = Small(vms=(VmSpec("VM1", "HV01", ("Volume1",)),))
    assert {refusal.rule for refusal in plan_move_csv(home.facts(), "Volume1").refusals} == {"there"}
