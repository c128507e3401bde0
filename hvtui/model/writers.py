"""Reading `vssadmin list writers`, in any language."""

from __future__ import annotations

from datetime import datetime

import msgspec


class Writer(msgspec.Struct, frozen=True, kw_only=True):
    """One VSS writer instance.

    `state_class` is one of `ok busy failed unreadable`; `error_kind` one of `none retryable nonretryable timeout resources
    inconsistent unexpected not_responding other unreadable`.
    """

    name: str
    id: str
    instance: str
    code: int | None
    state_text: str
    state_class: str
    error_text: str
    error_kind: str
    service: str = ""
    advice: str = ""


class WriterPicture(msgspec.Struct, frozen=True, kw_only=True):
    """What one read of a node's writers gave. `failure` is the reason when there is nothing to show.

    `time` is the node's clock, `read_at` the client's monotonic clock.
    """

    time: datetime | None = None
    read_at: float | None = None
    duration_ms: int = 0
    writers: tuple[Writer, ...] = ()
    unreadable: tuple[str, ...] = ()
    failure: str = ""
    reading: bool = False
