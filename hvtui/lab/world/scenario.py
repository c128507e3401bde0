"""Scenarios: what a cluster looks like and what goes on in it, as TOML data, checked before anything is built."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import msgspec

from hvtui.lab.world.guests import KINDS
from hvtui.model.enums import CheckpointType, ReplicationMode, SnapshotType, VmState

DIRECTORY: Final = Path(__file__).resolve().parent.parent / "scenarios"

_SPAN: Final = re.compile(r"(-?\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?\Z")
_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}

Span = str | int | float
"""A length of time: seconds, or a number with `ms s m h d`."""


class ScenarioError(Exception):
    """A scenario that cannot be used; the text lists everything that is wrong with it."""


def seconds(span: Span) -> float:
    """Seconds of a span; raises ValueError."""
    if isinstance(span, int | float):
        return float(span)
    match = _SPAN.match(span.strip())
    if match is None:
        raise ValueError(f"{span!r} is no length of time: write seconds, or a number with ms, s, m, h or d")
    return float(match[1]) * _UNITS[match[2] or "s"]


class _Part(msgspec.Struct, forbid_unknown_fields=True):
    """Base of the tables of a scenario."""


class ClusterPart(_Part):
    """The cluster itself. `id` is fixed per scenario, so that two scenarios are never taken for one cluster."""

    name: str
    id: str
    functional_level: int = 10
    witness: str = "File Share Witness"
    max_parallel_migrations: int | None = None
    """Known to Windows Server 2022 and later, where it is 1 unless it was set."""
    enforced_anti_affinity: int = 0
    account: str = "CORP\\svc-backup"
    """The backup product's service account."""


class NodesPart(_Part):
    """All hosts: named one by one, or `prefix` and `count`."""

    names: list[str] = []
    prefix: str = "HV"
    count: int = 0
    build: str = "10.0.17763.5329"
    processors: int = 48
    memory_gb: int = 512
    max_migrations: int = 2


class NodePart(_Part):
    """What is special about one host."""

    name: str
    build: str | None = None
    memory_gb: int | None = None
    clock_offset: Span = 0
    language: str = "en"
    access_control: dict[str, int] = {}
    down: bool = False
    vmms_hung: bool = False
    cluster_service_hung: bool = False
    vssadmin_hung: bool = False
    not_hyperv: bool = False
    paused: bool = False
    missing_rights: list[str] = []
    unreadable: dict[str, str] = {}
    max_migrations: int | None = None


class CsvPart(_Part):
    """A Cluster Shared Volume, or `count` of them named `prefix` and a number."""

    name: str = ""
    prefix: str = "Volume"
    count: int = 0
    first: int = 1
    size_gb: int = 8192
    free_gb: int = 2600
    file_system: str = "NTFS"
    owner: str = ""
    """Empty: nodes take turns."""
    no_direct_io: list[str] = []
    """Nodes that lost their path: BlockRedirected, NoDiskConnectivity (event 5121)."""
    redirected: bool = False


class VolumePart(_Part):
    """A partition inside a guest."""

    name: str = "C:"
    size_gb: float = 127.0
    free_gb: float = 40.0


class CheckpointPart(_Part):
    """A checkpoint that was there before the world began."""

    type: str = "Standard"
    saved: bool = False
    age: Span = "3d"
    name: str = ""


class VmsPart(_Part):
    """One VM, or a group of them. Placement lists are used in turn; without `csvs` a VM is on a CSV its node owns."""

    name: str = ""
    names: list[str] = []
    prefix: str = ""
    count: int = 0
    first: int = 1
    nodes: list[str] = []
    csvs: list[str] = []
    second_disk: str = ""
    """CSV of a second disk."""
    checkpoint_csv: str = ""
    """CSV of the checkpoints' directory, when it is another."""
    other_disks: list[str] = []
    state: str = "Running"
    guest: str = "windows-2019"
    memory_gb: float = 8.0
    dynamic: bool = False
    processors: int = 4
    cpu: float = -1.0
    """Usual load in percent; negative: drawn."""
    disk_gb: int = 120
    checkpoint_type: str = "Production"
    checkpoints: list[CheckpointPart] = []
    role: str = ""
    """Name of the cluster role when it is not the VM's."""
    clustered: bool = True
    priority: int = 2000
    anti_affinity: list[str] = []
    replication: str = "NotReplicated"
    config_version: str = "9.0"
    volumes: list[VolumePart] = []
    backed_up: Span | None = "20h"
    """Age of the last successful backup; absent guests that never had one write 0."""


class MigrationsPart(_Part, tag_field="kind", tag="migrations"):
    """Now and then a VM moves to another node, and later back (balancing)."""

    start: Span = 8
    every: Span = 60
    vms: list[str] = []


class CsvMovesPart(_Part, tag_field="kind", tag="csv_moves"):
    """Now and then a CSV gets another owner and later its first one again (balancing)."""

    start: Span = "5m"
    every: Span = "20m"


class NoisePart(_Part, tag_field="kind", tag="noise"):
    """The harmless noise of a real cluster: CAPI2 513, and 5120 with c0130021."""

    every: Span = "12m"
    history: Span = "24h"


class RctPart(_Part, tag_field="kind", tag="rct_backup"):
    """A 2016+ checkpoint backup (windows.md §10.2). `vms` and `failing` are name patterns with `*`."""

    vms: list[str]
    start: Span = 5
    every: Span = 0
    """0: one run."""
    parallel: int = 4
    copy: Span = "4m"
    failing: list[str] = []
    retry: Span = "6m"


class HostBackupPart(_Part, tag_field="kind", tag="host_backup"):
    """A backup through the host's Hyper-V VSS writer (windows.md §10.1), on one node after the other.

    A run that fails is pending: it is tried again every `retry` until it succeeds or is killed.
    """

    nodes: list[str]
    start: Span = 20
    every: Span = "45m"
    copy: Span = "6m"
    retry: Span = "3m"
    hardware: bool = True
    callback_denied: bool = False
    """The requester does not let the System Writer call back: 8194 at each run until the account is listed (§6)."""


class TimelinePart(_Part):
    """Something a person does at a time: see `actions.TIMELINE` for the verbs."""

    at: Span
    do: str
    node: str = ""
    vm: str = ""
    volume: str = ""
    gb: float = 0.0


Behaviour = MigrationsPart | CsvMovesPart | NoisePart | RctPart | HostBackupPart


class Scenario(_Part, kw_only=True):
    """A whole scenario."""

    title: str
    seed: int = 1
    cluster: ClusterPart
    nodes: NodesPart
    node: list[NodePart] = []
    csvs: list[CsvPart] = []
    vms: list[VmsPart] = []
    behaviours: list[Behaviour] = []
    timeline: list[TimelinePart] = []

    def node_names(self) -> list[str]:
        """Names of all hosts."""
        width = max(2, len(str(self.nodes.count)))
        return self.nodes.names or [f"{self.nodes.prefix}{i:0{width}}" for i in range(1, self.nodes.count + 1)]

    def csv_names(self) -> list[str]:
        """Names of all CSVs, in order."""
        return [name for part in self.csvs for name in csv_names(part)]


def csv_names(part: CsvPart) -> list[str]:
    """Names that one `[[csvs]]` table makes."""
    if part.count:
        return [f"{part.prefix}{i}" for i in range(part.first, part.first + part.count)]
    return [part.name]


def vm_names(part: VmsPart) -> list[str]:
    """Names that one `[[vms]]` table makes."""
    if part.names:
        return part.names
    if part.count:
        width = max(2, len(str(part.first + part.count - 1)))
        return [f"{part.prefix}{i:0{width}}" for i in range(part.first, part.first + part.count)]
    return [part.name]


def scenario_names() -> list[str]:
    """Scenarios that come with the lab."""
    return sorted(path.stem for path in DIRECTORY.glob("*.toml"))


def load_scenario(name_or_path: str | Path) -> Scenario:
    """Read and check a scenario by name or path; raises ScenarioError with everything that is wrong."""
    path = Path(name_or_path)
    if not (path.suffix == ".toml" and path.is_file()):
        known = scenario_names()
        if str(name_or_path) not in known:
            near = _near(str(name_or_path), known)
            raise ScenarioError(f"no scenario {str(name_or_path)!r}{near}; there are: {', '.join(known)}")
        path = DIRECTORY / f"{name_or_path}.toml"
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ScenarioError(f"{path}: {error}") from error
    return parse_scenario(raw, str(path))


def parse_scenario(raw: dict[str, Any], source: str) -> Scenario:
    """Check a decoded scenario; raises ScenarioError."""
    try:
        scenario = msgspec.convert(raw, Scenario)
    except msgspec.ValidationError as error:
        raise ScenarioError(f"{source}: {error}") from error
    problems = list(_problems(scenario))
    if problems:
        raise ScenarioError("\n".join(f"{source}: {problem}" for problem in problems))
    return scenario


def _near(word: str, known: Iterable[str]) -> str:
    match = difflib.get_close_matches(word, list(known), n=1)
    return f" (did you mean {match[0]!r}?)" if match else ""


def _problems(scenario: Scenario) -> Iterable[str]:
    nodes, csvs = scenario.node_names(), scenario.csv_names()
    if not nodes:
        yield "nodes: give names, or a count"
    yield from _duplicates("nodes", nodes)
    yield from _duplicates("csvs", csvs)
    for index, special in enumerate(scenario.node):
        yield from _known(f"node[{index}].name", [special.name], nodes)
        yield from _known(f"node[{index}].missing_rights", special.missing_rights, RIGHTS)
        yield from _known(f"node[{index}].language", [special.language], ("en", "fr"))
        yield from _spans(f"node[{index}].clock_offset", special.clock_offset, signed=True)
    for index, csv in enumerate(scenario.csvs):
        where = f"csvs[{index}]"
        if not csv.count and not csv.name:
            yield f"{where}: give a name, or a count"
        yield from _known(f"{where}.owner", [csv.owner] if csv.owner else [], nodes)
        yield from _known(f"{where}.no_direct_io", csv.no_direct_io, nodes)
        yield from _known(f"{where}.file_system", [csv.file_system], ("NTFS", "ReFS"))
        if csv.free_gb > csv.size_gb:
            yield f"{where}: more free than its size"
    for index, vms in enumerate(scenario.vms):
        yield from _vm_problems(f"vms[{index}]", vms, nodes, csvs)
    for index, behaviour in enumerate(scenario.behaviours):
        where = f"behaviours[{index}]"
        yield from _spans(where, *(getattr(behaviour, f) for f in _SPAN_FIELDS if hasattr(behaviour, f)))
        if isinstance(behaviour, HostBackupPart):
            yield from _known(f"{where}.nodes", behaviour.nodes, nodes)
    for index, step in enumerate(scenario.timeline):
        yield from _spans(f"timeline[{index}]", step.at)
        yield from _known(f"timeline[{index}].do", [step.do], VERBS)
        yield from _known(f"timeline[{index}].node", [step.node] if step.node else [], nodes)


RIGHTS: Final = ("elevated", "hyperv", "cluster", "events")
"""What an account may lack. VSS lets every elevated administrator in, so vssadmin asks for no right beside that."""
VERBS: Final = (
    "kill_backup", "start_backup", "restart_vmms", "drain", "resume", "free_space", "migrate", "fail_node",
    "return_node", "hang_vmms", "unhang_vmms",
)  # fmt: skip
_SPAN_FIELDS: Final = ("start", "every", "copy", "retry", "history")


def _vm_problems(where: str, vms: VmsPart, nodes: list[str], csvs: list[str]) -> Iterable[str]:
    if not (vms.name or vms.names or vms.count):
        yield f"{where}: give a name, names, or a prefix and count"
    if not csvs:
        yield f"{where}: a VM needs a CSV"
    yield from _known(f"{where}.nodes", vms.nodes, nodes)
    yield from _known(f"{where}.csvs", vms.csvs, csvs)
    yield from _known(f"{where}.second_disk", [vms.second_disk] if vms.second_disk else [], csvs)
    yield from _known(f"{where}.checkpoint_csv", [vms.checkpoint_csv] if vms.checkpoint_csv else [], csvs)
    yield from _known(f"{where}.guest", [vms.guest], KINDS)
    yield from _known(f"{where}.state", [vms.state], VmState.__members__)
    yield from _known(f"{where}.checkpoint_type", [vms.checkpoint_type], CheckpointType.__members__)
    yield from _known(f"{where}.replication", [vms.replication], ReplicationMode.__members__)
    for checkpoint in vms.checkpoints:
        yield from _known(f"{where}.checkpoints.type", [checkpoint.type], SnapshotType.__members__)
        yield from _spans(f"{where}.checkpoints.age", checkpoint.age)


def _known(where: str, words: Iterable[str], known: Iterable[str]) -> Iterable[str]:
    known = list(known)
    for word in words:
        if word not in known:
            yield f"{where}: {word!r} is unknown{_near(word, known)}"


def _spans(where: str, *spans: Span, signed: bool = False) -> Iterable[str]:
    for span in spans:
        try:
            if seconds(span) < 0 and not signed:
                yield f"{where}: {span!r} is less than nothing"
        except ValueError as error:
            yield f"{where}: {error}"


def _duplicates(where: str, names: list[str]) -> Iterable[str]:
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"{where}: {name!r} is there twice"
