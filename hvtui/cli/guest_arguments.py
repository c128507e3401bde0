"""Options of the commands about checkpoints, VssAccessControl and guests. What changes something shows a plan first."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Final

from hvtui.cli.argument_types import access_value, checkpoint_type, filled, in_range, password_source
from hvtui.cli.verb_arguments import acting

TYPES: Final = "Standard, Production, ProductionOnly or Disabled"
PARALLEL: Final = 8
FILES: Final = 20
SECONDS: Final = 60

Adds = Callable[[argparse.ArgumentParser], None]


def policy(parser: argparse.ArgumentParser) -> None:
    """`hvtui policy set TYPE VMS` and `hvtui policy undo [OPERATION]`."""

    def change(sub: argparse.ArgumentParser) -> None:
        sub.add_argument("type", type=checkpoint_type, metavar="TYPE", help=TYPES)
        selection(sub)
        acting(sub, clusters=True)
        _jsonl(sub)

    def undo(sub: argparse.ArgumentParser) -> None:
        _operation(sub)
        acting(sub)
        _jsonl(sub)

    _actions(
        parser,
        set=("set the type that the next checkpoint of VMs will have", change),
        undo=("give VMs back the type that an operation took from them", undo),
    )


def checkpoint(parser: argparse.ArgumentParser) -> None:
    """`hvtui checkpoint take|list|apply|remove|start`."""

    def take(sub: argparse.ArgumentParser) -> None:
        selection(sub)
        sub.add_argument("--name", type=filled, metavar="TEXT", help="name of the checkpoint; Windows' own without it")
        acting(sub)

    def show(sub: argparse.ArgumentParser) -> None:
        selection(sub)
        _cluster(sub)
        sub.add_argument("--json", action="store_true", help="one JSON object (docs/ has its schema)")

    def one(sub: argparse.ArgumentParser) -> None:
        sub.add_argument("--vm", dest="vm", type=filled, metavar="NAME", help="its VM, by name or id")
        sub.add_argument(
            "--checkpoint", type=filled, metavar="NAME", help="by name or id, as `checkpoint list` tells them"
        )
        acting(sub)

    def start(sub: argparse.ArgumentParser) -> None:
        sub.add_argument("--vm", dest="vm", type=filled, metavar="NAME", help="by name or id")
        acting(sub)

    _actions(
        parser,
        take=("take a checkpoint, and tell which kind it became", take),
        list=("the checkpoints of VMs", show),
        apply=("go back to a checkpoint: what is now is discarded", one),
        remove=("remove one; its disks are merged", one),
        start=("start a VM, such as one that an applied checkpoint left off", start),
    )


def vssaccess(parser: argparse.ArgumentParser) -> None:
    """`hvtui vssaccess list|set|remove|undo`."""

    def show(sub: argparse.ArgumentParser) -> None:
        _cluster(sub)
        sub.add_argument("--json", action="store_true", help="one JSON object (docs/ has its schema)")

    def change(sub: argparse.ArgumentParser) -> None:
        _account(sub)
        sub.add_argument(
            "value", type=access_value, metavar="VALUE", help="1 or writer, 2 or requester, 3 or both: what it may be"
        )
        _nodes(sub)
        acting(sub)

    def remove(sub: argparse.ArgumentParser) -> None:
        _account(sub)
        _nodes(sub)
        acting(sub)

    def undo(sub: argparse.ArgumentParser) -> None:
        _operation(sub)
        acting(sub)

    _actions(
        parser,
        list=("who may take part in VSS on every node, and what is proposed", show),
        set=("let an account take part", change),
        remove=("take an account's entry away", remove),
        undo=("give entries back the value that an operation took from them", undo),
    )


def guests(parser: argparse.ArgumentParser) -> None:
    """`hvtui guests VMS [--user ACCOUNT]` and `hvtui guests --files VOLUME --vm NAME`."""
    selection(parser)
    parser.add_argument(
        "--user", type=filled, metavar="ACCOUNT", help="an account inside the guests; asked for without"
    )
    parser.add_argument(
        "--password-from",
        type=password_source,
        default=password_source("prompt"),
        metavar="SOURCE",
        help="prompt (default), stdin, env:VARIABLE, keyring:SERVICE or command:LINE; never the password itself",
    )
    parser.add_argument(
        "--parallel",
        type=in_range(1, 16),
        default=PARALLEL,
        metavar="N",
        help="guests of a node at one time (%(default)s)",
    )
    parser.add_argument(
        "--files", type=filled, metavar="VOLUME", help="the largest files of this volume of one VM, such as T:"
    )
    parser.add_argument(
        "--count", type=in_range(1, 50), default=FILES, metavar="N", help="with --files: so many (%(default)s)"
    )
    parser.add_argument(
        "--seconds",
        type=in_range(5, 300),
        default=SECONDS,
        metavar="N",
        help="with --files: search at most so long (%(default)s)",
    )
    _cluster(parser)
    shape = parser.add_mutually_exclusive_group()
    shape.add_argument("--json", action="store_true", help="one JSON object (docs/ has its schema)")
    shape.add_argument("--jsonl", action="store_true", help="a JSON object a line: each guest as it answers, the end")


def selection(parser: argparse.ArgumentParser) -> None:
    """Which VMs; hvtui.cli.acting.selection understands it."""
    ways = parser.add_mutually_exclusive_group()
    ways.add_argument(
        "--vm", dest="vms", nargs="+", action="extend", default=[], type=filled, metavar="NAME", help="by name or id"
    )
    ways.add_argument(
        "--node", dest="on", nargs="+", action="extend", default=[], type=filled, metavar="NODE", help="all that it has"
    )
    ways.add_argument("--csv", type=filled, metavar="NAME", help="all with a file on this CSV (Volume1)")
    ways.add_argument(
        "--filter", metavar="EXPRESSION", help="as `/` in the console: words, field:value, -word (type:production)"
    )
    ways.add_argument("--all", action="store_true", help="all VMs of the cluster")


def _nodes(parser: argparse.ArgumentParser) -> None:
    ways = parser.add_mutually_exclusive_group()
    ways.add_argument(
        "--node", dest="on", nargs="+", action="extend", default=[], type=filled, metavar="NODE", help="on these nodes"
    )
    ways.add_argument("--all", action="store_true", help="on every node of the cluster")


def _account(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("account", type=filled, metavar="ACCOUNT", help=r"such as CORP\backup; meant literally")


def _operation(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "operation",
        nargs="?",
        default="",
        metavar="OPERATION",
        help="its id in the journal, or the first characters; the last one without it",
    )


def _cluster(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--cluster", default="", metavar="NAME", help="a cluster of the configuration")


def _jsonl(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--jsonl", action="store_true", help="a JSON object a line: each VM as it is changed, then the end"
    )


def _actions(parser: argparse.ArgumentParser, **actions: tuple[str, Adds]) -> None:
    """What a command can do, each with its own options."""
    subs = parser.add_subparsers(dest="action", metavar="|".join(actions), required=True)
    for name, (text, add) in actions.items():
        sub = subs.add_parser(name, help=text, description=text, allow_abbrev=False)
        sub.add_argument("--config", type=Path, metavar="FILE", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
        add(sub)
