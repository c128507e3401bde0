"""Recorded nights of a small cluster whose VMs have the worst names; the same backups, one night slower."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from hvtui.findings.engine import Engine
from hvtui.findings.noted import FindingNotes
from hvtui.journal.entry import Entry
from tests.support.recorded import ToldFeed, recorder_of
from tests.support.world import START

HOSTILE: Final = "</title></svg><script>alert(1)</script>|**x**`[y](http://z)"
LINK: Final = '"><img src=x onerror=alert(1)> ![a](b)\u202e'
SCENARIO: Final = """\
title = "A small night"
seed = 5

[cluster]
name = "CLU-<b>SMALL</b>"
id = "5b1f1f0e-9d0c-4a3e-8b0a-61c0f1d2a0f8"

[nodes]
count = 2
build = "10.0.20348.2762"

[[csvs]]
count = 2
size_gb = 4096
free_gb = 1000

[[vms]]
names = ["SQL01", "SQL02", "WEB01", {hostile}, {link}]
memory_gb = 4
backed_up = "24h"

[[behaviours]]
kind = "rct_backup"
vms = ["*"]
failing = ["SQL02"]
start = 1
parallel = 2
copy = "{copy}"
retry = "7m"
"""


def scenario(folder: Path, copy: str = "3m") -> Path:
    """The scenario's file."""
    file = folder / f"small-{copy}.toml"

    def quoted(text: str) -> str:
        return '"' + "".join(f"\\u{ord(c):04x}" if c in '"\\' or ord(c) > 126 else c for c in text) + '"'

    text = SCENARIO.replace("{hostile}", quoted(HOSTILE)).replace("{link}", quoted(LINK)).replace("{copy}", copy)
    file.write_text(text, encoding="utf-8")
    return file


def record(
    file: Path,
    source: Path,
    *,
    nights_ago: int = 0,
    minutes: float = 40,
    findings: bool = False,
    whole: bool = True,
    actions: Sequence[Entry] = (),
) -> None:
    """Record a night. `findings`: with what the rules say of it, as the console and `hvtui record` write it."""
    start: datetime = START - timedelta(days=nights_ago)
    feed = ToldFeed.load(source, start=start)
    recorder = recorder_of(feed, file)
    engine = Engine()
    notes = FindingNotes(recorder.note)
    feed.subscribe(engine.note)
    feed.pump(writers=True)
    for tick in range(1, round(minutes * 6) + 1):
        often = tick % 3 == 0
        feed.pump(10, events=often, writers=tick % 60 == 0)
        if often:
            recorder.write()
            if findings and engine.look(feed.state, feed.clock.monotonic()):
                notes.look(engine.standing)
    for entry in actions:
        recorder.note("action", entry)
    if whole:
        assert not recorder.close()
    feed.store.tap = None
