"""Every rule of the registry: silent on a healthy cluster, refusing when its reason is there or cannot be read, and
nothing else in the gate refuses in its place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from hvtui.model.checkpoints import CheckpointInfo, Checkpoints
from hvtui.model.enums import JobType, NodeStatus
from hvtui.model.link import Link, LinkStatus
from hvtui.model.preflight import ChainFile, ForkCommit, ForkSign, Replica, ShadowCopy, StorageJob, VirtualDisk
from hvtui.model.records import CheckpointCount
from hvtui.model.vss_access import VssAccess, VssAccessEntry
from hvtui.operations import rules
from hvtui.operations.facts import Facts, Leftover, Was
from hvtui.operations.gate import check
from hvtui.operations.plan import Level, Plan, Target, Verb
from hvtui.operations.verbs.align import plan_align
from hvtui.operations.verbs.checkpoint import plan_apply, plan_remove, plan_start_vm, plan_take
from hvtui.operations.verbs.drain import plan_drain
from hvtui.operations.verbs.isolate import plan_isolate, plan_return
from hvtui.operations.verbs.migrate import plan_cancel, plan_migrate
from hvtui.operations.verbs.policy import plan_policy, plan_undo
from hvtui.operations.verbs.restart import plan_service, plan_start, plan_vmms
from hvtui.operations.verbs.resume import plan_resume
from hvtui.operations.verbs.vss_access import (
    VSSACCESS,
    access_target,
    plan_access,
    plan_access_remove,
    plan_access_undo,
)
from tests.support.builders import HYPER_V_WRITER, NOW, guid, job, volume_name
from tests.support.small_clusters import MONOTONIC, Small, VmSpec, service

HEALTHY = Small()
PAUSED = HEALTHY.but(member_more={"HV01": {"state": 2, "drain": 2, "status": int(NodeStatus.DrainCompleted)}})
EMPTY = PAUSED.but(vms=(VmSpec("APP01", "HV02", ("Volume2",)), VmSpec("WEB01", "HV03", ("Volume3",))))
MOVING = HEALTHY.vm("APP01", migration=2, jobs=(job("APP01", JobType.MigrateVm, 30),))
Builder = Callable[[Facts], Plan]
RESTING = HEALTHY.vm("SQL07", state=3)
HELD = Target(kind="checkpoint", id=f"{guid('SQL07')}/{guid('one')}", name="before")
SVC = access_target("HV01", "CORP\\svc-backup")
OLD = access_target("HV01", "CORP\\old")
ENTRIES = {"NT Authority\\NetworkService": (1, "S-1-5-20"), "CORP\\old": (2, "S-1-5-21-1-2-3-1104")}


def _start_facts(facts: Facts) -> Facts:
    stopped = {"HV01/vmms": service("vmms", "Stopped")}
    return replace(facts, services=stopped, stopped=frozenset({"hv01/vmms"}))


PLANS: dict[Verb, tuple[Small, Builder]] = {
    Verb.MIGRATE: (HEALTHY, lambda f: plan_migrate(f, [guid("SQL07")], "HV02")),
    Verb.CANCEL: (MOVING, lambda f: plan_cancel(f, [guid("APP01")])),
    Verb.ISOLATE: (HEALTHY, lambda f: plan_isolate(f, [guid("SQL07")], guid("WEB01"), "HV03")),
    Verb.RETURN: (HEALTHY, lambda f: plan_return(f, {guid("SQL07"): "HV02"})),
    Verb.ALIGN: (HEALTHY, plan_align),
    Verb.DRAIN: (HEALTHY, lambda f: plan_drain(f, "HV01")),
    Verb.RESUME: (PAUSED, lambda f: plan_resume(f, "HV01", returning=[guid("WEB01")])),
    Verb.VMMS: (HEALTHY, lambda f: plan_vmms(f, ["HV01"])),
    Verb.START_VMMS: (EMPTY, lambda f: plan_start(_start_facts(f), "HV01")),
    Verb.SERVICE: (HEALTHY, lambda f: plan_service(f, "HV01", "VSS")),
    Verb.POLICY: (HEALTHY, lambda f: plan_policy(f, [guid("SQL07"), guid("WEB01")], "Standard")),
    Verb.POLICY_UNDO: (HEALTHY, lambda f: plan_undo(f, "an operation")),
    Verb.CHECKPOINT: (HEALTHY, lambda f: plan_take(f, [guid("SQL07")], "before the update")),
    Verb.APPLY: (HEALTHY, lambda f: plan_apply(f, [HELD])),
    Verb.REMOVE: (HEALTHY, lambda f: plan_remove(f, [HELD])),
    Verb.START_VM: (RESTING, lambda f: plan_start_vm(f, [guid("SQL07")])),
    Verb.VSSACCESS: (HEALTHY, lambda f: plan_access(f, [SVC], "1")),
    Verb.VSSACCESS_REMOVE: (HEALTHY, lambda f: plan_access_remove(f, [OLD])),
    Verb.VSSACCESS_UNDO: (HEALTHY, lambda f: plan_access_undo(f, (), "op")),
}


def listing(*held: CheckpointInfo, **more: Any) -> Checkpoints:
    """What the node tells of SQL07's checkpoints."""
    fields: dict[str, Any] = {"state": 2, "checkpoint_type": 3, "current": guid("one"), "name": "SQL07"} | more
    return Checkpoints(v=1, time=NOW, node="HV01", vm=guid("SQL07"), checkpoints=list(held), **fields)


def held(**more: Any) -> CheckpointInfo:
    """A production checkpoint of three days ago."""
    fields: dict[str, Any] = {"type": 0, "saved": False, "created": NOW - timedelta(days=3), "parent": ""} | more
    return CheckpointInfo(id=guid("one"), name="before", **fields)


def facts_for(verb: Verb, small: Small, **more: Any) -> Facts:
    """Facts of a cluster, with the services the verb asks for."""
    facts = small.facts(**more)
    if verb in {Verb.APPLY, Verb.REMOVE} and "checkpoints" not in more:
        return replace(facts, checkpoints={guid("SQL07"): listing(held())})
    if verb is Verb.POLICY_UNDO and "undo" not in more:
        sql07 = Target(kind="vm", id=guid("SQL07"), name="SQL07")
        return replace(facts, undo=(Was(sql07, "HV01", {"type": 5}, {"type": 3}),))
    if verb is Verb.START_VMMS and "services" not in more:
        return _start_facts(facts)
    if verb is Verb.SERVICE and "services" not in more:
        return replace(facts, services={"HV01/VSS": service("VSS")})
    if verb in VSSACCESS and "access" not in more:
        return replace(facts, access=access(), undo=(Was(OLD, "HV01", {"value": 1}, {"value": 2}),))
    return facts


def access(values: Mapping[str, tuple[int | None, str | None]] = ENTRIES, **more: Any) -> dict[str, VssAccess]:
    """Every node's VssAccessControl: account → value and SID."""
    told = [VssAccessEntry(account=name, value=value, sid=sid) for name, (value, sid) in values.items()]
    fields: dict[str, Any] = {"v": 1, "time": NOW, "key": True, "entries": told, "services": []} | more
    return {name: VssAccess(node=name, **fields) for name in HEALTHY.nodes}


def _has(account: str, value: int | None, sid: str | None) -> Callable[[Facts], Facts]:
    """The entry that is about to be changed is another one."""
    return lambda facts: replace(facts, access=access({**ENTRIES, account: (value, sid)}))


@pytest.mark.parametrize("verb", list(Verb))
def test_a_healthy_cluster_stands_against_nothing(verb: Verb) -> None:
    small, builder = PLANS[verb]
    plan = builder(facts_for(verb, small))
    assert plan.refusals == ()
    assert [left.refusals for left in plan.left if left.refusals] == []
    assert plan.moves or plan.stages or plan.targets
    assert verb not in CHECKPOINTS or plan.changes
    assert check(plan, facts_for(verb, small)) == ()


def test_every_rule_has_a_case_here() -> None:
    assert {rule.id for rule in rules.RULES} == {rule for rule, _, _, _ in CASES}


def test_what_may_never_be_set_aside() -> None:
    assert set(rules.OVERRIDABLE) == {"capacity", "blocked", "left-behind"}


def _stale(facts: Facts) -> Facts:
    facts.state.cluster.link = Link(status=LinkStatus.LIVE, last_frame=MONOTONIC - 100)
    return facts


def _node_lost(facts: Facts) -> Facts:
    facts.state.nodes["HV01"].link = Link(status=LinkStatus.UNREACHABLE, last_frame=MONOTONIC - 5)
    return facts


def _fork(facts: Facts) -> Facts:
    sign = ForkSign(vm=guid("SQL07"), channel="Worker", record=7, id=3216, time=NOW - timedelta(days=20))
    return replace(facts, fork={**facts.fork, "HV03": ForkCommit(v=1, time=NOW, signs=[sign])})


def _more(**more: Any) -> Callable[[Facts], Facts]:
    return lambda facts: replace(facts, **more)


def _node(name: str, **more: Any) -> Callable[[Facts], Facts]:
    """A node's preflight says something else."""

    def change(facts: Facts) -> Facts:
        answer = facts.preflight[name]
        assert answer.node is not None
        node = msgspec.structs.replace(answer.node, **more)
        return replace(facts, preflight={**facts.preflight, name: msgspec.structs.replace(answer, node=node)})

    return change


AVHDX = [ChainFile(path="C:\\ClusterStorage\\Volume1\\SQL07\\disk0_1.avhdx", parent="x.vhdx")]
MERGING = (job("SQL07", JobType.MergeDisks, 4),)
FIFTY = [CheckpointCount(type=0, saved=True, count=50)]
CHECKPOINTS = (Verb.POLICY, Verb.POLICY_UNDO, Verb.CHECKPOINT, Verb.APPLY, Verb.REMOVE, Verb.START_VM)


def _listed(*found: CheckpointInfo, **more: Any) -> Callable[[Facts], Facts]:
    """SQL07's checkpoints are others."""
    return _more(checkpoints={guid("SQL07"): listing(*found, **more)})


COPY = ShadowCopy(id=guid("copy"), set=guid("set"), volume=volume_name("Volume2"), created=NOW - timedelta(minutes=4))
OTHER_ID = {"id": guid("another cluster")}
VOTES = {"HV02": {"dynamic_weight": 0}, "HV03": {"dynamic_weight": 0}}
Change = Callable[[Facts], Facts]

# Rule, verb, the cluster (None: the verb's healthy one), and what is different in its facts.
CASES: list[tuple[str, Verb, Small | None, Change | None]] = [
    *(("read-only", verb, None, _more(read_only="`actions = true` is not in hvtui.toml")) for verb in Verb),
    *(("wrong-cluster", verb, None, _more(pinned=guid("first contact"))) for verb in Verb),
    *(("stale", verb, None, _stale) for verb in Verb),
    ("stale", Verb.MIGRATE, None, _node_lost),
    ("stale", Verb.DRAIN, None, _node_lost),
    *(("unread", verb, None, _more(preflight={})) for verb in (Verb.MIGRATE, Verb.DRAIN, Verb.VMMS, Verb.SERVICE)),
    ("hold", Verb.MIGRATE, HEALTHY.vm("SQL07", jobs=(job("SQL07", JobType.MergeDisks, 40),)), None),
    ("hold", Verb.MIGRATE, HEALTHY.vm("SQL07", jobs=(job("SQL07", JobType.Snapshot, 10),)), None),
    ("hold", Verb.MIGRATE, HEALTHY.vm("SQL07", jobs=(job("SQL07", JobType.MigrateVm, 10),)), None),
    ("hold", Verb.MIGRATE, HEALTHY.vm("SQL07", status=1), None),
    ("hold", Verb.MIGRATE, HEALTHY.vm("SQL07", status=None), None),
    ("hold", Verb.MIGRATE, HEALTHY.vm("SQL07", record={"op": [11, 32772]}), None),
    ("hold", Verb.MIGRATE, HEALTHY.vm("SQL07", record={"op": None}), None),
    ("hold", Verb.MIGRATE, HEALTHY.vm("SQL07", more={"chain": AVHDX}), _fork),
    ("hold", Verb.MIGRATE, HEALTHY.vm("SQL07", more={"chain": None}), _fork),
    ("hold", Verb.MIGRATE, None, _more(fork={})),
    ("hold", Verb.MIGRATE, HEALTHY.vm("SQL07", more={"chain": AVHDX}).but(member_more={"HV03": {"state": 1}}), None),
    ("hold", Verb.DRAIN, HEALTHY.vm("APP01", status=1), None),
    ("hold", Verb.VMMS, HEALTHY.vm("APP01", migration=2), None),
    ("hold", Verb.ISOLATE, HEALTHY.vm("SQL07", status=1), None),
    ("hold", Verb.RETURN, HEALTHY.vm("SQL07", status=1), None),
    ("hold", Verb.ALIGN, HEALTHY.vm("APP01", status=1), None),
    *(("unread", verb, None, _more(preflight={})) for verb in CHECKPOINTS),
    *(("hold", verb, PLANS[verb][0].vm("SQL07", status=1), None) for verb in CHECKPOINTS),
    *(
        ("hold", verb, PLANS[verb][0].vm("SQL07", jobs=(job("SQL07", JobType.MergeDisks, 4),)), None)
        for verb in CHECKPOINTS
    ),
    *(("hold", verb, PLANS[verb][0].vm("SQL07", more={"chain": AVHDX}), _fork) for verb in CHECKPOINTS),
    *(("hold", verb, PLANS[verb][0].vm("SQL07", record={"op": None}), None) for verb in CHECKPOINTS),
    *(("stale", verb, None, _node_lost) for verb in CHECKPOINTS),
    ("checkpoint", Verb.CHECKPOINT, HEALTHY.vm("SQL07", record={"checkpoint_type": 2}), None),
    ("checkpoint", Verb.CHECKPOINT, HEALTHY.vm("SQL07", record={"checkpoint_type": None}), None),
    ("checkpoint", Verb.CHECKPOINT, HEALTHY.vm("SQL07", record={"checkpoints": None}), None),
    ("checkpoint", Verb.CHECKPOINT, HEALTHY.vm("SQL07", record={"checkpoints": FIFTY}), None),
    ("checkpoint", Verb.CHECKPOINT, HEALTHY.vm("SQL07", state=10), None),
    ("checkpoint", Verb.CHECKPOINT, HEALTHY.vm("SQL07", more={"pass_through": ["Disk 3"]}), None),
    ("checkpoint", Verb.CHECKPOINT, HEALTHY.vm("SQL07", more={"fibre_channel": 2}), None),
    *(("checkpoint", verb, None, _more(checkpoints={})) for verb in (Verb.APPLY, Verb.REMOVE)),
    *(("checkpoint", verb, None, _listed()) for verb in (Verb.APPLY, Verb.REMOVE)),
    *(("checkpoint", verb, None, _listed(held(type=6))) for verb in (Verb.APPLY, Verb.REMOVE)),
    *(("checkpoint", verb, None, _listed(held(type=None))) for verb in (Verb.APPLY, Verb.REMOVE)),
    *(("checkpoint", verb, None, _listed(held(), state=32773)) for verb in (Verb.APPLY, Verb.REMOVE)),
    ("checkpoint", Verb.APPLY, None, _listed(held(type=1))),
    ("checkpoint", Verb.APPLY, None, _listed(held(saved=None))),
    ("checkpoint", Verb.APPLY, None, _listed(held(), state=None)),
    ("start", Verb.START_VM, RESTING.vm("SQL07", state=2), None),
    ("backup", Verb.REMOVE, HEALTHY.but(csv_more={"Volume1": {"backup": 1}}), _listed(held(type=1))),
    ("backup", Verb.REMOVE, HEALTHY.but(csv_more={"Volume1": {"backup": None}}), _listed(held(type=1))),
    ("backup", Verb.DRAIN, HEALTHY.but(csv_more={"Volume2": {"backup": 1}}), None),
    ("backup", Verb.VMMS, HEALTHY.but(csv_more={"Volume1": {"backup": None}}), None),
    ("backup", Verb.SERVICE, None, _node("HV01", shadow_copies=[COPY])),
    ("backup", Verb.VMMS, None, _node("HV01", shadow_copies=None)),
    ("backup", Verb.VMMS, HEALTHY.but(writers={HYPER_V_WRITER: (5, "Retryable error")}), None),
    ("last-node", Verb.DRAIN, HEALTHY.but(member_more={"HV02": {"state": 1}, "HV03": {"state": 2}}), None),
    ("quorum", Verb.DRAIN, HEALTHY.but(member_more=VOTES), None),
    ("quorum", Verb.VMMS, HEALTHY.but(member_more={"HV02": {"dynamic_weight": None}}), None),
    ("witness", Verb.DRAIN, HEALTHY.but(info={"witness_state": 4}), None),
    ("witness", Verb.VMMS, HEALTHY.but(info={"witness": None}), None),
    ("other-node", Verb.DRAIN, HEALTHY.but(member_more={"HV03": {"state": 1}}), None),
    ("other-node", Verb.VMMS, HEALTHY.but(member_more={"HV03": {"status": 1}}), None),
    ("other-node", Verb.VMMS, HEALTHY.but(member_more={"HV03": {"state": 2}}), None),
    ("other-node", Verb.DRAIN, HEALTHY.but(member_more={"HV03": {"status": None}}), None),
    ("storage", Verb.DRAIN, None, _node("HV01", s2d=True, virtual_disks=[VirtualDisk(name="Mirror", health=1)])),
    ("storage", Verb.VMMS, None, _node("HV01", s2d=None)),
    ("storage-job", Verb.DRAIN, None, _node("HV01", storage_jobs=[StorageJob(name="Repair", state=4, percent=12)])),
    ("storage-job", Verb.VMMS, None, _node("HV01", storage_jobs=None)),
    ("replica", Verb.DRAIN, None, _node("HV01", replicas=None)),
    ("replica", Verb.VMMS, None, _node("HV01", replicas=[Replica(name="rg01", status=3)])),
    ("replica", Verb.DRAIN, None, _node("HV01", replicas=[Replica(name="rg01", status=None)])),
    ("csv", Verb.DRAIN, HEALTHY.but(io={("Volume2", "HV02"): (4, 0, 1)}), None),
    ("csv", Verb.VMMS, HEALTHY.but(io={("Volume2", "HV03"): (1, 0, 0)}), None),
    ("csv", Verb.DRAIN, HEALTHY.but(csv_more={"Volume3": {"fault": None}}), None),
    ("capacity", Verb.DRAIN, HEALTHY.but(nodes={"HV01": 200.0, "HV02": 3.0, "HV03": 3.0}), None),
    ("capacity", Verb.VMMS, None, _node("HV02", memory_available=None)),
    ("blocked", Verb.DRAIN, HEALTHY.vm("SQL07", more={"gpu": 1}), None),
    ("blocked", Verb.VMMS, HEALTHY.vm("SQL07", more={"pass_through": ["Disk 3"]}), None),
    ("left-behind", Verb.VMMS, HEALTHY.vm("SQL07", clustered=False, more={"clustered": False}), None),
    ("failback", Verb.RESUME, PAUSED.vm("WEB01", status=1), None),
    ("frozen", Verb.ALIGN, HEALTHY.but(csv_more={"Volume2": {"backup": 1}}), None),
    ("frozen", Verb.ALIGN, HEALTHY.but(csv_more={"Volume2": {"backup": None}}), None),
    ("frozen", Verb.ALIGN, None, _node("HV02", shadow_copies=[COPY])),
    ("destination", Verb.MIGRATE, HEALTHY.but(nodes={"HV01": 200.0, "HV02": 3.0, "HV03": 200.0}), None),
    ("destination", Verb.MIGRATE, HEALTHY.vm("SQL07", more={"possible_owners": ["HV01"]}), None),
    ("destination", Verb.MIGRATE, HEALTHY.vm("SQL07", apart=("dc",)).vm("WEB01", apart=("dc",)), None),
    ("destination", Verb.MIGRATE, HEALTHY.vm("SQL07", more={"switches": ["Private"]}), None),
    ("destination", Verb.MIGRATE, HEALTHY.vm("SQL07", more={"dvd": ["D:\\setup.iso"]}), None),
    ("destination", Verb.MIGRATE, HEALTHY.vm("SQL07", more={"memory_assigned": 0}), None),
    ("dependents", Verb.SERVICE, None, _more(services={"HV01/VSS": service("VSS", dependents=["SQLWriter"])})),
    ("dependents", Verb.VMMS, None, _more(services={"HV01/vmms": service("vmms", dependents=None)})),
    ("not-drained", Verb.VMMS, None, None),
    ("changed", Verb.MIGRATE, None, None),
    ("busy", Verb.MIGRATE, None, None),
    ("service", Verb.VMMS, None, _more(services={})),
    ("service", Verb.START_VMMS, None, _more(services={})),
    *(("vss-unread", verb, None, _more(access={})) for verb in sorted(VSSACCESS)),
    *(("vss-unread", verb, None, _more(access=access({}, entries=None))) for verb in sorted(VSSACCESS)),
    ("vss-unread", Verb.VSSACCESS, None, _has("CORP\\SVC-Backup", None, "S-1-5-21-1-2-3-1105")),
    ("vss-unread", Verb.VSSACCESS, None, _more(access=access({}, key=False))),
    ("vss-account", Verb.VSSACCESS, None, _has("CORP\\svc-backup", 2, "")),
    ("vss-wide", Verb.VSSACCESS, None, _has("CORP\\svc-backup", 2, "S-1-5-21-1-2-3-513")),
    ("vss-shipped", Verb.VSSACCESS, None, _has("CORP\\svc-backup", 2, "S-1-5-20")),
    ("vss-shipped", Verb.VSSACCESS_REMOVE, None, _has("CORP\\old", 2, "S-1-5-20")),
    ("vss-shipped", Verb.VSSACCESS_UNDO, None, _has("CORP\\old", 2, "S-1-5-32-544")),
    ("vss-value", Verb.VSSACCESS, None, None),
]


def _ids(case: tuple[str, Verb, Small | None, Change | None]) -> str:
    return f"{case[0]}-{case[1].value}"


@pytest.mark.parametrize("case", CASES, ids=_ids)
def test_a_rule_refuses(case: tuple[str, Verb, Small | None, Change | None]) -> None:
    rule_id, verb, small, change = case
    healthy, builder = PLANS[verb]
    before = builder(facts_for(verb, healthy))
    facts = facts_for(verb, small or healthy)
    if change is not None:
        facts = change(facts)
    plan = msgspec.structs.replace(before, seen={})
    if rule_id == "changed":
        plan = before
        facts = facts_for(verb, HEALTHY.vm("SQL07", state=9))
    if rule_id == "busy":
        facts = replace(facts, busy={f"vm:{guid('SQL07')}": "Drain HV01"})
    if rule_id == "vss-value":
        plan = msgspec.structs.replace(plan, changes=(msgspec.structs.replace(plan.changes[0], after="0"),))
    if rule_id == "not-drained":
        plan = msgspec.structs.replace(plan, stages=plan.stages[1:2], moves=())
    if rule_id == "left-behind":
        plan = msgspec.structs.replace(builder(facts), seen={})
    rule = next(rule for rule in rules.RULES if rule.id == rule_id)
    said = list(rule.check(plan, facts))
    assert said
    assert all(refusal.text for refusal in said)
    # It is this rule that the gate tells it by, and without it the gate does not say it.
    told = check(plan, facts)
    others = check(plan, facts, tuple(other for other in rules.RULES if other.id != rule_id))
    texts = {refusal.text for refusal in said}
    assert texts <= {refusal.text for refusal in told}
    assert not texts <= {refusal.text for refusal in others}


def test_an_expert_may_set_capacity_aside_and_only_by_its_name() -> None:
    facts = HEALTHY.but(nodes={"HV01": 200.0, "HV02": 3.0, "HV03": 3.0}).facts()
    assert any(refusal.override == "capacity" for refusal in plan_drain(facts, "HV01").refusals)
    assert not plan_drain(facts, "HV01", overrides=("capacity",)).refusals
    lost = HEALTHY.but(member_more=VOTES).facts()
    assert any(r.rule == "quorum" and not r.override for r in plan_drain(lost, "HV01", overrides=("quorum",)).refusals)


def test_the_way_back_is_not_held_by_what_it_repairs() -> None:
    """A node left paused is harm, too: resume without failback, start and cancel ask only what they touch."""
    sick = EMPTY.but(
        member_more={
            "HV01": {"state": 2, "drain": 2, "status": 8},
            "HV02": {"dynamic_weight": None},
            "HV03": {"state": 1},
        },
        csv_more={"Volume2": {"backup": 1}},
        writers={HYPER_V_WRITER: (5, "Unexpected error")},
    )
    facts = replace(sick.facts(preflight={}, fork={}), services={"HV01/vmms": service("vmms", "Stopped")})
    assert plan_resume(facts, "HV01", failback="NoFailback").refusals == ()
    assert plan_start(facts, "HV01").refusals == ()
    moving = MOVING.facts(preflight={}, fork={}, services={})
    assert plan_cancel(moving, [guid("APP01")]).refusals == ()


def test_an_orphaned_backup_needs_a_person_who_says_it_was_stopped() -> None:
    stuck = HEALTHY.but(writers={HYPER_V_WRITER: (5, "Unexpected error")})
    refusals = plan_vmms(stuck.facts(), ["HV01"]).refusals
    assert {refusal.rule for refusal in refusals} == {"backup-orphaned"}
    said = {"HV01": Leftover("HV01", "CORP\\alice", NOW)}
    assert plan_vmms(stuck.facts(backup_stopped=said), ["HV01"]).refusals == ()
    # Said or not, what runs wins.
    running = stuck.but(csv_more={"Volume1": {"backup": 1}})
    assert {r.rule for r in plan_vmms(running.facts(backup_stopped=said), ["HV01"]).refusals} == {"backup-running"}


def test_a_role_that_its_node_does_not_list_holds_the_drain() -> None:
    """Suspend-ClusterNode would move it: nothing is known of it."""
    small = HEALTHY.but(vms=(*HEALTHY.vms, VmSpec("LOST", "HV01")))
    facts = small.facts()
    assert not plan_drain(facts, "HV01").refusals
    view = facts.state.nodes["HV01"]
    assert view.vms is not None
    facts.state.homes.pop(guid("LOST"))
    view.vms = {key: vm for key, vm in view.vms.items() if vm.name != "LOST"}
    assert [refusal.target.name for refusal in plan_drain(facts, "HV01").refusals if refusal.target] == ["LOST"]


def test_a_vmms_that_somebody_else_stopped_takes_the_typed_name() -> None:
    facts = _start_facts(EMPTY.facts())
    assert plan_start(facts, "HV01").level is Level.KEY
    theirs = plan_start(replace(facts, stopped=frozenset()), "HV01")
    assert (theirs.level, theirs.name, theirs.refusals) == (Level.TYPED, "vmms on HV01", ())


def test_a_node_that_is_down_holds_what_is_not_merged_and_nothing_else() -> None:
    down = HEALTHY.but(member_more={"HV03": {"state": 1}})
    assert plan_migrate(down.facts(), [guid("SQL07")], "HV02").moves
