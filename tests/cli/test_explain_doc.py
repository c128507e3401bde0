"""docs/explain.md is what `hvtui explain` knows, written down; with HVTUI_SNAPSHOTS=update it is written anew."""

# ruff: noqa: E501 - rows of a Markdown table cannot be broken

from __future__ import annotations

import os
from pathlib import Path

from hvtui.cli.explaining.known import SEVERITIES, case_of, known, patterns
from hvtui.findings.catalogue import catalogue
from tests.support.published_texts import TABLE

PAGE = Path(__file__).resolve().parents[2] / "docs" / "explain.md"
HEAD = """# What `hvtui explain` knows

`hvtui explain FILE` and `… | hvtui explain -` read a pasted text and ask no node. A text may hold several things; each is
told with its line. Curly quotation marks, `0×8007…`, blanks and hyphens that do not break, characters without width,
entities and tags of web pages, quoted mails, wrapped lines and every encoding of Windows take nothing away.

| recognised | by |
|---|---|
| `vssadmin list writers` (any language), `list writers status` of diskshadow | GUIDs, numbers of states, order of lines |
| `Get-ClusterSharedVolumeState`, `Get-VM`, `Get-VMSnapshot`, as lists and as tables | PowerShell's names, the same in every language; a name that is cut counts when it can be one only |
| `fltmc`, `fltmc filters`, `fltmc instances` | altitudes |
| events as XML, as Event Viewer's text or list, as `Get-WinEvent` and Get-EventLog print them | source and id, also under labels of other languages; without a head by their English text |
| errors of {products} | their texts and numbers |
| error codes: HRESULT, NTSTATUS, decimal ones | {codes} of them |

Exit codes: 0 nothing is wrong · 1 something is, or a part was not known or not readable · 2 nothing in it is known, which
is said, never guessed.

## Why it happens, what to do, what not to do

| case | next step | not |
|---|---|---|
"""
TEXTS = """
## Held against published texts

{count} texts that people published, with where each is from; a test puts every one of them through the command line
([table](../tests/data/published_texts/table.toml)).

| text | recognised | cases |
|---|---|---|
"""
UNKNOWN = """
## What it cannot name

Of the same texts:

"""


def page() -> str:
    """The page as it must be."""
    products = sorted({text.product for text in known().texts if text.product} - {"VSS", "Hyper-V", "diskshadow"})
    lines = [HEAD.format(products=", ".join(products), codes=len(known().codes)).rstrip("\n")]
    for name in (name for name in cases() if name in known().cases):
        case = case_of(name)
        lines.append(f"| {_cell(case.title)} | {_cell(case.next)} | {_cell(case.never)} |")
    listed = ", ".join(f"`{name}`" for name in sorted(cases()) if name not in known().cases)
    lines.append(f"\nOther cases have their words from the [findings](findings.md): {listed}.")
    lines.append(TEXTS.format(count=len(TABLE)).rstrip("\n"))
    for name, row in TABLE.items():
        names = ", ".join(row["names"]) or {"vms": "VMs", "codes": "codes"}.get(row["kind"], "—")
        lines.append(f"| [{name}]({row['url']}) | {names} | {', '.join(row['cases']) or '—'} |")
    lines.append(UNKNOWN.rstrip("\n") + "\n")
    lines += [f"- {name}: {row['unknown']}." for name, row in TABLE.items() if "unknown" in row]
    return "\n".join(lines) + "\n"


def cases() -> list[str]:
    """Every case that something leads to, in the order of the file."""
    have = known()
    named = [case for text in have.texts for case in (text.case, *text.instead.values())]
    named += [case for row in have.events for case in (row.case, *row.instead.values())]
    named += [code.case for code in have.codes.values()]
    named += ["vm-critical", "vm-saved", "locked", "merge", "writer-refused", "csv-paused", "csv-no-access"]
    named += ["csv-no-direct-path", "csv-incompatible-filter", "csv-left-redirected", "recovery-checkpoint-left"]
    order = [*have.cases, *catalogue().entries]
    return sorted(dict.fromkeys(case for case in named if case), key=order.index)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def test_the_page_says_what_is_known() -> None:
    if os.environ.get("HVTUI_SNAPSHOTS") == "update":
        PAGE.write_text(page(), encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == page()


def test_what_is_known_hangs_together() -> None:
    have = known()
    for text in have.texts:
        assert (text.event is None) == bool(text.product), text
        assert text.any or text.regex
        assert all(phrase == phrase.lower() and '"' not in phrase for phrase in text.any), text
        assert text.event is not None or SEVERITIES[text.severity]
        assert all(pattern.groups <= 1 for _, pattern in patterns(text))
    for row in have.events:
        assert row.source == row.source.lower()
    assert all(code == code.lower() and len(code) == 10 for code in have.codes)


def test_every_case_that_is_named_has_its_words_in_one_place() -> None:
    own, shipped = set(known().cases), set(catalogue().entries)
    assert own <= set(cases()), "a case that nothing leads to"
    assert not own & shipped
    assert set(cases()) <= own | shipped
