"""What keys on a finding do, in the pane and on its page: acknowledge it, open what helps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, cast

from textual.app import App

from hvtui.findings.standing import Standing
from hvtui.operations.plan import Level, Verb
from hvtui.ui.dialogs.confirm import ConfirmScreen
from hvtui.ui.finding_watch import FindingWatch
from hvtui.ui.look import Look
from hvtui.ui.page_asks import PAGES, open_page
from hvtui.ui.screens.facts import span, text
from hvtui.ui.widgets.document import Section

if TYPE_CHECKING:
    from hvtui.ui.app import HvtuiApp


class Acknowledge(ConfirmScreen):
    """Say that a person knows of a finding, with a note."""

    def __init__(self, look: Look, one: Standing, take: Callable[[str], None]) -> None:
        super().__init__(look)
        self._one = one
        self._take = take

    def heading(self) -> tuple[str, str]:
        return "Acknowledge", self._one.finding.target.name

    def sections(self) -> Sequence[Section]:
        about = (
            "It stays in the list and alarms no more, until it gets worse: graver, surer, or about more VMs. Nothing "
            "on the cluster is changed. The note is for whoever looks next: a ticket, who works on it, until when."
        )
        return [
            Section("The finding", (text(span(self._one.finding.text)),), wide=True),
            Section("What that does", (text(span(about)),), wide=True),
        ]

    def level(self) -> Level:
        return Level.TYPED

    def label(self) -> str:
        return "your note:"

    def word(self) -> str:
        return "I know of it"

    def confirmed(self, text: str) -> None:
        self._take(text)


def acknowledge(app: App[Any], watch: FindingWatch, look: Look, one: Standing | None) -> None:
    """Open the dialog; a finding that is acknowledged alarms again at once."""
    console = cast("HvtuiApp", app)
    if one is None:
        return
    key = one.finding.key

    def told(problem: str, done: str) -> None:
        console.overview.findings.second()
        console.overview.header.tick()
        console.overview.tell(problem or done, severity="error" if problem else "information")

    if one.acknowledged is not None:
        told(watch.withdraw(key), "it alarms again")
        return
    console.push_screen(Acknowledge(look, one, lambda note: told(watch.acknowledge(key, note.strip()), "acknowledged")))


def act_on(app: App[Any], watch: FindingWatch, one: Standing | None) -> None:
    """Open the action that helps, about what it helps; its dialog asks before anything is changed."""
    console = cast("HvtuiApp", app)
    if one is None:
        return
    helps = watch.helps(one.finding)
    if helps is None:
        console.overview.tell("no action of hvtui helps here: e shows the next step")
        return
    action, pointed = helps
    if action.id in PAGES or action.verb:
        acting = console.acting
        if acting is None:
            console.overview.tell("this console only watches")
        elif action.verb:
            acting.ask(Verb(action.verb), pointed)
        else:
            open_page(acting, action.id, pointed)
        return
    # An action without rows, such as another page or pane.
    target = console.overview if action.scope == "overview" else console
    console.call_later(console.run_action, action.call, target)
