"""Cases of rules about volumes, nodes, drains, migrations and placement."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hvtui.findings.finding import Sure
from hvtui.model.fltmc_text import Filter
from hvtui.model.preflight import AffinityRule, ShadowCopy, StorageJob, VirtualDisk, VmPreflight
from hvtui.model.signals import FilterPicture, ShadowPicture
from tests.support.builders import NOW, guid, volume_name
from tests.unit.findings.runner import Case, Piece, Quiet
from tests.unit.findings.scene import HIGH_AVAILABILITY, SYSTEM_CLUSTER, VMMS, WORKER, Scene

MINUTES = timedelta(minutes=1)


def _pass(scene: Scene) -> Scene:
    """Nothing more happens."""
    return scene


def _csv_event(id: int, volume: str = "Volume2", node: str = "HV01", **more: Any) -> Piece:
    return lambda s: s.event(
        id, SYSTEM_CLUSTER, node=node, VolumeName=volume, ResourceName=f"Cluster Disk {volume}", **more
    )


def _filters(scene: Scene) -> Scene:
    scene.answers.filters["HV01"] = FilterPicture(
        time=NOW,
        filters=(
            Filter(name="CVDLP", altitude="365100", instances=4),
            Filter(name="WdFilter", altitude="328010", instances=4),
        ),
    )
    return scene


def _copied(scene: Scene) -> Scene:
    """A shadow copy of Volume2 exists: somebody still reads it."""
    copy = ShadowCopy(id=guid("copy"), volume=volume_name("Volume2"), created=NOW - timedelta(hours=1))
    scene.answers.shadows["HV02"] = ShadowPicture(time=NOW, shadows=(copy,))
    return scene


def _used(node: str, megabytes: int) -> Piece:
    def piece(scene: Scene) -> Scene:
        scene.state.node(node).load = (20, megabytes)
        return scene

    return piece


def asked(name: str, **more: Any) -> VmPreflight:
    """What a node was asked of a VM that nothing ties to it."""
    fields: dict[str, Any] = {
        "state": 2,
        "clustered": True,
        "version": "10.0",
        "memory_startup": 8192,
        "memory_assigned": 8192,
        "switches": ["vSwitch"],
        "dvd": [],
        "pass_through": [],
        "shared": [],
        "gpu": 0,
        "fibre_channel": 0,
        "tpm": False,
        "possible_owners": ["HV01", "HV02"],
        "preferred_owners": [],
        "anti_affinity": [],
    }
    return VmPreflight(id=guid(name), name=name, **(fields | more))


def _host(scene: Scene, name: str = "HV02", **more: Any) -> Scene:
    fields: dict[str, Any] = {
        "memory_available": 100_000,
        "memory_total": 524_288,
        "switches": ["vSwitch"],
        "vm_versions": ["9.0", "10.0"],
        "affinity_rules": [],
    }
    return scene.preflight(name, **(fields | more))


def _draining(scene: Scene) -> Scene:
    return scene.node("HV01", state=2, status=4, drain=1)


def _drained(scene: Scene) -> Scene:
    return scene.node("HV01", state=2, status=8, drain=2)


def _failed_move(code: str = "", vm: str = "SQL07", **more: Any) -> Piece:
    return lambda s: s.event(21502, HIGH_AVAILABILITY, vm=vm, codes=[code] if code else [], **more)


def _stands(vm: str = "SQL07") -> Piece:
    return lambda s: s.role(vm, migration_state=5)


def _move(rule: str, code: str, confirm: Piece, name: str = "", sure: Sure = Sure.CERTAIN) -> Case:
    """A reason that concerns one VM: the event, the state that stands, and what its node was asked."""
    return Case(
        rule=rule,
        name=name,
        target="vm:SQL07",
        sure=sure,
        guilty=("SQL07",),
        pieces={"event": _failed_move(code), "not moved since": _stands(), "asked": confirm},
        without={"asked": Sure(sure - 1)},
    )


def _both_failed(code: str) -> dict[str, Piece]:
    return {
        "one": lambda s: [piece(s) for piece in (_failed_move(code), _stands())],
        "another": lambda s: [piece(s) for piece in (_failed_move(code, "APP01"), _stands("APP01"))],
    }


CSVS = (
    Case(
        rule="csv-left-redirected",
        target="csv:Volume2",
        sure=Sure.CERTAIN,
        pieces={
            "turned on": _csv_event(5136, node="HV02"),
            "still on": lambda s: s.csv("Volume2", redirected=True),
            "no backup": (_pass, lambda s: s.csv("Volume2", backup=1)),
            "backup state read": (_pass, lambda s: s.csv("Volume2", backup=None)),
            "no shadow copy": (_pass, _copied),
            "not in maintenance": (_pass, lambda s: s.csv("Volume2", maintenance=True)),
            "not this minute": (_pass, _csv_event(5136, node="HV02", ago=timedelta(seconds=20))),
        },
        without={"turned on": Sure.LIKELY, "backup state read": Sure.LIKELY},
    ),
    Case(
        rule="csv-left-redirected",
        name="by its I/O state",
        target="csv:Volume2",
        sure=Sure.CERTAIN,
        pieces={
            "turned on": _csv_event(5136, node="HV02"),
            "UserRequest on a node": lambda s: s.io("Volume2", "HV01", 3, 1),
        },
        without={"turned on": Sure.LIKELY},
    ),
    Case(
        rule="csv-incompatible-filter",
        target="csv:Volume2",
        sure=Sure.CERTAIN,
        pieces={"reason": lambda s: s.io("Volume2", "HV01", 3, 2), "event": _csv_event(5124)},
        without={"event": Sure.LIKELY},
    ),
    Case(
        rule="csv-incompatible-filter",
        name="volume filter named by fltmc",
        target="csv:Volume2",
        sure=Sure.CERTAIN,
        pieces={"reason": lambda s: s.io("Volume2", "HV01", 3, 4), "driver": _filters},
        without={"driver": Sure.LIKELY},
    ),
    Case(
        rule="csv-no-direct-path",
        target="csv:Volume2",
        sure=Sure.CERTAIN,
        pieces={"state": lambda s: s.io("Volume2", "HV01", 4, 0, 1), "event": _csv_event(5121)},
        without={"event": Sure.LIKELY},
    ),
    Case(
        rule="csv-no-access",
        target="csv:Volume2",
        sure=Sure.CERTAIN,
        pieces={"state": lambda s: s.io("Volume2", "HV01", 0).later(minutes=3), "event": _csv_event(5142)},
        without={"event": Sure.LIKELY},
    ),
    Case(
        rule="csv-no-access",
        name="for minutes",
        target="csv:Volume2",
        sure=Sure.LIKELY,
        pieces={
            "state": lambda s: s.io("Volume2", "HV01", 0),
            "for minutes": lambda s: s.later(minutes=3),
            "not in maintenance": (_pass, lambda s: s.csv("Volume2", maintenance=True)),
        },
    ),
    Case(
        rule="csv-no-access",
        name="resource failed",
        target="csv:Volume2",
        sure=Sure.CERTAIN,
        pieces={"resource": lambda s: s.csv("Volume2", state=4), "event": _csv_event(5150)},
        without={"event": Sure.LIKELY},
    ),
    Case(
        rule="csv-paused",
        target="csv:Volume2",
        sure=Sure.CERTAIN,
        pieces={
            "event": _csv_event(5120, ErrorCode="STATUS_CONNECTION_DISCONNECTED(c000020c)"),
            "paused now": lambda s: s.io("Volume2", "HV01", 1),
        },
        without={"paused now": Sure.LIKELY},
    ),
    Case(
        rule="csv-paused",
        name="stays so",
        target="csv:Volume2",
        sure=Sure.LIKELY,
        pieces={"paused": lambda s: s.io("Volume2", "HV01", 1), "for minutes": lambda s: s.later(minutes=3)},
    ),
    Case(
        rule="csv-timeout-2016",
        target="csv:Volume2",
        sure=Sure.CERTAIN,
        pieces={
            "event": _csv_event(5120, ago=20 * MINUTES, ErrorCode="STATUS_IO_TIMEOUT(c00000b5)"),
            "build": (
                lambda s: s.host("HV01", build="10.0.14393.2430").host("HV02", build="10.0.14393.2430"),
                lambda s: s.host("HV01", build="10.0.14393.2580").host("HV02", build="10.0.14393.2580"),
            ),
            "restarted": lambda s: s.host("HV02", boot=NOW - 40 * MINUTES),
        },
        without={"restarted": Sure.LIKELY},
    ),
)

NODES = (
    Case(
        rule="node-quarantined",
        target="node:HV02",
        sure=Sure.CERTAIN,
        pieces={
            "status": lambda s: s.node("HV02", status=2),
            "event": lambda s: s.event(1672, SYSTEM_CLUSTER, NodeName="HV02"),
        },
        without={"event": Sure.LIKELY},
    ),
    Case(
        rule="node-isolated",
        target="node:HV02",
        sure=Sure.CERTAIN,
        guilty=("WEB01",),
        pieces={
            "status": lambda s: s.node("HV02", status=1),
            "event": lambda s: s.event(1673, SYSTEM_CLUSTER, NodeName="HV02"),
        },
        without={"event": Sure.LIKELY},
    ),
    Case(
        rule="vms-unmonitored",
        target="node:HV02",
        sure=Sure.CERTAIN,
        guilty=("WEB01",),
        pieces={
            "flag": lambda s: s.role("WEB01", status=256),
            "event": lambda s: s.event(1681, SYSTEM_CLUSTER, node="HV02", ResourceName="Virtual Machine WEB01"),
            "node not isolated": (_pass, lambda s: s.node("HV02", status=1)),
        },
        without={"event": Sure.LIKELY},
    ),
    Case(
        rule="rhs-deadlock",
        target="node:HV01",
        sure=Sure.CERTAIN,
        guilty=("SQL07",),
        pieces={
            "time-out of a VM": (
                lambda s: s.event(1230, SYSTEM_CLUSTER, ResourceName="Virtual Machine SQL07"),
                lambda s: s.event(1230, SYSTEM_CLUSTER, ResourceName="Cluster Disk 9"),
            ),
            "process ended": lambda s: s.event(1146, SYSTEM_CLUSTER, ago=28 * MINUTES),
        },
        without={"process ended": Sure.LIKELY},
    ),
    Case(
        rule="rhs-deadlock",
        name="by the resource's type",
        target="node:HV01",
        sure=Sure.LIKELY,
        pieces={"type": lambda s: s.event(1230, SYSTEM_CLUSTER, ResourceName="x", ResourceTypeName="Virtual Machine")},
    ),
    Case(
        rule="role-kept-off",
        target="vm:SQL07",
        sure=Sure.LIKELY,
        guilty=("SQL07",),
        pieces={
            "flag": lambda s: s.role("SQL07", status=64),
            "not running": lambda s: s.role("SQL07", state=1, resource_state=3).vm("SQL07", state=3),
        },
    ),
    Case(
        rule="role-kept-off",
        name="resources lack",
        target="vm:SQL07",
        sure=Sure.LIKELY,
        pieces={
            "flag": lambda s: s.role("SQL07", status=8),
            "not running": lambda s: s.role("SQL07", state=4).vm("SQL07", state=3),
        },
    ),
    Case(
        rule="no-spare-node",
        target="cluster:CLU-TEST",
        sure=Sure.LIKELY,
        pieces={
            "full": (_used("HV01", 400_000), _used("HV01", 100_000)),
            "the other's memory read": _used("HV02", 200_000),
            "the other takes roles": (_pass, lambda s: s.problem("", "nodes")),
        },
    ),
    Case(
        rule="config-version-one-way",
        target="cluster:CLU-TEST",
        sure=Sure.CERTAIN,
        guilty=("APP01", "SQL07"),
        pieces={
            "older node": lambda s: s.host("HV02", build="10.0.14393.4000"),
            "newer VMs": (_pass, lambda s: s.vm("SQL07", version="8.0").vm("APP01", version="8.0")),
            "versions read": lambda s: s.preflight("HV02", vm_versions=["5.0", "8.0"]),
        },
        without={"versions read": Sure.LIKELY},
    ),
)

DRAINS = (
    Case(
        rule="drain-failed",
        target="node:HV01",
        sure=Sure.CERTAIN,
        guilty=("SQL07",),
        pieces={
            "drain status": lambda s: s.node("HV01", state=2, status=16, drain=3).event(
                1677, SYSTEM_CLUSTER, ago=4 * MINUTES, NodeName="HV01"
            ),
            "role that stayed": lambda s: s.event(
                1137, SYSTEM_CLUSTER, ago=5 * MINUTES, codes=["0x0000138d"], ResourceGroup="SQL07"
            ),
        },
        without={"role that stayed": Sure.LIKELY},
    ),
    Case(
        rule="drain-will-fail",
        target="node:HV01",
        sure=Sure.LIKELY,
        guilty=("SQL07",),
        pieces={
            "drain": _draining,
            "tied": lambda s: _host(s).preflight("HV01", asked("SQL07", gpu=1)),
            "asked": (_pass, lambda s: s.answers.preflight.clear()),
        },
    ),
    Case(
        rule="drain-saves-vms",
        target="node:HV01",
        sure=Sure.CERTAIN,
        guilty=("APP01",),
        pieces={
            "drain": _draining,
            "low priority": lambda s: s.role("APP01", priority=1000),
            "runs": (_pass, lambda s: s.vm("APP01", state=3)),
            "threshold": lambda s: s.preflight("HV01", threshold=2000),
        },
        without={"threshold": Sure.POSSIBLE},
    ),
    Case(
        rule="drain-left-saved",
        target="vm:SQL07",
        sure=Sure.CERTAIN,
        guilty=("SQL07",),
        pieces={
            "drain": _drained,
            "ran": (lambda s: s.later(minutes=1), lambda s: s.vm("SQL07", state=6).later(minutes=1)),
            "saved": lambda s: s.vm("SQL07", state=6).role("SQL07", state=1, resource_state=3),
            "no memory there": lambda s: s.event(3050, WORKER, vm="SQL07", node="HV02", codes=["0x800705aa"]),
        },
        without={"no memory there": Sure.LIKELY},
    ),
    Case(
        rule="drain-leaves-vms",
        target="node:HV01",
        sure=Sure.CERTAIN,
        guilty=("APP01",),
        pieces={
            "drained": _drained,
            "not clustered": lambda s: s.no_role("APP01"),
            "runs": (_pass, lambda s: s.vm("APP01", state=3)),
            "asked": lambda s: s.preflight("HV01", asked("APP01", clustered=False)),
            "roles read": (_pass, lambda s: s.problem("", "roles")),
        },
        without={"asked": Sure.LIKELY},
    ),
)

MOVES = (
    _move(
        "move-no-memory",
        "0x800705aa",
        lambda s: _host(s, memory_available=4_096).preflight("HV01", asked("SQL07", memory_assigned=65_536)),
    ),
    _move(
        "move-medium-missing", "0xc03a0014", lambda s: s.preflight("HV01", asked("SQL07", dvd=["C:\\ISO\\setup.iso"]))
    ),
    _move("move-not-an-owner", "0x80071398", lambda s: s.preflight("HV01", asked("SQL07", possible_owners=["HV01"]))),
    _move("move-no-switch", "0x80070490", lambda s: _host(s).preflight("HV01", asked("SQL07", switches=["DMZ"]))),
    _move("move-device", "0x80070032", lambda s: s.preflight("HV01", asked("SQL07", gpu=1))),
    _move("move-device", "0x80070032", lambda s: s.preflight("HV01", asked("SQL07", pass_through=["Disk 3"])), "disk"),
    _move("move-version", "0x80048016", lambda s: _host(s, vm_versions=["8.0"]).preflight("HV01", asked("SQL07"))),
    Case(
        rule="move-no-switch",
        name="21125",
        target="vm:SQL07",
        sure=Sure.LIKELY,
        pieces={
            "event": lambda s: s.event(21125, HIGH_AVAILABILITY, vm="SQL07", node="HV02"),
            "not moved since": _stands(),
        },
    ),
    Case(
        rule="move-tpm",
        target="vm:SQL07",
        sure=Sure.POSSIBLE,
        guilty=("SQL07",),
        also=frozenset({"move-failed"}),
        pieces={
            "event": _failed_move(),
            "not moved since": _stands(),
            "TPM": lambda s: s.preflight("HV01", asked("SQL07", tpm=True)),
        },
    ),
    Case(
        rule="move-failed",
        target="vm:SQL07",
        sure=Sure.LIKELY,
        guilty=("SQL07",),
        pieces={
            "code that is known": (_failed_move("0x80070005"), _failed_move()),
            "not moved since": _stands(),
            "no other rule's": (_pass, lambda s: s.event(21501, HIGH_AVAILABILITY, vm="SQL07", ago=timedelta(hours=3))),
        },
        without={"code that is known": Sure.POSSIBLE},
    ),
    *(
        Case(
            rule=rule,
            name="two VMs",
            target="node:HV01",
            sure=Sure.CERTAIN,
            guilty=("APP01", "SQL07"),
            pieces=_both_failed(code),
            without={"one": Sure.LIKELY, "another": Sure.LIKELY},
        )
        for rule, code in (
            ("move-no-delegation", "0x8009030e"),
            ("move-no-connection", "0x8007274d"),
            ("vm-logon-right-missing", "0x80070569"),
            ("move-smb-name", "0x80042001"),
        )
    ),
    Case(
        rule="move-no-delegation",
        name="CredSSP",
        target="node:HV01",
        sure=Sure.CERTAIN,
        guilty=("SQL07",),
        pieces={
            "event": _failed_move("0x8009030d"),
            "not moved since": _stands(),
            "CredSSP": lambda s: s.host("HV01", migration_auth=0),
        },
        without={"CredSSP": Sure.LIKELY},
    ),
    Case(
        rule="move-no-connection",
        name="migrations off there",
        target="node:HV01",
        sure=Sure.CERTAIN,
        guilty=("SQL07",),
        pieces={
            "event": _failed_move("0x8007274c"),
            "not moved since": (_stands(), lambda s: s.role("SQL07", migration_state=None)),
            "off there": lambda s: s.host("HV02", migration_enabled=False),
        },
        without={"not moved since": Sure.LIKELY, "off there": Sure.LIKELY},
    ),
    Case(
        rule="vm-logon-right-missing",
        name="backup checkpoint",
        target="node:HV01",
        sure=Sure.LIKELY,
        also=frozenset({"checkpoint-fails"}),
        pieces={
            "one": lambda s: s.event(18012, VMMS, vm="SQL07", codes=["0x8007052f"]),
            "another": lambda s: s.event(18012, VMMS, vm="APP01", codes=["0x8007052f"]),
        },
        without={"one": Sure.POSSIBLE, "another": Sure.POSSIBLE},
    ),
    Case(
        rule="moves-at-the-limit",
        target="node:HV01",
        sure=Sure.CERTAIN,
        guilty=("SQL07",),
        pieces={
            "event": lambda s: s.event(21501, HIGH_AVAILABILITY, vm="SQL07", codes=["0x800700aa"]),
            "not moved since": (_stands(), lambda s: s.role("SQL07", migration_state=None)),
        },
        without={"not moved since": Sure.POSSIBLE},
    ),
    Case(
        rule="long-blackout",
        target="node:HV02",
        sure=Sure.CERTAIN,
        pieces={
            "one": lambda s: s.event(20417, VMMS, node="HV02", vm="WEB01"),
            "another": lambda s: s.event(20417, VMMS, node="HV02", vm="APP01"),
        },
        without={"one": Sure.LIKELY, "another": Sure.LIKELY},
    ),
)


def _apart(vm: str) -> Piece:
    return lambda s: s.role(vm, anti_affinity=["domain controllers"])


TOGETHER = (
    Case(
        rule="apart-on-one-node",
        target="node:HV01",
        sure=Sure.CERTAIN,
        guilty=("SQL07", "APP01"),
        pieces={
            "one": _apart("SQL07"),
            "the other": lambda s: _apart("APP01")(s.vm("APP01", "HV01", "Volume2")),
            "both run": (_pass, lambda s: s.vm("APP01", state=3)),
            "another node is free of them": (_pass, _apart("WEB01")),
            "that node takes roles": (_pass, lambda s: s.node("HV02", state=2)),
            "not on its way": (_pass, lambda s: s.role("APP01", migration_state=2)),
        },
    ),
    Case(
        rule="apart-on-one-node",
        name="by a rule of the cluster",
        target="node:HV01",
        sure=Sure.CERTAIN,
        guilty=("SQL07", "APP01"),
        pieces={
            "apart on storage": (
                lambda s: s.vm("APP01", "HV01", "Volume2"),
                lambda s: s.vm("APP01", "HV02", "Volume2"),
            ),
            "rule": lambda s: s.preflight(
                "HV01", affinity_rules=[AffinityRule(name="sql", type=4, groups=["SQL07", "APP01"], enabled=True)]
            ),
            "enabled": (
                _pass,
                lambda s: s.preflight(
                    "HV01", affinity_rules=[AffinityRule(name="sql", type=4, groups=["SQL07", "APP01"], enabled=False)]
                ),
            ),
        },
    ),
    Case(
        rule="apart-on-one-csv",
        target="csv:Volume1",
        sure=Sure.CERTAIN,
        guilty=("SQL07", "WEB01"),
        pieces={
            "one": _apart("SQL07"),
            "the other": _apart("WEB01"),
            "on one volume": lambda s: s.vm("WEB01", "HV02", "Volume1"),
            "both run": (_pass, lambda s: s.vm("WEB01", state=3)),
        },
    ),
    Case(
        rule="realign-after-drain",
        target="node:HV01",
        sure=Sure.LIKELY,
        pieces={
            "resumed": lambda s: s.node("HV01", failback=2),
            "volume elsewhere": lambda s: s.csv("Volume1", owner="HV02"),
            "ReFS": lambda s: s.io("Volume1", "HV01", 3, 32).io("Volume1", "HV02", 3, 32),
        },
    ),
    Case(
        rule="realign-after-drain",
        name="S2D",
        target="node:HV01",
        sure=Sure.LIKELY,
        pieces={
            "resumed": lambda s: s.node("HV01", failback=2),
            "volume elsewhere": lambda s: s.csv("Volume1", owner="HV02"),
            "S2D": lambda s: s.preflight("HV01", s2d=True, virtual_disks=[], storage_jobs=[]),
        },
    ),
    Case(
        rule="storage-repairs",
        target="cluster:CLU-TEST",
        sure=Sure.CERTAIN,
        pieces={
            "disk": lambda s: s.preflight("HV01", s2d=True, virtual_disks=[VirtualDisk(name="Volume1", health=1)]),
            "job": lambda s: s.preflight(
                "HV01", s2d=True, storage_jobs=[StorageJob(name="Repair", state=4, percent=30)]
            ),
        },
        without={"disk": Sure.LIKELY, "job": Sure.LIKELY},
    ),
)

CASES = (*CSVS, *NODES, *DRAINS, *MOVES, *TOGETHER)


def _moved_since(scene: Scene) -> Scene:
    """A migration that failed, and a later one that went well."""
    for code in ("0x800705aa", "0x8009030e", "0x8007274d", "0x80070569", "0x80042001", "0x80070005"):
        _failed_move(code, ago=timedelta(hours=1))(scene)
    scene.event(21501, HIGH_AVAILABILITY, vm="SQL07", codes=["0x800700aa"])
    return scene.role("SQL07", migration_state=0)


SILENT = (
    Quiet(
        "5120 with c0130021, in the two forms in which the code is told",
        lambda s: [
            _csv_event(5120, ErrorCode="STATUS_CLUSTER_CSV_NO_SNAPSHOTS(c0130021)")(s),
            _csv_event(5120, codes=["0xc0130021"])(s),
        ],
        incident=41,
    ),
    Quiet(
        "a ReFS volume is redirected on every node",
        lambda s: s.csv("Volume10", file_system="CSVFS").io("Volume10", "HV01", 3, 32).io("Volume10", "HV02", 3, 32),
    ),
    Quiet(
        "a volume is redirected while its snapshot is made",
        lambda s: s.csv("Volume2", backup=1).io("Volume2", "HV01", 3),
    ),
    Quiet("a replicated volume is block redirected", lambda s: s.io("Volume2", "HV01", 4, 0, 4)),
    Quiet(
        "redirected access is on while a backup runs",
        lambda s: _csv_event(5136)(s.csv("Volume2", backup=1, redirected=True).io("Volume2", "HV01", 3, 1)),
    ),
    Quiet("a volume is out of reach for a moment", lambda s: s.io("Volume2", "HV01", 0)),
    Quiet(
        "a volume in maintenance is out of reach",
        lambda s: s.csv("Volume2", maintenance=True, fault=4).io("Volume2", "HV01", 0).later(minutes=10),
    ),
    Quiet("a drain that ended well", _drained),
    Quiet("a drain that runs, and nothing stands in its way", _draining),
    Quiet("a migration that failed before one that went well", _moved_since),
    Quiet(
        "1137 of a drain that was repeated and went well",
        lambda s: _drained(s).event(1137, SYSTEM_CLUSTER, ResourceGroup="SQL07", codes=["0x0000138d"]),
    ),
    Quiet(
        "two VMs kept apart where no node is free of them",
        lambda s: [_apart(vm)(s.vm("APP01", "HV01", "Volume2")) for vm in ("SQL07", "APP01", "WEB01")],
    ),
    Quiet(
        "a resource that is no VM's timed out", lambda s: s.event(1230, SYSTEM_CLUSTER, ResourceName="Cluster Disk 9")
    ),
    Quiet("a process of resources ended alone", lambda s: s.event(1146, SYSTEM_CLUSTER)),
    Quiet(
        "nodes of one Windows in two updates",
        lambda s: s.host("HV01", build="10.0.20348.2762").host("HV02", build="10.0.20348.2655"),
    ),
)
