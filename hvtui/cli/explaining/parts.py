"""The kinds of things a pasted text may hold, each read by its own reader: what it has as JSON, and how it is shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from hvtui.cli.explaining.sift import Item
from hvtui.cli.output import Cell, say, table
from hvtui.cli.writer_output import COLUMNS, is_fine, worst_first, writer_json, writer_row
from hvtui.model.csv_state_text import CsvStateText
from hvtui.model.event_catalog import describe, is_noise, meaning, severity_of, subject_of
from hvtui.model.fltmc_text import Filter, Instance, altitude_group, read_filter_line, read_instance_line
from hvtui.model.pasted import Line
from hvtui.model.records import Event
from hvtui.model.severity import Severity
from hvtui.model.vm_text import CheckpointText, VmText
from hvtui.model.writers import Writer

LOOKS: Final[dict[Severity, Cell]] = {
    Severity.OK: ("✓", "ok"),
    Severity.INFO: ("·", "dim"),
    Severity.UNKNOWN: ("?", "warn"),
    Severity.WARN: ("▲", "warn"),
    Severity.BAD: ("✗", "bad"),
}


@dataclass(frozen=True)
class Part:
    """One kind in a text. `name` is its key in the JSON, `kind` what the whole text is when it has only this.

    `cases` are ids of known.toml, worst first; `fine`: there is nothing to do about any of it.
    """

    kind: str
    name: str
    facts: list[dict[str, object]]
    show: Callable[[], None]
    fine: bool
    cases: tuple[str, ...] = ()
    severity: Severity = Severity.OK
    unreadable: tuple[str, ...] = field(default=())


def writers_part(kind: str, writers: tuple[Writer, ...], unreadable: tuple[str, ...]) -> Part:
    """Writers as vssadmin or diskshadow list them."""

    def show() -> None:
        bad = tuple(writer for writer in writers if not is_fine(writer))
        title = f"VSS writers: {len(writers)}, not well: {len(bad)}"
        table(title, COLUMNS, [writer_row(writer) for writer in worst_first(writers)])
        for writer in worst_first(bad):
            if writer.advice:
                say(f"{writer.name}: {writer.advice}", "warn")

    fine = all(map(is_fine, writers))
    severity = Severity.OK if fine else Severity.BAD
    return Part(kind, "writers", [writer_json(w) for w in writers], show, fine, (), severity, unreadable)


def csv_part(rows: Sequence[CsvStateText]) -> Part:
    """Get-ClusterSharedVolumeState."""

    def show() -> None:
        wrong = [row for row in rows if row.severity > Severity.INFO]
        table(
            f"Nodes' ways to volumes: {len(rows)}, not well: {len(wrong)}",
            ("", "volume", "node", "state", "meaning"),
            [
                (LOOKS[row.severity], row.volume or "?", row.node or "?", row.state, row.meaning)
                for row in sorted(rows, key=lambda row: -row.severity)
            ],
        )
        for name in sorted({name for row in rows for name in row.unknown}):
            say(f"unknown or missing: {name}", "warn")

    facts: list[dict[str, object]] = [
        {
            "volume": row.volume,
            "node": row.node,
            "state": row.state,
            "file_system_reason": row.reason,
            "block_reason": row.block,
            "severity": row.severity.name.lower(),
            "meaning": row.meaning,
            "unknown": list(row.unknown),
        }
        for row in rows
    ]
    fine = all(row.severity <= Severity.INFO and not row.unknown for row in rows)
    cases = [_csv_case(row) for row in sorted(rows, key=lambda row: -row.severity) if row.severity >= Severity.WARN]
    worst = max((row.severity for row in rows), default=Severity.OK)
    return Part("csv_states", "csv_states", facts, show, fine, tuple(dict.fromkeys(cases)), worst)


def _csv_case(row: CsvStateText) -> str:
    if row.severity is Severity.BAD:
        return "csv-paused" if row.state == "Paused" else "csv-no-access"
    if row.state == "BlockRedirected":
        return "csv-no-direct-path"
    return "csv-incompatible-filter" if "Incompatible" in row.reason else "csv-left-redirected"


def events_part(events: Sequence[Event], items: Sequence[Item], unreadable: tuple[str, ...]) -> Part:
    """Events of XML; `items` say what each of them means."""

    def show() -> None:
        rows = [
            (
                LOOKS[severity_of(event)],
                event.time.strftime("%Y-%m-%d %H:%M:%S"),
                f"{event.provider} {event.id}",
                item.says if item.known else f"not known to hvtui; {describe(event)}",
            )
            for event, item in zip(events, items, strict=True)
        ]
        table(f"Events: {len(rows)}", ("", "time (UTC)", "event", "meaning"), rows)

    fine = all(is_noise(event) or item.severity <= Severity.INFO for event, item in zip(events, items, strict=True))
    ordered = sorted(items, key=lambda item: -item.severity)
    cases = tuple(dict.fromkeys(item.case for item in ordered if item.case))
    worst = max((item.severity for item in items), default=Severity.OK)
    return Part("events", "events", [_event_json(e) for e in events], show, fine, cases, worst, unreadable)


def _event_json(event: Event) -> dict[str, object]:
    known = meaning(event) is not None
    return {
        "provider": event.provider,
        "id": event.id,
        "channel": event.channel,
        "record": event.record,
        "level": event.level,
        "time": event.time.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "known": known,
        "severity": severity_of(event).name.lower(),
        "noise": is_noise(event),
        "meaning": describe(event) if known else "",
        "subject": subject_of(event),
        "codes": list(event.codes),
        "data": dict(event.data),
    }


def vms_part(vms: Sequence[VmText]) -> Part:
    """Get-VM."""

    def show() -> None:
        wrong = sum(vm.severity > Severity.INFO for vm in vms)
        rows = [(LOOKS[vm.severity], vm.name, vm.state, vm.status, vm.meaning) for vm in _worst(vms)]
        table(f"VMs: {len(vms)}, not well: {wrong}", ("", "VM", "state", "status", "meaning"), rows)

    facts: list[dict[str, object]] = [
        {
            "name": vm.name,
            "state": vm.state,
            "status": vm.status,
            "activity": vm.activity,
            "percent": vm.percent,
            "severity": vm.severity.name.lower(),
            "meaning": vm.meaning,
        }
        for vm in vms
    ]
    cases = [_VM_CASES.get("Critical" if vm.state.endswith("Critical") else vm.state, "") for vm in _worst(vms)]
    cases += [_DOING_CASES.get(vm.activity, "") for vm in vms]
    fine = all(vm.severity <= Severity.INFO for vm in vms)
    worst = max((vm.severity for vm in vms), default=Severity.OK)
    return Part("vms", "vms", facts, show, fine, tuple(dict.fromkeys(c for c in cases if c)), worst)


_VM_CASES: Final = {"Critical": "vm-critical", "Saved": "vm-saved", "Saving": "vm-saved", "Paused": "vm-critical"}
_DOING_CASES: Final = {"backup": "locked", "merge": "merge"}


def checkpoints_part(found: Sequence[CheckpointText]) -> Part:
    """Get-VMSnapshot."""

    def show() -> None:
        rows = [(LOOKS[one.severity], one.vm or "?", one.name, one.type, one.created, one.meaning) for one in found]
        table(f"Checkpoints: {len(found)}", ("", "VM", "checkpoint", "type", "made", "meaning"), rows)

    facts: list[dict[str, object]] = [
        {
            "vm": one.vm,
            "name": one.name,
            "type": one.type,
            "created": one.created,
            "severity": one.severity.name.lower(),
            "meaning": one.meaning,
        }
        for one in found
    ]
    cases = [{"Recovery": "recovery-checkpoint-left", "Missing": "file-missing"}.get(one.type, "") for one in found]
    fine = all(one.severity <= Severity.INFO for one in found)
    worst = max((one.severity for one in found), default=Severity.OK)
    return Part("checkpoints", "checkpoints", facts, show, fine, tuple(dict.fromkeys(c for c in cases if c)), worst)


@dataclass(frozen=True)
class FilterText:
    """A filter driver of a pasted `fltmc`, and what is known of it. `volumes` None: not told."""

    name: str
    altitude: str
    instances: int | None
    volumes: tuple[str, ...] | None
    meaning: str
    line: int


_WINDOWS: Final = frozenset(
    {
        "bindflt",
        "ucpd",
        "wdfilter",
        "storqosflt",
        "wcifs",
        "cldflt",
        "filecrypt",
        "luafv",
        "npsvctrig",
        "wof",
        "fileinfo",
        "csvflt",
        "csvnsflt",
        "resumekeyfilter",
        "svhdxflt",
        "dedup",
        "dfsdriver",
        "dfsrro",
        "quota",
        "datascrn",
        "cbafilt",
        "mssecflt",
        "applockerfltr",
        "iorate",
        "prjflt",
        "unionfs",
        "rsfx",
        "winsetupmon",
    }
)
"""Minifilters that come with Windows Server (and SQL Server's RsFx), by the list of allocated altitudes."""
_AT_VMS: Final = {
    "Anti-Virus": "an antivirus: exclude VM files and CSVs, else merges and checkpoints fail on locked files",
    "Replication": "it replicates files: on a CSV it may force redirected I/O",
    "Continuous Backup": "it follows changes for a backup: on a CSV it may force redirected I/O",
    "HSM": "it moves files away: on a CSV it may force redirected I/O",
    "Content Screener": "it watches contents: on a CSV it may force redirected I/O",
    "Encryption": "it encrypts files: on a CSV it may force redirected I/O",
    "Activity Monitor": "it watches file activity",
    "Quota Management": "it counts or limits space",
}


def read_fltmc(lines: Sequence[Line]) -> tuple[FilterText, ...]:
    """The filters of `fltmc`, `fltmc filters` or `fltmc instances`; empty when the text has no table of those."""
    found: dict[str, FilterText] = {}
    for at, line in enumerate(lines):
        if set(line.text.replace(" ", "")) != {"-"} or len(line.text.split()) < 3:
            continue
        for below in lines[at + 1 :]:
            one, attached = read_filter_line(below.text), read_instance_line(below.text)
            if one is None and attached is None:
                break
            _take(found, one, attached if one is None else None, below.number)
    return tuple(found.values()) if any(altitude_group(one.altitude) for one in found.values()) else ()


def _take(found: dict[str, FilterText], one: Filter | None, attached: Instance | None, line: int) -> None:
    if one is not None:
        found[one.name.lower()] = FilterText(
            one.name,
            one.altitude,
            one.instances,
            None,
            _filter_meaning(one.name, one.altitude, legacy=one.legacy),
            line,
        )
    elif attached is not None:
        held = found.get(attached.filter.lower())
        volumes = (*(held.volumes or () if held is not None else ()), attached.volume)
        found[attached.filter.lower()] = FilterText(
            attached.filter,
            attached.altitude,
            held.instances if held is not None else None,
            volumes,
            _filter_meaning(attached.filter, attached.altitude, legacy=False),
            held.line if held is not None else line,
        )


def _filter_meaning(name: str, altitude: str, *, legacy: bool) -> str:
    if name.lower() in _WINDOWS:
        return "part of Windows" if name.lower() != "wdfilter" else f"Microsoft Defender: {_AT_VMS['Anti-Virus']}"
    if legacy:
        return "an old kind of filter: CSVs are redirected while one is attached"
    return _AT_VMS.get(altitude_group(altitude), "not known to hvtui: find out whose it is")


def filters_part(filters: Sequence[FilterText]) -> Part:
    """fltmc. Nothing of it is wrong by itself: event 5124 or 5125 names a filter that redirects a CSV."""

    def show() -> None:
        rows = [
            (
                LOOKS[Severity.INFO if "part of Windows" not in one.meaning else Severity.OK],
                one.name,
                one.altitude or "legacy",
                altitude_group(one.altitude),
                "?" if one.instances is None and one.volumes is None else str(one.instances or len(one.volumes or ())),
                one.meaning,
            )
            for one in filters
        ]
        table(f"File system filters: {len(filters)}", ("", "filter", "altitude", "group", "attached", "meaning"), rows)
        say("a filter that redirects a CSV is named by the events 5124 and 5125, not by this list")

    facts: list[dict[str, object]] = [
        {
            "name": one.name,
            "altitude": one.altitude,
            "group": altitude_group(one.altitude),
            "instances": one.instances,
            "volumes": None if one.volumes is None else list(one.volumes),
            "meaning": one.meaning,
        }
        for one in filters
    ]
    return Part("filters", "filters", facts, show, True)


def _worst(vms: Iterable[VmText]) -> list[VmText]:
    return sorted(vms, key=lambda vm: -vm.severity)
