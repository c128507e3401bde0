"""What a rule would like to know is asked for, once, in small portions; what helps is about the right rows."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from hvtui.findings.finding import Evidence, Finding, Sure, Target
from hvtui.model.severity import Severity
from hvtui.operations.guest_knowledge import GuestKnowledge
from hvtui.operations.nodes import Answers
from hvtui.operations.service import Operations
from hvtui.ui.finding_watch import ASK_AGAIN, AT_ONCE, FindingWatch
from hvtui.ui.pointed import Pointed
from tests.support import builders as b
from tests.support.still import StillFeed, night
from tests.support.wait import until


class Asked:
    """As much of `Operations` as findings need; `gate` holds an answer back."""

    def __init__(self) -> None:
        self.asked = Answers()
        self.guest_knowledge = GuestKnowledge()
        self.access: list[list[str]] = []
        self.gate = asyncio.Event()
        self.gate.set()

    def backups_said(self) -> dict[str, Any]:
        return {}

    async def read_access(self, nodes: list[str]) -> None:
        self.access.append(list(nodes))
        await self.gate.wait()

    async def read_fork_signs(self, nodes: list[str]) -> None:
        """Nothing to search."""


def watch_on(operations: Asked | None = None) -> tuple[FindingWatch, StillFeed]:
    feed = StillFeed(night())
    return FindingWatch(feed, cast("Operations | None", operations)), feed


def again(watch: FindingWatch) -> None:
    """The next look, whatever the reader's own clock says."""
    watch._paced = float("-inf")
    watch.look()


async def done(watch: FindingWatch, operations: Asked, count: int) -> None:
    """So many questions were asked, and answered."""
    await until(lambda: len(operations.access) == count and watch._work is None)


async def test_answers_that_rules_want_are_asked_once_in_portions() -> None:
    operations = Asked()
    watch, feed = watch_on(operations)
    watch.look()
    feed.asked.clear()
    watch.engine.wanted = {("access", f"HV{n:02}"): None for n in range(1, AT_ONCE + 3)}
    again(watch)
    await done(watch, operations, 1)
    assert operations.access == [[f"HV{n:02}" for n in range(1, AT_ONCE + 1)]]
    again(watch)
    await done(watch, operations, 2)
    assert operations.access[1] == [f"HV{n:02}" for n in range(AT_ONCE + 1, AT_ONCE + 3)]
    # Wanted again, but just asked.
    watch.engine.wanted = {("access", "HV01"): None}
    again(watch)
    assert watch._work is None
    assert len(operations.access) == 2
    feed.clock.advance(ASK_AGAIN)  # type: ignore[attr-defined]
    watch.engine.wanted = {("access", "HV01"): None}
    again(watch)
    await done(watch, operations, 3)
    assert operations.access[2] == ["HV01"]


async def test_while_one_answer_is_awaited_the_next_wish_waits() -> None:
    operations = Asked()
    operations.gate.clear()
    watch, _ = watch_on(operations)
    watch.look()
    watch.engine.wanted = {("access", "HV01"): None}
    again(watch)
    await until(lambda: operations.access)
    watch.engine.wanted = {("access", "HV02"): None}
    again(watch)
    assert ("access", "HV02") in watch.engine.wanted
    operations.gate.set()
    await done(watch, operations, 1)
    again(watch)
    await done(watch, operations, 2)
    assert operations.access == [["HV01"], ["HV02"]]


def test_chains_and_filters_are_read_by_the_feed() -> None:
    watch, feed = watch_on()
    watch.look()
    feed.asked.clear()
    watch.engine.wanted = {("chain", b.guid("SQL07")): None, ("filters", "HV03"): None, ("access", "HV01"): None}
    again(watch)
    assert feed.asked == [("chain", b.guid("SQL07")), ("signals", "HV03")]


def finding(kind: str, key: str, action: str, *vms: str) -> Finding:
    return Finding(
        rule="x",
        target=Target(kind, key, key),
        text="x",
        severity=Severity.BAD,
        sure=Sure.CERTAIN,
        evidence=(Evidence(text="x"),),
        vms=tuple(Target("vm", vm, vm) for vm in vms),
        action=action,
    )


def test_what_helps_is_about_the_rows_it_can_help() -> None:
    watch, _ = watch_on()

    def about(one: Finding) -> Pointed:
        helps = watch.helps(one)
        assert helps is not None
        return helps[1]

    sql, volume = b.guid("SQL07"), b.csv_id("Volume10")
    assert watch.helps(finding("node", "HV03", "")) is None
    # Guests of a node's finding: those it names.
    assert about(finding("node", "HV03", "acts.guests", sql, "other")) == Pointed("vm", (sql, "other"), marked=True)
    assert about(finding("node", "HV03", "acts.guests")) == Pointed("node", ("HV03",))
    # A node's action for what is on it.
    assert about(finding("node", "HV03", "verb.vmms")) == Pointed("node", ("HV03",))
    assert about(finding("vm", sql, "verb.vmms")) == Pointed("node", ("HV03",))
    assert about(finding("csv", volume, "verb.vmms")) == Pointed("node", ("HV03",))
