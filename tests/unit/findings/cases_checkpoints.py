"""Cases of rules about checkpoints, merges, chains, forks, and the VMMS that works on them."""

from __future__ import annotations

from datetime import date, time, timedelta
from typing import Any, Final

from hvtui.config import BackupWindow
from hvtui.findings.finding import Sure
from hvtui.model.preflight import ForkCommit, ForkSign, VmPreflight
from hvtui.model.records import CheckpointCount
from hvtui.model.signals import Chain, ChainDisk, ChainLink, ChainPicture, Hotfix, HotfixPicture
from tests.support.builders import HYPER_V_WRITER, NOW, VMMS_ADMIN, guid
from tests.unit.findings.runner import Case, Piece, Quiet
from tests.unit.findings.scene import SYSTEM_CLUSTER, WORKER, Scene

BASE: Final = "C:\\ClusterStorage\\Volume1\\SQL07\\disk0.vhdx"
AVHDX: Final = "C:\\ClusterStorage\\Volume1\\SQL07\\disk0_B8509185-5359-468B-A8C2-D463DC053574.avhdx"
SET: Final = "C:\\ClusterStorage\\Volume1\\SQL07\\shared.vhds"
KEY: Final = guid("SQL07")
GB: Final = 2**30


def ago(**span: float) -> timedelta:
    return timedelta(**span)


def vm(**fields: Any) -> Piece:
    return lambda scene: scene.vm("SQL07", **fields)


def event(id: int, *codes: str, **more: Any) -> Piece:
    return lambda scene: scene.event(id, vm="SQL07", codes=codes, **more)


def disks(*paths: str) -> Piece:
    return lambda scene: scene.disks("SQL07", *paths)


def both(*pieces: Piece) -> Piece:
    """Several of them as one."""

    def add(scene: Scene) -> None:
        for piece in pieces:
            piece(scene)

    return add


def no_files(scene: Scene) -> Scene:
    """The files of the VM were not read."""
    del scene.files["SQL07"]
    return scene


def later(**span: float) -> Piece:
    return lambda scene: scene.later(**span)


def kept(*counts: CheckpointCount) -> Piece:
    return vm(checkpoints=list(counts))


def count(type: int, *, saved: bool = False, age: timedelta = timedelta(hours=30)) -> CheckpointCount:
    return CheckpointCount(type=type, saved=saved, count=1, oldest=NOW - age)


def chain(*paths: str, checkpoints: int = 0, broken: bool = False) -> Piece:
    """The VM's chain, read whole just now: the file in use first, the base last. `broken`: it has no end."""
    last = None if broken else ""
    links = [
        ChainLink(path=path, parent=paths[number + 1] if number + 1 < len(paths) else last)
        for number, path in enumerate(paths)
    ]

    def add(scene: Scene) -> None:
        told = Chain(
            v=1,
            time=scene.now,
            node="HV01",
            vm=KEY,
            checkpoints=checkpoints,
            disks=[ChainDisk(attached=paths[0], files=links)],
        )
        scene.answers.chains[KEY] = ChainPicture(time=scene.now, chain=told)

    return add


def fork(code: str = "0x80048102", id: int = 18590, age: timedelta = timedelta(days=22)) -> Piece:
    """An answer about the whole logs of HV02, where the VM was then."""

    def add(scene: Scene) -> None:
        sign = ForkSign(vm=KEY, channel=VMMS_ADMIN, record=77, id=id, time=NOW - age, code=code)
        scene.answers.fork["HV02"] = ForkCommit(v=1, time=NOW, signs=[sign])

    return add


def about(**fields: Any) -> Piece:
    """More of the preflight answer about the VM."""
    return lambda scene: scene.preflight("HV01", VmPreflight(id=KEY, name="SQL07", **fields))


def hotfix(installed: date) -> Piece:
    def add(scene: Scene) -> None:
        scene.answers.hotfixes["HV01"] = HotfixPicture(
            time=NOW, hotfixes=(Hotfix(id="KB5058385", installed=installed),)
        )

    return add


def hanging(scene: Scene) -> None:
    """VMMS of HV01 does not answer any more; what it said before stays."""
    scene.later(minutes=1)
    scene.problem("HV01", "vms", "timeout")


def merge_case(rule: str, code: str, name: str = "") -> Case:
    """One of the rules that differ by the code only."""
    codes = (code,) if code else ()
    return Case(
        rule=rule,
        name=name,
        target="vm:SQL07",
        sure=Sure.CERTAIN,
        guilty=("SQL07",),
        pieces={
            "failed": event(19100, *codes, ago=ago(minutes=20)),
            "failed again": event(19100, *codes, ago=ago(minutes=16)),
            "avhdx": (disks(AVHDX), disks(BASE)),
            "not merged since": (lambda s: s, event(19080, ago=ago(minutes=2))),
        },
        without={"failed": Sure.LIKELY, "failed again": Sure.LIKELY},
    )


def _mid_backup(scene: Scene) -> Scene:
    """The host's Hyper-V writer is asked for a backup."""
    return scene.writer("HV01", HYPER_V_WRITER, 3).later(seconds=10)


def _filling(scene: Scene) -> Scene:
    """Volume1 loses 3 GB a minute, for twelve minutes."""
    for minute in range(13):
        scene.csv("Volume1", free=(600 - 3 * minute) * GB)
        scene.later(minutes=1)
    return scene


CASES = (
    Case(
        rule="fork-not-committed",
        target="vm:SQL07",
        sure=Sure.CERTAIN,
        guilty=("SQL07",),
        pieces={
            "event 3216": event(3216, "0x800703ee", log=WORKER, ago=ago(minutes=90)),
            "code": event(18012, "0x80048102", ago=ago(minutes=90)),
            "avhdx": (disks(AVHDX), no_files),
        },
        without={"event 3216": Sure.LIKELY, "code": Sure.LIKELY, "avhdx": Sure.POSSIBLE},
    ),
    Case(
        rule="fork-not-committed",
        name="weeks ago",
        target="vm:SQL07",
        sure=Sure.LIKELY,
        pieces={
            "sign of the whole log": fork(),
            "avhdx": (disks(AVHDX), disks(BASE)),
            "no later checkpoint": (kept(), kept(count(1, age=ago(minutes=9)))),
        },
        without={"no later checkpoint": Sure.POSSIBLE},
    ),
    Case(
        rule="merge-locked",
        target="vm:SQL07",
        sure=Sure.CERTAIN,
        guilty=("SQL07",),
        pieces={
            "failed": event(19100, "0x80070020", ago=ago(minutes=20)),
            "failed again": event(19100, "0x80070020", ago=ago(minutes=16)),
            "avhdx": (disks(AVHDX), no_files),
            "not merged since": (lambda s: s, event(19080, ago=ago(minutes=2))),
        },
        without={"failed": Sure.LIKELY, "failed again": Sure.LIKELY, "avhdx": Sure.POSSIBLE},
    ),
    Case(
        rule="merge-locked-elsewhere",
        target="vm:SQL07",
        sure=Sure.LIKELY,
        pieces={
            "failed on the first": event(19100, "0x80070020", node="HV02", ago=ago(hours=2)),
            "failed on the second": event(19100, "0x80070020", node="HV01", ago=ago(minutes=16)),
            "avhdx": (disks(AVHDX), no_files),
        },
        without={"avhdx": Sure.POSSIBLE},
    ),
    merge_case("merge-file-limit", "0x80070299"),
    merge_case("merge-denied", "0x80070005"),
    merge_case("merge-failed", "0x80070079"),
    merge_case("merge-failed", "", name="without a code"),
    Case(
        rule="merge-interrupted",
        target="vm:SQL07",
        sure=Sure.LIKELY,
        pieces={
            "interrupted": event(19090, ago=ago(minutes=40)),
            "avhdx": (disks(AVHDX), no_files),
            "no merge runs": (lambda s: s, lambda s: s.job("SQL07", 50, 40)),
            "not merged since": (lambda s: s, event(19080, ago=ago(minutes=2))),
        },
        without={"avhdx": Sure.POSSIBLE},
    ),
    Case(
        rule="merge-interrupted",
        name="never finished",
        target="vm:SQL07",
        sure=Sure.LIKELY,
        pieces={
            "begun": event(19070, ago=ago(minutes=40)),
            "avhdx": (disks(AVHDX), no_files),
            "jobs read": (lambda s: s, lambda s: s.problem("HV01", "jobs")),
        },
    ),
    Case(
        rule="merge-cut-by-restart",
        target="vm:SQL07",
        sure=Sure.LIKELY,
        pieces={
            "interrupted": event(19090, ago=ago(minutes=40)),
            "started": (vm(started=NOW - ago(minutes=39)), vm(started=NOW - ago(days=3))),
            "resource failed": lambda s: s.event(
                1069, SYSTEM_CLUSTER, ago=ago(minutes=40), ResourceName="Virtual Machine SQL07"
            ),
            "avhdx": (disks(AVHDX), disks(BASE)),
            "a role": (lambda s: s, lambda s: s.no_role("SQL07")),
        },
        without={"resource failed": Sure.POSSIBLE},
    ),
    Case(
        rule="merge-stalls",
        target="vm:SQL07",
        sure=Sure.LIKELY,
        pieces={
            "merge runs": lambda s: s.job("SQL07", 50, 37),
            "marked": vm(op=[2, 32772]),
            "for long": later(minutes=16),
        },
        without={"marked": Sure.POSSIBLE},
    ),
    Case(
        rule="avhdx-without-checkpoint",
        target="vm:SQL07",
        sure=Sure.CERTAIN,
        pieces={
            "avhdx": (disks(AVHDX), disks(BASE)),
            "chain": (chain(AVHDX, BASE), lambda s: s),
            "no checkpoint": (lambda s: s, chain(AVHDX, BASE, checkpoints=1)),
            "no merge": (lambda s: s, lambda s: s.job("SQL07", 50, 3)),
            "jobs read": (lambda s: s, lambda s: s.problem("HV01", "jobs")),
        },
        without={"chain": Sure.LIKELY},
    ),
    Case(
        rule="avhdx-without-checkpoint",
        name="by files alone",
        target="vm:SQL07",
        sure=Sure.LIKELY,
        pieces={
            "avhdx": (disks(AVHDX), disks(BASE)),
            "no checkpoint": (kept(), kept(count(0))),
            "chain disagrees not": (lambda s: s, chain(BASE)),
            "not replicated": (lambda s: s, vm(replication=1)),
        },
        without={"not replicated": Sure.POSSIBLE},
    ),
    Case(
        rule="recovery-checkpoint-left",
        target="vm:SQL07",
        sure=Sure.CERTAIN,
        guilty=("SQL07",),
        pieces={
            "checkpoint": kept(count(1, age=ago(hours=30))),
            "saved since": (vm(last_backup=NOW - ago(hours=3)), vm(last_backup=NOW - ago(days=3))),
            "no job": (lambda s: s, lambda s: s.job("SQL07", 170, 50)),
            "not kept": (lambda s: s, lambda s: s.configure(kept_checkpoints=("SQL*",))),
        },
        without={"saved since": Sure.LIKELY},
    ),
    Case(
        rule="recovery-checkpoint-left",
        name="after the window",
        target="vm:SQL07",
        sure=Sure.LIKELY,
        pieces={
            "checkpoint": vm(checkpoints=[count(1, age=ago(hours=6))], last_backup=NOW - ago(days=3)),
            "window over": lambda s: s.configure(windows=(BackupWindow(time(18), time(23), "UTC"),)),
            "jobs read": (lambda s: s, lambda s: s.problem("HV01", "jobs")),
        },
        without={"jobs read": Sure.POSSIBLE},
    ),
    Case(
        rule="silent-fallback",
        target="vm:SQL07",
        sure=Sure.CERTAIN,
        pieces={
            "seen before": (later(minutes=1), lambda s: s),
            "memory": kept(count(0, saved=True, age=ago(minutes=3))),
            "event": event(18016, ago=ago(minutes=3)),
            "type": (vm(checkpoint_type=3), vm(checkpoint_type=5)),
        },
        without={"seen before": Sure.LIKELY, "event": Sure.LIKELY},
    ),
    Case(
        rule="checkpoint-fails",
        target="vm:SQL07",
        sure=Sure.LIKELY,
        pieces={
            "event": event(18012, ago=ago(minutes=10)),
            "reason": vm(vss=12),
            "not saved since": (lambda s: s, vm(last_backup=NOW - ago(minutes=5))),
        },
        without={"reason": Sure.POSSIBLE},
    ),
    Case(
        rule="checkpoint-fails",
        name="device",
        target="vm:SQL07",
        sure=Sure.LIKELY,
        pieces={
            "event": event(10150, "0x80070032", ago=ago(minutes=10)),
            "device": about(fibre_channel=1, pass_through=[], shared=[], gpu=0),
        },
        without={"device": Sure.POSSIBLE},
    ),
    Case(
        rule="checkpoint-file-exists",
        target="vm:SQL07",
        sure=Sure.LIKELY,
        pieces={
            "event": event(10150, "0x80070050", ago=ago(minutes=10)),
            "file": disks(BASE, BASE.replace(".vhdx", "-AutoRecovery.avhdx")),
        },
        without={"file": Sure.POSSIBLE},
        also=frozenset({"avhdx-without-checkpoint"}),
    ),
    Case(
        rule="checkpoint-file-missing",
        target="vm:SQL07",
        sure=Sure.LIKELY,
        pieces={
            "event": event(10150, "0x80070002", ago=ago(minutes=10)),
            "chain": chain(AVHDX, checkpoints=1, broken=True),
        },
        without={"chain": Sure.POSSIBLE},
    ),
    Case(
        rule="guest-cluster-checkpoint",
        target="vm:SQL07",
        sure=Sure.LIKELY,
        pieces={
            "event": event(10150, "0x00008007", ago=ago(minutes=10)),
            "disk set": disks(BASE, SET),
        },
    ),
    Case(
        rule="standard-checkpoint-migration",
        target="vm:SQL07",
        sure=Sure.LIKELY,
        pieces={
            "memory": kept(count(0, saved=True)),
            "slow": event(20417, ago=ago(hours=5)),
            "slow again": event(20417, ago=ago(hours=1)),
        },
        without={"slow": Sure.POSSIBLE, "slow again": Sure.POSSIBLE},
        also=frozenset({"long-blackout"}),
    ),
    Case(
        rule="guest-freeze-stalls",
        target="vm:SQL07",
        sure=Sure.LIKELY,
        pieces={
            "job": lambda s: s.job("SQL07", 51, 10),
            "marked": vm(op=[11, 32768]),
            "long": later(minutes=4),
            "longer": later(minutes=2),
        },
        without={"marked": Sure.POSSIBLE, "longer": Sure.POSSIBLE},
    ),
    Case(
        rule="backing-up-for-hours",
        target="vm:SQL07",
        sure=Sure.CERTAIN,
        pieces={
            "marked": vm(op=[11, 32776]),
            "for hours": later(hours=5),
            "locked": lambda s: s.role("SQL07", status=1),
            "refused": lambda s: s.event(1071, SYSTEM_CLUSTER, ago=ago(minutes=9), ResourceGroup="SQL07"),
            "no window": (
                lambda s: s,
                lambda s: s.configure(windows=(BackupWindow(time(0), time(23, 59), "UTC"),)),
            ),
        },
        without={"locked": Sure.LIKELY, "refused": Sure.LIKELY},
    ),
    Case(
        rule="vm-saved-in-backup",
        target="vm:SQL07",
        sure=Sure.CERTAIN,
        guilty=("SQL07",),
        pieces={
            "backup": (_mid_backup, later(seconds=10)),
            "saved": lambda s: s.vm("SQL07", state=6).later(seconds=30),
            "runs again": vm(state=2),
            "precondition": vm(vss=12),
        },
        without={"runs again": Sure.LIKELY, "precondition": Sure.LIKELY},
    ),
    Case(
        rule="vmms-stop-pending",
        target="node:HV01",
        sure=Sure.CERTAIN,
        pieces={
            "stopping": lambda s: s.host("HV01", vmms="Stop Pending"),
            "for long": later(minutes=4),
            "for ever": later(minutes=7),
        },
        without={"for long": Sure.LIKELY, "for ever": Sure.LIKELY},
    ),
    Case(
        rule="vmms-blocked",
        target="node:HV01",
        sure=Sure.LIKELY,
        guilty=("SQL07",),
        pieces={
            "checkpoint": vm(op=[11, 32768]),
            "for long": later(minutes=20),
            "no answer": hanging,
        },
    ),
    Case(
        rule="vhd-corruption-update",
        target="node:HV01",
        sure=Sure.LIKELY,
        guilty=("SQL07",),
        pieces={
            "update": (hotfix(date(2025, 5, 15)), hotfix(date(2025, 6, 20))),
            "corrupt": event(12010, "0x80070570"),
        },
        without={"corrupt": Sure.POSSIBLE},
    ),
    Case(
        rule="volume-fills",
        target="csv:Volume1",
        sure=Sure.CERTAIN,
        guilty=("SQL07",),
        pieces={
            "avhdx": (both(disks(AVHDX), kept(count(0, age=ago(hours=1)))), disks(BASE)),
            "merge failed": event(19100, "0x80070079", ago=ago(hours=5)),
            "falling": _filling,
        },
        without={"merge failed": Sure.LIKELY},
        also=frozenset({"merge-failed"}),
    ),
    Case(
        rule="volume-fills",
        name="low",
        target="csv:Volume1",
        sure=Sure.POSSIBLE,
        pieces={
            "avhdx": (both(disks(AVHDX), kept(count(0, age=ago(hours=1)))), disks(BASE)),
            "low": lambda s: s.csv("Volume1", free=300 * GB),
        },
    ),
    Case(
        rule="files-on-several-csvs",
        target="vm:SQL07",
        sure=Sure.CERTAIN,
        pieces={
            "second volume": lambda s: s.vm("SQL07", "HV01", "Volume1", "Volume2"),
        },
    ),
)


def _merging(scene: Scene) -> None:
    """A merge that was just begun and moves on."""
    scene.event(19070, vm="SQL07", ago=ago(minutes=2))
    scene.disks("SQL07", AVHDX).vm("SQL07", op=[2, 32772]).job("SQL07", 50, 12)
    scene.later(minutes=10).job("SQL07", 50, 60)


def _just_merged(scene: Scene) -> None:
    """The merge has ended, and the files are those of the last slow look."""
    _merging(scene)
    scene.later(seconds=2).no_jobs().vm("SQL07", op=[2]).event(19080, vm="SQL07", ago=ago(seconds=1))


def _in_backup(scene: Scene) -> None:
    """A checkpoint backup in the middle of its window: locked, a Recovery checkpoint, an AVHDX, hours of copying."""
    scene.configure(windows=(BackupWindow(time(22), time(4), "UTC"),))
    scene.vm("SQL07", op=[11, 32776], checkpoints=[count(1, age=ago(hours=2))]).disks("SQL07", AVHDX)
    scene.job("SQL07", 170, 10).role("SQL07", status=1).later(hours=2)
    scene.job("SQL07", 170, 70, started=NOW)


def _saved_by_somebody(scene: Scene) -> None:
    """A VM that somebody saves, outside of any backup."""
    scene.vm("SQL07", vss=12).later(minutes=1).vm("SQL07", state=6).later(minutes=3).vm("SQL07", state=2)


SILENT = (
    Quiet("a merge that moves on", _merging),
    Quiet("a merge that has just ended, with the files of before", _just_merged),
    Quiet("a checkpoint backup within its window", _in_backup),
    Quiet(
        "the checkpoints of a replica",
        both(
            vm(state=3, replication=2, checkpoints=[count(6, age=ago(days=2)), count(7, age=ago(days=3))]),
            disks(AVHDX),
        ),
    ),
    Quiet(
        "a checkpoint that its product keeps",
        both(
            kept(count(1, age=ago(days=2))),
            disks(AVHDX),
            lambda s: s.configure(groups={"archive": ("SQL*",)}, kept_checkpoints=("Archive",)),
        ),
    ),
    Quiet("a VM that is off, with a checkpoint", both(vm(state=3, checkpoints=[count(0)]), disks(AVHDX))),
    Quiet("a VM that somebody saves", _saved_by_somebody),
    Quiet(
        "a merge that failed once and then ended", both(event(19100, "0x80070020"), event(19080, ago=ago(minutes=5)))
    ),
    Quiet(
        "checkpoints that failed while a merge did, which has ended",
        both(
            event(19100, "0x80070020"),
            event(18014, ago=ago(minutes=9)),
            event(18012, ago=ago(minutes=9)),
            event(19080, ago=ago(minutes=5)),
        ),
    ),
    Quiet(
        "a fork sign of weeks ago, merges since, and a backup that runs now",
        both(fork(), event(19080, ago=ago(hours=20)), disks(AVHDX), kept(count(1, age=ago(minutes=9)))),
    ),
    Quiet(
        "a chain that was read before the checkpoint of a backup was taken",
        both(chain(BASE), later(minutes=5), disks(AVHDX), kept(count(1, age=ago(minutes=4)))),
    ),
    Quiet("a fork sign of a VM that was merged since", both(fork(), disks(AVHDX), chain(BASE))),
    Quiet(
        "VMMS that stops and is done in a minute", both(lambda s: s.host("HV01", vmms="Stop Pending"), later(minutes=1))
    ),
    Quiet("another VM's merge", both(lambda s: s.event(19100, vm="GONE01", codes=("0x80070020",)), disks(BASE))),
    Quiet("jobs that could not be read", both(disks(AVHDX), lambda s: s.problem("HV01", "jobs"))),
    Quiet("files that were not read", no_files),
)
