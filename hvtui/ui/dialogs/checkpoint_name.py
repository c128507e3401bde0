"""Asks for the name of a checkpoint before its plan is made."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hvtui.live.feed import Feed
from hvtui.operations.plan import Level
from hvtui.ui import format as fmt
from hvtui.ui.dialogs.confirm import ConfirmScreen
from hvtui.ui.look import Look
from hvtui.ui.screens.facts import span, text
from hvtui.ui.widgets.document import Section


class CheckpointName(ConfirmScreen):
    """Enter takes the name on to the plan; nothing is done yet."""

    def __init__(self, feed: Feed, look: Look, what: str, named: Callable[[str], None]) -> None:
        super().__init__(look, protected=feed.protected)
        self._feed = feed
        self._what = what
        self._named = named

    def heading(self) -> tuple[str, str]:
        return f"Checkpoint of {self._what}: what shall it be called?", ""

    def sections(self) -> Sequence[Section]:
        about = "The plan comes next: it says which kind it will be, and what stands against it."
        return [Section("Name", (text(span(about)),), wide=True)]

    def level(self) -> Level:
        return Level.TYPED

    def label(self) -> str:
        return "name:"

    def word(self) -> str:
        return "Show the plan"

    def opened(self) -> None:
        self.fill(f"hvtui {fmt.day_time(self._feed.clock.now(), self.look.zone)}")

    def confirmed(self, text: str) -> None:
        self._named(text.strip())
