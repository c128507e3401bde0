"""The text of `vssadmin list writers` (windows.md §4.1), in the node's language."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from hvtui.lab.world.node import Node
from hvtui.lab.world.writers import WAITING_FOR_COMPLETION, Writer

HEAD: Final = (
    "vssadmin 1.1 - Volume Shadow Copy Service administrative command-line tool\r\n"
    "(C) Copyright 2001-2013 Microsoft Corp.\r\n"
)
_EN: Final = (
    "Writer name: '{name}'\r\n   Writer Id: {{{id}}}\r\n   Writer Instance Id: {{{instance}}}\r\n"
    "   State: [{state}] {word}\r\n   Last error: {error}\r\n"
)
_FR: Final = (
    "Nom du rédacteur\u00a0: '{name}'\r\n   ID du rédacteur\u00a0: {{{id}}}\r\n"
    "   ID de l'instance du rédacteur\u00a0: {{{instance}}}\r\n"
    "   État\u00a0: [{state}] {word}\r\n   Dernière erreur\u00a0: {error}\r\n"
)
_FRENCH: Final = {"No error": "Aucune erreur"}


def vssadmin_text(node: Node) -> str:
    """Five lines per writer with a blank line between; a writer whose service does not run is missing."""
    running = [writer for writer in node.writers if node.services[writer.service].state == "Running"]
    return writers_text(running, node.language)


def writers_text(writers: Iterable[Writer], language: str = "en") -> str:
    """The text with these writers, in a language."""
    blocks = [_block(writer, language) for writer in writers]
    return "\r\n".join([HEAD, *blocks])


def _block(writer: Writer, language: str) -> str:
    layout, error = _EN, writer.error
    if language == "fr":
        layout, error = _FR, _FRENCH.get(writer.error, writer.error)
    return layout.format(
        name=writer.name,
        id=writer.id,
        instance=writer.instance,
        state=writer.state,
        word=_word(writer.state),
        error=error,
    )


def _word(state: int) -> str:
    """Words seen in captures; for [2] to [4] only a vendor's article gives one (§4.2)."""
    if state == 1:
        return "Stable"
    if state == WAITING_FOR_COMPLETION:
        return "Waiting for completion"
    return "Failed" if state > WAITING_FOR_COMPLETION else "In-Progress"
