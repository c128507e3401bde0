"""Commands that change something, as they are typed, on the lab's nodes over PowerShell Remoting.

Each test ends with the same questions: nobody harmed, nothing carried out twice, the journal whole.
"""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import pytest

import hvtui.lab
from hvtui.journal.store import Journal
from hvtui.journal.verify import verify
from hvtui.lab.serve import Lab
from hvtui.lab.world import World, events
from hvtui.lab.world.operations import merge, take_checkpoint
from hvtui.model.enums import SnapshotType
from hvtui.paths import state_dir
from tests.support.cli import Ran, Shell
from tests.support.desk import small
from tests.support.executed import executed
from tests.support.fuller import in_fuller_run
from tests.support.schemas import checked

pytestmark = [pytest.mark.timeout(300)]

FAST: Final = 20.0
SCENARIOS: Final = Path(hvtui.lab.__file__).parent / "scenarios"
ON_ONE: Final = 'nodes = ["HV01"]'


class Site:
    """A lab, and the command line on it."""

    def __init__(self, lab: Lab, shell: Shell, config: Path) -> None:
        self.lab = lab
        self.config = config
        self._shell = shell
        config.write_text(lab.config_text(), encoding="utf-8")

    def __call__(self, *words: str) -> Ran:
        return self._shell(words[0], "--config", str(self.config), *words[1:])

    def applied(self, *words: str) -> dict[str, Any]:
        """What `--apply --json` told, after its schema was looked at."""
        ran = self(*words, "--apply", "--json")
        told: dict[str, Any] = checked("run", ran.out)
        assert told["exit"] == ran.code
        return told

    def where(self) -> dict[str, str]:
        """VM → node, as the world has it."""
        found: dict[str, str] = self.lab.call(lambda w: {vm.name: vm.node.name for vm in w.vms.values()})
        return found

    def assert_unharmed(self, calls: int) -> None:
        """So many calls were carried out, each once; nobody was harmed; the journal is whole."""
        harm = self.lab.call(lambda w: list(w.ledger.entries))
        counted = self.lab.call(executed)
        assert harm == []
        assert set(counted.values()) <= {1}, counted
        assert len(counted) == calls, counted
        assert verify(state_dir() / "journal").faults == ()


@pytest.fixture
def site(shell: Shell, tmp_path: Path) -> Iterator[Callable[..., Site]]:
    with ExitStack() as running:

        def start(scenario: str | Path, **options: Any) -> Site:
            lab = running.enter_context(Lab(scenario, **({"speed": FAST} | options)))
            return Site(lab, shell, tmp_path / "lab.toml")

        yield start


# --- alignment before a backup, and back after it ---

DRIFTED: Final = {
    "BUILD": "HV04",
    "ERP01": "HV01",
    "ERP02": "HV01",
    "ERP03": "HV01",
    "HR01": "HV04",
    "INTRANET-NEW": "HV02",
    "LNX01": "HV05",
}
"""Every VM of the scenario that runs away from the owner of its one CSV and may go there."""
STAYING: Final = {"DC02", "SQL-SPLIT", "SNAP01"}
"""Anti-affinity; files on two CSVs; a checkpoint's files elsewhere."""


def without(scenario: str, *kinds: str, folder: Path) -> Path:
    """A scenario in which less happens by itself."""
    head, *blocks = (SCENARIOS / f"{scenario}.toml").read_text(encoding="utf-8").split("[[behaviours]]")
    kept = [block for block in blocks if not any(f'kind = "{kind}"' in block for kind in kinds)]
    assert len(kept) == len(blocks) - len(kinds)
    file = folder / f"quiet-{scenario}.toml"
    file.write_text("[[behaviours]]".join([head, *kept]), encoding="utf-8")
    return file


@in_fuller_run
def test_a_night_of_alignment(site: Callable[..., Site], tmp_path: Path) -> None:
    here = site(without("drift", "migrations", "rct_backup", folder=tmp_path), at=60)
    before = here.where()
    ran = here("align", "-o", str(tmp_path / "plan.json"), "--json")
    plan = checked("plan", ran.out)
    assert plan == json.loads((tmp_path / "plan.json").read_text(encoding="utf-8"))
    moves = {move["vm"]["name"]: move["destination"] for move in plan["moves"]}
    assert moves == DRIFTED
    assert {one["vm"]["name"] for one in plan["left"]} >= STAYING
    assert (ran.code, here.where()) == (1, before)
    owners = {line["name"]: (line["before"], line["after"]) for line in plan["csvs"]}
    assert all(after <= count for count, after in owners.values())
    assert here.lab.call(executed) == {}

    told = here.applied("align", "--plan", str(tmp_path / "plan.json"), "--save", "nightly")
    assert (told["outcome"], told["exit"]) == ("done", 1)
    assert {one["vm"]["name"] for one in told["left"]} == STAYING
    expected = before | DRIFTED
    # Two VMs are called BUILD: the one that moved is known by its id.
    build = next(move["vm"]["id"] for move in plan["moves"] if move["vm"]["name"] == "BUILD")
    assert here.lab.call(lambda w: w.vms[build].node.name) == "HV04"
    assert {n: v for n, v in here.where().items() if n != "BUILD"} == {
        n: v for n, v in expected.items() if n != "BUILD"
    }
    assert here("align", "--return", "weekly").code == 3
    twice = here("migrate", "BUILD")
    assert twice.code == 3
    assert build in twice.err

    told = here.applied("align", "--return", "nightly")
    assert (told["outcome"], told["exit"]) == ("done", 0)
    assert here.where() == before
    assert "nothing is kept under the name nightly" in here("align", "--return", "nightly").err
    here.assert_unharmed(calls=14)


# --- one VM, one node ---


def test_a_vm_moves_a_node_is_drained_and_comes_back(site: Callable[..., Site], tmp_path: Path) -> None:
    here = site(small(tmp_path, vms=ON_ONE))

    def rename(world: World) -> str:
        vm = next(vm for vm in world.vms.values() if vm.name == "APP02")
        vm.name = "APP0*"
        vm.touch()
        return vm.id

    key = here.lab.call(rename)
    told = here.applied("migrate", "APP0*", "--to", "hv02")
    assert [item["target"]["id"] for item in told["items"]] == [key]
    assert (told["outcome"], told["exit"]) == ("done", 0)
    assert [name for name, node in here.where().items() if node == "HV02"] == ["APP0*"]

    assert here("drain", "HV01", "--apply").code == 3
    ran = here("drain", "HV01", "--apply", "--confirm", "HV01")
    assert ran.code == 0, ran.out + ran.err
    assert re.search(r"^\d\d:\d\d:\d\d HV01 is paused and drained: no role is left on it$", ran.out, re.MULTILINE)
    assert "HV01" not in here.where().values()
    # Another process knows from the journal who was taken away.
    told = here.applied("resume", "HV01", "--failback", "immediate")
    assert (told["outcome"], len(told["items"])) == ("done", 5)
    assert sorted(here.where().values()) == ["HV01"] * 5 + ["HV02"]

    incident = checked("summary", here("summary", "--json").out)
    assert [done["outcome"] for done in incident["done"]] == ["done", "refused", "done", "done"]
    assert incident["open"] == []
    text = here("summary").out
    assert "Suspend-ClusterNode -Name HV01 -Drain" in text
    assert "Open\n- nothing of hvtui" in text
    here.assert_unharmed(calls=3)


@in_fuller_run
def test_suspects_are_isolated_counted_and_sent_home(site: Callable[..., Site], tmp_path: Path) -> None:
    here = site(small(tmp_path, vms=ON_ONE))
    words = ("isolate", "--vm", "APP01", "APP02", "--control", "APP03", "--node", "HV03")
    assert here(*words, "--apply").code == 3
    assert here("isolate", "--tally").code == 3, "what was refused is no isolation"
    told = here.applied(*words, "--confirm", "CLU-OPS")
    assert (told["outcome"], told["exit"]) == ("done", 0)
    first = checked("tally", here("isolate", "--tally", "--json").out)
    assert [(vm["name"], vm["outcome"], vm["there"]) for vm in first["vms"]] == [
        ("APP01", "none yet", True),
        ("APP02", "none yet", True),
        ("APP03", "none yet", True),
    ]

    def backup(world: World) -> None:
        vms = {vm.name: vm for vm in world.vms.values()}
        for name in ("APP02", "APP03"):
            vms[name].last_backup = world.elapsed
            vms[name].touch()
        for _ in range(2):
            events.emit(world, world.nodes["HV03"], events.VMMS, 10102, vm=vms["APP01"])

    here.lab.call(backup)
    ran = here("isolate", "--tally", "--json")
    second = checked("tally", ran.out)
    assert {vm["name"]: vm["outcome"] for vm in second["vms"]} == {
        "APP01": "failed",
        "APP02": "succeeded",
        "APP03": "succeeded",
    }
    assert (second["vms"][0]["failures"], ran.code) == ({"10102": 2}, 0)
    assert second["verdict"] == "the control succeeded on HV03: look at APP01"
    assert here("isolate", "--vm", "APP04", "--control", "APP05", "--node", "HV02", "--apply").code == 3
    assert checked("tally", here("isolate", "--tally", "--json").out)["vms"] == second["vms"], "refused: nothing new"
    assert "2 × 10102" in here("isolate", "--tally").out
    assert here.applied("return")["outcome"] == "done"
    assert set(here.where().values()) == {"HV01"}
    here.assert_unharmed(calls=6)


# --- waiting for a merge ---


@in_fuller_run
def test_a_merge_is_waited_for(site: Callable[..., Site], tmp_path: Path) -> None:
    here = site(small(tmp_path, vms=ON_ONE))

    def begin(world: World) -> None:
        vm = next(vm for vm in world.vms.values() if vm.name == "APP01")
        checkpoint = take_checkpoint(world, vm, SnapshotType.Standard, "before", saved=False, rate=0.0)
        world.scheduler.spawn(merge(world, vm, checkpoint, FAST * 20))

    here.lab.call(begin)
    words = ("migrate", "APP01", "APP02", "--to", "HV02")
    assert here(*words).code == 1
    told = here.applied(*words, "--wait", "--timeout", "1s")
    assert (told["outcome"], told["exit"]) == ("done", 4)
    assert ["merge" in one["text"] for one in told["held"]] == [True]
    assert (here.where()["APP01"], here.where()["APP02"]) == ("HV01", "HV02")
    told = here.applied("migrate", "APP01", "--to", "HV02", "--wait", "--timeout", "90s")
    assert (told["outcome"], told["exit"], told["held"]) == ("done", 0, [])
    assert here.where()["APP01"] == "HV02"
    here.assert_unharmed(calls=2)


# --- the heart of the field report ---


def test_vmms_is_restarted_after_the_job_was_killed(site: Callable[..., Site], tmp_path: Path) -> None:
    # Others are backed up and migrated in it, too: what of that is on HV03 would be waited for.
    here = site(without("stuck-writer", "rct_backup", "migrations", folder=tmp_path), at=45 * 60)
    plan = tmp_path / "plan.json"
    ran = here("vmms", "HV03", "-o", str(plan))
    assert ran.code == 3
    assert "a backup was left behind, likely" in ran.out
    words = ("vmms", "HV03", "--backup-stopped", "HV03")
    home = {name for name, node in here.where().items() if node == "HV03"}
    told = here.applied(*words, "--confirm", "HV03")
    assert (told["outcome"], told["exit"]) == ("done", 0), told["lines"]
    assert [(stage["action"], stage["state"]) for stage in told["stages"]] == [
        ("drain", "done"),
        ("stop", "done"),
        ("start", "done"),
        ("resume", "done"),
    ]
    assert any("Hyper-V VSS Writer is back and [1]" in line["text"] for line in told["lines"])
    assert {item["target"]["name"] for item in told["items"]} <= home
    where = here.where()
    assert {item["target"]["name"]: where[item["target"]["name"]] for item in told["items"]} == {
        item["target"]["name"]: "HV03" for item in told["items"]
    }
    assert here("writers").code == 0
    here.assert_unharmed(calls=4)


# --- ends that are none ---


def test_ctrl_c_ends_hvtui_and_says_what_goes_on(site: Callable[..., Site], tmp_path: Path) -> None:
    here = site(small(tmp_path, vms=ON_ONE), speed=2.0)
    words = ["drain", "HV01", "--config", str(here.config), "--apply", "--confirm", "HV01"]
    command = [sys.executable, "-m", "hvtui", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        assert any("is draining" in line for line in running.stdout), running.stderr.read()
        running.send_signal(signal.SIGINT)
        said = running.stderr.read()
        assert running.wait(60) == 130, said
    assert "what Windows was asked for goes on there" in said
    assert "HV01 stays paused until it is resumed: hvtui resume HV01" in said
    assert "Traceback" not in said
    operation = re.search(r"hvtui journal show ([0-9a-f-]{36})", said)
    assert operation is not None
    assert here("journal", "show", operation[1]).code == 0
    # Windows drains on. The next command says what was left, and the way back is a command of its own.
    here.lab.advance(180)
    assert "HV01" not in here.where().values()
    reminded = here("drain", "HV02").err
    assert f"hvtui journal close {operation[1]} --note TEXT" in reminded
    assert "HV01 is paused, its drain is Completed" in reminded
    assert "next: hvtui resume HV01 --failback none" in reminded
    told = here.applied("resume", "HV01", "--failback", "none")
    assert (told["outcome"], told["exit"]) == ("done", 0), told["lines"]
    assert "left unfinished by an earlier console: Drain HV01" in here("summary").out
    assert here("journal", "close", operation[1][:8], "--note", "resumed").code == 0
    assert "Open\n- nothing of hvtui" in here("summary").out
    assert here("journal", "close", operation[1], "--note", "again").code == 2
    assert len(Journal().lines(operation=operation[1])) >= 3
    here.assert_unharmed(calls=2)


def test_without_an_answer_it_is_2_and_one_log_on(site: Callable[..., Site], tmp_path: Path) -> None:
    here = site(small(tmp_path, vms=ON_ONE), speed=1.0)
    good = here.config.read_text(encoding="utf-8")
    here.config.write_text(good.replace(here.lab.password, "wrong"), encoding="utf-8")
    ran = here("drain", "HV01", "--apply", "--confirm", "HV01")
    assert (ran.code, ran.out) == (2, "")
    assert "refused" in ran.err
    assert here.lab.logons[here.lab.username].failed == 1
    here.config.write_text(good, encoding="utf-8")
    for name in ("HV01", "HV02", "HV03"):
        here.lab.node(name).stop()
    ran = here("align")
    assert (ran.code, ran.out) == (2, "")
    assert "no picture of CLU-OPS" in ran.err
    here.assert_unharmed(calls=0)
