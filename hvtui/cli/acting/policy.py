"""`hvtui policy`: the checkpoint type of one VM, of many, or of all VMs of several clusters, and back again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from hvtui.cli.acting.past import operation_of
from hvtui.cli.acting.perform import check_usage, perform, perform_asking
from hvtui.cli.acting.selection import check_selection, is_chosen, select
from hvtui.cli.acting.session import Session
from hvtui.cli.acting.wish import Wish
from hvtui.cli.arguments import Arguments
from hvtui.cli.exits import Exit, code_of
from hvtui.cli.output import complain, say, show_json
from hvtui.config_file import load_config
from hvtui.errors import HvtuiError, UsageError
from hvtui.model.state import ClusterState
from hvtui.operations.plan import Verb

_ORDER: Final = (Exit.FINE, Exit.WRONG, Exit.TIMED_OUT, Exit.NOTHING, Exit.REFUSED, Exit.USAGE, Exit.INTERRUPTED)
"""Mildest first: what a command about several clusters ends with is the worst of theirs."""
_ENDS: Final = frozenset({"failed", "unknown", "cancelled", "left"})
"""A run that ended so keeps the clusters after it from being begun: what stopped it may be there, too."""


def run(arguments: Arguments) -> int:
    """`set` or `undo`."""
    if arguments.json and arguments.jsonl:
        raise UsageError("--json and --jsonl are two ways to tell the same")
    if arguments.jsonl and not arguments.apply:
        raise UsageError("--jsonl tells how changes go", hint="--json shows the plan")
    if arguments.action == "undo":
        return perform_asking(arguments, lambda session: _undo(session, arguments))
    return _set(arguments)


async def _undo(session: Session, arguments: Arguments) -> Wish:
    if arguments.plan is not None and not arguments.operation:
        return Wish(Verb.POLICY_UNDO)
    found = await operation_of(session, arguments.operation, (Verb.POLICY,), Verb.POLICY_UNDO)
    return Wish(Verb.POLICY_UNDO, (), {"operation": found})


def _set(arguments: Arguments) -> int:
    if arguments.plan is None or is_chosen(arguments):
        check_selection(arguments)
    names = list(dict.fromkeys(arguments.clusters))
    if len(names) > 1:
        return _Clusters(arguments, names).go()
    arguments.cluster = names[0] if names else ""
    if len(arguments.confirmed) > 1:
        raise UsageError("one cluster takes one --confirm")
    arguments.confirm = arguments.confirmed[0] if arguments.confirmed else None
    return perform(arguments, lambda state: _wish(arguments, state))


def _wish(arguments: Arguments, state: ClusterState) -> Wish:
    options = {"type": arguments.type}
    if not is_chosen(arguments):
        return Wish(Verb.POLICY, (), options)
    chosen = select(state, arguments)
    return Wish(Verb.POLICY, chosen.targets, options, gaps=chosen.gaps)


class _Clusters:
    """Several clusters, one after the other."""

    def __init__(self, arguments: Arguments, names: list[str]) -> None:
        self.arguments = arguments
        self.names = names
        self.told: list[dict[str, Any]] = []

    def go(self) -> int:
        """The worst of their exit codes. All names are known before the first is contacted. Raises UsageError."""
        arguments = self.arguments
        if arguments.plan is not None or arguments.out is not None:
            raise UsageError("a plan in a file is of one cluster", hint="give one --cluster")
        check_usage(arguments)
        config = load_config(arguments.config)
        names = [config.cluster(name).name for name in self.names]
        worst, left = Exit.FINE, list(names)
        while left:
            name = left.pop(0)
            code, word = self._one(name)
            worst = max(worst, code, key=_ORDER.index)
            if left and (code == Exit.INTERRUPTED or (arguments.apply and word in _ENDS)):
                complain(f"not begun: {', '.join(left)}")
                self.told += [{"cluster": one, "exit": None, "error": "not begun", "told": None} for one in left]
                break
        if arguments.json:
            show_json({"exit": worst, "clusters": self.told})
        return worst

    def _one(self, name: str) -> tuple[Exit, str]:
        """Its exit code, and how its run ended; empty without a run."""
        arguments = self.arguments
        arguments.cluster, arguments.confirm = name, None
        kept: list[Mapping[str, object]] = []
        words = [""]
        error = ""
        if not arguments.json and not arguments.jsonl:
            say(f"--- {name} ---")
        try:
            code = Exit(
                perform(
                    arguments,
                    lambda state: self._confirmed(state, name),
                    emit=kept.append,
                    ended=lambda outcome: words.append(outcome.word),
                )
            )
        except KeyboardInterrupt:
            code, error = Exit.INTERRUPTED, "interrupted; nothing was begun"
        except HvtuiError as failure:
            code, error = code_of(failure), str(failure)
            complain(f"{name}: {error}")
        self.told.append({"cluster": name, "exit": code, "error": error, "told": kept[-1] if kept else None})
        return code, words[-1]

    def _confirmed(self, state: ClusterState, name: str) -> Wish:
        """What is typed for a cluster is the one that names it, or one of its VMs; each is used where it fits."""
        arguments = self.arguments
        wish = _wish(arguments, state)
        info = state.cluster.info
        about = {name.casefold(), info.name.casefold() if info is not None else ""}
        about |= {wish.targets[0].name.casefold()} if len(wish.targets) == 1 else set()
        typed = [word for word in arguments.confirmed if word.strip().casefold() in about]
        arguments.confirm = typed[0] if typed else arguments.confirmed[0] if arguments.confirmed else None
        return wish
