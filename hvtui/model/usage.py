"""What hvtui costs a node: what it asked of it and moved over the network in the last minute."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Usage:
    """Sums over the last `seconds`, which are fewer than a minute just after the first contact.

    `calls`: function → calls that were started; a stream is one. `rounds`: stream → messages, each of them a round of
    questions to Windows. `cpu_ms`: processor time of hvtui's own sessions, in milliseconds, not that of Windows'
    services; None when no session told it. `untold`: purposes of the open sessions that did not tell theirs.
    `requests`, `sent`, `received`: HTTP requests, and bytes of their bodies. `sessions`: purposes of all open sessions.
    """

    seconds: float
    calls: Mapping[str, int] = field(default_factory=dict)
    rounds: Mapping[str, int] = field(default_factory=dict)
    cpu_ms: int | None = None
    untold: tuple[str, ...] = ()
    requests: int = 0
    sent: int = 0
    received: int = 0
    sessions: tuple[str, ...] = ()
