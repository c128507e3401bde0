"""Whether a cluster is ready for a backup window: what would make a backup fail, and what is left of the last one."""

from __future__ import annotations

from collections.abc import Callable

from hvtui.model.state import ClusterState
from hvtui.operations.readiness import Readiness, in_order
from hvtui.operations.ready_nodes import node_checks, provider_checks, writer_checks
from hvtui.operations.ready_vms import backup_checks, guest_checks, leftover_checks, placement_checks, type_checks
from hvtui.operations.ready_volumes import shadow_checks, volume_checks


def readiness(state: ClusterState, kept: Callable[[str], bool] = lambda _name: False) -> Readiness:
    """All checks of one picture. `kept`: whether a VM's Recovery checkpoint is its backup product's, on purpose."""
    return in_order(
        [
            *node_checks(state),
            *writer_checks(state),
            *provider_checks(state),
            *backup_checks(state),
            *placement_checks(state),
            *leftover_checks(state, kept),
            *shadow_checks(state),
            *type_checks(state),
            *guest_checks(state),
            *volume_checks(state),
        ]
    )
