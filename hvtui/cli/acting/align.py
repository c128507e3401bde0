"""`hvtui align`: VMs to the owner of their CSV before a backup, and back to where they were after it."""

from __future__ import annotations

from hvtui.cli.acting.going_home import keeping, returning
from hvtui.cli.acting.perform import perform
from hvtui.cli.acting.wish import Wish
from hvtui.cli.arguments import Arguments
from hvtui.cli.connecting import choose
from hvtui.errors import NotDone, UsageError
from hvtui.model.placement import short_path
from hvtui.model.state import ClusterState
from hvtui.operations.plan import Verb


def run(arguments: Arguments) -> int:
    """One way or the other."""
    if arguments.back is not None:
        if arguments.save is not None or arguments.max_moves:
            raise UsageError("--return takes neither --save nor --max-moves")
        name = arguments.back
        return perform(arguments, lambda state: returning(state, name))

    if arguments.move_csv and (arguments.csv is None or arguments.max_moves or arguments.save is not None):
        raise UsageError("--move-csv needs --csv NAME, and takes neither --save nor --max-moves")

    if arguments.group is not None:
        _, cluster = choose(arguments)
        if arguments.group not in cluster.groups:
            known = ", ".join(cluster.groups) or "none"
            raise UsageError(
                f"the configuration has no group {arguments.group} for {cluster.name}", hint=f"known: {known}"
            )

    def wish(state: ClusterState) -> Wish:
        if arguments.csv is not None:
            _need_csv(state, arguments.csv)
        options = {"csv": arguments.csv or "", "group": arguments.group or ""}
        if arguments.max_moves:
            options["max_moves"] = str(arguments.max_moves)
        if arguments.move_csv:
            options["move_csv"] = "yes"
        made = Wish(Verb.ALIGN, (), {name: value for name, value in options.items() if value})
        return keeping(made, state, arguments.save) if arguments.save is not None else made

    return perform(arguments, wish)


def _need_csv(state: ClusterState, name: str) -> None:
    """Raises NotDone for a CSV that is not there, when the CSVs were read."""
    csvs = state.cluster.csvs
    if csvs is None:
        return
    known = {short_path(csv.path).lower(): short_path(csv.path) for csv in csvs.values()}
    others = {text.lower() for key, csv in csvs.items() for text in (key, csv.resource)}
    if name.lower() not in known.keys() | others:
        raise NotDone(f"there is no CSV {name}", hint=f"CSVs: {', '.join(sorted(known.values()))}.")
