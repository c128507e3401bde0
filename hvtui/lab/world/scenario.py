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
from hvtui.lab.world.scenario_parts import (
    CheckpointPart,
    ClusterPart,
    CsvMovesPart,
    CsvPart,
    HostBackupPart,
    MigrationsPart,
    NodePart,
    NodesPart,
    NoisePart,
    RctPart,
    Scenario,
    Span,
    TimelinePart,
    VmsPart,
    VolumePart,
    csv_names,
    seconds,
    vm_names,
)
from hvtui.model.enums import CheckpointType, ReplicationMode, SnapshotType, VmState

__all__ = [
    "DIRECTORY", "RIGHTS", "RULES", "SERVICES", "VERBS", "CheckpointPart", "ClusterPart", "CsvMovesPart", "CsvPart",
    "HostBackupPart", "MigrationsPart", "NodePart", "NodesPart", "NoisePart", "RctPart", "Scenario", "ScenarioError",
    "Span", "TimelinePart", "VmsPart", "VolumePart", "csv_names", "load_scenario", "parse_scenario",
    "scenario_names", "seconds", "vm_names",
]  # fmt: skip

DIRECTORY: Final = Path(__file__).resolve().parent.parent / "scenarios"


class ScenarioError(Exception):
    """A scenario that cannot be used; the text lists everything that is wrong with it."""


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
    yield from _cluster_problems(scenario)
    for index, special in enumerate(scenario.node):
        yield from _known(f"node[{index}].name", [special.name], nodes)
        yield from _known(f"node[{index}].missing_rights", special.missing_rights, RIGHTS)
        yield from _known(f"node[{index}].language", [special.language], ("en", "fr"))
        yield from _spans(f"node[{index}].clock_offset", special.clock_offset, signed=True)
        for key in ("services", "hanging_stops"):
            yield from _known(f"node[{index}].{key}", getattr(special, key), SERVICES)
        yield from _known(f"node[{index}].dependents", special.dependents, SERVICES)
        for shadow in special.shadows:
            yield from _known(f"node[{index}].shadows.csv", [shadow.csv], csvs)
            yield from _spans(f"node[{index}].shadows.age", shadow.age)
    for index, csv in enumerate(scenario.csvs):
        where = f"csvs[{index}]"
        if not csv.count and not csv.name:
            yield f"{where}: give a name, or a count"
        yield from _known(f"{where}.owner", [csv.owner] if csv.owner else [], nodes)
        for key in ("no_direct_io", "paused_on", "unavailable_on"):
            yield from _known(f"{where}.{key}", getattr(csv, key), nodes)
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
    yield from _timeline_problems(scenario, nodes, csvs)


def _timeline_problems(scenario: Scenario, nodes: list[str], csvs: list[str]) -> Iterable[str]:
    for index, step in enumerate(scenario.timeline):
        yield from _spans(f"timeline[{index}]", step.at)
        yield from _known(f"timeline[{index}].do", [step.do], VERBS)
        yield from _known(f"timeline[{index}].node", [step.node] if step.node else [], nodes)
        yield from _known(f"timeline[{index}].volume", [step.volume] if step.volume else [], csvs)
        if step.do in {"redirect", "direct"} and not step.volume:
            yield f"timeline[{index}].volume: say which volume"


def _cluster_problems(scenario: Scenario) -> Iterable[str]:
    cluster = scenario.cluster
    if not cluster.s2d and (cluster.virtual_disks or cluster.storage_jobs):
        yield "cluster: virtual_disks and storage_jobs are those of Storage Spaces Direct: set s2d = true"
    for index, service in enumerate(scenario.services):
        yield from _known(f"services[{index}].nodes", service.nodes, scenario.node_names())
    for job in cluster.storage_jobs:
        yield from _spans("cluster.storage_jobs.lasts", job.lasts)
    roles = {vms.role or name for vms in scenario.vms if vms.clustered for name in vm_names(vms)}
    for rule in cluster.affinity_rules:
        yield from _known("cluster.affinity_rules.type", [rule.type], RULES)
        yield from _known("cluster.affinity_rules.groups", rule.groups, roles)


RULES: Final = {"SameFaultDomain": 1, "SameNode": 2, "DifferentFaultDomain": 3, "DifferentNode": 4}
"""Types of affinity rules and their numbers (windows.md §1.11)."""
SERVICES: Final = (
    "vmms", "ClusSvc", "VSS", "CryptSvc", "Winmgmt", "Schedule", "swprv", "BITS", "SQLWriter",
)  # fmt: skip
RIGHTS: Final = ("elevated", "hyperv", "cluster", "events")
"""What an account may lack. VSS lets every elevated administrator in, so vssadmin asks for no right beside that."""
VERBS: Final = (
    "kill_backup", "start_backup", "restart_vmms", "drain", "resume", "free_space", "migrate", "fail_node",
    "return_node", "reboot_node", "restart_vm", "hang_vmms", "unhang_vmms", "hang_stop", "release_files",
    "fail_fork", "redirect", "direct",
)  # fmt: skip
GUEST_PARTS: Final = ("volumes", "services", "system", "storage", "writers")
"""What a guest may not tell."""
_CODE: Final = re.compile(r"0x[0-9a-f]{8}")
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
    yield from _known(f"{where}.possible_owners", vms.possible_owners, nodes)
    yield from _known(f"{where}.preferred_owners", vms.preferred_owners, nodes)
    if vms.merge_error and not _CODE.fullmatch(vms.merge_error):
        yield f"{where}.merge_error: {vms.merge_error!r} is no code: 0x and eight digits, a to f in lower case"
    if vms.fork_commit is not None:
        yield from _spans(f"{where}.fork_commit", vms.fork_commit)
    yield from _known(f"{where}.guest_unreadable", vms.guest_unreadable, GUEST_PARTS)
    for volume in vms.volumes:
        if volume.free_gb > volume.size_gb:
            yield f"{where}.volumes: {volume.name or 'the one without a letter'} has more free than its size"
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
