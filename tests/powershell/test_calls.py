"""The calls that answer once: Info, writers, providers."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hvtui.model.records import Info, Providers, WriterText
from hvtui.remote.contract import CONTRACT
from tests.powershell import worlds
from tests.powershell.engine import ENGINE, MANIFEST, Runner, needs_engine, pwsh

pytestmark = needs_engine

SERVICES = [{"Name": "vmms", "Status": "Running"}, {"Name": "VSS", "Status": "StopPending"}]


def info(runner: Runner, *, part: str = "All", **world: Any) -> tuple[Info, list[str]]:
    step = {"cim": {}, "commands": {}, **world.pop("step", {})}
    answer = runner.run("Get-HvTuiInfo", {"build": "17763", "elevated": True, **world, "steps": [step]}, Part=part)
    return msgspec.json.decode(answer[0], type=Info, strict=True), answer.asked


def test_info_of_a_node_with_all_rights(runner: Runner) -> None:
    step = {
        "cim": {"Msvm_VirtualSystemManagementService": [{"Name": "vmms"}], "MSCluster_Cluster": [{"Name": "CLU-TEST"}]},
        "commands": {
            "Get-Service": SERVICES,
            "Get-Cluster": worlds.cluster()["commands"]["Get-Cluster"],
        },
    }
    got, _ = info(runner, step=step)
    assert (got.v, got.contract, got.node, got.build, got.supported) == (1, CONTRACT, "HV01", "10.0.17763", True)
    assert (got.cluster_id, got.cluster_name) == ("6666ffff-0000-4000-8000-000000000001", "CLU-TEST")
    assert got.functional_level == 10
    assert got.services == {"vmms": "Running", "VSS": "Stop Pending"}
    assert got.rights == dict.fromkeys(("elevated", "hyperv", "cluster", "events", "vss"), True)
    assert got.modules["HvTui"] == CONTRACT
    assert got.errors == []


def test_basic_asks_only_the_service_manager(runner: Runner) -> None:
    got, asked = info(runner, part="Basic", step={"commands": {"Get-Service": SERVICES}})
    assert set(asked) == {"Get-Service"}
    assert got.services == {"vmms": "Running", "VSS": "Stop Pending"}
    assert got.rights == {"elevated": True, "hyperv": None, "cluster": None, "events": None, "vss": True}
    assert (got.cluster_id, got.errors) == (None, [])


@pytest.mark.parametrize(
    ("build", "text", "supported"),
    [("9600", "6.3.9600", False), ("14393", "10.0.14393", True), ("26100", "10.0.26100", True)],
)
def test_a_node_older_than_2016_says_unsupported(runner: Runner, build: str, text: str, supported: bool) -> None:
    got, _ = info(runner, part="Basic", build=build)
    assert (got.build, got.supported) == (text, supported)


def test_rights_that_are_missing_or_cannot_be_told(runner: Runner) -> None:
    fail = worlds.fail("MSCluster_Cluster", "timed out", 0x80041069, seconds=5)
    fail |= worlds.fail(
        "Microsoft-Windows-Hyper-V-VMMS-Admin", "Attempted to perform an unauthorized operation.", 0x80070005
    )
    got, asked = info(runner, elevated=False, step={"fail": fail})
    # VMMS shows an account without rights an empty list.
    assert got.rights == {"elevated": False, "hyperv": False, "cluster": None, "events": False, "vss": False}
    # The cmdlet has no deadline, so it is not asked after CIM's ran out.
    assert "Get-Cluster" not in asked
    assert {(p.part, p.kind) for p in got.errors} == {
        ("rights.cluster", "timeout"),
        ("rights.events", "denied"),
        ("cluster", "timeout"),
    }


def test_providers(runner: Runner) -> None:
    row = {"ID": "{B5946137-7B9F-4925-AF80-51ABD60B20D5}", "Name": 'Microsoft "1.0"', "Type": 1, "Version": "1.0.0.7"}
    answer = runner.run("Get-HvTuiProvider", {"steps": [{"cim": {"Win32_ShadowProvider": [row]}}]})
    got = msgspec.json.decode(answer[0], type=Providers, strict=True)
    assert got.providers is not None
    (provider,) = got.providers
    assert (provider.id, provider.name) == ("b5946137-7b9f-4925-af80-51abd60b20d5", 'Microsoft "1.0"')
    assert (provider.type, provider.version, got.errors) == (1, "1.0.0.7", [])


def test_providers_that_cannot_be_read(runner: Runner) -> None:
    step = {"fail": worlds.fail("Win32_ShadowProvider", "Access denied", 0x80041003)}
    got = msgspec.json.decode(runner.run("Get-HvTuiProvider", {"steps": [step]})[0], type=Providers)
    assert got.providers is None
    assert [p.kind for p in got.errors] == ["denied"]


def vssadmin(folder: Path, body: str) -> str:
    """A stand-in for vssadmin.exe that the module starts as its child."""
    program = folder / "vssadmin.py"
    program.write_text(f"#!{sys.executable}\nimport sys, time, os\n{body}\n", encoding="utf-8")
    program.chmod(0o755)
    return str(program)


posix = pytest.mark.skipif(os.name == "nt", reason="the stand-in for vssadmin is a script with a first line")


def writers(runner: Runner, body: str, *, elevated: bool = True, mutex: str = "", seconds: int = 30) -> WriterText:
    world = {
        "real": True,
        "elevated": elevated,
        "vssadmin": vssadmin(runner.folder, body),
        "mutex": mutex or str(uuid.uuid4()),
    }
    answer = runner.run("Get-HvTuiWriter", world, TimeoutSeconds=seconds)
    return msgspec.json.decode(answer[0], type=WriterText, strict=True)


@posix
def test_writers_come_as_raw_text(runner: Runner) -> None:
    body = (
        "assert sys.argv[1:] == ['list', 'writers']\n"
        "sys.stderr.write('x' * 300_000)\n"
        "sys.stdout.buffer.write('État : [1] Stable\\r\\n\\u00a0\"Ü\"'.encode())"
    )
    got = writers(runner, body)
    assert got.text == 'État : [1] Stable\r\n\u00a0"Ü"'
    assert (got.exit_code, got.timed_out, got.busy, got.errors) == (0, False, False, [])


@posix
@pytest.mark.parametrize(("elevated", "kind"), [(True, "other"), (False, "denied")])
def test_an_exit_code_is_a_problem_and_the_text_is_kept(runner: Runner, elevated: bool, kind: str) -> None:
    got = writers(runner, "print('Error: no permission'); sys.exit(2)", elevated=elevated)
    assert (got.text, got.exit_code) == ("Error: no permission\n", 2)
    assert [p.kind for p in got.errors] == [kind]


@posix
def test_a_hanging_vssadmin_is_ended_at_the_deadline(runner: Runner) -> None:
    mark = runner.folder / "pid"
    note = f"with open({str(mark)!r}, 'w') as mark: mark.write(str(os.getpid()))"
    body = f"{note}\nprint('Writer', flush=True)\ntime.sleep(600)"
    got = writers(runner, body, seconds=5)
    assert (got.text, got.exit_code, got.timed_out, got.busy) == (None, None, True, False)
    assert [p.kind for p in got.errors] == ["timeout"]
    assert not Path(f"/proc/{mark.read_text()}").exists()


@posix
def test_one_reader_at_a_time_on_a_node(runner: Runner, tmp_path: Path) -> None:
    name = str(uuid.uuid4())
    ready, done = tmp_path / "ready", tmp_path / "done"
    hold = (
        f"$m = [System.Threading.Mutex]::new($true, '{name}'); [IO.File]::WriteAllText('{ready}', 'x');"
        f"while (-not [IO.File]::Exists('{done}')) {{ [System.Threading.Thread]::Sleep(20) }}; $m.ReleaseMutex()"
    )
    assert ENGINE is not None
    with subprocess.Popen([ENGINE, "-NoProfile", "-Command", hold]) as other:
        deadline = time.monotonic() + 60
        while not ready.exists():
            assert time.monotonic() < deadline
            assert other.poll() is None
            time.sleep(0.02)
        try:
            got = writers(runner, "print('never')", mutex=name)
        finally:
            done.write_text("x")
    assert (got.text, got.busy, got.timed_out) == (None, True, False)
    assert [p.kind for p in got.errors] == ["unavailable"]
    # The other one is gone; now it works.
    assert writers(runner, "print('now')", mutex=name).text == "now\n"


@posix
def test_a_vssadmin_that_is_not_there(runner: Runner) -> None:
    world = {"real": True, "elevated": True, "vssadmin": "/nonexistent/vssadmin.exe", "mutex": str(uuid.uuid4())}
    got = msgspec.json.decode(runner.run("Get-HvTuiWriter", world)[0], type=WriterText)
    assert got.text is None
    assert [(p.part, p.kind) for p in got.errors] == [("writers", "missing")]


STOP = """
param([string]$Module, [string]$Program, [string]$Mark)
$shell = [powershell]::Create()
[void]$shell.AddScript(@'
    param($Module, $Program, $Lock)
    Import-Module $Module
    & (Get-Module HvTui) {
        param($Program, $Lock)
        $script:Program = $Program
        $script:Lock = $Lock
        function script:Get-HvTuiVssAdminPath { $script:Program }
        function script:Get-HvTuiOemCodePage { 65001 }
        function script:Get-HvTuiMutex { [System.Threading.Mutex]::new($false, $script:Lock) }
    } $Program $Lock
    Get-HvTuiWriter
'@).AddArgument($Module).AddArgument($Program).AddArgument([guid]::NewGuid().ToString())
$running = $shell.BeginInvoke()
$clock = [System.Diagnostics.Stopwatch]::StartNew()
while (-not [System.IO.File]::Exists($Mark)) {
    if ($running.IsCompleted -or $clock.Elapsed.TotalSeconds -gt 60) { throw "never started: $($shell.Streams.Error)" }
    [System.Threading.Thread]::Sleep(20)
}
$id = [int][System.IO.File]::ReadAllText($Mark)
$shell.Stop()
@(Get-Process -Id $id -ErrorAction SilentlyContinue | Where-Object { -not $_.HasExited }).Count
"""


@posix
def test_the_stop_signal_ends_the_child_too(tmp_path: Path) -> None:
    mark, fresh = tmp_path / "pid", tmp_path / "pid.new"
    body = f"open({str(fresh)!r}, 'w').write(str(os.getpid())); os.rename({str(fresh)!r}, {str(mark)!r})"
    program = vssadmin(tmp_path, f"{body}\ntime.sleep(600)")
    script = tmp_path / "stop.ps1"
    script.write_text(STOP, encoding="utf-8")
    done = pwsh("-File", str(script), str(MANIFEST), program, str(mark))
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "0", "")
