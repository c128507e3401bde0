"""Looking into guests: the account is asked for once and shown nowhere, worst first, and a refused one stops all."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from hvtui.errors import RemoteError
from hvtui.model.guests import GuestFile, GuestFiles, GuestLine, GuestService, GuestVolume, ShadowStorage
from hvtui.model.secret import GuestCredential
from hvtui.ui.app import HvtuiApp
from hvtui.ui.dialogs.guest_credential import AskGuestAccount
from hvtui.ui.overview import Overview
from hvtui.ui.screens.guests_page import GuestsPage
from tests.support.acting import ActingFeed, acting
from tests.support.builders import NOW, guid
from tests.support.screens import settle, text_of
from tests.support.small_clusters import Small, VmSpec
from tests.support.snapshots import check
from tests.ui.console import settled, text

SIZES = [(80, 24), (120, 40)]
GB = 1024**3
PASSWORD = "canary-Tr0ub4dor"  # what must show up nowhere
GUESTS = Small(
    vms=(
        VmSpec("SQL07", "HV01", memory=48.0),
        VmSpec("APP01", "HV01", ("Volume2",)),
        VmSpec("WEB01", "HV01", ("Volume2",)),
        VmSpec("OFF01", "HV01", state=3),
        VmSpec("FAR01", "HV02", ("Volume2",)),
    )
)
WRITERS = """
Writer name: 'SqlServerWriter'
   Writer Id: {a65faa63-5ea8-4ebc-9dbd-a0c4db26912a}
   Writer Instance Id: {9075bd33-9628-4ba2-b1cf-a6e7f4a1b5c9}
   State: [8] Failed
   Last error: Retryable error

Writer name: 'System Writer'
   Writer Id: {e8132975-6f93-4464-a53e-1050253ae220}
   Writer Instance Id: {72f9d01f-3c9d-4a6b-8b0a-6a4e7d1ef8a2}
   State: [1] Stable
   Last error: No error
"""


def line(name: str, *volumes: GuestVolume, outcome: str = "read", **more: Any) -> GuestLine:
    """What a guest says."""
    fields: dict[str, Any] = {"v": 1, "time": NOW, "node": "HV01", "kind": "guest", "vm": guid(name)}
    if outcome == "read":
        running = GuestService(name="vmicvss", state="Running", start_mode="Manual")
        stable = WRITERS.replace("[8] Failed", "[1] Stable").replace("Retryable", "No")
        fields |= {"system": "Microsoft Windows Server 2019 Standard", "volumes": list(volumes), "services": [running]}
        fields |= {"writers": stable, "storage": []}
    return GuestLine(outcome=outcome, **(fields | more))


def volume(path: str, free: float, size: float = 100.0, label: str = "") -> GuestVolume:
    """A volume; GB."""
    return GuestVolume(path=path, label=label, file_system="NTFS", size=int(size * GB), free=int(free * GB))


STORE = ShadowStorage(volume="T:", store="T:", used=3 * GB, allocated=4 * GB, maximum=10 * GB)
ANSWERS = {
    guid("SQL07"): line(
        "SQL07", volume("C:", 40), volume("T:", 0.002, 200, "tempdb"), writers=WRITERS, storage=[STORE]
    ),
    guid("APP01"): line("APP01", volume("C:", 12), volume("\\\\?\\Volume{4c1b02a5-0000-0000}", 40, 50)),
    guid("WEB01"): line("WEB01", outcome="unreachable", text="no PowerShell Direct: its Windows is older than 2016"),
}


def answering(feed: ActingFeed, answers: Mapping[str, GuestLine]) -> list[list[str]]:
    """The feed's guests say this; gives back who was asked in which call."""
    asked: list[list[str]] = []

    def lines(node: str, function: str, parameters: Mapping[str, Any]) -> Iterable[GuestLine | RemoteError]:
        assert function == "Get-HvTuiGuest"
        assert isinstance(parameters["Credential"], GuestCredential)
        names = parameters["VM"].split(",")
        asked.append(names)
        made = [answers[name] for name in names if name in answers]
        return [*made, GuestLine(v=1, time=NOW, node=node, kind="end", outcome="done")]

    feed.lines = lines
    return asked


async def _look(app: HvtuiApp, pilot: Pilot[None], *keys: str, password: str = PASSWORD) -> GuestsPage:
    await pilot.press(*keys, "I")
    await settled(pilot, lambda: isinstance(app.screen, AskGuestAccount))
    await pilot.press(*"CORP\\ops", "enter", *password)
    assert PASSWORD not in text(app)
    await pilot.press("enter")
    await settled(pilot, lambda: isinstance(app.screen, GuestsPage) and app.screen.was_read)
    page = app.screen
    assert isinstance(page, GuestsPage)
    await settle(pilot)
    return page


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_all_guests_of_a_node_worst_first(size: tuple[int, int], tmp_path: Path) -> None:
    feed = ActingFeed(GUESTS)
    asked = answering(feed, ANSWERS)
    async with acting(feed, tmp_path, size) as (app, pilot, _):
        await pilot.press("1", "I")
        await settled(pilot, lambda: isinstance(app.screen, AskGuestAccount))
        await settle(pilot)
        check(f"guests-account-{size[0]}x{size[1]}", text_of(app))
        await pilot.press("escape", "escape")
        await settled(pilot, lambda: isinstance(app.screen, Overview))
        page = await _look(app, pilot, "1")
        assert len(asked[0]) == 1, "the first one is tried alone"
        assert guid("OFF01") not in {name for names in asked for name in names}, "one that is off is not asked"
        assert guid("FAR01") not in {name for names in asked for name in names}, "it is on another node"
        assert page.table.order.view[0] == f"{guid('SQL07')}|T:"
        check(f"guests-{size[0]}x{size[1]}", text_of(app))
        assert feed.sent == []


async def test_a_refused_account_stops_all_others_and_is_not_tried_again(tmp_path: Path) -> None:
    feed = ActingFeed(GUESTS)
    denied = {guid("APP01"): line("APP01", outcome="denied", text="the guest refused CORP\\ops")}
    asked = answering(feed, denied)
    async with acting(feed, tmp_path) as (app, pilot, _):
        page = await _look(app, pilot, "1")
        assert asked == [[guid("APP01")]], "one failed log-on, whatever was chosen"
        assert "APP01 refused the account" in page.page.text
        assert "2 more guests were not asked" in page.page.text
        assert app.acting is not None
        assert app.acting.guest_credential is None
        await pilot.press("r")
        await settled(pilot, lambda: isinstance(app.screen, AskGuestAccount))
        await pilot.press("enter")
        await pilot.pause(0.05)
        assert isinstance(app.screen, AskGuestAccount), "an account is asked for anew"
        await pilot.press(*PASSWORD, "enter")
        await settled(pilot, lambda: isinstance(app.screen, GuestsPage) and not app.screen.reading)
        assert asked == [[guid("APP01")]], "the same account and password are known to be refused"


async def test_an_account_given_while_the_look_before_is_being_ended_is_used_afterwards(tmp_path: Path) -> None:
    feed = ActingFeed(GUESTS)
    asked = answering(feed, {guid("APP01"): line("APP01", outcome="denied", text="the guest refused CORP\\ops")})
    async with acting(feed, tmp_path) as (app, pilot, _):
        page = await _look(app, pilot, "1")
        assert len(asked) == 1
        ended = asyncio.Event()
        page._work = asyncio.create_task(_wait(ended))
        await pilot.press("r")
        await settled(pilot, lambda: isinstance(app.screen, AskGuestAccount))
        await pilot.press(*"another-one", "enter")
        await settled(pilot, lambda: isinstance(app.screen, GuestsPage))
        assert len(asked) == 1
        ended.set()
        await settled(pilot, lambda: len(asked) == 2)


async def _wait(ended: asyncio.Event) -> None:
    await ended.wait()


async def test_the_account_is_asked_for_once_and_the_largest_files_of_a_volume_come_on_enter(tmp_path: Path) -> None:
    feed = ActingFeed(GUESTS)
    asked = answering(feed, ANSWERS)
    files = [GuestFile(path="T:\\old\\dump.bak", size=150 * GB), GuestFile(path="T:\\templog.ldf", size=30 * GB)]
    wanted: list[Mapping[str, Any]] = []

    async def call(node: str, function: str, parameters: Mapping[str, Any], *, lane: str = "action") -> Any:
        if function != "Get-HvTuiGuestFile":
            return await plain(node, function, parameters, lane=lane)
        wanted.append(parameters)
        return GuestFiles(
            v=1, time=NOW, node=node, vm=guid("SQL07"), outcome="read", volume="T:", partial=True, files=files
        )

    plain, feed.call = feed.call, call  # type: ignore[method-assign]
    async with acting(feed, tmp_path) as (app, pilot, _):
        page = await _look(app, pilot, "1")
        await pilot.press("g", "enter")
        await settled(pilot, lambda: "dump.bak" in page.page.text)
        assert "150 GB  T:\\old\\dump.bak" in page.page.text
        assert "the time ran out" in page.page.text
        assert wanted[0]["Volume"] == "T:"
        calls = len(asked)
        await pilot.press("escape", "I")
        await settled(pilot, lambda: isinstance(app.screen, AskGuestAccount))
        behind = app.screen_stack[-2]
        assert isinstance(behind, GuestsPage)
        assert "1 full" in behind.head.text, "what an earlier look found is shown at once"
        assert "takes the one given before" in text(app)
        await pilot.press("enter")
        await settled(pilot, lambda: len(asked) > calls)
        await settled(pilot, lambda: isinstance(app.screen, GuestsPage) and app.screen.was_read)


async def test_the_password_is_in_nothing_that_is_kept(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    feed = ActingFeed(GUESTS)
    answering(feed, ANSWERS)
    with caplog.at_level(0):
        async with acting(feed, tmp_path) as (app, pilot, operations):
            await _look(app, pilot, "1")
            assert app.acting is not None
            assert PASSWORD not in repr(app.acting.guest_credential)
            assert PASSWORD not in repr(vars(app.acting))
            assert PASSWORD not in repr(operations.commands)
    assert PASSWORD not in caplog.text
    assert _kept(tmp_path)
    assert all(PASSWORD.encode() not in content for content in _kept(tmp_path))


def _kept(folder: Path) -> list[bytes]:
    """Every file that the console wrote."""
    return [path.read_bytes() for path in folder.rglob("*") if path.is_file()]


async def test_the_page_in_ascii(tmp_path: Path) -> None:
    feed = ActingFeed(GUESTS)
    answering(feed, ANSWERS)
    async with acting(feed, tmp_path, (100, 30), ascii_only=True) as (app, pilot, _):
        page = await _look(app, pilot, "1")
        for key in page.table.order.view:
            page.table.put_cursor(key)
            await settle(pilot)
            assert text_of(app).isascii()
