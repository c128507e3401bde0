"""A plan: what exactly will be changed, in which order, what stands against it, and what must be typed to start it.

Plans are data: they are shown, written to a file, read back and compared with what the cluster is now.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final

import msgspec

Utc = Annotated[datetime, msgspec.Meta(tz=True)]

PLAN_VERSION = 1


class Verb(StrEnum):
    """What an operator can ask for."""

    MIGRATE = "migrate"
    CANCEL = "cancel"
    ISOLATE = "isolate"
    RETURN = "return"
    ALIGN = "align"
    DRAIN = "drain"
    RESUME = "resume"
    VMMS = "vmms"
    """Drain, restart VMMS, resume: the guided runbook, of one node or several one after the other."""
    START_VMMS = "start-vmms"
    SERVICE = "service"
    """Restart a service that hosts a VSS writer."""
    POLICY = "policy"
    """Set the checkpoint type of VMs."""
    POLICY_UNDO = "policy-undo"
    """Give VMs the checkpoint type back that an operation of hvtui took from them."""
    CHECKPOINT = "checkpoint"
    """Take a checkpoint."""
    APPLY = "apply-checkpoint"
    REMOVE = "remove-checkpoint"
    START_VM = "start-vm"
    """Start a VM, such as one that a production checkpoint left off."""
    VSSACCESS = "vssaccess"
    """Let an account take part in VSS (VssAccessControl)."""
    VSSACCESS_REMOVE = "vssaccess-remove"
    VSSACCESS_UNDO = "vssaccess-undo"


OF_VMS: Final = frozenset({Verb.POLICY, Verb.POLICY_UNDO, Verb.CHECKPOINT, Verb.APPLY, Verb.REMOVE, Verb.START_VM})
"""Verbs whose plans are changes of VMs and of their checkpoints: they ask only the nodes that have those."""


class Level(StrEnum):
    """How a plan is confirmed: a key on an armed button, or a typed name."""

    KEY = "key"
    TYPED = "typed"


class Base(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of what a plan is made of."""


class Target(Base, frozen=True, kw_only=True):
    """What a change touches.

    `kind`: `vm` (id is its GUID), `node` (its name), `service` (`NODE/name`), `csv`, `checkpoint` (`VM/checkpoint`,
    both GUIDs; the name is the checkpoint's), `vssaccess` (`NODE/ACCOUNT`; the name is `ACCOUNT on NODE`).
    """

    kind: str
    id: str
    name: str

    @property
    def key(self) -> str:
        """The same for the same thing, whatever it is called."""
        return f"{self.kind}:{self.id.lower()}"


class Refusal(Base, frozen=True, kw_only=True):
    """Why something is not done: the rule, whom it concerns (None: the whole plan), and what to do instead.

    `hold`: a HOLD (it may pass by itself). `override`: the name of the rule in the list of those an expert may
    override; empty when nobody can.
    """

    rule: str
    text: str
    target: Target | None = None
    hint: str = ""
    hold: bool = False
    override: str = ""


class Note(Base, frozen=True, kw_only=True):
    """Something to know before confirming that stands in nobody's way."""

    text: str
    target: Target | None = None
    severity: int = 1
    """Numbers of model.severity."""


class Move(Base, frozen=True, kw_only=True):
    """One VM from one node to another. `type` is what the node will choose for `state`: `Live` or `Quick`.

    `memory` is what the destination must hold, MB; None when unknown, and then the VM does not fit.
    """

    vm: Target
    source: str
    destination: str
    state: int
    type: str
    memory: int | None = None
    csvs: tuple[str, ...] = ()
    reason: str = ""
    wave: int = 0
    """It begins when every move of the waves before has ended: it may need the room that they make."""


class Left(Base, frozen=True, kw_only=True):
    """A VM, or another target, that is not touched: because of a refusal, or because nothing needs to be done."""

    vm: Target
    node: str
    refusals: tuple[Refusal, ...] = ()
    text: str = ""


class Change(Base, frozen=True, kw_only=True):
    """One value of one target, as it is and as it will be, on the node that is asked for it.

    `text` is what to know of it before confirming, `severity` (model.severity) how much it matters.
    """

    target: Target
    node: str
    before: str
    after: str
    text: str = ""
    severity: int = 0


class Stage(Base, frozen=True, kw_only=True):
    """A step of a runbook (drain, VMMS, resume) on one node; `action` is a word of stages.py."""

    action: str
    node: str
    text: str
    target: Target | None = None
    """What is changed when that is not the node itself: the CSV that moves."""


class CsvLine(Base, frozen=True, kw_only=True):
    """What an alignment does for one CSV. `before` and `after`: nodes that run VMs on it, each of which snapshots it.

    The alternative moves the CSV to the node that runs most of its VMs: `alternative`, with `alternative_moves` VMs
    still to be moved then. `frozen` says why nothing on it may be moved now.
    """

    csv: str
    name: str
    owner: str
    before: int
    after: int
    moves: int
    alternative: str = ""
    alternative_moves: int = 0
    frozen: str = ""


class Plan(Base, frozen=True, kw_only=True):
    """A whole plan. With `refusals` it cannot be started; `left` and `notes` are shown beside the confirmation."""

    version: int = PLAN_VERSION
    verb: Verb
    cluster_id: str
    cluster: str
    made: Utc
    title: str
    targets: tuple[Target, ...]
    moves: tuple[Move, ...] = ()
    stages: tuple[Stage, ...] = ()
    csvs: tuple[CsvLine, ...] = ()
    changes: tuple[Change, ...] = ()
    left: tuple[Left, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    notes: tuple[Note, ...] = ()
    level: Level = Level.TYPED
    name: str = ""
    """What must be typed (`--confirm`) at level `typed`: the target's name, with several the cluster's."""
    seen: dict[str, str] = {}
    """What the plan saw of each target (`Target.key`), compared again before anything is done."""
    options: dict[str, str] = {}
    """The verb's own choices: `failback`, `csv`, `group`, `save` …"""
    overrides: tuple[str, ...] = ()
    """Names of overridable rules that the operator set aside, typed and journaled."""

    @property
    def refused(self) -> bool:
        """Nothing of it can be done."""
        return bool(self.refusals)


# Made once, at import: two threads that do it at one time crash the process.
decode_plan: Final = msgspec.json.Decoder(Plan).decode
"""A plan from its JSON; raises msgspec.DecodeError and its ValidationError."""
