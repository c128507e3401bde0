"""Who may take part in VSS, on all nodes side by side, and what each value grants.

Values and what they grant: Microsoft's "Security Considerations for Requesters" and "… for Writers"; an account is a
value's name under `Services\\VSS\\VssAccessControl`, spelled `DOMAIN\\account`, and the registry knows no case.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from hvtui.model.vss_access import VssAccess, VssAccessEntry
from hvtui.operations.plan import Target

GET_VSS_ACCESS: Final = "Get-HvTuiVssAccess"
KEY: Final = "HKLM\\SYSTEM\\CurrentControlSet\\Services\\VSS\\VssAccessControl"
ABSENT: Final = -1
"""Stands for a value that is not there, in calls and in what a plan saw."""
DENIED: Final = 0
WRITER: Final = 1
REQUESTER: Final = 2
BOTH: Final = WRITER | REQUESTER
GRANTS: Final[dict[int, str]] = {
    ABSENT: "no entry: as Windows has it, only administrators, backup operators and Windows' own accounts take part",
    DENIED: "denied: neither writer nor requester",
    WRITER: "writer: its processes may take part as a writer, callbacks included; no right to ask for snapshots",
    REQUESTER: "requester: it may ask for snapshots, of whatever is on the node's volumes",
    BOTH: "writer and requester: it may take part as both, and ask for snapshots of whatever is on the volumes",
}

_SHIPPED_SIDS: Final = frozenset({"S-1-5-18", "S-1-5-19", "S-1-5-20", "S-1-5-32-544", "S-1-5-32-551"})
"""Local System, Local Service, Network Service, Administrators, Backup Operators: VSS lets them take part by itself,
and Windows ships an entry for Network Service (Microsoft's documents of requesters; KB 2009272).
"""
_SHIPPED: Final = frozenset(
    {
        "ntauthority\\system",
        "ntauthority\\localsystem",
        "ntauthority\\localservice",
        "ntauthority\\networkservice",
        "builtin\\administrators",
        "builtin\\backupoperators",
    }
)
_SINGLE: Final = re.compile(r"S-1-5-(21(-[0-9]+){3}-(500|[1-9][0-9]{3,})|8[02](-[0-9]+){5})")
"""Accounts and groups that people made, the built-in Administrator, a service's own account, an application pool's."""
_WIDE: Final = frozenset(
    {"everyone", "users", "authenticated users", "anonymous logon", "guests", "interactive", "network"}
)
_WIDE_ANYWHERE: Final = frozenset({"everyone", "domain users", "domain guests", "domain computers", "guest"})
_OWN: Final = frozenset({"", "builtin", "nt authority"})
_LONGEST: Final = 256
NO_ENTRY: Final = "absent"
"""How a change spells that there is no entry, before or after it."""


# --- accounts ---


def same(one: str, other: str) -> bool:
    """Two accounts are one value of the key."""
    return one.lower() == other.lower()


def fault_of(account: str) -> str:
    """Why a text is no account that may be listed, by its form alone; empty when it may."""
    domain, backslash, name = account.partition("\\")
    if not backslash or not domain or not name or "\\" in name:
        return "an account is written DOMAIN\\account here, as VSS compares it"
    if account != account.strip() or domain != domain.strip() or name != name.strip():
        return "an account neither begins nor ends with a space"
    if len(account) > _LONGEST or not account.isprintable():
        return "no account of Windows is spelled like this"
    return ""


def is_wide(account: str, sid: str | None = None) -> bool:
    """It stands for many: Everyone, Users, Authenticated Users and their kin.

    By SID where a node told it; the English names otherwise. The node itself compares SIDs, in any language.
    """
    if sid:
        return sid not in _SHIPPED_SIDS and _SINGLE.fullmatch(sid) is None
    domain, _, name = account.rpartition("\\")
    name = name.strip().lower()
    return name in _WIDE_ANYWHERE or (name in _WIDE and domain.strip().lower() in _OWN)


def is_shipped(account: str, sid: str | None = None) -> bool:
    """It is an account of Windows, whose entries come with Windows and are never changed."""
    return (sid or "") in _SHIPPED_SIDS or account.replace(" ", "").lower() in _SHIPPED


def value_text(value: int | None) -> str:
    """A value as a table shows it: its number and its right in a word."""
    words = {ABSENT: "no entry", DENIED: "0 denied", WRITER: "1 writer", REQUESTER: "2 requester", BOTH: "3 both"}
    return "no number" if value is None else words.get(value, f"{value} (unknown)")


def number(text: str) -> int | None:
    """A value as a change or an option spells it; None when it is none."""
    if text == NO_ENTRY:
        return ABSENT
    return int(text) if text in {"0", "1", "2", "3"} else None


def spelled(value: int | None) -> str:
    """A value as a change spells it; a question mark for one that is unread or no number."""
    return NO_ENTRY if value == ABSENT else "?" if value is None else str(value)


def node_and_account(target: Target) -> tuple[str, str]:
    """The two parts of the id of an entry's target."""
    node, _, account = target.id.partition("/")
    return node, account


# --- all nodes side by side ---


@dataclass(frozen=True)
class Cell:
    """What a node has of an account. `value` is ABSENT without an entry, None when the entry is no such number.

    `sid` is empty when the account resolves to nothing there, None when that was not told.
    """

    value: int | None
    sid: str | None = None

    @property
    def text(self) -> str:
        """For a table."""
        unresolved = self.value != ABSENT and self.sid == ""
        return f"{value_text(self.value)}, resolves to nothing" if unresolved else value_text(self.value)


@dataclass(frozen=True)
class AccessRow:
    """An account and what each node that could be read has of it. `grants` explains each value that occurs."""

    account: str
    cells: Mapping[str, Cell]
    shipped: bool
    wide: bool
    grants: tuple[str, ...]

    @property
    def differs(self) -> bool:
        """The nodes do not agree."""
        return len({cell.value for cell in self.cells.values()}) > 1


@dataclass(frozen=True)
class AccessTable:
    """All nodes side by side; `unread` says why a node is no column that anything could be read from."""

    nodes: tuple[str, ...]
    rows: tuple[AccessRow, ...]
    unread: Mapping[str, str]


def entries_of(answer: VssAccess | str | None) -> list[VssAccessEntry] | None:
    """The entries of a node; None when they could not be read. A key that is not there has none."""
    if not isinstance(answer, VssAccess):
        return None
    return [] if answer.key is False else answer.entries


def entry_of(answer: VssAccess | str | None, account: str) -> VssAccessEntry | None:
    """The entry of an account on a node, None without one; ask `entries_of` whether it could be read at all."""
    return next((entry for entry in entries_of(answer) or () if same(entry.account, account)), None)


def value_of(answer: VssAccess | str | None, account: str) -> int | None:
    """The value of an account on a node, ABSENT without an entry; None when it could not be read or is no number."""
    if entries_of(answer) is None:
        return None
    entry = entry_of(answer, account)
    return ABSENT if entry is None else entry.value


def why_unread(answer: VssAccess | str | None) -> str:
    """Why the entries of a node are not known; empty when they are."""
    if entries_of(answer) is not None:
        return ""
    if isinstance(answer, VssAccess):
        problem = next(iter(answer.errors), None)
        return (problem.text or problem.kind) if problem is not None else "the node did not tell its entries"
    return answer or "it was not asked"


def table(answers: Mapping[str, VssAccess | str]) -> AccessTable:
    """The entries of all nodes by account, in the accounts' order; of a node that is a text, that is the reason."""
    read = {node: entries for node, answer in answers.items() if (entries := entries_of(answer)) is not None}
    spelled: dict[str, str] = {}
    for entries in read.values():
        for entry in entries:
            spelled.setdefault(entry.account.lower(), entry.account)
    rows = [_row(account, read) for _, account in sorted(spelled.items())]
    unread = {node: why for node, answer in answers.items() if (why := why_unread(answer))}
    return AccessTable(nodes=tuple(answers), rows=tuple(rows), unread=unread)


def _row(account: str, read: Mapping[str, list[VssAccessEntry]]) -> AccessRow:
    cells = {}
    for node, entries in read.items():
        entry = next((one for one in entries if same(one.account, account)), None)
        cells[node] = Cell(ABSENT) if entry is None else Cell(entry.value, entry.sid)
    sids: list[str | None] = [cell.sid for cell in cells.values() if cell.sid]
    sids = sids or [None]
    values = sorted({cell.value for cell in cells.values() if cell.value is not None})
    return AccessRow(
        account=account,
        cells=cells,
        shipped=any(is_shipped(account, sid) for sid in sids),
        wide=any(is_wide(account, sid) for sid in sids),
        grants=tuple(GRANTS[value] for value in values if value in GRANTS),
    )
