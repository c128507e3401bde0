"""The page of VssAccessControl: nodes side by side, why an account is proposed, and the plan that sets it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from hvtui.errors import Unreachable
from hvtui.model.vss_access import ServiceAccount, VssAccess, VssAccessEntry
from hvtui.operations.plan import Level, Verb
from hvtui.operations.service import Operations
from hvtui.ui.app import HvtuiApp
from hvtui.ui.overview import Overview
from hvtui.ui.screens.access_page import AccessPage
from tests.support import builders
from tests.support.acting import ActingFeed, acting
from tests.support.builders import NOW
from tests.support.screens import settle, text_of
from tests.support.small_clusters import Small
from tests.support.snapshots import check
from tests.ui.acts import armed, dialog, menu
from tests.ui.console import settled, text

SVC = "CORP\\svc-replay"
SIZES = [(80, 24), (120, 40)]


def told(node: str, *entries: tuple[str, int | None, str | None], **more: Any) -> VssAccess:
    """A node's answer."""
    made = [VssAccessEntry(account=account, value=value, sid=sid) for account, value, sid in entries]
    service = ServiceAccount(name="ReplaySvc", display="Replay Manager Service", account=SVC, state="Running")
    fields: dict[str, Any] = {"v": 1, "time": NOW, "key": True, "entries": made, "services": [service]} | more
    return VssAccess(node=node, **fields)


SHIPPED = ("NT Authority\\NetworkService", 1, "S-1-5-20")
ANSWERS: dict[str, VssAccess | str] = {
    "HV01": told("HV01", SHIPPED, ("CORP\\Domain Users", 1, "S-1-5-21-1-2-3-513")),
    "HV02": told("HV02", SHIPPED, ("CORP\\gone", 3, "")),
    "HV03": "the node is not reachable",
}


def refusals(feed: ActingFeed) -> None:
    """8194 on HV01, which names the account."""
    event = builders.event(
        8194,
        provider="VSS",
        channel="Application",
        data={"p1": "0x80070005", "p2": f"Name: {SVC}, SID:S-1-5-21-1-2-3-1188"},
    )
    feed.state.add_events("HV01", builders.page([event], channel="Application"))


async def _open(app: HvtuiApp, pilot: Pilot[None], operations: Operations, answers: Any) -> AccessPage:
    async def read() -> dict[str, VssAccess | str]:
        return dict(answers)

    operations.vss_access = read  # type: ignore[method-assign]
    await pilot.press("1", "E")
    await settled(pilot, lambda: isinstance(app.screen, AccessPage) and app.screen.was_read)
    page = app.screen
    assert isinstance(page, AccessPage)
    await settle(pilot)
    return page


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_the_page(size: tuple[int, int], tmp_path: Path) -> None:
    feed = ActingFeed()
    refusals(feed)
    async with acting(feed, tmp_path, size) as (app, pilot, operations):
        await _open(app, pilot, operations, ANSWERS)
        check(f"access-{size[0]}x{size[1]}", text_of(app))


async def test_an_account_is_set_on_every_node_after_its_value_was_explained(tmp_path: Path) -> None:
    answers: dict[str, VssAccess] = {node: told(node, SHIPPED) for node in ("HV01", "HV02", "HV03")}
    feed = ActingFeed(facts=replace(Small().facts(), access=answers))
    refusals(feed)
    async with acting(feed, tmp_path) as (app, pilot, operations):
        page = await _open(app, pilot, operations, answers)
        page.matrix.put_cursor(SVC.lower(), "HV02")
        await settled(pilot, lambda: f"Proposed: {SVC}" in page.page.text)
        assert "1 writer" in page.page.text
        assert "8194 on HV01 once at" in page.page.text
        await pilot.press("L")
        shown = await menu(app, pilot)
        assert [choice.title for choice in shown.choices][:2] == ["1 writer, every node", "2 requester, every node"]
        assert shown.choices[3].title == "1 writer, only HV02"
        await settled(pilot, lambda: "callbacks included" in text(app))
        await pilot.press("1")
        asked = await dialog(app, pilot)
        plan = asked.plan
        assert plan is not None
        assert plan.verb is Verb.VSSACCESS
        assert not plan.refused, plan.refusals
        assert [change.target.id for change in plan.changes] == [f"{node}/{SVC}" for node in ("HV01", "HV02", "HV03")]
        assert "no entry → 1 writer" in asked.page.text
        assert asked.level() is Level.TYPED
        await pilot.press(*plan.name)
        await armed(app, pilot)
        await pilot.press("enter")
        await settled(pilot, lambda: bool(feed.sent))
        node, function, parameters = feed.sent[0]
        assert (node, function) == ("HV01", "Set-HvTuiVssAccess")
        assert (parameters["Account"], parameters["Value"], parameters["ExpectValue"]) == (SVC, 1, -1)


async def test_a_wide_group_is_named_a_danger_and_is_removed_where_the_cursor_is(tmp_path: Path) -> None:
    wide = "CORP\\Domain Users"
    read = {node: answer for node, answer in ANSWERS.items() if isinstance(answer, VssAccess)}
    feed = ActingFeed(facts=replace(Small().facts(), access=read))
    async with acting(feed, tmp_path) as (app, pilot, operations):
        page = await _open(app, pilot, operations, ANSWERS)
        page.matrix.put_cursor(wide.lower(), "HV01")
        await settled(pilot, lambda: "it stands for many" in page.page.text)
        await pilot.press("F")
        await menu(app, pilot)
        await pilot.press("2")
        asked = await dialog(app, pilot)
        assert asked.plan is not None
        assert [target.id for target in asked.plan.targets] == [f"HV01/{wide}"]
        assert asked.plan.verb is Verb.VSSACCESS_REMOVE


async def test_what_comes_with_windows_says_so(tmp_path: Path) -> None:
    async with acting(ActingFeed(), tmp_path) as (app, pilot, operations):
        page = await _open(app, pilot, operations, ANSWERS)
        page.matrix.put_cursor(SHIPPED[0].lower(), "HV01")
        await settled(pilot, lambda: "hvtui never changes it" in page.page.text)


async def test_a_page_that_could_not_be_read_says_why_and_does_not_look_empty(tmp_path: Path) -> None:
    async with acting(ActingFeed(), tmp_path) as (app, pilot, operations):

        async def read() -> dict[str, VssAccess | str]:
            raise Unreachable("no node answers", node="HV01")

        operations.vss_access = read  # type: ignore[method-assign]
        await pilot.press("1", "E")
        await settled(pilot, lambda: isinstance(app.screen, AccessPage) and bool(app.screen.failure))
        assert "not read: no node answers" in text(app)
        assert "none:" not in text(app)
        await pilot.press("escape")
        await settled(pilot, lambda: isinstance(app.screen, Overview))


async def test_the_page_in_ascii(tmp_path: Path) -> None:
    feed = ActingFeed()
    refusals(feed)
    async with acting(feed, tmp_path, (100, 60), ascii_only=True) as (app, pilot, operations):
        await _open(app, pilot, operations, ANSWERS)
        assert text_of(app).isascii()
