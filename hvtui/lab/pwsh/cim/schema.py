"""Which CIM classes there are, with their properties: read from the committed extract of Windows' facts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

VIRTUALIZATION: Final = "root/virtualization/v2"
CLUSTER: Final = "root/MSCluster"
CIMV2: Final = "root/cimv2"
STORAGE: Final = "root/Microsoft/Windows/Storage"
REPLICA: Final = "root/Microsoft/Windows/StorageReplica"

_HERE: Final = Path(__file__).resolve().parent.parent
_PREFIXES: Final = {
    "Msvm_": VIRTUALIZATION,
    "MSCluster_": CLUSTER,
    "Win32_": CIMV2,
    "MSFT_Wvr": REPLICA,
    "MSFT_": STORAGE,
}
NAMESPACES: Final = {name.lower(): name for name in ("root", VIRTUALIZATION, CLUSTER, CIMV2, STORAGE, REPLICA)}


@dataclass(slots=True)
class ClassFacts:
    """A class: its name as Windows writes it, properties in order (lower-case name → name, type), methods."""

    name: str
    namespace: str
    parent: str | None
    properties: dict[str, tuple[str, str]]
    methods: frozenset[str]
    abstract: bool = False
    """Known by its descendants only."""
    children: list[ClassFacts] = field(default_factory=list)

    @property
    def types(self) -> dict[str, str]:
        """Lower-case property name → CIM type."""
        return {key: kind for key, (_, kind) in self.properties.items()}

    def line(self) -> Iterator[ClassFacts]:
        """The class and everything that inherits from it."""
        yield self
        for child in self.children:
            yield from child.line()


def namespace(path: str) -> str | None:
    """The namespace as the channel writes it, or None when Windows has no such one."""
    return NAMESPACES.get(path.strip("\\/").replace("\\", "/").lower())


def find(space: str, name: str) -> ClassFacts | None:
    """A class of a namespace by its name in any case."""
    return _classes().get((space, name.lower()))


@cache
def _classes() -> dict[tuple[str, str], ClassFacts]:
    facts: dict[str, Any] = json.loads((_HERE / "extract.json").read_text(encoding="utf-8"))["cim"]
    more = json.loads((_HERE / "runtime" / "supplement.json").read_text(encoding="utf-8"))
    facts = facts | more.get("cim", {})
    found: dict[tuple[str, str], ClassFacts] = {}
    for name, fact in facts.items():
        space = next((space for prefix, space in _PREFIXES.items() if name.startswith(prefix)), None)
        if space is not None:
            properties = {key.lower(): (key, _kind(kind)) for key, kind in fact["properties"].items()}
            found[space, name.lower()] = ClassFacts(name, space, fact["parent"], properties, frozenset(fact["methods"]))
    for one in list(found.values()):
        _adopt(found, one)
    return found


def _adopt(found: dict[tuple[str, str], ClassFacts], one: ClassFacts) -> None:
    if one.parent is None:
        return
    parent = found.get((one.namespace, one.parent.lower()))
    if parent is None:
        parent = found[one.namespace, one.parent.lower()] = ClassFacts(
            one.parent, one.namespace, None, {}, frozenset(), abstract=True
        )
    parent.children.append(one)
    if parent.abstract:
        parent.properties.update(one.properties)


def _kind(kind: str) -> str:
    """CIM type names in lower case; a class name (an embedded object) stays as it is."""
    bare = kind.removesuffix("[]").lower()
    simple = {"string", "boolean", "datetime", "real32", "real64"} | {
        f"{sign}int{bits}" for sign in "us" for bits in (8, 16, 32, 64)
    }
    return bare + kind[len(bare) :] if bare in simple else kind
