"""The call contract: every HvTui function, its parameters, its result and how long it may take.

The PowerShell module, the lab's native engine and the client are held against this one table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from hvtui.model import records

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
"""Event channels that may be read. Of System only FailoverClustering and volsnap, of Application only VSS and CAPI2."""


@dataclass(frozen=True)
class Parameter:
    """A parameter as the module declares it; the bounds are its ValidateRange, the choices its ValidateSet."""

    name: str
    type: type[str] | type[int]
    default: str | int | None = None
    minimum: int | None = None
    maximum: int | None = None
    choices: tuple[str, ...] = ()
    mandatory: bool = False


@dataclass(frozen=True)
class Function:
    """One exported function. `deadline` is the client's, in seconds; None for a stream."""

    name: str
    result: type[records.Record]
    parameters: tuple[Parameter, ...] = ()
    stream: bool = False
    deadline: float | None = 5.0


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

FUNCTIONS: Final = {f.name: f for f in (GET_INFO, WATCH_CLUSTER, WATCH_NODE, GET_WRITER, GET_PROVIDER, GET_EVENT)}
