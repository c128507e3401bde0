"""`hvtui vssaccess`: who may take part in VSS on every node, side by side; give an account a right, and back again."""

from __future__ import annotations

from typing import Any, Final

from hvtui.cli.acting.names import node_name
from hvtui.cli.acting.past import operation_of
from hvtui.cli.acting.perform import perform, perform_asking
from hvtui.cli.acting.reading import with_session
from hvtui.cli.acting.session import Session
from hvtui.cli.acting.show import quoted
from hvtui.cli.acting.wish import Wish
from hvtui.cli.arguments import Arguments
from hvtui.cli.exits import Exit
from hvtui.cli.output import Cell, say, show_json, table
from hvtui.cli.picture_json import time_json
from hvtui.errors import UsageError
from hvtui.model.state import ClusterState
from hvtui.model.vss_access import VssAccess
from hvtui.operations.plan import Target, Verb
from hvtui.operations.vss_access import AccessRow, AccessTable
from hvtui.operations.vss_access import table as side_by_side
from hvtui.operations.vss_proposals import Proposal, proposals, unheard_of
from hvtui.operations.vss_verified import Proof, asking

_UNDONE: Final = (Verb.VSSACCESS, Verb.VSSACCESS_REMOVE)


def run(arguments: Arguments) -> int:
    """One of `list`, `set`, `remove`, `undo`."""
    if arguments.action == "list":
        return with_session(arguments, lambda session: _list(session, arguments))
    if arguments.action == "undo":
        return perform_asking(arguments, lambda session: _undo(session, arguments))
    if not arguments.on and not arguments.all and arguments.plan is None:
        raise UsageError("on which nodes?", hint="--all, or --node NODE…")
    verb = Verb.VSSACCESS if arguments.action == "set" else Verb.VSSACCESS_REMOVE
    options = {"value": arguments.value} if verb is Verb.VSSACCESS else {}
    return perform(arguments, lambda state: Wish(verb, _targets(state, arguments), options))


async def _undo(session: Session, arguments: Arguments) -> Wish:
    if arguments.plan is not None and not arguments.operation:
        return Wish(Verb.VSSACCESS_UNDO)
    found = await operation_of(session, arguments.operation, _UNDONE, Verb.VSSACCESS_UNDO)
    return Wish(Verb.VSSACCESS_UNDO, (), {"operation": found})


def _targets(state: ClusterState, arguments: Arguments) -> tuple[Target, ...]:
    names = state.node_names() if arguments.all else [node_name(state, word) for word in arguments.on]
    account = arguments.account
    return tuple(
        Target(kind="vssaccess", id=f"{node}/{account}", name=f"{account} on {node}") for node in dict.fromkeys(names)
    )


async def _list(session: Session, arguments: Arguments) -> int:
    """0 all nodes read, 1 some were not, 2 none was."""
    answers = await session.operations.vss_access()
    told = side_by_side(answers)
    proposed = proposals(answers, asking(session.state), unheard_of(session.state))
    if arguments.json:
        info = session.state.cluster.info
        name = info.name if info is not None else session.cluster.name
        head = {"cluster": name, "as_of": time_json(session.clock.now())}
        show_json({**head, **_json(answers, told, proposed), **_proof_json(session)})
    else:
        _show(told, proposed)
        for check in session.operations.access_checks():
            say(f"{check.account}: {check.proof.value}: {check.text}", "warn" if check.proof is Proof.AGAIN else "")
        for node in unheard_of(session.state):
            say(f"? {node}: its Application log was not read: what asks for an entry (8194, 8213) is not known", "warn")
    if len(told.unread) == len(told.nodes):
        return Exit.NOTHING
    return Exit.WRONG if told.unread else Exit.FINE


def _show(told: AccessTable, proposed: tuple[Proposal, ...]) -> None:
    columns = ("account", *told.nodes, "")
    title = "VssAccessControl" if told.rows else "VssAccessControl: no node that was read has an entry"
    table(title, columns, [_row(row, told) for row in told.rows])
    for text in dict.fromkeys(text for row in told.rows for text in row.grants):
        say(f"  {text}")
    if told.rows:
        say()
    for node, why in told.unread.items():
        say(f"? {node}: not read, {why}", "warn")
    for one in proposed:
        say(
            f"{'▲' if one.needed else '·'} {one.account}: {one.value} on {', '.join(one.nodes)}",
            "warn" if one.needed else "",
        )
        for text in filter(None, (one.reason, f"it grants {one.grants}", *one.evidence, one.caution)):
            say(f"    {text}")
        nodes = " ".join(quoted(node) for node in one.nodes)
        say(f"  next: hvtui vssaccess set {quoted(one.account)} {one.value} --node {nodes}")


def _row(row: AccessRow, told: AccessTable) -> tuple[Cell, ...]:
    cells: list[Cell] = [row.account]
    for node in told.nodes:
        cell = row.cells.get(node)
        cells.append(("?", "warn") if cell is None else cell.text)
    words = [
        *(["comes with Windows"] if row.shipped else []),
        *(["stands for many accounts"] if row.wide else []),
        *(["the nodes do not agree"] if row.differs else []),
    ]
    cells.append((", ".join(words), "warn" if row.differs or (row.wide and not row.shipped) else ""))
    return tuple(cells)


def _json(answers: dict[str, VssAccess | str], told: AccessTable, proposed: tuple[Proposal, ...]) -> dict[str, Any]:
    """Nodes, accounts and proposals of docs/vssaccess.schema.json."""
    return {
        "nodes": [{"name": node, **_node(answers[node], told.unread.get(node, ""))} for node in told.nodes],
        "accounts": [
            {
                "account": row.account,
                "values": {node: {"value": cell.value, "sid": cell.sid} for node, cell in row.cells.items()},
                "shipped": row.shipped,
                "wide": row.wide,
                "differs": row.differs,
            }
            for row in told.rows
        ],
        "proposals": [
            {
                "account": one.account,
                "value": one.value,
                "nodes": list(one.nodes),
                "needed": one.needed,
                "reason": one.reason,
                "grants": one.grants,
                "evidence": list(one.evidence),
                "caution": one.caution,
            }
            for one in proposed
        ],
    }


def _proof_json(session: Session) -> dict[str, Any]:
    """Whether entries that hvtui set have helped, and where that cannot be told."""
    return {
        "checks": [
            {
                "node": check.node,
                "account": check.account,
                "since": time_json(check.since),
                "by": check.by,
                "proof": check.proof.value,
                "text": check.text,
            }
            for check in session.operations.access_checks()
        ],
        "events_unread": unheard_of(session.state),
    }


def _node(answer: VssAccess | str, unread: str) -> dict[str, Any]:
    if isinstance(answer, str):
        return {"key": None, "unread": unread, "services": None}
    services = answer.services
    return {
        "key": answer.key,
        "unread": unread,
        "services": None
        if services is None
        else [
            {"name": one.name, "display": one.display, "account": one.account, "state": one.state} for one in services
        ],
    }
