"""How the commands of one Windows version bind: the real modules' metadata, less what that version lacks."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Final

# The years of the metadata: Hyper-V as of Server 2019, FailoverClusters as of Server 2025. What no document mentions
# is taken to exist from there on.
_MEASURED: Final = {"Hyper-V": "2019", "FailoverClusters": "2025"}
_COMMON: Final = ("WhatIf", "Confirm")
_HYPER_V: Final = re.compile(r"-VM(?!ToCluster|FromCluster)|^Wait-VM")
_CLUSTER: Final = "Microsoft.FailoverClusters.PowerShell."
_HV: Final = "Microsoft.HyperV.PowerShell.Commands."


@dataclass(frozen=True)
class Flags:
    """How a parameter binds in one set."""

    mandatory: bool = False
    position: int | None = None
    by_value: bool = False
    by_name: bool = False


@dataclass(frozen=True)
class Parameter:
    """A parameter of a command; sets by name, `*` for all."""

    name: str
    type: str
    sets: dict[str, Flags]
    aliases: tuple[str, ...] = ()
    not_null: bool = False
    not_empty: bool = False
    values: tuple[str, ...] = ()
    range: tuple[str, str] | None = None
    ps_type: str = ""


@dataclass(frozen=True)
class Command:
    """A command of one version; `type_name` is the class whose name ends up in error ids."""

    name: str
    module: str
    type_name: str
    parameters: tuple[Parameter, ...]
    default_set: str = ""
    asks: bool = False
    impact: str = ""
    base: str = "HvTuiLab.StubCmdlet"
    """The class of the runtime that does what it does."""


@dataclass
class _Documented:
    """What documents say about a command in one version; none of it when they do not have the command."""

    parameters: set[str] = field(default_factory=set)
    only: dict[str, tuple[str, str]] = field(default_factory=dict)
    sets: list[list[list[str]]] = field(default_factory=list)


def commands(extract: dict[str, Any], supplement: dict[str, Any], version: str) -> list[Command]:
    """All commands of a version: Hyper-V, FailoverClusters, CIM, events and services."""
    found = []
    for name in sorted({*extract["commands"], *extract["documented"]}):
        facts = extract["commands"].get(name)
        module = _module(extract, name)
        documented = _documented(extract, name, version)
        if documented is None and (name in extract["documented"] or version < _MEASURED[module]):
            continue
        if facts is None:
            if documented is not None:
                found.append(_from_document(name, module, documented))
        else:
            found.append(_from_metadata(name, module, facts, documented, version))
    for name, entry in extract["windows"].items():
        found.append(_of_windows(name, entry, supplement["commands"][name]))
    return found


def _module(extract: dict[str, Any], name: str) -> str:
    if name in extract["documented"]:
        return str(extract["documented"][name]["module"])
    return "Hyper-V" if _HYPER_V.search(name) else "FailoverClusters"


def _documented(extract: dict[str, Any], name: str, version: str) -> _Documented | None:
    for group in extract["documented"].get(name, {}).get("groups", ()):
        if version in group["versions"]:
            only = {key: (entry[0], entry[1]) for key, entry in group.get("only", {}).items()}
            return _Documented(set(group["parameters"]), only, group.get("sets", []))
    return None


def _from_metadata(
    name: str, module: str, facts: dict[str, Any], documented: _Documented | None, version: str
) -> Command:
    parameters = []
    for key, entry in facts["parameters"].items():
        if documented is not None and key not in documented.parameters and version < _MEASURED[module]:
            continue
        parameters.append(_parameter(key, entry))
    if documented is not None:
        # Later versions' parameters: documents say the type, and no more about how they bind.
        parameters.extend(
            Parameter(key, kind, {"*": Flags(mandatory="M" in flags)}) for key, (kind, flags) in documented.only.items()
        )
    return Command(
        name=name,
        module=module,
        type_name=_type_name(name, module),
        parameters=_without_clashes(parameters),
        default_set=facts["default"] or "",
        asks=facts["shouldProcess"],
        impact=facts["impact"] or "",
    )


def _parameter(name: str, entry: dict[str, Any]) -> Parameter:
    sets = {key: _flags(text) for key, text in entry.get("sets", {"*": ""}).items()}
    bounds = entry.get("range")
    return Parameter(
        name=name,
        type=entry["type"],
        sets=sets,
        aliases=tuple(entry.get("aliases", ())),
        not_null=entry.get("notNull", False),
        not_empty=entry.get("notEmpty", False),
        values=tuple(entry.get("values", ())),
        range=(bounds[0], bounds[1]) if bounds else None,
        ps_type=entry.get("psType", ""),
    )


def _flags(text: str) -> Flags:
    position = re.search(r"P(\d+)", text)
    return Flags(
        mandatory=text.startswith("M"),
        position=int(position.group(1)) if position else None,
        by_value="V" in text,
        by_name="N" in text,
    )


def _without_clashes(parameters: list[Parameter]) -> tuple[Parameter, ...]:
    """Aliases that are parameters of their own are left out: in the real module one hides the other by version."""
    names = {parameter.name.lower() for parameter in parameters}
    return tuple(
        Parameter(
            **{**parameter.__dict__, "aliases": tuple(one for one in parameter.aliases if one.lower() not in names)}
        )
        for parameter in parameters
    )


def _from_document(name: str, module: str, documented: _Documented) -> Command:
    parameters, default = _sets(documented.sets, {}, {})
    asks = bool(documented.parameters & set(_COMMON))
    return Command(name, module, _type_name(name, module), parameters, default, asks)


def _of_windows(name: str, entry: dict[str, Any], own: dict[str, Any]) -> Command:
    parameters, default = _sets(entry["signatures"][0]["sets"], own.get("pipeline", {}), own.get("positions", {}))
    ranges = own.get("range", {})
    dressed = tuple(
        Parameter(
            name=one.name,
            type=one.type,
            sets=one.sets,
            aliases=tuple(own.get("aliases", {}).get(one.name, ())),
            range=(str(ranges[one.name][0]), str(ranges[one.name][1])) if one.name in ranges else None,
        )
        for one in parameters
    )
    module = "CimCmdlets" if "-Cim" in name else "HvTuiWindows"
    asks = own.get("shouldProcess", False)
    return Command(name, module, own["class"], dressed, default, asks, base=own.get("base", Command.base))


def _sets(
    signatures: list[list[list[str]]], pipeline: dict[str, str], positions: dict[str, int]
) -> tuple[tuple[Parameter, ...], str]:
    """Parameters of a command of which only the signatures are known; the first one is its default set."""
    types: dict[str, str] = {}
    sets: dict[str, dict[str, Flags]] = {}
    for number, entries in enumerate(signatures):
        position = 0
        for key, kind, flags in entries:
            if key in _COMMON:
                continue
            place = None
            if "P" in flags:
                place = positions.get(key, position)
                position += 1
            way = pipeline.get(key, "")
            types[key] = kind
            sets.setdefault(key, {})[f"Set{number}"] = Flags("M" in flags, place, "V" in way, "N" in way)
    return tuple(Parameter(key, types[key], sets[key]) for key in types), "Set0" if len(signatures) > 1 else ""


def _type_name(name: str, module: str) -> str:
    short = name.replace("-", "")
    return f"{_HV}{short}" if module == "Hyper-V" else f"{_CLUSTER}{short}Command"
