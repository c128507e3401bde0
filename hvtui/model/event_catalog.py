"""What the events of Hyper-V, the cluster and VSS mean.

Recognised by source and id only, never by their localised text. Sources: Microsoft's list of failover clustering
events; the field reports for 10102 and 8194; ids that no Microsoft catalogue lists are worded carefully, and their raw
text is always shown beside them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from hvtui.model import writer_catalog
from hvtui.model.records import Event
from hvtui.model.severity import Severity

BAD, WARN, INFO = Severity.BAD, Severity.WARN, Severity.INFO


@dataclass(frozen=True)
class Meaning:
    """`words` holds `{subject}` where the thing the event is about belongs; `subject` says what kind that is.

    `kind` groups events that tell of the same trouble: `backup node csv io migration merge role drain writer`.
    `noise` events occur on healthy clusters.
    """

    severity: Severity
    words: str
    subject: str = ""
    kind: str = ""
    noise: bool = False


_CLUSTER: Final = {
    1069: Meaning(BAD, "resource {subject} failed", "resource", "role"),
    1071: Meaning(WARN, "operation refused: {subject} is locked by a backup or export", "resource", "role"),
    1135: Meaning(BAD, "node {subject} was removed from the cluster", "node", "node"),
    1137: Meaning(BAD, "role {subject} could not be moved off for the drain", "role", "drain"),
    1146: Meaning(BAD, "a resource host process ended and was restarted"),
    1155: Meaning(WARN, "a queued move did not complete: {subject}", "role", "migration"),
    1177: Meaning(BAD, "the cluster service stops: quorum is lost", "", "node"),
    1205: Meaning(BAD, "role {subject} did not come fully online or offline", "role", "role"),
    1230: Meaning(BAD, "resource {subject} exceeded its time-out", "resource", "role"),
    1250: Meaning(BAD, "the application inside {subject} reported a critical state", "resource", "role"),
    1251: Meaning(WARN, "role {subject} was taken offline for one of higher priority", "role", "role"),
    1254: Meaning(BAD, "role {subject} used up its failovers and stays failed", "role", "role"),
    1255: Meaning(BAD, "the protected network of {subject} failed", "resource", "role"),
    1544: Meaning(WARN, "the backup of the cluster database was cancelled", "", "backup"),
    1584: Meaning(WARN, "{subject} was snapshot without preparation: the backup is not CSV aware", "csv", "backup"),
    1672: Meaning(BAD, "node {subject} is in quarantine", "node", "node"),
    1676: Meaning(BAD, "node {subject} is in quarantine", "node", "node"),
    1677: Meaning(BAD, "the drain of node {subject} failed", "node", "drain"),
    1680: Meaning(INFO, "node {subject} is no longer isolated", "node"),
    1682: Meaning(INFO, "{subject} is monitored again", "resource"),
    4869: Meaning(BAD, "the cluster's watchdog found user mode hanging", "", "node"),
    4870: Meaning(BAD, "the cluster's watchdog found user mode hanging", "", "node"),
    5120: Meaning(WARN, "I/O to {subject} is paused and queued", "csv", "csv"),
    # Windows calls it information; it means that a node reaches its storage through another one.
    5121: Meaning(WARN, "the direct path to {subject} is lost, I/O is redirected", "csv", "csv"),
    5124: Meaning(WARN, "a file system filter on {subject} forces redirected I/O", "csv", "csv"),
    5125: Meaning(WARN, "a volume filter on {subject} forces redirected I/O", "csv", "csv"),
    5136: Meaning(WARN, "redirected access was turned on for {subject}", "csv", "csv"),
    5142: Meaning(BAD, "{subject} cannot be reached from this node", "csv", "csv"),
    5143: Meaning(WARN, "the move of {subject} was refused", "csv"),
    5145: Meaning(BAD, "a software snapshot on {subject} could not be deleted", "csv", "backup"),
    5146: Meaning(WARN, "the move of {subject} was refused", "csv"),
    5147: Meaning(WARN, "the move of {subject} was refused: a snapshot is being made", "csv"),
    5148: Meaning(WARN, "the move of {subject} was refused", "csv"),
    5150: Meaning(BAD, "the disk of {subject} was put into a failed state", "csv", "csv"),
    5156: Meaning(WARN, "{subject} is paused: its snapshots vanished", "csv", "csv"),
    5157: Meaning(WARN, "{subject} is paused by an infrastructure failure", "csv", "csv"),
    5216: Meaning(BAD, "a software snapshot of {subject} failed", "csv", "backup"),
    5217: Meaning(BAD, "a software snapshot set failed", "", "backup"),
    5218: Meaning(INFO, "an old snapshot of {subject} was deleted: backups do not clean up", "csv"),
    5219: Meaning(BAD, "the CSV snapshot provider could not register with VSS", "", "backup"),
}
_HYPER_V: Final = {
    10102: Meaning(BAD, "backup of {subject} failed: no volume shadow copy inside the guest", "vm", "backup"),
    10103: Meaning(BAD, "backup of {subject} failed: its disk was not reverted to the shadow copy", "vm", "backup"),
    10104: Meaning(BAD, "backup of {subject} failed: its disks were not reverted to the shadow copy", "vm", "backup"),
    10107: Meaning(WARN, "backup of {subject}: attached physical disks are left out", "vm"),
    10150: Meaning(BAD, "backup checkpoint of {subject} failed", "vm", "backup"),
    10172: Meaning(BAD, "backup of {subject}: its writers failed at the end", "vm", "backup"),
    10173: Meaning(BAD, "backup of {subject}: its writers failed after the snapshot", "vm", "backup"),
    18012: Meaning(BAD, "checkpoint of {subject} failed", "vm", "backup"),
    18014: Meaning(WARN, "checkpoint of {subject} was cancelled", "vm"),
    18016: Meaning(WARN, "no production checkpoint of {subject} could be made", "vm"),
    18590: Meaning(BAD, "the guest of {subject} stopped with a fatal error of its own", "vm"),
    19070: Meaning(INFO, "disk merge of {subject} started", "vm", "merge"),
    19080: Meaning(INFO, "disk merge of {subject} finished", "vm"),
    19090: Meaning(WARN, "disk merge of {subject} was interrupted", "vm"),
    19100: Meaning(BAD, "disk merge of {subject} failed", "vm"),
    20413: Meaning(BAD, "live migration of {subject} failed near its end", "vm", "migration"),
    20415: Meaning(INFO, "live migration of {subject}: blackout time", "vm"),
    20417: Meaning(WARN, "live migration of {subject} had a long blackout", "vm"),
    21024: Meaning(BAD, "migration of {subject} failed at the source", "vm", "migration"),
    21125: Meaning(
        BAD, "live migration of {subject}: the destination could not set up its configuration", "vm", "migration"
    ),
    21501: Meaning(BAD, "live migration of {subject} failed", "vm", "migration"),
    21502: Meaning(BAD, "live migration of {subject} failed", "vm", "migration"),
}
_VSS: Final = {
    11: Meaning(WARN, "a VSS component could not be registered or started"),
    8193: Meaning(WARN, "VSS: an unexpected error in {subject}", "writer"),
    8194: Meaning(WARN, "VSS: access denied at the writer callback of {subject}", "writer", "access"),
    8213: Meaning(WARN, "VSS: the account of {subject} may not be a writer", "writer", "access"),
    8229: Meaning(WARN, "VSS: {subject} rejected an event", "writer", "writer"),
    12289: Meaning(WARN, "VSS: an unexpected error"),
    12292: Meaning(WARN, "VSS: a shadow copy provider could not be created"),
    12293: Meaning(WARN, "VSS: a shadow copy provider failed in a call"),
    12298: Meaning(WARN, "VSS: writes could not be held during the snapshot"),
    12302: Meaning(WARN, "VSS: the writers could not be contacted"),
    12347: Meaning(WARN, "VSS: the volumes are inconsistent"),
    12366: Meaning(WARN, "VSS: the process of {subject} failed in a callback and is unstable", "writer", "writer"),
}
_VOLSNAP: Final = {
    25: Meaning(WARN, "shadow copies were deleted: their storage could not grow in time"),
    36: Meaning(WARN, "shadow copies were aborted: their storage reached its limit"),
}
_CAPI2: Final = {513: Meaning(INFO, "System Writer noise while writers are listed", noise=True)}

_HYPER_V_SOURCE: Final = "microsoft-windows-hyper-v"
_SOURCES: Final = (
    ("microsoft-windows-failoverclustering", _CLUSTER),
    (_HYPER_V_SOURCE, _HYPER_V),
    ("vss", _VSS),
    ("volsnap", _VOLSNAP),
    ("microsoft-windows-capi2", _CAPI2),
)
_BENIGN_PAUSE: Final = "c0130021"
"""Windows writes `STATUS_CLUSTER_CSV_AUTO_PAUSE_ERROR(c0130021)`, without the `0x` that makes it a code elsewhere."""
_OLD_SESSION: Final = "0x80042409"
_PAUSE_NOISE: Final = Meaning(INFO, "I/O to {subject} paused for a moment by a snapshot", "csv", noise=True)
_SESSION_NOISE: Final = Meaning(INFO, "VSS: an old backup session was removed", noise=True)
_LEVELS: Final = {1: BAD, 2: BAD, 3: WARN}

_NAMES: Final = {
    "node": ("NodeName", "Node"),
    "csv": ("VolumeName", "ResourceName", "VolumeFriendlyName"),
    "resource": ("ResourceName", "ResourceGroup", "GroupName"),
    "role": ("ResourceGroup", "GroupName", "ResourceName"),
    "vm": ("VmName", "VirtualMachineName"),
}
_GUID: Final = re.compile(r"\{([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})\}")


def meaning(event: Event) -> Meaning | None:
    """What an event stands for, None when its source and id are not known."""
    provider = event.provider.lower()
    for source, table in _SOURCES:
        if provider.startswith(source):
            found = table.get(event.id)
            if found is not None and event.id == 5120 and table is _CLUSTER and _is_benign(event):
                return _PAUSE_NOISE
            if found is not None and event.id == 12289 and table is _VSS and _OLD_SESSION in event.codes:
                return _SESSION_NOISE
            return found
    return None


def _is_benign(event: Event) -> bool:
    return any(_BENIGN_PAUSE in value.lower() for value in (*event.codes, *event.data.values()))


def sources_of(number: int) -> list[str]:
    """The sources, in lower case and without what may follow, that have an event of this id here."""
    return [source for source, table in _SOURCES if number in table]


def severity_of(event: Event) -> Severity:
    """How bad an event is: by its meaning, else by the level Windows gave it."""
    known = meaning(event)
    return known.severity if known is not None else _LEVELS.get(event.level, Severity.INFO)


def is_noise(event: Event) -> bool:
    """True for what a healthy cluster logs, too."""
    known = meaning(event)
    return known is not None and known.noise


def subject_of(event: Event) -> str:
    """Name of the VM, node, volume, role or writer that an event is about; empty when it does not say."""
    known = meaning(event)
    kind = known.subject if known is not None else ""
    if kind == "writer":
        return writer_of(event)[1]
    if kind == "vm" or (not kind and any(vm_of(event))):
        return _vm(event)
    return next((event.data[name] for name in _NAMES.get(kind, ()) if event.data.get(name)), "")


def vm_of(event: Event) -> tuple[str, str]:
    """Id and name of the VM an event names; empty strings when it names none.

    Some of Hyper-V's events have no names for their values: `Parameter0` is the VM's name then, `Parameter1` its id.
    """
    name = event.vm_name or next((event.data[key] for key in _NAMES["vm"] if event.data.get(key)), "")
    if not event.vm and not name and event.provider.lower().startswith(_HYPER_V_SOURCE):
        match = _GUID.fullmatch(f"{{{event.data.get('Parameter1', '')}}}")
        if match is not None:
            return match[1].lower(), event.data.get("Parameter0", "")
    return event.vm or "", name


def _vm(event: Event) -> str:
    vm, name = vm_of(event)
    return f"{name} ({vm[:8]})" if vm and name else name or vm


def writer_of(event: Event) -> tuple[str, str]:
    """GUID and name of the writer a VSS event is about; empty strings when it names none.

    VSS puts the writer's class id, name and instance into its context block, a label and a colon before each. The
    labels are localised, the order is not; a class id of an in-box writer needs no name.
    """
    for text in (*event.data.values(), event.text):
        if "{" not in text:
            continue
        lines = text[:20_000].splitlines()
        for number, line in enumerate(lines):
            match = _GUID.search(line)
            if match is None:
                continue
            guid = match[1].lower()
            known = writer_catalog.WRITERS.get(guid)
            if known is not None:
                return guid, known.name
            following = lines[number + 1] if number + 1 < len(lines) else ""
            if ":" in following and not _GUID.search(following):
                return guid, following.partition(":")[2].strip()
    return "", ""


def describe(event: Event) -> str:
    """An event in a few words; the first line of Windows' own text when the id is not known."""
    known = meaning(event)
    if known is None:
        # hvtui's own record of a change (docs/mutations.md): who, and what, belong in the one line that is shown.
        told = dict(line.partition(": ")[::2] for line in event.text[:2_000].splitlines())
        if event.provider == "HvTui" and told.get("actor") and told.get("command"):
            return f"{told['actor']} by hvtui: {told['command']}"
        first = next((line.strip() for line in event.text[:2_000].splitlines() if line.strip()), "")
        return first or f"{event.provider} {event.id}"
    subject = subject_of(event) or {"vm": "a VM", "writer": "a writer", "csv": "a volume"}.get(known.subject, "?")
    words = known.words.replace("{subject}", subject)
    code = next((code for code in event.codes if code != "0x00000000"), "")
    return f"{words} ({code})" if code and not known.noise else words
