"""What volumes, writers and services of a guest mean; nothing unread is ever fine, and the worst come first."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hvtui.model.guest_rows import (
    GB,
    MB,
    NOT_READABLE,
    command_inside,
    guest_row,
    not_readable,
    size_text,
    volume_row,
    worst_first,
)
from hvtui.model.guests import GuestLine, GuestService, GuestVolume
from hvtui.model.records import Problem
from hvtui.model.severity import Severity
from tests.support.builders import writer_lines

NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
WELL = [GuestService(name="vmicvss", state="Running", start_mode="Manual")]
BYTES = st.integers(0, 70_000 * GB)


def volume(free: int | None, size: int | None = 100 * GB, path: str = "C:", system: str | None = "NTFS") -> GuestVolume:
    return GuestVolume(path=path, size=size, free=free, file_system=system)


def line(**more: Any) -> GuestLine:
    writers = writer_lines()
    fields: dict[str, Any] = {
        "v": 1, "time": NOW, "node": "HV01", "kind": "guest", "vm": "a", "outcome": "read", "system": "Windows",
        "volumes": [volume(50 * GB)], "services": WELL, "writers": writers, "storage": [],
    }  # fmt: skip
    return GuestLine(**(fields | more))


@pytest.mark.parametrize(
    ("free", "size", "severity", "least", "to_free"),
    [
        (0, 60 * GB, Severity.BAD, GB, 9 * GB),
        (GB - 1, 60 * GB, Severity.BAD, 1, 8 * GB + 1),
        (GB, 60 * GB, Severity.WARN, 0, 8 * GB),
        (9 * GB - 1, 60 * GB, Severity.WARN, 0, 1),
        (9 * GB, 60 * GB, Severity.OK, 0, 0),
        # 15 % of 10 GB are less than 2 GB.
        (2 * GB - 1, 10 * GB, Severity.WARN, 0, 1),
        (2 * GB, 10 * GB, Severity.OK, 0, 0),
        # Small ones cannot have 1 GB free: System Reserved, recovery.
        (512 * MB, 549 * MB, Severity.OK, 0, 0),
        (319 * MB, 549 * MB, Severity.BAD, MB, MB),
        (50 * MB, 450 * MB, Severity.OK, 0, 0),
        (49 * MB, 450 * MB, Severity.BAD, MB, MB),
        (None, 60 * GB, Severity.UNKNOWN, 0, 0),
        (5 * GB, None, Severity.UNKNOWN, 0, 0),
    ],
)
def test_a_volume(free: int | None, size: int | None, severity: Severity, least: int, to_free: int) -> None:
    row = volume_row(volume(free, size))
    assert (row.severity, row.least, row.to_free) == (severity, least, to_free)


def test_what_vss_makes_no_shadow_copies_of_is_no_trouble() -> None:
    assert volume_row(volume(0, 100 * MB, system="FAT32")).severity is Severity.INFO
    assert volume_row(volume(0, 60 * GB, system="ReFS")).severity is Severity.BAD
    assert volume_row(volume(0, 60 * GB, system=None)).severity is Severity.BAD, "unread is not another file system"


@given(BYTES, BYTES)
def test_what_is_freed_as_told_is_enough_and_nothing_less_is(size: int, free: int) -> None:
    free = min(free, size)
    row = volume_row(volume(free, size))
    if row.least:
        assert row.severity is Severity.BAD
        assert volume_row(volume(free + row.least, size)).severity is not Severity.BAD
        assert volume_row(volume(free + row.least - 1, size)).severity is Severity.BAD
    if row.to_free and free + row.to_free <= size:
        assert volume_row(volume(free + row.to_free, size)).severity is Severity.OK
        assert volume_row(volume(free + row.to_free - 1, size)).severity is not Severity.OK
    assert row.to_free >= row.least


@given(st.integers(0, 2**63))
def test_free_space_is_never_flattered(size: int) -> None:
    text = size_text(size)
    shown = float(text.split()[0]) * (MB if text.endswith("MB") else GB)
    assert shown <= size


def test_a_guest_that_is_well() -> None:
    row = guest_row(line(), "APP01")
    assert (row.word, row.severity, row.reason, row.command, row.read) == ("ok", Severity.OK, "", "", True)


@pytest.mark.parametrize(
    ("more", "word", "severity", "told"),
    [
        ({"volumes": [volume(50 * GB), volume(0, path="T:")]}, "full", Severity.BAD, "T: 0 MB free"),
        ({"volumes": [volume(3 * GB)]}, "low", Severity.WARN, "C: 3.0 GB free (3 %)"),
        ({"volumes": None}, "partly read", Severity.UNKNOWN, "volumes were not read"),
        ({"volumes": []}, "partly read", Severity.UNKNOWN, "no volume at all"),
        ({"writers": None}, "partly read", Severity.UNKNOWN, "writers were not read"),
        ({"services": None}, "partly read", Severity.UNKNOWN, "services were not read"),
        ({"services": [GuestService(name="vmicvss", state="Stopped")]}, "VSS", Severity.WARN, "vmicvss is Stopped"),
        ({"services": [GuestService(name="VSS", state="Stopped", start_mode="Disabled")]}, "VSS", Severity.WARN,
         "VSS is disabled"),
        ({"errors": [Problem(part="storage", kind="denied", text="no")]}, "partly read", Severity.UNKNOWN, "storage"),
    ],
)  # fmt: skip
def test_what_is_not_well(more: dict[str, Any], word: str, severity: Severity, told: str) -> None:
    row = guest_row(line(**more), "APP01")
    assert (row.word, row.severity) == (word, severity)
    assert told in row.reason


@pytest.mark.parametrize("outcome", ["denied", "unreachable", "refused", "skipped"])
@pytest.mark.parametrize("kind", ["windows", "linux", ""])
def test_a_guest_that_was_not_read_is_never_fine(outcome: str, kind: str) -> None:
    row = guest_row(line(outcome=outcome, text="why", volumes=None, writers=None, services=None), "X", kind=kind)
    assert (row.word, row.read, row.reason) == (NOT_READABLE, False, "why")
    assert row.severity >= Severity.UNKNOWN
    assert row.command


def test_what_to_run_inside_fits_the_guest() -> None:
    assert "df -h" in command_inside("linux")
    assert "Get-CimInstance" not in command_inside("windows", old=True)
    assert "Get-CimInstance" in command_inside("windows")
    assert "df -h" in command_inside("")


@given(st.lists(st.sampled_from(["full", "low", "ok", "unread"]), max_size=12))
def test_the_worst_come_first_and_nobody_is_lost(kinds: list[str]) -> None:
    free = {"full": 0, "low": 3 * GB, "ok": 50 * GB}
    rows = [
        guest_row(line(vm=str(n), volumes=[volume(free[kind])]), kind)
        if kind != "unread"
        else not_readable(str(n), kind, "HV01", "off")
        for n, kind in enumerate(kinds)
    ]
    order = [row.name for row in worst_first(rows)]
    assert order == sorted(kinds, key=["full", "unread", "low", "ok"].index)
