"""Who may take part in VSS on a host: what an entry does to the next backup, to its events, and to others."""

from __future__ import annotations

from pathlib import Path

import pytest

from hvtui.lab.native.vss_access import vss_access
from hvtui.lab.pwsh.cim.windows import process_id, services
from hvtui.lab.world import World, actions
from hvtui.lab.world.accounts import sid_of
from hvtui.lab.world.node import SHIPPED, Node
from tests.support.world import START

ACCOUNT = "CORP\\svc-replay"
EVERY = 1800.0
"""Seconds between two backups of a node in the scenario."""


@pytest.fixture
def world() -> World:
    """The scenario of the report, after the first backup of every node."""
    return World.load("access-denied", start=START, at=EVERY)


def told(node: Node, id: int = 8194) -> int:
    """How often an event was logged."""
    return sum(event.id == id for event in node.log("Application").records)


def next_backup(world: World, node: Node, id: int = 8194) -> int:
    """How often it is logged by one more backup; the backup itself succeeds."""
    before, saved = told(node, id), max(vm.last_backup or 0.0 for vm in node.vms.values())
    world.advance(EVERY)
    assert max(vm.last_backup or 0.0 for vm in node.vms.values()) > saved
    return told(node, id) - before


def test_the_fix_of_the_report_and_its_undo(world: World) -> None:
    nodes = list(world.nodes.values())
    before = {node.name: dict(node.access_control) for node in nodes}
    assert [next_backup(world, node) for node in nodes[:1]] == [1]
    for node in nodes:
        actions.set_access(world, node, ACCOUNT.upper(), 1)
    world.advance(EVERY)
    seen = {node.name: told(node) for node in nodes}
    world.advance(2 * EVERY)
    assert {node.name: told(node) for node in nodes} == seen
    for node in nodes:
        actions.remove_access(world, node, ACCOUNT)
    assert {node.name: dict(node.access_control) for node in nodes} == before
    world.advance(2 * EVERY)
    assert all(told(node) > seen[node.name] for node in nodes)
    assert world.ledger.entries == []
    assert [change.command for change in world.commands.changes] == ["New-ItemProperty"] * 4 + [
        "Remove-ItemProperty"
    ] * 4


@pytest.mark.parametrize(("value", "events"), [(1, 0), (2, 1), (3, 0)])
def test_only_the_right_of_a_writer_ends_the_refused_callback(world: World, value: int, events: int) -> None:
    node = world.node("HV01")
    actions.set_access(world, node, ACCOUNT, value)
    assert next_backup(world, node) == events
    assert world.ledger.entries == []


def test_who_is_denied_asks_in_vain(world: World) -> None:
    node = world.node("HV01")
    actions.set_access(world, node, ACCOUNT, 0)
    saved = {vm.name: vm.last_backup for vm in node.vms.values()}
    seen = told(node)
    world.advance(EVERY)
    assert told(node) > seen
    (harm,) = world.ledger.entries
    assert (harm.kind, harm.target) == ("backup_broken", "HV01")
    assert {vm.name: vm.last_backup for vm in node.vms.values() if vm.name in saved} | saved == saved
    actions.set_access(world, node, ACCOUNT, 1)
    assert next_backup(world, node) == 0
    assert len(world.ledger.entries) == 1


@pytest.mark.parametrize("value", [0, 2])
def test_windows_own_entry_changed_is_harm_and_told_by_8213(world: World, value: int) -> None:
    node = world.node("HV01")
    actions.set_access(world, node, SHIPPED.upper(), value)
    assert [(harm.kind, harm.target) for harm in world.ledger.entries] == [("vss_shipped", SHIPPED.upper())]
    assert node.access_control[SHIPPED] == value
    assert next_backup(world, node, 8213) == 1
    event = next(one for one in node.log("Application").records if one.id == 8213)
    assert (event.data["1"], event.data["2"]) == ("System Writer", "{e8132975-6f93-4464-a53e-1050253ae220}")
    assert "does not run under a user with sufficient access rights" in event.text


def test_the_same_value_again_harms_nobody(world: World) -> None:
    actions.set_access(world, world.node("HV01"), SHIPPED, 1)
    assert world.ledger.entries == []
    actions.remove_access(world, world.node("HV01"), SHIPPED)
    assert [harm.kind for harm in world.ledger.entries] == ["vss_shipped"]


@pytest.mark.parametrize(
    "account",
    [
        "Everyone",
        "Users",
        "BUILTIN\\Users",
        "NT AUTHORITY\\Authenticated Users",
        "CORP\\Domain Users",
        "guests",
        "SERVICE",
    ],
)
def test_everybody_of_a_kind_let_in_is_harm(world: World, account: str) -> None:
    actions.set_access(world, world.node("HV01"), account, 1)
    assert [(harm.kind, harm.target) for harm in world.ledger.entries] == [("vss_opened", account)]


def test_without_elevation_windows_refuses(world: World) -> None:
    node = world.node("HV01")
    node.faults.rights.add("elevated")
    before = dict(node.access_control)
    with pytest.raises(actions.Refused, match="not allowed"):
        actions.set_access(world, node, ACCOUNT, 1)
    with pytest.raises(actions.Refused, match="not allowed"):
        actions.remove_access(world, node, SHIPPED)
    assert node.access_control == before
    assert [change.outcome for change in world.commands.changes] == ["refused", "refused"]
    assert world.ledger.entries == []


def test_the_event_tells_the_writers_process_and_not_who_asks(world: World) -> None:
    node = world.node("HV01")
    event = next(one for one in node.log("Application").records if one.id == 8194)
    crypt = next(one for one in services(node) if one.name == "CryptSvc")
    assert f"PID:  {process_id(node, crypt):08d}-" in event.data["Binary"]
    assert event.data["Binary"].endswith("User: Name: NT AUTHORITY\\NETWORK SERVICE, SID:S-1-5-20")
    assert "svc-replay" not in str(event)
    assert b"svc-replay" in vss_access(world, node).encode()


def test_accounts_are_those_of_the_domain_and_of_windows(world: World) -> None:
    node = world.node("HV01")
    known = {
        "S-1-5-20": ("NT Authority\\NetworkService", "nt authority\\network service", "NETWORK SERVICE"),
        "S-1-1-0": ("everyone",),
        "S-1-5-32-545": ("BUILTIN\\Users", "users"),
    }
    for sid, names in known.items():
        assert {sid_of(world, node, name) for name in names} == {sid}
    own = sid_of(world, node, ACCOUNT)
    assert own is not None
    assert {sid_of(world, node, name) for name in ("svc-replay", "SVC-REPLAY@corp.example")} == {own}
    assert (sid_of(world, node, "CORP\\Domain Users") or "").rpartition("-")[0] == own.rpartition("-")[0]
    assert [sid_of(world, node, name) for name in ("RETIRED\\svc-tape", "CORP\\nobody", "", "svc")] == [None] * 4
    assert sid_of(world, node, "Tout le monde") is None
    node.language = "fr"
    assert sid_of(world, node, "tout le monde") == "S-1-1-0"


def test_services_of_programs_run_where_the_scenario_says(tmp_path: Path) -> None:
    file = tmp_path / "scene.toml"
    file.write_text(
        """
title = "programs"
[cluster]
name = "CLU"
id = "5b1f1f0e-9d0c-4a3e-8b0a-61c0f1d2aff4"
[nodes]
count = 2
[[services]]
name = "Agent"
account = "CORP\\\\svc-agent"
nodes = ["HV02"]
""",
        encoding="utf-8",
    )
    world = World.load(file, start=START)
    assert [("Agent" in node.services) for node in world.nodes.values()] == [False, True]
    assert '"account":"CORP\\\\svc-agent"' in vss_access(world, world.node("HV02"))
    file.write_text(file.read_text("utf-8").replace('["HV02"]', '["HV09"]'), encoding="utf-8")
    with pytest.raises(Exception, match="HV09"):
        World.load(file, start=START)
