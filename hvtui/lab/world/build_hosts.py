"""The hosts and volumes of a scenario, and the cluster they make."""

from __future__ import annotations

from itertools import cycle
from typing import Final

from hvtui.lab.world import events
from hvtui.lab.world.clock import Process
from hvtui.lab.world.cluster_facts import HEALTHY, WARNING, AffinityRule, Replica, StorageJob, VirtualDisk
from hvtui.lab.world.node import SHIPPED, Node, Service
from hvtui.lab.world.scenario import RULES, CsvPart, NodePart, Scenario, csv_names, seconds
from hvtui.lab.world.storage import Csv
from hvtui.lab.world.vm import GB
from hvtui.lab.world.world import World
from hvtui.lab.world.writers import BY_SERVICE, HOST_WRITERS, SYSTEM_PROVIDER, Shadow, ShadowProvider, Writer
from hvtui.model.enums import (
    BlockRedirectedIOReason,
    CsvIoState,
    NodeState,
    NodeStatus,
    ResourceState,
)

_ROOT: Final = "C:\\ClusterStorage\\"
_DAY: Final = 86_400.0
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


def build_cluster(world: World) -> None:
    """The facts of the cluster, its storage and its affinity rules."""
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
    everybody = (part.account, *(service.account for service in world.scenario.services), *part.accounts)
    facts.accounts = list(dict.fromkeys(everybody))
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


def build_nodes(world: World) -> None:
    """All hosts, with their services, writers, logs and what is wrong with them."""
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
            access_control={SHIPPED: 1, **own.access_control},
            access_key=own.access_key,
            status=NodeStatus.Isolated * own.isolated | NodeStatus.Quarantined * own.quarantined,
            switches=list(part.switches if own.switches is None else own.switches),
            vm_versions=list(own.vm_versions or versions(own.build or part.build)),
            replicas=[Replica(replica.name, replica.status) for replica in own.replicas],
        )
        _services(node, own)
        _programs(node, world.scenario)
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
    node.services["CryptSvc"].account = SHIPPED
    for service in own.services:
        node.services[service] = Service(started=begun)
    for service, needing in own.dependents.items():
        node.services[service].dependents = list(needing)
        for other in needing:
            node.services.setdefault(other, Service(started=begun))
    for service in own.hanging_stops:
        node.services[service].hangs = True


def _programs(node: Node, scenario: Scenario) -> None:
    """Services of programs that are no part of Windows."""
    for part in scenario.services:
        if not part.nodes or node.name in part.nodes:
            node.services[part.name] = Service(started=node.boot + 40.0, account=part.account, title=part.title)


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


def build_csvs(world: World) -> None:
    """All volumes; the nodes that are there own them in turn."""
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


def leave_shadows(world: World) -> None:
    """Shadow copies that somebody left behind."""
    for part in world.scenario.node:
        node = world.node(part.name)
        for shadow in part.shadows:
            volume = world.csv(shadow.csv).volume
            node.shadows.append(Shadow(world.guid(), world.guid(), volume, -seconds(shadow.age)))
