"""What a rule would like to know is asked of the nodes, once, and decides."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from hvtui.ui import finding_watch
from hvtui.ui.finding_watch import FindingWatch
from tests.support.desk import Stage
from tests.support.wait import until


async def test_the_logs_of_all_nodes_are_searched_once_for_a_fork_that_explains_a_layer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Looks are paced by the reader's own clock, which stands still between these.
    monkeypatch.setattr(finding_watch, "EVERY", 0.0)
    stage = Stage("obstacles", tmp_path)
    watch = FindingWatch(stage.nodes, stage.operations)
    stage.nodes.subscribe(watch.note)

    def rules() -> list[str]:
        watch.look()
        return [one.finding.rule for one in watch.engine.standing]

    def searched() -> int:
        return sum(function == "Get-HvTuiForkCommit" for _, function, _, _ in stage.nodes.sent)

    def go_on(what: Callable[[], bool]) -> Callable[[], bool]:
        def step() -> bool:
            stage.nodes.pump(10.0)
            watch.look()
            return what()

        return step

    try:
        assert rules() == ["avhdx-without-checkpoint"]
        await until(go_on(lambda: len(stage.operations.asked.fork) == len(stage.world.nodes)))
        await until(go_on(lambda: rules() == ["fork-not-committed"]))
        for _ in range(20):
            go_on(lambda: True)()
            await asyncio.sleep(0)
        assert searched() == len(stage.world.nodes)
        assert stage.nodes.changing() == []
    finally:
        watch.close()
        await stage.operations.close()
