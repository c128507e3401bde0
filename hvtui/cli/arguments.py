"""Every command and option, in one place: parsing, help and examples."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, NoReturn

import hvtui
from hvtui.errors import UsageError


class Arguments(argparse.Namespace):
    """What was typed. A command sees only its own options besides `config`."""

    command: str
    config: Path | None
    cluster: str
    theme: str | None
    ascii: bool
    scenario: str
    speed: float
    at: float
    engine: Literal["native", "pwsh"]
    port: int
    write_config: Path | None
    json: bool
    plain: bool
    writers: bool
    file: str
    action: str
    with_parent: bool
    verbose: bool
    item: str
    last: int


@dataclass(frozen=True)
class Command:
    """A command: the module of this package whose `run` does it, one line of help, and what it takes."""

    module: str
    help: str
    add: Callable[[argparse.ArgumentParser], None]


EXAMPLES: Final = """\
examples:
  hvtui demo                            the console on a simulated cluster, nothing else needed
  hvtui demo --scenario stuck-writer --at 60m --speed 10
  hvtui config init                     write a configuration to start from
  hvtui doctor prod                     can every node be reached and read? what to do if not
  hvtui prod                            the console on the cluster `prod` of the configuration
  hvtui status prod --json | jq .unread
  hvtui writers prod                    VSS writers of all nodes (runs vssadmin there)
  vssadmin list writers | hvtui explain -

exit codes: 0 fine, 1 something is wrong, 2 no picture or nothing readable, 64 wrong usage or configuration,
70 a fault of hvtui itself
"""

_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|min|h)?\Z")
_UNITS: Final = {None: 60, "s": 1, "m": 60, "min": 60, "h": 3600}


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(message, hint=f"`{self.prog} --help` shows what there is")


def parse(words: Sequence[str], into: Arguments) -> None:
    """Read what was typed; raises UsageError. `--help` and `--version` print and end the program."""
    parser = _Parser(
        prog="hvtui",
        description="A live console for Windows Hyper-V failover clusters. `hvtui CLUSTER` opens it.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"hvtui {hvtui.__version__}")
    parser.add_argument("--config", type=Path, metavar="FILE", default=None, help="use this configuration file")
    commands = parser.add_subparsers(dest="command", metavar="[CLUSTER] | COMMAND", title="commands")
    for name, command in COMMANDS.items():
        sub = commands.add_parser(name, help=command.help, description=command.help, allow_abbrev=False)
        # Accepted on both sides of the command; typed on neither, the outer default stays.
        sub.add_argument("--config", type=Path, metavar="FILE", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
        command.add(sub)
    parser.parse_args(_with_command(list(words)), namespace=into)


def _with_command(words: list[str]) -> list[str]:
    """`hvtui`, `hvtui CLUSTER` and `hvtui --theme light` mean the console."""
    skip = False
    for word in words:
        if skip:
            skip = False
        elif word in {"-h", "--help", "--version"}:
            return words
        elif word in {"--config", "--theme"}:
            skip = True
        elif word == "--" or not word.startswith("-"):
            return words if word in COMMANDS else ["console", *words]
    return ["console", *words]


def duration(text: str) -> float:
    """Seconds of `90s`, `60m` or `1.5h`; a bare number is minutes."""
    found = _DURATION.match(text.strip().lower())
    if found is None:
        raise argparse.ArgumentTypeError(f"`{text}` is not a duration such as 90s, 60m or 1.5h")
    return float(found[1]) * _UNITS[found[2]]


def _speed(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1
    if not 0 <= value <= 1000:
        raise argparse.ArgumentTypeError(f"`{text}` is not a speed from 0 (standing still) to 1000")
    return value


def _port(text: str) -> int:
    if not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"`{text}` is not a port from 0 (any free one) to 65535")
    return int(text)


def _cluster(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("cluster", nargs="?", default="", metavar="CLUSTER", help="a cluster of the configuration")


def _json(parser: argparse._ActionsContainer) -> None:
    parser.add_argument("--json", action="store_true", help="one JSON object (docs/ has its schema)")


def _look(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--theme", default=None, help="name of a theme")
    parser.add_argument("--ascii", action="store_true", help="no glyphs beyond ASCII")


def _world(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--scenario", default="healthy", metavar="NAME", help="what happens in the simulated cluster")
    parser.add_argument("--speed", type=_speed, default=1.0, metavar="X", help="how fast its time runs; 0 stands still")
    parser.add_argument("--at", type=duration, default=0.0, metavar="TIME", help="start this far into it, such as 60m")
    parser.add_argument(
        "--engine",
        choices=("native", "pwsh"),
        default="native",
        help="what answers for the nodes: hvtui itself, or its module on a real PowerShell 7 (pwsh)",
    )


def _console(parser: argparse.ArgumentParser) -> None:
    _cluster(parser)
    _look(parser)


def _demo(parser: argparse.ArgumentParser) -> None:
    _world(parser)
    _look(parser)


def _lab(parser: argparse.ArgumentParser) -> None:
    _world(parser)
    parser.add_argument(
        "--port", type=_port, default=0, metavar="N", help="first node's port, the others follow (default: free ones)"
    )
    parser.add_argument(
        "--write-config", type=Path, metavar="FILE", help="write a configuration that connects to it without a prompt"
    )
    # The demo's own: the lab ends when its standard input does.
    parser.add_argument("--with-parent", action="store_true", help=argparse.SUPPRESS)


def _status(parser: argparse.ArgumentParser) -> None:
    _cluster(parser)
    shape = parser.add_mutually_exclusive_group()
    _json(shape)
    shape.add_argument("--plain", action="store_true", help="words only, no colour and no frames")
    parser.add_argument("--writers", action="store_true", help="read the VSS writers too (runs vssadmin on every node)")


def _writers(parser: argparse.ArgumentParser) -> None:
    _cluster(parser)
    _json(parser)


def _explain(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "file",
        metavar="FILE|-",
        help="saved output of vssadmin, diskshadow, Get-ClusterSharedVolumeState, or event XML; - reads a pipe",
    )
    _json(parser)


def _doctor(parser: argparse.ArgumentParser) -> None:
    _cluster(parser)
    parser.add_argument("--verbose", action="store_true", help="every step, also of nodes without a fault")


def _config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=("show", "check", "path", "init", "accept-id"), help="what to do")
    _cluster(parser)


def _journal(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=("list", "show", "verify", "export"), help="what to do")
    parser.add_argument("item", nargs="?", default="", metavar="ID", help="of `show`: a line's number or an operation")
    parser.add_argument("--last", type=int, default=50, metavar="N", help="of `list`: newest lines; 0 is all")
    _json(parser)


COMMANDS: Final = {
    "console": Command("console", "open the console (also: `hvtui CLUSTER`)", _console),
    "demo": Command("demo", "open the console on a simulated cluster", _demo),
    "lab": Command("lab", "serve the simulated cluster in the foreground", _lab),
    "status": Command("status", "one picture of a cluster, then end", _status),
    "writers": Command("writers", "VSS writers of all nodes, then end", _writers),
    "explain": Command("explain", "say what pasted output of Windows means", _explain),
    "doctor": Command("doctor", "check every node step by step, and say how to mend it", _doctor),
    "journal": Command("journal", "what was changed, by whom and how it ended; is the record whole?", _journal),
    "config": Command("configure", "show, check, find or begin the configuration; accept a cluster's new id", _config),
}
