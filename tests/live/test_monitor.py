"""The live picture of a simulated cluster, over real PowerShell Remoting."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from hvtui.lab.serve import Lab
from hvtui.lab.world.actions import migrate
from hvtui.live.monitor import Monitor
from hvtui.model.change import Change
from hvtui.model.enums import CheckpointType
from hvtui.model.link import LinkStatus
from hvtui.model.signals import Signals, signals_of
from tests.live.conftest import all_live, status
from tests.support.wait import until

Labs = Callable[..., Lab]
Watch = Callable[..., Awaitable[Monitor]]


async def test_one_seed_gives_the_whole_picture(labs: Labs, watch: Watch) -> None:
    lab = labs("healthy", speed=0)
    monitor = await watch(lab)
    await until(lambda: all_live(monitor, lab))
    state = monitor.state
    world = lab.call(
        lambda w: {
            "csvs": {c.path: c.owner.name for c in w.csvs.values()},
            "roles": sorted(w.roles),
            "homes": {vm.id: name for name, node in w.nodes.items() for vm in node.vms.values()},
            "types": {vm.id: vm.checkpoint_type for node in w.nodes.values() for vm in node.vms.values()},
        }
    )
    assert set(state.nodes) == set(lab.addresses)
    assert {key: state.home(key) for key in world["homes"]} == world["homes"]
    assert {k: state.vm(k)[1].checkpoint_type for k in world["types"]} == world["types"]  # type: ignore[index]
    assert {c.path: c.owner for c in (state.cluster.csvs or {}).values()} == world["csvs"]
    assert len(state.cluster.roles or {}) == len(world["roles"])
    assert CheckpointType.Production in world["types"].values()


async def test_a_migration_is_seen(labs: Labs, watch: Watch) -> None:
    lab = labs("healthy", speed=0)
    monitor = await watch(lab)
    await until(lambda: all_live(monitor, lab))
    key, source, target = lab.call(
        lambda w: next(
            (vm.id, name, other)
            for name, node in w.nodes.items()
            for vm in node.vms.values()
            for other in w.nodes
            if vm.state == 2 and other != name and any(r.vm is vm for r in w.roles.values())
        )
    )
    assert monitor.state.home(key) == source
    lab.call(lambda w: migrate(w, w.vms[key], w.nodes[target]))
    for _ in range(60):
        lab.advance(10)
        if lab.call(lambda w: key in w.nodes[target].vms):
            break
    await until(lambda: monitor.state.home(key) == target)


async def test_subscribers_get_one_merged_change_per_tick_and_may_fail(labs: Labs, watch: Watch) -> None:
    lab = labs("healthy", speed=0)
    monitor = await watch(lab)
    changes: list[Change] = []

    def faulty(change: Change) -> None:
        raise ValueError("a subscriber's own fault")

    monitor.subscribe(faulty)
    monitor.subscribe(changes.append)
    await until(lambda: all_live(monitor, lab))
    await until(lambda: any(len(change.nodes) > 1 for change in changes))
    vms: set[str] = set().union(*(change.vms for change in changes))
    assert vms >= set(monitor.state.homes)


async def test_unsubscribing_ends_the_calls(labs: Labs, watch: Watch) -> None:
    lab = labs("healthy", speed=0)
    monitor = await watch(lab)
    first: list[Change] = []
    second: list[Change] = []
    stop = monitor.subscribe(first.append)
    monitor.subscribe(second.append)
    await until(lambda: first)
    stop()
    count = len(first)
    seen = len(second)
    await until(lambda: len(second) > seen + 2)
    assert len(first) == count


async def test_a_node_without_an_address_is_shown_and_not_contacted(labs: Labs, watch: Watch) -> None:
    lab = labs("healthy", speed=0)
    known = dict(list(lab.addresses.items())[:2])
    others = [name for name in lab.addresses if name not in known]
    monitor = await watch(lab, addresses=known)
    await until(lambda: all(status(monitor, name) is LinkStatus.LIVE for name in known))
    await until(lambda: all(status(monitor, name) is LinkStatus.NOT_CONTACTED for name in others))
    assert "addresses" in monitor.state.node(others[0]).link.hint
    assert [lab.node(name).requests for name in others] == [0] * len(others)


async def test_template_gives_addresses(labs: Labs, watch: Watch) -> None:
    lab = labs("healthy", speed=0)
    address = next(iter(lab.addresses.values()))
    monitor = await watch(lab, addresses={}, template=address)
    first = next(iter(lab.addresses))
    await until(lambda: status(monitor, first) is LinkStatus.LIVE)


async def test_a_seed_under_another_name_becomes_the_node_it_is(labs: Labs, watch: Watch) -> None:
    lab = labs("healthy", speed=0)
    addresses = {"hv-first": lab.addresses["HV01"], **{n: a for n, a in lab.addresses.items() if n != "HV01"}}
    monitor = await watch(lab, seeds=("hv-first",), addresses=addresses)
    await until(lambda: status(monitor, "HV02") is LinkStatus.LIVE)
    await until(lambda: "HV01" in monitor.state.nodes and status(monitor, "HV01") is LinkStatus.LIVE)
    assert "hv-first" not in monitor.state.nodes


async def test_one_node_under_two_names_is_watched_once(labs: Labs, watch: Watch) -> None:
    lab = labs("healthy", speed=0)
    addresses = {"hv02.corp": lab.addresses["HV02"], **lab.addresses}
    monitor = await watch(lab, seeds=("HV01", "hv02.corp"), addresses=addresses)
    await until(lambda: all_live(monitor, lab))
    await until(lambda: "hv02.corp" not in monitor.state.nodes)
    assert set(monitor.state.nodes) == set(lab.addresses)


async def test_a_node_of_another_cluster_is_left_alone(labs: Labs, watch: Watch) -> None:
    lab, other = labs("healthy", speed=0), labs("healthy", speed=0)
    other.on_loop(lambda: other.cluster.accounts.set_password("oncall", lab.password))
    other.call(lambda w: setattr(w.cluster, "id", "00000000-0000-0000-0000-00000000beef"))
    monitor = await watch(lab, addresses={**lab.addresses, "HV05": other.addresses["HV05"]})
    await until(lambda: status(monitor, "HV05") is LinkStatus.STOPPED)
    assert "another cluster" in monitor.state.node("HV05").link.text
    await until(lambda: other.node("HV05").shells == 0)
    monitor.refresh("cluster")
    asked = other.node("HV05").requests
    await until(lambda: monitor.state.cluster.seq > 2)
    assert other.node("HV05").requests == asked


async def test_packaged_module_is_sent_where_none_is_installed(labs: Labs, watch: Watch) -> None:
    lab = labs("healthy", speed=0, installed=False)
    monitor = await watch(lab)
    await until(lambda: all_live(monitor, lab))


async def test_over_tls_with_the_clusters_own_authority(labs: Labs, watch: Watch) -> None:
    lab = labs("healthy", speed=0, tls=True)
    monitor = await watch(lab)
    await until(lambda: all_live(monitor, lab))


async def test_writers_and_events_and_facts_are_read_at_start(labs: Labs, watch: Watch) -> None:
    lab = labs("healthy", speed=0, at=3600)
    monitor = await watch(lab)
    nodes = monitor.state.nodes

    def read() -> bool:
        pictures = [nodes[name].writers for name in lab.addresses if name in nodes]
        return len(pictures) == len(lab.addresses) and all(p is not None and p.writers for p in pictures)

    await until(read)
    logged = lab.call(
        lambda w: {
            (name, channel, event.record)
            for name, node in w.nodes.items()
            for channel, log in node.logs.items()
            for event in log.records
            if w.elapsed - (event.time - w.start).total_seconds() < 86_000
        }
    )
    assert logged
    await until(lambda: {(e.node, e.event.channel, e.event.record) for e in monitor.state.events.recent()} >= logged)
    await until(lambda: all(_rights(monitor, name) for name in lab.addresses))
    assert nodes["HV01"].providers

    def signals() -> Signals:
        return signals_of(nodes, monitor.state.chains)

    await until(lambda: signals().shadows.keys() == lab.addresses.keys())
    assert (signals().filters, signals().chains) == ({}, {})
    vm = next(iter(nodes["HV02"].vms or ()))
    assert monitor.refresh("signals", "HV01") == "reading shadow copies, filters and updates of HV01 now"
    assert monitor.refresh("chain", vm).endswith(" on HV02 now")
    assert monitor.refresh("chain", "role:nobody") == "no node that is watched lists this VM"
    await until(lambda: "HV01" in signals().hotfixes and signals().chains.keys() == {vm})
    assert signals().filters.keys() == {"HV01"}
    assert signals().chains[vm].chain is not None


async def test_new_events_come_by_position(labs: Labs, watch: Watch) -> None:
    from hvtui.lab.world import events

    lab = labs("healthy", speed=0)
    monitor = await watch(lab)
    await until(lambda: all_live(monitor, lab))
    await until(lambda: _rights(monitor, "HV01"))
    lab.call(lambda w: events.emit(w, w.nodes["HV01"], events.VMMS, 14096))
    assert monitor.refresh("events", "HV01") == "reading the events of HV01 now"
    await until(lambda: any(e.event.id == 14096 for e in monitor.state.events.recent()))


async def test_writers_are_read_again_once_at_a_time(labs: Labs, watch: Watch) -> None:
    lab = labs("healthy", speed=0)
    monitor = await watch(lab)
    view = monitor.state.node("HV01")
    await until(lambda: view.writers is not None and view.writers.writers)
    before = view.writers
    assert monitor.refresh("writers", "HV01") == "reading the writers of HV01 now"
    assert monitor.refresh("writers", "HV01") == "the writers of HV01 are being read"
    await until(lambda: view.writers is not None and view.writers.reading)
    assert view.writers is not None
    assert before is not None
    assert view.writers.writers == before.writers
    await until(lambda: view.writers is not None and not view.writers.reading and view.writers != before)


async def test_refresh_restarts_the_streams_without_losing_data(labs: Labs, watch: Watch) -> None:
    lab = labs("healthy", speed=0)
    monitor = await watch(lab)
    await until(lambda: all_live(monitor, lab))
    keys = set(monitor.state.homes)
    view = monitor.state.node("HV01")
    await until(lambda: view.seq > 2)
    assert monitor.refresh("node", "HV01") == "reading HV01 now"
    monitor.refresh("cluster")
    await until(lambda: view.seq == 1)
    assert set(monitor.state.homes) == keys
    assert all_live(monitor, lab)
    assert monitor.refresh("node", "NO-SUCH") == "NO-SUCH is not watched"


async def test_a_nodes_clock_offset_is_known(labs: Labs, watch: Watch) -> None:
    lab = labs("healthy", speed=1)
    lab.call(lambda w: setattr(w.nodes["HV02"], "clock_offset", 300.0))
    monitor = await watch(lab)
    await until(lambda: all_live(monitor, lab))
    offset = monitor.state.node("HV02").link.offset
    assert offset is not None
    assert abs(offset.total_seconds() - 300) < 30


async def test_an_evicted_node_is_no_longer_asked(labs: Labs, watch: Watch) -> None:
    lab = labs("healthy", speed=0)
    monitor = await watch(lab)
    await until(lambda: all_live(monitor, lab))
    victim = next(name for name in reversed(lab.addresses) if name != monitor.telling)
    lab.call(lambda w: w.nodes.pop(victim))
    monitor.refresh("cluster")
    await until(lambda: status(monitor, victim) is LinkStatus.STOPPED)
    await until(lambda: lab.node(victim).shells == 0)


async def test_stop_ends_every_session(labs: Labs, watch: Watch) -> None:
    lab = labs("healthy", speed=0)
    monitor = await watch(lab)
    await until(lambda: all_live(monitor, lab))
    await monitor.stop()
    assert [lab.node(name).shells for name in lab.addresses] == [0] * len(lab.addresses)


def _rights(monitor: Monitor, node: str) -> bool:
    info = monitor.state.node(node).info
    return info is not None and bool(info.rights)


async def test_what_a_node_pays_is_known_for_each(labs: Labs, watch: Watch) -> None:
    lab = labs("healthy", speed=0)
    monitor = await watch(lab)
    assert monitor.usage("HV02") is None
    await until(lambda: all_live(monitor, lab))

    def told() -> bool:
        found = [monitor.usage(name) for name in lab.addresses]
        return all(
            one is not None
            and one.rounds.get("Watch-HvTuiNode", 0) > 2
            and one.calls.get("Get-HvTuiEvent", 0) >= 7
            and not one.untold
            for one in found
        )

    await until(told)
    usage = monitor.usage("HV02")
    assert usage is not None
    # Three processes at the least: one each for the stream, the calls and the facts, of which a start costs the most.
    assert {"action", "facts", "watch"} <= set(usage.sessions)
    assert usage.cpu_ms is not None
    assert usage.cpu_ms > 1200


async def test_each_fault_of_a_node_is_told_over_the_wire_as_what_it_is(labs: Labs, watch: Watch) -> None:
    monitor = await watch(labs("faults", speed=0))
    wanted = {"HV05": LinkStatus.HANGING, "HV07": LinkStatus.UNUSABLE, "HV09": LinkStatus.UNREACHABLE}
    names = [f"HV0{number}" for number in range(1, 10)]
    await until(lambda: all(status(monitor, name) is wanted.get(name, LinkStatus.LIVE) for name in names), 60)
    assert "6.3.9600 is older than Windows Server 2016" in monitor.state.node("HV07").link.text
