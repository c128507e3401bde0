"""A wrong password is tried once, on one node, whatever else wants to log on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from hvtui.lab.serve import Lab
from hvtui.live.monitor import Monitor
from hvtui.model.link import LinkStatus
from tests.live.conftest import all_live, status
from tests.remote.conftest import gate_for
from tests.support.wait import until

Labs = Callable[..., Lab]
Watch = Callable[..., Awaitable[Monitor]]


async def test_exactly_one_failed_log_on_with_64_nodes(labs: Labs, watch: Watch) -> None:
    lab = labs("limit", speed=0)
    assert len(lab.addresses) == 64
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
    await until(lambda: all(status(monitor, name) is LinkStatus.LIVE for name in lab.addresses), 30)
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


def _writers_read(monitor: Monitor, node: str) -> bool:
    picture = monitor.state.node(node).writers
    return picture is not None and not picture.reading
