"""Constructs that Windows PowerShell 5.1 lacks, or runs otherwise than newer engines, are not in the module."""

from __future__ import annotations

import re
from typing import Final

import pytest

from tests.powershell.table import parts

BANNED: Final = {
    r"ConvertTo-Json|ConvertFrom-Json": "dates, enums, depth and lists of one differ, and it is slow",
    r"-AsByteStream|-Encoding\b|Out-File|Set-Content|Add-Content|Get-Content": "other default encodings",
    r"Join-String|Get-Error|Test-Json|Clear-RecycleBin|Remove-Service": "not in 5.1, or not on every server",
    r"\?\?|\?\.|&&|\|\|(?!')": "syntax of 7",
    r"-Parallel\b|-AsArray\b|-EnumsAsStrings\b|-AsHashtable\b|-DateKind\b": "parameters of 7",
    r"\$Is(?:Windows|Linux|MacOS|CoreCLR)\b": "undefined in 5.1 under StrictMode",
    r"\bGroup-Object\b": "another order in 5.1",
    r"-i?split\b": "its three-argument form differs",
    r"\.Contains\(.*StringComparison": "String.Contains with a comparison is not in .NET Framework",
    r"\.(?:Split|TrimEnd|TrimStart)\('[^']{2,}'": "a string separator means its characters in .NET Framework",
    r"\[System\.(?:HashCode|Range|Index|MathF)\]": "types of .NET Core",
    r"\.ToString\('[^']*'\)": "a number or date in words of the thread's culture",
    r"\[(?:datetime|double|decimal|int|long)\]::Parse\([^,]*\)": "reads by the thread's culture",
    r"\.To(?:Lower|Upper)\(\)": "Turkish i: use the invariant form",
    r"\bGet-Date\b|\bGet-Culture\b": "an object or text of the thread's culture",
    r"\bInvoke-Expression\b|\[scriptblock\]::Create": "text from outside must never become code",
    r"\bWrite-(?:Host|Output|Verbose|Warning|Information)\b": "answers are one JSON text and nothing else",
}


def code(text: str) -> str:
    """Without comments and help, which may name anything."""
    return re.sub(r"(?m)^\s*#.*$", "", re.sub(r"(?s)<#.*?#>", "", text))


@pytest.mark.parametrize(("pattern", "why"), BANNED.items(), ids=BANNED.values())
def test_no_file_has_what_engines_run_differently(pattern: str, why: str) -> None:
    found = {
        f"{path}: {match.group(0)} ({why})"
        for path, text in parts().items()
        for match in re.finditer(pattern, code(text), re.IGNORECASE)
    }
    assert not found


def test_names_of_the_cluster_are_no_keys_by_culture() -> None:
    """A literal table compares keys by the culture in 5.1, ordinally since 6.2: names that look alike would be one."""
    (text,) = (code(text) for path, text in parts().items() if path.endswith("ClusterSource.ps1"))
    assert text.count("Get-HvTuiTable") > 5
    assert re.findall(r"@\{\s*\}", text) == []


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("$x ?? 1", r"\?\?|\?\.|&&|\|\|(?!')"),
        ("$n.ToString('x4')", r"\.ToString\('[^']*'\)"),
        ("$t.ToLower()", r"\.To(?:Lower|Upper)\(\)"),
    ],
)
def test_the_patterns_would_find_them(text: str, pattern: str) -> None:
    assert pattern in BANNED
    assert re.search(pattern, code(text), re.IGNORECASE)
    assert not re.search(pattern, code(f"# {text}\n<# {text} #>"), re.IGNORECASE)
