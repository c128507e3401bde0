"""ClusterState: any road of deltas leads to the same picture as one full frame, and no frame is half applied."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hvtui.model.link import Link, LinkStatus
from hvtui.model.records import Load, NodeFrame, Record, Role, Vm, VmFiles
from hvtui.model.rows import csv_row, node_row, summary, vm_row
from hvtui.model.state import ClusterState, SequenceGapError
from hvtui.model.tally import Tally
from tests.support.builders import (
    cluster_frame,
    cluster_node,
    csv,
    csv_io,
    files,
    guid,
    job,
    live,
    node_frame,
    problem,
    role,
    small_state,
    vm,
)

NODES = ("HV01", "HV02", "HV03")
NAMES = ("A", "B", "C", "D", "E")


class Picture(msgspec.Struct, frozen=True):
    """Everything one moment of a small cluster says."""

    owners: dict[str, str]
    """CSV → node."""
    homes: dict[str, str]
    """VM → node."""
    states: dict[str, int]
    volumes: dict[str, tuple[str, ...]]
    merging: frozenset[str]
    clustered: frozenset[str]

    def vms(self, node: str) -> list[Vm]:
        return [vm(n, NAMES.index(n), state=self.states[n]) for n in NAMES if self.homes.get(n) == node]

    def files(self, node: str) -> list[VmFiles]:
        return [files(n, *self.volumes[n]) for n in NAMES if self.homes.get(n) == node]

    def load(self, node: str) -> list[int]:
        return [number for n in NAMES if self.homes.get(n) == node for number in (NAMES.index(n), self.states[n], 1024)]

    def roles(self) -> list[Role]:
        return [role(n, self.homes[n]) for n in NAMES if n in self.clustered and n in self.homes]


@st.composite
def pictures(draw: st.DrawFn) -> Picture:
    homes = {n: h for n in NAMES if (h := draw(st.sampled_from((*NODES, "")))) != ""}
    return Picture(
        owners={v: draw(st.sampled_from(NODES)) for v in ("Volume1", "Volume10")},
        homes=homes,
        states={n: draw(st.sampled_from((2, 3, 6, 9))) for n in NAMES},
        volumes={n: draw(st.sampled_from((("Volume1",), ("Volume10",), ("Volume10", "Volume1"), ()))) for n in NAMES},
        merging=frozenset(draw(st.sets(st.sampled_from(NAMES)))),
        clustered=frozenset(draw(st.sets(st.sampled_from(NAMES)))),
    )


def delta(old: Sequence[Record], new: Sequence[Record], key: str = "id") -> tuple[list[Any] | None, list[str]]:
    before = {getattr(r, key): r for r in old}
    after = {getattr(r, key): r for r in new}
    changed = [r for k, r in after.items() if before.get(k) != r]
    return changed or None, [k for k in before if k not in after]


class Streams:
    """Feeds a state as three nodes and the cluster would."""

    def __init__(self, picture: Picture) -> None:
        self.state = ClusterState()
        self.seq = dict.fromkeys(("", *NODES), 1)
        self.sent = dict.fromkeys(("", *NODES), picture)
        self.state.apply_cluster(
            cluster_frame(
                [cluster_node(n) for n in NODES],
                [csv(v, o) for v, o in picture.owners.items()],
                picture.roles(),
                [csv_io(v, dict.fromkeys(NODES, (2, 0, 0))) for v in picture.owners],
            ),
            live(),
        )
        for node in NODES:
            self.state.apply_node(node, self.full(node, picture), live())

    def full(self, node: str, picture: Picture) -> NodeFrame:
        jobs = [job(n, 50, 10) for n in NAMES if n in picture.merging and picture.homes.get(n) == node]
        load = Load(host=(1, 2), vms=picture.load(node))
        return node_frame(node, picture.vms(node), picture.files(node), jobs, load=load)

    def step(self, source: str, picture: Picture) -> None:
        """One source notices what changed since it last spoke."""
        old, self.sent[source] = self.sent[source], picture
        self.seq[source] += 1
        if not source:
            csvs, _ = delta([csv(v, o) for v, o in old.owners.items()], [csv(v, o) for v, o in picture.owners.items()])
            roles, gone = delta(old.roles(), picture.roles())
            frame = cluster_frame(csvs=csvs, roles=roles, kind="delta", seq=self.seq[source], gone={"roles": gone})
            self.state.apply_cluster(frame, live())
            return
        before, after = self.full(source, old), self.full(source, picture)
        parts: dict[str, Any] = {}
        all_gone: dict[str, list[str]] = {}
        for section in ("vms", "files", "jobs"):
            parts[section], all_gone[section] = delta(getattr(before, section), getattr(after, section))
        load = Load(vms=picture.load(source)) if before.load != after.load or parts["vms"] else None
        kind = "delta" if any(parts.values()) or any(all_gone.values()) or load else "beat"
        told = node_frame(source, **parts, kind=kind, seq=self.seq[source], load=load, gone=all_gone)
        self.state.apply_node(source, told, live())

    def settle(self) -> None:
        """Two further looks of every node, after which nothing is between two nodes any more."""
        for _ in range(2):
            for node in NODES:
                self.step(node, self.sent[node])


def shown(state: ClusterState) -> dict[str, Any]:
    """All that a person could see of VMs, nodes and volumes."""
    return {
        "vms": {key: vm_row(state, key) for key in state.vm_keys()},
        "nodes": {name: node_row(state, name) for name in state.node_names()},
        "csvs": {key: csv_row(state, key) for key in state.cluster.csvs or ()},
        "summary": summary(state),
    }


@settings(max_examples=150, deadline=None)
@given(st.lists(pictures(), min_size=2, max_size=4), st.data())
def test_deltas_lead_to_the_same_picture_as_one_full_frame(steps: list[Picture], data: st.DataObject) -> None:
    streams = Streams(steps[0])
    for picture in steps[1:]:
        for source in data.draw(st.permutations(list(streams.seq))):
            streams.step(source, picture)
            keys = list(streams.state.vm_keys())
            assert len(keys) == len(set(keys))
            for key in keys:
                vm_row(streams.state, key)
    streams.settle()
    fresh = Streams(steps[-1])
    assert shown(streams.state) == shown(fresh.state)


@settings(max_examples=100, deadline=None)
@given(st.lists(pictures(), min_size=2, max_size=4), st.data())
def test_counts_kept_up_equal_counts_made_anew(steps: list[Picture], data: st.DataObject) -> None:
    streams = Streams(steps[0])
    for picture in steps[1:]:
        for source in data.draw(st.lists(st.sampled_from(("", *NODES)), max_size=4, unique=True)):
            streams.step(source, picture)
            if data.draw(st.booleans()):
                summary(streams.state)
    kept = streams.state.tally.refresh(streams.state)
    anew = Tally()
    anew.touch(streams.state.vm_keys())
    anew.refresh(streams.state)
    for name in ("vms", "running", "drift", "split"):
        assert getattr(kept, name) == getattr(anew, name)
    for name in ("severities", "by_node", "drift_by_node", "by_csv", "drift_by_csv", "cells", "drift_cells", "unknown"):
        assert +getattr(kept, name) == +getattr(anew, name), name


@pytest.mark.parametrize("first", ["source", "destination"])
def test_a_vm_that_moves_is_there_once_whichever_node_speaks_first(first: str) -> None:
    state = small_state()
    key = guid("SQL07")
    before = vm_row(state, key)
    leaves = node_frame("HV01", kind="delta", seq=2, gone={"vms": [key], "files": [key]})
    comes = node_frame("HV02", [vm("SQL07", 9)], [files("SQL07", "Volume1")], kind="delta", seq=2)
    moved = cluster_frame(roles=[role("SQL07", "HV02")], kind="delta", seq=2)
    steps = [("HV01", leaves), ("HV02", comes)] if first == "source" else [("HV02", comes), ("HV01", leaves)]
    for position, (name, frame) in enumerate(steps):
        change = state.apply_node(name, frame, live())
        assert key in change.vms
        assert list(state.vm_keys()).count(key) == 1
        row = vm_row(state, key)
        assert (row.name, row.state, row.csvs) == (before.name, "Running", ("Volume1",))
        if position == 0:
            assert row.node == "HV01"  # the cluster has not said yet that the role moved
    assert key in state.apply_cluster(moved, live()).vms
    row = vm_row(state, key)
    assert (row.node, row.source, row.off_owner) == ("HV02", "", True)
    assert not state.adrift


def test_a_vm_that_its_owner_never_lists_becomes_a_role_without_a_vm() -> None:
    state = small_state()
    key = guid("SQL07")
    state.apply_node("HV01", node_frame("HV01", kind="delta", seq=2, gone={"vms": [key]}), live())
    row = vm_row(state, key)
    assert (row.state, row.source) == ("Running", "HV01")
    for seq in (3, 4):
        state.apply_node("HV01", node_frame("HV01", kind="beat", seq=seq), live())
    row = vm_row(state, key)
    assert row.state == "role Online"
    assert row.reasons == ("not registered on HV01",)


def test_a_vm_without_a_role_that_its_node_no_longer_lists_is_gone() -> None:
    state = small_state()
    key = guid("LOCAL")
    state.apply_node("HV01", node_frame("HV01", [vm("LOCAL", 5)], kind="delta", seq=2), live())
    assert vm_row(state, key).clustered is False
    state.apply_node("HV01", node_frame("HV01", kind="delta", seq=3, gone={"vms": [key]}), live())
    assert key not in set(state.vm_keys())


def test_a_failed_over_vm_is_shown_where_its_role_is_not_where_the_dead_node_had_it() -> None:
    state = small_state()
    key = guid("SQL07")
    state.set_link("HV01", Link(status=LinkStatus.UNREACHABLE, text="no answer"))
    assert vm_row(state, key).source == "HV01"
    state.apply_cluster(cluster_frame(roles=[role("SQL07", "HV02")], kind="delta", seq=2), live())
    state.apply_node("HV02", node_frame("HV02", [vm("SQL07", 9)], kind="delta", seq=2), live())
    row = vm_row(state, key)
    assert (row.node, row.source) == ("HV02", "")


@pytest.mark.parametrize(("kind", "seq"), [("delta", 3), ("delta", 1), ("beat", 7), ("delta", 0), ("nonsense", 2)])
def test_a_frame_out_of_place_changes_nothing(kind: str, seq: int) -> None:
    state = small_state()
    before = shown(state)
    with pytest.raises(SequenceGapError):
        state.apply_node("HV01", node_frame("HV01", [vm("NEW", 9)], kind=kind, seq=seq), live())
    with pytest.raises(SequenceGapError):
        state.apply_cluster(cluster_frame([cluster_node("HV09")], kind=kind, seq=seq), live())
    assert shown(state) == before


def test_after_a_restart_only_a_full_frame_is_taken_and_the_old_data_stay_until_then() -> None:
    state = small_state()
    state.restart("HV01")
    with pytest.raises(SequenceGapError):
        state.apply_node("HV01", node_frame("HV01", kind="beat", seq=1), live())
    assert vm_row(state, guid("SQL07")).name == "SQL07"
    change = state.apply_node("HV01", node_frame("HV01", [vm("APP01", 1)], [], []), live())
    assert guid("SQL07") in change.vms


@pytest.mark.parametrize("flat", [[1], [1, 2], [1, 2, 3, 4], list(range(8))])
def test_a_load_vector_not_made_of_triples_is_a_problem_of_the_node_and_nothing_else(flat: list[int]) -> None:
    state = small_state()
    frame = node_frame("HV01", [vm("NEW", 9)], kind="delta", seq=2, load=Load(host=(50, 1000), vms=flat))
    state.apply_node("HV01", frame, live())
    assert vm_row(state, guid("NEW")).name == "NEW"
    assert vm_row(state, guid("SQL07")).cpu == 37
    assert any("triples" in reason for reason in node_row(state, "HV01").reasons)
    state.apply_node("HV01", node_frame("HV01", kind="delta", seq=3, load=Load(vms=[1, 2, 3])), live())
    assert node_row(state, "HV01").reasons == ()


def test_two_vms_in_one_slot_get_no_load_rather_than_each_others() -> None:
    state = small_state()
    frame = node_frame("HV01", [vm("NEW", 1)], kind="delta", seq=2, load=Load(vms=[1, 99, 99]))
    state.apply_node("HV01", frame, live())
    assert vm_row(state, guid("SQL07")).cpu == 37
    assert any("share a place" in reason for reason in node_row(state, "HV01").reasons)


def test_a_time_without_a_zone_is_refused_when_decoding() -> None:
    told = msgspec.json.encode(node_frame("HV01"))
    assert msgspec.json.decode(told, type=NodeFrame).time.tzinfo is not None
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(told.replace(b"07Z", b"07"), type=NodeFrame)


def test_a_slot_that_goes_to_another_vm_does_not_hand_over_its_load() -> None:
    state = small_state()
    gone = {"vms": [guid("SQL07")]}
    state.apply_node("HV01", node_frame("HV01", [vm("NEW", 1)], kind="delta", seq=2, gone=gone), live())
    assert vm_row(state, guid("NEW")).cpu is None


def test_a_section_that_could_not_be_read_keeps_the_old_data_and_marks_every_row() -> None:
    state = small_state()
    change = state.apply_node("HV01", node_frame("HV01", None, errors=[problem("vms")], seq=5), live())
    row = vm_row(state, guid("SQL07"))
    assert guid("SQL07") in change.vms
    assert (row.name, row.source) == ("SQL07", "HV01")
    assert row.severity.name == "UNKNOWN"
    change = state.apply_node("HV01", node_frame("HV01", [vm("SQL07", 1)], [], []), live())
    assert vm_row(state, guid("SQL07")).source == ""


def test_names_of_nodes_are_one_whatever_their_case() -> None:
    state = ClusterState()
    state.apply_node("hv01", node_frame("HV01", [vm("SQL07", 1)], [files("SQL07", "Volume1")], []), live())
    state.apply_cluster(
        cluster_frame([cluster_node("HV01")], [csv("Volume1", "Hv01")], [role("SQL07", "HV01")], []), live()
    )
    assert state.node_names() == ["hv01"]
    row = vm_row(state, guid("SQL07"))
    assert (row.node, row.drift, row.off_owner) == ("hv01", False, False)
    assert node_row(state, "HV01").vms == 1
    assert node_row(state, "HV01").state == "Up"


def test_a_role_learns_its_vm_late_and_keeps_one_row() -> None:
    state = ClusterState()
    state.apply_cluster(cluster_frame([cluster_node("HV01")], [], [role("SQL07", "HV01", vm=None)], []), live())
    assert list(state.vm_keys()) == [f"role:{guid('role SQL07')}"]
    change = state.apply_cluster(cluster_frame(roles=[role("SQL07", "HV01")], kind="delta", seq=2), live())
    assert change.vms == {f"role:{guid('role SQL07')}", guid("SQL07")}
    assert list(state.vm_keys()) == [guid("SQL07")]


def test_two_roles_that_claim_one_vm_give_one_row() -> None:
    state = ClusterState()
    twin = role("TWIN", "HV01", vm=guid("SQL07"))
    state.apply_cluster(cluster_frame([cluster_node("HV01")], [], [role("SQL07", "HV01"), twin], []), live())
    assert list(state.vm_keys()) == [guid("SQL07")]
    gone = {"roles": [guid("role TWIN")]}
    state.apply_cluster(cluster_frame(kind="delta", seq=2, gone=gone), live())
    assert list(state.vm_keys()) == [guid("SQL07")]
    assert vm_row(state, guid("SQL07")).role == "SQL07"


def test_nothing_changed_is_an_empty_change() -> None:
    state = small_state()
    change = state.apply_node("HV01", node_frame("HV01", kind="beat", seq=2), live())
    assert (change.heard, change.nodes, change.vms, change.links) == ({"HV01"}, set(), set(), set())
