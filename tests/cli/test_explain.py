"""`hvtui explain` on everything a person may hand it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from hvtui.cli.explain_output import recognise
from tests.support.cli import Shell, program
from tests.support.schemas import checked

DATA = Path(__file__).parents[1] / "data"
STUCK = """\
vssadmin 1.1 - Volume Shadow Copy Service administrative command-line tool
(C) Copyright 2001-2013 Microsoft Corp.

Writer name: 'Microsoft Hyper-V VSS Writer'
   Writer Id: {66841cd4-6ded-4f4b-8f17-fd23f8ddc3de}
   Writer Instance Id: {6162e336-7448-4371-93a7-29581512b103}
   State: [5] Waiting for completion
   Last error: Retryable error

Writer name: 'System Writer'
   Writer Id: {e8132975-6f93-4464-a53e-1050253ae220}
   Writer Instance Id: {f8132975-6f93-4464-a53e-1050253ae220}
   State: [1] Stable
   Last error: No error
"""
HEALTHY = STUCK.replace("[5] Waiting for completion", "[1] Stable").replace("Retryable error", "No error")


def saved(folder: Path, data: str | bytes) -> str:
    path = folder / "writers.txt"
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return str(path)


def test_a_stuck_writer_is_wrong_and_says_what_to_do(shell: Shell, tmp_path: Path) -> None:
    ran = shell("explain", saved(tmp_path, STUCK), "--json")
    value = checked("explain", ran.out)
    stuck, healthy = value["writers"]
    assert ran.code == 1
    assert (stuck["state"], stuck["last_error"]) == (
        {"code": 5, "text": "Waiting for completion", "class": "failed"},
        {"text": "Retryable error", "kind": "retryable"},
    )
    assert stuck["id"] == "66841cd4-6ded-4f4b-8f17-fd23f8ddc3de"
    assert stuck["service"] == "vmms"
    assert stuck["advice"]
    assert healthy["state"]["class"] == "ok"
    assert (value["kind"], value["unreadable"]) == ("vssadmin", [])


def test_healthy_writers_are_fine(shell: Shell, tmp_path: Path) -> None:
    ran = shell("explain", saved(tmp_path, HEALTHY))
    assert ran.code == 0
    assert "System Writer" in ran.out
    assert ran.err == ""


def test_people_read_the_worst_first_and_no_escape_reaches_a_pipe(shell: Shell, tmp_path: Path) -> None:
    named = STUCK.replace("System Writer", "a\x1b[31mb[@click=app.quit]").replace("{e81", "{e82")
    hostile = HEALTHY + named.partition("\n\n")[2]
    ran = shell("explain", saved(tmp_path, hostile))
    lines = [line for line in ran.out.splitlines() if "[" in line]
    assert "Retryable error" in lines[0]
    assert "\x1b" not in ran.out
    assert "[@click=app.quit]" in ran.out


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-8-sig", "cp850"])
def test_what_powershell_and_cmd_save(encoding: str, shell: Shell, tmp_path: Path) -> None:
    value = checked("explain", shell("explain", saved(tmp_path, STUCK.encode(encoding)), "--json").out)
    assert [w["state"]["class"] for w in value["writers"]] == ["failed", "ok"]


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"", "is empty"),
        (b" \r\n\0\0", "is empty"),
        (bytes(range(256)) * 40, "is not text"),
        (b"\x7fELF\x02\x01\x01" + b"\0" * 5000, "is not text"),
        (b"Dear colleague,\nthe backup failed again.\n", "nothing in it is known to hvtui"),
        (b"It says 0x80991234, what now?\n", "an error code that hvtui does not know"),
    ],
)
@pytest.mark.parametrize("shape", [[], ["--json"]])
def test_nothing_readable_is_2_and_says_why(
    data: bytes, complaint: str, shape: list[str], shell: Shell, tmp_path: Path
) -> None:
    ran = shell("explain", saved(tmp_path, data), *shape)
    assert ran.code == 2
    assert complaint in ran.err


def test_lines_without_a_writer_are_unreadable_not_no_writers(shell: Shell, tmp_path: Path) -> None:
    ran = shell("explain", saved(tmp_path, STUCK[:200] + "\nrubbish {66841cd4\n"), "--json")
    value = checked("explain", ran.out)
    assert ran.code in {1, 2}
    assert value["unreadable"]


def test_a_truncated_text_is_not_healthy(shell: Shell, tmp_path: Path) -> None:
    whole = HEALTHY.index("State: [1]", HEALTHY.index("System Writer"))
    ran = shell("explain", saved(tmp_path, HEALTHY[:whole]), "--json")
    assert ran.code == 1
    assert checked("explain", ran.out)["writers"][1]["state"]["class"] == "unreadable"


def test_names_that_cannot_be_read(shell: Shell, tmp_path: Path) -> None:
    assert "is a folder" in shell("explain", str(tmp_path)).err
    assert shell("explain", str(tmp_path / "none.txt")).code == 2
    assert "not a file name" in shell("explain", "a\0b").err
    assert shell("explain").code == 64


@pytest.mark.parametrize(
    ("name", "kind", "count", "code"),
    [
        ("pasted_writers/run-together.txt", "vssadmin", 3, 0),
        ("pasted_writers/failed-in-bold.txt", "vssadmin", 1, 1),
        # The text says that it has eight writers.
        ("diskshadow/list-writers-status.txt", "diskshadow", 3, 1),
        ("csv_state/refs.txt", "csv_states", 4, 0),
        ("csv_state/filter.txt", "csv_states", 1, 1),
        ("events/vmms-19100.xml", "events", 1, 1),
        ("events/vmms-20415.xml", "events", 1, 0),
        ("events/capi2-513.xml", "events", 1, 0),
    ],
)
def test_what_windows_printed_is_recognised(name: str, kind: str, count: int, code: int, shell: Shell) -> None:
    ran = shell("explain", str(DATA / name), "--json")
    value = checked("explain", ran.out)
    assert (value["kind"], ran.code) == (kind, code)
    part = kind if kind in value else "writers"
    parts = ("writers", "csv_states", "events", "filters", "vms", "checkpoints")
    assert {key: len(value[key]) for key in parts} == {**dict.fromkeys(parts, 0), part: count}
    shown = shell("explain", str(DATA / name))
    assert shown.code == code
    assert shown.err == ""


@pytest.mark.parametrize(
    ("name", "kind", "writer", "code"),
    [
        ("vss-8193", "event_texts", "", 1),
        ("vss-8229-sql", "messages", "SqlServerWriter", 0),
        ("vss-8229-ntds", "messages", "NTDS", 0),
    ],
)
def test_an_event_that_names_a_writer_is_no_list_of_writers(
    name: str, kind: str, writer: str, code: int, shell: Shell
) -> None:
    ran = shell("explain", str(DATA / "events" / f"{name}.txt"), "--json")
    value = checked("explain", ran.out)
    assert (ran.code, value["kind"], value["writers"]) == (code, kind, [])
    assert [item["name"] for item in value["recognised"] if item["kind"] == "writer"] == [writer] * bool(writer)


def test_people_read_what_an_event_means_and_what_is_not_known(shell: Shell, tmp_path: Path) -> None:
    known = (DATA / "events" / "vmms-19100.xml").read_text("utf-8")
    unknown = known.replace("19100", "59999").replace("SQL07", "a\x9b31mb[@click=app.quit]")
    ran = shell("explain", saved(tmp_path, known + unknown))
    assert "disk merge of SQL07 (1111aaaa) failed (0x80070020)" in ran.out
    assert "not known to hvtui" in ran.out
    first, second = checked("explain", shell("explain", saved(tmp_path, known + unknown), "--json").out)["events"]
    assert (first["known"], first["severity"], first["subject"]) == (True, "bad", "SQL07 (1111aaaa)")
    assert (second["known"], second["severity"], second["meaning"]) == (False, "bad", "")
    assert (first["time"], first["level"]) == ("2026-09-25T12:52:43.000Z", 2)


def test_people_read_why_a_volume_is_redirected(shell: Shell, tmp_path: Path) -> None:
    text = (DATA / "csv_state" / "refs.txt").read_text("utf-8").replace("FileSystemReFs", "Moonlight", 1)
    ran = shell("explain", saved(tmp_path, text))
    assert ran.code == 1
    assert "4, not well: 1" in ran.out
    assert "unknown or missing: Moonlight" in ran.out
    assert "redirected by design, no fault" in ran.out


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("Name StateInfo BlockRedirectedIOReason\n", "| Format-List"),
        ("<Event xmlns='x'><System></Event>", "no event could be read"),
    ],
)
def test_of_a_kind_but_nothing_readable(text: str, complaint: str, shell: Shell, tmp_path: Path) -> None:
    ran = shell("explain", saved(tmp_path, text), "--json")
    assert ran.code == 2
    assert complaint in ran.err
    checked("explain", ran.out)


def test_a_large_file_costs_neither_time_nor_memory(tmp_path: Path) -> None:
    path = tmp_path / "large.txt"
    with path.open("wb") as file:
        file.truncate(100_000_000)
    code = (
        "import tracemalloc\nfrom hvtui.cli.main import main\ntracemalloc.start()\n"
        f"code = main(['explain', {str(path)!r}])\n"
        "print(int(code), tracemalloc.get_traced_memory()[1])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    status, peak = map(int, done.stdout.split())
    assert status == 2
    assert "too large" in done.stderr
    assert peak < 20_000_000


def test_standard_input_is_bounded_too() -> None:
    assert "too large" in program("explain", "-", stdin=STUCK.encode() * 8000).err
    ran = program("explain", "-", "--json", stdin=STUCK.encode())
    assert len(checked("explain", ran.out)["writers"]) == 2


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes in folders")
def test_a_pipe_that_never_ends_is_given_up(shell: Shell, tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    ended: list[str] = []

    def write() -> None:
        try:
            with path.open("wb") as file:
                while True:
                    file.write(b"x" * 100_000)
        except BrokenPipeError:
            ended.append("the reader left")

    writer = threading.Thread(target=write)
    writer.start()
    ran = shell("explain", str(path))
    writer.join(30)
    assert ended
    assert "over 4,000,000 bytes" in ran.err


def test_it_brings_in_nothing_heavy(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom hvtui.cli.main import main\n"
        f"main(['explain', {saved(tmp_path, STUCK + 'hr = 0x80070005')!r}])\n"
        "heavy = 'textual rich pypsrp requests asyncio sqlite3 hvtui.live hvtui.lab hvtui.ui'.split()\n"
        "print([name for name in heavy if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stderr.strip() == "[]"


def test_a_long_log_is_read_in_time() -> None:
    row = "5/2/2016 11:13:00 AM  Hyper-V-VMMS  10102  None  line {n} hr = 0x8007{n:04x}"
    text = "\n".join(row.format(n=n % 9999) for n in range(5_000))
    began = time.process_time()
    found = recognise(text.encode())
    assert time.process_time() - began < 20
    assert found.kind == "event_texts"


COMMVAULT = """\
Error Code: [91:9] Description: [VSS service or writers may be in a bad state. Please check vsbkp.log and Windows Event
Viewer for VSS related messages. Or run vssadmin list writers from command prompt to check state of the VSS writers.]
5248  1f2c  02/17 22:14:03 1234567 CVSnapVSS::DoSnapshotSet() - asynchronous DoSnapshotSet failed, hr = 0×800423F3
"""


def test_the_error_of_the_stuck_writer_from_the_backup_product(shell: Shell, tmp_path: Path) -> None:
    ran = shell("explain", saved(tmp_path, COMMVAULT), "--json")
    value = checked("explain", ran.out)
    assert (ran.code, value["kind"]) == (1, "messages")
    assert [case["id"] for case in value["cases"]] == ["writer-hangs"]
    assert "10102" in value["cases"][0]["next"]
    assert "kill" in value["cases"][0]["never"]
    names = {(item["name"], item["lines"][0]) for item in value["recognised"]}
    assert ("CommVault", 1) in names
    assert ("0x800423f3 VSS_E_WRITERERROR_RETRYABLE", 3) in names


def test_a_log_line_of_the_product_alone(shell: Shell, tmp_path: Path) -> None:
    ran = shell("explain", saved(tmp_path, COMMVAULT.splitlines()[-1]), "--json")
    value = checked("explain", ran.out)
    assert ran.code == 1
    assert [(i["kind"], i["name"]) for i in value["recognised"] if i["kind"] == "text"] == [("text", "CommVault")]
    assert value["cases"]


@pytest.mark.parametrize(
    ("text", "case"),
    [
        ("0x80070020", "file-locked"),
        ("error 0x80048102", "fork-not-committed"),
        ("HRESULT: 800423F4", "vss-permanent"),
        ("-2147212301", "writer-retry"),
    ],
)
def test_a_code_on_its_own(text: str, case: str, shell: Shell, tmp_path: Path) -> None:
    value = checked("explain", shell("explain", saved(tmp_path, text), "--json").out)
    assert (value["kind"], [one["id"] for one in value["cases"]]) == ("codes", [case])


def test_a_merge_of_two_codes_leads_to_two_cases(shell: Shell, tmp_path: Path) -> None:
    text = "'SQL07' background disk merge failed to complete: {}. (3F2504E0-4F89-41D3-9A0C-0305E82C3301)"
    for code, case in (
        ("(0x80070020)", "merge-locked"),
        ("(0x80070005)", "merge-denied"),
        ("(0x80040001)", "merge-failed"),
    ):
        value = checked("explain", shell("explain", saved(tmp_path, text.format(code)), "--json").out)
        assert [one["id"] for one in value["cases"]] == [case]
        assert value["recognised"][0]["subject"] == "SQL07"
        assert value["cases"][0]["finding"] == case
