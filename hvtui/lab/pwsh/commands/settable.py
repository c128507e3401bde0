"""Properties that people set on cluster objects: `$group.Priority = 3000` changes the cluster, and lands in its log."""

from __future__ import annotations

from typing import Any, Final

from hvtui.lab.pwsh.cim import clustering
from hvtui.lab.pwsh.commands import errors
from hvtui.lab.pwsh.commands.answer import Answer, Refused
from hvtui.lab.pwsh.commands.call import CommandCall, Handler
from hvtui.lab.pwsh.commands.trouble import cluster_commands_answer

_PRIORITIES: Final = frozenset({0, 1000, 2000, 3000})
"""CLUSTER_GROUP_PRIORITY of clusapi.h."""
# Property → field of the cluster's facts, and its greatest value (0: no limit known).
_CLUSTER: Final = {
    "ClusterEnforcedAntiAffinity": ("enforced_anti_affinity", 1),
    "DynamicQuorum": ("dynamic_quorum", 1),
    "MaximumParallelMigrations": ("max_parallel_migrations", 0),
    "WitnessDynamicWeight": ("witness_weight", 1),
}
_INVALID: Final = 87
"""ERROR_INVALID_PARAMETER."""


def _number(call: CommandCall, allowed: frozenset[int] | range | None = None) -> int:
    value = call.get("Value")
    if not isinstance(value, int) or (allowed is not None and value not in allowed):
        text = f"The value {value!r} is not valid for the property '{call.get('Property')}'."
        raise Refused(errors.cluster(text, _INVALID, "ClusterParameterInvalid", category="InvalidArgument"))
    return value


def _unlike(call: CommandCall) -> Refused:
    return Refused(errors.unsupported(f"setting {call.get('Type')}.{call.get('Property')}"))


def _set_group(call: CommandCall, name: str) -> None:
    role = call.world.roles.get(str(call.get("Id")))
    if role is None:
        known = any(one.id == call.get("Id") for one in clustering.groups(call.world))
        raise _unlike(call) if known else Refused(errors.cluster_missing("group", str(call.get("Id"))))
    if name == "Priority":
        role.priority = _number(call, _PRIORITIES)
    elif name == "AntiAffinityClassNames":
        value: Any = call.get("Value", [])
        role.anti_affinity = tuple(str(one) for one in (value if isinstance(value, list) else [value]))
    else:
        raise _unlike(call)
    role.revision += 1


async def set_member(call: CommandCall) -> Answer:
    """An assignment to a property of a Cluster, ClusterGroup or ClusterNode."""
    await cluster_commands_answer(call)
    kind, name = call.get("Type"), str(call.get("Property"))
    if kind == "ClusterGroup":
        _set_group(call, name)
    elif kind == "ClusterNode" and name == "NodeWeight":
        node = next((one for one in call.world.nodes.values() if str(one.number) == call.get("Id")), None)
        if node is None:
            raise Refused(errors.cluster_missing("node", str(call.get("Id"))))
        node.weight = _number(call, range(2))
        node.touch()
    elif kind == "Cluster" and name in _CLUSTER:
        field, most = _CLUSTER[name]
        setattr(call.world.cluster, field, _number(call, range(most + 1) if most else None))
    else:
        raise _unlike(call)
    call.world.changed()
    return Answer()


COMMANDS: Final[dict[str, Handler]] = {"FailoverClusters:Set": set_member}
