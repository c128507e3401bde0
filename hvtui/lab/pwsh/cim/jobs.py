"""root/virtualization/v2: jobs, and what each concerns (windows.md §3.1)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Final

from hvtui.lab.pwsh.cim.instances import Embedded, Property, Provider, View, constant
from hvtui.lab.pwsh.cim.schema import VIRTUALIZATION
from hvtui.lab.pwsh.cim.virtualization import vm_reference
from hvtui.lab.world.jobs import KEPT, Job
from hvtui.model.enums import JobState

_STATUS: Final = {JobState.Running: "Job is running.", JobState.Completed: "Job is completed successfully."}


def _of_kind(kind: str) -> Callable[[View], Iterator[Job]]:
    return lambda view: (job for job in view.node.jobs.values() if job.kind == kind)


def _elapsed(view: View, job: Job) -> timedelta | None:
    """The world keeps no end of a job: an ended one tells no ElapsedTime."""
    return timedelta(seconds=max(0.0, view.world.elapsed - job.started)) if job.running else None


def reference(job: Job) -> Embedded:
    """A reference to a job."""
    return Embedded(f"{VIRTUALIZATION}/{_CLASSES[job.kind]}", {"InstanceID": job.id.upper()})


_CLASSES: Final = {"concrete": "Msvm_ConcreteJob", "storage": "Msvm_StorageJob", "migration": "Msvm_MigrationJob"}

_COMMON: Final[dict[str, Property]] = {
    "InstanceID": lambda _view, job: job.id.upper(),
    "Caption": constant("Hyper-V Job"),
    "ElementName": constant("Hyper-V Job"),
    "Name": constant("Msvm_ConcreteJob"),
    "OperationalStatus": lambda _view, job: [2] if job.error == 0 else [6],
    "HealthState": lambda _view, job: 5 if job.error == 0 else 20,
    "JobState": lambda _view, job: int(job.state),
    "JobStatus": lambda _view, job: _STATUS.get(JobState(job.state), "Job failed."),
    "JobType": lambda _view, job: int(job.type),
    "PercentComplete": lambda view, job: job.percent(view.world.elapsed),
    "StartTime": lambda view, job: view.clock(job.started),
    "TimeSubmitted": lambda view, job: view.clock(job.started),
    "ElapsedTime": _elapsed,
    "ErrorCode": lambda _view, job: job.error,
    "ErrorDescription": lambda _view, job: None if job.error == 0 else "The operation failed.",
    "DeleteOnCompletion": constant(False),
    "Cancellable": lambda _view, job: job.running,
}
_REMOVAL: Final[dict[str, Property]] = {"TimeBeforeRemoval": constant(timedelta(seconds=KEPT))}

CONCRETE: Final = Provider("Msvm_ConcreteJob", VIRTUALIZATION, _of_kind("concrete"), _COMMON)
STORAGE: Final = Provider("Msvm_StorageJob", VIRTUALIZATION, _of_kind("storage"), _COMMON | _REMOVAL)
MIGRATION: Final = Provider(
    "Msvm_MigrationJob",
    VIRTUALIZATION,
    _of_kind("migration"),
    _COMMON
    | _REMOVAL
    | {
        "VirtualSystemName": lambda _view, job: job.vm.upper(),
        "DestinationHost": lambda _view, job: job.destination,
    },
)


def _affected(view: View, job: Job) -> Embedded | None:
    vm = view.world.vms.get(job.vm)
    return None if vm is None else vm_reference(vm)


def _links(name: str, kind: str) -> Provider:
    return Provider(
        name,
        VIRTUALIZATION,
        _of_kind(kind),
        {
            "AffectedElement": _affected,
            "AffectingElement": lambda _view, job: reference(job),
            "ElementEffects": constant([5]),
        },
        keys=("AffectedElement", "AffectingElement"),
    )


AFFECTED: Final = _links("Msvm_AffectedJobElement", "concrete")
AFFECTED_STORAGE: Final = _links("Msvm_AffectedStorageJobElement", "storage")

PROVIDERS: Final = (CONCRETE, STORAGE, MIGRATION, AFFECTED, AFFECTED_STORAGE)
