"""docs/findings.md from the catalogue: `HVTUI_SNAPSHOTS=update python -m pytest tests/unit/findings/test_docs.py`."""

from __future__ import annotations

from hvtui.findings.catalogue import Catalogue
from hvtui.findings.rules import all_rules

HEAD = """# What hvtui finds

Made from the catalogue (`hvtui/findings/catalogue.toml`), which the console and `hvtui findings` show as well. A
finding names what it is about, its evidence (which record of which log, which state, when), the VMs that are guilty or
hit, and how sure it is: *certain*, *likely* or *possible*, by how much agrees. A rule speaks only when enough agrees;
what could not be read is unknown to it, and never fine. Numbers, ids and GUIDs are read, never words that Windows
translates.

An acknowledged finding (`!` in the pane, with a note) stays in the list and alarms no more, until it gets worse:
graver, surer, or about more VMs. VMs that the configuration calls `quiet` are recorded and not alarmed.
"""
WORDS = {"bad": "trouble", "warn": "warning", "info": "hint"}


def page(catalogue: Catalogue) -> str:
    """The page as it must be."""
    parts = [HEAD, *_table(catalogue), *_entries(catalogue), *_incidents(catalogue)]
    return "\n".join(parts).rstrip("\n") + "\n"


def _table(catalogue: Catalogue) -> list[str]:
    lines = ["| finding | | asked of | what hvtui looks at |", "|---|---|---|---|"]
    rules = all_rules()
    for name, entry in sorted(catalogue.entries.items()):
        signals = ", ".join(entry.signals)
        per = f"each {rules[name].per}" if rules[name].per not in ("csv", "vm") else f"each {rules[name].per.upper()}"
        per = "the cluster" if rules[name].per == "cluster" else per
        lines.append(f"| [{_cell(entry.title)}](#{name}) | {WORDS[entry.severity]} | {per} | {_cell(signals)} |")
    return [*lines, ""]


def _entries(catalogue: Catalogue) -> list[str]:
    lines = []
    for name, entry in sorted(catalogue.entries.items()):
        lines += [f"## {name}", "", f"**{entry.title}** ({WORDS[entry.severity]})", ""]
        lines += [f"- *Looks like*: {entry.looks}", f"- *Likely cause*: {entry.cause}"]
        lines += [f"- *Safe next step*: {entry.next}", f"- *What not to do*: {entry.never}"]
        lines += [f"- *Way back*: {entry.undo}", f"- *Source*: {entry.source}", ""]
    return lines


def _incidents(catalogue: Catalogue) -> list[str]:
    """Which of the collected incidents are found, which must stay silent, which no signal shows."""
    told: dict[int, list[str]] = {}
    for name, entry in catalogue.entries.items():
        for number in entry.incidents:
            told.setdefault(number, []).append(f"[{entry.title}](#{name})")
    lines = ["## Known incidents", ""]
    lines += ["A collection of incidents that are published, by number, and what finds them.", ""]
    lines += ["| incident | found as |", "|---|---|"]
    lines += [f"| {number} | {', '.join(sorted(told[number]))} |" for number in sorted(told)]
    lines += ["", "### What must stay silent", "", "It looks like trouble and is none.", ""]
    for silent in sorted(catalogue.silent, key=lambda one: (one.incident or 99, one.what)):
        which = f" (incident {silent.incident})" if silent.incident else ""
        lines.append(f"- {silent.what}{which}{f': {silent.why}' if silent.why else ''}")
    lines += ["", "### What hvtui cannot see", ""]
    lines += [
        f"- incident {unseen.incident}: {unseen.what}. {unseen.why}"
        for unseen in sorted(catalogue.unseen, key=lambda one: (one.incident, one.what))
    ]
    return lines


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
