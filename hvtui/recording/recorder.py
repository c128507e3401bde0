"""Records what a store is told, on a thread of its own: the event loop only puts it into a list.

Whatever happens to the file, the console goes on: the recorder then stands still and says why in `failure`.
"""

from __future__ import annotations

import logging
import threading
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import msgspec

import hvtui
from hvtui.clock import Clock
from hvtui.journal.store import Journal
from hvtui.live.inputs import Input
from hvtui.model.state import ClusterState
from hvtui.recording import keyframe
from hvtui.recording.follower import Follower
from hvtui.recording.format import Head, RecordingError
from hvtui.recording.keyframe import Keyframe
from hvtui.recording.redact import Redactor
from hvtui.recording.still import SetClock, StillStore
from hvtui.recording.writer import FIRST_MS, LIMIT, SEGMENT_MS, Writer

PAUSE: Final = 0.5
"""Seconds between two writes: what a killed process may lose."""
MOST_WAITING: Final = 200_000
"""Things that wait to be written before the recorder gives up: the disk does not keep up."""
CLOSE_SECONDS: Final = 15.0

_log = logging.getLogger(__name__)
_Waiting = tuple[int, int, Any, bool]


class Recorder:
    """One recording. `tap`, `note` and `close` on the event loop's thread; give `tap` to the store."""

    def __init__(
        self,
        file: Path,
        state: ClusterState,
        clock: Clock,
        *,
        title: str,
        protected: bool = False,
        redact: bool = False,
        limit: int = LIMIT,
        journal: Journal | None = None,
        own_thread: bool = True,
    ) -> None:
        """Creates the file and begins with what `state` is now. Raises RecordingError.

        Lines that are added to `journal` about this cluster are kept, too; it is read on the recorder's thread.
        Without a thread of its own nothing is written but by `write`.
        """
        self.file = file
        self.failure = ""
        """Why nothing is recorded any more, for a person; empty while it is."""
        self.told = 0
        """How many things were told so far."""
        self._state = state
        self._clock = clock
        self._wall, self._monotonic = clock.now(), clock.monotonic()
        self._redactor = Redactor() if redact else None
        head = Head(
            title="cluster" if redact else title,
            wall=self._wall,
            monotonic=self._monotonic,
            program=hvtui.__version__,
            protected=protected,
            redacted=redact,
        )
        self._writer = Writer(file, head, limit=limit)
        self._journal = None if journal is None else Follower(journal)
        self._lock = threading.Lock()
        self._waiting: list[_Waiting] = []
        self._wake = threading.Event()
        self._ending = threading.Event()
        self._segment = 0
        self._next = FIRST_MS
        self._shadow_clock = SetClock(self._wall, self._monotonic)
        self._shadow: StillStore | None = None
        """The cluster under its other names, when they are replaced."""
        self._put(keyframe.take(state))
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        if own_thread:
            self._thread.start()

    @property
    def size(self) -> int:
        """Bytes on the disk, as of the last write."""
        return self._writer.size

    @property
    def began(self) -> datetime:
        """By the client's clock."""
        return self._wall

    # --- on the event loop ---

    def tap(self, told: Input) -> None:
        """Take in what the store was just told."""
        if self.failure:
            return
        self.told += 1
        time = self._put(told, exact=bool(self._state.adrift))
        if time >= self._next:
            self._next = time + SEGMENT_MS
            self._put(keyframe.take(self._state))

    def note(self, kind: str, data: Any) -> None:
        """Keep something told about the cluster: `finding`, `action`; anything that msgspec can encode."""
        if not self.failure:
            self._put((kind, msgspec.to_builtins(data, builtin_types=(datetime,))))

    def close(self) -> str:
        """End the recording; the result says why it is not whole, empty when it is. May wait for the disk."""
        self._ending.set()
        self._wake.set()
        if self._thread.ident is None:
            self._run()
        else:
            self._thread.join(CLOSE_SECONDS)
        if self._thread.is_alive():
            self.failure = self.failure or f"{self.file}: the disk does not answer"
        return self.failure

    def _put(self, item: Any, *, exact: bool = False) -> int:
        time = round((self._clock.monotonic() - self._monotonic) * 1000)
        skew = round((self._clock.now() - self._wall).total_seconds() * 1000) - time
        with self._lock:
            self._waiting.append((time, skew, item, exact))
            if len(self._waiting) > MOST_WAITING:
                self._waiting.clear()
                self.failure = f"{self.file}: the disk does not keep up"
        return time

    # --- on the recorder's thread ---

    def _run(self) -> None:
        try:
            ended = False
            while not ended:
                self._wake.wait(PAUSE)
                ended = self._ending.is_set()
                self.write()
            self._writer.close(round((self._clock.monotonic() - self._monotonic) * 1000))
            if self._journal is not None:
                self._journal.close()
        except RecordingError as error:
            self._fail(error.text)
        except Exception as error:
            _log.exception("the recorder failed")
            self._fail(f"hvtui failed on recording: {type(error).__name__}")

    def write(self) -> None:
        """Write what waits. Raises RecordingError."""
        with self._lock:
            waiting, self._waiting = self._waiting, []
        for time, skew, item, exact in waiting:
            if isinstance(item, Keyframe):
                self._begin(item, time)
            elif isinstance(item, tuple):
                kind, data = item
                data = data if self._redactor is None else self._redactor.plain(data)
                self._writer.note(time, kind, msgspec.msgpack.encode(data))
            else:
                self._add(time, skew, item, exact=exact)
        if self._journal is not None:
            for entry in self._journal.fresh(self._writer.head.cluster_id):
                at = round((entry.time - self._wall).total_seconds() * 1000)
                data = msgspec.to_builtins(entry, builtin_types=(datetime,))
                data = data if self._redactor is None else self._redactor.plain(data)
                self._writer.note(at, "action", msgspec.msgpack.encode(data))
        self._writer.flush()

    def _begin(self, key: Keyframe, time: int) -> None:
        if self._redactor is not None:
            if self._shadow is None:
                self._shadow = StillStore(self._shadow_clock)
                keyframe.put(self._redactor.keyframe(key), self._shadow.state)
            key = keyframe.take(self._shadow.state)
        info = key.cluster.info
        if info is not None and info.id != self._writer.head.cluster_id:
            self._writer.head = msgspec.structs.replace(self._writer.head, cluster=info.name, cluster_id=info.id)
        self._writer.begin(key, time)

    def _add(self, time: int, skew: int, told: Input, *, exact: bool) -> None:
        if self._redactor is not None and self._shadow is not None:
            told = self._redactor.told(told)
            self._shadow_clock.set(time, skew)
            self._shadow.put(told)
        self._writer.add(time, skew, told, exact=exact)

    def _fail(self, why: str) -> None:
        self.failure = why
        with self._lock:
            self._waiting.clear()
        self._writer.abandon()
