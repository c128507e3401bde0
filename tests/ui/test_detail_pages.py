"""Detail pages as text: nothing harmful gets through, nothing unread looks fine, nothing is cut for want of a blank."""

from __future__ import annotations

import unicodedata
from datetime import UTC, date, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hvtui.model.enums import VmState
from hvtui.model.fltmc_text import Filter
from hvtui.model.guest_rows import GB, guest_row
from hvtui.model.guests import GuestLine, GuestVolume
from hvtui.model.placement import short_path
from hvtui.model.preflight import ShadowCopy
from hvtui.model.signals import (
    Chain,
    ChainDisk,
    ChainLink,
    ChainPicture,
    FilterPicture,
    Hotfix,
    HotfixPicture,
    ShadowPicture,
)
from hvtui.model.state import ClusterState
from hvtui.model.usage import Usage
from hvtui.model.writer_catalog import HYPER_V
from hvtui.operations.guest_knowledge import GuestKnowledge
from hvtui.ui.cells import width_of
from hvtui.ui.look import Look
from hvtui.ui.screens.cost import TITLE
from hvtui.ui.screens.detail import KINDS, detail_screen
from hvtui.ui.screens.facts import Facts
from hvtui.ui.widgets.document import Line, Section, layout_page, wrap_spans
from tests.support import builders as b
from tests.support.still import StillFeed, live, night
from tests.support.world import DirectFeed
from tests.ui.console import console


def keys_of(state: ClusterState) -> list[tuple[str, str]]:
    """Kind and key of everything in a state."""
    found = [("node", name) for name in state.node_names()]
    found += [("csv", key) for key in state.cluster.csvs or ()]
    found += [("vm", key) for key in state.vm_keys()]
    for name, view in state.nodes.items():
        found += [("writer", f"{name}|{writer.id}") for writer in (view.writers.writers if view.writers else ())]
    return found + [("event", item.key) for item in state.events.recent()[:40]]


def lines_of(facts: Facts, kind: str, key: str, width: int) -> list[str]:
    page = layout_page(KINDS[kind].page(facts, key), width, facts.look)
    return ["".join(text for text, _ in line) for line in page]


def page_of(facts: Facts, kind: str, key: str) -> str:
    return "\n".join(line.rstrip() for line in lines_of(facts, kind, key, 100))


@pytest.mark.parametrize("width", [40, 80, 119, 200])
def test_hostile_names_are_harmless_on_every_page(width: int) -> None:
    feed = DirectFeed.load("hostile", at=900)
    facts = Facts(feed, Look(zone=UTC))
    for kind, key in keys_of(feed.state):
        for line in lines_of(facts, kind, key, width):
            assert not [char for char in line if unicodedata.category(char) in {"Cc", "Cs", "Co", "Cn"}], (kind, line)
            assert width_of(line) <= width, (kind, line)
        title = KINDS[kind].title(facts, key)
        assert title


def test_ascii_pages_draw_nothing_else() -> None:
    facts = Facts(StillFeed(night()), Look(ascii=True, zone=UTC))
    for kind, key in keys_of(facts.state):
        text = page_of(facts, kind, key).replace("Lübeck", "")
        assert text.isascii(), (kind, [char for char in text if not char.isascii()])


def test_what_was_not_read_is_said_to_be_unread() -> None:
    state = ClusterState()
    state.apply_cluster(b.cluster_frame([b.cluster_node("HV01")], None, None, None), live())
    facts = Facts(StillFeed(state), Look(zone=UTC))
    text = page_of(facts, "node", "HV01")
    for words in ("not read yet", "not asked yet"):
        assert words in text
    assert "connecting" in text


def test_problems_are_told_with_their_reason() -> None:
    facts = Facts(StillFeed(night()), Look(zone=UTC))
    text = page_of(facts, "node", "HV01")
    assert "vms.last_backup ? missing this property does not exist here" in text
    vm = page_of(facts, "vm", b.guid("APP01"))
    assert "Not readable" in vm


def test_a_silent_nodes_page_says_why_and_what_to_do() -> None:
    text = page_of(Facts(StillFeed(night()), Look(zone=UTC)), "node", "HV05")
    for words in ("unreachable", "no answer within 5 s", "is the node running?", "stale 3 min"):
        assert words in text


def test_checkpoints_say_whether_they_hold_memory() -> None:
    facts = Facts(StillFeed(night()), Look(zone=UTC))
    assert "2 with memory (IsSaved)" in page_of(facts, "vm", b.guid("WEB01"))
    assert "1 without memory" in page_of(facts, "vm", b.guid("SQL07"))
    assert "checkpoint disk" in page_of(facts, "vm", b.guid("SQL07"))


def test_role_flags_affinity_and_migration_are_on_the_vms_page() -> None:
    text = page_of(Facts(StillFeed(night()), Look(zone=UTC)), "vm", b.guid("WEB02"))
    for words in ("Queued", "DataTransfer 61%", "anti-affinity web"):
        assert words in text


def test_a_vm_at_rest_has_no_missing_heartbeat() -> None:
    state = night()
    found = state.vm(b.guid("OLD01"))
    assert found is not None
    assert found[1].state == VmState.Off
    text = page_of(Facts(StillFeed(state), Look(zone=UTC)), "vm", b.guid("OLD01"))
    assert "heartbeat   not running" in text


def test_a_csv_page_shows_every_nodes_io() -> None:
    text = page_of(Facts(StillFeed(night()), Look(zone=UTC)), "csv", b.csv_id("Volume2"))
    assert "HV04 ▲ FileSystemRedirected" in text or "HV04 ✓ FileSystemRedirected" in text
    assert "HV01 ✓ Direct" in text
    assert "backup" in text


WORDS = st.lists(st.text(st.sampled_from("abé漢 "), min_size=1, max_size=30), min_size=1, max_size=8)


@given(WORDS, st.integers(4, 60))
def test_wrapping_loses_no_letter_and_never_overflows(words: list[str], width: int) -> None:
    lines = wrap_spans([(word, "") for word in words], width)
    text = ["".join(part for part, _ in line) for line in lines]
    assert all(width_of(line) <= width for line in text)
    assert "".join(text).replace(" ", "") == "".join(words).replace(" ", "")


@given(st.integers(20, 220), st.lists(st.text(st.sampled_from("ab漢 "), max_size=90), max_size=6))
def test_every_line_of_a_page_has_its_width(width: int, texts: list[str]) -> None:
    sections = [
        Section("One", tuple(Line("label", ((text, ""),)) for text in texts)),
        Section("Two", tuple(Line("", ((text, "dim"),), wrap=False) for text in texts), note="3"),
        Section("Three", (Line("x", (("y", ""),)),), wide=True),
    ]
    for line in layout_page(sections, width, Look()):
        assert width_of("".join(text for text, _ in line)) <= width


def cost_of(feed: StillFeed, name: str) -> tuple[str, list[str]]:
    """Note and lines of the section, which is on the node's page."""
    facts = Facts(feed, Look(zone=UTC))
    (section,) = (part for part in KINDS["node"].page(facts, name) if part.title == TITLE)
    return section.note, [f"{line.label}: {''.join(text for text, _ in line.spans)}" for line in section.lines]


def test_a_nodes_page_says_what_hvtui_costs_it() -> None:
    feed = StillFeed(night())
    note, lines = cost_of(feed, "HV03")
    assert note == "last minute"
    assert lines == [
        "calls: 15 Get-HvTuiEvent 14, Get-HvTuiInfo 1",
        "rounds: 30 Watch-HvTuiNode 30",
        "CPU: 1310 ms, 2.2 % of one processor in hvtui's sessions, without Windows' own services; not told by: writers",
        "one look: 0 ms of the node's time",
        "network: 64 requests, 146 KB sent, 283 KB received",
        "sessions: 4 open: action, facts, watch, writers",
    ]


def test_less_than_a_minute_is_not_called_one() -> None:
    feed = StillFeed(night())
    feed.costs["HV03"] = Usage(seconds=7.3, cpu_ms=365)
    note, lines = cost_of(feed, "HV03")
    assert note == "last 7 s"
    assert lines[2].startswith("CPU: 365 ms, 5.0 % of one processor")
    assert lines[-1] == "sessions: none open"
    feed.costs["HV03"] = Usage(seconds=0.0, cpu_ms=365)
    assert cost_of(feed, "HV03")[1][2] == "CPU: 365 ms in hvtui's sessions, without Windows' own services"


def test_what_nobody_counted_is_not_shown_as_free() -> None:
    feed = StillFeed(night())
    note, lines = cost_of(feed, "HV06")
    assert note == "not measured"
    assert lines == ["calls: ?", "CPU: ?", "one look: ?"]
    feed.costs["HV06"] = Usage(seconds=60.0, requests=1, untold=("watch",), sessions=("watch",))
    assert cost_of(feed, "HV06")[1][2] == "CPU: ?; not told by: watch"


def test_the_writer_says_why_the_next_backup_sticks_again() -> None:
    """The third field report: who made the backup fail, and whether the guest is still full, read or not known."""
    feed = DirectFeed.load("stuck-writer", at=20 * 60)
    knowledge = GuestKnowledge()
    facts = Facts(feed, Look(zone=UTC), knowledge)
    key = f"HV03|{HYPER_V}"
    before = page_of(facts, "writer", key)
    assert "SQL07: whether it is still full is not known, nobody has looked into it" in before
    vm = next(key for key in feed.state.vm_keys() if (found := feed.state.vm(key)) and found[1].name == "SQL07")
    full = GuestVolume(path="T:", file_system="NTFS", size=60 * GB, free=0)
    line = GuestLine(v=1, time=b.NOW, node="HV03", kind="guest", vm=vm, outcome="read", volumes=[full])
    knowledge.keep(guest_row(line, "SQL07"), facts.now)
    after = page_of(facts, "writer", key)
    assert "the next backup sticks again: SQL07 T: 0 MB free (read just now)" in after
    assert "FILE02: whether it is still full is not known" in after
    assert "Guests whose shadow copy failed" not in page_of(facts, "writer", f"HV01|{HYPER_V}")


def test_a_nodes_page_shows_shadow_copies_filters_and_updates_with_their_age() -> None:
    feed = StillFeed(night())
    facts = Facts(feed, Look(zone=UTC))
    unread = page_of(facts, "node", "HV03")
    assert unread.count("not read yet: r reads") == 3
    now = facts.node_now("HV03")
    assert now is not None
    made = now - timedelta(minutes=3)
    hostile = "[b]evil[/]\x1b[31m"
    csv = next(csv for csv in (feed.state.cluster.csvs or {}).values() if csv.volume)
    for picture in (
        ShadowPicture(
            time=now - timedelta(minutes=1),
            shadows=(
                ShadowCopy(id="a", volume=csv.volume, created=made, persistent=True),
                ShadowCopy(id="b", volume=hostile),
            ),
        ),
        FilterPicture(
            time=now,
            filters=(Filter(name=hostile, altitude="328010", volumes=("C:", "")), Filter(name="Old", legacy=True)),
        ),
        HotfixPicture(
            time=now,
            hotfixes=(Hotfix(id="KB1", installed=date(2026, 3, 10)), *(Hotfix(id=f"KB{n}") for n in range(2, 15))),
        ),
    ):
        feed.state.set_signal("HV03", picture)
    page = page_of(facts, "node", "HV03")
    assert "shadow copies 2  read 60 s ago" in page
    assert f"{short_path(csv.path)}  since " in page
    assert "(3 min ago)" in page
    assert "persistent" in page
    assert "\x1b" not in page
    assert "328010 Anti-Virus  on 2 volumes" in page
    assert "Old   legacy" in page
    assert "KB1  installed 2026-03-10" in page
    assert "KB2  installed on a day that Windows does not tell" in page
    assert "and 2 older" in page
    feed.state.set_signal("HV03", ShadowPicture(failure="no answer"))
    feed.state.set_signal("HV01", FilterPicture(failure="fltmc ended with exit code 5"))
    assert "the last look failed: no answer" in page_of(facts, "node", "HV03")
    assert "filters       fltmc ended with exit code 5" in page_of(facts, "node", "HV01")
    feed.state.set_signal("HV03", ShadowPicture(time=now, shadows=()))
    assert "shadow copies none  read 0 s ago" in page_of(facts, "node", "HV03")


def test_a_vms_page_shows_the_chains_that_were_asked_for() -> None:
    feed = StillFeed(night())
    facts = Facts(feed, Look(zone=UTC))
    key = b.guid("SQL07")
    assert "Disk chains" not in page_of(facts, "vm", key)
    links = [
        ChainLink(path="C:\\os_1.avhdx", parent="C:\\os.vhdx", size=GB, type=4, checkpoint=False),
        ChainLink(path="C:\\os.vhdx", parent="", size=40 * GB, type=3, checkpoint=True),
    ]
    disks = [ChainDisk(attached=links[0].path, files=links)]
    chain = Chain(v=1, time=b.NOW, node="HV03", vm=key, checkpoints=1, disks=disks)
    feed.state.set_chain(key, ChainPicture(time=b.NOW, chain=chain))
    page = page_of(facts, "vm", key)
    assert "1 layer, checkpoints: 1" in page
    assert "C:\\os.vhdx  40 GB, named by a checkpoint" in page
    broken = ChainLink(path="C:\\lost.avhdx")
    unread = msgspec.structs.replace(
        chain, disks=[ChainDisk(attached=broken.path, files=[broken])], errors=[b.problem("chain", text="no file")]
    )
    feed.state.set_chain(key, ChainPicture(time=b.NOW, chain=unread))
    page = page_of(facts, "vm", key)
    assert "not read to the base, checkpoints: 1" in page
    assert "chain: no file" in page
    assert "C:\\lost.avhdx  could not be read" in page
    feed.state.set_chain(key, ChainPicture(failure="gone"))
    assert "not read: gone" in page_of(facts, "vm", key)


async def test_r_on_a_page_asks_for_what_only_a_person_wants() -> None:
    async with console("drift") as (app, pilot, feed):
        vm = next(iter(feed.state.homes))
        for kind, key, asked in (
            ("node", "HV01", [("node", "HV01"), ("signals", "HV01")]),
            ("vm", vm, [("node", feed.state.home(vm)), ("chain", vm)]),
        ):
            await app.push_screen(detail_screen(feed, Look(), kind, key))
            feed.asked.clear()
            await pilot.press("r")
            assert feed.asked == asked
