"""Every command and option, in one place: parsing, help and examples."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import time, timedelta
from pathlib import Path
from typing import Final, Literal, NoReturn

import hvtui
from hvtui.cli import guest_arguments as guests
from hvtui.cli import recording_arguments as recordings
from hvtui.cli import verb_arguments as verbs
from hvtui.cli.argument_types import compared, duration, port, speed
from hvtui.config import Secret
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
    note: str
    apply: bool
    plan: Path | None
    out: Path | None
    confirm: str | None
    override: list[str]
    backup_stopped: list[str]
    wait: bool
    timeout: float | None
    vms: list[str]
    nodes: list[str]
    node: str
    service: str
    to: str | None
    csv: str | None
    group: str | None
    max_moves: int
    move_csv: bool
    save: str | None
    back: str | None
    tally: str | None
    control: str | None
    failback: str
    start: bool
    since: float
    clusters: list[str]
    confirmed: list[str]
    on: list[str]
    filter: str | None
    all: bool
    type: str
    operation: str
    vm: str | None
    checkpoint: str | None
    name: str | None
    account: str
    value: str
    user: str | None
    password_from: Secret
    parallel: int
    files: str | None
    count: int
    seconds: int
    jsonl: bool
    md: bool
    html: bool
    compare: int
    until: time | timedelta | None
    moment: time | timedelta | None
    times: int
    recording: Path
    of_recording: Path | None
    redact: bool
    limit: int


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
  hvtui findings prod                   what is wrong, how that is known, and the safe next step
  hvtui ready prod                      before a backup window: what is in the way or left over
  hvtui record prod --until 06:00       the night in a file; hvtui replay FILE shows it again
  vssadmin list writers | hvtui explain -
  hvtui align prod                      which VMs would go where; nothing is changed without --apply
  hvtui drain HV03 --cluster prod -o plan.json
  hvtui drain HV03 --cluster prod --apply --plan plan.json --confirm HV03
  hvtui policy set Production --filter type:standard
  hvtui guests --node HV03              volumes inside its guests; asks for an account of theirs

exit codes: 0 fine or done, 1 something is wrong or left over, 2 no picture or nothing readable, 3 refused,
4 timed out, 64 wrong usage or configuration, 70 a fault of hvtui itself
"""


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


def _cluster(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("cluster", nargs="?", default="", metavar="CLUSTER", help="a cluster of the configuration")


def _json(parser: argparse._ActionsContainer) -> None:
    parser.add_argument("--json", action="store_true", help="one JSON object (docs/ has its schema)")


def _look(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--theme", default=None, help="name of a theme")
    parser.add_argument("--ascii", action="store_true", help="no glyphs beyond ASCII")


def _world(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--scenario", default="healthy", metavar="NAME", help="what happens in the simulated cluster")
    parser.add_argument("--speed", type=speed, default=1.0, metavar="X", help="how fast its time runs; 0 stands still")
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
        "--port", type=port, default=0, metavar="N", help="first node's port, the others follow (default: free ones)"
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


def _findings(parser: argparse.ArgumentParser) -> None:
    which = parser.add_mutually_exclusive_group()
    which.add_argument("cluster", nargs="?", default="", metavar="CLUSTER", help="a cluster of the configuration")
    which.add_argument(
        "--recording",
        dest="of_recording",
        type=Path,
        default=None,
        metavar="FILE",
        help="what stood when a recording ended",
    )
    _json(parser)


def _ready(parser: argparse.ArgumentParser) -> None:
    _cluster(parser)
    _json(parser)


def _explain(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "file",
        metavar="FILE|-",
        help="saved output of Windows' programs, events, errors of a backup product, error codes; - reads a pipe",
    )
    _json(parser)


def _report(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("recording", type=Path, metavar="FILE", help="a recording")
    shape = parser.add_mutually_exclusive_group()
    shape.add_argument("--md", action="store_true", help="Markdown, for a ticket (without either: by the file's name)")
    shape.add_argument("--html", action="store_true", help="one HTML file that loads and runs nothing")
    parser.add_argument("-o", "--out", type=Path, metavar="OUT", help="the file to write (default: standard output)")
    parser.add_argument("--redact", action="store_true", help="other names of nodes, VMs, CSVs and accounts")
    parser.add_argument(
        "--compare", type=compared, default=5, metavar="N", help="with so many earlier recordings beside it"
    )


def _doctor(parser: argparse.ArgumentParser) -> None:
    _cluster(parser)
    parser.add_argument("--verbose", action="store_true", help="every step, also of nodes without a fault")


def _config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=("show", "check", "path", "init", "accept-id"), help="what to do")
    _cluster(parser)


def _journal(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=("list", "show", "verify", "export", "close"), help="what to do")
    parser.add_argument("item", nargs="?", default="", metavar="ID", help="of `show`: a line's number or an operation")
    parser.add_argument(
        "--note", default="", metavar="TEXT", help="of `close`: why nothing more is to be done about it"
    )
    parser.add_argument("--last", type=int, default=50, metavar="N", help="of `list`: newest lines; 0 is all")
    _json(parser)


COMMANDS: Final = {
    "console": Command("console", "open the console (also: `hvtui CLUSTER`)", _console),
    "demo": Command("demo", "open the console on a simulated cluster", _demo),
    "lab": Command("lab", "serve the simulated cluster in the foreground", _lab),
    "status": Command("status", "one picture of a cluster, then end", _status),
    "writers": Command("writers", "VSS writers of all nodes, then end", _writers),
    "findings": Command("findings", "what is wrong, how that is known, and the safe next step", _findings),
    "ready": Command("ready", "before a backup window: what is in the way, left over or not known", _ready),
    "explain": Command("explain", "say what a pasted text of Windows or a backup product means", _explain),
    "report": Command("report", "the night of a recording in one page", _report),
    "doctor": Command("doctor", "check every node step by step, and say how to mend it", _doctor),
    "migrate": Command("acting.moves", "live-migrate VMs", verbs.migrate),
    "cancel": Command("acting.moves", "cancel migrations that run", verbs.cancel),
    "align": Command("acting.align", "move VMs to the owner of their CSV, or back again", verbs.align),
    "isolate": Command(
        "acting.isolate", "gather suspects and a control VM on one node; tally their backups", verbs.isolate
    ),
    "return": Command("acting.isolate", "send isolated VMs home", verbs.send_home),
    "drain": Command("acting.nodes", "pause a node and let its roles leave", verbs.drain),
    "resume": Command("acting.nodes", "let a paused node take roles again", verbs.resume),
    "vmms": Command("acting.nodes", "restart VMMS, guided: drain, restart, resume", verbs.vmms),
    "service": Command("acting.nodes", "restart the service of another VSS writer", verbs.service),
    "policy": Command("acting.policy", "set the checkpoint type of VMs, or give it back", guests.policy),
    "checkpoint": Command("acting.checkpoint", "take, list, apply and remove checkpoints", guests.checkpoint),
    "vssaccess": Command("acting.vss_access", "who may take part in VSS on each node", guests.vssaccess),
    "guests": Command("guests", "volumes, VSS and writers inside guests", guests.guests),
    "summary": Command("summary", "the incident for a ticket: seen, done, open", verbs.summary),
    "journal": Command("journal", "what was changed, by whom and how it ended; is the record whole?", _journal),
    "record": Command("record", "a cluster's night into a file, without a console", recordings.record),
    "replay": Command("replay", "the console over a recording: pause, step, seek, faster", recordings.replay),
    "recording": Command("recording", "what a recording is of; copy it, with other names", recordings.recording),
    "config": Command("configure", "show, check, find or begin the configuration; accept a cluster's new id", _config),
}
