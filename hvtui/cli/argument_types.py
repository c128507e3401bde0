"""What typed values mean: durations, speeds, ports, counts and names."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from typing import Final

from hvtui.config import Secret

_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|min|h)?\Z")
_UNITS: Final = {None: 60, "s": 1, "m": 60, "min": 60, "h": 3600}
_TYPES: Final = {name.lower(): name for name in ("Standard", "Production", "ProductionOnly", "Disabled")}
_ACCESS: Final = {"deny": "0", "writer": "1", "requester": "2", "both": "3"}
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")


def duration(text: str) -> float:
    """Seconds of `90s`, `60m` or `1.5h`; a bare number is minutes."""
    found = _DURATION.match(text.strip().lower())
    if found is None:
        raise argparse.ArgumentTypeError(f"`{text}` is not a duration such as 90s, 60m or 1.5h")
    return float(found[1]) * _UNITS[found[2]]


def speed(text: str) -> float:
    """How fast a simulated cluster's time runs."""
    try:
        value = float(text)
    except ValueError:
        value = -1
    if not 0 <= value <= 1000:
        raise argparse.ArgumentTypeError(f"`{text}` is not a speed from 0 (standing still) to 1000")
    return value


def port(text: str) -> int:
    """A TCP port; 0 is any free one."""
    if not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"`{text}` is not a port from 0 (any free one) to 65535")
    return int(text)


def count(text: str) -> int:
    """A number of at least one."""
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"`{text}` is not a number of at least 1")
    return int(text)


def compared(text: str) -> int:
    """How many other recordings a night is compared with; 0 is none."""
    if not text.isdigit() or int(text) > 100:
        raise argparse.ArgumentTypeError(f"`{text}` is not a number from 0 (none) to 100")
    return int(text)


def saved_name(text: str) -> str:
    """A name under which hvtui keeps where VMs were; it becomes a file's name."""
    if not _NAME.match(text):
        raise argparse.ArgumentTypeError(f"`{text}` is not a name of letters, digits, dots, dashes and underscores")
    return text


def filled(text: str) -> str:
    """A name that is not empty."""
    if not text.strip():
        raise argparse.ArgumentTypeError("a name must not be empty")
    return text


def in_range(least: int, most: int) -> Callable[[str], int]:
    """A whole number between two."""

    def number(text: str) -> int:
        if not text.isdigit() or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"`{text}` is not a number from {least} to {most}")
        return int(text)

    return number


def checkpoint_type(text: str) -> str:
    """A checkpoint type as Set-VM spells it; case does not matter."""
    found = _TYPES.get(text.lower())
    if found is None:
        raise argparse.ArgumentTypeError(f"`{text}` is no checkpoint type: {', '.join(_TYPES.values())}")
    return found


def access_value(text: str) -> str:
    """The number of a value of VssAccessControl; 0 is one, and the rules say why it is not set."""
    value = _ACCESS.get(text.lower(), text)
    if value not in _ACCESS.values():
        raise argparse.ArgumentTypeError(f"`{text}` is not 1 (writer), 2 (requester) or 3 (both)")
    return value


def password_source(text: str) -> Secret:
    """Where a password comes from. What is none of these may be a password, and is repeated nowhere."""
    kind, colon, value = text.partition(":")
    if (kind in {"prompt", "stdin"} and not colon) or (kind in {"env", "command"} and value.strip()):
        return Secret(kind, value)
    if kind == "keyring":
        return Secret(kind, value)
    raise argparse.ArgumentTypeError("not one of prompt, stdin, env:VARIABLE, keyring:SERVICE, command:LINE")
