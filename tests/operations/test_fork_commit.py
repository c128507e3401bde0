"""A fork that was not committed is found in any node's searched log and in events read since, for its own VM only."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from hvtui.model.preflight import ChainFile, ForkCommit, ForkSign, SearchedLog
from hvtui.operations.facts import Facts
from hvtui.operations.holds import holds_of
from hvtui.operations.verbs.drain import plan_drain
from hvtui.operations.verbs.migrate import plan_migrate
from tests.support import builders
from tests.support.builders import NOW, guid
from tests.support.small_clusters import Small

WORKER = "Microsoft-Windows-Hyper-V-Worker"
AVHDX = [ChainFile(path="C:\\ClusterStorage\\Volume1\\SQL07\\disk0_1.avhdx", parent="disk0.vhdx")]
UNMERGED = Small().vm("SQL07", more={"chain": AVHDX})


def rules_on(facts: Facts, vm: str) -> set[str]:
    return {refusal.rule for refusal in holds_of(facts, guid(vm))}


def read(facts: Facts, **event: object) -> Facts:
    """The same facts after an event of HV02 was read: the VM was there when it happened."""
    record = builders.event(vm=guid("SQL07"), vm_name="SQL07", **event)  # type: ignore[arg-type]
    facts.state.add_events("HV02", builders.page([record]))
    return replace(facts)


@pytest.mark.parametrize(
    "event",
    [
        {"id": 3216, "provider": WORKER},
        {"id": 18590, "provider": WORKER, "codes": ["0x80048102"]},
        {"id": 18012, "codes": ["0x800480bd"]},
        {"id": 19100, "codes": ["0x00000000", "0x800480bc"]},
        {"id": 12240, "codes": ["0x800703ee"]},
    ],
)
def test_an_event_of_another_node_holds_the_vm_it_names(event: dict[str, object]) -> None:
    facts = read(UNMERGED.facts(), **event)
    assert rules_on(facts, "SQL07") == {"fork-commit"}
    assert rules_on(facts, "APP01") == set()


@pytest.mark.parametrize("event", [{"id": 3216}, {"id": 18012, "codes": ["0x800423f2"]}])
def test_other_events_hold_nothing(event: dict[str, object]) -> None:
    assert rules_on(read(UNMERGED.facts(), **event), "SQL07") == set()


def test_a_sign_without_an_unmerged_disk_holds_nothing_and_an_unread_chain_does() -> None:
    sign = ForkSign(vm=guid("SQL07").upper(), channel="Worker", record=1, id=3216, time=NOW)
    answers = {"HV03": ForkCommit(v=1, time=NOW, signs=[sign])}
    for chain, expected in (([], set()), (AVHDX, {"fork-commit"}), (None, {"fork-commit"})):
        facts = Small().vm("SQL07", more={"chain": chain}).facts()
        assert rules_on(replace(facts, fork=facts.fork | answers), "SQL07") == expected


def test_a_log_that_was_not_searched_holds_every_vm() -> None:
    facts = UNMERGED.facts()
    silent = {name: answer for name, answer in facts.fork.items() if name != "HV02"}
    assert rules_on(replace(facts, fork=silent), "APP01") == {"fork-commit"}
    failed = silent | {"HV02": ForkCommit(v=1, time=NOW, signs=None)}
    assert rules_on(replace(facts, fork=failed), "APP01") == {"fork-commit"}


def test_where_the_logs_have_wrapped_the_plan_says_how_far_back_signs_were_searched_for() -> None:
    def searched(*logs: tuple[bool | None, int | None]) -> ForkCommit:
        held = [
            SearchedLog(channel="VMMS", wrapped=wrapped, oldest=None if days is None else NOW - timedelta(days=days))
            for wrapped, days in logs
        ]
        return ForkCommit(v=1, time=NOW, signs=[], searched=held)

    facts = Small().facts()
    whole = {name: searched((False, 90), (False, 90)) for name in facts.fork}
    assert [note.text for note in plan_migrate(replace(facts, fork=whole), [guid("SQL07")], "HV02").notes] == []
    some = whole | {"HV02": searched((True, 40), (True, 9)), "HV03": searched((False, 90), (None, None))}
    days = f"{NOW - timedelta(days=9):%Y-%m-%d %H:%M} UTC"
    for plan in (plan_migrate(replace(facts, fork=some), [guid("SQL07")], "HV02"),
                 plan_drain(replace(facts, fork=some), "HV01")):  # fmt: skip
        told = [note.text for note in plan.notes if "fork-commit" in note.text]
        assert told == [f"older fork-commit signs cannot be seen, the logs have wrapped: HV02 from {days}, HV03 from ?"]
