"""`hvtui config`."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from hvtui.cli.configure import TEMPLATE
from hvtui.config_file import parse_config
from hvtui.live.pins import Pins
from hvtui.paths import config_file, state_dir
from tests.support.cli import Shell

SECRET = """\
allow_plain_password = true
[clusters.prod]
seeds = ["HV01"]
addresses = { HV01 = "127.0.0.1:5986" }
username = 'CORP\\alice'
password = { plain = "geheim" }
actions = true
verify = false
windows = [{ start = "22:00", end = "04:00", zone = "Europe/Berlin" }]
[clusters.other]
seeds = ["HV09"]
template = "{node}.corp.example"
password = { command = "vault read geheim" }
"""


def test_init_writes_a_file_that_is_fine_and_never_overwrites(shell: Shell) -> None:
    assert shell("config", "check").code == 2
    ran = shell("config", "init")
    assert ran.code == 0
    assert str(config_file()) in ran.out
    assert shell("config", "check").code == 0
    assert stat.S_IMODE(config_file().stat().st_mode) & 0o077 == 0
    again = shell("config", "init")
    assert again.code == 64
    assert "is there already" in again.err
    assert config_file().read_text(encoding="utf-8") == TEMPLATE


def test_the_example_in_the_template_is_valid_when_uncommented(tmp_path: Path) -> None:
    (tmp_path / "corp-ca.pem").write_text("x")
    # Explanations have a space behind the `#`, settings have none.
    lines = [line[1:] if line.startswith("#") and not line.startswith("# ") else line for line in TEMPLATE.splitlines()]
    config = parse_config("\n".join(lines), tmp_path / "hvtui.toml")
    assert config.cluster().seeds == ("HV01", "HV02")
    assert config.cluster().windows


def test_show_prints_everything_but_secrets(shell: Shell, tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text(SECRET)
    ran = shell("config", "show", "--config", str(path))
    assert ran.code == 0
    assert "geheim" not in ran.out + ran.err
    for part in ("plain (hidden)", "command vault …", "CORP\\alice", "22:00–04:00 Europe/Berlin", "127.0.0.1:5986"):
        assert part in ran.out
    one = shell("--config", str(path), "config", "show", "other")
    assert "HV09" in one.out
    assert "HV01" not in one.out


def test_check_reports_all_problems_and_warns(shell: Shell, tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text(SECRET)
    ran = shell("config", "check", "--config", str(path))
    assert ran.code == 0
    for part in ("any machine can pose as a node", "in clear", "not `protected`"):
        assert part in ran.out
    path.write_text(SECRET.replace("seeds", "seds") + "nonsense = 1\n")
    broken = shell("config", "check", "--config", str(path))
    assert broken.code == 64
    assert [line.split(": ")[1] for line in broken.err.splitlines() if str(path) + ":" in line] == [
        f"{path}:{n}" for n in (2, 3, 10, 11, 14)
    ]


def test_path_says_where_everything_is(shell: Shell, home: Path) -> None:
    ran = shell("config", "path")
    assert ran.code == 0
    assert ran.out.count(str(home)) == 4
    assert "(not there yet)" in ran.out


@pytest.mark.parametrize("action", ["check", "path", "init"])
def test_a_cluster_where_none_belongs(action: str, shell: Shell) -> None:
    assert shell("config", action, "prod").code == 64


def test_a_file_that_cannot_be_written_is_no_crash(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ran = shell("config", "init", "--config", str(tmp_path / "file" / "c.toml"))
    assert ran.code == 2
    assert "cannot be written" in ran.err


def test_a_new_id_is_accepted_by_one_command(shell: Shell, tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text(SECRET)
    pins = Pins(state_dir(), path)
    pins.pin("prod", "11111111-1111-1111-1111-111111111111")
    nothing = shell("config", "accept-id", "prod", "--config", str(path))
    assert nothing.code == 1
    assert "nothing to accept" in nothing.out
    pins.offer("prod", "22222222-2222-2222-2222-222222222222")
    ran = shell("config", "accept-id", "PROD", "--config", str(path))
    assert ran.code == 0
    assert "1111 → 22222222" in ran.out
    assert pins.get("prod") == "22222222-2222-2222-2222-222222222222"
    assert Pins(state_dir(), tmp_path / "other.toml").get("prod") is None
    assert shell("config", "accept-id", "--config", str(path)).code == 64
    assert shell("config", "accept-id", "prodd", "--config", str(path)).code == 64
