"""Silent fallbacks: which growth of checkpoints with memory is one, and how long it stands."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from hvtui.model.fallback import MOST, Fallback, FallbackBook
from hvtui.model.records import CheckpointCount, Vm
from hvtui.model.rows import vm_row
from hvtui.model.severity import Severity
from tests.support import builders
from tests.support.builders import NOW, guid

SQL07 = guid("SQL07")


def vm(saved: int | None, *, recovery: int = 0, **more: Any) -> Vm:
    counts = [
        CheckpointCount(type=0, saved=True, count=saved or 0),
        CheckpointCount(type=1, saved=True, count=recovery),
    ]
    return builders.vm("SQL07", 1, checkpoints=None if saved is None else counts, **more)


def look(book: FallbackBook, *records: Vm, node: str = "HV01") -> list[int]:
    """What was found after each of the records, a minute apart."""
    found = []
    for number, record in enumerate(records):
        book.look(node, {SQL07: record}, [SQL07], NOW + timedelta(minutes=number))
        found.append(len(book.found))
    return found


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ([vm(0), vm(1)], [0, 1]),
        ([vm(0), vm(1), vm(1), vm(2)], [0, 1, 1, 2]),
        ([vm(3)], [0]),
        ([vm(1), vm(0), vm(1)], [0, 0, 1]),
        ([vm(None), vm(1), vm(2)], [0, 0, 1]),
        ([vm(0), vm(None), vm(1)], [0, 0, 1]),
        ([vm(0, checkpoint_type=5), vm(1, checkpoint_type=5)], [0, 0]),
        ([vm(0, checkpoint_type=4), vm(1, checkpoint_type=4)], [0, 0]),
        ([vm(0, checkpoint_type=5), vm(1)], [0, 0]),
        ([vm(0, checkpoint_type=None), vm(1)], [0, 0]),
        ([vm(0, state=6), vm(1, state=6)], [0, 0]),
        ([vm(0), vm(0, recovery=1)], [0, 0]),
        ([vm(0), vm(1, state=9)], [0, 1]),
    ],
)
def test_which_growth_is_one(records: list[Vm], expected: list[int]) -> None:
    assert look(FallbackBook(), *records) == expected


def test_it_tells_the_vm_the_node_and_the_time_and_follows_a_vm_that_moves() -> None:
    book = FallbackBook()
    look(book, vm(0))
    book.look("HV01", {}, [SQL07], NOW)
    book.look("HV02", {SQL07: vm(1)}, [SQL07], NOW + timedelta(minutes=5))
    (found,) = book.found
    assert found == Fallback(SQL07, "SQL07", "HV02", NOW + timedelta(minutes=5), 1)
    assert found.text.startswith("SQL07: a checkpoint with memory was taken at 2026-03-14 00:53:07 UTC though its type")


def test_it_stands_until_the_checkpoint_is_gone() -> None:
    book = FallbackBook()
    look(book, vm(0), vm(1))
    assert set(book.standing) == {SQL07}
    look(book, vm(None))
    assert set(book.standing) == {SQL07}
    look(book, vm(0))
    assert book.standing == {}
    assert len(book.found) == 1


def test_what_an_earlier_console_saw_stands_where_the_checkpoint_is_still_there() -> None:
    earlier = [Fallback(SQL07, "SQL07", "HV01", NOW - timedelta(days=1), 2)]
    still = FallbackBook()
    look(still, vm(2))
    still.recall(earlier)
    still.recall(earlier)
    assert (still.found, set(still.standing)) == (earlier, {SQL07})
    gone = FallbackBook()
    look(gone, vm(1))
    gone.recall(earlier)
    assert (gone.found, gone.standing) == (earlier, {})


def test_only_the_newest_are_kept() -> None:
    book = FallbackBook()
    look(book, *(vm(number) for number in range(MOST + 11)))
    assert len(book.found) == MOST
    assert book.found[-1].count == MOST + 10


def test_its_row_needs_attention() -> None:
    state = builders.small_state()
    frame = builders.node_frame("HV01", [vm(1)], kind="delta", seq=2)
    state.apply_node("HV01", frame, builders.live())
    row = vm_row(state, SQL07)
    assert row.severity is Severity.WARN
    assert any("fell back to one with memory (2026-03-14 00:48 UTC)" in reason for reason in row.reasons)
