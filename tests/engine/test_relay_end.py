"""Nothing of a lab on the engine outlives it, however it ends; and the command line knows the engine."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pypsrp.powershell import RunspacePool

from hvtui.cli.exits import Exit
from hvtui.config_file import parse_config
from hvtui.lab.serve import Lab
from hvtui.remote.connect import Connector
from hvtui.remote.contract import GET_INFO, WATCH_NODE
from hvtui.remote.credentials import CredentialGate, load_credential
from hvtui.remote.lane import Lane
from tests.engine.engine_lab import FLOOD, accepted, begin_script, engines
from tests.lab.endpoint_client import connect, until
from tests.support.processes import children, wait_gone

posix = pytest.mark.skipif(sys.platform == "win32", reason="looks at processes with ps")


@contextmanager
def lab_process(*options: str) -> Iterator[tuple[subprocess.Popen[str], Callable[[str], Lane]]]:
    """`hvtui lab --engine pwsh` as a process, and what makes lanes to its nodes."""
    command = [sys.executable, "-m", "hvtui", "lab", "--with-parent", "--engine", "pwsh", *options]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        try:
            assert child.stdout is not None
            lines: list[str] = []
            while not (line := child.stdout.readline()).startswith("ready"):
                assert line, "the lab ended"
                lines.append(line)
            cluster = parse_config("".join(lines), Path("lab")).cluster()
            gate = CredentialGate(load_credential(cluster))
            yield child, lambda node: Connector(cluster, gate).lane(node, "test")
        finally:
            child.kill()


@posix
@pytest.mark.parametrize("end", ["killed", "terminated", "parent gone"])
async def test_no_engine_outlives_a_lab(pwsh: str, end: str) -> None:
    with lab_process() as (child, lane_to):
        lanes = [lane_to("HV01"), lane_to("HV02")]
        try:
            stream = lanes[0].stream(WATCH_NODE, {"IntervalMs": 500})
            assert (await anext(stream)).kind == "full"
            assert (await lanes[1].call(GET_INFO, {"Part": "Basic"})).node == "HV02"
            running = children(child.pid)
            assert len(running) == 2
            match end:
                case "killed":
                    child.send_signal(signal.SIGKILL)
                case "terminated":
                    child.send_signal(signal.SIGTERM)
                case _:
                    assert child.stdin is not None
                    child.stdin.close()
            await asyncio.to_thread(wait_gone, [child.pid, *running])
        finally:
            for lane in lanes:
                await lane.close()


def test_a_lab_ends_at_once_whatever_its_engines_do(pwsh: str) -> None:
    with Lab("healthy", speed=0, engine="pwsh", accepted=accepted()) as lab, connect(lab) as wsman:
        pool = RunspacePool(wsman)
        pool.open()
        begin_script(pool, FLOOD)
        (pid,) = engines(lab)
        folder = lab.on_loop(lambda: lab.host.folder)
        assert folder is not None
        assert folder.is_dir()
    wait_gone([pid])
    assert not folder.exists()


def test_a_node_that_dies_takes_its_engines_along(pwsh: str) -> None:
    with Lab("healthy", speed=0, engine="pwsh") as lab, connect(lab, "HV01") as one, connect(lab, "HV02") as two:
        for wsman in (one, two):
            RunspacePool(wsman).open()
        assert len(engines(lab)) == 2
        lab.node("HV01").stop()
        until(lambda: len(engines(lab)) == 1)


@pytest.mark.parametrize("named", ["", "/no/such/pwsh"])
def test_without_an_engine_the_command_line_says_so(named: str) -> None:
    environment = {**os.environ, "PATH": str(Path(sys.executable).parent), "HVTUI_PWSH": named}
    command = [sys.executable, "-m", "hvtui", "lab", "--engine", "pwsh"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == Exit.USAGE
    assert "pwsh" in done.stderr.splitlines()[0]
    assert "HVTUI_PWSH" in done.stderr
