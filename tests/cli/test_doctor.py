"""`hvtui doctor` names every planted fault, on its node, at its step, with something to run against it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from hvtui.lab.endpoint.node import DEFAULT_SESSION
from hvtui.lab.endpoint.runspace import RunspaceOptions
from hvtui.lab.pki import Authority, Certificate
from hvtui.lab.serve import Lab
from tests.support.cli import Ran, Shell


@pytest.fixture
def lab() -> Iterator[Lab]:
    with Lab("healthy", tls=True, speed=0) as lab:
        yield lab


def doctor(shell: Shell, folder: Path, lab: Lab, change: tuple[str, str] = ("", ""), *, verbose: bool = False) -> Ran:
    path = folder / "lab.toml"
    path.write_text(lab.config_text().replace(*change) if change[0] else lab.config_text(), encoding="utf-8")
    return shell("doctor", "--config", str(path), *(["--verbose"] if verbose else []))


def failures(printed: str) -> dict[str, list[tuple[str, str]]]:
    """Node → (failed step, all that was said of it, its fix included)."""
    found: dict[str, list[tuple[str, str]]] = {}
    node = ""
    for line in printed.splitlines():
        if re.match(r"[^ ✓]\S+$", line) or line.startswith("✓ "):
            node = line.split()[-1 if line[0] != "✓" else 1]
            found[node] = []
        elif line.startswith("  ✗ "):
            step, text = line[4:].split(maxsplit=1)
            found[node].append((step, text))
        elif line.startswith("      → ") and found[node]:
            step, text = found[node].pop()
            found[node].append((step, f"{text} → {line[8:]}"))
    return found


def certificate(lab: Lab, node: str, made: Certificate) -> None:
    served = lab.cluster.nodes[node]
    lab.node(node).stop()
    lab.on_loop(lambda: setattr(served, "tls", made.tls()))
    lab.node(node).start()


def test_a_healthy_cluster_is_fine(shell: Shell, tmp_path: Path, lab: Lab) -> None:
    ran = doctor(shell, tmp_path, lab)
    assert ran.code == 0
    assert "8 nodes: 8 fine, 0 not" in ran.out
    assert list(map(len, failures(ran.out).values())) == [0] * 8
    assert lab.logons[lab.username].failed == 0
    # A line for each node and one for all: 64 healthy nodes fit on a screen.
    assert len(ran.out.splitlines()) == 9
    every = doctor(shell, tmp_path, lab, verbose=True)
    assert every.out.count("✓ vssadmin") == 8


def test_each_of_six_planted_faults_is_named_with_its_remedy(shell: Shell, tmp_path: Path, lab: Lab) -> None:
    assert lab.cluster.authority is not None
    lab.node("HV02").stop()
    certificate(lab, "HV03", lab.cluster.authority.issue(expired=True))
    certificate(lab, "HV04", Authority("somebody else").issue())
    restricted = RunspaceOptions("none", "", frozenset(), "10.0.17763.1")
    lab.on_loop(lambda: lab.cluster.nodes["HV05"].options.sessions.update({DEFAULT_SESSION: restricted}))
    lab.call(lambda world: world.nodes["HV06"].faults.rights.update({"elevated", "cluster"}))
    lab.call(lambda world: setattr(world.nodes["HV07"], "clock_offset", 420.0))

    ran = doctor(shell, tmp_path, lab)
    found = failures(ran.out)
    assert ran.code == 1
    assert {node: [step for step, _ in steps] for node, steps in found.items()} == {
        "HV01": [],
        "HV02": ["port"],
        "HV03": ["TLS"],
        "HV04": ["TLS"],
        "HV05": ["module"],
        "HV06": ["cluster", "vssadmin"],
        "HV07": ["clock"],
        "HV08": [],
    }
    for node, words in {
        "HV02": ["nothing listens", "Enable-PSRemoting"],
        "HV03": ["expired", "New-Item WSMan:"],
        "HV04": ["not trusted", 'ca = "'],
        "HV05": ["Copy-Item", "WindowsPowerShell\\Modules\\HvTui"],
        "HV06": ["Grant-ClusterAccess", "-ReadOnly", "CSVs"],
        "HV07": ["ahead of", "w32tm /resync"],
    }.items():
        for word in words:
            assert word in found[node][0][1]
    assert "Administrators" in found["HV06"][1][1]


def test_a_wrong_password_is_tried_once_and_named(shell: Shell, tmp_path: Path, lab: Lab) -> None:
    ran = doctor(shell, tmp_path, lab, (lab.password, "wrong"))
    found = failures(ran.out)
    assert ran.code == 2
    assert lab.logons[lab.username].failed == 1
    assert lab.logons[lab.username].succeeded == 0
    assert all(steps[0][0] == "authentication" for steps in found.values())
    assert "Unlock-ADAccount oncall" in found["HV01"][0][1]
    assert "wrong" not in ran.out + ran.err


def test_a_locked_or_refused_account_is_told_apart(shell: Shell, tmp_path: Path, lab: Lab) -> None:
    account = lab.cluster.accounts.find("oncall")
    assert account is not None
    lab.on_loop(lambda: setattr(account, "allowed", False))
    found = failures(doctor(shell, tmp_path, lab).out)
    assert {steps[0][0] for steps in found.values()} == {"session"}
    assert "Remote Management Users" in found["HV01"][0][1]


def test_hanging_and_missing_services_are_not_called_unreachable(shell: Shell, tmp_path: Path, lab: Lab) -> None:
    lab.call(lambda world: setattr(world.nodes["HV02"].faults, "not_hyperv", True))
    found = failures(doctor(shell, tmp_path, lab).out)
    assert [step for step, _ in found["HV02"]] == ["Hyper-V"]
    assert "Install-WindowsFeature Hyper-V" in found["HV02"][0][1]


def test_a_node_without_an_address_is_shown_and_not_contacted(shell: Shell, tmp_path: Path, lab: Lab) -> None:
    line = next(line for line in lab.config_text().splitlines() if line.startswith('"HV08"'))
    ran = doctor(shell, tmp_path, lab, (line, ""))
    assert failures(ran.out)["HV08"][0][0] == "address"
    assert "addresses = { HV08" in ran.out
    assert lab.node("HV08").requests == 0


def test_a_node_that_accepts_and_never_answers(shell: Shell, tmp_path: Path, lab: Lab) -> None:
    lab.node("HV02").hang()
    ran = doctor(shell, tmp_path, lab)
    found = failures(ran.out)
    assert [step for step, _ in found["HV02"]] == ["WinRM"]
    assert "does not answer" in found["HV02"][0][1]
    assert found["HV01"] == []


def test_a_service_that_hangs_is_named(shell: Shell, tmp_path: Path, lab: Lab) -> None:
    lab.call(lambda world: setattr(world.nodes["HV02"].faults, "vmms_hung", True))
    found = failures(doctor(shell, tmp_path, lab).out)
    assert [step for step, _ in found["HV02"]] == ["Hyper-V"]
    assert "Get-Service vmms" in found["HV02"][0][1]


def test_without_an_installed_module_the_packaged_one_is_sent_where_scripts_run(shell: Shell, tmp_path: Path) -> None:
    with Lab("healthy", speed=0, installed=False) as plain:
        sent = doctor(shell, tmp_path, plain)
        every = doctor(shell, tmp_path, plain, verbose=True)
    assert sent.code == 0
    assert "messages are encrypted by the log-on" in every.out
    assert "packaged" in sent.out
    with Lab("healthy", speed=0, installed=False, language="constrained") as constrained:
        refused = doctor(shell, tmp_path, constrained)
    assert refused.code == 2
    assert {steps[0][0] for steps in failures(refused.out).values()} == {"module"}
