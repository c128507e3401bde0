"""Plays of one operation on a world, with the rules as they are and with one of them taken away.

A rule is taken out of the table the gate is built from; a check of the node is edited out of a copy of the engine's
source. The product has no switch for either.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import msgspec
import pytest

from hvtui.lab.native import changes, checkpoints, roles, services, vss_access
from hvtui.lab.world.command_log import Change
from hvtui.lab.world.ledger import Harm
from hvtui.operations import gate
from hvtui.operations.plan import Plan
from hvtui.operations.rules import RULES
from hvtui.operations.run import Run
from tests.support import world_nodes
from tests.support.desk import Stage, as_asked
from tests.support.world_nodes import WorldNodes

SCENE: Final = """
title = "A cluster in which nothing happens by itself"
seed = 3
[cluster]
name = "CLU-OPS"
id = "0f0e8a52-7c1c-4f0e-9d53-0d2f4d1c7b77"
{cluster}
[nodes]
count = {nodes}
memory_gb = 256
{node}
{csvs}
{vms}
{more}
"""
CSVS: Final = """
[[csvs]]
count = 3
size_gb = 4096
free_gb = 2000
"""
VMS: Final = """
[[vms]]
prefix = "APP"
count = 6
memory_gb = 4
"""


def scene(
    *, nodes: int = 3, cluster: str = "", node: str = "", csvs: str = CSVS, vms: str = VMS, more: str = ""
) -> str:
    """A scenario as TOML; `node` are whole `[[node]]` tables."""
    return SCENE.format(nodes=nodes, cluster=cluster, node=node, csvs=csvs, vms=vms, more=more)


@dataclass(frozen=True)
class Case:
    """What a rule prevents. `wish` makes the plan, `between` is what happens before it is started."""

    rule: str
    name: str
    wish: Callable[[Stage], Awaitable[Plan]]
    shows: Callable[[Shown], object]
    """What is to be seen without the rule, and not with it."""
    world: str = field(default_factory=scene)
    prepare: Callable[[Stage], object] = lambda stage: None
    between: Callable[[Stage], object] = lambda stage: None
    afterwards: Callable[[Stage], object] = lambda stage: None
    """What people do when it has ended as it did."""
    told: str = ""
    """The word of its refusal; empty: the rule's own."""
    also: tuple[str, ...] = ()
    """Rules that see the same reason: they are taken away on both sides, so that this one stands alone."""
    checks: tuple[str, ...] = ()
    """Checks of the node that stand behind it (`CHECKS`), and are taken away with it."""
    node: str = ""
    """What the node refuses with, as long as its checks are there."""
    begins: bool = False
    """It refuses a later step of a run: the steps before are changes, too."""
    seconds: float = 1800.0
    """World time the run gets; it goes on for ever where the picture stands still."""
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """For the test's name."""
        return f"{self.rule}-{self.name}".replace(" ", "-")


@dataclass(frozen=True)
class Shown:
    """What a play left behind."""

    stage: Stage
    run: Run
    told: frozenset[str]
    """Rules that refused, of the whole and of single VMs; and the words of lines that tell of a step not taken."""
    answers: tuple[tuple[str, str, str], ...]
    """Function, outcome and rule of every answer of a node to a mutating call."""

    @property
    def changes(self) -> list[Change]:
        """What Windows was asked for on behalf of hvtui."""
        return [change for change in self.stage.world.commands.changes if change.asked.operation]

    @property
    def harm(self) -> list[Harm]:
        """What was done to anybody."""
        return self.stage.world.ledger.entries

    def began(self, command: str, target: str = "") -> bool:
        """Windows took a command of hvtui's."""
        return any(
            change.command == command and target in {"", change.target}
            for change in self.changes
            if change.outcome != "refused"
        )


def harmed(kind: str, target: str = "") -> Callable[[Shown], object]:
    """The ledger tells of it."""
    return lambda shown: [one for one in shown.harm if one.kind == kind and target in {"", one.target}]


def done(command: str) -> Callable[[Shown], object]:
    """The log of changes tells of it."""
    return lambda shown: shown.began(command)


def refused_by_windows(command: str) -> Callable[[Shown], object]:
    """Windows was asked, and nothing but Windows said no."""
    return lambda shown: [one for one in shown.changes if one.command == command and one.outcome == "refused"]


_MODULES: Final = {
    "changes": changes,
    "checkpoints": checkpoints,
    "roles": roles,
    "services": services,
    "vss_access": vss_access,
}


class Play:
    """Runs cases; what it takes away comes back at the end of the test."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self._folder = folder
        self._patch = patch
        self._number = 0
        self._sources: dict[str, str] = {}

    def without_rules(self, *names: str) -> None:
        """Build the gate from a table that lacks these rules."""
        _without(self._patch, *names)

    def without_checks(self, *names: str) -> None:
        """Edit these checks out of the native engine."""
        for name in names:
            check = CHECKS[name]
            self._sources[check.file] = edited(self._source(check.file), check.before, check.after)
        # What others take functions from comes first.
        for file in sorted(self._sources, key=("roles", "changes", "checkpoints", "services", "vss_access").index):
            made = _made(file, self._sources[file])
            if file == "roles":
                for module in (roles, changes):
                    self._patch.setattr(module, "must_be_free", made.must_be_free)
            elif file == "changes":
                self._patch.setattr(world_nodes, "changes", made)
            elif file == "vss_access":
                self._patch.setitem(changes._FUNCTIONS, "Set-HvTuiVssAccess", made.set_entry)
                self._patch.setitem(changes._FUNCTIONS, "Remove-HvTuiVssAccess", made.remove_entry)
            elif file == "checkpoints":
                self._patch.setitem(changes._FUNCTIONS, "Restore-HvTuiCheckpoint", made.restore_checkpoint)
                self._patch.setitem(changes._FUNCTIONS, "Start-HvTuiVM", made.start_vm)
            else:
                self._patch.setitem(changes._FUNCTIONS, "Stop-HvTuiService", made.stop_service)

    def _source(self, file: str) -> str:
        if file not in self._sources:
            module = _MODULES[file]
            self._sources[file] = Path(str(module.__file__)).read_text(encoding="utf-8")
        return self._sources[file]

    async def run(self, case: Case, *, nodes: type[WorldNodes] = WorldNodes, forged: bool = False) -> Shown:
        """Play a case to its end, and let what it set going come to its end, too.

        `forged`: the plan was made where the rule does not exist, and claims that every rule was set aside.
        """
        self._number += 1
        folder = self._folder / str(self._number)
        folder.mkdir()
        file = folder / "scene.toml"
        file.write_text(case.world, encoding="utf-8")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("tests.support.desk.WorldNodes", nodes)
            stage = Stage(file, folder, **case.options)
        answers: list[tuple[str, str, str]] = []
        _listen(stage.nodes, answers)
        try:
            stage.quiet()
            case.prepare(stage)
            stage.nodes.pump(1.0, writers=True)
            with pytest.MonkeyPatch.context() as patch:
                if forged:
                    _without(patch, case.rule, *case.also)
                plan = await case.wish(stage)
            if forged:
                plan = msgspec.structs.replace(plan, overrides=tuple(rule.id for rule in RULES))
            case.between(stage)
            run = await _carried_out(stage, plan, case.seconds)
        finally:
            await stage.operations.close()
        case.afterwards(stage)
        stage.world.advance(600.0)
        return Shown(stage, run, _told(plan, run), tuple(answers))


def _without(patch: pytest.MonkeyPatch, *names: str) -> None:
    table = tuple(rule for rule in RULES if rule.id not in names)
    assert len(table) == len(RULES) - len(names)
    for function in (gate.check, gate.settle):
        patch.setattr(function, "__defaults__", (table,))


async def _carried_out(stage: Stage, plan: Plan, seconds: float) -> Run:
    begun = stage.world.elapsed
    async with stage.nodes.drive(1.0), asyncio.timeout(60):
        run = await stage.operations.start(plan, confirmed=as_asked(plan))
        await stage.nodes.reach(lambda: run.over or stage.world.elapsed - begun > seconds)
        if run.over:
            await stage.operations.wait(run)
    return run


def _listen(nodes: WorldNodes, answers: list[tuple[str, str, str]]) -> None:
    def after(node: str, function: str, answer: Any) -> Any:
        if hasattr(answer, "outcome"):
            answers.append((function, answer.outcome, answer.rule))
        return answer

    nodes.after = after


def _told(plan: Plan, run: Run) -> frozenset[str]:
    refusals = [*plan.refusals, *run.refusals, *(r for left in plan.left for r in left.refusals)]
    return frozenset({refusal.rule for refusal in refusals} | {line.text for line in run.lines})


# --- checks of the node ---


@dataclass(frozen=True)
class Check:
    """A check of the native engine: its file, its text, and what is left of it."""

    file: str
    before: str
    after: str = ""


CHECKS: Final[dict[str, Check]] = {
    "Invoke-HvTuiMove expect.state": Check(
        "changes", '    change.expect("state", values["ExpectState"], int(vm.state))\n'
    ),
    "Test-HvTuiRoleFree busy 3": Check("roles", "if int(number) in _BUSY:", "if False:"),
    "Invoke-HvTuiSuspend forbidden 1": Check("changes", "if not others:", "if False:"),
    "Test-HvTuiDrained forbidden 1": Check(
        "services", "if node.state != NodeState.Paused or node.drain != DrainStatus.Completed:", "if False:"
    ),
    "Test-HvTuiDrained forbidden 2": Check("services", "    if left:\n", "    if False:\n"),
    "Invoke-HvTuiServiceStop forbidden 2": Check("services", "        if running:\n", "        if False:\n"),
    "Invoke-HvTuiCheckpointRestore forbidden 1": Check(
        "checkpoints",
        """    if one.type != SnapshotType.Standard:
        raise Refusal("forbidden", f"a checkpoint of type {int(one.type)} is not applied")
""",
    ),
    "Invoke-HvTuiVmStart forbidden": Check("checkpoints", "    if vm.state not in _COLD:\n", "    if False:\n"),
    "Test-HvTuiVssAccountFree forbidden": Check(
        "vss_access", "if sid in _OWN_SIDS or _plain(account) in _OWN_NAMES:", "if False:"
    ),
    "Invoke-HvTuiVssAccessSet expect.account": Check("vss_access", "    if not sid:\n", "    if False:\n"),
    "Invoke-HvTuiVssAccessSet forbidden 1": Check("vss_access", "if not _SINGLE.fullmatch(sid):", "if False:"),
    "Invoke-HvTuiVssAccessSet forbidden 2": Check("vss_access", 'if value == 0 and not values["Undo"]:', "if False:"),
}


def edited(text: str, before: str, after: str) -> str:
    """A text in which one place, and exactly one, reads differently."""
    assert text.count(before) == 1, f"{text.count(before)} times: {before}"
    return text.replace(before, after)


def _made(file: str, text: str) -> ModuleType:
    """A module from a text that was edited; nobody else sees it."""
    name = f"hvtui.lab.native.{file}"
    module = ModuleType(name)
    module.__dict__.update(__file__=f"<edited {name}>", __package__="hvtui.lab.native")
    exec(compile(text, f"<edited {name}>", "exec"), module.__dict__)  # our own source, one check fewer
    assert sys.modules[name] is not module
    return module
