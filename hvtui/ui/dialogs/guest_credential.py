"""Asks once for an account of guests: which guests, what a wrong password does, and where the secret stays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from hvtui.operations.plan import Target
from hvtui.ui.credential import AskCredential
from hvtui.ui.look import Look

_NAMES: Final = 12


class AskGuestAccount(AskCredential):
    """`give` gets account and password; an empty password stands for the one given before, when `kept` says so."""

    def __init__(
        self, look: Look, targets: Sequence[Target], username: str, kept: bool, give: Callable[[str, str], None]
    ) -> None:
        names = ", ".join(target.name for target in targets[:_NAMES])
        more = f" and {len(targets) - _NAMES} more" if len(targets) > _NAMES else ""
        first = "An empty password takes the one given before. " if kept else ""
        super().__init__(
            look,
            username,
            give,
            heading=f"Look into {len(targets)} guest{'s' * (len(targets) != 1)}",
            told=f"{names}{more}",
            note=(
                "An account of the guests: DOMAIN\\user, or .\\user of each guest. The first guest is tried alone; one "
                "that refuses the password stops all others, and nothing is tried twice: accounts lock. The password "
                "is kept in memory until hvtui ends, and is written nowhere."
            ),
            foot=f"{first}Enter looks, Esc leaves; nothing is changed in a guest.",
            kept=kept,
        )
