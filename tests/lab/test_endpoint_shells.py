"""Shells: who sees them, how many there may be, disconnecting and coming back, and their end."""

from __future__ import annotations

import base64
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from pypsrp.exceptions import WSManFaultError
from pypsrp.powershell import RunspacePool
from pypsrp.wsman import NAMESPACES, WSMan

from hvtui.lab.endpoint import faults
from hvtui.lab.endpoint.accounts import Account
from hvtui.lab.serve import Lab
from tests.lab.endpoint_client import NODE, EchoEngine, begin, connect, finish, opened, run, stop, until


@pytest.fixture
def engine() -> EchoEngine:
    return EchoEngine()


@pytest.fixture
def lab(engine: EchoEngine) -> Iterator[Lab]:
    with Lab({NODE: engine}, max_shells=3, accounts=(Account("second", "other"),)) as lab:
        yield lab


def second(lab: Lab) -> WSMan:
    """A connection of the other account."""
    return connect(lab, username="LAB\\second", password="other")


def test_two_clients_work_side_by_side(lab: Lab) -> None:
    with opened(connect(lab)) as one, opened(connect(lab)) as two:
        stream = begin(one, "Watch-Ticks")
        stream.poll_invoke()
        assert run(two, "Invoke-Echo", Text="two").output == ["two"]
        stop(stream)
        assert lab.node(NODE).shells == 2
    assert lab.node(NODE).shells == 0


def test_a_shell_is_its_users_alone(lab: Lab) -> None:
    with opened(connect(lab)) as mine, second(lab) as other:
        assert RunspacePool.get_runspace_pools(other) == []
        pool = RunspacePool(other)
        pool.open()
        pool.shell._selector_set = mine.shell._selector_set
        with pytest.raises(WSManFaultError) as fault:
            begin(pool, "Invoke-Echo")
        assert fault.value.code == faults.UNKNOWN
        assert run(mine, "Invoke-Echo", Text="mine").output == ["mine"]


def test_a_user_may_open_so_many_shells_and_no_more(lab: Lab) -> None:
    with opened(connect(lab)), opened(connect(lab)), opened(connect(lab)):
        with pytest.raises(WSManFaultError) as fault, opened(connect(lab)):
            pass
        assert fault.value.code == faults.QUOTA
        assert "maximum number of 3 concurrent shells" in str(fault.value)
        with opened(second(lab)):
            assert lab.node(NODE).shells == 4
    with opened(connect(lab)):
        assert lab.node(NODE).shells == 1


def test_a_session_configuration_that_is_not_there(lab: Lab) -> None:
    with pytest.raises(WSManFaultError) as fault, opened(connect(lab), configuration_name="Nowhere"):
        pass
    assert fault.value.code == faults.BAD_RESOURCE


def test_is_alive(lab: Lab) -> None:
    with connect(lab) as wsman:
        pool = RunspacePool(wsman)
        pool.open()
        assert pool.is_alive()
        lab.node(NODE).stop(keep_shells=False)
        lab.node(NODE).start()
        assert not pool.is_alive()


def test_the_servers_limits_can_be_asked(lab: Lab) -> None:
    with connect(lab) as wsman:
        wsman.update_max_payload_size()
        assert wsman.max_envelope_size == 512_000


def test_a_receive_ends_after_the_operations_time(lab: Lab) -> None:
    with opened(connect(lab)) as pool:
        shell = begin(pool, "Wait-Ever")
        shell.poll_invoke()  # the word of greeting
        started = time.monotonic()
        with pytest.raises(WSManFaultError) as fault:
            pool._receive(shell.id, timeout=1)
        assert fault.value.code == faults.TIMED_OUT
        assert 0.9 <= time.monotonic() - started < 5
        stop(shell)


def test_disconnect_and_reconnect_lose_nothing(lab: Lab) -> None:
    with opened(connect(lab)) as pool:
        shell = begin(pool, "Watch-Ticks", Count=30)
        while len(shell.output) < 5:
            shell.poll_invoke()
        pool.disconnect()
        for refused in (lambda: pool.shell.receive("stdout"), lambda: pool.shell.signal("x", shell.id)):
            with pytest.raises(WSManFaultError) as fault:
                refused()
            assert fault.value.code == faults.DISCONNECTED
        pool.connect()
        shell.state = 1
        finish(shell)
        assert shell.output == [f"tick {number}" for number in range(30)]


def test_another_client_connects_and_gets_the_rest(lab: Lab) -> None:
    with connect(lab) as first, connect(lab) as other:
        pool = RunspacePool(first)
        pool.open()
        shell = begin(pool, "Watch-Ticks", Count=30)
        while len(shell.output) < 5:
            shell.poll_invoke()
        had = list(shell.output)
        pool.disconnect()
        (found,) = RunspacePool.get_runspace_pools(other)
        assert found.id == pool.id
        found.connect()
        assert (found.min_runspaces, found.max_runspaces) == (1, 1)
        assert found.application_private_data is not None
        (rest,) = found.pipelines.values()
        assert had + rest.connect() == [f"tick {number}" for number in range(30)]  # type: ignore[no-untyped-call]
        rest.close()
        assert run(found, "Invoke-Echo", Text="mine now").output == ["mine now"]
        with pytest.raises(WSManFaultError) as fault:
            pool.connect()
        assert fault.value.code == faults.OTHER_CLIENT
        found.close()


def test_a_shell_that_is_in_use_cannot_be_taken(lab: Lab) -> None:
    with opened(connect(lab)), connect(lab) as other:
        (found,) = RunspacePool.get_runspace_pools(other)
        with pytest.raises(WSManFaultError) as fault:
            found.connect()
        assert fault.value.code == faults.OTHER_CLIENT


def test_an_idle_shell_ends(lab: Lab, engine: EchoEngine) -> None:
    with connect(lab) as wsman:
        pool = RunspacePool(wsman, idle_timeout=1)
        pool.open()
        begin(pool, "Wait-Ever")
        until(lambda: lab.node(NODE).shells == 0)
        until(lambda: engine.log == ["begin Wait-Ever", "end Wait-Ever"])
        with pytest.raises(WSManFaultError) as fault:
            run(pool, "Invoke-Echo")
        assert fault.value.code == faults.UNKNOWN


def test_a_shell_that_is_read_from_is_not_idle(lab: Lab) -> None:
    with opened(connect(lab), idle_timeout=1) as pool:
        shell = begin(pool, "Watch-Ticks", Every=50, Count=40)
        finish(shell)
        assert len(shell.output) == 40
        assert run(pool, "Invoke-Echo", Text="here").output == ["here"]


def test_deleting_a_shell_ends_what_runs_in_it_and_whoever_waits(lab: Lab, engine: EchoEngine) -> None:
    with connect(lab) as wsman, connect(lab) as other:
        pool = RunspacePool(wsman)
        pool.open()
        shell = begin(pool, "Watch-Ticks")
        shell.poll_invoke()
        other.delete(pool.shell.resource_uri, selector_set=pool.shell._selector_set)
        assert engine.log[-1] == "end Watch-Ticks"
        with pytest.raises(WSManFaultError) as fault:
            shell.poll_invoke()
        assert fault.value.code == faults.UNKNOWN


def test_shells_and_commands_are_enumerated(lab: Lab) -> None:
    with opened(connect(lab)) as pool, connect(lab) as other:
        shell = begin(pool, "Wait-Ever")
        (found,) = RunspacePool.get_runspace_pools(other)
        assert [found.id, *found.pipelines] == [pool.id, shell.id]
        stop(shell)
        (found,) = RunspacePool.get_runspace_pools(other)
        assert found.pipelines == {}


def test_a_repeated_receive_brings_the_same_data(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(connect(lab)) as pool:
        shell = begin(pool, "Watch-Ticks", Count=10)
        sent: list[bytes] = []
        send = pool.connection.transport.send

        def record(message: bytes, **options: Any) -> bytes:
            sent.append(message)
            answer: bytes = send(message, **options)
            return answer

        monkeypatch.setattr(pool.connection.transport, "send", record)
        shell.poll_invoke()
        assert sent
        monkeypatch.undo()
        again = pool.connection.transport.send(sent[-1])
        once_more = pool.connection.transport.send(sent[-1])
        assert [text for text in (again, once_more) if b"rsp:Stream" not in text] == []
        streams = [_streams(answer) for answer in (again, once_more)]
        assert streams[0] == streams[1]
        finish(shell)
        assert shell.output == [f"tick {number}" for number in range(10)]


def _streams(answer: bytes) -> list[str]:
    import xml.etree.ElementTree as ET

    return [stream.text or "" for stream in ET.fromstring(answer).iter(f"{{{NAMESPACES['rsp']}}}Stream")]


def test_a_command_whose_data_cannot_be_read_leaves_the_shell_as_it_was(lab: Lab) -> None:
    with opened(connect(lab)) as pool:
        with pytest.raises(WSManFaultError) as fault:
            pool.shell.command("", [base64.b64encode(b"rubbish" * 10).decode()], command_id=str(uuid.uuid4()))
        assert fault.value.code == faults.BAD_PARAMETER
        assert lab.on_loop(lambda: [shell.commands for shell in lab.cluster.nodes[NODE].service.shells.values()]) == [
            []
        ]
        assert run(pool, "Invoke-Echo", Text="fine").output == ["fine"]
