"""The header's words."""

from __future__ import annotations

from hvtui.ui.header import together


def test_problems_of_the_same_kind_are_told_once() -> None:
    words = [
        "HV02: unreachable",
        "V1: NoDirectIO",
        *(f"HV{n}: unreachable" for n in range(3, 11)),
        "the witness has failed",
    ]
    assert together(words) == [
        "HV02, HV3 and 7 more: unreachable",
        "V1: NoDirectIO",
        "the witness has failed",
    ]
    assert together(["a: x", "b: x"]) == ["a, b: x"]
    assert together(["a: x: y", "b: x: z"]) == ["a: x: y", "b: x: z"]
    assert together(["a: connecting: connecting", "b: connecting"]) == ["a, b: connecting"]
    assert together([]) == []
