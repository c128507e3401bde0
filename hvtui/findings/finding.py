"""A finding: what is wrong, with whom, how that is known, and how sure it is."""

from __future__ import annotations

from datetime import datetime
from enum import IntEnum

import msgspec

from hvtui.model.severity import Severity


class Sure(IntEnum):
    """How much of the evidence agrees."""

    POSSIBLE = 1
    LIKELY = 2
    CERTAIN = 3


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was read.

    `source` says where: `event Microsoft-Windows-Hyper-V-VMMS-Admin 10102 record 512`, `writers`, `job`, `CSV state`.
    `time` is by the clock of `node` (empty: the cluster's stream).
    """

    text: str
    node: str = ""
    time: datetime | None = None
    source: str = ""


class Target(msgspec.Struct, frozen=True):
    """What a finding is about. `kind`: `cluster node csv vm`; `key` is what the state keeps it under."""

    kind: str
    key: str
    name: str


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """`vms` are the guilty ones, worst first. `action` is the id of an action of the console that helps, or empty.

    `part` tells several findings of one rule about one target apart, such as the writers of a node. `since` is when it
    began as far as events or hvtui's own memory tell, by the clock of the target.
    """

    rule: str
    target: Target
    text: str
    severity: Severity
    sure: Sure
    evidence: tuple[Evidence, ...]
    vms: tuple[Target, ...] = ()
    since: datetime | None = None
    action: str = ""
    part: str = ""

    @property
    def key(self) -> str:
        """The same for the same trouble at every look and in every session."""
        whole = f"{self.rule}/{self.target.kind}:{self.target.key.lower()}"
        return f"{whole}/{self.part.lower()}" if self.part else whole


def worse(new: Finding, severity: Severity, sure: Sure, vms: frozenset[str]) -> bool:
    """Whether a finding says more than what was known of it before: graver, surer, or more VMs."""
    return new.severity > severity or new.sure > sure or any(vm.key not in vms for vm in new.vms)
