"""VMMS that does not stop or does not get on, and an update that spoils disks (peers.md §B 35, 36, 40)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Final

from hvtui.findings.chains import stamp
from hvtui.findings.finding import Evidence, Finding, Sure
from hvtui.findings.look import Look
from hvtui.findings.rules import rule
from hvtui.model.enums import OperationalStatus, VmState
from hvtui.model.event_catalog import vm_of
from hvtui.model.link import LinkStatus

_STOPPING: Final = "Stop Pending"
_ENDS: Final = timedelta(minutes=3)
"""A service that does not answer for so long while Windows shuts down is ended (tonyso 2008); a stop that goes well is
a matter of seconds."""
_NEVER: Final = timedelta(minutes=10)
_STUCK: Final = timedelta(minutes=15)
_STOPS: Final = frozenset({VmState.Stopping, VmState.StoppingVendor})
_SPOILT: Final = date(2025, 5, 13)
_MENDED: Final = date(2025, 6, 10)
"""The update days of May and June 2025 (Microsoft: vhdmp.sys)."""
_CORRUPT: Final = "0x80070570"
"""ERROR_FILE_CORRUPT."""


@rule("vmms-stop-pending", per="node")
def vmms_stop_pending(look: Look, key: str) -> Iterator[Finding]:
    """VMMS was told to stop and is still at it (36)."""
    view = look.node(key)
    if view is None or view.host is None or view.host.vmms != _STOPPING:
        return
    since, now = look.memory.vmms_since(key), look.now(key)
    if since is None or now is None:
        return
    if now - since < _ENDS:
        look.again(_ENDS - (now - since))
        return
    target, here = look.node_target(key), len(view.vms or ())
    look.again(timedelta(minutes=1))
    yield look.make(
        "vmms-stop-pending",
        target,
        f"VMMS of {target.name} is in Stop Pending since {stamp(since)} or earlier"
        + (f", with {here} VMs on the node" if here else ""),
        sure=Sure.CERTAIN if now - since >= _NEVER else Sure.LIKELY,
        evidence=[
            look.read(f"VMMS: {_STOPPING}", key, "Win32_Service"),
            Evidence(text="first seen so", node=target.name, time=since, source="Win32_Service"),
        ],
        since=since,
    )


@rule("vmms-blocked", per="node")
def vmms_blocked(look: Look, key: str) -> Iterator[Finding]:
    """VMMS does not answer, and VMs were last seen in a checkpoint or a stop that had begun long before (35)."""
    view, now = look.node(key), look.now(key)
    if view is None or now is None:
        return
    problem = view.problem("vms")
    hangs = view.link.status is LinkStatus.HANGING or (problem is not None and problem.kind == "timeout")
    if not hangs:
        return
    stuck = [(vm, began, what) for vm in look.vms_of(key) if (held := _stuck(look, vm)) for began, what in (held,)]
    long = [one for one in stuck if now - one[1] >= _STUCK]
    if not long:
        if stuck:
            look.again(_STUCK - (now - min(began for _, began, _ in stuck)))
        return
    target = look.node_target(key)
    why = view.link.text or (problem.text if problem is not None else "")
    vms = [look.vm_target(vm) for vm, _, _ in sorted(long, key=lambda one: one[1])]
    yield look.make(
        "vmms-blocked",
        target,
        f"VMMS of {target.name} does not answer, and {vms[0].name}"
        + (f" and {len(vms) - 1} more are" if len(vms) > 1 else " is")
        + " in the middle of an operation that does not end",
        sure=Sure.LIKELY,
        evidence=[
            look.read(f"VMMS does not answer{f': {why}' if why else ''}", key, "node stream"),
            *(
                look.read(f"{look.vm_target(vm).name}: {what} since {stamp(began)}", vm, "VM")
                for vm, began, what in long[:4]
            ),
        ],
        vms=vms,
        since=min(began for _, began, _ in long),
    )


def _stuck(look: Look, vm: str) -> tuple[datetime, str] | None:
    """Since when a VM is being checkpointed or stopped."""
    began = look.memory.busy_since(vm, OperationalStatus.CreatingSnapshot)
    if began is not None:
        return began, "creating a checkpoint"
    found, seen = look.vm(vm), look.memory.vm_states(vm)
    if found is not None and found[1].state in _STOPS and seen and seen[-1].state == found[1].state:
        return seen[-1].time, "stopping"
    return None


@rule("vhd-corruption-update", per="node")
def vhd_corruption_update(look: Look, key: str) -> Iterator[Finding]:
    """The newest update of a node is of the month that spoilt virtual disks (40)."""
    picture = look.facts.hotfixes.get(key)
    dated = [one for one in (picture.hotfixes or () if picture is not None else ()) if one.installed is not None]
    newest = max((one.installed for one in dated if one.installed is not None), default=None)
    if newest is None or picture is None or not _SPOILT <= newest < _MENDED:
        return
    target = look.node_target(key)
    names = ", ".join(one.id for one in dated if one.installed == newest)
    hurt = [item for item in look.state.events.recent() if item.node == target.name and _CORRUPT in item.event.codes]
    vms = list(dict.fromkeys(vm for item in hurt if (vm := vm_of(item.event)[0])))
    text = f"newest update {names} of {newest:%d %b %Y}"
    yield look.make(
        "vhd-corruption-update",
        target,
        f"{target.name}: {text}; virtual disks were spoilt by that month's, and mended by the next"
        + (f"; {len(vms)} VMs say that a file is corrupt" if vms else ""),
        sure=Sure.LIKELY if hurt else Sure.POSSIBLE,
        evidence=[
            Evidence(text=text, node=target.name, time=picture.time, source="hotfixes"),
            *(look.evidence(item) for item in hurt[:3]),
        ],
        vms=[look.vm_target(vm.lower()) for vm in vms],
    )
