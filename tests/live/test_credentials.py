"""A wrong password is tried once, on one node, whatever else wants to log on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any
from urllib.parse import urlparse

import pytest
from pypsrp.negotiate import HTTPNegotiateAuth
from spnego.exceptions import InvalidCredentialError

from hvtui.lab.serve import Lab
from hvtui.live.monitor import Monitor
from hvtui.model.link import LinkStatus
from tests.live.conftest import QUICK, all_live, status
from tests.remote.conftest import gate_for
from tests.remote.engines import Behaviour, ScriptedEngine, frame, info, living
from tests.support.wait import until

Labs = Callable[..., Lab]
Watch = Callable[..., Awaitable[Monitor]]


async def test_exactly_one_failed_log_on_with_64_nodes(labs: Labs, watch: Watch) -> None:
    names = [f"HV{number:02}" for number in range(1, 65)]
    lab = labs({name: _small_node(name, names) for name in names})
    monitor = await watch(lab, gate=gate_for(lab, "wrong"), seeds=tuple(lab.addresses))
    await until(lambda: all(status(monitor, name) is LinkStatus.REFUSED for name in ("", *lab.addresses)), 20)
    assert lab.logons[lab.username].failed == 1
    assert "refused the log-on of LAB\\oncall" in monitor.refusal
    # Whatever the user asks for now, nothing logs on.
    for what in ("node", "writers", "events", "cluster"):
        monitor.refresh(what)
    await until(lambda: all(status(monitor, name) is LinkStatus.REFUSED for name in lab.addresses))
    assert lab.logons[lab.username].failed == 1
    monitor.give_credential(lab.username, lab.password)
    assert monitor.refusal == ""
    await until(lambda: sum(status(monitor, name) is LinkStatus.LIVE for name in lab.addresses) >= 8)
    assert lab.logons[lab.username].failed == 1


async def test_password_changed_while_the_console_runs(labs: Labs, watch: Watch) -> None:
    lab = labs("healthy", speed=0)
    monitor = await watch(lab)
    await until(lambda: all_live(monitor, lab))
    await until(lambda: all(_writers_read(monitor, name) for name in lab.addresses))
    lab.on_loop(lambda: lab.cluster.accounts.set_password("oncall", "another"))
    victims = [name for name in lab.addresses if name != monitor.telling][:4]
    for name in victims:
        lab.node(name).stop()
    await until(lambda: all(status(monitor, name) is LinkStatus.UNREACHABLE for name in victims))
    for name in victims:
        lab.node(name).start()
    await until(lambda: all(status(monitor, name) is LinkStatus.REFUSED for name in victims))
    assert lab.logons[lab.username].failed == 1
    # Those that are logged on go on.
    others = [name for name in lab.addresses if name not in victims]
    assert all(status(monitor, name) is LinkStatus.LIVE for name in others)
    monitor.give_credential(lab.username, "another")
    await until(lambda: all_live(monitor, lab))
    assert lab.logons[lab.username].failed == 1


async def test_second_wrong_password_costs_one_more_failure(labs: Labs, watch: Watch) -> None:
    lab = labs("healthy", speed=0)
    monitor = await watch(lab, gate=gate_for(lab, "wrong"))
    await until(lambda: status(monitor) is LinkStatus.REFUSED)
    monitor.give_credential(lab.username, "wrong again")
    await until(lambda: lab.logons[lab.username].failed == 2)
    await until(lambda: monitor.refusal)
    monitor.give_credential(lab.username, lab.password)
    await until(lambda: all_live(monitor, lab))
    assert lab.logons[lab.username].failed == 2


async def test_a_log_on_that_fails_on_one_node_only_is_not_hammered(
    labs: Labs, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with Kerberos where one node's name is not known to the domain."""
    lab = labs("healthy", speed=0)
    port = int(lab.addresses["HV03"].rpartition(":")[2])
    tried: list[int] = []
    answer = HTTPNegotiateAuth.handle_401

    def fail(self: HTTPNegotiateAuth, response: Any, **options: Any) -> Any:
        if urlparse(response.url).port == port:
            tried.append(port)
            raise InvalidCredentialError(context_msg="server not found in the database")
        return answer(self, response, **options)  # type: ignore[no-untyped-call]

    monkeypatch.setattr(HTTPNegotiateAuth, "handle_401", fail)
    monitor = await watch(lab, timing=replace(QUICK, retry=30.0, retry_most=30.0, retry_unusable=30.0))
    await until(lambda: status(monitor, "HV03") is LinkStatus.REFUSED)
    others = [name for name in lab.addresses if name != "HV03"]
    await until(lambda: all(status(monitor, name) is LinkStatus.LIVE for name in others))
    assert monitor.refusal == ""
    assert len(tried) == 1


def _small_node(name: str, names: list[str]) -> ScriptedEngine:
    nodes = [{"name": other, "state": 0} for other in names]
    cluster = {"id": "c", "name": "CLU"}
    behaviours: dict[str, str | Behaviour] = {
        "Get-HvTuiInfo": info(name),
        "Watch-HvTuiNode": living(frame("full", 1, vms=[], errors=[])),
        "Watch-HvTuiCluster": living(frame("full", 1, cluster=cluster, nodes=nodes, errors=[])),
    }
    return ScriptedEngine(**behaviours)


def _writers_read(monitor: Monitor, node: str) -> bool:
    picture = monitor.state.node(node).writers
    return picture is not None and not picture.reading
