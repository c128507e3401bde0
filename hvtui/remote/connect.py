"""Lanes of one cluster: where its nodes are, how to log on, which gate to pass."""

from __future__ import annotations

from hvtui.config import ClusterConfig
from hvtui.errors import Unreachable
from hvtui.model.usage import Usage
from hvtui.remote.credentials import CredentialGate
from hvtui.remote.lane import Lane
from hvtui.remote.meter import Meter
from hvtui.remote.transport import Transport


class Connector:
    """Makes lanes to the nodes of a cluster, and counts what they ask of each; it contacts nobody itself."""

    def __init__(self, config: ClusterConfig, gate: CredentialGate) -> None:
        self.config = config
        self.gate = gate
        self._meters: dict[str, Meter] = {}

    def address(self, node: str) -> tuple[str, int] | None:
        """Host and port of a node, None when the configuration gives none: it must not be contacted."""
        return self.config.address(node)

    def usage(self, node: str) -> Usage | None:
        """What the lanes to a node cost it in the last minute; None when it was never contacted."""
        meter = self._meters.get(node.lower())
        return None if meter is None else meter.usage()

    def renamed(self, old: str, new: str) -> None:
        """A node said its own name: what was counted under the configuration's is counted under that."""
        meter = self._meters.pop(old.lower(), None)
        if meter is not None:
            self._meters.setdefault(new.lower(), meter)

    def lane(self, node: str, purpose: str) -> Lane:
        """A new lane, not yet open. Raises Unreachable for a node without an address."""
        address = self.address(node)
        if address is None:
            raise Unreachable(
                f"The configuration has no address for {node}",
                node=node,
                hint="Add it to `addresses`, or a `template`.",
            )
        config = self.config
        meter = self._meters.setdefault(node.lower(), Meter())

        def connect() -> Transport:
            return Transport(
                *address,
                node=node,
                gate=self.gate,
                auth=config.auth,
                tls=config.tls,
                verify=config.verify,
                ca=config.ca,
                meter=meter,
            )

        return Lane(connect, node=node, purpose=purpose, endpoint=config.endpoint, meter=meter)
