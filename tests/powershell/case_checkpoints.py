"""Cases of the functions for checkpoints, their type, and the start of a VM."""

from __future__ import annotations

from typing import Any, Final

from tests.powershell import worlds
from tests.powershell.case_actions import Step, role, world
from tests.powershell.case_kit import ACTED, DENIED, Case, failing, machines, with_cim
from tests.powershell.worlds import SNAPSHOT, SQL, WEB

SECOND: Final = SNAPSHOT[:-1] + "2"
LEFT: Final = SNAPSHOT[:-1] + "3"
INVALID_QUERY: Final = 0x80041017
_JOB: Final = {"State": "Running", "Error": [], "ChildJobs": [], "JobStateInfo": {"Reason": None}}


def snapshot(own: str, **changes: Any) -> Step:
    """A VMSnapshot: one that people took of a running VM, production."""
    return {"Id": own, "Name": f"of {own[-1]}", "SnapshotType": 0, "State": 3, "ParentSnapshotId": None, **changes}


def vm(own: str = SQL, **changes: Any) -> Step:
    """A VirtualMachine."""
    return {"Id": own, "CheckpointType": 3, "IsClustered": True, **changes}


def at(state: int = 2, operational: tuple[int, ...] = (2,), commands: dict[str, Any] | None = None) -> Step:
    """SQL in a state, WEB off and of no cluster, two checkpoints of SQL of which one rests on the other."""
    kinds = {
        "Get-VM": [vm(), vm(WEB, CheckpointType=5, IsClustered=False)],
        "Get-VMSnapshot": [snapshot(SNAPSHOT), snapshot(SECOND, State=6, ParentSnapshotId=SNAPSHOT)],
        **{name: [_JOB] for name in ("Checkpoint-VM", "Restore-VMSnapshot", "Remove-VMSnapshot", "Start-VM")},
        **(commands or {}),
    }
    made = world(commands=kinds)
    return with_cim(
        made,
        MSCluster_Cluster=[{"Name": "CLU"}],
        Msvm_ComputerSystem=machines(
            worlds.machine(SQL, "SQL07", EnabledState=state, OperationalStatus=list(operational)),
            worlds.machine(WEB, "web", EnabledState=3),
        ),
    )


def _failed(**changes: Any) -> list[Step]:
    return [{**_JOB, "State": "Failed", **changes}]


def _records(*texts: str) -> list[Step]:
    return [{"$error": text, "code": 0x80070032 - 2**32} for text in texts]


def checkpoint_cases() -> list[Case]:
    """All of them."""
    return [*_listed(), *_taken(), *_applied(), *_removed(), *_started(), *_types()]


def _listed() -> list[Case]:
    def setting(own: str | None = None, kind: str = "Snapshot:Realized", parent: str = "", **changes: Any) -> Step:
        path = (
            f'\\\\HV01\\root\\virtualization\\v2:Msvm_VirtualSystemSettingData.InstanceID="Microsoft:{parent.upper()}"'
        )
        more = {"ElementName": f"of {own or SQL}", "VirtualSystemType": f"Microsoft:Hyper-V:{kind}"}
        return worlds.setting(SQL, own, Parent=path if parent else None, **more, **changes)

    own = setting(None, "System:Realized", SECOND)
    first = setting(SNAPSHOT, IsSaved=True, IsAutomaticSnapshot=False)
    kinds = ("Recovery", "Planned", "Missing", "Replica:Standard", "Replica:ApplicationConsistent", "Strange")
    odd = [setting(SNAPSHOT[:-1] + str(n), f"Snapshot:{kind}") for n, kind in enumerate(kinds)]
    base = at()

    def ask(name: str, step: Step, id: str = SQL.upper()) -> Case:
        return Case(f"checkpoints: {name}", "Get-HvTuiCheckpoint", [step], {"VMId": id})

    def with_settings(*listed: Step) -> Step:
        return with_cim(base, Msvm_VirtualSystemSettingData=list(listed))

    return [
        ask("none", with_settings(setting(None, "System:Realized"))),
        ask("two", with_settings(own, first, setting(SECOND, parent=SNAPSHOT, IsAutomaticSnapshot=True))),
        ask("of every kind", with_settings(own, *odd)),
        ask("unread values", with_settings({**own, "UserSnapshotType": None}, {**first, "IsSaved": None})),
        ask("what is no checkpoint", with_settings(own, setting(SNAPSHOT, "System:Planned"))),
        ask("no settings", with_settings()),
        ask("no such VM", with_settings(own), LEFT),
        ask("shown nothing", with_cim(base, Msvm_ComputerSystem=[])),
        ask("VMs fail", failing(base, "Msvm_ComputerSystem")),
        ask("settings fail", failing(base, "Msvm_VirtualSystemSettingData")),
        ask("settings fail on an older Windows", failing(base, "Msvm_VirtualSystemSettingData", code=INVALID_QUERY)),
    ]


def _free(name: str, made: Any) -> list[Case]:
    """What every function refuses that touches a VM."""
    unread = ("Msvm_ComputerSystem", "Get-VM", "MSCluster_Cluster", "Get-ClusterGroup")
    return [
        made(f"{name}: no VM", with_cim(at(), Msvm_ComputerSystem=machines())),
        made(f"{name}: Get-VM gives nothing", at(commands={"Get-VM": []})),
        made(f"{name}: shown nothing", with_cim(at(), Msvm_ComputerSystem=[])),
        made(f"{name}: shown no cluster", with_cim(at(), MSCluster_Cluster=[])),
        made(f"{name}: no role", at(commands={"Get-ClusterGroup": []})),
        *(
            made(f"{name}: role status {n}", at(commands={"Get-ClusterGroup": [role(SQL, status=n)]}))
            for n in (1, 4, 2)
        ),
        *(made(f"{name}: operation {n}", at(2, (11, n))) for n in (32768, 32772, 32776, 32781)),
        *(made(f"{name}: {source} fails", failing(at(), source)) for source in unread),
    ]


def _job_ends(name: str, made: Any, command: str) -> list[Case]:
    """How a job that Windows gives may end at once, and a command that says no."""
    reason = _records("no reason at all")[0]
    child = {**_JOB, "Error": _records("of the child")}
    return [
        made(f"{name}: the job failed", at(commands={command: _failed(Error=_records("not supported", "second"))})),
        made(f"{name}: its child failed", at(commands={command: _failed(ChildJobs=[_JOB, child])})),
        made(f"{name}: it failed with a reason", at(commands={command: _failed(JobStateInfo={"Reason": reason})})),
        made(f"{name}: it failed without a reason", at(commands={command: _failed()})),
        made(f"{name}: it is over", at(commands={command: [{**_JOB, "State": "Completed"}]})),
        made(f"{name}: Windows refuses", failing(at(), command, code=0x80070032)),
        made(f"{name}: Windows denies", failing(at(), command, code=DENIED)),
        made(f"{name}: no record", failing(at(), "Write-EventLog")),
        made(f"{name}: nothing is told afterwards", at(), failing(at(), "Msvm_ComputerSystem")),
    ]


def _taken() -> list[Case]:
    given = {"VMId": SQL.upper(), "Name": "it's $(1) \u00fc", "ExpectState": 2, "ExpectType": 3, **ACTED}

    def take(name: str, *steps: Step, **changes: Any) -> Case:
        return Case(f"take: {name}", "New-HvTuiCheckpoint", list(steps), {**given, **changes})

    def typed(kind: int) -> Step:
        return at(commands={"Get-VM": [vm(CheckpointType=kind)]})

    return [
        take("running", at(), at(2, (11, 32768))),
        *(take(f"state {n}", at(n), ExpectState=n) for n in (3, 6, 9, 10, 32768, 32769, 32773)),
        take("of no cluster", at(), VMId=WEB, ExpectState=3, ExpectType=5),
        take("another state", at(), ExpectState=3),
        take("another type", at(), ExpectType=4),
        take("disabled", typed(2), ExpectType=2),
        take("type 4", typed(4), ExpectType=4),
        *_free("busy", take),
        *_job_ends("job", take, "Checkpoint-VM"),
    ]


def _applied() -> list[Case]:
    given = {"VMId": SQL, "CheckpointId": SECOND.upper(), "ExpectState": 2, "ExpectSaved": 1, **ACTED}

    def apply(name: str, *steps: Step, **changes: Any) -> Case:
        return Case(f"apply: {name}", "Restore-HvTuiCheckpoint", list(steps), {**given, **changes})

    def listed(**changes: Any) -> Step:
        return at(commands={"Get-VMSnapshot": [snapshot(SECOND, **changes)]})

    return [
        apply("with memory", at(), at(32773)),
        apply("without memory", at(), CheckpointId=SNAPSHOT, ExpectSaved=0),
        *(apply(f"state {n}", at(n), ExpectState=n) for n in (3, 6, 9, 10)),
        apply("another state", at(), ExpectState=3),
        apply("memory that the plan did not see", at(), ExpectSaved=0),
        apply("no memory any more", listed(State=32786)),
        *(apply(f"type {n}", listed(SnapshotType=n, State=6)) for n in (1, 2, 6)),
        apply("no such checkpoint", at(), CheckpointId=LEFT),
        apply("no checkpoint at all", at(commands={"Get-VMSnapshot": []})),
        apply("checkpoints fail", failing(at(), "Get-VMSnapshot")),
        *_free("busy", apply),
        *_job_ends("job", apply, "Restore-VMSnapshot"),
    ]


def _removed() -> list[Case]:
    given = {"VMId": SQL, "CheckpointId": SECOND, "ExpectType": 0, "ExpectChildren": 0, **ACTED}

    def remove(name: str, *steps: Step, **changes: Any) -> Case:
        return Case(f"remove: {name}", "Remove-HvTuiCheckpoint", list(steps), {**given, **changes})

    def listed(kind: int) -> Step:
        return at(commands={"Get-VMSnapshot": [snapshot(SECOND, SnapshotType=kind)]})

    return [
        remove("nothing rests on it", at(), at(2, (2, 32772))),
        remove("one rests on it", at(), CheckpointId=SNAPSHOT, ExpectChildren=1),
        remove("another rests on it than seen", at(), CheckpointId=SNAPSHOT),
        remove("of a backup", listed(1), ExpectType=1),
        remove("of a backup, which the plan did not see", listed(1)),
        *(remove(f"type {n}", listed(n), ExpectType=n) for n in (2, 6, 8)),
        remove("no such checkpoint", at(), CheckpointId=LEFT),
        remove("checkpoints fail", failing(at(), "Get-VMSnapshot")),
        *_free("busy", remove),
        *_job_ends("job", remove, "Remove-VMSnapshot"),
    ]


def _started() -> list[Case]:
    given = {"VMId": SQL, "ExpectState": 3, **ACTED}

    def start(name: str, *steps: Step, **changes: Any) -> Case:
        return Case(f"start: {name}", "Start-HvTuiVM", list(steps), {**given, **changes})

    def alone(name: str, *steps: Step, **changes: Any) -> Case:
        return start(name, *steps, VMId=WEB, **changes)

    off = at(3)
    return [
        start("off", off, at(10)),
        *(start(f"state {n}", at(n), ExpectState=n) for n in (6, 32769, 2, 9, 10)),
        start("another state", off, ExpectState=6),
        start("Windows refuses", failing(off, "Start-ClusterGroup", code=0x8007139F)),
        start("Windows denies", failing(off, "Start-ClusterGroup", code=DENIED)),
        start("VMs fail", failing(off, "Msvm_ComputerSystem")),
        start("locked", at(3, commands={"Get-ClusterGroup": [role(SQL, status=1)]})),
        start("a role of a strange name", at(3, commands={"Get-ClusterGroup": [{**role(SQL), "Name": "[a]*"}]})),
        alone("of no cluster", off),
        *_job_ends("of no cluster", alone, "Start-VM"),
    ]


def _types() -> list[Case]:
    def change(name: str, *steps: Step, vms: str = f"{SQL.upper()}:3:5") -> Case:
        return Case(f"type: {name}", "Set-HvTuiCheckpointType", list(steps), {"VM": vms, **ACTED})

    def typed(kind: int) -> Step:
        return at(commands={"Get-VM": [vm(CheckpointType=kind), vm(WEB, CheckpointType=5, IsClustered=False)]})

    many = ",".join([f"{SQL}:3:5"] * 7)
    refused = failing(at(), "Set-VM", code=0x8007054F)
    # A refused one between them ends no row of failures, one that is changed does.
    between = f"{SQL}:3:5,{SQL}:3:5,{SQL}:4:5,{SQL}:3:5,{SQL}:3:5,{SQL}:4:5,{SQL}:3:5,{SQL}:3:5"
    # It stays what it was four times, then it changes, then it stays again.
    stays, then = [at()] * 5, [typed(5)] * 5
    nine = ",".join([f"{SQL}:3:5"] * 5 + [f"{SQL}:5:4"] * 4)
    return [
        change("changed", at(), typed(5)),
        change("two", at(), typed(5), vms=f"{SQL}:3:5,{WEB}:5:3"),
        *(change(f"to {n}", typed(5), typed(n), vms=f"{SQL}:5:{n}") for n in (2, 3, 4)),
        change("another type", typed(4)),
        change("of that type already", typed(5), vms=f"{SQL}:5:5"),
        change("it stays what it was", at(), at()),
        change("Windows refuses", refused),
        change("Windows denies", failing(at(), "Set-VM", code=DENIED)),
        change("five one after the other", refused, vms=many),
        change("refused ones between failures", refused, vms=between),
        change("a changed one between failures", *stays, *then, vms=nine),
        change("nothing is told afterwards", at(), failing(typed(5), "Get-VM")),
        change("no record", failing(at(), "Write-EventLog"), failing(typed(5), "Write-EventLog")),
        change("one that is not there", at(), typed(5), vms=f"{LEFT}:3:5,{SQL}:3:5"),
        *_free("busy", change),
    ]
