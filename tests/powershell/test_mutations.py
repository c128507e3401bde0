"""The closed table of what the module may change, `docs/mutations.md`, against the module's text."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

from hvtui.remote.contract import FUNCTIONS, RECORD_IDS, SERVICES
from tests.powershell.engine import MODULE as FOLDER

DOCUMENT: Final = Path(__file__).resolve().parents[2] / "docs" / "mutations.md"
_COMMAND: Final = re.compile(r"(?<![\w$.'-])([A-Z][a-z]+-[A-Z]\w*)(?!')")
_STRING: Final = re.compile(r"\"(?:`.|[^\"`])*\"|'[^']*'")
# Verbs of PowerShell that change nothing outside the session.
_READS: Final = frozenset({"Get", "ConvertTo", "ConvertFrom", "Join", "Select", "Sort", "Test", "Where", "Measure"})
_SESSION: Final = frozenset({"New-Object", "Set-StrictMode", "Export-ModuleMember", "Start-Sleep"})
LOOKS: Final = frozenset(
    {
        "Invoke-Command -VMId -Credential -ScriptBlock -ArgumentList -AsJob",
        "Receive-Job -Job -ErrorAction SilentlyContinue -ErrorVariable said",
        "Remove-Job -Job -Force",
    }
)
"""Calls that look into a guest and change nothing."""
_OWN: Final = re.compile(r"^function (\S+)", re.MULTILINE)

NEVER: Final = (
    "Move-ClusterGroup", "ForceDrain", "IgnoreLocked", "IgnoreAffinityRule", "TurnOff", "Stop-VM", "Merge-VHD",
    "Stop-Process", "Stop-ClusterGroup", "Stop-ClusterNode", "Remove-Item", "Restart-Service", "Restart-Computer",
    "Invoke-Expression",
)  # fmt: skip


def code(text: str) -> str:
    """The text without help and comments."""
    text = re.sub(r"<#.*?#>", "", text, flags=re.DOTALL)
    return "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))


def sources(folder: Path = FOLDER) -> dict[str, str]:
    """The code of each file of the module."""
    return {path.name: code(path.read_text(encoding="ascii")) for path in sorted(folder.rglob("*.ps*1"))}


def rows() -> list[tuple[str, str]]:
    """Function and command of each row of the table."""
    found = []
    for line in DOCUMENT.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if len(cells) == 3 and cells[2].startswith("`"):
            found.append((cells[1].strip("`"), cells[2].strip("`")))
    return found


def calls(text: str) -> list[str]:
    """Every call of a command of Windows that is not plainly reading: name and switches as the table writes them."""
    own = set(_OWN.findall(text))
    found = []
    # Texts are no calls; single words stay, as the values that switches take.
    bare = _STRING.sub(lambda one: one[0].strip("'") if re.fullmatch(r"'\w+'", one[0]) else "$text", text)
    for match in _COMMAND.finditer(bare):
        name = match[1]
        if "HvTui" in name or name in own or name in _SESSION or name.partition("-")[0] in _READS:
            continue
        found.append(name + _switches(re.split(r"[)}|;\n]", bare[match.end() :], maxsplit=1)[0]))
    return found


def _switches(rest: str) -> str:
    """The parameters of a call, with those values that are words."""
    found = ""
    for name, switch, value in re.findall(r"-([A-Za-z]+)(:\$\w+)?(?:\s+(?!-)(\S+))?", rest):
        fixed = value if re.fullmatch(r"\w+", value or "") else ""
        found += f" -{name}{switch}" + (f" {fixed}" if fixed else "")
    return found


def test_the_module_calls_nothing_that_the_table_does_not_name() -> None:
    allowed = {command for _, command in rows()}
    found = {call for text in sources().values() for call in calls(text)}
    assert found == allowed | LOOKS


def test_what_looks_into_guests_is_named_and_runs_two_blocks_that_only_read() -> None:
    document = DOCUMENT.read_text(encoding="utf-8").partition("## Looking into guests")[2].partition("## ")[0]
    for call in LOOKS:
        assert f"`{call}`" in document
    block = sources()["GuestBlock.ps1"]
    assert calls(block) == []
    # A block calls what is in any Windows, and nothing of the module.
    assert set(re.findall(r"\w+-[A-Z]\w+", _STRING.sub("", block))) == {
        "Set-StrictMode", "Get-CimInstance", "New-Object", "Start-Sleep", "Get-ChildItem", "ForEach-Object",
        "Sort-Object", "Select-Object",
    }  # fmt: skip
    started = {name for name, text in sources().items() if "Invoke-Command" in text}
    assert started == {"Guest.ps1"}


def test_every_mutating_function_is_in_the_table_and_no_other() -> None:
    named = {function for function, _ in rows()} - {"all of these"}
    assert named == {function.name for function in FUNCTIONS.values() if function.mutating}
    assert named == set(RECORD_IDS)


def test_a_command_that_is_not_in_the_table_is_found() -> None:
    allowed = {command for _, command in rows()}
    for line in (
        "Stop-ClusterResource -Name $name",
        "$null = Move-ClusterVirtualMachineRole -VMId $vm.Id -Node $n -MigrationType Live",
        "$null = Suspend-ClusterNode -Name $name -Drain -Wait",
        "Get-VM | Stop-VM",
        "& { Set-VM -Name x }",
        "Invoke-CimMethod -InputObject $one -MethodName 'RequestStateChange'",
    ):
        assert set(calls(code(line))) - allowed, line


@pytest.mark.parametrize("word", NEVER)
def test_what_is_never_in_the_module_is_not(word: str) -> None:
    document = DOCUMENT.read_text(encoding="utf-8").partition("## Never in the module")[2]
    assert f"`{word}`" in document or f"`-{word}`" in document
    pattern = re.compile(rf"(?<!\w){re.escape(word)}(?!\w)", re.IGNORECASE)
    assert [name for name, text in sources().items() if pattern.search(text)] == []
    assert pattern.search(f"x | {word if '-' in word else '-' + word} $true")


def test_the_document_names_all_that_it_forbids() -> None:
    document = DOCUMENT.read_text(encoding="utf-8").partition("## Never in the module")[2].partition("\n\n`vssadmin")[0]
    assert {one.strip("`-") for one in re.findall(r"`[^`]+`", document)} == set(NEVER)


def test_methods_of_net_that_change_something_are_known() -> None:
    """A class of .NET can do what no command shows: the few that the module uses are listed."""
    found = {
        match
        for text in sources().values()
        for match in re.findall(r"\[([\w.]+)\]::|-TypeName ([\w.]+)", text)
        for match in match
        if match
    }
    assert {
        one for one in found if re.search(r"IO\.File|Directory|Process$|Registry|EventLog|Management\.Infra", one)
    } == {
        "Microsoft.Win32.Registry",
        "System.Diagnostics.Process",
    }
    text = "\n".join(sources().values())
    assert set(re.findall(r"Registry\]::(\w+)", text)) == {"GetValue"}
    assert re.findall(r"\.(Kill|Delete|SetValue|WriteAll\w+|Terminate)\(", text) == ["Kill", "Kill"]


def test_the_lock_has_one_name_from_one_function() -> None:
    named = [(name, text) for name, text in sources().items() if "Global\\HvTui-" in text]
    assert [name for name, _ in named] == ["Windows.ps1"]
    assert "('Global\\HvTui-' + (Get-HvTuiNodeName))" in named[0][1]
    assert named[0][1].count("Global\\HvTui-") == 1


def test_services_are_those_of_the_contract() -> None:
    document = DOCUMENT.read_text(encoding="utf-8")
    for name in SERVICES:
        assert f"`{name}`" in document
