"""Is this still the cluster that was met before? Names move; ids do not."""

from __future__ import annotations

from hvtui.config import ClusterConfig
from hvtui.errors import RemoteError
from hvtui.live.pins import Pins
from hvtui.text import safe_text


class OtherCluster(RemoteError):
    """Behind the configured name is another cluster than at the first contact."""


class Identity:
    """Compares cluster ids with the first one, which is pinned when there are pins."""

    def __init__(self, config: ClusterConfig, pins: Pins | None) -> None:
        self._name = config.name
        self._pins = pins
        self.id = ""
        """The id that was met and accepted, empty before the first contact."""

    def check(self, cluster_id: str, name: str) -> None:
        """Accept the id, or raise OtherCluster with the command that accepts it."""
        expected = self.id or (self._pins.get(self._name) if self._pins else None)
        if expected is None and self._pins is not None:
            self._pins.pin(self._name, cluster_id)
        if expected is None or expected == cluster_id:
            self.id = cluster_id
            return
        hint = "Start again if that is right."
        if self._pins is not None:
            self._pins.offer(self._name, cluster_id)
            hint = f"If the cluster was rebuilt or replaced, accept its id: {self._pins.accept_command(self._name)}"
        raise OtherCluster(
            f"Stopped: this is another cluster, {safe_text(name)} with id {safe_text(cluster_id)}; expected {expected}",
            hint=hint,
        )
