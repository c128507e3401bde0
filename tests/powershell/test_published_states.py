"""Published states of Cluster Shared Volumes go through Watch-HvTuiCluster on an engine and keep their names."""

from __future__ import annotations

from typing import Final

import pytest

from hvtui.model.csv_state_text import read_csv_states
from hvtui.model.enums import BlockRedirectedIOReason, CsvIoState, FileSystemRedirectedIOReason, flags_of, name_of
from tests.powershell import worlds
from tests.powershell.engine import Runner, needs_engine
from tests.powershell.test_cluster_stream import VOLUME, frames
from tests.support.published import DATA

pytestmark = needs_engine
NUMBERS: Final = {
    "Direct": 2,
    "FileSystemRedirected": 3,
    "NotFileSystemRedirected": 0,
    "IncompatibleFileSystemFilter": 2,
    "FileSystemReFs": 32,
    "NotBlockRedirected": 0,
}
"""Of Windows' own enums, by the names that were published."""


@pytest.mark.parametrize("name", ["refs", "filter"])
def test_the_module_tells_the_numbers_of_published_names(runner: Runner, name: str) -> None:
    rows = read_csv_states((DATA / "csv_state" / f"{name}.txt").read_text("utf-8"))
    assert rows
    world = worlds.cluster()
    world["commands"]["Get-ClusterSharedVolumeState"] = [
        {
            "Node": row.node or "HV01",
            "VolumeName": VOLUME,
            "StateInfo": NUMBERS[row.state],
            "FileSystemRedirectedIOReason": NUMBERS[row.reason],
            "BlockRedirectedIOReason": NUMBERS[row.block],
        }
        for row in rows
    ]
    (frame,) = frames(runner, world)
    assert frame.errors == []
    (io,) = frame.io or []
    assert {
        (
            node,
            name_of(CsvIoState, state),
            flags_of(FileSystemRedirectedIOReason, reason, "NotFileSystemRedirected"),
            flags_of(BlockRedirectedIOReason, block, "NotBlockRedirected"),
        )
        for node, (state, reason, block) in io.nodes.items()
    } == {(row.node or "HV01", row.state, row.reason, row.block) for row in rows}
