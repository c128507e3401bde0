"""Lines for the journal's tests."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hvtui.journal.entry import Entry, Kind, Who

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
ALICE = Who(user="alice", account="CORP\\alice", machine="PC7", pid=4711, front="console")


def entry(kind: Kind = Kind.NOTE, **more: Any) -> Entry:
    """A line of alice's; every field may be another."""
    fields: dict[str, Any] = {"time": NOON, "who": ALICE, "session": "", "cluster_id": "id-1", "cluster": "CLU"}
    return Entry(kind=kind, **(fields | more))
