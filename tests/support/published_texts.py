"""The published texts of tests/data/published_texts and what `hvtui explain` is expected to make of each."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Final

TEXTS: Final = Path(__file__).parents[1] / "data" / "published_texts"
TABLE: Final[dict[str, dict[str, Any]]] = tomllib.loads((TEXTS / "table.toml").read_text("utf-8"))


def text_of(name: str) -> str:
    """A published text."""
    return (TEXTS / f"{name}.txt").read_text("utf-8")
