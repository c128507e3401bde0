"""Commands that change something on nodes of a test's own: the session they open, without a network."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from hvtui.cli.acting import session as sessions
from hvtui.cli.acting.session import Session
from hvtui.cli.operating import actor_of
from hvtui.config import ClusterConfig, Config
from hvtui.journal.store import Journal
from hvtui.operations.nodes import Watcher
from hvtui.operations.pace import Pace
from hvtui.operations.service import Operations
from hvtui.remote.credentials import CredentialGate

CONFIG = """\
[clusters.test]
seeds = ["HV01"]
template = "{node}.invalid"
password = { env = "HVTUI_TEST_PASSWORD" }
"""
"""Of a cluster that is never contacted; the network guard would tell."""


def use_nodes(patch: pytest.MonkeyPatch, nodes: Any) -> None:
    """Let commands work on these nodes, whose clock may stand still: nothing is waited for."""
    patch.setenv("HVTUI_TEST_PASSWORD", "not used")

    @asynccontextmanager
    async def opened(config: Config, cluster: ClusterConfig, gate: CredentialGate) -> AsyncIterator[Session]:
        operations = Operations(
            nodes,
            Journal(),
            config=cluster,
            actor=actor_of("cli", "CORP\\alice"),
            clock=nodes.clock,
            file=str(config.path),
            pace=Pace(fresh=0.0),
        )
        watcher = Watcher(nodes, 0.01)
        await operations.open()
        try:
            yield Session(cluster, nodes, nodes.clock, operations, watcher)
        finally:
            watcher.close()
            await operations.close()

    patch.setattr(sessions, "open_session", opened)
