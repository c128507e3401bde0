"""Before a backup window: how each CSV is reached, what is free on it, and shadow copies that exist already."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from hvtui.model.conditions import of_csv, of_io
from hvtui.model.enums import BackupState
from hvtui.model.placement import short_path
from hvtui.model.records import Csv
from hvtui.model.state import ClusterState
from hvtui.operations.readiness import Check, Verdict, count, some
from hvtui.operations.ready_nodes import taking_part
from hvtui.text import natural

LOW_PERCENT: Final = 10
"""Below it a volume may run full while checkpoints grow: the row of a CSV warns there, too."""
OLD: Final = timedelta(hours=4)
"""A shadow copy of a backup that is older than this was left, or is kept by a product."""
VOLUMES: Final = "volumes"
LEFTOVERS: Final = "leftovers"


def volume_checks(state: ClusterState) -> Iterator[Check]:
    """State, way and space of every CSV."""
    csvs = state.cluster.csvs
    if csvs is None:
        yield Check(area=VOLUMES, verdict=Verdict.UNKNOWN, text="the Cluster Shared Volumes could not be read")
        return
    well = []
    for csv in sorted(csvs.values(), key=lambda csv: natural(short_path(csv.path))):
        found = list(_volume(state, csv))
        yield from found
        if not found:
            well.append(csv)
    if well:
        least = min(csv.free * 100 // csv.size for csv in well if csv.size and csv.free is not None)
        yield Check(area=VOLUMES, verdict=Verdict.READY, text=f"{count(len(well), 'CSV')} reached directly or as "
                    f"{'its' if len(well) == 1 else 'their'} file system wants, at least {least} % free")  # fmt: skip


def _volume(state: ClusterState, csv: Csv) -> Iterator[Check]:
    name = short_path(csv.path)
    word = of_csv(csv)
    if word:
        yield Check(area=VOLUMES, verdict=Verdict.NOT, where=(name,), text=word)
    yield from _way(state, csv, name)
    if not csv.size or csv.free is None:
        yield Check(area=VOLUMES, verdict=Verdict.UNKNOWN, where=(name,), text="its free space could not be read")
    elif csv.free * 100 < LOW_PERCENT * csv.size:
        text = f"{csv.free / 2**30:.0f} GB free of {csv.size / 2**30:.0f}: checkpoints grow while they stand"
        yield Check(
            area=VOLUMES, verdict=Verdict.NOT, where=(name,), text=text, next="free space on it, or move a VM off"
        )


def _way(state: ClusterState, csv: Csv, name: str) -> Iterator[Check]:
    io = (state.cluster.io or {}).get(csv.volume or "")
    if io is None:
        yield Check(area=VOLUMES, verdict=Verdict.UNKNOWN, where=(name,), text="its I/O state could not be read")
        return
    ways: dict[str, list[str]] = {}
    for node, word in of_io(csv, io):
        if word:
            ways.setdefault(word, []).append(node)
    # A backup that runs redirects for a moment; that it runs is told elsewhere.
    runs = csv.backup == BackupState.InProgress
    for word, nodes in ways.items():
        verdict = Verdict.NOTE if runs and word == "redirected" else Verdict.NOT
        yield Check(area=VOLUMES, verdict=verdict, where=(name,), text=f"{word} from {some(nodes)}")
    if csv.redirected and not ways:
        yield Check(area=VOLUMES, verdict=Verdict.NOT, where=(name,), text="redirected access is turned on",
                    next="Resume-ClusterResource turns it off, once no backup needs it")  # fmt: skip


def shadow_checks(state: ClusterState) -> Iterator[Check]:
    """Shadow copies of backups that exist for long, or that nobody could list."""
    for view in taking_part(state):
        if view.vms is None:
            continue
        picture = view.shadows
        if picture is None or picture.shadows is None or picture.time is None:
            why = picture.failure if picture is not None and picture.failure else "not asked"
            yield Check(area=LEFTOVERS, verdict=Verdict.NOTE, where=(view.name,),
                        text=f"its shadow copies are not known: {why}")  # fmt: skip
            continue
        time = picture.time
        old = [one for one in picture.shadows
               if not one.client_accessible and one.created is not None and time - one.created > OLD]  # fmt: skip
        if old:
            since = min(one.created for one in old if one.created is not None)
            text = f"{len(old)} of {count(len(picture.shadows), 'shadow copy').replace('copys', 'copies')} older than "
            text += f"{OLD // timedelta(hours=1)} h, the oldest of {since:%Y-%m-%d %H:%M} UTC: left, or kept on purpose"
            yield Check(area=LEFTOVERS, verdict=Verdict.NOTE, where=(view.name,), text=text)
