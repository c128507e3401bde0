"""Which CSVs a VM lives on, who owns them, and whether the VM runs beside its storage.

Every file counts: configuration, checkpoints, paging file, every disk and every disk of a checkpoint. Paths are
compared as Windows does: by whole components, ordinally, without case.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import msgspec

from hvtui.model.enums import VmState
from hvtui.model.records import Csv, VmFiles

if TYPE_CHECKING:
    from hvtui.model.state import ClusterState

_AT_REST: Final = frozenset({VmState.Off, VmState.Saved, VmState.SavedVendor})
_CACHE_LIMIT: Final = 100_000


class Placement(msgspec.Struct, frozen=True):
    """Where a VM's files are. `csvs` holds ids, `owners` the distinct owner nodes, `elsewhere` paths on no CSV.

    `off_owner`: the VM's node owns none of its CSVs. `drift`: so, and the VM is not at rest (a VM that is off moves no
    data). `split`: its CSVs have different owners, so that no node is right. None everywhere means it cannot be told.
    """

    csvs: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()
    off_owner: bool | None = None
    drift: bool | None = None
    split: bool | None = None


UNKNOWN: Final = Placement()


class CsvIndex:
    """Finds the CSV of a path; built once for a set of volumes."""

    def __init__(self, csvs: Iterable[Csv]) -> None:
        self._roots: dict[str, str] = {}
        paths: dict[str, str] = {}
        for csv in csvs:
            paths[csv.id] = csv.path
            for root in (csv.path, csv.volume):
                if root:
                    self._roots[normal_path(root)] = csv.id
        # Longest first: a volume may be mounted inside another one's folder.
        self._depths = sorted({root.count("\\") for root in self._roots}, reverse=True)
        self.names = {csv_id: short_path(path) for csv_id, path in paths.items()}
        """CSV → the last part of its path."""
        self._known: dict[str, str | None] = {}

    def find(self, path: str) -> str | None:
        """Id of the CSV a path is on, None when it is on none."""
        try:
            return self._known[path]
        except KeyError:
            if len(self._known) > _CACHE_LIMIT:
                self._known.clear()
            found = self._known[path] = self._search(path)
            return found

    def _search(self, path: str) -> str | None:
        parts = normal_path(path).split("\\")
        for depth in self._depths:
            if len(parts) > depth:
                found = self._roots.get("\\".join(parts[: depth + 1]))
                if found is not None:
                    return found
        return None


def csv_of(path: str, csvs: Iterable[Csv]) -> str | None:
    """Id of the CSV a path is on: longest prefix of whole components, without case, `Volume1` is not `Volume10`."""
    return CsvIndex(csvs).find(path)


def short_path(path: str) -> str:
    """The last part of a volume's path: `Volume1` of `C:\\ClusterStorage\\Volume1`."""
    return path.rstrip("\\/").replace("/", "\\").rpartition("\\")[2] or path


def normal_path(path: str) -> str:
    """A path as Windows compares it: upper case, backslashes, `.` and `..` resolved, no `\\\\?\\`, no tail.

    Ends of components lose dots and spaces, as Win32 drops them. `\\\\?\\Volume{guid}` keeps its braces.
    """
    path = path.replace("/", "\\")
    share = False
    if path.startswith(("\\\\?\\", "\\\\.\\")):
        path = path[4:]
        if path[:4].upper() == "UNC\\":
            path, share = path[4:], True
    elif path.startswith("\\\\"):
        share = True
    parts: list[str] = []
    for part in path.split("\\"):
        if part == "..":
            if len(parts) > 1:
                parts.pop()
            continue
        name = part.rstrip(" .")
        if name:
            parts.append(name)
    joined = "\\".join(parts)
    return ("\\\\" if share else "") + (joined.upper() if joined.isascii() else "".join(map(_upper, joined)))


def _upper(char: str) -> str:
    # One character for one, and none that only looks like an ASCII letter: so Windows' ordinal comparison does.
    upper = char.upper()
    return upper if len(upper) == 1 and (upper > "\x7f" or char < "\x80") else char


def place(state: ClusterState, key: str) -> Placement:
    """Where a VM lives and whether it drifts; fields are None for what cannot be told."""
    return state.placements.place(state, key)


class _Held(msgspec.Struct):
    """A placement and what it was worked out from: reused while all of that is the same."""

    files: VmFiles
    index: CsvIndex
    csvs: tuple[str, ...]
    elsewhere: tuple[str, ...]
    whole: bool
    owned: tuple[str | None, ...] = ()
    home: str | None = None
    at_rest: bool | None = None
    placement: Placement | None = None


@dataclass(slots=True)
class Placements:
    """Placements worked out so far; each is kept until one of its inputs is another."""

    _index: CsvIndex | None = None
    _csvs: dict[str, Csv] | None = None
    _shape: tuple[tuple[str, str, str | None], ...] = ()
    _held: dict[str, _Held] = field(default_factory=dict)

    def index(self, state: ClusterState) -> CsvIndex | None:
        """The index of the cluster's volumes, None while they are unread."""
        csvs = state.cluster.csvs
        if csvs is not self._csvs:
            self._csvs = csvs
            shape = tuple((csv.id, csv.path, csv.volume) for csv in (csvs or {}).values())
            if shape != self._shape or self._index is None:
                self._shape = shape
                self._index = CsvIndex((csvs or {}).values())
                self._held.clear()
        return None if csvs is None else self._index

    @property
    def names(self) -> dict[str, str]:
        """CSV → the last part of its path, of the volumes that placements name."""
        return {} if self._index is None else self._index.names

    def on(self, csvs: set[str]) -> list[str]:
        """VMs known to have a file on one of these volumes."""
        return [key for key, held in self._held.items() if not csvs.isdisjoint(held.csvs)]

    def place(self, state: ClusterState, key: str) -> Placement:
        """See the function of this name."""
        return self.place_at(state, key, state.files(key), state.home(key), state.at_rest(key))

    def place_at(
        self, state: ClusterState, key: str, files: VmFiles | None, home: str | None, at_rest: bool | None
    ) -> Placement:
        """The same when the VM's files, home and whether it is at rest are known to the caller."""
        index = self.index(state)
        if index is None or files is None:
            self._held.pop(key, None)
            return UNKNOWN
        held = self._held.get(key)
        if held is None or held.files is not files or held.index is not index:
            held = self._held[key] = _Held(files, index, *_volumes(files, index))
        known = self._csvs or {}
        owned = tuple([known[csv].owner for csv in held.csvs])
        if held.placement is None or owned != held.owned or home != held.home or at_rest is not held.at_rest:
            held.owned, held.home, held.at_rest = owned, home, at_rest
            held.placement = _placed(state, held)
        return held.placement


def _placed(state: ClusterState, held: _Held) -> Placement:
    owners = tuple(dict.fromkeys(state.node_name(owner) for owner in held.owned if owner is not None))
    if None in held.owned or not held.whole or held.home is None:
        return Placement(held.csvs, owners, held.elsewhere)
    if not held.csvs:
        return Placement((), (), held.elsewhere, False, False, False)
    off = held.home not in owners
    drift = False if not off else None if held.at_rest is None else not held.at_rest
    return Placement(held.csvs, owners, held.elsewhere, off, drift, len(owners) > 1)


def _volumes(files: VmFiles, index: CsvIndex) -> tuple[tuple[str, ...], tuple[str, ...], bool]:
    """CSVs in the order disks, configuration, checkpoints, paging; paths on none; whether all paths were read."""
    csvs: dict[str, None] = {}
    elsewhere: dict[str, None] = {}
    for path in (*(files.disks or ()), files.configuration, files.checkpoints, files.paging):
        if path:
            found = index.find(path)
            if found is None:
                elsewhere[path] = None
            else:
                csvs[found] = None
    return tuple(csvs), tuple(elsewhere), files.disks is not None and files.configuration is not None


def is_at_rest(state: int) -> bool:
    """Off or saved: nothing reads or writes the VM's disks."""
    return state in _AT_REST


class Cell(msgspec.Struct, frozen=True):
    """VMs of one node on one CSV: all, those that drift, and whether the node owns the CSV."""

    vms: int = 0
    drift: int = 0
    owner: bool = False


class Matrix(msgspec.Struct, frozen=True):
    """How many VMs of each node are on each CSV. A VM on two CSVs counts on both.

    `cells` has only pairs with a VM and the owners' cells. `elsewhere` counts a node's VMs on no CSV, `unknown` those
    whose files could not be read. `split` counts VMs whose CSVs have different owners.
    """

    nodes: tuple[str, ...] = ()
    csvs: tuple[str, ...] = ()
    cells: dict[tuple[str, str], Cell] = {}
    elsewhere: dict[str, int] = {}
    unknown: dict[str, int] = {}
    split: int = 0

    def cell(self, node: str, csv: str) -> Cell:
        """The cell of a node's name and a CSV's id."""
        return self.cells.get((node, csv), _EMPTY)


_EMPTY: Final = Cell()


def matrix(state: ClusterState) -> Matrix:
    """The VMs of every node on every CSV, counted."""
    tally = state.tally.refresh(state)
    csvs = state.cluster.csvs or {}
    owned = {(state.node_name(csv.owner), csv.id) for csv in csvs.values() if csv.owner is not None}
    filled = {pair for pair, count in tally.cells.items() if count}
    return Matrix(
        nodes=tuple(state.node_names()),
        csvs=tuple(csvs),
        cells={pair: Cell(tally.cells[pair], tally.drift_cells[pair], pair in owned) for pair in owned | filled},
        elsewhere={node: count for node, count in tally.elsewhere.items() if count},
        unknown={node: count for node, count in tally.unknown.items() if count},
        split=tally.split,
    )
