"""Settings of the property tests: the same examples in every run, and no verdict by a slow machine's clock."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("steady", deadline=None, derandomize=True, database=None)
settings.load_profile("steady")
