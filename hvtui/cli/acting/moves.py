"""`hvtui migrate` and `hvtui cancel`."""

from __future__ import annotations

from hvtui.cli.acting.names import node_name, vm_targets
from hvtui.cli.acting.perform import perform
from hvtui.cli.acting.wish import Wish
from hvtui.cli.arguments import Arguments
from hvtui.errors import UsageError
from hvtui.model.state import ClusterState
from hvtui.operations.plan import Verb


def run(arguments: Arguments) -> int:
    """Which VMs is always said, or is in the plan."""
    verb = Verb(arguments.command)
    if not arguments.vms and arguments.plan is None:
        raise UsageError("which VMs?", hint=f"`hvtui {verb.value} VM…`, by name or id")

    def wish(state: ClusterState) -> Wish:
        options = {}
        if verb is Verb.MIGRATE and arguments.to:
            options["destination"] = node_name(state, arguments.to)
        return Wish(verb, vm_targets(state, arguments.vms), options)

    return perform(arguments, wish)
