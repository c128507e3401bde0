"""The id of a cluster is pinned at first contact; another one stops everything until it is accepted."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from hvtui.config import ClusterConfig
from hvtui.errors import ConfigError
from hvtui.lab.serve import Lab
from hvtui.live.identity import Identity, OtherCluster
from hvtui.live.monitor import Monitor
from hvtui.live.pins import FILE, Pins, accept_pin
from hvtui.model.link import LinkStatus
from tests.live.conftest import all_live, status
from tests.support.wait import until

Labs = Callable[..., Lab]
Watch = Callable[..., Awaitable[Monitor]]


def test_pins_are_kept_per_configuration_file_and_cluster(tmp_path: Path) -> None:
    one, two = Pins(tmp_path, tmp_path / "one.toml"), Pins(tmp_path, tmp_path / "two.toml")
    one.pin("prod", "a")
    two.pin("prod", "b")
    two.pin("test", "c")
    again = Pins(tmp_path, tmp_path / "one.toml")
    assert (again.get("prod"), again.get("test"), two.get("prod"), two.get("test")) == ("a", None, "b", "c")
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_another_id_is_refused_and_can_be_accepted(tmp_path: Path) -> None:
    pins = Pins(tmp_path, tmp_path / "my config.toml")
    config = ClusterConfig("prod", ("HV01",))
    assert accept_pin(pins, "prod") is None
    Identity(config, pins).check("a", "CLU")
    identity = Identity(config, pins)
    with pytest.raises(OtherCluster, match="id b; expected a") as caught:
        identity.check("b", "CLU")
    assert "hvtui config accept-id prod --config " in caught.value.hint
    assert pins.get("prod") == "a"
    assert accept_pin(pins, "prod") == "b"
    Identity(config, pins).check("b", "CLU")
    assert accept_pin(pins, "prod") is None


def test_the_id_may_not_change_while_running_even_without_pins() -> None:
    identity = Identity(ClusterConfig("demo", ("HV01",)), None)
    identity.check("a", "CLU")
    with pytest.raises(OtherCluster):
        identity.check("b", "CLU")


@pytest.mark.parametrize("content", ["{", "[]", '{"": 3}', '{"": {"prod": 3}}', "\udcff"])
def test_a_damaged_file_is_said_to_be_damaged(tmp_path: Path, content: str) -> None:
    (tmp_path / FILE).write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(ConfigError, match="cannot be read"):
        Pins(tmp_path, None).get("prod")


async def test_monitor_pins_at_first_contact_and_stops_at_another_cluster(
    labs: Labs, watch: Watch, tmp_path: Path
) -> None:
    pins = Pins(tmp_path, None)
    lab = labs("healthy", speed=0)
    monitor = await watch(lab, pins=pins)
    await until(lambda: all_live(monitor, lab))
    first = lab.call(lambda w: w.cluster.id)
    assert pins.get("lab") == first
    await monitor.stop()
    lab.call(lambda w: setattr(w.cluster, "id", "00000000-0000-0000-0000-00000000beef"))
    stranger = await watch(lab, pins=pins)
    await until(lambda: status(stranger) is LinkStatus.STOPPED)
    link = stranger.state.cluster.link
    assert first in link.text
    assert "hvtui config accept-id lab" in link.hint
    assert stranger.state.cluster.nodes is None
    await until(lambda: all(view.link.status is LinkStatus.STOPPED for view in stranger.state.nodes.values()))
    await until(lambda: sum(lab.node(name).shells for name in lab.addresses) == 0)
    assert stranger.refresh("node").startswith("Stopped")
    await stranger.stop()
    accept_pin(pins, "lab")
    accepted = await watch(lab, pins=pins)
    await until(lambda: all_live(accepted, lab))
