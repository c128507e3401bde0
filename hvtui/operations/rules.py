"""The registry of refusal rules: what the gate is built from, one line a rule, in the order they are told.

A rule looks at a plan and at facts and says what stands against the plan. It never passes because it could not look.
`override` marks the few that an expert may set aside by typing; docs list them, and the journal keeps who did.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from hvtui.operations.facts import Facts
from hvtui.operations.plan import Plan, Refusal, Verb
from hvtui.operations.rules_checkpoint import checkpoint, start
from hvtui.operations.rules_node import (
    backup,
    capacity,
    csv_access,
    last_node,
    not_drained,
    other_nodes,
    quorum,
    replica,
    storage,
    storage_jobs,
    witness,
)
from hvtui.operations.rules_truth import (
    busy,
    changed,
    read_only,
    stale,
    unread,
    wrong_cluster,
)
from hvtui.operations.rules_vm import (
    blocked,
    dependents,
    destination,
    failback,
    frozen,
    holds,
    left_behind,
    service_changed,
)
from hvtui.operations.rules_vss import vss_account, vss_shipped, vss_unread, vss_value, vss_wide

Check = Callable[[Plan, Facts], Iterable[Refusal]]

_ALL: Final = frozenset(Verb)
_MOVES: Final = frozenset({Verb.MIGRATE, Verb.ISOLATE, Verb.RETURN, Verb.ALIGN})
_PAUSES: Final = frozenset({Verb.DRAIN, Verb.VMMS})
_RESTARTS: Final = frozenset({Verb.VMMS, Verb.SERVICE})
_BACKUP: Final = _PAUSES | _RESTARTS | {Verb.REMOVE}
# The way back checks only what it touches: a node left paused, or without VMMS, is harm too.
_BACK: Final = frozenset({Verb.RESUME, Verb.START_VMMS, Verb.CANCEL})
_FORTH: Final = _ALL - _BACK
_CHECKPOINTS: Final = frozenset({Verb.CHECKPOINT, Verb.APPLY, Verb.REMOVE})
_VSSACCESS: Final = frozenset({Verb.VSSACCESS, Verb.VSSACCESS_REMOVE, Verb.VSSACCESS_UNDO})
_GIVES: Final = frozenset({Verb.VSSACCESS})


@dataclass(frozen=True, slots=True)
class Rule:
    """One reason to refuse. `kind`: `permission`, `truth` or `hold` and `cluster` for what harms."""

    id: str
    title: str
    kind: str
    verbs: frozenset[Verb]
    check: Check
    override: bool = False


RULES: Final[tuple[Rule, ...]] = (
    Rule("read-only", "hvtui or the cluster is read-only", "permission", _ALL, read_only),
    Rule("wrong-cluster", "the cluster is not the one of the plan or of first contact", "truth", _ALL, wrong_cluster),
    Rule("stale", "what the plan rests on is too old, or its source is not heard", "truth", _ALL, stale),
    Rule("changed", "the target is not what the plan saw", "truth", _ALL, changed),
    Rule("busy", "another operation holds the target", "truth", _ALL, busy),
    Rule("unread", "a fact the plan needs could not be read", "truth", _FORTH - _VSSACCESS, unread),
    Rule("hold", "a VM it touches must not be touched now", "hold", _FORTH - _VSSACCESS - {Verb.SERVICE}, holds),
    Rule("backup", "a backup runs on the node, or it cannot be told", "hold", _BACKUP, backup),
    Rule("not-drained", "a role is left on the node", "cluster", frozenset({Verb.VMMS}), not_drained),
    Rule("last-node", "no other node takes roles", "cluster", _PAUSES, last_node),
    Rule("quorum", "losing the node would cost the quorum", "cluster", _PAUSES, quorum),
    Rule("witness", "the witness is not online", "cluster", _PAUSES, witness),
    Rule("other-node", "another node is down, isolated, in quarantine or paused", "cluster", _PAUSES, other_nodes),
    Rule("storage", "Storage Spaces Direct is not healthy", "cluster", _PAUSES, storage),
    Rule("storage-job", "a storage job runs", "cluster", _PAUSES, storage_jobs),
    Rule("replica", "Storage Replica is not in sync", "cluster", _PAUSES, replica),
    Rule("csv", "a volume is paused, redirected or out of reach on another node", "cluster", _PAUSES, csv_access),
    Rule("capacity", "the other nodes cannot hold the load", "cluster", _PAUSES, capacity, override=True),
    Rule("blocked", "a VM that no other node takes makes the drain fail", "cluster", _PAUSES, blocked, override=True),
    Rule("left-behind", "a VM that runs stays on the node", "cluster", frozenset({Verb.VMMS}), left_behind, True),
    Rule("failback", "a VM that would come back is held", "hold", frozenset({Verb.RESUME}), failback),
    Rule("frozen", "a backup runs on a CSV of the VM", "hold", frozenset({Verb.ALIGN}), frozen),
    Rule("destination", "the destination cannot take the VM", "cluster", _MOVES, destination),
    Rule("dependents", "services that run depend on this one", "cluster", _RESTARTS, dependents),
    Rule("service", "the service is not what the plan saw", "truth", _RESTARTS | {Verb.START_VMMS}, service_changed),
    Rule("checkpoint", "the checkpoint cannot be taken, applied or removed", "cluster", _CHECKPOINTS, checkpoint),
    Rule("start", "the VM is neither off nor saved", "truth", frozenset({Verb.START_VM}), start),
    Rule("vss-unread", "who may take part in VSS could not be read, or is no number", "truth", _VSSACCESS, vss_unread),
    Rule("vss-account", "the account is none, or resolves to nobody", "cluster", _GIVES, vss_account),
    Rule("vss-wide", "the account stands for many", "cluster", _GIVES, vss_wide),
    Rule("vss-shipped", "the entry is Windows' own", "cluster", _VSSACCESS, vss_shipped),
    Rule("vss-value", "the value is no right that hvtui gives", "cluster", _VSSACCESS, vss_value),
)

OVERRIDABLE: Final = tuple(rule.id for rule in RULES if rule.override)
"""What an expert may set aside; fork-commit, read-only, stale facts, the wrong cluster and quorum never are."""
