"""What the node's own checks prevent: each is edited out of a copy of the module, and what it stood before happens."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from hvtui.lab.pwsh.stubs import VERSIONS
from hvtui.lab.world import World, actions
from hvtui.lab.world.node import Node
from hvtui.lab.world.operations import merge, take_checkpoint
from hvtui.model.enums import DrainStatus, GroupStatus, NodeState, SnapshotType, VmState
from hvtui.remote.contract import FUNCTIONS
from tests.engine.support.changes import acted, script, service_values
from tests.engine.support.patched import Edit, Patched, answers_of, places
from tests.engine.support.stage import START, Stage
from tests.support.prevented import CHECKS, Case, Play, scene
from tests.support.prevented_cases import CASES, MOVE, RESUME, STOP, SUSPEND
from tests.support.prevented_rows import (
    CHECKPOINT_ROWS,
    FREE_STATE,
    NOBODY,
    NOT_DONE,
    Row,
    Values,
    asked,
    begun,
    changes,
    harm,
    mover,
    nothing,
)
from tests.support.world_nodes import WorldNodes

CSV: Final = "Move-ClusterSharedVolume"
START_SERVICE: Final = "Win32_Service.StartService"
ENTRY: Final = "New-ItemProperty"
UP: Final = "HV02,HV03"


@pytest.fixture(scope="module")
def patched(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Patched]:
    with Patched(stage, tmp_path_factory.mktemp("patched")) as made:
        yield made


# --- the rules of the gate, with the node's check behind them ---


@pytest.mark.parametrize("case", [case for case in CASES if case.checks], ids=lambda case: case.id)
async def test_what_a_rule_and_the_check_of_the_node_prevent(
    case: Case, patched: Patched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    play = Play(tmp_path, monkeypatch)
    play.without_rules(case.rule, *case.also)
    shown = await play.run(case, nodes=_module_nodes(patched, ()))
    assert not case.shows(shown)
    assert shown.answers[-1][1:] == ("refused", case.node), shown.answers
    shown = await play.run(case, nodes=_module_nodes(patched, case.checks))
    assert case.shows(shown), (shown.told, shown.answers, shown.changes, shown.harm)


def _module_nodes(patched: Patched, without: tuple[str, ...]) -> type[WorldNodes]:
    """Nodes whose mutating functions are those of the module, on an engine."""

    class ModuleNodes(WorldNodes):
        async def _change(self, node: Node, function: str, values: dict[str, Any]) -> str:
            # Nothing goes on meanwhile: the world stands still while the engine works on it.
            return answers_of(patched, self.world, without)(node.name, function, values)

    return ModuleNodes


# --- each check of the module ---


def _vm(**other: Any) -> Callable[[World], Values]:
    return lambda world: {"VMId": mover(world).id, "Node": "HV02", "ExpectOwner": "HV01", "ExpectState": 2, **other}


def _stop_move(**other: Any) -> Callable[[World], Values]:
    return lambda world: {"VMId": mover(world).id, "ExpectOwner": "HV01", **other}


def _given(**values: Any) -> Callable[[World], Values]:
    return lambda world: values


def _csv(**other: Any) -> Callable[[World], Values]:
    return lambda world: {"CsvId": world.csv("Volume1").resource_id, "Node": "HV03", "ExpectOwner": "HV01", **other}


def _entry(**other: Any) -> Callable[[World], Values]:
    wish = {"Account": "CORP\\svc-backup", "Value": 1, "ExpectValue": -1, "Undo": 0}
    return lambda world: {**wish, **other}


def _service(name: str, **other: Any) -> Callable[[World], Values]:
    return lambda world: service_values(world, "HV01", name) | other


def _node(name: str, **values: Any) -> Callable[[World], object]:
    def change(world: World) -> None:
        for key, value in values.items():
            setattr(world.node(name), key, value)
        world.node(name).touch()

    return change


def _both(*acts: Callable[[World], object]) -> Callable[[World], object]:
    return lambda world: [act(world) for act in acts]


def _flagged(flag: GroupStatus) -> Callable[[World], object]:
    def change(world: World) -> None:
        role = mover(world).role
        assert role is not None
        role.flag(flag, on=True)

    return change


def _merging(world: World) -> None:
    vm = mover(world)
    checkpoint = take_checkpoint(world, vm, SnapshotType.Standard, "before", saved=False, rate=1e6)
    world.scheduler.spawn(merge(world, vm, checkpoint, 7200.0))
    world.advance(1.0)


def _moving(world: World) -> None:
    actions.move_role(world, mover(world), world.node("HV03"), "Live")
    world.advance(3.0)


def _drained(world: World) -> None:
    actions.suspend(world, world.node("HV01"))
    world.advance(300.0)
    assert not world.node("HV01").vms


def _empty(world: World) -> None:
    """A colleague resumed the drained node: nobody is on it, but the next one may come."""
    _drained(world)
    actions.resume_node(world, world.node("HV01"), failback=False)


def _left_over(world: World) -> None:
    """VMMS still lists a VM there that the cluster has somewhere else, and it runs."""
    _drained(world)
    world.node("HV01").vms[mover(world).id] = mover(world)


def _in_backup(world: World) -> None:
    """A backup makes shadow copies inside the guests of the node."""
    actions.start_backup(world, world.node("HV01"))
    for _ in range(60):
        world.advance(1.0)
        if world.node("HV01").running_jobs():
            return
    raise AssertionError("no backup began")


def _vanished(world: World) -> None:
    world.node("HV01").vms.pop(mover(world).id)


def _moved_volume(world: World) -> None:
    actions.move_volume(world, world.csv("Volume1"), world.node("HV02"))


def _backed_up(world: World) -> None:
    world.csv("Volume1").backups = 1
    world.csv("Volume1").touch()


def _needed(world: World) -> None:
    world.node("HV01").services["CryptSvc"].dependents.append("Schedule")


_UNTOLD: Final = Edit(
    "Private/Windows.ps1",
    "(Get-HvTuiLabFact -Name 'StartTime' -Id $Id -ErrorAction Stop).ToUniversalTime()",
    "throw 'the start of the process cannot be told'",
)
_IMPATIENT: Final = Edit("Private/Service.ps1", "WaitOne(5000)", "WaitOne(200)")
_OTHER_SESSION: Final = r"""
$scope = ($env:HVTUI_LAB_CONTROL + '-HV01') -replace '[^0-9A-Za-z]', '-'
$ready = [System.Threading.ManualResetEventSlim]::new($false)
$global:Other = [powershell]::Create().AddScript({
    param($name, $ready)
    $lock = [System.Threading.Mutex]::new($true, $name); $ready.Set()
    try { while ($true) { Start-Sleep -Milliseconds 50 } } finally { $lock.ReleaseMutex(); $lock.Dispose() }
}).AddArgument("Global\HvTui-$scope").AddArgument($ready)
$null = $global:Other.BeginInvoke()
$ready.Wait()
"""
"""Another session is at a service of the same node, and holds the lock."""
_OTHER_ENDS: Final = "if ($global:Other) { $global:Other.Stop(); $global:Other.Dispose(); $global:Other = $null }"

ROWS: Final[dict[str, Row]] = {
    # Suspend-HvTuiNode
    # Windows could read such a name as a pattern; the world takes it as it is, so the command alone is to be seen.
    "Read-HvTuiActionSelf forbidden": Row(
        "Suspend-HvTuiNode", _given(ExpectState=0, ExpectDrain=0, ExpectUp=UP), begun(SUSPEND), node="HV*",
        world=scene().replace("count = 3", 'names = ["HV*", "HV02", "HV03"]', 1),
    ),
    "Invoke-HvTuiSuspend expect.state": Row(
        "Suspend-HvTuiNode", _given(ExpectState=0, ExpectDrain=0, ExpectUp=UP), begun(SUSPEND),
        _node("HV01", state=NodeState.Paused),
    ),
    "Invoke-HvTuiSuspend expect.drain": Row(
        "Suspend-HvTuiNode", _given(ExpectState=2, ExpectDrain=2, ExpectUp=UP), begun(SUSPEND),
        _node("HV01", state=NodeState.Paused, drain=DrainStatus.Failed),
    ),
    "Invoke-HvTuiSuspend expect.up": Row(
        "Suspend-HvTuiNode", _given(ExpectState=0, ExpectDrain=0, ExpectUp=UP), harm("quorum_lost"),
        lambda world: actions.fail_node(world, world.node("HV03")), world=scene(cluster='witness = ""'),
    ),
    "Invoke-HvTuiSuspend forbidden 1": Row(
        "Suspend-HvTuiNode", _given(ExpectState=0, ExpectDrain=0, ExpectUp=""), harm("no_node_up"),
        _both(_node("HV02", state=NodeState.Paused), _node("HV03", state=NodeState.Paused)),
    ),
    "Invoke-HvTuiSuspend forbidden 2": Row(
        "Suspend-HvTuiNode", _given(ExpectState=3, ExpectDrain=0, ExpectUp=UP), asked(SUSPEND),
        _node("HV01", state=NodeState.Joining),
    ),
    # Resume-HvTuiNode
    "Invoke-HvTuiResume expect.state": Row(
        "Resume-HvTuiNode", _given(Failback="Immediate", ExpectState=0, ExpectDrain=0), begun(RESUME),
        _node("HV01", state=NodeState.Paused),
    ),
    "Invoke-HvTuiResume expect.drain": Row(
        "Resume-HvTuiNode", _given(Failback="Immediate", ExpectState=2, ExpectDrain=2), begun(RESUME),
        lambda world: actions.suspend(world, world.node("HV01")),
    ),
    "Invoke-HvTuiResume forbidden": Row(
        "Resume-HvTuiNode", _given(Failback="NoFailback", ExpectState=0, ExpectDrain=0), asked(RESUME)
    ),
    # Move-HvTuiCsv
    "Invoke-HvTuiCsvMove expect.csv": Row("Move-HvTuiCsv", _csv(CsvId=NOBODY), nothing),
    "Invoke-HvTuiCsvMove expect.owner": Row("Move-HvTuiCsv", _csv(), begun(CSV), _moved_volume),
    "Invoke-HvTuiCsvMove busy": Row("Move-HvTuiCsv", _csv(), asked(CSV), _backed_up),
    # Move-HvTuiVM
    "Read-HvTuiActionRole expect.role": Row("Move-HvTuiVM", _vm(VMId=NOBODY), nothing),
    "Read-HvTuiActionMachine expect.owner": Row("Move-HvTuiVM", _vm(), nothing, _vanished),
    "Select-HvTuiTarget expect.target 1": Row("Move-HvTuiVM", _vm(Node="HV99"), nothing),
    "Select-HvTuiTarget forbidden": Row("Move-HvTuiVM", _vm(Node="HV01"), asked(MOVE)),
    "Select-HvTuiTarget expect.target 2": Row(
        "Move-HvTuiVM", _vm(), begun(MOVE), _node("HV02", drain=DrainStatus.InProgress)
    ),
    "Test-HvTuiRoleFree busy 1": Row("Move-HvTuiVM", _vm(), asked(MOVE), _flagged(GroupStatus.Locked)),
    "Test-HvTuiRoleFree busy 2": Row("Move-HvTuiVM", _vm(), begun(MOVE), _flagged(GroupStatus.Queued)),
    "Test-HvTuiRoleFree busy 3": Row("Move-HvTuiVM", _vm(), harm("merge_interrupted"), _merging),
    "Invoke-HvTuiMove expect.owner": Row("Move-HvTuiVM", _vm(ExpectOwner="HV03"), begun(MOVE)),
    "Invoke-HvTuiMove expect.state": Row(
        "Move-HvTuiVM", _vm(), begun(MOVE), lambda world: mover(world).set_state(VmState.Paused)
    ),
    "Invoke-HvTuiMove forbidden": Row(
        "Move-HvTuiVM", _vm(ExpectState=10), asked(MOVE), lambda world: mover(world).set_state(VmState.Starting)
    ),
    # Stop-HvTuiMove
    "Invoke-HvTuiMoveStop expect.owner": Row("Stop-HvTuiMove", _stop_move(ExpectOwner="HV02"), begun(MOVE), _moving),
    "Invoke-HvTuiMoveStop expect.migration": Row("Stop-HvTuiMove", _stop_move(), asked(MOVE)),
    # Stop-HvTuiService and Start-HvTuiService
    "Read-HvTuiActionService unread": Row(
        "Stop-HvTuiService", _service("CryptSvc", ExpectStarted=""), begun(STOP), edits=(_UNTOLD,)
    ),
    "Read-HvTuiActionService expect.state": Row(
        "Stop-HvTuiService", _service("CryptSvc", ExpectState="Paused"), begun(STOP)
    ),
    "Read-HvTuiActionService expect.process_id": Row(
        "Stop-HvTuiService", _service("CryptSvc", ExpectProcessId=4), begun(STOP)
    ),
    "Read-HvTuiActionService expect.started": Row(
        "Stop-HvTuiService", _service("CryptSvc", ExpectStarted="2026-11-01T00:00:00Z"), begun(STOP)
    ),
    "Test-HvTuiDrained forbidden 1": Row("Stop-HvTuiService", _service("vmms"), begun(STOP), _empty),
    "Test-HvTuiDrained forbidden 2": Row("Stop-HvTuiService", _service("vmms"), harm("vmms_undrained"), _left_over),
    "Test-HvTuiJobFree busy": Row("Stop-HvTuiService", _service("CryptSvc"), harm("backup_broken"), _in_backup),
    "Invoke-HvTuiServiceStop forbidden 1": Row("Stop-HvTuiService", _service("BITS"), asked(STOP)),
    "Invoke-HvTuiServiceStop forbidden 2": Row("Stop-HvTuiService", _service("CryptSvc"), asked(STOP), _needed),
    "Invoke-HvTuiServiceStart forbidden": Row("Start-HvTuiService", _service("CryptSvc"), asked(START_SERVICE)),
    # Set-HvTuiVssAccess and Remove-HvTuiVssAccess
    "Read-HvTuiVssAccessAction expect.key": Row(
        "Set-HvTuiVssAccess", _entry(), nothing, _node("HV01", access_key=False)
    ),
    "Read-HvTuiVssAccessAction expect.value": Row(
        "Set-HvTuiVssAccess", _entry(), begun(ENTRY),
        lambda world: actions.set_access(world, world.node("HV01"), "corp\\SVC-backup", 3),
    ),
    "Test-HvTuiVssAccountFree forbidden": Row(
        "Remove-HvTuiVssAccess", _given(Account="NT Authority\\NetworkService", ExpectValue=1), harm("vss_shipped")
    ),
    "Invoke-HvTuiVssAccessSet expect.account": Row("Set-HvTuiVssAccess", _entry(Account="CORP\\nobody"), nothing),
    "Invoke-HvTuiVssAccessSet forbidden 1": Row("Set-HvTuiVssAccess", _entry(Account="Everyone"), harm("vss_opened")),
    "Invoke-HvTuiVssAccessSet forbidden 2": Row("Set-HvTuiVssAccess", _entry(Value=0), begun(ENTRY)),
    "Invoke-HvTuiAlone busy": Row(
        "Stop-HvTuiService", _service("CryptSvc"), begun(STOP), edits=(_IMPATIENT,), first=_OTHER_SESSION
    ),
    **CHECKPOINT_ROWS,
}  # fmt: skip
_INSTEAD: Final = {
    # Where nothing but the lock stands between, what is locked is done without it.
    "Invoke-HvTuiAlone busy": Edit(
        "Private/Service.ps1",
        "Deny-HvTuiAction -Action $Action -Rule 'busy' -Text 'another hvtui session changes this node at this moment'",
        "& $Block",
    ),
    FREE_STATE: Edit("Private/Checkpoint.ps1", "if ($ExpectState -ge 0 -and ", "if ($false -and "),
}


def test_every_check_of_the_module_has_a_row() -> None:
    assert {*ROWS, NOT_DONE} == {*places(), FREE_STATE}
    assert {name for case in CASES for name in case.checks} <= set(places())
    assert {name for case in CASES for name in case.checks} == set(CHECKS)


@pytest.mark.parametrize("name", ROWS)
def test_what_a_check_of_the_node_prevents(name: str, patched: Patched, tmp_path: Path) -> None:
    row, rule = ROWS[name], name.split()[1]
    # Every version of Windows has its turn.
    version = VERSIONS[list(ROWS).index(name) % len(VERSIONS)]
    file = tmp_path / "scene.toml"
    file.write_text(row.world, encoding="utf-8")
    instead = (_INSTEAD[name],) if name in _INSTEAD else ()

    def play(*, removed: bool) -> tuple[World, dict[str, Any]]:
        world = World.load(file, start=START, at=60.0)
        row.prepare(world)
        patched.put(world)
        without = (name,) if removed and not instead else ()
        edits = row.edits + (instead if removed else ())
        session = patched.session(row.node, without=without, edits=edits, version=version)
        session.run(row.first)
        try:
            result = session.run(script(row.function, acted(row.values(world))))
        finally:
            session.run(_OTHER_ENDS)
        patched.stage.do(lambda: world.advance(120.0))
        assert result.errors == []
        # A stream tells of its one VM, and then of its end.
        assert len(result.output) == (2 if FUNCTIONS[row.function].stream else 1)
        return world, json.loads(result.output[0])

    before, answer = play(removed=False)
    assert (answer["outcome"], answer["rule"], answer["command"]) == ("refused", rule, "")
    assert changes(before) == []
    world, answer = play(removed=True)
    assert answer["rule"] != rule
    assert row.shows(world), (answer, world.commands.changes, world.ledger.entries)
    if row.shows is not nothing:
        assert answer["command"]


def test_a_type_that_windows_left_as_it_was_is_not_told_as_set(patched: Patched, tmp_path: Path) -> None:
    """Without the look at the VM afterwards it would be told as done."""
    file = tmp_path / "scene.toml"
    file.write_text(scene(), encoding="utf-8")
    type_file = "Private/CheckpointType.ps1"
    silent = Edit(type_file, "    Set-VM -VM $vm -CheckpointType $name\n", "    $null = $vm\n")
    blind = Edit(type_file, "$after -ne $To) {", "$false) {")

    def play(*edits: Edit) -> dict[str, Any]:
        world = World.load(file, start=START, at=60.0)
        patched.put(world)
        result = patched.session("HV01", edits=edits).run(
            script("Set-HvTuiCheckpointType", acted({"VM": f"{mover(world).id}:3:5"}))
        )
        assert result.errors == []
        answer: dict[str, Any] = json.loads(result.output[0])
        assert answer["command"]
        assert answer["after"] == int(mover(world).checkpoint_type)
        return answer

    def told(answer: dict[str, Any]) -> tuple[object, ...]:
        return tuple(answer[name] for name in ("outcome", "rule", "after", "changed", "failed"))

    assert told(play()) == ("done", "", 5, 1, 0)
    assert told(play(silent)) == ("failed", "windows", 3, 0, 1)
    assert told(play(silent, blind)) == ("done", "", 3, 1, 0)
