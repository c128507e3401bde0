"""What goes wrong on nodes: it is named, it stays with its node, and it heals by itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from hvtui.lab.serve import Lab
from hvtui.live.monitor import Monitor
from hvtui.model.change import Change
from hvtui.model.link import LinkStatus
from tests.live.conftest import all_live, status
from tests.remote.engines import ScriptedEngine, frame, hang, info, ticking
from tests.support.wait import until

Labs = Callable[..., Lab]
Watch = Callable[..., Awaitable[Monitor]]


async def _link_changes(monitor: Monitor) -> set[str]:
    """Collects the names whose connection state changed from now on."""
    seen: set[str] = set()
    told: list[bool] = []

    def listen(change: Change) -> None:
        seen.update(change.links)
        told.append(True)

    monitor.subscribe(listen)
    # The first tick may still tell of the time before.
    await until(lambda: told)
    seen.clear()
    return seen


async def test_a_node_that_dies_and_comes_back(labs: Labs, watch: Watch) -> None:
    lab = labs("healthy", speed=0)
    monitor = await watch(lab)
    await until(lambda: all_live(monitor, lab))
    teller = monitor.telling
    victim = next(name for name in lab.addresses if name != teller)
    view = monitor.state.node(victim)
    vms = dict(view.vms or {})
    flinched = await _link_changes(monitor)
    lab.node(victim).stop()
    await until(lambda: status(monitor, victim) is LinkStatus.UNREACHABLE)
    assert view.vms == vms
    assert view.link.stale(monitor.clock.monotonic())
    assert "Nothing listens" in view.link.text or "broke" in view.link.text
    lab.node(victim).start()
    await until(lambda: status(monitor, victim) is LinkStatus.LIVE)
    assert not view.link.stale(monitor.clock.monotonic())
    await until(lambda: flinched)
    assert flinched == {victim}


async def test_the_clusters_stream_moves_to_another_node(labs: Labs, watch: Watch) -> None:
    lab = labs("healthy", speed=0)
    monitor = await watch(lab)
    await until(lambda: all_live(monitor, lab))
    teller = monitor.telling
    lab.node(teller).stop()
    await until(lambda: monitor.telling not in {"", teller} and status(monitor) is LinkStatus.LIVE, 5)
    lab.call(lambda w: w.vms)
    assert monitor.state.cluster.nodes is not None


async def test_cluster_service_that_hangs_moves_the_stream(labs: Labs, watch: Watch) -> None:
    lab = labs("healthy", speed=0)
    monitor = await watch(lab)
    await until(lambda: all_live(monitor, lab))
    teller = monitor.telling
    lab.call(lambda w: setattr(w.nodes[teller].faults, "cluster_service_hung", True))
    await until(lambda: monitor.telling not in {"", teller} and status(monitor) is LinkStatus.LIVE, 8)


async def test_vmms_that_hangs_is_named_as_hanging(labs: Labs, watch: Watch) -> None:
    lab = labs("healthy", speed=0)
    monitor = await watch(lab)
    await until(lambda: all_live(monitor, lab))
    flinched = await _link_changes(monitor)
    lab.call(lambda w: setattr(w.nodes["HV02"].faults, "vmms_hung", True))
    await until(lambda: status(monitor, "HV02") is LinkStatus.HANGING)
    assert "VMMS" in monitor.state.node("HV02").link.text
    lab.call(lambda w: setattr(w.nodes["HV02"].faults, "vmms_hung", False))
    await until(lambda: status(monitor, "HV02") is LinkStatus.LIVE, 20)
    await until(lambda: flinched)
    assert flinched == {"HV02"}


async def test_vmms_that_hangs_from_the_start(labs: Labs, watch: Watch) -> None:
    lab = labs("healthy", speed=0)
    lab.call(lambda w: setattr(w.nodes["HV02"].faults, "vmms_hung", True))
    monitor = await watch(lab)
    await until(lambda: status(monitor, "HV02") is LinkStatus.HANGING, 15)


async def test_a_node_that_accepts_and_never_answers(labs: Labs, watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hvtui.remote.transport.LOG_ON_SECONDS", 1.0)
    monkeypatch.setattr("hvtui.live.node.PROBE_SECONDS", 1.0)
    lab = labs("healthy", speed=0)
    monitor = await watch(lab)
    await until(lambda: all_live(monitor, lab))
    victim = next(name for name in lab.addresses if name != monitor.telling)
    flinched = await _link_changes(monitor)
    lab.node(victim).hang()
    await until(lambda: status(monitor, victim) is LinkStatus.UNREACHABLE, 15)
    lab.node(victim).hang(False)
    await until(lambda: status(monitor, victim) is LinkStatus.LIVE, 20)
    await until(lambda: flinched)
    assert flinched == {victim}


async def test_answers_that_are_no_json(labs: Labs, watch: Watch) -> None:
    lab = labs("healthy", speed=0)
    monitor = await watch(lab)
    await until(lambda: all_live(monitor, lab))
    victim = next(name for name in lab.addresses if name != monitor.telling)
    flinched = await _link_changes(monitor)
    lab.node(victim).rewrite(lambda text: text[: len(text) // 2])
    await until(lambda: status(monitor, victim) is LinkStatus.UNUSABLE)
    assert "sent no JSON" in monitor.state.node(victim).link.text
    lab.node(victim).rewrite(None)
    await until(lambda: status(monitor, victim) is LinkStatus.LIVE)
    await until(lambda: flinched)
    assert flinched == {victim}


async def test_module_of_another_version(labs: Labs, watch: Watch) -> None:
    lab = labs({"HV01": ScriptedEngine(**{"Get-HvTuiInfo": info(contract="0.9.0")})}, language="none")
    monitor = await watch(lab)
    await until(lambda: status(monitor, "HV01") is LinkStatus.UNUSABLE)
    assert "Install HvTui" in monitor.state.node("HV01").link.hint


async def test_windows_older_than_2016_is_unsupported(labs: Labs, watch: Watch) -> None:
    engine = ScriptedEngine(**{"Get-HvTuiInfo": info(supported=False, build="6.3.9600")})
    lab = labs({"HV01": engine})
    monitor = await watch(lab)
    await until(lambda: status(monitor, "HV01") is LinkStatus.UNUSABLE)
    link = monitor.state.node("HV01").link
    assert "6.3.9600" in link.text
    assert "unsupported" in link.hint


async def test_a_gap_in_the_numbers_starts_the_stream_again(labs: Labs, watch: Watch) -> None:
    full = frame("full", 1, vms=[], errors=[])
    engine = ScriptedEngine(
        **{
            "Watch-HvTuiNode": ticking(full, frame("beat", 2), frame("beat", 4)),
            "Watch-HvTuiCluster": hang,
        }
    )
    lab = labs({"HV01": engine})
    monitor = await watch(lab)
    await until(lambda: sum(call.command == "Watch-HvTuiNode" for call in engine.calls) > 2)
    assert monitor.state.node("HV01").link.status is LinkStatus.LIVE


async def test_no_node_answers_at_all(labs: Labs, watch: Watch) -> None:
    lab = labs("healthy", speed=0)
    for name in lab.addresses:
        lab.node(name).stop()
    monitor = await watch(lab)
    await until(lambda: status(monitor) is LinkStatus.UNREACHABLE)
    # Without the cluster's list every configured node is tried.
    await until(lambda: all(status(monitor, name) is LinkStatus.UNREACHABLE for name in lab.addresses))
    lab.node("HV05").start()
    await until(lambda: status(monitor, "HV05") is LinkStatus.LIVE)
    await until(lambda: status(monitor) is LinkStatus.LIVE)


async def test_stop_is_quick_while_a_node_hangs(labs: Labs, watch: Watch) -> None:
    import time

    lab = labs("healthy", speed=0)
    monitor = await watch(lab)
    await until(lambda: all_live(monitor, lab))
    lab.node("HV03").hang()
    began = time.monotonic()
    await monitor.stop()
    assert time.monotonic() - began < 8
