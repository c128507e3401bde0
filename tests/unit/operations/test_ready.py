"""Before a backup window: each thing that stands against one is found, and what is unread never counts as well."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

import msgspec
import pytest

from hvtui.model.enums import (
    BackupState,
    CheckpointType,
    CsvIoState,
    FileSystemRedirectedIOReason,
    GroupStatus,
    JobType,
    OperationalStatus,
    SnapshotType,
)
from hvtui.model.preflight import ShadowCopy
from hvtui.model.records import CheckpointCount, Provider
from hvtui.model.signals import ShadowPicture
from hvtui.model.state import ClusterState
from hvtui.model.writer_catalog import HYPER_V
from hvtui.model.writers import writer_picture
from hvtui.operations.readiness import AREAS, Check, Readiness, Verdict, in_order, some
from hvtui.operations.ready import readiness
from tests.support import builders as b
from tests.support.builders import NOW

SYSTEM: Final = Provider(id="s", name="Microsoft Software Shadow Copy provider 1.0", type=1, version="1.0.0.7")
ARRAY: Final = Provider(id="a", name="Array Hardware VSS Provider", type=3, version="6.3")


def quiet() -> ClusterState:
    """The small cluster, with everything read and nothing in the way; APP01 and WEB01 drift or are split."""
    state = b.small_state()
    for name in ("HV01", "HV02"):
        picture = state.node(name).writers
        assert picture is not None
        state.set_writers(name, picture, (SYSTEM,))
        state.set_signal(name, ShadowPicture(time=NOW, shadows=()))
    return state


def vm(state: ClusterState, name: str, /, **changes: Any) -> None:
    """Change a VM's record."""
    key = b.guid(name)
    view = state.node(state.home(key) or "")
    assert view.vms is not None
    view.vms[key] = msgspec.structs.replace(view.vms[key], **changes)


def csv(state: ClusterState, name: str, /, **changes: Any) -> None:
    csvs = state.cluster.csvs
    assert csvs is not None
    csvs[b.csv_id(name)] = msgspec.structs.replace(csvs[b.csv_id(name)], **changes)


def io(state: ClusterState, name: str, *way: int) -> None:
    assert state.cluster.io is not None
    states = {"HV01": (2, 0, 0), "HV02": (way[0], way[1], way[2])}
    state.cluster.io[b.volume_name(name)] = b.csv_io(name, states)


def member(state: ClusterState, name: str, /, **changes: Any) -> None:
    assert state.cluster.nodes is not None
    state.cluster.nodes[name] = msgspec.structs.replace(state.cluster.nodes[name], **changes)


def writers(state: ClusterState, lines: str | None) -> None:
    state.node("HV02").writers = writer_picture(b.writer_text(lines), read_at=1000.0)


def hyper_v(state: ClusterState, code: int, error: str) -> None:
    writers(state, b.writer_lines({b.HYPER_V_WRITER: (code, error)}))


def providers(state: ClusterState, *told: Provider, others: tuple[Provider, ...] = (SYSTEM,)) -> None:
    state.node("HV01").providers, state.node("HV02").providers = tuple(told), others


def job(state: ClusterState, name: str, type: int) -> None:
    one = b.job(name, type, 10)
    view = state.node(state.home(b.guid(name)) or "")
    view.jobs_of = {b.guid(name): (one,)}


def host(state: ClusterState, /, **changes: Any) -> None:
    view = state.node("HV02")
    assert view.host is not None
    view.host = msgspec.structs.replace(view.host, **changes)


def role(state: ClusterState, name: str, status: int) -> None:
    key = state.roles_of[b.guid(name)]
    assert state.cluster.roles is not None
    state.cluster.roles[key] = msgspec.structs.replace(state.cluster.roles[key], status=status)


def disks(state: ClusterState, name: str, *paths: str) -> None:
    view = state.node(state.home(b.guid(name)) or "")
    assert view.files is not None
    view.files[b.guid(name)] = b.files(name, "Volume1", disks=list(paths))


def failed(state: ClusterState, hours: int) -> None:
    event = b.backup_failed("SQL07", NOW + timedelta(hours=hours), 1)
    state.add_events("HV01", b.page([event]))


def shadows(state: ClusterState, /, **changes: Any) -> None:
    copy = ShadowCopy(id="x", created=NOW - timedelta(hours=5), client_accessible=False)
    copies = (msgspec.structs.replace(copy, **changes), ShadowCopy(id="y", created=NOW))
    state.set_signal("HV01", ShadowPicture(time=NOW, shadows=copies))


def unread(state: ClusterState, /, **changes: Any) -> None:
    for name, value in changes.items():
        setattr(state.node("HV02"), name, value)


def both(*changes: Callable[[ClusterState], object]) -> Callable[[ClusterState], object]:
    """One change after the other."""
    return lambda state: [change(state) for change in changes]


RECOVERY: Final = CheckpointCount(type=SnapshotType.Recovery, saved=False, count=2, oldest=NOW - timedelta(days=3))
STANDARD: Final = CheckpointCount(type=SnapshotType.Standard, saved=True, count=1, oldest=NOW)
USER: Final = (CsvIoState.FileSystemRedirected, FileSystemRedirectedIOReason.UserRequest, 0)
REFS: Final = (CsvIoState.FileSystemRedirected, FileSystemRedirectedIOReason.FileSystemReFs, 0)
BUSY: Final = [OperationalStatus.InService, OperationalStatus.BackingUpVirtualMachine]
_NOT, _UNKNOWN, _NOTE = Verdict.NOT, Verdict.UNKNOWN, Verdict.NOTE
Row = tuple[Callable[[ClusterState], object], str, Verdict, tuple[str, ...], str]
AGAINST: Final[dict[str, Row]] = {
    # What is changed, then the area, verdict, names and words of the one check that must come of it.
    "a node is down": (lambda s: member(s, "HV02", state=1), "nodes", _NOTE, ("HV02",), "down"),
    "a node is isolated": (lambda s: member(s, "HV02", status=1), "nodes", _NOT, ("HV02",), "isolated"),
    "VMMS is stopped": (lambda s: host(s, vmms="Stopped"), "nodes", _NOT, ("HV02",), "VMMS is Stopped"),
    "VMMS is unread": (lambda s: host(s, vmms=None), "nodes", _UNKNOWN, ("HV02",), "could not be read"),
    "a node is unread": (lambda s: unread(s, vms=None), "nodes", _UNKNOWN, ("HV02",), "could not be read"),
    "no cluster": (lambda s: setattr(s.cluster, "nodes", None), "nodes", _UNKNOWN, (), "the cluster's own picture"),
    "a writer failed": (lambda s: hyper_v(s, 7, "Timed out"), "VSS writers", _NOT, ("HV02",), "at [7]"),
    "a writer waits": (lambda s: hyper_v(s, 5, "No error"), "VSS writers", _NOT, ("HV02",), "at [5]"),
    "no writers": (lambda s: writers(s, None), "VSS writers", _UNKNOWN, ("HV02",), "could not be read"),
    "writers were not asked": (lambda s: unread(s, writers=None), "VSS writers", _UNKNOWN, ("HV02",), "said nothing"),
    "no Hyper-V writer": (
        lambda s: writers(s, b.writer_lines().replace(HYPER_V, HYPER_V[:-1] + "0")),
        "VSS writers", _NOT, ("HV02",), "the Hyper-V writer is missing"),
    "a line that is none": (
        lambda s: writers(s, b.writer_lines() + "\r\nWas ist das?\r\n"), "VSS writers", _UNKNOWN, ("HV02",), "1 line"),
    "providers are unread": (lambda s: unread(s, providers=None), "VSS providers", _UNKNOWN, ("HV02",), "not be read"),
    "a provider is missing": (
        lambda s: providers(s, SYSTEM, ARRAY), "VSS providers", _NOT, ("HV02",), "(hardware) is missing"),
    "a provider is older": (
        lambda s: providers(s, ARRAY, others=(msgspec.structs.replace(ARRAY, version="6.2"),)),
        "VSS providers", _NOT, (), "6.3 on HV01; 6.2 on HV02"),
    "Windows' own is older": (
        lambda s: providers(s, SYSTEM, others=(msgspec.structs.replace(SYSTEM, version="1"),)),
        "VSS providers", _NOTE, (), "several versions"),
    "a backup of a CSV": (
        lambda s: csv(s, "Volume2", backup=BackupState.InProgress),
        "running backups", _NOT, ("Volume2",), "in progress"),
    "a backup of a VM": (lambda s: vm(s, "SQL07", op=BUSY), "running backups", _NOT, ("SQL07",), "a backup of it runs"),
    "a backup's job": (lambda s: job(s, "SQL07", JobType.Backup), "running backups", _NOT, ("SQL07",), "runs"),
    "a merge": (lambda s: job(s, "SQL07", JobType.MergeDisks), "running backups", _NOT, ("SQL07",), "merged"),
    "jobs are unread": (lambda s: unread(s, jobs=None), "running backups", _UNKNOWN, ("HV02",), "jobs"),
    "drift with an array": (
        lambda s: providers(s, ARRAY, others=(ARRAY,)), "placement", _NOT, ("APP01",), "hardware provider"),
    "files are unread": (
        lambda s: s.node("HV02").files.pop(b.guid("FILE01")),  # type: ignore[union-attr]
        "placement", _UNKNOWN, ("FILE01",), "could not be read"),
    "a Recovery checkpoint": (
        lambda s: vm(s, "SQL07", checkpoints=[RECOVERY]), "leftovers", _NOT, ("SQL07",), "2 Recovery checkpoints"),
    "a kept one": (
        lambda s: vm(s, "FILE01", checkpoints=[RECOVERY]), "leftovers", _NOTE, ("FILE01",), "kept on purpose"),
    "an AVHDX": (
        lambda s: disks(s, "SQL07", "C:\\ClusterStorage\\Volume1\\a.AVHDX"), "leftovers", _NOT, ("SQL07",), ".avhdx"),
    "a lock": (lambda s: role(s, "SQL07", GroupStatus.Locked), "leftovers", _NOT, ("SQL07",), "locked"),
    "checkpoints are unread": (
        lambda s: vm(s, "SQL07", checkpoints=None), "leftovers", _UNKNOWN, ("SQL07",), "could not be read"),
    "an old shadow copy": (shadows, "leftovers", _NOTE, ("HV01",), "1 of 2 shadow copies older than 4 h"),
    "shadow copies are unread": (
        lambda s: unread(s, shadows=ShadowPicture(failure="denied")), "leftovers", _NOTE, ("HV02",), "known: denied"),
    "a Standard VM": (
        lambda s: vm(s, "SQL07", checkpoint_type=CheckpointType.Standard),
        "checkpoint types", _NOTE, ("SQL07",), "Standard"),
    "a Disabled VM": (
        lambda s: vm(s, "SQL07", checkpoint_type=CheckpointType.Disabled),
        "checkpoint types", _NOTE, ("SQL07",), "Disabled"),
    "a type is unread": (
        lambda s: vm(s, "SQL07", checkpoint_type=None), "checkpoint types", _UNKNOWN, ("SQL07",), "could not be read"),
    "ProductionOnly without VSS": (
        lambda s: vm(s, "SQL07", checkpoint_type=CheckpointType.ProductionOnly, vss_enabled=False),
        "guests", _NOT, ("SQL07",), "switched off: its checkpoint fails"),
    "Production without VSS": (lambda s: vm(s, "SQL07", vss=12), "guests", _NOTE, ("SQL07",), "crash-consistent"),
    "VSS is unread": (lambda s: vm(s, "SQL07", vss=None), "guests", _UNKNOWN, ("SQL07",), "could not be read"),
    "a backup failed": (lambda s: failed(s, -1), "guests", _NOT, ("SQL07",), "event 10102"),
    "a CSV is off": (lambda s: csv(s, "Volume2", state=3), "volumes", _NOT, ("Volume2",), "offline"),
    "a CSV is full": (lambda s: csv(s, "Volume2", free=10 * 2**30), "volumes", _NOT, ("Volume2",), "10 GB free of 4"),
    "free space is unread": (lambda s: csv(s, "Volume2", free=None), "volumes", _UNKNOWN, ("Volume2",), "free space"),
    "I/O is redirected": (lambda s: io(s, "Volume2", *USER), "volumes", _NOT, ("Volume2",), "redirected from HV02"),
    "redirected for a backup": (
        both(lambda s: csv(s, "Volume2", backup=1), lambda s: io(s, "Volume2", *USER)),
        "volumes", _NOTE, ("Volume2",), "redirected from HV02"),
    "redirected, and nobody tells from where": (
        lambda s: csv(s, "Volume2", redirected=True), "volumes", _NOT, ("Volume2",), "is turned on"),
    "I/O is unread": (lambda s: setattr(s.cluster, "io", None), "volumes", _UNKNOWN, ("Volume1",), "its I/O state"),
    "CSVs are unread": (lambda s: setattr(s.cluster, "csvs", None), "volumes", _UNKNOWN, (), "could not be read"),
}  # fmt: skip


def told(state: ClusterState) -> Readiness:
    return readiness(state, lambda name: name == "FILE01")


def test_a_quiet_cluster_is_ready_and_every_area_says_something() -> None:
    found = told(quiet())
    assert found.ready is True
    assert {check.area for check in found.checks} == set(AREAS)
    notes = {(check.area, check.where) for check in found.checks if check.verdict is _NOTE}
    assert notes == {("placement", ("APP01",)), ("guest space", ())} | {
        (check.area, check.where) for check in found.area("checkpoint types") if check.verdict is _NOTE
    }


@pytest.mark.parametrize("case", AGAINST)
def test_each_thing_is_found_and_named(case: str) -> None:
    change, area, verdict, where, words = AGAINST[case]
    before = set(told(quiet()).checks)
    state = quiet()
    change(state)
    found = told(state)
    new = [check for check in found.checks if check not in before and check.verdict is verdict and check.area == area]
    assert [check.where for check in new][:1] == [where], found.checks
    assert words in new[0].text
    if verdict is _NOT:
        assert found.ready is False
    elif verdict is _UNKNOWN:
        # Never ready; and where nothing else stands against it, not known.
        assert found.ready is None
    else:
        assert verdict is _NOTE
    if verdict is not _NOTE:
        same = [check for check in found.area(area) if check.verdict is Verdict.READY and check in before]
        assert not same or area in {"checkpoint types", "guests", "placement"}, (
            "what was well is told as if it still were"
        )


@pytest.mark.parametrize(
    "change",
    [
        lambda s: failed(s, -25),  # A backup succeeded since.
        lambda s: vm(s, "SQL07", checkpoints=[RECOVERY], op=BUSY),
        lambda s: vm(s, "SQL07", checkpoints=[STANDARD]),
        both(
            lambda s: vm(s, "SQL07", checkpoints=[STANDARD]),
            lambda s: disks(s, "SQL07", "C:\\ClusterStorage\\Volume1\\a.avhdx"),
        ),
        lambda s: shadows(s, client_accessible=True),
        lambda s: shadows(s, created=None),
        both(lambda s: csv(s, "Volume2", file_system="CSVFS_REFS"), lambda s: io(s, "Volume2", *REFS)),
        lambda s: vm(s, "OLD01", vss_enabled=None),  # It is off.
    ],
)
def test_what_is_in_order_is_no_leftover_and_no_trouble(change: Callable[[ClusterState], object]) -> None:
    state = quiet()
    change(state)
    quiet_areas = {"leftovers", "guests", "volumes", "VSS writers", "nodes"}
    assert [
        check for check in told(state).checks if check.area in quiet_areas and check.verdict is not Verdict.READY
    ] == []


def test_a_node_that_takes_no_part_is_not_asked_for_anything() -> None:
    state = quiet()
    member(state, "HV02", state=2, drain=2)
    unread(state, vms=None, writers=None, providers=None, shadows=None, jobs=None)
    found = told(state)
    assert [check.text for check in found.area("nodes") if check.where == ("HV02",)] == [
        "drained: nothing on it takes part"
    ]
    assert not [check for check in found.checks if check.verdict in {_UNKNOWN, _NOT} and check.where == ("HV02",)]


def test_an_empty_picture_is_not_known() -> None:
    found = readiness(ClusterState())
    assert found.ready is None
    assert Verdict.READY not in {check.verdict for check in found.checks}


def test_what_stands_against_it_comes_first_in_its_area() -> None:
    checks = [Check(area=area, verdict=one, text="x") for area in reversed(AREAS) for one in reversed(Verdict)]
    found = in_order(checks).checks
    assert [check.area for check in found[::4]] == list(AREAS)
    assert [check.verdict for check in found[:4]] == [_NOT, _UNKNOWN, _NOTE, Verdict.READY]


def test_many_names_are_cut_and_counted() -> None:
    assert some(["a", "b"]) == "a, b"
    assert some("abcdefg", 3) == "a, b, c and 4 more"
