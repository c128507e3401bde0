"""Options of the commands that change a cluster. All show a plan; `--apply` carries it out."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from hvtui.cli.argument_types import count, duration, filled, saved_name

WAIT_SECONDS: Final = 1800.0
"""`--wait` without `--timeout`."""
FAILBACK: Final = ("immediate", "none")
OVERRIDABLE: Final = ("capacity", "blocked", "left-behind")
"""Rules that an expert may set aside: those of operations.rules, which are not imported for `--help`."""
ISOLATED: Final = "isolate"
"""Name under which isolated VMs' homes are kept when no other is given."""


def migrate(parser: argparse.ArgumentParser) -> None:
    """`hvtui migrate VM… [--to NODE]`."""
    _vms(parser)
    parser.add_argument(
        "--to", type=filled, metavar="NODE", help="destination; without it each VM goes where it fits best"
    )
    acting(parser)


def cancel(parser: argparse.ArgumentParser) -> None:
    """`hvtui cancel VM…`."""
    _vms(parser)
    acting(parser, wait=False)


def align(parser: argparse.ArgumentParser) -> None:
    """`hvtui align [CLUSTER] [--csv NAME | --group NAME | --return NAME]`."""
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--csv", type=filled, metavar="NAME", help="only the VMs of this CSV (Volume1)")
    what.add_argument("--group", type=filled, metavar="NAME", help="a group of the configuration")
    what.add_argument(
        "--return", dest="back", type=saved_name, metavar="NAME", help="back to where `--save NAME` saw them"
    )
    parser.add_argument("--move-csv", action="store_true", help="with --csv: move the CSV to its VMs instead")
    parser.add_argument("--max-moves", type=count, default=0, metavar="N", help="move at most so many VMs")
    parser.add_argument("--save", type=saved_name, metavar="NAME", help="keep where the VMs were, for `--return NAME`")
    acting(parser, positional=True)


def isolate(parser: argparse.ArgumentParser) -> None:
    """`hvtui isolate --vm NAME… --control NAME [--node N]` and `hvtui isolate --tally [NAME]`."""
    parser.add_argument(
        "--vm", dest="vms", nargs="+", action="extend", default=[], metavar="VM", help="suspects, by name or id"
    )
    parser.add_argument("--control", type=filled, metavar="VM", help="a VM whose backups succeed")
    parser.add_argument("--node", dest="to", type=filled, metavar="NODE", help="where to; best fit without it")
    parser.add_argument(
        "--save",
        type=saved_name,
        default=ISOLATED,
        metavar="NAME",
        help="for `hvtui return NAME` (default: %(default)s)",
    )
    parser.add_argument(
        "--tally",
        nargs="?",
        const=ISOLATED,
        default=None,
        type=saved_name,
        metavar="NAME",
        help="how backups of the isolated VMs have ended since; changes nothing",
    )
    acting(parser)


def send_home(parser: argparse.ArgumentParser) -> None:
    """`hvtui return [NAME]`."""
    parser.add_argument(
        "back", nargs="?", default=ISOLATED, type=saved_name, metavar="NAME", help="as isolate's --save (%(default)s)"
    )
    acting(parser)


def drain(parser: argparse.ArgumentParser) -> None:
    """`hvtui drain NODE`."""
    _node(parser)
    acting(parser, overrides=True)


def resume(parser: argparse.ArgumentParser) -> None:
    """`hvtui resume NODE --failback immediate|none`: never without saying which."""
    _node(parser)
    parser.add_argument(
        "--failback",
        choices=FAILBACK,
        required=True,
        help="immediate: what the drain took away comes back at once; none: it stays where it is",
    )
    acting(parser)


def vmms(parser: argparse.ArgumentParser) -> None:
    """`hvtui vmms NODE…` and `hvtui vmms --start NODE`."""
    parser.add_argument("nodes", nargs="+", type=filled, metavar="NODE", help="one after the other")
    parser.add_argument("--start", action="store_true", help="only start it")
    parser.add_argument("--failback", choices=FAILBACK, default="immediate", help="of the resume (%(default)s)")
    acting(parser, overrides=True)


def service(parser: argparse.ArgumentParser) -> None:
    """`hvtui service NODE NAME`."""
    _node(parser)
    parser.add_argument("service", type=filled, metavar="NAME", help="VSS, swprv, CryptSvc, BITS or SQLWriter")
    acting(parser)


def summary(parser: argparse.ArgumentParser) -> None:
    """`hvtui summary [CLUSTER]`."""
    parser.add_argument("cluster", nargs="?", default="", metavar="CLUSTER", help="a cluster of the configuration")
    parser.add_argument("--since", type=duration, default=12 * 3600.0, metavar="TIME", help="what was done since (12h)")
    parser.add_argument("--writers", action="store_true", help="read the VSS writers too (runs vssadmin on every node)")
    parser.add_argument("--json", action="store_true", help="one JSON object (docs/ has its schema)")


def _vms(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("vms", nargs="*", type=filled, metavar="VM", help="name or id; a name is meant literally")


def _node(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("node", type=filled, metavar="NODE", help="a node of the cluster")


def acting(
    parser: argparse.ArgumentParser,
    *,
    positional: bool = False,
    clusters: bool = False,
    wait: bool = True,
    overrides: bool = False,
) -> None:
    """What all of them take. `positional`: the cluster is; `clusters`: several may be named, one after the other."""
    if clusters:
        parser.add_argument(
            "--cluster", dest="clusters", action="append", default=[], metavar="NAME", help="again: one after the other"
        )
    elif positional:
        parser.add_argument("cluster", nargs="?", default="", metavar="CLUSTER", help="a cluster of the configuration")
    else:
        parser.add_argument("--cluster", default="", metavar="NAME", help="a cluster of the configuration")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--dry-run", dest="apply", action="store_false", help="show the plan and change nothing (default)")
    how.add_argument("--apply", action="store_true", help="carry it out, and stay until it has ended")
    parser.set_defaults(apply=False)
    parser.add_argument("-o", "--out", type=Path, metavar="FILE", help="write the plan there, as JSON")
    parser.add_argument("--plan", type=Path, metavar="FILE", help="with --apply: exactly this plan, or nothing")
    if clusters:
        parser.add_argument(
            "--confirm", dest="confirmed", action="append", default=[], metavar="NAME", help="once for each cluster"
        )
    else:
        parser.add_argument("--confirm", metavar="NAME", help="the name that the dry run asks for")
    parser.add_argument("--json", action="store_true", help="one JSON object (docs/ has its schema)")
    parser.add_argument(
        "--backup-stopped",
        action="append",
        default=[],
        metavar="NODE",
        help="say that the backup job of this node was stopped in the backup product; kept in the journal",
    )
    if wait:
        parser.add_argument("--wait", action="store_true", help="first wait for what is held, such as a merge")
        parser.add_argument(
            "--timeout", type=duration, default=None, metavar="TIME", help="of --wait, such as 90s (default: 30m)"
        )
    else:
        parser.set_defaults(wait=False, timeout=None)
    if overrides:
        parser.add_argument(
            "--override", action="append", default=[], choices=OVERRIDABLE, metavar="RULE", help="set a rule aside"
        )
    else:
        parser.set_defaults(override=[])
