"""The backups of one VM, whatever is told of it and in whatever order: never overlapping, each with an end."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from hvtui.window.book import BACKUPS, SPANS, Book, Limits
from hvtui.window.records import Outcome, Phase
from hvtui.window.signs import Signs
from tests.support.builders import NOW
from tests.unit.window.night import check

PHASES = [phase for phase in Phase if phase is not Phase.UNSEEN]
STEPS = st.sampled_from([-30.0, 0.0, 2.0, 2.0, 2.0, 20.0, 59.0, 61.0, 200.0, 4000.0])
AWAY = st.floats(-3000, 600, allow_nan=False)
LOOK = st.tuples(
    st.just("look"), STEPS, st.sampled_from([None, *PHASES]), st.sampled_from(["", "a", "b"]),
    st.sampled_from([None, 0, 10, 50]), st.booleans(), st.booleans(), st.sampled_from([None, -500.0, -3.0, 0.0]),
)  # fmt: skip
TOLD = st.one_of(
    st.tuples(st.just("fail"), AWAY, st.sampled_from([10102, 10150, 18012])),
    st.tuples(st.just("done"), AWAY),
    st.tuples(st.just("merge began"), AWAY),
    st.tuples(st.just("merge failed"), AWAY),
    st.tuples(st.just("blame"), st.just(0.0)),
    st.tuples(st.just("lost"), STEPS),
    st.tuples(st.just("check"), STEPS),
    st.tuples(st.just("close"), STEPS),
    st.tuples(st.just("forget"), st.sampled_from([500.0, 100_000.0])),
)


@given(st.lists(st.one_of(LOOK, LOOK, TOLD), max_size=80))
def test_phases_never_overlap_and_end(steps: list[tuple[object, ...]]) -> None:
    book, now = Book("vm"), NOW
    for step in steps:
        name, seconds = step[0], step[1]
        assert isinstance(seconds, float)
        told = now + timedelta(seconds=seconds)
        if name in {"look", "lost", "check", "close"}:
            now = told
        if name == "look":
            _, _, phase, job, percent, backup, host, began = step
            signs = Signs(
                time=now, node="HV01", name="vm", phase=phase, backup=backup, host=host, job=job, percent=percent,  # type: ignore[arg-type]
            )  # fmt: skip
            begin = None if began is None else now + timedelta(seconds=began)  # type: ignore[arg-type]
            book.see(signs, phase, began=begin)  # type: ignore[arg-type]
        elif name == "fail":
            book.fail(told, "it failed", step[2])  # type: ignore[arg-type]
        elif name == "done":
            book.done(told)
        elif name == "merge began":
            book.merge_told(told, began=True)
        elif name == "merge failed":
            book.merge_failed(told, "the merge failed")
        elif name == "blame":
            book.blame(("SQL07",))
        elif name == "lost":
            book.lost(now)
        elif name == "check":
            book.check(now, Limits(), NOW + timedelta(hours=1))
        elif name == "close":
            book.close(now)
        else:
            book.forget(now - timedelta(seconds=seconds))
        check(book.backups())
        assert len(book.past) <= BACKUPS
        assert all(len(backup.spans) <= SPANS + 2 for backup in book.backups())
    book.close(now)
    check(book.backups())
    assert book.open is None
    assert all(backup.outcome is not Outcome.RUNNING for backup in book.backups())


@given(st.permutations([("fail", 20.0), ("fail", 21.0), ("done", 1.0), ("end", 40.0)]))
def test_what_is_told_in_any_order_comes_to_the_same(order: list[tuple[str, float]]) -> None:
    """The failure at 20 s and the end at 40 s; a success of before the attempt is none of it."""
    book = Book("vm")
    before = NOW - timedelta(hours=5)
    book.see(Signs(time=NOW, node="HV01", name="vm", phase=Phase.FREEZE, backup=True), Phase.FREEZE)
    for name, seconds in order:
        at = NOW + timedelta(seconds=seconds)
        if name == "fail":
            book.fail(at, "it failed", 10150 if seconds == 20.0 else 18012)
        elif name == "done":
            book.done(before)
        else:
            book.see(Signs(time=at, node="HV01", name="vm"), None)
    last = book.backups()[-1]
    assert (last.outcome, last.event, last.reason) == (Outcome.FAILED, 10150, "it failed")
    assert book.past[0].begin == before
