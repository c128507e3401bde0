"""Streams of inputs as a live cluster tells them, made by chance; and what two states have in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import msgspec
from hypothesis import strategies

from hvtui.live import inputs
from hvtui.live.inputs import Input
from hvtui.model.link import LinkStatus
from hvtui.model.records import (
    CheckpointCount,
    ClusterFrame,
    ClusterInfo,
    ClusterNode,
    Csv,
    CsvIo,
    Event,
    EventPage,
    Host,
    Info,
    Job,
    Load,
    NodeFrame,
    Problem,
    Role,
    Vm,
    VmFiles,
)
from hvtui.model.signals import FilterPicture, ShadowPicture
from hvtui.model.state import ClusterState
from hvtui.model.writers import Writer, WriterPicture
from hvtui.recording import keyframe
from hvtui.recording.still import SetClock, StillStore

WALL = datetime(2026, 11, 24, 22, 0, tzinfo=UTC)
ORIGIN = 1_000.0
NODES = ("HV01", "HV02")
VMS = tuple(f"0000000{number}-0000-4000-8000-000000000000" for number in range(4))
Step = tuple[int, Input]


class Of:
    """A way to throw dice. Drawing each value from Hypothesis costs a hundred times as much, and shrinks no better than
    a shorter beginning of what one seed gives.
    """

    def __init__(self, throw: Callable[[Random], Any]) -> None:
        self.throw = throw

    def __or__(self, other: Of) -> Of:
        return Of(lambda dice: dice.choice((self, other)).throw(dice))


class st:  # noqa: N801  # reads as the strategies do
    """The few strategies that are needed."""

    @staticmethod
    def sampled_from(among: Sequence[Any]) -> Of:
        return Of(lambda dice: dice.choice(among))

    @staticmethod
    def integers(least: int, most: int) -> Of:
        return Of(lambda dice: dice.randint(least, most))

    @staticmethod
    def booleans() -> Of:
        return Of(lambda dice: dice.random() < 0.5)

    @staticmethod
    def just(value: Any) -> Of:
        return Of(lambda dice: value)

    @staticmethod
    def subset(among: Sequence[Any]) -> Of:
        return Of(lambda dice: {one for one in among if dice.random() < 0.5})


_texts = st.sampled_from(["", "ok", "Zugriff verweigert", "Ünïcode 数据", "a" * 400])
_small = st.integers(0, 3)


class Talk:
    """Makes what a cluster tells, so that it can be told: numbers in order, deltas only after a full picture."""

    def __init__(self, draw: Any) -> None:
        self._draw = draw
        self._seq = dict.fromkeys(("", *NODES), 0)
        self.ms = 0
        self._records: dict[str, int] = {}

    def steps(self, count: int) -> list[Step]:
        """So many inputs with their times."""
        return [self._step() for _ in range(count)]

    def _step(self) -> Step:
        draw = self._draw
        self.ms += draw(st.sampled_from([0, 1, 250, 1_000, 2_000, 2_003, 9_000, 61_000]))
        kind = draw(st.sampled_from(["beat"] * 6 + ["load"] * 4 + ["delta"] * 4 + ["full", "other", "other"]))
        name = draw(st.sampled_from(["", *NODES]))
        if kind == "other" or (kind != "full" and not self._seq[name]):
            return self.ms, self._other(draw(st.sampled_from(NODES)))
        return self.ms, self._frame(name, kind)

    def _frame(self, name: str, kind: str) -> Input:
        draw = self._draw
        if kind == "load" and not name:
            kind = "beat"
        self._seq[name] += 1
        head: dict[str, Any] = {
            "v": 1,
            "kind": "delta" if kind == "load" else kind,
            "seq": self._seq[name],
            "time": WALL + timedelta(milliseconds=self.ms + draw(st.sampled_from([-70_000, 0, 3]))),
            "tick_ms": draw(st.integers(0, 50)),
            "interval_ms": draw(st.sampled_from([0, 2_000, 5_000])),
            "cpu_ms": draw(st.just(None) | _small),
        }
        if kind in {"full", "delta"}:
            head["errors"] = [Problem(part=draw(_texts), kind="other", text=draw(_texts))] * draw(st.integers(0, 1))
            if kind == "delta" and draw(st.booleans()):
                head["errors"] = None
            head |= self._sections(name, kind)
        if name and (kind == "load" or (kind in {"full", "delta"} and draw(st.booleans()))):
            flat = [
                n for slot in draw(st.subset(range(4))) for n in (slot, draw(st.integers(0, 100)), draw(_small) * 512)
            ]
            odd = draw(st.integers(0, 20)) == 0
            head["load"] = Load(host=draw(st.sampled_from([None, (draw(_small), 7)])), vms=[*flat, 1] if odd else flat)
        if not name:
            return inputs.ClusterTold("", ClusterFrame(**head))
        hanging = draw(st.sampled_from(["", "", "", "WMI does not answer"]))
        return inputs.NodeTold(name, NodeFrame(**head), hanging, "wait" if hanging else "")

    def _sections(self, name: str, kind: str) -> dict[str, Any]:
        draw = self._draw
        found: dict[str, Any] = {}
        gone: dict[str, list[str]] = {}
        makers = _OF_NODE if name else _OF_CLUSTER
        for section, (ids, make) in makers.items():
            if draw(st.booleans()):
                chosen = draw(st.subset(ids))
                found[section] = [make(draw, one, slot) for slot, one in enumerate(ids) if one in chosen]
                lost = [one for one in ids if one not in chosen and draw(st.booleans())]
                if lost and kind == "delta":
                    gone[section] = lost
        if draw(st.booleans()):
            if name:
                found["host"] = Host(name=name, vmms=draw(_texts), processors=draw(st.just(None) | _small))
            else:
                found["cluster"] = ClusterInfo(id="c", name=draw(_texts))
        if gone:
            found["gone"] = gone
        return found

    def _other(self, name: str) -> Input:  # noqa: PLR0911  # one for each kind
        draw = self._draw
        kind = draw(st.sampled_from(["link", "info", "writers", "reading", "events", "failed", "signal", "quiet"]))
        time = WALL + timedelta(milliseconds=self.ms)
        if kind == "link":
            return inputs.Linked(name, draw(st.sampled_from(list(LinkStatus))), draw(_texts), draw(_texts))
        if kind == "info":
            return inputs.InfoTold(name, Info(v=1, contract="1", node=name, time=time, build=draw(_texts)))
        if kind == "reading":
            return inputs.WritersTold(name, WriterPicture(reading=True))
        if kind == "writers":
            writers = tuple(_writer(draw, number) for number in range(draw(st.integers(1, 2))))
            read_at = ORIGIN + self.ms / 1000
            return inputs.WritersTold(name, WriterPicture(time=time, read_at=read_at, writers=writers), None)
        if kind == "failed":
            return inputs.EventsFailed(name, "System", draw(_texts))
        if kind == "signal":
            if draw(st.booleans()):
                return inputs.ShadowsTold(name, ShadowPicture(time=time, shadows=()))
            return inputs.FiltersTold(name, FilterPicture(time=time, failure=draw(_texts)))
        return inputs.EventsTold(name, self._page(time, quiet=kind == "quiet"))

    def _page(self, time: datetime, *, quiet: bool) -> EventPage:
        draw = self._draw
        newest = self._records.get("System", 5) + draw(_small)
        self._records["System"] = newest
        events = [] if quiet else [
            Event(channel="System", record=newest + number, id=draw(_small), level=2, time=time, provider="VSS",
                  data={"1": draw(_texts)}, text=draw(_texts))
            for number in range(draw(_small))
        ]  # fmt: skip
        oldest = draw(st.sampled_from([None, WALL, WALL + timedelta(seconds=7)]))
        return EventPage(
            v=1, time=time, channel="System", newest_record=newest, oldest_record=draw(_small), oldest_time=oldest,
            wrapped=draw(st.sampled_from([None, False, True])), events=events,
        )  # fmt: skip


def _writer(draw: Any, number: int) -> Writer:
    code = draw(st.sampled_from([1, 5]))
    return Writer(
        name=f"writer {number}", id=VMS[number], instance="", code=code, state_text="", state_class="ok",
        error_text=draw(_texts), error_kind="none",
    )  # fmt: skip


def _vm(draw: Any, key: str, slot: int) -> Vm:
    counts = [CheckpointCount(type=draw(_small), saved=draw(st.booleans()), count=1, oldest=WALL)]
    return Vm(
        id=key, name=f"VM {slot}", slot=draw(st.sampled_from([slot, slot + 4])), state=draw(st.sampled_from([2, 3, 9])),
        started=draw(st.just(None) | st.just(WALL)), op=draw(st.sampled_from([None, [2], [2, 32776]])),
        checkpoints=draw(st.sampled_from([None, [], counts])), checkpoint_type=draw(st.sampled_from([None, 2, 3])),
    )  # fmt: skip


def _files(draw: Any, key: str, slot: int) -> VmFiles:
    return VmFiles(id=key, configuration=draw(_texts), disks=draw(st.sampled_from([None, [], [rf"C:\x\{slot}.vhdx"]])))


def _job(draw: Any, key: str, slot: int) -> Job:
    return Job(id=key, kind="concrete", vm=VMS[slot], type=1, state=4, percent=draw(st.integers(0, 100)), started=WALL)


def _role(draw: Any, key: str, slot: int) -> Role:
    owner = draw(st.sampled_from([None, *NODES]))
    return Role(id=key, name=f"role {slot}", vm=VMS[slot], owner=owner, state=draw(_small))


def _csv(draw: Any, key: str, slot: int) -> Csv:
    path = rf"C:\ClusterStorage\V{slot}"
    owner, volume = draw(st.sampled_from(NODES)), f"v{slot}"
    return Csv(id=key, resource=key, path=path, owner=owner, volume=volume, state=draw(_small), free=draw(_small))


def _io(draw: Any, key: str, slot: int) -> CsvIo:
    return CsvIo(id=f"v{slot}", nodes={name: (draw(_small), 0, 0) for name in NODES})


def _member(draw: Any, key: str, slot: int) -> ClusterNode:
    return ClusterNode(name=key, state=draw(_small), drain=draw(_small))


_OF_NODE: dict[str, Any] = {"vms": (VMS, _vm), "files": (VMS, _files), "jobs": (("j0", "j1"), _job)}
_OF_CLUSTER: dict[str, Any] = {
    "nodes": (NODES, _member),
    "roles": (("r0", "r1", "r2"), _role),
    "csvs": (("c0", "c1"), _csv),
    "io": (("v0", "v1"), _io),
}


def talks(most: int = 40) -> strategies.SearchStrategy[list[Step]]:
    """What a cluster tells, with times in milliseconds."""

    def made(seed: int, count: int) -> list[Step]:
        dice = Random(seed)
        return Talk(lambda of: of.throw(dice)).steps(count)

    return strategies.builds(made, strategies.integers(0, 2**32), strategies.integers(1, most))


def live() -> tuple[StillStore, SetClock]:
    """A store as the console has it, with a clock that is set to each input's time."""
    clock = SetClock(WALL, ORIGIN)
    return StillStore(clock), clock


def told(state: ClusterState) -> Any:
    """Everything a state knows, comparable; numbers of messages are no knowledge."""
    return msgspec.to_builtins(keyframe.take(state), builtin_types=(datetime,))


def thinned(state: ClusterState) -> Any:
    """The same without what a recording has at its marks only: load, and when a source was last heard."""
    key = keyframe.take(state)
    nodes = [
        msgspec.structs.replace(
            node, link=_still(node.link), time=None, load=None, vm_load=[], load_problem=None, tick_ms=0
        )
        for node in key.nodes
    ]
    cluster = msgspec.structs.replace(key.cluster, link=_still(key.cluster.link), time=None, tick_ms=0)
    history = msgspec.structs.replace(key.history, last={})
    channels = [msgspec.structs.replace(one, position=0, oldest_time=None, read_at=None) for one in key.events.channels]
    events = msgspec.structs.replace(key.events, channels=channels)
    bare = msgspec.structs.replace(key, nodes=nodes, cluster=cluster, history=history, events=events)
    return msgspec.to_builtins(bare, builtin_types=(datetime,))


def _still(link: Any) -> Any:
    return msgspec.structs.replace(link, last_frame=None, node_time=None, offset=None, interval=0.0)
