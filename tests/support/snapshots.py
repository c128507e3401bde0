"""Snapshots of the screen as text files, which a review can read.

After a wanted change: `HVTUI_SNAPSHOTS=update python -m pytest tests/ui`, then look at the difference in git.
"""

from __future__ import annotations

import difflib
import os
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent.parent / "ui" / "snapshots"

# Read at import: tests run with a clean environment.
UPDATE: Final = os.environ.get("HVTUI_SNAPSHOTS") == "update"


def check(name: str, text: str) -> None:
    """Compare a text with the file of that name; with UPDATE write it."""
    path = FOLDER / f"{name}.txt"
    text = text.rstrip("\n") + "\n"
    if UPDATE:
        FOLDER.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
        return
    held = path.read_text(encoding="utf-8") if path.exists() else ""
    if held == text:
        return
    lines = difflib.unified_diff(held.splitlines(), text.splitlines(), "held", "now", lineterm="", n=1)
    raise AssertionError(f"{path.name} differs ({__doc__})\n" + "\n".join(lines))
