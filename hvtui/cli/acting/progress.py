"""What a run tells while it goes on, as lines: its evidence, and each VM when it begins, gets on and ends."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import datetime

from hvtui.model.severity import Severity
from hvtui.operations.run import ItemState, Run, RunItem, RunState
from hvtui.operations.stages import RESUME
from hvtui.text import safe_text

_STEP = 25
"""Percent between two lines of one VM."""


class Progress:
    """A listener of operations. `now` is the wall clock of the lines that the run itself does not time."""

    def __init__(self, now: Callable[[], datetime], *, aside: bool = False) -> None:
        """`aside`: to standard error, because standard output is JSON."""
        self._now = now
        self._stream = sys.stderr if aside else sys.stdout
        self._told = 0
        self._items: dict[str, tuple[ItemState, int]] = {}

    def __call__(self, run: Run) -> None:
        """Tell what is new; why a run was refused is told with its end."""
        if run.state is RunState.REFUSED:
            return
        for line in run.lines[self._told :]:
            self.line(line.text, line.time, bad=line.severity >= Severity.WARN)
        self._told = len(run.lines)
        for item in run.items:
            mark = (item.state, (item.percent or 0) // _STEP)
            before = self._items.get(item.target.key)
            if before is not None and before[0] is mark[0] and before[1] >= mark[1]:
                continue
            self._items[item.target.key] = mark
            if item.state in {ItemState.RUNNING, ItemState.WAITING}:
                self.line(_words(run, item), self._now())

    def line(self, text: str, time: datetime | None = None, *, bad: bool = False) -> None:
        """One line, at once."""
        stamp = (time or self._now()).astimezone()
        mark = "! " if bad else ""
        text = safe_text(f"{stamp:%H:%M:%S} {mark}{text}", limit=1000)
        encoding = self._stream.encoding or "utf-8"
        self._stream.write(text.encode(encoding, "replace").decode(encoding) + "\n")
        self._stream.flush()


def _words(run: Run, item: RunItem) -> str:
    way = f", {item.source} → {item.destination}" if item.destination else f", from {item.source}"
    stage = run.stages[run.current] if run.current is not None and run.stages else None
    if stage is not None and stage.action == RESUME and stage.node == item.source:
        way = f", back to {item.source}"
    if not item.source:
        way = ""
    percent = f" {item.percent}%" if item.percent is not None else ""
    return f"{item.target.name}: {item.state.value}{percent}{way}" + (f" ({item.text})" if item.text else "")
