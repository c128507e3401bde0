"""What the writer and the reader of a segment both remember, and differences against it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

from hvtui.live import inputs
from hvtui.model.records import (
    ClusterFrame,
    ClusterInfo,
    ClusterNode,
    Csv,
    CsvIo,
    EventPage,
    Frame,
    Host,
    Info,
    Job,
    Load,
    Problem,
    Provider,
    Record,
    Role,
    Vm,
    VmFiles,
)
from hvtui.model.writers import WriterPicture
from hvtui.recording.keyframe import Keyframe
from hvtui.remote.contract import WIRE

__all__ = ["KINDS", "WIRE", "Mirror", "Packer", "Unpacker"]

KINDS: Final = ("full", "delta", "beat")
_SHORT: Final = 3
"""Shorter texts are not worth a number."""
_REF, _NEW = 1, 2
"""Codes of MessagePack extensions: the number of a text that was there before; a text, which gets the next number."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MS: Final = timedelta(milliseconds=1)

_OF_CLUSTER: Final = (("nodes", "name", ClusterNode), ("csvs", "id", Csv), ("io", "id", CsvIo), ("roles", "id", Role))
_OF_NODE: Final = (("vms", "id", Vm), ("files", "id", VmFiles), ("jobs", "id", Job))


def milliseconds(time: datetime) -> int:
    """Since 1970, rounded."""
    return round((time - _EPOCH) / _MS)


def moment(ms: int) -> datetime:
    """The time that `milliseconds` made a number of."""
    return _EPOCH + timedelta(milliseconds=ms)


def problems(listed: list[Any]) -> list[Problem]:
    """Problems out of their parts."""
    return msgspec.convert(listed, list[Problem])


# --- texts ---


class Packer:
    """Replaces texts by numbers; each is written once."""

    def __init__(self, seeds: Iterable[str]) -> None:
        self._known = {text: number for number, text in enumerate(dict.fromkeys(seeds))}

    def pack(self, value: Any) -> Any:
        """The same value with extensions in the place of texts; keys of mappings stay."""
        if isinstance(value, str):
            if len(value) < _SHORT:
                return value
            number = self._known.get(value)
            if number is None:
                self._known[value] = len(self._known)
                return msgspec.msgpack.Ext(_NEW, value.encode("utf-8", "surrogatepass"))
            return msgspec.msgpack.Ext(_REF, number.to_bytes((number.bit_length() + 7) // 8 or 1, "big"))
        if isinstance(value, list | tuple):
            return [self.pack(one) for one in value]
        if isinstance(value, dict):
            return {key: self.pack(one) for key, one in value.items()}
        return value


class Unpacker:
    """Reads what a Packer with the same seeds wrote."""

    def __init__(self, seeds: Iterable[str]) -> None:
        self._texts = list(dict.fromkeys(seeds))
        self.decode = msgspec.msgpack.Decoder(list[list[Any]], ext_hook=self._text).decode
        """The items of a body."""

    def _text(self, code: int, data: memoryview) -> str:
        if code == _REF:
            return self._texts[int.from_bytes(data, "big")]
        if code != _NEW:
            raise ValueError(f"extension {code} is unknown")
        text = bytes(data).decode("utf-8", "surrogatepass")
        self._texts.append(text)
        return text


# --- records ---


def changed(old: Record | None, new: Record) -> list[Any]:
    """The fields that differ: number, value, number, value …; without an old record one list of all values."""
    values = msgspec.structs.astuple(new)
    if old is None:
        return [[_plain(value) for value in values]]
    found: list[Any] = []
    for number, (before, after) in enumerate(zip(msgspec.structs.astuple(old), values, strict=True)):
        if before != after:
            found += (number, _plain(after))
    return found


def changed_back(old: Any, shape: type[Any], told: list[Any]) -> Any:
    """The record after it."""
    fields = _fields(shape)
    if len(told) == 1:
        values = zip(fields, told[0], strict=False)
        return shape(**{name: msgspec.convert(value, kind) for (name, kind), value in values})
    if old is None:
        raise ValueError(f"a change of an unknown {shape.__name__}")
    new = {}
    for at in range(0, len(told), 2):
        name, kind = fields[told[at]]
        new[name] = msgspec.convert(told[at + 1], kind)
    return msgspec.structs.replace(old, **new)


_FIELDS: Final[dict[type[Any], list[tuple[str, Any]]]] = {}


def _fields(shape: type[Any]) -> list[tuple[str, Any]]:
    found = _FIELDS.get(shape)
    if found is None:
        found = _FIELDS[shape] = [(one.name, one.type) for one in msgspec.structs.fields(shape)]
    return found


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, int | str | datetime):
        return value
    return msgspec.to_builtins(value, builtin_types=(datetime,))


def has_sections(frame: Frame) -> bool:
    """Something but load is told."""
    names = ("nodes", "csvs", "io", "roles", "cluster") if isinstance(frame, ClusterFrame) else _NODE_NAMES
    return any(getattr(frame, name) is not None for name in names)


_NODE_NAMES: Final = ("vms", "files", "jobs", "host")


class _Numbers:
    """Small numbers for the ids of one section of one source: given once, in the order in which ids are told."""

    def __init__(self, ids: Iterable[str]) -> None:
        self._ids = list(ids)
        self._known = {one: number for number, one in enumerate(self._ids)}

    def told(self, one: str) -> int | str:
        """What stands for an id: its number, or at the first time itself."""
        number = self._known.get(one)
        if number is None:
            self._add(one)
            return one
        return number

    def of(self, told: int | str) -> str:
        """The other way."""
        if isinstance(told, int):
            return self._ids[told]
        self._add(told)
        return told

    def _add(self, one: str) -> None:
        self._known[one] = len(self._ids)
        self._ids.append(one)


class Mirror:
    """What was told last of everything, as the segment's keyframe has it at first."""

    def __init__(self, key: Keyframe) -> None:
        self._held: dict[tuple[str, str], dict[str, Any]] = {}
        self._numbers: dict[tuple[str, str], _Numbers] = {}
        self._single: dict[str, Any] = {"": key.cluster.info}
        self.loads: dict[str, dict[int, tuple[int, int]]] = {}
        self.offsets: dict[str, int] = {}
        self.costs: dict[str, list[int]] = {}
        """What the last message of a source cost, and the wait until its next."""
        self.pages: dict[tuple[str, str], EventPage] = {}
        self.infos: dict[str, Info] = {}
        self.writers: dict[str, WriterPicture] = {}
        self.providers: dict[str, tuple[Provider, ...] | None] = {}
        self.signals: dict[tuple[str, str], Any] = {}
        self.seeds: list[str] = []
        """Texts that both sides know."""
        self._begin(key)

    def _begin(self, key: Keyframe) -> None:
        seeds = self.seeds
        for section, name, _ in _OF_CLUSTER:
            listed = getattr(key.cluster, section)
            if listed is not None:
                self._held["", section] = {getattr(one, name): one for one in listed}
                seeds += self._held["", section]
        for node in key.nodes:
            seeds.append(node.name)
            self._single[node.name] = node.host
            for section, name, _ in _OF_NODE:
                listed = getattr(node, section)
                if listed is not None:
                    self._held[node.name, section] = {getattr(one, name): one for one in listed}
                    seeds += self._held[node.name, section]
            flat = node.vm_load
            self.loads[node.name] = {flat[i]: (flat[i + 1], flat[i + 2]) for i in range(0, len(flat) - 2, 3)}
            if node.info is not None:
                self.infos[node.name] = node.info
            if node.writers is not None and not node.writers.reading and not node.writers.failure:
                self.writers[node.name], self.providers[node.name] = node.writers, node.providers
            told = ((inputs.ShadowsTold, node.shadows), (inputs.FiltersTold, node.filters),
                    (inputs.HotfixesTold, node.hotfixes))  # fmt: skip
            self.signals.update({(kind.__name__, node.name): one for kind, one in told if one is not None})
        for one in key.events.channels:
            if one.read_at is not None and not one.problems:
                self.pages[one.node, one.channel] = EventPage(
                    v=WIRE, time=one.read_at, channel=one.channel, newest_record=one.position,
                    oldest_time=one.oldest_time, wrapped=one.wrapped, events=[],
                )  # fmt: skip
        self.signals.update({(inputs.ChainTold.__name__, vm): one for vm, one in key.chains.items()})

    # --- messages ---

    def compare(self, name: str, frame: Frame) -> tuple[list[Any], set[int]]:
        """The sections of a message as differences, and slots of the load vector whose VM is another one now."""
        found: list[Any] = []
        freed: set[int] = set()
        for number, (section, key, _) in enumerate(_OF_NODE if name else _OF_CLUSTER):
            sent = getattr(frame, section)
            if sent is None and (section not in frame.gone or frame.kind == "full"):
                continue
            held = self._held.setdefault((name, section), {})
            numbers = self._numbers_of(name, section)
            lost = [one for one in frame.gone.get(section, ()) if one in held]
            if frame.kind == "full":
                lost = list(held.keys() - {getattr(one, key) for one in sent})
            for one in lost:
                left = held.pop(one)
                if section == "vms":
                    freed.add(left.slot)
            parts = []
            for record in sent or ():
                old = held.get(getattr(record, key))
                if old is not record and old != record:
                    parts.append([numbers.told(getattr(record, key)), *changed(old, record)])
                    held[getattr(record, key)] = record
                    if section == "vms" and old is not None and old.slot != record.slot:
                        freed.add(old.slot)
            gone = [numbers.told(one) for one in lost]
            told = [number, parts, gone] if gone else [number, parts]
            order = [getattr(one, key) for one in sent or ()] if frame.kind == "full" else []
            if frame.kind == "full" and order != list(held):
                self._held[name, section] = {one: held[one] for one in order}
                told = [number, parts, gone, [numbers.told(one) for one in order]]
            found.append(told)
        single = frame.cluster if isinstance(frame, ClusterFrame) else frame.host  # type: ignore[attr-defined]
        if single is not None:
            found.append([-1, changed(self._single.get(name), single)])
            self._single[name] = single
        return found, freed

    def expand(self, name: str, kind: str, sections: list[Any]) -> dict[str, Any]:
        """The sections of a message again."""
        found: dict[str, Any] = {}
        lost: dict[str, list[str]] = {}
        shapes = _OF_NODE if name else _OF_CLUSTER
        for number, parts, *gone in sections:
            if number == -1:
                shape = Host if name else ClusterInfo
                self._single[name] = changed_back(self._single.get(name), shape, parts)
                found["host" if name else "cluster"] = self._single[name]
                continue
            section, _, record = shapes[number]
            held = self._held.setdefault((name, section), {})
            numbers = self._numbers_of(name, section)
            told = []
            # In the order in which the writer gave numbers: records, what is gone, the order of all.
            records = [(numbers.of(one), values) for one, *values in parts]
            left = [numbers.of(one) for one in gone[0]] if gone else []
            for key in left:
                held.pop(key, None)
            for key, values in records:
                held[key] = changed_back(held.get(key), record, values)
                told.append(held[key])
            if len(gone) > 1:
                held = self._held[name, section] = {key: held[key] for key in map(numbers.of, gone[1])}
            if left and kind != "full":
                lost[section] = left
            found[section] = list(held.values()) if kind == "full" else told
        if lost:
            found["gone"] = lost
        return found

    def _numbers_of(self, name: str, section: str) -> _Numbers:
        found = self._numbers.get((name, section))
        if found is None:
            found = self._numbers[name, section] = _Numbers(self._held.get((name, section), ()))
        return found

    def same_cost(self, name: str, frame: Frame) -> list[int] | None:
        """What a message cost and the wait until the next; None when both are as in the one before."""
        cost = [frame.tick_ms, frame.interval_ms]
        if self.costs.get(name) == cost:
            return None
        self.costs[name] = cost
        return cost

    # --- load ---

    def shares_slots(self, name: str) -> bool:
        """Two VMs have one place in the load vector: the state throws such a vector away."""
        held = self._held.get((name, "vms"), {})
        return len({vm.slot for vm in held.values()}) != len(held)

    def pack_load(self, name: str, host: tuple[int, int] | None, vms: dict[int, tuple[int, int]]) -> list[Any]:
        """Host, slots by their distances, and what CPU and memory are more than last time."""
        held = self.loads.setdefault(name, {})
        slots, cpus, memories, at = [], [], [], 0
        for slot in sorted(vms):
            old, new = held.get(slot, (0, 0)), vms[slot]
            if new == old and slot in held:
                continue
            held[slot] = new
            slots.append(slot - at)
            cpus.append(new[0] - old[0])
            memories.append(new[1] - old[1])
            at = slot
        return [host, slots, cpus, memories]

    def unpack_load(self, name: str, told: list[Any]) -> Load:
        """The vector again; one of two parts was stored as it came."""
        host = None if told[0] is None else (told[0][0], told[0][1])
        if len(told) == 2:
            return Load(host=host, vms=told[1])
        held = self.loads.setdefault(name, {})
        flat: list[int] = []
        slot = 0
        for step, cpu, memory in zip(*told[1:], strict=True):
            slot += step
            old = held.get(slot, (0, 0))
            new = held[slot] = (old[0] + cpu, old[1] + memory)
            flat += (slot, *new)
        return Load(host=host, vms=flat)

    # --- pages ---

    def saw_page(self, name: str, page: EventPage) -> None:
        """Remember a page without its events, and the highest record it told of as its newest."""
        held = self.pages.get((name, page.channel))
        newest = page.newest_record
        if newest is None and held is not None:
            newest = held.newest_record
        newest = max(
            [*([] if newest is None else [newest]), *(event.record for event in page.events or ())], default=None
        )
        self.pages[name, page.channel] = msgspec.structs.replace(page, newest_record=newest, events=[])

    # --- writers ---

    def saw_writers(self, told: inputs.WritersTold) -> None:
        """Remember a read that brought writers."""
        if told.picture.writers:
            self.writers[told.name], self.providers[told.name] = told.picture, told.providers

    def writers_again(self, name: str, bare: dict[str, Any], providers: Any) -> inputs.WritersTold:
        """A read that brought the same writers as the one before."""
        held = self.writers[name]
        picture = msgspec.convert(bare, WriterPicture)
        picture = msgspec.structs.replace(picture, writers=held.writers, unreadable=held.unreadable)
        same = self.providers[name] if providers is True else msgspec.convert(providers, tuple[Provider, ...] | None)
        told = inputs.WritersTold(name, picture, same)
        self.saw_writers(told)
        return told


# --- pages of event logs that bring nothing ---


def same_log(old: EventPage, new: EventPage) -> bool:
    """All that may differ are the numbers that `page_steps` tells."""
    if old.errors or old.more or (new.newest_record or 0) < (old.newest_record or 0):
        return False
    # None tells nothing of how far the log reaches: what was told before stays. So does False, once it was True.
    return old.wrapped == new.wrapped or (not new.wrapped and old.wrapped is not None)


def page_steps(old: EventPage, new: EventPage) -> list[int]:
    """What the times and record numbers of a page are more than those of the one before."""
    steps = [
        milliseconds(new.time) - milliseconds(old.time),
        0 if new.newest_record is None else new.newest_record - (old.newest_record or 0),
        0 if new.oldest_time is None
        else milliseconds(new.oldest_time) - (0 if old.oldest_time is None else milliseconds(old.oldest_time)),
    ]  # fmt: skip
    while len(steps) > 1 and not steps[-1]:
        steps.pop()
    return steps


def page_after(old: EventPage, steps: list[int]) -> EventPage:
    """The page after it."""
    time, newest, oldest = [*steps, 0, 0][:3]
    before = 0 if old.oldest_time is None else milliseconds(old.oldest_time)
    return msgspec.structs.replace(
        old,
        time=moment(milliseconds(old.time) + time),
        newest_record=None if old.newest_record is None and not newest else (old.newest_record or 0) + newest,
        oldest_record=None,
        oldest_time=moment(before + oldest) if oldest or old.oldest_time is not None else None,
        cpu_ms=None,
        events=[],
    )
