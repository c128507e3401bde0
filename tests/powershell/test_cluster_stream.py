"""Watch-HvTuiCluster on a real engine: what it writes decodes into the records of the contract."""

from __future__ import annotations

import copy
from typing import Any

import msgspec

from hvtui.model.records import ClusterFrame, CsvIo
from tests.powershell import worlds
from tests.powershell.engine import Runner, needs_engine
from tests.powershell.worlds import SQL, WEB

pytestmark = needs_engine

DISK = "4444dddd-0000-4000-8000-000000000001"
VOLUME = "\\\\?\\Volume{aa}\\"


def frames(runner: Runner, *steps: dict[str, Any], count: int | None = None, **parameters: Any) -> list[ClusterFrame]:
    answer = runner.run("Watch-HvTuiCluster", {"steps": list(steps)}, Count=count or len(steps), **parameters)
    return [msgspec.json.decode(line, type=ClusterFrame, strict=True) for line in answer]


def changed(**rows: dict[str, Any]) -> dict[str, Any]:
    """A later step: instances of a class, found by name, get other values."""
    world = worlds.cluster()
    for name, changes in rows.items():
        kind, _, title = name.partition("__")
        for row in world["cim"][kind]:
            if row["Name"] == title.replace("_", " "):
                row.update(changes)
    return {"cim": {name.partition("__")[0]: world["cim"][name.partition("__")[0]] for name in rows}}


def test_one_full_picture_has_everything(runner: Runner) -> None:
    (frame,) = frames(runner, worlds.cluster())
    assert (frame.kind, frame.seq, frame.errors) == ("full", 1, [])
    c = frame.cluster
    assert c is not None
    assert (c.id, c.name, c.functional_level) == ("6666ffff-0000-4000-8000-000000000001", "CLU-TEST", 10)
    assert (c.quorum_type, c.witness, c.witness_state, c.witness_weight) == (1, "Physical Disk", 2, 1)
    assert (c.dynamic_quorum, c.max_parallel_migrations, c.enforced_anti_affinity) == (1, None, 0)
    assert (c.csv_root, c.answered_by) == ("C:\\ClusterStorage", "HV01")

    assert [n.name for n in frame.nodes or []] == ["HV01", "HV02"]
    first, second = frame.nodes or []
    assert (first.id, first.state, first.status, first.drain, first.weight, first.dynamic_weight) == (
        "1",
        0,
        0,
        0,
        1,
        1,
    )
    assert (first.drain_error, first.failback, first.build) == (0, 2, "10.0.17763")
    assert (second.drain_error, second.failback) == (None, None)

    (csv,) = frame.csvs or []
    assert (csv.id, csv.resource, csv.path) == (f"{DISK}/2", "Cluster Disk 1", "C:\\ClusterStorage\\Volume1")
    # The resource is asked more often than the volumes: its owner is the newer one.
    assert (csv.volume, csv.owner, csv.state) == (VOLUME, "HV01", 2)
    assert (csv.fault, csv.backup, csv.maintenance, csv.redirected) == (0, 1, False, False)
    assert (csv.file_system, csv.size, csv.free) == ("CSVFS", 10994914951168, 2431013945344)
    assert frame.io == [CsvIo(id=VOLUME, nodes={"HV01": (2, 0, 0), "HV02": (4, 0, 1)})]

    sql, web = frame.roles or []
    assert (sql.id, sql.name, sql.vm) == ("5555eeee-0000-4000-8000-000000000001", "SQL role", SQL)
    assert (sql.owner, sql.state, sql.status, sql.priority) == ("HV01", 0, 0, 3000)
    assert (sql.resource_state, sql.configuration_state, sql.anti_affinity) == (2, 2, ["sql"])
    assert (web.vm, web.state, web.status, web.anti_affinity) == (WEB, 1, 4, [])
    assert (web.resource_state, web.configuration_state, web.migration_state) == (3, 2, 5)


def test_changes_alone_are_sent(runner: Runner) -> None:
    got = frames(
        runner,
        worlds.cluster(),
        changed(
            MSCluster_Node__HV02={"State": 2, "StatusInformation": 4, "NodeDrainStatus": 1},
            MSCluster_Resource__Cluster_Disk_1={"OwnerNode": "HV02"},
            MSCluster_ResourceGroup__web={"OwnerNode": "HV02"},
        ),
        {"cim": {}},
    )
    assert [f.kind for f in got] == ["full", "delta", "beat"]
    delta = got[1]
    assert [(n.name, n.state, n.status, n.drain) for n in delta.nodes or []] == [("HV02", 2, 4, 1)]
    assert [c.owner for c in delta.csvs or []] == ["HV02"]
    assert [(r.name, r.owner) for r in delta.roles or []] == [("web", "HV02")]
    assert (delta.io, delta.cluster, delta.errors, delta.gone) == (None, None, None, {})


def test_a_role_that_goes_and_one_that_comes(runner: Runner) -> None:
    later = worlds.cluster()
    new = "1111aaaa-0000-4000-8000-000000000009"
    groups = [worlds.group(1, "SQL role", Priority=3000, AntiAffinityClassNames=["sql"]), worlds.group(9, "new")]
    later["cim"]["MSCluster_Resource"] += [worlds.resource("Virtual Machine new", "Virtual Machine", "new", VmID=new)]
    step = {"cim": {"MSCluster_ResourceGroup": groups, "MSCluster_Resource": later["cim"]["MSCluster_Resource"]}}
    _, delta = frames(runner, worlds.cluster(), step)
    assert delta.gone == {"roles": ["5555eeee-0000-4000-8000-000000000002"]}
    assert [(r.name, r.vm) for r in delta.roles or []] == [("new", new)]


def test_unknown_is_minus_one_not_four_billion(runner: Runner) -> None:
    step = changed(
        MSCluster_Node__HV02={"State": 4294967295},
        MSCluster_ResourceGroup__web={"State": 4294967295},
        MSCluster_Resource__Virtual_Machine_web={"State": 4294967295},
    )
    _, delta = frames(runner, worlds.cluster(), step)
    assert [n.state for n in delta.nodes or []] == [-1]
    assert [(r.state, r.resource_state) for r in delta.roles or []] == [(-1, -1)]


def test_without_private_properties_one_pipeline_of_cmdlets_tells_the_vms(runner: Runner) -> None:
    world = worlds.cluster()
    for row in world["cim"]["MSCluster_Resource"]:
        private, row["PrivateProperties"] = row["PrivateProperties"], None
        if private:
            kind = {"ResourceType": {"Name": row["Type"]}, "Id": row["Id"], "Parameters": private}
            world["commands"].setdefault("Get-ClusterResource", []).append(kind)
    answer = runner.run("Watch-HvTuiCluster", {"steps": [world]}, Count=1)
    assert answer.asked.count("Get-ClusterResource") == 1
    frame = msgspec.json.decode(answer[0], type=ClusterFrame)
    assert [r.vm for r in frame.roles or []] == [SQL, WEB]
    # The migration is in the private properties alone.
    assert [(p.part, p.kind) for p in frame.errors or []] == [("roles.migration_state", "missing")]


def test_a_role_keeps_its_vm_while_resources_cannot_be_read(runner: Runner) -> None:
    """Its VM is the key under which everything about it is kept: it must not come and go with one question."""
    denied = {"fail": worlds.fail("MSCluster_Resource", "Access is denied", 0x80070005)}
    got = frames(runner, worlds.cluster(), *[denied] * 6)
    assert [(r.name, r.vm, r.resource_state) for r in got[1].roles or []] == [
        ("SQL role", SQL, None),
        ("web", WEB, None),
    ]
    assert [p.part for p in got[1].errors or []] == ["roles.resources"]
    vms = {r.name: r.vm for frame in got for r in frame.roles or []}
    assert vms == {"SQL role": SQL, "web": WEB}
    last = next(f.errors for f in reversed(got) if f.errors)
    assert sorted(p.part for p in last) == ["roles.resources", "roles.vm"]


def test_a_role_whose_vm_nobody_tells_is_named(runner: Runner) -> None:
    world = worlds.cluster()
    for row in world["cim"]["MSCluster_Resource"]:
        row["PrivateProperties"] = None
    (frame,) = frames(runner, world)
    assert [r.vm for r in frame.roles or []] == [None, None]
    assert {(p.part, p.kind) for p in frame.errors or []} == {
        ("roles.vm", "missing"),
        ("roles.migration_state", "missing"),
    }


def test_an_account_that_is_shown_nothing_is_denied(runner: Runner) -> None:
    world = worlds.cluster()
    world["cim"] = {}
    (frame,) = frames(runner, world)
    assert (frame.nodes, frame.roles) == (None, None)
    denied = {p.part for p in frame.errors or [] if p.kind == "denied"}
    assert denied == {"nodes", "roles", "roles.resources", "roles.vm", "csvs.fault"}
    # Cmdlets may still be allowed.
    assert frame.cluster is not None
    assert [c.owner for c in frame.csvs or []] == ["HV02"]


def test_a_stopped_cluster_service_leaves_every_section_absent(runner: Runner) -> None:
    step: dict[str, Any] = {"fail": {}}
    for name in (*worlds.cluster()["cim"], *worlds.cluster()["commands"]):
        step["fail"].update(worlds.fail(name, "The cluster service is not running.", 0x800713AC))
    first, second = frames(runner, step, step)
    assert (first.cluster, first.nodes, first.csvs, first.io, first.roles) == (None,) * 5
    assert {p.kind for p in first.errors or []} == {"unavailable"}
    assert second.kind == "beat"


def test_a_hanging_cluster_service_keeps_the_cmdlets_away(runner: Runner) -> None:
    hang = {"fail": worlds.fail("MSCluster_Node", "timed out", 0x80041069, seconds=10)}
    answer = runner.run("Watch-HvTuiCluster", {"steps": [hang]}, Count=1)
    frame = msgspec.json.decode(answer[0], type=ClusterFrame)
    assert {p.kind for p in frame.errors or []} == {"timeout"}
    assert {p.part for p in frame.errors or []} >= {"nodes", "roles", "cluster", "csvs", "io"}
    # The cmdlets have no deadline: they are not asked while CIM's runs out.
    assert answer.asked == ["MSCluster_Node"]


def test_without_a_witness_the_word_is_empty(runner: Runner) -> None:
    world = worlds.cluster()
    world["commands"]["Get-ClusterQuorum"] = {"QuorumType": 1, "QuorumResource": None}
    broken = copy.deepcopy(world)
    broken["fail"] = worlds.fail("Get-ClusterQuorum", "no", 0x80070005)
    (without,) = frames(runner, world)
    (unread,) = frames(runner, broken)
    assert without.cluster is not None
    assert (without.cluster.witness, without.cluster.witness_state) == ("", None)
    assert unread.cluster is not None
    assert (unread.cluster.witness, unread.cluster.quorum_type) == (None, None)
    assert [p.part for p in unread.errors or []] == ["cluster.quorum"]


def test_slow_questions_keep_their_cadence(runner: Runner) -> None:
    answer = runner.run("Watch-HvTuiCluster", {"steps": [worlds.cluster()]}, Count=31, SlowSeconds=30)
    assert answer.asked.count("MSCluster_Node") == 31
    # At most one slow question a round: the third falls behind others that were due first.
    assert answer.asked.count("Get-ClusterSharedVolume") == 2
    assert 5 <= answer.asked.count("Get-ClusterSharedVolumeState") <= 7


def test_names_of_every_kind_arrive_whole(runner: Runner) -> None:
    world = worlds.cluster()
    world["cim"]["MSCluster_ResourceGroup"] = [worlds.group(n, name) for n, name in enumerate(worlds.HOSTILE)]
    (frame,) = frames(runner, world)
    assert [r.name for r in frame.roles or []] == worlds.HOSTILE
