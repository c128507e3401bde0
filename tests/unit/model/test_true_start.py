"""A console that is opened late knows when the trouble began: from the events the nodes still hold."""

from __future__ import annotations

import pytest

from hvtui.model.durations import writer_key
from hvtui.model.state import ClusterState
from hvtui.model.writer_catalog import HYPER_V
from tests.support.world import START, DirectFeed


def first_failure(state: ClusterState, node: str, after: float) -> float:
    """Seconds into the scenario of the first 10102 on a node later than `after`."""
    seconds = ((item.event.time - START).total_seconds() for item in state.events.of([10102]) if item.node == node)
    return min(second for second in seconds if second >= after)


@pytest.mark.parametrize(
    ("minutes", "restarted"),
    [
        (10, 0),  # the job loops, the writer says Retryable error
        (60, 0),  # the job was killed, the writer says Unexpected error
        (120, 102),  # VMMS was restarted in between, and the next run failed again
    ],
)
def test_the_stuck_writer_is_stuck_since_its_first_failed_guest(minutes: int, restarted: int) -> None:
    feed = DirectFeed.load("stuck-writer", at=minutes * 60)
    feed.pump(writers=True)
    picture = feed.state.node("HV03").writers
    assert picture is not None
    key = writer_key("HV03", next(writer for writer in picture.writers if writer.id == HYPER_V))
    since = feed.state.history.since(feed.state, key)
    assert since is not None
    assert since.event is not None
    assert (since.event.event.id, since.event.node) == (10102, "HV03")
    began = (since.time - START).total_seconds()
    assert began == first_failure(feed.state, "HV03", restarted * 60)
    assert feed.state.history.text(feed.state, key, START.tzinfo) == f"since {since.time:%H:%M} (event)"
