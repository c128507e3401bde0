"""Isolation gathers suspects and a control on one node; without the control it proves nothing."""

from __future__ import annotations

from hvtui.operations.verbs.isolate import plan_isolate, plan_return
from tests.support.builders import guid
from tests.support.small_clusters import Small, VmSpec

SMALL = Small(
    vms=(
        VmSpec("SQL07", "HV01"),
        VmSpec("FILE02", "HV01"),
        VmSpec("WEB01", "HV02", ("Volume2",)),
        VmSpec("CLEAN", "HV03", ("Volume3",)),
    )
)
SUSPECTS = [guid("SQL07"), guid("FILE02")]


def test_they_meet_where_most_of_them_are_and_their_homes_are_kept() -> None:
    plan = plan_isolate(SMALL.facts(), SUSPECTS, guid("CLEAN"))
    assert [(move.vm.name, move.source, move.destination) for move in plan.moves] == [("CLEAN", "HV03", "HV01")]
    assert plan.options["home"] == f"{guid('CLEAN')}=HV03"
    there = plan_isolate(SMALL.facts(), SUSPECTS, guid("CLEAN"), "HV02")
    assert {move.vm.name for move in there.moves} == {"SQL07", "FILE02", "CLEAN"}


def test_a_held_suspect_stays_and_a_held_control_stops_it_all() -> None:
    suspect = plan_isolate(SMALL.vm("SQL07", status=1).facts(), SUSPECTS, guid("CLEAN"), "HV02")
    assert suspect.refusals == ()
    assert [left.vm.name for left in suspect.left] == ["SQL07"]
    control = plan_isolate(SMALL.vm("CLEAN", status=1).facts(), SUSPECTS, guid("CLEAN"), "HV02")
    assert [refusal.rule for refusal in control.refusals] == ["control"]


def test_a_balancer_may_undo_it_and_falsify_what_it_shows() -> None:
    balancing = SMALL.but(node_more={name: {"balancer": 2} for name in ("HV01", "HV02", "HV03")})
    assert any(
        "AutoBalancerMode" in note.text for note in plan_isolate(balancing.facts(), SUSPECTS, guid("CLEAN")).notes
    )


def test_the_way_home_names_only_those_who_are_away() -> None:
    plan = plan_return(SMALL.facts(), {guid("SQL07"): "HV01", guid("WEB01"): "HV03", guid("GONE"): "HV01"})
    assert [(move.vm.name, move.destination) for move in plan.moves] == [("WEB01", "HV03")]
    assert [refusal.rule for refusal in plan.refusals] == ["unread"]
