"""Telling a service that hangs from a node that is gone, by what the messages themselves say."""

from __future__ import annotations

from collections.abc import Iterable

from hvtui.model.records import Info, Problem

CLUSTER_PARTS = frozenset({"cluster", "nodes", "csvs", "roles"})
"""Without these a cluster stream is blind; `io` alone may be missing."""


_VMMS_PARTS = frozenset({"vms", "files", "jobs", "load.vms", "host.vmms", "host.migration"})
"""What is asked of root\\virtualization\\v2, whose provider is VMMS itself."""


def hanging_service(problems: Iterable[Problem]) -> str:
    """Which service of a node lets its deadline pass, in words; empty when none does."""
    parts = {problem.part for problem in problems if problem.kind == "timeout"}
    if any(part in _VMMS_PARTS or part.partition(".")[0] in {"vms", "files", "jobs"} for part in parts):
        return "Hyper-V Virtual Machine Management (VMMS) on it does not answer"
    if any(part == "host.cluster_service" or part.partition(".")[0] == "cluster" for part in parts):
        return "The cluster service on it does not answer"
    return "WMI on it does not answer" if parts else ""


def silent_service(info: Info, seconds: float) -> str:
    """What to say of a node that answers a probe while its stream is silent."""
    states = ", ".join(
        f"{name} is {state}" for name, state in info.services.items() if name != "VSS" and state != "Running"
    )
    why = f" ({states})" if states else ""
    return f"It answers, but WMI or VMMS on it does not: no message for {seconds:.0f} s{why}"


def is_blind(problems: Iterable[Problem]) -> str:
    """Why the node that tells the cluster's picture cannot see the cluster; empty when it can."""
    for problem in problems:
        if problem.part in CLUSTER_PARTS and problem.kind in {"timeout", "unavailable"}:
            return problem.text or problem.kind
    return ""
