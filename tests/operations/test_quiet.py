"""How long a node is known to be quiet, as a plan is told it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import msgspec

from hvtui.config import ClusterConfig
from hvtui.journal.store import Journal
from hvtui.model.change import Change
from hvtui.model.link import LinkStatus
from hvtui.operations.backup_state import QUIET
from hvtui.operations.service import Operations
from tests.support.acting import ACTOR, ActingFeed


async def test_a_node_that_came_a_moment_ago_counts_with_what_its_log_tells(tmp_path: Path) -> None:
    """A command plans as soon as it has its first picture, right after the last look at the nodes."""
    feed = ActingFeed()
    view = feed.state.node("HV01")
    live = view.link
    view.link = msgspec.structs.replace(live, status=LinkStatus.CONNECTING)
    config = ClusterConfig(name="test", seeds=("HV01",), actions=True)
    operations = Operations(feed, Journal(tmp_path / "journal"), config=config, actor=ACTOR, clock=feed.clock)
    feed.tell(Change(links={"HV01"}))
    assert operations.facts().quiet["HV01"] == timedelta(0)
    view.link = live
    assert operations.facts().quiet["HV01"] == QUIET
    await operations.close()
