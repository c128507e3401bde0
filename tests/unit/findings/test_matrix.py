"""Every scenario and every published fixture against every rule: only what matrix.py lists may be found."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from hvtui.model.csv_state_text import read_csv_states
from hvtui.model.diskshadow_text import read_diskshadow
from hvtui.model.enums import BlockRedirectedIOReason, CsvIoState, FileSystemRedirectedIOReason
from hvtui.model.event_text import read_event_texts
from hvtui.model.fltmc_text import read_filters
from hvtui.model.pasted import pasted
from hvtui.model.records import Event
from hvtui.model.signals import FilterPicture
from hvtui.model.writers import WriterPicture
from tests.support.builders import guid
from tests.support.fuller import FULLER
from tests.support.published import DATA, EVENTS
from tests.unit.findings import matrix
from tests.unit.findings.nights import play
from tests.unit.findings.runner import told
from tests.unit.findings.scene import Scene

AGO = timedelta(minutes=30)
ASKED = tuple(matrix.SCENARIOS) if FULLER else ("healthy", "blocked-drain", "obstacles", "access-denied", "fork-commit")
"""Played once more with everything that a person's doing asks; the fuller run does so with all of them."""


def test_every_scenario_and_fixture_is_in_the_matrix() -> None:
    from hvtui.lab import scenarios

    shipped = {path.stem for path in (DATA.parents[1] / "hvtui" / "lab" / "scenarios").glob("*.toml")}
    assert scenarios
    assert set(matrix.SCENARIOS) == shipped
    assert set(matrix.EVENTS) <= set(EVENTS)
    assert set(matrix.TEXTS) <= set(_texts())
    assert set(matrix.WRITERS) <= set(_writer_texts())
    assert set(matrix.PROGRAMS) <= {"csv_state/filter.txt", "csv_state/refs.txt", "programs/fltmc-filters.txt"}


@pytest.mark.parametrize("name", matrix.SCENARIOS)
def test_a_scenario_leads_to_what_is_listed_and_to_nothing_else(name: str) -> None:
    played = matrix.SCENARIOS[name]
    night = play(name, played.minutes, step=played.step)
    assert night.pairs == played.pairs, "\n".join(map(str, night.found.values()))
    assert {minute: night.leads(minute) for minute in played.leads} == played.leads


@pytest.mark.parametrize("name", ASKED)
def test_and_to_nothing_else_when_everything_was_asked(name: str) -> None:
    played = matrix.SCENARIOS[name]
    night = play(name, played.minutes, step=played.step, asked=True)
    expected = played.pairs if played.asked is None else played.asked
    assert night.pairs == expected, "\n".join(map(str, night.found.values()))


# --- published fixtures ---


@pytest.mark.parametrize("name", EVENTS)
def test_a_published_event(name: str) -> None:
    event = EVENTS[name]
    known = event.vm is not None or "SQL07" in event.data.values()
    data = {key: guid("SQL07") if value.lower() == (event.vm or "") else value for key, value in event.data.items()}
    scene = Scene()
    _log(scene, msgspec.structs.replace(event, vm=guid("SQL07") if known and event.vm else event.vm, data=data))
    _only(scene, matrix.EVENTS.get(name, frozenset()))


def _texts() -> dict[str, str]:
    """Texts that hold events, and VSS' own messages, which name no source."""
    folder = DATA / "published_texts"
    found = {f"published_texts/{path.name}": path.read_text("utf-8") for path in folder.glob("*.txt")}
    return {name: text for name, text in found.items() if read_event_texts(pasted(text).lines)}


@pytest.mark.parametrize("name", sorted(_texts()))
def test_a_published_text_of_events(name: str) -> None:
    scene = Scene()
    for one in read_event_texts(pasted(_texts()[name]).lines):
        if one.provider:
            channel = _CHANNELS.get(one.provider.lower(), "Microsoft-Windows-Hyper-V-VMMS-Admin")
            values = {str(number): value for number, value in enumerate(one.names, start=1)}
            event = Event(
                channel=channel,
                record=0,
                id=one.id,
                level=2,
                time=scene.now,
                provider=one.provider,
                vm=guid("SQL07") if one.vm else None,
                vm_name="SQL07" if one.vm_name else None,
                codes=list(one.codes),
                data=values,
                text=one.message,
            )
            _log(scene, event)
    _only(scene, matrix.TEXTS.get(name, frozenset()))


_CHANNELS = {
    "vss": "Application",
    "microsoft-windows-capi2": "Application",
    "volsnap": "System",
    "microsoft-windows-failoverclustering": "System",
    "microsoft-windows-hyper-v-worker": "Microsoft-Windows-Hyper-V-Worker-Admin",
}


@pytest.mark.parametrize(
    ("name", "id"),
    [
        ("vss-8193.txt", 8193),
        ("vss-8229-ntds.txt", 8229),
        ("vss-8229-sql.txt", 8229),
        ("../published_texts/vss-8194-english.txt", 8194),
        ("../published_texts/vss-8194-german.txt", 8194),
    ],
)
def test_a_published_message_of_vss(name: str, id: int) -> None:
    text = (DATA / "events" / name).read_text("utf-8")
    scene = Scene()
    event = Event(
        channel="Application",
        record=0,
        id=id,
        level=2,
        time=scene.now,
        provider="VSS",
        codes=["0x80070005"] if id == 8194 else [],
        data={"1": text},
        text=text,
    )
    _log(scene, event)
    _only(scene, matrix.TEXTS.get(name, frozenset()))


def _writer_texts() -> dict[str, WriterPicture | str]:
    """Outputs that list writers: the text itself, or what diskshadow's means."""
    found: dict[str, WriterPicture | str] = {}
    for folder in ("writers", "pasted_writers"):
        for path in (DATA / folder).glob("*.txt"):
            found[f"{folder}/{path.name}"] = path.read_text("utf-8")
    for path in (DATA / "diskshadow").glob("*.txt"):
        report = read_diskshadow(path.read_text("utf-8"))
        found[f"diskshadow/{path.name}"] = WriterPicture(writers=report.writers, unreadable=report.unreadable)
    return found


@pytest.mark.parametrize("name", sorted(_writer_texts()))
def test_published_writers(name: str) -> None:
    scene, held = Scene(), _writer_texts()[name]
    # Of both nodes: which writers a node has is no matter here.
    for node in ("HV01", "HV02"):
        if isinstance(held, str):
            scene.writers_text(node, held)
        else:
            scene.picture(node, msgspec.structs.replace(held, time=scene.now, read_at=scene.monotonic))
    _only(scene, matrix.WRITERS.get(name, frozenset()))


@pytest.mark.parametrize("name", ["csv_state/filter.txt", "csv_state/refs.txt"])
def test_a_published_state_of_a_volume(name: str) -> None:
    scene = Scene()
    (told_state, *_) = read_csv_states((DATA / name).read_text("utf-8"))
    reason = _flags(FileSystemRedirectedIOReason, told_state.reason)
    block = _flags(BlockRedirectedIOReason, told_state.block)
    for node in ("HV01", "HV02"):
        scene.io("Volume2", node, CsvIoState[told_state.state], reason, block)
    _only(scene, matrix.PROGRAMS.get(name, frozenset()))


def _flags(enum: type[FileSystemRedirectedIOReason] | type[BlockRedirectedIOReason], text: str) -> int:
    return sum(int(member) for member in enum if member.name in text.replace(",", " ").split())


def test_the_published_filters() -> None:
    scene, name = Scene(), "programs/fltmc-filters.txt"
    found = read_filters((DATA / name).read_text("utf-8"), None)
    assert found.filters
    scene.answers.filters["HV01"] = FilterPicture(time=scene.now, filters=found.filters)
    _only(scene, matrix.PROGRAMS.get(name, frozenset()))


def _log(scene: Scene, event: Event) -> None:
    """Half an hour ago in HV01's log."""
    held = scene.logs.setdefault(("HV01", event.channel), [])
    held.append(msgspec.structs.replace(event, time=scene.now - AGO, record=700 + len(held)))


def _only(scene: Scene, rules: frozenset[str]) -> None:
    found = scene.findings()
    assert {finding.rule for finding in found} == rules, told(found)
