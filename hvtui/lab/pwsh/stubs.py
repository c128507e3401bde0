"""Stub sets: what a real PowerShell engine needs to run HvTui as on one version of Windows.

A stub set is a folder in the cache, named by the hash of everything it is made from and made once: the compiled
assembly with the types and commands, a module folder each for FailoverClusters, Hyper-V, CimCmdlets and HvTuiWindows,
the programs vssadmin.exe and fltmc.exe, and the replacement of HvTui's calls that only Windows has. The commands ask
the lab through the control channel named by `HVTUI_LAB_CONTROL` (address) and `HVTUI_LAB_TOKEN` (node and session).
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import platformdirs

from hvtui.lab.pwsh import binding, cim_facts, csharp

_HERE: Final = Path(__file__).parent
_RUNTIME: Final = _HERE / "runtime"
MODULE: Final = _HERE.parents[1] / "powershell" / "HvTui"
_MODULES: Final = {
    "FailoverClusters": "2.0.0.0",
    "Hyper-V": "2.0.0.0",
    "CimCmdlets": "1.0.0.0",
    "HvTuiWindows": "1.0.0.0",
}
_PROGRAMS: Final = ("vssadmin.exe", "fltmc.exe")
_COMPILE_SECONDS: Final = 300
# The oldest build of each version; what is older than all of them is taken for the oldest.
_BUILDS: Final = ((26100, "2025"), (20348, "2022"), (17763, "2019"), (0, "2016"))
VERSIONS: Final = ("2016", "2019", "2022", "2025")


class StubsFailed(Exception):
    """The engine could not compile the stubs; the text is the engine's."""


@dataclass(frozen=True)
class StubSet:
    """The folders of one version's stubs."""

    version: str
    root: Path

    @property
    def bin(self) -> Path:
        """The folder of vssadmin.exe and fltmc.exe, for the session's PATH."""
        return self.root / "bin"

    @property
    def replacement(self) -> Path:
        """What stands in for HvTui's Private/Windows.ps1."""
        return self.root / "Windows.ps1"

    @property
    def installed(self) -> Path:
        """A module path entry with HvTui as on a node where it is installed."""
        return self.root / "installed"

    def module_paths(self, *, without: Iterable[str] = (), installed: bool = True) -> list[Path]:
        """Entries of PSModulePath: each Windows module has one of its own, so that a node can lack one."""
        paths = [self.root / "modules" / name for name in _MODULES if name not in set(without)]
        return [*paths, self.installed] if installed else paths

    def environment(
        self, control: str, token: str, *, without: Iterable[str] = (), installed: bool = True
    ) -> dict[str, str]:
        """What a session's environment must hold beside the engine's own; PATH and PSModulePath are whole values."""
        paths = self.module_paths(without=without, installed=installed)
        return {
            "HVTUI_LAB_CONTROL": control,
            "HVTUI_LAB_TOKEN": token,
            "HVTUI_LAB_BIN": str(self.bin),
            "PATH": os.pathsep.join((str(self.bin), os.environ.get("PATH", ""))),
            "PSModulePath": os.pathsep.join(str(path) for path in paths),
            # What the engine learns about the modules' commands: kept with them, not in the user's home.
            "PSModuleAnalysisCachePath": str(self.root / "ModuleAnalysisCache"),
            "POWERSHELL_TELEMETRY_OPTOUT": "1",
            "POWERSHELL_UPDATECHECK": "Off",
        }


def version_of(build: str) -> str:
    """The version whose stubs a node of this build (`10.0.17763.5329`) has."""
    number = int(build.split(".")[2])
    return next(version for least, version in _BUILDS if number >= least)


def find_engine() -> str | None:
    """The PowerShell engine: `HVTUI_PWSH`, else pwsh on the PATH; None without one."""
    return os.environ.get("HVTUI_PWSH") or shutil.which("pwsh")


def stub_set(version: str, *, pwsh: str, cache: Path | None = None, module: Path = MODULE) -> StubSet:
    """The stub set of a Windows version, compiled if it is not in the cache; `module` is the HvTui to install there.

    The cache is the folder `cache`, else `HVTUI_LAB_STUBS`, else the user's. Raises StubsFailed when the engine cannot
    compile the set.
    """
    base = cache or _cache()
    facts = _facts()
    engine = Path(shutil.which(pwsh) or pwsh).resolve()
    files = {path.name: path.read_bytes() for path in sorted(_RUNTIME.iterdir()) if path.is_file()}
    commands = binding.commands(*facts, version)
    texts = csharp.Source(*facts, version).texts(commands)
    classes = cim_facts.classes_text(*facts)
    parts = [
        version,
        sys.executable,
        str(engine),
        str(engine.stat().st_mtime_ns),
        *texts.values(),
        classes,
        *_MODULES.values(),
    ]
    for path in (_HERE / "stubs.py", *sorted(one for one in module.rglob("*") if one.is_file())):
        files[str(path)] = path.read_bytes()
    root = base / f"{version}-{_hash(parts, files)}"
    found = StubSet(version, root)
    if not root.is_dir():
        base.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix="making-", dir=base))
        try:
            _make(StubSet(version, made), texts, commands, pwsh=str(engine), module=module)
            _put(made, root)
        finally:
            shutil.rmtree(made, ignore_errors=True)
    return found


def _cache() -> Path:
    named = os.environ.get("HVTUI_LAB_STUBS")
    return Path(named) if named else platformdirs.user_cache_path("hvtui", appauthor=False) / "stubs"


def _facts() -> tuple[dict[str, Any], dict[str, Any]]:
    extract = json.loads((_HERE / "extract.json").read_text(encoding="utf-8"))
    supplement = json.loads((_RUNTIME / "supplement.json").read_text(encoding="utf-8"))
    return extract, supplement


def _hash(parts: Iterable[str], files: dict[str, bytes]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.encode() + b"\0")
    for name, data in files.items():
        digest.update(name.encode() + b"\0" + data + b"\0")
    return digest.hexdigest()[:16]


def _put(made: Path, root: Path) -> None:
    """Moves a finished set to its place; another process that was faster made the same."""
    try:
        made.rename(root)
    except OSError:
        if not root.is_dir():
            raise


def _make(stubs: StubSet, texts: dict[str, str], commands: list[binding.Command], *, pwsh: str, module: Path) -> None:
    root = stubs.root
    for name, text in texts.items():
        (root / f"{name}.cs").write_text(text, encoding="utf-8")
    _compile(root, pwsh)
    for name in texts:
        (root / f"{name}.cs").unlink()
    extract, supplement = _facts()
    (root / "cim.json").write_text(cim_facts.classes_text(extract, supplement), encoding="utf-8")
    shutil.copy(_RUNTIME / "Windows.ps1", stubs.replacement)
    for name, number in _MODULES.items():
        _write_manifest(root, name, number, [command.name for command in commands if command.module == name])
        (root / "modules" / name / name / "types.ps1xml").write_text(
            csharp.types_xml(name, supplement["members"]), encoding="utf-8"
        )
    stubs.bin.mkdir()
    for name in _PROGRAMS:
        _write_program(stubs.bin, name)
    copy_module(module, stubs.installed / "HvTui", stubs)


def copy_module(source: Path, target: Path, stubs: StubSet) -> None:
    """HvTui as it would be installed on a node of the lab: with the replacement of its Windows-only calls."""
    shutil.copytree(source, target)
    shutil.copy(stubs.replacement, target / "Private" / "Windows.ps1")


def _compile(root: Path, pwsh: str) -> None:
    environment = {**os.environ, "POWERSHELL_TELEMETRY_OPTOUT": "1", "POWERSHELL_UPDATECHECK": "Off"}
    done = subprocess.run(
        [
            pwsh,
            "-NoLogo",
            "-NoProfile",
            "-NonInteractive",
            "-File",
            str(_RUNTIME / "compile.ps1"),
            str(_RUNTIME),
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
    text = (_RUNTIME / "program.py").read_text(encoding="utf-8")
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
