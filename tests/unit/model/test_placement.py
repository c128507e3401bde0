"""Which CSV a path is on, and which VMs run off their storage's owner."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hvtui.model.placement import CsvIndex, csv_of, matrix, normal_path, place, short_path
from hvtui.model.records import Csv
from hvtui.model.rows import csv_row, vm_row
from hvtui.model.state import ClusterState
from tests.support.builders import (
    cluster_frame,
    cluster_node,
    csv,
    csv_id,
    files,
    guid,
    live,
    node_frame,
    role,
    small_state,
    vm,
    volume_name,
)

V1, V10, NESTED = (
    csv("Volume1", "HV01"),
    csv("Volume10", "HV02"),
    csv("N", "HV02", path=r"C:\ClusterStorage\Volume1\Mnt"),
)
HARD = csv("H", "HV01", path=r"C:\ClusterStorage\Volume [1] (a.b)+$^")
CSVS = [V1, V10, NESTED, HARD]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (r"C:\ClusterStorage\Volume1\VM\disk.vhdx", V1),
        (r"C:\ClusterStorage\Volume10\VM\disk.vhdx", V10),
        (r"C:\ClusterStorage\Volume1", V1),
        ("C:\\ClusterStorage\\Volume1\\", V1),
        (r"c:\clusterstorage\VOLUME1\x", V1),
        ("C:/ClusterStorage/Volume1/x", V1),
        (r"C:\ClusterStorage\\Volume1\\x", V1),
        (r"C:\ClusterStorage\.\Volume1\x", V1),
        (r"C:\ClusterStorage\Volume10\..\Volume1\x", V1),
        (r"C:\ClusterStorage\Volume1\..\Volume10\x", V10),
        (r"C:\ClusterStorage\Volume1\..\..\Windows\x", None),
        (r"C:\..\..\ClusterStorage\Volume1\x", V1),
        (r"\\?\C:\ClusterStorage\Volume1\x", V1),
        (r"\\.\C:\ClusterStorage\Volume1\x", V1),
        (rf"{volume_name('Volume10')}VM\disk.vhdx", V10),
        (volume_name("Volume10").upper(), V10),
        (r"C:\ClusterStorage\Volume1\Mnt\x", NESTED),
        (r"C:\ClusterStorage\Volume1\Mnt2\x", V1),
        (r"C:\ClusterStorage\Volume [1] (a.b)+$^\x", HARD),
        (r"C:\ClusterStorage\Volume1 .\x", V1),
        (r"C:\ClusterStorage\Volume", None),
        (r"C:\ClusterStorage", None),
        (r"C:\ClusterStorage\Volume2\x", None),
        (r"D:\ClusterStorage\Volume1\x", None),
        (r"\\sofs\share\VM\disk.vhdx", None),
        (r"\\?\UNC\C:\ClusterStorage\Volume1\x", None),
        (r"\\C:\ClusterStorage\Volume1\x", None),
        (r"ClusterStorage\Volume1\x", None),
        ("Disk 3 Bus 0 LUN 1 Target 0", None),
        ("", None),
        ("\\", None),
        ("..", None),
    ],
)
def test_the_csv_of_a_path(path: str, expected: Csv | None) -> None:
    assert csv_of(path, CSVS) == (None if expected is None else expected.id)


def test_names_that_only_look_alike_are_others() -> None:
    eszett = [csv("A", "HV01", path=r"C:\ClusterStorage\Straße"), csv("B", "HV01", path=r"C:\ClusterStorage\Strasse")]
    assert csv_of(r"C:\ClusterStorage\STRASSE\x", eszett) == csv_id("B")
    assert csv_of(r"C:\ClusterStorage\straße\x", eszett) == csv_id("A")
    umlaut = [csv("C", "HV01", path=r"C:\ClusterStorage\Völume漢字")]
    assert csv_of(r"c:\clusterstorage\VÖLUME漢字\x", umlaut) == csv_id("C")
    assert csv_of("C:\\ClusterStorage\\Volume\u017f\\x", [csv("D", "HV01", path=r"C:\ClusterStorage\VolumeS")]) is None


names = st.text(st.characters(exclude_characters="\\/", exclude_categories=["Cs"]), min_size=1, max_size=12).filter(
    lambda name: name.strip(" .") == name and name not in (".", "..")
)


@settings(deadline=None)
@given(st.lists(names, min_size=1, max_size=6, unique_by=normal_path), st.data())
def test_every_file_is_found_on_its_own_volume_and_only_there(volumes: list[str], data: st.DataObject) -> None:
    csvs = [csv(f"v{n}", "HV01", path=f"C:\\ClusterStorage\\{name}") for n, name in enumerate(volumes)]
    index = CsvIndex(csvs)
    number = data.draw(st.integers(0, len(volumes) - 1))
    tail = data.draw(st.lists(names, max_size=3))
    path = "\\".join(["C:\\ClusterStorage", volumes[number], *tail])
    spelled = data.draw(
        st.sampled_from([path, path.replace("\\", "/"), "\\\\?\\" + path, path + "\\", path + "\\x\\.."])
    )
    assert index.find(spelled) == csvs[number].id
    more = "\\".join(["C:\\ClusterStorage", volumes[number] + "0", *tail])
    found = index.find(more)
    assert found is None or found == next(
        c.id for c in csvs if normal_path(c.path) == normal_path(c.path[:18] + volumes[number] + "0")
    )


@given(st.text())
def test_no_path_breaks_the_search(path: str) -> None:
    assert csv_of(path, [V1]) in (None, V1.id)
    assert normal_path(normal_path(path)) == normal_path(path) or path.startswith("\\\\")
    short_path(path)


# --- drift --------------------------------------------------------------------------------------------------------


def placed(owner: str | None, *, state: int = 2, disks: Any = (), **more: Any) -> Any:
    """Placement of one VM on HV01 with a disk on each of these volumes; Volume1 belongs to `owner`, V2 to HV02."""
    cluster = ClusterState()
    volumes = [csv("Volume1", owner), csv("V2", "HV02"), csv("V1b", owner)]
    cluster.apply_cluster(
        cluster_frame([cluster_node("HV01"), cluster_node("HV02")], volumes, [role("A", "HV01")], []), live()
    )
    where = files("A", *disks, **more)
    cluster.apply_node("HV01", node_frame("HV01", [vm("A", 1, state=state)], [where], []), live())
    return place(cluster, guid("A"))


@pytest.mark.parametrize(
    ("owner", "state", "disks", "expected"),
    [
        ("HV01", 2, ["Volume1"], (False, False, False)),
        ("hv01", 2, ["Volume1"], (False, False, False)),
        ("HV02", 2, ["Volume1"], (True, True, False)),
        ("HV02", 9, ["Volume1"], (True, True, False)),
        ("HV02", 3, ["Volume1"], (True, False, False)),
        ("HV02", 6, ["Volume1"], (True, False, False)),
        ("HV01", 2, ["Volume1", "V2"], (False, False, True)),
        ("HV02", 2, ["Volume1", "V2"], (True, True, False)),
        ("HV01", 2, ["Volume1", "V1b"], (False, False, False)),
        (None, 2, ["Volume1"], (None, None, None)),
        (None, 2, ["V2"], (True, True, False)),
    ],
)
def test_drift(owner: str | None, state: int, disks: list[str], expected: tuple[bool | None, ...]) -> None:
    found = placed(owner, state=state, disks=disks)
    assert (found.off_owner, found.drift, found.split) == expected


def test_every_file_counts_not_only_the_first_disk() -> None:
    found = placed("HV01", disks=["Volume1"], checkpoints=r"C:\ClusterStorage\V2\A\Snapshots")
    assert found.csvs == (csv_id("Volume1"), csv_id("V2"))
    assert found.split is True


def test_a_vm_on_no_csv_does_not_drift_and_says_where_it_is() -> None:
    share = r"\\sofs\vms\A"
    cluster = small_state()
    local = files("SQL07", configuration=share, disks=[share + r"\a.vhdx", "Disk 3"])
    cluster.apply_node("HV01", node_frame("HV01", files=[local], kind="delta", seq=2), live())
    found = place(cluster, guid("SQL07"))
    assert (found.csvs, found.off_owner, found.drift, found.split) == ((), False, False, False)
    assert found.elsewhere == (share + r"\a.vhdx", "Disk 3", share)


def test_what_was_not_read_is_unknown_never_aligned() -> None:
    cluster = small_state()
    assert place(cluster, guid("SQL07")).drift is False
    unread = files("SQL07", "Volume1", disks=None)
    cluster.apply_node("HV01", node_frame("HV01", files=[unread], kind="delta", seq=2), live())
    found = place(cluster, guid("SQL07"))
    assert (found.csvs, found.drift, found.off_owner) == ((csv_id("Volume1"),), None, None)
    cluster.apply_node("HV01", node_frame("HV01", kind="delta", seq=3, gone={"files": [guid("SQL07")]}), live())
    assert place(cluster, guid("SQL07")).drift is None
    assert place(ClusterState(), "nothing").drift is None


def test_a_volume_that_changes_owner_changes_its_vms_and_no_others() -> None:
    cluster = small_state()
    vm_row(cluster, guid("SQL07")), matrix(cluster)
    frame = cluster_frame(csvs=[csv("Volume1", "HV02")], kind="delta", seq=2)
    change = cluster.apply_cluster(frame, live())
    assert change.vms == {guid("SQL07"), guid("WEB01"), guid("OLD01")}
    assert place(cluster, guid("SQL07")).drift is True
    assert place(cluster, guid("WEB01")).split is False
    assert csv_row(cluster, csv_id("Volume1")).drift == 1


def test_a_volumes_free_space_changes_no_vm() -> None:
    cluster = small_state()
    matrix(cluster)
    change = cluster.apply_cluster(cluster_frame(csvs=[csv("Volume1", "HV01", free=1)], kind="delta", seq=2), live())
    assert change.vms == set()


def test_a_renamed_volume_is_found_by_its_new_path() -> None:
    cluster = small_state()
    renamed = csv("Volume1", "HV01", path=r"C:\ClusterStorage\Databases")
    change = cluster.apply_cluster(cluster_frame(csvs=[renamed], kind="delta", seq=2), live())
    assert guid("SQL07") in change.vms
    assert place(cluster, guid("SQL07")).csvs == ()
    moved = files("SQL07", "Databases")
    cluster.apply_node("HV01", node_frame("HV01", files=[moved], kind="delta", seq=2), live())
    assert vm_row(cluster, guid("SQL07")).csvs == ("Databases",)


def test_the_matrix_counts_every_vm_on_every_volume_it_uses() -> None:
    found = matrix(small_state())
    assert (found.nodes, found.csvs) == (("HV01", "HV02"), tuple(map(csv_id, ("Volume1", "Volume10", "Volume2"))))
    cells = {
        (node, name): (cell.vms, cell.drift, cell.owner)
        for node in found.nodes
        for name in ("Volume1", "Volume10", "Volume2")
        for cell in [found.cell(node, csv_id(name))]
    }
    assert cells == {
        ("HV01", "Volume1"): (1, 0, True),
        ("HV01", "Volume10"): (1, 1, False),
        ("HV01", "Volume2"): (0, 0, False),
        ("HV02", "Volume1"): (2, 0, False),
        ("HV02", "Volume10"): (1, 0, True),
        ("HV02", "Volume2"): (1, 0, True),
    }
    assert (found.split, found.elsewhere, found.unknown) == (1, {}, {})


def test_the_matrix_tells_unknown_from_elsewhere() -> None:
    cluster = small_state()
    share = files("SQL07", configuration=r"\\sofs\a", disks=[r"\\sofs\a\a.vhdx"])
    cluster.apply_node(
        "HV01", node_frame("HV01", files=[share], kind="delta", seq=2, gone={"files": [guid("APP01")]}), live()
    )
    found = matrix(cluster)
    assert (found.elsewhere, found.unknown) == ({"HV01": 1}, {"HV01": 1})
