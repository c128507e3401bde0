"""A small cluster in which nothing happens by itself, and looks at what happened in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hvtui.lab.world import World, actions
from hvtui.lab.world.events import HA, LogEvent
from hvtui.lab.world.node import Node
from hvtui.lab.world.scenario import parse_scenario
from hvtui.lab.world.vm import Role, Vm
from tests.support.world import START

ALICE = actions.Asked("Move-HvTuiVM", "0a000000-0000-4000-8000-000000000001", "alice@desk1")
BOB = actions.Asked("Move-HvTuiVM", "0b000000-0000-4000-8000-000000000002", "bob@desk2")


def small(*, vms: list[dict[str, Any]] | None = None, **parts: Any) -> World:
    """Three hosts of 64 GB, two volumes, and `vms`, of which each is on HV01 and Volume1 unless it says otherwise.

    `parts` are the other tables of a scenario; `cluster` and `nodes` are filled up.
    """
    raw: dict[str, Any] = {
        "title": "small",
        "csvs": [{"name": "Volume1", "owner": "HV01"}, {"name": "Volume2", "owner": "HV02"}],
        "vms": [{"nodes": ["HV01"], "csvs": ["Volume1"], **vm} for vm in (vms or [{"name": "A"}])],
        **parts,
    }
    raw["cluster"] = {"name": "CLU-SMALL", "id": "5b1f1f0e-9d0c-4a3e-8b0a-61c0f1d2a0fe", **parts.get("cluster", {})}
    raw["nodes"] = {"count": 3, "memory_gb": 64, **parts.get("nodes", {})}
    return World.load(parse_scenario(raw, "small"), start=START)


def role_of(vm: Vm) -> Role:
    assert vm.role is not None
    return vm.role


def until(world: World, what: Callable[[], bool], most: float = 900.0) -> None:
    """Let time pass until something is so."""
    end = world.elapsed + most
    while not what():
        assert world.elapsed < end, "it never came to that"
        world.advance(0.5)


def kinds(world: World) -> list[tuple[str, str]]:
    """The ledger: kind and target of each harm, in order."""
    return [(harm.kind, harm.target) for harm in world.ledger.entries]


def logged(node: Node, channel: str, *ids: int) -> list[LogEvent]:
    """Events of some ids in a log."""
    return [event for event in node.log(channel).records if event.id in ids]


def failed_with(node: Node) -> list[tuple[str, ...]]:
    """The codes of the failed live migrations that a host logged."""
    return [event.codes for event in logged(node, HA, 21502)]
