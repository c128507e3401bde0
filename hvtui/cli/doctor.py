"""`hvtui doctor`: every node, step by step, and what mends what fails."""

from __future__ import annotations

import asyncio

from hvtui.cli.arguments import Arguments
from hvtui.cli.checks import Examined, examine
from hvtui.cli.connecting import choose, gate_for
from hvtui.cli.exits import Exit
from hvtui.cli.output import say
from hvtui.cli.rights import Step
from hvtui.clock import SystemClock
from hvtui.config import ClusterConfig
from hvtui.errors import RemoteError
from hvtui.model.records import ClusterFrame
from hvtui.remote.connect import Connector
from hvtui.remote.contract import WATCH_CLUSTER

_GLYPHS = {True: ("✓", "ok"), False: ("✗", "bad"), None: ("–", "dim")}


def run(arguments: Arguments) -> int:
    """0 when every step of every node is fine, 1 when one is not, 2 when no node could be read."""
    _, cluster = choose(arguments)
    connector = Connector(cluster, gate_for(cluster))
    found = asyncio.run(_examine_all(cluster, connector))
    for examined in found:
        _show(examined, verbose=arguments.verbose)
    bad = sum(not examined.fine for examined in found)
    say(f"{len(found)} nodes: {len(found) - bad} fine, {bad} not", "bad" if bad else "ok")
    if all(examined.info is None for examined in found):
        return Exit.NOTHING
    return Exit.WRONG if bad else Exit.FINE


async def _examine_all(cluster: ClusterConfig, connector: Connector) -> list[Examined]:
    """The configured nodes first; then those that only the cluster names."""
    clock = SystemClock()
    named = list({node.lower(): node for node in (*cluster.seeds, *cluster.addresses)}.values())
    found = list(await asyncio.gather(*(examine(cluster, node, connector, clock) for node in named)))
    known = {node.lower() for node in named}
    others = [node for node in await _members(found, connector) if node.lower() not in known]
    return found + list(await asyncio.gather(*(examine(cluster, node, connector, clock) for node in others)))


async def _members(found: list[Examined], connector: Connector) -> list[str]:
    """Names of the cluster's nodes, as the first node says that can; empty when none can."""
    for examined in found:
        if examined.info is None or not examined.info.rights.get("cluster"):
            continue
        lane = connector.lane(examined.node, "members")
        try:
            async with asyncio.timeout(20), lane.stream(WATCH_CLUSTER, {"Count": 1}) as stream:
                async for frame in stream:
                    assert isinstance(frame, ClusterFrame)
                    return [node.name for node in frame.nodes or ()]
        except (RemoteError, TimeoutError):
            continue
        finally:
            await lane.close()
    return []


def _show(examined: Examined, *, verbose: bool) -> None:
    """One line for a node where all is fine, every step of one where something is not."""
    if examined.fine and not verbose:
        said = {step.name: step.text for step in examined.steps}
        parts = [said.get(name, "") for name in ("address", "module", "Windows", "clock")]
        say(f"✓ {examined.node}  {' · '.join(part for part in parts if part)}", "ok")
        return
    say(examined.node, "" if examined.fine else "bad")
    for step in examined.steps:
        _show_step(step)
    say()


def _show_step(step: Step) -> None:
    glyph, mood = _GLYPHS[step.ok]
    say(f"  {glyph} {step.name:<15} {step.text}", mood)
    if step.fix:
        say(f"      → {step.fix}")
