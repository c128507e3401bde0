"""Nothing from outside reaches a terminal as anything but harmless characters."""

from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hvtui.text import LIMIT, safe_block, safe_text

anything = st.text(st.characters(codec=None)) | st.text(
    st.sampled_from("\x1b[31m\x07\x9b\x00\r\n\t\u202e\u2066\u200b\u200d\ufeff\u0301\ud800\U000e0041\ufe0fa漢é👩"),
    max_size=600,
)


def harmless(text: str, *, also: str = "") -> None:
    for char in text:
        if char in also:
            continue
        assert unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"), hex(ord(char))


@given(anything)
def test_a_line_holds_nothing_that_a_terminal_obeys(text: str) -> None:
    shown = safe_text(text)
    harmless(shown)
    assert len(shown) <= LIMIT
    assert "\n" not in shown
    shown.encode("utf-8")
    assert safe_text(shown) == shown


@given(anything)
def test_a_block_holds_line_breaks_besides(text: str) -> None:
    shown = safe_block(text)
    harmless(shown, also="\n")
    shown.encode("utf-8")


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=LIMIT))
def test_plain_ascii_is_returned_as_it_is(text: str) -> None:
    assert safe_text(text) is text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[31mb", "a␛[31mb"),
        ("a\nb\tc\r", "a␊b␉c␍"),
        ("\x7f", "␡"),
        ("\x9b31m", "�31m"),
        ("a\u202eb", "a·b"),
        ("a\u200bb", "a·b"),
        ("Ünïcode 漢字", "Ünïcode 漢字"),
        ("e\u0301", "é"),
        ("\u0301x", "◌\u0301x"),
        ("\ud800", "�"),
        ("\ue000", "�"),
        ("VM[/prod]", "VM[/prod]"),
        ("", ""),
        ("x" * 400, "x" * 299 + "…"),
        ("漢" * 400, "漢" * 299 + "…"),
        ("a" + "\u0316" * 50, "a\u0316\u0316"),
    ],
)
def test_lines(text: str, shown: str) -> None:
    assert safe_text(text) == shown


def test_every_character_there_is_comes_out_harmless() -> None:
    for start in range(0, 0x110000, 250):
        harmless(safe_text("".join(map(chr, range(start, min(start + 250, 0x110000))))))


def test_blocks_keep_lines_and_say_when_they_were_cut() -> None:
    assert safe_block("a\r\nb\rc\td\x1b") == "a\nb\nc    d␛"
    assert safe_block("x" * 30, limit=10) == "x" * 10 + "…"


def test_a_huge_text_is_cut_before_it_is_looked_at() -> None:
    begin = time.process_time()
    for text in ("x" * 50_000_000, "\x1b" * 20_000_000, "e\u0301" * 10_000_000):
        safe_text(text)
        safe_block(text)
    assert time.process_time() - begin < 5
