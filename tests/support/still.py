"""A feed that stands still on a hand-made state: the same picture in every run, whatever the lab's world does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import msgspec

from hvtui.clock import Clock, ManualClock
from hvtui.model.change import Change
from hvtui.model.link import Link, LinkStatus
from hvtui.model.records import CheckpointCount, Event, Info, Load, NodeFrame, Provider
from hvtui.model.state import ClusterState
from hvtui.model.usage import Usage
from hvtui.model.writers import WriterPicture, writer_picture
from tests.support import builders as b

MONOTONIC = 5_000.0
COSTS = {
    "HV03": Usage(
        seconds=60.0,
        calls={"Get-HvTuiEvent": 14, "Get-HvTuiInfo": 1},
        rounds={"Watch-HvTuiNode": 30},
        cpu_ms=1310,
        untold=("writers",),
        requests=64,
        sent=150_000,
        received=290_000,
        sessions=("action", "facts", "watch", "writers"),
    )
}
"""What the console cost the nodes of `night`; of the others it is not known."""


class StillFeed:
    """`live.feed.Feed` on a state; `tell` lets a test change it and say so."""

    def __init__(self, state: ClusterState, clock: Clock | None = None) -> None:
        self.title = "test"
        self.read_only = True
        self.protected = False
        self.clock: Clock = clock or ManualClock(b.NOW, MONOTONIC)
        self.state = state
        self.asked: list[tuple[str, str]] = []
        self.costs = dict(COSTS)
        self._listeners: list[Callable[[Change], None]] = []

    def subscribe(self, listener: Callable[[Change], None]) -> Callable[[], None]:
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def refresh(self, what: str, node: str = "") -> str:
        self.asked.append((what, node))
        return f"reading {what} of {node or 'all nodes'}"

    def usage(self, node: str) -> Usage | None:
        return self.costs.get(node)

    async def start(self) -> None:
        """Everything is there."""

    async def stop(self) -> None:
        """Nothing to end."""

    def tell(self, change: Change) -> None:
        """Say that the state was changed."""
        for listener in tuple(self._listeners):
            listener(change)

    @property
    def listeners(self) -> int:
        """How many listen now."""
        return len(self._listeners)


NAMES = tuple(f"HV0{number}" for number in range(1, 7))
DIRECT = dict.fromkeys(NAMES, (2, 0, 0))
REDIRECTED_BY_HAND = dict.fromkeys(NAMES, (3, 1, 0))
REFS = dict.fromkeys(NAMES, (3, 32, 0))
PROVIDERS = (Provider(id=b.guid("provider"), name="Microsoft CSV Shadow Copy Helper Provider", type=2, version="1.0"),)


def night() -> ClusterState:
    """Six nodes in a bad night, one of each trouble:

    HV01 well · HV02 clock 7 s off · HV03 its Hyper-V writer failed, told by events 10102 · HV04 draining ·
    HV05 unreachable, its data old · HV06 known, not contacted. Volume10 nearly full and redirected by hand,
    Archive ReFS, Volume2 in backup.
    """
    state = ClusterState()
    _cluster(state)
    for name in NAMES[:5]:
        state.apply_node(name, _node(name), live(offset=7.2 if name == "HV02" else 0.0))
        state.set_info(name, _info(name))
    for name in ("HV01", "HV02", "HV04"):
        state.set_writers(name, _writers(b.writer_lines()), PROVIDERS)
    state.add_events("HV03", b.page(_events()))
    state.add_events("HV03", b.page(_events(), channel="Application"))
    for name in ("HV01", "HV02", "HV04"):
        state.add_events(name, b.page([]))
    failed = b.writer_lines({b.HYPER_V_WRITER: (5, "Retryable error")})
    state.set_writers("HV03", _writers(failed, age=60.0), PROVIDERS)
    gone = Link(
        status=LinkStatus.UNREACHABLE,
        text="no answer within 5 s",
        hint="is the node running?",
        since=MONOTONIC - 200,
        last_frame=MONOTONIC - 205,
        node_time=b.NOW - timedelta(seconds=205),
        offset=timedelta(0),
    )
    state.set_link("HV05", gone)
    text, hint = "the configuration has no address for it", "add HV06 to addresses"
    state.set_link("HV06", Link(status=LinkStatus.NOT_CONTACTED, text=text, hint=hint, since=MONOTONIC - 300))
    return state


def live(offset: float = 0.0) -> Link:
    """A connection that just delivered."""
    return msgspec.structs.replace(b.live(monotonic=MONOTONIC), offset=timedelta(seconds=offset))


def _cluster(state: ClusterState) -> None:
    nodes = [b.cluster_node(name) for name in NAMES]
    csvs = [
        b.csv("Volume1", "HV01"),
        b.csv("Volume10", "HV03", free=250 * 2**30, redirected=True),
        b.csv("Volume2", "HV02", backup=1, free=3 * 2**40),
        b.csv("Archive", "HV04", file_system="ReFS", size=20 * 2**40, free=9 * 2**40),
    ]
    io = [
        b.csv_io("Volume1", DIRECT),
        b.csv_io("Volume10", REDIRECTED_BY_HAND),
        b.csv_io("Volume2", {**DIRECT, "HV04": (3, 0, 0)}),
        b.csv_io("Archive", REFS),
    ]
    roles = [
        b.role("SQL07", "HV03"),
        b.role("APP01", "HV01"),
        b.role("WEB01", "HV02", anti_affinity=["web"]),
        b.role("WEB02", "HV04", migration_state=2, migration_percent=61, status=4, anti_affinity=["web"]),
        b.role("OLD01", "HV02", state=1, resource_state=3),
        b.role("FILE01", "HV05", name="File server of Lübeck"),
        b.role("DC01", "HV01"),
    ]
    draining = [b.cluster_node("HV04", state=2, status=4, drain=1)]
    state.apply_cluster(b.cluster_frame(nodes, csvs, roles, io, time=b.NOW - timedelta(minutes=9)), live())
    state.apply_cluster(b.cluster_frame(draining, kind="delta", seq=2, time=b.NOW - timedelta(minutes=8)), live())
    state.apply_cluster(b.cluster_frame(kind="beat", seq=3), live())


def _node(name: str) -> NodeFrame:
    recovery = [CheckpointCount(type=1, saved=False, count=1, oldest=b.NOW - timedelta(minutes=74))]
    saved = [CheckpointCount(type=0, saved=True, count=2, oldest=b.NOW - timedelta(days=40))]
    vms = {
        "HV01": ([b.vm("APP01", 1, checkpoint_type=4), b.vm("DC01", 2)], [b.files("APP01", "Volume10")]),
        "HV02": (
            [b.vm("WEB01", 1, checkpoints=saved), b.vm("OLD01", 2, state=3, started=None, heartbeat=None, vss=None)],
            [b.files("WEB01", "Volume1", "Volume2"), b.files("OLD01", "Volume2")],
        ),
        "HV03": (
            [b.vm("SQL07", 1, op=[2, 32776], checkpoints=recovery)],
            [b.files("SQL07", "Volume10", disks=["C:\\ClusterStorage\\Volume10\\SQL07\\disk0_5F2A.avhdx"])],
        ),
        "HV04": ([b.vm("WEB02", 1)], [b.files("WEB02", "Archive")]),
        "HV05": ([b.vm("FILE01", 1)], [b.files("FILE01", "Archive")]),
    }
    jobs = {
        "HV03": [b.job("SQL07", 170, 37)],
        "HV04": [b.job("WEB02", 305, 61, kind="migration", destination="HV02")],
    }
    load = {
        "HV01": (41, 300_000),
        "HV02": (22, 200_000),
        "HV03": (97, 510_000),
        "HV04": (12, 90_000),
        "HV05": (5, 50_000),
    }
    errors = [b.problem("vms.last_backup", "missing", "this property does not exist here")] if name == "HV01" else []
    held, files = vms[name]
    loads = [part for vm in held for part in (vm.slot, 5 * vm.slot, 8_192)]
    return b.node_frame(name, held, files, jobs.get(name, []), load=Load(host=load[name], vms=loads), errors=errors)


def _info(name: str) -> Info:
    rights: dict[str, bool | None] = {"elevated": True, "hyperv": True, "cluster": True, "events": None, "vss": True}
    return Info(
        v=1,
        contract="1.0.0",
        node=name,
        time=b.NOW,
        build="10.0.20348",
        supported=True,
        ps_version="5.1.20348.1",
        modules={"Hyper-V": "2.0.0.0"},
        rights=rights,
    )


def _writers(text: str, age: float = 180.0) -> WriterPicture:
    return writer_picture(b.writer_text(text, time=b.NOW - timedelta(seconds=age)), MONOTONIC - age)


def _events() -> list[Event]:
    found = []
    for number, minutes in enumerate((74, 71, 67, 64), start=1):
        found.append(b.backup_failed("SQL07", b.NOW - timedelta(minutes=minutes), number))
    denied = (
        "Volume Shadow Copy Service error: Unexpected error querying for the IVssWriterCallback interface.\n"
        "   Writer Class Id: {e8132975-6f93-4464-a53e-1050253ae220}\n   Writer Name: System Writer"
    )
    found.append(
        b.event(
            8194,
            b.NOW - timedelta(minutes=30),
            9,
            channel="Application",
            provider="VSS",
            codes=["0x80070005"],
            text=denied,
            data={"1": denied},
        )
    )
    noise = {"channel": "Application", "provider": "Microsoft-Windows-CAPI2", "level": 2}
    found.append(b.event(513, b.NOW - timedelta(hours=14), 5, **noise))
    return found
