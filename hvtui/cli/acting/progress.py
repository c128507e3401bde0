"""What a run tells while it goes on, as lines: its evidence, and each VM when it begins, gets on and ends."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from hvtui.cli.acting.plan_json import item_json
from hvtui.cli.arguments import Arguments
from hvtui.cli.picture_json import time_json
from hvtui.model.severity import Severity
from hvtui.operations.plan import Verb
from hvtui.operations.run import ItemState, Run, RunItem, RunState
from hvtui.operations.stages import RESUME
from hvtui.text import safe_text

BETWEEN_VMS: Final = frozenset({Verb.POLICY, Verb.POLICY_UNDO})
"""Verbs about thousands of VMs, whose run can be stopped between two of them."""
_STEP = 25
"""Percent between two lines of one VM."""
_MANY = 200
"""Of a run with more targets not every change is looked at by itself: each look goes through all of them."""
_PAUSE = 0.2
"""Seconds between two looks at such a run."""


class Progress:
    """A listener of operations. `now` is the wall clock of the lines that the run itself does not time."""

    def __init__(self, now: Callable[[], datetime], *, aside: bool = False, lines: bool = False) -> None:
        """`aside`: to standard error, because standard output is JSON. `lines`: that is one object a line."""
        self._now = now
        self._stream = sys.stderr if aside else sys.stdout
        self._lines = lines
        self._told = 0
        self._items: dict[str, tuple[ItemState, int]] = {}
        self._next: asyncio.TimerHandle | None = None

    def __call__(self, run: Run) -> None:
        """Tell what is new; why a run was refused is told with its end."""
        if len(run.items) <= _MANY:
            self._look(run)
        elif self._next is None:
            self._next = asyncio.get_running_loop().call_later(_PAUSE, self.flush, run)

    def flush(self, run: Run | None) -> None:
        """Tell now what was put off."""
        if self._next is not None:
            self._next.cancel()
            self._next = None
        if run is not None:
            self._look(run)

    def _look(self, run: Run) -> None:
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
            if run.plan.changes:
                self._changed(run, item)
            elif item.state in {ItemState.RUNNING, ItemState.WAITING}:
                self.line(_words(run, item), self._now())

    def _changed(self, run: Run, item: RunItem) -> None:
        """Values are set at once: what is told is how that ended. What was not begun is told with the end.

        The lines of a run tell what went wrong, and those of few targets tell each; of thousands they do not.
        """
        if item.state is ItemState.RUNNING and item.percent is not None:
            self.line(f"{item.target.name}: {item.percent}%" + (f", {item.text}" if item.text else ""), self._now())
        if not item.ended or item.state is ItemState.CANCELLED:
            return
        if self._lines:
            head = {"kind": "item", "cluster": run.plan.cluster, "time": time_json(self._now())}
            show_line({**head, **item_json(item)})
        elif run.plan.verb in BETWEEN_VMS and item.state is ItemState.DONE:
            self.line(f"{item.target.name}: {item.text}", self._now())

    def line(self, text: str, time: datetime | None = None, *, bad: bool = False) -> None:
        """One line, at once."""
        stamp = (time or self._now()).astimezone()
        mark = "! " if bad else ""
        text = safe_text(f"{stamp:%H:%M:%S} {mark}{text}", limit=1000)
        encoding = self._stream.encoding or "utf-8"
        self._stream.write(text.encode(encoding, "replace").decode(encoding) + "\n")
        self._stream.flush()


def progress_of(arguments: Arguments, now: Callable[[], datetime]) -> Progress:
    """As the command was typed."""
    lines = bool(getattr(arguments, "jsonl", False))
    return Progress(now, aside=arguments.json or lines, lines=lines)


def show_line(value: Mapping[str, object]) -> None:
    """One JSON object on a line of its own, at once."""
    sys.stdout.write(json.dumps(value, ensure_ascii=True) + "\n")
    sys.stdout.flush()


def show_end(told: Mapping[str, Any]) -> None:
    """The last line of `--jsonl`: how it ended, with what was not told line by line."""
    states = [item["state"] for item in told["items"]]
    counts = {state: states.count(state) for state in dict.fromkeys(states)}
    kept = ("outcome", "exit", "operation", "started", "ended", "refusals", "left", "held", "offers")
    undone = [item["target"] for item in told["items"] if item["state"] == ItemState.CANCELLED.value]
    head = {"kind": "end", "cluster": told["plan"]["cluster"]}
    show_line({**head, **{name: told[name] for name in kept}, "counts": counts, "not_begun": undone})


def _words(run: Run, item: RunItem) -> str:
    way = f", {item.source} → {item.destination}" if item.destination else f", from {item.source}"
    stage = run.stages[run.current] if run.current is not None and run.stages else None
    if stage is not None and stage.action == RESUME and stage.node == item.source:
        way = f", back to {item.source}"
    if not item.source:
        way = ""
    percent = f" {item.percent}%" if item.percent is not None else ""
    return f"{item.target.name}: {item.state.value}{percent}{way}" + (f" ({item.text})" if item.text else "")
