"""The engine: asks again only where something changed, keeps what stands, and orders it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hvtui.config import ClusterConfig
from hvtui.findings.catalogue import parse
from hvtui.findings.engine import EVERY, ROUND, Engine
from hvtui.findings.finding import Finding, Sure
from hvtui.findings.look import Look
from hvtui.findings.rules import Per, Rule
from hvtui.findings.standing import Acknowledged
from hvtui.model.change import Change
from hvtui.model.enums import VmState
from hvtui.model.severity import Severity
from tests.support.builders import event, page
from tests.unit.findings.scene import VMMS, Scene, vm_key

TIME = datetime(2026, 3, 14, 1, 0, tzinfo=UTC)


def words(*rules: str, severity: str = "bad") -> str:
    keys = ["title", "looks", "cause", "next", "never", "undo", "source"]
    return "\n".join(
        f'["{name}"]\nseverity = "{severity}"\n' + "\n".join(f'{key} = "x"' for key in keys) for name in rules
    )


class Asked:
    """Rules of a test, and how often each was asked about what."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()
        self.rules: dict[str, Rule] = {}

    def rule(self, name: str, per: Per, *, ids: tuple[int, ...] = (), needs: bool = False) -> None:
        def function(look: Look, key: str) -> Iterator[Finding]:
            self.counts[name, key] += 1
            yield from self.found(name, look, key)

        self.rules[name] = Rule(id=name, per=per, function=function, ids=frozenset(ids), needs_event=needs)

    def found(self, name: str, look: Look, key: str) -> Iterator[Finding]:
        """VMs that are saved."""
        held = look.vm(key)
        if held is not None and held[1].state == VmState.Saved:
            yield look.make(
                name, look.vm_target(key), "saved", sure=Sure.LIKELY, evidence=[look.read("saved", key, "VM")]
            )

    def engine(self, config: ClusterConfig | None = None, book: Acknowledged | None = None) -> Engine:
        return Engine(config, book or Acknowledged(), self.rules, parse(words(*self.rules)))


def saved_rule() -> Asked:
    asked = Asked()
    asked.rule("saved", "vm")
    return asked


def test_only_what_changed_is_asked_again() -> None:
    asked, scene = saved_rule(), Scene().apply()
    engine = asked.engine()
    engine.look(scene.state, scene.monotonic)
    assert set(asked.counts) == {("saved", vm_key(name)) for name in ("SQL07", "APP01", "WEB01")}
    asked.counts.clear()

    scene.vm("SQL07", state=VmState.Saved).later(seconds=2)
    engine.note(Change(vms=set(scene.state.vm_keys()) | {"gone"}))
    assert engine.look(scene.state, scene.monotonic)
    assert asked.counts["saved", vm_key("SQL07")] == 1
    # Besides, one of the others in turn.
    assert asked.counts.total() <= 3
    assert [one.finding.target.name for one in engine.standing] == ["SQL07"]

    scene.vm("SQL07", state=VmState.Running).later(seconds=2)
    engine.note(Change(vms={vm_key("SQL07")}))
    assert engine.look(scene.state, scene.monotonic)
    assert engine.standing == ()


def test_every_vm_has_its_turn_although_nothing_changes() -> None:
    asked, scene = saved_rule(), Scene().apply()
    engine = asked.engine()
    engine.look(scene.state, scene.monotonic)
    asked.counts.clear()
    for second in range(1, 12):
        engine.look(scene.state, scene.monotonic + second * ROUND / 10)
    assert all(asked.counts["saved", vm_key(name)] >= 1 for name in ("SQL07", "APP01", "WEB01"))


def test_a_look_a_second_is_enough() -> None:
    asked, scene = saved_rule(), Scene().apply()
    engine = asked.engine()
    assert engine.due(scene.monotonic)
    engine.look(scene.state, scene.monotonic)
    assert not engine.due(scene.monotonic + EVERY / 2)
    assert engine.due(scene.monotonic + EVERY)


def test_a_rule_is_asked_again_when_it_wants_to_be() -> None:
    scene = Scene().apply()

    class Later(Asked):
        def found(self, name: str, look: Look, key: str) -> Iterator[Finding]:
            if name == "timed" and look.vm_target(key).name == "SQL07":
                look.again(timedelta(seconds=30))
            yield from ()

    asked = Later()
    asked.rule("timed", "vm")
    asked.rule("plain", "vm")
    engine = asked.engine()
    engine.look(scene.state, scene.monotonic)
    sql = vm_key("SQL07")
    # A VM's turn asks all its rules; the time that has come asks one.
    assert asked.counts["timed", sql] == asked.counts["plain", sql] == 1
    engine.look(scene.state, scene.monotonic + 29)
    assert asked.counts["timed", sql] == asked.counts["plain", sql]
    engine.look(scene.state, scene.monotonic + 60)
    assert asked.counts["timed", sql] == asked.counts["plain", sql] + 1


def test_an_event_asks_its_rules_about_what_it_names() -> None:
    asked, scene = Asked(), Scene().apply()
    asked.rule("by event", "vm", ids=(10102,), needs=True)
    asked.rule("on node", "node", ids=(10102,), needs=True)
    asked.rule("elsewhere", "vm", ids=(18012,), needs=True)
    engine = asked.engine()
    engine.look(scene.state, scene.monotonic)
    assert not asked.counts
    scene.event(10102, vm="SQL07").later(seconds=2)
    engine.note(Change(events=True))
    engine.look(scene.state, scene.monotonic)
    assert set(asked.counts) == {("by event", vm_key("SQL07")), ("on node", "HV01")}


def test_an_event_that_names_a_vm_only_by_name_finds_it_where_the_name_is_its_alone() -> None:
    scene = Scene().event(10102, VmName="SQL07")
    assert [e.event.id for e in scene.look().events((10102,), vm=vm_key("SQL07"))] == [10102]
    scene.vm("TWIN", "HV02")
    scene.vms["TWIN"] = (
        "HV02",
        scene.vms["TWIN"][1].__class__(
            **{f: getattr(scene.vms["TWIN"][1], f) for f in scene.vms["TWIN"][1].__struct_fields__} | {"name": "sql07"}
        ),
    )
    assert scene.look().events((10102,), vm=vm_key("SQL07")) == []


def test_events_are_asked_by_log_source_age_and_name() -> None:
    scene = Scene()
    scene.event(18590, VMMS, vm="SQL07", ago=timedelta(minutes=5))
    scene.event(18590, ("Microsoft-Windows-Hyper-V-Worker-Admin", "Microsoft-Windows-Hyper-V-Worker"), vm="SQL07")
    scene.event(5120, ("System", "Microsoft-Windows-FailoverClustering"), VolumeName="Volume1", node="HV02")
    look = scene.look()
    key = vm_key("SQL07")
    assert [e.event.channel for e in look.events((18590,), vm=key, source="vmms")] == [VMMS[0]]
    assert len(look.events((18590,), vm=key)) == 2
    assert len(look.events((18590,), vm=key, since=timedelta(minutes=10))) == 1
    assert look.events((18590,), node="HV02") == []
    (csv,) = (key for key, one in (look.state.cluster.csvs or {}).items() if one.path.endswith("Volume1"))
    (other,) = (key for key, one in (look.state.cluster.csvs or {}).items() if one.path.endswith("Volume10"))
    assert [e.node for e in look.events((5120,), csv=csv, source="cluster")] == ["HV02"]
    assert look.events((5120,), csv=other, source="cluster") == []
    assert [e.event.id for e in look.events((5120,), about="volume1", source="cluster")] == [5120]


def test_events_that_the_log_dropped_are_forgotten() -> None:
    scene = Scene().apply()
    scene.state.events.limit = 20
    engine = Engine()
    events = [event(10102, TIME + timedelta(seconds=n), 1000 + n, vm=vm_key("SQL07")) for n in range(40)]
    scene.state.add_events("HV01", page(events[:15]))
    engine.look(scene.state, scene.monotonic)
    scene.state.add_events("HV01", page(events[15:]))
    engine.look(scene.state, scene.monotonic + 2)
    held = list(engine._index.of((10102,), "vm", vm_key("SQL07")))
    assert held == [e for e in scene.state.events.recent()[::-1] if e.event.id == 10102]
    assert 0 < len(held) <= 20


def test_silence_of_a_node_that_cannot_be_read_clears_nothing() -> None:
    asked, scene = saved_rule(), Scene()
    scene.vm("SQL07", state=VmState.Saved).apply()
    engine = asked.engine()
    engine.look(scene.state, scene.monotonic)
    scene.problem("HV01", "vms").vm("SQL07", state=VmState.Running).later(seconds=2)
    engine.note(Change(vms={vm_key("SQL07")}))
    engine.look(scene.state, scene.monotonic)
    (still,) = engine.standing
    assert still.unread == "Access is denied."
    assert still.alarming
    scene.problems.clear()
    scene.later(seconds=2)
    engine.note(Change(vms={vm_key("SQL07")}))
    engine._vms[vm_key("SQL07")] = None
    engine.look(scene.state, scene.monotonic)
    assert engine.standing == ()


def test_a_vm_that_is_gone_has_no_finding() -> None:
    asked, scene = saved_rule(), Scene()
    scene.vm("SQL07", state=VmState.Saved).apply()
    engine = asked.engine()
    engine.look(scene.state, scene.monotonic)
    assert engine.standing
    del scene.vms["SQL07"]
    del scene.roles["SQL07"]
    scene.later(seconds=2)
    engine.note(Change(vms={vm_key("SQL07")}))
    engine.look(scene.state, scene.monotonic)
    assert engine.standing == ()


def test_a_rule_that_fails_silences_no_other_and_is_told(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Asked):
        def found(self, name: str, look: Look, key: str) -> Iterator[Finding]:
            if name == "broken":
                raise KeyError("x")
            yield from super().found(name, look, key)

    asked = Broken()
    asked.rule("broken", "vm")
    asked.rule("saved", "vm")
    scene = Scene().vm("SQL07", state=VmState.Saved).apply()
    engine = asked.engine()
    engine.look(scene.state, scene.monotonic)
    assert [one.finding.rule for one in engine.standing] == ["saved"]
    assert engine.failed == {"broken": "KeyError: 'x'"}
    assert len(caplog.records) == 1


def test_what_does_not_fit_into_a_look_waits_for_the_next() -> None:
    asked, scene = saved_rule(), Scene().apply()
    engine = asked.engine()
    engine.look(scene.state, scene.monotonic, budget=0.0)
    assert len(asked.counts) == 1
    engine.look(scene.state, scene.monotonic + 1, budget=0.0)
    assert len(asked.counts) == 2
    engine.look(scene.state, scene.monotonic + 2)
    assert len(asked.counts) == 3


def test_another_state_is_looked_at_from_the_beginning() -> None:
    asked, scene = saved_rule(), Scene().vm("SQL07", state=VmState.Saved).apply()
    engine = asked.engine()
    engine.look(scene.state, scene.monotonic)
    other = Scene().apply()
    assert engine.look(other.state, other.monotonic)
    assert engine.standing == ()


# --- order, quiet, acknowledged ---


class Graded(Asked):
    """A finding for each VM, as `grades` says: severity, sure, how many VMs, minutes ago."""

    grades: dict[str, tuple[Severity, Sure, int, int | None]]

    def found(self, name: str, look: Look, key: str) -> Iterator[Finding]:
        target = look.vm_target(key)
        severity, sure, count, ago = self.grades[target.name]
        yield look.make(
            name,
            target,
            "x",
            sure=sure,
            severity=severity,
            evidence=[look.read("x", key, "VM")],
            vms=[target] * count,
            since=None if ago is None else TIME - timedelta(minutes=ago),
        )


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ((Severity.BAD, Sure.POSSIBLE, 1, 1), (Severity.WARN, Sure.CERTAIN, 9, 90)),
        ((Severity.WARN, Sure.CERTAIN, 1, 1), (Severity.WARN, Sure.LIKELY, 9, 90)),
        ((Severity.WARN, Sure.LIKELY, 2, 1), (Severity.WARN, Sure.LIKELY, 1, 90)),
        ((Severity.WARN, Sure.LIKELY, 1, 90), (Severity.WARN, Sure.LIKELY, 1, 1)),
    ],
)
def test_order(first: tuple[Severity, Sure, int, int | None], second: tuple[Severity, Sure, int, int | None]) -> None:
    for one, two in (("SQL07", "APP01"), ("APP01", "SQL07")):
        asked = Graded()
        asked.rule("graded", "vm")
        asked.grades = {one: first, two: second, "WEB01": (Severity.INFO, Sure.POSSIBLE, 0, None)}
        scene = Scene().apply()
        engine = asked.engine()
        engine.look(scene.state, scene.monotonic)
        assert [held.finding.target.name for held in engine.standing] == [one, two, "WEB01"]


@pytest.mark.parametrize(
    "config", [{"quiet": ("sql*",)}, {"quiet": ("Databases",), "groups": {"databases": ("SQL0?",)}}]
)
def test_quiet_vms_are_recorded_and_not_alarmed(config: dict[str, tuple[str, ...]]) -> None:
    asked = saved_rule()
    scene = Scene().vm("SQL07", state=VmState.Saved).vm("APP01", state=VmState.Saved).configure(**config).apply()
    engine = asked.engine(scene.config)
    engine.look(scene.state, scene.monotonic)
    assert [(one.finding.target.name, one.quiet) for one in engine.standing] == [("APP01", False), ("SQL07", True)]
    assert [one.finding.target.name for one in engine.alarms()] == ["APP01"]


def test_an_acknowledged_finding_comes_back_when_it_gets_worse(tmp_path: Path) -> None:
    path = tmp_path / "state" / "acknowledged.json"
    asked = Graded()
    asked.rule("graded", "vm")
    nothing = (Severity.INFO, Sure.POSSIBLE, 0, None)
    asked.grades = {"SQL07": (Severity.WARN, Sure.LIKELY, 0, 5), "APP01": nothing, "WEB01": nothing}
    scene = Scene().apply()
    engine = asked.engine(book=Acknowledged.load(path))
    engine.look(scene.state, scene.monotonic)
    key = engine.standing[0].finding.key
    assert key == f"graded/vm:{vm_key('SQL07')}"
    assert not engine.acknowledge("nothing", "x", "alice", TIME)
    assert engine.acknowledge(key, "known, ticket 4711", "alice", TIME)
    assert key not in {one.finding.key for one in engine.alarms()}
    assert engine.standing[-1].finding.key == key

    # The next session knows it, and it still does when the finding is no worse.
    again = asked.engine(book=Acknowledged.load(path))
    again.look(scene.state, scene.monotonic)
    assert again.standing[-1].acknowledged is not None
    assert again.standing[-1].acknowledged.note == "known, ticket 4711"

    for worse in (
        (Severity.BAD, Sure.LIKELY, 0, 5),
        (Severity.WARN, Sure.CERTAIN, 0, 5),
        (Severity.WARN, Sure.LIKELY, 1, 5),
    ):
        asked.grades["SQL07"] = worse
        later = asked.engine(book=Acknowledged.load(path))
        later.look(scene.state, scene.monotonic)
        assert later.alarms()[0].finding.key == key
    asked.grades["SQL07"] = (Severity.INFO, Sure.POSSIBLE, 0, 5)
    better = asked.engine(book=Acknowledged.load(path))
    better.look(scene.state, scene.monotonic)
    assert key not in {one.finding.key for one in better.alarms()}
    better.withdraw(key)
    assert key in {one.finding.key for one in better.alarms()}
    assert not [left for left in path.parent.iterdir() if left != path]


def test_a_file_of_acknowledgements_that_cannot_be_read_hides_nothing(tmp_path: Path) -> None:
    path = tmp_path / "acknowledged.json"
    path.write_text('[{"key": 7}]')
    book = Acknowledged.load(path)
    assert "acknowledged.json" in book.problem
    assert Acknowledged.load(tmp_path / "none.json").problem == ""


def test_an_acknowledgement_that_cannot_be_written_does_not_count(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    asked, scene = saved_rule(), Scene().vm("SQL07", state=VmState.Saved).apply()
    engine = asked.engine(book=Acknowledged(blocked / "acknowledged.json"))
    engine.look(scene.state, scene.monotonic)
    with pytest.raises(OSError, match="file"):
        engine.acknowledge(engine.standing[0].finding.key, "x", "alice", TIME)
    assert engine.alarms()
