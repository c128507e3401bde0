"""The questions of both streams: what each answer is needed for, and what is left of a picture without it."""

from __future__ import annotations

from typing import Final, NamedTuple

from tests.engine.support.picture import Picture, differences

# A moment at which a node of each has everything a question is asked for: jobs of two kinds, a physical disk.
NODE_PLACE: Final = ("drift", "HV02", 700.0)
CLUSTER_PLACE: Final = ("healthy", "HV01", 60.0)
CIM: Final = "Get-CimInstance"


class Question(NamedTuple):
    """A question of a stream: the command, the class of a CIM one, and what depends on it.

    `part` is that of its problem; `fields` become null in each record of a section, those of `lasting` only when the
    question fails from the beginning; `sections` are absent then, and stand still when it fails later. `once`: it is
    not asked again when it was answered, unless something new comes.
    """

    command: str
    class_name: str
    part: str
    fields: dict[str, tuple[str, ...]]
    sections: tuple[str, ...] = ()
    lasting: tuple[str, ...] = ()
    once: bool = False

    @property
    def later(self) -> dict[str, tuple[str, ...]]:
        """The fields that become null when the question fails after it was answered."""
        return {name: tuple(one for one in fields if one not in self.lasting) for name, fields in self.fields.items()}

    @property
    def match(self) -> dict[str, str] | None:
        """Which calls of the command are this question."""
        return {"ClassName": self.class_name} if self.class_name else None


_LIMITS: Final = ("migration_enabled", "max_migrations", "max_storage_migrations", "migration_auth")
NODE_QUESTIONS: Final = (
    Question(CIM, "Msvm_ComputerSystem", "vms", {}, ("vms",)),
    Question(
        CIM,
        "Msvm_VirtualSystemSettingData",
        "vms.checkpoints",
        {"vms": ("version", "checkpoint_type", "checkpoints"), "jobs": ("vm",)},
        ("files",),
        # What was found once stays known.
        lasting=("vm",),
    ),
    Question(CIM, "Msvm_SummaryInformation", "load.vms", {"vms": ("heartbeat",)}),
    Question(CIM, "Msvm_VssComponent", "vms.vss", {"vms": ("vss", "vss_enabled")}),
    Question(CIM, "Msvm_VssComponentSettingData", "vms.vss", {"vms": ("vss", "vss_enabled")}),
    Question(CIM, "Msvm_StorageAllocationSettingData", "files", {}, ("files",)),
    Question(CIM, "Msvm_ResourceAllocationSettingData", "files", {}, ("files",)),
    Question(CIM, "Msvm_DiskDrive", "files", {}, ("files",)),
    Question(CIM, "Msvm_ConcreteJob", "jobs", {}, ("jobs",)),
    Question(CIM, "Msvm_StorageJob", "jobs", {}, ("jobs",)),
    Question(CIM, "Msvm_MigrationJob", "jobs", {}, ("jobs",)),
    Question(CIM, "Msvm_AffectedJobElement", "jobs.vm", {"jobs": ("vm",)}, once=True),
    Question(CIM, "Msvm_AffectedStorageJobElement", "jobs.vm", {"jobs": ("vm",)}, once=True),
    Question(CIM, "Msvm_VirtualSystemMigrationServiceSettingData", "host.migration", {"host": _LIMITS}),
    Question(CIM, "Win32_Service", "host.vmms", {"host": ("vmms", "vmms_started", "cluster_service")}),
    Question("HvTui:StartTime", "", "host.vmms_started", {"host": ("vmms_started",)}, once=True),
    Question(CIM, "Win32_OperatingSystem", "host", {"host": ("build", "boot", "processors", "memory")}),
    Question(CIM, "Win32_ComputerSystem", "host", {"host": ("build", "boot", "processors", "memory")}, once=True),
    Question(CIM, "Win32_PerfFormattedData_HvStats_HyperVHypervisorLogicalProcessor", "load.host", {}),
)
_MIGRATION: Final = ("migration_state", "migration_percent")
CLUSTER_QUESTIONS: Final = (
    Question(CIM, "MSCluster_Node", "nodes", {}, ("nodes",)),
    # Two questions of one class: the states of all resources, and the private properties of the VMs'.
    Question(
        CIM,
        "MSCluster_Resource",
        "roles.resources",
        {"roles": ("resource_state", "configuration_state", "vm", *_MIGRATION)},
        lasting=("vm",),
    ),
    Question(CIM, "MSCluster_ResourceGroup", "roles", {}, ("roles",)),
    Question(CIM, "MSCluster_ClusterSharedVolume", "csvs.fault", {"csvs": ("backup",)}),
    Question("Get-Cluster", "", "cluster", {}, ("cluster",)),
    Question("Get-ClusterQuorum", "", "cluster.quorum", {"cluster": ("quorum_type", "witness", "witness_state")}),
    Question("Get-ClusterSharedVolume", "", "csvs", {}, ("csvs",)),
    Question("Get-ClusterSharedVolumeState", "", "io", {}, ("io",)),
    Question("Get-ClusterNode", "", "nodes.failback", {"nodes": ("drain_error", "failback")}),
)

# The parts of each provider's questions, in the order in which they are asked. When one runs out of time, those behind
# it are not asked in vain: they share its reason.
GUARDS: Final = (
    ("vms", "jobs", "vms.checkpoints", "load.vms", "vms.vss", "files", "host.migration"),
    ("host.vmms", "host", "load.host"),
    ("nodes", "roles.resources", "roles", "roles.vm", "csvs.fault", "cluster", "csvs", "io", "nodes.failback"),
)


def told_with(part: str) -> list[str]:
    """The part of a question that ran out of time, and those that are not asked in the same round after it."""
    for parts in GUARDS:
        if part in parts:
            return list(parts[parts.index(part) :])
    return [part]


def without(whole: Picture, question: Question, *, held: bool = False, kept: Picture | None = None) -> Picture:
    """The picture without a question's answer, and with `held` without all that are not asked after it ran out.

    Fields become null. Sections and loads are absent, or, where the question worked before, as they were `kept`.
    """
    parts = told_with(question.part) if held else [question.part]
    table = NODE_QUESTIONS if question in NODE_QUESTIONS else CLUSTER_QUESTIONS
    lost = [one for one in table if one.part in parts and (held or one is question)]
    made = Picture()
    made.sections = {name: dict(records) for name, records in whole.sections.items()}
    for one in lost:
        for section in one.sections:
            made.sections.pop(section, None)
            if kept is not None and section in kept.sections:
                made.sections[section] = dict(kept.sections[section])
    for one in lost:
        for section, fields in (one.fields if kept is None else one.later).items():
            if section in one.sections or any(section in other.sections for other in lost):
                continue
            for key, record in made.sections.get(section, {}).items():
                # A migration names its VM itself.
                own = section == "jobs" and record["kind"] == "migration"
                made.sections[section][key] = record if own else {**record, **dict.fromkeys(fields)}
    if not {"host", "load.host"} & set(parts):
        made.host_load = whole.host_load
    if "vms" in made.sections and "load.vms" not in parts:
        made.loads = dict(whole.loads)
    return made


def same(seen: Picture, wanted: Picture) -> list[str]:
    """Every place where a picture of the module is not the wanted one; problems are another matter."""
    found = differences(wanted.sections, seen.sections, "sections")
    found += differences(wanted.host_load, seen.host_load, "host_load")
    loads = [dict(sorted(one.load_by_vm().items())) for one in (wanted, seen)]
    return found + differences(loads[0], loads[1], "loads")
