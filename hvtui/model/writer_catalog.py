"""What is known of VSS writers: their services, their states, their errors, and what to do.

GUIDs and services: Microsoft's list of in-box writers; state numbers: VSS_WRITER_STATE of vss.h; error numbers:
vsserror.h. English, French and German words are those `vssadmin` prints; every other language is read by position.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

HYPER_V: Final = "66841cd4-6ded-4f4b-8f17-fd23f8ddc3de"
CSV: Final = "1072ae1c-e5a7-4ea1-9e4a-6f7964656570"
CLUSTER_DATABASE: Final = "41e12264-35d8-479b-8e5c-9b23d1dad37e"
SYSTEM: Final = "e8132975-6f93-4464-a53e-1050253ae220"

STABLE: Final = 1
WAITING: Final = range(2, 6)
BACKUP_COMPLETE: Final = 5
"""Waiting for the backup to be reported complete: normal for as long as a backup of the VSS kind runs."""
FAILED: Final = (0, *range(6, 16))
"""0 is VSS_WS_UNKNOWN, which vss.h calls an error of the writer."""


@dataclass(frozen=True)
class Known:
    """An in-box writer: its English name, the service that hosts it, and what a restart of that service means."""

    name: str
    service: str = ""
    restart: str = ""


# What hvtui restarts itself is named with its key on the row and its command.
_VMMS: Final = "drain the node, restart VMMS and resume (key V, `hvtui vmms NODE`)"
_VSS_HOSTED: Final = "restart VSS while no backup runs (key W, `hvtui service NODE VSS`)"
_CLUSTER: Final = (
    "do not restart ClusSvc for this: the node would leave the cluster; drain the node before anything else"
)


WRITERS: Final = {
    HYPER_V: Known("Microsoft Hyper-V VSS Writer", "vmms", _VMMS),
    CSV: Known("Cluster Shared Volume VSS Writer", "ClusSvc", _CLUSTER),
    CLUSTER_DATABASE: Known("Cluster Database", "ClusSvc", _CLUSTER),
    SYSTEM: Known("System Writer", "CryptSvc", "restart CryptSvc (key W, `hvtui service NODE CryptSvc`)"),
    "a6ad56c2-b509-4e6c-bb19-49d8f43532f0": Known(
        "WMI Writer", "Winmgmt", "`Restart-Service Winmgmt -Force`; it cuts every CIM session, hvtui's too"
    ),
    "afbab4a2-367d-4d15-a586-71dbb18f8485": Known("Registry Writer", "VSS", _VSS_HOSTED),
    "542da469-d3e1-473c-9f4f-7847f01fc64f": Known("COM+ REGDB Writer", "VSS", _VSS_HOSTED),
    "4dc3bdd4-ab48-4d07-adb0-3bee2926fd7f": Known("Shadow Copy Optimization Writer", "VSS", _VSS_HOSTED),
    "be000cbe-11fe-4426-9c58-531aa6355fc4": Known("ASR Writer", "VSS", _VSS_HOSTED),
    "75dfb225-e2e4-4d39-9ac9-ffaff65ddf06": Known("VSS Metadata Store Writer", "VSS", _VSS_HOSTED),
    "d61d61c8-d73a-4eee-8cdd-f6f9786b7124": Known(
        "Task Scheduler Writer", "Schedule", "its service cannot be restarted; drain and reboot the node"
    ),
    "0bada1de-01a9-4625-8278-69e735f39dd2": Known("Performance Counters Writer", "VSS", _VSS_HOSTED),
    "4969d978-be47-48b0-b100-f328f07ac1e0": Known(
        "BITS Writer", "BITS", "restart BITS (key W, `hvtui service NODE BITS`)"
    ),
    "2707761b-2324-473d-88eb-eb007a359533": Known("DFS Replication service writer", "DFSR", "`Restart-Service DFSR`"),
    "b2014c9e-8711-4c5c-a5a9-3cf384484757": Known(
        "NTDS", "NTDS", "its service cannot be restarted without taking the domain controller down"
    ),
    "a65faa63-5ea8-4ebc-9dbd-a0c4db26912a": Known(
        "SqlServerWriter", "SQLWriter", "restart SQLWriter (key W, `hvtui service NODE SQLWriter`)"
    ),
    "2a40fd15-dfca-4aa8-a654-1f8c654603f6": Known("IIS Config Writer", "AppHostSvc", "`Restart-Service AppHostSvc`"),
    "59b1f0cf-90ef-465f-9609-6ca8b2938366": Known("IIS Metabase Writer", "IISADMIN", "`Restart-Service IISADMIN`"),
    "cd3f2362-8bef-46c7-9181-d62844cdc0b2": Known("MSSearch Service Writer", "WSearch", "`Restart-Service WSearch`"),
    "12ce4370-5bb7-4c58-a76a-e5d5097e3674": Known("FSRM Writer", "srmsvc", "`Restart-Service srmsvc`"),
    "be9ac81e-3619-421f-920f-4c6fea9e93ad": Known("Dhcp Jet Writer", "DHCPServer", "`Restart-Service DHCPServer`"),
    "6f5b15b5-da24-4d88-b737-63063e3a1f86": Known("Certificate Authority", "CertSvc", "`Restart-Service CertSvc`"),
    "8d5194e1-e455-434a-b2e5-51296cce67df": Known("WIDWriter", "WIDWriter", "`Restart-Service WIDWriter`"),
}

_TEXTS: Final = {
    # English
    "no error": "none",
    "inconsistent shadow copy": "inconsistent",
    "out of resources": "resources",
    "timed out": "timeout",
    "retryable error": "retryable",
    "non-retryable error": "nonretryable",
    "unexpected error": "unexpected",
    "not responding": "not_responding",
    "partial failure": "other",
    # French
    "aucune erreur": "none",
    "cliché instantané incohérent": "inconsistent",
    "ressources insuffisantes": "resources",
    "délai dépassé": "timeout",
    "erreur récupérable": "retryable",
    "erreur non récupérable": "nonretryable",
    "erreur inattendue": "unexpected",
    "pas de réponse": "not_responding",
    # German
    "kein fehler": "none",
    "wiederholbarer fehler": "retryable",
}
_CODES: Final = {
    0x00000000: "none",
    0x80042302: "unexpected",
    0x80042319: "not_responding",
    0x800423F0: "inconsistent",
    0x800423F1: "resources",
    0x800423F2: "timeout",
    0x800423F3: "retryable",
    0x800423F4: "nonretryable",
}
_HRESULT: Final = re.compile(r"\b0x([0-9a-fA-F]{8})\b")
_LETTERS: Final = re.compile(r"[^0-9a-z-]+")


def _key(text: str) -> str:
    """Only what survives a wrong code page: ASCII letters, digits and the hyphen."""
    return _LETTERS.sub("", text.lower())


_BY_KEY: Final = {_key(text): kind for text, kind in _TEXTS.items()}


def kind_of(text: str) -> str:
    """The kind of a last error by its words or HRESULT; `other` when neither is known."""
    code = _HRESULT.search(text)
    if code is not None:
        return _CODES.get(int(code[1], 16), "other")
    return _BY_KEY.get(_key(text), "other")


def is_cut(text: str) -> bool:
    """True when the text is the beginning of a known error, as at the end of a truncated paste."""
    key = _key(text)
    return key not in _BY_KEY and any(known.startswith(key) for known in _BY_KEY)


def class_of(code: int | None, kind: str, *, doubt: bool = False) -> str:
    """`ok busy failed unreadable` of a state number and an error kind.

    A waiting writer with an error has failed: it will not come back by itself. Stable stays ok with an error left over
    from an earlier backup. A number beyond vss.h, a state whose error line is lost, and a waiting state with words of
    an unknown language (`doubt`: they may mean *no error*) are unreadable: never healthy.
    """
    if code in FAILED:
        return "failed"
    if code is None or kind == "unreadable" or code not in (STABLE, *WAITING):
        return "unreadable"
    if code == STABLE:
        return "ok"
    if kind == "none":
        return "busy"
    return "unreadable" if doubt else "failed"


def service_of(writer: str) -> str:
    """The service that hosts a writer, empty when it is not an in-box one."""
    known = WRITERS.get(writer)
    return known.service if known else ""


def advice_for(writer: str, code: int | None, state_class: str, kind: str) -> str:
    """What a person should do about a writer, empty when nothing."""
    if state_class == "failed":
        return _hyper_v(code, kind) if writer == HYPER_V else _restart(writer, kind)
    if state_class == "unreadable":
        return "Read the writers again; this one could not be understood."
    if state_class == "ok":
        return "" if kind == "none" else "Stable now; the error is left over from an earlier backup."
    if code == BACKUP_COMPLETE:
        return "Normal while a backup runs; stale when none does."
    return "A shadow copy is being made; read again in a minute."


def _restart(writer: str, kind: str) -> str:
    known = WRITERS.get(writer)
    restart = f"{known.restart}." if known and known.restart else "restart the service that hosts this writer."
    if kind in ("retryable", "timeout", "resources"):
        return f"Let the backup retry up to three times, ten minutes apart, under less load; if it stays: {restart}"
    return f"End the backup job first; then {restart}"


def _hyper_v(code: int | None, kind: str) -> str:
    guests = "free at least 1 GB on every partition of the guests that events 10102 name on this node"
    if code in WAITING and kind == "retryable":
        return f"The job still waits, no restart needed: {guests}, then resume the backup job."
    if code in WAITING and kind == "unexpected":
        return f"The job was killed: {_VMMS}. It comes back while a guest is full: {guests}."
    if kind in ("retryable", "timeout", "resources"):
        return f"Let the backup retry; {guests}. If it stays: {_VMMS}."
    return f"End the backup job first; then {_VMMS}. Before the next run {guests}."
