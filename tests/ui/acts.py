"""What tests of dialogs do again and again: open one, wait until it is armed, look at what was sent."""

from __future__ import annotations

from textual.pilot import Pilot

from hvtui.ui.app import HvtuiApp
from hvtui.ui.dialogs.arming import SECONDS, Arming
from hvtui.ui.dialogs.confirm import ConfirmScreen
from hvtui.ui.dialogs.menu import MenuScreen
from hvtui.ui.dialogs.plan_dialog import PlanDialog
from tests.ui.console import settled


async def dialog(app: HvtuiApp, pilot: Pilot[None]) -> PlanDialog:
    """The plan's dialog, with its plan."""
    await settled(pilot, lambda: isinstance(app.screen, PlanDialog) and app.screen.plan is not None)
    shown = app.screen
    assert isinstance(shown, PlanDialog)
    return shown


async def menu(app: HvtuiApp, pilot: Pilot[None]) -> MenuScreen:
    """A menu with something to choose from."""
    await settled(pilot, lambda: isinstance(app.screen, MenuScreen) and bool(app.screen.choices))
    shown = app.screen
    assert isinstance(shown, MenuScreen)
    return shown


async def armed(app: HvtuiApp, pilot: Pilot[None]) -> ConfirmScreen:
    """The dialog, once its button is armed."""
    await settled(pilot, lambda: isinstance(app.screen, ConfirmScreen) and app.screen.armed)
    shown = app.screen
    assert isinstance(shown, ConfirmScreen)
    return shown


class Stopped:
    """A dialog's clock that only the test moves: how busy the machine is does not decide what came too early."""

    def __init__(self, shown: ConfirmScreen) -> None:
        """The dialog is unarmed from now on, as it was when it opened."""
        self._now = 0.0
        shown.arming = Arming(lambda: self._now)
        shown.disarm()

    def wait(self, seconds: float = SECONDS) -> None:
        """Let time pass; without a figure that which arms the dialog."""
        self._now += seconds


async def migrate(app: HvtuiApp, pilot: Pilot[None], vm: str, node: str) -> PlanDialog:
    """The dialog that moves a VM to a node, by keys."""
    await pilot.press("3")
    assert app.overview.vms.go_to(vm)
    await pilot.press("M")
    shown = await menu(app, pilot)
    shown.table.put_cursor(node)
    await pilot.press("enter")
    return await dialog(app, pilot)
