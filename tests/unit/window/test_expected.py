"""Backup windows by the clock: over midnight, in other time zones, and when clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from hypothesis import given
from hypothesis import strategies as st

from hvtui.config import BackupWindow
from hvtui.window.expected import expected, occurrence

BERLIN = BackupWindow(time(22, 0), time(4, 0), "Europe/Berlin")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_without_windows_nothing_is_expected() -> None:
    assert expected((), at("2026-11-24T00:48")) is None


def test_a_window_over_midnight_in_another_zone() -> None:
    told = expected([BERLIN], at("2026-11-24T00:48"))
    assert told is not None
    assert (told.inside, told.begin, told.end) == (True, at("2026-11-23T21:00"), at("2026-11-24T03:00"))
    assert told.next == at("2026-11-24T21:00")


def test_after_it_and_before_the_next() -> None:
    told = expected([BERLIN], at("2026-11-24T12:00"))
    assert told is not None
    assert (told.inside, told.end, told.next) == (False, at("2026-11-24T03:00"), at("2026-11-24T21:00"))


def test_its_first_second_is_inside_and_its_end_is_not() -> None:
    inside = [
        (told := expected([BERLIN], at(moment))) is not None and told.inside
        for moment in ("2026-11-23T20:59:59", "2026-11-23T21:00:00", "2026-11-24T02:59:59", "2026-11-24T03:00:00")
    ]
    assert inside == [False, True, True, False]


def test_the_night_on_which_clocks_go_forward_is_an_hour_shorter() -> None:
    begin, end = occurrence(BERLIN, datetime(2026, 3, 28, tzinfo=UTC).date())
    assert end - begin == timedelta(hours=5)


def test_the_night_on_which_clocks_go_back_is_an_hour_longer() -> None:
    begin, end = occurrence(BERLIN, datetime(2026, 10, 24, tzinfo=UTC).date())
    assert end - begin == timedelta(hours=7)


def test_a_window_in_the_doubled_hour_covers_both_times() -> None:
    doubled = BackupWindow(time(2, 15), time(2, 45), "Europe/Berlin")
    begin, end = occurrence(doubled, datetime(2026, 10, 25, tzinfo=UTC).date())
    assert (begin, end) == (at("2026-10-25T00:15"), at("2026-10-25T01:45"))


def test_a_window_in_the_hour_that_is_left_out_does_not_break_anything() -> None:
    missing = BackupWindow(time(2, 15), time(2, 45), "Europe/Berlin")
    told = expected([missing], at("2026-03-29T12:00"))
    assert told is not None
    assert not told.inside
    assert told.next == at("2026-03-30T00:15")


def test_windows_that_touch_are_one_night() -> None:
    parts = [
        BackupWindow(time(20, 0), time(23, 0)),
        BackupWindow(time(22, 0), time(2, 0)),
        BackupWindow(time(12, 0), time(13, 0)),
    ]
    told = expected(parts, at("2026-11-24T00:30"))
    assert told is not None
    assert (told.begin, told.end, told.next) == (at("2026-11-23T20:00"), at("2026-11-24T02:00"), at("2026-11-24T12:00"))


@given(
    st.times().map(lambda one: one.replace(second=0, microsecond=0)),
    st.times().map(lambda one: one.replace(second=0, microsecond=0)),
    st.sampled_from(["UTC", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Asia/Kathmandu"]),
    st.datetimes(datetime(2024, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001  # the zone is beside
)
def test_any_window_has_an_end_behind_its_begin_and_a_next_one(
    start: time, end: time, zone: str, now: datetime
) -> None:
    told = expected([BackupWindow(start, end, zone)], now)
    assert told is not None
    assert told.begin is not None
    assert told.end is not None
    assert told.begin <= now
    assert told.begin < told.end
    assert told.inside == (now < told.end)
    if start != end:
        assert told.next is not None
        assert told.next > now
