"""Runs the table of cases in one engine session, again and again."""

from __future__ import annotations

import contextlib
import json
import queue
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from hvtui.remote.contract import FUNCTIONS, MODULE
from tests.powershell.cases import CASES
from tests.powershell.engine import MODULE as FOLDER
from tests.powershell.engine import started

MARK: Final = "answer "
ANSWERS: Final = Path(__file__).with_name("answers.json")


class Stuck(Exception):
    """The engine did not answer in time, or ended; it is gone."""


class TableEngine:
    """One engine with the stand-ins for Windows; not for two threads at once."""

    def __init__(self) -> None:
        self._process = started("table.ps1")
        self._lines: queue.Queue[str] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith(MARK):
                self._lines.put(line.removeprefix(MARK))
        self._lines.put("")

    def ask(self, do: str, *, seconds: float = 120, **values: Any) -> dict[str, Any]:
        """One request; raises Stuck when there is no answer."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": do, **values}) + "\n")
        self._process.stdin.flush()
        try:
            line = self._lines.get(timeout=seconds)
        except queue.Empty:
            line = ""
        if not line:
            self._process.kill()
            self.close()
            raise Stuck(do)
        answer: dict[str, Any] = json.loads(line)
        return answer

    def must(self, do: str, **values: Any) -> dict[str, Any]:
        """One request that must not fail."""
        answer = self.ask(do, **values)
        if answer["error"]:
            raise RuntimeError(answer["error"])
        return answer

    def close(self) -> None:
        """End the engine: its input ends."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.wait(timeout=60)
        self._reader.join(timeout=60)
        self._process.stdout.close()


def parts() -> dict[str, str]:
    """The module's files by their path, in the order in which they are put together."""
    files = sorted((FOLDER / "Private").glob("*.ps1")) + sorted((FOLDER / "Public").glob("*.ps1"))
    return {f.relative_to(FOLDER).as_posix(): f.read_text(encoding="utf-8") for f in files}


def assemble(texts: dict[str, str]) -> str:
    """A module out of its parts, like the sent form."""
    body = "\n".join(texts.values())
    exported = ", ".join(f"'{name}'" for name in FUNCTIONS)
    head = f"New-Module -Name {MODULE} -ScriptBlock {{\n"
    return f"{head}{body}\nExport-ModuleMember -Function {exported}\n}} | Import-Module\n"


@dataclass(frozen=True)
class Run:
    """One run of the whole table, by the cases' names: what was answered and asked, marks passed, milliseconds."""

    answers: dict[str, Any]
    hits: dict[str, frozenset[str]]
    milliseconds: dict[str, int]


def run_table(engine: TableEngine, text: str, culture: str = "") -> Run:
    """Load this text of the module and run every case under a culture of `stubs/table.ps1`."""
    engine.must("load", text=text)
    engine.must("table", cases=[case.request(culture) for case in CASES], want=[])
    said = engine.must("run", only=list(range(len(CASES))), stop=False, marks=True, seconds=300)
    names = [case.name for case in CASES]
    return Run(
        dict(zip(names, map(json.loads, said["answers"]), strict=True)),
        dict(zip(names, map(frozenset, said["hits"]), strict=True)),
        dict(zip(names, said["milliseconds"], strict=True)),
    )
