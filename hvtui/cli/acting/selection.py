"""Which VMs a command is about: by name, node, CSV, filter or all of them. One module for every command that asks.

A name is meant literally; a filter is the console's own (`/`). What cannot be told to be among them is said: a
selection that is not whole never looks whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from hvtui.cli.acting.names import node_name, vm_targets
from hvtui.cli.arguments import Arguments
from hvtui.errors import NotDone, UsageError
from hvtui.model.filter import Filter, parse_filter
from hvtui.model.placement import short_path
from hvtui.model.rows import VmRow, vm_row
from hvtui.model.state import ClusterState
from hvtui.operations.plan import Target
from hvtui.text import natural

_ROLE: Final = "role:"
"""Begins the key of a role whose VM is not known."""
WAYS: Final = "--vm NAME…, --node NODE…, --csv NAME, --filter EXPRESSION or --all"


@dataclass(frozen=True)
class Selection:
    """The VMs, by name; and what may be missing among them, one sentence each."""

    targets: tuple[Target, ...]
    gaps: tuple[str, ...] = ()


def check_selection(arguments: Arguments) -> None:
    """Something says which VMs, and a filter can be understood. Raises UsageError, before anything is contacted."""
    if not is_chosen(arguments):
        raise UsageError("which VMs?", hint=f"say {WAYS}")
    if arguments.filter is not None:
        parsed = parse_filter(arguments.filter)
        if parsed.problems:
            raise UsageError(f"the filter is not understood: {'; '.join(parsed.problems)}")
        if not parsed:
            raise UsageError("the filter is empty, and would mean every VM", hint="say --all for that")


def is_chosen(arguments: Arguments) -> bool:
    """One of the ways to say which VMs was used."""
    return bool(arguments.vms or arguments.on or arguments.all) or arguments.csv is not None or bool(arguments.filter)


def select(state: ClusterState, arguments: Arguments) -> Selection:
    """The VMs that were asked for. Raises NotDone for a name that means nothing."""
    if arguments.vms:
        return Selection(vm_targets(state, arguments.vms))
    if arguments.on:
        nodes = [node_name(state, word) for word in arguments.on]
        wanted = {node.lower() for node in nodes}
        return _matching(state, lambda row: row.node.lower() in wanted, nodes)
    if arguments.csv is not None:
        return _on_csv(state, arguments.csv)
    chosen = parse_filter(arguments.filter or "")
    return _matching(state, chosen.matches if chosen else lambda row: True, state.node_names())


def selected_by(arguments: Arguments) -> str:
    """What was typed, in words: for a selection in which there is nothing."""
    if arguments.on:
        return f"on {', '.join(arguments.on)}"
    if arguments.csv is not None:
        return f"on {arguments.csv}"
    return f"that matches {arguments.filter}" if arguments.filter else "in the cluster"


def need_csv(state: ClusterState, name: str) -> set[str]:
    """Ids of the CSV of that name; empty while the CSVs are unread. Raises NotDone for one that is not there."""
    csvs = state.cluster.csvs
    if csvs is None:
        return set()
    wanted = name.lower()
    found = {
        key for key, csv in csvs.items() if wanted in {key.lower(), csv.resource.lower(), short_path(csv.path).lower()}
    }
    if not found:
        known = sorted(short_path(csv.path) for csv in csvs.values())
        raise NotDone(f"there is no CSV {name}", hint=f"CSVs: {', '.join(known)}.")
    return found


def _on_csv(state: ClusterState, name: str) -> Selection:
    if state.cluster.csvs is None:
        raise NotDone("the CSVs could not be read", hint="Choose by --vm or --node instead.")
    ids = need_csv(state, name)
    found = _matching(state, lambda row: not ids.isdisjoint(row.csv_ids), state.node_names())
    unread = [row.name for row in _rows(state) if row.split is None and ids.isdisjoint(row.csv_ids)]
    if not unread:
        return found
    more = f" and {len(unread) - 10} more" if len(unread) > 10 else ""
    gap = f"where the files of {', '.join(sorted(unread, key=natural)[:10])}{more} are could not be read"
    return Selection(found.targets, (*found.gaps, gap))


def _matching(state: ClusterState, holds: Callable[[VmRow], bool], nodes: list[str]) -> Selection:
    rows = [row for row in _rows(state) if holds(row)]
    gaps = [f"the VMs of {node} could not be read" for node in nodes if state.node(node).vms is None]
    gaps += [f"the role {row.name} on {row.node or '?'}: its VM is not known" for row in rows if _is_role(row)]
    targets = [Target(kind="vm", id=row.key, name=row.name) for row in rows if not _is_role(row)]
    return Selection(tuple(sorted(targets, key=lambda target: (natural(target.name), target.id))), tuple(gaps))


def _rows(state: ClusterState) -> Iterator[VmRow]:
    return (vm_row(state, key) for key in state.vm_keys())


def _is_role(row: VmRow) -> bool:
    return row.key.startswith(_ROLE)


__all__ = ["WAYS", "Filter", "Selection", "check_selection", "is_chosen", "need_csv", "select", "selected_by"]
