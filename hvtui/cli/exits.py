"""What the exit code of every command says."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """The codes below 64 are about the cluster, the others about the command itself (as in sysexits.h)."""

    FINE = 0
    WRONG = 1
    """There is a picture, and something in it is wrong or missing."""
    NOTHING = 2
    """No picture; nothing could be read."""
    USAGE = 64
    INTERNAL = 70
    INTERRUPTED = 130
    """Ended by Ctrl+C, as shells count it."""
