"""Makes extract.json, the facts about Windows' commands and classes from which the stubs are generated.

Run as `python -m hvtui.lab.pwsh.make_extract FACTS_DIR [OUTPUT]`. FACTS_DIR holds `commands.json`, `types.json`,
`cim.json` and `signatures.json`: how the real commands of Hyper-V and FailoverClusters bind, what they return, the
members of the CIM classes, and which command and parameter each Windows documents.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Final

EXTRACT: Final = Path(__file__).with_name("extract.json")
VERSIONS: Final = ("2016", "2019", "2022", "2025")
_MODULES: Final = ("FailoverClusters", "Hyper-V")
_WINDOWS: Final = (
    "Get-CimAssociatedInstance",
    "Get-CimClass",
    "Get-CimInstance",
    "Get-Service",
    "Get-WinEvent",
    "Invoke-CimMethod",
    "Invoke-Command",
    "New-EventLog",
    "Restart-Service",
    "Start-Service",
    "Stop-Service",
    "Write-EventLog",
)


def extract(facts: Path) -> str:
    """The text of extract.json: one fact a line, so that a difference is readable."""
    commands, types, cim, signatures = (
        json.loads((facts / f"{name}.json").read_text(encoding="utf-8"))
        for name in ("commands", "types", "cim", "signatures")
    )
    parts = {
        "commands": commands,
        "documented": _documented(commands, signatures),
        "windows": {name: signatures[name] for name in _WINDOWS},
        "classes": types["classes"],
        "enums": types["enums"],
        "cim": cim,
    }
    lines = []
    for part, entries in parts.items():
        body = ",\n".join(f"{json.dumps(key)}:{_compact(entries[key])}" for key in sorted(entries))
        lines.append(f"{json.dumps(part)}:{{\n{body}\n}}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _documented(commands: dict[str, Any], signatures: dict[str, Any]) -> dict[str, Any]:
    """Per command: its module, the parameters that each version documents, and those that only documents know."""
    found: dict[str, Any] = {}
    for name, facts in signatures.items():
        if facts["module"] not in _MODULES:
            continue
        bound = commands.get(name, {}).get("parameters", {})
        groups = []
        for group in facts["signatures"]:
            names = sorted({entry[0] for entries in group["sets"] for entry in entries})
            only = {
                entry[0]: [entry[1], entry[2]]
                for entries in group["sets"]
                for entry in entries
                if entry[0] not in bound and entry[0] not in ("WhatIf", "Confirm")
            }
            one: dict[str, Any] = {"versions": group["versions"], "parameters": names}
            if only:
                one["only"] = only
            if name not in commands:
                one["sets"] = group["sets"]
            groups.append(one)
        found[name] = {"module": facts["module"], "groups": groups}
    return found


def _compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def main(arguments: list[str]) -> int:
    """Writes the extract of the fact folder named first, to the file named second or beside this program."""
    if len(arguments) not in (1, 2):
        sys.stderr.write("usage: python -m hvtui.lab.pwsh.make_extract FACTS_DIR [OUTPUT]\n")
        return 2
    output = Path(arguments[1]) if len(arguments) > 1 else EXTRACT
    output.write_text(extract(Path(arguments[0])), encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
