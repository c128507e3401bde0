"""Mutants of the module: made, run against the table of cases and the checker, and told."""

from __future__ import annotations

import hashlib
import json
import re
import sys
import tempfile
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import Queue
from typing import Any, Final

from tests.branches.marks import Branch, branches, marked
from tests.powershell import check
from tests.powershell.answers import differences, kept
from tests.powershell.cases import CASES
from tests.powershell.engine import MODULE, pwsh
from tests.powershell.table import ANSWERS, Run, Stuck, TableEngine, assemble, parts, run_table

SEED: Final = 5
SECONDS: Final = 60.0
"""An engine that says nothing for so long seems to run a mutant that never ends."""
ALONE: Final = 180.0
"""The same, when nothing else of this run takes the machine's time."""
NEVER: Final = "never ends"


@dataclass(frozen=True)
class Mutant:
    """One change at one place; `unit` is the function (or the statement outside of any) it lies in."""

    file: str
    line: int
    offset: int
    length: int
    kind: str
    old: str
    new: str
    unit: str
    start: int
    text: str
    outside: bool

    @property
    def changed_unit(self) -> str:
        """The unit's text with the change."""
        at = self.offset - self.start
        return self.text[:at] + self.new + self.text[at + self.length :]

    def __str__(self) -> str:
        old, new = (re.sub(r"\s+", " ", text)[:70] for text in (self.old, self.new))
        return f"{self.file}:{self.line} {self.kind}: {old} -> {new}"


@dataclass(frozen=True)
class Verdict:
    """What noticed a mutant: a case's name, or `checker`; None when nothing did."""

    mutant: Mutant
    killer: str | None


def places() -> list[Mutant]:
    """Every mutant there is."""
    done = pwsh("-File", str(Path(__file__).with_name("places.ps1")), str(MODULE))
    if done.returncode:
        raise RuntimeError(done.stderr)
    return [
        Mutant(
            **{key: row[key] for key in ("file", "line", "offset", "length", "kind", "old", "new", "unit", "start")},
            text=row["text"],
            outside=row["top"],
        )
        for row in json.loads(done.stdout)
        if row["old"] != row["new"]
    ]


def sample(found: list[Mutant], size: int) -> list[Mutant]:
    """So many of them, the same in every run; what changes elsewhere in the module does not change the choice."""

    def lot(mutant: Mutant) -> bytes:
        within = mutant.offset - mutant.start
        return hashlib.sha256(f"{SEED} {mutant.unit} {within} {mutant.old} {mutant.new}".encode()).digest()

    return sorted(sorted(found, key=lot)[:size], key=lambda m: (m.file, m.offset))


class Bench:
    """One engine that holds mutants against the committed answers."""

    def __init__(self, found: Sequence[Branch], seen: Run) -> None:
        self._branches, self._seen = found, seen
        self._texts = parts()
        kept: dict[str, Any] = json.loads(ANSWERS.read_text(encoding="ascii"))
        self._want = [kept[case.name] for case in CASES]
        self._engine = self._start()

    def _start(self) -> TableEngine:
        engine = TableEngine()
        engine.must("load", text=assemble(self._texts))
        engine.must("table", cases=[case.request() for case in CASES], want=self._want)
        return engine

    def cases(self, mutant: Mutant) -> list[int]:
        """The cases that run past the mutant's place, the quickest first."""
        around = [
            b for b in self._branches if b.file == mutant.file and not b.unwritten and b.start <= mutant.offset < b.end
        ]
        inner = min(around, key=lambda b: b.end - b.start, default=None)
        order = sorted(range(len(CASES)), key=lambda n: self._seen.milliseconds[CASES[n].name])
        if mutant.outside or inner is None:
            return order
        # What the parameters are is seen without a call.
        return [n for n in order if inner.name in self._seen.hits[CASES[n].name] or "exported" in CASES[n].name]

    def judge(self, mutant: Mutant, seconds: float = SECONDS) -> Verdict:
        """Run one mutant."""
        try:
            killer = self._run(mutant, seconds)
            if killer is not None and not self._sound(killer, seconds):
                # What an earlier mutant left behind in the engine, or this one: a fresh engine tells.
                self._engine.close()
                self._engine = self._start()
                killer = self._run(mutant, seconds)
                if killer is not None and not self._sound(killer, seconds):
                    self._engine.close()
                    self._engine = self._start()
            return Verdict(mutant, killer)
        except Stuck:
            self._engine = self._start()
            return Verdict(mutant, NEVER)

    def _sound(self, killer: str, seconds: float) -> bool:
        """Whether this case answers as committed now that the module is whole again."""
        number = next((n for n, case in enumerate(CASES) if case.name == killer), None)
        if number is None:
            return True
        said = self._engine.ask("run", only=[number], stop=True, marks=False, seconds=seconds)
        sound: bool = not said["error"] and said["differs"] < 0
        if not sound:
            sys.stderr.write(f"an engine is spoilt: {killer}\n")
        return sound

    def _run(self, mutant: Mutant, seconds: float) -> str | None:
        whole = dict(self._texts)
        text = whole[mutant.file]
        if mutant.outside:
            whole[mutant.file] = text[: mutant.offset] + mutant.new + text[mutant.offset + mutant.length :]
            put = self._engine.ask("load", text=assemble(whole), seconds=seconds)
        else:
            put = self._engine.ask("unit", name=mutant.unit, text=mutant.changed_unit, seconds=seconds)
        killer: str | None = "does not load"
        if not put["error"]:
            killer = self._killer(self.cases(mutant), seconds)
        if mutant.outside:
            self._engine.must("load", text=assemble(self._texts))
        else:
            self._engine.must("unit", name=mutant.unit, text=mutant.text)
        return killer

    def _killer(self, left: list[int], seconds: float) -> str | None:
        """The first of these cases that notices the mutant, twice: on a busy machine one may differ by itself."""
        while left:
            said = self._engine.ask("run", only=left, stop=True, marks=False, seconds=seconds)
            if said["error"]:
                return "does not load"
            first: int = said["differs"]
            if first < 0:
                return None
            again = self._engine.ask("run", only=[first], stop=True, marks=False, seconds=seconds)
            if again["error"] or again["differs"] >= 0:
                return CASES[first].name
            sys.stderr.write(f"once, not twice: {CASES[first].name}\n")
            left = left[left.index(first) + 1 :]
        return None

    def close(self) -> None:
        """End the engine."""
        self._engine.close()


def run(mutants: Sequence[Mutant], workers: int = 2) -> list[Verdict]:
    """Hold every mutant against the cases."""
    found = branches()
    engine = TableEngine()
    seen = run_table(engine, marked(found))
    engine.close()
    if wrong := differences(kept(), seen.answers):
        # Else every mutant would seem to be noticed.
        raise RuntimeError("the module itself answers otherwise than committed: " + "; ".join(wrong))
    benches: Queue[Bench] = Queue()
    for _ in range(workers):
        benches.put(Bench(found, seen))

    def judge(mutant: Mutant) -> Verdict:
        bench = benches.get()
        try:
            return bench.judge(mutant)
        finally:
            benches.put(bench)

    verdicts: list[Verdict] = []
    with ThreadPoolExecutor(workers) as pool:
        for verdict in pool.map(judge, mutants):
            verdicts.append(verdict)
            if verdict.killer is None or len(verdicts) % 100 == 0:
                told = (
                    f"{len(verdicts)} of {len(mutants)}" if verdict.killer else f"survives the cases: {verdict.mutant}"
                )
                sys.stderr.write(told + "\n")
    # A busy machine makes a mutant look as if it never ended: those are run again, alone.
    alone = benches.get()
    verdicts = [alone.judge(v.mutant, ALONE) if v.killer == NEVER else v for v in verdicts]
    alone.close()
    while not benches.empty():
        benches.get().close()
    return verdicts


def noticed_by_checker(mutants: Iterable[Mutant]) -> set[Mutant]:
    """Those in which check.ps1 finds something that it does not find in the unit as it is."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        numbered = dict(enumerate(mutants))
        for number, mutant in numbered.items():
            (folder / f"m{number}.ps1").write_text(mutant.changed_unit + "\n", encoding="utf-8")
            (folder / f"u{number}.ps1").write_text(mutant.text + "\n", encoding="utf-8")
        # The module beside them, so that its own functions are known.
        for path, text in parts().items():
            (folder / path.replace("/", "-")).write_text(text, encoding="utf-8")
        _, said = check.check(folder, seconds=1800)
    pattern = re.compile(r"[mu](\d+)\.ps1:\d+: (.*)")
    before: dict[int, set[str]] = {}
    after: dict[int, set[str]] = {}
    for line in said.splitlines():
        if hit := pattern.search(line):
            side = after if hit.group(0).startswith("m") else before
            side.setdefault(int(hit.group(1)), set()).add(hit.group(2))
    return {numbered[n] for n, found in after.items() if found - before.get(n, set())}
