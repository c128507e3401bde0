"""`hvtui isolate` and `hvtui return`: suspects and a control on one node, the tally of their backups, home again."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from hvtui.cli.acting.going_home import keeping, returning
from hvtui.cli.acting.names import node_name, vm_targets
from hvtui.cli.acting.perform import perform
from hvtui.cli.acting.reading import with_session
from hvtui.cli.acting.session import Session
from hvtui.cli.acting.wish import Wish
from hvtui.cli.arguments import Arguments
from hvtui.cli.exits import Exit
from hvtui.cli.output import Cell, say, show_json, table
from hvtui.cli.picture_json import time_json
from hvtui.errors import NotDone, UsageError
from hvtui.model.state import ClusterState
from hvtui.operations import homes
from hvtui.operations.backup_tally import BackupTally, VmTally, tally
from hvtui.operations.plan import Plan, Verb

_COLUMNS: Final = ("VM", "", "on the node", "outcome", "failures", "last failure", "last good backup")
_MOODS: Final = {"failed": "bad", "both": "warn", "succeeded": "ok"}


def run(arguments: Arguments) -> int:
    """The command that was typed."""
    if arguments.command == "return":
        name = arguments.back or ""
        return perform(arguments, lambda state: returning(state, name))
    if arguments.tally is not None:
        return _show_tally(arguments, arguments.tally)
    return _isolate(arguments)


def _isolate(arguments: Arguments) -> int:
    if arguments.plan is None and (not arguments.vms or arguments.control is None):
        raise UsageError(
            "an isolation needs suspects and a control",
            hint="`hvtui isolate --vm NAME… --control NAME`: without a control nothing tells a guest from the node",
        )

    def wish(state: ClusterState) -> Wish:
        suspects = vm_targets(state, arguments.vms)
        control = vm_targets(state, [arguments.control]) if arguments.control is not None else ()
        if set(control) & set(suspects):
            raise NotDone(f"{control[0].name} cannot be the control: it is a suspect")
        options = {"control": control[0].id} if control else {}
        if arguments.to is not None:
            options["node"] = node_name(state, arguments.to)
        made = Wish(Verb.ISOLATE, (*suspects, *control), options)

        def isolation(plan: Plan) -> homes.Isolation:
            named = {target.id: target.name for target in (*suspects, *control)}
            named |= {
                target.id: target.name for target in vm_targets(state, filter(None, [plan.options.get("control")]))
            }
            named |= {move.vm.id: move.vm.name for move in plan.moves}
            return _isolation(state, plan, named)

        return keeping(made, state, arguments.save or "", isolation)

    return perform(arguments, wish)


def _isolation(state: ClusterState, plan: Plan, named: dict[str, str]) -> homes.Isolation:
    """What the tally is counted from."""
    node = plan.options.get("node", "")
    found = {vm: state.vm(vm) for vm in named}
    return homes.Isolation(
        node=node,
        control=plan.options.get("control", ""),
        time=state.node(node).time or datetime.now(UTC),
        names=named,
        backups={vm: one[1].last_backup if one is not None else None for vm, one in found.items()},
    )


def _show_tally(arguments: Arguments, name: str) -> int:
    """0 told, 1 failures may be missing, 2 nothing could be read, 3 nothing was isolated under that name."""

    async def work(session: Session) -> tuple[str, BackupTally]:
        info = session.state.cluster.info
        saved = homes.load(info.id if info is not None else "", name)
        found = saved.isolation
        if found is None:
            raise NotDone(f"{name} keeps homes of an alignment, not an isolation")
        await session.events_read(found.node)
        return saved.cluster, tally(
            session.state,
            node=found.node,
            since=found.time,
            control=found.control,
            names=found.names,
            before=found.backups,
        )

    whose, told = with_session(arguments, work)
    if arguments.json:
        show_json(_json(whose, name, told))
    else:
        _show(whose, name, told)
    return Exit.WRONG if told.gap else Exit.FINE


def _show(cluster: str, name: str, told: BackupTally) -> None:
    say(f"Isolation {name} on {told.node} (cluster {cluster}), since {told.since:%Y-%m-%d %H:%M:%S} UTC")
    say()
    table("Backups since then", _COLUMNS, [_row(row) for row in told.vms])
    if told.gap:
        say(f"failures may be missing: {told.gap}", "warn")
    say(told.verdict)


def _row(row: VmTally) -> tuple[Cell, ...]:
    failures = ", ".join(f"{count} × {number}" for number, count in sorted(row.failed.items()))
    there = "?" if row.there is None else "yes" if row.there else ("no", "warn")
    return (
        row.name,
        "control" if row.control else "suspect",
        there,
        (row.outcome, _MOODS.get(row.outcome, "")),
        failures,
        f"{row.last_failed:%Y-%m-%d %H:%M:%S}" if row.last_failed is not None else "",
        f"{row.succeeded:%Y-%m-%d %H:%M:%S}" if row.succeeded is not None else "",
    )


def _json(cluster: str, name: str, told: BackupTally) -> dict[str, Any]:
    """The object of docs/tally.schema.json."""
    return {
        "name": name,
        "cluster": cluster,
        "node": told.node,
        "since": time_json(told.since),
        "gap": told.gap,
        "verdict": told.verdict,
        "vms": [
            {
                "id": row.vm,
                "name": row.name,
                "control": row.control,
                "there": row.there,
                "outcome": row.outcome,
                "failures": {str(number): count for number, count in sorted(row.failed.items())},
                "last_failure": time_json(row.last_failed) if row.last_failed is not None else None,
                "last_success": time_json(row.succeeded) if row.succeeded is not None else None,
                "unread": row.unread,
            }
            for row in told.vms
        ],
    }
