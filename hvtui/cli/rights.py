"""What `hvtui doctor` reads out of a node's answer: Windows' version, rights for each pane, elevation, the clock."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from hvtui.model.records import Info

CLOCK_LIMIT: Final = timedelta(seconds=30)
"""More than a domain's time service lets pass; Kerberos itself gives up at five minutes."""


@dataclass(frozen=True)
class Step:
    """One step: `ok` is None when it does not apply or could not be told. `fix` is what to run or write, and where."""

    name: str
    ok: bool | None
    text: str
    fix: str = ""


@dataclass(frozen=True)
class _Right:
    """A right hvtui needs for some panes: the service that answers, the feature it belongs to, what grants it."""

    step: str
    key: str
    panes: str
    service: str
    feature: str
    grant: str


_RIGHTS: Final = (
    _Right(
        "Hyper-V",
        "hyperv",
        "VMs, and the load of nodes",
        "vmms",
        "Hyper-V",
        "Add-LocalGroupMember -Group 'Hyper-V Administrators' -Member '{account}'",
    ),
    _Right(
        "cluster",
        "cluster",
        "Nodes, CSVs and Placement",
        "ClusSvc",
        "Failover-Clustering",
        "Grant-ClusterAccess -User '{account}' -ReadOnly",
    ),
    _Right(
        "events",
        "events",
        "Events",
        "",
        "",
        "Add-LocalGroupMember -Group 'Event Log Readers' -Member '{account}'",
    ),
)


def judge(info: Info, account: str, offset: timedelta) -> Iterator[Step]:
    """Steps that need a node's answer. `offset` is its clock minus this machine's."""
    build = info.build or "unknown build"
    if info.supported is False:
        yield Step("Windows", False, f"{build} is older than Windows Server 2016", "hvtui needs build 14393 or newer")
    else:
        yield Step("Windows", info.supported, f"{build}, PowerShell {info.ps_version or 'of unknown version'}")
    for right in _RIGHTS:
        yield _right(info, right, account)
    yield _elevation(info, account)
    yield _clock(info, offset)


def _right(info: Info, right: _Right, account: str) -> Step:
    on = f"on {info.node}: "
    has = info.rights.get(right.key)
    state = info.services.get(right.service)
    problem = next((p for p in info.errors if p.part in {f"rights.{right.key}", right.key}), None)
    why = problem.text if problem else "the node did not say why"
    if right.service and state is None:
        text, fix = (
            f"{right.feature} is not installed",
            f"Install-WindowsFeature {right.feature} -IncludeManagementTools",
        )
    elif has:
        return Step(right.step, True, f"read: {right.panes}")
    elif right.service and state != "Running":
        text, fix = f"the service {right.service} is {state}", f"Start-Service {right.service}"
    elif has is False:
        text, fix = f"refused ({why})", right.grant.format(account=account)
    else:
        text, fix = f"no answer ({why})", f"Get-Service {right.service or 'EventLog'}"
    return Step(right.step, False, f"{text}; not read: {right.panes}", on + fix)


def _elevation(info: Info, account: str) -> Step:
    elevated, vss = info.rights.get("elevated"), info.rights.get("vss")
    if elevated is False:
        fix = f"on {info.node}: Add-LocalGroupMember -Group Administrators -Member '{account}'"
        text = "the session is not elevated, and vssadmin needs that; not read: Writers"
        return Step("vssadmin", False, text, f"{fix}; or a JEA endpoint with a virtual account (docs/module.md)")
    if vss is False:
        return Step("vssadmin", False, "refused; not read: Writers", f"on {info.node}: Get-Service VSS")
    if elevated is None:
        return Step("vssadmin", None, "elevation could not be told; Writers may not be read")
    return Step("vssadmin", True, "elevated; read: Writers")


def _clock(info: Info, offset: timedelta) -> Step:
    # Adding zero turns a rounded -0.0 into 0.0.
    seconds = round(offset.total_seconds(), 1) + 0.0
    if abs(offset) <= CLOCK_LIMIT:
        return Step("clock", True, f"clock {seconds:+.1f} s from this machine's")
    text = f"{abs(seconds):,.0f} s {'ahead of' if seconds > 0 else 'behind'} this machine's"
    return Step("clock", False, text, f"on {info.node}: w32tm /resync /rediscover")
