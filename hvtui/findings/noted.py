"""What becomes of findings, one note for each change, for a recording."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from hvtui.findings.finding import Finding
from hvtui.findings.standing import Standing

KIND = "finding"


class Noted(msgspec.Struct, frozen=True, kw_only=True):
    """`state` is `new`, `changed`, `acknowledged`, `alarms again` or `gone`; `note` is what was said with it."""

    state: str
    finding: Finding
    note: str = ""
    quiet: bool = False


class FindingNotes:
    """Compares what stands with what stood."""

    def __init__(self, write: Callable[[str, Any], None]) -> None:
        """`write` takes the kind of a note and its content."""
        self._write = write
        self._stood: dict[str, Standing] = {}

    def look(self, standing: Sequence[Standing]) -> None:
        """Note what is different."""
        now = {one.finding.key: one for one in standing}
        for key, old in self._stood.items():
            if key not in now:
                self._write(KIND, Noted(state="gone", finding=old.finding))
        for key, one in now.items():
            state = _difference(self._stood.get(key), one)
            if state:
                self._write(KIND, Noted(state=state, finding=one.finding, note=_said(one), quiet=one.quiet))
        self._stood = now


def _difference(old: Standing | None, new: Standing) -> str:
    if old is None:
        return "new"
    if (old.acknowledged is None) != (new.acknowledged is None):
        return "acknowledged" if new.acknowledged is not None else "alarms again"
    return "changed" if _told(old.finding) != _told(new.finding) else ""


def _told(finding: Finding) -> tuple[Any, ...]:
    """What counts as another finding: not the minutes in its sentence."""
    return finding.severity, finding.sure, finding.vms, len(finding.evidence)


def _said(one: Standing) -> str:
    return one.acknowledged.note if one.acknowledged is not None else ""
