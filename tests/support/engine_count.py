"""Says how many tests ran on a real PowerShell engine; where there is one, none of them may be skipped."""

from __future__ import annotations

import os
import shutil
from typing import Final

import pytest

FOLDER: Final = "tests/engine/"


class EngineCount:
    """A pytest plugin. Its line is the last word of a run that had any test of `tests/engine/`."""

    def __init__(self) -> None:
        self.found = os.environ.get("HVTUI_PWSH") or shutil.which("pwsh")
        self.ran = 0
        self.skipped: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count a test once: where it ran, or where it was skipped."""
        if not report.nodeid.startswith(FOLDER):
            return
        if report.skipped and not hasattr(report, "wasxfail"):
            self.skipped.append(report.nodeid)
        elif report.when == "call":
            self.ran += 1

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Fail the run for a skipped test, although no test failed."""
        if self.found and self.skipped and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """The line, and which tests were skipped where they should not be."""
        if not self.ran and not self.skipped:
            return
        if self.found:
            for name in self.skipped:
                terminalreporter.write_line(f"engine: {self.found} is here, but skipped: {name}")
        terminalreporter.write_line(f"engine: {self.ran} ran, {len(self.skipped)} skipped")
