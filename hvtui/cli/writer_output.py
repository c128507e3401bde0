"""How one VSS writer is printed, the same for `explain`, `writers` and `status`."""

from __future__ import annotations

from typing import Final

from hvtui.cli.output import Cell
from hvtui.model.writers import Writer

COLUMNS: Final = ("", "writer", "state", "last error", "service")
_MOODS: Final = {"ok": ("✓", "ok"), "busy": ("…", "warn"), "failed": ("✗", "bad"), "unreadable": ("?", "warn")}


def writer_json(writer: Writer) -> dict[str, object]:
    """A writer as docs/explain.schema.json describes it."""
    return {
        "name": writer.name,
        "id": writer.id,
        "instance": writer.instance,
        "state": {"code": writer.code, "text": writer.state_text, "class": writer.state_class},
        "last_error": {"text": writer.error_text, "kind": writer.error_kind},
        "service": writer.service,
        "advice": writer.advice,
    }


def writer_row(writer: Writer) -> tuple[Cell, ...]:
    """Cells for COLUMNS."""
    glyph, mood = _MOODS[writer.state_class]
    code = "?" if writer.code is None else str(writer.code)
    return (
        (glyph, mood),
        writer.name,
        (f"[{code}] {writer.state_text}", "" if mood == "ok" else mood),
        (writer.error_text or "?", "" if writer.error_kind == "none" else "bad"),
        writer.service,
    )


def worst_first(writers: tuple[Writer, ...]) -> list[Writer]:
    """Failed, unreadable, busy, then the healthy ones, each group as Windows listed them."""
    order = ("failed", "unreadable", "busy", "ok")
    return sorted(writers, key=lambda w: (order.index(w.state_class), w.error_kind == "none"))


def is_fine(writer: Writer) -> bool:
    """Nothing to do about this writer: stable or at work, and without an error."""
    return writer.state_class in {"ok", "busy"} and writer.error_kind == "none"
