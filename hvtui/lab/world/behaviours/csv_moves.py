"""CSV ownership moves between nodes, as the cluster balances it (windows.md §1.10)."""

from __future__ import annotations

from hvtui.lab.world import events
from hvtui.lab.world.clock import Process
from hvtui.lab.world.node import Node
from hvtui.lab.world.scenario import CsvMovesPart, seconds
from hvtui.lab.world.storage import Csv
from hvtui.lab.world.world import World


def move_csv(world: World, csv: Csv, target: Node) -> bool:
    """Make another node the coordinator; its VMs stay where they are. False when a snapshot vetoes it (event 5147)."""
    if csv.snapshotting:
        events.emit(world, csv.owner, events.SYSTEM, 5147, ResourceName=csv.resource)
        return False
    csv.owner = target
    csv.touch()
    return True


def balance(world: World, part: CsvMovesPart, name: str) -> Process:
    """Move a CSV away and home again."""
    chance = world.rng(f"csv moves {name}")
    every = seconds(part.every)
    yield seconds(part.start)
    while True:
        targets = world.up_nodes()
        quiet = [csv for csv in world.csvs.values() if not csv.backups and csv.owner.up]
        if len(targets) > 1 and quiet:
            csv = chance.choice(quiet)
            home = csv.owner
            move_csv(world, csv, chance.choice([node for node in targets if node is not home]))
            yield every * (0.3 + 0.4 * chance.random())
            if home.up:
                move_csv(world, csv, home)
        yield every * (0.6 + 0.8 * chance.random())
