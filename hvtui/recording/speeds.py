"""How fast a recording may be played."""

from __future__ import annotations

from typing import Final

SPEEDS: Final = (1, 2, 5, 10, 30, 60, 120, 300, 600)
