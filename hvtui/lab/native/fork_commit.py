"""Get-HvTuiForkCommit out of the world: signs of a fork that was not committed, in the whole of two logs."""

from __future__ import annotations

from typing import Any, Final

from hvtui.lab.native.calls import log_trouble
from hvtui.lab.native.problems import problem
from hvtui.lab.native.stream import stamp, wire
from hvtui.lab.world.event_texts import VMMS, WORKER
from hvtui.lab.world.events import LogEvent
from hvtui.lab.world.node import Node
from hvtui.lab.world.world import World
from hvtui.remote.contract import WIRE

FORK_EVENT: Final = 3216
FORK_CODES: Final = ("0x80048102", "0x800480bd", "0x800480bc", "0x800703ee")
MOST_SIGNS: Final = 2000


def fork_commit(world: World, node: Node, cpu_ms: int = 0) -> str:
    """The whole answer."""
    errors: list[dict[str, str]] = []
    signs: list[dict[str, Any]] | None = []
    searched: list[dict[str, Any]] = []
    for channel in (VMMS, WORKER):
        trouble = log_trouble(node)
        if trouble is not None:
            errors.append(problem(channel, trouble))
            searched.append({"channel": channel, "oldest": None, "wrapped": None})
            signs = None
            continue
        log = node.log(channel)
        oldest = None if log.empty else stamp(log.first_time or world.time_of(node))
        searched.append({"channel": channel, "oldest": oldest, "wrapped": not log.empty and log.first > 1})
        if signs is not None:
            signs += [_sign(channel, event) for event in log.records if _is_sign(event)]
    answer = {
        "v": WIRE,
        "time": stamp(world.time_of(node)),
        "cpu_ms": cpu_ms,
        "signs": signs,
        "searched": searched,
        "errors": errors,
    }
    return wire(answer).decode()


def _code(event: LogEvent) -> str:
    """The first of the four codes that the event carries."""
    return next((code for code in event.codes if code in FORK_CODES), "")


def _is_sign(event: LogEvent) -> bool:
    return event.id == FORK_EVENT or bool(_code(event))


def _sign(channel: str, event: LogEvent) -> dict[str, Any]:
    return {
        "vm": event.vm or "",
        "channel": channel,
        "record": event.record,
        "id": event.id,
        "time": stamp(event.time),
        "code": _code(event),
    }
