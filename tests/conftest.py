"""What holds for every test: no network but 127.0.0.1, no file of the user's, no colour or size from the terminal."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.support.engine_count import EngineCount
from tests.support.fuller import FULLER
from tests.support.guard import netguard

GUARD = Path(netguard.__file__).parent
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "ftp_proxy")
TERMINAL = ("NO_COLOR", "FORCE_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "COLUMNS", "LINES", "TMUX", "COLORTERM")
HOMES = {
    "HOME": "",
    "USERPROFILE": "",
    "XDG_CONFIG_HOME": "config",
    "XDG_STATE_HOME": "state",
    "XDG_DATA_HOME": "data",
    "XDG_CACHE_HOME": "cache",
    "APPDATA": "roaming",
    "LOCALAPPDATA": "local",
}

netguard.install()

# Property tests: the same examples in every run, and no verdict by a slow machine's clock; new ones in the fuller run.
settings.register_profile("steady", deadline=None, derandomize=True, database=None)
settings.register_profile("fuller", deadline=None, print_blob=True)
settings.load_profile("fuller" if FULLER else "steady")


def pytest_configure(config: pytest.Config) -> None:
    """Here, as the process that gives the tests out to others reads no conftest further down."""
    config.pluginmanager.register(EngineCount(), "engine count")


def _guarded(home: Path) -> dict[str, str]:
    """Variables that give this process and its children a home of their own and the network guard."""
    paths = [str(GUARD), *(p for p in os.environ.get("PYTHONPATH", "").split(os.pathsep) if p and p != str(GUARD))]
    return {
        **{name: str(home / folder) for name, folder in HOMES.items()},
        "PYTHONPATH": os.pathsep.join(paths),
        netguard.LOG_VARIABLE: str(home / "network-attempts.log"),
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
        "TERM": "xterm-256color",
        # Made from the sources and named by their hash: compiled once, not once a test.
        "HVTUI_LAB_STUBS": str(Path(__file__).parents[1] / ".cache" / "stubs"),
    }


@pytest.fixture(scope="session", autouse=True)
def _clean_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """For fixtures that live longer than a test: the same redirections, one home for the whole session."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.lower() in PROXIES or name in TERMINAL:
                patch.delenv(name)
        for name, value in _guarded(tmp_path_factory.mktemp("session-home")).items():
            patch.setenv(name, value)
        yield


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh home directory for this test: configuration, pins and logs never touch the user's own."""
    folder = tmp_path_factory.mktemp("home")
    for name, value in _guarded(folder).items():
        monkeypatch.setenv(name, value)
    return folder


@pytest.fixture(autouse=True)
def guard_log(home: Path, _clean_environment: None) -> Iterator[Path]:
    """Fails the test when it, or a child process of it, tried to reach another machine or to resolve a name."""
    log = home / "network-attempts.log"
    netguard.attempts(log)
    yield log
    tried = netguard.attempts(log)
    if tried:
        pytest.fail("the network was used: " + "; ".join(tried), pytrace=False)
