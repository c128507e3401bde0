"""What the exit code of every command says."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from hvtui.errors import ConfigError, HvtuiError, InputError, NotDone, RemoteError, UsageError


class Exit(IntEnum):
    """The codes below 64 are about the cluster, the others about the command itself (as in sysexits.h)."""

    FINE = 0
    """Of what changes something: done, or there was nothing to do."""
    WRONG = 1
    """There is a picture, and something in it is wrong or missing. Of a change: something is left over."""
    NOTHING = 2
    """No picture; nothing could be read. Of a change: what it needs to know, or how it ended, could not be read."""
    REFUSED = 3
    """Nothing was begun: a rule, the confirmation or the name stood against it."""
    TIMED_OUT = 4
    """`--wait` gave up: something was still held then."""
    USAGE = 64
    INTERNAL = 70
    INTERRUPTED = 130
    """Ended by Ctrl+C, as shells count it."""


_CODES: Final = {
    ConfigError: Exit.USAGE,
    UsageError: Exit.USAGE,
    InputError: Exit.NOTHING,
    RemoteError: Exit.NOTHING,
    NotDone: Exit.REFUSED,
}


def code_of(error: HvtuiError) -> Exit:
    """What a command ends with that ended in this error."""
    return next((code for kind, code in _CODES.items() if isinstance(error, kind)), Exit.WRONG)
