"""Which VMs did not do as in earlier nights."""

from __future__ import annotations

import pytest

from hvtui.report.durations import Outlier, Took, outliers
from hvtui.window.records import Standing


def took(seconds: float | None = 600, *, standing: Standing = Standing.DONE, vm: str = "v", **phases: float) -> Took:
    """A VM's backup of one night."""
    outcome = {Standing.DONE: "done", Standing.FAILED: "failed"}.get(standing, "")
    return Took(
        vm=vm, name=vm.upper(), node="HV01", standing=int(standing), seconds=seconds, outcome=outcome, phases=phases
    )


def texts(now: list[Took], *earlier: list[Took]) -> list[str]:
    return [f"{one.name}: {one.text}" for one in outliers(now, earlier)]


def test_twice_as_long_and_ten_minutes_more() -> None:
    usual = [[took(600)], [took(660)], [took(540)]]
    assert texts([took(1300, copy=1200)], *usual) == ["V: 21 min, usually 10 min (3 nights), longest in copy: 20 min"]
    assert texts([took(1190)], *usual) == []
    assert texts([took(100)], [took(30)], [took(30)]) == [], "three times, but no ten minutes"


def test_one_night_is_no_rule() -> None:
    assert texts([took(6000)], [took(60)]) == []
    assert texts([took(None, standing=Standing.FAILED)], [took(60)]) == []


def test_failed_nights_and_unknown_lengths_are_no_measure() -> None:
    assert texts([took(6000)], [took(60, standing=Standing.FAILED)], [took(60)]) == []
    assert texts([took(6000)], [took(None)], [took(60)]) == []
    assert texts([took(None)], [took(60)], [took(60)]) == []


@pytest.mark.parametrize("standing", [Standing.FAILED, Standing.MISSED, Standing.STALLED, Standing.WAITING])
def test_what_was_done_before_and_not_now(standing: Standing) -> None:
    now = [took(None, standing=standing)]
    assert texts(now, [took()], [took()]) == [f"V: {standing.name.lower()}; done in 2 of 2 nights before"]
    assert texts(now, [took()], [took(standing=Standing.FAILED)]) == []


def test_a_vm_that_is_no_longer_backed_up() -> None:
    assert texts([], [took()], [took()]) == ["V: nothing is known of a backup; done in 2 of 2 nights before"]
    assert texts([], [took()], []) == []


def test_what_is_no_duration_comes_first_then_the_furthest() -> None:
    now = [took(1800, vm="a"), took(6000, vm="b"), took(None, vm="c", standing=Standing.FAILED)]
    before = [[took(60, vm=vm) for vm in "abc"]] * 2
    found: tuple[Outlier, ...] = outliers(now, before)
    assert [one.name for one in found] == ["C", "B", "A"]
