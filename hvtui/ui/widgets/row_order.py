"""Which rows a table shows and in which order: filter, sort and the ghosts of rows that went away. No widget here."""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

from hvtui.text import natural

R = TypeVar("R")

Value = Callable[[R], Any]


class RowOrder(Generic[R]):
    """Rows by key and `view`, the keys shown, in order.

    `update` takes new rows and says which shown rows look different; whether rows must move is only noted (`stale`), so
    that the owner decides when: `rebuild` then makes the view anew. A key named `keep` stays in the view even if its
    row went away or no longer passes the filter: the row under the cursor must not turn into another one.
    """

    def __init__(self, value: Value[R], *, descending: bool = False) -> None:
        self.rows: dict[str, R] = {}
        self.ghosts: dict[str, R] = {}
        self.view: list[str] = []
        self.stale = False
        self.guest: str | None = None
        """The key that is in the view only because it was to be kept."""
        self._value = value
        self._descending = descending
        self._accept: Callable[[R], bool] | None = None
        self._keys: dict[str, tuple[Any, ...] | None] = {}
        self._base: list[str] | None = None
        self._names: Callable[[R], str] = str
        self._places: dict[str, int] | None = None

    def name_by(self, name: Callable[[R], str]) -> None:
        """What decides between rows of equal value."""
        self._names = name
        self._base = None
        self.stale = True

    def sort_by(self, value: Value[R], *, descending: bool) -> None:
        """Another order; takes effect with the next `rebuild`."""
        self._value, self._descending = value, descending
        self._rekey()

    def filter_by(self, accept: Callable[[R], bool] | None) -> None:
        """Another filter, None for all; takes effect with the next `rebuild`."""
        self._accept = accept
        self.stale = True

    def update(self, changes: Mapping[str, R | None]) -> list[str]:
        """Take in rows (None: gone); returns the shown keys that must be painted again."""
        dirty: list[str] = []
        places = self.places()
        for key, row in changes.items():
            old = self.rows.get(key)
            if row is None:
                if old is None:
                    continue
                del self.rows[key]
                self._keys.pop(key, None)
                self._base = None
                if key in places:
                    self.ghosts[key] = old
                    self.stale = True
                    dirty.append(key)
                continue
            if row == old and key not in self.ghosts:
                continue
            if old is None or self._names(old) != self._names(row):
                self._base = None
            self.rows[key] = row
            self.ghosts.pop(key, None)
            before = self._keys.get(key)
            after = self._key(key, row)
            if (key in places) != self._shows(row) or (key in places and before != after):
                self.stale = True
            if key in places:
                dirty.append(key)
        return dirty

    def rebuild(self, keep: str | None = None) -> None:
        """Make the view anew: filter, sort, drop the ghosts (except `keep`)."""
        pinned = keep if keep is not None and (keep in self.ghosts or keep in self.rows) else None
        self.ghosts = {pinned: self.ghosts[pinned]} if pinned is not None and pinned in self.ghosts else {}
        row = self.rows.get(pinned or "")
        self.guest = pinned if pinned is not None and (row is None or not self._shows(row)) else None
        shown: list[str] = self._in_name_order()
        if self._accept is not None:
            accept, rows = self._accept, self.rows
            shown = [key for key in shown if key == pinned or accept(rows[key])]
        keys = self._keys
        if self.ghosts and pinned is not None:
            ghost = self.ghosts[pinned]
            keys = {**keys, pinned: self._sort_value(ghost)}
            name = natural(self._names(ghost))
            shown = list(shown)
            insort(shown, pinned, key=lambda key: name if key == pinned else natural(self._names(self.rows[key])))
        known = [key for key in shown if keys[key] is not None]
        # A stable sort of rows in order of names: equal values stay in that order whichever way the values run.
        known.sort(key=keys.__getitem__, reverse=self._descending)  # type: ignore[arg-type]
        self.view = known + [key for key in shown if keys[key] is None]
        self._places = None
        self.stale = False

    def places(self) -> dict[str, int]:
        """Key → position in the view."""
        if self._places is None:
            self._places = {key: place for place, key in enumerate(self.view)}
        return self._places

    def row(self, key: str) -> R | None:
        """The row behind a key of the view, a ghost's last one included."""
        row = self.rows.get(key)
        return self.ghosts.get(key) if row is None else row

    def passing(self) -> int:
        """How many living rows the view holds."""
        return len(self.view) - len(self.ghosts)

    def _in_name_order(self) -> list[str]:
        if self._base is None:
            names, rows = self._names, self.rows
            self._base = sorted(rows, key=lambda key: natural(names(rows[key])))
        return self._base

    def _shows(self, row: R) -> bool:
        return self._accept is None or self._accept(row)

    def _key(self, key: str, row: R) -> tuple[Any, ...] | None:
        made = self._keys[key] = self._sort_value(row)
        return made

    def _sort_value(self, row: R) -> tuple[Any, ...] | None:
        value = self._value(row)
        if value is None:
            return None
        return natural(value) if isinstance(value, str) else (value,)

    def _rekey(self) -> None:
        for key, row in self.rows.items():
            self._key(key, row)
        self.stale = True
