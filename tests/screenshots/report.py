"""Pictures of the report's page in a browser: `python -m tests.screenshots.report` (needs Chromium on the PATH).

A night of a scenario is recorded offline with what the rules say of it; the page is made by the command line and
photographed light and dark.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from hvtui.cli.main import main as hvtui
from hvtui.findings.engine import Engine
from hvtui.findings.noted import FindingNotes
from tests.support.recorded import ToldFeed, recorder_of

FOLDER: Final = Path(__file__).parents[2] / "screenshots"
SCENARIO: Final = "stuck-writer"
MINUTES: Final = 90
STEP: Final = 5.0
SIZE: Final = "1180,1480"
BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome", "chrome")


def record(file: Path) -> None:
    """The night, with its findings."""
    feed = ToldFeed.load(SCENARIO)
    recorder = recorder_of(feed, file)
    engine, notes = Engine(), FindingNotes(recorder.note)
    feed.subscribe(engine.note)
    feed.pump(writers=True)
    for tick in range(1, round(MINUTES * 60 / STEP) + 1):
        often = tick % 6 == 0
        feed.pump(STEP, events=often, writers=tick % 24 == 0)
        if often:
            recorder.write()
            if engine.look(feed.state, feed.clock.monotonic()):
                notes.look(engine.standing)
    if why := recorder.close():
        raise SystemExit(why)


def main() -> int:
    """Take both pictures."""
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        sys.stderr.write(f"none of {', '.join(BROWSERS)} is on the PATH\n")
        return 1
    os.environ["TZ"] = "UTC"
    with tempfile.TemporaryDirectory() as folder:
        file, page = Path(folder) / "night.hvtrec", Path(folder) / "night.html"
        record(file)
        if hvtui(["report", str(file), "--compare", "0", "-o", str(page)]) != 0:
            return 1
        for name, scheme in (("report", "1"), ("report-dark", "0")):
            # Without a sandbox, as containers need it: the page is our own and runs nothing.
            subprocess.run(
                [
                    browser, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
                    f"--user-data-dir={folder}/profile", f"--blink-settings=preferredColorScheme={scheme}",
                    f"--window-size={SIZE}", f"--screenshot={FOLDER / f'{name}.png'}", page.as_uri(),
                ],
                check=True, capture_output=True, timeout=120,
            )  # fmt: skip
            sys.stdout.write(f"{name}.png\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
