"""`hvtui findings`: of a cluster, and of a recording; what is found, what was not read, and what the exit code says."""

from __future__ import annotations

from pathlib import Path

import pytest

from hvtui.findings.kept import acknowledged_path
from hvtui.findings.standing import Ack, Acknowledged
from hvtui.lab.serve import Lab
from hvtui.paths import state_dir
from tests.support.builders import NOW
from tests.support.cli import Shell
from tests.support.recorded import record_world
from tests.support.schemas import checked


def configured(folder: Path, lab: Lab) -> str:
    path = folder / "lab.toml"
    path.write_text(lab.config_text(), encoding="utf-8")
    return str(path)


def test_a_stuck_writer_is_named_with_its_evidence_and_the_way_out(shell: Shell, tmp_path: Path) -> None:
    with Lab("stuck-writer", speed=0, at=3600) as lab:
        config = configured(tmp_path, lab)
        ran = shell("findings", "--json", "--config", config)
        told = checked("findings", ran.out)
        assert ran.code == 1
        assert told["unread"] == []
        assert told["failed_rules"] == []
        first = told["findings"][0]
        assert (first["rule"], first["target"]["name"], first["sure"]) == ("writer-orphaned", "HV03", "certain")
        assert {vm["name"] for vm in first["vms"]} == {"SQL07", "FILE02"}
        assert any("10102" in evidence["source"] for evidence in first["evidence"])
        assert any(evidence["source"] == "writers" for evidence in first["evidence"])

        # The same for a person: the first line says how many, each names cause, next step and what not to do.
        ran = shell("findings", "--config", config)
        assert ran.code == 1
        assert f"{len(told['findings'])} findings" in ran.out.splitlines()[0]
        assert first["text"] in ran.out
        for words in ("next ", "never ", "undo ", "seen "):
            assert ran.out.count(f"  {words}") >= len(told["findings"])

        # What somebody knows of is told and does not count.
        book = Acknowledged.load(acknowledged_path(lab.call(lambda world: world.cluster.id), state_dir()))
        for one in told["findings"]:
            ack = Ack(
                key=one["key"],
                note="ticket 4711",
                by="alice",
                time=NOW,
                severity=4,
                sure=3,
                vms=tuple(vm["key"] for vm in one["vms"]),
            )
            book._write({**book._held, ack.key: ack})
        ran = shell("findings", "--config", config)
        assert ran.code == 0
        assert "acknowledged by alice" in ran.out
        assert "no findings" in ran.out.splitlines()[0]


def test_a_healthy_cluster_has_none_and_what_cannot_be_read_is_not_fine(shell: Shell, tmp_path: Path) -> None:
    with Lab("healthy", speed=0, at=600) as lab:
        config = configured(tmp_path, lab)
        ran = shell("findings", "--config", config)
        assert (ran.code, "no findings" in ran.out) == (0, True), ran

        def break_one(world: object) -> None:
            world.node("HV02").faults.down = True  # type: ignore[attr-defined]

        lab.call(break_one)
        ran = shell("findings", "--json", "--config", config)
        told = checked("findings", ran.out)
        assert told["findings"] == []
        assert {one["where"] for one in told["unread"]} == {"HV02"}
        assert ran.code == 2


def test_what_a_rule_still_wants_to_know_is_asked(shell: Shell, tmp_path: Path) -> None:
    # The sign is older than the day of events that is read: only the whole logs tell that it must not be moved.
    with Lab("obstacles", speed=0, at=60) as lab:
        ran = shell("findings", "--json", "--config", configured(tmp_path, lab))
        told = checked("findings", ran.out)
        assert ran.code == 1
        assert [(one["rule"], one["target"]["name"]) for one in told["findings"]] == [("fork-not-committed", "FORK01")]
        assert told["unread"] == []


def test_of_a_recording_what_stood_when_it_ended(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "night.hvtui"
    record_world("merge-stuck", file, 1200, step=10.0)
    ran = shell("findings", "--recording", str(file), "--json")
    told = checked("findings", ran.out)
    assert ran.code == 1
    assert [(one["rule"], one["target"]["name"]) for one in told["findings"]] == [("merge-locked", "SQL04")]
    ran = shell("findings", "--recording", str(file))
    assert "as of " in ran.out.splitlines()[0]
    assert "HV02" in ran.out


def test_what_is_no_recording_is_said(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "x"
    file.write_text("no")
    ran = shell("findings", "--recording", str(file))
    assert ran.code == 2
    assert str(file) in ran.err


@pytest.mark.parametrize("words", [("prod", "--recording", "x"), ("--recording",)])
def test_a_cluster_or_a_recording(shell: Shell, words: tuple[str, ...]) -> None:
    assert shell("findings", *words).code == 64
