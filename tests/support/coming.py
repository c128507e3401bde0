"""Verbs of which a part is still being built. Whoever brings the part takes them out; the file goes with the last."""

from __future__ import annotations

from typing import Final

from hvtui.operations.plan import Verb

_VSS: Final = frozenset({Verb.VSSACCESS, Verb.VSSACCESS_REMOVE, Verb.VSSACCESS_UNDO})
_CHECKPOINTS: Final = frozenset(
    {Verb.POLICY, Verb.POLICY_UNDO, Verb.CHECKPOINT, Verb.APPLY, Verb.REMOVE, Verb.START_VM}
)
NO_BUILDER: Final[frozenset[Verb]] = frozenset()
"""Neither builder nor runner."""
NOT_PLAYED: Final = _CHECKPOINTS
"""No world is played with them in which something stands against them."""
RULES_NOT_PLAYED: Final = frozenset({"checkpoint", "start"})

PLAYED: Final = tuple(verb for verb in Verb if verb not in NOT_PLAYED)
BUILT: Final = tuple(verb for verb in Verb if verb not in NO_BUILDER)
