"""Documents against the program: commands and options that they name exist, pictures and schemas that they show do."""

from __future__ import annotations

import argparse
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from hvtui.cli.arguments import COMMANDS, Arguments, parse

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def _fenced(text: str) -> Iterator[str]:
    """Lines of shell blocks that call hvtui, without what follows them on the line."""
    for kind, block in re.findall(r"^```(\w*)\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        for line in block.splitlines():
            if line.startswith("hvtui") and kind in {"", "sh", "powershell"}:
                yield line.partition(" #")[0].split("|")[0].strip()


def _inline(text: str) -> Iterator[str]:
    """Commands in the middle of a sentence or a table, in which `[…]`, `|` and `…` may stand."""
    text = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    for piece in re.findall(r"`(hvtui[^`]*)`", text):
        yield piece.replace("\\|", "|")


def _options(command: str) -> set[str]:
    parser = argparse.ArgumentParser(add_help=True, allow_abbrev=False)
    COMMANDS[command].add(parser)
    found, left = {"--config"}, [parser]
    while left:
        one = left.pop()
        found |= set(one._option_string_actions)
        for action in one._actions:
            if isinstance(action, argparse._SubParsersAction):
                left += action.choices.values()
    return found


def _named(piece: str) -> tuple[str, list[str]]:
    words = [word for word in re.split(r"[\s\[\]|…]+", piece) if word]
    command = next((word for word in words[1:] if not word.startswith("-")), "console")
    return (command if command in COMMANDS else "console"), words[1:]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_command_line_can_be_typed(document: Path) -> None:
    for line in _fenced(document.read_text("utf-8")):
        parse(shlex.split(line, posix=True)[1:], Arguments())


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_command_and_option_exists(document: Path) -> None:
    for piece in _inline(document.read_text("utf-8")):
        command, words = _named(piece)
        if command == "console":
            # A word in its place is the name of a cluster: in documents `prod`, or a placeholder in capitals.
            first = [word for word in words if not word.startswith("-")][:1]
            assert not first or first[0] in {"prod", "CLUSTER", "FILE"}, piece
        wrong = {word for word in words if word.startswith("-") and word != "-"} - _options(command) - {"--help"}
        assert not wrong, (piece, wrong)


def test_the_documents_have_command_lines() -> None:
    texts = [document.read_text("utf-8") for document in DOCUMENTS]
    assert sum(len(list(_fenced(text))) for text in texts) >= 8
    assert sum(len(list(_inline(text))) for text in texts) >= 30


def test_the_table_of_commands_is_what_can_be_typed() -> None:
    section = (ROOT / "README.md").read_text("utf-8").partition("| command | what it does |")[2].partition("\n\n")[0]
    rows = [line.split(" | ")[0] for line in section.splitlines() if line.startswith("| `")]
    named = {_named(piece)[0] for row in rows for piece in _inline(row)}
    assert named == set(COMMANDS)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_what_a_document_points_to_is_there(document: Path) -> None:
    text = re.sub(r"^```.*?^```", "", document.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)]+)\)", text):
        path, _, anchor = target.partition("#")
        if "://" in path:
            continue
        there = document.parent / path if path else document
        assert there.exists(), target
        if anchor:
            assert anchor in _anchors(there.read_text("utf-8")), target


def _anchors(text: str) -> set[str]:
    """Anchors of the headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_the_walkthrough_shows_every_picture_that_is_taken() -> None:
    shown = re.findall(r"\]\(walkthrough/([^)]+)\.svg\)", (ROOT / "docs" / "walkthrough.md").read_text("utf-8"))
    sources = [(ROOT / "tests" / "screenshots" / name).read_text("utf-8") for name in ("walkthrough.py", "storage.py")]
    taken = re.findall(r'\.picture\("([^"]+)"\)', "".join(sources))
    assert shown == taken
    assert {path.stem for path in (ROOT / "docs" / "walkthrough").glob("*.svg")} == set(taken)
