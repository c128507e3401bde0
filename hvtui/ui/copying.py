"""`y`: the incident for a ticket, to the clipboard of the terminal (OSC 52)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hvtui.operations.summary import done_of_runs, incident, open_of, text_of

if TYPE_CHECKING:
    from hvtui.ui.app import HvtuiApp


def incident_text(app: HvtuiApp) -> str:
    """What was seen, done and is open, as the console knows it now."""
    feed, acting = app.feed, app.acting
    operations = acting.operations if acting is not None else None
    runs = operations.runs if operations is not None else []
    left = operations.unfinished() if operations is not None else []
    stopped = operations.stopped_vmms if operations is not None else []
    found = incident(
        feed.state,
        title=feed.title,
        made=feed.clock.now(),
        monotonic=feed.clock.monotonic(),
        zone=app.look.zone,
        done=done_of_runs(runs),
        still_open=open_of(runs, left, stopped),
    )
    return text_of(found, app.look.zone)


def copy_incident(app: HvtuiApp) -> None:
    """Hand it to the terminal, and say what that means: a terminal without OSC 52 takes nothing."""
    text = incident_text(app)
    app.copy_to_clipboard(text)
    lines = len(text.splitlines())
    app.overview.tell(f"copied {lines} lines, if the terminal takes OSC 52; `hvtui summary` prints the same")
