"""Watch-HvTuiNode out of the world: a host, its VMs, their files, its jobs, and the load."""

from __future__ import annotations

from typing import Any, Final

from hvtui.lab.native.problems import NO_CLASS, TIMEOUT, hyperv_trouble, part_trouble
from hvtui.lab.native.stream import HOLD, Section, Stream, stamp, wire
from hvtui.lab.world.jobs import Job
from hvtui.lab.world.node import Node
from hvtui.lab.world.vm import Checkpoint, Vm
from hvtui.lab.world.world import World
from hvtui.model.enums import VmState

_PARTS: Final = ("vms", "jobs", "vms.checkpoints", "load.vms", "vms.vss", "files", "host.migration")
"""Parts whose source is the provider inside VMMS."""


class NodeStream(Stream):
    """One running Watch-HvTuiNode."""

    single = frozenset({"host"})

    def __init__(
        self, world: World, node: Node, *, interval_ms: int = 2000, slow_seconds: int = 30, load_seconds: int = 10
    ) -> None:
        super().__init__(world, node, interval_ms, slow_seconds)
        self.load_seconds = load_seconds
        self._vms: dict[str, tuple[int, bytes]] = {}
        self._jobs: dict[str, bytes] = {}
        self._of_vms: set[str] = set()
        self._slots: dict[str, int] = {}
        self._next_slot = 0
        self._load: dict[int, tuple[int, int]] = {}
        self._host_load: tuple[int, int] | None = None
        self._host: tuple[Any, bytes] | None = None
        self._blind = ""

    def hanging(self) -> bool:
        """VMMS does not answer, and was not found so a moment ago."""
        return hyperv_trouble(self.node) is TIMEOUT and self.world.elapsed >= self._hold_until

    def tick(self) -> str:
        """The next message."""
        node = self.node
        trouble = hyperv_trouble(node)
        if trouble is TIMEOUT:
            self._hold_until = self.world.elapsed + HOLD
        readable = {part: self.note(part, trouble or part_trouble(node, part)) for part in _PARTS}
        for part in ("host", "host.vmms", "load.host", "vms.last_backup"):
            # The counters of the hypervisor are there only where it is.
            absent = NO_CLASS if part == "load.host" and node.faults.not_hyperv else None
            readable[part] = self.note(part, absent or part_trouble(node, part))
        blind = "|".join(part for part, able in readable.items() if not able)
        if blind != self._blind:
            self._blind = blind
            self._vms.clear()
            self._due.pop("files", None)
        sections: dict[str, Section] = {}
        if readable["host"] or readable["host.vmms"] or readable["host.migration"]:
            sections["host"] = {"host": self._host_record(readable)}
        fresh = False
        if readable["vms"]:
            sections["vms"], fresh = self._vm_section(readable)
        if readable["files"]:
            if fresh:
                self._due.pop("files", None)
            if self.due("files", self.slow_seconds):
                sections["files"] = {vm.id: _files(vm) for vm in node.vms.values()}
        if readable["jobs"]:
            sections["jobs"] = self._job_section()
        full = self.must_be_full(sections)
        load = self._load_vector(readable, full=full)
        return self.message(sections, load, full=full, cost_ms=8 + len(node.vms) // 4)

    # --- sections ---

    def _vm_section(self, readable: dict[str, bool]) -> tuple[Section, bool]:
        """The section, and whether a VM came that was not there before."""
        held, slots, section, fresh = self._vms, self._slots, {}, False
        for vm_id, vm in self.node.vms.items():
            cached = held.get(vm_id)
            if cached is None or cached[0] != vm.revision:
                if vm_id not in slots:
                    fresh = True
                    slots[vm_id] = self._next_slot
                    self._next_slot += 1
                cached = held[vm_id] = (vm.revision, self._vm(vm, readable))
            section[vm_id] = cached[1]
        if len(slots) > len(section):
            for vm_id in slots.keys() - section.keys():
                held.pop(vm_id, None)
                self._load.pop(slots.pop(vm_id), None)
        return section, fresh

    def _vm(self, vm: Vm, readable: dict[str, bool]) -> bytes:
        world, node = self.world, self.node
        on = vm.state not in {VmState.Off, VmState.Saved} and vm.started is not None
        settings = readable["vms.checkpoints"]
        vss = readable["vms.vss"]
        last = vm.last_backup if readable["vms.last_backup"] else None
        return wire(
            {
                "id": vm.id,
                "name": vm.name,
                "slot": self._slots[vm.id],
                "state": int(vm.state),
                "health": vm.health,
                "op": [int(number) for number in vm.operational()],
                "started": _second(stamp(world.on_clock(node, vm.started or 0.0))) if on else None,
                "version": vm.config_version if settings else None,
                "checkpoint_type": int(vm.checkpoint_type) if settings else None,
                "checkpoints": self._checkpoints(vm.checkpoints) if settings else None,
                "heartbeat": int(vm.guest.heartbeat) if vm.running and readable["load.vms"] else None,
                "vss": int(vm.guest.vss) if vm.running and vss else None,
                "vss_enabled": vm.guest.enabled if vss else None,
                "last_backup": stamp(world.on_clock(node, last)) if last is not None else None,
                "replication": int(vm.replication),
            }
        )

    def _checkpoints(self, checkpoints: list[Checkpoint]) -> list[dict[str, Any]]:
        groups: dict[tuple[int, bool], list[float]] = {}
        for checkpoint in checkpoints:
            groups.setdefault((int(checkpoint.type), checkpoint.saved), []).append(checkpoint.created)
        return [
            {
                "type": kind,
                "saved": saved,
                "count": len(times),
                "oldest": stamp(self.world.on_clock(self.node, min(times))),
            }
            for (kind, saved), times in sorted(groups.items())
        ]

    def _job_section(self) -> Section:
        """A job is known by its VM from the moment both were seen here: a VM that moved away first is not told."""
        section: Section = {}
        known = self._of_vms
        for job_id, job in self.node.jobs.items():
            if job_id not in known and (job.kind == "migration" or job.vm in self.node.vms):
                known.add(job_id)
                self._jobs.pop(job_id, None)
            if job.running:
                section[job_id] = self._job(job)
                continue
            text = self._jobs.get(job_id)
            if text is None:
                text = self._jobs[job_id] = self._job(job)
            section[job_id] = text
        for job_id in self._jobs.keys() - section.keys():
            del self._jobs[job_id]
        known &= section.keys()
        return section

    def _job(self, job: Job) -> bytes:
        return wire(
            {
                "id": job.id,
                "kind": job.kind,
                "vm": job.vm if job.id in self._of_vms else None,
                "type": int(job.type),
                "state": int(job.state),
                "percent": job.percent(self.world.elapsed),
                "started": stamp(self.world.on_clock(self.node, job.started)),
                "error": job.error,
                "destination": job.destination,
            }
        )

    def _host_record(self, readable: dict[str, bool]) -> bytes:
        node, world = self.node, self.world
        system, services, limits = readable["host"], readable["host.vmms"], readable["host.migration"]
        vmms, cluster = node.services["vmms"], node.services["ClusSvc"]
        key = (
            node.revision, system, services, limits, vmms.state, vmms.started, cluster.state,
            node.boot, node.max_migrations, node.migration_enabled, node.faults.not_hyperv,
        )  # fmt: skip
        if self._host is not None and self._host[0] == key:
            return self._host[1]
        hyperv = services and not node.faults.not_hyperv
        started = vmms.started if hyperv else None
        record = {
            "name": node.name,
            "build": node.build.rsplit(".", 1)[0] if system else None,
            "boot": _second(stamp(world.on_clock(node, node.boot))) if system else None,
            "vmms": vmms.state if hyperv else None,
            "vmms_started": stamp(world.on_clock(node, started)) if started is not None else None,
            "cluster_service": cluster.state if services else None,
            "processors": node.processors if system else None,
            "memory": node.memory if system else None,
            "migration_enabled": node.migration_enabled if limits else None,
            "max_migrations": node.max_migrations if limits else None,
            "max_storage_migrations": node.max_storage_migrations if limits else None,
            "migration_auth": node.migration_auth if limits else None,
        }
        text = wire(record)
        self._host = (key, text)
        return text

    # --- load ---

    def _load_vector(self, readable: dict[str, bool], *, full: bool) -> bytes:
        """What moved by 5 points of CPU or more than 2 % of memory since it was sent; all of it in a full message."""
        fresh = self.due("load", self.load_seconds)
        if full:
            self._load.clear()
            self._host_load = None
        if not (fresh or full):
            return b""
        world, sent = self.world, self._load
        values: list[int] = []
        for vm_id, vm in self.node.vms.items():
            slot = self._slots.get(vm_id)
            if slot is None or not readable["load.vms"]:
                continue
            cpu, memory = world.vm_load(vm)
            old = sent.get(slot)
            if old is not None and abs(cpu - old[0]) < 5 and abs(memory - old[1]) * 50 <= old[1]:
                continue
            sent[slot] = (cpu, memory)
            values += (slot, cpu, memory)
        host = self._host_vector() if readable["load.host"] and readable["host"] else None
        if host is None and not values and not (full and readable["load.vms"]):
            return b""
        return wire({"host": host, "vms": values})

    def _host_vector(self) -> tuple[int, int] | None:
        new = self.world.host_load(self.node)
        old = self._host_load
        if old is not None and abs(new[0] - old[0]) < 5 and abs(new[1] - old[1]) * 50 <= old[1]:
            return None
        self._host_load = new
        return new


def _files(vm: Vm) -> bytes:
    paths = {path.upper(): path for path in vm.named_files()}
    return wire(
        {
            "id": vm.id,
            "configuration": vm.configuration,
            "checkpoints": vm.checkpoint_path or vm.configuration,
            "paging": vm.configuration,
            "disks": [paths[key] for key in sorted(paths)],
        }
    )


def _second(text: str) -> str:
    """Start times are whole seconds: they are derived from a rounded uptime."""
    return text[:20] + "000Z"
