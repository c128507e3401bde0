"""What every front end that changes something needs: the operations of a cluster, with who acts and the journal."""

from __future__ import annotations

import getpass
import os
import platform
from pathlib import Path

from hvtui.config import ClusterConfig
from hvtui.journal.store import Journal
from hvtui.live.monitor import Monitor
from hvtui.operations.audit import Actor
from hvtui.operations.service import Operations
from hvtui.remote.credentials import CredentialGate


def actor_of(front: str, account: str) -> Actor:
    """Who acts here: `front` is `console` or `cli`, `account` what the nodes are asked with."""
    return Actor(user=user_name(), machine=platform.node() or "?", pid=os.getpid(), front=front, account=account)


def user_name() -> str:
    """The user of this machine; `?` where the system does not tell."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "?"


def operations_of(
    monitor: Monitor,
    cluster: ClusterConfig,
    gate: CredentialGate,
    *,
    front: str,
    file: Path | None,
    journal: Path | None = None,
) -> Operations:
    """`file` is the configuration, named where a line of it would allow changes; `journal` another folder."""
    return Operations(
        monitor,
        Journal(journal, secrets=gate.secrets),
        config=cluster,
        actor=actor_of(front, gate.username),
        clock=monitor.clock,
        file=str(file) if file is not None else "",
    )
