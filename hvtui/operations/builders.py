"""Which builder makes the plan of which verb. All are pure: facts and a wish in, a plan with its refusals out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from hvtui.operations.facts import Facts
from hvtui.operations.plan import Plan, Target, Verb
from hvtui.operations.verbs.align import plan_align
from hvtui.operations.verbs.checkpoint import plan_apply, plan_remove, plan_start_vm, plan_take
from hvtui.operations.verbs.drain import plan_drain
from hvtui.operations.verbs.isolate import plan_isolate, plan_return
from hvtui.operations.verbs.migrate import plan_cancel, plan_migrate
from hvtui.operations.verbs.move_csv import plan_move_csv
from hvtui.operations.verbs.policy import plan_policy, plan_undo
from hvtui.operations.verbs.restart import VMMS, plan_service, plan_start, plan_vmms
from hvtui.operations.verbs.resume import IMMEDIATE, plan_resume
from hvtui.operations.verbs.vss_access import plan_access, plan_access_remove, plan_access_undo

Options = Mapping[str, str]
Builder = Callable[[Facts, tuple[Target, ...], Options], Plan]

NARROW: Final = frozenset({Verb.CANCEL, Verb.START_VMMS, Verb.SERVICE})
"""Verbs that ask only the nodes they touch: the ways back must not wait for the whole cluster."""


def services_of(verb: Verb, targets: tuple[Target, ...]) -> list[str]:
    """`NODE/name` of every service a verb stops or starts."""
    named = [target.id for target in targets if target.kind == "service"]
    if verb in {Verb.VMMS, Verb.START_VMMS}:
        named += [f"{target.id}/{VMMS}" for target in targets if target.kind == "node"]
    return list(dict.fromkeys(named))


def nodes_of(targets: tuple[Target, ...]) -> list[str]:
    """Nodes that are targets themselves, or have a service that is one."""
    names = [t.id.partition("/")[0] for t in targets if t.kind in {"node", "service"}]
    return list(dict.fromkeys(names))


def _ids(targets: tuple[Target, ...]) -> list[str]:
    return [target.id for target in targets]


def _overrides(options: Options) -> tuple[str, ...]:
    return tuple(name.strip() for name in options.get("overrides", "").split(",") if name.strip())


def _migrate(facts: Facts, targets: tuple[Target, ...], options: Options) -> Plan:
    return plan_migrate(facts, _ids(targets), options.get("destination", ""), overrides=_overrides(options))


def _cancel(facts: Facts, targets: tuple[Target, ...], options: Options) -> Plan:
    return plan_cancel(facts, _ids(targets))


def _isolate(facts: Facts, targets: tuple[Target, ...], options: Options) -> Plan:
    control = options.get("control", "")
    suspects = [key for key in _ids(targets) if key != control]
    return plan_isolate(facts, suspects, control, options.get("node", ""))


def _return(facts: Facts, targets: tuple[Target, ...], options: Options) -> Plan:
    homes = dict(pair.split("=", 1) for pair in options.get("home", "").split(",") if "=" in pair)
    return plan_return(facts, homes)


def _align(facts: Facts, targets: tuple[Target, ...], options: Options) -> Plan:
    if options.get("move_csv"):
        return plan_move_csv(facts, options.get("csv", ""))
    most = options.get("max_moves", "")
    return plan_align(
        facts, csv=options.get("csv", ""), group=options.get("group", ""), most=int(most) if most.isdigit() else 0
    )


def _drain(facts: Facts, targets: tuple[Target, ...], options: Options) -> Plan:
    return plan_drain(facts, targets[0].id, overrides=_overrides(options))


def _resume(facts: Facts, targets: tuple[Target, ...], options: Options) -> Plan:
    returning = options.get("returning")
    keys = None if returning is None else [key for key in returning.split(",") if key]
    return plan_resume(facts, targets[0].id, failback=options.get("failback", IMMEDIATE), returning=keys)


def _vmms(facts: Facts, targets: tuple[Target, ...], options: Options) -> Plan:
    failback = options.get("failback", IMMEDIATE)
    return plan_vmms(facts, nodes_of(targets), failback=failback, overrides=_overrides(options))


def _start_vmms(facts: Facts, targets: tuple[Target, ...], options: Options) -> Plan:
    service = targets[0].id.partition("/")[2]
    return plan_start(facts, nodes_of(targets)[0], service or VMMS)


def _service(facts: Facts, targets: tuple[Target, ...], options: Options) -> Plan:
    node, _, service = targets[0].id.partition("/")
    return plan_service(facts, node, service or options.get("name", ""))


def _access(facts: Facts, targets: tuple[Target, ...], options: Options) -> Plan:
    return plan_access(facts, targets, options.get("value", ""), account=options.get("account", ""))


def _access_remove(facts: Facts, targets: tuple[Target, ...], options: Options) -> Plan:
    return plan_access_remove(facts, targets, account=options.get("account", ""))


def _access_undo(facts: Facts, targets: tuple[Target, ...], options: Options) -> Plan:
    return plan_access_undo(facts, targets, options.get("operation", ""))


def _policy(facts: Facts, targets: tuple[Target, ...], options: Options) -> Plan:
    return plan_policy(facts, _ids(targets), options.get("type", ""))


def _policy_undo(facts: Facts, targets: tuple[Target, ...], options: Options) -> Plan:
    return plan_undo(facts, options.get("operation", ""))


def _take(facts: Facts, targets: tuple[Target, ...], options: Options) -> Plan:
    return plan_take(facts, _ids(targets), options.get("name", ""))


def _apply(facts: Facts, targets: tuple[Target, ...], options: Options) -> Plan:
    return plan_apply(facts, targets)


def _remove(facts: Facts, targets: tuple[Target, ...], options: Options) -> Plan:
    return plan_remove(facts, targets)


def _start_vm(facts: Facts, targets: tuple[Target, ...], options: Options) -> Plan:
    return plan_start_vm(facts, _ids(targets))


BUILDERS: Final[dict[Verb, Builder]] = {
    Verb.MIGRATE: _migrate,
    Verb.CANCEL: _cancel,
    Verb.ISOLATE: _isolate,
    Verb.RETURN: _return,
    Verb.ALIGN: _align,
    Verb.DRAIN: _drain,
    Verb.RESUME: _resume,
    Verb.VMMS: _vmms,
    Verb.START_VMMS: _start_vmms,
    Verb.SERVICE: _service,
    Verb.POLICY: _policy,
    Verb.POLICY_UNDO: _policy_undo,
    Verb.CHECKPOINT: _take,
    Verb.APPLY: _apply,
    Verb.REMOVE: _remove,
    Verb.START_VM: _start_vm,
    Verb.VSSACCESS: _access,
    Verb.VSSACCESS_REMOVE: _access_remove,
    Verb.VSSACCESS_UNDO: _access_undo,
}
