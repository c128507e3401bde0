"""What was asked of the nodes of a lab: every command with its arguments, and every change, for tests to look at."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any, Final

KEPT: Final = 20_000
"""Entries kept; a lab that runs for days forgets the oldest."""


@dataclass(frozen=True, slots=True)
class CommandCall:
    """One command as a node got it. `time` is the world's, in seconds."""

    time: float
    node: str
    command: str
    arguments: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asked for a change: the function of the module, its operation id and actor; all empty for a colleague."""

    function: str = ""
    operation: str = ""
    actor: str = ""


SOMEBODY: Final = Asked()
"""A colleague at another console, or the scenario."""


@dataclass(frozen=True, slots=True)
class Change:
    """One change as Windows was asked for it, whichever engine stood in between.

    `command` is the cmdlet or WMI method; `target` a VM's id, a node's name, `NODE/service` or a CSV's id. `outcome`:
    `done`, `started`, or `refused` when Windows said no and nothing was changed.
    """

    time: float
    node: str
    command: str
    target: str
    arguments: dict[str, Any]
    asked: Asked
    outcome: str


@dataclass(slots=True)
class CommandLog:
    """All commands in the order they came, and the changes among them; `total` counts commands forgotten too."""

    entries: deque[CommandCall] = field(default_factory=lambda: deque(maxlen=KEPT))
    changes: deque[Change] = field(default_factory=lambda: deque(maxlen=KEPT))
    total: int = 0

    def note(self, time: float, node: str, command: str, arguments: dict[str, Any]) -> None:
        """Write one entry."""
        self.entries.append(CommandCall(time, node, command, arguments))
        self.total += 1

    def of(self, command: str, node: str = "") -> list[CommandCall]:
        """The calls of one command, on one node or on all, oldest first."""
        return [call for call in self.entries if call.command == command and node in {"", call.node}]
