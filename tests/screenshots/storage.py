"""Scenes of checkpoint types, checkpoints, VssAccessControl and guests for docs/walkthrough.md."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from hvtui.operations.run import RunState
from hvtui.ui.dialogs.checkpoint_name import CheckpointName
from hvtui.ui.dialogs.guest_credential import AskGuestAccount
from hvtui.ui.screens.access_page import AccessPage
from hvtui.ui.screens.checkpoints_page import CheckpointsPage
from hvtui.ui.screens.guests_page import GuestsPage
from hvtui.ui.screens.operations_page import OperationsPage
from tests.screenshots.stage import SPEED, stage

MINUTE: Final = 60.0


async def types(folder: Path, pictures: Path) -> None:
    """Every VM of a node gets another checkpoint type, and the old one back."""
    async with stage("healthy", 4 * MINUTE, folder, pictures) as on:
        await on.press("1")
        await on.to_row("HV01")
        await on.press("T")
        await on.menu()
        await on.picture("28-types")
        await on.press("3")
        shown = await on.planned()
        await on.picture("29-type-plan")
        assert shown.plan is not None
        await on.press(*shown.plan.name)
        await on.armed()
        await on.press("enter")
        await on.until(lambda: isinstance(on.app.screen, OperationsPage) and on.operations.runs, "the operations page")
        run = await on.over()
        assert run.state is RunState.DONE, (run.state, run.lines)
        await on.picture("30-types-set")
        await on.press("Z")
        await on.planned()
        await on.picture("31-undo")
        await on.press("escape", "escape")


async def checkpoints(folder: Path, pictures: Path) -> None:
    """A checkpoint is taken, applied, and its VM started again."""
    async with stage("healthy", 4 * MINUTE, folder, pictures) as on:
        await on.press("3")
        await on.to_row("WEB01")
        await on.press("K")
        await on.until(lambda: isinstance(on.app.screen, CheckpointsPage) and on.app.screen.was_read, "its checkpoints")
        await on.press("C")
        await on.until(lambda: isinstance(on.app.screen, CheckpointName), "the question for a name")
        await on.armed()
        await on.picture("32-name")
        await on.press("enter")
        await on.planned()
        await on.armed()
        await on.picture("33-take")
        await on.press("y")
        await on.until(lambda: on.operations.runs, "an operation")
        run = await on.over()
        assert run.state is RunState.DONE, (run.state, run.lines)
        page = on.app.screen
        assert isinstance(page, CheckpointsPage)
        await on.until(lambda: "hvtui" in page.page.text, "the new one")
        await on.picture("34-checkpoints")
        await on.press("P")
        shown = await on.planned()
        assert shown.plan is not None
        await on.picture("35-apply")
        await on.press(*shown.plan.name)
        await on.armed()
        await on.press("enter")
        await on.until(lambda: len(on.operations.runs) == 2, "an operation")
        run = await on.over()
        assert run.state is RunState.DONE, (run.state, run.lines)
        await on.picture("36-applied")


async def access(folder: Path, pictures: Path) -> None:
    """Event 8194 names an account: its right is explained, set on every node, and given back."""
    async with stage("access-denied", 60 * MINUTE, folder, pictures) as on:
        await on.press("1", "E")
        await on.until(lambda: isinstance(on.app.screen, AccessPage) and on.app.screen.was_read, "the entries")
        await on.picture("37-access")
        await on.press("L")
        await on.menu()
        await on.picture("38-value")
        await on.press("1")
        shown = await on.planned()
        assert shown.plan is not None
        await on.picture("39-access-plan")
        await on.press(*shown.plan.name)
        await on.armed()
        await on.press("enter")
        await on.until(lambda: on.operations.runs, "an operation")
        run = await on.over()
        assert run.state is RunState.DONE, (run.state, run.lines)
        await on.picture("40-access-set")


async def guests(folder: Path, pictures: Path) -> None:
    """The guests of a node whose writer is stuck: which volumes are full, and what is on them."""
    async with stage("stuck-writer", 62 * MINUTE, folder, pictures) as on:
        await on.press("1")
        await on.to_row("HV03")
        await on.press("I")
        await on.until(lambda: isinstance(on.app.screen, AskGuestAccount), "the question for an account")
        account, password = on.look(lambda world: (world.scenario.guests.account, world.scenario.guests.password))
        await on.press(*account, "enter")
        await on.press(*password)
        await on.picture("41-account")
        await on.press("enter")
        await on.until(lambda: isinstance(on.app.screen, GuestsPage), "the page")
        page = on.app.screen
        assert isinstance(page, GuestsPage)
        await on.until(lambda: page.was_read and not page.reading, "the guests", flow=SPEED)
        await on.picture("42-guests")
        await on.press("g", "enter")
        await on.until(lambda: "Largest files" in page.page.text and "looked for" not in page.page.text, "the files",
                       flow=SPEED)  # fmt: skip
        await on.picture("43-files")
