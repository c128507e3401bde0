"""Opens the console on a feed. Settings that must be made before Textual is imported are made here."""

from __future__ import annotations

import asyncio
import gc
import logging
import logging.handlers
import os
import signal
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hvtui import paths

if TYPE_CHECKING:
    from hvtui.live.feed import Feed
    from hvtui.ui.app import HvtuiApp

_LOG = logging.getLogger(__name__)

_STOP_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class ConsoleOptions:
    """How the console looks. `zone` None is the client's own time zone."""

    theme: str = "dark"
    ascii: bool = False
    zone: tzinfo | None = None


def run_console(feed: Feed, options: ConsoleOptions | None = None) -> int:
    """Show the console until the user leaves; the exit code is 0, or 70 after an error in hvtui itself.

    The feed is started after the first frame and stopped at the end, whatever the end is.
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
        look=Look(chosen.ascii, chosen.zone),
        theme=chosen.theme,
        user_themes=paths.config_dir() / "themes",
        log_file=log,
        own_process=True,
    )

    asyncio.run(_show(app, feed))
    return 70 if app.failed else app.return_code or 0


async def _show(app: HvtuiApp, feed: Feed) -> None:
    loop = asyncio.get_running_loop()
    # Killed politely, the console still gives the terminal back as it was.
    for name in ("SIGTERM", "SIGHUP", "SIGBREAK"):
        number = getattr(signal, name, None)
        if number is not None:
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(app.exit))
    try:
        await app.run_async()
    finally:
        try:
            await asyncio.wait_for(feed.stop(), _STOP_SECONDS)
        except Exception:
            # The user has left; what did not close in time ends with the process.
            _LOG.exception("the feed did not stop")


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
