"""`python -m tests [pytest arguments]`: set-up, import contracts, then every test.

The set-up fetches pypsrp's source distribution, whose recorded WinRM exchanges the lab is held against. It is the one
step that uses the network; without it that one test skips and says why.
"""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache"
LONG = ("engine", "e2e", "chaos", "ui", "cli", "powershell", "operations", "lab", "live", "remote")
"""Folders whose files take long, longest first."""


def fetch_recordings() -> None:
    """Put pypsrp's source distribution into `.cache/`, once."""
    release = version("pypsrp")
    if any(CACHE.glob(f"pypsrp-{release}*.tar.gz")):
        return
    CACHE.mkdir(exist_ok=True)
    wanted = ["--no-deps", "--no-binary", "pypsrp", "--dest", str(CACHE), f"pypsrp=={release}"]
    done = subprocess.run(
        [sys.executable, "-m", "pip", "download", "--quiet", *wanted], check=False, capture_output=True, text=True
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["no reason given"]
        print(f"set-up: pypsrp's recordings could not be fetched ({lines[-1]}); their test will skip")  # noqa: T201


def check_imports() -> int:
    """Hold the packages against the import contracts of pyproject.toml."""
    code = "from importlinter.cli import lint_imports_command as run; run(['--no-cache', '--no-logo'])"
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode


def in_order() -> list[str]:
    """Every folder of tests, the long ones first."""
    found = sorted(path.parent.name for path in (ROOT / "tests").glob("*/__init__.py"))
    return [f"tests/{name}" for name in sorted(found, key=lambda name: (*LONG, name).index(name))]


def run_tests(arguments: list[str]) -> int:
    """Run pytest, one file per process at a time, so that what a file's tests share is started once.

    Folders whose files take long come first, and those of quick ones last, so that one more worker than processors
    has something to do and none ends long after the others.
    """
    workers = str(min(4, 1 + (os.cpu_count() or 1)))
    spread = ["-n", workers, "--dist", "loadfile", "--no-loadscope-reorder"]
    folders = [] if any(not argument.startswith("-") for argument in arguments) else in_order()
    command = [sys.executable, "-m", "pytest", *spread, "-q", *arguments, *folders]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


def main() -> int:
    """Run every step even when one fails; the status is pytest's, else the contracts'."""
    fetch_recordings()
    contracts = check_imports()
    return run_tests(sys.argv[1:]) or contracts


if __name__ == "__main__":
    sys.exit(main())
