"""Isolations that this console began: what must be known of their start to count backups since then."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from hvtui.live.feed import Feed
from hvtui.operations.backup_tally import BackupTally, tally
from hvtui.operations.plan import Plan, Target
from hvtui.ui.targets import vm_targets


@dataclass(frozen=True)
class Isolation:
    """VMs gathered on a node at a time of its clock; `before` is when each was last backed up then."""

    node: str
    since: datetime
    control: str
    names: dict[str, str]
    before: dict[str, datetime | None]


def isolation_of(feed: Feed, plan: Plan, suspects: Iterable[Target]) -> Isolation | None:
    """Taken down as the moves begin; None when the node's clock is not known.

    `suspects` are those that were asked for: who is on the node already is not moved, and counts all the same.
    """
    state, node, control = feed.state, plan.options.get("node", ""), plan.options.get("control", "")
    view = state.nodes.get(node)
    since = view.link.node_now(feed.clock.monotonic()) if view is not None else None
    if since is None:
        return None
    targets = (*suspects, *vm_targets(state, [control] if control else []))
    names = {target.id: target.name for target in targets}
    before = {key: found[1].last_backup if (found := state.vm(key)) is not None else None for key in names}
    return Isolation(node, since, control, names, before)


def tally_of(feed: Feed, one: Isolation) -> BackupTally:
    """How backups of these VMs ended since then, as the picture tells now."""
    return tally(feed.state, node=one.node, since=one.since, control=one.control, names=one.names, before=one.before)
