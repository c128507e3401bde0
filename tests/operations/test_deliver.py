"""What each kind of guest can deliver, from what its node tells: held against what the world's Windows really does."""

from __future__ import annotations

import pytest

from hvtui.lab.world import actions
from hvtui.lab.world.actions import Refused
from hvtui.lab.world.guests import KINDS
from hvtui.model.enums import CheckpointType
from hvtui.model.severity import Severity
from hvtui.operations.deliver import Can, Delivery, becomes
from hvtui.operations.plan import Verb
from hvtui.operations.verbs.policy import delivery_of
from tests.operations.test_rules import HEALTHY
from tests.support.builders import guid
from tests.support.desk import Stage, small
from tests.support.small_clusters import Small

SPECIAL = {
    "OLD": 'config_version = "5.0"\nguest = "windows-2012r2"',
    "DISK": 'other_disks = ["Disk 3 10 GB Bus 0 Lun 0 Target 3"]',
    "QUORUM": "shared_disks = ['C:\\ClusterStorage\\Volume1\\quorum.vhds']",
    "TAPE": "fibre_channel = 2",
    "CAD": "gpu = 1",
    "COLD": 'state = "Off"',
    "SLEEPS": 'state = "Saved"',
}
EXPECTED = {
    "windows-2012r2": Can.PRODUCTION,
    "windows-2016": Can.PRODUCTION,
    "windows-2019": Can.PRODUCTION,
    "windows-2022": Can.PRODUCTION,
    "domain-controller": Can.PRODUCTION,
    "windows-vss-off": Can.STANDARD,
    "windows-no-vmicvss": Can.STANDARD,
    "linux": Can.PRODUCTION,
    "linux-no-daemon": Can.STANDARD,
    "windows-no-session": Can.PRODUCTION,
    "windows-no-kvp": Can.PRODUCTION,
    "sql-server": Can.PRODUCTION,
    "appliance": Can.STANDARD,
    "OLD": Can.STANDARD,
    "DISK": Can.NONE,
    "QUORUM": Can.NONE,
    "TAPE": Can.NONE,
    "CAD": Can.NONE,
    "COLD": Can.PRODUCTION,
    "SLEEPS": Can.STANDARD,
}


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    folder = tmp_path_factory.mktemp("kinds")
    lines = {name: f'guest = "{name}"' for name in KINDS} | SPECIAL
    table = '\n[[vms]]\nname = "{}"\nmemory_gb = 2\nnodes = ["HV01"]\n{}\n'
    more = "".join(table.format(name, line) for name, line in lines.items())
    return Stage(small(folder, more=more), folder)


async def deliveries(here: Stage) -> dict[str, Delivery]:
    """By name, as a plan tells them."""
    await here.plan(Verb.POLICY, *(here.vm(name) for name in EXPECTED), type="Standard")
    facts = here.operations.facts()
    return {name: delivery_of(facts, here.vms[name].id) for name in EXPECTED}


async def test_every_kind_of_guest_and_every_obstacle(here: Stage) -> None:
    assert set(EXPECTED) == set(KINDS) | set(SPECIAL)
    found = await deliveries(here)
    assert {name: one.word for name, one in found.items()} == EXPECTED
    assert all(one.reasons for one in found.values() if one.word is not Can.PRODUCTION)


async def test_the_world_keeps_to_it(here: Stage) -> None:
    """A checkpoint of each under `Production` becomes what was said, or there is none where none was promised."""
    found = await deliveries(here)
    expected: dict[str, bool | None] = {}
    for name, one in found.items():
        vm = here.vms[name]
        vm.checkpoint_type = CheckpointType.Production
        vm.checkpoints.clear()
        expected[name] = {Can.NONE: None, Can.STANDARD: True, Can.PRODUCTION: False}[one.word]
        try:
            actions.checkpoint(here.world, vm, "probe")
        except Refused:
            assert one.word is Can.NONE
    here.nodes.pump(5.0)
    for _ in range(30):
        here.nodes.pump(5.0)
    made = {name: here.vms[name].checkpoints[0].saved if here.vms[name].checkpoints else None for name in found}
    assert made == expected


async def test_what_a_guest_says_of_itself(here: Stage) -> None:
    found = await deliveries(here)
    assert found["windows-2019"].system == "Windows Server 2019 Standard"
    assert found["linux"].reasons == ("its file systems are frozen, its applications are not told",)
    for name in ("appliance", "windows-no-kvp", "COLD"):
        assert (found[name].system, found[name].controller) == ("", None)
    assert {name for name, one in found.items() if one.controller} == {"domain-controller"}
    text, severity = becomes(found["domain-controller"], CheckpointType.Standard)
    assert ("only production checkpoints" in text, severity) == (True, Severity.BAD)


@pytest.mark.parametrize(
    ("small_one", "why"),
    [
        (HEALTHY.vm("SQL07", more={"pass_through": None}), "its disks could not be read"),
        (HEALTHY.vm("SQL07", more={"shared": None}), "its disks could not be read"),
        (HEALTHY.vm("SQL07", more={"fibre_channel": None}), "its Fibre Channel adapters could not be read"),
        (HEALTHY.vm("SQL07", more={"gpu": None}), "its GPUs could not be read"),
        (HEALTHY.vm("SQL07", record={"version": None}), "its configuration version could not be read"),
        (HEALTHY.vm("SQL07", record={"vss": None}), "its integration service for backup could not be read"),
    ],
    ids=["pass-through", "shared", "fibre", "gpu", "version", "vss"],
)
def test_what_could_not_be_read_is_no_promise(small_one: Small, why: str) -> None:
    facts = small_one.facts()
    found = delivery_of(facts, guid("SQL07"))
    assert (found.word, found.severity) == (Can.UNKNOWN, Severity.UNKNOWN)
    assert why in found.reasons
    assert becomes(found, CheckpointType.Production)[1] is Severity.UNKNOWN
    assert delivery_of(HEALTHY.facts(preflight={}), guid("SQL07")).word is Can.UNKNOWN
    assert delivery_of(HEALTHY.facts(), guid("nobody")).word is Can.UNKNOWN


def test_what_rules_it_out_counts_more_than_what_is_unread() -> None:
    facts = HEALTHY.vm("SQL07", more={"gpu": 1, "fibre_channel": None}, record={"vss": None}).facts()
    assert delivery_of(facts, guid("SQL07")).word is Can.NONE
    mute = HEALTHY.vm("SQL07", record={"vss": 12}, more={"gpu": None}).facts()
    assert delivery_of(mute, guid("SQL07")).word is Can.STANDARD
