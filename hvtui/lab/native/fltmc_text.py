"""The texts of `fltmc filters` and `fltmc instances`, in the layout in which people published them."""

from __future__ import annotations

from typing import Final

from hvtui.lab.world.installed import FilterDriver
from hvtui.lab.world.node import Node

DENIED: Final = "Access is denied.\r\n"
_FILTERS: Final = (
    "",
    "Filter Name                     Num Instances    Altitude    Frame",
    "------------------------------  -------------  ------------  -----",
)
_INSTANCES: Final = (
    "Filter                Volume Name                              Altitude        Instance Name       Frame"
    "   SprtFtrs  VlStatus",
    "--------------------  -------------------------------------  ------------  ----------------------  -----"
    "   --------  --------",
)


def filters_text(node: Node) -> str:
    """All filters, the highest altitude first."""
    lines = [
        f"{one.name:<30}{len(one.volumes):>11}       {_altitude(one)}       0" for one in _by_altitude(node.filters)
    ]
    return "\r\n".join([*_FILTERS, *lines, ""])


def instances_text(node: Node) -> str:
    """A line for each filter on each volume, by the names of the filters."""
    lines = [
        f"{one.name:<22}{volume:<42}{_altitude(one)}   {one.instance or one.name:<26}0     0000000f"
        for one in sorted(node.filters, key=lambda one: one.name)
        for volume in one.volumes
    ]
    return "\r\n".join([*_INSTANCES, *lines, ""])


def _by_altitude(filters: list[FilterDriver]) -> list[FilterDriver]:
    return sorted(filters, key=lambda one: -float(one.altitude))


def _altitude(one: FilterDriver) -> str:
    """Six places before the point and two for what may follow it."""
    whole, point, part = one.altitude.partition(".")
    return f"{whole:>6}{point + part:<2}"
