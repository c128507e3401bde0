"""`hvtui drain`, `resume`, `vmms` and `service`."""

from __future__ import annotations

from typing import Final

from hvtui.cli.acting.names import node_target, service_target
from hvtui.cli.acting.perform import perform
from hvtui.cli.acting.wish import Wish
from hvtui.cli.arguments import Arguments
from hvtui.errors import NotDone, UsageError
from hvtui.model.state import ClusterState
from hvtui.operations.plan import Verb
from hvtui.operations.verbs.restart import RESTARTABLE, VMMS, why_not

_FAILBACK: Final = {"immediate": "Immediate", "none": "NoFailback"}


def run(arguments: Arguments) -> int:
    """One of the four."""
    wishes = {"drain": _drain, "resume": _resume, "vmms": _vmms, "service": _service}
    make = wishes[arguments.command]
    return perform(arguments, lambda state: make(arguments, state))


def _overrides(arguments: Arguments) -> dict[str, str]:
    return {"overrides": ",".join(dict.fromkeys(arguments.override))} if arguments.override else {}


def _drain(arguments: Arguments, state: ClusterState) -> Wish:
    return Wish(Verb.DRAIN, (node_target(state, arguments.node),), _overrides(arguments))


def _resume(arguments: Arguments, state: ClusterState) -> Wish:
    failback = {"failback": _FAILBACK[arguments.failback]}
    return Wish(Verb.RESUME, (node_target(state, arguments.node),), failback)


def _vmms(arguments: Arguments, state: ClusterState) -> Wish:
    nodes = tuple(dict.fromkeys(node_target(state, node) for node in arguments.nodes))
    if not arguments.start:
        options = {"failback": _FAILBACK[arguments.failback], **_overrides(arguments)}
        return Wish(Verb.VMMS, nodes, options)
    if len(nodes) != 1:
        raise UsageError("--start starts VMMS on one node")
    return Wish(Verb.START_VMMS, (service_target(state, nodes[0].id, VMMS),))


def _service(arguments: Arguments, state: ClusterState) -> Wish:
    named = {name.lower(): name for name in RESTARTABLE}
    service = named.get(arguments.service.lower())
    if service is None:
        raise NotDone(why_not(arguments.service), hint=f"It restarts {', '.join(RESTARTABLE)}.")
    return Wish(Verb.SERVICE, (service_target(state, arguments.node, service),))
