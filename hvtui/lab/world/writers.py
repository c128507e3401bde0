"""VSS writers, providers and shadow copies of a node (windows.md §4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

NO_ERROR: Final = "No error"
RETRYABLE: Final = "Retryable error"
UNEXPECTED: Final = "Unexpected error"
TIMED_OUT: Final = "Timed out"

STABLE: Final = 1
WAITING_FOR_FREEZE: Final = 2
WAITING_FOR_THAW: Final = 3
WAITING_FOR_POST_SNAPSHOT: Final = 4
WAITING_FOR_COMPLETION: Final = 5

HYPERV: Final = "66841cd4-6ded-4f4b-8f17-fd23f8ddc3de"
SYSTEM_WRITER: Final = "e8132975-6f93-4464-a53e-1050253ae220"
CSV_WRITER: Final = "1072ae1c-e5a7-4ea1-9e4a-6f7964656570"

# Name, id, service that hosts it (windows.md §4.4).
HOST_WRITERS: Final = (
    ("Task Scheduler Writer", "d61d61c8-d73a-4eee-8cdd-f6f9786b7124", "Schedule"),
    ("VSS Metadata Store Writer", "75dfb225-e2e4-4d39-9ac9-ffaff65ddf06", "VSS"),
    ("Performance Counters Writer", "0bada1de-01a9-4625-8278-69e735f39dd2", "VSS"),
    ("System Writer", SYSTEM_WRITER, "CryptSvc"),
    ("Microsoft Hyper-V VSS Writer", HYPERV, "vmms"),
    ("Cluster Database", "41e12264-35d8-479b-8e5c-9b23d1dad37e", "ClusSvc"),
    ("ASR Writer", "be000cbe-11fe-4426-9c58-531aa6355fc4", "VSS"),
    ("Cluster Shared Volume VSS Writer", CSV_WRITER, "ClusSvc"),
    ("COM+ REGDB Writer", "542da469-d3e1-473c-9f4f-7847f01fc64f", "VSS"),
    ("Registry Writer", "afbab4a2-367d-4d15-a586-71dbb18f8485", "VSS"),
    ("Shadow Copy Optimization Writer", "4dc3bdd4-ab48-4d07-adb0-3bee2926fd7f", "VSS"),
    ("WMI Writer", "a6ad56c2-b509-4e6c-bb19-49d8f43532f0", "Winmgmt"),
)

BY_SERVICE: Final = {
    "BITS": (("BITS Writer", "4969d978-be47-48b0-b100-f328f07ac1e0"),),
    "SQLWriter": (("SqlServerWriter", "a65faa63-5ea8-4ebc-9dbd-a0c4db26912a"),),
}
"""Writers of services that do not run on every host."""

IN_BACKUP: Final = (HYPERV, CSV_WRITER, SYSTEM_WRITER)
"""Writers that a backup of VMs on CSVs takes through its states; the others are not selected and stay stable."""


@dataclass(slots=True, eq=False)
class Writer:
    """One writer instance; its instance id is new after each start of its service."""

    name: str
    id: str
    instance: str
    service: str
    state: int = STABLE
    error: str = NO_ERROR

    def set(self, state: int, error: str = NO_ERROR) -> None:
        """Change state and last error."""
        self.state, self.error = state, error


@dataclass(frozen=True, slots=True)
class ShadowProvider:
    """A VSS provider (Win32_ShadowProvider); type 1 system, 2 software, 3 hardware."""

    id: str
    name: str
    type: int
    version: str


@dataclass(frozen=True, slots=True)
class Shadow:
    """A shadow copy that exists on a node; `provider` is the id of the one that made it, empty for Windows' own."""

    id: str
    set: str
    volume: str
    created: float
    provider: str = ""
    persistent: bool = False
    client_accessible: bool = False


SYSTEM_PROVIDER: Final = ShadowProvider(
    "b5946137-7b9f-4925-af80-51abd60b20d5", "Microsoft Software Shadow Copy provider 1.0", 1, "1.0.0.7"
)
