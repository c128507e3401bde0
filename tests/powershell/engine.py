"""Runs HvTui on a real PowerShell engine, where there is one, against stand-ins for Windows' commands."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest

ROOT: Final = Path(__file__).parents[2]
MODULE: Final = ROOT / "hvtui" / "powershell" / "HvTui"
MANIFEST: Final = MODULE / "HvTui.psd1"
STUBS: Final = Path(__file__).parent / "stubs"
ENGINE: Final = os.environ.get("HVTUI_PWSH") or shutil.which("pwsh")
"""Read once, before the tests' own environment hides HVTUI_ variables."""

needs_engine: Final = pytest.mark.skipif(ENGINE is None, reason="no pwsh on PATH and no HVTUI_PWSH")


QUIET: Final = ("-NoLogo", "-NoProfile", "-NonInteractive")
DEFAULTS: Final[dict[str, Any]] = {
    "start": "2026-03-01T00:00:00Z",
    "steps": [{}],
    "real": False,
    "mutex": "",
    "source": "there",
    "name": "HV01",
    "build": "17763",
    "elevated": True,
    # Account to SID, and the seconds that each look-up takes.
    "sids": {},
    "lookup": 0,
    "vssadmin": "",
    "fltmc": "",
    "modules": False,
    "cpu": 34.9,
}
"""What a world has when a test does not say otherwise; see stubs/windows.ps1. `real`: time passes by itself; `cpu`: the
session's milliseconds of processor, None when Windows does not tell them."""


def environment() -> dict[str, str]:
    """Variables without which an engine calls home or colours its words."""
    return {**os.environ, "POWERSHELL_TELEMETRY_OPTOUT": "1", "POWERSHELL_UPDATECHECK": "Off", "NO_COLOR": "1"}


def pwsh(*arguments: str, seconds: float = 100) -> subprocess.CompletedProcess[str]:
    """Run the engine without profile, telemetry, update check or colours."""
    if ENGINE is None:
        raise FileNotFoundError("no PowerShell engine")
    return subprocess.run(
        [ENGINE, *QUIET, *arguments],
        capture_output=True,
        check=False,
        encoding="utf-8",
        env=environment(),
        timeout=seconds,
    )


def started(script: str) -> subprocess.Popen[str]:
    """An engine that runs a script of the stand-ins and talks by lines until its input ends."""
    if ENGINE is None:
        raise FileNotFoundError("no PowerShell engine")
    return subprocess.Popen(
        [ENGINE, *QUIET, "-File", str(STUBS / script)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        env=environment(),
    )


class Answer(list[str]):
    """What a command wrote, and which classes and cmdlets it asked, in order."""

    asked: list[str]


class Engine:
    """One engine that answers many requests, each from nothing; a start costs more than most tests."""

    def __init__(self) -> None:
        self._process = started("serve.ps1")

    def ask(self, module: Path, command: str, world: dict[str, Any], parameters: dict[str, Any]) -> Answer:
        """Run one command; fails with the engine's words when it ends badly."""
        pipe, answers = self._process.stdin, self._process.stdout
        assert pipe is not None
        assert answers is not None
        request = {"module": str(module), "command": command, "world": DEFAULTS | world, "parameters": parameters}
        pipe.write(json.dumps(request) + "\n")
        pipe.flush()
        line = answers.readline()
        assert line, "the engine ended"
        said = json.loads(line)
        assert not said["error"], said["error"]
        answer = Answer(said["lines"])
        answer.asked = said["asked"]
        return answer

    def close(self) -> None:
        """End the engine: its input ends."""
        self._process.communicate()


class Runner:
    """Runs one command of the module against a world of stand-ins."""

    def __init__(self, engine: Engine, folder: Path, module: Path = MANIFEST) -> None:
        self.engine, self.folder, self.module = engine, folder, module

    def run(self, command: str, world: dict[str, Any], **parameters: Any) -> Answer:
        """Its output lines."""
        return self.engine.ask(self.module, command, world, parameters)
