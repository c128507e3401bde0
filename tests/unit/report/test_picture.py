"""What the picture shows of very much, and its axis."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from hvtui.model.severity import Severity
from hvtui.report.picture import shown_csvs, shown_nodes, shown_vms, ticks
from hvtui.report.words import MOST_STRIPS, MOST_VMS
from hvtui.window.records import Backup, CsvLine, NodeLine, Phase, Sample, Span, Standing, Stretch, VmLine

START = datetime(2026, 11, 24, tzinfo=UTC)


def csv(number: int, *, severity: Severity = Severity.OK, free: int = 500, backup: bool = False) -> CsvLine:
    stretch = Stretch(begin=START, severity=severity, backup=backup)
    return CsvLine(
        csv=str(number), name=f"Volume{number}", stretches=(stretch,), free=(Sample(START, free),), size=1000
    )


def test_few_volumes_are_all_shown_as_a_person_counts_them() -> None:
    shown, quiet = shown_csvs([csv(n) for n in (10, 9, 2)])
    assert ([line.name for line in shown], quiet) == (["Volume2", "Volume9", "Volume10"], 0)


def test_of_many_volumes_those_are_shown_that_matter() -> None:
    lines = [csv(n) for n in range(MOST_STRIPS + 20)]
    lines[3] = csv(3, severity=Severity.WARN)
    lines[5] = csv(5, backup=True)
    lines[9] = csv(9, free=1)
    shown, quiet = shown_csvs(lines)
    names = {line.name for line in shown}
    assert names >= {"Volume3", "Volume5", "Volume9"}
    assert len(shown) <= 7
    assert quiet == len(lines) - len(shown)


def test_of_many_nodes_those_are_shown_whose_writer_did_something() -> None:
    lines = [
        NodeLine(node=f"HV{n:02}", stretches=(Stretch(begin=START, severity=Severity.BAD if n == 7 else Severity.OK),))
        for n in range(MOST_STRIPS + 1)
    ]
    shown, quiet = shown_nodes(lines)
    assert ([line.node for line in shown], quiet) == (["HV07"], MOST_STRIPS)


def test_of_many_vms_none_in_trouble_is_left_out() -> None:
    def vm(number: int, standing: Standing) -> VmLine:
        begin = START + timedelta(minutes=number)
        span = Span(phase=Phase.COPY, begin=begin, end=begin + timedelta(minutes=1))
        backup = Backup(vm=str(number), node="HV01", begin=begin, end=span.end, spans=(span,))
        return VmLine(vm=str(number), name=f"VM{number}", node="HV01", standing=standing, backups=(backup,))

    lines = [vm(n, Standing.DONE) for n in range(MOST_VMS * 2)]
    lines[-1] = vm(MOST_VMS * 2 - 1, Standing.FAILED)
    shown = shown_vms(lines)
    assert len(shown) == MOST_VMS
    assert shown[0].standing is Standing.FAILED
    begins = [line.backups[0].begin for line in shown[1:]]
    assert begins == sorted(begins)


@pytest.mark.parametrize(("hours", "step"), [(1, 300), (2, 600), (8, 3600), (30, 10_800)])
def test_ticks_are_round_times(hours: float, step: int) -> None:
    begin = START + timedelta(minutes=7)
    found = ticks(begin, begin + timedelta(hours=hours), UTC)
    assert 5 <= len(found) <= 13
    assert {second - first for first, second in pairwise(found)} == {timedelta(seconds=step)}
    assert all((time - START).total_seconds() % step == 0 for time in found)


def test_ticks_are_round_in_the_readers_zone() -> None:
    found = ticks(START, START + timedelta(hours=8), ZoneInfo("Asia/Kolkata"))
    assert {time.minute for time in found} == {0}
