"""Who may take part in VSS, on all nodes side by side: what each value grants, and which accounts need one.

Values and what they grant: Microsoft's "Security Considerations for Requesters" and "… for Writers"; an account is a
value's name under `Services\\VSS\\VssAccessControl`, spelled `DOMAIN\\account`, and the registry knows no case.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from hvtui.model.event_catalog import writer_of
from hvtui.model.events import NodeEvent
from hvtui.model.state import ClusterState
from hvtui.model.vss_access import ServiceAccount, VssAccess, VssAccessEntry
from hvtui.model.writer_catalog import WRITERS
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
CALLBACK: Final = 8194
"""VSS: a call of IVssWriterCallback was refused."""
NO_WRITER: Final = 8213
"""VSS: the account of a writer's process may not be a writer."""
EVENTS: Final = frozenset({CALLBACK, NO_WRITER})
CHANNEL: Final = "Application"
"""The log they are in."""

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
_USER: Final = re.compile(r"([^\\/:,\r\n]{1,64}\\[^,\r\n]{1,104}),\s*SID:\s*(S-1-[0-9-]{3,180})")
"""How VSS names the account in an event's data, whatever the node's language: `Name: DOMAIN\\account, SID:S-1-…`."""
_PRODUCTS: Final = (
    "backup",
    "replay",
    "restore",
    "recover",
    "snap",
    "vss",
    "data protection",
    "commvault",
    "simpana",
    "veeam",
    "netbackup",
    "networker",
    "arcserve",
    "avamar",
    "rubrik",
    "cohesity",
    "spectrum protect",
    "hardware provider",
)
"""Words in the names of services of backup products and hardware providers."""


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


# --- proposals ---


@dataclass(frozen=True)
class Proposal:
    """An account that may need an entry. `nodes` are those that have another value, or none.

    `needed`: an event asks for it; without one it is only an account that a backup product uses. `caution` is what to
    think of before, such as a node that denies it.
    """

    account: str
    value: int
    nodes: tuple[str, ...]
    reason: str
    evidence: tuple[str, ...]
    grants: str
    needed: bool
    caution: str = ""


def unheard_of(state: ClusterState) -> list[str]:
    """Nodes whose events were not read yet: whether 8194 or 8213 asks for an entry there is not known."""
    return [name for name in state.node_names() if not state.events.was_read(name, CHANNEL)]


def proposals(
    answers: Mapping[str, VssAccess | str], events: Iterable[NodeEvent], unheard: Collection[str] = ()
) -> tuple[Proposal, ...]:
    """Accounts that should be listed, those that an event asks for first. None of Windows' own, and no wide group.

    While a node's events are `unheard`, only what others' events ask for is proposed: nothing else says which value.

    8194 says that the requester does not let a writer call back: the field's fix is value 1 for the account of the
    backup or provider service. What a node grants already is kept: 2 becomes 3.
    """
    told = [found for found in events if found.event.id in EVENTS and found.event.provider.lower() == "vss"]
    wanted: dict[str, _Wanted] = {}
    for found in told:
        for account, sid in named_in(found):
            _want(wanted, account, sid, f"{found.event.id} on {found.node} names it", direct=True)
        if found.event.id == NO_WRITER:
            for account, host in _hosts(answers.get(found.node), writer_of(found.event)[0]):
                text = f"8213 on {found.node}: the service {host} runs as it and hosts the writer that was refused"
                _want(wanted, account, None, text, direct=True)
    for node, service in _services(answers):
        if is_backup(service):
            # A machine's own account is written with a dot by the service control manager, with its name elsewhere.
            local = service.account.startswith(".\\")
            account = f"{node}{service.account[1:]}" if local else service.account
            label = f"{service.display} ({service.name})" if service.display else service.name
            _want(wanted, account, None, f"the service {label} on {node} runs as it", direct=False)
    refusals = _counted(told)
    made = [_proposal(one, answers, refusals) for one in wanted.values()]
    shown = [one for one in made if one.nodes and (one.needed or not unheard)]
    guessed = [one.account for one in shown if one.needed and not wanted[one.account.lower()].direct]
    if len(guessed) > 1:
        shown = [_one_of(one, guessed) if one.account in guessed else one for one in shown]
    return tuple(sorted(shown, key=lambda one: (not one.needed, _is_provider(one), one.account.lower())))


def _one_of(one: Proposal, guessed: list[str]) -> Proposal:
    """The event names nobody: several accounts may be meant, and one of them is."""
    text = f"the event names no account, so it is one of {', '.join(guessed)}: the backup product's before a provider's"
    return replace(one, reason=f"{one.reason}; {text}")


def _is_provider(one: Proposal) -> bool:
    """Its service is a hardware provider: the requester, whom 8194 is about, is the backup product's."""
    services = [line.lower() for line in one.evidence if line.startswith("the service ")]
    return bool(services) and all("provider" in line for line in services)


def is_backup(service: ServiceAccount) -> bool:
    """The service looks like one of a backup product or of a hardware provider."""
    words = f"{service.name} {service.display or ''}".lower()
    return any(product in words for product in _PRODUCTS)


def named_in(found: NodeEvent) -> list[tuple[str, str]]:
    """Accounts, with their SIDs, that an event of VSS says it is about."""
    texts = (*found.event.data.values(), found.event.text)
    pairs = [(match[1].strip(), match[2]) for text in texts for match in _USER.finditer(text[:20_000])]
    return list(dict.fromkeys(pairs))


@dataclass
class _Wanted:
    account: str
    evidence: list[str]
    direct: bool


def _want(wanted: dict[str, _Wanted], account: str, sid: str | None, text: str, *, direct: bool) -> None:
    if fault_of(account) or is_wide(account, sid) or is_shipped(account, sid):
        return
    one = wanted.setdefault(account.lower(), _Wanted(account, [], False))
    one.direct = one.direct or direct
    if text not in one.evidence:
        one.evidence.append(text)


def _services(answers: Mapping[str, VssAccess | str]) -> Iterator[tuple[str, ServiceAccount]]:
    for node, answer in answers.items():
        for service in (answer.services or ()) if isinstance(answer, VssAccess) else ():
            yield node, service


def _hosts(answer: VssAccess | str | None, writer: str) -> Iterator[tuple[str, str]]:
    """Account and name of the service that hosts a writer, when it does not run as one of Windows' own."""
    known = WRITERS.get(writer)
    for service in (answer.services or ()) if isinstance(answer, VssAccess) and known is not None else ():
        if known is not None and same(service.name, known.service):
            yield service.account, service.name


def _counted(told: list[NodeEvent]) -> list[str]:
    """How often each node tells of it, and when last."""
    times_of: dict[tuple[int, str], list[datetime]] = defaultdict(list)
    for found in told:
        times_of[(found.event.id, found.node)].append(found.event.time)
    lines = []
    for (number, node), seen in sorted(times_of.items()):
        last = max(seen)
        times = "once" if len(seen) == 1 else f"{len(seen)} times, the last"
        lines.append(f"{number} on {node} {times} at {last:%Y-%m-%d %H:%M} UTC")
    return lines


def _proposal(one: _Wanted, answers: Mapping[str, VssAccess | str], refusals: list[str]) -> Proposal:
    needed = one.direct or any(line.startswith(str(CALLBACK)) for line in refusals)
    value = WRITER if needed else REQUESTER
    # A machine's own account means something on that machine only.
    own = [node for node in answers if same(node, one.account.partition("\\")[0])]
    values = {node: value_of(answers[node], one.account) for node in own or answers}
    granted = 0
    for now in values.values():
        granted |= now if now in {WRITER, REQUESTER, BOTH} else 0
    value |= granted
    read = [(node, now) for node, now in values.items() if entries_of(answers[node]) is not None]
    # What nothing asks for is no reason to change what somebody decided.
    nodes = tuple(node for node, now in read if (now != value if needed else now == ABSENT))
    denying = [node for node, now in values.items() if now == DENIED]
    unread = [node for node, answer in answers.items() if entries_of(answer) is None]
    caution = f"{', '.join(denying)} denies it: somebody decided that" if denying else ""
    if unread:
        caution = "; ".join(filter(None, (caution, f"the entries of {', '.join(unread)} could not be read")))
    if needed:
        reason = "VSS refuses the callback of a writer (8194, 8213): value 1 lets the account take part as a writer"
    else:
        reason = "no 8194 or 8213 asks for it; a requester that is no administrator of the nodes needs 2"
    if value == BOTH and granted:
        reason += "; what it has already is kept, so 3"
    evidence = (*one.evidence, *(refusals if needed else ()))
    return Proposal(one.account, value, nodes, reason, evidence, GRANTS[value], needed, caution)
