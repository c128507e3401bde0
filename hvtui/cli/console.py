"""`hvtui [CLUSTER]`: opens the console. Textual is imported only when it really opens."""

from __future__ import annotations

import sys
from pathlib import Path

from hvtui.cli.arguments import Arguments
from hvtui.cli.connecting import choose, gate_for
from hvtui.cli.operating import operations_of
from hvtui.config import ClusterConfig, Config
from hvtui.errors import UsageError
from hvtui.live.monitor import Monitor
from hvtui.live.pins import Pins
from hvtui.paths import state_dir
from hvtui.ui.run import ConsoleOptions, run_console


def run(arguments: Arguments) -> int:
    """Open the console on a configured cluster until the user leaves."""
    config, cluster = choose(arguments)
    need_terminal()
    return open_console(cluster, look_of(arguments, config), pins=Pins(state_dir(), config.path), file=config.path)


def need_terminal() -> None:
    """Raise UsageError unless a person can see the console and type into it."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("the console needs a terminal", hint="`hvtui status` prints one picture and ends")


def look_of(arguments: Arguments, config: Config) -> ConsoleOptions:
    """What was typed, else what the configuration says."""
    return ConsoleOptions(
        theme=arguments.theme or config.theme, ascii=arguments.ascii or config.ascii, bells=config.bells
    )


def open_console(
    cluster: ClusterConfig,
    look: ConsoleOptions,
    *,
    pins: Pins | None,
    file: Path | None = None,
    journal: Path | None = None,
) -> int:
    """Log on is the first thing the console does; the password is asked for before it takes the screen.

    `journal` is another folder for it than the usual one.
    """
    gate = gate_for(cluster)
    monitor = Monitor(cluster, credentials=gate, pins=pins)
    operations = operations_of(monitor, cluster, gate, front="console", file=file, journal=journal)
    # What is practised on a simulated cluster stays out of the user's own folder, as its journal does.
    folder = state_dir() if journal is None else journal.parent
    return run_console(monitor, look, operations=operations, config=cluster, folder=folder)
