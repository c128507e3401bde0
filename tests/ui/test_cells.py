"""Text in cells: exact widths, whatever the text."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from hvtui.text import natural
from hvtui.ui.cells import fit, width_of


@given(st.text(max_size=60), st.integers(0, 40), st.booleans())
def test_a_fitted_text_has_exactly_the_width_and_nothing_a_terminal_obeys(text: str, width: int, right: bool) -> None:
    made = fit(text, width, right=right)
    assert cell_len(made) == width
    assert not any(ord(char) < 32 or 0x7F <= ord(char) < 0xA0 for char in made)


def test_cutting_and_padding() -> None:
    assert fit("abc", 5) == "abc  "
    assert fit("abc", 5, right=True) == "  abc"
    assert fit("abcdef", 4) == "abc…"
    assert fit("abcdef", 4, ellipsis="~") == "abc~"
    assert fit("漢字", 5) == "漢字 "
    assert fit("漢字漢字", 4) == "漢 …"
    assert fit("abc", 1) == "a"
    assert width_of("漢字") == 4


@given(st.lists(st.text(max_size=12), max_size=20))
def test_any_names_can_be_ordered(names: list[str]) -> None:
    for one in names:
        for other in names:
            assert (natural(one) < natural(other)) + (natural(one) > natural(other)) <= 1


def test_numbers_in_names_count_as_numbers() -> None:
    assert sorted(["VM10", "vm2", "VM1", "10", "9"], key=natural) == ["9", "10", "VM1", "vm2", "VM10"]
