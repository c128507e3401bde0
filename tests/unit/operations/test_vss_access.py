"""Accounts and values of VssAccessControl, the nodes side by side, and who is proposed: pure, on made-up answers."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hvtui.model.events import NodeEvent
from hvtui.model.records import Event, Problem
from hvtui.model.vss_access import ServiceAccount, VssAccess, VssAccessEntry
from hvtui.operations.vss_access import (
    ABSENT,
    BOTH,
    GRANTS,
    fault_of,
    is_shipped,
    is_wide,
    number,
    spelled,
    table,
    value_of,
)
from hvtui.operations.vss_proposals import is_backup, named_in, proposals

NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
SINGLE = "S-1-5-21-1-2-3-1104"
REPLAY = ServiceAccount(name="Replay", display="Replay Manager", account="CORP\\svc-replay", state="Running")
NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=40)


def answer(node: str, entries: dict[str, int | None] | None = None, **more: Any) -> VssAccess:
    told = [VssAccessEntry(account=name, value=value, sid=SINGLE) for name, value in (entries or {}).items()]
    fields: dict[str, Any] = {"v": 1, "time": NOW, "key": True, "entries": told, "services": []} | more
    return VssAccess(node=node, **fields)


def event(node: str, number: int = 8194, *, text: str = "", minutes: int = 0, **more: Any) -> NodeEvent:
    time = NOW + timedelta(minutes=minutes)
    fields: dict[str, Any] = {"channel": "Application", "record": 1, "level": 2, "provider": "VSS"} | more
    return NodeEvent(node, Event(id=number, time=time, text=text, **fields))


# --- accounts ---


@pytest.mark.parametrize(
    ("account", "fine"),
    [
        ("CORP\\svc-replay", True),
        ("CORP\\gmsa$", True),
        ("NT SERVICE\\Veeam", True),
        ("CORP\\[a-z]*?`'", True),
        ("svc-replay", False),
        ("svc@corp.example", False),
        ("\\svc", False),
        ("CORP\\", False),
        ("CORP\\a\\b", False),
        (" CORP\\svc", False),
        ("CORP\\svc ", False),
        ("CORP\\s\x00c", False),
        ("CORP\\s\x1b[31mc", False),
        ("CORP\\" + "x" * 300, False),
        ("", False),
    ],
)
def test_what_an_account_looks_like(account: str, fine: bool) -> None:
    assert (fault_of(account) == "") is fine


@pytest.mark.parametrize(
    ("account", "sid", "wide"),
    [
        ("Everyone", None, True),
        ("Jeder", "S-1-1-0", True),
        ("BUILTIN\\Users", None, True),
        ("builtin\\USERS", None, True),
        ("NT AUTHORITY\\Authenticated Users", None, True),
        ("NT-AUTORITÄT\\Authentifizierte Benutzer", "S-1-5-11", True),
        ("CORP\\Domain Users", None, True),
        ("CORP\\Domänen-Benutzer", "S-1-5-21-1-2-3-513", True),
        ("CORP\\Guest", "S-1-5-21-1-2-3-501", True),
        ("NT SERVICE\\ALL SERVICES", "S-1-5-80-0", True),
        ("CORP\\Users", SINGLE, False),
        ("CORP\\Everyone-Backup", None, False),
        ("CORP\\svc", SINGLE, False),
        ("CORP\\Administrator", "S-1-5-21-1-2-3-500", False),
        ("NT SERVICE\\Veeam", "S-1-5-80-1-2-3-4-5", False),
    ],
)
def test_who_stands_for_many(account: str, sid: str | None, wide: bool) -> None:
    assert is_wide(account, sid) is wide


@pytest.mark.parametrize(
    ("account", "sid", "shipped"),
    [
        ("NT Authority\\NetworkService", None, True),
        ("NT AUTHORITY\\NETWORK SERVICE", None, True),
        ("AUTORITE NT\\SERVICE RÉSEAU", "S-1-5-20", True),
        ("BUILTIN\\Backup Operators", None, True),
        ("CORP\\NetworkService", SINGLE, False),
    ],
)
def test_what_is_windows_own(account: str, sid: str | None, shipped: bool) -> None:
    assert is_shipped(account, sid) is shipped


@given(NAMES, NAMES)
def test_any_text_is_judged_and_what_passes_is_one_name_of_a_domain(left: str, right: str) -> None:
    account = f"{left}\\{right}"
    if fault_of(account) == "":
        assert account.count("\\") == 1
        assert account.isprintable()
        assert left.strip() == left != ""
        assert right.strip() == right != ""


@given(st.integers(-1, 3))
def test_a_value_is_spelled_and_read_back(value: int) -> None:
    assert number(spelled(value)) == value
    assert GRANTS[value]


@given(st.text(max_size=4))
def test_no_other_text_is_a_value(text: str) -> None:
    assert number(text) is None or re.fullmatch("[0-3]|absent", text)


# --- side by side ---


ENTRIES = st.dictionaries(
    st.sampled_from(["CORP\\a", "CORP\\A", "CORP\\b", "X\\[c]*"]), st.one_of(st.none(), st.integers(0, 3)), max_size=3
).filter(lambda one: len({name.lower() for name in one}) == len(one))


@given(st.dictionaries(st.sampled_from(["HV01", "HV02", "HV03"]), ENTRIES, min_size=1))
def test_the_table_says_of_each_node_what_it_has(held: dict[str, dict[str, int | None]]) -> None:
    answers: dict[str, VssAccess | str] = {node: answer(node, entries) for node, entries in held.items()}
    shown = table(answers)
    assert len({row.account.lower() for row in shown.rows}) == len(shown.rows)
    for row in shown.rows:
        for node, cell in row.cells.items():
            has = {name.lower(): value for name, value in held[node].items()}
            assert cell.value == has.get(row.account.lower(), ABSENT)
            assert cell.value == value_of(answers[node], row.account.swapcase())
        assert row.differs is (len({cell.value for cell in row.cells.values()}) > 1)
    told = {name.lower() for entries in held.values() for name in entries}
    assert {row.account.lower() for row in shown.rows} == told


def test_what_was_not_read_is_no_column_and_never_an_absent_entry() -> None:
    broken = answer("HV02", errors=[Problem(part="entries", kind="denied", text="access refused")])
    unread = VssAccess(v=1, time=NOW, node="HV02", errors=broken.errors)
    shown = table({"HV01": answer("HV01", {"CORP\\a": 1}), "HV02": unread, "HV03": "cannot be reached"})
    assert set(shown.rows[0].cells) == {"HV01"}
    assert shown.unread == {"HV02": "access refused", "HV03": "cannot be reached"}
    assert value_of(unread, "CORP\\a") is None
    assert value_of(VssAccess(v=1, time=NOW, node="HV04", key=False), "CORP\\a") == ABSENT


# --- proposals ---


def test_8194_proposes_the_backup_services_account_with_1_and_its_evidence() -> None:
    answers = {name: answer(name, services=[REPLAY]) for name in ("HV01", "HV02")}
    (found,) = proposals(answers, [event("HV01"), event("HV01", minutes=5)])
    assert (found.account, found.value, found.nodes, found.needed) == ("CORP\\svc-replay", 1, ("HV01", "HV02"), True)
    assert "8194 on HV01 2 times, the last at 2026-11-24 02:05 UTC" in found.evidence
    assert any("Replay Manager (Replay) on HV02" in line for line in found.evidence)
    assert found.grants == GRANTS[1]


def test_what_an_account_has_already_is_kept() -> None:
    answers: dict[str, VssAccess | str] = {
        "HV01": answer("HV01", {"CORP\\SVC-REPLAY": 2}, services=[REPLAY]),
        "HV02": answer("HV02", {"CORP\\svc-replay": 1}),
        "HV03": answer("HV03", {"CORP\\svc-replay": 3}),
        "HV04": answer("HV04", {"CORP\\svc-replay": 0}),
        "HV05": "cannot be reached",
    }
    (found,) = proposals(answers, [event("HV01")])
    assert (found.value, found.nodes) == (BOTH, ("HV01", "HV02", "HV04"))
    assert "HV04 denies it" in found.caution
    assert "HV05 could not be read" in found.caution


def test_where_all_have_it_nothing_is_proposed() -> None:
    answers = {"HV01": answer("HV01", {"CORP\\svc-replay": 1}, services=[REPLAY])}
    assert proposals(answers, [event("HV01")]) == ()


def test_without_an_event_a_requester_is_an_idea_and_no_need() -> None:
    (found,) = proposals({"HV01": answer("HV01", services=[REPLAY])}, [event("HV01", provider="Other")])
    assert (found.needed, found.value) == (False, 2)


def test_8213_proposes_whom_the_writers_service_runs_as() -> None:
    sql = ServiceAccount(name="SQLWriter", account="CORP\\svc-sql", state="Running")
    text = "Writer Name: SqlServerWriter, Writer Class Id: {a65faa63-5ea8-4ebc-9dbd-a0c4db26912a}"
    answers = {"HV01": answer("HV01", services=[sql]), "HV02": answer("HV02")}
    (found,) = proposals(answers, [event("HV01", 8213, text=text)])
    assert (found.account, found.value, found.needed) == ("CORP\\svc-sql", 1, True)
    assert any("SQLWriter" in line for line in found.evidence)


def test_an_account_that_the_event_names_is_proposed_unless_it_is_windows_own() -> None:
    named = "User: Name: CORP\\svc-named, SID:S-1-5-21-1-2-3-1111"
    own = "User: Name: NT AUTHORITY\\NETWORK SERVICE, SID:S-1-5-20"
    wide = "User: Name: CORP\\Domänen-Benutzer, SID:S-1-5-21-1-2-3-513"
    events = [event("HV01", data={"1": named}), event("HV01", text=own), event("HV01", text=wide)]
    assert [one.account for one in proposals({"HV01": answer("HV01")}, events)] == ["CORP\\svc-named"]
    assert named_in(events[0]) == [("CORP\\svc-named", "S-1-5-21-1-2-3-1111")]


def test_a_machines_own_account_is_proposed_on_that_machine_only() -> None:
    local = ServiceAccount(name="Backup", account=".\\backup", state="Running")
    answers = {"HV01": answer("HV01", services=[local]), "HV02": answer("HV02")}
    (found,) = proposals(answers, [event("HV01")])
    assert (found.account, found.nodes) == ("HV01\\backup", ("HV01",))


@pytest.mark.parametrize(
    ("name", "display", "backup"),
    [("GxVssHWProv(Instance001)", "Commvault VSS Hardware Provider", True), ("ReplayManager", None, True),
     ("MSSQLSERVER", "SQL Server (MSSQLSERVER)", False), ("W3SVC", "World Wide Web", False)],
)  # fmt: skip
def test_which_services_are_a_backup_products(name: str, display: str | None, backup: bool) -> None:
    assert is_backup(ServiceAccount(name=name, display=display, account="CORP\\x")) is backup


@given(NAMES, st.integers(0, 20_000))
def test_hostile_event_texts_propose_nothing_wide_and_never_fail(text: str, number: int) -> None:
    events = [event("HV01", text=f"{text}\\{text}, SID:S-1-5-{number}"), event("HV01", text=text)]
    for one in proposals({"HV01": answer("HV01")}, events):
        assert fault_of(one.account) == ""
        assert not is_shipped(one.account)
