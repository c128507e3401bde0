"""Marks at the branches of the module."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from tests.powershell.engine import MODULE, pwsh
from tests.powershell.table import assemble, parts


@dataclass(frozen=True)
class Branch:
    """One way through the module: `start` and `end` are its text's offsets in the file."""

    name: str
    file: str
    line: int
    kind: str
    start: int
    end: int
    offset: int
    unwritten: bool

    @property
    def statement(self) -> str:
        """What is put into the module's text: it says that it was here, and writes nothing."""
        mark = f"[void]$global:Hits.Add('{self.name}');"
        return f" else {{ {mark} }}" if self.unwritten else f"\n{mark}"


def branches() -> list[Branch]:
    """Every branch of the module."""
    done = pwsh("-File", str(Path(__file__).with_name("marks.ps1")), str(MODULE))
    if done.returncode:
        raise RuntimeError(done.stderr)
    return [
        Branch(
            name=str(number),
            file=row["file"],
            line=row["line"],
            kind=row["kind"],
            start=row["start"],
            end=row["end"],
            offset=row["offset"],
            unwritten=row["else"],
        )
        for number, row in enumerate(json.loads(done.stdout))
    ]


def marked(found: list[Branch]) -> str:
    """The module with all marks in its text."""
    texts = parts()
    for branch in sorted(found, key=lambda b: (b.offset, b.unwritten), reverse=True):
        text = texts[branch.file]
        texts[branch.file] = text[: branch.offset] + branch.statement + text[branch.offset :]
    return assemble(texts)
