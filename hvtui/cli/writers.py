"""`hvtui writers`: the VSS writers of every node, read now (runs vssadmin there)."""

from __future__ import annotations

from hvtui.cli import picture_json
from hvtui.cli.arguments import Arguments
from hvtui.cli.exits import Exit
from hvtui.cli.output import show_json
from hvtui.cli.status import show_unread, show_writers, take, unread_json
from hvtui.cli.writer_output import is_fine


def run(arguments: Arguments) -> int:
    """0 all well, 1 a writer is not well or something was unread, 2 no writer could be read."""
    _, picture = take(arguments, writers=True)
    read = [view.writers for view in picture.state.nodes.values() if view.writers is not None]
    unread = [one for one in picture.unread if one.what in {"writers", "node", "cluster"}]
    unreadable = [
        {"node": view.name, "line": line}
        for view in picture.state.nodes.values()
        if view.writers is not None
        for line in view.writers.unreadable
    ]
    if arguments.json:
        show_json(
            {
                "writers": picture_json.writers_json(picture.state),
                "unreadable": unreadable,
                "unread": [unread_json(one) for one in unread],
                "as_of": picture_json.time_json(picture.as_of),
            }
        )
    else:
        show_writers(picture.state)
        show_unread(unread)
    writers = [writer for one in read for writer in one.writers]
    if not writers:
        return Exit.NOTHING
    return Exit.FINE if all(map(is_fine, writers)) and not unread and not unreadable else Exit.WRONG
