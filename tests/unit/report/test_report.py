"""The report of a recorded night: what it tells, and that no name of a VM is more than a name in it."""

from __future__ import annotations

import base64
import hashlib
import os
import re
from datetime import UTC, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

import msgspec
import pytest
from markdown_it import MarkdownIt

from hvtui.cli.main import main
from hvtui.findings.finding import Evidence, Finding, Sure, Target
from hvtui.findings.noted import Noted
from hvtui.journal.entry import Entry, Kind, Who
from hvtui.model.severity import Severity
from hvtui.recording.reader import Recording
from hvtui.report.markdown import markdown_of
from hvtui.report.night import Found, Night, found_in, night_of, took_in
from hvtui.report.page import html_of
from hvtui.window.records import Standing
from tests.support.world import START
from tests.unit.report.nights import HOSTILE, LINK, record, scenario

GOLDEN: Final = Path(__file__).parent / "small-night.md"
VOID: Final = frozenset({"meta", "img", "br", "hr", "input", "link"})


class Page(HTMLParser):
    """Every element and its attributes, and whether what was opened is closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.faults: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        self.faults += [f"<{tag}> is not closed" for tag in self._open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop() != tag:
            self.faults.append(f"</{tag}> closes nothing")

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three nights, the last one slower, recorded with its findings."""
    folder = tmp_path_factory.mktemp("nights")
    usual, slow = scenario(folder), scenario(folder, "40m")
    record(folder / "first.hvtrec", usual, nights_ago=2, minutes=25)
    record(folder / "second.hvtrec", usual, nights_ago=1, minutes=25)
    record(folder / "last.hvtrec", slow, findings=True, minutes=150)
    return folder


@pytest.fixture(scope="module")
def night(folder: Path) -> Night:
    """The last night, compared with the others."""
    earlier = []
    for days, name in ((2, "first"), (1, "second")):
        with Recording.open(folder / f"{name}.hvtrec") as recording:
            earlier.append((START - timedelta(days=days), took_in(recording)))
    with Recording.open(folder / "last.hvtrec") as recording:
        return night_of(recording, earlier=earlier)


def test_what_a_night_tells(night: Night) -> None:
    took = {one.name: one for one in night.took}
    assert set(took) == {"SQL01", "SQL02", "WEB01", HOSTILE, LINK}
    assert Standing(took["SQL02"].standing) is Standing.FAILED
    assert took["SQL02"].attempts >= 2
    well = took["SQL01"]
    assert (Standing(well.standing), well.outcome, well.way) == (Standing.DONE, "done", "checkpoint")
    assert well.seconds is not None
    assert well.begin is not None
    assert well.end is not None
    assert well.seconds == (well.end - well.begin).total_seconds()
    assert sum(well.phases.values()) == pytest.approx(well.seconds, abs=1)
    assert well.phases["copy"] > 8 * 60
    assert night.found[0].finding.target.name == "SQL02"
    found = night.found[0]
    assert found.finding.evidence
    assert found.next
    assert found.never


def test_a_slow_night_is_told_from_the_nights_before(night: Night) -> None:
    slow = {one.name: one for one in night.outliers}
    assert "SQL02" not in slow, "it failed then, too"
    assert slow["SQL01"].factor > 2
    assert "longest in copy" in slow["SQL01"].text
    assert "usually" in slow["SQL01"].text
    assert len(night.compared) == 2


def test_findings_of_the_recording_are_told_with_their_times(folder: Path, night: Night) -> None:
    with Recording.open(folder / "last.hvtrec") as recording:
        notes = list(recording.notes("finding"))
    assert notes
    assert night.found[0].came == notes[0].time
    assert "the recording has none of its own" not in " ".join(night.notes)


def test_operations_are_told_and_marked(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "acted.hvtrec"
    who = Who(user="alice", account="", machine="ADMIN01", pid=1, front="console")
    begun = Entry(
        time=START + timedelta(minutes=1),
        kind=Kind.BEGUN,
        who=who,
        session="s",
        operation="op-1",
        verb="drain",
        title=f"drain HV02 {HOSTILE}",
    )
    called = {"kind": Kind.OUTCOME, "call": "c", "node": "HV02", "outcome": "done", "command": "Suspend-ClusterNode"}
    entries = [
        begun,
        msgspec.structs.replace(begun, time=START + timedelta(minutes=2), **called),
        msgspec.structs.replace(begun, time=START + timedelta(minutes=3), kind=Kind.ENDED, outcome="done"),
    ]
    record(file, scenario(tmp_path), minutes=5, actions=entries)
    with Recording.open(file) as recording:
        night = night_of(recording)
    assert [(done.time, done.outcome) for done in night.done] == [(START + timedelta(minutes=1), "done")]
    text, page = markdown_of(night, UTC), Page(html_of(night, UTC))
    assert "by alice on ADMIN01" in text
    assert "Suspend-ClusterNode" in text
    marks = [a for tag, a in page.elements if tag == "g" and a.get("class") == "mark action"]
    assert len(marks) == 2
    assert page.faults == []


def test_a_finding_that_goes_is_told_as_it_was_known_best() -> None:
    target = Target("vm", "v", "SQL01")

    def noted(state: str, sure: Sure, severity: Severity, text: str) -> Noted:
        return Noted(
            state=state, finding=Finding(rule="r", target=target, text=text, severity=severity, sure=sure, evidence=())
        )

    told = [
        (START, noted("new", Sure.LIKELY, Severity.WARN, "first")),
        (START + timedelta(minutes=1), noted("changed", Sure.CERTAIN, Severity.BAD, "best")),
        (START + timedelta(minutes=2), noted("acknowledged", Sure.CERTAIN, Severity.BAD, "best")),
        (START + timedelta(minutes=3), noted("gone", Sure.POSSIBLE, Severity.WARN, "fading")),
        (START + timedelta(minutes=9), noted("new", Sure.LIKELY, Severity.WARN, "again")),
    ]
    (found,) = found_in(told[:4])
    assert (found.finding.text, found.went, found.acknowledged, found.times) == (
        "best", START + timedelta(minutes=3), "", 1,
    )  # fmt: skip
    (found,) = found_in(told)
    assert (found.came, found.went, found.times) == (START, None, 2)


def test_a_recording_without_findings_is_looked_through(folder: Path, night: Night) -> None:
    with Recording.open(folder / "first.hvtrec") as recording:
        looked = night_of(recording)
    assert night.found[0].finding.rule in {one.finding.rule for one in looked.found}
    assert any("the recording has none of its own" in note for note in looked.notes)
    assert not looked.compared


# --- Markdown -----------------------------------------------------------------------------------------------------


def without_version(text: str) -> str:
    """Without the line about hvtui's versions."""
    return "\n".join(line for line in text.split("\n") if not line.startswith("hvtui ")).rstrip() + "\n"


def test_the_markdown_of_a_small_night_is_the_one_that_was_looked_at(night: Night) -> None:
    # The words of rules and of the catalogue have tests of their own.
    target = Target("vm", "0a1b", HOSTILE)
    seen = Evidence(text=f"10150 of {HOSTILE}", node="HV02", time=START + timedelta(minutes=7), source="event x 10150")
    finding = Finding(
        rule="a-rule", target=target, text=f"{HOSTILE}: it failed", severity=Severity.BAD, sure=Sure.LIKELY,
        evidence=(seen,), vms=(target, Target("vm", "0a1c", LINK)), since=START,
    )  # fmt: skip
    found = Found(
        finding=finding, came=START + timedelta(minutes=8), went=START + timedelta(minutes=90), acknowledged="*seen*",
        title="t", cause="It | broke.", next="`Look`.", never="Do <b>not</b>.",
    )  # fmt: skip
    text = without_version(markdown_of(msgspec.structs.replace(night, found=(found,)), UTC))
    if os.environ.get("HVTUI_SNAPSHOTS") == "update":
        GOLDEN.write_text(text, encoding="utf-8")
    assert text == GOLDEN.read_text(encoding="utf-8")


def test_no_name_is_markdown(night: Night) -> None:
    tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(markdown_of(night, UTC))
    inline = [child for token in tokens for child in token.children or ()]
    kinds = {token.type for token in tokens} | {child.type for child in inline}
    assert not kinds & {"html_block", "html_inline", "link_open", "image"}
    shown = "".join(child.content for child in inline)
    assert HOSTILE in shown
    assert LINK.replace("\u202e", "·") in shown


# --- HTML -----------------------------------------------------------------------------------------------------------


def test_the_page_is_whole_and_loads_and_runs_nothing(night: Night) -> None:
    page = Page(html_of(night, UTC))
    assert page.faults == []
    names = [tag for tag, _ in page.elements]
    assert not {"script", "img", "iframe", "object", "embed", "link", "form", "a", "b-"} & set(names)
    assert names.count("svg") == 1
    for tag, attributes in page.elements:
        assert not [name for name in attributes if name.startswith("on") or name in {"style", "src", "href"}], tag
    assert HOSTILE in "".join(page.texts)
    assert LINK.replace("\u202e", "·") in "".join(page.texts)
    assert "\u202e" not in html_of(night, UTC)


def test_the_pages_policy_allows_its_own_style_only(night: Night) -> None:
    text = html_of(night, UTC)
    (style,) = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    found = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    page = Page(text)
    (policy,) = [a["content"] for tag, a in page.elements if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy == f"default-src 'none'; style-src 'sha256-{found}'; base-uri 'none'; form-action 'none'"
    assert "url(http" not in style
    assert "@import" not in style


def test_the_picture_is_well_formed_and_has_every_backup(night: Night) -> None:
    text = html_of(night, UTC)
    picture = text[text.index("<svg") : text.index("</svg>") + 6]
    root = ElementTree.fromstring(picture)
    space = "{http://www.w3.org/2000/svg}"
    titles = [title.text or "" for title in root.iter(f"{space}title")]
    phases = [element.get("class") or "" for element in root.iter(f"{space}rect")]
    spans = sum(len(backup.spans) for line in night.timeline.vms for backup in line.backups)
    assert sum(kind.startswith("phase") for kind in phases) == spans
    assert any(title.startswith("failed ") for title in titles)
    assert HOSTILE in titles
    for element in root.iter(f"{space}rect"):
        assert float(element.get("width") or 0) > 0


# --- the command ------------------------------------------------------------------------------------------------------


def test_the_command_writes_what_is_asked_for(
    folder: Path, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    last = str(folder / "last.hvtrec")
    out = tmp_path / "night.html"
    assert main(["report", last, "-o", str(out)]) == 0
    assert out.read_text("utf-8").startswith("<!DOCTYPE html>")
    capfdbinary.readouterr()
    assert main(["report", last, "--compare", "2"]) == 0
    printed = capfdbinary.readouterr().out.decode()
    assert printed.startswith("# ")
    assert "Compared with" in printed
    assert main(["report", last, "--compare", "0", "--html"]) == 0
    page = capfdbinary.readouterr().out.decode()
    assert page.startswith("<!DOCTYPE html>")
    assert "No earlier recordings" in page


def test_a_redacted_report_has_no_real_name(folder: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    for shape in ("--md", "--html"):
        assert main(["report", str(folder / "last.hvtrec"), "--redact", "--compare", "1", shape]) == 0
        text = capfdbinary.readouterr().out.decode()
        for name in ("SQL01", "SQL02", "WEB01", "HV01", "HV02", "SMALL", "alert", "onerror"):
            assert name not in text, name
        assert "names are replaced" in text


def test_a_recording_that_ends_early_is_told_and_an_odd_file_is_none(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    cut = tmp_path / "cut.hvtrec"
    record(cut, scenario(tmp_path), minutes=5, whole=False)
    assert main(["report", str(cut)]) == 1
    captured = capfd.readouterr()
    assert "its recorder was killed" in captured.err
    assert "its recorder was killed" in captured.out
    odd = tmp_path / "odd.hvtrec"
    odd.write_bytes(b"no recording at all" * 100)
    assert main(["report", str(odd)]) == 2
    assert main(["report", str(tmp_path / "none.hvtrec")]) == 2
    assert main(["report", str(cut), "-o", str(tmp_path / "no" / "such" / "folder.md")]) == 2
