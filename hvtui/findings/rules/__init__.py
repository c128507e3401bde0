"""The rules, one module an area. A rule is a generator over a `Look`; `@rule` registers it.

    @rule("guest-shadow-failed", per="vm", ids=(10102,), needs_event=True)
    def guest_shadow_failed(look: Look, key: str) -> Iterator[Finding]: ...

A rule speaks only when enough agrees, never acts in a waiting state, and takes what could not be read as unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Final, Literal

import msgspec

if TYPE_CHECKING:
    from hvtui.findings.finding import Finding
    from hvtui.findings.look import Look

Per = Literal["cluster", "node", "csv", "vm"]
Function = Callable[["Look", str], Iterator["Finding"]]


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """`ids` are event ids that make their target worth looking at again.

    `needs_event`: without one of them about the VM (or in the node's log) the rule cannot speak and is not asked.
    """

    id: str
    per: Per
    function: Function
    ids: frozenset[int] = frozenset()
    needs_event: bool = False


_registry: Final[dict[str, Rule]] = {}


def rule(id: str, *, per: Per, ids: tuple[int, ...] = (), needs_event: bool = False) -> Callable[[Function], Function]:
    """Register a function as the rule `id`, asked once for each thing of a kind (`""` is the cluster's key).

    Keys: the node's name as `state.nodes` spells it, a CSV's id, a VM's key.
    """

    def register(function: Function) -> Function:
        if id in _registry:
            raise ValueError(f"two rules are called {id}")
        _registry[id] = Rule(id=id, per=per, function=function, ids=frozenset(ids), needs_event=needs_event)
        return function

    return register


@cache
def all_rules() -> dict[str, Rule]:
    """Every rule by id, whichever module of this package it is in."""
    for module in sorted(found.name for found in iter_modules(__path__)):
        import_module(f"{__name__}.{module}")
    return dict(_registry)
