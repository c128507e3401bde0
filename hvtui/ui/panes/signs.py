"""Glyph and style role of every severity, and how a title counts them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from hvtui.model.severity import Severity
from hvtui.ui.look import Glyphs, Look


def signs(glyphs: Glyphs) -> dict[Severity, tuple[str, str]]:
    """Severity → glyph and style role."""
    return {
        Severity.OK: (glyphs.ok, "ok"),
        Severity.INFO: (glyphs.info, "info"),
        Severity.UNKNOWN: (glyphs.unknown, "unread"),
        Severity.WARN: (glyphs.warn, "warn"),
        Severity.BAD: (glyphs.bad, "bad"),
    }


def sign_counts(severities: Iterable[Severity], look: Look) -> str:
    """Such as `1 ✖ · 2 ▲ · 61 ✓`: worst first, what does not occur left out; hints count as healthy."""
    counts = Counter(Severity.OK if severity is Severity.INFO else severity for severity in severities)
    made = signs(look.glyphs)
    order = sorted(counts, reverse=True)
    return f" {look.glyphs.dot} ".join(f"{counts[severity]} {made[severity][0]}" for severity in order)
