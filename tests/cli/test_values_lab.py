"""Commands that set values on the lab's nodes over PowerShell Remoting: checkpoint types, checkpoints, VssAccess.

One lab for all. Each test ends with the same questions: nobody harmed, nothing carried out twice, the journal whole.
"""

from __future__ import annotations

import asyncio
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from hvtui.journal.verify import verify
from hvtui.lab.native import checkpoint_types
from hvtui.lab.serve import Lab
from hvtui.lab.world import World
from hvtui.model.enums import CheckpointType
from hvtui.paths import state_dir
from tests.cli.test_acting_lab import Site
from tests.support.cli import Shell
from tests.support.desk import small
from tests.support.executed import executed
from tests.support.fuller import in_fuller_run
from tests.support.schemas import checked

pytestmark = [pytest.mark.timeout(300)]

FAST: Final = 20.0
ACCOUNT: Final = "CORP\\svc-replay"
MORE: Final = """
[[vms]]
prefix = "TYPE"
count = 24
memory_gb = 1
nodes = ["HV03"]

[[vms]]
name = "FAILS"
memory_gb = 1
nodes = ["HV02"]
set_fails = "The disk is full."

[[vms]]
prefix = "BAD"
count = 12
memory_gb = 1
nodes = ["HV02"]
set_fails = "The disk is full."

[[vms]]
name = "CANNOT"
memory_gb = 1
guest = "linux-no-daemon"
nodes = ["HV02"]
"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    folder = tmp_path_factory.mktemp("lab")
    file = small(folder, cluster=f"account = '{ACCOUNT}'", vms='nodes = ["HV01"]', more=MORE)
    with Lab(file, speed=FAST) as running:
        yield running


class Here(Site):
    """A site in a lab that others use before and after."""

    def types(self) -> dict[str, str]:
        """VM → its checkpoint type, as the world has it."""
        found: dict[str, str] = self.lab.call(
            lambda w: {vm.name: CheckpointType(vm.checkpoint_type).name for vm in w.vms.values()}
        )
        return found

    def access(self) -> dict[str, dict[str, int]]:
        """Node → its entries of VssAccessControl."""
        found: dict[str, dict[str, int]] = self.lab.call(
            lambda w: {node.name: dict(node.access_control) for node in w.nodes.values()}
        )
        return found

    def change(self, name: str, **fields: Any) -> None:
        """Somebody else changes a VM."""

        def work(world: World) -> None:
            vm = next(vm for vm in world.vms.values() if vm.name == name)
            for field, value in fields.items():
                setattr(vm, field, value)
            vm.touch()

        self.lab.call(work)


@pytest.fixture
def here(lab: Lab, shell: Shell, tmp_path: Path) -> Iterator[Here]:
    site = Here(lab, shell, tmp_path / "lab.toml")
    yield site
    assert lab.call(lambda w: list(w.ledger.entries)) == []
    assert set(lab.call(executed).values()) <= {1}
    assert verify(state_dir() / "journal").faults == ()


def lines_of(text: str, pattern: str) -> list[str]:
    return re.findall(rf"^\d\d:\d\d:\d\d (?:! )?{pattern}$", text, re.MULTILINE)


# --- checkpoint types ---


def test_types_are_set_told_vm_by_vm_and_given_back(here: Here) -> None:
    before = here.types()
    words = ("policy", "set", "standard", "--node", "HV01")
    dry = here(*words)
    assert dry.code == 0, dry.out + dry.err
    assert "Changes: 6 (6 × Production → Standard)" in dry.out
    assert "brings the old memory back" in dry.out
    assert "--apply --confirm CLU-OPS" in dry.out
    assert here(*words, "--apply").code == 3
    assert here(*words, "--apply", "--confirm", "CLU-OTHER").code == 3
    assert here.types() == before

    ran = here(*words, "--apply", "--confirm", "CLU-OPS")
    assert ran.code == 0, ran.out + ran.err
    assert sorted(lines_of(ran.out, r"(APP0\d): Production → Standard")) == [f"APP0{n}" for n in range(1, 7)]
    assert here.types() == before | {f"APP0{n}": "Standard" for n in range(1, 7)}
    again = here(*words, "--apply")
    assert again.code == 0
    assert "There is nothing to do." in again.out

    here.change("APP02", checkpoint_type=int(CheckpointType.Disabled))
    plan = checked("plan", here("policy", "undo", "--json").out)
    assert {change["target"]["name"]: change["after"] for change in plan["changes"]} == {
        f"APP0{n}": "Production" for n in (1, 3, 4, 5, 6)
    }
    (left,) = plan["left"]
    assert (left["vm"]["name"], "somebody set Disabled since" in left["text"]) == ("APP02", True)
    told = here.applied("policy", "undo", plan["options"]["operation"][:8])
    assert (told["outcome"], told["exit"]) == ("done", 0), told["lines"]
    assert here.types() == before | {"APP02": "Disabled"}
    assert here("policy", "undo").code == 3, "each is undone once"
    here.change("APP02", checkpoint_type=int(CheckpointType.Production))


@in_fuller_run
def test_a_plan_in_a_file_is_carried_out_as_it_is_or_not_at_all(here: Here, tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    assert here("policy", "set", "ProductionOnly", "--vm", "TYPE01", "TYPE02", "-o", str(file)).code == 0
    here.change("TYPE02", checkpoint_type=int(CheckpointType.Standard))
    ran = here("policy", "set", "ProductionOnly", "--apply", "--plan", str(file))
    assert ran.code == 3
    assert "TYPE02 is Standard; the plan says Production" in ran.out
    assert here.types()["TYPE01"] == "Production"
    here.change("TYPE02", checkpoint_type=int(CheckpointType.Production))
    assert here("policy", "set", "Disabled", "--apply", "--plan", str(file)).code == 3, "that is another type"
    ran = here("policy", "set", "ProductionOnly", "--apply", "--plan", str(file))
    assert ran.code == 0, ran.out + ran.err
    assert [here.types()[name] for name in ("TYPE01", "TYPE02", "TYPE03")] == [
        "ProductionOnly",
        "ProductionOnly",
        "Production",
    ]
    assert here("policy", "undo", "--apply").code == 0
    assert set(here.types().values()) == {"Production"}


@in_fuller_run
def test_a_filter_chooses_and_json_lines_tell_each(here: Here) -> None:
    words = ("policy", "set", "ProductionOnly", "--filter", "type:production vm:type0", "--apply", "--jsonl")
    ran = here(*words)
    lines = [checked("line", line) for line in ran.out.splitlines()]
    assert [line["kind"] for line in lines] == ["item"] * 9 + ["end"]
    assert {line["target"]["name"] for line in lines[:-1]} == {f"TYPE0{n}" for n in range(1, 10)}
    assert (lines[-1]["outcome"], lines[-1]["exit"], lines[-1]["counts"]) == ("done", 0, {"done": 9})
    none = here("policy", "set", "ProductionOnly", "--filter", "type:=production vm:type0", "--json")
    assert (none.code, checked("plan", none.out)["changes"]) == (0, [])
    assert here("policy", "undo", "--apply").code == 0
    assert set(here.types().values()) == {"Production"}


@in_fuller_run
def test_one_that_windows_refuses_is_left_over_and_offered_again(here: Here) -> None:
    told = here.applied("policy", "set", "ProductionOnly", "--vm", "FAILS", "CANNOT")
    assert (told["outcome"], told["exit"]) == ("failed", 1)
    items = {item["target"]["name"]: item for item in told["items"]}
    assert items["CANNOT"]["state"] == "done"
    assert (items["FAILS"]["state"], "The disk is full." in items["FAILS"]["text"]) == ("failed", True)
    offer = next(offer for offer in told["offers"] if "Try again" in offer["text"])
    assert offer["command"] == f"hvtui policy set ProductionOnly --vm {items['FAILS']['target']['id']}"
    assert here("policy", "undo", "--apply").code == 0
    assert set(here.types().values()) == {"Production"}


def test_it_stops_after_failures_in_a_row_and_says_what_was_not_begun(here: Here) -> None:
    ran = here("policy", "set", "ProductionOnly", "--filter", "bad", "--apply")
    assert ran.code == 1
    assert "not begun: its node stopped" in ran.out
    assert "next: hvtui policy set ProductionOnly --vm " in ran.out
    failed = [line for line in ran.out.splitlines() if re.match(r"BAD\d+: failed", line)]
    undone = [line for line in ran.out.splitlines() if re.match(r"BAD\d+: cancelled", line)]
    assert (len(failed), len(undone)) == (5, 7)
    assert set(here.types().values()) == {"Production"}


def test_ctrl_c_stops_between_two_vms_and_tells_both_sides(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ["policy", "set", "ProductionOnly", "--filter", "type -bad -app", "--apply", "--confirm", "CLU-OPS"]
    go = threading.Event()
    change, asked = checkpoint_types._one, list[str]()

    async def slow(*values: Any) -> None:
        asked.append(values[2])
        if len(asked) > 3:
            # The fourth takes until Ctrl+C was pressed, those after it as long as Windows takes.
            await asyncio.to_thread(go.wait, 60)
            await asyncio.sleep(0.25)
        await change(*values)

    monkeypatch.setattr(checkpoint_types, "_one", slow)
    command = [sys.executable, "-m", "hvtui", *words, "--config", str(here.config)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        said = []
        for line in running.stdout:
            said.append(line)
            if lines_of("".join(said), r"TYPE\d\d: Production → ProductionOnly"):
                break
        running.send_signal(signal.SIGINT)
        err = next(iter(running.stderr), "")
        go.set()
        out = "".join(said) + running.stdout.read()
        err += running.stderr.read()
        assert running.wait(60) == 130, err
    assert "stopping: the VM at work is finished" in err
    assert "Traceback" not in err
    done = {name for name, kind in here.types().items() if kind == "ProductionOnly"}
    assert 3 <= len(done) < 24
    assert f"{len(done)} of 24 VMs" in out
    named = lines_of(out, r"(TYPE\d\d): Production → ProductionOnly(?:, read back)?")
    assert sorted(named) == sorted(done), "what was done is told, each once"
    # On a busy machine the node's answer to the stop may come too late: then it is unknown what became of them.
    undone = set(re.findall(r"^(TYPE\d\d): (?:cancelled|unknown)", out, re.MULTILINE))
    assert undone == {f"TYPE{n:02}" for n in range(1, 25)} - done
    assert here("policy", "undo", "--apply").code == 0
    assert set(here.types().values()) == {"Production"}


# --- checkpoints ---


def checkpoints(here: Here, *words: str) -> list[dict[str, Any]]:
    told = checked("checkpoints", here("checkpoint", "list", *words, "--json").out)
    (vm,) = told["vms"]
    assert (told["gaps"], vm["unread"]) == ([], "")
    found: list[dict[str, Any]] = vm["checkpoints"]
    return found


@in_fuller_run
def test_a_checkpoint_is_taken_told_applied_started_and_removed(here: Here) -> None:
    assert checkpoints(here, "--vm", "APP01") == []
    words = ("checkpoint", "take", "--vm", "APP01", "--name", "before [the] update*")
    dry = here(*words)
    assert dry.code == 0, dry.out + dry.err
    assert "made consistent by its guest" in dry.out
    ran = here(*words, "--apply")
    assert ran.code == 0, ran.out + ran.err
    assert "APP01: done, it became: production" in ran.out
    (one,) = checkpoints(here, "--vm", "APP01")
    assert (one["name"], one["became"], one["memory"]) == ("before [the] update*", "production", False)
    listed = here("checkpoint", "list", "--node", "HV01")
    assert listed.code == 0
    assert "before [the] update*" in listed.out
    assert "5 of 6 VMs have none." in listed.out

    words = ("checkpoint", "apply", "--vm", "app01", "--checkpoint", "BEFORE [the] update*")
    dry = here(*words)
    assert dry.code == 0, dry.out + dry.err
    assert "everything APP01 did since is discarded" in dry.out
    assert "--apply --confirm APP01" in dry.out
    assert here(*words, "--apply").code == 3
    told = here.applied(*words, "--confirm", "APP01")
    assert (told["outcome"], told["exit"]) == ("done", 0), told["lines"]
    (offer,) = told["offers"]
    vm = offer["command"].rpartition(" ")[2]
    assert offer["command"] == f"hvtui checkpoint start --vm {vm}"
    told = here.applied(*offer["command"].split()[1:])
    assert (told["outcome"], told["exit"]) == ("done", 0), told["lines"]

    words = ("checkpoint", "remove", "--vm", "APP01", "--checkpoint", one["id"].upper())
    assert here(*words, "--apply").code == 3
    told = here.applied(*words, "--confirm", "APP01")
    assert (told["outcome"], told["exit"]) == ("done", 0), told["lines"]
    assert checkpoints(here, "--vm", "APP01") == []


@in_fuller_run
def test_a_silent_fallback_is_told(here: Here) -> None:
    dry = here("checkpoint", "take", "--vm", "CANNOT")
    assert "falls back to one with memory, without a word" in dry.out
    told = here.applied("checkpoint", "take", "--vm", "CANNOT")
    assert (told["outcome"], told["exit"]) == ("done", 0), told["lines"]
    (item,) = told["items"]
    assert item["text"] == "it became: standard, with memory, though its type is Production"
    assert any("a silent fallback" in line["text"] for line in told["lines"])
    (one,) = checkpoints(here, "--vm", "CANNOT")
    assert (one["became"], one["memory"]) == ("standard, with memory", True)
    listed = here("checkpoint", "list", "--vm", "CANNOT", "APP02").out
    assert "CANNOT: a checkpoint with memory was taken at " in listed, "the journal of the run before tells it"


def test_a_checkpoint_that_is_not_there_is_refused(here: Here) -> None:
    ran = here("checkpoint", "apply", "--vm", "APP02", "--checkpoint", "none")
    assert (ran.code, ran.out) == (3, "")
    assert "APP02 has no checkpoint none" in ran.err


# --- VssAccessControl ---


@in_fuller_run
def test_an_account_is_let_in_on_all_nodes_and_taken_out_again(here: Here) -> None:
    before = here.access()
    told = checked("vssaccess", here("vssaccess", "list", "--json").out)
    assert {node["name"]: node["unread"] for node in told["nodes"]} == dict.fromkeys(before, "")
    assert (told["checks"], told["events_unread"]) == ([], [])
    assert {row["account"].lower() for row in told["accounts"]} == {
        name.lower() for node in before.values() for name in node
    }
    words = ("vssaccess", "set", ACCOUNT, "writer", "--all")
    dry = here(*words)
    assert dry.code == 0, dry.out + dry.err
    assert "3 × absent → 1" in dry.out
    assert here(*words, "--apply").code == 3
    assert here.access() == before
    ran = here(*words, "--apply", "--confirm", "CLU-OPS")
    assert ran.code == 0, ran.out + ran.err
    assert here.access() == {node: had | {ACCOUNT: 1} for node, had in before.items()}
    assert here(*words, "--apply").code == 0, "again: there is nothing to do"
    listed = here("vssaccess", "list")
    assert listed.code == 0, listed.err
    assert ACCOUNT in listed.out
    assert "1 writer" in listed.out
    told = here.applied("vssaccess", "undo", "--confirm", "CLU-OPS")
    assert (told["outcome"], told["exit"]) == ("done", 0)
    assert here.access() == before


@pytest.mark.parametrize(
    ("account", "value", "rule"), [("BUILTIN\\Users", "2", "vss-wide"), (ACCOUNT, "0", "vss-value")]
)
def test_what_is_never_let_in_is_refused(account: str, value: str, rule: str, here: Here) -> None:
    before = here.access()
    ran = here("vssaccess", "set", account, value, "--all", "--apply", "--confirm", "CLU-OPS", "--json")
    assert (ran.code, here.access()) == (3, before)
    assert {refusal["rule"] for refusal in checked("run", ran.out)["refusals"]} == {rule}


def test_an_account_nobody_knows_is_refused_by_the_node(here: Here) -> None:
    before = here.access()
    ran = here("vssaccess", "set", "CORP\\nobody", "1", "--node", "HV01", "--apply", "--confirm", "HV01")
    assert ran.code == 1, ran.out
    assert "CORP\\nobody" in ran.out
    assert here.access() == before
