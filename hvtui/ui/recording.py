"""Recording from the console: on and off by a key, and the sign in the first line."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from hvtui.errors import HvtuiError
from hvtui.findings.noted import FindingNotes
from hvtui.journal.store import Journal
from hvtui.live.feed import Feed
from hvtui.live.inputs import Tap
from hvtui.recording.names import new_file, size_text
from hvtui.recording.recorder import Recorder
from hvtui.ui.look import Look
from hvtui.ui.widgets.styled_line import Piece

if TYPE_CHECKING:
    from hvtui.ui.finding_watch import FindingWatch

KEY = "R"


@runtime_checkable
class Tapped(Protocol):
    """A feed whose inputs can be heard: a live one."""

    def listen(self, tap: Tap | None) -> None:
        """Let a recorder hear everything that comes in; None ends that."""
        ...


class ConsoleRecorder:
    """At most one recording at a time. Event loop thread only."""

    def __init__(
        self, feed: Feed, findings: FindingWatch, *, folder: Path | None = None, journal: Path | None = None
    ) -> None:
        """`folder` None: hvtui's own for recordings. `journal` is the folder of the journal whose lines go in."""
        self._feed = feed
        self._findings = findings
        self._folder = folder
        self._journal = journal
        self._recorder: Recorder | None = None
        self._notes: FindingNotes | None = None

    @property
    def on(self) -> bool:
        """A recording goes on."""
        return self._recorder is not None

    async def toggle(self) -> str:
        """Begin, or end; what happened, in words for a person."""
        if self._recorder is not None:
            return await self.end()
        feed = self._feed
        if not isinstance(feed, Tapped):
            return "this cannot be recorded: it is a recording, or nothing comes in"
        try:
            file = new_file(feed.state.cluster.info.name if feed.state.cluster.info else feed.title,
                            feed.clock.now(), self._folder)  # fmt: skip
            recorder = Recorder(
                file,
                feed.state,
                feed.clock,
                title=feed.title,
                protected=feed.protected,
                journal=None if self._journal is None else Journal(self._journal),
            )
        except HvtuiError as error:
            return error.text
        self._recorder, self._notes = recorder, FindingNotes(recorder.note)
        feed.listen(recorder.tap)
        self.found()
        return f"recording into {file}; {KEY} ends it"

    async def end(self) -> str:
        """End what goes on; what became of it, in words."""
        recorder, self._recorder, self._notes = self._recorder, None, None
        if recorder is None:
            return ""
        if isinstance(self._feed, Tapped):
            self._feed.listen(None)
        failure = await asyncio.to_thread(recorder.close)
        if failure:
            return f"the recording ended early: {failure}"
        return f"recorded {size_text(recorder.size)}: hvtui replay {recorder.file}"

    def found(self) -> None:
        """The findings are others now."""
        if self._notes is not None:
            self._notes.look(self._findings.engine.standing)

    def pieces(self, look: Look) -> list[Piece]:
        """The sign for the first line; nothing while nothing is recorded."""
        recorder = self._recorder
        if recorder is None:
            return []
        if recorder.failure:
            return [Piece(f"{look.glyphs.bad} REC stopped: {recorder.failure}", "bad", KEY), Piece("  ")]
        return [Piece(f"{look.glyphs.record} REC {size_text(recorder.size)}", "bad", KEY), Piece("  ")]
