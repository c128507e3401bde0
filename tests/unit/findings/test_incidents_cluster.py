"""Two incidents of the lab, each told first and nothing false beside it; and what two clusters carry without a word."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from hvtui.findings.engine import Engine
from hvtui.findings.finding import Finding, Sure
from hvtui.findings.look import Answers
from hvtui.model.enums import FileSystemRedirectedIOReason
from tests.support.fuller import FULLER
from tests.support.world import DirectFeed
from tests.unit.findings.runner import told

MINUTE = 60.0


class Watch:
    """An engine that looks at a scenario from its first second on."""

    def __init__(self, scenario: str) -> None:
        self.feed = DirectFeed.load(scenario)
        self.engine = Engine()
        self.feed.subscribe(self.engine.note)
        self.minutes = 0

    def until(self, minutes: int, every: int = 1) -> list[Finding]:
        """What stands after so many minutes, gravest first."""
        while self.minutes < minutes:
            self.feed.pump(every * MINUTE, writers=True)
            self.minutes += every
            self.engine.look(self.feed.state, self.feed.clock.monotonic(), Answers())
            assert not self.engine.failed
        return [one.finding for one in self.engine.standing]


def rules(findings: Iterable[Finding]) -> list[str]:
    return [finding.rule for finding in findings]


def test_a_volume_that_stays_redirected_is_told_when_its_backup_is_gone() -> None:
    watch = Watch("left-redirected")
    during = watch.until(7)
    assert not during, told(during)
    found = watch.until(10)
    assert rules(found) == ["csv-left-redirected"], told(found)
    assert (found[0].target.name, found[0].sure) == ("Volume3", Sure.CERTAIN)
    assert [evidence.source.split()[0] for evidence in found[0].evidence] == ["CSV", "event", "CSV", "CSV"]
    after = watch.until(160, every=10)
    assert not after, told(after)


def test_a_blocked_drain_names_the_vms_that_stayed_and_why() -> None:
    watch = Watch("blocked-drain")
    before = watch.until(1)
    assert not before, told(before)
    found = watch.until(10)
    assert rules(found) == ["drain-failed", "move-no-memory", "no-spare-node"], told(found)
    failed = found[0]
    assert (failed.target.name, failed.sure) == ("HV02", Sure.CERTAIN)
    assert {vm.name for vm in failed.vms} == {"DC02", "DB01"}
    assert "the node is still paused" in failed.text
    assert "anti-affinity" in failed.text
    assert "memory" in failed.text
    assert [vm.name for vm in found[1].vms] == ["DB01"]


@pytest.mark.parametrize("scenario", ["healthy", "limit"] if FULLER else ["healthy"])
def test_benign_pauses_and_refs_are_carried_in_silence(scenario: str) -> None:
    watch = Watch(scenario)
    found = watch.until(1)
    assert not found, told(found)
    state = watch.feed.state
    pauses = list(state.events.of([5120]))
    assert pauses
    assert all("0xc0130021" in item.event.codes for item in pauses)
    ways = [list(io.nodes.values()) for io in (state.cluster.io or {}).values()]
    refs = [nodes for nodes in ways if any(way[1] & FileSystemRedirectedIOReason.FileSystemReFs for way in nodes)]
    assert refs
    assert {way for nodes in refs for way in nodes} == {(3, 32, 0)}
