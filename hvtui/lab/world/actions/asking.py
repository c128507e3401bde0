"""What Windows says to those who ask for a change, and the record of every change that was asked for."""

from __future__ import annotations

from typing import Any

from hvtui.lab.world.command_log import SOMEBODY, Asked, Change
from hvtui.lab.world.node import Node
from hvtui.lab.world.world import World


class Refused(Exception):
    """Windows says no, and nothing was changed.

    `number` is the Win32 error, `id` the first part of the FullyQualifiedErrorId, `target` what it is about.
    """

    def __init__(self, text: str, number: int, id: str, target: str = "") -> None:
        super().__init__(text)
        self.text, self.number, self.id, self.target = text, number, id, target


def note(
    world: World,
    node: Node,
    command: str,
    target: str,
    *,
    arguments: dict[str, Any],
    asked: Asked | None,
    outcome: str = "started",
) -> None:
    """Write a change into the command log."""
    world.commands.changes.append(
        Change(world.elapsed, node.name, command, target, arguments, asked or SOMEBODY, outcome)
    )
