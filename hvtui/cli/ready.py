"""`hvtui ready`: before a backup window. Is anything in the way, left over, or not known?"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Final

from hvtui.cli.arguments import Arguments
from hvtui.cli.connecting import choose, gate_for
from hvtui.cli.exits import Exit
from hvtui.cli.output import say, show_json
from hvtui.cli.picture_json import Json, cluster_json, time_json
from hvtui.cli.status import MARKS, show_unread, unread_json
from hvtui.config import ClusterConfig
from hvtui.live.picture import Picture, take_picture
from hvtui.live.pins import Pins
from hvtui.model.severity import Severity
from hvtui.operations.readiness import AREAS, Check, Readiness, Verdict, some
from hvtui.operations.ready import readiness
from hvtui.paths import state_dir

_SHOWN: Final = 12
"""Lines of one area for people; JSON has all."""
_NAMES: Final = 12
_SIGNS: Final = {
    Verdict.READY: MARKS[Severity.OK],
    Verdict.NOTE: MARKS[Severity.INFO],
    Verdict.UNKNOWN: MARKS[Severity.UNKNOWN],
    Verdict.NOT: MARKS[Severity.BAD],
}


def run(arguments: Arguments) -> int:
    """0 ready, 1 not, 2 nothing is against it but something that decides could not be read."""
    config, cluster = choose(arguments)
    pins = Pins(state_dir(), config.path)
    picture = asyncio.run(take_picture(cluster, gate_for(cluster), pins=pins, writers=True, past=True))
    found = readiness(picture.state, kept_by(cluster))
    if arguments.json:
        show_json(_json(found, picture, cluster.name))
    else:
        _show(found, picture, cluster.name)
    if picture.empty:
        return Exit.NOTHING
    return {True: Exit.FINE, False: Exit.WRONG, None: Exit.NOTHING}[found.ready]


def kept_by(cluster: ClusterConfig) -> Callable[[str], bool]:
    """Whether a VM is one whose Recovery checkpoint its backup product keeps, by the configuration."""
    groups = {name.lower(): vms for name, vms in cluster.groups.items()}
    patterns = [vm.lower() for entry in cluster.kept_checkpoints for vm in groups.get(entry.lower(), (entry,))]
    return lambda name: any(fnmatchcase(name.lower(), pattern) for pattern in patterns)


def _show(found: Readiness, picture: Picture, name: str) -> None:
    if picture.empty:
        glyph, mood = MARKS[Severity.BAD]
        say(f"{glyph} {name}: nothing could be read, so nothing is known", mood)
        show_unread(picture.unread)
        return
    verdict, words = {
        True: (Verdict.READY, "ready for a backup window"),
        False: (Verdict.NOT, "not ready for a backup window"),
        None: (Verdict.UNKNOWN, "not known whether it is ready: something could not be read"),
    }[found.ready]
    glyph, mood = _SIGNS[verdict]
    say(f"{glyph} {name}: {words}", mood)
    for area in AREAS:
        checks = found.area(area)
        for number, check in enumerate(checks[:_SHOWN]):
            _line(area if number == 0 else "", check)
        if len(checks) > _SHOWN:
            say(f"    {'':<{_WIDTH}}  and {len(checks) - _SHOWN} more (--json has all)", "dim")
    show_unread(picture.unread)


_WIDTH: Final = max(map(len, AREAS))


def _line(area: str, check: Check) -> None:
    glyph, mood = _SIGNS[check.verdict]
    where = f"{some(check.where, _NAMES)}: " if check.where else ""
    say(f"  {glyph} {area:<{_WIDTH}}  {where}{check.text}", mood if check.verdict is not Verdict.READY else "")
    if check.next and check.verdict is not Verdict.READY:
        say(f"    {'':<{_WIDTH}}  → {check.next}")


def _json(found: Readiness, picture: Picture, name: str) -> Json:
    """The object of docs/ready.schema.json."""
    return {
        "cluster": cluster_json(picture.state, name)["name"],
        "configured_as": name,
        "ready": None if picture.empty else found.ready,
        "checks": [
            {
                "area": check.area,
                "verdict": check.verdict.value,
                "where": list(check.where),
                "text": check.text,
                "next": check.next,
            }
            for check in found.checks
        ],
        "unread": [unread_json(unread) for unread in picture.unread],
        "as_of": time_json(picture.as_of),
    }
