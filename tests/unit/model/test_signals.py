"""Texts of fltmc, days of installation, and what is kept of the answers."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hvtui.model import signals
from hvtui.model.fltmc_text import Filter, altitude_group, read_filter_line, read_filters, read_instance_line
from hvtui.model.preflight import ShadowCopy
from hvtui.model.records import Problem
from hvtui.model.signals import Chain, ChainDisk, ChainLink, HotfixEntry, install_days
from hvtui.model.state import ClusterState

DATA: Final = Path(__file__).parents[2] / "data" / "programs"
NOW: Final = datetime(2026, 3, 1, tzinfo=UTC)
DENIED: Final = Problem(part="filters", kind="denied", text="fltmc ended with exit code 5")


def published(name: str) -> str:
    return (DATA / f"fltmc-{name}.txt").read_text("utf-8")


def test_the_published_filters_are_all_read() -> None:
    found = read_filters(published("filters"), None)
    assert found.filters is not None
    assert len(found.filters) == 11
    assert found.unreadable == ()
    assert [one.name for one in found.filters][:3] == ["bindflt", "UCPD", "WdFilter"]
    by_name = {one.name: one for one in found.filters}
    assert by_name["UCPD"] == Filter(name="UCPD", altitude="385250.5", instances=4)
    assert by_name["WdFilter"].group == "Anti-Virus"
    assert by_name["npsvctrig"].altitude == "46000"
    assert all(one.volumes is None for one in found.filters)


def test_the_published_instances_are_all_read() -> None:
    found = read_filters(None, published("instances"))
    assert found.filters is not None
    assert found.unreadable == ()
    by_name = {one.name: one for one in found.filters}
    assert by_name["WdFilter"].volumes == ("", "C:", "", "\\Device\\Mup", "G:")
    assert by_name["UCPD"].altitude == "385250.5"
    assert by_name["npsvctrig"].volumes == ("\\Device\\NamedPipe",)
    assert sum(len(one.volumes or ()) for one in found.filters) == 20


def test_both_texts_make_one_list_and_a_filter_without_instances_stays() -> None:
    found = read_filters(published("filters"), published("instances"))
    assert found.filters is not None
    by_name = {one.name: one for one in found.filters}
    assert by_name["wcifs"].volumes == ()
    assert by_name["wcifs"].instances == 0
    assert by_name["Wof"].volumes == ("C:", "")


@pytest.mark.parametrize(
    ("line", "name", "legacy"),
    [
        ("SymEvent                                                      <Legacy>", "SymEvent", True),
        ("SymEvent                                                      <Hérité>", "SymEvent", True),
        ("A filter with blanks                    3       265000         0\r", "A filter with blanks", False),
        ("averylongnameofafilterdriverthatspills 3 265000 0", "averylongnameofafilterdriverthatspills", False),
    ],
)
def test_lines_that_are_not_usual(line: str, name: str, legacy: bool) -> None:
    one = read_filter_line(line)
    assert one is not None
    assert (one.name, one.legacy) == (name, legacy)


@pytest.mark.parametrize(
    ("line", "volume", "instance"),
    [
        ("WdFilter C: 328010 WdFilter Instance 0 0000000f", "C:", "WdFilter Instance"),
        ("WdFilter 328010 WdFilter Instance 0 0000000f", "", "WdFilter Instance"),
        ("WdFilter  \\Device\\HarddiskVolume7   328010     WdFilter Instance   0", "\\Device\\HarddiskVolume7", None),
        (
            "WdFilter              C:     328010     WdFilter Instance         0     0000000f  Detached at bottom",
            "C:",
            None,
        ),
    ],
)
def test_instances_of_a_damaged_paste(line: str, volume: str, instance: str | None) -> None:
    one = read_instance_line(line)
    assert one is not None
    assert (one.filter, one.volume, one.altitude, one.frame) == ("WdFilter", volume, "328010", 0)
    assert one.name == (instance or "WdFilter Instance")


def test_what_is_no_table_is_unreadable_and_never_an_empty_list() -> None:
    found = read_filters("Access is denied.\r\n", "Zugriff verweigert\n")
    assert found.filters is None
    assert found.unreadable == ("Access is denied.", "Zugriff verweigert")
    assert read_filters(None, None).filters is None
    assert read_filters("", "").filters is None
    many = read_filters("x\n" * 100, None)
    assert many.unreadable[-1] == "and 80 more"


@given(st.text(max_size=400), st.text(max_size=400))
def test_no_text_breaks_the_reader(filters: str, instances: str) -> None:
    found = read_filters(filters, instances)
    assert found.filters is None or all(one.name for one in found.filters)


@pytest.mark.parametrize(
    ("altitude", "group"),
    [("320000", "Anti-Virus"), ("385250.5", "Activity Monitor"), ("404900", "Top"), ("1", ""), ("", ""), ("٣", "")],
)
def test_groups_of_altitudes(altitude: str, group: str) -> None:
    assert altitude_group(altitude) == group


@pytest.mark.parametrize(
    ("texts", "days"),
    [
        (["11/2/2023", "3/14/2024"], [date(2023, 11, 2), date(2024, 3, 14)]),
        # One says that the day comes first: so it does in all.
        (["14/3/2024", "2/11/2023"], [date(2024, 3, 14), date(2023, 11, 2)]),
        (["14.03.2024 00:00:00"], [date(2024, 3, 14)]),
        # Both kinds on one node: what may be either is not guessed.
        (["14/3/2024", "3/14/2024", "2/11/2023", "5/5/2023"],
         [date(2024, 3, 14), date(2024, 3, 14), None, date(2023, 5, 5)]),
        (["01d1c3a4e5f60718", "0x01d1c3a4e5f60718"], [date(2016, 6, 11), date(2016, 6, 11)]),
        (["20231102", "2023-11-02", "2023-11-02T00:00:00"], [date(2023, 11, 2)] * 3),
        (["", " ", "yesterday", "31/31/2023", "2/30/2023", "ffffffffffffffff", "0000000000000000"], [None] * 7),
    ],
)  # fmt: skip
def test_days_of_installation(texts: list[str], days: list[date | None]) -> None:
    assert install_days(texts) == days


def test_hotfixes_stand_newest_first_and_those_without_a_day_last() -> None:
    entries = [
        HotfixEntry(id="KB1"),
        HotfixEntry(id="KB2", installed="1/5/2024"),
        HotfixEntry(id="KB3", installed="3/5/2024"),
    ]
    picture = signals.hotfix_picture(signals.Hotfixes(v=1, time=NOW, hotfixes=entries))
    assert picture.hotfixes is not None
    assert [one.id for one in picture.hotfixes] == ["KB3", "KB2", "KB1"]
    assert picture.hotfixes[2].installed is None


def test_an_answer_without_a_list_says_why() -> None:
    assert signals.hotfix_picture(signals.Hotfixes(v=1, time=NOW, errors=[DENIED])).failure == DENIED.text
    assert signals.shadow_picture(signals.Shadows(v=1, time=NOW)).failure == "it said nothing"
    read = signals.filter_picture(signals.FilterText(v=1, time=NOW, errors=[DENIED]))
    assert (read.filters, read.failure) == (None, DENIED.text)
    read = signals.filter_picture(signals.FilterText(v=1, time=NOW, filters="nothing here"))
    assert (read.filters, read.unreadable) == (None, ("nothing here",))
    assert "no filter" in read.failure
    chain = Chain(v=1, time=NOW, node="HV01", vm="x", errors=[DENIED, DENIED])
    assert signals.chain_picture(chain).failure == DENIED.text


def test_one_text_of_two_is_a_list_with_a_reason_beside_it() -> None:
    read = signals.filter_picture(signals.FilterText(v=1, time=NOW, filters=published("filters"), errors=[DENIED]))
    assert read.filters is not None
    assert read.filters[0].volumes is None
    assert read.failure == DENIED.text


def chain(*parents: str | None, errors: tuple[Problem, ...] = ()) -> Chain:
    files = [ChainLink(path=f"C:\\{number}.vhdx", parent=parent) for number, parent in enumerate(parents)]
    disk = ChainDisk(attached=files[0].path, files=files)
    return Chain(v=1, time=NOW, node="HV01", vm="x", disks=[disk], errors=list(errors))


def test_layers_are_counted_only_in_a_chain_that_was_read_to_its_base() -> None:
    assert chain("").layers() == 0
    assert chain("C:\\1.vhdx", "").layers() == 1
    assert chain("C:\\1.vhdx", "C:\\2.vhdx", "").layers() == 2
    assert chain("C:\\1.vhdx", None).layers() is None
    assert chain("C:\\1.vhdx", "C:\\2.vhdx").layers() is None
    assert chain("", errors=(DENIED,)).layers() is None
    assert Chain(v=1, time=NOW, node="HV01", vm="x", disks=[]).layers() == 0


def test_signals_leave_out_what_was_never_read() -> None:
    shadow = signals.ShadowPicture(time=NOW, shadows=(ShadowCopy(id="a"),), failure="a later read failed")
    empty = signals.ShadowPicture(time=NOW, shadows=())
    unread = signals.ShadowPicture(failure="no")
    nodes = {
        name: SimpleNamespace(shadows=picture, filters=signals.FilterPicture(failure="no"), hotfixes=None)
        for name, picture in (("HV01", shadow), ("HV02", empty), ("HV03", unread), ("HV04", None))
    }
    chains = {"x": signals.chain_picture(chain("")), "y": signals.ChainPicture(failure="no")}
    found = signals.signals_of(nodes, chains)
    assert dict(found.shadows) == {"HV01": shadow, "HV02": empty}
    assert (found.filters, found.hotfixes) == ({}, {})
    assert set(found.chains) == {"x"}


def test_a_read_that_failed_keeps_what_the_one_before_said_and_says_why() -> None:
    state = ClusterState()
    copies = signals.ShadowPicture(time=NOW, shadows=(ShadowCopy(id="a"),))
    drivers = signals.FilterPicture(time=NOW, filters=(Filter(name="WdFilter"),))
    updates = signals.HotfixPicture(time=NOW, hotfixes=())
    whole = signals.chain_picture(chain(""))
    pictures: tuple[signals.NodePicture, ...] = (copies, drivers, updates)
    for picture in pictures:
        assert state.set_signal("HV01", picture).nodes == {"HV01"}
        assert state.set_signal("hv01", type(picture)(failure="no")).nodes == {"HV01"}
    assert state.set_chain("x", whole).vms == {"x"}
    state.set_chain("x", signals.ChainPicture(failure="no"))
    view = state.node("HV01")
    assert view.shadows == signals.ShadowPicture(time=NOW, shadows=copies.shadows, failure="no")
    assert view.filters == signals.FilterPicture(time=NOW, filters=drivers.filters, failure="no")
    assert view.hotfixes == signals.HotfixPicture(time=NOW, hotfixes=(), failure="no")
    assert state.chains["x"] == signals.ChainPicture(time=NOW, chain=whole.chain, failure="no")
    # The next one that works says nothing of it any more.
    state.set_signal("HV01", copies)
    assert view.shadows == copies
    assert signals.signals_of(state.nodes, state.chains).shadows == {"HV01": copies}
