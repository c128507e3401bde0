"""Where acknowledgements are kept: a file for each cluster, by its id, in the state folder."""

from __future__ import annotations

from pathlib import Path

from hvtui.findings.standing import Acknowledged
from hvtui.model.state import ClusterState
from hvtui.paths import state_dir


def acknowledged_path(cluster_id: str, folder: Path | None = None) -> Path:
    """The file of a cluster; `folder` is the state folder."""
    safe = "".join(char if char.isalnum() or char in "-_" else "_" for char in cluster_id)
    return (folder or state_dir()) / "acknowledged" / f"{safe}.json"


def acknowledged_of(state: ClusterState, folder: Path | None = None) -> Acknowledged:
    """What is kept of the cluster of a state; in memory only while its id is unknown."""
    info = state.cluster.info
    return Acknowledged() if info is None else Acknowledged.load(acknowledged_path(info.id, folder))
