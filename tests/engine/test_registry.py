"""The key of VSS' access control: the engine's own commands read and change what the world holds, name by name."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest

from hvtui.lab.world.world import World
from tests.engine.support.module import ModuleSession, Problem
from tests.engine.support.stage import Stage

KEY: Final = r"HKLM:\SYSTEM\CurrentControlSet\Services\VSS\VssAccessControl"
_ACCOUNTS: Final = (
    "CORP\\svc-replay",
    "CORP\\svc-replay2",
    "CORP\\svc*",
    "CORP\\svc?replay",
    "CORP\\[s]vc",
    "CORP\\o'brien",
    'CORP\\say "hi"',
    "CORP\\$(Stop-Computer)",
    "CORP\\back`tick",
    "CORP\\%_x",
    "CORP\\漢字",
    "CORP\\עברית",
    "svc@corp.example",
    "two\nlines",
    "a;b, c=d & e",
    "-Name",
)


@pytest.fixture
def world(stage: Stage) -> World:
    """A world whose node has what every Windows has there."""
    made = stage.load("access-denied", at=60.0)
    assert made.node("HV01").access_control == {"NT Authority\\NetworkService": 1}
    return made


@pytest.fixture
def session(stage: Stage, world: World) -> ModuleSession:
    """A session on its first node."""
    return stage.engine("HV01")


def _given(text: str) -> str:
    """A text as the value of $name, by a way on which nothing of it is read as script."""
    return f"$name = ConvertFrom-Json -InputObject '{json.dumps(text).replace(chr(39), chr(39) * 2)}'\n"


def _fine(session: ModuleSession, script: str) -> list[Any]:
    result = session.run(f"{script} | ForEach-Object {{ ConvertTo-Json -InputObject $_ -Compress -Depth 3 }}")
    assert result.errors == []
    return [json.loads(line) for line in result.output]


def _fails(session: ModuleSession, script: str) -> Problem:
    result = session.run(script)
    assert result.output == []
    assert len(result.errors) == 1
    return result.errors[0]


def test_every_name_is_written_read_and_removed_as_it_is(session: ModuleSession, world: World) -> None:
    held = world.node("HV01").access_control
    before = dict(held)
    for number, account in enumerate(_ACCOUNTS):
        script = f"{_given(account)}Set-ItemProperty -LiteralPath '{KEY}' -Name $name -Value {number % 4} -Type DWord"
        assert _fine(session, script) == []
    wanted = {account: number % 4 for number, account in enumerate(_ACCOUNTS)}
    assert held == before | wanted
    (key,) = _fine(
        session, f"$key = Get-Item -LiteralPath '{KEY}'; @{{ n = $key.GetValueNames(); k = $key.ValueCount }}"
    )
    assert key == {"n": list(held), "k": len(held)}
    for account, value in wanted.items():
        read = f"{_given(account)}(Get-Item -LiteralPath '{KEY}').GetValue($name)"
        assert _fine(session, read) == [value]
        kind = f"{_given(account)}[string](Get-Item -LiteralPath '{KEY}').GetValueKind($name)"
        assert _fine(session, kind) == ["DWord"]
        property_ = (
            f"{_given(account)}(Get-ItemProperty -LiteralPath '{KEY}' -Name $name).PSObject.Properties[$name].Value"
        )
        assert _fine(session, property_) == [value]
    for account in _ACCOUNTS:
        # With -LiteralPath a name is no wildcard: what only looks like it stays.
        assert _fine(session, f"{_given(account)}Remove-ItemProperty -LiteralPath '{KEY}' -Name $name") == []
        del wanted[account]
        assert held == before | wanted, account
    log = [entry for entry in world.commands.entries if "ItemProperty" in entry.command and entry.node == "HV01"]
    assert [entry.arguments["Name"] for entry in log if entry.command == "Set-ItemProperty"] == list(_ACCOUNTS)
    assert [entry.arguments["Name"] for entry in log if entry.command == "Remove-ItemProperty"] == list(_ACCOUNTS)
    assert log[0].arguments["LiteralPath"] == KEY
    assert (log[0].arguments["Value"], log[0].arguments["Type"]) == (0, "DWord")


def test_without_literal_path_a_name_is_a_wildcard(session: ModuleSession, world: World) -> None:
    """As on Windows: this is why it must never be left out."""
    held = world.node("HV01").access_control
    held |= {"CORP\\svc1": 1, "CORP\\svc2": 1, "CORP\\svc*": 1}
    assert _fine(session, f"Remove-ItemProperty -Path '{KEY}' -Name 'CORP\\svc*'") == []
    assert list(held) == ["NT Authority\\NetworkService"]


def test_names_know_no_case(session: ModuleSession, world: World) -> None:
    held = world.node("HV01").access_control
    _fine(
        session,
        f"Set-ItemProperty -LiteralPath '{KEY.lower()}' -Name 'nt authority\\NETWORKSERVICE' -Value 3 -Type DWord",
    )
    assert held == {"NT Authority\\NetworkService": 3}


def test_what_is_not_there(session: ModuleSession) -> None:
    missing = _fails(session, f"Get-ItemProperty -LiteralPath '{KEY}' -Name 'CORP\\nobody'")
    assert (
        missing.id
        == "System.Management.Automation.PSArgumentException,Microsoft.PowerShell.Commands.GetItemPropertyCommand"
    )
    assert missing.category == "InvalidArgument"
    gone = _fails(session, f"Remove-ItemProperty -LiteralPath '{KEY}' -Name 'CORP\\nobody'")
    assert gone.id.startswith("System.Management.Automation.PSArgumentException,")
    path = _fails(session, f"Get-Item -LiteralPath '{KEY}2'")
    assert (path.id, path.category) == ("PathNotFound,Microsoft.PowerShell.Commands.GetItemCommand", "ObjectNotFound")
    assert _fine(session, f"Test-Path -LiteralPath '{KEY}2'") == [False]
    assert _fine(session, f"Test-Path -LiteralPath '{KEY}'") == [True]
    again = _fails(
        session,
        f"New-ItemProperty -LiteralPath '{KEY}' -Name 'NT Authority\\NetworkService' -Value 1 -PropertyType DWord",
    )
    assert again.id.startswith("System.IO.IOException,")


def test_without_elevation_it_can_be_read_and_not_written(session: ModuleSession, world: World) -> None:
    node = world.node("HV01")
    node.faults.rights.add("elevated")
    before = dict(node.access_control)
    assert _fine(session, f"(Get-Item -LiteralPath '{KEY}').ValueCount") == [1]
    for script in (
        f"Set-ItemProperty -LiteralPath '{KEY}' -Name 'CORP\\x' -Value 1 -Type DWord",
        f"Remove-ItemProperty -LiteralPath '{KEY}' -Name 'NT Authority\\NetworkService'",
    ):
        refused = _fails(session, script)
        assert refused.id.startswith("System.Security.SecurityException,Microsoft.PowerShell.Commands.")
        assert refused.category == "PermissionDenied"
    assert node.access_control == before


def test_what_if_changes_nothing(session: ModuleSession, world: World) -> None:
    before = dict(world.node("HV01").access_control)
    for script in (
        f"Set-ItemProperty -LiteralPath '{KEY}' -Name 'CORP\\x' -Value 1 -Type DWord -WhatIf",
        f"Remove-ItemProperty -LiteralPath '{KEY}' -Name 'NT Authority\\NetworkService' -WhatIf",
    ):
        assert session.run(script).errors == []
    assert world.node("HV01").access_control == before
    assert not [one for one in world.commands.entries if one.command in {"Set-ItemProperty", "Remove-ItemProperty"}]


@pytest.mark.parametrize("value", ["'many'", "4294967296", "-2147483649"])
def test_what_is_no_dword_is_refused(session: ModuleSession, world: World, value: str) -> None:
    before = dict(world.node("HV01").access_control)
    _fails(session, f"Set-ItemProperty -LiteralPath '{KEY}' -Name 'CORP\\x' -Value {value} -Type DWord")
    assert world.node("HV01").access_control == before


def test_the_entry_ends_the_error_of_the_report(stage: Stage, session: ModuleSession, world: World) -> None:
    """Each backup logs 8194 until the requester's account may be a writer there; names know no case."""

    def logged() -> int:
        log = world.node("HV01").log("Application")
        return sum(one.id == 8194 for one in log.records)

    stage.do(lambda: world.advance(3600.0))
    seen = logged()
    assert seen > 0
    account = world.cluster.account.upper()
    _fine(session, f"Set-ItemProperty -LiteralPath '{KEY}' -Name '{account}' -Value 1 -Type DWord")
    stage.do(lambda: world.advance(7200.0))
    assert logged() == seen
    _fine(session, f"Remove-ItemProperty -LiteralPath '{KEY}' -Name '{account}'")
    stage.do(lambda: world.advance(7200.0))
    assert logged() > seen
