"""The pictures of docs/walkthrough.md: each scene is played by keys on the real console, on a real lab.

Nobody may be harmed by it: every scene ends with a look into the ledger that the lab keeps.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

from hvtui.lab.serve import Lab
from hvtui.lab.world.actions.people import free_space
from hvtui.model.writer_catalog import HYPER_V, STABLE
from hvtui.operations.plan import Verb
from hvtui.operations.run import RunState
from hvtui.ui.dialogs.ask_dialog import BackupStopped
from hvtui.ui.dialogs.plan_dialog import PlanDialog
from hvtui.ui.notice import NoticeScreen
from hvtui.ui.screens.operations_page import OperationsPage
from tests.screenshots.stage import SPEED, START, stage
from tests.screenshots.storage import access, checkpoints, guests, types

MINUTE: Final = 60.0
PICTURES: Final = Path(__file__).parent.parent.parent / "docs" / "walkthrough"
CHILD_PATIENCE: Final = 240.0


async def stuck_writer(folder: Path, pictures: Path) -> None:
    """The Hyper-V writer of HV03 is stuck: VMMS is restarted by the runbook."""
    async with stage("stuck-writer", 62 * MINUTE, folder, pictures) as on:

        def code() -> int | None:
            writers = on.front.monitor.state.nodes["HV03"].writers
            assert writers is not None
            return next((writer.code for writer in writers.writers if writer.id == HYPER_V), None)

        await on.until(lambda: code() == 5, "a writer that is stuck")
        await on.press("1")
        await on.to_row("HV03")
        await on.picture("01-writer")
        # What a person does meanwhile, inside the guests.
        on.look(lambda world: free_space(world.vm("SQL07"), 6))
        on.look(lambda world: free_space(world.vm("FILE02"), 9))
        await on.press("V")
        await on.menu()
        await on.picture("02-room")
        await on.press("1")
        await on.planned()
        await on.picture("03-hold")
        await on.press("f3")
        await on.until(lambda: isinstance(on.app.screen, BackupStopped), "what a person must say")
        await on.press(*"HV03")
        await on.armed()
        await on.picture("04-job-stopped")
        await on.press("enter")
        shown = await on.planned()
        await on.until(lambda: shown.plan is not None and not shown.plan.refused, "a plan without a HOLD")
        await on.planned()
        await on.picture("05-plan")
        await on.press(*"HV03")
        await on.armed()
        await on.picture("06-armed")
        await on.press("enter")
        await on.until(lambda: isinstance(on.app.screen, OperationsPage), "the operations page")
        await on.until(lambda: sum(at > 20 for at in on.percents()) >= 2, "a drain that moves", flow=SPEED)
        await on.picture("07-draining")
        run = await on.over()
        assert run.state is RunState.DONE, (run.state, run.lines)
        await on.picture("08-done")
        await on.press("c")
        await on.picture("09-command-log")
        await on.press("escape", "4")
        await on.until(lambda: code() == STABLE, "the writer is stable")
        assert all(on.look(lambda world: [world.vm(name).node.name == "HV03" for name in ("SQL07", "FILE02")]))
        await on.picture("10-well")


async def moves(folder: Path, pictures: Path) -> None:
    """VMs drifted away from their CSVs: one is moved, then the plan for all."""
    async with stage("drift", 4 * MINUTE, folder, pictures) as on:
        await on.press("3")
        await on.to_row("ERP02")
        await on.press(".")
        await on.menu()
        await on.picture("11-row-menu")
        await on.press("escape", "M")
        await on.menu()
        await on.picture("12-destinations")
        await on.press("enter")
        await on.planned()
        await on.armed()
        await on.picture("13-key")
        await on.press("y")
        await on.until(lambda: any(at >= 30 for at in on.percents()), "a migration", flow=4.0)
        await on.picture("14-moving")
        run = await on.over()
        assert run.state is RunState.DONE, (run.state, run.items)
        await on.press("A")
        await on.planned()
        await on.picture("15-align")
        await on.press("escape")


async def maintenance(folder: Path, pictures: Path) -> None:
    """A node is emptied for maintenance, and others must not be."""
    async with stage("obstacles", 5 * MINUTE, folder, pictures) as on:
        await on.press("1")
        await on.to_row("HV01")
        await on.press("D")
        await on.planned()
        await on.picture("16-fork-commit")
        await on.press("escape")
        await on.press("g")
        await on.to_row("HV04")
        await on.press("D")
        await on.planned()
        await on.press(*"HV04")
        await on.armed()
        await on.picture("17-drain")
        await on.press("enter")
        await on.until(lambda: isinstance(on.app.screen, OperationsPage) and on.operations.runs, "the operations page")
        run = await on.over()
        assert run.state is RunState.DONE, (run.state, run.lines)
        await on.until(lambda: not on.working(), "the end of Windows' last job", flow=SPEED)
        await on.press("escape", "1")
        await on.press("g")
        await on.to_row("HV03")
        await on.press("D")
        await on.planned()
        await on.picture("18-other-node")
        await on.press("escape")
        await on.press("g")
        await on.to_row("HV04")
        await on.press("U")
        await on.menu()
        await on.picture("19-failback")
        await on.press("1")
        await on.planned()
        await on.armed()
        await on.picture("20-resume")
        await on.press("escape")


async def permission(folder: Path, pictures: Path) -> None:
    """What a console may not do, and where it must be asked twice."""
    async with stage("drift", 4 * MINUTE, folder / "watching", pictures, size=(100, 30), actions=False) as on:
        await on.press("3", "M")
        await on.until(lambda: isinstance(on.app.screen, NoticeScreen), "that nothing is changed")
        await on.picture("21-read-only")
    async with stage("drift", 4 * MINUTE, folder / "protected", pictures, protected=True) as on:
        await on.press("3")
        await on.to_row("ERP02")
        await on.press("M")
        await on.menu()
        await on.press("enter")
        shown = await on.planned()
        await on.until(lambda: shown.arming.armed, "a plan that waits for the name")
        await on.picture("22-prod")


async def killed(folder: Path, pictures: Path) -> None:
    """A console is killed after it stopped VMMS: the next one shows it first, and starts VMMS."""
    # Not near the backups of that night: a node must be quiet for a quarter of an hour.
    with Lab("obstacles", speed=0.0, at=27 * MINUTE, start=START) as lab:
        await _kill_one(lab, folder)
        async with stage("obstacles", 0.0, folder, pictures, lab=lab) as on:
            await on.until(lambda: on.operations.stopped_vmms and on.operations.unfinished(), "what was left")
            await on.picture("23-left")
            await on.press("O")
            await on.press("r")
            page = on.app.screen
            assert isinstance(page, OperationsPage)
            await on.until(lambda: "Start VMMS" in page.text, "what the cluster shows of it")
            await on.picture("24-unfinished")
            await on.press("enter")
            await on.menu()
            await on.picture("25-offers")
            await on.press("1")
            await on.planned()
            assert isinstance(on.app.screen, PlanDialog)
            assert on.app.screen.wish.verb is Verb.START_VMMS
            await on.armed()
            await on.picture("26-start")
            await on.press("y")
            await on.until(lambda: on.operations.runs, "an operation")
            run = await on.over()
            assert run.state is RunState.DONE, (run.state, run.lines)
            await on.picture("27-started")


async def _kill_one(lab: Lab, folder: Path) -> None:
    """Another console restarts VMMS on HV05, and is killed while the service stops."""
    told: dict[str, Any] = {
        "addresses": lab.addresses,
        "username": lab.username,
        "password": lab.password,
        "journal": str(folder),
        "now": lab.world.now.isoformat(),
        "node": "HV05",
    }
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.screenshots.killed", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(json.dumps(told).encode() + b"\n")
        async with asyncio.timeout(CHILD_PATIENCE):
            assert await child.stdout.readline() == b"ready\n"
            lab.call(lambda world: world.run(SPEED))
            child.stdin.write(b"go\n")
            while lab.call(lambda world: world.node("HV05").services["vmms"].state) == "Running":
                assert child.returncode is None
                await asyncio.sleep(0.05)
    finally:
        lab.call(lambda world: world.run(0.0))
        if child.returncode is None:
            child.kill()
        await child.wait()
    lab.advance(30.0)
    assert lab.call(lambda world: world.node("HV05").services["vmms"].state) == "Stopped"


SCENES: Final[tuple[Callable[[Path, Path], Awaitable[None]], ...]] = (
    stuck_writer,
    moves,
    maintenance,
    permission,
    killed,
    types,
    checkpoints,
    access,
    guests,
)


async def main(names: list[str]) -> int:
    """Play the scenes with these names, all without one, and take their pictures."""
    unknown = set(names) - {scene.__name__ for scene in SCENES}
    if unknown:
        print(f"no scene is called {', '.join(sorted(unknown))}", file=sys.stderr)  # noqa: T201
        return 64
    PICTURES.mkdir(exist_ok=True)
    for scene in SCENES:
        if names and scene.__name__ not in names:
            continue
        folder = Path(tempfile.mkdtemp(prefix="hvtui-walkthrough-"))
        try:
            await scene(folder, PICTURES)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    return 0
