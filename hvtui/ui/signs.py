"""A severity as sign and colour, the same everywhere."""

from __future__ import annotations

from typing import Final

from hvtui.model.severity import Severity
from hvtui.ui.look import Look

SEVERITY_ROLES: Final = {
    Severity.OK: "ok",
    Severity.INFO: "info",
    Severity.UNKNOWN: "unread",
    Severity.WARN: "warn",
    Severity.BAD: "bad",
}


def severity_signs(look: Look) -> dict[Severity, str]:
    """One glyph per severity."""
    glyphs = look.glyphs
    return {
        Severity.OK: glyphs.ok,
        Severity.INFO: glyphs.info,
        Severity.UNKNOWN: glyphs.unknown,
        Severity.WARN: glyphs.warn,
        Severity.BAD: glyphs.bad,
    }
