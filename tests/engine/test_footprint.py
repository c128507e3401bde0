"""What a round asks and sends is the same in every run; what it costs is measured by `python -m tests.footprint`."""

from __future__ import annotations

import pytest

from tests.engine.stub_session import engine
from tests.engine.support.stage import Stage
from tests.footprint.measure import ROUNDS, measure
from tests.support.fuller import FULLER

QUESTIONS = {
    # Every round VMs and three kinds of job; of 45 rounds (90 s) settings and services 15 each, load 9 times three
    # questions, integration services 3 times two, disks 3 times three, migration limits 3 times.
    "Watch-HvTuiNode": (4 * 45 + 15 + 15 + 9 * 3 + 3 * 2 + 3 * 3 + 3, 0),
    # Every round nodes, groups, resources and CSVs; 9 times the private properties. The cluster with its quorum and the
    # I/O state 9 times, volumes and nodes 3 times.
    "Watch-HvTuiCluster": (4 * 45 + 9, 9 * 2 + 9 + 3 + 3),
}


@pytest.mark.parametrize("function", QUESTIONS if FULLER else list(QUESTIONS)[-1:])
def test_rounds_ask_in_bulk_and_send_next_to_nothing_while_nothing_changes(function: str) -> None:
    with Stage(engine()) as stage:
        few, many = (measure(stage, function, vms, 0.0) for vms in (4, 40))
        changed = measure(stage, function, 40, 0.1)
    for row in (few, many):
        assert (row.queries * ROUNDS, row.commands * ROUNDS) == pytest.approx(QUESTIONS[function])
        assert row.sent < 300
    assert many.objects > few.objects
    assert changed.sent > 2 * many.sent
