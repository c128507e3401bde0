"""Themes: shipped ones are readable, also with 16 colours; a user's broken one is told with file and key."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.color import Color as RichColor
from rich.color import ColorSystem
from textual.color import Color

from hvtui.ui.themes import FOREGROUNDS, ROLES, Palette, load_themes, theme_dirs

PALETTES, PROBLEMS = load_themes(theme_dirs())

BODY = ("text", "dim", "ok", "busy", "warn", "bad", "info", "mark", "owner")
"""Colours of words in rows."""

MEETINGS = [
    *((fore, "base") for fore in (*BODY, "title", "frame-focus")),
    *(
        (fore, "head-bg")
        for fore in ("text", "dim", "head", "ok", "busy", "warn", "bad", "info", "mark", "frame-focus")
    ),
    *((fore, "mark-bg") for fore in BODY),
    ("text", "blur-bg"),
    ("cursor", "cursor-bg"),
    ("text", "alert-bg"),
    ("owner", "owner-bg"),
    ("text", "owner-bg"),
]
"""Which text colour is drawn on which background."""


def contrast(palette: Palette, fore: str, back: str) -> float:
    """The ratio of WCAG."""

    def luminance(hex_colour: str) -> float:
        parts = [channel / 255 for channel in Color.parse(hex_colour).rgb]
        red, green, blue = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    light, dark = sorted((luminance(palette.colours[fore]), luminance(palette.colours[back])), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_the_four_themes_are_shipped() -> None:
    assert PROBLEMS == []
    assert set(PALETTES) == {"dark", "light", "high-contrast", "colour-blind"}


@pytest.mark.parametrize("name", sorted(PALETTES))
@pytest.mark.parametrize(("fore", "back"), MEETINGS)
def test_every_text_can_be_read_on_every_background_it_meets(name: str, fore: str, back: str) -> None:
    assert contrast(PALETTES[name], fore, back) >= (7.0 if name == "high-contrast" else 4.5)


@pytest.mark.parametrize("name", sorted(PALETTES))
def test_with_sixteen_colours_text_cursor_and_marks_still_stand_out(name: str) -> None:
    colours = {
        role: RichColor.parse(value).downgrade(ColorSystem.STANDARD).number
        for role, value in PALETTES[name].colours.items()
    }
    for fore in ("text", "ok", "busy", "warn", "bad", "info", "mark"):
        assert colours[fore] != colours["base"], fore
    states = [colours[role] for role in ("ok", "busy", "warn", "bad")]
    assert len(set(states)) == len(states)
    assert colours["cursor"] != colours["cursor-bg"]
    assert colours["cursor-bg"] != colours["base"]
    assert colours["text"] != colours["blur-bg"]


@pytest.mark.parametrize("name", sorted(PALETTES))
def test_with_256_colours_backgrounds_still_differ(name: str) -> None:
    colours = {
        role: RichColor.parse(value).downgrade(ColorSystem.EIGHT_BIT).number
        for role, value in PALETTES[name].colours.items()
    }
    for back in ("head-bg", "blur-bg", "cursor-bg", "mark-bg", "owner-bg", "alert-bg"):
        assert colours[back] != colours["base"], back


def test_the_colour_blind_theme_tells_states_apart_without_red_and_green() -> None:
    # Deuteranopia keeps blue against yellow: fine is blue, trouble is on the yellow side.
    colours = {role: Color.parse(value) for role, value in PALETTES["colour-blind"].colours.items()}
    assert colours["ok"].b > colours["ok"].r
    for role in ("warn", "bad"):
        assert colours[role].r > colours[role].b + 60


def test_every_role_reaches_textual() -> None:
    theme = PALETTES["dark"].theme()
    assert {f"hv-{role}" for role in ROLES} <= set(theme.variables)


def test_a_users_theme_changes_some_colours_of_another(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text('extends = "dark"\ntitle = "Mine"\n[colours]\nok = "#00FF00"\n', "utf-8")
    palettes, problems = load_themes(theme_dirs(tmp_path))
    assert problems == []
    assert palettes["mine"].colours == {**palettes["dark"].colours, "ok": "#00ff00"}
    assert palettes["mine"].dark is True


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('titel = "x"', ("titel", "did you mean 'title'")),
        ("dark = 1", ("dark", "true or false")),
        ('extends = "drak"', ("drak", "did you mean 'dark'")),
        ('extends = "dark"\n[colours]\nwarm = "#112233"', ("warm", "did you mean 'warn'")),
        ('extends = "dark"\n[colours]\nok = "green"', ("colours.ok", "#1a2b3c")),
        ('[colours]\nok = "#112233"', ("no colour for text",)),
        ("not toml at all", ("mine.toml",)),
        ('extends = "dark"\n[colours]\nok = 5\nbadd = "#000000"', ("colours.ok", "colours.badd")),
    ],
)
def test_what_is_wrong_with_a_users_theme_is_said(tmp_path: Path, content: str, words: tuple[str, ...]) -> None:
    (tmp_path / "mine.toml").write_text(content, "utf-8")
    palettes, problems = load_themes(theme_dirs(tmp_path))
    assert "mine" not in palettes
    assert set(palettes) == set(PALETTES)
    text = "\n".join(problems)
    assert str(tmp_path / "mine.toml") in text
    for word in words:
        assert word in text


def test_foregrounds_and_backgrounds_are_all_there() -> None:
    assert {fore for fore, _ in MEETINGS} | {"frame", "bar", "cursor", "head"} == set(FOREGROUNDS)
