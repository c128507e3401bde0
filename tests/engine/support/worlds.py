"""Clusters nobody thought of, and what may happen to them: Hypothesis' strategies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from hypothesis import strategies as st

from hvtui.lab.pwsh.commands.trouble import PARTS
from hvtui.lab.world import actions
from hvtui.lab.world.guests import KINDS
from hvtui.lab.world.scenario import RIGHTS, Scenario, parse_scenario
from hvtui.lab.world.world import World
from hvtui.model.enums import CheckpointType, NodeState, ReplicationMode, SnapshotType

_BUILDS: Final = ("10.0.14393.6614", "10.0.17763.5329", "10.0.20348.2762", "10.0.26100.1742")
_NAMES: Final = st.text(
    # What a name may hold: no control characters, no halves of characters.
    st.characters(exclude_categories=("Cs", "Cc")) | st.sampled_from("'\"`$()[]*?%_{}<>&;|\\,"),
    min_size=1,
    max_size=24,
).filter(lambda name: name.strip() == name)
_MODES: Final = sorted(ReplicationMode.__members__)


@st.composite
def scenarios(draw: st.DrawFn) -> Scenario:
    """A small cluster with anything in it that a scenario can say."""
    count = draw(st.integers(1, 3))
    nodes = [f"HV{i:02}" for i in range(1, count + 1)]
    csvs = [f"Volume{i}" for i in range(1, draw(st.integers(0, 3)) + 1)]
    raw: dict[str, Any] = {
        "title": "random",
        "seed": draw(st.integers(0, 2**31)),
        "cluster": {
            "name": "CLU-RANDOM",
            "id": "5b1f1f0e-9d0c-4a3e-8b0a-61c0f1d2afff",
            "witness": draw(st.sampled_from(["", "File Share Witness", "Physical Disk", "Cloud Witness"])),
            "functional_level": draw(st.integers(8, 12)),
            "max_parallel_migrations": draw(st.none() | st.integers(0, 8)),
            "enforced_anti_affinity": draw(st.integers(0, 1)),
        },
        "nodes": {
            "count": count,
            "build": draw(st.sampled_from(_BUILDS)),
            "memory_gb": draw(st.integers(64, 4096)),
            "processors": draw(st.integers(1, 512)),
            "max_migrations": draw(st.integers(0, 16)),
        },
        "node": [draw(_special(name)) for name in nodes if draw(st.booleans())],
        "csvs": [draw(_csv(name, nodes)) for name in csvs],
        "vms": [draw(_vm(nodes, csvs)) for _ in range(draw(st.integers(0, 6)))] if csvs else [],
    }
    return parse_scenario(raw, "random")


def _special(name: str) -> st.SearchStrategy[dict[str, Any]]:
    reasons = st.sampled_from(["timeout", "denied", "unavailable", "missing", "other"])
    return st.fixed_dictionaries(
        {"name": st.just(name)},
        optional={
            "clock_offset": st.integers(-90_000, 90_000),
            "language": st.sampled_from(["en", "fr"]),
            "paused": st.booleans(),
            "missing_rights": st.lists(st.sampled_from(RIGHTS), unique=True),
            "unreadable": st.dictionaries(st.sampled_from(sorted({*PARTS.values(), "events"})), reasons, max_size=3),
        },
    )


def _csv(name: str, nodes: list[str]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {"name": st.just(name)},
        optional={
            "size_gb": st.just(64_000),
            "free_gb": st.integers(0, 8000),
            "file_system": st.sampled_from(["NTFS", "ReFS"]),
            "owner": st.sampled_from(nodes),
            "no_direct_io": st.lists(st.sampled_from(nodes), unique=True),
            "redirected": st.booleans(),
        },
    )


def _vm(nodes: list[str], csvs: list[str]) -> st.SearchStrategy[dict[str, Any]]:
    checkpoint = st.fixed_dictionaries(
        {
            "type": st.sampled_from(sorted(SnapshotType.__members__)),
            "saved": st.booleans(),
            "age": st.integers(0, 10**7),
        }
    )
    return st.fixed_dictionaries(
        {"names": st.lists(_NAMES, min_size=1, max_size=3)},
        optional={
            "nodes": st.lists(st.sampled_from(nodes), min_size=1),
            "csvs": st.lists(st.sampled_from(csvs), min_size=1),
            "second_disk": st.sampled_from(csvs),
            "checkpoint_csv": st.sampled_from(csvs),
            "other_disks": st.lists(
                st.sampled_from(
                    ["D:\\local disk.vhdx", "\\\\fs1\\share\\a.vhdx", "Disk 7 2048 GB Bus 0 Lun 3 Target 1"]
                ),
                unique=True,
            ),
            "state": st.sampled_from(["Running", "Off", "Saved", "Paused"]),
            "guest": st.sampled_from(sorted(KINDS)),
            "dynamic": st.booleans(),
            "checkpoint_type": st.sampled_from(sorted(CheckpointType.__members__)),
            "checkpoints": st.lists(checkpoint, max_size=4),
            "clustered": st.booleans(),
            "priority": st.sampled_from([0, 1000, 2000, 3000]),
            "anti_affinity": st.lists(_NAMES, unique=True, max_size=2),
            "replication": st.sampled_from(_MODES),
            "backed_up": st.none() | st.integers(0, 10**7),
        },
    )


Step = tuple[str, int, int, float]
"""What is done, a number that chooses the node, one that chooses the VM, and the seconds that pass after it."""

_VERBS: Final = (
    "nothing",
    "migrate",
    "drain",
    "resume",
    "fail",
    "return",
    "restart_vmms",
    "off",
    "forget",
    "stop_vmms",
)
STEPS: Final[st.SearchStrategy[list[Step]]] = st.lists(
    st.tuples(st.sampled_from(_VERBS), st.integers(0, 99), st.integers(0, 99), st.sampled_from([6.0, 30.0, 400.0])),
    min_size=1,
    max_size=4,
)


def perform(world: World, step: Step, asked: str) -> None:
    """Do it, and let time pass; `asked` is the node that is watched, and stays up."""
    verb, first, second, seconds = step
    nodes = list(world.nodes.values())
    node = nodes[first % len(nodes)]
    vms = list(world.vms.values())
    vm = vms[second % len(vms)] if vms else None
    others: dict[str, Callable[[], object]] = {
        "drain": lambda: actions.drain(world, node),
        "resume": lambda: actions.resume(world, node),
        "restart_vmms": lambda: actions.restart_vmms(world, node),
    }
    if verb in others:
        others[verb]()
    elif verb == "fail" and node.name != asked and node.state == NodeState.Up:
        actions.fail_node(world, node)
    elif verb == "return" and node.faults.down:
        actions.return_node(world, node)
    elif verb == "stop_vmms":
        service = node.services["vmms"]
        service.state, service.started = ("Stopped", None) if service.state == "Running" else ("Running", world.elapsed)
        node.touch()
    elif vm is not None and verb == "migrate":
        actions.migrate(world, vm, node)
    elif vm is not None and verb == "off" and vm.running:
        vm.set_state(3)
    elif vm is not None and verb == "forget":
        vm.node.vms.pop(vm.id, None)
    world.advance(seconds)
