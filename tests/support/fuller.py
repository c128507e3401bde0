"""Tests that take too long for every run; the fuller one has them (`HVTUI_TEST_FULLER=1`)."""

from __future__ import annotations

import os
from typing import Final

import pytest

FULLER: Final = bool(os.environ.get("HVTUI_TEST_FULLER"))
in_fuller_run: Final = pytest.mark.skipif(not FULLER, reason="in the fuller run only: HVTUI_TEST_FULLER=1")
