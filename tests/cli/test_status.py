"""`hvtui status` and `hvtui writers` against the lab: the same picture as the world it serves."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from hvtui.lab.serve import Lab
from hvtui.lab.world import World
from hvtui.lab.world.vm import Vm
from hvtui.model import enums
from tests.support.cli import Ran, Shell, program
from tests.support.schemas import checked


@pytest.fixture(scope="module", params=["healthy", "drift"])
def standing(request: pytest.FixtureRequest) -> Iterator[Lab]:
    """A lab whose time stands still, so that a picture can be compared with it."""
    with Lab(request.param, speed=0, at=600) as lab:
        yield lab


@pytest.fixture
def lab() -> Iterator[Lab]:
    with Lab("healthy", speed=0) as lab:
        yield lab


def configured(folder: Path, lab: Lab, change: tuple[str, str] | None = None) -> str:
    path = folder / "lab.toml"
    text = lab.config_text()
    path.write_text(text.replace(*change) if change else text, encoding="utf-8")
    return str(path)


def stamp(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def seconds(time: str | None) -> str | None:
    """Windows tells uptimes in whole seconds."""
    return time and time[:19]


def csv_names(world: World, paths: list[str]) -> set[str]:
    found = (world.csv_of(path) for path in paths)
    return {csv.path.rpartition("\\")[2] for csv in found if csv is not None}


def world_vm(world: World, vm: Vm) -> dict[str, Any]:
    """What the picture must say of a VM, straight from the world."""
    role = vm.role
    paths = [*vm.files(), vm.configuration, vm.checkpoint_path]
    owners = {csv.owner.name for path in paths if (csv := world.csv_of(path)) is not None}
    at_rest = vm.state in (enums.VmState.Off, enums.VmState.Saved)
    return {
        "name": vm.name,
        "id": vm.id,
        "node": vm.node.name,
        "csvs": csv_names(world, paths),
        "csv_owners": owners,
        "drift": bool(owners) and vm.node.name not in owners and not at_rest,
        "checkpoint_type": enums.CheckpointType(vm.checkpoint_type).name,
        "checkpoints": sum(1 for _ in vm.checkpoints),
        "role": role.name if role else None,
        "clustered": role is not None,
        "role_state": enums.GroupState(role.state).name if role else None,
        "state": enums.VmState(vm.state).name,
        "status": [enums.OperationalStatus(n).name for n in vm.operational()],
        "replication": enums.ReplicationMode(vm.replication).name,
        "version": vm.config_version,
        "started": None if vm.started is None else seconds(stamp(world.on_clock(vm.node, vm.started))),
        "last_backup": None if vm.last_backup is None else seconds(stamp(world.on_clock(vm.node, vm.last_backup))),
        "cpu_percent": world.vm_load(vm)[0],
        "memory_mb": world.vm_load(vm)[1],
        "jobs": len([job for job in vm.node.jobs.values() if job.vm == vm.id]),
    }


def told_vm(vm: dict[str, Any]) -> dict[str, Any]:
    """The same fields as the picture tells them, in the same shapes."""
    taken = {key: value for key, value in vm.items() if key not in {"role_status", "heartbeat", "vss"}}
    counts = sum(count["count"] for count in vm["checkpoints"])
    return taken | {
        "csvs": set(vm["csvs"]),
        "csv_owners": set(vm["csv_owners"]),
        "checkpoints": counts,
        "jobs": len(vm["jobs"]),
        "started": seconds(vm["started"]),
        "last_backup": seconds(vm["last_backup"]),
    }


def test_the_picture_of_a_second_process_is_the_world(standing: Lab, tmp_path: Path) -> None:
    ran = program("status", "--json", "--config", configured(tmp_path, standing))
    told = checked("status", ran.out)
    assert told["unread"] == []
    assert told["writers"] is None

    expected: dict[str, dict[str, Any]] = standing.call(
        lambda world: {vm.id: world_vm(world, vm) for vm in world.vms.values()}
    )
    found = {vm["id"]: told_vm(vm) for vm in told["vms"]}
    assert found.keys() == expected.keys()
    for key, vm in expected.items():
        assert found[key] == vm

    def csvs(world: World) -> dict[str, Any]:
        return {
            csv.id: {
                "name": csv.path.rpartition("\\")[2],
                "path": csv.path,
                "volume": csv.volume,
                "owner": csv.owner.name,
                "state": enums.ResourceState(csv.state).name,
                "fault": enums.flags_of(enums.FaultState, csv.fault).split(", ") if csv.fault else [],
                "size": csv.size,
                "free": csv.free(world.elapsed),
                "maintenance": csv.maintenance,
                "redirected": csv.redirected,
                "io": {node.name: enums.CsvIoState(csv.io_state(node)[0]).name for node in world.nodes.values()},
            }
            for csv in world.csvs.values()
        }

    shared = [key for key in next(iter(standing.call(csvs).values())) if key != "io"]
    assert {
        csv["id"]: {
            **{key: csv[key] for key in shared},
            "io": {node: io["state"] for node, io in csv["io"].items()},
        }
        for csv in told["csvs"]
    } == standing.call(csvs)

    def nodes(world: World) -> list[dict[str, Any]]:
        return [
            {
                "name": node.name,
                "state": enums.NodeState(node.state).name,
                "contact": "live",
                "boot": seconds(stamp(world.on_clock(node, node.boot))),
                "vmms": node.services["vmms"].state,
                "cluster_service": node.services["ClusSvc"].state,
                "processors": node.processors,
                "memory": node.memory,
                "vms": len(node.vms),
                "time": stamp(world.time_of(node)),
            }
            for node in world.nodes.values()
        ]

    wanted = standing.call(nodes)
    found_nodes = [node | {"boot": seconds(node["boot"])} for node in told["nodes"]]
    assert [{key: node[key] for key in wanted[0]} for node in found_nodes] == wanted
    cluster = standing.call(lambda world: world.cluster)
    assert (told["cluster"]["name"], told["cluster"]["id"]) == (cluster.name, cluster.id)
    assert told["cluster"]["witness"] == cluster.witness


def test_writers_are_read_only_when_asked_for(lab: Lab, tmp_path: Path, shell: Shell) -> None:
    path = configured(tmp_path, lab)
    without = checked("status", shell("status", "--json", "--config", path).out)
    assert without["writers"] is None
    assert "writers" not in {one["what"] for one in without["unread"]}
    told = checked("status", shell("status", "--json", "--writers", "--config", path).out)
    alone = checked("writers", shell("writers", "--json", "--config", path).out)
    expected = lab.call(
        lambda world: {(node.name, w.id, w.instance) for node in world.nodes.values() for w in node.writers}
    )
    for writers in (told["writers"], alone["writers"]):
        assert {(w["node"], w["id"], w["instance"]) for w in writers} == expected


def test_a_failed_writer_is_wrong(lab: Lab, tmp_path: Path, shell: Shell) -> None:
    def fail(world: World) -> None:
        writer = next(w for w in world.nodes["HV03"].writers if "Hyper-V" in w.name)
        writer.state, writer.error = 5, "Retryable error"

    lab.call(fail)
    path = configured(tmp_path, lab)
    ran = shell("writers", "--config", path)
    assert ran.code == 1
    assert re.search(r"^ +✗ +HV03 +11 +1 ", ran.out, re.MULTILINE)
    assert len(re.findall(r"^ +✓ +HV0\d +12 +0 ", ran.out, re.MULTILINE)) == 7
    assert "HV03: not well" in ran.out
    assert "Retryable error" in ran.out
    assert shell("status", "--writers", "--config", path).code == 1
    assert shell("status", "--config", path).code == 0


@pytest.mark.parametrize(("scenario", "code"), [("healthy", 0), ("limit", 0), ("drift", 1)])
def test_noise_is_no_fault_and_a_fault_is_no_noise(scenario: str, code: int, tmp_path: Path, shell: Shell) -> None:
    """ReFS redirection, VMs that are off, replica checkpoints: none of it is 1; a node that has lost a disk is."""
    with Lab(scenario, speed=0, at=60) as lab:
        ran = shell("status", "--config", configured(tmp_path, lab))
    assert ran.code == code, ran.out[:2000]


def test_an_unreachable_node_among_many_is_1_and_in_unread(lab: Lab, tmp_path: Path, shell: Shell) -> None:
    lab.node("HV03").stop()
    path = configured(tmp_path, lab)
    ran = shell("status", "--json", "--config", path)
    told = checked("status", ran.out)
    assert ran.code == 1
    (unread,) = told["unread"]
    assert (unread["where"], unread["what"]) == ("HV03", "node")
    assert "Nothing listens" in unread["why"]
    assert unread["hint"]
    node = next(node for node in told["nodes"] if node["name"] == "HV03")
    assert (node["contact"], node["vms"], node["cpu_percent"], node["state"]) == ("unreachable", None, None, "Up")
    lost = lab.call(lambda world: {vm.name for vm in world.nodes["HV03"].vms.values()})
    known = {vm["name"]: vm for vm in told["vms"]}
    assert lost <= known.keys()
    assert all(known[name]["state"] is None and known[name]["csvs"] is None for name in lost)
    people = shell("status", "--config", path)
    assert "not read: HV03, node: Nothing listens" in people.out


def test_no_node_at_all_is_2_and_still_one_object(lab: Lab, tmp_path: Path, shell: Shell) -> None:
    path = configured(tmp_path, lab)
    lab.stop()
    ran = shell("status", "--json", "--config", path)
    told = checked("status", ran.out)
    assert ran.code == 2
    assert told["csvs"] is None
    assert told["cluster"]["name"] is None
    assert told["vms"] is None, "nobody told of VMs: that is not zero VMs"
    assert {one["where"] for one in told["unread"]} >= {"cluster", "HV01"}
    assert [node["name"] for node in told["nodes"]] == sorted(node["name"] for node in told["nodes"])
    people = shell("status", "--config", path)
    assert people.code == 2
    assert "no picture" in people.out
    assert "0 VMs" not in people.out
    assert shell("writers", "--config", path).code == 2


def test_a_wrong_password_is_tried_once_by_each_command(lab: Lab, tmp_path: Path, shell: Shell) -> None:
    path = configured(tmp_path, lab, (lab.password, "wrong"))
    for count, command in enumerate(("status", "writers"), 1):
        ran = shell(command, "--json", "--config", path)
        assert ran.code == 2
        assert lab.logons[lab.username].failed == count
        assert "wrong" not in ran.out + ran.err
    assert "refused the log-on" in ran.out
    people = shell("status", "--config", path).out
    assert people.count("refused the log-on") == 1, "one reason is told once, however many nodes it hits"
    assert re.search(r"not read: cluster; HV01, HV02.*, node: HV01 refused", people)


def test_what_a_node_could_not_tell_is_unread_with_its_reason(lab: Lab, tmp_path: Path, shell: Shell) -> None:
    lab.call(lambda world: world.nodes["HV02"].faults.unreadable.update({"vms.last_backup": "denied"}))
    ran = shell("status", "--json", "--config", configured(tmp_path, lab))
    told = checked("status", ran.out)
    assert ran.code == 1
    assert [(one["where"], one["what"]) for one in told["unread"]] == [("HV02", "vms.last_backup")]
    assert told["unread"][0]["why"]
    for vm in told["vms"]:
        if vm["node"] == "HV02":
            assert vm["last_backup"] is None


def _plain(ran: Ran) -> None:
    assert "\x1b" not in ran.out
    assert not re.search(r"[─│╭╮╰╯━┃]", ran.out)


@pytest.mark.parametrize("words", [["status"], ["status", "--plain"], ["status", "--writers", "--plain"], ["writers"]])
def test_people_get_words_and_no_escapes_in_a_pipe(words: list[str], lab: Lab, tmp_path: Path, shell: Shell) -> None:
    ran = shell(*words, "--config", configured(tmp_path, lab))
    assert ran.code == 0
    assert "HV01" in ran.out
    _plain(ran)


def test_hostile_names_reach_neither_terminal_nor_markup(lab: Lab, tmp_path: Path, shell: Shell) -> None:
    names = ["VM[/prod]", "[@click=app.quit]x[/]", "a\x1b[31mb", "Ünïcode 漢字", "x" * 300]

    def rename(world: World) -> None:
        for name, vm in zip(names, world.nodes["HV01"].vms.values(), strict=False):
            vm.name = name
            vm.checkpoint_type = 99
            vm.busy.append(enums.OperationalStatus.CriticalIoError)
            vm.touch()

    lab.call(rename)
    path = configured(tmp_path, lab)
    people = shell("status", "--config", path)
    _plain(people)
    assert "VM[/prod]" in people.out
    assert "[@click=app.quit]x[/]" in people.out
    told = checked("status", shell("status", "--json", "--config", path).out)
    assert set(names) <= {vm["name"] for vm in told["vms"]}
    assert {vm["checkpoint_type"] for vm in told["vms"] if vm["name"] in names} == {"99"}


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["status", "nowhere"], "no cluster `nowhere` is configured"),
        (["writers", "nowhere"], "no cluster `nowhere` is configured"),
        (["doctor", "nowhere"], "no cluster `nowhere` is configured"),
    ],
)
def test_an_unknown_cluster_is_wrong_usage(
    words: list[str], complaint: str, lab: Lab, tmp_path: Path, shell: Shell
) -> None:
    ran = shell(*words, "--config", configured(tmp_path, lab))
    assert ran.code == 64
    assert complaint in ran.err


def test_another_cluster_behind_the_name_stops_and_says_how_to_accept_it(
    lab: Lab, tmp_path: Path, shell: Shell
) -> None:
    path = configured(tmp_path, lab)
    assert shell("status", "--config", path).code == 0

    def replace(world: World) -> str:
        world.cluster.id = "99999999-0000-4000-8000-000000000001"
        return world.cluster.name

    name = lab.call(replace)
    stopped = shell("status", "--config", path)
    assert stopped.code == 2
    assert "another cluster" in stopped.err
    command = re.search(r"hvtui (config accept-id .*)$", stopped.err, re.MULTILINE)
    assert command is not None
    words = [word.strip("'\"`") for word in command[1].split()]
    assert name in words
    assert shell(*words).code == 0
    assert shell("status", "--config", path).code == 0


def test_a_few_commands_at_once_share_a_home(lab: Lab, tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    path = configured(tmp_path, lab)
    run: Callable[[int], Ran] = lambda _: program("status", "--json", "--config", path)  # noqa: E731
    with ThreadPoolExecutor(3) as pool:
        assert [ran.code for ran in pool.map(run, range(3))] == [0, 0, 0]
