"""Moves for a while: where VMs were is kept before they move, and forgotten when they are back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from hvtui.cli.acting import homes
from hvtui.cli.acting.wish import Wish
from hvtui.model.state import ClusterState
from hvtui.operations.plan import Plan, Verb
from hvtui.operations.run import ItemState, Run


def keeping(
    wish: Wish, state: ClusterState, name: str, isolation: Callable[[Plan], homes.Isolation] | None = None
) -> Wish:
    """The wish, with what moves kept under a name. Kept first: a console that is killed must not lose a home."""

    def begins(plan: Plan) -> None:
        why = isolation(plan) if isolation is not None else None
        homes.keep(plan.cluster_id, plan.cluster, name, plan.moves, time=datetime.now(UTC), isolation=why)

    def ended(run: Run) -> None:
        homes.forget(run.plan.cluster_id, name, _still_there(state, run, name))

    return replace(wish, begins=begins, ended=ended)


def returning(state: ClusterState, name: str) -> Wish:
    """Back to where they were. Raises NotDone when nothing is kept under that name."""
    info = state.cluster.info
    cluster_id = info.id if info is not None else ""
    saved = homes.load(cluster_id, name)
    home = ",".join(f"{vm}={one.node}" for vm, one in saved.homes.items())

    def ended(run: Run) -> None:
        homes.forget(cluster_id, name, _still_there(state, run, name))

    return Wish(Verb.RETURN, (), {"home": home}, ended=ended)


def _still_there(state: ClusterState, run: Run, name: str) -> list[str]:
    """VMs that are where they were kept to have been: nothing of them is to be brought back.

    A VM whose end is not known stays kept: a home too many is harmless, one too few is lost.
    """
    saved = homes.load(run.plan.cluster_id, name)
    doubtful = {item.target.id for item in run.items if not item.ended or item.state is ItemState.UNKNOWN}
    home = {vm: state.home(vm) for vm in saved.homes}
    return [
        vm for vm, one in saved.homes.items() if vm not in doubtful and (home[vm] or "").lower() == one.node.lower()
    ]
