"""A line of the journal. A step has two: one before it runs, one that says how it ended."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final

import msgspec

Utc = Annotated[datetime, msgspec.Meta(tz=True)]
Values = dict[str, str | int | None]


class Kind(StrEnum):
    """What a line tells."""

    BEGUN = "begun"
    """An operation was confirmed and begins; `requested` has its plan in short."""
    STEP = "step"
    """One call to a node is about to be made."""
    OUTCOME = "outcome"
    """How that call ended: `done started refused failed unknown`."""
    READ_BACK = "read back"
    """What the cluster shows of a call whose answer was lost or whose work went on."""
    REFUSED = "refused"
    """Nothing was begun: the gate, the confirmation or the plan stood against it."""
    NOTE = "note"
    LEFT = "left"
    """The console ended while Windows went on working; the operation is unfinished."""
    ENDED = "ended"
    """An operation ended by itself: `done failed cancelled refused unknown`."""
    CLOSED = "closed"
    """A person closed an operation that a console had left unfinished."""
    DAMAGE = "damage"
    """The journal did not fit its head when this line was added; the text says where."""


class Who(msgspec.Struct, frozen=True, kw_only=True):
    """Who did it, and from where. `account` is what the nodes were asked with, empty for the log-on of this session."""

    user: str
    account: str
    machine: str
    pid: int
    front: str
    """`console` or `cli`."""


class Failure(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An error as it came: its kind in the error tree or the rule that refused, Windows' code, the text."""

    kind: str
    code: str = ""
    text: str = ""
    hint: str = ""


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line. `operation` is the run's GUID, `call` that of one mutating call (the node was told it).

    `duration` is seconds. `command` is the cmdlet as the node ran it, else the call as it was sent.
    """

    time: Utc
    kind: Kind
    who: Who
    session: str
    """The process that wrote it; one that does not live any more left its operations unfinished."""
    operation: str = ""
    step: int = 0
    call: str = ""
    verb: str = ""
    title: str = ""
    cluster_id: str = ""
    cluster: str = ""
    target_kind: str = ""
    target_id: str = ""
    target: str = ""
    node: str = ""
    function: str = ""
    requested: Values = msgspec.field(default_factory=dict)
    before: Values = msgspec.field(default_factory=dict)
    after: Values = msgspec.field(default_factory=dict)
    outcome: str = ""
    text: str = ""
    duration: float | None = None
    error: Failure | None = None
    command: str = ""


# Made once, at import: two threads that do it at one time crash the process.
decode_entry: Final = msgspec.json.Decoder(Entry).decode


class Line(msgspec.Struct, frozen=True):
    """An entry with its number, and the hash that chains it to the line before."""

    id: int
    entry: Entry
    hash: str
