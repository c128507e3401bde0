"""How well a source of facts can be heard."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

import msgspec


class LinkStatus(StrEnum):
    """State of the connection to one node, or of the cluster's stream."""

    NOT_CONTACTED = "not contacted"
    """Known from the cluster, but the configuration gives no address."""
    CONNECTING = "connecting"
    LIVE = "live"
    HANGING = "hanging"
    """The node answers, but WMI/VMMS or the cluster service on it does not."""
    UNREACHABLE = "unreachable"
    REFUSED = "refused"
    """The credential, the certificate or the right to open a session was refused."""
    UNUSABLE = "unusable"
    """It answers, but hvtui cannot work with it: no module, older than 2016, bad replies."""
    STOPPED = "stopped"
    """hvtui stopped asking, for the reason in `text`."""


NOT_ANSWERING: Final = frozenset(
    {LinkStatus.HANGING, LinkStatus.UNREACHABLE, LinkStatus.REFUSED, LinkStatus.UNUSABLE, LinkStatus.STOPPED}
)
"""Asked, and no answer came or will come: what is shown is the past."""


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """Connection state of one source.

    `text` is the reason for a person, `hint` what to do. `since` and `last_frame` are the client's monotonic clock:
    when this status began, when the last message came. `node_time` is the node's own clock in that message, `offset`
    the node's clock minus the client's wall clock at that moment. `interval` is the stream's present tick in seconds.
    """

    status: LinkStatus = LinkStatus.CONNECTING
    text: str = ""
    hint: str = ""
    since: float = 0.0
    last_frame: float | None = None
    node_time: datetime | None = None
    offset: timedelta | None = None
    interval: float = 2.0

    def age(self, monotonic: float) -> float | None:
        """Seconds since the last message, None if there never was one."""
        return None if self.last_frame is None else max(0.0, monotonic - self.last_frame)

    def stale(self, monotonic: float) -> bool:
        """Data must be marked: nothing came for three ticks (at least 5 s), or the link is not live."""
        age = self.age(monotonic)
        return age is None or self.status is not LinkStatus.LIVE or age > max(5.0, 3 * self.interval)

    def node_now(self, monotonic: float) -> datetime | None:
        """The node's own clock now: its last known time plus the age of that message."""
        if self.node_time is None or self.last_frame is None:
            return None
        return self.node_time + timedelta(seconds=monotonic - self.last_frame)
