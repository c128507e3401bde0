"""Which value of VssAccessControl, and on which nodes: each choice says what it grants."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from hvtui.operations.vss_access import BOTH, GRANTS, REQUESTER, WRITER, value_text
from hvtui.text import safe_text
from hvtui.ui.dialogs.menu import Choice, MenuScreen
from hvtui.ui.screens.facts import span, text

if TYPE_CHECKING:
    from hvtui.ui.acting import Acting

_FOR = {
    WRITER: "the field's fix of 8194: a writer may call back",
    REQUESTER: "for the account of a backup product that is no administrator",
    BOTH: "for an account that is both",
}


def access_question(acting: Acting, account: str, here: str, choose: Callable[[str, str], None]) -> MenuScreen:
    """`choose` gets the value, and the node, empty for every node."""
    choices: list[Choice] = []
    places = [("", "every node"), *([(here, f"only {here}")] if here else [])]
    for where, place in places:
        for value in (WRITER, REQUESTER, BOTH):
            about = (text(span(GRANTS[value])), text(span(_FOR[value], "dim")))
            key = str(len(choices) + 1)
            title = f"{value_text(value)}, {place}"
            choices.append(Choice(f"{value}|{where}", title, key, word=_FOR[value], about=about))

    def chosen(key: str) -> None:
        value, _, where = key.partition("|")
        choose(value, where)

    feed, heading = acting.feed, f"Which right shall {safe_text(account)} have?"
    return MenuScreen(acting.look, feed.clock, heading, choices, chosen, protected=feed.protected)


def where_question(acting: Acting, account: str, here: str, choose: Callable[[str], None]) -> MenuScreen:
    """`choose` gets the node, empty for every node."""
    about = (text(span("Without an entry the account takes part in VSS as far as Windows itself lets it.")),)
    choices = [Choice("", "on every node", "1", about=about)]
    if here:
        choices.append(Choice(here, f"only on {here}", "2", about=about))
    feed, heading = acting.feed, f"Remove the entry of {safe_text(account)} where?"
    return MenuScreen(acting.look, feed.clock, heading, choices, choose, protected=feed.protected)
