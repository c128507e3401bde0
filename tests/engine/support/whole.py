"""What a console that has read everything there is would still have to read from a lab."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from hvtui.lab.serve import Lab
from hvtui.live.monitor import Monitor
from hvtui.model.link import LinkStatus
from hvtui.model.views import NodeView
from hvtui.remote.contract import CHANNELS

PARTS: Final = ("host", "vms", "files", "jobs", "load", "info", "providers")


def unread(
    feed: Monitor, lab: Lab, nodes: Iterable[str] = (), otherwise: Mapping[str, LinkStatus] | None = None
) -> Iterator[str]:
    """Names what is neither read nor refused with a reason; `otherwise`: nodes that cannot be live, and what they are.

    `nodes`: which are looked at, all of the lab's without it.

    Of a node that hangs, what answers is awaited, too; one that is no use or not there shows nothing.
    """
    cluster = feed.state.cluster
    if cluster.link.status is not LinkStatus.LIVE or None in (cluster.nodes, cluster.csvs, cluster.roles, cluster.io):
        yield "cluster"
    newest = lab.call(
        lambda world: {
            (name, channel): max((event.record for event in log.records), default=0)
            for name, node in world.nodes.items()
            for channel, log in node.logs.items()
        }
    )
    for name in nodes or lab.addresses:
        view = feed.state.nodes.get(name)
        wanted = (otherwise or {}).get(name, LinkStatus.LIVE)
        if view is None or view.link.status is not wanted:
            yield name
            continue
        if wanted in {LinkStatus.UNUSABLE, LinkStatus.UNREACHABLE}:
            continue
        yield from (f"{name} {part}" for part in _parts(view))
        events = feed.state.events
        for channel in CHANNELS:
            read = events.coverage(name, channel)[1] is not None
            behind = not read or events.position(name, channel) < newest.get((name, channel), 0)
            if behind and not events.error(name, channel):
                yield f"{name} {channel}"


def _parts(view: NodeView) -> Iterator[str]:
    told = {problem.part.split(".")[0] for problem in view.problems}
    yield from (part for part in PARTS if getattr(view, part) is None and part not in told)
    if view.info is not None and not view.info.rights:
        yield "rights"
    writers = view.writers
    # vssadmin is refused to who is not elevated; any other failure of it passes by.
    refused = view.info is not None and view.info.rights.get("elevated") is False
    if writers is None or writers.reading or not (writers.writers or (refused and writers.failure)):
        yield "writers"
