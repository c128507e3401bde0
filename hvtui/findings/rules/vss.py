"""VSS on the nodes: accounts that may not take part, providers, updates that broke it, room for shadow copies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from hvtui.findings.finding import Evidence, Finding, Sure
from hvtui.findings.guilty import DAY, listed, saved_after, stamp
from hvtui.findings.look import Look
from hvtui.findings.rules import rule
from hvtui.model.event_catalog import writer_of
from hvtui.model.events import NodeEvent
from hvtui.model.records import Provider
from hvtui.model.writer_catalog import HYPER_V
from hvtui.operations.vss_access import entries_of
from hvtui.operations.vss_proposals import CALLBACK, EVENTS, NO_WRITER, Proposal, proposals, unheard_of

_ORPHAN: Final = "0x80042302"
_BESIDE: Final = timedelta(minutes=3)
"""An 8194 of a run that fails at a stuck Hyper-V writer is followed by the rejection within that."""
_ONE_TIME: Final = timedelta(minutes=5)
"""Events closer together are of one backup."""
_TOO_LONG: Final = "0x80070018"
_NOT_STARTED: Final = "0x80080005"
_NO_STORAGE: Final = "0x8004231f"
_SOFTWARE: Final = "b5946137-7b9f-4925-af80-51abd60b20d5"
"""Microsoft's software provider, swprv."""
_HARDWARE: Final = 3
"""VSS_PROVIDER_TYPE of vss.h."""
_AFTER_UPDATE: Final = timedelta(days=3)


# --- accounts (mission S4) ---


@rule("vss-callback-denied", per="cluster", ids=tuple(EVENTS))
def vss_callback_denied(look: Look, key: str) -> Iterator[Finding]:
    """8194 or 8213 come again and again, and an account is known that VSS would have to let take part.

    One 8194 alone is cosmetic on a Hyper-V host (windows.md §6): any list of writers may log it. What agrees must be an
    account without an entry, 8213, or, while nobody has read the entries, that the same node says it at three times.
    """
    told = [item for item in look.events(EVENTS, source="vss", since=DAY) if not _beside_stuck_writer(look, item)]
    if not told:
        return
    times = {node: _occasions(items) for node, items in _by_node(told).items()}
    again = [node for node, count in times.items() if count >= 2]
    answers = dict(look.facts.vss_access)
    wanted = [one for one in proposals(answers, told, unheard_of(look.state)) if one.needed]
    refused = any(item.event.id == NO_WRITER for item in told)
    if not (again or len(times) > 1 or refused):
        return
    for node in look.state.node_names():
        # Who has no entry must be known of every node: a backup runs on any of them.
        if node not in answers:
            look.want("access", node)
    if wanted:
        yield _account(look, told, times, wanted)
        return
    unread = [node for node in times if entries_of(answers.get(node)) is None]
    if unread and any(times[node] >= 3 for node in unread):
        yield _unknown_account(look, told, times)


def _account(look: Look, told: list[NodeEvent], times: dict[str, int], wanted: list[Proposal]) -> Finding:
    first, *others = wanted
    evidence = [look.evidence(item) for item in _newest_of_each(told)[:4]]
    evidence.append(Evidence(text=f"{first.account}: {'; '.join(first.evidence)}", source="VSS access"))
    evidence.append(
        Evidence(text=f"{first.account} needs {first.value} on {', '.join(first.nodes)}", source="VSS access")
    )
    saved = _saved_nevertheless(look, told)
    if saved:
        evidence.append(saved)
    also = f" (or {listed([one.account for one in others], 2)}: the event names nobody)" if others else ""
    counts = listed([f"{node} {count}×" for node, count in sorted(times.items())])
    return look.make(
        "vss-callback-denied",
        look.cluster_target(),
        f"VSS is denied a writer's callback ({counts}): {first.account}{also} has no entry of VssAccessControl on "
        f"{', '.join(first.nodes)}{'; the backups succeed' if saved else ''}",
        sure=Sure.LIKELY if others or not saved else Sure.CERTAIN,
        evidence=evidence,
        since=told[-1].event.time,
    )


def _unknown_account(look: Look, told: list[NodeEvent], times: dict[str, int]) -> Finding:
    evidence = [look.evidence(item) for item in _newest_of_each(told)[:4]]
    saved = _saved_nevertheless(look, told)
    if saved:
        evidence.append(saved)
    counts = listed([f"{node} {count}×" for node, count in sorted(times.items())])
    return look.make(
        "vss-callback-denied",
        look.cluster_target(),
        f"VSS is denied a writer's callback ({counts}); which account needs an entry was not read",
        sure=Sure.POSSIBLE,
        evidence=evidence,
        since=told[-1].event.time,
    )


def _beside_stuck_writer(look: Look, item: NodeEvent) -> bool:
    """The Hyper-V writer of the node rejects the same run with an unexpected error: 8194 ends with it (mission S3)."""
    if item.event.id != CALLBACK:
        return False
    rejected = look.events((8229,), node=item.node, source="vss", since=DAY)
    return any(
        writer_of(one.event)[0] == HYPER_V
        and _ORPHAN in one.event.codes
        and timedelta(0) <= one.event.time - item.event.time <= _BESIDE
        for one in rejected
    )


def _saved_nevertheless(look: Look, told: list[NodeEvent]) -> Evidence | None:
    """A VM of a node that tells of it was saved after the node's first such event."""
    for node, items in _by_node(told).items():
        first = min(item.event.time for item in items)
        for vm in look.vms_of(node):
            found = look.vm(vm)
            if found is not None and found[1].last_backup is not None and found[1].last_backup > first:
                text = f"the backups succeed: {found[1].name} was saved at {stamp(found[1].last_backup)}"
                return look.read(text, vm, "VM")
    return None


# --- VSS itself ---


@rule("vss-metadata-too-long", per="node", ids=(8193,), needs_event=True)
def vss_metadata_too_long(look: Look, key: str) -> Iterator[Finding]:
    """8193 with 0x80070018: the document of all components is too long (SUP event-id-8193)."""
    told = [item for item in look.events((8193,), node=key, source="vss", since=DAY) if _TOO_LONG in item.event.codes]
    if not told:
        return
    evidence = [look.evidence(told[0])]
    view = look.node(key)
    sure = Sure.LIKELY
    if view is not None and view.vms is not None and look.unread(key, "vms") == "":
        saved = saved_after(look, view.vms, told[-1].event.time)
        evidence.append(look.read(f"{len(view.vms)} VMs are on the node, each a component of the backup", key, "VMs"))
        if saved is False:
            evidence.append(look.read(f"none of them was saved since {stamp(told[-1].event.time)}", key, "VMs"))
            sure = Sure.CERTAIN
        elif saved:
            return
    yield look.make(
        "vss-metadata-too-long",
        look.node_target(key),
        f"{key}: the metadata of {writer_of(told[0].event)[1] or 'a writer'} is too long for VSS (8193, {_TOO_LONG})",
        sure=sure,
        evidence=evidence,
        since=told[-1].event.time,
    )


@rule("software-provider-fails", per="node", ids=(12292, 11), needs_event=True)
def software_provider_fails(look: Look, key: str) -> Iterator[Finding]:
    """12292 with 0x80080005, event 11 beside it: the provider's COM server does not start (SUP event-12292-11)."""
    told = [
        item for item in look.events((12292,), node=key, source="vss", since=DAY) if _NOT_STARTED in item.event.codes
    ]
    if not told:
        return
    beside = [
        item
        for item in look.events((11,), node=key, source="vss", since=DAY)
        if abs(item.event.time - told[0].event.time) <= _BESIDE
    ]
    view = look.node(key)
    known = view.providers if view is not None else None
    evidence = [look.evidence(told[0]), *(look.evidence(item) for item in beside[:1])]
    agree = 1 if beside else 0
    if known is not None and all(provider.id.lower() != _SOFTWARE for provider in known):
        evidence.append(look.read("Microsoft's software provider is not among the providers", key, "VSS providers"))
        agree += 1
    yield look.make(
        "software-provider-fails",
        look.node_target(key),
        f"{key}: a shadow copy provider does not start (12292, {_NOT_STARTED})",
        sure=Sure(1 + agree),
        evidence=evidence,
        since=told[-1].event.time,
    )


@rule("vss-unstable", per="node", ids=(12366,), needs_event=True)
def vss_unstable(look: Look, key: str) -> Iterator[Finding]:
    """12366: a writer's process failed in a callback; soon after an update it is the update (peers.md 13)."""
    told = look.events((12366,), node=key, source="vss", since=DAY)
    if not told:
        return
    evidence = [look.evidence(item) for item in told[:2]]
    updates = _updates(look, key, told[-1].event.time)
    if updates:
        evidence.append(look.read(f"installed in the days before: {listed(updates)}", key, "hotfixes"))
    yield look.make(
        "vss-unstable",
        look.node_target(key),
        f"{key}: the process of {writer_of(told[0].event)[1] or 'a VSS writer'} is unstable (12366)"
        + (f" since the update of these days: {listed(updates)}" if updates else ""),
        sure=Sure.LIKELY if updates else Sure.POSSIBLE,
        evidence=evidence,
        since=told[-1].event.time,
    )


@rule("shadow-storage-short", per="node", ids=(25, 36, 12298, 12289, 8193, 8229))
def shadow_storage_short(look: Look, key: str) -> Iterator[Finding]:
    """volsnap dropped shadow copies for want of room, or VSS says that storage is insufficient (peers.md 17)."""
    dropped = look.events((25, 36), node=key, source="volsnap", since=DAY)
    refused = [
        item
        for item in look.events((12298, 12289, 12293, 8193, 8229), node=key, source="vss", since=DAY)
        if _NO_STORAGE in item.event.codes
    ]
    told = sorted((*dropped, *refused), key=NodeEvent.order)
    if not told:
        return
    evidence = [look.evidence(item) for item in (*dropped[:2], *refused[:2])]
    sources = list(dict.fromkeys(f"{item.event.provider} {item.event.id}" for item in told))
    yield look.make(
        "shadow-storage-short",
        look.node_target(key),
        f"{key}: no room for shadow copies ({', '.join(sources)})",
        sure=Sure.CERTAIN if dropped and refused else Sure.LIKELY,
        evidence=evidence,
        since=told[0].event.time,
    )


@rule("hardware-provider-differs", per="node")
def hardware_provider_differs(look: Look, key: str) -> Iterator[Finding]:
    """A hardware VSS provider that most nodes have is missing here, or is of another version."""
    view = look.node(key)
    if view is None or view.providers is None:
        return
    others = {n: v.providers for n, v in look.state.nodes.items() if n != view.name and v.providers is not None}
    theirs: dict[str, list[tuple[str, Provider]]] = {}
    for name, providers in others.items():
        for provider in providers:
            if provider.type == _HARDWARE:
                theirs.setdefault(provider.id.lower(), []).append((name, provider))
    own = {provider.id.lower(): provider for provider in view.providers}
    for id_, held in theirs.items():
        if len(held) * 2 <= len(others):
            continue
        mine = own.get(id_)
        if mine is None:
            yield _provider(look, key, held, f"the hardware VSS provider {held[0][1].name} is missing", id_)
            continue
        versions = Counter(provider.version for _, provider in held if provider.version)
        if not versions or not mine.version:
            continue
        version, count = versions.most_common(1)[0]
        if mine.version != version and count * 2 > len(held) and _deviates(look, mine, version):
            same = [(name, provider) for name, provider in held if provider.version == version]
            text = f"the hardware VSS provider {mine.name} is {mine.version}, elsewhere {version}"
            yield _provider(look, key, same, text, id_)


def _deviates(look: Look, mine: Provider, other: str) -> bool:
    """Of two versions with as many nodes each the lower one is told of, so that one node is named and not all."""
    found = Counter(
        provider.version
        for view in look.state.nodes.values()
        for provider in view.providers or ()
        if provider.id.lower() == mine.id.lower() and provider.version
    )
    here, there = found[mine.version or ""], found[other]
    return here < there or (here == there and _parts(mine.version or "") < _parts(other))


def _provider(look: Look, key: str, held: list[tuple[str, Provider]], text: str, id_: str) -> Finding:
    evidence = [
        look.read(f"{provider.name} {provider.version or 'of an unknown version'}", name, "VSS providers")
        for name, provider in held[:3]
    ]
    evidence.append(look.read(f"{key}: {text}", key, "VSS providers"))
    return look.make(
        "hardware-provider-differs",
        look.node_target(key),
        f"{key}: {text} (on {listed([name for name, _ in held])})",
        sure=Sure.CERTAIN if len(held) > 1 else Sure.LIKELY,
        evidence=evidence,
        part=id_,
    )


# --- helpers ---


def _parts(version: str) -> tuple[int, ...]:
    return tuple(int(part) if part.isdigit() else 0 for part in version.split("."))


def _by_node(items: Iterable[NodeEvent]) -> dict[str, list[NodeEvent]]:
    found: dict[str, list[NodeEvent]] = {}
    for item in items:
        found.setdefault(item.node, []).append(item)
    return found


def _occasions(items: list[NodeEvent]) -> int:
    """How many backups they are of."""
    times = sorted(item.event.time for item in items)
    return 1 + sum(later - earlier > _ONE_TIME for earlier, later in pairwise(times))


def _newest_of_each(items: list[NodeEvent]) -> list[NodeEvent]:
    """The newest event of each node and id; the items are newest first."""
    found: dict[tuple[str, int], NodeEvent] = {}
    for item in items:
        found.setdefault((item.node, item.event.id), item)
    return list(found.values())


def _updates(look: Look, node: str, before: datetime) -> list[str]:
    """Updates installed on a node in the days before a time, the newest first; empty also when none were read."""
    picture = look.facts.hotfixes.get(node)
    day = before.date()
    return [
        one.id
        for one in (picture.hotfixes or () if picture is not None else ())
        if one.installed is not None and timedelta(0) <= day - one.installed <= _AFTER_UPDATE
    ]
