"""From a scenario to a living world."""

from __future__ import annotations

from itertools import count, cycle
from typing import Final, NamedTuple

from hvtui.lab.world import events
from hvtui.lab.world.actions import schedule_timeline
from hvtui.lab.world.behaviours import start_behaviours
from hvtui.lab.world.clock import Process
from hvtui.lab.world.cluster_facts import HEALTHY, WARNING, AffinityRule, Replica, StorageJob, VirtualDisk
from hvtui.lab.world.guests import KINDS
from hvtui.lab.world.node import Node, Service
from hvtui.lab.world.scenario import RULES, CsvPart, NodePart, Scenario, VmsPart, csv_names, seconds, vm_names
from hvtui.lab.world.storage import Csv
from hvtui.lab.world.vm import GB, Checkpoint, Disk, GuestVolume, Layer, Role, Vm
from hvtui.lab.world.world import World
from hvtui.lab.world.writers import BY_SERVICE, HOST_WRITERS, SYSTEM_PROVIDER, Shadow, ShadowProvider, Writer
from hvtui.model.enums import (
    BlockRedirectedIOReason,
    CheckpointType,
    CsvIoState,
    GroupState,
    NodeState,
    NodeStatus,
    ReplicationMode,
    ResourceState,
    SnapshotType,
    VmState,
)

_ROOT: Final = "C:\\ClusterStorage\\"
_DAY: Final = 86_400.0
_KB: Final = 1024.0
_SERVER_2022: Final = 20348
_PARALLEL_MIGRATIONS: Final = 1
_OK: Final = 2
_DEGRADED: Final = 3
"""OperationalStatus of a virtual disk."""
_SERVICES: Final = ("vmms", "ClusSvc", "VSS", "CryptSvc", "Winmgmt", "Schedule")
_ON_DEMAND: Final = ("swprv", "BITS")
"""Services that every host has and that run when somebody needs them."""
_OLDER: Final = ("5.0", "6.2", "7.0", "7.1", "8.0")
_NEWER: Final = ("8.0", "8.1", "8.2", "8.3", "9.0")
_VERSIONS: Final = (
    (14393, _OLDER),
    (17763, _OLDER + _NEWER[1:]),
    (20348, (*_NEWER, "9.1", "9.2", "9.3", "10.0")),
    (26100, (*_NEWER, "9.1", "9.2", "9.3", "10.0", "11.0", "12.0")),
)
"""Configuration versions of VMs that a build runs; the last is what a new VM gets (upgrade-virtual-machine-version)."""


def build(world: World) -> None:
    """Fill an empty world as its scenario says and start what goes on in it."""
    _cluster(world)
    _nodes(world)
    _csvs(world)
    numbers = count(1)
    for part in world.scenario.vms:
        _vms(world, part, numbers)
    for csv in world.csvs.values():
        csv.used = max(csv.used, 0)
    _shadows(world)
    start_behaviours(world)
    schedule_timeline(world)


def _cluster(world: World) -> None:
    part, facts = world.scenario.cluster, world.cluster
    facts.id, facts.name = part.id, part.name
    facts.functional_level = part.functional_level
    facts.quorum_type = 1
    facts.witness = part.witness
    facts.witness_state = ResourceState.Failed if part.witness_offline else ResourceState.Online
    facts.witness_weight = 1 if part.witness and len(world.scenario.node_names()) % 2 == 0 else 0
    facts.max_parallel_migrations = _parallel_migrations(world.scenario)
    facts.enforced_anti_affinity = part.enforced_anti_affinity
    facts.account = part.account
    facts.balancer, facts.move_type_threshold = part.balancer, part.move_type_threshold
    facts.s2d = part.s2d
    facts.virtual_disks = [_virtual_disk(disk.name, disk.health) for disk in part.virtual_disks]
    if part.s2d and not part.virtual_disks:
        facts.virtual_disks = [_virtual_disk("Pool01", 0)]
    for job in part.storage_jobs:
        running = StorageJob(job.name, job.percent)
        facts.storage_jobs.append(running)
        if lasts := seconds(job.lasts):
            world.scheduler.spawn(_storage_job(world, running, lasts))
    world.affinity_rules = [
        AffinityRule(rule.name, RULES[rule.type], tuple(rule.groups), rule.enabled) for rule in part.affinity_rules
    ]


def _virtual_disk(name: str, health: int) -> VirtualDisk:
    return VirtualDisk(name, health, [_OK] if health == HEALTHY else [_DEGRADED])


def _storage_job(world: World, job: StorageJob, lasts: float) -> Process:
    """A job that was under way when the world began; with the last one its virtual disks are whole again."""
    facts, first = world.cluster, job.percent
    for step in range(20):
        job.percent = first + (100 - first) * step // 20
        yield lasts / 20
    facts.storage_jobs.remove(job)
    if not facts.storage_jobs:
        facts.virtual_disks = [
            _virtual_disk(disk.name, HEALTHY if disk.health == WARNING else disk.health) for disk in facts.virtual_disks
        ]


def _parallel_migrations(scenario: Scenario) -> int | None:
    """The cluster's limit; no Windows before the update of 2022-09 has one (windows.md §1.1)."""
    builds = [scenario.nodes.build, *(one.build for one in scenario.node if one.build)]
    if max(int(one.split(".")[2]) for one in builds) < _SERVER_2022:
        return None
    limit = scenario.cluster.max_parallel_migrations
    return _PARALLEL_MIGRATIONS if limit is None else limit


def _nodes(world: World) -> None:
    part = world.scenario.nodes
    special = {p.name: p for p in world.scenario.node}
    hardware = any(getattr(b, "hardware", False) for b in world.scenario.behaviours)
    for number, name in enumerate(world.scenario.node_names(), 1):
        own = special.get(name, NodePart(name=name))
        boot = -_DAY * (12 + 3 * number % 20) - 977.0 * number
        node = Node(
            name=name,
            number=number,
            build=own.build or part.build,
            processors=part.processors,
            memory=(own.memory_gb or part.memory_gb) * GB,
            boot=boot,
            clock_offset=seconds(own.clock_offset),
            language=own.language,
            max_migrations=own.max_migrations or part.max_migrations,
            access_control={"NT Authority\\NetworkService": 1, **own.access_control},
            status=NodeStatus.Isolated * own.isolated | NodeStatus.Quarantined * own.quarantined,
            switches=list(part.switches if own.switches is None else own.switches),
            vm_versions=list(own.vm_versions or versions(own.build or part.build)),
            replicas=[Replica(replica.name, replica.status) for replica in own.replicas],
        )
        _services(node, own)
        node.writers = [Writer(title, id_, world.guid(), service) for title, id_, service in HOST_WRITERS]
        for name_, service in node.services.items():
            if service.running:
                node.writers += [Writer(title, id_, world.guid(), name_) for title, id_ in BY_SERVICE.get(name_, ())]
        node.providers = [SYSTEM_PROVIDER, _CSV_PROVIDER, *((_HARDWARE,) if hardware else ())]
        faults = node.faults
        faults.vmms_hung, faults.cluster_service_hung = own.vmms_hung, own.cluster_service_hung
        faults.vssadmin_hung, faults.not_hyperv = own.vssadmin_hung, own.not_hyperv
        faults.rights, faults.unreadable = set(own.missing_rights), dict(own.unreadable)
        if own.down:
            faults.down, node.state = True, NodeState.Down
        elif own.paused:
            node.state = NodeState.Paused
        _logs(world, node)
        world.nodes[name] = node


def _services(node: Node, own: NodePart) -> None:
    """What is installed; the order never changes, for process numbers are made of it."""
    begun = node.boot + 40.0
    node.services = {service: Service(started=begun) for service in _SERVICES}
    node.services |= {service: Service("Stopped", None, "Manual") for service in _ON_DEMAND}
    node.services["VSS"].mode = "Manual"
    for service in own.services:
        node.services[service] = Service(started=begun)
    for service, needing in own.dependents.items():
        node.services[service].dependents = list(needing)
        for other in needing:
            node.services.setdefault(other, Service(started=begun))
    for service in own.hanging_stops:
        node.services[service].hangs = True


def versions(build: str) -> tuple[str, ...]:
    """Configuration versions of VMs that a build of Windows runs, the oldest first."""
    number = int(build.split(".")[2])
    return next((known for least, known in reversed(_VERSIONS) if number >= least), ("5.0",))


def _logs(world: World, node: Node) -> None:
    """Logs of a machine that runs for years: System and Application dropped their first records long ago."""
    for number, channel in enumerate(_CHANNELS):
        log = node.log(channel)
        if channel in {events.SYSTEM, events.APPLICATION}:
            log.newest = 52_000 + 6_113 * number + 971 * node.number
            log.first = log.newest - 30_000
            log.first_time = world.on_clock(node, -_DAY * (9 + node.number % 5))
    events.write(world, node, events.VMMS, 14094, world.on_clock(node, node.boot + 40.0))


_CSV_PROVIDER: Final = ShadowProvider(
    "400a2ff4-5eb1-44b0-8a05-1fcac0bcf9ff", "Microsoft CSV Shadow Copy Helper Provider", 2, "1.0.0.1"
)
_HARDWARE: Final = ShadowProvider(
    "7d1f6f3e-2f0b-4c1e-9a53-3b8f6f0d8a11", "Array Hardware VSS Provider", 3, "6.3.0.1912"
)
_CHANNELS: Final = (
    "Microsoft-Windows-Hyper-V-VMMS-Admin",
    "Microsoft-Windows-Hyper-V-Worker-Admin",
    "Microsoft-Windows-Hyper-V-High-Availability-Admin",
    "Microsoft-Windows-Hyper-V-StorageVSP-Admin",
    "Microsoft-Windows-FailoverClustering/Operational",
    "System",
    "Application",
)


def _csvs(world: World) -> None:
    nodes = list(world.nodes.values())
    owners = cycle([node for node in nodes if node.state != NodeState.Down] or nodes)
    for part in world.scenario.csvs:
        for name in csv_names(part):
            _csv(world, part, name, world.node(part.owner) if part.owner else next(owners))


def _csv(world: World, part: CsvPart, name: str, owner: Node) -> None:
    free = part.free_gb
    if part.count:
        # No two volumes of a group are equally full.
        free = min(part.size_gb, int(free * (0.55 + 0.75 * world.scatter(len(world.csvs), 21))))
    csv = Csv(
        resource_id=world.guid(),
        resource=f"Cluster Disk {len(world.csvs) + 2}",
        path=_ROOT + name,
        volume=f"\\\\?\\Volume{{{world.guid()}}}\\",
        file_system=part.file_system,
        size=part.size_gb * GB,
        used=(part.size_gb - free) * GB,
        owner=owner,
        redirected=part.redirected,
    )
    for node in part.no_direct_io:
        csv.io[node] = (CsvIoState.BlockRedirected, 0, BlockRedirectedIOReason.NoDiskConnectivity)
    csv.io |= dict.fromkeys(part.paused_on, (CsvIoState.Paused, 0, 0))
    csv.io |= dict.fromkeys(part.unavailable_on, (CsvIoState.Unavailable, 0, 0))
    world.csvs[csv.id] = csv


def _shadows(world: World) -> None:
    """Shadow copies that somebody left behind."""
    for part in world.scenario.node:
        node = world.node(part.name)
        for shadow in part.shadows:
            volume = world.csv(shadow.csv).volume
            node.shadows.append(Shadow(world.guid(), world.guid(), volume, -seconds(shadow.age)))


def _vms(world: World, part: VmsPart, numbers: count[int]) -> None:
    nodes = [world.node(name) for name in part.nodes] or [
        node for node in world.nodes.values() if node.up and not node.faults.not_hyperv
    ]
    named = cycle([world.csv(name) for name in part.csvs])
    owned: dict[str, list[Csv]] = {}
    for csv in world.csvs.values():
        owned.setdefault(csv.owner.name, []).append(csv)
    everywhere = list(world.csvs.values())
    for index, name in enumerate(vm_names(part)):
        key = next(numbers)
        # Explicit lists are used in turn from their first; without one the groups follow each other around all nodes.
        node = nodes[(index if part.nodes else key - 1) % len(nodes)]
        choice = owned.get(node.name, everywhere)
        csv = next(named) if part.csvs else choice[key % len(choice)]
        _vm(world, part, _Place(name, key, node, csv))


class _Place(NamedTuple):
    """Where one VM of a group goes."""

    name: str
    key: int
    node: Node
    csv: Csv


def _vm(world: World, part: VmsPart, place: _Place) -> None:
    name, key, node, csv = place
    state = VmState[part.state]
    chance = world.scatter(key, 11)
    home = f"{csv.path}\\{_folder(name)}"
    memory = int(part.memory_gb * _KB)
    vm = Vm(
        id=world.guid(),
        name=name,
        key=key,
        node=node,
        guest=KINDS[part.guest],
        configuration=home,
        memory=memory,
        memory_startup=_megabytes(part.memory_startup_gb, memory // 2 if part.dynamic else memory),
        memory_minimum=_megabytes(part.memory_minimum_gb, max(512, memory // 4) if part.dynamic else 512),
        memory_maximum=_megabytes(part.memory_maximum_gb, memory if part.dynamic else 1_048_576),
        processors=part.processors,
        cpu=part.cpu if part.cpu >= 0 else 0.6 + 4.0 * chance + (38.0 * chance if chance > 0.85 else 0.0),
        dynamic=part.dynamic,
        state=state,
        started=None if state in {VmState.Off, VmState.Saved} else -_DAY * 9 * world.scatter(key, 12) - 300.0,
        config_version=part.config_version or versions(world.scenario.nodes.build)[-1],
        checkpoint_type=CheckpointType[part.checkpoint_type],
        other_disks=list(part.other_disks),
        shared=list(part.shared_disks),
        switches=list(part.switches),
        dvd=list(part.dvd),
        gpu=part.gpu,
        tpm=part.tpm,
        possible_owners=list(part.possible_owners) or None,
        preferred_owners=list(part.preferred_owners),
        replication=ReplicationMode[part.replication],
        last_backup=-seconds(part.backed_up) - 40.0 * key % 3000 if part.backed_up else None,
    )
    vm.disks.append(Disk(f"{home}\\Virtual Hard Disks\\{_folder(name)}.vhdx", part.disk_gb * GB))
    if part.second_disk:
        second = world.csv(part.second_disk)
        vm.disks.append(Disk(f"{second.path}\\{_folder(name)}\\{_folder(name)}-data.vhdx", part.disk_gb * 2 * GB))
    if part.checkpoint_csv:
        vm.checkpoint_path = f"{world.csv(part.checkpoint_csv).path}\\{_folder(name)}"
    volumes = [GuestVolume(v.name, int(v.size_gb * GB), int(v.free_gb * GB)) for v in part.volumes]
    vm.volumes = volumes or [GuestVolume("C:", 127 * GB, int((18 + 60 * chance) * GB))]
    for number, checkpoint in enumerate(part.checkpoints):
        _checkpoint(world, vm, number, SnapshotType[checkpoint.type], seconds(checkpoint.age), saved=checkpoint.saved)
    node.vms[vm.id] = vm
    world.vms[vm.id] = vm
    if part.fork_commit is not None:
        _fork(world, vm, seconds(part.fork_commit))
    if part.clustered:
        _role(world, part, vm)


def _megabytes(gb: float | None, otherwise: int) -> int:
    return otherwise if gb is None else int(gb * _KB)


def _fork(world: World, vm: Vm, age: float) -> None:
    """A checkpoint failed to commit its fork: nothing lists it, its layer is in use, two events tell (peers.md §0)."""
    vm.fork_commit = True
    _layer(world, vm, age, 4_000.0)
    time = world.on_clock(vm.node, -age)
    events.write(world, vm.node, events.WORKER, 3216, time, vm=vm, code="0x800703ee")
    events.write(world, vm.node, events.VMMS, 18590, time, vm=vm, code="0x80048102")


def _checkpoint(world: World, vm: Vm, number: int, kind: SnapshotType, age: float, *, saved: bool) -> None:
    """A checkpoint of earlier days; replica ones live on the replica's own disks and need no layer here."""
    vm.checkpoints.append(Checkpoint(world.guid(), f"{vm.name} - ({number})", kind, saved, -age))
    _layer(world, vm, age, 2_000.0 + 9_000.0 * world.scatter(vm.key, number))


def _layer(world: World, vm: Vm, age: float, rate: float) -> None:
    for disk in vm.disks:
        path = f"{disk.base.removesuffix('.vhdx')}_{world.guid().upper()}.avhdx"
        layer = Layer(path, -age, rate)
        disk.layers.append(layer)
        csv = world.csv_of(path)
        if csv is not None:
            csv.layers[path] = layer


def _role(world: World, part: VmsPart, vm: Vm) -> None:
    role = Role(
        id=world.guid(),
        name=_free_name(world, part.role or vm.name),
        vm=vm,
        owner=vm.node,
        priority=part.priority,
        anti_affinity=tuple(part.anti_affinity),
    )
    if vm.state in {VmState.Off, VmState.Saved}:
        role.state, role.resource_state = GroupState.Offline, ResourceState.Offline
    vm.role = role
    world.roles[role.id] = role


def _free_name(world: World, name: str) -> str:
    """A cluster has no two groups of one name; it counts on instead, as it does for a second VM of a name."""
    taken = {role.name.lower() for role in world.roles.values()}
    free, number = name, 1
    while free.lower() in taken:
        number += 1
        free = f"{name} ({number})"
    return free


def _folder(name: str) -> str:
    """A folder name Windows accepts, for VM names that are no file names; at most 60 characters."""
    return "".join("_" if c in '\\/:*?"<>|' or ord(c) < 32 else c for c in name)[:60].rstrip(". ") or "vm"
