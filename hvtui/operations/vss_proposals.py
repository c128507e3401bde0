"""Which accounts need an entry of VssAccessControl, and why: what events ask for, and whom backup products run as."""

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
from hvtui.model.vss_access import ServiceAccount, VssAccess
from hvtui.model.writer_catalog import WRITERS
from hvtui.operations.vss_access import (
    ABSENT,
    BOTH,
    DENIED,
    GRANTS,
    REQUESTER,
    WRITER,
    entries_of,
    fault_of,
    is_shipped,
    is_wide,
    same,
    value_of,
)

CALLBACK: Final = 8194
"""VSS: a call of IVssWriterCallback was refused."""
NO_WRITER: Final = 8213
"""VSS: the account of a writer's process may not be a writer."""
EVENTS: Final = frozenset({CALLBACK, NO_WRITER})
CHANNEL: Final = "Application"
"""The log they are in."""
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
