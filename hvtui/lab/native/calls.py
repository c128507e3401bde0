"""The calls that answer once: who the node is, its events, its VSS providers, its writers' text."""

from __future__ import annotations

from datetime import timedelta
from itertools import islice
from typing import Any, Final

from hvtui.lab.native.problems import LOG_DENIED, Trouble, cluster_trouble, hyperv_trouble, part_trouble, problem
from hvtui.lab.native.stream import stamp, wire
from hvtui.lab.native.vssadmin_text import vssadmin_text
from hvtui.lab.world.events import LogEvent
from hvtui.lab.world.node import Node
from hvtui.lab.world.world import World
from hvtui.remote.contract import CONTRACT, WIRE

_OLDEST_BUILD: Final = 14393
_MODULES: Final = {"FailoverClusters": "2.0.0.0", "Hyper-V": "2.0.0.0"}


def info(world: World, node: Node, part: str, cpu_ms: int = 0, *, contract: str = CONTRACT) -> str:
    """Get-HvTuiInfo of a module of that version; `Basic` asks neither VMMS nor the cluster service."""
    faults = node.faults
    number = int(node.build.split(".")[2])
    services = {name: node.services[name].state for name in ("vmms", "ClusSvc", "VSS")}
    if faults.not_hyperv:
        del services["vmms"]
    elevated = "elevated" not in faults.rights
    rights: dict[str, bool | None] = {
        "elevated": elevated, "hyperv": None, "cluster": None, "events": None,
        "vss": elevated,
    }  # fmt: skip
    answer: dict[str, Any] = {
        "v": WIRE,
        "contract": contract,
        "node": node.name,
        "time": stamp(world.time_of(node)),
        "cpu_ms": cpu_ms,
        "build": node.build.rsplit(".", 1)[0],
        "supported": number >= _OLDEST_BUILD,
        "ps_version": "5.1." + ".".join(node.build.split(".")[2:]) if number >= _OLDEST_BUILD else "4.0",
        "cluster_id": None,
        "cluster_name": None,
        "functional_level": None,
        "modules": {},
        "services": services,
        "rights": rights,
        "errors": [],
    }
    if part == "All":
        modules = {"HvTui": contract, **_MODULES}
        if faults.not_hyperv:
            del modules["Hyper-V"]
        answer["modules"] = modules
        errors: list[dict[str, str]] = answer["errors"]
        rights["hyperv"] = _right("hyperv", hyperv_trouble(node), errors)
        trouble = cluster_trouble(node)
        rights["cluster"] = _right("cluster", trouble, errors)
        rights["events"] = _right("events", log_trouble(node), errors)
        trouble = trouble or part_trouble(node, "cluster")
        if trouble is None:
            facts = world.cluster
            answer |= {
                "cluster_id": facts.id,
                "cluster_name": facts.name,
                "functional_level": facts.functional_level,
            }
        else:
            errors.append(problem("cluster", trouble))
    return wire(answer).decode()


def log_trouble(node: Node) -> Trouble | None:
    """What a question to the event log runs into."""
    trouble = part_trouble(node, "events")
    refused = "events" in node.faults.rights or (trouble is not None and trouble.kind == "denied")
    return LOG_DENIED if refused else trouble


def _right(name: str, trouble: Trouble | None, errors: list[dict[str, str]]) -> bool | None:
    """True, False when it was refused, None when something else was in the way; the reason goes to the errors.

    VMMS and the cluster refuse by an empty answer, which is no error.
    """
    if trouble is None:
        return True
    denied = trouble.kind == "denied"
    if not denied or name == "events":
        errors.append(problem(f"rights.{name}", trouble))
    return False if denied else None


def waits_for_hung(node: Node, part: str) -> bool:
    """Get-HvTuiInfo runs into a deadline: something it asks does not answer."""
    return part == "All" and any(
        t is not None and t.kind == "timeout" for t in (hyperv_trouble(node), cluster_trouble(node))
    )


def providers(world: World, node: Node, cpu_ms: int = 0) -> str:
    """Get-HvTuiProvider."""
    trouble = part_trouble(node, "providers")
    listed = [{"id": p.id, "name": p.name, "type": p.type, "version": p.version} for p in node.providers]
    return wire(
        {
            "v": WIRE,
            "time": stamp(world.time_of(node)),
            "cpu_ms": cpu_ms,
            "providers": None if trouble else listed,
            "errors": [problem("providers", trouble)] if trouble else [],
        }
    ).decode()


def event_page(
    world: World, node: Node, *, channel: str, after: int = 0, hours: int = 24, most: int = 200, cpu_ms: int = 0
) -> str:
    """Get-HvTuiEvent: a bounded piece of one channel by record position, or of the last hours by the node's clock."""
    now = world.time_of(node)
    page: dict[str, Any] = {
        "v": WIRE,
        "time": stamp(now),
        "cpu_ms": cpu_ms,
        "channel": channel,
        "oldest_record": None,
        "oldest_time": None,
        "newest_record": None,
        "wrapped": None,
        "more": False,
        "events": None,
        "errors": [],
    }
    trouble = log_trouble(node)
    if trouble is not None:
        page["errors"] = [problem("events", trouble)]
        return wire(page).decode()
    log = node.log(channel)
    if log.empty:
        page["wrapped"] = after > 0
        page["events"] = []
        return wire(page).decode()
    page |= {"oldest_record": log.first, "oldest_time": stamp(log.first_time or now), "newest_record": log.newest}
    if after == 0:
        page["wrapped"] = log.first > 1
        since = now - timedelta(hours=hours)
        found = (event for event in log.records if event.time >= since)
    elif log.newest < after:
        page["wrapped"] = True
        found = (event for event in log.records)
    else:
        page["wrapped"] = log.first > after + 1
        found = (event for event in log.records if event.record > after)
    events = list(islice(found, most + 1))
    page["more"] = len(events) > most
    page["events"] = [_event(channel, event) for event in events[:most]]
    return wire(page).decode()


def _event(channel: str, event: LogEvent) -> dict[str, Any]:
    return {
        "channel": channel,
        "record": event.record,
        "id": event.id,
        "level": event.level,
        "time": stamp(event.time),
        "provider": event.provider,
        "vm": event.vm,
        "vm_name": event.vm_name,
        "codes": list(event.codes),
        "data": event.data,
        "text": event.text[:4000],
    }


def writer_blocked(world: World, node: Node) -> bool:
    """vssadmin waits: a snapshot is being made, or VSS hangs (windows.md §4.7)."""
    return node.faults.vssadmin_hung or world.elapsed < node.freeze_until


def writer_text(
    world: World,
    node: Node,
    *,
    waited: float = 0.0,
    timeout: int = 120,
    busy: bool = False,
    hung: bool = False,
    cpu_ms: int = 0,
) -> str:
    """Get-HvTuiWriter after `waited` seconds; `hung`: the deadline passed, `busy`: another read was running."""
    answer: dict[str, Any] = {
        "v": WIRE,
        "time": stamp(world.time_of(node)),
        "cpu_ms": cpu_ms,
        "duration_ms": 0,
        "text": None,
        "exit_code": None,
        "timed_out": False,
        "busy": False,
        "errors": [],
    }
    if busy:
        answer["busy"] = True
        text = "another hvtui session reads the writers of this node at this moment"
        answer["errors"] = [problem("writers", Trouble("unavailable", text, ""))]
    elif "elevated" in node.faults.rights:
        answer |= {"duration_ms": 40, "exit_code": 2, "text": NOT_ELEVATED}
        answer["errors"] = [problem("writers", Trouble("denied", "vssadmin ended with exit code 2", ""))]
    elif hung:
        answer |= {"timed_out": True, "duration_ms": timeout * 1000}
        text = f"vssadmin gave no answer in {timeout} s and was ended"
        answer["errors"] = [problem("writers", Trouble("timeout", text, ""))]
    else:
        # Each writer does work when it is asked to identify itself: about a second in all.
        base = 600 + int(1400 * world.scatter(node.number, int(world.elapsed)))
        answer |= {"duration_ms": base + int(waited * 1000), "exit_code": 0, "text": vssadmin_text(node)}
    return wire(answer).decode()


NOT_ELEVATED: Final = (
    "vssadmin 1.1 - Volume Shadow Copy Service administrative command-line tool\r\n"
    "(C) Copyright 2001-2013 Microsoft Corp.\r\n\r\n"
    "Error: You don't have the correct permissions to run this command.  Please run this utility from a command\r\n"
    "window that has elevated administrator privileges.\r\n"
)
