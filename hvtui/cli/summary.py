"""`hvtui summary`: the incident for a ticket. What was seen, what hvtui did, what is open."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from hvtui.cli.arguments import Arguments
from hvtui.cli.connecting import choose, gate_for
from hvtui.cli.exits import Exit
from hvtui.cli.output import complain, say, show_json
from hvtui.cli.picture_json import time_json
from hvtui.clock import SystemClock
from hvtui.errors import InputError
from hvtui.journal.entry import Entry
from hvtui.journal.store import Journal, JournalError
from hvtui.journal.unfinished import Unfinished, stopped_services, unfinished
from hvtui.live.picture import take_picture
from hvtui.live.pins import Pins
from hvtui.model.state import ClusterState
from hvtui.operations.summary import Incident, done_of_journal, incident, open_of, text_of
from hvtui.paths import state_dir


def run(arguments: Arguments) -> int:
    """0 told, 1 something could not be read (the text says what), 2 nothing could be read."""
    config, cluster = choose(arguments)
    pins = Pins(state_dir(), config.path)
    picture = asyncio.run(take_picture(cluster, gate_for(cluster), pins=pins, writers=arguments.writers))
    now = datetime.now(UTC)
    entries, left, stopped = _journal(picture.state, now - timedelta(seconds=arguments.since))
    told = incident(
        picture.state,
        title=cluster.name,
        made=now,
        monotonic=SystemClock().monotonic(),
        done=done_of_journal(entries),
        still_open=open_of((), left, stopped),
    )
    if arguments.json:
        show_json(_json(told))
    else:
        for line in text_of(told).rstrip("\n").split("\n"):
            say(line)
    for one in picture.unread:
        complain(f"not read: {one.node or 'cluster'}, {one.what}: {one.text}")
    if picture.empty:
        return Exit.NOTHING
    return Exit.WRONG if picture.unread else Exit.FINE


def _journal(state: ClusterState, since: datetime) -> tuple[list[Entry], list[Unfinished], list[str]]:
    """What the journal has of this cluster: lines since then, operations without an end, nodes without VMMS."""
    info = state.cluster.info
    if info is None:
        return [], [], []
    journal = Journal()
    try:
        lines = [line.entry for line in journal.lines()]
        left = unfinished(journal, info.id)
        stopped = stopped_services(journal, info.id)
    except JournalError as error:
        raise InputError(error.text, hint=error.hint) from error
    finally:
        journal.close()
    entries = [entry for entry in lines if entry.cluster_id == info.id and entry.time >= since]
    nodes = [state.node_name(key.partition("/")[0]) for key in stopped if key.endswith("/vmms")]
    return entries, left, [node for node in nodes if _is_stopped(state, node)]


def _is_stopped(state: ClusterState, node: str) -> bool:
    view = state.nodes.get(node)
    return view is not None and view.host is not None and view.host.vmms == "Stopped"


def _json(told: Incident) -> dict[str, Any]:
    """The object of docs/summary.schema.json."""
    return {
        "cluster": told.cluster,
        "made": time_json(told.made),
        "oldest_seconds": None if told.age is None else round(told.age, 1),
        "seen": list(told.seen),
        "done": [
            {
                "time": time_json(one.time),
                "text": one.text,
                "outcome": one.outcome,
                "details": list(one.details),
            }
            for one in told.done
        ],
        "open": list(told.open),
    }
