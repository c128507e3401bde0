"""Numbers as an operator reads them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from hvtui.ui import format as fmt


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (None, "?"),
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 KB"),
        (8 * 2**30, "8.0 GB"),
        (412 * 2**30, "412 GB"),
        (1010 * 2**30, "1.0 TB"),
        (int(4.1 * 2**40), "4.1 TB"),
        (9_990 * 2**50, "9990 PB"),
    ],
)
def test_size(number: int | None, text: str) -> None:
    assert fmt.size(number) == text


@pytest.mark.parametrize(
    ("seconds", "text", "short"),
    [
        (None, "?", "?"),
        (-3, "0 s", "0s"),
        (99, "99 s", "99s"),
        (100, "1 min", "1m"),
        (74 * 60, "74 min", "74m"),
        (6000, "1 h 40", "1h"),
        (172_800, "2 d 0 h", "2d"),
    ],
)
def test_age(seconds: float | None, text: str, short: str) -> None:
    assert fmt.age(seconds) == text
    assert fmt.short_age(seconds) == short


def test_offset_says_its_sign() -> None:
    assert fmt.offset(timedelta(seconds=2.12)) == "+2.1 s"
    assert fmt.offset(timedelta(seconds=-75)) == "-75 s"
    assert fmt.offset(None) == "?"


@pytest.mark.parametrize("ascii_only", [False, True])
def test_meters_have_one_fixed_scale(ascii_only: bool) -> None:
    bars = [fmt.meter(n, 10, ascii_only=ascii_only) for n in (0, 10, 50, 90, 100)]
    assert len(set(bars)) == 5
    assert all(len(bar) == 10 for bar in bars)
    assert fmt.level(5, ascii_only=ascii_only) != fmt.level(95, ascii_only=ascii_only)
    assert fmt.level(100, ascii_only=ascii_only) == fmt.level(140, ascii_only=ascii_only)


def test_an_unknown_number_is_not_drawn_as_zero() -> None:
    assert fmt.percent(None).strip() == "?"
    assert fmt.level(None) == " "
    assert fmt.percent(0) == "  0%"


def test_times_are_shown_in_the_zone_asked_for() -> None:
    moment = datetime(2026, 11, 24, 0, 46, 7, tzinfo=UTC)
    assert fmt.clock_time(moment, UTC) == "00:46:07"
    assert fmt.day_time(moment, UTC) == "2026-11-24 00:46"
    assert fmt.clock_time(None, UTC) == "?"
