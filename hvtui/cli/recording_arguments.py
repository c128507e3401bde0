"""Options of the commands about recordings."""

from __future__ import annotations

import argparse
import re
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Final

from hvtui.cli.argument_types import count, duration

_CLOCK: Final = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?\Z")
SPEED_MOST: Final = 600


def record(parser: argparse.ArgumentParser) -> None:
    """`hvtui record [CLUSTER]`."""
    parser.add_argument("cluster", nargs="?", default="", metavar="CLUSTER", help="a cluster of the configuration")
    parser.add_argument(
        "--until", type=moment, metavar="TIME", help="such as 06:00, or 8h from now; without it: Ctrl+C"
    )
    parser.add_argument("-o", "--out", type=Path, metavar="FILE", help="the file; without it one in hvtui's own folder")
    parser.add_argument(
        "--redact", action="store_true", help="other names of nodes, VMs, CSVs and accounts in the file"
    )
    parser.add_argument(
        "--limit", type=count, default=512, metavar="MB", help="drop the oldest part of a larger file (%(default)s)"
    )


def replay(parser: argparse.ArgumentParser) -> None:
    """`hvtui replay FILE`."""
    parser.add_argument("recording", type=Path, metavar="FILE", help="a recording")
    parser.add_argument(
        "--at", dest="moment", type=moment, metavar="TIME", help="begin there: 02:30, or 90m after its start"
    )
    parser.add_argument("--theme", default=None, help="name of a theme")
    parser.add_argument("--ascii", action="store_true", help="no glyphs beyond ASCII")
    parser.add_argument("--speed", dest="times", type=replay_speed, default=1, metavar="X", help="from 1 to 600")


def recording(parser: argparse.ArgumentParser) -> None:
    """`hvtui recording show|copy FILE`."""
    parser.add_argument("action", choices=("show", "copy"), help="what it is of, or a copy")
    parser.add_argument("recording", type=Path, metavar="FILE", help="a recording")
    parser.add_argument("-o", "--out", type=Path, metavar="FILE", help="of `copy`: the new file")
    parser.add_argument("--redact", action="store_true", help="of `copy`: other names of nodes, VMs, CSVs and accounts")
    parser.add_argument("--json", action="store_true", help="of `show`: one JSON object (docs/ has its schema)")


def moment(text: str) -> time | timedelta:
    """A time of the day by this machine's clock, or a length of time."""
    found = _CLOCK.match(text.strip())
    if found is None:
        return timedelta(seconds=duration(text.strip().lstrip("+")))
    try:
        return time(int(found[1]), int(found[2]), int(found[3] or 0))
    except ValueError:
        raise argparse.ArgumentTypeError(f"`{text}` is no time of the day") from None


def after(start: datetime, wanted: time | timedelta) -> datetime:
    """The first such moment after `start`, which carries a zone; a time of the day is by this machine's zone."""
    if isinstance(wanted, timedelta):
        return start + wanted
    local = start.astimezone()
    found = datetime.combine(local.date(), wanted).astimezone()
    if found < local:
        found = datetime.combine(local.date() + timedelta(days=1), wanted).astimezone()
    return found


def replay_speed(text: str) -> int:
    """How fast a recording is played; the speeds that keys lead to."""
    from hvtui.recording.speeds import SPEEDS

    wanted = int(text) if text.isdigit() else 0
    if not 1 <= wanted <= SPEED_MOST:
        raise argparse.ArgumentTypeError(f"`{text}` is not a speed from 1 to {SPEED_MOST}")
    return max(speed for speed in SPEEDS if speed <= wanted)
