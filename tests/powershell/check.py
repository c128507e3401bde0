"""Holds the module against Windows PowerShell 5.1 and the real cmdlets' signatures: `python -m tests.powershell.check`.

Runs the `check.ps1` that lies beside the engine; exit 1 on any finding, 0 with a word when there is no engine.
"""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path
from typing import Final

from tests.powershell.engine import ENGINE, MODULE, pwsh

LISTS: Final = Path(__file__).with_name("check-lists.toml")


def script() -> Path | None:
    """`check.ps1` beside the engine, None without one."""
    if ENGINE is None:
        return None
    path = Path(ENGINE).resolve().with_name("check.ps1")
    return path if path.is_file() else None


def names(text: str, which: str) -> list[str]:
    """The names of one list; an entry without its source is an error."""
    entries = tomllib.loads(text)[which]
    for entry in entries:
        if not entry.get("source"):
            raise ValueError(f"{LISTS.name}: {which} entry {entry.get('name')!r} names no source")
    return [entry["name"] for entry in entries]


def check(target: Path = MODULE, seconds: float = 300) -> tuple[bool, str]:
    """Whether the files under `target` are clean, and what check.ps1 said."""
    path = script()
    if path is None:
        return True, "skipped: no pwsh on PATH with a check.ps1 beside it"
    text = LISTS.read_text(encoding="utf-8")
    arguments = ["-File", str(path), str(target)]
    for option, which in (("-Allow", "allow"), ("-Guarded", "guarded")):
        if listed := names(text, which):
            arguments += [option, ",".join(listed)]
    done = pwsh(*arguments, seconds=seconds)
    return done.returncode == 0, (done.stdout + done.stderr).strip()


def main() -> int:
    """Print what check.ps1 said; 1 when it found something."""
    clean, said = check()
    sys.stdout.write(said + "\n")
    return 0 if clean else 1


if __name__ == "__main__":
    sys.exit(main())
