"""Watch-HvTuiNode on a real engine: what it writes decodes into the records of the contract."""

from __future__ import annotations

import copy
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from hvtui.model.link import Link
from hvtui.model.records import CheckpointCount, NodeFrame, Problem
from hvtui.model.state import ClusterState
from tests.powershell import worlds
from tests.powershell.engine import Runner, needs_engine
from tests.powershell.worlds import SQL, WEB

pytestmark = needs_engine


def frames(runner: Runner, *steps: dict[str, Any], count: int | None = None, **parameters: Any) -> list[NodeFrame]:
    answer = runner.run("Watch-HvTuiNode", {"steps": list(steps)}, Count=count or len(steps), **parameters)
    return [msgspec.json.decode(line, type=NodeFrame, strict=True) for line in answer]


HOST = {"Name": "HV01", "ElementName": "HV01", "EnabledState": 2}
"""The instance that stands for the host itself is in every answer."""


def with_cim(**classes: Any) -> dict[str, Any]:
    if isinstance(machines := classes.get("Msvm_ComputerSystem"), list):
        classes["Msvm_ComputerSystem"] = [HOST, *machines]
    return {"cim": classes}


def test_one_full_picture_has_everything(runner: Runner) -> None:
    (frame,) = frames(runner, worlds.node())
    assert (frame.v, frame.kind, frame.seq, frame.errors, frame.gone) == (1, "full", 1, [], {})
    assert frame.time == datetime(2026, 3, 1, tzinfo=UTC)

    assert frame.host is not None
    assert frame.host.name == "HV01"
    assert frame.host.build == "10.0.17763"
    assert frame.host.boot == datetime(2026, 1, 10, 5, 0, 0, 500_000, tzinfo=UTC)
    assert (frame.host.vmms, frame.host.cluster_service) == ("Running", "Stop Pending")
    assert frame.host.vmms_started == datetime(2026, 2, 28, 22, tzinfo=UTC)
    assert (frame.host.processors, frame.host.memory) == (48, 256 * 2**30)
    assert (frame.host.migration_enabled, frame.host.max_migrations) == (True, 2)
    assert (frame.host.max_storage_migrations, frame.host.migration_auth) == (2, 1)

    assert frame.vms is not None
    sql, web = frame.vms
    assert (sql.id, sql.name, sql.slot, sql.state, sql.health, sql.op) == (SQL, "SQL07", 0, 2, 5, [2])
    assert sql.started == datetime(2026, 2, 28, 23, tzinfo=UTC)
    assert (sql.version, sql.checkpoint_type, sql.checkpoints) == ("9.0", 3, [])
    assert (sql.heartbeat, sql.vss, sql.vss_enabled, sql.replication) == (2, 2, True, 0)
    assert sql.last_backup == datetime(2026, 2, 27, 23, 10, tzinfo=UTC)
    assert (web.state, web.started, web.heartbeat, web.vss, web.vss_enabled) == (3, None, None, None, False)
    assert web.last_backup is None
    assert web.checkpoint_type == 4
    assert web.checkpoints == [
        CheckpointCount(type=0, saved=True, count=1, oldest=datetime(2026, 1, 1, 12, tzinfo=UTC)),
        CheckpointCount(type=1, saved=False, count=2, oldest=datetime(2025, 12, 31, 12, tzinfo=UTC)),
    ]

    assert frame.files is not None
    files = {f.id: f for f in frame.files}
    assert files[SQL].configuration == "C:\\ClusterStorage\\Volume1\\SQL"
    assert files[SQL].disks == ["C:\\ClusterStorage\\Volume1\\SQL\\os.vhdx", "Disk 3 40.00 GB Bus 0 Lun 1 Target 2"]
    assert files[WEB].configuration == "D:\\local"
    assert files[WEB].disks == ["C:\\ClusterStorage\\Volume10\\web.vhdx", "C:\\ClusterStorage\\Volume10\\web_1.avhdx"]

    assert frame.jobs == []
    assert frame.load is not None
    assert frame.load.host == (31, 128 * 1024)
    assert sorted(zip(frame.load.vms[::3], frame.load.vms[1::3], frame.load.vms[2::3], strict=True)) == [
        (0, 12, 4096),
        (1, 0, 0),
    ]


def test_each_question_is_asked_once_for_all_vms(runner: Runner) -> None:
    one = worlds.node()
    answer = runner.run("Watch-HvTuiNode", {"steps": [one]}, Count=1)
    assert sorted(answer.asked) == sorted(set(answer.asked))
    many = copy.deepcopy(one)
    row = worlds.machine("0000{0}-0000-4000-8000-000000000000", "vm{0}")
    many["cim"]["Msvm_ComputerSystem"] = {"$rows": 200, "row": row}
    assert runner.run("Watch-HvTuiNode", {"steps": [many]}, Count=1).asked == answer.asked


def test_nothing_changed_is_a_beat_although_uptime_runs_with_jitter(runner: Runner) -> None:
    steps = [worlds.node()]
    for tick, jitter in enumerate((900, -900, 1400, 0), 1):
        up = 3_600_000 + tick * 2000 + jitter
        steps.append(with_cim(Msvm_ComputerSystem=[worlds.machine(SQL, "SQL07", OnTimeInMilliseconds=up)]))
    # The other VM is in all of them, unchanged.
    for step in steps[1:]:
        step["cim"]["Msvm_ComputerSystem"].append(steps[0]["cim"]["Msvm_ComputerSystem"][2])
    got = frames(runner, *steps)
    assert [f.kind for f in got] == ["full", "beat", "beat", "beat", "beat"]
    assert [f.seq for f in got] == [1, 2, 3, 4, 5]
    assert got[4].time - got[0].time == timedelta(seconds=8)


def test_a_restart_moves_the_start(runner: Runner) -> None:
    second = worlds.machine(SQL, "SQL07", OnTimeInMilliseconds=1000)
    first, other = frames(runner, worlds.node(), with_cim(Msvm_ComputerSystem=[second]))
    assert first.kind == "full"
    assert other.vms is not None
    assert other.vms[0].started == datetime(2026, 3, 1, 0, 0, 1, tzinfo=UTC)
    assert other.gone == {"vms": [WEB]}


def test_only_what_changed_is_sent_and_what_went_is_named(runner: Runner) -> None:
    new = "1111aaaa-0000-4000-8000-000000000003"
    changed = worlds.machine(SQL, "SQL07", OperationalStatus=[11, 32776])
    got = frames(
        runner,
        worlds.node(),
        with_cim(
            Msvm_ComputerSystem=[changed, worlds.machine(new, "new")],
            Msvm_VirtualSystemSettingData=[worlds.setting(SQL), worlds.setting(new, UserSnapshotType=5)],
            Msvm_StorageAllocationSettingData=[worlds.disk(new, "C:\\ClusterStorage\\Volume2\\new.vhdx")],
        ),
    )
    delta = got[1]
    assert delta.kind == "delta"
    assert delta.vms is not None
    assert [(v.id, v.slot) for v in delta.vms] == [(SQL, 0), (new, 2)]
    assert delta.vms[0].op == [11, 32776]
    # Settings and disks of a new VM come with it, however slow their cadence.
    assert delta.vms[1].checkpoint_type == 5
    assert delta.files is not None
    assert {f.id: f.disks for f in delta.files}[new] == ["C:\\ClusterStorage\\Volume2\\new.vhdx"]
    assert delta.gone == {"vms": [WEB], "files": [WEB]}
    assert delta.errors is None


def test_frames_apply_to_the_state(runner: Runner) -> None:
    state = ClusterState()
    steps = [worlds.node(), with_cim(Msvm_ComputerSystem=[]), worlds.node()]
    for frame in frames(runner, *steps):
        state.apply_node("HV01", frame, Link())
    assert set(state.homes) == {SQL, WEB}


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (0x80041003, "denied"),
        (0x80070005, "denied"),
        (0x80041069, "timeout"),
        (0x800706BA, "unavailable"),
        (0x80041010, "missing"),
        (0x80041001, "other"),
    ],
)
def test_a_section_that_cannot_be_read_is_absent_and_the_others_go_on(runner: Runner, code: int, kind: str) -> None:
    step = {**worlds.node(), "fail": worlds.fail("Msvm_MigrationJob", "no\nway", code)}
    (frame,) = frames(runner, step)
    assert frame.jobs is None
    assert frame.vms is not None
    assert frame.host is not None
    problem = next(p for p in frame.errors or [] if p.part == "jobs")
    assert problem == Problem(part="jobs", kind=kind, text="no\nway", code=f"0x{code:08x}")


def test_the_number_of_a_cim_error_is_in_its_id(runner: Runner) -> None:
    error_id = "HRESULT 0x80041003,Microsoft.Management.Infrastructure.CimCmdlets.GetCimInstanceCommand"
    step = {**worlds.node(), "fail": worlds.fail("Msvm_MigrationJob", "Access denied ", error_id=error_id)}
    (frame,) = frames(runner, step)
    assert frame.errors == [Problem(part="jobs", kind="denied", text="Access denied", code="0x80041003")]


def test_without_any_right_all_sections_are_absent_never_empty(runner: Runner) -> None:
    step: dict[str, Any] = {"fail": {}}
    jobs = ("Msvm_ConcreteJob", "Msvm_StorageJob", "Msvm_MigrationJob")
    for name in (*worlds.node()["cim"], *jobs):
        step["fail"].update(worlds.fail(name, "Access denied", 0x80041003))
    first, second = frames(runner, step, step)
    assert (first.host, first.vms, first.files, first.jobs, first.load) == (None,) * 5
    assert {p.kind for p in first.errors or []} == {"denied"}
    assert second.kind == "beat"


def test_a_field_that_cannot_be_read_is_null_and_named(runner: Runner) -> None:
    step = {**worlds.node(), "fail": worlds.fail("Msvm_VirtualSystemSettingData", "denied", 0x80041003)}
    (frame,) = frames(runner, step)
    assert frame.vms is not None
    assert (frame.vms[0].checkpoint_type, frame.vms[0].checkpoints, frame.vms[0].version) == (None, None, None)
    assert frame.files is None
    assert [p.part for p in frame.errors or []] == ["vms.checkpoints"]


def test_a_section_that_becomes_readable_is_told_in_a_full_picture(runner: Runner) -> None:
    broken = {**worlds.node(), "fail": worlds.fail("Msvm_ComputerSystem", "denied", 0x80041003)}
    got = frames(runner, broken, {"cim": {}}, {"cim": {}})
    assert [f.kind for f in got] == ["full", "full", "beat"]
    assert got[0].vms is None
    assert got[1].vms is not None
    assert len(got[1].vms) == 2
    assert got[1].host is not None
    assert got[1].load is not None
    assert len(got[1].load.vms) == 6
    assert got[1].errors == []
    assert [f.seq for f in got] == [1, 2, 3]


def test_a_failing_round_keeps_the_stream_and_its_section(runner: Runner) -> None:
    broken = {"fail": worlds.fail("Msvm_ComputerSystem", "gone", 0x800706BA)}
    got = frames(runner, worlds.node(), broken, {"cim": {}})
    assert [f.kind for f in got] == ["full", "delta", "delta"]
    assert (got[1].vms, got[1].gone) == (None, {})
    assert [p.kind for p in got[1].errors or []] == ["unavailable"]
    assert got[2].errors == []
    assert got[2].vms is None


def test_a_hanging_vmms_is_asked_once_then_left_alone_for_a_while(runner: Runner) -> None:
    hang = {"fail": worlds.fail("Msvm_ComputerSystem", "The operation has timed out.", 0x80041069, seconds=10)}
    answer = runner.run("Watch-HvTuiNode", {"steps": [worlds.node(), hang]}, Count=4)
    got = [msgspec.json.decode(line, type=NodeFrame) for line in answer]
    errors = {p.part: p for p in got[1].errors or []}
    assert errors["vms"].kind == "timeout"
    assert errors["jobs"] == Problem(part="jobs", kind="timeout", text=errors["vms"].text, code=errors["vms"].code)
    assert "host" not in errors
    # Waiting is no work: the interval stays, and the provider is not asked again for ten seconds.
    assert [f.interval_ms for f in got] == [2000, 50, 2000, 2000]
    assert answer.asked.count("Msvm_ComputerSystem") == 2
    assert answer.asked.count("Msvm_ConcreteJob") == 1


def test_after_a_hang_the_next_answers_come_soon(runner: Runner) -> None:
    hang = {"fail": worlds.fail("Msvm_ComputerSystem", "The operation has timed out.", 0x80041069, seconds=10)}
    got = frames(runner, worlds.node(), hang, {"cim": {}}, count=9)
    well = next(f for f in got[2:] if f.errors == [])
    assert well.time - got[1].time <= timedelta(seconds=25)
    assert got[-1].kind == "beat"


def test_a_round_takes_at_most_a_tenth_of_the_time(runner: Runner) -> None:
    busy = {**worlds.node(), "slow": {"Msvm_ComputerSystem": 1.5}}
    got = frames(runner, busy, busy, {"cim": {}, "slow": {"Msvm_ComputerSystem": 0.1}}, {"cim": {}})
    assert [(f.tick_ms, f.interval_ms) for f in got] == [(1500, 13_500), (1500, 13_500), (100, 1900), (0, 2000)]


@pytest.mark.parametrize(
    ("function", "world", "heavy"),
    [
        ("Watch-HvTuiNode", worlds.node(), "Msvm_ComputerSystem"),
        ("Watch-HvTuiCluster", worlds.cluster(), "MSCluster_Node"),
    ],
)
def test_the_rest_after_the_first_round_is_bounded_as_it_says_little_about_the_next(
    runner: Runner, function: str, world: dict[str, Any], heavy: str
) -> None:
    first, second = {**world, "slow": {heavy: 27}}, {"cim": {}, "slow": {heavy: 3.5}}
    answer = runner.run(function, {"steps": [first, second, {"cim": {}}]}, Count=3)
    waits = [msgspec.json.decode(line, type=NodeFrame).interval_ms for line in answer]
    assert waits == [30_000, 31_500, 2000]


def test_a_heavy_question_leaves_most_of_the_time_to_the_others(runner: Runner) -> None:
    heavy = {**worlds.node(), "slow": {"Msvm_SummaryInformation": 4}}
    answer = runner.run("Watch-HvTuiNode", {"steps": [heavy]}, Count=42, LoadSeconds=1)
    # It took 4 s: 30 s of rest after a first round, then a round every 2 s until 120 s are over.
    assert answer.asked.count("Msvm_SummaryInformation") == 1
    assert answer.asked.count("Msvm_ComputerSystem") == 42
    waits = [msgspec.json.decode(line, type=NodeFrame).interval_ms for line in answer]
    assert waits == [30_000] + [2000] * 41


def test_load_has_hysteresis(runner: Runner) -> None:
    def step(cpu: int, memory: int, host: int) -> dict[str, Any]:
        return with_cim(
            Msvm_SummaryInformation=[worlds.summary(SQL, cpu, memory)],
            Win32_PerfFormattedData_HvStats_HyperVHypervisorLogicalProcessor=[
                {"Name": "_Total", "PercentTotalRunTime": host}
            ],
        )

    got = frames(
        runner,
        worlds.node(),
        step(16, 4170, 35),  # below both thresholds
        step(17, 4096, 31),  # five points
        step(17, 4178, 36),  # two percent of 4,096 are 81.9 MB
        step(17, 4178, 36),
        LoadSeconds=1,
    )
    assert [f.kind for f in got] == ["full", "beat", "delta", "delta", "beat"]
    assert got[2].load is not None
    assert (got[2].load.host, got[2].load.vms) == (None, [0, 17, 4096])
    assert got[3].load is not None
    assert (got[3].load.host, got[3].load.vms) == ((36, 131072), [0, 17, 4178])


def test_slow_questions_keep_their_cadence(runner: Runner) -> None:
    answer = runner.run("Watch-HvTuiNode", {"steps": [worlds.node()]}, Count=31, IntervalMs=1000, SlowSeconds=10)
    assert answer.asked.count("Msvm_ComputerSystem") == 31
    assert answer.asked.count("Msvm_StorageAllocationSettingData") <= 4
    assert answer.asked.count("Msvm_SummaryInformation") == 4
    kinds = [msgspec.json.decode(line, type=NodeFrame).kind for line in answer]
    # The clock of the stand-ins runs and the uptime does not, so only the VM's start moves.
    assert kinds[0] == "full"
    assert "full" not in kinds[1:]


def test_jobs_know_their_vm(runner: Runner) -> None:
    def link(number: int, **element: Any) -> dict[str, Any]:
        return {"AffectingElement": {"InstanceID": worlds.job(number)["InstanceID"]}, "AffectedElement": element}

    step = worlds.node()
    step["cim"] |= {
        "Msvm_ConcreteJob": [
            worlds.job(1),
            worlds.job(2, JobType=72, PercentComplete=None),
            worlds.job(3, JobState=7, StartTime=None, TimeSubmitted=worlds.at("2026-02-28T23:00:00Z"), ErrorCode=32768),
        ],
        "Msvm_StorageJob": [worlds.job(4, JobType=50)],
        "Msvm_MigrationJob": [
            worlds.job(5, JobType=305, VirtualSystemName=SQL.upper(), DestinationHost="HV02", PercentComplete=61)
        ],
        "Msvm_AffectedJobElement": [link(1, Name=SQL.upper()), link(2, InstanceID=f"Microsoft:{worlds.SNAPSHOT}")],
        "Msvm_AffectedStorageJobElement": [link(4, Name=WEB.upper())],
    }
    first, second = frames(runner, step, {"cim": {}})
    assert (first.errors, second.kind) == ([], "beat")
    jobs = {j.id[-1]: j for j in first.jobs or []}
    assert {n: (j.kind, j.vm) for n, j in jobs.items()} == {
        "1": ("concrete", SQL),
        # Its link names a checkpoint, and the settings say whose.
        "2": ("concrete", WEB),
        "3": ("concrete", None),
        "4": ("storage", WEB),
        "5": ("migration", SQL),
    }
    assert (jobs["5"].type, jobs["5"].percent, jobs["5"].destination) == (305, 61, "HV02")
    assert jobs["1"].started == datetime(2026, 2, 28, 23, 59, 50, tzinfo=UTC)
    assert (jobs["3"].state, jobs["3"].error) == (7, 32768)
    assert jobs["3"].started == datetime(2026, 2, 28, 23, tzinfo=UTC)
    assert jobs["2"].percent is None


def test_names_of_every_kind_arrive_whole(runner: Runner) -> None:
    step = worlds.node()
    ids = [f"1111aaaa-0000-4000-8000-{n:012d}" for n in range(len(worlds.HOSTILE))]
    step["cim"]["Msvm_ComputerSystem"] = [
        worlds.machine(vm, name) for vm, name in zip(ids, worlds.HOSTILE, strict=True)
    ]
    step["cim"]["Msvm_VirtualSystemSettingData"] = [
        worlds.setting(vm, ConfigurationDataRoot=name) for vm, name in zip(ids, worlds.HOSTILE, strict=True)
    ]
    (frame,) = frames(runner, step)
    assert [v.name for v in frame.vms or []] == worlds.HOSTILE
    assert {f.id: f.configuration for f in frame.files or []} == dict(zip(ids, worlds.HOSTILE, strict=True))


def test_every_character_of_the_first_plane_arrives(runner: Runner) -> None:
    """A lone half of a surrogate pair is the one thing that cannot: it becomes U+FFFD."""
    texts = ["".join(map(chr, range(start, start + 0x400))) for start in range(0, 0x10000, 0x400)]
    texts += ["\ud83d", "\udda5x", "x\ud83d\ud83d\udda5\udda5", "\U0010ffff"]
    ids = [f"1111aaaa-0000-4000-8000-{n:012d}" for n in range(len(texts))]
    step = with_cim(Msvm_ComputerSystem=[worlds.machine(vm, text) for vm, text in zip(ids, texts, strict=True)])
    (frame,) = frames(runner, step)
    # Pairs that the ranges above put together, as every UTF-16 system reads them.
    joined = [text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass") for text in texts]
    whole = ["".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in text) for text in joined]
    assert [vm.name for vm in frame.vms or []] == whole
    assert whole[-4:] == ["\ufffd", "\ufffdx", "x\ufffd\U0001f5a5\ufffd", "\U0010ffff"]


def test_a_node_without_vms_is_empty_not_unknown(runner: Runner) -> None:
    step = worlds.node()
    for name in list(step["cim"]):
        if name.startswith("Msvm_") and "Migration" not in name:
            del step["cim"][name]
    step["cim"]["Msvm_ComputerSystem"] = [HOST]
    (frame,) = frames(runner, step)
    assert (frame.vms, frame.files, frame.jobs, frame.errors) == ([], [], [], [])
    assert frame.load is not None
    assert frame.load.vms == []


def test_an_account_that_is_shown_nothing_is_denied_not_without_vms(runner: Runner) -> None:
    """VMMS answers an account without rights with empty lists; even the host itself is missing from them."""
    step = worlds.node()
    for name in list(step["cim"]):
        if name.startswith("Msvm_"):
            del step["cim"][name]
    (frame,) = frames(runner, step)
    assert (frame.vms, frame.files, frame.jobs) == (None, None, None)
    assert frame.host is not None
    assert frame.host.max_migrations is None
    denied = {p.part for p in frame.errors or [] if p.kind == "denied"}
    assert denied == {"vms", "jobs", "vms.checkpoints", "load.vms", "vms.vss", "files", "host.migration"}


def test_a_thousand_vms_are_compared_not_resent(runner: Runner) -> None:
    step = worlds.node()
    row = worlds.machine("0000{0}-0000-4000-8000-000000000000", "vm{0}", OnTimeInMilliseconds=0)
    step["cim"]["Msvm_ComputerSystem"] = {"$rows": 1024, "row": row}
    one = copy.deepcopy(step)
    one["cim"] = {"Msvm_ComputerSystem": {"$rows": 1023, "row": row}}
    full, beat, delta = frames(runner, step, {"cim": {}}, one)
    assert len(full.vms or []) == 1024
    assert beat.kind == "beat"
    assert delta.gone["vms"] == ["00001024-0000-4000-8000-000000000000"]
    assert delta.vms is None
