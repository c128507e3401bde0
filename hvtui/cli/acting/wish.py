"""What a command asks for, once the cluster is known: a verb about targets."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hvtui.model.state import ClusterState
from hvtui.operations.plan import Plan, Target, Verb
from hvtui.operations.run import Run

if TYPE_CHECKING:
    from hvtui.cli.acting.session import Session


def _nothing(_plan: Plan) -> None:
    return


def _nothing_more(_run: Run | None) -> None:
    return


@dataclass(frozen=True)
class Wish:
    """`begins` is called right before the run begins, `ended` when it has ended or the command is interrupted; without
    a run when there was nothing to do. `gaps` say what may be missing among the targets, because it could not be read.
    """

    verb: Verb
    targets: tuple[Target, ...] = ()
    options: dict[str, str] = field(default_factory=dict)
    begins: Callable[[Plan], None] = _nothing
    ended: Callable[[Run | None], None] = _nothing_more
    gaps: tuple[str, ...] = ()


WishOf = Callable[[ClusterState], Wish]
"""Makes the wish from the picture; raises NotDone when a name means nothing."""

WishOfSession = Callable[["Session"], Awaitable[Wish]]
"""The same where nodes must be asked first; raises RemoteError, too."""
