"""These tests need a pseudo-terminal, which Python has on POSIX systems only."""

from __future__ import annotations

import os

collect_ignore_glob = ["test_*.py"] if os.name == "nt" else []
