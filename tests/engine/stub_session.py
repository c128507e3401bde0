"""One engine process that runs one piece of script after the other, for the stubs' own tests."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import pytest

from hvtui.lab.pwsh import stubs

_LOOP = """
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
Set-StrictMode -Version Latest
while ($null -ne ($line = [Console]::In.ReadLine())) {
    $answer = @{ output = @(); error = $null }
    try {
        $text = [System.Text.Encoding]::UTF8.GetString([System.Convert]::FromBase64String($line))
        $answer.output = @(& ([scriptblock]::Create($text)))
    } catch {
        $answer.error = @{
            id = $_.FullyQualifiedErrorId; category = [string]$_.CategoryInfo.Category; text = $_.Exception.Message
            type = $_.Exception.GetType().FullName; hresult = $_.Exception.HResult; target = [string]$_.TargetObject
        }
    }
    $json = ConvertTo-Json -InputObject $answer -Depth 8 -Compress
    [Console]::Out.WriteLine('>' + [System.Convert]::ToBase64String([System.Text.Encoding]::UTF8.GetBytes($json)))
}
"""


class Failure(NamedTuple):
    """The error that ended a script."""

    id: str
    category: str
    text: str
    type: str
    hresult: int
    target: str


class ScriptFailed(Exception):
    """A script ended with an error; `failure` says which."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(f"{failure.id}: {failure.text}")
        self.failure = failure


class EngineSession:
    """A pwsh process with a stub set, under StrictMode and with errors stopping, as HvTui runs."""

    version: str

    def __init__(self, found: stubs.StubSet, folder: Path, control: str, **options: Any) -> None:
        self.version = found.version
        script = folder / "loop.ps1"
        script.write_text(_LOOP, encoding="utf-8")
        self._process = subprocess.Popen(
            [engine(), "-NoLogo", "-NoProfile", "-NonInteractive", "-File", str(script)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **found.environment(control, "token of HV01", **options)},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(10)
        self._process.stdout.close()

    def run(self, script: str) -> list[Any]:
        """What a script gives, through JSON; ScriptFailed with its error."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(base64.b64encode(script.encode()) + b"\n")
        self._process.stdin.flush()
        # What -WhatIf and others write to the console has no such mark.
        line = next(one for one in self._process.stdout if one.startswith(b">"))
        answer = json.loads(base64.b64decode(line[1:]))
        if answer["error"] is not None:
            raise ScriptFailed(Failure(**answer["error"]))
        output: list[Any] = answer["output"]
        return output

    def fails(self, script: str) -> Failure:
        """The error with which a script ends; a script that does not fails the test."""
        with pytest.raises(ScriptFailed) as caught:
            self.run(script)
        return caught.value.failure


def engine() -> str:
    """The engine, or a skip that says why."""
    found = stubs.find_engine()
    if found is None:
        pytest.skip("no PowerShell engine: neither HVTUI_PWSH nor pwsh on the PATH")
    return found
