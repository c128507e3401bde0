"""Stub sets: what a real PowerShell engine needs to run HvTui as on one version of Windows.

A stub set is a folder in the cache, named by the hash of everything it is made from and made once: the compiled types
and commands, a module folder each for FailoverClusters, Hyper-V, CimCmdlets and HvTuiWindows, the programs vssadmin.exe
and fltmc.exe, and the replacement of HvTui's calls that only Windows has; beside it, by a hash of its own, HvTui as an
installation has it. The commands ask the lab through the control channel named by `HVTUI_LAB_CONTROL` (address) and
`HVTUI_LAB_TOKEN` (node and session).
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import platformdirs

from hvtui.lab.pwsh.stub_files import HERE, MODULES, REPLACEMENT, RUNTIME, install, write_stubs

MODULE: Final = HERE.parents[1] / "powershell" / "HvTui"
# The oldest build of each version; what is older than all of them is taken for the oldest.
_BUILDS: Final = ((26100, "2025"), (20348, "2022"), (17763, "2019"), (0, "2016"))
# What a stub set is made by, beside the runtime's texts.
_SOURCES: Final = frozenset(
    {"binding.py", "cim_facts.py", "csharp.py", "extract.json", "program.py", "stub_files.py", "supplement.json"}
)
# Only folders of this kind are ever removed from the cache.
_KINDS: Final = re.compile(r"((20\d\d|HvTui)-[0-9a-f]{16}|making-\w+)$")
_KEPT_SECONDS: Final = 14 * 24 * 3600
VERSIONS: Final = ("2016", "2019", "2022", "2025")


@dataclass(frozen=True)
class StubSet:
    """The folders of one version's stubs; `installed` is a module path entry with HvTui as an installation has it."""

    version: str
    root: Path
    installed: Path

    @property
    def bin(self) -> Path:
        """The folder of vssadmin.exe and fltmc.exe, for the session's PATH."""
        return self.root / "bin"

    @property
    def replacement(self) -> Path:
        """What stands in for HvTui's Private/Windows.ps1."""
        return self.root / REPLACEMENT

    def module_paths(self, *, without: Iterable[str] = (), installed: bool = True) -> list[Path]:
        """Entries of PSModulePath: each Windows module has one of its own, so that a node can lack one."""
        paths = [self.root / "modules" / name for name in MODULES if name not in set(without)]
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
    engine = Path(shutil.which(pwsh) or pwsh).resolve()
    sources = sorted(one for folder in (HERE, RUNTIME) for one in folder.iterdir() if one.name in _SOURCES)
    sources += sorted(one for one in RUNTIME.iterdir() if one.suffix in (".cs", ".ps1"))
    made_by = (version, sys.executable, str(engine), str(engine.stat().st_mtime_ns))
    root = base / f"{version}-{_hash(made_by, sources, HERE)}"
    _once(root, lambda folder: write_stubs(folder, version, str(engine)))
    files = sorted(one for one in module.rglob("*") if one.is_file())
    kept = base / f"HvTui-{_hash((), [*files, RUNTIME / REPLACEMENT], module)}"
    _once(kept, lambda folder: install(module, folder / "HvTui"))
    return StubSet(version, root, kept)


def _cache() -> Path:
    named = os.environ.get("HVTUI_LAB_STUBS")
    return Path(named) if named else platformdirs.user_cache_path("hvtui", appauthor=False) / "stubs"


def _hash(parts: Iterable[str], files: Iterable[Path], base: Path) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.encode() + b"\0")
    for path in files:
        name = path.relative_to(base).as_posix() if path.is_relative_to(base) else path.name
        digest.update(name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def _once(place: Path, make: Callable[[Path], None]) -> None:
    """Makes a folder beside its place and moves it there; another process that was faster made the same."""
    if place.is_dir():
        with contextlib.suppress(OSError):
            # Says that it is in use; a cache that cannot be written to is as good.
            os.utime(place)
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix="making-", dir=place.parent))
    try:
        make(made)
        made.rename(place)
    except OSError:
        if not place.is_dir():
            raise
    finally:
        shutil.rmtree(made, ignore_errors=True)
    _forget(place.parent)


def _forget(cache: Path) -> None:
    """Removes what nobody has used for long, older versions' sets and what a killed process left half made."""
    for folder in cache.iterdir():
        # Another process may be at the same.
        with contextlib.suppress(OSError):
            if _KINDS.match(folder.name) and time.time() - folder.stat().st_mtime > _KEPT_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)
