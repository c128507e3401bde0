"""Every rule of the registry refuses on the command line, too: nothing is sent, exit 3 (2: unread), journaled."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest

from hvtui.cli.verb_arguments import OVERRIDABLE
from hvtui.journal.entry import Kind
from hvtui.journal.store import Journal
from hvtui.operations import homes, rules
from hvtui.operations.plan import Move, Target, Verb
from tests.operations.test_rules import CASES, PLANS, Change, facts_for
from tests.support.acting import ActingFeed
from tests.support.builders import guid
from tests.support.cli import Ran, Shell
from tests.support.coming import AS_COMMAND
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
}
NAMES: Final = {
    Verb.DRAIN: "HV01",
    Verb.VMMS: "HV01",
    Verb.START_VMMS: "vmms on HV01",
    Verb.SERVICE: "VSS on HV01",
    Verb.RETURN: "SQL07",
}
"""What must be typed; the cluster's name for the others that are typed."""
ELSEWHERE: Final = frozenset({"busy", "changed", "not-drained"})
"""busy: one command runs one operation; changed: a plan file (test_acting_plans); not-drained: between two steps."""
UNREAD: Final = frozenset({"unread", "stale"})


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
    use_nodes(patch, nodes)
    return nodes


def apply(shell: Shell, verb: Verb, config: Path, *more: str) -> Ran:
    return shell(*COMMANDS[verb], *more, "--config", str(config), "--apply", "--confirm", NAMES.get(verb, "CLU-TEST"))


def test_every_rule_is_here_or_elsewhere() -> None:
    assert {case[0] for case in CASES} | ELSEWHERE == {rule.id for rule in rules.RULES}
    assert set(OVERRIDABLE) == set(rules.OVERRIDABLE)


@pytest.mark.parametrize("verb", AS_COMMAND)
def test_where_nothing_stands_against_it_it_is_begun(
    verb: Verb, config: Path, monkeypatch: pytest.MonkeyPatch, shell: Shell
) -> None:
    """So that what refuses below is the rule and nothing else."""
    nodes = arrange(("", verb, None, None), monkeypatch, config)
    dry = shell(*COMMANDS[verb], "--config", str(config), "--json")
    plan = checked("plan", dry.out)
    assert (dry.code, plan["refusals"], plan["verb"]) == (0, [], verb.value)
    assert nodes.sent == []


@pytest.mark.parametrize(
    "case",
    [case for case in CASES if case[0] not in ELSEWHERE and case[1] in AS_COMMAND],
    ids=lambda case: f"{case[0]}-{case[1].value}",
)
def test_a_rule_refuses(case: Case, config: Path, monkeypatch: pytest.MonkeyPatch, shell: Shell) -> None:
    verb = case[1]
    nodes = arrange(case, monkeypatch, config)
    dry = shell(*COMMANDS[verb], "--config", str(config), "--json")
    plan = checked("plan", dry.out)
    told = [*plan["refusals"], *(refusal for one in plan["left"] for refusal in one["refusals"])]
    texts = {refusal["text"] for refusal in told}
    assert texts
    refused = {one["vm"]["id"] for one in plan["left"] if one["refusals"]}
    assert not refused & {move["vm"]["id"] for move in plan["moves"]}
    if plan["moves"] and not plan["refusals"]:
        # Others of the batch may move; this one stays, and the exit code says that something is left.
        assert dry.code == 1
        return
    ran = apply(shell, verb, config)
    assert nodes.sent == []
    only_unread = {refusal["rule"] for refusal in told} <= UNREAD
    looked_for = verb is Verb.ALIGN and not plan["refusals"]
    assert ran.code == dry.code == (1 if looked_for else 2 if only_unread else 3), ran.out
    for text in texts:
        assert text.split(": ", 1)[-1] in ran.out
    if not looked_for:
        (line,) = Journal().lines(kinds=[Kind.REFUSED])
        assert line.entry.verb == verb.value
