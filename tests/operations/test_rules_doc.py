"""docs/rules.md is the registry, written down; with HVTUI_SNAPSHOTS=update it is written anew."""

from __future__ import annotations

import os
from pathlib import Path

from hvtui.operations.plan import Verb
from hvtui.operations.rules import OVERRIDABLE, RULES

PAGE = Path(__file__).resolve().parents[2] / "docs" / "rules.md"
HEAD = """# What hvtui refuses

One gate stands below every front end; it is built from this table (`hvtui/operations/rules.py`), in this order. What
could not be read refuses as well. A HOLD may pass by itself: `--wait` waits for it.

| rule | refuses when | kind | verbs |
|---|---|---|---|
"""
TAIL = """
## What an expert may set aside

{names}. Each is typed with the confirmation (on the command line: `--override NAME`), and the
journal keeps who did. Nothing else can be set aside anywhere: not fork-commit signs, not read-only, not stale facts,
not the wrong cluster, not quorum.
"""


def page() -> str:
    """The page as it must be."""
    lines = []
    for rule in RULES:
        verbs = "all" if rule.verbs == frozenset(Verb) else ", ".join(v.value for v in Verb if v in rule.verbs)
        lines.append(f"| `{rule.id}` | {rule.title} | {rule.kind} | {verbs} |")
    names = ", ".join(f"`{name}`" for name in OVERRIDABLE)
    return HEAD + "\n".join(lines) + "\n" + TAIL.format(names=names)


def test_the_page_says_what_the_gate_is_built_from() -> None:
    if os.environ.get("HVTUI_SNAPSHOTS") == "update":
        PAGE.write_text(page(), encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == page()
