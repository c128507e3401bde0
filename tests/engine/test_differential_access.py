"""Who may take part in VSS, changed on both engines: the same answers and worlds, and names that are made to hurt."""

from __future__ import annotations

from typing import Any, Final

import pytest

from hvtui.lab.world import World, actions
from hvtui.lab.world.node import SHIPPED
from hvtui.lab.world.scenario import parse_scenario
from tests.engine.support.changes import Pair
from tests.engine.support.stage import Stage
from tests.engine.support.twin import call_differences

SET: Final = "Set-HvTuiVssAccess"
REMOVE: Final = "Remove-HvTuiVssAccess"
ACCOUNT: Final = "CORP\\svc-replay"
HOSTILE: Final = (
    "CORP\\svc*", "CORP\\svc?replay", "CORP\\[s]vc", "CORP\\o'brien", 'CORP\\say "hi"', "CORP\\$(Stop-Computer)",
    "CORP\\back`tick", "CORP\\%_x", "CORP\\\u6f22\u5b57", "CORP\\\u05e2\u05d1\u05e8\u05d9\u05ea", "svc@corp.example",
    "a;b, c=d & e", "-Name", "CORP\\a\\b", "\u2018curly\u2019 \u201cquotes\u201d", "{0} {{1}} %s",
    "HKLM:\\SYSTEM", "x" * 256,
)  # fmt: skip


def entry(**other: Any) -> dict[str, Any]:
    """Let the account of the report be a writer."""
    return {"Account": ACCOUNT, "Value": 1, "ExpectValue": -1, "Undo": 0, **other}


@pytest.fixture
def pair(stage: Stage) -> Pair:
    """The report's cluster, twice."""
    return Pair(stage, "access-denied")


def test_an_entry_is_made_changed_and_removed(pair: Pair) -> None:
    answer = pair.call("HV01", SET, entry())
    assert (answer["outcome"], answer["rule"], answer["recorded"], answer["errors"]) == ("done", "", True, [])
    assert (answer["before"]["value"], answer["after"]) == (-1, {"value": 1})
    assert answer["before"]["sid"].startswith("S-1-5-21-")
    # Names know no case, and the entry keeps its spelling.
    answer = pair.call("HV01", SET, entry(Account=ACCOUNT.upper(), Value=3, ExpectValue=1))
    assert answer["after"] == {"value": 3}
    assert pair.module.node("HV01").access_control == {SHIPPED: 1, ACCOUNT: 3}
    assert pair.call("HV01", REMOVE, {"Account": ACCOUNT.upper(), "ExpectValue": 1})["rule"] == "expect.value"
    answer = pair.call("HV01", REMOVE, {"Account": ACCOUNT.upper(), "ExpectValue": 3})
    assert (answer["outcome"], answer["after"]) == ("done", {"value": -1})
    assert pair.module.node("HV01").access_control == {SHIPPED: 1}
    assert pair.call("HV01", REMOVE, {"Account": ACCOUNT, "ExpectValue": 3})["rule"] == "expect.value"
    assert pair.module.ledger.entries == []
    asked = {(one.command, one.target, one.asked.function) for one in pair.module.commands.changes}
    assert asked == {
        ("New-ItemProperty", f"HV01/{ACCOUNT}", SET),
        ("New-ItemProperty", f"HV01/{ACCOUNT.upper()}", SET),
        ("Remove-ItemProperty", f"HV01/{ACCOUNT}", REMOVE),
    }


@pytest.mark.parametrize(
    ("wish", "rule"),
    [
        (entry(Account="Everyone"), "forbidden"),
        (entry(Account="BUILTIN\\Users"), "forbidden"),
        (entry(Account="nt authority\\authenticated users", Undo=1), "forbidden"),
        (entry(Account="CORP\\Domain Users"), "forbidden"),
        (entry(Account="CORP\\Guest"), "forbidden"),
        (entry(Account=SHIPPED, Value=3, ExpectValue=1), "forbidden"),
        (entry(Account="NT AUTHORITY\\LOCAL SERVICE"), "forbidden"),
        (entry(Account="Administrators"), "forbidden"),
        (entry(Account="CORP\\nobody"), "expect.account"),
        (entry(Value=0), "forbidden"),
        (entry(ExpectValue=0), "expect.value"),
    ],
    ids=lambda one: one["Account"] if isinstance(one, dict) else one,
)
def test_what_is_refused(pair: Pair, wish: dict[str, Any], rule: str) -> None:
    answer = pair.call("HV01", SET, wish)
    assert (answer["outcome"], answer["rule"], answer["command"]) == ("refused", rule, "")
    assert pair.module.ledger.entries == []


def test_windows_own_entry_is_not_removed_and_one_of_nobody_is(pair: Pair) -> None:
    assert pair.call("HV02", REMOVE, {"Account": SHIPPED, "ExpectValue": 1})["rule"] == "forbidden"
    answer = pair.call("HV02", REMOVE, {"Account": "RETIRED\\svc-tape", "ExpectValue": 3})
    assert (answer["outcome"], answer["before"]) == ("done", {"value": 3, "sid": ""})
    assert pair.module.node("HV02").access_control == {SHIPPED: 1}


def test_an_undo_denies_again_where_it_was_denied(stage: Stage) -> None:
    def deny(world: World) -> None:
        actions.set_access(world, world.node("HV01"), ACCOUNT, 0)

    pair = Pair(stage, "access-denied", prepare=deny)
    assert pair.call("HV01", SET, entry(ExpectValue=0))["outcome"] == "done"
    assert pair.call("HV01", SET, entry(Value=0, ExpectValue=1))["rule"] == "forbidden"
    assert pair.call("HV01", SET, entry(Value=0, ExpectValue=1, Undo=1))["outcome"] == "done"
    assert pair.module.node("HV01").access_control == {SHIPPED: 1, ACCOUNT: 0}


def test_without_rights_without_the_key_and_unreadable(stage: Stage) -> None:
    pair = Pair(stage, "access-denied", prepare=lambda world: world.node("HV01").faults.rights.add("elevated"))
    answer = pair.call("HV01", SET, entry())
    assert (answer["outcome"], answer["rule"], answer["recorded"]) == ("refused", "denied", False)
    assert "not allowed" in answer["text"]
    pair = Pair(stage, "access-denied", prepare=lambda world: setattr(world.node("HV01"), "access_key", False))
    assert pair.call("HV01", SET, entry())["rule"] == "expect.key"
    assert pair.call("HV01", REMOVE, {"Account": ACCOUNT, "ExpectValue": 1})["rule"] == "expect.key"
    assert call_differences(stage, "HV01") == []
    pair = Pair(
        stage, "access-denied", prepare=lambda world: world.node("HV01").faults.unreadable.update({"access": "denied"})
    )
    answer = pair.call("HV01", SET, entry())
    assert (answer["rule"], [one["part"] for one in answer["errors"]]) == ("denied", ["access"])
    assert call_differences(stage, "HV01") == []


def test_names_that_are_made_to_hurt_change_only_themselves(stage: Stage) -> None:
    scenario = parse_scenario(
        {
            "title": "hostile accounts",
            "cluster": {
                "name": "CLU", "id": "5b1f1f0e-9d0c-4a3e-8b0a-61c0f1d2aff5", "account": "CORP\\svc",
                "accounts": list(HOSTILE),
            },
            "nodes": {"count": 1},
            "services": [{"name": "Hostile [*]", "title": 'T "1" \u6f22', "account": "CORP\\o'brien"}],
        },
        "hostile",
    )  # fmt: skip
    pair = Pair(stage, scenario)
    held = pair.module.node("HV01").access_control
    for account in ("CORP\\svc", *HOSTILE):
        assert pair.call("HV01", SET, entry(Account=account))["after"] == {"value": 1}, account
    assert held == {SHIPPED: 1, "CORP\\svc": 1, **dict.fromkeys(HOSTILE, 1)}
    assert call_differences(stage, "HV01") == []
    left = dict(held)
    for account in HOSTILE:
        assert pair.call("HV01", REMOVE, {"Account": account, "ExpectValue": 1})["outcome"] == "done", account
        del left[account]
        assert held == left, account
    assert pair.module.ledger.entries == []


def test_the_report_on_both_engines(pair: Pair) -> None:
    """8194 at every backup; an entry on every node; none with the next; the entry gone, and it is told again."""

    def told() -> int:
        logs = (node.log("Application").records for node in pair.module.nodes.values())
        return sum(one.id == 8194 for log in logs for one in log)

    pair.advance(1800.0)
    assert told() > 0
    for name in pair.module.nodes:
        assert pair.call(name, SET, entry())["outcome"] == "done"
    pair.advance(600.0)
    seen = told()
    pair.advance(3600.0)
    assert told() == seen
    for name in pair.module.nodes:
        assert pair.call(name, REMOVE, {"Account": ACCOUNT, "ExpectValue": 1})["outcome"] == "done"
    pair.advance(3600.0)
    assert told() > seen
    assert pair.module.ledger.entries == []
