"""vssadmin.exe and fltmc.exe of a stub set, and the calls of HvTui that only Windows has."""

from __future__ import annotations

import base64
import os
import subprocess
from pathlib import Path

import pytest

from hvtui.lab.pwsh import stub_files, stubs
from tests.engine.stub_control import StubControl
from tests.engine.stub_session import EngineSession, engine

pytestmark = pytest.mark.usefixtures("forgotten")


@pytest.fixture(scope="module")
def found() -> stubs.StubSet:
    """The stub set of Server 2022."""
    return stubs.stub_set("2022", pwsh=engine())


def _program(found: stubs.StubSet, control: StubControl, *arguments: str) -> subprocess.Popen[bytes]:
    environment = {**os.environ, **found.environment(control.address, "token of HV01")}
    return subprocess.Popen(
        [str(found.bin / arguments[0]), *arguments[1:]],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
    )


def test_a_program_writes_in_the_oem_code_page_and_ends_with_the_answers_code(
    found: stubs.StubSet, control: StubControl
) -> None:
    control.answers["vssadmin.exe"] = {"output": ["Rédacteur : 'é'\r\n"], "codepage": 850, "exit": 2, "stderr": "é"}
    with _program(found, control, "vssadmin.exe", "list", "writers") as child:
        out, err = child.communicate(timeout=30)
    assert (out, err, child.returncode) == ("Rédacteur : 'é'\r\n".encode("cp850"), "é".encode("cp850"), 2)
    assert control.of("vssadmin.exe")[0]["parameters"] == {"Arguments": ["list", "writers"]}
    assert control.of("vssadmin.exe")[0]["token"] == "token of HV01"


def test_bytes_go_through_as_they_are(found: stubs.StubSet, control: StubControl) -> None:
    control.answers["fltmc.exe"] = {"output": [{"$bytes": base64.b64encode(b"\xff\x00\x81").decode()}]}
    with _program(found, control, "fltmc.exe") as child:
        assert child.communicate(timeout=30)[0] == b"\xff\x00\x81"


def test_a_hanging_program_ends_when_it_is_killed_and_its_line_closes(
    found: stubs.StubSet, control: StubControl
) -> None:
    control.answers["vssadmin.exe"] = None
    closed = control.closed_lines
    with _program(found, control, "vssadmin.exe", "list", "writers") as child:
        assert control.wait_for(lambda: bool(control.of("vssadmin.exe")))
        child.kill()
        child.communicate(timeout=30)
    assert child.returncode != 0
    assert control.wait_for(lambda: control.closed_lines > closed)


def test_hvtui_reads_writers_through_the_program_and_ends_it_at_its_deadline(
    found: stubs.StubSet, control: StubControl, tmp_path: Path
) -> None:
    control.answers.update(
        {
            "HvTui:NodeName": {"output": ["HV01"]},
            "HvTui:Now": {"output": [{"$date": "2026-01-02T03:04:05.678Z"}]},
            "HvTui:OemCodePage": {"output": ["850"]},
            "HvTui:Elevated": {"output": [True]},
            "vssadmin.exe": {"output": ["Schriftsteller ö\r\n"], "codepage": 850},
        }
    )
    with EngineSession(found, tmp_path, control.address) as session:
        text = session.run("Import-Module HvTui; Get-HvTuiWriter -TimeoutSeconds 60")[0]
        assert '"text":"Schriftsteller ö\\u000d\\u000a","exit_code":0,"timed_out":false' in text
        assert '"time":"2026-01-02T03:04:05.678Z"' in text
        control.answers["vssadmin.exe"] = None
        closed = control.closed_lines
        assert '"timed_out":true' in session.run("Get-HvTuiWriter -TimeoutSeconds 5")[0]
        assert control.wait_for(lambda: control.closed_lines > closed)


def test_hvtuis_own_calls_ask_the_lab(found: stubs.StubSet, control: StubControl, tmp_path: Path) -> None:
    control.answers.update(
        {
            "HvTui:BuildNumber": {"output": ["20348"]},
            "HvTui:StartTime": {"output": [{"$date": "2026-01-02T03:04:05Z"}]},
        }
    )
    with EngineSession(found, tmp_path, control.address) as session:
        shown = session.run(
            "Import-Module HvTui; & (Get-Module HvTui) { Get-HvTuiBuildNumber; $one = Get-HvTuiStartTime -Id 4711; "
            "[string]$one.Kind; $one.ToString('s'); (Get-HvTuiEncoding -CodePage 850).WebName; "
            "(Get-HvTuiElapsed) -gt 0 }"
        )
        assert shown == ["20348", "Utc", "2026-01-02T03:04:05", "ibm850", True]
        assert control.of("HvTui:StartTime")[0]["parameters"] == {"Id": 4711}
        control.answers["HvTui:Elevated"] = {
            "errors": [{"message": "no", "exception": "System.UnauthorizedAccessException", "id": "x"}]
        }
        assert (
            session.fails("& (Get-Module HvTui) { Test-HvTuiElevation }").type == "System.UnauthorizedAccessException"
        )


def test_the_replacement_defines_every_call_of_the_module_it_replaces(found: stubs.StubSet) -> None:
    original = stubs.MODULE / "Private" / "Windows.ps1"
    assert _functions(original) == _functions(found.replacement)


def _functions(path: Path) -> list[str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return [line.split()[1] for line in lines if line.startswith("function ")]


def test_a_node_can_lack_a_module_or_have_hvtui_not_installed(
    found: stubs.StubSet, control: StubControl, tmp_path: Path
) -> None:
    with EngineSession(found, tmp_path, control.address, without=("Hyper-V",), installed=False) as session:
        shown = session.run("(Get-Module -ListAvailable -Name Hyper-V, FailoverClusters, HvTui).Name")
        assert shown == ["FailoverClusters"]
        assert session.fails("Get-VM").id == "CommandNotFoundException"


@pytest.mark.parametrize(
    ("build", "version"),
    [
        ("10.0.14393.5501", "2016"),
        ("10.0.17763.5329", "2019"),
        ("10.0.20348.2227", "2022"),
        ("10.0.26100.1", "2025"),
        ("6.3.9600.0", "2016"),
    ],
)
def test_a_nodes_build_decides_its_version(build: str, version: str) -> None:
    assert stubs.version_of(build) == version


def test_a_set_is_compiled_once_and_another_hvtui_is_installed_beside_it(found: stubs.StubSet, tmp_path: Path) -> None:
    assert stubs.stub_set("2022", pwsh=engine()) == found
    changed = tmp_path / "HvTui"
    stub_files.install(stubs.MODULE, changed)
    other = stubs.stub_set("2022", pwsh=engine(), module=changed)
    assert (other.root, other.installed != found.installed) == (found.root, True)


def test_what_nobody_used_for_long_leaves_the_cache_and_nothing_else_does(tmp_path: Path) -> None:
    old, other = tmp_path / "2019-0123456789abcdef", tmp_path / "somebody's"
    for folder in (old, other):
        folder.mkdir()
        os.utime(folder, (0, 0))
    fake = tmp_path / "pwsh"
    fake.write_text('#!/bin/sh\nfor target; do :; done\necho > "$target/HvTuiLab.dll"\n', encoding="utf-8")
    fake.chmod(0o755)
    made = stubs.stub_set("2019", pwsh=str(fake), cache=tmp_path)
    assert {one.name for one in tmp_path.iterdir() if one.is_dir()} == {made.root.name, made.installed.name, other.name}


def test_an_engine_that_cannot_compile_is_told_with_its_own_words(tmp_path: Path) -> None:
    broken = tmp_path / "pwsh"
    broken.write_text("#!/bin/sh\necho out of memory >&2\nexit 3\n", encoding="utf-8")
    broken.chmod(0o755)
    with pytest.raises(stub_files.StubsFailed, match="out of memory"):
        stubs.stub_set("2022", pwsh=str(broken), cache=tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []
