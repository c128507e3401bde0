"""The call contract: every HvTui function, its parameters, its result and how long it may take.

The PowerShell module, the lab's native engine and the client are held against this one table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from hvtui.model import checkpoints, guests, preflight, records, signals, vss_access
from hvtui.model.secret import GuestCredential

CONTRACT: Final = "1.0.0"
"""Version of this table and of the module's manifest; a node's installed module must have exactly this one."""

WIRE: Final = 1
"""Value of `v` in every answer."""

MODULE: Final = "HvTui"

CHANNELS: Final = (
    "Microsoft-Windows-Hyper-V-VMMS-Admin",
    "Microsoft-Windows-Hyper-V-Worker-Admin",
    "Microsoft-Windows-Hyper-V-High-Availability-Admin",
    "Microsoft-Windows-Hyper-V-StorageVSP-Admin",
    "Microsoft-Windows-FailoverClustering/Operational",
    "System",
    "Application",
)
"""Event channels that may be read. Of System only FailoverClustering and volsnap, of Application only VSS, CAPI2 and
HvTui's own records.
"""

SERVICES: Final = ("vmms", "VSS", "swprv", "CryptSvc", "BITS", "SQLWriter")
"""Services that hvtui may stop and start; it never touches another one."""

SERVICE_STATES: Final = (
    "Stopped",
    "Start Pending",
    "Stop Pending",
    "Running",
    "Continue Pending",
    "Pause Pending",
    "Paused",
)
"""State of Win32_Service."""

# Alike in .NET and Python: `$` also stands before a last line feed, which the look-ahead forbids.
_END: Final = "$(?!\\n)"
_NODE: Final = "[0-9A-Za-z_-]{1,63}"
_GUID: Final = "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
GUID_PATTERN: Final = f"^{_GUID}{_END}"
NODE_PATTERN: Final = f"^{_NODE}{_END}"
NODES_PATTERN: Final = f"^({_NODE}(,{_NODE}){{0,63}})?{_END}"
"""Names joined by commas; none is an empty text."""
ACTOR_PATTERN: Final = "^[^\\x00-\\x1f\\x7f]{1,200}" + _END
ACCOUNT_PATTERN: Final = "^[^\\x00-\\x1f\\x7f]{1,256}" + _END
"""The name of a value of VssAccessControl: an account as Windows writes it."""
GUIDS_PATTERN: Final = (
    "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}(,[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}){0,255}"
    + _END
)
"""GUIDs joined by commas, 256 at most."""
VOLUME_PATTERN: Final = (
    '^([a-z]:(\\\\[^\\x00-\\x1f\\x7f"<>|?*]{1,240})?'
    "|\\\\\\\\\\?\\\\Volume\\{[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\\})" + _END
)
"""A volume in a guest: its letter, mount point or GUID path, without a backslash at the end."""
TYPES_PATTERN: Final = f"^{_GUID}:[2-5]:[2-5](,{_GUID}:[2-5]:[2-5]){{0,1023}}{_END}"
"""`GUID:from:to` joined by commas: a VM, the CheckpointType it has and the one it is to get."""
TITLE_PATTERN: Final = "^[^\\x00-\\x1f\\x7f]{1,100}" + _END
"""The name of a checkpoint."""
TIME_PATTERN: Final = "^([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{1,7})?Z)?" + _END
"""UTC, ISO 8601; empty for none."""


@dataclass(frozen=True)
class Parameter:
    """A parameter as the module declares it; the bounds are its ValidateRange, the choices its ValidateSet."""

    name: str
    type: type[str] | type[int] | type[GuestCredential]
    default: str | int | None = None
    minimum: int | None = None
    maximum: int | None = None
    choices: tuple[str, ...] = ()
    mandatory: bool = False
    pattern: str = ""
    """A regular expression that .NET and Python read alike, without regard to case."""

    @property
    def may_be_empty(self) -> bool:
        """An empty text is a value: none."""
        return self.pattern in {NODES_PATTERN, TIME_PATTERN}


@dataclass(frozen=True)
class Function:
    """One exported function. `deadline` is the client's, in seconds; None for a stream."""

    name: str
    result: type[records.Record]
    parameters: tuple[Parameter, ...] = ()
    stream: bool = False
    deadline: float | None = 5.0
    mutating: bool = False
    """It changes something: never sent twice, and a lost answer leaves the outcome unknown until it is read back."""
    guarded: bool = False
    """It changes nothing, but may lock an account: for operators only, and never sent twice."""

    @property
    def operators(self) -> bool:
        """Only an operator has it on a restricted endpoint."""
        return self.mutating or self.guarded


GET_INFO: Final = Function(
    "Get-HvTuiInfo",
    records.Info,
    # Basic asks neither VMMS nor the cluster service, so it answers while they hang: the probe.
    (Parameter("Part", str, "All", choices=("All", "Basic")),),
    deadline=20.0,
)
WATCH_CLUSTER: Final = Function(
    "Watch-HvTuiCluster",
    records.ClusterFrame,
    (
        Parameter("IntervalMs", int, 2000, 500, 60_000),
        Parameter("SlowSeconds", int, 30, 5, 600),
        # 0 = until stopped; 1 = one full picture and the end (status).
        Parameter("Count", int, 0, 0, 1_000_000),
    ),
    stream=True,
    deadline=None,
)
WATCH_NODE: Final = Function(
    "Watch-HvTuiNode",
    records.NodeFrame,
    (
        Parameter("IntervalMs", int, 2000, 500, 60_000),
        Parameter("SlowSeconds", int, 30, 5, 600),
        Parameter("LoadSeconds", int, 10, 1, 600),
        Parameter("Count", int, 0, 0, 1_000_000),
    ),
    stream=True,
    deadline=None,
)
GET_WRITER: Final = Function(
    "Get-HvTuiWriter",
    records.WriterText,
    (Parameter("TimeoutSeconds", int, 120, 5, 600),),
    deadline=150.0,
)
GET_PROVIDER: Final = Function("Get-HvTuiProvider", records.Providers, deadline=30.0)
GET_SHADOW: Final = Function("Get-HvTuiShadow", signals.Shadows, deadline=30.0)
GET_FILTER: Final = Function("Get-HvTuiFilter", signals.FilterText, deadline=60.0)
GET_HOTFIX: Final = Function("Get-HvTuiHotfix", signals.Hotfixes, deadline=40.0)
GET_EVENT: Final = Function(
    "Get-HvTuiEvent",
    records.EventPage,
    (
        Parameter("Channel", str, choices=CHANNELS, mandatory=True),
        # Records after this position; 0 = by time.
        Parameter("AfterRecord", int, 0, 0, 2**62),
        # With AfterRecord 0: how far back by the node's own clock.
        Parameter("Hours", int, 24, 1, 168),
        Parameter("MaxEvents", int, 200, 1, 1000),
    ),
    deadline=60.0,
)

GET_PREFLIGHT: Final = Function(
    "Get-HvTuiPreflight",
    preflight.Preflight,
    (Parameter("Part", str, "All", choices=("All", "Vms", "Node")),),
    deadline=90.0,
)
GET_FORK_COMMIT: Final = Function("Get-HvTuiForkCommit", preflight.ForkCommit, deadline=120.0)
GET_SERVICE: Final = Function(
    "Get-HvTuiService",
    preflight.ServiceState,
    (Parameter("Name", str, choices=SERVICES, mandatory=True),),
    deadline=20.0,
)

GET_VSS_ACCESS: Final = Function("Get-HvTuiVssAccess", vss_access.VssAccess, deadline=30.0)

_CREDENTIAL: Final = Parameter("Credential", GuestCredential, mandatory=True)
GET_GUEST: Final = Function(
    "Get-HvTuiGuest",
    guests.GuestLine,
    (
        Parameter("VM", str, pattern=GUIDS_PATTERN, mandatory=True),
        _CREDENTIAL,
        Parameter("Parallel", int, 8, 1, 16),
    ),
    stream=True,
    deadline=None,
    guarded=True,
)
GET_GUEST_FILE: Final = Function(
    "Get-HvTuiGuestFile",
    guests.GuestFiles,
    (
        Parameter("VMId", str, pattern=GUID_PATTERN, mandatory=True),
        _CREDENTIAL,
        Parameter("Volume", str, pattern=VOLUME_PATTERN, mandatory=True),
        Parameter("Count", int, 20, 1, 50),
        Parameter("Seconds", int, 60, 5, 300),
    ),
    deadline=330.0,
    guarded=True,
)

GET_CHECKPOINT: Final = Function(
    "Get-HvTuiCheckpoint",
    checkpoints.Checkpoints,
    (Parameter("VMId", str, pattern=GUID_PATTERN, mandatory=True),),
    deadline=30.0,
)

GET_CHAIN: Final = Function(
    "Get-HvTuiChain",
    signals.Chain,
    (Parameter("VMId", str, pattern=GUID_PATTERN, mandatory=True),),
    deadline=90.0,
)

_NODE_STATE: Final = Parameter("ExpectState", int, None, -1, 3, mandatory=True)
_DRAIN: Final = Parameter("ExpectDrain", int, None, 0, 3, mandatory=True)
_ACTED: Final = (
    Parameter("OperationId", str, pattern=GUID_PATTERN, mandatory=True),
    # Who acts and from where: `user@client machine`.
    Parameter("Actor", str, pattern=ACTOR_PATTERN, mandatory=True),
)
_SERVICE: Final = (
    Parameter("Name", str, choices=SERVICES, mandatory=True),
    Parameter("ExpectState", str, choices=SERVICE_STATES, mandatory=True),
    Parameter("ExpectProcessId", int, None, 0, 1_000_000_000, mandatory=True),
    Parameter("ExpectStarted", str, pattern=TIME_PATTERN, mandatory=True),
)


def _action(name: str, *parameters: Parameter) -> Function:
    """A mutating function: it says what it changed, and waits for none of Windows' work."""
    return Function(name, preflight.ActionResult, (*parameters, *_ACTED), deadline=20.0, mutating=True)


# Each re-reads, in the same call, what the plan saw (`Expect…`), and refuses on any difference.
MOVE_VM: Final = _action(
    "Move-HvTuiVM",
    Parameter("VMId", str, pattern=GUID_PATTERN, mandatory=True),
    Parameter("Node", str, pattern=NODE_PATTERN, mandatory=True),
    Parameter("ExpectOwner", str, pattern=NODE_PATTERN, mandatory=True),
    # EnabledState.
    Parameter("ExpectState", int, None, 0, 65_535, mandatory=True),
)
STOP_MOVE: Final = _action(
    "Stop-HvTuiMove",
    Parameter("VMId", str, pattern=GUID_PATTERN, mandatory=True),
    Parameter("ExpectOwner", str, pattern=NODE_PATTERN, mandatory=True),
)
SUSPEND_NODE: Final = _action(
    "Suspend-HvTuiNode",
    _NODE_STATE,
    _DRAIN,
    # The other nodes that are Up, not paused, not isolated and not quarantined.
    Parameter("ExpectUp", str, pattern=NODES_PATTERN, mandatory=True),
)
RESUME_NODE: Final = _action(
    "Resume-HvTuiNode",
    Parameter("Failback", str, choices=("NoFailback", "Immediate"), mandatory=True),
    _NODE_STATE,
    _DRAIN,
)
STOP_SERVICE: Final = _action("Stop-HvTuiService", *_SERVICE)
START_SERVICE: Final = _action("Start-HvTuiService", *_SERVICE)
MOVE_CSV: Final = _action(
    "Move-HvTuiCsv",
    Parameter("CsvId", str, pattern=GUID_PATTERN, mandatory=True),
    Parameter("Node", str, pattern=NODE_PATTERN, mandatory=True),
    Parameter("ExpectOwner", str, pattern=NODE_PATTERN, mandatory=True),
)
_ACCOUNT: Final = Parameter("Account", str, pattern=ACCOUNT_PATTERN, mandatory=True)
SET_VSS_ACCESS: Final = _action(
    "Set-HvTuiVssAccess",
    _ACCOUNT,
    # 0 denied, 1 writer, 2 requester, 3 both.
    Parameter("Value", int, None, 0, 3, mandatory=True),
    # -1: there is no such entry.
    Parameter("ExpectValue", int, None, -1, 3, mandatory=True),
    # 1: back to what it was; only then it may become 0.
    Parameter("Undo", int, None, 0, 1, mandatory=True),
)
REMOVE_VSS_ACCESS: Final = _action(
    "Remove-HvTuiVssAccess", _ACCOUNT, Parameter("ExpectValue", int, None, 0, 3, mandatory=True)
)

_VM: Final = Parameter("VMId", str, pattern=GUID_PATTERN, mandatory=True)
_VM_STATE: Final = Parameter("ExpectState", int, None, 0, 65_535, mandatory=True)
_CHECKPOINT: Final = Parameter("CheckpointId", str, pattern=GUID_PATTERN, mandatory=True)
SET_CHECKPOINT_TYPE: Final = Function(
    "Set-HvTuiCheckpointType",
    checkpoints.PolicyLine,
    (Parameter("VM", str, pattern=TYPES_PATTERN, mandatory=True), *_ACTED),
    stream=True,
    deadline=None,
    mutating=True,
)
NEW_CHECKPOINT: Final = _action(
    "New-HvTuiCheckpoint",
    _VM,
    Parameter("Name", str, pattern=TITLE_PATTERN, mandatory=True),
    _VM_STATE,
    # CheckpointType of the VM.
    Parameter("ExpectType", int, None, 2, 5, mandatory=True),
)
RESTORE_CHECKPOINT: Final = _action(
    "Restore-HvTuiCheckpoint",
    _VM,
    _CHECKPOINT,
    _VM_STATE,
    # 1: it holds memory.
    Parameter("ExpectSaved", int, None, 0, 1, mandatory=True),
)
REMOVE_CHECKPOINT: Final = _action(
    "Remove-HvTuiCheckpoint",
    _VM,
    _CHECKPOINT,
    # SnapshotType of the checkpoint, and how many rest on it.
    Parameter("ExpectType", int, None, 0, 8, mandatory=True),
    Parameter("ExpectChildren", int, None, 0, 50, mandatory=True),
)
START_VM: Final = _action("Start-HvTuiVM", _VM, _VM_STATE)

RECORD_IDS: Final = {
    MOVE_VM.name: 4101,
    STOP_MOVE.name: 4102,
    SUSPEND_NODE.name: 4103,
    RESUME_NODE.name: 4104,
    STOP_SERVICE.name: 4105,
    START_SERVICE.name: 4106,
    MOVE_CSV.name: 4107,
    SET_CHECKPOINT_TYPE.name: 4108,
    NEW_CHECKPOINT.name: 4109,
    RESTORE_CHECKPOINT.name: 4110,
    REMOVE_CHECKPOINT.name: 4111,
    START_VM.name: 4112,
    SET_VSS_ACCESS.name: 4113,
    REMOVE_VSS_ACCESS.name: 4114,
}
"""Event ids of the records that changes leave in the Application log; their provider is `MODULE`."""

FUNCTIONS: Final = {
    f.name: f
    for f in (
        GET_INFO,
        WATCH_CLUSTER,
        WATCH_NODE,
        GET_WRITER,
        GET_PROVIDER,
        GET_SHADOW,
        GET_FILTER,
        GET_HOTFIX,
        GET_EVENT,
        GET_PREFLIGHT,
        GET_FORK_COMMIT,
        GET_GUEST,
        GET_GUEST_FILE,
        GET_SERVICE,
        GET_CHECKPOINT,
        GET_CHAIN,
        GET_VSS_ACCESS,
        MOVE_VM,
        STOP_MOVE,
        SUSPEND_NODE,
        RESUME_NODE,
        STOP_SERVICE,
        START_SERVICE,
        MOVE_CSV,
        SET_CHECKPOINT_TYPE,
        NEW_CHECKPOINT,
        RESTORE_CHECKPOINT,
        REMOVE_CHECKPOINT,
        START_VM,
        SET_VSS_ACCESS,
        REMOVE_VSS_ACCESS,
    )
}
