"""From what was typed to what is meant: VMs by name or id, nodes by name. Names are literal: no pattern, no guess."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from hvtui.config import nearest
from hvtui.errors import NotDone
from hvtui.model.state import ClusterState
from hvtui.operations.plan import Target

_GUID: Final = re.compile(r"\{?([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})\}?\Z")


def vm_targets(state: ClusterState, words: Iterable[str]) -> tuple[Target, ...]:
    """One VM for each word, each once, in their order. Raises NotDone for a word that means none or several."""
    named: dict[str, list[str]] = {}
    for key in state.vm_keys():
        if not key.startswith("role:"):
            named.setdefault(_name(state, key).casefold(), []).append(key)
    found: dict[str, Target] = {}
    for word in words:
        key = _one(state, word, named)
        found[key] = Target(kind="vm", id=key, name=_name(state, key))
    return tuple(found.values())


def _one(state: ClusterState, word: str, named: dict[str, list[str]]) -> str:
    guid = _GUID.match(word.strip())
    if guid is not None:
        key = guid[1].lower()
        if not any(key in keys for keys in named.values()):
            raise NotDone(f"no VM has the id {key}", hint=_unread(state))
        return key
    keys = named.get(word.casefold(), [])
    if len(keys) == 1:
        return keys[0]
    if keys:
        which = ", ".join(f"{key} on {state.home(key) or 'no known node'}" for key in sorted(keys))
        raise NotDone(f"{len(keys)} VMs are called {word}: {which}", hint="Say which one by its id.")
    near = nearest(word, (_name(state, key) for keys in named.values() for key in keys))
    raise NotDone(
        f"no VM is called {word}", hint=" ".join(filter(None, [near and f"Did you mean {near}?", _unread(state)]))
    )


def node_name(state: ClusterState, word: str) -> str:
    """The node as the cluster spells it. Raises NotDone."""
    known = {name.lower(): name for name in state.node_names()}
    if word.lower() in known:
        return known[word.lower()]
    raise NotDone(f"there is no node {word}", hint=f"Nodes: {', '.join(known.values())}.")


def node_target(state: ClusterState, word: str) -> Target:
    """A node as a target. Raises NotDone."""
    name = node_name(state, word)
    return Target(kind="node", id=name, name=name)


def service_target(state: ClusterState, node: str, service: str) -> Target:
    """A service of a node as a target. Raises NotDone."""
    name = node_name(state, node)
    return Target(kind="service", id=f"{name}/{service}", name=f"{service} on {name}")


def _name(state: ClusterState, key: str) -> str:
    found, role = state.vm(key), state.role(key)
    return found[1].name if found is not None else role.name if role is not None else key


def _unread(state: ClusterState) -> str:
    """Nodes whose VMs are not known: it may be on one of them."""
    silent = [name for name in state.node_names() if state.node(name).vms is None]
    return f"The VMs of {', '.join(silent)} could not be read." if silent else ""
