"""Alignment: VMs to the owner of their CSV before a backup, so that one node snapshots each volume.

Every file counts, paths are compared by volume, anti-affinity is never broken, and memory is counted for the batch.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from hvtui.model.enums import VmState
from hvtui.model.placement import Placement, place, short_path
from hvtui.model.severity import Severity
from hvtui.operations.board import Board, played
from hvtui.operations.facts import Facts
from hvtui.operations.fit import MOVABLE, judge
from hvtui.operations.gate import settle
from hvtui.operations.holds import holds_of, vm_target
from hvtui.operations.order import in_order
from hvtui.operations.plan import CsvLine, Left, Move, Note, Plan, Refusal, Target, Verb
from hvtui.operations.rules_vm import frozen_volumes
from hvtui.operations.verbs.draft import AT_REST, balancer_note, draft, level_of, move_of, name_of

_DYNAMIC: Final = frozenset({"memory", "anti-affinity"})
"""What the moves of the batch itself may change."""


def plan_align(facts: Facts, *, csv: str = "", group: str = "", most: int = 0) -> Plan:
    """Move drifted VMs home: of all CSVs, of the one named (its folder or id), or of a group, to one node.

    `most` bounds the number of moves; 0 does not.
    """
    if group:
        return _group(facts, group, most)
    chosen = volumes(facts, csv)
    title = f"Align the VMs of {csv} with its owner" if csv else "Align VMs with the owners of their CSVs"
    base = draft(facts, Verb.ALIGN, title, [csv_target(facts, key) for key in chosen if csv])
    options = {"csv": csv} if csv else {}
    base = msgspec.structs.replace(base, options=options)
    if csv and not chosen:
        return msgspec.structs.replace(base, refusals=(missing_csv(facts, csv),))
    left: list[Left] = []
    wishes: list[Move] = []
    for key in sorted(facts.state.vm_keys()):
        placement = place(facts.state, key)
        if chosen and csv and not chosen.keys() & set(placement.csvs):
            continue
        wish = _wish(facts, key, placement)
        if isinstance(wish, Move):
            wishes.append(wish)
        elif wish is not None:
            left.append(wish)
    return _planned(facts, base, wishes, left, most)


def _wish(facts: Facts, key: str, placement: Placement) -> Move | Left | None:
    """A VM that should move, one that is named with the reason why it does not, or nothing to say."""
    target, home = vm_target(key, name_of(facts, key)), facts.state.home(key) or ""
    clustered = facts.state.role(key) is not None
    refusal: Refusal | None = None
    text = ""
    if placement.off_owner is None and clustered:
        refusal = _refuse("unread", target, "where its files are could not be read")
    elif placement.split:
        choice = "Move its files together, or choose its node yourself"
        text = f"its files are on several CSVs: {_files(facts, key)}. {choice}"
    elif not placement.off_owner:
        return None
    elif (state := _state(facts, key)) in AT_REST:
        text = f"it is {AT_REST[VmState(state or 0)]}: it reads and writes nothing, and is not moved"
    elif not clustered:
        refusal = _refuse("not-clustered", target, "it is no role of the cluster")
    else:
        owner = placement.owners[0]
        return move_of(facts, key, owner, f"{', '.join(_names(facts, placement.csvs))} is owned by {owner}")
    return Left(vm=target, node=home, refusals=(refusal,) if refusal is not None else (), text=text)


def _group(facts: Facts, group: str, most: int) -> Plan:
    """All VMs of a group to the one node on which most of them can be, with the fewest moves."""
    patterns = facts.groups.get(group)
    title = f"Bring the VMs of {group} together on one node"
    base = draft(facts, Verb.ALIGN, title, ())
    if patterns is None:
        known = ", ".join(sorted(facts.groups)) or "none"
        missing = Refusal(rule="unread", text=f"the configuration has no group {group!r}; known: {known}")
        return msgspec.structs.replace(base, refusals=(missing,))
    members = [
        key
        for key in sorted(facts.state.vm_keys())
        if any(_is_called(name_of(facts, key), pattern) for pattern in patterns)
    ]
    running = [key for key in members if _state(facts, key) not in AT_REST]
    plans = []
    for node in facts.state.node_names():
        wishes = [move_of(facts, key, node, f"group {group}") for key in running if facts.state.home(key) != node]
        trial = _planned(facts, base, wishes, [], most)
        owned = sum(node in place(facts.state, key).owners for key in members)
        there = len(running) - len(wishes) + len(trial.moves)
        plans.append(((-there, len(trial.moves), -owned, node.lower()), trial))
    best = min(plans, key=lambda one: one[0])[1] if plans else base
    resting = [
        Left(vm=vm_target(key, name_of(facts, key)), node=facts.state.home(key) or "", text="it does not run")
        for key in members
        if key not in running
    ]
    return msgspec.structs.replace(best, left=(*best.left, *resting), options={"group": group})


def _is_called(name: str, pattern: str) -> bool:
    """`*` stands for anything; every other character, brackets too, for itself."""
    literal = ".*".join(re.escape(part) for part in pattern.lower().split("*"))
    return re.fullmatch(literal, name.lower(), re.DOTALL) is not None


def _planned(facts: Facts, base: Plan, wishes: list[Move], left: list[Left], most: int) -> Plan:
    """Which of the wishes can be done, in which order; the rest with its reasons."""
    board = Board.of(facts)
    frozen = frozen_volumes(facts)
    able: list[Move] = []
    for move in wishes:
        against = [
            *holds_of(facts, move.vm.id),
            *(_refuse("frozen", move.vm, frozen[csv], hold=True) for csv in move.csvs if csv in frozen),
            *(r for r in judge(facts, move.vm.id, move.destination, board).refusals if r.rule not in _DYNAMIC),
        ]
        if against or move.state not in MOVABLE or move.memory is None:
            why = against or list(judge(facts, move.vm.id, move.destination, board).refusals)
            left.append(Left(vm=move.vm, node=move.source, refusals=tuple(why)))
        else:
            able.append(move)
    moves, stuck = in_order(board, able)
    if most and len(moves) > most:
        over = moves[most:]
        moves = moves[:most]
        left += [Left(vm=move.vm, node=move.source, text=f"not among the first {most} moves") for move in over]
    after = _after(board.copy(), moves)
    left += [_stuck(facts, move, after) for move in stuck]
    lines = tuple(csv_lines(facts, moves, frozen, base))
    plan = msgspec.structs.replace(
        base, moves=tuple(moves), left=tuple(left), csvs=lines, notes=tuple(_notes(facts, after))
    )
    settled = settle(plan, facts)
    level, name = level_of(facts, settled)
    return msgspec.structs.replace(settled, level=level, name=name)


def _after(board: Board, moves: Iterable[Move]) -> Board:
    for _ in played(board, moves):
        pass
    board.end_wave()
    return board


def _stuck(facts: Facts, move: Move, after: Board) -> Left:
    """A VM that finds no place even when all others have moved."""
    refusals = [r for r in judge(facts, move.vm.id, move.destination, after).refusals if r.rule in _DYNAMIC]
    return Left(vm=move.vm, node=move.source, refusals=tuple(refusals))


def csv_lines(facts: Facts, moves: list[Move], frozen: dict[str, str], base: Plan | None = None) -> Iterator[CsvLine]:
    """Snapshots per CSV before and after, and the other way: moving the CSV to its VMs."""
    going = {move.vm.id: move.destination for move in moves}
    wanted = {target.id for target in base.targets if target.kind == "csv"} if base is not None else set()
    nodes: dict[str, Counter[str]] = {}
    then: dict[str, Counter[str]] = {}
    for key in facts.state.vm_keys():
        home = facts.state.home(key)
        if home is None or _state(facts, key) in AT_REST:
            continue
        for csv in place(facts.state, key).csvs:
            nodes.setdefault(csv, Counter())[home] += 1
            then.setdefault(csv, Counter())[going.get(key, home)] += 1
    for csv, record in (facts.state.cluster.csvs or {}).items():
        now = nodes.get(csv, Counter())
        if (wanted and csv not in wanted) or not now:
            continue
        owner = facts.state.node_name(record.owner) if record.owner is not None else ""
        fullest = max(now, key=lambda node: (now[node], node == owner, node))
        yield CsvLine(
            csv=csv,
            name=short_path(record.path),
            owner=owner,
            before=len(now),
            after=len(then[csv]),
            moves=sum(csv in move.csvs for move in moves),
            alternative="" if fullest == owner else fullest,
            alternative_moves=sum(now.values()) - now[fullest],
            frozen=frozen.get(csv, ""),
        )


def _notes(facts: Facts, after: Board) -> Iterator[Note]:
    yield from balancer_note(facts)
    if after.survives_loss() is not True:
        text = "afterwards the cluster would not (or may not) bear the loss of its fullest node"
        yield Note(text=text, severity=Severity.WARN)


def volumes(facts: Facts, name: str) -> dict[str, str]:
    """CSV id → short name, of the one that is named by its folder, resource or id; of all without a name."""
    lower = name.lower()
    return {
        key: short_path(csv.path)
        for key, csv in (facts.state.cluster.csvs or {}).items()
        if not name or lower in {short_path(csv.path).lower(), key.lower(), csv.resource.lower()}
    }


def missing_csv(facts: Facts, name: str) -> Refusal:
    """Nothing, or more than one thing, has the name."""
    known = ", ".join(sorted(short_path(csv.path) for csv in (facts.state.cluster.csvs or {}).values()))
    return Refusal(rule="unread", text=f"there is no CSV {name!r}; known: {known or 'none, they could not be read'}")


def csv_target(facts: Facts, key: str) -> Target:
    """A CSV as a plan names it."""
    return Target(kind="csv", id=key, name=short_path((facts.state.cluster.csvs or {})[key].path))


def _files(facts: Facts, key: str) -> str:
    """Each file that a choice is about, with its volume and that volume's owner."""
    files = facts.state.files(key)
    index = facts.state.placements.index(facts.state)
    csvs = facts.state.cluster.csvs or {}
    if files is None or index is None:
        return "unread"
    said = []
    for path in (*(files.disks or ()), files.configuration, files.checkpoints, files.paging):
        csv = index.find(path) if path else None
        if path and csv is not None:
            said.append(f"{path} ({short_path(csvs[csv].path)}, owner {csvs[csv].owner})")
    return "; ".join(dict.fromkeys(said))


def _names(facts: Facts, csvs: Iterable[str]) -> list[str]:
    return [short_path((facts.state.cluster.csvs or {})[csv].path) for csv in csvs]


def _state(facts: Facts, key: str) -> int | None:
    found = facts.state.vm(key)
    return found[1].state if found is not None else None


def _refuse(rule: str, target: Target, text: str, *, hold: bool = False) -> Refusal:
    return Refusal(rule=rule, target=target, text=f"{target.name}: {text}", hold=hold)
