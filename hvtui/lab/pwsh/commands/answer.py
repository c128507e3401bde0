"""What a command answers over the control channel, and the errors it can end with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any


@dataclass(frozen=True, slots=True)
class LabError:
    """An error record as Windows' command would write it.

    `id` is the FullyQualifiedErrorId without the command behind the comma; `native` the NativeErrorCode of a
    CimException (name) or a Win32Exception (number); `inner` the exception inside.
    """

    message: str
    exception: str = "System.Exception"
    hresult: int = 0
    category: str = "NotSpecified"
    id: str = ""
    target: str = ""
    native: str | int | None = None
    inner: LabError | None = None
    terminating: bool = False

    def wire(self) -> dict[str, Any]:
        """The JSON form of the control channel; an HRESULT is sent signed."""
        number = self.hresult - 2**32 if self.hresult >= 2**31 else self.hresult
        found: dict[str, Any] = {
            "message": self.message,
            "exception": self.exception,
            "hresult": number,
            "category": self.category,
            "id": self.id,
            "target": self.target,
            "terminating": self.terminating,
        }
        if self.native is not None:
            found["native"] = self.native
        if self.inner is not None:
            found["inner"] = self.inner.wire()
        return found


class Refused(Exception):
    """Ends a command with one error and no output."""

    def __init__(self, error: LabError) -> None:
        super().__init__(error.message)
        self.error = error


@dataclass(slots=True)
class Answer:
    """Output objects in the channel's form (dicts with `$type` or `$cim`, plain values, or JSON already made)."""

    output: Sequence[Any] = ()
    errors: list[LabError] = field(default_factory=list)
    exit: int = 0
    more: dict[str, Any] = field(default_factory=dict)
    """Members that only some commands have: `codepage`, `stderr`."""


def date(moment: datetime) -> dict[str, str]:
    """A date of the channel, UTC."""
    return {"$date": moment.astimezone(UTC).isoformat().removesuffix("+00:00") + "Z"}


def span(length: timedelta) -> dict[str, float]:
    """A length of time of the channel."""
    return {"$span": length.total_seconds()}
