"""One engine process with the module HvTui: calls that end, and streams that go on round by round."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import queue
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

_DRIVER: Final = Path(__file__).with_name("driver.ps1")
_WITHIN: Final = 120.0


class Problem(NamedTuple):
    """A record of the error stream."""

    id: str
    category: str
    text: str
    type: str


class Result(NamedTuple):
    """What a script gave: its output, and the records of its error stream."""

    output: list[str]
    errors: list[Problem]


class Stream:
    """A running Watch-… that waits after each message."""

    def __init__(self, session: ModuleSession) -> None:
        self._session = session

    def round(self, elapsed: float) -> dict[str, Any]:
        """The next message, at this moment of the world."""
        self._session.write(repr(elapsed))
        return self.message()

    def message(self) -> dict[str, Any]:
        """The message of the round that is under way."""
        result = self._session.read(stream=True)
        assert result.errors == []
        assert len(result.output) == 1
        record: dict[str, Any] = json.loads(result.output[0])
        return record


class ModuleSession:
    """A pwsh process that runs one script after the other."""

    def __init__(self, pwsh: str, environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            [pwsh, "-NoLogo", "-NoProfile", "-NonInteractive", "-File", str(_DRIVER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **environment},
        )
        self._lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._deadline: int | None = None

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(10)
        self._reader.join(10)
        self._process.stdout.close()

    def run(self, script: str) -> Result:
        """Run a script to its end."""
        self.write(base64.b64encode(script.encode()).decode())
        return self.read()

    def deadline(self, seconds: int | None) -> None:
        """How long a question to what hangs takes; None: as long as on Windows."""
        if seconds != self._deadline:
            self._deadline = seconds
            fast, slow = seconds or 10, seconds or 25
            values = f"$script:FastSeconds = {fast}; $script:SlowSecondsLimit = {slow}"
            assert self.run(f"& (Get-Module -Name HvTui) {{ {values} }}") == Result([], [])

    def call(self, script: str) -> dict[str, Any]:
        """The one JSON answer of a call that writes no errors."""
        result = self.run(script)
        assert result.errors == []
        assert len(result.output) == 1
        record: dict[str, Any] = json.loads(result.output[0])
        return record

    @contextmanager
    def watch(self, script: str, elapsed: float) -> Iterator[tuple[Stream, dict[str, Any]]]:
        """A stream and its first message; it is stopped at the end."""
        text = f"$global:LabElapsed = [double]{elapsed!r}; $global:LabHeld = $true; {script}"
        self.write(base64.b64encode(text.encode()).decode())
        stream = Stream(self)
        try:
            yield stream, stream.message()
        finally:
            self.write("stop")
            self.read()
            self.run("$global:LabHeld = $false")

    def write(self, line: str) -> None:
        """Write one line to the process."""
        assert self._process.stdin is not None
        self._process.stdin.write(line.encode() + b"\n")
        self._process.stdin.flush()

    def read(self, *, stream: bool = False) -> Result:
        """What comes until a script ends or, of a stream, until it waits for its next round."""
        output: list[str] = []
        errors: list[Problem] = []
        while True:
            line = self._lines.get(timeout=_WITHIN)
            mark, text = line[:1], line[1:].strip()
            match mark:
                case b">":
                    output.append(base64.b64decode(text).decode())
                case b"!":
                    errors.append(Problem(**json.loads(base64.b64decode(text))))
                case b"~" if stream:
                    return Result(output, errors)
                case b".":
                    assert not stream, f"the stream ended: {errors}"
                    return Result(output, errors)
                case b"":
                    raise AssertionError("the engine ended")
                case _:
                    # What a script writes to the console itself.
                    continue

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put(b"")
