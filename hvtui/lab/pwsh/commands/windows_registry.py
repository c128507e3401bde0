"""The part of a node's registry that hvtui has business with: who may take part in VSS (windows.md §6).

The item and property commands are the engine's own; its provider asks these questions. Names of keys and values know no
case; a value keeps the spelling it was made with.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from hvtui.lab.native.vss_access import access_trouble
from hvtui.lab.pwsh.commands import errors
from hvtui.lab.pwsh.commands.answer import Answer, LabError, Refused
from hvtui.lab.pwsh.commands.call import CommandCall, Handler
from hvtui.lab.world import actions
from hvtui.lab.world.node import Node

ACCESS_CONTROL: Final = "HKLM:\\SYSTEM\\CurrentControlSet\\Services\\VSS\\VssAccessControl"
_LAST: Final = ACCESS_CONTROL.rpartition("\\")[2]
_HIVE: Final = "HKEY_LOCAL_MACHINE"
_DWORD: Final = "DWord"
_MOST: Final = 2**32


def _path(call: CommandCall) -> str:
    return str(call.get("LiteralPath", "")).replace("/", "\\").rstrip("\\")


def _exists(node: Node, path: str) -> bool:
    if _is_access_control(path):
        return node.access_key
    return f"{ACCESS_CONTROL}\\".lower().startswith(f"{path}\\".lower())


def _key(call: CommandCall) -> str:
    path = _path(call)
    if not _exists(call.node, path):
        text = f"Cannot find path '{path}' because it does not exist."
        name = "System.Management.Automation.ItemNotFoundException"
        raise Refused(LabError(text, name, category="ObjectNotFound", id="PathNotFound", target=path))
    return path


def _is_access_control(path: str) -> bool:
    return path.lower() == ACCESS_CONTROL.lower()


async def test_path(call: CommandCall) -> Answer:
    """Whether a key is there: the one of VSS, and those it is in."""
    return Answer([_exists(call.node, _path(call))])


async def get_item(call: CommandCall) -> Answer:
    """A key: its values, and the names of the keys in it."""
    path = _key(call)
    if _is_access_control(path) and (trouble := access_trouble(call.node)) is not None:
        raise _forbidden(trouble.text, path)
    values: dict[str, int] = call.node.access_control if _is_access_control(path) else {}
    below = ACCESS_CONTROL[len(path) + 1 :].split("\\")[0]
    spelt = ACCESS_CONTROL[: len(path)]
    record: dict[str, Any] = {
        "name": spelt.replace("HKLM:", _HIVE, 1),
        "keys": [below] if below and (below != _LAST or call.node.access_key) else [],
        "values": [{"name": name, "kind": _DWORD, "value": number} for name, number in values.items()],
    }
    return Answer([record])


def _forbidden(text: str, path: str) -> Refused:
    name = "System.Security.SecurityException"
    return Refused(LabError(text, name, 0x8013150A, "PermissionDenied", name, target=path))


def _own_key(call: CommandCall) -> str:
    """The path of the one key of this lab whose values can change."""
    path = _key(call)
    if not _is_access_control(path):
        raise Refused(errors.unsupported(f"{call.command} {path}"))
    return path


def _act(call: CommandCall, change: Callable[[], object]) -> None:
    """Do it in the world: administrators may, elevated ones."""
    try:
        change()
    except actions.Refused as refused:
        raise _forbidden(refused.text, _path(call)) from None


def _spelt(call: CommandCall) -> str | None:
    """The value as it is written in the key; None when it has none of that name."""
    return actions.entry_of(call.node, str(call.get("Name", "")))


async def set_property(call: CommandCall) -> Answer:
    """Set-ItemProperty and New-ItemProperty of a DWORD; any other type the lab does not hold."""
    _own_key(call)
    held = _spelt(call)
    if call.command == "New-ItemProperty" and held is not None and not call.get("Force"):
        text, name = "The property already exists.", "System.IO.IOException"
        raise Refused(LabError(text, name, category="ResourceExists", id=name, target=_path(call)))
    kind, value = call.get("Type", "Unknown"), call.get("Value")
    # Without a type the value's own decides, and an existing value's stays: a number is a DWORD either way.
    if kind not in {_DWORD, "Unknown"} or (kind == "Unknown" and isinstance(value, str) and held is None):
        raise Refused(errors.unsupported(f"a value of VssAccessControl that is no DWORD ({kind})"))
    try:
        number = int(value)
    except (TypeError, ValueError):
        number = _MOST
    if not -(_MOST // 2) <= number < _MOST:
        text, name = (
            "The type of the value object did not match the specified RegistryValueKind.",
            "System.ArgumentException",
        )
        raise Refused(LabError(text, name, category="WriteError", id=name, target=_path(call)))
    world, node, name = call.world, call.node, str(call.get("Name"))
    value, command = number % _MOST, call.command
    _act(call, lambda: actions.set_access(world, node, name, value, command=command, asked=call.asked))
    return Answer([True])


async def remove_property(call: CommandCall) -> Answer:
    """Remove-ItemProperty of one value; the provider has chosen it by name or wildcard."""
    _own_key(call)
    held = _spelt(call)
    if held is None:
        text, name = (
            f"Property {call.get('Name')} does not exist at path {_path(call)}.",
            "System.Management.Automation.PSArgumentException",
        )
        raise Refused(LabError(text, name, category="InvalidArgument", id=name, target=_path(call)))
    _act(call, lambda: actions.remove_access(call.world, call.node, held, asked=call.asked))
    return Answer([True])


COMMANDS: Final[dict[str, Handler]] = {
    # What the provider asks for its own sake, and what it is asked.
    "HvTui:RegistryPath": test_path,
    "HvTui:RegistryKey": get_item,
    "Get-Item": get_item,
    "Get-ItemProperty": get_item,
    "Set-ItemProperty": set_property,
    "New-ItemProperty": set_property,
    "Remove-ItemProperty": remove_property,
}
