"""Confirmations that need no plan: the cancel of an operation, and what only a person can know."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hvtui.live.feed import Feed
from hvtui.operations.backup_state import backup_state
from hvtui.operations.plan import Level
from hvtui.operations.run import ItemState, Run
from hvtui.operations.service import Operations
from hvtui.ui.dialogs.confirm import ConfirmScreen
from hvtui.ui.look import Look
from hvtui.ui.screens.facts import span, text
from hvtui.ui.widgets.document import Section


def _place(feed: Feed) -> str:
    info = feed.state.cluster.info
    return f"on {info.name if info is not None else feed.title}"


class CancelRun(ConfirmScreen):
    """Cancel an operation of this console, as far as Windows can."""

    def __init__(self, feed: Feed, look: Look, run: Run, cancel: Callable[[Run], None]) -> None:
        super().__init__(look, protected=feed.protected)
        self._feed = feed
        self._run = run
        self._cancel = cancel

    def heading(self) -> tuple[str, str]:
        return f"Cancel: {self._run.plan.title}", _place(self._feed)

    def sections(self) -> Sequence[Section]:
        run = self._run
        lines = [text(span(run.cancel_text))]
        lines += [
            text(span(f"{item.target.name}  ", "label"), span(f"{item.state.value} {item.text}"))
            for item in run.items
            if not item.ended
        ]
        return [Section("What it does", tuple(lines), wide=True)]

    def level(self) -> Level:
        return Level.TYPED if self.protected else Level.KEY

    def name_to_type(self) -> str:
        plan = self._run.plan
        return plan.name or plan.cluster

    def back(self) -> str:
        return "Let it run"

    def word(self) -> str:
        return "Cancel the operation" if self._run.can_cancel else ""

    def remark(self) -> tuple[str, str]:
        return (f"it has ended: {self._run.state.value}", "warn") if self._run.over else super().remark()

    def opened(self) -> None:
        self.set_interval(1.0, self.show)

    def confirmed(self, text: str) -> None:
        self._cancel(self._run)


class LeaveRunning(ConfirmScreen):
    """Quit while operations run: Windows goes on with what it was asked for, nothing more is begun."""

    def __init__(self, feed: Feed, look: Look, operations: Operations, leave: Callable[[], None]) -> None:
        super().__init__(look, protected=feed.protected)
        self._feed = feed
        self._operations = operations
        self._go = leave

    def heading(self) -> tuple[str, str]:
        return "Quit while operations run?", _place(self._feed)

    def sections(self) -> Sequence[Section]:
        runs = [run for run in self._operations.runs if not run.over]
        lines = []
        for run in runs:
            waiting = sum(not item.ended and item.state is not ItemState.RUNNING for item in run.items)
            words = f"{run.state.value}{f', {waiting} not begun' if waiting else ''}"
            lines.append(text(span(f"{run.plan.title}  "), span(words, "warn")))
        about = (
            "Windows goes on with what it was asked for; what waits is not begun, and no step follows: a node may stay "
            "paused, or without VMMS. The next start of hvtui shows what was left, and goes on from there."
        )
        return [
            Section("These run", tuple(lines) or (text(span("nothing runs any more", "ok")),), wide=True),
            Section("What quitting does", (text(span(about)),), wide=True),
        ]

    def level(self) -> Level:
        return Level.KEY

    def back(self) -> str:
        return "Stay"

    def word(self) -> str:
        return "Quit"

    def opened(self) -> None:
        self.set_interval(1.0, self.show)

    def confirmed(self, text: str) -> None:
        self._go()


class BackupStopped(ConfirmScreen):
    """An operator says, typed, that a node's backup job was stopped in the backup product."""

    def __init__(
        self, feed: Feed, look: Look, operations: Operations, node: str, say: Callable[[str, str], None]
    ) -> None:
        super().__init__(look, protected=feed.protected)
        self._feed = feed
        self._operations = operations
        self._node = node
        self._say = say

    def heading(self) -> tuple[str, str]:
        return f"Was the backup job of {self._node} stopped?", _place(self._feed)

    def sections(self) -> Sequence[Section]:
        found = backup_state(self._operations.facts(), self._node)
        lines = [text(span(f"{self.look.glyphs.info} {line}")) for line in found.evidence]
        warning = (
            "These are leftovers of a backup, or a backup that only copies now: nothing readable tells them apart. "
            "Look into the backup product. If its job still runs, what you are about to do breaks it and may cost "
            "the chain of checkpoints."
        )
        return [
            Section(f"Backup on {self._node}: {found.answer.value}", tuple(lines), wide=True),
            Section("What you say", (text(span(warning)), text(span("It is journaled.", "dim"))), wide=True),
        ]

    def level(self) -> Level:
        return Level.TYPED

    def name_to_type(self) -> str:
        return self._node

    def word(self) -> str:
        return "I stopped the job in the backup product"

    def confirmed(self, text: str) -> None:
        self._say(self._node, text)


class CloseUnfinished(ConfirmScreen):
    """Mark an operation of an earlier console as closed, with a note for the journal."""

    def __init__(self, feed: Feed, look: Look, title: str, lines: Sequence[str], close: Callable[[str], None]) -> None:
        super().__init__(look, protected=feed.protected)
        self._feed = feed
        self._title = title
        self._lines = lines
        self._close = close

    def heading(self) -> tuple[str, str]:
        return f"Close: {self._title}", _place(self._feed)

    def sections(self) -> Sequence[Section]:
        told = tuple(text(span(line)) for line in self._lines)
        about = text(span("Nothing is run. Your note is written into the journal, and it is not shown any more."))
        shown = Section("What the cluster shows of it", told, wide=True)
        return [shown, Section("What closing does", (about,), wide=True)]

    def level(self) -> Level:
        return Level.TYPED

    def label(self) -> str:
        return "your note:"

    def word(self) -> str:
        return "Mark it as closed"

    def confirmed(self, text: str) -> None:
        self._close(text)
