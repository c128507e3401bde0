"""What the module answers to the table of cases, kept word for word: `python -m tests.powershell.answers [--write]`.

Without --write it prints what differs from `answers.json` and ends with 1 if anything does.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from tests.powershell.table import ANSWERS, TableEngine, assemble, parts, run_table


def kept() -> dict[str, Any]:
    """The answers as committed."""
    loaded: dict[str, Any] = json.loads(ANSWERS.read_text(encoding="utf-8"))
    return loaded


def differences(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """One line for each case that answers otherwise, with the first place where it does."""
    found = [f"{name}: {'new' if name in new else 'gone'}" for name in sorted(old.keys() ^ new.keys())]
    for name in old.keys() & new.keys():
        before, after = (json.dumps(side[name], ensure_ascii=False) for side in (old, new))
        if before != after:
            at = next((i for i, pair in enumerate(zip(before, after, strict=False)) if pair[0] != pair[1]), 0)
            found.append(f"{name}: …{before[max(0, at - 60) : at + 60]}… now …{after[max(0, at - 60) : at + 60]}…")
    return found


def main(arguments: list[str]) -> int:
    """Compare, or write anew."""
    engine = TableEngine()
    try:
        new = run_table(engine, assemble(parts())).answers
    finally:
        engine.close()
    if arguments == ["--write"]:
        ANSWERS.write_text(json.dumps(new, ensure_ascii=True, indent=0) + "\n", encoding="ascii")
        return 0
    found = differences(kept(), new)
    sys.stdout.writelines(line + "\n" for line in found)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
