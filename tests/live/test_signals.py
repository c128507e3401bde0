"""Shadow copies are listed by themselves, hotfixes once, filters and chains when asked for."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any, Final, cast

import pytest

from hvtui.clock import ManualClock
from hvtui.errors import NodeRefused, Unreachable
from hvtui.live.shared import Shared
from hvtui.live.signals import NodeSignals, backup_runs
from hvtui.live.store import Store
from hvtui.live.timing import Timing
from hvtui.model.enums import BackupState, OperationalStatus
from hvtui.model.preflight import ShadowCopy
from hvtui.model.records import Problem
from hvtui.model.signals import Chain, FilterText, Hotfixes, ShadowPicture, Shadows
from hvtui.remote.contract import Function
from hvtui.remote.lane import Lane
from tests.support import builders
from tests.support.builders import NOW

VM: Final = builders.guid("SQL07")
SHADOWS, FILTER, HOTFIX, CHAIN = (f"Get-HvTui{name}" for name in ("Shadow", "Filter", "Hotfix", "Chain"))


class FakeLane:
    """Answers for a node; `fails` are functions that end in an error."""

    def __init__(self, clock: ManualClock) -> None:
        self.asked: list[str] = []
        self.parameters: list[dict[str, Any]] = []
        self.fails: dict[str, Exception] = {}
        self._clock = clock

    async def call(self, function: Function, parameters: dict[str, Any]) -> Any:
        self.asked.append(function.name)
        self.parameters.append(parameters)
        if function.name in self.fails:
            raise self.fails[function.name]
        time = self._clock.now()
        return {
            SHADOWS: Shadows(v=1, time=time, shadows=[ShadowCopy(id=str(len(self.asked)))]),
            FILTER: FilterText(v=1, time=time, filters="WdFilter  5  328010  0\n", instances=""),
            HOTFIX: Hotfixes(v=1, time=time, hotfixes=[]),
            CHAIN: Chain(v=1, time=time, node="HV01", vm=VM, disks=[]),
        }[function.name]

    def taken(self) -> list[str]:
        found, self.asked = self.asked, []
        return found


class Watched:
    """The signals of HV01 on a store of a small cluster, with looks one by one."""

    def __init__(self) -> None:
        self.clock = ManualClock(NOW)
        self.store = Store(self.clock)
        self.store.state = builders.small_state()
        self.lane = FakeLane(self.clock)
        shared = SimpleNamespace(store=self.store, clock=self.clock, timing=Timing())
        self.signals = NodeSignals(cast("Shared", shared))

    async def look(self, seconds: float = 0.0) -> list[str]:
        self.clock.advance(seconds)
        await self.signals.read("HV01", cast("Lane", self.lane))
        return self.lane.taken()

    @property
    def view(self) -> Any:
        return self.store.state.node("HV01")


@pytest.fixture
async def watched() -> Watched:
    return Watched()


def in_backup(watched: Watched) -> None:
    """A VM of the node is being backed up."""
    vms = watched.view.vms
    key = next(iter(vms))
    vms[key] = builders.vm(
        vms[key].name, vms[key].slot, op=[OperationalStatus.InService, OperationalStatus.BackingUpVirtualMachine]
    )


async def test_the_first_look_lists_shadow_copies_and_the_second_hotfixes_once(watched: Watched) -> None:
    assert await watched.look() == [SHADOWS]
    assert await watched.look(30) == [HOTFIX]
    for _ in range(5):
        assert await watched.look(30) == []
    assert watched.view.hotfixes.hotfixes == ()
    assert watched.view.shadows == ShadowPicture(time=NOW, shadows=(ShadowCopy(id="1"),))


async def test_shadow_copies_come_every_ten_minutes_and_once_a_minute_while_a_backup_runs(watched: Watched) -> None:
    for _ in range(2):
        await watched.look()
    assert [bool(await watched.look(30)) for _ in range(40)].count(True) == 2
    in_backup(watched)
    assert backup_runs(watched.store.state, "HV01")
    assert not backup_runs(watched.store.state, "HV02")
    assert [bool(await watched.look(30)) for _ in range(20)].count(True) == 10


async def test_what_is_asked_for_is_read_once_and_named_in_the_state(watched: Watched) -> None:
    for _ in range(2):
        await watched.look()
    watched.signals.want("filters", VM, "filters")
    assert await watched.look() == [FILTER, CHAIN]
    assert watched.lane.parameters[-1] == {"VMId": VM}
    assert await watched.look() == []
    assert [one.name for one in watched.view.filters.filters] == ["WdFilter"]
    assert watched.store.state.chains[VM].chain is not None


async def test_a_question_that_is_refused_says_why_and_holds_up_no_other(watched: Watched) -> None:
    for _ in range(2):
        await watched.look()
    watched.lane.fails[SHADOWS] = NodeRefused("access is denied", node="HV01")
    watched.signals.want("shadows", "filters")
    assert await watched.look(7) == [SHADOWS, FILTER]
    # What was read before stays, with its time.
    assert watched.view.shadows == ShadowPicture(time=NOW, shadows=(ShadowCopy(id="1"),), failure="access is denied")
    watched.lane.fails[CHAIN] = NodeRefused("no", node="HV01")
    watched.signals.want(VM)
    assert await watched.look() == [CHAIN]
    assert watched.store.state.chains[VM].failure == "no"
    assert await watched.look() == []


async def test_what_a_lost_lane_did_not_tell_is_asked_again(watched: Watched) -> None:
    watched.lane.fails[SHADOWS] = Unreachable("gone", node="HV01")
    with pytest.raises(Unreachable):
        await watched.look()
    assert watched.lane.taken() == [SHADOWS]
    assert watched.view.shadows is None
    watched.lane.fails.clear()
    assert await watched.look() == [SHADOWS, HOTFIX]


async def test_a_backup_is_seen_at_the_csv_and_at_an_event_since_the_last_look(watched: Watched) -> None:
    state = watched.store.state
    assert not backup_runs(state, "HV01")
    assert not backup_runs(state, "nobody")
    csvs = state.cluster.csvs
    assert csvs is not None
    key = next(key for key, csv in csvs.items() if csv.owner == "HV01")
    kept = csvs[key]
    csvs[key] = builders.csv("Volume1", "hv01", backup=BackupState.InProgress)
    assert backup_runs(state, "HV01")
    csvs[key] = kept
    await watched.look()
    before = builders.backup_failed("SQL07", NOW - timedelta(minutes=1), 1)
    state.add_events("HV01", builders.page([before]))
    assert not backup_runs(state, "HV01")
    state.add_events("HV01", builders.page([builders.backup_failed("SQL07", NOW + timedelta(minutes=1), 2)]))
    assert backup_runs(state, "HV01")


async def test_an_answer_without_a_list_is_no_empty_list(watched: Watched) -> None:
    denied = Problem(part="shadows", kind="denied", text="no")
    watched.store.signal("HV02", Shadows(v=1, time=NOW, errors=[denied]))
    picture = watched.store.state.node("HV02").shadows
    assert picture == ShadowPicture(failure="no")
