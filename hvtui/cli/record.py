"""`hvtui record`: a cluster's night in a file, without a console."""

from __future__ import annotations

import asyncio
import signal
import sys
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from hvtui.cli.arguments import Arguments
from hvtui.cli.connecting import choose, gate_for
from hvtui.cli.exits import Exit
from hvtui.cli.output import complain, say
from hvtui.cli.recording_arguments import after
from hvtui.config import ClusterConfig
from hvtui.findings.engine import Engine
from hvtui.findings.noted import FindingNotes
from hvtui.journal.store import Journal
from hvtui.live.monitor import Monitor
from hvtui.live.pins import Pins
from hvtui.model.link import LinkStatus
from hvtui.paths import state_dir
from hvtui.recording.names import new_file, size_text
from hvtui.recording.recorder import Recorder

_LOOK: Final = 1.0


def run(arguments: Arguments) -> int:
    """0 recorded until it was ended, 1 recording had to stop earlier, 2 not one picture came.

    Ctrl+C and SIGTERM end it as `--until` does.
    """
    config, cluster = choose(arguments)
    now = datetime.now(UTC)
    file = arguments.out or new_file(cluster.name, now)
    until = None if arguments.until is None else after(now, arguments.until)
    pins = Pins(state_dir(), config.path)
    return asyncio.run(_record(cluster, pins, file, until, arguments))


async def _record(cluster: ClusterConfig, pins: Pins, file: Path, until: datetime | None, arguments: Arguments) -> Exit:
    monitor = Monitor(cluster, credentials=gate_for(cluster), pins=pins)
    recorder = Recorder(
        file,
        monitor.state,
        monitor.clock,
        title=cluster.name,
        protected=cluster.protected,
        redact=arguments.redact,
        limit=arguments.limit * 2**20,
        journal=Journal(),
    )
    ending = _Ending()
    work = _Work(monitor, recorder, cluster)
    try:
        monitor.listen(recorder.tap)
        await monitor.start()
        say(f"recording {cluster.name} into {file}; Ctrl+C ends it")
        while not ending.asked and not work.stopped and (until is None or datetime.now(UTC) < until):
            with suppress(TimeoutError):
                await asyncio.wait_for(ending.event.wait(), _LOOK)
            work.look()
    finally:
        ending.restore()
        monitor.listen(None)
        failure = await asyncio.to_thread(recorder.close)
        await monitor.stop()
    return _told(recorder, failure or work.stopped, monitor)


class _Ending:
    """Hears Ctrl+C and the polite signals to end."""

    def __init__(self) -> None:
        self.event = asyncio.Event()
        self.asked = False
        self._loop = asyncio.get_running_loop()
        self._before: dict[int, Any] = {}
        for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK"):
            number = getattr(signal, name, None)
            if number is not None:
                self._before[number] = signal.signal(number, self._heard)

    def restore(self) -> None:
        """What they did before."""
        for number, before in self._before.items():
            signal.signal(number, before)

    def _heard(self, _number: int, _frame: object) -> None:
        self.asked = True
        self._loop.call_soon_threadsafe(self.event.set)


class _Work:
    """What goes on beside the recorder: findings, and a line for the person who waits."""

    def __init__(self, monitor: Monitor, recorder: Recorder, cluster: ClusterConfig) -> None:
        self._monitor = monitor
        self._recorder = recorder
        self._engine = Engine(cluster)
        self._notes = FindingNotes(recorder.note)
        self._shows = sys.stderr.isatty()
        self.stopped = ""
        monitor.subscribe(self._engine.note)

    def look(self) -> None:
        """Once a second."""
        state, recorder = self._monitor.state, self._recorder
        if self._engine.look(state, self._monitor.clock.monotonic()):
            self._notes.look(self._engine.standing)
        link = state.cluster.link
        if link.status is LinkStatus.STOPPED:
            self.stopped = f"{link.text} {link.hint}".strip()
        elif self._monitor.refusal:
            self.stopped = self._monitor.refusal
        else:
            self.stopped = recorder.failure
        if self._shows:
            live = sum(view.heard for view in state.nodes.values())
            gone = datetime.now(UTC) - recorder.began
            line = f"{str(gone).partition('.')[0]}  {size_text(recorder.size)}  {live} of {len(state.nodes)} nodes live"
            sys.stderr.write(f"\r{line:<70}")
            sys.stderr.flush()


def _told(recorder: Recorder, failure: str, monitor: Monitor) -> Exit:
    if sys.stderr.isatty():
        sys.stderr.write("\n")
    if monitor.state.cluster.nodes is None and not any(view.vms is not None for view in monitor.state.nodes.values()):
        link = monitor.state.cluster.link
        complain(f"nothing could be recorded: {failure or link.text or 'no node has answered'}")
        return Exit.NOTHING
    say(f"recorded {recorder.told} messages, {size_text(recorder.size)}: {recorder.file}")
    if failure:
        complain(f"the recording ended early: {failure}")
        return Exit.WRONG
    return Exit.FINE
