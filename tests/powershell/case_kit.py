"""What a case is, and how streams of cases are put together."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any, Final

from tests.powershell import worlds
from tests.powershell.engine import DEFAULTS

NEW: Final = "1111aaaa-0000-4000-8000-000000000003"
VMMS: Final = "Microsoft-Windows-Hyper-V-VMMS-Admin"
TIMEOUT: Final = 0x80041069
DENIED: Final = 0x80041003
ACTED: Final = {"OperationId": "7C9E6679-7425-40DE-944B-E07FC1F90AE7", "Actor": "anna@ADMIN7 'of $(the) night' \u00fc"}


@dataclass(frozen=True)
class Case:
    """One call: a function of the module with parameters, or a script inside it, in a world of stand-ins."""

    name: str
    command: str = ""
    steps: list[dict[str, Any]] = field(default_factory=lambda: [{}])
    parameters: dict[str, Any] = field(default_factory=dict)
    script: str = ""
    world: dict[str, Any] = field(default_factory=dict)

    def request(self, culture: str = "") -> dict[str, Any]:
        """As the engine takes it."""
        return {
            "command": self.command,
            "parameters": self.parameters,
            "script": self.script,
            "world": DEFAULTS | self.world | {"steps": self.steps},
            "culture": culture,
        }


def node(name: str, *steps: dict[str, Any], count: int = 0, **parameters: Any) -> Case:
    """A stream of a node, a message a step unless `count` says otherwise."""
    return Case(name, "Watch-HvTuiNode", list(steps), {"Count": count or len(steps), **parameters})


def cluster(name: str, *steps: dict[str, Any], count: int = 0, **parameters: Any) -> Case:
    """A stream of a cluster, a message a step unless `count` says otherwise."""
    return Case(name, "Watch-HvTuiCluster", list(steps), {"Count": count or len(steps), **parameters})


def with_cim(step: dict[str, Any], **cim: Any) -> dict[str, Any]:
    """The step with these answers to CIM classes instead."""
    changed = copy.deepcopy(step)
    changed.setdefault("cim", {}).update(cim)
    return changed


def failing(step: dict[str, Any], *names: str, code: int = DENIED, seconds: float = 0.0) -> dict[str, Any]:
    """The step in which these classes and cmdlets fail."""
    fails: dict[str, Any] = {}
    for name in names:
        fails |= worlds.fail(name, "  no way\n ", code, seconds=seconds)
    return {**copy.deepcopy(step), "fail": fails}


def machines(*rows: dict[str, Any]) -> list[dict[str, Any]]:
    """Instances of Msvm_ComputerSystem with the one that stands for the host."""
    return [{"Name": "HV01", "ElementName": "HV01", "EnabledState": 2}, *rows]
