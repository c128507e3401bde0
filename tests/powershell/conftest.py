"""The engine for a test, or a skip with the reason."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.powershell.engine import Engine, Runner


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """One engine for all tests of this process."""
    one = Engine()
    yield one
    one.close()


@pytest.fixture
def runner(engine: Engine, tmp_path: Path) -> Runner:
    """Runs commands of the installed form of the module."""
    return Runner(engine, tmp_path)
