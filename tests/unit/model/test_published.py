"""Published texts are read right, and what became of them on the way to a person's clipboard breaks no reader."""

from __future__ import annotations

import random
import re

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hvtui.model.csv_state_text import CsvStateText, holds_csv_states, read_csv_states
from hvtui.model.diskshadow_text import STATES, holds_diskshadow, read_diskshadow
from hvtui.model.enums import BlockRedirectedIOReason, CsvIoState, FileSystemRedirectedIOReason
from hvtui.model.event_catalog import describe, is_noise, severity_of, subject_of, vm_of, writer_of
from hvtui.model.event_xml import EVENT_LIMIT, holds_events, read_event_xml
from hvtui.model.events import EventLog
from hvtui.model.records import Event
from hvtui.model.severity import Severity
from hvtui.model.writers import read_writers
from tests.support.builders import NOW, VMMS_ADMIN, event, page
from tests.support.published import DATA, EVENTS, VM, VMMS, event_xml

SYSTEM, OPTIMIZATION, REGISTRY = (
    "e8132975-6f93-4464-a53e-1050253ae220",
    "4dc3bdd4-ab48-4d07-adb0-3bee2926fd7f",
    "afbab4a2-367d-4d15-a586-71dbb18f8485",
)
TEXTS = {
    f"{path.parent.name}/{path.name}": path.read_text("utf-8")
    for kind in ("pasted_writers", "diskshadow", "csv_state", "events")
    for path in sorted((DATA / kind).iterdir())
}


def test_every_text_has_its_source() -> None:
    told = (DATA / "README.md").read_text("utf-8")
    kept = {
        path.relative_to(DATA).as_posix()
        for path in DATA.rglob("*.*")
        if path.parent.name not in {"writers", "published_texts"}
    }
    assert kept - {"README.md"} == set(re.findall(r"^\| `([^`*]+)` \|", told, re.MULTILINE))


# --- writers ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "writers"),
    [
        ("failed-in-bold", [("Microsoft Hyper-V VSS Writer", 8, "failed", "retryable")]),
        ("no-quotes", [("System Writer", 1, "ok", "none")]),
        (
            "exchange-2011",
            [
                ("System Writer", 1, "ok", "none"),
                ("Registry Writer", 1, "ok", "none"),
                ("IIS Metabase Writer", 1, "ok", "none"),
                ("Event Log Writer", 1, "ok", "none"),
                ("Microsoft Exchange Writer", 7, "failed", "retryable"),
            ],
        ),
        (
            "run-together",
            [
                ("SqlServerWriter", 1, "ok", "none"),
                ("ASR Writer", 1, "ok", "none"),
                ("MSSearch Service Writer", 1, "ok", "none"),
            ],
        ),
    ],
)
def test_pasted_writers(name: str, writers: list[tuple[str, int, str, str]]) -> None:
    report = read_writers(TEXTS[f"pasted_writers/{name}.txt"])
    assert [(w.name, w.code, w.state_class, w.error_kind) for w in report.writers] == writers
    assert (report.unreadable, report.failure) == ((), "")
    assert all(w.instance.startswith("0a1b2c3d-") for w in report.writers)


@pytest.mark.parametrize("name", ["list-writers-status", "without-quotes"])
def test_diskshadow_has_numbers_and_its_own_count(name: str) -> None:
    report = read_diskshadow(TEXTS[f"diskshadow/{name}.txt"])
    assert [(w.name, w.id, w.code, w.state_class, w.error_kind, w.service) for w in report.writers] == [
        ("System Writer", SYSTEM, 5, "busy", "none", "CryptSvc"),
        ("Shadow Copy Optimization Writer", OPTIMIZATION, 1, "ok", "none", "VSS"),
        ("Registry Writer", REGISTRY, 1, "ok", "none", "VSS"),
    ]
    assert [w.instance[-1] for w in report.writers] == ["1", "2", "3"]
    assert report.unreadable == ("the text says 8 writers, it shows 3",)
    assert report.failure == ""


def shadow(state: str, error: str = "0x00000000 (S_OK)") -> str:
    return (
        f'* WRITER "Microsoft Hyper-V VSS Writer"\n        - Status: {state}\n        - Writer Failure code: {error}\n'
        "        - Writer ID: {66841cd4-6ded-4f4b-8f17-fd23f8ddc3de}\n"
        "        - Instance ID: {0a1b2c3d-0000-4000-8000-000000000001}\n1 writers listed.\n"
    )


@pytest.mark.parametrize("number", range(len(STATES)))
def test_every_state_of_diskshadow(number: int) -> None:
    (writer,) = read_diskshadow(shadow(f"{number} (VSS_WS_{STATES[number]})")).writers
    assert writer.code == number
    assert writer.state_class == ("ok" if number == 1 else "busy" if 2 <= number <= 5 else "failed")


@pytest.mark.parametrize(
    ("state", "error", "seen"),
    [
        ("5 (VSS_WS_WAITING_FOR_BACKUP_COMPLETE)", "0x800423f3 (VSS_E_WRITERERROR_RETRYABLE)", ("failed", "retryable")),
        ("8 (VSS_WS_FAILED_AT_PREPARE_SNAPSHOT)", "0x800423F4", ("failed", "nonretryable")),
        ("8 (VSS_WS_FAILED_AT_PREPARE_SNAPSHOT)", "0x8004ffff (NEW)", ("failed", "other")),
        # Number and constant disagree, or are beyond vss.h: never healthy.
        ("1 (VSS_WS_FAILED_AT_FREEZE)", "0x00000000 (S_OK)", ("unreadable", "none")),
        ("1 (VSS_WS_TRANSCENDENT)", "0x00000000 (S_OK)", ("unreadable", "none")),
        ("16 (VSS_WS_COUNT)", "0x00000000 (S_OK)", ("unreadable", "none")),
        ("1 (VSS_WS_STABLE)", "", ("unreadable", "unreadable")),
        ("", "0x00000000 (S_OK)", ("unreadable", "none")),
    ],
)
def test_what_diskshadow_says_of_a_writer_in_trouble(state: str, error: str, seen: tuple[str, str]) -> None:
    (writer,) = read_diskshadow(shadow(state, error)).writers
    assert (writer.state_class, writer.error_kind) == seen
    assert (writer.advice == "") == (seen[0] == "ok")


def test_lines_of_diskshadow_that_run_together_are_nobodys() -> None:
    whole = " ".join(shadow("1 (VSS_WS_STABLE)").split())
    report = read_diskshadow(whole)
    assert report.writers == ()
    assert report.failure
    assert report.unreadable


# --- volumes ------------------------------------------------------------------------------------------------------


def test_a_redirected_refs_volume_is_no_fault() -> None:
    rows = read_csv_states(TEXTS["csv_state/refs.txt"])
    assert [(row.volume, row.node) for row in rows] == [("MIRROR1", f"HV0{n}") for n in (1, 4, 2, 3)]
    assert {(row.state, row.reason, row.block, row.severity, row.unknown) for row in rows} == {
        ("FileSystemRedirected", "FileSystemReFs", "NotBlockRedirected", Severity.OK, ())
    }


def test_a_filter_is_named_and_how_to_find_it() -> None:
    (row,) = read_csv_states(TEXTS["csv_state/filter.txt"])
    assert (row.volume, row.severity, row.unknown) == ("SAN-4", Severity.WARN, ())
    assert "fltmc filters" in row.meaning


def states(state: str, reason: str = "NotFileSystemRedirected", block: str = "NotBlockRedirected") -> CsvStateText:
    text = (
        f"Name                         : CSV\nNode                         : HV01\nStateInfo   : {state}\n"
        f"FileSystemRedirectedIOReason : {reason}\nBlockRedirectedIOReason      : {block}\n"
    )
    (row,) = read_csv_states(text)
    return row


@pytest.mark.parametrize(
    ("row", "severity"),
    [
        (states("Direct"), Severity.OK),
        (states("Unavailable"), Severity.BAD),
        (states("Paused"), Severity.BAD),
        (states("FileSystemRedirected"), Severity.WARN),
        (states("FileSystemRedirected", "FileSystemReFs"), Severity.OK),
        (states("FileSystemRedirected", "UserRequest, FileSystemReFs"), Severity.WARN),
        (states("FileSystemRedirected", "FileSystemTiering, FileSystemReFs"), Severity.INFO),
        (states("FileSystemRedirected", "BitLockerInitializing"), Severity.INFO),
        (states("FileSystemRedirected", "IncompatibleFileSystemFilter, IncompatibleVolumeFilter"), Severity.WARN),
        (states("BlockRedirected", block="NoDiskConnectivity"), Severity.WARN),
        (states("BlockRedirected", block="VolumeReplicationEnabled"), Severity.OK),
        (states("2", "0", "0"), Severity.OK),
        (states("9"), Severity.UNKNOWN),
    ],
)
def test_how_bad_a_way_to_a_volume_is(row: CsvStateText, severity: Severity) -> None:
    assert (row.severity, row.unknown) == (severity, ())


@pytest.mark.parametrize(
    ("enum", "field"),
    [(CsvIoState, 0), (FileSystemRedirectedIOReason, 1), (BlockRedirectedIOReason, 2)],
)
def test_every_name_that_windows_has_is_known(
    enum: type[CsvIoState | FileSystemRedirectedIOReason | BlockRedirectedIOReason], field: int
) -> None:
    for name in enum.__members__:
        parts = ["Direct", "NotFileSystemRedirected", "NotBlockRedirected"]
        parts[field] = name
        assert states(*parts).unknown == ()


def test_a_new_name_is_unknown_and_not_healthy() -> None:
    for row in (states("Levitating"), states("FileSystemRedirected", "Moonlight, FileSystemReFs")):
        assert row.severity is Severity.UNKNOWN
        assert row.unknown in (("Levitating",), ("Moonlight",))
    (cut,) = read_csv_states("StateInfo : FileSystemRedirected\nNode : HV01\n")
    assert (cut.severity, cut.unknown) == (
        Severity.UNKNOWN,
        ("FileSystemRedirectedIOReason", "BlockRedirectedIOReason"),
    )


def test_a_cut_name_counts_when_it_can_be_one_only() -> None:
    head = "Name StateInfo FileSystemRedirectedIOReason\n---- --------- ----\n"
    (row,) = read_csv_states(head + "CSV  Direct    NotFileSystemRe...\n")
    assert (row.severity, row.reason, row.unknown) == (Severity.OK, "NotFileSystemRedirected", ())
    (row,) = read_csv_states(head + "CSV  FileSystemRedirected    Incompatible...\n")
    assert (row.severity, row.unknown) == (Severity.UNKNOWN, ("Incompatible...",))


# --- events -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", EVENTS)
def test_pasted_events(name: str) -> None:
    report = read_event_xml(event_xml(name))
    (found,) = report.events
    cut = found.time.replace(microsecond=found.time.microsecond // 1000 * 1000)
    assert msgspec.structs.replace(found, time=cut) == EVENTS[name]
    assert report.unreadable == ()


@pytest.mark.parametrize(
    ("name", "severity", "noise", "subject", "words"),
    [
        ("vmms-19100", Severity.BAD, False, "SQL07 (1111aaaa)", "disk merge of SQL07 (1111aaaa) failed (0x80070020)"),
        ("vmms-20415", Severity.INFO, False, "SQL07 (1111aaaa)", "live migration of SQL07 (1111aaaa): blackout time"),
        ("worker-18590", Severity.BAD, False, "SQL07 (1111aaaa)", "the guest of SQL07 (1111aaaa) stopped with"),
        ("capi2-513", Severity.INFO, True, "", "System Writer noise"),
        ("volsnap-25", Severity.WARN, False, "", "shadow copies were deleted"),
        ("volsnap-36", Severity.WARN, False, "", "shadow copies were aborted"),
    ],
)
def test_what_published_events_mean(name: str, severity: Severity, noise: bool, subject: str, words: str) -> None:
    found = EVENTS[name]
    assert (severity_of(found), is_noise(found), subject_of(found)) == (severity, noise, subject)
    assert describe(found).startswith(words)


@pytest.mark.parametrize(
    ("name", "id", "writer"),
    [
        ("vss-8193", 8193, (OPTIMIZATION, "Shadow Copy Optimization Writer")),
        ("vss-8229-sql", 8229, ("a65faa63-5ea8-4ebc-9dbd-a0c4db26912a", "SqlServerWriter")),
        ("vss-8229-ntds", 8229, ("b2014c9e-8711-4c5c-a5a9-3cf384484757", "NTDS")),
    ],
)
def test_the_writer_of_published_vss_texts(name: str, id: int, writer: tuple[str, str]) -> None:
    text = TEXTS[f"events/{name}.txt"]
    for found in (
        event(id, channel="Application", provider="VSS", text=text),
        event(id, channel="Application", provider="VSS", data={"1": "x", "3": text}),
    ):
        assert writer_of(found) == writer
        assert subject_of(found) == writer[1]


def test_a_vm_named_by_position_is_the_vm_of_a_failed_backup() -> None:
    told = event(10102, NOW, 5, channel=VMMS_ADMIN, provider=VMMS, data={"Parameter0": "SQL07", "Parameter1": VM})
    assert vm_of(told) == (VM, "SQL07")
    log = EventLog()
    log.add("HV01", page([told]))
    assert set(log.backup_failed) == {VM}
    # A name alone, or another source's values at these places, is no VM.
    for other in (
        msgspec.structs.replace(told, data={"Parameter0": "SQL07", "Parameter1": "5"}),
        msgspec.structs.replace(told, provider="Microsoft-Windows-Kernel-Power"),
    ):
        assert vm_of(other) == ("", "")


def test_events_are_found_in_what_stands_around_them() -> None:
    text = "Log Name: System\nEvent Xml:\n" + "\nand then\n".join(map(event_xml, EVENTS)) + "\nregards"
    assert [found.id for found in read_event_xml(text).events] == [found.id for found in EVENTS.values()]
    tree = "- " + event_xml("volsnap-36").replace("  <System>", "- <System>").replace("  <EventData>", "+ <EventData>")
    assert read_event_xml(tree).events == read_event_xml(event_xml("volsnap-36")).events
    for encoding in ("utf-16", "utf-8-sig", "utf-16-le"):
        assert read_event_xml(text.encode(encoding)).events == read_event_xml(text).events


@pytest.mark.parametrize(
    ("name", "ends"),
    [
        ("vss-8213", "- User: NT AUTHORITY\\NETWORK SERVICE    - Sid:  S-1-5-20"),
        ("vss-8193", "- User: Name: NT AUTHORITY\\SYSTEM, SID:S-1-5-18"),
        ("vss-12292", "- User: Name: NT AUTHORITY\\"),
    ],
)
def test_binary_data_of_vss_tells_which_process_wrote_it(name: str, ends: str) -> None:
    text = (DATA / "events" / f"{name}-binary.txt").read_text("utf-8").strip()
    digits = text.encode().hex().upper() if text.startswith("- ") else text
    xml = event_xml("volsnap-25")
    place = xml.index("</EventData>")
    (found,) = read_event_xml(f"{xml[:place]}<Binary>{digits}</Binary>{xml[place:]}").events
    assert found.data["Binary"].startswith("- Code: ")
    assert found.data["Binary"].endswith(ends)
    (other,) = read_event_xml(f"{xml[:place]}<Binary>00{digits}</Binary>{xml[place:]}").events
    assert "Binary" not in other.data


def test_a_rendered_event_has_its_text() -> None:
    rendered = event_xml("volsnap-25").replace(
        "</Event>", "<RenderingInfo Culture='de-DE'><Message>Die Schattenkopien …</Message></RenderingInfo></Event>"
    )
    assert read_event_xml(rendered).events[0].text == "Die Schattenkopien …"


@pytest.mark.parametrize(
    "change",
    [
        ("</Event>", ""),
        ("<EventID", "<EventI"),
        ("SystemTime", "Systemtime"),
        ("2024-09-26T", "2024-13-26T"),
        (' Name="Volsnap"', ""),
        (">36<", ">36 or so<"),
        ("</EventData>", "</EventDat>"),
    ],
)
def test_a_broken_event_is_unreadable_and_the_next_one_is_read(change: tuple[str, str]) -> None:
    broken = event_xml("volsnap-36").replace(*change)
    assert broken != event_xml("volsnap-36")
    report = read_event_xml(event_xml("volsnap-25") + broken)
    assert [found.id for found in report.events] == [25]
    assert len(report.unreadable) == 1


def test_definitions_are_refused() -> None:
    bomb = '<Event x="1"><!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;">]>&c;</Event>'
    report = read_event_xml(bomb + event_xml("volsnap-25"))
    assert ([found.id for found in report.events], len(report.unreadable)) == ([25], 1)


def test_numbers_are_bounded() -> None:
    many = "".join(f'<Data Name="n{n}">{"x" * 3000} 0x8{n:07x}</Data>' for n in range(100))
    text = event_xml("volsnap-25").replace("<EventData>", "<EventData>" + many)
    (found,) = read_event_xml(text).events
    assert (len(found.data), {len(value) for value in found.data.values()}, found.codes) == (64, {2000}, [])
    short = text.replace("x" * 3000, "")
    assert len(read_event_xml(short).events[0].codes) == 16
    flood = read_event_xml(event_xml("vmms-19100") * (EVENT_LIMIT + 5))
    assert (len(flood.events), len(flood.unreadable)) == (EVENT_LIMIT, 1)


# --- damage -------------------------------------------------------------------------------------------------------


def damaged(text: str, seed: int) -> str:
    """Some pieces of a text cut out, doubled, moved or overwritten."""
    chance = random.Random(seed)
    for _ in range(chance.randint(1, 6)):
        a, b = sorted(chance.randint(0, len(text)) for _ in range(2))
        b = min(b, a + chance.randint(0, 200))
        piece = text[a:b]
        match chance.randint(0, 3):
            case 0:
                text = text[:a] + text[b:]
            case 1:
                text = text[:b] + piece + text[b:]
            case 2:
                text = text[:a] + text[b:] + piece
            case _:
                text = (
                    text[:a]
                    + "".join(chance.choice("<>&\"'{}[]()-: \r\n\0\x1b0a\u202e漢\ud800") for _ in piece)
                    + text[b:]
                )
    return text


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(TEXTS)), st.integers(0, 2**32))
def test_damage_never_raises_and_never_makes_up_good_news(name: str, seed: int) -> None:
    text = damaged(TEXTS[name], seed)
    events = read_event_xml(text)
    holds_events(text), holds_csv_states(text), holds_diskshadow(text)
    assert all(isinstance(found, Event) and found.time.tzinfo is not None for found in events.events)
    for writer in read_diskshadow(text).writers:
        if writer.state_class in ("ok", "busy"):
            assert f"VSS_WS_{writer.state_text}" in text
            assert "0x" in writer.error_text
    for row in read_csv_states(text):
        if row.severity <= Severity.INFO:
            assert row.state in CsvIoState.__members__ or row.state.isdigit()


@settings(deadline=None)
@given(st.text() | st.binary())
def test_anything_is_a_text(text: str | bytes) -> None:
    assert read_event_xml(text).events == ()
    assert read_csv_states(text) == ()
    assert read_diskshadow(text).writers == () or "WRITER" in str(text)
