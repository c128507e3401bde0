"""Plans in files, names, confirmations, waiting: what commands that change something do before anything is changed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest

from hvtui.cli.acting import pace
from hvtui.cli.acting import session as sessions
from hvtui.errors import Unreachable
from hvtui.journal.entry import Kind
from hvtui.journal.store import Journal
from hvtui.model.enums import JobType
from hvtui.operations.facts import Facts
from hvtui.operations.plan import Verb
from tests.operations.test_rules import AVHDX, HEALTHY, PLANS, _fork, facts_for
from tests.support import builders
from tests.support.acting import ActingFeed
from tests.support.builders import HYPER_V_WRITER, guid, job
from tests.support.cli import Ran, Shell
from tests.support.command_session import CONFIG, use_nodes
from tests.support.schemas import checked
from tests.support.small_clusters import Small, VmSpec

Json = dict[str, Any]

MERGING: Final = HEALTHY.vm("SQL07", jobs=(job("SQL07", JobType.MergeDisks, 40),))
TWINS: Final = HEALTHY.but(vms=(*HEALTHY.vms, VmSpec("sql07", "HV03", ("Volume3",))))
"""Windows makes no difference of case."""


class Desk:
    """The command line on hand-made clusters, one after the other."""

    def __init__(self, shell: Shell, patch: pytest.MonkeyPatch, folder: Path) -> None:
        self.shell = shell
        self.folder = folder
        self.config = folder / "hvtui.toml"
        self.config.write_text(CONFIG + "actions = true\n", encoding="utf-8")
        self._patch = patch
        self.nodes = ActingFeed()

    def on(self, small: Small | Facts) -> Desk:
        """Another cluster answers from now on."""
        self.nodes = ActingFeed(facts=small if isinstance(small, Facts) else small.facts())
        use_nodes(self._patch, self.nodes)
        return self

    def __call__(self, *words: str) -> Ran:
        return self.shell(words[0], "--config", str(self.config), *words[1:])

    def written(self, *words: str) -> Path:
        """The plan of a dry run, as a file."""
        path = self.folder / "plan.json"
        assert self(*words, "-o", str(path)).code in {0, 1}
        checked("plan", path.read_text(encoding="utf-8"))
        return path

    @property
    def sent(self) -> list[str]:
        """Mutating functions that nodes were asked to run."""
        return [function for _, function, _ in self.nodes.sent]


@pytest.fixture
def desk(shell: Shell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Desk:
    return Desk(shell, monkeypatch, tmp_path).on(HEALTHY)


# --- a plan in a file ---

MIGRATE: Final = ("migrate", "SQL07", "--to", "HV02")


def moved(vm: str, node: str) -> Small:
    return HEALTHY.vm(vm, node=node)


def edited(**more: Any) -> Callable[[Json], None]:
    return lambda plan: plan.update(more)


def edit_move(**more: Any) -> Callable[[Json], None]:
    return lambda plan: plan["moves"][0].update(more)


OTHER_NODE: Final = {**dict.fromkeys(HEALTHY.nodes, 200.0), "HV04": 200.0}

DIFFERENT: Final[dict[str, tuple[Small | Facts, str]]] = {
    "owner": (moved("SQL07", "HV03"), "is on HV03; the plan says HV01"),
    "state": (HEALTHY.vm("SQL07", state=9), "is in state 9; the plan says 2"),
    "type": (HEALTHY.vm("SQL07", state=3), "would move Quick; the plan says Live"),
    "gone": (HEALTHY.but(vms=HEALTHY.vms[1:]), "SQL07"),
    "hold": (MERGING, "a disk merge runs at 40%"),
    "fork": (_fork(HEALTHY.vm("SQL07", more={"chain": AVHDX}).facts()), "fork was not committed"),
    "destination": (HEALTHY.but(member_more={"HV02": {"state": 2}}), "HV02 takes no roles"),
    "cluster": (HEALTHY.but(info={"id": guid("rebuilt")}), "the plan is for"),
}


@pytest.mark.parametrize("what", DIFFERENT)
def test_a_plan_whose_world_has_changed_is_refused_whole(what: str, desk: Desk) -> None:
    plan = desk.written(*MIGRATE)
    now, said = DIFFERENT[what]
    ran = desk.on(now)("migrate", "--apply", "--plan", str(plan))
    assert (ran.code, desk.sent) == (3, []), ran.out
    assert said in ran.out
    (line,) = Journal().lines(kinds=[Kind.REFUSED])
    assert line.entry.verb == "migrate"


EDITS: Final[dict[str, tuple[Callable[[Json], None], str]]] = {
    "destination": (edit_move(destination="HV03"), ""),
    "nowhere": (edit_move(destination="HV09"), "there is no node HV09"),
    "type": (edit_move(type="Quick"), "would move Live; the plan says Quick"),
    "unseen": (edited(seen={}), "the plan saw nothing"),
    "other verb": (edited(verb="return"), "the plan is one of `return`, not of `migrate`"),
    "override": (edited(overrides=["hold", "destination"]), ""),
}


@pytest.mark.parametrize("edit", EDITS)
def test_what_a_file_was_edited_to_is_not_believed(edit: str, desk: Desk) -> None:
    path = desk.written(*MIGRATE)
    plan = json.loads(path.read_text(encoding="utf-8"))
    change, said = EDITS[edit]
    change(plan)
    path.write_text(json.dumps(plan), encoding="utf-8")
    if edit == "override":
        desk.on(MERGING)
        said = "a disk merge runs"
    if edit == "destination":
        # Somebody's own choice is a plan like any other: what it needs is worked out again.
        desk.on(HEALTHY.but(nodes={"HV01": 200.0, "HV02": 200.0, "HV03": 1.0}))
        said = "HV03 then has 0.0 GB"
    ran = desk("migrate", "--apply", "--plan", str(path))
    assert (ran.code, desk.sent) == (3, []), ran.out
    assert said in ran.out + ran.err


def test_a_file_cannot_make_a_typed_plan_one_of_a_key(desk: Desk) -> None:
    path = desk.written("drain", "HV01")
    plan = json.loads(path.read_text(encoding="utf-8"))
    plan.update(level="key", name="x")
    path.write_text(json.dumps(plan), encoding="utf-8")
    ran = desk("drain", "HV01", "--apply", "--plan", str(path))
    assert (ran.code, desk.sent) == (3, [])
    assert "not confirmed: type HV01" in ran.out


def test_a_drain_is_refused_when_other_vms_would_move(desk: Desk) -> None:
    path = desk.written("drain", "HV01")
    words = ("drain", "HV01", "--apply", "--plan", str(path), "--confirm", "HV01")
    ran = desk.on(moved("WEB01", "HV01"))(*words)
    assert (ran.code, desk.sent) == (3, [])
    assert "WEB01 would move now, which the plan does not say" in ran.out
    ran = desk.on(moved("SQL07", "HV02"))(*words)
    assert (ran.code, desk.sent) == (3, [])
    assert "SQL07 is no longer among the VMs that would move" in ran.out
    ran = desk.on(HEALTHY.vm("SQL07", priority=1000))(*words)
    assert (ran.code, desk.sent) == (3, [])
    assert "SQL07 would move Quick; the plan says Live" in ran.out


POLICY: Final = ("policy", "set", "Standard", "--vm", "SQL07", "WEB01")


def typed(vm: str, number: int) -> Small:
    return HEALTHY.vm(vm, record={"checkpoint_type": number})


OTHER_TYPES: Final[dict[str, tuple[Small | Facts, str]]] = {
    "type": (typed("SQL07", 4), "SQL07 is ProductionOnly; the plan says Production"),
    "done": (typed("WEB01", 5), "WEB01 has changed: it has Standard already"),
    "owner": (moved("WEB01", "HV03"), "WEB01 is on hv03; the plan says hv02"),
    "hold": (HEALTHY.vm("SQL07", status=1), "Locked"),
    "gone": (HEALTHY.but(vms=HEALTHY.vms[1:]), "SQL07"),
    "cluster": (HEALTHY.but(info={"id": guid("rebuilt")}), "the plan is for"),
}


@pytest.mark.parametrize("what", OTHER_TYPES)
def test_a_plan_of_values_whose_world_has_changed_is_refused_whole(what: str, desk: Desk) -> None:
    path = desk.written(*POLICY)
    now, said = OTHER_TYPES[what]
    ran = desk.on(now)("policy", "set", "Standard", "--apply", "--plan", str(path), "--confirm", "CLU-TEST")
    assert (ran.code, desk.sent) == (3, []), ran.out
    assert said.lower() in ran.out.lower()


def edit_change(**more: Any) -> Callable[[Json], None]:
    return lambda plan: plan["changes"][0].update(more)


VALUE_EDITS: Final[dict[str, tuple[Callable[[Json], None], str]]] = {
    "after": (edit_change(after="Disabled"), "would be Standard; the plan says Disabled"),
    "before": (edit_change(before="Disabled"), "is Production; the plan says Disabled"),
    "none": (lambda plan: plan.update(changes=[]), "would be changed now, which the plan does not say"),
    "nothing": (lambda plan: plan.update(changes=[], targets=[]), "the plan says nothing that it would change"),
    "fewer": (lambda plan: plan.update(changes=plan["changes"][:1]), "WEB01 would be changed now"),
    "others": (lambda plan: plan.update(targets=plan["targets"][:1]), "WEB01 has changed"),
    "unseen": (edited(seen={}), "the plan saw nothing"),
    "type": (edited(options={"type": "Disabled"}), "the plan is about"),
    "level": (edited(level="key", name="x"), "not confirmed: type CLU-TEST"),
}


@pytest.mark.parametrize("edit", VALUE_EDITS)
def test_what_a_file_of_values_was_edited_to_is_not_believed(edit: str, desk: Desk) -> None:
    path = desk.written(*POLICY)
    plan = json.loads(path.read_text(encoding="utf-8"))
    change, said = VALUE_EDITS[edit]
    change(plan)
    path.write_text(json.dumps(plan), encoding="utf-8")
    confirm = [] if edit == "level" else ["--confirm", "CLU-TEST"]
    ran = desk("policy", "set", "Standard", "--apply", "--plan", str(path), *confirm)
    assert (ran.code, desk.sent) == (3, []), ran.out
    assert said in ran.out + ran.err


def test_a_plan_of_values_that_still_holds_is_begun(desk: Desk) -> None:
    path = desk.written(*POLICY)
    ran = desk("policy", "set", "Standard", "--apply", "--plan", str(path), "--confirm", "CLU-TEST", "--jsonl")
    assert set(desk.sent) == {"Set-HvTuiCheckpointType"}, ran.out + ran.err
    lines = [checked("line", line) for line in ran.out.splitlines()]
    assert [line["kind"] for line in lines] == ["item", "item", "end"]
    assert {line["cluster"] for line in lines} == {"CLU-TEST"}
    assert lines[-1]["exit"] == ran.code


def test_what_is_held_at_the_last_moment_is_left_over_and_told(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def locked_late() -> None:
        nodes = desk.on(HEALTHY).nodes
        call, asked = nodes.call, list[str]()

        async def late(node: str, function: str, parameters: Any, **more: Any) -> Any:
            if (node, function) == ("HV02", "Get-HvTuiPreflight"):
                asked.append(node)
                if len(asked) == 2:
                    role = builders.role("WEB01", "HV02", status=1)
                    frame = builders.cluster_frame(roles=[role], kind="delta", seq=2)
                    nodes.state.apply_cluster(frame, builders.live())
            return await call(node, function, parameters, **more)

        monkeypatch.setattr(nodes, "call", late)

    locked_late()
    ran = desk(*POLICY, "--apply", "--confirm", "CLU-TEST", "--json")
    told = checked("run", ran.out)
    assert [item["target"]["name"] for item in told["items"]] == ["SQL07"]
    assert [one["vm"]["name"] for one in told["left"]] == ["WEB01"]
    assert "its role is locked" in told["left"][0]["refusals"][0]["text"]
    locked_late()
    ran = desk(*POLICY, "--apply", "--confirm", "CLU-TEST")
    assert "Left when it was about to begin: 1" in ran.out
    assert ran.code != 0


def test_a_cluster_after_another_and_one_that_cannot_be_read(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    second = CONFIG.replace("[clusters.test]", "[clusters.second]")
    desk.config.write_text(f"{CONFIG}actions = true\n{second}actions = true\n", encoding="utf-8")
    words = ("policy", "set", "Standard", "--filter", "sql", "--cluster", "test", "--cluster", "SECOND")
    ran = desk(*words, "--json")
    told = checked("clusters", ran.out)
    assert (ran.code, told["exit"]) == (0, 0)
    assert [(one["cluster"], one["told"]["verb"]) for one in told["clusters"]] == [
        ("test", "policy"),
        ("second", "policy"),
    ]
    ran = desk(*words)
    assert [line for line in ran.out.splitlines() if line.startswith("---")] == ["--- test ---", "--- second ---"]
    ran = desk(*words, "--apply", "--confirm", "another")
    assert (ran.code, desk.sent) == (3, []), "a name of something else is none of theirs"

    opened = sessions.open_session

    def fails(config: Any, cluster: Any, gate: Any) -> Any:
        if cluster.name == "test":
            raise Unreachable("nobody answers")
        return opened(config, cluster, gate)

    monkeypatch.setattr(sessions, "open_session", fails)
    ran = desk(*words, "--json")
    told = checked("clusters", ran.out)
    assert (ran.code, told["exit"]) == (2, 2)
    assert [one["error"] for one in told["clusters"]] == ["nobody answers", ""]
    assert [one["exit"] for one in told["clusters"]] == [2, 0]
    assert "test: nobody answers" in ran.err


def test_a_run_that_failed_keeps_the_clusters_after_it_from_being_begun(desk: Desk) -> None:
    second = CONFIG.replace("[clusters.test]", "[clusters.second]")
    desk.config.write_text(f"{CONFIG}actions = true\n{second}actions = true\n", encoding="utf-8")
    words = ("policy", "set", "Standard", "--vm", "SQL07", "--cluster", "test", "--cluster", "second")
    ran = desk(*words, "--apply", "--confirm", "SQL07", "--json")
    told = checked("clusters", ran.out)
    assert told["clusters"][0]["told"]["outcome"] in {"failed", "unknown"}
    assert told["clusters"][1] == {"cluster": "second", "exit": None, "error": "not begun", "told": None}
    assert "not begun: second" in ran.err
    assert len(desk.sent) == 1


CROWDED: Final = HEALTHY.but(vms=(*HEALTHY.vms, VmSpec("APP02", "HV01", ("Volume2",))))
"""Most VMs of Volume2 run on HV01; HV02 owns it."""


def test_the_csv_itself_moves_as_planned_or_not_at_all(desk: Desk) -> None:
    desk.on(CROWDED)
    path = desk.written("align", "--csv", "Volume2", "--move-csv")
    text = path.read_text(encoding="utf-8")
    words = ("align", "--apply", "--plan", str(path), "--confirm", "Volume2")
    assert desk("align", "--apply", "--plan", str(path)).code == 3, "it is typed"
    changes: list[tuple[Callable[[Json], None], str]] = [
        (lambda plan: plan["stages"][0].update(node="HV03"), "its steps would be others now: csv HV01"),
        (lambda plan: plan["stages"][0]["target"].update(id=guid("csv Volume1")), "its steps would be others now"),
        (lambda plan: plan.update(seen={}), "the plan saw nothing"),
    ]
    for change, said in changes:
        plan = json.loads(text)
        change(plan)
        path.write_text(json.dumps(plan), encoding="utf-8")
        ran = desk(*words)
        assert (ran.code, desk.sent) == (3, []), ran.out
        assert said in ran.out
    path.write_text(text, encoding="utf-8")
    desk.on(CROWDED.but(csvs={**CROWDED.csvs, "Volume2": "HV03"}))
    ran = desk(*words)
    assert (ran.code, desk.sent) == (3, [])
    assert "Volume2 has changed" in ran.out


def test_a_plan_is_about_what_was_typed(desk: Desk) -> None:
    path = desk.written("drain", "HV01")
    ran = desk("drain", "HV02", "--apply", "--plan", str(path), "--confirm", "HV02")
    assert (ran.code, desk.sent) == (3, [])
    assert "the plan is about HV01, which is not what was typed" in ran.err
    ran = desk("migrate", "APP01", "--apply", "--plan", str(desk.written(*MIGRATE)))
    assert (ran.code, desk.sent) == (3, [])


def test_memory_is_counted_afresh_and_leaves_out_only_what_no_longer_fits(desk: Desk) -> None:
    two = HEALTHY.vm("APP01", memory=16.0)
    desk.on(two)
    path = desk.written("migrate", "SQL07", "APP01", "--to", "HV02")
    desk.on(two.but(nodes={"HV01": 200.0, "HV02": 10.0, "HV03": 200.0}))
    ran = desk("migrate", "--apply", "--plan", str(path), "--confirm", "not this")
    assert (ran.code, desk.sent) == (3, [])
    assert "not confirmed" in ran.out
    assert "APP01 on HV01: it needs 16.0 GB" in ran.out
    (move,) = [line for line in ran.out.splitlines() if guid("SQL07") in line]
    assert "HV02" in move
    assert not [line for line in ran.out.splitlines() if guid("APP01") in line]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is not a plan"),
        ("[]", "is not a plan"),
        ('{"verb": "reboot"}', "is not a plan"),
        ("\ud800", "is not a plan"),
    ],
)
def test_what_is_no_plan_is_2(text: str, said: str, desk: Desk) -> None:
    path = desk.folder / "plan.json"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    ran = desk("migrate", "--apply", "--plan", str(path))
    assert ran.code == 2
    assert said in ran.err
    assert desk("migrate", "--apply", "--plan", str(desk.folder / "none.json")).code == 2
    assert desk(*MIGRATE, "-o", str(desk.folder / "no" / "such" / "folder.json")).code == 2


def test_a_plan_of_a_later_version_is_not_guessed_at(desk: Desk) -> None:
    path = desk.written(*MIGRATE)
    path.write_text(path.read_text(encoding="utf-8").replace('"version": 1', '"version": 2'), encoding="utf-8")
    ran = desk("migrate", "--apply", "--plan", str(path))
    assert ran.code == 2
    assert "version 2" in ran.err


# --- what was typed ---


def test_a_name_that_means_two_is_refused_with_their_ids(desk: Desk) -> None:
    desk.on(TWINS)
    ran = desk(*MIGRATE)
    assert ran.code == 3
    assert guid("SQL07") in ran.err
    assert f"{guid('sql07')} on HV03" in ran.err
    for spelled in (guid("sql07"), guid("sql07").upper(), f"{{{guid('sql07')}}}"):
        ran = desk("migrate", spelled, "--to", "HV02", "--json")
        assert ran.code == 0
        assert [move["source"] for move in checked("plan", ran.out)["moves"]] == ["HV03"]


@pytest.mark.parametrize("name", ["VM[1]", "VM*", "VM?", "[@click=x]", "a`$(b)", "-rf"])
def test_names_are_literal(name: str, desk: Desk) -> None:
    desk.on(HEALTHY.but(vms=(*HEALTHY.vms, VmSpec(name, "HV03", ("Volume3",)), VmSpec("VM1", "HV03", ("Volume3",)))))
    ran = desk("migrate", "--to", "HV02", "--json", "--", name)
    assert [move["vm"]["name"] for move in checked("plan", ran.out)["moves"]] == [name]


@pytest.mark.parametrize("words", [("migrate", "SQL0*"), ("migrate", "SQL08"), ("migrate", guid("nobody"))])
def test_a_name_that_means_nothing_is_refused(words: tuple[str, ...], desk: Desk) -> None:
    ran = desk(*words)
    assert (ran.code, desk.sent) == (3, [])
    assert "no VM" in ran.err


def test_a_vm_that_may_be_on_a_node_nobody_hears_is_said(desk: Desk) -> None:
    facts = HEALTHY.facts()
    facts.state.nodes["HV03"].vms = None
    ran = desk.on(facts)("migrate", "LOST")
    assert ran.code == 3
    assert "The VMs of HV03 could not be read" in ran.err


@pytest.mark.parametrize(
    "words",
    [
        ("migrate",),
        ("isolate", "--vm", "SQL07"),
        ("isolate", "--control", "SQL07"),
        ("drain",),
        ("resume", "HV01"),
        ("vmms", "--start", "HV01", "HV02"),
        ("drain", "HV01", "--override", "quorum"),
        ("drain", "HV01", "--timeout", "5m"),
        ("drain", "HV01", "--plan", "x.json"),
        ("drain", "HV01", "--apply", "--dry-run"),
        ("drain", "HV01", "--apply", "--plan", "x.json", "--override", "capacity"),
        ("align", "--csv", "Volume1", "--group", "sql"),
        ("align", "--csv", ""),
        ("align", "--group", "sql"),
        ("align", "--max-moves", "0"),
        ("align", "--save", "../x"),
        ("align", "--return", "x", "--save", "y"),
        ("policy",),
        ("policy", "set", "--all"),
        ("policy", "set", "Standrad", "--all"),
        ("policy", "set", "Standard"),
        ("policy", "set", "Standard", "--all", "--vm", "SQL07"),
        ("policy", "set", "Standard", "--all", "--jsonl"),
        ("policy", "set", "Standard", "--all", "--apply", "--json", "--jsonl"),
        ("policy", "set", "Standard", "--all", "--apply", "--confirm", "a", "--confirm", "b"),
        ("policy", "set", "Standard", "--all", "--cluster", "test", "--cluster", "other"),
        ("policy", "set", "Standard", "--all", "--cluster", "test", "--cluster", "test2", "-o", "x.json"),
        ("checkpoint", "take"),
        ("checkpoint", "list"),
        ("checkpoint", "start"),
        ("checkpoint", "apply", "--vm", "SQL07"),
        ("checkpoint", "remove", "--checkpoint", "x"),
        ("vssaccess", "set", "CORP\\svc", "1"),
        ("vssaccess", "set", "CORP\\svc", "4", "--all"),
        ("vssaccess", "set", "CORP\\svc", "--all"),
        ("vssaccess", "remove", "--all"),
    ],
)
def test_what_makes_no_sense_is_64(words: tuple[str, ...], desk: Desk) -> None:
    ran = desk(*words)
    assert (ran.code, ran.out, desk.sent) == (64, "", [])
    assert ran.err


def test_a_csv_that_is_not_there_is_refused_and_a_group_gathers_its_vms(desk: Desk) -> None:
    ran = desk("align", "--csv", "Volume9")
    assert ran.code == 3
    assert "CSVs: Volume1, Volume2, Volume3." in ran.err
    assert checked("plan", desk("align", "--csv", "volume2", "--json").out)["options"] == {"csv": "volume2"}
    desk.config.write_text(CONFIG + 'actions = true\ngroups = { job = ["SQL*", "WEB01"] }\n', encoding="utf-8")
    plan = checked("plan", desk("align", "--group", "job", "--json").out)
    assert len({move["destination"] for move in plan["moves"]}) == 1
    assert {move["vm"]["name"] for move in plan["moves"]} <= {"SQL07", "WEB01"}


def test_a_service_of_another_kind_says_who_hosts_it_and_why_not(desk: Desk) -> None:
    ran = desk("service", "HV01", "VMMS", "--apply", "--confirm", "VMMS on HV01")
    assert (ran.code, desk.sent) == (3, [])
    assert "by its own runbook" in ran.err
    desk.on(facts_for(Verb.SERVICE, HEALTHY))
    assert desk("service", "hv01", "vss").code == 0, "Windows makes no difference of case"


# --- confirmation ---


@pytest.mark.parametrize("confirm", [(), ("--confirm", ""), ("--confirm", "HV02"), ("--confirm", "CLU-TEST")])
def test_what_is_typed_in_the_console_needs_its_name_here(confirm: tuple[str, ...], desk: Desk) -> None:
    ran = desk("drain", "HV01", "--apply", *confirm)
    assert (ran.code, desk.sent) == (3, [])
    assert "not confirmed: type HV01" in ran.out
    assert "--confirm NAME" in ran.out


def test_the_dry_run_prints_the_name(desk: Desk) -> None:
    assert "--apply --confirm HV01" in desk("drain", "HV01").out
    assert "To do it: --apply\n" in desk(*MIGRATE).out


def test_on_a_protected_cluster_everything_is_typed(desk: Desk) -> None:
    desk.config.write_text(CONFIG + "actions = true\nprotected = true\n", encoding="utf-8")
    desk.on(replace(HEALTHY.facts(), protected=True))
    assert "--apply --confirm SQL07" in desk(*MIGRATE).out
    ran = desk(*MIGRATE, "--apply")
    assert (ran.code, desk.sent) == (3, [])
    assert "not confirmed: type SQL07" in ran.out


def test_a_name_of_something_else_refuses_also_where_none_is_needed(desk: Desk) -> None:
    ran = desk(*MIGRATE, "--apply", "--confirm", "CLU-OTHER")
    assert (ran.code, desk.sent) == (3, [])


def test_read_only_names_the_line_and_the_file(desk: Desk) -> None:
    desk.config.write_text(CONFIG, encoding="utf-8")
    ran = desk(*MIGRATE, "--apply")
    assert (ran.code, desk.sent) == (3, [])
    assert "`actions = true` is missing under [clusters.test]" in ran.out
    assert str(desk.config) in ran.out


def test_a_rule_that_an_expert_may_set_aside_is_offered_and_typed(desk: Desk) -> None:
    small = HEALTHY.vm("SQL07", more={"gpu": 1})
    ran = desk.on(small)("drain", "HV01")
    assert ran.code == 3
    assert "--override blocked" in ran.out
    ran = desk("drain", "HV01", "--override", "blocked", "--json")
    plan = checked("plan", ran.out)
    assert (ran.code, plan["overrides"], plan["level"]) == (0, ["blocked"], "typed")


def test_who_says_that_a_backup_was_stopped_is_in_the_journal(desk: Desk) -> None:
    stuck = HEALTHY.but(writers={HYPER_V_WRITER: (5, "Unexpected error")})
    ran = desk.on(stuck)("vmms", "HV01")
    assert ran.code == 3
    assert "--backup-stopped HV01" in ran.out
    assert desk("vmms", "HV01", "--backup-stopped", "HV02").code == 3, "another node's says nothing of this one"
    assert desk("vmms", "HV01", "--backup-stopped", "hv01").code == 0
    assert desk("vmms", "HV01", "--backup-stopped", "HV09").code == 3
    notes = [line.entry.target for line in Journal().lines(kinds=[Kind.NOTE])]
    assert notes == ["HV02", "HV01"]


# --- waiting ---


def test_waiting_gives_up_after_its_time_and_lists_what_stayed_held(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace.PACE, "held", 0.05)
    ran = desk.on(MERGING)(*MIGRATE, "--apply", "--wait", "--timeout", "0s")
    assert (ran.code, desk.sent) == (4, [])
    assert "Still held when --wait gave up:" in ran.out
    assert "a disk merge runs at 40%" in ran.out
    ran = desk(*MIGRATE, "--apply", "--wait", "--timeout", "0s", "--json")
    told = checked("run", ran.out)
    assert (ran.code, told["outcome"], told["exit"]) == (4, "refused", 4)
    assert [one["rule"] for one in told["held"]] == ["job"]


@pytest.mark.parametrize(
    "facts",
    [
        _fork(HEALTHY.vm("SQL07", more={"chain": AVHDX}).facts()),
        HEALTHY.vm("SQL07", more={"possible_owners": ["HV01"]}).facts(),
    ],
    ids=["a fork waits for Microsoft", "owners for a person"],
)
def test_what_time_does_not_mend_is_not_waited_for(facts: Facts, desk: Desk) -> None:
    ran = desk.on(facts)(*MIGRATE, "--wait", "--timeout", "9h")
    assert ran.code == 3


def test_every_command_has_its_plan_and_its_schema(desk: Desk) -> None:
    assert set(PLANS) == set(Verb)
    ran = desk.on(facts_for(Verb.SERVICE, HEALTHY))("service", "HV01", "VSS", "--json")
    assert checked("plan", ran.out)["verb"] == "service"
