"""Names of recordings, and their sizes in words."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

from hvtui import paths
from hvtui.recording.format import SUFFIX


def folder() -> Path:
    """Where recordings go that were given no name."""
    return paths.state_dir() / "recordings"


def new_file(title: str, now: datetime, where: Path | None = None) -> Path:
    """A name nobody has yet: the cluster and this machine's time."""
    safe = re.sub(r"[^\w-]+", "-", title).strip("-") or "cluster"
    base = f"{safe}-{now.astimezone():%Y%m%d-%H%M%S}"
    found = (where or folder()) / f"{base}{SUFFIX}"
    number = 1
    while found.exists():
        number += 1
        found = found.with_name(f"{base}-{number}{SUFFIX}")
    return found


def size_text(size: int) -> str:
    """`310 KB`, `4.2 MB`."""
    return f"{size / 1e6:.1f} MB" if size >= 999_500 else f"{size / 1e3:.0f} KB"
