"""What holds for every command: exit codes, speed of start, pipes, faults of hvtui itself."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import hvtui
from hvtui.cli import explain, main
from hvtui.cli.arguments import COMMANDS, Arguments, parse
from hvtui.errors import UsageError
from hvtui.paths import log_file
from tests.support.cli import Shell, program
from tests.support.schemas import schemas

README = Path(__file__).resolve().parents[2] / "README.md"


def parsed(*words: str) -> Arguments:
    arguments = Arguments()
    parse(words, arguments)
    return arguments


@pytest.mark.parametrize(
    ("words", "command", "cluster"),
    [
        ([], "console", ""),
        (["prod"], "console", "prod"),
        (["--config", "demo", "prod"], "console", "prod"),
        (["--theme", "light", "prod"], "console", "prod"),
        (["--config", "demo"], "console", ""),
        (["--", "demo"], "console", "demo"),
        (["console", "demo"], "console", "demo"),
        (["status", "prod"], "status", "prod"),
        (["--config", "f", "status", "prod", "--json"], "status", "prod"),
        (["status", "prod", "--config", "f"], "status", "prod"),
    ],
)
def test_what_is_typed_means(words: list[str], command: str, cluster: str) -> None:
    arguments = parsed(*words)
    assert (arguments.command, arguments.cluster) == (command, cluster)
    assert (arguments.config is not None) == ("--config" in words)


@pytest.mark.parametrize("words", [["demo"], ["lab"]])
def test_where_a_simulation_starts(words: list[str]) -> None:
    arguments = parsed(*words, "--at", "1.5h", "--speed", "0", "--scenario", "drift")
    assert (arguments.at, arguments.speed, arguments.scenario) == (5400.0, 0.0, "drift")
    assert parsed(*words, "--at", "60m").at == parsed(*words, "--at", "60").at == parsed(*words, "--at", "3600s").at


@pytest.mark.parametrize(
    "words",
    [
        ["demo", "--speed", "-1"],
        ["demo", "--speed", "nan"],
        ["demo", "--at", "soon"],
        ["demo", "--at", "-5m"],
        ["lab", "--port", "70000"],
        ["status", "--json", "--plain"],
        ["status", "--jso"],
        ["config"],
        ["config", "edit"],
        ["status", "a", "b"],
        ["--config"],
        ["--nonsense"],
    ],
)
def test_wrong_usage_is_64_on_standard_error(words: list[str], shell: Shell) -> None:
    ran = shell(*words)
    assert ran.code == 64
    assert ran.out == ""
    assert "--help" in ran.err
    with pytest.raises(UsageError):
        parsed(*words)


def test_version_and_help() -> None:
    ran = program("--version")
    assert (ran.code, ran.out.strip()) == (0, f"hvtui {hvtui.__version__}")
    shown = program("--help")
    assert shown.code == 0
    assert "examples:" in shown.out
    for command in COMMANDS:
        assert re.search(rf"^    {command} ", shown.out, re.MULTILINE)
        assert program(command, "--help").out.startswith(f"usage: hvtui {command}")


@pytest.mark.parametrize("words", [["--version"], ["explain", "-", "--json"], ["config", "path"]])
def test_quick_commands_import_nothing_heavy(words: list[str]) -> None:
    code = (
        "import sys\nfrom hvtui.cli.main import main\n"
        f"try: main({words!r})\nexcept SystemExit: pass\n"
        "print([m for m in ('asyncio', 'pypsrp', 'rich', 'textual', 'requests', 'ssl') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], input="[1]", capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_one_picture_needs_no_terminal_library(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text('[clusters.x]\nseeds = ["N"]\naddresses = { N = "127.0.0.1:1" }\ntls = false\n')
    code = (
        "import sys\nfrom hvtui.cli.main import main\n"
        f"code = main(['status', '--json', '--config', {str(path)!r}])\n"
        "print([m for m in ('rich', 'textual', 'aiohttp', 'hvtui.lab') if m in sys.modules], int(code))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines()[-1] == "[] 2"


def test_a_fault_of_hvtui_is_70_and_keeps_no_secret(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(data: bytes) -> None:
        secret = "geheim"
        raise RuntimeError(f"cannot log on with {secret}") from ValueError(secret)

    monkeypatch.setattr(explain, "recognise", broken)
    path = tmp_path / "w.txt"
    path.write_text("geheim")
    ran = shell("explain", str(path))
    kept = log_file().read_text(encoding="utf-8")
    assert ran.code == 70
    assert str(log_file()) in ran.err
    assert "RuntimeError from builtins.ValueError" in kept
    assert "in broken" in kept
    assert "geheim" not in kept + ran.err + ran.out


def test_ctrl_c_ends_without_a_trace(shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(data: bytes) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(explain, "recognise", interrupted)
    path = tmp_path / "w.txt"
    path.write_text("x")
    ran = shell("explain", str(path))
    assert (ran.code, ran.out, ran.err) == (130, "", "")


def test_a_reader_that_leaves_is_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "w.txt"
    path.write_text("Writer {66841cd4-6ded-4f4b-8f17-fd23f8ddc3de}\n" * 1500)
    with subprocess.Popen(
        [sys.executable, "-m", "hvtui", "explain", str(path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.close()
        complaint = running.stderr.read()
        running.wait(60)
    assert b"Traceback" not in complaint
    assert b"BrokenPipe" not in complaint
    assert running.returncode == 0


@pytest.mark.parametrize(("words", "code"), [(("align",), 0), (("align", "--apply"), 1)])
def test_nothing_is_called_done_that_nobody_was_told_of(
    words: tuple[str, ...], code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def left(_: object) -> int:
        raise BrokenPipeError

    monkeypatch.setattr(main, "_run", left)
    monkeypatch.setattr("os.dup2", lambda *_: None)
    assert main.main(words) == code


def test_the_readme_names_every_command_and_the_two_lines() -> None:
    text = README.read_text(encoding="utf-8")
    for command in COMMANDS:
        assert command == "console" or f"hvtui {command}" in text, command
    assert re.search(r"^python3\.11 -m venv \.venv && .*&& \.venv/bin/hvtui demo$", text, re.MULTILINE)
    assert re.search(r"^python3\.11 -m venv \.venv && .*&& \.venv/bin/python -m tests$", text, re.MULTILINE)


def test_what_the_readme_points_to_is_there() -> None:
    text = README.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        if "://" not in target:
            assert (README.parent / target).exists(), target


def test_the_keys_the_readme_names_exist() -> None:
    from hvtui.ui.actions import ACTIONS

    section = README.read_text(encoding="utf-8").partition("## Keys")[2].partition("\n## ")[0]
    named = set(re.findall(r"`([^`]+)`", section)) - {"field:value", "-word"}
    known = {key for action in ACTIONS for key in action.keys}
    assert named <= known, named - known
    assert len(named) > 20


def test_schemas_are_schemas() -> None:
    from jsonschema import Draft202012Validator

    for schema in schemas().values():
        Draft202012Validator.check_schema(schema)
        assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
