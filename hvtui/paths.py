"""Where hvtui keeps its files on this system."""

from __future__ import annotations

from pathlib import Path

import platformdirs


def config_dir() -> Path:
    """Directory of the configuration file and the user's own themes."""
    return platformdirs.user_config_path("hvtui", appauthor=False)


def config_file() -> Path:
    """The configuration that is read when no other is named."""
    return config_dir() / "hvtui.toml"


def state_dir() -> Path:
    """Directory of what hvtui remembers between runs: pinned cluster ids."""
    return platformdirs.user_state_path("hvtui", appauthor=False)


def log_file() -> Path:
    """The log for faults of hvtui itself."""
    return platformdirs.user_log_path("hvtui", appauthor=False) / "hvtui.log"
