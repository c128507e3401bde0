"""Codes of failures: found however Windows writes them, and the one that says most is shown."""

from __future__ import annotations

import pytest

from hvtui.operations.explain import CODES, best, is_limit, meaning, normal


@pytest.mark.parametrize(
    ("code", "word"),
    [
        ("0x800705AA", "memory"),
        ("0x8007000e", "memory"),
        (" 0X8009030E ", "credential"),
        ("0xC03A0014", "ISO"),
        ("0x80071398", "possible owner"),
        ("0x8007274C", "migration network"),
        ("0x80070569", "right that virtual machines need"),
        ("21125", "virtual switch"),
        ("0x80071748", "locked"),
        ("0x00001748", "locked"),
        ("5960", "locked"),
        ("0x173d", "backup or snapshot"),
    ],
)
def test_a_code_is_found_however_it_is_written(code: str, word: str) -> None:
    found = meaning(code)
    assert found is not None
    assert word in found.text


@pytest.mark.parametrize("code", ["", "0x", "0xzz", "0x80041234", "99", "no code", "123456789"])
def test_an_unknown_code_means_nothing(code: str) -> None:
    assert meaning(code) is None


def test_every_entry_is_normal_and_says_something() -> None:
    for code, said in CODES.items():
        assert normal(code) == code
        assert said.text
        assert meaning(code) == said


def test_the_code_that_says_most_is_shown() -> None:
    assert best(["21502", "0x80041234", "0x800705AA"]) == "0x800705aa"
    assert best(["0x80041234", "21502"]) == "21502"
    assert best(["", "0x80041234"]) == "0x80041234"
    assert best([]) == ""


def test_only_a_limit_is_asked_again() -> None:
    assert is_limit(["21502", "0x800700AA"])
    assert is_limit(["21501"])
    assert not is_limit(["21502", "0x800705aa"])
    assert not is_limit([])
