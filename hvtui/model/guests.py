"""Records of what a guest says of itself through PowerShell Direct: volumes, VSS, writers, shadow storage.

None means *could not be read*. What a guest does not answer is told with its reason, and never looks like fine.
"""

from __future__ import annotations

import msgspec

from hvtui.model.records import Problem, Record, UtcTime


class GuestVolume(Record, frozen=True, kw_only=True):
    """A volume inside a guest (Win32_Volume), letterless ones too. `path` is its letter, mount point or GUID path.

    `size` and `free` are bytes.
    """

    path: str
    label: str | None = None
    file_system: str | None = None
    size: int | None = None
    free: int | None = None


class GuestService(Record, frozen=True, kw_only=True):
    """VSS, swprv or vmicvss in the guest (Win32_Service): state and start mode in Windows' words."""

    name: str
    state: str | None = None
    start_mode: str | None = None


class ShadowStorage(Record, frozen=True, kw_only=True):
    """Where a guest's volume keeps its shadow copies (Win32_ShadowStorage); bytes. `maximum` None: unread, or none."""

    volume: str
    store: str | None = None
    used: int | None = None
    allocated: int | None = None
    maximum: int | None = None


class GuestFile(Record, frozen=True, kw_only=True):
    """A large file in a guest; bytes."""

    path: str
    size: int


class GuestLine(Record, frozen=True, kw_only=True):
    """One line of Get-HvTuiGuest: a guest that answered, or why it did not, or the end.

    `kind` is `guest`, or `end`, once and last. `outcome`: `read`; `denied` (the guest refused the credential: an
    account may lock); `unreachable` (no PowerShell Direct: Linux, before 2016, still starting); `refused` (the node
    did not even try: the VM is not here, is off, has configuration version below 6.2); `skipped` (not tried after a
    denied one). `writers` is the raw text of `vssadmin list writers`.
    """

    v: int
    time: UtcTime
    cpu_ms: int | None = None
    node: str
    kind: str
    vm: str = ""
    outcome: str = ""
    text: str = ""
    code: str = ""
    system: str | None = None
    volumes: list[GuestVolume] | None = None
    services: list[GuestService] | None = None
    writers: str | None = None
    storage: list[ShadowStorage] | None = None
    errors: list[Problem] = msgspec.field(default_factory=list)


class GuestFiles(Record, frozen=True, kw_only=True):
    """Get-HvTuiGuestFile: the largest files of one volume, largest first; `partial` when the time ran out."""

    v: int
    time: UtcTime
    cpu_ms: int | None = None
    node: str
    vm: str
    outcome: str
    text: str = ""
    code: str = ""
    volume: str = ""
    partial: bool | None = None
    files: list[GuestFile] | None = None
    errors: list[Problem] = msgspec.field(default_factory=list)
