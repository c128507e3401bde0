"""What the Hyper-V commands read: machines and their checkpoints (windows.md §2)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from hvtui.lab.pwsh.commands import errors
from hvtui.lab.pwsh.commands.answer import Answer, Refused, date, span
from hvtui.lab.pwsh.commands.call import CommandCall, Handler
from hvtui.lab.pwsh.commands.cluster import matches
from hvtui.lab.pwsh.commands.trouble import hyperv_commands_answer
from hvtui.lab.world.vm import MB, Checkpoint, Vm
from hvtui.model.enums import VmState

_SPACE: Final = "Microsoft.HyperV.PowerShell."
_STATES: Final = {32768: 9, 32769: 6, 32770: 10, 32774: 4}
"""WMI's own numbers as the command's enum has them."""
Record = dict[str, Any]


async def chosen_vms(call: CommandCall) -> list[Vm]:
    """VMMS answers; the VMs that -Name, -VMName, -Id or -VM choose. An account without rights is told so."""
    for name in ("ComputerName", "CimSession", "Credential"):
        if call.get(name) is not None:
            raise Refused(errors.unsupported(f"{call.command} -{name}"))
    await hyperv_commands_answer(call)
    vms = list(call.node.vms.values())
    wanted = _ids(call)
    if wanted is not None:
        found = [vm for vm in vms if vm.id in wanted]
        if len(found) < len(wanted):
            raise Refused(_missing(call, ", ".join(sorted(wanted))))
        return found
    names = call.names("VMName") or (call.names("Name") if call.command == "Get-VM" else [])
    if not names:
        return vms
    found = []
    for name in names:
        hits = [vm for vm in vms if matches(vm.name, name)]
        if not hits and not any(char in name for char in "*?["):
            raise Refused(_missing(call, name))
        found += hits
    return found


def _ids(call: CommandCall) -> set[str] | None:
    given = call.get("VM")
    if given is not None:
        return {str(one.get("Id", "")).lower() for one in (given if isinstance(given, list) else [given])}
    id = call.get("Id")
    return None if id is None else {str(id).strip("{}").lower()}


def _missing(call: CommandCall, name: str) -> Any:
    text = f'Hyper-V was unable to find a virtual machine with name "{name}".'
    return errors.hyperv(text, "InvalidParameter", category="InvalidArgument", target=name)


def vm_record(call: CommandCall, vm: Vm) -> Record:
    """A VirtualMachine object."""
    cpu, memory = call.world.vm_load(vm)
    running = vm.state not in {VmState.Off, VmState.Saved} and vm.started is not None
    return {
        "$type": f"{_SPACE}VirtualMachine",
        "Id": vm.id,
        "Name": vm.name,
        "ComputerName": call.node.name,
        "State": _STATES.get(int(vm.state), int(vm.state)),
        "CPUUsage": cpu,
        "MemoryAssigned": memory * MB,
        "MemoryStartup": vm.memory_startup * MB,
        "MemoryMinimum": vm.memory_minimum * MB,
        "MemoryMaximum": vm.memory_maximum * MB,
        "DynamicMemoryEnabled": vm.dynamic,
        "ProcessorCount": vm.processors,
        "Uptime": span(timedelta(seconds=call.world.elapsed - (vm.started or 0.0)) if running else timedelta()),
        "OperationalStatus": [int(number) for number in vm.operational()],
        "CheckpointType": int(vm.checkpoint_type),
        "Version": vm.config_version,
        "Generation": 2,
        "IsClustered": vm.role is not None,
        "IsDeleted": False,
        "Path": vm.configuration,
        "ConfigurationLocation": vm.configuration,
        "SnapshotFileLocation": vm.checkpoint_path or vm.configuration,
        "SmartPagingFilePath": vm.configuration,
        "ReplicationMode": int(vm.replication),
        "ParentSnapshotId": vm.current or None,
        "ParentSnapshotName": _named(vm, vm.current),
    }


def _named(vm: Vm, id: str) -> str | None:
    return next((one.name for one in vm.checkpoints if one.id == id), None)


async def get_vm(call: CommandCall) -> Answer:
    """Get-VM."""
    return Answer([vm_record(call, vm) for vm in await chosen_vms(call)])


async def get_checkpoint(call: CommandCall) -> Answer:
    """Get-VMCheckpoint and Get-VMSnapshot."""
    vms = await chosen_vms(call)
    names = call.names("Name")
    return Answer(
        [
            _checkpoint_record(call, vm, one)
            for vm in vms
            for one in vm.checkpoints
            if not names or any(matches(one.name, name) for name in names)
        ]
    )


def _checkpoint_record(call: CommandCall, vm: Vm, one: Checkpoint) -> Record:
    return {
        "$type": f"{_SPACE}VMSnapshot",
        "Id": one.id,
        "Name": one.name,
        "VMId": vm.id,
        "VMName": vm.name,
        "ComputerName": call.node.name,
        "SnapshotType": int(one.type),
        "IsAutomaticCheckpoint": False,
        "State": int(VmState.Saved if one.saved else VmState.Off),
        "CreationTime": date(call.view.clock(one.created)),
        "ParentSnapshotId": one.parent or None,
        "ParentSnapshotName": _named(vm, one.parent),
        "Path": vm.checkpoint_path or vm.configuration,
        "Version": vm.config_version,
        "IsClustered": vm.role is not None,
        "IsDeleted": False,
    }


async def get_host(call: CommandCall) -> Answer:
    """Get-VMHost."""
    for name in ("ComputerName", "CimSession", "Credential"):
        if call.get(name) is not None:
            raise Refused(errors.unsupported(f"Get-VMHost -{name}"))
    await hyperv_commands_answer(call)
    node = call.node
    return Answer(
        [
            {
                "$type": f"{_SPACE}VMHost",
                "Name": node.name,
                "ComputerName": node.name,
                "FullyQualifiedDomainName": "corp.example",
                "LogicalProcessorCount": node.processors,
                "MemoryCapacity": node.memory,
                "SupportedVmVersions": list(node.vm_versions),
                "MaximumVirtualMachineMigrations": node.max_migrations,
                "MaximumStorageMigrations": node.max_storage_migrations,
                "VirtualMachineMigrationEnabled": node.migration_enabled,
                "VirtualMachineMigrationAuthenticationType": node.migration_auth,
                "IsDeleted": False,
            }
        ]
    )


COMMANDS: Final[dict[str, Handler]] = {
    "Get-VM": get_vm,
    "Get-VMCheckpoint": get_checkpoint,
    "Get-VMSnapshot": get_checkpoint,
    "Get-VMHost": get_host,
}
