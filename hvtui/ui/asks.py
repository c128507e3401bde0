"""What is asked before a plan is made, for every verb: which node, which failback, which type, which value.

Nothing here changes a cluster: the last step of each is the dialog that shows the plan.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from hvtui.operations.plan import Target, Verb
from hvtui.ui.action import Action
from hvtui.ui.actions import ACTIONS
from hvtui.ui.page_asks import GUESTS, open_page
from hvtui.ui.pointed import Pointed
from hvtui.ui.targets import (
    access_targets,
    checkpoint_target,
    csv_target,
    node_targets,
    service_of_writer,
    service_target,
    vm_targets,
    vms_of,
)

if TYPE_CHECKING:
    from hvtui.ui.acting import Acting
    from hvtui.ui.dialogs.plan_dialog import Wish

_PLACES: Final = {
    "vm": "a VM (3)",
    "node": "a node (1)",
    "csv": "a CSV (2)",
    "writer": "a writer (4)",
    "checkpoint": "a checkpoint (K on a VM)",
    "vssaccess": "an account (E)",
    "run": "",
}
_WHOLE: Final = frozenset({Verb.ALIGN, Verb.START_VMMS})
"""Verbs that can be asked for without a row."""


def action_of(verb: Verb) -> Action:
    """The action of a verb."""
    return next(action for action in ACTIONS if action.verb == verb.value)


def ask(acting: Acting, action: Action, pointed: Pointed) -> None:
    """Ask what the verb needs to know, and show its plan."""
    verb = Verb(action.verb)
    if verb not in _WHOLE and (pointed.kind not in action.on or not pointed.keys):
        places = " or ".join(place for kind in action.on if (place := _PLACES[kind]))
        acting.tell(f"{action.title}: put the cursor on {places or 'an operation (O)'} first")
    else:
        _ASKS[verb](acting, action, pointed)


def wish_of(action: Action, targets: tuple[Target, ...], title: str, **options: str) -> Wish:
    """What was asked for, as the plan's dialog takes it."""
    from hvtui.ui.dialogs.plan_dialog import Wish  # noqa: PLC0415  # not needed for the first frame

    return Wish(Verb(action.verb), targets, title, action.confirm, dict(options))


def some(targets: tuple[Target, ...]) -> str:
    """`SQL07`, or `3 VMs`."""
    if len(targets) == 1:
        return targets[0].name
    kinds = {target.kind for target in targets}
    return f"{len(targets)} {'VMs' if kinds == {'vm'} else 'nodes' if kinds == {'node'} else 'targets'}"


def _nodes(acting: Acting, action: Action, pointed: Pointed) -> None:
    verb = Verb(action.verb)
    names = tuple(dict.fromkeys(key.partition("|")[0] for key in pointed.keys))
    if len(names) > 1 and verb is not Verb.VMMS:
        acting.tell(f"{action.title}: one node at a time; {len(names)} are marked")
        return
    targets = node_targets(names)
    if verb is Verb.RESUME:
        _resume(acting, action, targets)
    elif verb is Verb.VMMS:
        _restart(acting, action, targets)
    else:
        acting.open_plan(wish_of(action, targets, f"Drain {names[0]}"))


def _align(acting: Acting, action: Action, pointed: Pointed) -> None:
    if pointed.kind == "csv" and pointed.keys:
        target = csv_target(acting.feed.state, pointed.keys[0])
        acting.open_plan(wish_of(action, (target,), f"Align the VMs of {target.name}", csv=target.name))
    else:
        acting.open_plan(wish_of(action, (), "Align VMs with the owners of their CSVs"))


def _start_vmms(acting: Acting, action: Action, pointed: Pointed) -> None:
    stopped = acting.operations.stopped_vmms
    names = [name for name in pointed.keys if pointed.kind == "node" and name in stopped] or stopped
    names = names or (list(pointed.keys) if pointed.kind == "node" else [])
    if names:
        target = service_target(names[0], "vmms")
        acting.open_plan(wish_of(action, (target,), f"Start VMMS on {names[0]}"))
    else:
        acting.tell("no VMMS that hvtui stopped is stopped")


def _migrate(acting: Acting, action: Action, pointed: Pointed) -> None:
    from hvtui.ui.dialogs.destination import Destinations  # noqa: PLC0415

    targets = vm_targets(acting.feed.state, pointed.keys)

    def chosen(node: str) -> None:
        where = node or "where they fit best"
        acting.open_plan(wish_of(action, targets, f"Move {some(targets)} to {where}", destination=node))

    acting.push(Destinations(acting.feed, acting.look, acting.operations, targets, chosen))


def _resume(acting: Acting, action: Action, targets: tuple[Target, ...]) -> None:
    from hvtui.ui.dialogs.questions import resume_question  # noqa: PLC0415

    def chosen(failback: str) -> None:
        acting.open_plan(wish_of(action, targets, f"Resume {targets[0].name} ({failback})", failback=failback))

    acting.push(resume_question(acting.feed, acting.look, targets[0].name, chosen))


def _restart(acting: Acting, action: Action, targets: tuple[Target, ...]) -> None:
    from hvtui.ui.dialogs.questions import needed_question  # noqa: PLC0415

    def go_on(answer: str) -> None:
        title = f"Restart VMMS on {some(targets)}"
        wish = wish_of(action, targets, title)
        wish.remarks = (answer,) if answer else ()
        acting.open_plan(wish)

    question = needed_question(
        acting.feed,
        acting.look,
        [target.id for target in targets],
        go_on,
        knowledge=acting.operations.guest_knowledge,
        look_inside=lambda keys: open_page(acting, GUESTS, Pointed("vm", tuple(keys))),
    )
    if question is None:
        go_on("")
    else:
        acting.push(question)


def _service(acting: Acting, action: Action, pointed: Pointed) -> None:
    from hvtui.ui.dialogs.questions import service_question  # noqa: PLC0415

    node, _, writer = pointed.keys[0].partition("|")

    def chosen(service: str) -> None:
        target = service_target(node, service)
        acting.open_plan(wish_of(action, (target,), f"Restart {service} on {node}"))

    service = service_of_writer(writer)
    if service:
        if service.lower() == "vmms":
            _restart(acting, action_of(Verb.VMMS), node_targets([node]))
            return
        chosen(service)
    else:
        acting.push(service_question(acting.feed, acting.look, node, chosen))


def _isolate(acting: Acting, action: Action, pointed: Pointed) -> None:
    from hvtui.ui.dialogs.questions import control_question  # noqa: PLC0415

    targets = vm_targets(acting.feed.state, pointed.keys)

    def chosen(control: str) -> None:
        title = f"Isolate {some(targets)}"
        acting.open_plan(wish_of(action, targets, title, control=control))

    acting.push(control_question(acting.feed, acting.look, targets, chosen))


def _return(acting: Acting, action: Action, pointed: Pointed) -> None:
    homes: dict[str, str] = {}
    for run in acting.operations.runs:
        if run.plan.verb is Verb.ISOLATE and (pointed.kind != "run" or run.id in pointed.keys):
            pairs = (pair.partition("=") for pair in run.plan.options.get("home", "").split(","))
            homes.update({key: node for key, _, node in pairs if node})
    if pointed.kind == "vm" and pointed.marked:
        homes = {key: node for key, node in homes.items() if key in pointed.keys}
    if not homes:
        acting.tell("this console has isolated nothing that could be sent back")
        return
    targets = vm_targets(acting.feed.state, homes)
    home = ",".join(f"{key}={node}" for key, node in homes.items())
    acting.open_plan(wish_of(action, targets, f"Return {some(targets)} to where they were", home=home))


def _cancel(acting: Acting, action: Action, pointed: Pointed) -> None:
    from hvtui.ui.dialogs.ask_dialog import CancelRun  # noqa: PLC0415

    if pointed.kind == "vm":
        targets = vm_targets(acting.feed.state, pointed.keys)
        acting.open_plan(wish_of(action, targets, f"{action.title}: {some(targets)}"))
        return
    run = next((run for run in acting.operations.runs if run.id == pointed.keys[0]), None)
    if run is None:
        acting.tell("it was left unfinished by an earlier console: there is nothing to cancel here")
    elif run.over or not run.can_cancel:
        acting.tell(f"it has ended: {run.state.value}" if run.over else run.cancel_text)
    else:
        acting.push(CancelRun(acting.feed, acting.look, run, acting.cancel))


# --- checkpoints ---


def _policy(acting: Acting, action: Action, pointed: Pointed) -> None:
    from hvtui.ui.dialogs.checkpoint_types import CheckpointTypes  # noqa: PLC0415

    keys = vms_of(acting.feed.state, pointed.keys) if pointed.kind == "node" else pointed.keys
    targets = vm_targets(acting.feed.state, keys)
    if not targets:
        acting.tell(f"no VM is known on {', '.join(pointed.keys)}")
        return

    def chosen(kind: str) -> None:
        title = f"Checkpoint type {kind} for {some(targets)}"
        acting.open_plan(wish_of(action, targets, title, type=kind))

    acting.push(CheckpointTypes(acting.feed, acting.look, acting.operations, targets, chosen))


def _checkpoint(acting: Acting, action: Action, pointed: Pointed) -> None:
    from hvtui.ui.dialogs.checkpoint_name import CheckpointName  # noqa: PLC0415

    targets = _vms_of(acting, pointed)

    def named(name: str) -> None:
        acting.open_plan(wish_of(action, targets, f"Take a checkpoint of {some(targets)}", name=name))

    acting.push(CheckpointName(acting.feed, acting.look, some(targets), named))


def _of_checkpoint(acting: Acting, action: Action, pointed: Pointed) -> None:
    if len(pointed.keys) > 1:
        acting.tell(f"{action.title}: one at a time; {len(pointed.keys)} are marked")
        return
    target = checkpoint_target(pointed.keys[0], pointed.names)
    vm = vm_targets(acting.feed.state, [target.id.partition("/")[0]])[0]
    word = "Apply" if action.verb == Verb.APPLY else "Remove"
    acting.open_plan(wish_of(action, (target,), f"{word} checkpoint {target.name} of {vm.name}"))


def _start_vm(acting: Acting, action: Action, pointed: Pointed) -> None:
    targets = _vms_of(acting, pointed)
    acting.open_plan(wish_of(action, targets, f"Start {some(targets)}"))


def _vms_of(acting: Acting, pointed: Pointed) -> tuple[Target, ...]:
    """VMs, or those of checkpoints."""
    return vm_targets(acting.feed.state, dict.fromkeys(key.partition("/")[0] for key in pointed.keys))


def undo(acting: Acting, run_id: str) -> None:
    """Plan the way back of an operation of this console."""
    run = next((run for run in acting.operations.runs if run.id == run_id), None)
    back = None if run is None else _WAY_BACK.get(run.plan.verb)
    if run is None or back is None:
        acting.tell("only changes of checkpoint types and of VSS access are undone here; Enter shows next steps")
    elif not run.over:
        acting.tell("it still runs: X cancels it")
    else:
        acting.ask(back, Pointed("run", (run_id,)))


_WAY_BACK: Final = {
    Verb.POLICY: Verb.POLICY_UNDO,
    Verb.VSSACCESS: Verb.VSSACCESS_UNDO,
    Verb.VSSACCESS_REMOVE: Verb.VSSACCESS_UNDO,
}


def _undo(acting: Acting, action: Action, pointed: Pointed) -> None:
    run = next((run for run in acting.operations.runs if run.id == pointed.keys[0]), None)
    if run is None or _WAY_BACK.get(run.plan.verb) != action.verb:
        acting.tell(f"{action.title}: that operation changed no such thing")
    else:
        acting.open_plan(wish_of(action, (), f"Undo: {run.plan.title}", operation=run.id))


# --- VssAccessControl ---


def _vssaccess(acting: Acting, action: Action, pointed: Pointed) -> None:
    from hvtui.ui.dialogs.access_value import access_question  # noqa: PLC0415

    account, nodes = pointed.names[0], acting.feed.state.node_names()
    here = pointed.keys[0].partition("/")[0]

    def chosen(value: str, where: str) -> None:
        targets = access_targets([where] if where else nodes, account)
        place = where or "every node"
        acting.open_plan(wish_of(action, targets, f"VssAccessControl: {account} = {value} on {place}", value=value))

    acting.push(access_question(acting, account, here, chosen))


def _vssaccess_remove(acting: Acting, action: Action, pointed: Pointed) -> None:
    from hvtui.ui.dialogs.access_value import where_question  # noqa: PLC0415

    account, nodes = pointed.names[0], acting.feed.state.node_names()
    here = pointed.keys[0].partition("/")[0]

    def chosen(where: str) -> None:
        targets = access_targets([where] if where else nodes, account)
        place = where or "every node"
        acting.open_plan(wish_of(action, targets, f"VssAccessControl: remove {account} on {place}"))

    acting.push(where_question(acting, account, here, chosen))


_ASKS: Final[dict[Verb, Callable[[Acting, Action, Pointed], None]]] = {
    Verb.MIGRATE: _migrate,
    Verb.CANCEL: _cancel,
    Verb.ISOLATE: _isolate,
    Verb.RETURN: _return,
    Verb.ALIGN: _align,
    Verb.DRAIN: _nodes,
    Verb.RESUME: _nodes,
    Verb.VMMS: _nodes,
    Verb.START_VMMS: _start_vmms,
    Verb.SERVICE: _service,
    Verb.POLICY: _policy,
    Verb.POLICY_UNDO: _undo,
    Verb.CHECKPOINT: _checkpoint,
    Verb.APPLY: _of_checkpoint,
    Verb.REMOVE: _of_checkpoint,
    Verb.START_VM: _start_vm,
    Verb.VSSACCESS: _vssaccess,
    Verb.VSSACCESS_REMOVE: _vssaccess_remove,
    Verb.VSSACCESS_UNDO: _undo,
}
