"""The record that a change leaves in the node's Application log, so that everybody else sees it."""

from __future__ import annotations

from typing import Final

from hvtui.lab.world.event_texts import APPLICATION, INFORMATION
from hvtui.lab.world.events import LogEvent
from hvtui.lab.world.node import Node
from hvtui.lab.world.world import World
from hvtui.remote.contract import RECORD_IDS

PROVIDER: Final = "HvTui"
_LARGEST_STEP: Final = 9


def record_text(function: str, operation: str, actor: str, command: str) -> str:
    """What the record says: one line each."""
    return f"hvtui: {function}\noperation: {operation.lower()}\nactor: {actor}\ncommand: {command}"


def write_record(world: World, node: Node, function: str, text: str) -> None:
    """Write it; raises PermissionError when the account may not."""
    write_event(world, node, PROVIDER, RECORD_IDS[function], text)


def write_event(world: World, node: Node, source: str, id: int, text: str) -> None:
    """An information record of any source. The log belongs to all programs: record numbers jump."""
    if "elevated" in node.faults.rights:
        raise PermissionError(source)
    node.event_sources.add(source)
    log = node.log(APPLICATION)
    record = log.newest + 1 + int(world.scatter(log.newest, id) * _LARGEST_STEP)
    log.add(
        LogEvent(
            record=record,
            id=id,
            level=INFORMATION,
            time=world.time_of(node),
            provider=source,
            vm=None,
            vm_name=None,
            codes=(),
            data={"1": text},
            text=text,
        )
    )
