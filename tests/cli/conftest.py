"""The shell of the command line's tests."""

from __future__ import annotations

import pytest

from tests.support.cli import Shell


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str]) -> Shell:
    """`shell("config", "path")` runs hvtui in this process."""
    return Shell(capsys)
