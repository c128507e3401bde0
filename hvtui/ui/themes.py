"""Colour themes: TOML files shipped with hvtui, and the user's own beside the configuration.

A theme names a colour for every role below. A user's theme may say `extends = "dark"` and change only some. Colours are
`#rrggbb`. Everything wrong with a file is told at once, with file and key, and the file is left out.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from textual.theme import Theme

FOREGROUNDS: Final = (
    "text", "dim", "head", "title", "ok", "busy", "warn", "bad", "info", "mark", "owner", "cursor", "frame",
    "frame-focus", "bar",
)  # fmt: skip
"""Colours of text and lines, on any of the backgrounds they meet."""

BACKGROUNDS: Final = ("base", "head-bg", "cursor-bg", "blur-bg", "mark-bg", "owner-bg", "alert-bg")

ROLES: Final = (*FOREGROUNDS, *BACKGROUNDS)

DEFAULT: Final = "dark"

_COLOUR: Final = re.compile(r"#[0-9a-fA-F]{6}\Z")
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,40}\Z")
_KEYS: Final = {"title": str, "dark": bool, "extends": str, "colours": dict}


@dataclass(frozen=True, slots=True)
class Palette:
    """A theme as read: `colours` maps every role of `ROLES` to `#rrggbb`."""

    name: str
    title: str
    dark: bool
    colours: dict[str, str]

    def theme(self) -> Theme:
        """The same for Textual; roles become the variables `$hv-<role>`."""
        colour = self.colours
        return Theme(
            name=self.name,
            primary=colour["frame-focus"],
            secondary=colour["title"],
            accent=colour["mark"],
            warning=colour["warn"],
            error=colour["bad"],
            success=colour["ok"],
            foreground=colour["text"],
            background=colour["base"],
            surface=colour["base"],
            panel=colour["head-bg"],
            boost=colour["head-bg"],
            dark=self.dark,
            variables={
                **{f"hv-{role}": value for role, value in colour.items()},
                "input-cursor-background": colour["text"],
                "input-cursor-foreground": colour["base"],
                "input-selection-background": colour["cursor-bg"],
                "border": colour["frame-focus"],
                "block-cursor-background": colour["cursor-bg"],
                "block-cursor-foreground": colour["cursor"],
                "footer-background": colour["head-bg"],
            },
        )


def theme_dirs(user: Path | None = None) -> list[Path]:
    """Where themes are looked for: inside the installed package, or the source tree's top; then the user's."""
    here = Path(__file__).resolve().parent.parent
    shipped = here / "themes"
    dirs = [shipped if shipped.is_dir() else here.parent / "themes"]
    return [*dirs, user] if user is not None else dirs


def load_themes(dirs: list[Path]) -> tuple[dict[str, Palette], list[str]]:
    """All themes by name (a later directory wins) and everything that is wrong, a sentence each."""
    palettes: dict[str, Palette] = {}
    problems: list[str] = []
    for directory in dirs:
        for path in sorted(directory.glob("*.toml")) if directory.is_dir() else []:
            palette, wrong = _read(path, palettes)
            problems += wrong
            if palette is not None:
                palettes[palette.name] = palette
    return palettes, problems


def _read(path: Path, known: dict[str, Palette]) -> tuple[Palette | None, list[str]]:
    name = path.stem
    if not _NAME.match(name):
        return None, [f"{path}: the file's name must be lower-case letters, digits and hyphens"]
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        return None, [f"{path}: {error}"]
    wrong: list[str] = []
    for key, value in data.items():
        if key not in _KEYS:
            wrong.append(f"{path}: unknown key {key!r}{_nearest(key, _KEYS)}")
        elif not isinstance(value, _KEYS[key]):
            wrong.append(f"{path}: {key} must be {_word(_KEYS[key])}")
    if wrong:
        return None, wrong
    parent = data.get("extends", "")
    if parent and parent not in known:
        return None, [f"{path}: extends {parent!r}, which is no theme{_nearest(parent, known)}"]
    base = known.get(parent)
    colours, wrong = _colours(path, data.get("colours", {}), base)
    if wrong:
        return None, wrong
    dark = data.get("dark", base.dark if base is not None else True)
    return Palette(name, data.get("title", name), dark, colours), []


def _colours(path: Path, given: dict[str, object], base: Palette | None) -> tuple[dict[str, str], list[str]]:
    wrong: list[str] = []
    colours = dict(base.colours) if base is not None else {}
    for role, value in given.items():
        if role not in ROLES:
            wrong.append(f"{path}: colours.{role} is no role{_nearest(role, ROLES)}")
        elif not isinstance(value, str) or not _COLOUR.match(value):
            wrong.append(f"{path}: colours.{role} = {value!r} is not a colour such as #1a2b3c")
        else:
            colours[role] = value.lower()
    missing = [role for role in ROLES if role not in colours and role not in given]
    if missing:
        wrong.append(f"{path}: no colour for {', '.join(missing)}")
    return colours, wrong


def _nearest(word: str, known: object) -> str:
    near = difflib.get_close_matches(word, list(known), n=1)  # type: ignore[call-overload]
    return f"; did you mean {near[0]!r}?" if near else ""


def _word(kind: type) -> str:
    return {str: "text in quotes", bool: "true or false", dict: "a table"}[kind]
