"""Mutation of the module: `python -m tests.mutation [--all | --size N] [--only PATTERN] [--write]`.

Prints what was noticed by what; --write puts it into docs/mutation.md. Exit 1 when a mutant survives for which
`harmless.toml` has no reason.
"""

from __future__ import annotations

import argparse
import shlex
import sys
import tomllib
from collections import Counter
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from tests.mutation.run import Mutant, Verdict, noticed_by_checker, places, run, sample
from tests.powershell.engine import ROOT

REPORT: Final = ROOT / "docs" / "mutation.md"
REASONS: Final = Path(__file__).with_name("harmless.toml")

HEAD: Final = """# What the tests of the module notice

`python -m tests.mutation` changes the module at one place at a time: a literal, a name of a command, parameter,
property or type, an operator, a condition, WQL, a word that leaves a loop. Each such mutant is run on a PowerShell
engine against the table of cases in `tests/powershell/cases.py`, as far as a case runs past the place, and must answer
otherwise than the committed `answers.json`, or fail. What no case notices goes to the checker (`check.ps1`: syntax of
5.1, real signatures, CIM classes). Without `--all` it is a sample, the same in every run; `--only` takes some files;
`--write` writes this page.
"""


def reasons() -> list[dict[str, str]]:
    """The entries of harmless.toml: file, unit, old, why; `new` and `kind` where one place has several mutants."""
    entries: list[dict[str, str]] = tomllib.loads(REASONS.read_text(encoding="utf-8"))["harmless"]
    return entries


def reason(mutant: Mutant, entries: list[dict[str, str]]) -> str:
    """Why a survivor is harmless; empty when nobody said."""
    for entry in entries:
        held = {"unit": mutant.unit, "old": mutant.old, "new": mutant.new, "kind": mutant.kind}
        if all(held[key] == value for key, value in entry.items() if key != "why"):
            return entry["why"]
    return ""


def table(verdicts: list[Verdict], checked: set[Mutant]) -> list[str]:
    """The numbers, by kind of change."""
    lines = [
        "| change | mutants | noticed by a case | of the rest, by the checker | survivors |",
        "|---|---|---|---|---|",
    ]
    kinds = Counter(v.mutant.kind for v in verdicts)
    for kind in [*sorted(kinds), "all"]:
        of = [v for v in verdicts if kind in ("all", v.mutant.kind)]
        rest = [v.mutant for v in of if v.killer is None]
        found = sum(m in checked for m in rest)
        lines.append(f"| {kind} | {len(of)} | {len(of) - len(rest)} | {found} | {len(rest) - found} |")
    return lines


def main() -> int:
    """Make, run, tell."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation")
    parser.add_argument("--all", action="store_true", help="every mutant, not a sample")
    parser.add_argument("--size", type=int, default=400, help="size of the sample")
    parser.add_argument("--only", action="append", help="only files of this pattern, like 'Private/Action*'")
    parser.add_argument("--write", action="store_true", help="write docs/mutation.md")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    found = [m for m in places() if not options.only or any(fnmatchcase(m.file, name) for name in options.only)]
    mutants = found if options.all else sample(found, options.size)
    verdicts = run(mutants, options.workers)
    left = [v.mutant for v in verdicts if v.killer is None]
    checked = noticed_by_checker(left) if left else set()
    entries = reasons()
    command = shlex.join(["python", "-m", "tests.mutation", *(word for word in sys.argv[1:] if word != "--write")])
    lines = [f"Places: {len(found)}; mutants run: {len(mutants)}, by `{command}`.", "", *table(verdicts, checked), ""]
    unexplained = 0
    lines += ["| survivor | why it is harmless |", "|---|---|"]
    for mutant in left:
        if mutant in checked:
            continue
        why = reason(mutant, entries)
        unexplained += not why
        lines.append(f"| `{str(mutant).replace('|', chr(92) + '|')}` | {why or '**nobody has said**'} |")
    text = "\n".join(lines) + "\n"
    sys.stdout.write(text)
    if options.write:
        REPORT.write_text(HEAD + "\n" + text, encoding="utf-8")
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
