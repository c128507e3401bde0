"""Guests of the world: who may enter them, how an account locks, what is in them, and what deleting files does."""

from __future__ import annotations

from typing import Any, Final

import pytest

from hvtui.lab.world import World, guest_inside
from hvtui.lab.world.actions import free_space
from hvtui.lab.world.guest_access import NoSession, connect
from hvtui.lab.world.guest_accounts import proof
from hvtui.lab.world.scenario import ScenarioError, parse_scenario
from hvtui.lab.world.vm import GB, MB, GuestVolume
from tests.engine.support.stage import START

DOMAIN: Final = "CORP\\svc-guests"
GOOD: Final = proof("Demo-guest-1")
WRONG: Final = proof("wrong")


def raw(**guests: Any) -> dict[str, Any]:
    """A host with a guest of the domain, one of its own and one that just starts."""
    return {
        "title": "Guests",
        "cluster": {"name": "CLU-G", "id": "5b1f1f0e-9d0c-4a3e-8b0a-61c0f1d2af12"},
        "nodes": {"count": 1},
        "csvs": [{"count": 1}],
        "guests": guests,
        "vms": [
            {"name": "A", "volumes": [{"name": "T:", "size_gb": 10, "free_gb": 0, "files": [
                {"path": "big", "size_gb": 3}, {"path": "small", "size_gb": 1},
            ]}]},
            {"name": "OWN", "guest_account": "admin", "guest_password": "own"},
            {"name": "LNX", "guest": "linux"},
        ],
    }  # fmt: skip


def world(**guests: Any) -> World:
    return World.load(parse_scenario(raw(**guests), "test"), start=START, at=100.0)


def enter(one: World, name: str, user: str, password: str) -> str:
    """`in`, or the kind of what stands against it."""
    vm = one.vm(name)
    try:
        connect(one, vm.node, vm.id, user, password)
    except NoSession as no:
        return no.kind
    return "in"


def test_names_of_accounts_are_those_of_windows() -> None:
    one = world()
    own = proof("own")
    assert [enter(one, "A", user, GOOD) for user in (DOMAIN, DOMAIN.upper(), "svc-guests", "OTHER\\svc-guests")] == [
        "in", "in", "credential", "credential",
    ]  # fmt: skip
    assert {enter(one, "OWN", user, own) for user in ("admin", ".\\ADMIN", "own\\admin", "localhost\\admin")} == {"in"}
    assert [enter(one, "OWN", user, password) for user, password in ((DOMAIN, GOOD), ("A\\admin", own))] == [
        "credential", "credential",
    ]  # fmt: skip


def test_wrong_passwords_lock_an_account_for_every_guest_of_its_domain() -> None:
    one = world(lockout=3)
    for _ in range(2):
        enter(one, "A", DOMAIN, WRONG)
    # A right one starts the count anew.
    assert enter(one, "A", DOMAIN, GOOD) == "in"
    for _ in range(3):
        assert enter(one, "A", DOMAIN, WRONG) == "credential"
    assert enter(one, "A", DOMAIN, GOOD) == "credential"
    kinds = [harm.kind for harm in one.ledger.entries]
    assert (kinds.count("logon_failed"), kinds.count("account_locked")) == (6, 1)
    assert [harm.target for harm in one.ledger.of("account_locked")] == [DOMAIN]
    assert enter(world(lockout=0), "A", DOMAIN, WRONG) == "credential"


def test_who_does_not_listen_is_asked_for_no_password() -> None:
    one = world()
    assert enter(one, "LNX", DOMAIN, WRONG) == "connect"
    vm = one.vm("A")
    vm.started = one.elapsed
    assert enter(one, "A", DOMAIN, WRONG) == "connect"
    one.advance(60.0)
    assert enter(one, "A", DOMAIN, GOOD) == "in"
    vm.config_version = "6.1"
    assert enter(one, "A", DOMAIN, GOOD) == "connect"
    vm.set_state(3)
    assert enter(one, "A", DOMAIN, GOOD) == "state"
    del vm.node.vms[vm.id]
    assert enter(one, "A", DOMAIN, GOOD) == "vm"
    assert one.ledger.entries == []


@pytest.mark.parametrize(
    ("size", "free", "full"),
    [
        (100 * GB, GB - 1, True), (100 * GB, GB, False), (GB, 320 * MB, False), (GB, 320 * MB - 1, True),
        (500 * MB, 50 * MB, False), (500 * MB, 50 * MB - 1, True),
    ],
)  # fmt: skip
def test_what_is_full_depends_on_the_size(size: int, free: int, full: bool) -> None:
    assert GuestVolume("", size, free).full is full


def test_who_frees_space_deletes_the_largest_files() -> None:
    one = world()
    vm = one.vm("A")
    assert vm.full_volumes()
    free_space(vm, 2.0)
    (volume,) = vm.volumes
    assert (volume.free, sorted(volume.files)) == (2 * GB, [("big", GB), ("small", GB)])
    free_space(vm, 4.5)
    assert (volume.free, volume.files) == (int(4.5 * GB), [])
    free_space(vm, 99.0)
    assert volume.free == volume.size
    assert not vm.full_volumes()


def test_a_volume_without_a_letter_has_a_guid_that_stays() -> None:
    first, second = world(), world()
    paths = [
        [guest_inside.volume_path(vm, volume) for vm in one.vms.values() for volume in guest_inside.volumes(vm)]
        for one in (first, second)
    ]
    assert paths[0] == paths[1]
    letterless = [path for path in paths[0] if path.startswith("\\\\?\\Volume{")]
    assert len(set(letterless)) == len(letterless) == 3


def test_a_scenario_with_a_wrong_guest_is_refused() -> None:
    wrong = raw()
    wrong["vms"][0]["volumes"][0]["free_gb"] = 11
    wrong["vms"][1]["guest_unreadable"] = {"volume": "denied"}
    with pytest.raises(ScenarioError) as caught:
        parse_scenario(wrong, "test")
    assert "T: has more free than its size" in str(caught.value)
    assert "'volume' is unknown (did you mean 'volumes'?)" in str(caught.value)
