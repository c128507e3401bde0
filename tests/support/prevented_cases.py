"""What each rule of the registry prevents: a world in which its reason holds, and what happens there without it.

Harm is what the world's ledger tells. Rules of permission and truth prevent that anything is done at all: for them the
log of changes is the evidence.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec

from hvtui.lab.world import actions
from hvtui.lab.world.operations import merge, start_job, take_checkpoint
from hvtui.model.change import Change
from hvtui.model.enums import JobType, NodeState, SnapshotType, VmState
from hvtui.operations.plan import Plan, Target, Verb
from hvtui.operations.verbs.vss_access import access_target
from tests.support.desk import Stage, node
from tests.support.prevented import CSVS, VMS, Case, Shown, done, harmed, refused_by_windows, scene

MOVE: Final = "Move-ClusterVirtualMachineRole"
SUSPEND: Final = "Suspend-ClusterNode"
RESUME: Final = "Resume-ClusterNode"
STOP: Final = "Win32_Service.StopService"

Wish = Callable[[Stage], Awaitable[Plan]]
Act = Callable[[Stage], object]


def vms(more: str = "", *, count: int = 6, first: str = "APP", memory: float = 4) -> str:
    """A table of VMs."""
    return f'[[vms]]\nprefix = "{first}"\ncount = {count}\nmemory_gb = {memory}\n{more}\n'


ON_ONE: Final = vms('nodes = ["HV01"]', count=2)


def move(name: str = "APP01", to: str = "HV02") -> Wish:
    """Migrate one VM."""
    return lambda stage: stage.plan(Verb.MIGRATE, stage.vm(name), destination=to)


def on(verb: Verb, name: str = "HV01", **options: str) -> Wish:
    """A verb on a node."""
    return lambda stage: stage.plan(verb, node(name), **options)


def restart(name: str) -> Wish:
    """Restart a service of the first node."""
    target = Target(kind="service", id=f"HV01/{name}", name=f"{name} on HV01")
    return lambda stage: stage.plan(Verb.SERVICE, target)


TAKE: Final = "Checkpoint-VM"
APPLY: Final = "Restore-VMSnapshot"
REMOVE: Final = "Remove-VMSnapshot"
START_VM: Final = "Start-ClusterGroup"


def of_vm(verb: Verb, name: str = "APP01", **options: str) -> Wish:
    """A verb on a VM."""
    return lambda stage: stage.plan(verb, stage.vm(name), **options)


def of_checkpoint(verb: Verb, name: str = "APP01") -> Wish:
    """A verb on the newest checkpoint of a VM."""

    def wish(stage: Stage) -> Awaitable[Plan]:
        vm = stage.vms[name]
        one = vm.checkpoints[-1]
        return stage.plan(verb, Target(kind="checkpoint", id=f"{vm.id}/{one.id}", name=one.name))

    return wish


async def types_undone(stage: Stage) -> Plan:
    """The undo of a checkpoint type that was just set; what was done for that is forgotten."""
    run = await stage.run(await of_vm(Verb.POLICY, type="Standard")(stage))
    stage.world.commands.changes.clear()
    return await stage.plan(Verb.POLICY_UNDO, operation=run.id)


SVC: Final = "CORP\\svc-backup"
SHIPPED: Final = "NT Authority\\NetworkService"
ENTRY: Final = "New-ItemProperty"


def entry(account: str = SVC, value: str = "1", *, verb: Verb = Verb.VSSACCESS) -> Wish:
    """An entry of VssAccessControl on the first node."""
    options = {} if verb is Verb.VSSACCESS_REMOVE else {"value": value}
    return lambda stage: stage.plan(verb, access_target("HV01", account), **options)


async def entry_undone(stage: Stage) -> Plan:
    """The undo of an entry that was just set; what was done for that is forgotten."""
    await stage.run(await entry()(stage))
    stage.world.commands.changes.clear()
    return await stage.plan(Verb.VSSACCESS_UNDO)


# --- what happens ---


def entries_untold(stage: Stage) -> None:
    """The first node tells its services, and not who may take part in VSS."""
    known = stage.nodes.after

    def after(name: str, function: str, answer: Any) -> Any:
        if (name, function) == ("HV01", "Get-HvTuiVssAccess"):
            return msgspec.structs.replace(answer, key=None, entries=None)
        return known(name, function, answer)

    stage.nodes.after = after


def nodes_set(*names: str, **values: Any) -> Act:
    """Nodes say something else of themselves."""

    def act(stage: Stage) -> None:
        for name in names:
            for key, value in values.items():
                setattr(stage.world.node(name), key, value)
            stage.world.node(name).touch()

    return act


def checkpointed(kind: SnapshotType = SnapshotType.Standard, *, after: Act | None = None) -> Act:
    """The first VM has a checkpoint without memory; then something else happens."""

    def act(stage: Stage) -> None:
        take_checkpoint(stage.world, stage.vms["APP01"], kind, "before", saved=False, rate=1e6)
        stage.nodes.pump(30.0)
        if after is not None:
            after(stage)

    return act


def switched_off(stage: Stage) -> None:
    """The first VM is off."""
    stage.vms["APP01"].set_state(VmState.Off)
    stage.nodes.pump(5.0)


def merging(name: str = "APP01") -> Act:
    """A merge begins that takes its time."""

    def act(stage: Stage) -> None:
        world, vm = stage.world, stage.vms[name]
        checkpoint = take_checkpoint(world, vm, SnapshotType.Standard, "before", saved=False, rate=1e6)
        world.scheduler.spawn(merge(world, vm, checkpoint, 7200.0))

    return act


def converting(stage: Stage) -> None:
    """A backup product turns a checkpoint into a reference point; of that only the job tells."""
    world, vm = stage.world, stage.vms["APP01"]
    start_job(world, vm.node, vm, JobType.ConvertToReferencePoint, [(7200.0, 100.0)])


def copying(stage: Stage) -> None:
    """The node's backup, which was due long ago, begins and comes to where it only copies."""
    world = stage.world
    actions.start_backup(world, world.node("HV01"))
    for _ in range(600):
        stage.nodes.pump(1.0, writers=True)
        if world.node("HV01").shadows and world.node("HV01").hyperv_writer.state == 5:
            return
    raise AssertionError("no backup began")


BACKUP: Final = """
[[behaviours]]
kind = "host_backup"
nodes = ["HV01"]
start = "90d"
copy = "4h"
"""


def hanging_stream(stage: Stage) -> None:
    """The cluster's stream falls silent, and what it said last grows old."""
    stage.nodes._read_cluster = Change  # type: ignore[method-assign]
    stage.nodes.pump(40.0)


def paused_vm(stage: Stage) -> None:
    """A colleague pauses a VM."""
    stage.vms["APP01"].set_state(VmState.Paused)
    stage.nodes.pump(2.0)


def no_vms_in_preflight(stage: Stage) -> None:
    """The preflight of the third node comes without its VMs."""
    known = stage.nodes.after

    def after(name: str, function: str, answer: Any) -> Any:
        if name == "HV03" and function == "Get-HvTuiPreflight":
            return msgspec.structs.replace(answer, vms=None)
        return known(name, function, answer)

    stage.nodes.after = after


async def from_elsewhere(stage: Stage) -> Plan:
    """A plan that was made on a cluster whose nodes and VMs have the same names."""
    plan = await stage.plan(Verb.DRAIN, node("HV01"))
    return msgspec.structs.replace(plan, cluster_id="11111111-2222-4333-8444-555555555555", refusals=())


def rebuilt(stage: Stage) -> None:
    """The cluster that answers is another one than at first contact."""
    stage.nodes.first_contact = "11111111-2222-4333-8444-555555555555"


async def held(stage: Stage) -> Plan:
    """A move waits for a free place at its destination; then the same VM is wanted elsewhere."""
    world = stage.world
    for name in ("BIG01", "BIG02"):
        actions.migrate(world, stage.vms[name], world.node("HV02"))
    stage.nodes.pump(4.0)
    waiting = await stage.plan(Verb.MIGRATE, stage.vm("APP01"), destination="HV02")
    plan = await stage.plan(Verb.MIGRATE, stage.vm("APP01"), destination="HV03")
    async with stage.nodes.drive():
        await stage.operations.start(waiting, confirmed="key")
    return plan


def taken_twice(shown: Shown) -> object:
    """The VM that the first operation still held was sent elsewhere by the second."""
    return [one for one in shown.changes if one.arguments.get("Node") == "HV03" and one.outcome != "refused"]


def resumed_by_a_colleague(stage: Stage) -> None:
    """Somebody resumes the drained node, and its roles are home, just before VMMS is to be stopped."""
    world, nodes = stage.world, stage.nodes

    def before(name: str, function: str) -> None:
        host = world.node("HV01")
        if function == "Get-HvTuiPreflight" and host.state == NodeState.Paused and not host.vms:
            actions.resume(world, host)
            for _ in range(60):
                nodes.pump(2.0)

    nodes.before = before


def drained_before(stage: Stage) -> None:
    """A colleague drained the node; on the way home something began on one of its VMs."""
    world = stage.world
    actions.drain(world, world.node("HV01"))
    stage.nodes.pump(120.0)
    merging()(stage)
    stage.nodes.pump(2.0)


def restarted_by_a_colleague(name: str) -> Act:
    """A colleague restarts a service."""

    def act(stage: Stage) -> None:
        host = stage.world.node("HV01")
        actions.stop_service(stage.world, host, name)
        stage.nodes.pump(10.0)
        actions.start_service(stage.world, host, name)
        stage.nodes.pump(10.0, writers=True)

    return act


def reboot_as_advised(stage: Stage) -> None:
    """VMMS does not stop; what then is left is to restart the host."""
    host = stage.world.node("HV01")
    if host.services["vmms"].state == "Stop Pending":
        actions.reboot_node(stage.world, host)


def left_paused(shown: Shown) -> object:
    """The node was drained for nothing, and stays paused."""
    return shown.stage.world.node("HV01").state == NodeState.Paused and refused_by_windows(STOP)(shown)


TWO_KEPT_APART: Final = vms('names = ["DC01", "DC02"]\nnodes = ["HV01", "HV02"]\nanti_affinity = ["dc"]', count=0)
ON_VOLUME1: Final = vms('nodes = ["HV01"]\ncsvs = ["Volume1"]', count=2)


def volumes(more: str) -> str:
    """Three volumes, the first of which is special."""
    return CSVS.replace("count = 3", "count = 2\nfirst = 2") + (
        f'[[csvs]]\nname = "Volume1"\nsize_gb = 4096\nfree_gb = 2000\nowner = "HV01"\n{more}\n'
    )


def special(name: str, more: str) -> str:
    """A host with something special."""
    return f'[[node]]\nname = "{name}"\n{more}\n'


CASES: Final[tuple[Case, ...]] = (
    Case("read-only", "the file does not allow changes", move(), done(MOVE), options={"actions": False}),
    Case(
        "read-only", "switched on meanwhile", move(), done(MOVE),
        between=lambda stage: setattr(stage.operations, "read_only", True),
    ),
    Case("wrong-cluster", "a plan of another cluster", from_elsewhere, done(SUSPEND)),
    Case("wrong-cluster", "not the one of first contact", on(Verb.DRAIN), done(SUSPEND), prepare=rebuilt),
    Case("stale", "the stream fell silent", move(), done(MOVE), between=hanging_stream, seconds=900.0),
    Case(
        "changed", "paused by a colleague", move(), done(MOVE), between=paused_vm,
        checks=("Invoke-HvTuiMove expect.state",), node="expect.state",
    ),
    Case(
        "busy", "another operation holds it", held, taken_twice, begins=True,
        world=scene(
            nodes=4, node=special("HV02", "memory_gb = 4096") + special("HV04", "memory_gb = 4096"),
            vms=ON_ONE + vms('nodes = ["HV04"]', count=2, first="BIG", memory=1500),
        ),
    ),
    Case(
        "unread", "no VMs in the preflight", on(Verb.DRAIN, "HV03"), done(SUSPEND), prepare=no_vms_in_preflight,
        world=scene(vms=ON_ONE),
    ),
    Case(
        "hold", "fork-commit, moved", move(), harmed("data_lost", "APP01"), told="fork-commit",
        world=scene(vms=vms('nodes = ["HV01"]\nfork_commit = "20d"', count=1)),
    ),
    Case(
        "hold", "fork-commit, drained", on(Verb.DRAIN), harmed("data_lost", "APP01"), told="fork-commit",
        world=scene(vms=vms('nodes = ["HV01"]\nfork_commit = "20d"', count=1)),
    ),
    Case(
        "hold", "a merge", move(), harmed("merge_interrupted", "APP01"), told="job", prepare=merging(),
        checks=("Test-HvTuiRoleFree busy 3",), node="busy",
    ),
    Case(
        # Alone, a move of a locked role is refused by Windows itself (1071); a drain of it fails.
        "hold", "a locked role, drained", on(Verb.DRAIN), harmed("drain_failed", "HV01"), told="locked",
        prepare=lambda stage: stage.vms["APP01"].lock(on=True), also=("backup",),
    ),
    Case("hold", "a backup of the VM", move(), harmed("backup_broken", "APP01"), told="job", prepare=converting),
    Case(
        "backup", "a service it needs", restart("CryptSvc"), harmed("backup_broken", "HV01"), told="backup-running",
        world=scene(more=BACKUP), prepare=copying,
    ),
    Case(
        "backup", "the node is drained", on(Verb.DRAIN), harmed("backup_broken"), told="backup-running",
        world=scene(more=BACKUP), prepare=copying,
    ),
    Case(
        "not-drained", "resumed by a colleague", on(Verb.VMMS), harmed("vmms_undrained", "HV01"), begins=True,
        prepare=resumed_by_a_colleague, told="HV01 is not drained", node="forbidden",
        checks=("Test-HvTuiDrained forbidden 1", "Test-HvTuiDrained forbidden 2"),
    ),
    Case(
        "last-node", "the others are paused", on(Verb.DRAIN), harmed("no_node_up", "HV01"),
        world=scene(node=special("HV02", "paused = true") + special("HV03", "paused = true")),
        also=("other-node", "capacity"), checks=("Invoke-HvTuiSuspend forbidden 1",), node="forbidden",
    ),
    Case(
        "quorum", "the others have no vote", on(Verb.DRAIN), harmed("quorum_lost", "HV01"),
        prepare=nodes_set("HV02", "HV03", dynamic_weight=0),
    ),
    Case(
        "witness", "it is offline", on(Verb.DRAIN), harmed("no_reserve", "HV01"),
        world=scene(nodes=4, cluster="witness_offline = true"),
    ),
    Case(
        "other-node", "one is paused", on(Verb.DRAIN), harmed("no_reserve", "HV01"),
        world=scene(nodes=4, node=special("HV04", "paused = true")),
    ),
    Case(
        "storage", "a virtual disk is degraded", on(Verb.DRAIN), harmed("storage_lost", "Mirror"),
        world=scene(cluster='s2d = true\nvirtual_disks = [{ name = "Mirror", health = 1 }]'),
    ),
    Case(
        "storage-job", "a repair runs", on(Verb.DRAIN), harmed("storage_lost", "Mirror"),
        world=scene(
            cluster='s2d = true\nvirtual_disks = [{ name = "Mirror" }]\nstorage_jobs = [{ name = "Repair" }]'
        ),
    ),
    Case(
        "replica", "it is behind", on(Verb.DRAIN), harmed("replica_lost", "rg01"),
        world=scene(node=special("HV01", 'replicas = [{ name = "rg01", status = 3 }]')),
    ),
    Case(
        "csv", "paused on another node", on(Verb.DRAIN), harmed("io_lost"),
        world=scene(csvs=volumes('paused_on = ["HV02"]'), vms=ON_VOLUME1),
    ),
    Case(
        "csv", "no direct path from another node", on(Verb.DRAIN), harmed("io_slowed"),
        world=scene(csvs=volumes('no_direct_io = ["HV02"]'), vms=ON_VOLUME1),
    ),
    Case(
        "capacity", "the others are small", on(Verb.DRAIN), harmed("drain_failed", "HV01"),
        world=scene(
            node=special("HV02", "memory_gb = 24") + special("HV03", "memory_gb = 24"),
            vms=vms('nodes = ["HV01"]', count=1, memory=64),
        ),
    ),
    Case(
        "blocked", "a GPU", on(Verb.DRAIN), harmed("drain_failed", "HV01"),
        world=scene(vms=vms('nodes = ["HV01"]\ngpu = 1', count=1)),
    ),
    Case(
        "left-behind", "VMMS hangs", on(Verb.VMMS), harmed("vm_interrupted", "FILE01"),
        world=scene(
            node=special("HV01", 'hanging_stops = ["vmms"]'),
            vms=VMS + '[[vms]]\nname = "FILE01"\nnodes = ["HV01"]\nclustered = false\n',
        ),
        afterwards=reboot_as_advised,
    ),
    Case(
        "failback", "a merge", on(Verb.RESUME, failback="Immediate"), harmed("merge_interrupted", "APP01"),
        told="job", prepare=drained_before,
    ),
    Case(
        "frozen", "a backup began", lambda stage: stage.plan(Verb.ALIGN), harmed("backup_broken"),
        world=scene(vms=vms('nodes = ["HV01"]\ncsvs = ["Volume2"]', count=1), more=BACKUP), between=copying,
    ),
    Case(
        "destination", "kept apart", move("DC01"), harmed("anti_affinity_broken", "DC01"), told="anti-affinity",
        world=scene(vms=TWO_KEPT_APART),
    ),
    Case(
        "destination", "no access to its volume", move(), harmed("io_lost", "APP01"), told="csv",
        world=scene(csvs=volumes('paused_on = ["HV02"]'), vms=ON_VOLUME1),
    ),
    Case(
        # Windows itself does not stop a service under others, so nobody is hurt: it is asked for nothing.
        "dependents", "of another writer", restart("CryptSvc"), refused_by_windows(STOP),
        world=scene(node=special("HV01", 'dependents = { CryptSvc = ["Schedule"] }')),
        checks=("Invoke-HvTuiServiceStop forbidden 2",), node="forbidden",
    ),
    Case(
        "dependents", "of VMMS", on(Verb.VMMS), left_paused,
        world=scene(node=special("HV01", 'dependents = { vmms = ["Schedule"] }')),
    ),
    Case(
        "hold", "fork-commit, another checkpoint applied", of_checkpoint(Verb.APPLY), harmed("data_lost", "APP01"),
        told="fork-commit", world=scene(vms=vms('nodes = ["HV01"]\nfork_commit = "20d"', count=1)),
        prepare=checkpointed(),
    ),
    Case(
        "backup", "the checkpoint it made", of_checkpoint(Verb.REMOVE), done(REMOVE), told="backup-running",
        world=scene(more=BACKUP), prepare=checkpointed(SnapshotType.Recovery, after=copying),
    ),
    Case(
        # Windows itself takes none, so nobody is hurt: it is asked for nothing.
        "checkpoint", "of a VM with a GPU", of_vm(Verb.CHECKPOINT), refused_by_windows(TAKE),
        world=scene(vms=vms('nodes = ["HV01"]\ngpu = 1', count=1)),
    ),
    Case(
        "checkpoint", "a backup's, applied", of_checkpoint(Verb.APPLY), done(APPLY),
        prepare=checkpointed(SnapshotType.Recovery), checks=("Invoke-HvTuiCheckpointRestore forbidden 1",),
        node="forbidden",
    ),
    Case(
        "start", "it runs", of_vm(Verb.START_VM), refused_by_windows(START_VM),
        checks=("Invoke-HvTuiVmStart forbidden",), node="forbidden",
    ),
    Case("vss-unread", "who is listed", entry(), done(ENTRY), prepare=entries_untold),
    Case(
        "vss-account", "an account that is gone", entry("CORP\\gone", "3"), done(ENTRY),
        world=scene(node=special("HV01", "access_control = { 'CORP\\gone' = 1 }")),
        checks=("Invoke-HvTuiVssAccessSet expect.account", "Invoke-HvTuiVssAccessSet forbidden 1"),
        node="expect.account",
    ),
    Case(
        "vss-wide", "all people of the domain", entry("CORP\\Domain Users"), harmed("vss_opened"),
        world=scene(cluster=f"account = '{SVC}'"),
        checks=("Invoke-HvTuiVssAccessSet forbidden 1",), node="forbidden",
    ),
    Case(
        "vss-shipped", "a requester", entry(SHIPPED, "3"), harmed("vss_shipped"), also=("vss-wide",),
        checks=("Test-HvTuiVssAccountFree forbidden", "Invoke-HvTuiVssAccessSet forbidden 1"), node="forbidden",
    ),
    Case(
        "vss-shipped", "removed", entry(SHIPPED, verb=Verb.VSSACCESS_REMOVE), harmed("vss_shipped"),
        checks=("Test-HvTuiVssAccountFree forbidden",), node="forbidden",
    ),
    Case(
        "vss-value", "a denial", entry(value="0"), done(ENTRY), world=scene(cluster=f"account = '{SVC}'"),
        checks=("Invoke-HvTuiVssAccessSet forbidden 2",), node="forbidden",
    ),
    Case(
        "service", "restarted by a colleague", restart("CryptSvc"), done(STOP),
        between=restarted_by_a_colleague("CryptSvc"),
    ),
)  # fmt: skip
