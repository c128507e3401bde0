"""Findings by keys: the header names the first, 8 lists them, e shows what to do, ! acknowledges, a what helps."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from hvtui.config import ClusterConfig
from hvtui.findings.kept import acknowledged_path
from hvtui.findings.standing import Acknowledged
from hvtui.model.rows import Summary, summary
from hvtui.model.severity import Severity
from hvtui.model.state import ClusterState
from hvtui.ui.app import HvtuiApp
from hvtui.ui.look import Look
from hvtui.ui.screens.finding_keys import Acknowledge
from hvtui.ui.screens.finding_page import FindingScreen
from tests.support import builders as b
from tests.support.screens import console, press, settle, text_of
from tests.support.still import StillFeed, night
from tests.ui.console import settled

UTC = Look(zone=b.NOW.tzinfo)


def app_on(folder: Path | None = None, config: ClusterConfig | None = None) -> HvtuiApp:
    app = HvtuiApp(StillFeed(night()), look=UTC, config=config, folder=folder)
    app.findings.budget = None
    return app


async def test_the_first_is_named_all_are_listed_and_each_says_what_to_do() -> None:
    async with console(StillFeed(night()), (160, 50)) as (app, pilot):
        # The header: the gravest, and how many there are.
        alarms = app.findings.engine.alarms()
        assert alarms
        assert alarms[0].finding.severity is Severity.BAD
        assert f"{len(alarms)} finding" in app.overview.header.top.text
        below = app.overview.header.below.text
        assert alarms[0].finding.text in below
        assert f"1 of {len(alarms)} (8)" in below

        # The pane: each of them, and what no rule can speak of.
        await press(pilot, "8")
        pane = app.overview.panes["findings"]
        assert app.overview.focused_pane is pane
        finding = app.findings.engine.standing[0].finding
        shown = text_of(app)
        assert all(one.finding.text[:30] in shown for one in app.findings.engine.standing[:3])
        assert "not seen: HV05 is unreachable; HV06 is not contacted" in shown

        # Its page: how it is known, and what to do.
        await press(pilot, "g", "e")
        assert isinstance(app.screen, FindingScreen)
        unwrapped = " ".join(app.screen.text.split())
        entry = app.findings.engine.words.entries[finding.rule]
        for words in (finding.text, entry.title, "How it is known", entry.next, entry.never, entry.undo):
            assert words in unwrapped
        for evidence in finding.evidence:
            assert evidence.text in unwrapped
            assert evidence.source in unwrapped

        # Enter goes to what it is about, from the page and from the pane.
        goal = {"node": "nodes", "csv": "csvs", "vm": "vms"}[finding.target.kind]
        await press(pilot, "enter")
        assert app.screen_stack == [app.overview]
        assert app.overview.focused_pane is app.overview.panes[goal]
        assert app.overview.focused_pane.pointed().keys == (finding.target.key,)
        await press(pilot, "8", "g", "enter")
        assert app.overview.focused_pane is app.overview.panes[goal]


async def test_nothing_is_called_healthy_beside_a_finding_that_alarms(monkeypatch: pytest.MonkeyPatch) -> None:
    def calm(state: ClusterState) -> Summary:
        return msgspec.structs.replace(summary(state), severity=Severity.OK, health="healthy", words=())

    monkeypatch.setattr("hvtui.ui.header.summary", calm)
    async with console(StillFeed(night()), (160, 50)) as (app, _):
        top = app.overview.header.top
        assert f"{len(app.findings.engine.alarms())} finding" in top.text
        assert "healthy" not in top.text
        app.findings.engine.standing = ()
        app.overview.header.tick()
        assert "healthy" in top.text


async def test_an_acknowledged_finding_leaves_the_first_line_and_is_kept(tmp_path: Path) -> None:
    app = app_on(tmp_path)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        before = app.findings.engine.alarms()
        first = before[0].finding
        await press(pilot, "8", "g", "!")
        assert isinstance(app.screen, Acknowledge)
        assert first.text[:40] in text_of(app)
        # Leaving the dialog acknowledges nothing.
        await press(pilot, "x", "escape")
        assert len(app.findings.engine.alarms()) == len(before)
        assert not acknowledged_path(b.CLUSTER_ID, tmp_path).exists()
        await press(pilot, "!")
        await press(pilot, *"ticket")
        await settled(pilot, lambda: app.screen.armed)  # type: ignore[attr-defined]
        await press(pilot, "enter")
        await settled(pilot, lambda: app.screen is app.overview)
        assert [one.finding.key for one in app.findings.engine.alarms()] == [one.finding.key for one in before[1:]]
        assert first.text not in app.overview.header.below.text
        kept = Acknowledged.load(acknowledged_path(b.CLUSTER_ID, tmp_path))
        ack = kept.of(first)
        assert ack is not None
        assert ack.note == "ticket"
        # Again, and it alarms.
        assert app.overview.panes["findings"].go_to(first.key)
        await press(pilot, "!")
        assert {one.finding.key for one in app.findings.engine.alarms()} == {one.finding.key for one in before}


async def test_a_quiet_vm_is_listed_and_not_counted_and_who_only_watches_is_told_so() -> None:
    app = app_on(config=ClusterConfig(name="test", seeds=("HV01",), quiet=("SQL*",)))
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await settle(pilot)
        held = [one for one in app.findings.engine.standing if one.finding.target.name == "SQL07"]
        assert held
        assert not [one for one in app.findings.engine.alarms() if one.finding.target.name == "SQL07"]
        await press(pilot, "8", "+")
        assert "quiet" in text_of(app)
        await press(pilot, "g", "a")
        assert "this console only watches" in text_of(app)


async def test_a_fault_in_the_findings_leaves_the_console(monkeypatch: pytest.MonkeyPatch) -> None:
    app = app_on()

    def broken() -> bool:
        raise RuntimeError("x")

    monkeypatch.setattr(app.findings, "look", broken)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await press(pilot, "8")
        assert "RuntimeError in hvtui itself" in text_of(app)
        await press(pilot, "3")
        assert app.overview.focused_pane is app.overview.vms
