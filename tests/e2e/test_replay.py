"""A night recorded by the console of one terminal, and seen again in another one."""

from __future__ import annotations

from pathlib import Path

from hvtui.lab.serve import Lab
from tests.support.terminal import Terminal


def test_recorded_by_a_key_and_replayed(tmp_path: Path) -> None:
    config = tmp_path / "lab.toml"
    state = {"TZ": "UTC", "XDG_STATE_HOME": str(tmp_path / "state")}
    with Lab("healthy") as lab:
        config.write_text(lab.config_text(), encoding="utf-8")
        with Terminal(["-m", "hvtui", "--config", str(config)], lines=40, env=state) as terminal:
            terminal.wait_for(r"HV03 +Up .*12✓")
            terminal.send("R")
            terminal.wait_for(r"● REC +[1-9]\d* KB")
            terminal.send("R")
            terminal.wait_for(r"hvtui replay")
            terminal.send("q")
            assert terminal.wait_exit() == 0
    (file,) = (tmp_path / "state" / "hvtui" / "recordings").glob("*.hvtrec")
    # The lab is gone: everything that is shown now comes from the file.
    with Terminal(["-m", "hvtui", "replay", "--config", str(config), str(file)], lines=40, env=state) as terminal:
        terminal.wait_for(r"REPLAY .*of CLU-")
        terminal.wait_for(r"HV03 +Up .*12✓")
        terminal.wait_for("READ-ONLY")
        terminal.send("M")
        terminal.wait_for("read-only: a recording")
        terminal.send("q")
        assert terminal.wait_exit() == 0
