"""`hvtui replay FILE`: the console over a recording. Nothing is asked and nothing can be changed."""

from __future__ import annotations

from hvtui.cli.arguments import Arguments
from hvtui.cli.console import look_of, need_terminal
from hvtui.cli.output import complain
from hvtui.cli.recording_arguments import after
from hvtui.config import Config
from hvtui.config_file import load_config
from hvtui.errors import ConfigError
from hvtui.recording.feed import ReplayFeed
from hvtui.recording.reader import Recording


def run(arguments: Arguments) -> int:
    """Show it until the user leaves. 2 when the file is no recording or cannot be read."""
    recording = Recording.open(arguments.recording)
    try:
        need_terminal()
        about = recording.about
        if about.problem:
            complain(f"{arguments.recording}: {about.problem}")
        feed = ReplayFeed(recording)
        feed.speed = arguments.times
        if arguments.moment is not None:
            feed.seek(after(about.began, arguments.moment))
        try:
            own = load_config(arguments.config)
        except ConfigError:
            # Only its looks are taken from it.
            own = Config(path=None, clusters={})
        from hvtui.ui.run import run_console

        # Its windows and quiet groups, where the cluster is configured here.
        return run_console(feed, look_of(arguments, own), config=own.clusters.get(about.title))
    finally:
        recording.close()
