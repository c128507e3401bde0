"""Keeps the tracker of the backup window fed, whatever screen is shown, and rings for what is watched."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from hvtui.config import ClusterConfig
from hvtui.findings.chains import is_kept
from hvtui.live.feed import Feed
from hvtui.model.change import Change
from hvtui.model.csv_rows import csv_row
from hvtui.model.vm_rows import vm_row
from hvtui.operations.run import Run
from hvtui.ui.pointed import Pointed
from hvtui.ui.watching import News, Watching
from hvtui.window.records import Timeline
from hvtui.window.tracker import WindowTracker

if TYPE_CHECKING:
    from hvtui.ui.acting import Acting

_LOG = logging.getLogger(__name__)


class WindowFeed:
    """The tracker over one feed. A fault in it is logged once and shown on its page; the console goes on."""

    def __init__(
        self,
        feed: Feed,
        config: ClusterConfig | None = None,
        tell: Callable[[News], None] = lambda _news: None,
    ) -> None:
        self.feed = feed
        windows = config.windows if config is not None else ()
        self.tracker = WindowTracker(windows, kept=partial(is_kept, config))
        self.watching = Watching()
        self.failure = ""
        self._tell = tell
        self._state: object = None
        self._runs: dict[str, datetime] = {}

    def apply(self, change: Change) -> None:
        """Something is different in the feed's state."""
        self._guarded(lambda: self._apply(change))

    def _apply(self, change: Change) -> None:
        state = self.feed.state
        if state is not self._state:
            self._state = state
            self.watching.restart()
        self.tracker.look(state, change)

    def restart(self) -> None:
        """The time was turned back: what is seen now is no news, and what was seen is of the future."""
        self.watching.restart()
        self._guarded(lambda: self.tracker.restart(self.feed.state))

    def second(self, acting: Acting | None) -> None:
        """A second has passed: stalls, operators' marks, and what rings."""
        self._guarded(lambda: self._second(acting))

    def _second(self, acting: Acting | None) -> None:
        self.tracker.tick(self.feed.state, self.feed.clock.monotonic())
        if acting is not None:
            for run in acting.operations.runs:
                self._mark(run)
        if self.watching.rows:
            made = self.tracker.lines(self.feed.state)
            for news in self.watching.news(made, self.tracker.csv_lines()):
                self._tell(news)

    def _mark(self, run: Run) -> None:
        if run.started is None:
            return
        now = self.tracker.now
        if now is None:
            return
        # By the cluster's clock, which need not be the client's.
        at = self._runs.setdefault(run.id, now)
        state = run.state.value if run.over else "running"
        self.tracker.note_action(run.id, at, f"{run.plan.title}: {state}")

    def toggle(self, pointed: Pointed) -> str:
        """Watch these rows, or no more; says in words what is so now."""
        on = self.watching.toggle(pointed)
        state = self.feed.state
        if pointed.kind == "vm":
            names = [vm_row(state, key).name for key in pointed.keys]
        else:
            names = [csv_row(state, key).name for key in pointed.keys]
        who = names[0] if len(names) == 1 else f"{len(names)} {'VMs' if pointed.kind == 'vm' else 'CSVs'}"
        if not on:
            return f"{who}: watched no more"
        # How they are now is no news.
        self.watching.news(self.tracker.lines(state), self.tracker.csv_lines())
        return f"{who}: watched; the terminal rings when a backup ends, fails or stalls"

    def timeline(self) -> Timeline | None:
        """The window now, None after a fault."""
        made: list[Timeline] = []
        self._guarded(lambda: made.append(self.tracker.timeline(self.feed.state)))
        return made[0] if made else None

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:
            # Whatever goes wrong here must not take the console away from the person on call.
            if not self.failure:
                _LOG.exception("the backup window")
            self.failure = f"{type(error).__name__} in hvtui itself; see the log"
