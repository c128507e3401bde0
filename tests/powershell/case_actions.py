"""Cases of the functions that change something: what is read again, what refuses, and the one command."""

from __future__ import annotations

import copy
from typing import Any, Final

from tests.powershell import worlds
from tests.powershell.case_access import access_cases
from tests.powershell.case_kit import ACTED, DENIED, TIMEOUT, Case, failing, machines, with_cim
from tests.powershell.worlds import SQL, WEB

CSV: Final = "4444DDDD-0000-4000-8000-000000000001"
Step = dict[str, Any]


def role(vm: str, owner: str = "HV01", status: int | None = 0) -> Step:
    """A ClusterGroup of a VM."""
    return {
        "VmId": vm,
        "Name": "SQL role",
        "OwnerNode": {"Name": owner},
        "StatusInformation": status,
        "Owners": ["HV02"],
    }


def resource(vm: str, state: int = 0, kind: str = "Virtual Machine") -> Step:
    """A ClusterResource of a VM, with its private properties."""
    return {
        "Name": f"{kind} SQL07",
        "ResourceType": {"Name": kind},
        "Parameters": {"VmID": vm, "MigrationState": state},
        "Owners": ["HV01", "HV02"],
    }


def nodes(*changes: dict[str, Any]) -> list[Step]:
    """HV01, HV02 and HV03, each with its changes."""
    found = []
    for number in (1, 2, 3):
        change = changes[number - 1] if number <= len(changes) else {}
        one = {"Name": f"HV0{number}", "Id": str(number), "State": 0, "StatusInformation": 0, "NodeDrainStatus": 0}
        found.append({**one, **change})
    return found


def world(**changes: Any) -> Step:
    """A running VM on HV01, nothing against its move."""
    step: Step = {
        "cim": {
            "MSCluster_Node": nodes(),
            "Msvm_ComputerSystem": machines(worlds.machine(SQL, "SQL07"), worlds.machine(WEB, "web", EnabledState=3)),
            "Msvm_VirtualSystemManagementService": [{"Name": "vmms"}],
        },
        "commands": {
            "Get-ClusterGroup": [role(SQL), role(WEB, "hv01")],
            "Get-ClusterResource": [resource(SQL), resource(SQL, 9, "Virtual Machine Configuration"), resource(WEB)],
        },
    }
    for kind, values in changes.items():
        step[kind] = {**step.get(kind, {}), **values}
    return step


def _move(name: str, *steps: Step, **changes: Any) -> Case:
    given = {"VMId": SQL.upper(), "Node": "hv02", "ExpectOwner": "HV01", "ExpectState": 2, **ACTED, **changes}
    return Case(f"move: {name}", "Move-HvTuiVM", list(steps) or [world()], given)


def _vm(**changes: Any) -> Step:
    return with_cim(world(), Msvm_ComputerSystem=machines(worlds.machine(SQL, "SQL07", **changes)))


def _role(status: int | None = 0, owner: str = "HV01") -> Step:
    return world(commands={"Get-ClusterGroup": [role(SQL, owner, status)]})


def move_cases() -> list[Case]:
    """Move-HvTuiVM and Stop-HvTuiMove."""
    moved = world(commands={"Get-ClusterGroup": [role(SQL, "HV02")], "Get-ClusterResource": [resource(SQL, 1)]})
    targets = {"State": 2}, {"State": 1}, {"StatusInformation": 1}, {"StatusInformation": 2}, {"StatusInformation": 4}
    others = {"NodeDrainStatus": 1}, {"StatusInformation": 40}, {"State": 4294967295}
    running = world(commands={"Get-ClusterResource": [resource(SQL, 2)]})

    def stop(name: str, *steps: Step, **changes: Any) -> Case:
        given = {"VMId": SQL.upper(), "ExpectOwner": "HV01", **ACTED, **changes}
        return Case(f"stop move: {name}", "Stop-HvTuiMove", list(steps), given)

    return [
        _move("live", world(), moved),
        *(_move(f"state {state}", _vm(EnabledState=state), ExpectState=state) for state in (3, 6, 9, 32768, 32769)),
        *(_move(f"state {state}", _vm(EnabledState=state), ExpectState=state) for state in (4, 10, 32773)),
        _move("another owner", ExpectOwner="HV02"),
        _move("another state", ExpectState=3),
        _move("no role", VMId="1111aaaa-0000-4000-8000-0000000000ff"),
        _move("no VM", with_cim(world(), Msvm_ComputerSystem=machines())),
        _move("shown nothing", with_cim(world(), Msvm_ComputerSystem=[])),
        *(_move(f"role status {status}", _role(status)) for status in (1, 4, 2, 5, None)),
        *(_move(f"operation {n}", _vm(OperationalStatus=[11, n])) for n in (32767, 32768, 32774, 32780, 32781)),
        _move("no operation told", _vm(OperationalStatus=None)),
        *(_move(f"target {one}", with_cim(world(), MSCluster_Node=nodes({}, one))) for one in (*targets, *others)),
        _move("no such node", Node="HV09"),
        _move("to where it is", Node="HV01"),
        Case(
            "move: from a node of a strange name", "Move-HvTuiVM", [with_cim(world(), Msvm_ComputerSystem=[])],
            _move("").parameters, world={"name": "H'V\\\\1"},
        ),
        *(_move(f"{name} fails", failing(world(), name)) for name in _READ),
        _move("nodes hang", failing(world(), "MSCluster_Node", code=TIMEOUT)),
        _move("Windows refuses", failing(world(), "Move-ClusterVirtualMachineRole", code=0x80071748)),
        _move("Windows denies", failing(world(), "Move-ClusterVirtualMachineRole", code=DENIED)),
        _move("nothing is told afterwards", world(), failing(world(), "Get-ClusterGroup")),
        _move("no record", failing(world(), "Write-EventLog")),
        Case("move: no source yet", "Move-HvTuiVM", [world()], _move("").parameters, world={"source": "none"}),
        Case(
            "move: no source and none to be had", "Move-HvTuiVM", [failing(world(), "New-EventLog")],
            _move("").parameters, world={"source": "none"},
        ),
        stop("running", running, world(commands={"Get-ClusterResource": [resource(SQL, 4)]})),
        *(stop(f"state {n}", world(commands={"Get-ClusterResource": [resource(SQL, n)]})) for n in (0, 1, 3, 4, 5)),
        stop("queued", _role(4)),
        stop("locked, not queued", _role(1)),
        stop("another owner", running, ExpectOwner="HV02"),
        stop("no role", running, VMId=WEB.replace("2", "7")),
        stop("no resource", world(commands={"Get-ClusterResource": []})),
        stop("Windows refuses", failing(running, "Move-ClusterVirtualMachineRole", code=0x8007139F)),
        stop("state unread", failing(running, "Get-ClusterResource")),
    ]  # fmt: skip


_READ: Final = ("MSCluster_Node", "Get-ClusterGroup", "Msvm_ComputerSystem", "Get-VM")


def node_cases() -> list[Case]:
    """Suspend-HvTuiNode and Resume-HvTuiNode."""
    paused, drained, failed = (
        nodes({"State": 2, "NodeDrainStatus": drain, "StatusInformation": 4}) for drain in (1, 2, 3)
    )
    without = nodes({"State": 2, "NodeDrainStatus": 0})

    def at(listed: list[Step]) -> Step:
        return with_cim(world(), MSCluster_Node=listed)

    def suspend(name: str, *steps: Step, **changes: Any) -> Case:
        given = {"ExpectState": 0, "ExpectDrain": 0, "ExpectUp": "hv03,HV02", **ACTED, **changes}
        return Case(f"suspend: {name}", "Suspend-HvTuiNode", list(steps), given)

    def resume(name: str, *steps: Step, **changes: Any) -> Case:
        given = {"Failback": "NoFailback", "ExpectState": 2, "ExpectDrain": 2, **ACTED, **changes}
        return Case(f"resume: {name}", "Resume-HvTuiNode", list(steps), given)

    # This node is HV01 in the stand-ins; as the third of three it has the higher id.
    third = [{**one, "Id": str(9 - int(one["Id"]))} for one in nodes()]
    both = [{**one, "State": 2, "NodeDrainStatus": 1} if one["Name"] != "HV03" else one for one in third]
    lower = nodes({"State": 2, "NodeDrainStatus": 1}, {"State": 2, "NodeDrainStatus": 1})
    begun = nodes({"State": 2, "NodeDrainStatus": 1}, {"NodeDrainStatus": 1})
    aside = nodes({"State": 2, "NodeDrainStatus": 1}, {"State": 2})
    back = nodes({"State": 2, "NodeDrainStatus": 1})
    down = nodes({"State": 2, "NodeDrainStatus": 1}, {"State": 1})
    return [
        suspend("up", at(nodes()), at(paused)),
        suspend("again after it failed", at(failed), at(paused), ExpectState=2, ExpectDrain=3),
        suspend("again without a drain", at(without), at(paused), ExpectState=2),
        suspend("drained already", at(drained), ExpectState=2, ExpectDrain=2),
        suspend("another state", at(nodes()), ExpectState=2),
        suspend("another drain", at(nodes()), ExpectDrain=3),
        suspend("another node is up", at(nodes()), ExpectUp="HV02"),
        suspend("a node of the plan is down", at(nodes({}, {"State": 1}))),
        suspend("nobody else", at(nodes({}, {"State": 1}, {"State": 2})), ExpectUp=""),
        suspend("not one of them", at([{**one, "Name": "HV1" + one["Name"]} for one in nodes()])),
        Case(
            "suspend: a name that is a pattern",
            "Suspend-HvTuiNode",
            [at([{**nodes()[0], "Name": "[H]V01"}])],
            {"ExpectState": 0, "ExpectDrain": 0, "ExpectUp": "", **ACTED},
            world={"name": "[H]V01"},
        ),
        Case(
            "resume: a name that is a pattern",
            "Resume-HvTuiNode",
            [at([{**drained[0], "Name": "H'V*"}])],
            {"Failback": "Immediate", "ExpectState": 2, "ExpectDrain": 2, **ACTED},
            world={"name": "H'V*"},
        ),
        suspend("down", at(nodes({"State": 1})), ExpectState=1),
        suspend("nodes fail", failing(at(nodes()), "MSCluster_Node")),
        suspend("nodes hidden", at([])),
        suspend("Windows refuses", failing(at(nodes()), "Suspend-ClusterNode", code=0x800713CE), at(nodes())),
        suspend("a node goes down meanwhile", at(nodes()), at(down)),
        suspend("two at once, the higher id", at(third), at(both), at(third)),
        suspend(
            "two at once, and it cannot resume", at(third), failing(at(both), "Resume-ClusterNode", code=0x8007139F)
        ),
        suspend("two at once, the lower id and the other gives way", at(nodes()), at(lower), at(lower), at(back)),
        suspend("two at once, the lower id and the other stays", at(nodes()), at(lower)),
        suspend("two at once, the other one is not paused yet", at(nodes()), at(begun)),
        suspend("two at once, the other one is only paused", at(nodes()), at(aside)),
        suspend("the nodes are hidden afterwards", at(nodes()), at([])),
        suspend("two at once, the lower id and the nodes are hidden then", at(nodes()), at(lower), at([])),
        suspend("nothing is told afterwards", at(nodes()), failing(at(paused), "MSCluster_Node")),
        resume("without failback", at(drained), at(nodes())),
        resume("not up yet", at(drained), at(drained)),
        resume("with failback", at(drained), at(nodes()), Failback="Immediate"),
        resume("another state", at(nodes())),
        resume("another drain", at(failed)),
        resume("not paused", at(nodes()), ExpectState=0, ExpectDrain=0),
        resume("nodes fail", failing(at(drained), "MSCluster_Node")),
        resume("Windows refuses", failing(at(drained), "Resume-ClusterNode", code=0x8007139F)),
        resume("nothing is told afterwards", at(drained), failing(at(nodes()), "MSCluster_Node")),
    ]


def service(name: str = "vmms", state: str = "Running", process: int = 1) -> Step:
    """An instance of Win32_Service; the stand-ins take the process number for hours since its start."""
    return {"Name": name, "State": state, "ProcessId": process, "CheckPoint": 2, "WaitHint": 5000, "ExitCode": 0}


def _services(*listed: Step, nodes_: list[Step] | None = None, **changes: Any) -> Step:
    step = world(**changes)
    drained = nodes({"State": 2, "NodeDrainStatus": 2}) if nodes_ is None else nodes_
    step["cim"] |= {"Win32_Service": list(listed), "MSCluster_Node": drained, "Msvm_ComputerSystem": machines()}
    return step


def service_cases() -> list[Case]:
    """Get-HvTuiService, Stop-HvTuiService and Start-HvTuiService."""
    seen = {"Name": "vmms", "ExpectState": "Running", "ExpectProcessId": 1, "ExpectStarted": "2026-02-28T23:00:00Z"}
    stopped = service(state="Stopped", process=0)
    ready, done = _services(service()), _services(service(state="Stop Pending"))
    answered = {"Invoke-CimMethod": [{"ReturnValue": 0}]}
    dependent = [
        {"ServiceName": "ClusSvc", "Status": "Running"},
        {"ServiceName": "Old", "Status": "Stopped"},
        {"ServiceName": "Next", "Status": "StopPending"},
    ]

    def stop(name: str, *steps: Step, **changes: Any) -> Case:
        return Case(f"stop service: {name}", "Stop-HvTuiService", list(steps), {**seen, **ACTED, **changes})

    def start(name: str, *steps: Step, **changes: Any) -> Case:
        off = {"ExpectState": "Stopped", "ExpectProcessId": 0, "ExpectStarted": ""}
        return Case(f"start service: {name}", "Start-HvTuiService", list(steps), {**seen, **off, **ACTED, **changes})

    def get(name: str, step: Step, title: str = "vmms") -> Case:
        return Case(f"service: {name}", "Get-HvTuiService", [step], {"Name": title})

    def returning(step: Step, value: int | None) -> Step:
        made = copy.deepcopy(step)
        made["commands"]["Invoke-CimMethod"] = [] if value is None else [{"ReturnValue": value}]
        return made

    def job(kind: str, state: int) -> Step:
        listed = [{"InstanceID": f"J{n}", "JobState": one} for n, one in enumerate((state, 7, 10))]
        return with_cim(ready, **{kind: listed})

    left = with_cim(ready, Msvm_ComputerSystem=machines(worlds.machine(SQL, "SQL07")))

    def resources(*listed: Step) -> Step:
        return with_cim(left, MSCluster_Resource=list(listed))

    mine = worlds.resource("Virtual Machine SQL07", "Virtual Machine", "SQL07", VmID=SQL.upper())
    others = worlds.resource("Virtual Machine APP01", "Virtual Machine", "APP01", VmID=WEB)
    crypt = {"Name": "CryptSvc"}
    other = _services(service("CryptSvc"), nodes_=nodes())
    needed = _services(service("CryptSvc"), commands={"Dependents": dependent})
    return [
        get("running", _services(service(), commands={"Dependents": dependent})),
        get("stopped", _services(stopped)),
        get("not there", _services()),
        get("fails", failing(ready, "Win32_Service", "Dependents")),
        get("start unread", _services(service(process=-5))),
        stop("drained", returning(ready, 0), done),
        *(stop(f"returns {value}", returning(ready, value)) for value in (2, 3, 7, None)),
        stop("Windows refuses", failing({**ready, "commands": ready["commands"] | answered}, "Invoke-CimMethod")),
        stop("nothing is told afterwards", returning(ready, 0), failing(done, "Win32_Service")),
        stop("another state", ready, ExpectState="Paused"),
        stop("another process", ready, ExpectProcessId=2),
        stop("another start", ready, ExpectStarted="2026-02-28T22:00:00.000Z"),
        stop("the same start in more digits", returning(ready, 0), ExpectStarted="2026-02-28T23:00:00.0000001Z"),
        stop("no start", ready, ExpectStarted=""),
        stop("start unread", _services(service(process=-5)), ExpectProcessId=0),
        stop("not there", _services()),
        stop("stopped", _services(stopped), ExpectState="Stopped", ExpectProcessId=0, ExpectStarted=""),
        stop("not paused", _services(service(), nodes_=nodes())),
        stop("drain not over", _services(service(), nodes_=nodes({"State": 2, "NodeDrainStatus": 1}))),
        stop("not one of them", _services(service(), nodes_=nodes()[1:])),
        stop("a VM is left", resources(others, mine)),
        stop("what is left is no role", returning(resources(others), 0)),
        stop("what is left is no role, and there is none", returning(resources(), 0)),
        stop("a resource shows no VM", resources(others, worlds.resource("Hidden", "Virtual Machine", "SQL07"))),
        stop("a resource names no VM", resources(worlds.resource("Odd", "Virtual Machine", "SQL07", Other=1))),
        stop("a resource names nothing", resources(worlds.resource("Odd", "Virtual Machine", "SQL07", VmID=None))),
        stop("roles fail", failing(left, "MSCluster_Resource")),
        stop("shown no VM", with_cim(ready, Msvm_ComputerSystem=[])),
        *(stop(f"{kind} {state}", job(kind, state)) for kind in _JOBS for state in (3, 4)),
        stop("jobs over", returning(job(_JOBS[0], 10), 0)),
        stop("jobs hidden", with_cim(ready, Msvm_VirtualSystemManagementService=[])),
        *(stop(f"{name} fails", failing(ready, name)) for name in ("Win32_Service", "MSCluster_Node", *_JOBS)),
        Case("stop service: no lock", "Stop-HvTuiService", [ready], {**seen, **ACTED}, world={"mutex": "fail"}),
        stop("another service", returning(other, 0), **crypt),
        stop("another service that is needed", needed, **crypt),
        stop("dependents unread", failing(other, "Dependents"), **crypt),
        start("stopped", returning(_services(stopped), 0), _services(service(state="Start Pending", process=2))),
        start("returns 10", returning(_services(stopped), 10)),
        start("running", ready, ExpectState="Running", ExpectProcessId=1, ExpectStarted="2026-02-28T23:00:00Z"),
        start("another process", _services(stopped), ExpectProcessId=1),
        start("everything else fails", failing(returning(_services(stopped), 0), "MSCluster_Node", *_JOBS)),
    ]


_JOBS: Final = ("Msvm_ConcreteJob", "Msvm_StorageJob", "Msvm_MigrationJob")


def csv_cases() -> list[Case]:
    """Move-HvTuiCsv."""
    free = copy.deepcopy(worlds.cluster())
    free["cim"]["MSCluster_Node"] = nodes()
    free["cim"]["MSCluster_ClusterSharedVolume"][0]["BackupState"] = 0
    moved = copy.deepcopy(free)
    moved["commands"]["Get-ClusterSharedVolume"][0]["OwnerNode"] = {"Name": "HV01"}
    second = {**copy.deepcopy(free["commands"]["Get-ClusterSharedVolume"][0]), "Id": CSV[:-1] + "2"}
    two, two_moved = copy.deepcopy(free), copy.deepcopy(moved)
    for one in (two, two_moved):
        one["commands"]["Get-ClusterSharedVolume"].append(second)
    backed = with_cim(free, MSCluster_ClusterSharedVolume=worlds.cluster()["cim"]["MSCluster_ClusterSharedVolume"])
    by_path = with_cim(
        free,
        MSCluster_ClusterSharedVolume=[{"Name": "C:\\ClusterStorage\\Volume1", "VolumeName": None, "BackupState": 0}],
    )
    untold = with_cim(free, MSCluster_ClusterSharedVolume=[{"Name": "C:\\ClusterStorage\\Volume1", "VolumeName": None}])

    def move(name: str, *steps: Step, **changes: Any) -> Case:
        given = {"CsvId": CSV, "Node": "HV01", "ExpectOwner": "hv02", **ACTED, **changes}
        return Case(f"move csv: {name}", "Move-HvTuiCsv", list(steps), given)

    return [
        move("done", free, moved),
        move("one of two", two, two_moved),
        move("not yet", free),
        move("by path", by_path, moved),
        move("backed up", backed),
        move("backup untold", untold),
        move("no fault at all", with_cim(free, MSCluster_ClusterSharedVolume=[])),
        move("another owner", free, ExpectOwner="HV01"),
        move("no such CSV", free, CsvId=SQL),
        move("to where it is", free, Node="HV02"),
        move("to a node that is paused", with_cim(free, MSCluster_Node=nodes({"State": 2}))),
        *(
            move(f"{name} fails", failing(free, name))
            for name in ("MSCluster_Node", "Get-ClusterSharedVolume", "MSCluster_ClusterSharedVolume")
        ),
        move("Windows refuses", failing(free, "Move-ClusterSharedVolume", code=0x8007173D)),
        move("nothing is told afterwards", free, failing(moved, "Get-ClusterSharedVolume")),
    ]


def action_cases() -> list[Case]:
    """All functions that change something, and those that only they are asked with."""
    return [*move_cases(), *node_cases(), *service_cases(), *csv_cases(), *access_cases()]
