"""Which VMs a command is about: names are literal, a filter is the console's own, and what cannot be told is said."""

from __future__ import annotations

import pytest

from hvtui.cli.acting.selection import check_selection, select
from hvtui.cli.arguments import Arguments, parse
from hvtui.errors import NotDone, UsageError
from hvtui.model.state import ClusterState
from tests.support.builders import guid
from tests.support.small_clusters import Small, VmSpec

WORLD = Small(
    nodes={"HV01": 200.0, "HV02": 200.0, "HV10": 200.0},
    csvs={"Volume1": "HV01", "Volume10": "HV02", "Volume2": "HV02"},
    vms=(
        VmSpec("SQL10", "HV01", ("Volume1",)),
        VmSpec("SQL2", "HV01", ("Volume1", "Volume2"), record={"checkpoint_type": 5}),
        VmSpec("VM*", "HV02", ("Volume10",)),
        VmSpec("VM1", "HV10", ("Volume10",), state=3),
        VmSpec("LOOSE", "HV02", ("Volume2",), clustered=False),
    ),
)


def typed(*words: str) -> Arguments:
    arguments = Arguments()
    parse(("policy", "set", "Standard", *words), arguments)
    return arguments


def names(state: ClusterState, *words: str) -> list[str]:
    arguments = typed(*words)
    check_selection(arguments)
    chosen = select(state, arguments)
    assert chosen.gaps == ()
    return [target.name for target in chosen.targets]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("--vm", "VM*"), ["VM*"]),
        (("--vm", "vm1", "SQL2", "--vm", guid("VM1")), ["VM1", "SQL2"]),
        (("--node", "hv01"), ["SQL2", "SQL10"]),
        (("--node", "HV01", "HV10"), ["SQL2", "SQL10", "VM1"]),
        (("--csv", "volume1"), ["SQL2", "SQL10"]),
        (("--csv", "Volume10"), ["VM1", "VM*"]),
        (("--csv", "Volume2"), ["LOOSE", "SQL2"]),
        (("--filter", "type:standard"), ["SQL2"]),
        (("--filter", "sql -type:standard"), ["SQL10"]),
        (("--filter", "state:off"), ["VM1"]),
        (("--filter", "vm:=vm* node:hv02"), ["VM*"]),
        (("--filter", "clustered:no"), ["LOOSE"]),
        (("--filter", "nothing"), []),
        (("--all",), ["LOOSE", "SQL2", "SQL10", "VM1", "VM*"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_is_chosen(words: tuple[str, ...], expected: list[str]) -> None:
    assert names(WORLD.state(), *words) == expected


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("--vm", "VM"), "no VM is called VM"),
        (("--node", "HV09"), "there is no node HV09"),
        (("--csv", "Volume"), "there is no CSV Volume"),
    ],
)
def test_a_name_that_means_nothing_is_refused(words: tuple[str, ...], text: str) -> None:
    with pytest.raises(NotDone, match=text):
        select(WORLD.state(), typed(*words))


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ((), "which VMs"),
        (("--filter", ""), "which VMs"),
        (("--filter", "   "), "the filter is empty"),
        (("--filter", "cpu:>x"), "needs a number"),
    ],
)
def test_what_cannot_be_understood_is_wrong_usage(words: tuple[str, ...], text: str) -> None:
    with pytest.raises(UsageError, match=text):
        check_selection(typed(*words))


@pytest.mark.parametrize("more", [("--node", "HV01"), ("--all",), ("--csv", "Volume1"), ("--filter", "x")])
def test_there_is_one_way_at_a_time(more: tuple[str, ...]) -> None:
    with pytest.raises(UsageError):
        typed("--vm", "SQL2", *more)


def test_a_node_that_is_not_heard_is_a_gap_where_it_matters() -> None:
    state = WORLD.state()
    state.nodes["HV10"].vms = None
    for words in (("--all",), ("--filter", "sql"), ("--csv", "Volume1"), ("--node", "HV01", "HV10")):
        assert "the VMs of HV10 could not be read" in select(state, typed(*words)).gaps, words
    assert select(state, typed("--node", "HV01")).gaps == ()
    assert select(state, typed("--vm", "SQL2")).gaps == ()


def test_a_role_whose_vm_is_not_known_is_a_gap() -> None:
    from tests.support import builders

    state = WORLD.state()
    role = builders.role("LOST", "HV02", vm=None)
    state.apply_cluster(builders.cluster_frame(roles=[role], kind="delta", seq=2), builders.live())
    (gap,) = select(state, typed("--all")).gaps
    assert "LOST" in gap
    assert "its VM is not known" in gap


def test_a_vm_whose_files_are_not_read_may_be_on_the_csv() -> None:
    state = WORLD.state()
    view = state.nodes["HV10"]
    assert view.files is not None
    view.files = {key: files for key, files in view.files.items() if key != guid("VM1")}
    chosen = select(state, typed("--csv", "Volume10"))
    assert [target.name for target in chosen.targets] == ["VM*"]
    assert chosen.gaps == ("where the files of VM1 are could not be read",)
    state.cluster.csvs = None
    with pytest.raises(NotDone, match="the CSVs could not be read"):
        select(state, typed("--csv", "Volume1"))
