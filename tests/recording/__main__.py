"""`python -m tests.recording [--hours 8] [--scenario limit] [--per-minute 800]`: what a recording costs and gives.

Plays the scenario offline, as fast as it goes, into a file; then seeks in it and holds it against the state at its end.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path

from hvtui.recording import keyframe
from hvtui.recording.reader import Recording
from tests.recording.night import Night

SEEKS = 60


def main() -> int:
    """Print the figures; 1 when the recording does not end with the state that was recorded."""
    parser = argparse.ArgumentParser(prog="python -m tests.recording", description=__doc__)
    parser.add_argument("--hours", type=float, default=8.0)
    parser.add_argument("--scenario", default="limit")
    parser.add_argument("--per-minute", type=int, default=800, help="changes there are at least")
    parser.add_argument("--keep", type=Path, help="write the recording here and leave it")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hvtui-recording-") as folder:
        file = options.keep or Path(folder) / "night.hvtrec"
        return _measure(file, options.scenario, options.hours * 3600, options.per_minute)


def _measure(file: Path, scenario: str, seconds: float, per_minute: int) -> int:
    night = Night(scenario, file, per_minute=per_minute)
    began = time.perf_counter()
    for passed in night.play(seconds):
        if round(passed / 60) % 30 == 0 and sys.stderr.isatty():
            sys.stderr.write(f"\r{passed / 3600:.1f} h in {time.perf_counter() - began:.0f} s")
    played = time.perf_counter() - began
    counts = night.counts
    closing = time.process_time()
    why = night.recorder.close()
    counts.writing += time.process_time() - closing
    size = file.stat().st_size
    say = _Table()
    say("played", f"{seconds / 3600:.1f} h of `{scenario}` in {played:.0f} s")
    say(
        "told",
        f"{counts.messages:,} messages, {counts.changes:,} changes ({counts.changes / seconds * 60:.0f} a minute)",
    )
    say("beside them", f"{counts.load:,} load figures of VMs, {counts.events:,} events among the changes")
    say("size", f"{size / 1e6:.2f} MB")
    say("MB per million changes", f"{size / counts.changes:.1f}")
    say("the same with load figures as changes", f"{size / (counts.changes + counts.load):.2f}")
    say("recorder's thread", f"{counts.writing:.1f} s of processor: {counts.writing / seconds:.2%} of a core")
    say("event loop", f"{counts.tap:.1f} s: {counts.tap / seconds:.2%} of a core")
    with Recording.open(file) as recording:
        say("segments", f"{len(recording.segments)}; {_parts(recording)}")
        for word, times in zip(("seek", "the same, processor"), _seeks(recording), strict=True):
            say(word, f"median {statistics.median(times):.2f} s, worst of {len(times)} {max(times):.2f} s")
        cursor = recording.cursor()
        cursor.seek_ms(recording.end)
        same = keyframe.encode(keyframe.take(cursor.state)) == keyframe.encode(keyframe.take(night.feed.state))
        say("state at its end", "the same" if same else "NOT the same")
    say("recorder", why or "ended well")
    return 0 if same and not why else 1


def _parts(recording: Recording) -> str:
    query = "SELECT sum(length(keyframe)), sum(length(body)) FROM segments"
    keys, bodies = recording._database.execute(query).fetchone()
    return f"keyframes {keys / 1e6:.2f} MB, bodies {bodies / 1e6:.2f} MB"


def _seeks(recording: Recording) -> tuple[list[float], list[float]]:
    dice = random.Random(1)
    cursor = recording.cursor()
    found: list[float] = []
    spent: list[float] = []
    for _ in range(SEEKS):
        began, used = time.perf_counter(), time.process_time()
        cursor.seek_ms(dice.randint(recording.began, recording.end))
        found.append(time.perf_counter() - began)
        spent.append(time.process_time() - used)
    return found, spent


class _Table:
    def __call__(self, name: str, text: str) -> None:
        print(f"{name:<40} {text}", flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
