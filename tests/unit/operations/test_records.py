"""Records of changes in the nodes' logs: read by their lines, and nothing is believed that is no record."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from hvtui.model.event_catalog import describe
from hvtui.model.state import ClusterState
from hvtui.operations.records import records, stopped_services
from tests.support import builders as b

STOP = (
    "Invoke-CimMethod -Query \"SELECT * FROM Win32_Service WHERE Name = 'vmms'\" -MethodName StopService "
    "-OperationTimeoutSec 10"
)
START = STOP.replace("StopService", "StartService")


def text(function: str, command: str) -> str:
    return f"hvtui: {function}\r\noperation: 1234\r\nactor: bob@PC8 (CORP\\bob)\r\ncommand: {command}"


def state(*events: tuple[int, str], **more: Any) -> ClusterState:
    """HV03 tells these, a minute apart."""
    made = ClusterState()
    fields: dict[str, Any] = {"channel": "Application", "provider": "HvTui", "level": 4} | more
    told = [
        b.event(id, b.NOW + timedelta(minutes=number), number + 1, text=said, **fields)
        for number, (id, said) in enumerate(events)
    ]
    made.add_events("HV03", b.page(told, channel="Application"))
    return made


def test_a_stop_without_a_start_is_told_with_who_and_when() -> None:
    stopped = stopped_services(state((4105, text("Stop-HvTuiService", STOP))))
    assert list(stopped) == ["hv03/vmms"]
    assert stopped["hv03/vmms"].actor == "bob@PC8 (CORP\\bob)"
    assert stopped["hv03/vmms"].time == b.NOW


def test_a_start_after_it_ends_that_and_a_later_stop_begins_it_again() -> None:
    stop, start = (4105, text("Stop-HvTuiService", STOP)), (4106, text("Start-HvTuiService", START))
    assert stopped_services(state(stop, start)) == {}
    assert list(stopped_services(state(stop, start, stop))) == ["hv03/vmms"]


def test_other_changes_are_records_without_a_service() -> None:
    (record,) = records(state((4101, text("Move-HvTuiVM", "Move-ClusterVirtualMachineRole -VMId x"))))
    assert (record.function, record.service, record.operation) == ("Move-HvTuiVM", "", "1234")


@pytest.mark.parametrize("more", [{"provider": "Other"}, {}])
def test_what_is_no_record_is_not_believed(more: dict[str, Any]) -> None:
    said = text("Stop-HvTuiService", STOP) if more else "anything\nat all"
    assert records(state((4105, said), **more)) == []
    assert records(state((1000, text("Stop-HvTuiService", STOP)))) == []


def test_an_event_of_a_change_shows_who_and_what_in_its_one_line() -> None:
    held = b.event(4105, text=text("Stop-HvTuiService", STOP), channel="Application", provider="HvTui", level=4)
    assert describe(held) == f"bob@PC8 (CORP\\bob) by hvtui: {STOP}"
    other = b.event(4105, text=text("Stop-HvTuiService", STOP), channel="Application", provider="VSS", level=4)
    assert describe(other) == "hvtui: Stop-HvTuiService"
