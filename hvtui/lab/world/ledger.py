"""What went wrong for the people who use the guests. hvtui never sees it; tests assert on it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

KINDS: Final = {
    "vm_interrupted": "a running guest stopped or was moved cold",
    "clients_dropped": "a running guest was saved and moved (quick migration)",
    "data_lost": "what a guest wrote into a layer whose fork was never committed is gone",
    "backup_broken": "a backup that ran did not get to its end",
    "merge_interrupted": "a merge that ran has to begin again",
    "migration_broken": "a migration that ran failed because VMMS was stopped",
    "vmms_undrained": "VMMS was stopped under clustered VMs that run: nobody watches over them meanwhile",
    "drain_failed": "a drain left its node paused with roles on it",
    "limit_exceeded": "one client asked for more migrations at once than a host takes part in",
    "anti_affinity_broken": "a move that was asked for brought together what is kept apart, or the reverse",
    "io_lost": "a guest was moved to a host that has no access to its volume",
    "io_slowed": "a guest was moved to a host that reaches its volume over the network only",
    "quorum_lost": "the nodes left hold no majority of the votes once the paused one is restarted",
    "no_reserve": "one more failure stops the cluster, in which something was missing before",
    "no_node_up": "the last node that takes roles was paused",
    "storage_lost": "the disks of one more node were taken from a virtual disk that was not whole",
    "replica_lost": "a node was paused whose Storage Replica partner was behind",
    "logon_failed": "a guest refused an account: so many in a row lock it",
    "vss_opened": "everybody of a kind was let into VSS on a host: its metadata, its writers, its shadow copies",
    "vss_shipped": "an entry of VssAccessControl that Windows ships was changed",
    "stale_memory": "memory of an earlier moment came back in a database or a domain controller",
    "account_locked": "an account was locked by wrong log-ons",
}


@dataclass(frozen=True, slots=True)
class Harm:
    """One thing done to someone: when (world seconds), what kind, to whom, and how."""

    time: float
    kind: str
    target: str
    text: str


@dataclass(slots=True)
class Ledger:
    """All harm since the world began. `KINDS` says what each kind means."""

    entries: list[Harm] = field(default_factory=list)

    def note(self, time: float, kind: str, target: str, text: str) -> None:
        """Write one entry."""
        self.entries.append(Harm(time, kind, target, text))

    def of(self, kind: str) -> list[Harm]:
        """The entries of one kind, oldest first."""
        return [entry for entry in self.entries if entry.kind == kind]
