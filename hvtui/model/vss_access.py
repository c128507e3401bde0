"""Records of who may take part in VSS on a node: the registry key VssAccessControl (windows.md §6)."""

from __future__ import annotations

import msgspec

from hvtui.model.records import Problem, Record, UtcTime


class VssAccessEntry(Record, frozen=True, kw_only=True):
    """A value of the key. `value`: 0 denied, 1 writer, 2 requester, 3 both; None when it is no such number.

    `sid` is what the account resolves to on the node; empty when it resolves to nothing, None when that was not told.
    """

    account: str
    value: int | None = None
    sid: str | None = None


class ServiceAccount(Record, frozen=True, kw_only=True):
    """A service that does not run as one of Windows' own accounts (Win32_Service StartName): who may need the right."""

    name: str
    display: str | None = None
    account: str
    state: str | None = None


class VssAccess(Record, frozen=True, kw_only=True):
    """Get-HvTuiVssAccess. `key` is whether the registry key is there; `entries` are empty without it."""

    v: int
    time: UtcTime
    cpu_ms: int | None = None
    node: str
    key: bool | None = None
    entries: list[VssAccessEntry] | None = None
    services: list[ServiceAccount] | None = None
    errors: list[Problem] = msgspec.field(default_factory=list)
