"""The registry of actions: no key means two things in one place, and no key that moves changes anything."""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from string import ascii_lowercase

from hvtui.ui.actions import ACTIONS, FOOTER_ORDER, Confirm, bindings, key_word

TOGETHER = (
    ("app", "overview", "acts", "table", "matrix", "findings"),
    ("app", "detail", "acts", "findings", "finding"),
    ("app", "operations", "acts"),
    ("app", "window", "acts"),
    ("app", "page", "acts", "table", "matrix"),
    ("dialog",),
)
"""Scopes whose keys are alive at the same time."""

REFLEXES = {*"jkhlgGdunNxpyoO:/v", "space", "enter", "escape", "tab"} | {f"ctrl+{letter}" for letter in ascii_lowercase}
"""What people of vim, k9s, readline and tmux press without thinking."""


def test_ids_are_unique() -> None:
    assert [name for name, times in Counter(action.id for action in ACTIONS).items() if times > 1] == []


def test_no_key_means_two_things_in_one_place() -> None:
    for scopes in TOGETHER:
        alive = [action for action in ACTIONS if action.scope in scopes]
        clashes = [(a.id, b.id) for a, b in combinations(alive, 2) if set(a.keys) & set(b.keys)]
        assert clashes == []


def test_keys_pressed_by_reflex_change_nothing() -> None:
    assert [action.id for action in ACTIONS if action.mutating and set(action.keys) & REFLEXES] == []


def test_what_changes_something_asks_first_and_is_not_on_a_control_key() -> None:
    for action in ACTIONS:
        if action.mutating:
            assert action.confirm is not Confirm.NONE, action.id
            assert not any(key.startswith("ctrl+") for key in action.keys), action.id


def test_every_action_is_bound_and_explained() -> None:
    for action in ACTIONS:
        assert action.help
        assert action.title
        if not action.keys:
            # An entry of the row's action menu.
            assert action.on
            continue
        bound = next(b for b in bindings(action.scope) if getattr(b, "id", "") == action.id)
        assert getattr(bound, "key", "") == ",".join(action.keys)


def test_the_footer_names_exactly_the_actions_with_a_footer_word() -> None:
    assert sorted(FOOTER_ORDER) == sorted(action.id for action in ACTIONS if action.footer)


def test_keys_are_written_as_people_write_them() -> None:
    assert [key_word(key) for key in ("ctrl+p", "enter", "/", "+", "G", "shift+tab", "f1")] == [
        "Ctrl+P", "Enter", "/", "+", "G", "Shift+Tab", "F1",
    ]  # fmt: skip
