"""Looks into guests on a world: one alone first, nobody after a refusal, no second try; what they find is kept, the
account's password nowhere."""

from __future__ import annotations

import asyncio
import logging
import pickle
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from hvtui.errors import OutcomeUnknown, Unreachable
from hvtui.journal.entry import Kind
from hvtui.journal.store import Journal, JournalError
from hvtui.lab.world import actions
from hvtui.model.guest_rows import GB, GuestRow, worst_first
from hvtui.model.secret import GuestCredential
from hvtui.model.severity import Severity
from hvtui.operations.plan import Target, Verb
from tests.support.desk import Stage, small
from tests.support.desk import node as node_of

CANARY = "Canary-5f1b-Wort!"
ACCOUNT = "CORP\\svc-guests"
GOOD = GuestCredential(ACCOUNT, CANARY)
WRONG = GuestCredential(ACCOUNT, "not-it-" + CANARY)
GUESTS = f"""
[guests]
account = '{ACCOUNT}'
password = "{CANARY}"
"""
SPECIAL = """
[[vms]]
name = "SQL07"
nodes = ["HV02"]
guest = "windows-2016"
volumes = [{ name = "C:", size_gb = 127, free_gb = 31 }, { name = "T:", size_gb = 60, free_gb = 0 }]

[[vms]]
name = "FILE02"
nodes = ["HV02"]
guest = "windows-2016"
volumes = [{ name = "C:", size_gb = 80, free_gb = 1.5 }]

[[vms]]
name = "LNX01"
nodes = ["HV03"]
guest = "linux"

[[vms]]
name = "OLD01"
nodes = ["HV03"]
guest = "windows-2012r2"
config_version = "5.0"

[[vms]]
name = "OFF01"
nodes = ["HV03"]
state = "Off"
"""
ALONE = """
[[vms]]
name = "ALONE"
nodes = ["HV03"]
guest = "windows-2016"
guest_account = "admin"
guest_password = "other"
"""
Make = Callable[..., Stage]
Lines = AsyncGenerator[Any, None]


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Make]:
    made: list[Stage] = []

    def make(**parts: Any) -> Stage:
        made.append(Stage(small(tmp_path, **({"cluster": "", "more": GUESTS + SPECIAL} | parts)), tmp_path))
        made[-1].nodes.pump(60.0)
        return made[-1]

    yield make
    for one in made:
        await one.operations.close()


def everybody(stage: Stage) -> list[Target]:
    return [stage.vm(name) for name in sorted(stage.vms)]


async def look(stage: Stage, targets: list[Target], credential: GuestCredential = GOOD, **more: Any) -> list[GuestRow]:
    async with stage.nodes.drive(), aclosing(stage.operations.guests(targets, credential, **more)) as rows:
        return [row async for row in rows]


def asked(stage: Stage) -> list[list[str]]:
    """The VMs of every call, by name."""
    names = {vm.id: vm.name for vm in stage.world.vms.values()}
    calls = [values for _, name, values, _ in stage.nodes.sent if name == "Get-HvTuiGuest"]
    return [[names[key] for key in call["VM"].split(",")] for call in calls]


async def test_every_guest_has_its_row_worst_first_and_nobody_unread_is_fine(stage: Make) -> None:
    here = stage()
    rows = worst_first(await look(here, everybody(here)))
    assert {row.name for row in rows} == set(here.vms)
    by_name = {row.name: row for row in rows}
    sql = by_name["SQL07"]
    assert (sql.word, sql.severity) == ("full", Severity.BAD)
    assert [(volume.path, volume.free, volume.least, volume.to_free) for volume in sql.full] == [("T:", 0, GB, 9 * GB)]
    assert (by_name["FILE02"].word, by_name["FILE02"].severity) == ("low", Severity.WARN)
    assert by_name["APP01"].word == "ok", by_name["APP01"].reason
    assert len(by_name["APP01"].volumes) >= 2, "the one without a letter, too"
    for name, why in (("LNX01", ""), ("OLD01", "older than Windows Server 2016"), ("OFF01", "Off")):
        row = by_name[name]
        assert (row.word, row.read) == ("not readable", False)
        assert why in row.reason, row.reason
        assert row.command
        assert row.severity >= Severity.UNKNOWN
    assert "df -h" in by_name["LNX01"].command
    assert rows[0].name == "SQL07"
    first_fine = next(place for place, row in enumerate(rows) if row.severity <= Severity.INFO)
    assert all(row.severity <= Severity.INFO for row in rows[first_fine:])
    calls = asked(here)
    assert len(calls[0]) == 1, "one alone first"
    assert sorted(name for call in calls for name in call) == sorted(set(here.vms) - {"OLD01", "OFF01", "LNX01"})
    assert here.world.ledger.entries == []


async def test_a_wrong_password_against_four_hundred_is_one_failed_log_on(stage: Make) -> None:
    here = stage(vms="", more=GUESTS + '[[vms]]\nprefix = "MANY"\ncount = 394\nguest = "windows-2016"\nmemory_gb = 1')
    targets = everybody(here)
    assert len(targets) == 400
    rows = await look(here, targets, WRONG, parallel=16)
    assert [row.outcome for row in rows].count("denied") == 1
    assert [row.outcome for row in rows].count("skipped") == 399
    assert not any(row.read for row in rows)
    assert [harm.kind for harm in here.world.ledger.entries] == ["logon_failed"]
    # Nor by pressing the key again: another look with the same password asks nobody.
    again = await look(here, targets[1:], WRONG)
    assert {row.outcome for row in again} == {"skipped"}
    assert "refused this account and password before" in again[0].reason
    assert len(here.world.guest_accounts.log_ons) == 1
    files = await here.operations.guest_files(targets[3], WRONG, "C:")
    assert (files.outcome, files.files) == ("skipped", None)
    assert len(here.world.guest_accounts.log_ons) == 1
    assert (await look(here, targets[:1], GOOD))[0].read


async def test_a_refusal_later_on_ends_the_calls_of_all_nodes(stage: Make) -> None:
    here = stage(more=GUESTS + SPECIAL + ALONE)
    first = [here.vm("APP01"), here.vm("ALONE")]
    others = [target for target in everybody(here) if target.name not in {"APP01", "ALONE"}]
    rows = await look(here, [*first, *others], parallel=1)
    outcomes = {row.name: row.outcome for row in rows}
    assert outcomes["APP01"] == "read"
    assert outcomes["ALONE"] == "denied"
    assert [harm.kind for harm in here.world.ledger.entries] == ["logon_failed"]
    assert len(rows) == len(here.vms)
    assert set(outcomes.values()) <= {"read", "denied", "skipped", "refused"}
    # The account is good elsewhere: the next look leaves out only the guest that does not know it.
    again = {row.name: row for row in await look(here, [here.vm("ALONE"), *others])}
    assert again["ALONE"].outcome == "skipped"
    assert "refused this account and password before" in again["ALONE"].reason
    assert again["SQL07"].read
    assert [harm.kind for harm in here.world.ledger.entries] == ["logon_failed"]


async def test_an_account_is_proven_by_a_guest_that_answers_not_by_one_that_is_silent(stage: Make) -> None:
    silent = '[[vms]]\nprefix = "MUTE"\ncount = 2\nnodes = ["HV02"]\nguest = "windows-no-session"\n'
    here = stage(more=GUESTS + SPECIAL + silent)
    rows = await look(here, [here.vm(name) for name in ("MUTE01", "MUTE02", "APP01", "SQL07", "FILE02")])
    assert {row.name: row.outcome for row in rows} == {
        "MUTE01": "unreachable",
        "MUTE02": "unreachable",
        "APP01": "read",
        "SQL07": "read",
        "FILE02": "read",
    }
    assert asked(here)[:3] == [["MUTE01"], ["MUTE02"], ["APP01"]]
    assert all(row.command for row in rows if not row.read)


@pytest.mark.parametrize("error", [OutcomeUnknown("gone", node="HV01"), Unreachable("gone", node="HV01")])
async def test_a_lost_first_answer_stops_the_look(stage: Make, error: Exception) -> None:
    """It may have been a refusal: another try might be the one that locks the account."""
    here = stage()
    stream = here.nodes.stream

    async def lost(node: str, function: str, parameters: Mapping[str, Any], *, lane: str) -> Lines:
        async with aclosing(stream(node, function, parameters, lane=lane)) as lines:
            async for _ in lines:
                raise error
        yield

    here.nodes.stream = lost  # type: ignore[method-assign]
    rows = await look(here, [here.vm("APP01"), here.vm("SQL07"), here.vm("FILE02")])
    assert [row.outcome for row in rows] == ["unreachable", "skipped", "skipped"]
    assert "not asked again" in rows[0].reason
    assert len(here.world.guest_accounts.log_ons) == 1


async def test_a_connection_lost_later_costs_the_guests_of_its_call_only(stage: Make) -> None:
    here = stage()
    stream = here.nodes.stream

    async def lost(node: str, function: str, parameters: Mapping[str, Any], *, lane: str) -> Lines:
        if node == "HV02":
            raise Unreachable("cut", node=node)
        async with aclosing(stream(node, function, parameters, lane=lane)) as lines:
            async for line in lines:
                yield line

    here.nodes.stream = lost  # type: ignore[method-assign]
    home = {name: vm.node.name for name, vm in here.vms.items()}
    first = next(name for name in sorted(here.vms) if home[name] == "HV01")
    rows = await look(here, [here.vm(first), *(t for t in everybody(here) if t.name != first)])
    told = {row.name: row for row in rows}
    assert {told[name].outcome for name in told if home[name] == "HV02"} == {"unreachable"}
    assert told[first].read
    assert all(row.command for row in rows if not row.read)


async def test_a_vm_that_moved_meanwhile_is_told_and_not_looked_for(stage: Make) -> None:
    here = stage()

    def moves(name: str, function: str) -> None:
        if (name, function) == ("HV02", "Get-HvTuiGuest"):
            actions.migrate(here.world, here.vms["SQL07"], here.world.node("HV01"))
            here.world.advance(300.0)

    here.nodes.before = moves
    rows = {row.name: row for row in await look(here, [here.vm("APP01"), here.vm("SQL07")])}
    assert (rows["SQL07"].outcome, rows["SQL07"].read) == ("refused", False)


async def test_whoever_stops_looking_stops_the_nodes(stage: Make) -> None:
    here = stage()
    ended: list[str] = []
    stream = here.nodes.stream

    async def watched(
        node: str, function: str, parameters: Mapping[str, Any], *, lane: str
    ) -> AsyncGenerator[Any, None]:
        try:
            async with aclosing(stream(node, function, parameters, lane=lane)) as lines:
                async for line in lines:
                    yield line
                    if line.kind == "guest" and node != "HV01":
                        await asyncio.Event().wait()
        finally:
            ended.append(node)

    here.nodes.stream = watched  # type: ignore[method-assign]
    first = next(target for target in everybody(here) if here.vms[target.name].node.name == "HV01")
    targets = [first, *(target for target in everybody(here) if target != first)]
    async with here.nodes.drive(), aclosing(here.operations.guests(targets, GOOD)) as rows:
        async for row in rows:
            if row.node == "HV02" and row.read:
                break
    assert "HV02" in ended
    assert not [task for task in asyncio.all_tasks() if task.get_name() == "look into guests" and not task.done()]


# --- what stays ---


async def test_the_password_is_in_no_journal_log_or_text(stage: Make, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    here = stage()
    rows = await look(here, everybody(here))
    rows += await look(here, everybody(here), WRONG)
    here.nodes.stream = _exploding  # type: ignore[method-assign]
    rows += await look(here, everybody(here), GuestCredential("x\\y", CANARY))
    entries = [line.entry for line in here.operations._journal.lines()]
    told = repr(entries) + repr(rows) + caplog.text + repr(GOOD) + repr(here.operations._guests)
    assert CANARY not in told
    assert any(f"as {ACCOUNT}" in entry.text for entry in entries)
    whole = b"".join(path.read_bytes() for path in sorted((here.folder / "journal").iterdir()) if path.is_file())
    for encoding in ("utf-8", "utf-16-le"):
        assert CANARY.encode(encoding) not in whole
    with pytest.raises(TypeError):
        pickle.dumps(GOOD)


async def _exploding(
    node: str, function: str, parameters: Mapping[str, Any], *, lane: str
) -> AsyncGenerator[Any, None]:
    raise Unreachable(f"{function} on {node} failed", node=node)
    yield


async def test_a_look_is_in_the_journal_before_and_after(stage: Make) -> None:
    here = stage()
    await look(here, [here.vm("APP01"), here.vm("LNX01")])
    notes = [line.entry for line in here.operations._journal.lines(kinds=(Kind.NOTE,))]
    assert notes[0].text.startswith("looks into")
    assert f"as {ACCOUNT}" in notes[0].text
    assert "APP01" in str(notes[0].requested["guests"])
    assert "1 read" in notes[-1].text


async def test_a_journal_that_cannot_be_written_asks_nobody(stage: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    here = stage()

    def full(self: Journal, entry: object) -> int:
        raise JournalError("the disk is full")

    monkeypatch.setattr(Journal, "append", full)
    with pytest.raises(JournalError):
        await look(here, [here.vm("APP01")])
    with pytest.raises(JournalError):
        await here.operations.guest_files(here.vm("APP01"), GOOD, "C:")
    assert here.world.guest_accounts.log_ons == []


async def test_the_largest_files_of_a_volume(stage: Make) -> None:
    here = stage()
    found = await here.operations.guest_files(here.vm("SQL07"), GOOD, "C:", count=2)
    assert found.files is not None
    assert len(found.files) == 2
    assert found.files[0].size >= found.files[1].size
    off = await here.operations.guest_files(here.vm("OFF01"), GOOD, "C:")
    assert (off.outcome, off.files) == ("refused", None)
    here.nodes.fault = lambda name, function: "never" if function == "Get-HvTuiGuestFile" else ""
    lost = await here.operations.guest_files(here.vm("SQL07"), GOOD, "C:")
    assert lost.outcome == "unreachable"
    assert "not asked again" in lost.text


STUCK = """
[[behaviours]]
kind = "host_backup"
nodes = ["HV02"]
start = 20
every = "60m"
copy = "3m"
retry = "3m"
"""


async def test_why_the_writer_sticks_again_is_known_once_somebody_looked(stage: Make) -> None:
    """The third field report: the plan of a restart names the guests, first as unknown, then as still full."""
    here = stage(more=GUESTS + SPECIAL + STUCK)
    here.nodes.pump(120.0, writers=True)
    before = await here.plan(Verb.VMMS, node_of("HV02"))
    (note,) = [note for note in before.notes if note.target is not None and note.target.name == "SQL07"]
    assert "whether it is still full is not known" in note.text
    assert here.operations.guest_knowledge.findings(here.nodes.monotonic()) == []
    await look(here, [here.vm("SQL07"), here.vm("FILE02")])
    found = here.operations.guest_knowledge.findings(here.nodes.monotonic())
    assert found == ["the next backup sticks again: SQL07 T: 0 MB free (read just now)"]
    after = await here.plan(Verb.VMMS, node_of("HV02"))
    (note,) = [note for note in after.notes if note.target is not None and note.target.name == "SQL07"]
    assert (note.text, note.severity) == (found[0], Severity.BAD)
    full = next(volume for volume in here.vms["SQL07"].volumes if volume.name == "T:")
    full.free = 12 * GB
    await look(here, [here.vm("SQL07")])
    here.nodes.pump(180.0)
    mended = await here.plan(Verb.VMMS, node_of("HV02"))
    (note,) = [note for note in mended.notes if note.target is not None and note.target.name == "SQL07"]
    assert "no volume is full any more" in note.text
    assert "read 3 min ago" in note.text
    assert here.operations.guest_knowledge.get(here.vm("SQL07").id.upper()) is not None
