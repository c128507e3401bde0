"""What an action is: something a key, a menu or the palette can ask for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Confirm(StrEnum):
    """What stands between a key and its effect."""

    NONE = "none"
    """For what changes nothing on a cluster."""
    ARMED = "armed"
    """A key on an armed button."""
    TYPED = "typed"
    """The name, typed."""


@dataclass(frozen=True, slots=True)
class Action:
    """One thing a user can ask for. `scope` is where its keys work: `app`, `overview` (the panes), `table`, `acts` …

    `call` is the action in Textual's notation. `footer` is the short word in the last line, empty for none;
    `palette` says whether Ctrl+P lists it. Without keys it is an entry of the row's action menu only.

    `verb` is the operation that a `mutating` action plans; it never does more than open the dialog. `confirm` is the
    least that the dialog then asks for: a plan may ask for more. `on` are the kinds of row it is offered for.
    """

    id: str
    keys: tuple[str, ...]
    title: str
    help: str
    call: str
    scope: str = "overview"
    footer: str = ""
    palette: bool = False
    mutating: bool = False
    confirm: Confirm = Confirm.NONE
    verb: str = ""
    on: tuple[str, ...] = ()
    key_call: str = ""
    """What its key calls, where that also does something else on other rows."""
