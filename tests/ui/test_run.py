"""What is set up around the console: imports, garbage collection, frame rate."""

from __future__ import annotations

import gc
import subprocess
import sys
from collections.abc import Iterator

import pytest

from hvtui.ui.gc_policy import IdleCollector


@pytest.fixture
def collector_settings() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)


def test_textual_is_imported_only_when_the_console_opens_and_after_its_settings() -> None:
    program = (
        "import sys, os; import hvtui.ui.run as run; assert 'textual' not in sys.modules\n"
        "import asyncio; asyncio.run = lambda coroutine: coroutine.close()\n"
        "class Feed: title=''; read_only=True; protected=False; clock=None; state=None\n"
        "try: run.run_console(Feed())\n"
        "except AttributeError: pass\n"
        "import textual.constants as c; print(c.MAX_FPS, c.TEXTUAL_ANIMATIONS)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    assert done.stdout.split() == ["240", "none"], done.stderr


@pytest.mark.usefixtures("collector_settings")
def test_garbage_is_collected_while_the_user_rests() -> None:
    collector = IdleCollector(1000.0)
    collector.begin()
    assert gc.get_threshold()[2] == 1_000_000
    assert not collector.second(1005.0, last_key=0.0)
    assert collector.second(1011.0, last_key=0.0)
    assert not collector.second(1030.0, last_key=0.0)
    assert not collector.second(1080.0, last_key=1079.0)
    assert collector.second(1085.0, last_key=1079.0)


@pytest.mark.usefixtures("collector_settings")
def test_garbage_is_collected_in_the_end_even_when_the_user_never_rests() -> None:
    collector = IdleCollector(0.0)
    moments = [second for second in range(0, 1300) if collector.second(float(second), last_key=float(second))]
    assert len(moments) == 2
