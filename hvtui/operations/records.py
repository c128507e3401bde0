"""Records that hvtui's changes leave in the nodes' Application logs: who changed what, seen by every other hvtui.

A record is four lines, whatever the node's language (docs/mutations.md): function, operation, actor, command.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

import msgspec

from hvtui.model.events import NodeEvent
from hvtui.model.state import ClusterState

PROVIDER: Final = "HvTui"
IDS: Final = frozenset(range(4101, 4115))
STOP: Final = "Stop-HvTuiService"
START: Final = "Start-HvTuiService"
_LINE: Final = re.compile(r"^(hvtui|operation|actor|command): (.*)$")
_SERVICE: Final = re.compile(r"\bName = '([^']*)'")


class ChangeRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One change, as its node recorded it before it was made."""

    node: str
    time: datetime
    function: str
    operation: str
    actor: str
    command: str

    @property
    def service(self) -> str:
        """The service that was stopped or started; empty for another change."""
        found = _SERVICE.search(self.command) if self.function in {STOP, START} else None
        return found[1] if found is not None else ""


def record_of(found: NodeEvent) -> ChangeRecord | None:
    """The record in an event; None for an event that is none, whatever it claims to be."""
    event = found.event
    if event.provider != PROVIDER or event.id not in IDS:
        return None
    parts: dict[str, str] = {}
    for line in (event.text or event.data.get("1", "")).splitlines():
        match = _LINE.match(line.strip())
        if match is not None:
            parts.setdefault(match[1], match[2])
    if "hvtui" not in parts:
        return None
    return ChangeRecord(
        node=found.node,
        time=event.time,
        function=parts["hvtui"],
        operation=parts.get("operation", ""),
        actor=parts.get("actor", ""),
        command=parts.get("command", ""),
    )


def records(state: ClusterState) -> list[ChangeRecord]:
    """All records in the events that were read, oldest first on each node."""
    found = [record for event in state.events.of(sorted(IDS)) if (record := record_of(event)) is not None]
    return sorted(found, key=lambda record: record.time)


def stopped_services(state: ClusterState) -> dict[str, ChangeRecord]:
    """`NODE/service` in lower case → the record of the stop, where no start came after it.

    A record is written before the change: whoever looks reads the service itself before acting.
    """
    stopped: dict[str, ChangeRecord] = {}
    for record in records(state):
        key = f"{record.node}/{record.service}".lower()
        if record.service and record.function == STOP:
            stopped[key] = record
        elif record.service:
            stopped.pop(key, None)
    return stopped
