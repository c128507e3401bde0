"""The line that a replay has and a live console has not: the time, the speed and the place."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from hvtui.recording.feed import ReplayFeed
from hvtui.ui.look import Look
from hvtui.ui.widgets.styled_line import Piece, StyledLine

_ROAD: Final = 16
"""Cells of the line that shows the place."""


class ReplayBar(StyledLine):
    """`paused  30x  02:13:07  of CLU-PROD  ━━━━●────  22:00:00 to 06:00:00`."""

    def __init__(self, feed: ReplayFeed, look: Look) -> None:
        super().__init__(ellipsis=look.glyphs.ellipsis, id="replay-bar")
        self._feed = feed
        self._look = look

    def on_mount(self) -> None:
        self.tick()

    def tick(self) -> None:
        """Something is different, or a second has passed."""
        feed, look = self._feed, self._look
        about = feed.recording.about
        if feed.trouble:
            self.show([Piece(f" {look.glyphs.bad} {feed.trouble}", "bad")])
            return
        if feed.over:
            state, role = "at its end", "warn"
        elif feed.paused:
            state, role = "paused", "warn"
        else:
            state, role = "playing", "ok"
        left = [
            Piece(" REPLAY ", "alert"),
            Piece(f" {state}", role, "space"),
            Piece(f"  {feed.speed}x", "strong"),
            Piece(f"  {self._time(feed.now)}", "strong"),
            Piece(f"  of {about.cluster or about.title}  "),
            Piece(self._road(), "info"),
            Piece(f"  {self._time(about.began)} to {self._time(about.ended)}", "dim"),
        ]
        if about.problem:
            left.append(Piece(f"   {about.problem}", "warn"))
        keys = [("Space", "pause", "space"), ("}", "step", "}"), ("^Left ^Right", "1 min", ""), ("[ ]", "speed", "")]
        right = [Piece(" ")]
        for key, word, press in keys:
            right += [Piece(key, "key", press), Piece(f" {word} ", "dim")]
        self.show(left, right)

    def _time(self, when: datetime) -> str:
        """By the viewer's zone; with the day where the recording is longer than one."""
        about = self._feed.recording.about
        local = when.astimezone(self._look.zone)
        days = about.began.astimezone(self._look.zone).date() != about.ended.astimezone(self._look.zone).date()
        return f"{local:%d %b %H:%M:%S}" if days else f"{local:%H:%M:%S}"

    def _road(self) -> str:
        recording, glyphs = self._feed.recording, self._look.glyphs
        length = max(1, recording.end - recording.began)
        place = round((self._feed.cursor.at - recording.began) * (_ROAD - 1) / length)
        return glyphs.gone * place + glyphs.record + glyphs.ahead * (_ROAD - 1 - place)
