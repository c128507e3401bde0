"""Under no culture of its session does the module say anything else: whole answers of every function it exports.

The native engine knows no culture, so what it says is the measure. `tests/powershell/test_answers.py` does the same for
the module's own cases, with strange digits and right-to-left names of months and days as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import pytest

from hvtui.lab.pwsh.configuration import CULTURES, culture_script
from tests.engine.support.module import ModuleSession, Result
from tests.engine.support.stage import Stage
from tests.engine.support.twin import call_differences, cluster_twin, node_twin
from tests.support.fuller import FULLER

NODE: Final = "HV01"
KILLED: Final = 5460.0
"""In stuck-writer: backups failed, events of them are in the logs, and a job was killed."""

TRIED: Final = {
    **CULTURES,
    # Windows offers this calendar beside the culture's first one.
    "ar-SA, Hijri": ("HijriCalendar", "\u066b", "\u066c", "\u061c-"),
    # JapaneseCalendar itself needs data of cultures that an engine may lack; this one has the same eras.
    "ja-JP, eras": ("JapaneseLunisolarCalendar", ".", ",", "-"),
}
SHOWN: Final = {
    "de-DE": ["2026", "1,5", "-1"],
    "th-TH": ["2569", "1.5", "-1"],
    "fa-IR": ["1404", "1/5", "\u200e-1"],
    "ar-SA": ["1447", "1\u066b5", "\u061c-1"],
    "he-IL": ['תשפ"ו', "1.5", "\u200e-1"],
    "ar-SA, Hijri": ["1447", "1\u066b5", "\u061c-1"],
    "ja-JP, eras": ["0007", "1.5", "-1"],
}
"""What the engine itself makes of a year, a fraction and a negative number: the culture really holds."""


@contextmanager
def culture(engine: ModuleSession, name: str) -> Iterator[None]:
    """The engine's session under a culture, and as it was afterwards."""
    assert engine.run(culture_script(TRIED[name])) == Result([], [])
    try:
        look = "([datetime]::new(2026, 1, 2)).ToString('yyyy'); (1.5).ToString(); (-1).ToString()"
        assert engine.run(f"$null = Get-Module; {look}") == Result(SHOWN[name], [])
        yield
    finally:
        engine.run(
            "$ExecutionContext.SessionState.InvokeCommand.PreCommandLookupAction = $null; "
            "[cultureinfo]::DefaultThreadCurrentCulture = $null; "
            "[cultureinfo]::CurrentCulture = [cultureinfo]::InvariantCulture"
        )


@pytest.mark.parametrize("name", TRIED if FULLER else ("de-DE", "ar-SA, Hijri", "he-IL"))
def test_every_answer_is_the_same_under_any_culture(stage: Stage, name: str) -> None:
    stage.load("stuck-writer", at=KILLED)
    with culture(stage.engine(NODE), name):
        assert call_differences(stage, NODE) == []
        for twins in (cluster_twin, node_twin):
            with twins(stage, NODE) as twin:
                assert twin.differences() == []
                twin.go_on(60.0)
                assert twin.differences() == []
