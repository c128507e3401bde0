"""A plan in a file that a backup would forbid is held against VSS writers that are read for it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from tests.operations.test_rules import HEALTHY
from tests.support.acting import ActingFeed
from tests.support.cli import Shell
from tests.support.command_session import CONFIG, use_nodes


@pytest.mark.parametrize("words", [("drain", "HV03"), ("vmms", "HV03")])
def test_a_plan_from_a_file_reads_the_writers_before_it_is_judged(
    words: tuple[str, ...], shell: Shell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    facts = HEALTHY.facts()
    nodes = ActingFeed(facts=facts)
    config, plan = tmp_path / "hvtui.toml", tmp_path / "plan.json"
    config.write_text(CONFIG + "actions = true\n", encoding="utf-8")
    use_nodes(monkeypatch, nodes)
    assert shell(words[0], "--config", str(config), *words[1:], "-o", str(plan)).code in {0, 1}
    view = nodes.state.nodes["HV03"]
    assert view.writers is not None
    fresh, asked = view.writers, list[str]()
    view.writers = msgspec.structs.replace(fresh, read_at=None)

    def refresh(kind: str, node: str) -> None:
        if kind == "writers":
            asked.append(node)
            nodes.state.nodes[node].writers = msgspec.structs.replace(fresh)

    monkeypatch.setattr(nodes, "refresh", refresh)
    ran = shell(words[0], "--config", str(config), *words[1:], "--apply", "--plan", str(plan))
    assert "HV03" in asked
    assert "backup" not in ran.out, ran.out
