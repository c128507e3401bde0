"""Two field reports about VSS, minute by minute: what is told first, of whom, with what advice, and until when."""

from __future__ import annotations

from hvtui.findings.finding import Sure
from tests.unit.findings.nights import play


def test_a_stuck_writer_is_told_first_with_its_guests_and_whether_it_needs_a_restart() -> None:
    night = play("stuck-writer", 145, step=30.0)
    guests = {("guest-shadow-failed", f"vm:{name}") for name in ("SQL07", "FILE02")}
    stuck = {(rule, "node:HV03") for rule in ("writer-pending", "writer-orphaned")}
    assert night.pairs - {("retry-loop", "node:HV03")} == guests | stuck
    # The job loops, is killed, VMMS is restarted; the next run fails the same way, until the guests have room.
    assert {night.leads(minute) for minute in range(3, 25)} == {"writer-pending"}
    assert {night.leads(minute) for minute in range(27, 90)} == {"writer-orphaned"}
    assert {night.leads(minute) for minute in range(117, 132)} == {"writer-pending"}
    assert night.leads(144) == ""
    named = {found.rule: found for found in night.found.values() if found.target == "node:HV03"}
    for rule in ("writer-pending", "writer-orphaned"):
        assert named[rule].sure is Sure.CERTAIN
        assert "SQL07" in named[rule].text
        assert "FILE02" in named[rule].text
    for found in night.found.values():
        assert found.last < 140


def test_a_denied_callback_names_the_account_and_stays_a_warning() -> None:
    night = play("access-denied", 70, step=30.0)
    assert night.pairs == {("vss-callback-denied", "cluster:CLU-DENIED")}
    found = next(iter(night.found.values()))
    assert found.sure >= Sure.LIKELY
    assert "CORP\\svc-replay" in found.text
    assert "on HV01, HV02, HV03, HV04" in found.text
    assert "the backups succeed" in found.text
    assert night.leads(69) == "vss-callback-denied"
