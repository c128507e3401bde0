"""Marks of operations on the rows of panes: what hvtui does with a VM, node or CSV now, and what failed with it.

A failure stays on its row until its operation was seen on the operations page.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from hvtui.operations.run import ItemState, Run, RunState

Mark = tuple[str, str]
"""Text and role."""

_WORDS: Final = {
    ItemState.QUEUED: ("queued", "busy"),
    ItemState.WAITING: ("waits for a place", "busy"),
    ItemState.RUNNING: ("", "busy"),
    ItemState.FAILED: ("failed", "bad"),
    ItemState.HELD: ("held", "warn"),
    ItemState.REFUSED: ("refused", "warn"),
    ItemState.UNKNOWN: ("outcome unknown", "bad"),
}
_VERBS: Final = {
    "migrate": "move",
    "isolate": "isolate",
    "return": "return",
    "align": "align",
    "cancel": "cancel",
    "drain": "drain",
    "resume": "resume",
    "vmms": "VMMS",
    "start-vmms": "start VMMS",
    "service": "service",
    "policy": "checkpoint type",
    "policy-undo": "checkpoint type back",
    "checkpoint": "checkpoint",
    "apply-checkpoint": "apply checkpoint",
    "remove-checkpoint": "remove checkpoint",
    "start-vm": "start",
    "vssaccess": "VSS access",
    "vssaccess-remove": "VSS access",
    "vssaccess-undo": "VSS access",
}
MOVING: Final = frozenset({"move", "isolate", "return", "align", "drain"})
"""First words of marks of what moves VMs: Windows tells of the same migration."""
_WEIGHT: Final = {"busy": 3, "bad": 2, "warn": 1}
_BAD_ENDS: Final = {RunState.FAILED: ("failed", "bad"), RunState.UNKNOWN: ("outcome unknown", "bad")}


@dataclass
class Marks:
    """`Target.key` → what stands on its row. Made anew from all runs whenever one of them changed."""

    by_key: dict[str, Mark]

    @classmethod
    def none(cls) -> Marks:
        """Nothing runs."""
        return cls({})

    def update(self, runs: Iterable[Run]) -> set[str]:
        """Take in the runs as they are now; returns the keys whose mark is another one."""
        now: dict[str, Mark] = {}
        for run in runs:
            if run.acknowledged or run.state is RunState.REFUSED:
                continue
            for key, mark in _of(run):
                # What runs comes before what failed, and that before what only ended.
                if _WEIGHT.get(mark[1], 0) >= _WEIGHT.get(now.get(key, ("", ""))[1], 0):
                    now[key] = mark
        changed = {key for key in now.keys() | self.by_key.keys() if now.get(key) != self.by_key.get(key)}
        self.by_key = now
        return changed

    def of(self, kind: str, key: str) -> Mark | None:
        """The mark of a row."""
        return self.by_key.get(f"{kind}:{key.lower()}")


def _of(run: Run) -> list[tuple[str, Mark]]:
    verb = _VERBS.get(run.plan.verb.value, run.plan.verb.value)
    found: list[tuple[str, Mark]] = []
    end = _BAD_ENDS.get(run.state)
    items = {item.target.key for item in run.items}
    for target in run.plan.targets:
        if target.key in items:
            # Its own item tells more than the run as a whole.
            continue
        if run.over:
            if end is not None:
                found.append((target.key, (f"{verb} {end[0]}", end[1])))
            continue
        stage = run.stages[run.current] if run.current is not None and run.current < len(run.stages) else None
        step = f": {stage.action}" if stage is not None and stage.action != verb else ""
        found.append((target.key, (f"{verb}{step}", "busy")))
    for item in run.items:
        if item.ended and not run.over and item.state in {ItemState.DONE, ItemState.CANCELLED}:
            found.append((item.target.key, (f"{verb} {item.state.value}", "dim")))
        word = _WORDS.get(item.state)
        if word is None or (run.over and item.state in {ItemState.QUEUED, ItemState.RUNNING, ItemState.WAITING}):
            continue
        text = f"{verb} {word[0]}".strip()
        if item.state is ItemState.RUNNING and item.percent is not None:
            text += f" {item.percent}%"
        if item.state is ItemState.FAILED and item.text:
            text += f": {item.text}"
        found.append((item.target.key, (text, word[1])))
    if run.over:
        settled = {ItemState.DONE, ItemState.CANCELLED}
        good = {item.target.key for item in run.items if item.state in settled}
        found = [(key, mark) for key, mark in found if key not in good]
    return [(row, mark) for key, mark in found for row in _rows(key)]


def _rows(key: str) -> tuple[str, ...]:
    """The rows that show what concerns `Target.key`: a checkpoint is its VM's, an entry its node's."""
    kind, _, rest = key.partition(":")
    owner = {"checkpoint": "vm", "vssaccess": "node"}.get(kind)
    return (key,) if owner is None else (key, f"{owner}:{rest.partition('/')[0]}")
