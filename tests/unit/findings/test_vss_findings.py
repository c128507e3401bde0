"""What findings about VSS say besides: whom they blame first, what they leave out, what they advise."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hvtui.findings.finding import Finding, Sure
from hvtui.findings.rules.writers import RESTARTED
from hvtui.model.severity import Severity
from hvtui.model.writer_catalog import WRITERS
from hvtui.remote.contract import SERVICES
from tests.support.builders import NOW, SYSTEM_WRITER
from tests.unit.findings.pieces_vss import (
    GB,
    access,
    callback,
    failed_guest,
    guest,
    hardware,
    loop,
    none_saved_known,
    rejected,
    saved,
    stuck,
    vss,
)
from tests.unit.findings.runner import told
from tests.unit.findings.scene import Scene


def one(scene: Scene, rule: str) -> Finding:
    found = scene.ask(rule)
    assert len(found) == 1, told(found)
    return found[0]


def test_full_guests_are_blamed_first_then_by_how_often() -> None:
    scene = Scene().vm("APP02", "HV01", "Volume1").vm("APP03", "HV01", "Volume1")
    stuck()(scene)
    for vm, minutes in (("SQL07", 50), ("APP02", 50), ("APP02", 30), ("APP01", 40), ("APP03", 45)):
        failed_guest(vm, minutes)(scene)
    guest("APP03", 0)(scene)
    finding = one(scene, "writer-pending")
    assert [vm.name for vm in finding.vms] == ["APP03", "APP02", "SQL07", "APP01"]
    assert "APP03 (T:\\ 0 MB free)" in finding.text
    assert finding.since == NOW - timedelta(minutes=50)
    assert any(evidence.source == "a look into the guest" for evidence in finding.evidence)


def test_a_guest_that_was_saved_since_is_blamed_no_more() -> None:
    scene = Scene()
    stuck()(scene)
    failed_guest("SQL07")(scene)
    failed_guest("APP01")(scene)
    saved("SQL07", 5)(scene)
    assert [vm.name for vm in one(scene, "writer-pending").vms] == ["APP01"]


def test_a_guest_that_has_moved_away_is_still_named() -> None:
    scene = Scene()
    stuck()(scene)
    failed_guest("SQL07")(scene)
    scene.vm("SQL07", "HV02").role("SQL07", owner="HV02")
    finding = one(scene, "writer-pending")
    assert (finding.target.name, [vm.name for vm in finding.vms]) == ("HV01", ["SQL07"])


def test_a_retry_that_runs_is_said_and_nothing_else_changes() -> None:
    scene = Scene()
    stuck()(scene)
    failed_guest()(scene)
    calm = one(scene, "writer-pending")
    scene.job("APP01", 51, 10)
    retried = one(scene, "writer-pending")
    assert (retried.sure, retried.severity) == (calm.sure, calm.severity)
    assert retried.text == f"{calm.text}; a run is under way"


def test_guests_that_have_room_again_are_said_to() -> None:
    scene = Scene()
    stuck()(scene)
    failed_guest("SQL07")(scene)
    failed_guest("APP01")(scene)
    guest("SQL07", 20 * GB)(scene)
    assert "resume the job" not in one(scene, "writer-pending").text
    guest("APP01", 3 * GB // 2)(scene)  # low, and enough for a run
    assert "they have room now: resume the job" in one(scene, "writer-pending").text
    failed_guest("APP01", minutes=-1)(scene)
    assert "resume the job" not in one(scene, "writer-pending").text


def test_what_helps_a_pending_job_is_no_restart_and_a_killed_one_needs_it() -> None:
    scene = Scene()
    failed_guest()(scene)
    stuck()(scene)
    assert one(scene, "writer-pending").action == "acts.guests"
    assert not scene.ask("writer-orphaned")
    stuck(error="Unexpected error")(scene)
    assert one(scene, "writer-orphaned").action == "verb.vmms"
    assert not scene.ask("writer-pending")


def test_the_writer_s_own_finding_replaces_the_general_one() -> None:
    scene = Scene()
    stuck(error="Unexpected error")(scene)
    assert one(scene, "writer-failed").sure is Sure.POSSIBLE
    failed_guest()(scene)
    assert not scene.ask("writer-failed")
    assert one(scene, "writer-orphaned").sure is Sure.CERTAIN


def test_the_node_s_finding_stands_before_those_of_its_guests() -> None:
    scene = Scene()
    failed_guest()(scene)
    assert one(scene, "guest-shadow-failed").severity is Severity.BAD
    stuck()(scene)
    found = scene.findings()
    assert [finding.rule for finding in found] == ["writer-pending", "guest-shadow-failed"]
    assert found[1].severity is Severity.WARN


def test_a_failed_writer_is_a_hint_only_while_backups_succeed() -> None:
    scene = Scene()
    stuck(9, "Timed out", SYSTEM_WRITER)(scene)
    rejected("0x800423f2", SYSTEM_WRITER)(scene)
    none_saved_known(scene)
    assert one(scene, "writer-retry").severity is Severity.WARN
    saved("APP01", 3)(scene)
    finding = one(scene, "writer-retry")
    assert (finding.severity, finding.sure) == (Severity.INFO, Sure.POSSIBLE)
    assert "backups of the node's VMs succeed" in finding.text


@pytest.mark.parametrize(
    ("writer", "action"),
    [
        (("Cluster Shared Volume VSS Writer", "1072ae1c-e5a7-4ea1-9e4a-6f7964656570"), "verb.drain"),
        (SYSTEM_WRITER, "verb.service"),
        (("Task Scheduler Writer", "d61d61c8-d73a-4eee-8cdd-f6f9786b7124"), ""),
        (("Vendor Writer", "0f0e8a52-7c1c-4f0e-9d53-0d2f4d1c7b11"), ""),
    ],
)
def test_what_hvtui_does_about_a_writer_is_never_a_restart_of_the_cluster_service(
    writer: tuple[str, str], action: str
) -> None:
    scene = Scene()
    stuck(9, "Non-retryable error", writer)(scene)
    assert one(scene, "writer-failed").action == action


def test_services_that_are_offered_a_restart_are_those_that_hvtui_restarts() -> None:
    hosts = {known.service for known in WRITERS.values()}
    assert set(SERVICES) & hosts - {"vmms"} == RESTARTED


def test_8194_beside_a_stuck_writer_is_that_writer_s() -> None:
    scene = Scene()
    access("HV01", "HV02")(scene)
    for hours in (3, 2, 1):
        callback("HV01", hours)(scene)
    assert one(scene, "vss-callback-denied").sure is not Sure.POSSIBLE
    for hours in (3, 2, 1):
        vss(scene, 8229, ("Hyper-V", "66841cd4-6ded-4f4b-8f17-fd23f8ddc3de"), "0x80042302", minutes=hours * 60 - 1)
    assert not scene.ask("vss-callback-denied")


def test_the_account_and_the_nodes_without_an_entry_are_named() -> None:
    scene = Scene()
    access("HV01")(scene)
    access("HV02", entry=1)(scene)
    for hours in (8, 2):
        callback("HV01", hours)(scene)
    finding = one(scene, "vss-callback-denied")
    assert "CORP\\svc-replay has no entry of VssAccessControl on HV01" in finding.text
    assert "HV02" not in finding.text
    assert finding.severity is Severity.WARN


def test_one_8194_is_cosmetic_even_with_an_account_without_an_entry() -> None:
    scene = Scene()
    access("HV01", "HV02")(scene)
    callback("HV01", 2)(scene)
    assert not scene.ask("vss-callback-denied")


@pytest.mark.parametrize(("other", "named"), [("4.1.9", "HV02"), ("4.10", "HV01")])
def test_of_two_nodes_with_two_versions_the_lower_one_is_named(other: str, named: str) -> None:
    scene = Scene()
    hardware("4.2.1", HV02=other)(scene)
    scene.state.nodes["HV03"].providers = None
    finding = one(scene, "hardware-provider-differs")
    assert finding.target.name == named
    assert finding.sure is Sure.LIKELY


def test_the_writer_that_an_event_names_is_named() -> None:
    scene = Scene()
    vss(scene, 12366, SYSTEM_WRITER)
    assert "System Writer is unstable" in one(scene, "vss-unstable").text
    vss(scene, 8193, SYSTEM_WRITER, "0x80070018")
    assert "metadata of System Writer is too long" in one(scene, "vss-metadata-too-long").text


def test_a_loop_is_about_the_vms_on_its_volume() -> None:
    scene = Scene().vm("OTHER", "HV01", "Volume10")
    loop(3)(scene)
    none_saved_known(scene)
    scene.vm("OTHER", last_backup=scene.now - timedelta(minutes=1))
    assert one(scene, "retry-loop").sure is Sure.LIKELY


def test_a_full_guest_whose_backup_failed_is_told_once() -> None:
    scene = Scene()
    guest("SQL07", 0)(scene)
    assert one(scene, "guest-volume-full").severity is Severity.WARN
    failed_guest()(scene)
    assert not scene.ask("guest-volume-full")
    assert "T:\\ 0 MB free" in one(scene, "guest-shadow-failed").text


def test_a_paused_volume_is_graver_than_one_that_was() -> None:
    scene = Scene().csv("Volume1", size=1000 * GB, free=500 * GB)
    scene.event(5156, ("System", "Microsoft-Windows-FailoverClustering"), VolumeName="Volume1")
    assert one(scene, "csv-paused-by-snapshot").severity is Severity.WARN
    scene.io("Volume1", "HV02", 1)
    finding = one(scene, "csv-paused-by-snapshot")
    assert (finding.severity, finding.sure) == (Severity.BAD, Sure.CERTAIN)
    assert "paused on HV02 now" in finding.text
