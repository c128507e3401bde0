"""What people published of Windows and of backup products goes through explain; the table says what comes out."""

from __future__ import annotations

import html
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hvtui.cli.explain_output import recognise
from tests.support.cli import Shell
from tests.support.published_texts import TABLE, TEXTS, text_of
from tests.support.schemas import checked


def told(value: dict[str, Any]) -> list[str]:
    """Names of what was recognised and is known, codes aside, each once."""
    return list(dict.fromkeys(i["name"] for i in value["recognised"] if i["kind"] != "code" and i["known"]))


def test_the_table_has_every_text_once() -> None:
    assert sorted(TABLE) == sorted(path.stem for path in TEXTS.glob("*.txt"))
    assert len(TABLE) >= 40
    assert all(row["url"].startswith(("http://", "https://")) for row in TABLE.values())


@pytest.mark.parametrize("name", TABLE)
def test_a_published_text_is_recognised_as_the_table_says(name: str, shell: Shell) -> None:
    row = TABLE[name]
    ran = shell("explain", str(TEXTS / f"{name}.txt"), "--json")
    value = checked("explain", ran.out)
    assert (value["kind"], ran.code) == (row["kind"], row["exit"])
    assert told(value) == row["names"]
    assert [case["id"] for case in value["cases"]] == row["cases"]
    shown = shell("explain", str(TEXTS / f"{name}.txt"))
    assert shown.code == ran.code
    for case in value["cases"]:
        assert case["next"] in shown.out
        assert case["never"] in shown.out
    if ran.code == 2:
        assert "not know" in shown.err or "nothing in it is known" in shown.err


def test_what_is_not_known_is_said_to_be() -> None:
    unknown = {name for name, row in TABLE.items() if not row["cases"] and row["exit"]}
    assert {name for name, row in TABLE.items() if "unknown" in row} == unknown


def _curly(text: str) -> str:
    return text.replace(" '", " ‘").replace("'", "’").replace(' "', " “").replace('"', "”")


def _typographic(text: str) -> str:
    return text.replace("0x", "0×").replace("-", "\u2011")


def _wide(text: str) -> str:
    lines = [line[: len(line) - len(line.lstrip())] + line.lstrip().replace(" ", "\u00a0") for line in text.split("\n")]
    return "\n".join(lines)


def _zero_width(text: str) -> str:
    return text.replace("r", "r\u200b").replace("0x8", "0x\u00ad8")


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}" for line in text.split("\n"))


def _wrapped(text: str) -> str:
    return "\n".join("\n".join(textwrap.wrap(line, 64, break_on_hyphens=False)) or "" for line in text.split("\n"))


def _spaced(text: str) -> str:
    return text.replace("\n", "\n\n")


def _web_page(text: str) -> str:
    return html.escape(text).replace("\n", "<br>\n")


DAMAGE: dict[str, Callable[[str], str]] = {
    "curly quotes": _curly,
    "multiplication signs and hyphens that do not break": _typographic,
    "blanks that do not break": _wide,
    "characters without width": _zero_width,
    "quoted in a mail": _quoted,
    "wrapped": _wrapped,
    "a blank line between any two": _spaced,
    "HTML": _web_page,
    "Windows' line ends": lambda text: text.replace("\n", "\r\n"),
}
SPOILT = {
    # Columns are gone, and with them what the table says of each VM.
    ("get-vm-off", "wrapped"),
    # The bars of a table end in the next line.
    ("vmms-1102-table", "wrapped"),
    # The name of a device is longer than a line, and is broken.
    ("vss-12289-iscsi-provider", "wrapped"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_typography_takes_nothing_away(damage: str) -> None:
    wrong = {}
    for name, row in TABLE.items():
        value: Any = recognise(DAMAGE[damage](text_of(name)).encode()).as_json()
        found = (told(value), [case["id"] for case in value["cases"]])
        if (name, damage) not in SPOILT and found != (row["names"], row["cases"]):
            wrong[name] = found
    assert not wrong


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_encodings_take_nothing_away(encoding: str) -> None:
    for name, row in TABLE.items():
        value: Any = recognise(text_of(name).encode(encoding)).as_json()
        assert (name, told(value)) == (name, row["names"])


def test_a_ticket_with_everything_in_it_tells_everything(shell: Shell, tmp_path: Path) -> None:
    path = tmp_path / "ticket.txt"
    names = ["dpm-30112", "csv-5142-timeout", "vss-8194-english", "volsnap-32", "get-vm-off"]
    path.write_text("\n\nNext thing we saw:\n\n".join(map(text_of, names)), "utf-8")
    value = checked("explain", shell("explain", str(path), "--json").out)
    assert value["kind"] == "several"
    assert set(told(value)) >= {n for name in names for n in TABLE[name]["names"]}
    assert {case["id"] for case in value["cases"]} >= {c for name in names for c in TABLE[name]["cases"]}
    assert len(value["vms"]) == 2
