"""Opens the console on a feed. Settings that must be made before Textual is imported are made here."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import logging.handlers
import os
import signal
import sys
import threading
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Final, TextIO

from hvtui import paths

if TYPE_CHECKING:
    from hvtui.config import ClusterConfig
    from hvtui.live.feed import Feed
    from hvtui.operations.service import Operations
    from hvtui.ui.app import HvtuiApp

_LOG = logging.getLogger(__name__)

_STOP_SECONDS: Final = 5.0
_LAST_SECONDS: Final = 10.0
"""From a signal to the end, whatever happens."""


@dataclass(frozen=True, slots=True)
class ConsoleOptions:
    """How the console looks. `zone` None is the client's own time zone."""

    theme: str = "dark"
    ascii: bool = False
    bells: bool = True
    zone: tzinfo | None = None


def run_console(
    feed: Feed,
    options: ConsoleOptions | None = None,
    *,
    operations: Operations | None = None,
    config: ClusterConfig | None = None,
    folder: Path | None = None,
) -> int:
    """Show the console until the user leaves; the exit code is 0, or 70 after an error in hvtui itself.

    The feed is started after the first frame and stopped at the end, whatever the end is. Without `operations` the
    console only watches. `config` is the cluster's; `folder` keeps what people know of findings.
    """
    chosen = options or ConsoleOptions()
    # At 60 frames a second a key may wait 16 ms behind the repaint of a delta; this halves the 99th percentile.
    os.environ.setdefault("TEXTUAL_FPS", "240")
    os.environ.setdefault("TEXTUAL_ANIMATIONS", "none")
    gc.disable()
    try:
        from hvtui.ui.app import HvtuiApp  # noqa: PLC0415  # pulls in Textual
        from hvtui.ui.look import Look  # noqa: PLC0415
    finally:
        gc.enable()
    log = _log_to_file()
    app = HvtuiApp(
        feed,
        operations=operations,
        config=config,
        folder=folder,
        look=Look(chosen.ascii, chosen.zone),
        theme=chosen.theme,
        user_themes=paths.config_dir() / "themes",
        log_file=log,
        own_process=True,
        bells=chosen.bells,
    )

    if sys.platform != "win32" and sys.__stderr__ is not None:
        # Where Textual draws; on Windows the console window and its programs end together.
        sys.__stderr__ = _Terminal(sys.__stderr__)  # type: ignore[misc, assignment]
    asyncio.run(_show(app, feed, operations))
    return 70 if app.failed else app.return_code or 0


async def _show(app: HvtuiApp, feed: Feed, operations: Operations | None) -> None:
    loop = asyncio.get_running_loop()

    def leave(number: int, _frame: object) -> None:
        loop.call_soon_threadsafe(app.exit)
        # Whatever the end gets stuck in (a terminal that is gone, above all), it must come.
        last = threading.Timer(_LAST_SECONDS, os._exit, [128 + number])
        last.daemon = True
        last.start()

    # Killed politely or hung up on, the console still gives the terminal back as it was and closes its lanes.
    for name in ("SIGTERM", "SIGHUP", "SIGBREAK"):
        signum = getattr(signal, name, None)
        if signum is not None:
            signal.signal(signum, leave)
    try:
        await app.run_async()
    finally:
        if operations is not None:
            try:
                # Before the lanes close: what runs is left to Windows, and the journal says so.
                await asyncio.wait_for(operations.close(), _STOP_SECONDS)
            except Exception:
                _LOG.exception("operations did not close")
        try:
            await asyncio.wait_for(feed.stop(), _STOP_SECONDS)
        except Exception:
            # The user has left; what did not close in time ends with the process.
            _LOG.exception("the feed did not stop")


class _Terminal:
    """The terminal's stream, on which a write to a terminal that is gone does nothing.

    Textual writes from a thread; it would end with the first failed write, and then the loop would wait for ever.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError):
            return self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError):
            self._stream.flush()

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)


def _log_to_file() -> Path | None:
    path = paths.log_file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handler = logging.handlers.RotatingFileHandler(path, maxBytes=1_000_000, backupCount=2, encoding="utf-8")
    except OSError:
        return None
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logger = logging.getLogger("hvtui")
    logger.addHandler(handler)
    logger.setLevel(logging.WARNING)
    logger.propagate = False
    return path
