"""Get-HvTuiGuest and Get-HvTuiGuestFile out of the world: what guests tell of themselves, and which are not tried."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any, Final

from hvtui.lab.native.problems import NO_MACHINES, Trouble, hyperv_trouble, part_problem, part_trouble, problem
from hvtui.lab.native.stream import stamp, wire
from hvtui.lab.native.vssadmin_text import writers_text
from hvtui.lab.world import guest_inside
from hvtui.lab.world.guest_access import SINCE, NoSession, connect
from hvtui.lab.world.guest_accounts import proof
from hvtui.lab.world.node import Node
from hvtui.lab.world.vm import GuestVolume, Vm
from hvtui.lab.world.world import World
from hvtui.model.enums import VmState
from hvtui.model.secret import GuestCredential
from hvtui.remote.contract import WIRE

_CODE: Final = "0x8007274c"
"""WSAETIMEDOUT as an HRESULT."""
_OUTCOMES: Final = {"vm": "refused", "state": "refused", "connect": "unreachable", "credential": "denied"}
_SKIPPED: Final = "not tried after another guest refused the credential"
_NO_WRITERS: Final = problem("writers", Trouble("other", "vssadmin ended with exit code 2", ""))
_NO_DRIVE: Final = "Cannot find drive. A drive with the name '{}' does not exist."
_NO_FOLDER: Final = "Cannot find path '{}\\' because it does not exist."


async def guests(
    world: World, node: Node, ids: str, credential: GuestCredential, spent: Callable[[], int]
) -> AsyncIterator[str]:
    """The lines of Get-HvTuiGuest. Guests of the lab answer at once, so they answer one after the other."""
    waiting = []
    for id in dict.fromkeys(ids.lower().split(",")):
        refusal = _refusal(node, id)
        if refusal is None:
            waiting.append(id)
        else:
            yield _line(world, node, id, spent(), why=("refused", *refusal))
    denied = False
    for id in waiting:
        if denied:
            yield _line(world, node, id, spent(), why=("skipped", _SKIPPED, ""))
            continue
        vm, failure = _session(world, node, id, credential)
        if vm is None:
            denied = failure[0] == "denied"
            yield _line(world, node, id, spent(), why=failure)
        else:
            yield _line(world, node, id, spent(), why=failure, inside=_inside(vm))
    yield _line(world, node, "", spent(), kind="end")


def guest_files(world: World, node: Node, values: dict[str, Any], cpu_ms: int) -> str:
    """The answer of Get-HvTuiGuestFile."""
    id, path = values["VMId"].lower(), values["Volume"]
    answer: dict[str, Any] = {
        "v": WIRE,
        "time": stamp(world.time_of(node)),
        "cpu_ms": cpu_ms,
        "node": node.name,
        "vm": id,
        "outcome": "refused",
        "text": "",
        "code": "",
        "volume": path,
        "partial": None,
        "files": None,
        "errors": [],
    }
    refusal = _refusal(node, id)
    if refusal is not None:
        return wire(answer | {"text": refusal[0], "code": refusal[1]}).decode()
    vm, (outcome, text, code) = _session(world, node, id, values["Credential"])
    answer |= {"outcome": outcome, "text": text, "code": code}
    if vm is None:
        return wire(answer).decode()
    found = [one for one in guest_inside.volumes(vm) if guest_inside.volume_path(vm, one).lower() == path.lower()]
    if not found:
        text = _NO_DRIVE.format(path[0]) if len(path) == len("X:") else _NO_FOLDER.format(path)
        answer["errors"] = [problem("files", Trouble("other", text, ""))]
        return wire(answer).decode()
    listed = sorted(guest_inside.files(vm, found[0]), key=lambda one: (-one[1], one[0].lower()))
    answer["partial"] = False
    answer["files"] = [{"path": f"{path}\\{name}", "size": size} for name, size in listed[: values["Count"]]]
    return wire(answer).decode()


def _refusal(node: Node, id: str) -> tuple[str, str] | None:
    """Why a guest is not tried: text and code."""
    trouble = hyperv_trouble(node) or part_trouble(node, "vms") or part_trouble(node, "vms.checkpoints")
    if trouble is not None:
        return f"vms could not be read: {trouble.text}", trouble.code if trouble is not NO_MACHINES else "0x80070005"
    vm = node.vms.get(id)
    if vm is None:
        return "this VM is not on this node", ""
    if vm.state != VmState.Running:
        return f"this VM does not run (state {int(vm.state)})", ""
    if tuple(int(part) for part in vm.config_version.split(".")) < SINCE:
        return f"configuration version {vm.config_version} has no PowerShell Direct, it takes 6.2", ""
    return None


def _session(world: World, node: Node, id: str, credential: GuestCredential) -> tuple[Vm | None, tuple[str, str, str]]:
    """The guest, or none and why not: outcome, text, code."""
    try:
        return connect(world, node, id, credential.username, proof(credential.reveal())), ("read", "", "")
    except NoSession as no:
        code = _CODE if no.kind == "connect" else ""
        return None, (_OUTCOMES[no.kind], no.text, code)


def _line(
    world: World,
    node: Node,
    id: str,
    cpu_ms: int,
    *,
    kind: str = "guest",
    why: tuple[str, str, str] = ("", "", ""),
    inside: dict[str, Any] | None = None,
) -> str:
    outcome, text, code = why
    nothing: dict[str, Any] = {
        "system": None,
        "volumes": None,
        "services": None,
        "writers": None,
        "storage": None,
        "errors": [],
    }
    return wire(
        {
            "v": WIRE,
            "time": stamp(world.time_of(node)),
            "cpu_ms": cpu_ms,
            "node": node.name,
            "kind": kind,
            "vm": id,
            "outcome": outcome,
            "text": text,
            "code": code,
            **(inside or nothing),
        }
    ).decode()


def _inside(vm: Vm) -> dict[str, Any]:
    errors = [
        _NO_WRITERS if part == "writers" else part_problem(part, vm.guest_unreadable[part])
        for part in ("system", "volumes", "services", "storage", "writers")
        if part in vm.guest_unreadable
    ]
    told = {
        "system": f"Microsoft {vm.guest.system}",
        "volumes": [_volume(vm, one) for one in guest_inside.volumes(vm)],
        "services": [
            {"name": one.name, "state": one.state, "start_mode": one.mode} for one in guest_inside.services(vm)
        ],
        "writers": writers_text(guest_inside.writers(vm)),
        "storage": [
            {
                "volume": _path(vm, one.volume),
                "store": _path(vm, one.store),
                "used": one.used,
                "allocated": one.allocated,
                "maximum": None if one.maximum == guest_inside.UNBOUNDED else one.maximum,
            }
            for one in guest_inside.storage(vm)
        ],
    }
    return {part: None if part in vm.guest_unreadable else value for part, value in told.items()} | {"errors": errors}


def _path(vm: Vm, volume: GuestVolume) -> str:
    """A volume of a guest that does not tell its volumes is known by its GUID only."""
    return (
        guest_inside.guid_path(vm, volume) if "volumes" in vm.guest_unreadable else guest_inside.volume_path(vm, volume)
    )


def _volume(vm: Vm, one: GuestVolume) -> dict[str, Any]:
    return {
        "path": guest_inside.volume_path(vm, one),
        "label": one.label,
        "file_system": one.file_system,
        "size": one.size,
        "free": one.free,
    }
