"""What the nodes of a world really did on behalf of which operation."""

from __future__ import annotations

from collections import Counter

from hvtui.lab.world import World


def executed(world: World) -> Counter[tuple[str, str, str]]:
    """How often Windows began a change, by operation id, function and target; what it refused does not count.

    Changes that nobody gave an operation id (a colleague's, the scenario's) are left out.
    """
    return Counter(
        (change.asked.operation, change.asked.function, change.target)
        for change in world.commands.changes
        if change.asked.operation and change.outcome != "refused"
    )
