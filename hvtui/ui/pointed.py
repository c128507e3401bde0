"""What a key is about: the row under the cursor, or the marked ones, captured when the key is pressed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class Pointed:
    """Rows of one kind: `vm` (ids), `node` (names), `csv` (ids), `writer` (`node|writer id`), `run` (ids),
    `checkpoint` (`VM/checkpoint`), `vssaccess` (`NODE/ACCOUNT`).
    """

    kind: str = ""
    keys: tuple[str, ...] = ()
    marked: bool = False
    """They were marked, and are not just the one under the cursor."""
    names: tuple[str, ...] = ()
    """What they are called, of kinds whose names the picture of the cluster does not hold."""


NOTHING: Final = Pointed()


@runtime_checkable
class Points(Protocol):
    """A screen that knows what its keys are about."""

    def pointed(self) -> Pointed:
        """What a key pressed now is about."""
        ...


class Table(Protocol):
    """What a table tells of its cursor and marks."""

    cursor_key: str | None

    @property
    def marked(self) -> list[str]:
        """Marked keys that exist."""
        ...


def rows_of(kind: str, table: Table) -> Pointed:
    """Marked rows, or the one under the cursor."""
    if table.marked:
        return Pointed(kind, tuple(table.marked), marked=True)
    return Pointed(kind, (table.cursor_key,) if table.cursor_key is not None else ())
