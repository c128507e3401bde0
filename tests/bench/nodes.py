"""The nodes of a bench from outside: a process that serves them, and what it is told."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any


class Nodes:
    """`python -m tests.bench.server` for a scenario; `bare`: without the module on the nodes."""

    def __init__(self, scenario: str, folder: Path, *, bare: bool = False) -> None:
        self.folder = folder
        words = [sys.executable, "-m", "tests.bench.server", scenario, *(["bare"] if bare else [])]
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        line = self._line()
        self.addresses: dict[str, str] = line["addresses"]
        self.username: str = line["username"]
        self.password: str = line["password"]
        folder.mkdir(parents=True, exist_ok=True)
        self.config = folder / "bench.toml"
        self.config.write_text(line["config"], encoding="utf-8")
        self.login = folder / "bench.json"
        self.login.write_text(json.dumps(line), encoding="utf-8")

    def __enter__(self) -> Nodes:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self.process.stdin is not None
        try:
            self.process.stdin.write("end\n")
            self.process.stdin.flush()
            self.process.wait(15)
        except (OSError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()

    def tell(self, *words: object) -> Any:
        """Say one line and wait for its answer."""
        assert self.process.stdin is not None
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()
        return self._line()

    def environment(self, name: str = "state") -> dict[str, str]:
        """A home of its own for a program that is measured: nothing of an earlier run is found."""
        return {"TZ": "UTC", "XDG_STATE_HOME": str(self.folder / name), "XDG_CACHE_HOME": str(self.folder / "cache")}

    def _line(self) -> Any:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("the bench's nodes ended")
        return json.loads(line)
