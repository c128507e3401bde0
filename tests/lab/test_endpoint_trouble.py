"""Faults planted on a node: each breaks what it says, and nothing else."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from xml.etree import ElementTree

import pytest
import requests.exceptions
from pypsrp.complex_objects import PSInvocationState
from pypsrp.exceptions import WinRMTransportError, WSManFaultError
from pypsrp.powershell import RunspacePool

from hvtui.lab.endpoint import faults
from hvtui.lab.serve import Lab
from tests.lab.endpoint_client import NODE, EchoEngine, begin, connect, finish, opened, reset, run, until

OTHER = "HV02"


@pytest.fixture
def engine() -> EchoEngine:
    return EchoEngine()


@pytest.fixture
def lab(engine: EchoEngine) -> Iterator[Lab]:
    with Lab({NODE: engine, OTHER: EchoEngine()}, idle_close=60) as lab:
        yield lab


def test_a_stopped_node_refuses_and_comes_back_on_its_port(lab: Lab) -> None:
    address = lab.addresses[NODE]
    with connect(lab) as wsman, opened(connect(lab, OTHER)) as other:
        pool = RunspacePool(wsman)
        pool.open()
        lab.node(NODE).stop()
        with pytest.raises(requests.exceptions.ConnectionError):
            run(pool, "Invoke-Echo")
        with pytest.raises(requests.exceptions.ConnectionError), opened(connect(lab)):
            pass
        assert run(other, "Invoke-Echo", Text="fine").output == ["fine"]
        lab.node(NODE).start()
        assert lab.addresses[NODE] == address
        reset(wsman)
        with pytest.raises(WSManFaultError) as fault:
            run(pool, "Invoke-Echo")
        assert fault.value.code == faults.UNKNOWN
        with opened(connect(lab)) as again:
            assert run(again, "Invoke-Echo", Text="back").output == ["back"]


def test_a_network_break_keeps_the_shells(lab: Lab) -> None:
    with connect(lab) as wsman:
        pool = RunspacePool(wsman)
        pool.open()
        stream = begin(pool, "Watch-Ticks", Count=30)
        while len(stream.output) < 3:
            stream.poll_invoke()
        lab.node(NODE).stop(keep_shells=True)
        with pytest.raises(requests.exceptions.ConnectionError):
            stream.poll_invoke()
        lab.node(NODE).start()
        reset(wsman)
        finish(stream)
        assert stream.output == [f"tick {number}" for number in range(30)]
        pool.close()


def test_a_hanging_node_accepts_and_never_answers(lab: Lab) -> None:
    lab.node(NODE).hang()
    started = time.monotonic()
    with pytest.raises(requests.exceptions.ReadTimeout), opened(connect(lab, read_timeout=1)):
        pass
    assert time.monotonic() - started < 5
    with opened(connect(lab, OTHER)) as pool:
        assert run(pool, "Invoke-Echo", Text="fine").output == ["fine"]
    lab.node(NODE).hang(False)
    with opened(connect(lab)) as pool:
        assert run(pool, "Invoke-Echo", Text="back").output == ["back"]


def test_a_node_that_begins_to_hang_answers_no_waiting_receive(lab: Lab, engine: EchoEngine) -> None:
    with connect(lab, read_timeout=1, operation_timeout=20) as wsman:
        pool = RunspacePool(wsman)
        pool.open()
        shell = begin(pool, "Wait-Word")
        shell.poll_invoke()  # the word of greeting
        with ThreadPoolExecutor(1) as thread:
            before = lab.node(NODE).requests
            waiting = thread.submit(pool.connection.transport.send, _receive(pool, shell.id), timeout=2)
            until(lambda: lab.node(NODE).requests > before)
            lab.node(NODE).hang()
            lab.on_loop(engine.word.set)
            with pytest.raises(requests.exceptions.ReadTimeout):
                waiting.result()


def test_an_answer_may_be_late(lab: Lab) -> None:
    with opened(connect(lab)) as pool:
        lab.node(NODE).delay(0.3)
        started = time.monotonic()
        assert run(pool, "Invoke-Echo", Text="late").output == ["late"]
        assert time.monotonic() - started >= 0.9, "three requests"
        lab.node(NODE).delay(0)


def test_a_connection_that_breaks_in_the_middle_of_an_answer(lab: Lab) -> None:
    with opened(connect(lab)) as pool:
        lab.node(NODE).spoil("drop", verb="Receive")
        shell = begin(pool, "Invoke-Echo", Text="word")
        with pytest.raises(requests.exceptions.RequestException):
            shell.poll_invoke()
        reset(pool.connection)
        assert run(pool, "Invoke-Echo", Text="next").output == ["next"]


@pytest.mark.parametrize("kind", ["truncate", "garble"])
def test_an_envelope_that_is_broken(lab: Lab, kind: str) -> None:
    with opened(connect(lab)) as pool:
        lab.node(NODE).spoil("truncate" if kind == "truncate" else "garble", verb="Receive")
        shell = begin(pool, "Invoke-Echo", Text="word")
        with pytest.raises(ElementTree.ParseError):
            shell.poll_invoke()
        assert run(pool, "Invoke-Echo", Text="next").output == ["next"]


def test_output_may_be_rewritten(lab: Lab) -> None:
    with opened(connect(lab)) as pool:
        lab.node(NODE).rewrite(lambda text: text[:3])
        assert run(pool, "Invoke-Echo", Text='{"a": 1}').output == ['{"a']
        lab.node(NODE).rewrite(None)
        assert run(pool, "Invoke-Echo", Text="whole").output == ["whole"]


def test_an_idle_connection_is_closed_and_its_shell_is_kept() -> None:
    with Lab({NODE: EchoEngine()}, idle_close=0.2) as lab, opened(connect(lab)) as pool:
        until(lambda: lab.on_loop(lambda: not lab.cluster.nodes[NODE].connections))
        with pytest.raises((WinRMTransportError, requests.exceptions.RequestException)):
            run(pool, "Invoke-Echo")
        reset(pool.connection)
        assert run(pool, "Invoke-Echo", Text="kept").output == ["kept"]


def test_nothing_is_taken_for_a_client_that_is_gone(lab: Lab, engine: EchoEngine) -> None:
    with opened(connect(lab, read_timeout=1, operation_timeout=20)) as pool:
        shell = begin(pool, "Wait-Word")
        shell.poll_invoke()  # the word of greeting
        before = lab.node(NODE).requests
        with pytest.raises(requests.exceptions.ReadTimeout):
            pool.connection.transport.send(_receive(pool, shell.id), timeout=0.3)
        assert lab.node(NODE).requests > before
        reset(pool.connection)
        until(lambda: lab.on_loop(lambda: not lab.cluster.nodes[NODE].connections))
        lab.on_loop(engine.word.set)
        finish(shell)
        assert shell.output == ["word"]


def test_a_receive_repeated_after_a_read_timeout_brings_everything_once(lab: Lab, engine: EchoEngine) -> None:
    with opened(connect(lab, read_timeout=1, operation_timeout=20)) as pool:
        shell = begin(pool, "Wait-Word")
        shell.poll_invoke()  # the word of greeting
        before = lab.node(NODE).requests
        with ThreadPoolExecutor(1) as thread:
            waiting = thread.submit(finish, shell)
            until(lambda: lab.node(NODE).requests > before + 2)
            lab.on_loop(engine.word.set)
            waiting.result()
        assert shell.output == ["word"]


def _receive(pool: RunspacePool, command_id: str) -> bytes:
    """A Receive as pypsrp would send it, without its repeats."""
    action = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/Receive"
    rsp = "{http://schemas.microsoft.com/wbem/wsman/1/windows/shell}"
    soap = "{http://www.w3.org/2003/05/soap-envelope}"
    selectors = pool.shell._selector_set
    _, header = pool.connection._create_header(action, pool.shell.resource_uri, selector_set=selectors)
    envelope = ElementTree.Element(f"{soap}Envelope")
    envelope.append(header)
    receive = ElementTree.SubElement(ElementTree.SubElement(envelope, f"{soap}Body"), f"{rsp}Receive")
    ElementTree.SubElement(receive, f"{rsp}DesiredStream", CommandId=command_id).text = "stdout"
    return bytes(ElementTree.tostring(envelope, encoding="utf-8"))


def test_a_lost_object_is_gone_whole_and_the_others_come(lab: Lab) -> None:
    with opened(connect(lab)) as pool:
        lab.node(NODE).lose(1, "tick 2")
        assert run(pool, "Watch-Ticks", Count=5, Every=1).output == ["tick 0", "tick 1", "tick 3", "tick 4"]
        # Each of these comes in several fragments.
        lab.node(NODE).lose(2)
        flood = run(pool, "Write-Flood", Count=5)
        assert flood.output == ["x" * 100_000] * 3
        assert flood.state == PSInvocationState.COMPLETED
        assert run(pool, "Invoke-Echo", Text="whole").output == ["whole"]
