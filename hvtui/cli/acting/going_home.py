"""Moves for a while: where VMs were is kept before they move, and forgotten when they are back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from hvtui.cli.acting.wish import Wish
from hvtui.model.state import ClusterState
from hvtui.operations import homes
from hvtui.operations.plan import Plan, Verb
from hvtui.operations.run import ItemState, Run, RunState


def keeping(
    wish: Wish, state: ClusterState, name: str, isolation: Callable[[Plan], homes.Isolation] | None = None
) -> Wish:
    """The wish, with what moves kept under a name. Kept first: a console that is killed must not lose a home."""

    info = state.cluster.info
    cluster_id = info.id if info is not None else ""
    before: list[homes.Saved | None] = []

    def begins(plan: Plan) -> None:
        why = isolation(plan) if isolation is not None else None
        before.append(homes.kept(cluster_id, name))
        homes.keep(cluster_id, plan.cluster, name, plan.moves, time=datetime.now(UTC), isolation=why)

    def ended(run: Run | None) -> None:
        if run is None or not before:
            return
        if run.state in {RunState.CHECKING, RunState.REFUSED}:
            homes.restore(cluster_id, name, before[0])
        else:
            homes.forget(cluster_id, name, _still_there(state, run, homes.kept(cluster_id, name)))

    return replace(wish, begins=begins, ended=ended)


def returning(state: ClusterState, name: str) -> Wish:
    """Back to where they were. Raises NotDone when nothing is kept under that name."""
    info = state.cluster.info
    cluster_id = info.id if info is not None else ""
    saved = homes.load(cluster_id, name)
    home = ",".join(f"{vm}={one.node}" for vm, one in saved.homes.items())

    def ended(run: Run | None) -> None:
        homes.forget(cluster_id, name, _still_there(state, run, homes.kept(cluster_id, name)))

    return Wish(Verb.RETURN, (), {"home": home}, ended=ended)


def _still_there(state: ClusterState, run: Run | None, saved: homes.Saved | None) -> list[str]:
    """VMs that are where they were kept to have been: nothing of them is to be brought back.

    A VM whose end is not known stays kept: a home too many is harmless, one too few is lost.
    """
    if saved is None:
        return []
    items = run.items if run is not None else []
    doubtful = {item.target.id for item in items if not item.ended or item.state is ItemState.UNKNOWN}
    home = {vm: state.home(vm) for vm in saved.homes}
    return [
        vm for vm, one in saved.homes.items() if vm not in doubtful and (home[vm] or "").lower() == one.node.lower()
    ]
