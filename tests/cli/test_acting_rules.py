"""Every rule of the registry refuses on the command line, too: nothing is sent, exit 3 (2: unread), journaled."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest

from hvtui.cli.verb_arguments import OVERRIDABLE
from hvtui.journal.entry import Entry, Kind, Who
from hvtui.journal.store import Journal
from hvtui.model.records import ClusterInfo
from hvtui.operations import homes, rules
from hvtui.operations.plan import Move, Target, Verb
from tests.operations.test_rules import CASES, PLANS, Change, facts_for
from tests.support.acting import ActingFeed
from tests.support.builders import NOW, guid
from tests.support.cli import Ran, Shell
from tests.support.command_session import CONFIG, use_nodes
from tests.support.schemas import checked
from tests.support.small_clusters import Small

Case = tuple[str, Verb, Small | None, Change | None]

COMMANDS: Final[dict[Verb, tuple[str, ...]]] = {
    Verb.MIGRATE: ("migrate", "SQL07", "--to", "HV02"),
    Verb.CANCEL: ("cancel", "APP01"),
    Verb.ISOLATE: ("isolate", "--vm", "SQL07", "--control", "WEB01", "--node", "HV03"),
    Verb.RETURN: ("return", "kept"),
    Verb.ALIGN: ("align",),
    Verb.DRAIN: ("drain", "HV01"),
    Verb.RESUME: ("resume", "HV01", "--failback", "immediate"),
    Verb.VMMS: ("vmms", "HV01"),
    Verb.START_VMMS: ("vmms", "--start", "HV01"),
    Verb.SERVICE: ("service", "HV01", "VSS"),
    Verb.POLICY: ("policy", "set", "Standard", "--vm", "SQL07", "WEB01"),
    Verb.POLICY_UNDO: ("policy", "undo", "0b5e"),
    Verb.CHECKPOINT: ("checkpoint", "take", "--vm", "SQL07", "--name", "before the update"),
    Verb.APPLY: ("checkpoint", "apply", "--vm", "SQL07", "--checkpoint", "before"),
    Verb.REMOVE: ("checkpoint", "remove", "--vm", "SQL07", "--checkpoint", guid("one")),
    Verb.START_VM: ("checkpoint", "start", "--vm", "SQL07"),
    Verb.VSSACCESS: ("vssaccess", "set", "CORP\\svc-backup", "writer", "--node", "hv01"),
    Verb.VSSACCESS_REMOVE: ("vssaccess", "remove", "CORP\\old", "--node", "HV01"),
    Verb.VSSACCESS_UNDO: ("vssaccess", "undo"),
}
NAMES: Final = {
    Verb.DRAIN: "HV01",
    Verb.VMMS: "HV01",
    Verb.START_VMMS: "vmms on HV01",
    Verb.SERVICE: "VSS on HV01",
    Verb.RETURN: "SQL07",
    Verb.POLICY_UNDO: guid("SQL07"),
    Verb.APPLY: "SQL07",
    Verb.REMOVE: "SQL07",
    Verb.VSSACCESS: "HV01",
    Verb.VSSACCESS_REMOVE: "HV01",
    Verb.VSSACCESS_UNDO: "HV01",
}
"""What must be typed; the cluster's name for the others that are typed."""
ELSEWHERE: Final = frozenset({"busy", "changed", "not-drained", "vss-value"})
"""busy: one command runs one operation; changed: a plan file (test_acting_plans); not-drained: between two steps;
vss-value: a value that is typed (test_values_lab).
"""
UNREAD: Final = frozenset({"unread", "stale", "vss-unread"})
NAMES_NOBODY: Final = frozenset({("checkpoint", Verb.APPLY), ("checkpoint", Verb.REMOVE)})
"""Rule and verb of which some cases leave nothing that could be named: that is refused before there is a plan."""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "hvtui.toml"
    path.write_text(CONFIG + "actions = true\n", encoding="utf-8")
    return path


def arrange(case: Case, patch: pytest.MonkeyPatch, config: Path) -> ActingFeed:
    """The case's cluster behind the commands."""
    rule, verb, small, change = case
    facts = facts_for(verb, small or PLANS[verb][0])
    if change is not None:
        facts = change(facts)
    nodes = ActingFeed(facts=facts)
    if rule == "read-only":
        config.write_text(CONFIG, encoding="utf-8")
    info = facts.state.cluster.info
    assert info is not None
    move = Move(
        vm=Target(kind="vm", id=guid("SQL07"), name="SQL07"), source="HV02", destination="HV01", state=2, type="Live"
    )
    homes.keep(info.id, info.name, "kept", [move], time=datetime.now(UTC))
    keep_past(verb, info)
    use_nodes(patch, nodes)
    return nodes


def keep_past(verb: Verb, info: ClusterInfo) -> None:
    """What the journal has to tell for a verb that undoes something."""
    access = {"Account": "CORP\\old", "ExpectValue": 1, "Value": 2}
    steps: dict[Verb, tuple[Verb, str, dict[str, Any], str]] = {
        Verb.POLICY_UNDO: (Verb.POLICY, "Set-HvTuiCheckpointType", {"VM": f"{guid('SQL07')}:5:3"}, guid("SQL07")),
        Verb.VSSACCESS_UNDO: (Verb.VSSACCESS, "Set-HvTuiVssAccess", access, "HV01/CORP\\old"),
    }
    if verb not in steps:
        return
    undone, function, requested, target = steps[verb]
    kind = "vm" if verb is Verb.POLICY_UNDO else "vssaccess"
    fields: dict[str, Any] = {
        "time": NOW,
        "who": Who(user="alice", account="", machine="PC7", pid=1, front="cli"),
        "operation": "0b5e8a52-7c1c-4f0e-9d53-0d2f4d1c7b77",
        "cluster_id": info.id,
        "cluster": info.name,
        "verb": undone.value,
    }
    call: dict[str, Any] = {
        "call": "c1",
        "node": "HV01",
        "function": function,
        "requested": requested,
        "target_kind": kind,
        "target_id": target,
        "target": "CORP\\old on HV01",
    }
    with closing(Journal()) as journal:
        journal.open()
        fields["session"] = journal.session
        journal.append(Entry(kind=Kind.BEGUN, **fields))
        journal.append(Entry(kind=Kind.STEP, **fields, **call))
        journal.append(Entry(kind=Kind.OUTCOME, outcome="done", **fields, **call))
        if kind == "vm":
            told = {**fields, **call, "call": "", "before": {"type": 5}, "after": {"type": 3}}
            journal.append(Entry(kind=Kind.OUTCOME, outcome="done", **told))
        journal.append(Entry(kind=Kind.ENDED, outcome="done", **fields))


def apply(shell: Shell, verb: Verb, config: Path, name: str) -> Ran:
    return shell(*COMMANDS[verb], "--config", str(config), "--apply", "--confirm", name or "CLU-TEST")


def test_every_rule_is_here_or_elsewhere() -> None:
    assert {case[0] for case in CASES} | ELSEWHERE == {rule.id for rule in rules.RULES}
    assert set(OVERRIDABLE) == set(rules.OVERRIDABLE)


@pytest.mark.parametrize("verb", list(Verb))
def test_where_nothing_stands_against_it_it_is_begun(
    verb: Verb, config: Path, monkeypatch: pytest.MonkeyPatch, shell: Shell
) -> None:
    """So that what refuses below is the rule and nothing else."""
    nodes = arrange(("", verb, None, None), monkeypatch, config)
    dry = shell(*COMMANDS[verb], "--config", str(config), "--json")
    plan = checked("plan", dry.out)
    assert (dry.code, plan["refusals"], plan["verb"]) == (0, [], verb.value)
    assert plan["level"] == "key" or plan["name"] == NAMES.get(verb, "CLU-TEST")
    assert nodes.sent == []


@pytest.mark.parametrize(
    "case",
    [case for case in CASES if case[0] not in ELSEWHERE],
    ids=lambda case: f"{case[0]}-{case[1].value}",
)
def test_a_rule_refuses(case: Case, config: Path, monkeypatch: pytest.MonkeyPatch, shell: Shell) -> None:
    verb = case[1]
    nodes = arrange(case, monkeypatch, config)
    dry = shell(*COMMANDS[verb], "--config", str(config), "--json")
    if (case[0], verb) in NAMES_NOBODY and not dry.out:
        assert dry.code in {2, 3}
        assert (apply(shell, verb, config, "").code, nodes.sent) == (dry.code, [])
        return
    plan = checked("plan", dry.out)
    told = [*plan["refusals"], *(refusal for one in plan["left"] for refusal in one["refusals"])]
    texts = {refusal["text"] for refusal in told}
    assert texts
    refused = {one["vm"]["id"] for one in plan["left"] if one["refusals"]}
    assert not refused & {move["vm"]["id"] for move in plan["moves"]}
    assert not refused & {change["target"]["id"] for change in plan["changes"]}
    if (plan["moves"] or plan["changes"]) and not plan["refusals"]:
        # Others of the batch may move; this one stays, and the exit code says that something is left.
        assert dry.code == 1
        return
    ran = apply(shell, verb, config, plan["name"])
    assert nodes.sent == []
    only_unread = {refusal["rule"] for refusal in told} <= UNREAD
    looked_for = verb is Verb.ALIGN and not plan["refusals"]
    assert ran.code == dry.code == (1 if looked_for else 2 if only_unread else 3), ran.out
    for text in texts:
        assert text.split(": ", 1)[-1] in ran.out
    if not looked_for:
        (line,) = Journal().lines(kinds=[Kind.REFUSED])
        assert line.entry.verb == verb.value
