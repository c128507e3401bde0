"""Labs with consoles on them; every test ends with the same assertions about harm, repetition and journals."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from hvtui.lab.serve import Lab
from tests.support.site import Site

Make = Callable[..., Site]


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Make]:
    """Start a lab: `site(scenario, speed=20)`."""
    made: list[Site] = []
    with ExitStack() as running:

        def start(scenario: str | Path, **options: Any) -> Site:
            lab = running.enter_context(Lab(scenario, **({"speed": 20.0, "tls": False} | options)))
            made.append(Site(lab, tmp_path))
            return made[-1]

        yield start
        for one in made:
            await one.close()
