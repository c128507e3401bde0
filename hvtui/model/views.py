"""What each source of facts said last: the cluster's stream, and every node's."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from hvtui.model.link import Link, LinkStatus
from hvtui.model.records import (
    ClusterInfo,
    ClusterNode,
    Csv,
    CsvIo,
    Host,
    Info,
    Job,
    Problem,
    Provider,
    Role,
    Vm,
    VmFiles,
)
from hvtui.model.signals import FilterPicture, HotfixPicture, ShadowPicture
from hvtui.model.writers import WriterPicture


def problem_of(problems: Iterable[Problem], part: str) -> Problem | None:
    """Why a section, or a field of one (`vms.last_backup`), could not be read; None when it was."""
    return next((p for p in problems if p.part == part or part.startswith(f"{p.part}.")), None)


_NO_NAMESPACE: Final = "0x8004100e"
"""WBEM_E_INVALID_NAMESPACE: what a node without the role that brings the namespace answers."""
_OF_HYPERV: Final = frozenset({"vms", "files", "jobs", "load", "host"})


def problem_text(problem: Problem) -> str:
    """Why a part could not be read, in a person's words where Windows' own do not say it."""
    if problem.code.lower() != _NO_NAMESPACE:
        return problem.text or problem.kind
    role = "Hyper-V" if problem.part.partition(".")[0] in _OF_HYPERV else "Failover Clustering"
    return f"{role} is not installed" + (f" ({problem.text})" if problem.text else "")


def problem_texts(problems: Iterable[Problem]) -> list[str]:
    """`vms, jobs: Access is denied.`: one text for every reason, with the sections it hit; fields go with theirs."""
    found: dict[str, list[str]] = {}
    for problem in problems:
        parts = found.setdefault(problem_text(problem), [])
        if not any(problem.part.startswith(f"{part}.") for part in parts):
            parts.append(problem.part)
    return [f"{', '.join(parts)}: {text}" for text, parts in found.items()]


@dataclass(slots=True)
class ClusterView:
    """The cluster's own picture. A section is None until it was read once."""

    link: Link = field(default_factory=Link)
    seq: int = 0
    time: datetime | None = None
    """The answering node's clock in the last message."""
    info: ClusterInfo | None = None
    nodes: dict[str, ClusterNode] | None = None
    csvs: dict[str, Csv] | None = None
    io: dict[str, CsvIo] | None = None
    roles: dict[str, Role] | None = None
    problems: tuple[Problem, ...] = ()
    tick_ms: int = 0

    def problem(self, part: str) -> Problem | None:
        """Why a part could not be read the last time, None when it was."""
        return problem_of(self.problems, part)


@dataclass(slots=True)
class NodeView:
    """One node's own picture. A section is None until it was read once."""

    name: str
    link: Link = field(default_factory=Link)
    seq: int = 0
    time: datetime | None = None
    """The node's clock in its last message."""
    info: Info | None = None
    host: Host | None = None
    vms: dict[str, Vm] | None = None
    files: dict[str, VmFiles] | None = None
    jobs: dict[str, Job] | None = None
    jobs_of: dict[str, tuple[Job, ...]] = field(default_factory=dict)
    """VM → its jobs."""
    load: tuple[int, int] | None = None
    """CPU percent and memory in use, MB, of the host."""
    vm_load: dict[int, tuple[int, int]] = field(default_factory=dict)
    """Slot → CPU percent, memory MB."""
    problems: tuple[Problem, ...] = ()
    load_problem: Problem | None = None
    """Why the last load vector was thrown away."""
    tick_ms: int = 0
    writers: WriterPicture | None = None
    providers: tuple[Provider, ...] | None = None
    shadows: ShadowPicture | None = None
    filters: FilterPicture | None = None
    hotfixes: HotfixPicture | None = None

    @property
    def heard(self) -> bool:
        """The stream is live; whether its data are fresh is `link.stale`."""
        return self.link.status is LinkStatus.LIVE

    @property
    def all_read(self) -> bool:
        """The stream is live and its last look at the VMs worked."""
        return self.link.status is LinkStatus.LIVE and (not self.problems or self.problem("vms") is None)

    def problem(self, part: str) -> Problem | None:
        """Why a part could not be read the last time, None when it was."""
        if self.load_problem is not None and part.partition(".")[0] == "load":
            return self.load_problem
        return problem_of(self.problems, part)
