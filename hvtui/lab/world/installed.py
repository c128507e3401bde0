"""What is installed on a host beside its roles: file system filters and updates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class FilterDriver:
    """A minifilter. `volumes` are what it is attached to, as fltmc names them: empty for a volume without a letter."""

    name: str
    altitude: str
    volumes: tuple[str, ...] = ()
    instance: str = ""
    """Name of its instances; empty: its own name."""


@dataclass(frozen=True, slots=True)
class Update:
    """An update of Windows; `installed` is the text in which Win32_QuickFixEngineering has the day."""

    id: str
    installed: str


FILTERS: Final = (
    # What an ordinary Hyper-V host has.
    FilterDriver("CsvNSFlt", "404900", ("C:",)),
    FilterDriver("CsvFlt", "404800", ("", "", ""), "CsvFlt Instance"),
    FilterDriver("WdFilter", "328010", ("", "C:", "", "", "\\Device\\Mup"), "WdFilter Instance"),
    FilterDriver("storqosflt", "244000", ("", "", "", "C:")),
    FilterDriver("npsvctrig", "46000", ("\\Device\\NamedPipe",)),
    FilterDriver("FileInfo", "40500", ("", "C:", "", "", "\\Device\\Mup")),
)
UPDATES: Final = (
    Update("KB5066136", "10/18/2025"),
    Update("KB5070884", "11/15/2025"),
    # Of some updates Windows does not know the day.
    Update("KB5022507", ""),
)
