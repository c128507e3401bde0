"""A recording as a feed: the console shows it as it shows a live cluster, and nothing in it can be asked or changed."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Final

from hvtui.clock import Clock
from hvtui.model.change import Change
from hvtui.model.state import ClusterState
from hvtui.model.usage import Usage
from hvtui.recording.format import RecordingError
from hvtui.recording.reader import Cursor, Recording
from hvtui.recording.speeds import SPEEDS

TICK: Final = 0.05
"""Seconds between two steps while it plays; a slower machine takes larger ones."""
MOST: Final = 0.5
"""Seconds of real time that one step is for at most."""
WHY: Final = "a recording"
"""Why nothing can be changed."""

_log = logging.getLogger(__name__)


class ReplayFeed:
    """Implements `Feed` on a recording, with a clock of its own. All methods on the event loop's thread."""

    read_only = True

    def __init__(self, recording: Recording, *, wait: Callable[[], float] = time.monotonic) -> None:
        """`wait` is the clock that playing goes by."""
        self.recording = recording
        about = recording.about
        self.title = about.title
        self.protected = about.protected
        self.cursor: Cursor = recording.cursor()
        self.state: ClusterState = self.cursor.state
        self.clock: Clock = self.cursor.clock
        self.paused = False
        self.speed = 1
        self.trouble = ""
        """Why it does not go on: what the file turned out to be."""
        self._wait = wait
        self._listeners: list[Callable[[Change], None]] = []
        self._playing: asyncio.Task[None] | None = None

    # --- Feed ---

    def subscribe(self, listener: Callable[[Change], None]) -> Callable[[], None]:
        """Call `listener` with what changed, in the context it was subscribed in; the result unsubscribes."""
        context = contextvars.copy_context()

        def call(change: Change) -> None:
            context.copy().run(listener, change)

        self._listeners.append(call)

        def unsubscribe() -> None:
            if call in self._listeners:
                self._listeners.remove(call)

        return unsubscribe

    def refresh(self, what: str, node: str = "") -> str:
        """Nothing is read again."""
        return "nothing is read again: this is a recording"

    def usage(self, node: str) -> Usage | None:
        """What a node was asked is not recorded."""
        return None

    async def start(self) -> None:
        """Begin to play."""
        if self._playing is None:
            self._playing = asyncio.create_task(self._play(), name="replay")

    async def stop(self) -> None:
        """End playing and let go of the file."""
        playing, self._playing = self._playing, None
        if playing is not None:
            playing.cancel()
            with suppress(asyncio.CancelledError):
                await playing
        self.recording.close()

    # --- what a viewer does ---

    @property
    def now(self) -> datetime:
        """The moment that is shown, UTC."""
        return self.cursor.now

    @property
    def over(self) -> bool:
        """Nothing follows."""
        return self.cursor.over

    def pause(self, paused: bool | None = None) -> None:
        """Stand still, or go on; without a word the other of the two."""
        self.paused = not self.paused if paused is None else paused
        self._tell(Change())

    def faster(self, by: int) -> None:
        """So many speeds up or down."""
        place = SPEEDS.index(self.speed) + by
        self.speed = SPEEDS[min(max(place, 0), len(SPEEDS) - 1)]
        self._tell(Change())

    def seek(self, when: datetime) -> None:
        """Show another moment."""
        self._go(lambda: self.cursor.seek(when))

    def skip(self, seconds: float) -> None:
        """So many seconds on, or back."""
        self._go(lambda: self.cursor.seek_ms(self.cursor.at + round(seconds * 1000)))

    def step(self) -> None:
        """To the next thing that was told, and stand still there."""
        self.paused = True
        following = self.cursor.next_ms()
        wanted = self.recording.end if following is None else following
        self._go(lambda: self.cursor.advance(max(wanted, self.cursor.at)))

    # --- helpers ---

    def _go(self, move: Callable[[], Change]) -> None:
        try:
            change = move()
        except RecordingError as error:
            self.trouble, self.paused = error.text, True
            change = Change(links={""})
        self._tell(change)

    def _tell(self, change: Change) -> None:
        # The viewer's own changes are told as a heartbeat: the clock on the screen is another.
        change.heard.add("")
        for listener in list(self._listeners):
            try:
                listener(change)
            except Exception:
                _log.exception("a subscriber failed")

    async def _play(self) -> None:
        before = self._wait()
        while True:
            await asyncio.sleep(TICK)
            now = self._wait()
            # After a pause of the machine it goes on where it stood.
            passed, before = min(now - before, MOST), now
            if self.paused or self.over:
                continue
            wanted = self.cursor.at + max(1, round(passed * self.speed * 1000))
            self._go(lambda ms=wanted: self.cursor.advance(ms))  # type: ignore[misc]
