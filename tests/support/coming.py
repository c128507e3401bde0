"""Verbs of which a part is still being built. Whoever brings the part takes them out; the file goes with the last."""

from __future__ import annotations

from typing import Final

from hvtui.operations.plan import Verb

_VSS: Final = frozenset({Verb.VSSACCESS, Verb.VSSACCESS_REMOVE, Verb.VSSACCESS_UNDO})
_CHECKPOINTS: Final = frozenset(
    {Verb.POLICY, Verb.POLICY_UNDO, Verb.CHECKPOINT, Verb.APPLY, Verb.REMOVE, Verb.START_VM}
)
NO_BUILDER: Final = _VSS | _CHECKPOINTS
"""Neither builder nor runner."""
NOT_IN_CONSOLE: Final = _VSS | _CHECKPOINTS
NO_COMMAND: Final = _VSS | _CHECKPOINTS

BUILT: Final = tuple(verb for verb in Verb if verb not in NO_BUILDER)
IN_CONSOLE: Final = tuple(verb for verb in Verb if verb not in NOT_IN_CONSOLE)
AS_COMMAND: Final = tuple(verb for verb in Verb if verb not in NO_COMMAND)
