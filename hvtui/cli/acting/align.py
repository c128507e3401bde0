"""`hvtui align`: VMs to the owner of their CSV before a backup, and back to where they were after it."""

from __future__ import annotations

from hvtui.cli.acting.going_home import keeping, returning
from hvtui.cli.acting.perform import perform
from hvtui.cli.acting.wish import Wish
from hvtui.cli.arguments import Arguments
from hvtui.errors import UsageError
from hvtui.model.state import ClusterState
from hvtui.operations.plan import Verb


def run(arguments: Arguments) -> int:
    """One way or the other."""
    if arguments.back is not None:
        if arguments.save is not None or arguments.max_moves:
            raise UsageError("--return takes neither --save nor --max-moves")
        name = arguments.back
        return perform(arguments, lambda state: returning(state, name))

    def wish(state: ClusterState) -> Wish:
        options = {"csv": arguments.csv or "", "group": arguments.group or ""}
        if arguments.max_moves:
            options["max_moves"] = str(arguments.max_moves)
        made = Wish(Verb.ALIGN, (), {name: value for name, value in options.items() if value})
        return keeping(made, state, arguments.save) if arguments.save is not None else made

    return perform(arguments, wish)
