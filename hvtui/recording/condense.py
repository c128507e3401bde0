"""The messages of a segment made small: only fields that differ from what was told before, each text once.

`Condenser` writes and `Expander` reads; both begin with the segment's keyframe and go through the same steps, so that
neither needs anything of an earlier segment. What a quiet cluster repeats is thinned; docs/recording.md tells how.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import msgspec

from hvtui.live import inputs
from hvtui.live.inputs import Input
from hvtui.model.records import ClusterFrame, EventPage, Frame, Info, Load, NodeFrame
from hvtui.recording import diff
from hvtui.recording.diff import Mirror, Packer, Unpacker
from hvtui.recording.keyframe import Keyframe

MARK_MS: Final = 120_000
"""At a mark the load figures, the heartbeats and the times of quiet event logs are exact."""
FRAME, OTHER, WRITERS, SIGNAL, INFO, PAGES, SKEW, LOAD = range(8)
"""First number of an item."""
SIGNALS: Final = (inputs.ShadowsTold, inputs.FiltersTold, inputs.HotfixesTold, inputs.ChainTold)

_encode: Final = msgspec.msgpack.Encoder().encode
Timed = tuple[int, Input]
"""Milliseconds since the recording began, and what was told then."""


@dataclass(slots=True)
class _Quiet:
    """What a stream told since its last stored message, when that was nothing but heartbeats and load."""

    time: int
    frame: Frame
    beats: int = 0
    delta: bool = False
    """One of them was no heartbeat: it carried load."""
    hanging: str = ""
    hint: str = ""
    live: bool = True
    """Nothing but messages set the state of its connection."""


@dataclass(slots=True)
class _Waiting:
    """Load figures not yet stored."""

    host: tuple[int, int] | None = None
    vms: dict[int, tuple[int, int]] = field(default_factory=dict)


class Condenser:
    """Writes one segment."""

    def __init__(self, key: Keyframe, began: int) -> None:
        """`began`: when the keyframe was taken, in milliseconds since the recording began."""
        self._mirror = Mirror(key)
        self._packer = Packer(self._mirror.seeds)
        self._items: list[bytes] = []
        self._time = began
        self._marked = began // MARK_MS * MARK_MS
        self._skew = 0
        self._ticks = {node.name: node.tick_ms for node in key.nodes}
        """What the last message that was no heartbeat cost a node."""
        self._quiet: dict[str, _Quiet] = {}
        self._loads: dict[str, _Waiting] = {}
        self._spoiled = {node.name for node in key.nodes if node.load_problem is not None}
        """Nodes whose last vector could not be read: the next one takes that back, and must not wait."""
        self._pages: dict[tuple[str, str], tuple[int, EventPage]] = {}

    def body(self) -> bytes:
        """Everything so far, the quiet included: as an array of items."""
        self._mark()
        return b"\xdd" + len(self._items).to_bytes(4, "big") + b"".join(self._items)

    def add(self, time: int, told: Input, skew: int, *, exact: bool = False, beats: int | None = None) -> None:
        """Take in what was told at `time`. `skew`: the wall clock against the monotonic one, in milliseconds.

        `exact`: heartbeats count now, and none is left out. `beats`: what an Expander told of a message; it is kept.
        """
        if time - self._marked >= MARK_MS:
            self._mark()
            self._marked += (time - self._marked) // MARK_MS * MARK_MS
        if abs(skew - self._skew) > 2:
            self._skew = skew
            self._put(time, SKEW, skew)
        if isinstance(told, inputs.NodeTold):
            self._frame(time, told.frame, told, exact=exact, beats=beats)
        elif isinstance(told, inputs.ClusterTold):
            bare = inputs.NodeTold("", told.frame)  # type: ignore[arg-type]
            self._frame(time, told.frame, bare, exact=exact, beats=beats)
        elif isinstance(told, inputs.EventsTold):
            self._page(time, told)
        elif isinstance(told, inputs.WritersTold):
            self._writers(time, told)
        elif isinstance(told, SIGNALS):
            self._signal(time, told)
        elif isinstance(told, inputs.LoadTold):
            load = told.load
            self._put(time, LOAD, told.name, self._mirror.pack_load(told.name, load.host, _triples(load.vms)))
        elif isinstance(told, inputs.InfoTold):
            changed = diff.changed(self._mirror.infos.get(told.name), told.info)
            self._mirror.infos[told.name] = told.info
            self._put(time, INFO, told.name, changed)
        else:
            if isinstance(told, inputs.EventsFailed):
                self._no_page((told.name, told.channel))
            self._before(told.name)
            quiet = self._quiet.get(told.name)
            if quiet is not None:
                quiet.live = False
            self._put(time, OTHER, msgspec.to_builtins(told, builtin_types=(datetime,)))

    # --- streams ---

    def _frame(self, time: int, frame: Frame, told: inputs.NodeTold, *, exact: bool, beats: int | None) -> None:
        """`frame` is that of `told`, which names its source and what hangs there."""
        name = told.name
        quiet = self._quiet.get(name)
        load = frame.load if isinstance(frame, NodeFrame) else None
        if quiet is not None and not exact and _same_again(quiet, time, frame, told) and self._is_plain(name, load):
            if not frame.interval_ms:
                # It does not tell: what the one before told stays.
                frame = msgspec.structs.replace(frame, interval_ms=quiet.frame.interval_ms)
            quiet.time, quiet.frame, quiet.beats = time, frame, quiet.beats + 1
            if frame.kind == "delta":
                quiet.delta = True
                self._ticks[name] = frame.tick_ms
            if load is not None:
                self._take_load(name, load.host, load.vms)
            return
        sections, freed = self._mirror.compare(name, frame)
        plain = self._is_plain(name, load)
        if quiet is not None and name in self._loads and (not plain or self._mirror.shares_slots(name)):
            # It was good when it came, and must not be put to the new picture.
            self._put_load(name, quiet.time)
        self._before(name)
        if name and frame.kind != "beat":
            self._ticks[name] = frame.tick_ms
        carried = self._carry(name, frame, load, freed, now=not plain or beats is not None)
        now = _Quiet(time, frame, beats or 0, hanging=told.hanging, hint=told.hint)
        self._put_frame(name, now, frame, sections, carried)
        now.beats = 0
        self._quiet[name] = now

    def _carry(self, name: str, frame: Frame, load: Load | None, freed: set[int], *, now: bool) -> list[Any] | None:
        """The load that a message is stored with; None when it has none, or when that waits for the mark."""
        if frame.kind == "full":
            # A full picture says nothing of the host's load unless it carries it.
            waiting = self._loads.setdefault(name, _Waiting())
            waiting.vms.clear()
            waiting.host = None if load is not None and load.host is not None else waiting.host
            self._mirror.loads[name] = {}
        elif name in self._loads:
            for slot in freed:
                self._loads[name].vms.pop(slot, None)
        if load is None:
            return None
        if len(load.vms) % 3 or self._mirror.shares_slots(name):
            self._spoiled.add(name)
            return [load.host, load.vms]
        if now or frame.kind == "full":
            self._spoiled.discard(name)
            return self._mirror.pack_load(name, load.host, _triples(load.vms))
        self._take_load(name, load.host, load.vms)
        return None

    def _is_plain(self, name: str, load: Load | None) -> bool:
        """Load that may wait for the mark: a good vector, and the one before was good, too."""
        if load is None:
            return True
        return len(load.vms) % 3 == 0 and name not in self._spoiled and not self._mirror.shares_slots(name)

    def _before(self, name: str) -> None:
        """Something else is told of a source: the last of the heartbeats before it is stored with its own time."""
        quiet = self._quiet.get(name)
        if quiet is not None and quiet.beats:
            self._put_beat(name, quiet)

    def _put_beat(self, name: str, quiet: _Quiet) -> None:
        tick = self._ticks.get(name, quiet.frame.tick_ms) if quiet.delta and name else quiet.frame.tick_ms
        kind = "delta" if quiet.delta else "beat"
        told = msgspec.structs.replace(quiet.frame, kind=kind, tick_ms=tick, errors=None)
        self._put_frame(name, quiet, told, [], None)
        quiet.beats, quiet.delta = 0, False

    def _put_frame(self, name: str, quiet: _Quiet, frame: Frame, sections: list[Any], load: list[Any] | None) -> None:
        """Store a message that came when `quiet` says."""
        offset = diff.milliseconds(frame.time) - quiet.time - self._skew
        moved, self._mirror.offsets[name] = offset - self._mirror.offsets.get(name, 0), offset
        errors = None if frame.errors is None else [msgspec.to_builtins(one) for one in frame.errors]
        rest: list[Any] = [sections, load, errors, quiet.hanging, quiet.hint, quiet.beats]
        # An empty list of errors says that there are none any more; None that they stay.
        while rest and not rest[-1] and not (len(rest) == 3 and rest[-1] is not None):
            rest.pop()
        kind = diff.KINDS.index(frame.kind)
        self._put(quiet.time, FRAME, name, kind, moved, self._mirror.same_cost(name, frame), *rest)

    # --- load ---

    def _take_load(self, name: str, host: tuple[int, int] | None, flat: list[int]) -> None:
        held = self._loads.setdefault(name, _Waiting())
        held.host = host or held.host
        held.vms.update(_triples(flat))

    def _put_load(self, name: str, time: int) -> None:
        """Store what waits for a mark; it waits no longer."""
        held = self._loads.pop(name, None)
        if held is not None and (held.host is not None or held.vms):
            self._put(time, LOAD, name, self._mirror.pack_load(name, held.host, held.vms))

    # --- what is not a stream ---

    def _page(self, time: int, told: inputs.EventsTold) -> None:
        page, key = told.page, (told.name, told.page.channel)
        held = self._mirror.pages.get(key)
        calm = page.events == [] and not page.errors and not page.more
        last = self._pages[key][1] if key in self._pages else held
        if calm and last is not None and diff.same_log(last, page):
            if key in self._pages:
                # What a page does not tell stays as the one before told it.
                waiting = self._pages[key][1]
                newest = waiting.newest_record if page.newest_record is None else page.newest_record
                oldest = waiting.oldest_time if page.oldest_time is None else page.oldest_time
                page = msgspec.structs.replace(page, newest_record=newest, oldest_time=oldest)
            self._pages[key] = (time, page)
            return
        if key in self._pages:
            self._put_pages([key])
        self._mirror.saw_page(told.name, page)
        bare = msgspec.structs.replace(told, page=msgspec.structs.replace(page, cpu_ms=None))
        self._put(time, OTHER, msgspec.to_builtins(bare, builtin_types=(datetime,)))

    def _no_page(self, key: tuple[str, str]) -> None:
        """The channel could not be read: the next page takes that back, and must not wait."""
        if key in self._pages:
            self._put_pages([key])
        self._mirror.pages.pop(key, None)

    def _put_pages(self, keys: Iterable[tuple[str, str]]) -> None:
        rows = []
        for key in keys:
            time, page = self._pages.pop(key)
            held, steps = self._mirror.pages[key], diff.page_steps(self._mirror.pages[key], page)
            rows.append([*key, time - self._time, *steps])
            self._mirror.pages[key] = diff.page_after(held, steps)
        self._put(self._time, PAGES, rows)

    def _writers(self, time: int, told: inputs.WritersTold) -> None:
        held = self._mirror.writers.get(told.name)
        picture = told.picture
        if held is None or not picture.writers or (held.writers, held.unreadable) != (
            picture.writers, picture.unreadable
        ):  # fmt: skip
            self._put(time, OTHER, msgspec.to_builtins(told, builtin_types=(datetime,)))
        else:
            bare = msgspec.structs.replace(picture, writers=(), unreadable=())
            same = told.providers == self._mirror.providers.get(told.name)
            told_providers = None if told.providers is None else [msgspec.to_builtins(one) for one in told.providers]
            providers = True if same else told_providers
            self._put(time, WRITERS, told.name, msgspec.to_builtins(bare, builtin_types=(datetime,)), providers)
        self._mirror.saw_writers(told)

    def _signal(self, time: int, told: Any) -> None:
        key = (type(told).__name__, told.name)
        held = self._mirror.signals.get(key)
        if held is not None and msgspec.structs.replace(held, time=told.picture.time) == told.picture:
            self._put(time, SIGNAL, *key, told.picture.time)
        else:
            self._put(time, OTHER, msgspec.to_builtins(told, builtin_types=(datetime,)))
        self._mirror.signals[key] = told.picture

    # --- marks ---

    def _mark(self) -> None:
        """Store everything that was held back."""
        for name, quiet in self._quiet.items():
            self._put_load(name, quiet.time)
            if quiet.beats:
                self._put_beat(name, quiet)
        if self._pages:
            self._put_pages(list(self._pages))

    def _put(self, time: int, *item: Any) -> None:
        step, self._time = time - self._time, time
        kind, *rest = item
        self._items.append(_encode([kind, step, *(self._packer.pack(value) for value in rest)]))


def _same_again(quiet: _Quiet, time: int, frame: Frame, told: inputs.NodeTold) -> bool:
    """A heartbeat, or a message with nothing but load, that came when it was expected."""
    if frame.kind == "full" or frame.errors is not None or frame.gone or not quiet.live:
        return False
    if (told.hanging, told.hint) != (quiet.hanging, quiet.hint) or diff.has_sections(frame):
        return False
    return time - quiet.time <= 1.5 * (quiet.frame.interval_ms or 2_000) + 1_000


def _triples(flat: list[int]) -> dict[int, tuple[int, int]]:
    return {flat[i]: (flat[i + 1], flat[i + 2]) for i in range(0, len(flat) - 2, 3)}


@dataclass(frozen=True, slots=True)
class Told:
    """One thing that was told: when (as `Timed`), the wall clock's skew then, and how many heartbeats went before."""

    time: int
    told: Input
    skew: int
    beats: int = 0


class Expander:
    """Reads one segment."""

    def __init__(self, key: Keyframe, began: int) -> None:
        self._mirror = Mirror(key)
        self._time = began
        self._skew = 0

    def read(self, body: bytes) -> Iterator[Told]:
        """What was told, in order. Raises ValueError (msgspec's errors are of that kind), IndexError and KeyError for
        a body that is no body.
        """
        unpacker = Unpacker(self._mirror.seeds)
        for item in unpacker.decode(body):
            kind, step, *rest = item
            self._time += step
            if kind == SKEW:
                self._skew = rest[0]
            elif kind == FRAME:
                yield self._frame(rest)
            elif kind == PAGES:
                yield from self._pages(rest[0])
            else:
                yield Told(self._time, self._other(kind, rest), self._skew)

    def _frame(self, item: list[Any]) -> Told:
        name, kind, moved, cost, *rest = item
        sections, load, errors, hanging, hint, beats = (*rest, *[None] * 6)[:6]
        mirror = self._mirror
        cost = mirror.costs[name] = cost or mirror.costs[name]
        offset = mirror.offsets[name] = mirror.offsets.get(name, 0) + moved
        shape = ClusterFrame if not name else NodeFrame
        fields: dict[str, Any] = {
            "v": diff.WIRE,
            "kind": diff.KINDS[kind],
            "seq": 1,
            "time": diff.moment(self._time + self._skew + offset),
            "tick_ms": cost[0],
            "interval_ms": cost[1],
            "errors": None if errors is None else diff.problems(errors),
            **mirror.expand(name, diff.KINDS[kind], sections or []),
        }
        if diff.KINDS[kind] == "full" and name:
            mirror.loads[name] = {}
        if load is not None:
            fields["load"] = mirror.unpack_load(name, load)
        frame = shape(**fields)
        told: Input = (
            inputs.ClusterTold("", frame)
            if isinstance(frame, ClusterFrame)
            else inputs.NodeTold(name, frame, hanging or "", hint or "")
        )
        return Told(self._time, told, self._skew, beats or 0)

    def _pages(self, rows: list[Any]) -> Iterator[Told]:
        base = self._time
        for name, channel, step, *steps in rows:
            page = diff.page_after(self._mirror.pages[name, channel], steps)
            self._mirror.pages[name, channel] = page
            yield Told(base + step, inputs.EventsTold(name, page), self._skew)

    def _other(self, kind: int, rest: list[Any]) -> Input:
        mirror = self._mirror
        if kind == INFO:
            name, changed = rest
            info = mirror.infos[name] = diff.changed_back(mirror.infos.get(name), Info, changed)
            return inputs.InfoTold(name, info)
        if kind == WRITERS:
            return mirror.writers_again(*rest)
        if kind == LOAD:
            return inputs.LoadTold(rest[0], mirror.unpack_load(*rest))
        if kind == SIGNAL:
            shape, name, time = rest
            picture = msgspec.structs.replace(mirror.signals[shape, name], time=time)
            mirror.signals[shape, name] = picture
            return next(one for one in SIGNALS if one.__name__ == shape)(name, picture)
        told: Input = msgspec.convert(rest[0], type=Input)
        if isinstance(told, inputs.EventsTold):
            mirror.saw_page(told.name, told.page)
        elif isinstance(told, inputs.EventsFailed):
            mirror.pages.pop((told.name, told.channel), None)
        elif isinstance(told, inputs.WritersTold):
            mirror.saw_writers(told)
        elif isinstance(told, SIGNALS):
            mirror.signals[type(told).__name__, told.name] = told.picture
        return told
