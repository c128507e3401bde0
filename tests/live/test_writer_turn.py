"""Writers are read without being asked: seldom, and soon after a backup failed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from hvtui.lab.serve import Lab
from hvtui.live.monitor import Monitor
from hvtui.live.timing import Timing
from hvtui.live.writer_turn import FAILED, WriterTurn
from hvtui.model.writer_catalog import HYPER_V
from hvtui.model.writers import Writer, WriterPicture
from tests.live.conftest import QUICK, all_live
from tests.support.wait import until

TIMING = Timing()


def picture(code: int = 1, *, took: float = 1.0, failure: str = "") -> WriterPicture:
    one = Writer(
        name="Microsoft Hyper-V VSS Writer", id=HYPER_V, instance="", code=code, state_text="", state_class="ok",
        error_text="", error_kind="none",
    )  # fmt: skip
    return WriterPicture(read_at=0.0, duration_ms=int(took * 1000), writers=(one,), failure=failure)


def turn() -> WriterTurn:
    return WriterTurn(TIMING, lambda low, high: high)


def read(one: WriterTurn, now: float, given: WriterPicture) -> None:
    one.began(now)
    one.ended(given)


def waits(one: WriterTurn, now: float, *, sign: bool = False) -> int:
    """Seconds until the next read."""
    return next(second for second in range(100_000) if one.due(now + second, sign=sign))


def test_nobody_reads_before_the_watch_has_begun() -> None:
    assert not turn().due(1e9, sign=True)


def test_what_stays_the_same_is_read_every_quarter_of_an_hour_and_a_backup_at_most_once_a_minute() -> None:
    one = turn()
    read(one, 0.0, picture())
    assert waits(one, 0.0) == 900
    assert waits(one, 0.0, sign=True) == 60
    read(one, 900.0, picture())
    assert waits(one, 900.0) == 900


def test_what_changed_is_read_again_soon_and_then_ever_later() -> None:
    one = turn()
    read(one, 0.0, picture())
    found = []
    for code in (5, 5, 5, 5, 5, 5):
        read(one, 0.0, picture(code))
        found.append(waits(one, 0.0))
    assert found == [90, 180, 360, 720, 900, 900]


def test_a_read_that_failed_or_took_long_brings_no_other_one_soon() -> None:
    one = turn()
    read(one, 0.0, picture())
    read(one, 0.0, picture(5, failure="vssadmin was ended at its deadline"))
    assert waits(one, 0.0) == 900
    read(one, 0.0, picture(5, took=100.0))
    assert waits(one, 0.0, sign=True) == 200


def test_what_a_read_itself_logs_asks_for_no_other_one() -> None:
    assert not FAILED & {513, 8193, 8194, 12289}


async def test_a_backup_that_failed_is_seen_at_the_writer_without_a_key(
    labs: Callable[..., Lab], watch: Callable[..., Awaitable[Monitor]]
) -> None:
    lab = labs("stuck-writer", speed=0)
    monitor = await watch(lab, timing=replace(QUICK, writers=3600.0, writers_soon=0.5))
    await until(lambda: all_live(monitor, lab))

    def code() -> int | None:
        view = monitor.state.node("HV03")
        found = [one.code for one in (view.writers.writers if view.writers is not None else ()) if one.id == HYPER_V]
        return found[0] if found else None

    await until(lambda: code() == 1 and bool(monitor.state.events.read_at("HV03")))
    for _ in range(20):
        lab.advance(10)
    await until(lambda: code() == 5)
