"""One picture over one lane a node, with everything that is missing named."""

from __future__ import annotations

from pathlib import Path

import pytest

from hvtui.lab.serve import Lab
from hvtui.lab.world import World
from hvtui.live.identity import OtherCluster
from hvtui.live.picture import take_picture
from hvtui.live.pins import Pins
from hvtui.model.link import LinkStatus
from tests.remote.conftest import config_for, gate_for
from tests.remote.engines import ScriptedEngine, frame, hang, info, ticking


async def test_the_picture_is_the_worlds(tmp_path: Path) -> None:
    with Lab("healthy", speed=0) as lab:
        picture = await take_picture(config_for(lab), gate_for(lab))
        homes = lab.call(lambda w: {vm.id: name for name, node in w.nodes.items() for vm in node.vms.values()})
        assert picture.unread == []
        assert not picture.empty
        assert {key: picture.state.home(key) for key in homes} == homes
        assert all(view.writers is None for view in picture.state.nodes.values())
        assert lab.logons[lab.username].succeeded == len(lab.addresses)
        assert [lab.node(name).shells for name in lab.addresses] == [0] * len(lab.addresses)


async def test_writers_only_when_asked() -> None:
    with Lab("healthy", speed=0) as lab:
        picture = await take_picture(config_for(lab), gate_for(lab), writers=True)
        views = picture.state.nodes.values()
        assert all(view.writers is not None and view.writers.writers for view in views)
        assert all(view.providers for view in views)


async def test_what_could_not_be_read_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hvtui.remote.transport.LOG_ON_SECONDS", 0.5)
    with Lab("healthy", speed=0) as lab:
        lab.node("HV01").stop()
        lab.node("HV02").hang()
        lab.call(lambda w: w.nodes["HV03"].faults.unreadable.update({"vms.last_backup": "denied"}))
        addresses = {name: address for name, address in lab.addresses.items() if name != "HV04"}
        config = config_for(lab, addresses=addresses, seeds=("HV01", "HV02", "HV05"))
        picture = await take_picture(config, gate_for(lab))
        unread = {(u.node, u.what): u.text for u in picture.unread}
        assert "Nothing listens" in unread["HV01", "node"]
        assert "does not answer" in unread["HV02", "node"]
        assert ("HV03", "vms.last_backup") in unread
        assert "no address" in unread["HV04", "node"]
        assert len(unread) == 4
        assert picture.state.node("HV04").link.status is LinkStatus.NOT_CONTACTED
        assert picture.state.node("HV05").vms


async def test_wrong_password_is_tried_once_and_gives_an_empty_picture() -> None:
    with Lab("healthy", speed=0) as lab:
        picture = await take_picture(config_for(lab), gate_for(lab, "wrong"))
        assert picture.empty
        assert lab.logons[lab.username].failed == 1
        assert any("refused the log-on" in u.text for u in picture.unread)


async def test_another_cluster_is_refused(tmp_path: Path) -> None:
    pins = Pins(tmp_path, None)
    pins.pin("lab", "another")
    with Lab("healthy", speed=0) as lab:
        with pytest.raises(OtherCluster, match="expected another"):
            await take_picture(config_for(lab), gate_for(lab), pins=pins)
        assert [lab.node(name).shells for name in lab.addresses] == [0] * len(lab.addresses)


async def test_nodes_are_read_when_no_cluster_answers() -> None:
    with Lab("healthy", speed=0) as lab:

        def stop_services(world: World) -> None:
            for node in world.nodes.values():
                node.services["ClusSvc"].state = "Stopped"

        lab.call(stop_services)
        picture = await take_picture(config_for(lab), gate_for(lab))
        assert any(u.node == "" and u.what == "cluster" for u in picture.unread)
        assert all(picture.state.node(name).vms is not None for name in lab.addresses)


async def test_a_stream_that_says_nothing_meets_the_deadline() -> None:
    engine = ScriptedEngine(
        **{
            "Watch-HvTuiCluster": hang,
            "Watch-HvTuiNode": ticking(frame("full", 1, vms=[], errors=[])),
        }
    )
    with Lab({"HV01": engine}) as lab:
        picture = await take_picture(config_for(lab), gate_for(lab), deadline=1.0)
        assert [u.what for u in picture.unread] == ["cluster"]
        assert picture.state.node("HV01").vms == {}


async def test_old_windows_is_unread() -> None:
    engine = ScriptedEngine(
        **{
            "Get-HvTuiInfo": info(supported=False, build="6.3.9600"),
            "Watch-HvTuiCluster": frame("full", 1, nodes=[{"name": "HV01", "state": 0}], errors=[]),
        }
    )
    with Lab({"HV01": engine}) as lab:
        picture = await take_picture(config_for(lab), gate_for(lab))
        assert ["older than Windows Server 2016" in u.text for u in picture.unread] == [True]
