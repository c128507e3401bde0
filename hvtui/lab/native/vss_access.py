"""Who may take part in VSS, on the native engine: Get-, Set- and Remove-HvTuiVssAccess."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from hvtui.lab.native.change import Change, Refusal
from hvtui.lab.native.problems import Trouble, part_trouble, problem
from hvtui.lab.native.stream import stamp, wire
from hvtui.lab.world.accounts import sid_of
from hvtui.lab.world.actions import access_of, remove_access, set_access
from hvtui.lab.world.node import Node
from hvtui.lab.world.processes import services as installed
from hvtui.lab.world.world import World
from hvtui.remote.contract import WIRE

KEY: Final = "HKLM:\\SYSTEM\\CurrentControlSet\\Services\\VSS\\VssAccessControl"
_OWN_SIDS: Final = frozenset({"S-1-5-18", "S-1-5-19", "S-1-5-20", "S-1-5-32-544", "S-1-5-32-551"})
_OWN_NAMES: Final = frozenset(
    {
        "ntauthority\\system", "ntauthority\\localservice", "ntauthority\\networkservice",
        "builtin\\administrators", "builtin\\backupoperators",
    }
)  # fmt: skip
_QUOTES: Final = re.compile("['\u2018\u2019\u201a\u201b]")
_SINGLE: Final = re.compile("S-1-5-(21(-[0-9]+){3}-(500|[1-9][0-9]{3,})|8[02](-[0-9]+){5})")
_BY_ITSELF: Final = frozenset(
    {"", "localsystem", "ntauthority\\system", "ntauthority\\localservice", "ntauthority\\networkservice"}
)


def access_trouble(node: Node) -> Trouble | None:
    """Why the key cannot be read: its permissions, whatever the scenario says of the part `access`."""
    refused = Trouble("denied", "Requested registry access is not allowed.", "")
    return refused if part_trouble(node, "access") is not None else None


def _plain(name: str) -> str:
    return "".join(name.split()).lower()


def _right(value: int | None) -> int | None:
    """A value that is one of the four rights."""
    return value if value is not None and 0 <= value <= 3 else None


def vss_access(world: World, node: Node, cpu_ms: int = 0) -> str:
    """Get-HvTuiVssAccess."""
    errors: list[dict[str, str]] = []
    answer: dict[str, Any] = {
        "v": WIRE,
        "time": stamp(world.time_of(node)),
        "cpu_ms": cpu_ms,
        "node": node.name,
        "key": None,
        "entries": None,
        "services": None,
        "errors": errors,
    }
    trouble = access_trouble(node)
    if trouble is None:
        answer["key"] = node.access_key
        answer["entries"] = [
            {"account": name, "value": _right(value), "sid": sid_of(world, node, name) or ""}
            for name, value in node.access_control.items()
            if node.access_key
        ]
    else:
        errors.append(problem("entries", trouble))
    trouble = part_trouble(node, "host.vmms")
    if trouble is None:
        answer["services"] = [
            {
                "name": one.name,
                "display": one.service.title or one.name,
                "account": one.service.account,
                "state": one.service.state,
            }
            for one in installed(node)
            if _plain(one.service.account) not in _BY_ITSELF
        ]
    else:
        errors.append(problem("services", trouble))
    return wire(answer).decode()


def _seen(change: Change, account: str, expected: int) -> str:
    """The SID of the account, empty for nobody's, when its entry is as the plan saw it and not Windows' own."""
    node = change.node
    trouble = access_trouble(node)
    if trouble is not None:
        raise change.unread("access", trouble)
    if not node.access_key:
        raise Refusal("expect.key", f"there is no key {KEY}")
    value = _now(node, account)
    change.before["value"] = value
    change.expect("value", expected, "" if value is None else value)
    sid = sid_of(change.world, node, account) or ""
    change.before["sid"] = sid
    if sid in _OWN_SIDS or _plain(account) in _OWN_NAMES:
        raise Refusal("forbidden", f"the entry of '{account}' is Windows' own")
    return sid


def _now(node: Node, account: str) -> int | None:
    value = access_of(node, account)
    return -1 if value is None else _right(value)


async def set_entry(change: Change, values: dict[str, Any]) -> None:
    """Set-HvTuiVssAccess."""
    account, value = str(values["Account"]), int(values["Value"])
    sid = _seen(change, account, values["ExpectValue"])
    if not sid:
        raise Refusal("expect.account", f"{change.node.name} finds no account '{account}'")
    if not _SINGLE.fullmatch(sid):
        raise Refusal("forbidden", f"'{account}' ({sid}) stands for many: it is not admitted to VSS")
    if value == 0 and not values["Undo"]:
        raise Refusal("forbidden", "an account is denied only where that is what it was before")
    asked = change.asked
    _run(
        change,
        account,
        f"New-ItemProperty -LiteralPath '{KEY}' -Name {_quoted(account)} -Value {value} -PropertyType DWord -Force",
        lambda: set_access(change.world, change.node, account, value, asked=asked),
    )


async def remove_entry(change: Change, values: dict[str, Any]) -> None:
    """Remove-HvTuiVssAccess."""
    account = str(values["Account"])
    _seen(change, account, values["ExpectValue"])
    asked = change.asked
    _run(
        change,
        account,
        f"Remove-ItemProperty -LiteralPath '{KEY}' -Name {_quoted(account)}",
        lambda: remove_access(change.world, change.node, account, asked=asked),
    )


def _quoted(text: str) -> str:
    """As a literal of PowerShell, which takes typographic quotes for quotes, too."""
    return "'" + _QUOTES.sub(r"\g<0>\g<0>", text) + "'"


def _run(change: Change, account: str, command: str, act: Callable[[], object]) -> None:
    if change.run(command, act):
        change.outcome = "done"
    # .NET's SecurityException carries no number of Windows.
    change.code = ""
    change.after["value"] = _now(change.node, account)
