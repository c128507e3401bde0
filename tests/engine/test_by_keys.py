"""Two field reports by keys on a terminal, with real PowerShell sessions behind every node.

The fuller run only (see conftest.py): six nodes with up to five engines each.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from hvtui.lab.serve import Lab
from tests.e2e.test_access import BACKED_UP, play_access_denied
from tests.e2e.test_acting import assert_well, console
from tests.e2e.test_stuck_writer import JOB_KILLED, assert_kept_secret, play_the_field_report
from tests.engine.engine_lab import engines
from tests.support.processes import wait_gone


@pytest.mark.timeout(1800)
def test_the_third_field_report_is_played_by_keys_on_the_engine(tmp_path: Path) -> None:
    with Lab("stuck-writer", at=JOB_KILLED, speed=1.0, engine="pwsh") as lab:
        with console(lab, tmp_path) as terminal:
            play_the_field_report(lab, terminal, patience=6.0)
            assert_well(lab, tmp_path, but=("logon_failed",))
            assert_kept_secret(terminal, tmp_path / "state")
        running = engines(lab)
    wait_gone(running)


@pytest.mark.timeout(1200)
def test_8194_is_cleared_up_by_keys_on_the_engine(tmp_path: Path) -> None:
    with Lab("access-denied", at=BACKED_UP, speed=1.0, engine="pwsh") as lab:
        with console(lab, tmp_path) as terminal:
            play_access_denied(lab, terminal, patience=6.0)
            assert_well(lab, tmp_path)
        running = engines(lab)
    wait_gone(running)
