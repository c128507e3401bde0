"""`hvtui demo`: the console on a simulated cluster, which is a process of its own and ends with the console."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from hvtui.cli.arguments import Arguments
from hvtui.cli.console import look_of, need_terminal, open_console
from hvtui.config import Config
from hvtui.config_file import load_config, parse_config
from hvtui.errors import ConfigError, HvtuiError, UsageError

END_SECONDS: Final = 5.0


class LabFailed(HvtuiError):
    """The simulated cluster did not come up."""


def run(arguments: Arguments) -> int:
    """Start the lab, show the console, end the lab."""
    need_terminal()
    try:
        import hvtui.cli.lab
    except ImportError as error:
        hint = "install hvtui with it: pip install 'hvtui[lab]'"
        raise UsageError(f"the simulated cluster needs the package {error.name}", hint=hint) from None
    hvtui.cli.lab.check_scenario(arguments.scenario)
    hvtui.cli.lab.check_engine(arguments.engine)
    # Only its looks are taken from the user's configuration; a broken one must not keep the demo from opening.
    try:
        own = load_config(arguments.config)
    except ConfigError:
        own = Config(path=None, clusters={})
    sys.stdout.write("starting the simulated cluster …\r")
    sys.stdout.flush()
    # What is practised is no entry of the user's own journal.
    with lab_process(arguments) as config, tempfile.TemporaryDirectory(prefix="hvtui-demo-") as folder:
        # No pins: every scenario is another cluster.
        return open_console(config.cluster(), look_of(arguments, own), pins=None, journal=Path(folder) / "journal")


@contextmanager
def lab_process(arguments: Arguments) -> Iterator[Config]:
    """The lab as a child process; gives the configuration that leads to it. Raises LabFailed.

    The child reads its standard input and ends with it. The pipe closes when this process ends, killed or not.
    """
    options = ["--scenario", arguments.scenario, "--speed", str(arguments.speed), "--at", f"{arguments.at}s"]
    options += ["--engine", arguments.engine]
    command = [sys.executable, "-m", "hvtui", "lab", "--with-parent", *options]
    # Complaints go to a file: a pipe nobody reads would stop the child, and the terminal belongs to the console.
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as complaints,
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=complaints, encoding="utf-8"
        ) as child,
    ):
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            yield parse_config(_until_ready(child.stdout, complaints), Path("demo"))
        finally:
            child.stdin.close()
            try:
                child.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                child.kill()


def _until_ready(output: IO[str], complaints: IO[str]) -> str:
    """What the lab prints before its `ready` line: a configuration."""
    lines: list[str] = []
    for line in output:
        if line.startswith("ready"):
            return "".join(lines)
        lines.append(line)
    complaints.seek(0)
    said = complaints.read().strip().splitlines() or ["it said nothing"]
    raise LabFailed(f"the simulated cluster did not start: {said[-1].removeprefix('hvtui: ')}")
