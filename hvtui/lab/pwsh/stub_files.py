"""Makes the files of a stub set: compiled commands and types, module manifests, programs, the installed HvTui."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from hvtui.lab.pwsh import binding, cim_facts, csharp

HERE: Final = Path(__file__).parent
RUNTIME: Final = HERE / "runtime"
MODULES: Final = {
    "FailoverClusters": "2.0.0.0",
    "Hyper-V": "2.0.0.0",
    "CimCmdlets": "1.0.0.0",
    "HvTuiWindows": "1.0.0.0",
}
REPLACEMENT: Final = "Windows.ps1"
_PROGRAMS: Final = ("vssadmin.exe", "fltmc.exe")
_COMPILE_SECONDS: Final = 300


class StubsFailed(Exception):
    """The engine could not compile the stubs; the text is the engine's."""


def write_stubs(root: Path, version: str, pwsh: str) -> None:
    """Everything of a version but HvTui, into an empty folder. Raises StubsFailed."""
    extract = json.loads((HERE / "extract.json").read_text(encoding="utf-8"))
    supplement = json.loads((RUNTIME / "supplement.json").read_text(encoding="utf-8"))
    commands = binding.commands(extract, supplement, version)
    texts = csharp.Source(extract, supplement, version).texts(commands)
    for name, text in texts.items():
        (root / f"{name}.cs").write_text(text, encoding="utf-8")
    _compile(root, pwsh)
    for name in texts:
        (root / f"{name}.cs").unlink()
    (root / "cim.json").write_text(cim_facts.classes_text(extract, supplement), encoding="utf-8")
    shutil.copy(RUNTIME / REPLACEMENT, root / REPLACEMENT)
    for name, number in MODULES.items():
        _write_manifest(root, name, number, [command.name for command in commands if command.module == name])
        (root / "modules" / name / name / "types.ps1xml").write_text(
            csharp.types_xml(name, supplement["members"]), encoding="utf-8"
        )
    (root / "bin").mkdir()
    for name in _PROGRAMS:
        _write_program(root / "bin", name)


def install(source: Path, target: Path) -> None:
    """HvTui as it would be installed on a node of the lab: with the replacement of its Windows-only calls."""
    shutil.copytree(source, target)
    shutil.copy(RUNTIME / REPLACEMENT, target / "Private" / REPLACEMENT)


def _compile(root: Path, pwsh: str) -> None:
    environment = {**os.environ, "POWERSHELL_TELEMETRY_OPTOUT": "1", "POWERSHELL_UPDATECHECK": "Off"}
    done = subprocess.run(
        [
            pwsh,
            "-NoLogo",
            "-NoProfile",
            "-NonInteractive",
            "-File",
            str(RUNTIME / "compile.ps1"),
            str(RUNTIME),
            str(root),
        ],
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
        env=environment,
        timeout=_COMPILE_SECONDS,
        check=False,
    )
    if done.returncode != 0 or not (root / "HvTuiLab.dll").is_file():
        raise StubsFailed((done.stdout + done.stderr).strip()[-4000:])


def _write_manifest(root: Path, name: str, number: str, commands: list[str]) -> None:
    folder = root / "modules" / name / name
    folder.mkdir(parents=True)
    listed = [*commands, "Get-HvTuiLabFact"] if name == "HvTuiWindows" else commands
    exports = "\n".join(f"        '{one}'" for one in sorted(listed))
    (folder / f"{name}.psd1").write_text(
        f"""@{{
    RootModule        = '{_shared(f"{name}.dll")}'
    ModuleVersion     = '{number}'
    GUID              = '{_guid(name)}'
    RequiredAssemblies = @('{_shared("HvTuiLab.dll")}')
    TypesToProcess    = @('types.ps1xml')
    FunctionsToExport = @()
    VariablesToExport = @()
    AliasesToExport   = @()
    CmdletsToExport   = @(
{exports}
    )
}}
""",
        encoding="utf-8",
    )


def _shared(name: str) -> str:
    return os.path.join("..", "..", "..", name)  # noqa: PTH118 - a text in a manifest, not a file of this process


def _guid(name: str) -> str:
    digest = hashlib.sha256(f"hvtui lab {name}".encode()).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:32]}"


def _write_program(folder: Path, name: str) -> None:
    """A program of Windows: a script that asks the lab. Windows itself needs a command file to start one."""
    text = (RUNTIME / "program.py").read_text(encoding="utf-8")
    if os.name == "nt":
        script = folder / f"{name}.py"
        script.write_text(text, encoding="utf-8")
        (folder / f"{name.removesuffix('.exe')}.cmd").write_text(
            f'@"{sys.executable}" -I -S "{script}" %*\r\n', encoding="utf-8"
        )
        return
    path = folder / name
    path.write_text(f"#!{sys.executable} -IS\n{text}", encoding="utf-8")
    path.chmod(0o755)
