"""What a CIM class needs to answer out of the world: its objects, and a function for each property with a fact."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final
from uuid import UUID, uuid5

from hvtui.lab.world.node import Node
from hvtui.lab.world.world import World


@dataclass(frozen=True, slots=True)
class View:
    """The world as one node shows it."""

    world: World
    node: Node

    def clock(self, elapsed: float) -> datetime:
        """What the node's clock showed at a moment of the world."""
        return self.world.on_clock(self.node, elapsed)


Property = Callable[[View, Any], Any]
"""Value of a property: a plain value, a list, a date, a length of time, or an `Embedded`."""


@dataclass(frozen=True, slots=True)
class Embedded:
    """Another instance as a value: a reference with its key properties, or an embedded object."""

    path: str
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Provider:
    """A class of which the world has instances.

    `live` are properties that change with time alone; answers without them are kept as long as `version` of an object
    stays the same. `key` tells the objects apart.
    """

    name: str
    namespace: str
    objects: Callable[[View], Iterable[Any]]
    properties: Mapping[str, Property]
    keys: tuple[str, ...] = ("InstanceID",)
    live: frozenset[str] = frozenset()
    key: Callable[[Any], Hashable] | None = None
    version: Callable[[View, Any], Hashable] | None = None

    @property
    def path(self) -> str:
        """Namespace and class, as the channel writes them."""
        return f"{self.namespace}/{self.name}"


def constant(value: Any) -> Property:
    """A property with one value for all."""
    return lambda _view, _one: value


def wire(value: Any) -> Any:
    """A value in the channel's form."""
    if isinstance(value, datetime):
        return {"$date": value.isoformat().removesuffix("+00:00") + "Z"}
    if isinstance(value, timedelta):
        return {"$span": value.total_seconds()}
    if isinstance(value, Embedded):
        return {"$cim": value.path, **{name: wire(part) for name, part in value.values.items()}}
    return value


_LAB: Final = UUID("6f0b8f0e-3c1d-5a52-9a55-2b1f7f3b9c10")


@lru_cache(maxsize=100_000)
def derived(*parts: object) -> str:
    """A GUID for something the world does not number itself: always the same for the same owner."""
    return str(uuid5(_LAB, "/".join(str(part) for part in parts)))


def unsigned(number: int) -> int:
    """WMI shows -1 of a cluster state as 4294967295."""
    return number & 0xFFFFFFFF
