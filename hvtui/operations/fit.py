"""How well a node suits a VM: what forbids it, what speaks against it, what for it, in words that are shown.

Rules of placement come before memory, memory before taste. What could not be read forbids. Sources: windows.md §1.10,
§1.11, §2.6; peers.md §B 51–56, 61–66.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from hvtui.model.conditions import io_word
from hvtui.model.enums import VmState
from hvtui.model.placement import is_at_rest, place, short_path
from hvtui.model.preflight import NodePreflight, VmPreflight
from hvtui.model.records import Csv, Vm
from hvtui.operations.board import Board, affinity_rules
from hvtui.operations.capacity import need_of, takes_roles
from hvtui.operations.facts import Facts
from hvtui.operations.plan import Note, Refusal, Target

MOVABLE: Final = frozenset({VmState.Running, VmState.Paused, VmState.PausedVendor}) | {
    VmState.Off,
    VmState.Saved,
    VmState.SavedVendor,
}
SAME_NODE: Final = 2
_WARN: Final = 2


class Fit(msgspec.Struct, frozen=True, kw_only=True):
    """One node as the destination of one VM. `room` is what is left there afterwards, MB; None when unknown."""

    node: str
    refusals: tuple[Refusal, ...] = ()
    notes: tuple[Note, ...] = ()
    owns: bool = False
    """It owns every CSV the VM is on."""
    spare: bool | None = None
    """N+1 holds afterwards."""
    preferred: bool = False
    room: int | None = None

    def rank(self) -> tuple[bool, bool, bool, bool, int, int, str]:
        """The best first."""
        return (
            bool(self.refusals),
            not self.owns,
            self.spare is not True,
            not self.preferred,
            len(self.notes),
            -(self.room or 0),
            self.node.lower(),
        )


def ranked(facts: Facts, key: str, board: Board | None = None) -> list[Fit]:
    """Every node but the VM's own as its destination, the best first."""
    home, board = facts.state.home(key), board or Board.of(facts)
    return sorted((judge(facts, key, n, board) for n in facts.state.node_names() if n != home), key=Fit.rank)


def judge(facts: Facts, key: str, node: str, board: Board | None = None) -> Fit:
    """Whether a VM may go to a node, on the board as it is when its turn comes; without one, now."""
    found, known = facts.state.vm(key), facts.vm(key)
    name = found[1].name if found is not None else key
    target = Target(kind="vm", id=key, name=name)
    if found is None or known is None:
        text = f"{name}: what a move needs to know of it could not be read"
        return Fit(node=node, refusals=(Refusal(rule="unread", target=target, text=text),))
    vm = found[1]
    answer = facts.preflight.get(node)
    host = answer.node if answer is not None else None
    board = board or Board.of(facts)
    need, free = need_of(facts, key), board.free.get(node)
    refusals = [
        *_state(facts, vm, known, node, target),
        *_owners(facts, known, node, target),
        *_apart(facts, known, board, node, target),
        *_storage(facts, key, known, node, target),
        *_hardware(known, host, node, target),
        *_memory(need, free, node, target),
    ]
    spare = board.survives_loss(facts.state.home(key) or "", node, need or 0)
    owners = place(facts.state, key).owners
    return Fit(
        node=node,
        refusals=tuple(refusals),
        notes=tuple(_notes(facts, known, node, target, spare=spare, at_rest=is_at_rest(vm.state))),
        owns=bool(owners) and all(owner == node for owner in owners),
        spare=spare,
        preferred=_is_in(node, known.preferred_owners or ()),
        room=None if need is None or free is None else free - need,
    )


def _refuse(rule: str, target: Target, text: str, hint: str = "") -> Refusal:
    return Refusal(rule=rule, target=target, text=f"{target.name}: {text}", hint=hint)


def _state(facts: Facts, vm: Vm, known: VmPreflight, node: str, target: Target) -> Iterator[Refusal]:
    if facts.state.home(vm.id) == node:
        yield _refuse("there", target, f"it is on {node} already")
    if not takes_roles(facts.state, node):
        yield _refuse("destination", target, f"{node} takes no roles now (down, paused, draining, isolated or unread)")
    if known.clustered is None:
        yield _refuse("unread", target, "whether it is clustered could not be read")
    elif not known.clustered:
        yield _refuse("not-clustered", target, "it is no role of the cluster, so the cluster cannot move it")
    if vm.state not in MOVABLE:
        yield _refuse("state", target, f"its state ({vm.state}) is passing; wait until it runs or is off")


def _owners(facts: Facts, known: VmPreflight, node: str, target: Target) -> Iterator[Refusal]:
    if known.possible_owners is None:
        yield _refuse("unread", target, "its possible owners could not be read")
    elif not _is_in(node, known.possible_owners):
        yield _refuse("possible-owner", target, f"{node} is not among its possible owners", "Add it in the cluster.")


def _apart(facts: Facts, known: VmPreflight, board: Board, node: str, target: Target) -> Iterator[Refusal]:
    if known.anti_affinity is None:
        yield _refuse("unread", target, "its anti-affinity classes could not be read")
    if affinity_rules(facts) is None:
        yield _refuse("unread", target, "the cluster's affinity rules could not be read")
    for other in board.met(known.id, node):
        role = facts.state.role(other)
        name, why = role.name if role is not None else other, board.apart[known.id][other]
        yield _refuse("anti-affinity", target, f"{why} keeps it and {name}, which is on {node}, on different nodes")


def _storage(facts: Facts, key: str, known: VmPreflight, node: str, target: Target) -> Iterator[Refusal]:
    cluster = facts.state.cluster
    placement = place(facts.state, key)
    if placement.off_owner is None:
        yield _refuse("unread", target, "where its files are could not be read")
    for path in placement.elsewhere:
        if not path.startswith("\\\\"):
            yield _refuse("local-file", target, f"{path} is on no CSV, so {node} cannot reach it")
    for csv_id in placement.csvs:
        csv = (cluster.csvs or {})[csv_id]
        states = ways_to(facts, csv)
        if node not in states:
            yield _refuse("unread", target, f"how {node} reaches {short_path(csv.path)} could not be read")
        elif (word := io_word(csv, *states[node])) in {"unavailable", "paused", "block redirected"}:
            yield _refuse("csv", target, f"{short_path(csv.path)} is {word} on {node}")
    if known.pass_through is None:
        yield _refuse("unread", target, "its disks could not be read")
    elif known.pass_through:
        yield _refuse("pass-through", target, "it has a pass-through disk", "Pass-through disks stay on their node.")
    if known.dvd is None:
        yield _refuse("unread", target, "its DVD drives could not be read")
    for medium in known.dvd or ():
        if not _on_shared_storage(facts, medium):
            hint = "Eject it; note the path to insert it again."
            yield _refuse("dvd", target, f"{medium} is in its drive and not on shared storage", hint)


def ways_to(facts: Facts, csv: Csv) -> dict[str, tuple[int, int, int]]:
    """How each node reaches a volume, by the node's name as the state spells it; empty when that was not read."""
    io = (facts.state.cluster.io or {}).get(csv.volume or "")
    return {facts.state.node_name(name): state for name, state in (io.nodes if io is not None else {}).items()}


def _on_shared_storage(facts: Facts, path: str) -> bool:
    index = facts.state.placements.index(facts.state)
    return path.startswith("\\\\") or (index is not None and index.find(path) is not None)


def _hardware(known: VmPreflight, host: NodePreflight | None, node: str, target: Target) -> Iterator[Refusal]:
    if known.gpu is None:
        yield _refuse("unread", target, "whether it has a GPU or an assigned device could not be read")
    elif known.gpu:
        yield _refuse("device", target, "it has a GPU partition or an assigned device, which stays on its node")
    if host is None or host.switches is None or known.switches is None:
        yield _refuse("unread", target, f"virtual switches (its own, or those of {node}) could not be read")
    else:
        missing = [name for name in known.switches if name and name.lower() not in {s.lower() for s in host.switches}]
        if missing:
            yield _refuse("switch", target, f"{node} has no virtual switch {', '.join(missing)}")
    if host is None or host.vm_versions is None or known.version is None:
        yield _refuse("unread", target, f"configuration versions (its own, or those of {node}) could not be read")
    elif known.version not in host.vm_versions:
        yield _refuse("version", target, f"{node} does not run configuration version {known.version}")


def _memory(need: int | None, free: int | None, node: str, target: Target) -> Iterator[Refusal]:
    if need is None:
        yield _refuse("memory", target, "its memory is unknown, so it fits nowhere")
    elif free is None:
        yield _refuse("memory", target, f"the free memory of {node} could not be read")
    elif need > free:
        text = f"it needs {need / 1024:.1f} GB; {node} then has {max(0, free) / 1024:.1f} GB beyond the reserve"
        yield _refuse("memory", target, text)


def _notes(
    facts: Facts, known: VmPreflight, node: str, target: Target, *, spare: bool | None, at_rest: bool
) -> Iterator[Note]:
    def note(text: str) -> Note:
        return Note(text=text, target=target, severity=_WARN)

    if at_rest:
        yield note("it does not run: it is moved as it is (quick), nothing is interrupted")
    if spare is not True:
        known_word = "would not" if spare is False else "might not (unknown)"
        yield note(f"afterwards the cluster {known_word} bear the loss of its fullest node")
    if known.preferred_owners and not _is_in(node, known.preferred_owners):
        yield note(f"{node} is not among its preferred owners")
    if known.tpm:
        yield note(f"it has a virtual TPM: {node} must have its certificates")
    role = facts.state.role(known.id)
    for rule in affinity_rules(facts) or ():
        names = {name.lower() for name in rule.groups}
        if role is not None and rule.type == SAME_NODE and rule.enabled is not False and role.name.lower() in names:
            yield note(f"rule {rule.name} keeps it together with others")


def _is_in(name: str, names: Iterable[str]) -> bool:
    return name.lower() in {other.lower() for other in names}
