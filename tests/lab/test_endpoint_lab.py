"""A lab as a whole: many nodes, its configuration file, and its end."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pypsrp.powershell import RunspacePool

from hvtui.config_file import parse_config
from hvtui.lab.endpoint.cluster import Cluster
from hvtui.lab.serve import END_WITHIN, Lab, serve
from tests.lab.endpoint_client import NODE, EchoEngine, begin, connect, opened, run, until

MANY = [f"HV{number:02}" for number in range(1, 65)]


def listening(address: str) -> bool:
    """Whether anything accepts there."""
    host, _, port = address.partition(":")
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) == 0


def test_64_nodes_open_at_once() -> None:
    with Lab({name: EchoEngine() for name in MANY}) as lab:
        assert len(set(lab.addresses.values())) == 64

        def ask(node: str) -> str:
            with opened(connect(lab, node)) as pool:
                return str(run(pool, "Invoke-Echo", Text=node).output[0])

        with ThreadPoolExecutor(64) as threads:
            assert list(threads.map(ask, MANY)) == MANY
        assert lab.logons[lab.username].succeeded == 64
        assert sum(lab.node(name).shells for name in MANY) == 0


def test_nodes_listen_one_after_another_from_a_port() -> None:
    with Lab({"A": EchoEngine()}) as free:
        port = int(free.addresses["A"].partition(":")[2])
    with Lab({"A": EchoEngine()}, port=port) as lab:
        assert lab.addresses == {"A": f"127.0.0.1:{port}"}


@pytest.mark.parametrize("tls", [False, True])
def test_the_configuration_connects_without_a_prompt(tmp_path: Path, tls: bool) -> None:
    with Lab({"HV01": EchoEngine(), "HV-02": EchoEngine()}, tls=tls) as lab:
        config = parse_config(lab.config_text(), tmp_path / "config.toml").cluster()
        assert config.username == lab.username
        assert (config.password.kind, config.password.value) == ("plain", lab.password)
        assert (config.tls, config.ca) == (tls, lab.ca)
        assert {
            name: f"{host}:{port}" for name in lab.addresses for host, port in [config.address(name) or ("", 0)]
        } == (lab.addresses)


@pytest.mark.parametrize("trouble", ["none", "waiting", "hanging", "abandoned"])
def test_a_lab_ends_at_once_and_leaves_nothing(trouble: str) -> None:
    before = set(threading.enumerate())
    engine = EchoEngine()
    with ThreadPoolExecutor(1) as thread:
        lab = Lab({NODE: engine})
        lab.start()
        wsman = connect(lab)
        if trouble != "none":
            pool = RunspacePool(wsman)
            pool.open()
            shell = begin(pool, "Wait-Ever")
            until(lambda: bool(engine.log))
            if trouble != "abandoned":
                seen = lab.node(NODE).requests
                thread.submit(shell.poll_invoke)
                until(lambda: lab.node(NODE).requests > seen)
            if trouble == "hanging":
                lab.node(NODE).hang()
        address = lab.addresses[NODE]
        started = time.monotonic()
        lab.stop()
        assert time.monotonic() - started < END_WITHIN
        assert not listening(address)
        assert engine.log == ([] if trouble == "none" else ["begin Wait-Ever", "end Wait-Ever"])
        wsman.close()
    assert set(threading.enumerate()) == before


def test_a_lab_that_cannot_start_says_why() -> None:
    before = threading.active_count()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with (
            pytest.raises(OSError, match="address already in use"),
            Lab({NODE: EchoEngine()}, port=taken.getsockname()[1]),
        ):
            pass
    assert threading.active_count() == before


async def test_a_lab_in_the_foreground_ends_when_it_is_told() -> None:
    end = asyncio.Event()
    served: list[Cluster] = []

    def ready(cluster: Cluster) -> None:
        served.append(cluster)
        end.set()

    await serve("healthy", ready=ready, end=end)
    (cluster,) = served
    assert cluster.nodes
    assert not any(listening(address) for address in cluster.addresses.values())


def test_a_process_with_a_lab_ends_even_when_nobody_stops_it(tmp_path: Path) -> None:
    program = (
        "from hvtui.lab.serve import Lab\n"
        "class Nothing:\n"
        "    def functions(self): return frozenset()\n"
        "lab = Lab({'HV01': Nothing()}); lab.start(); print(lab.addresses['HV01'])\n"
    )
    environment = {**os.environ, "TMPDIR": str(tmp_path), "TEMP": str(tmp_path), "TMP": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True, env=environment
    )
    assert done.stderr == ""
    assert not listening(done.stdout.strip())
    assert list(tmp_path.iterdir()) == []


def test_the_world_answers_through_the_whole_road() -> None:
    with Lab("healthy", speed=0) as lab:
        node = next(iter(lab.addresses))
        with opened(connect(lab, node)) as pool:
            info = json.loads(run(pool, "Get-HvTuiInfo").output[0])
            assert (info["node"], info["cluster_name"]) == (node, lab.call(lambda world: world.cluster.name))
            private = pool.application_private_data
            assert private is not None
            build = str(private.data["PSVersionTable"]["BuildVersion"])
            assert lab.call(lambda world: world.node(node).build) in build


def test_the_worlds_clock_shows_the_real_time_by_default() -> None:
    before = datetime.now(UTC)
    with Lab("healthy", speed=0, at=600) as lab:
        assert before <= lab.call(lambda world: world.now) <= datetime.now(UTC)
        assert lab.call(lambda world: world.elapsed) >= 600


def test_a_world_may_begin_at_any_time_and_stand_still() -> None:
    start = datetime(2026, 3, 1, 23, tzinfo=UTC)
    with Lab("healthy", speed=0, at=60, start=start) as lab:
        lab.advance(30)
        assert lab.call(lambda world: world.now) == start + timedelta(seconds=90)


def test_a_host_that_goes_down_in_the_world_answers_no_more() -> None:
    with Lab("healthy", speed=0) as lab:
        node, other = list(lab.addresses)[:2]
        lab.call(lambda world: setattr(world.node(node).faults, "down", True))
        until(lambda: not listening(lab.addresses[node]))
        assert listening(lab.addresses[other])
        lab.call(lambda world: setattr(world.node(node).faults, "down", False))
        until(lambda: listening(lab.addresses[node]))
