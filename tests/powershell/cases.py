"""A table of cases that together reach every branch of the module, run in one engine session.

Mutation, coverage and the cultures run the same table; what each case must answer is in `answers.json`, word for word,
with every question that was asked. `python -m tests.powershell.answers` says what changed and writes it anew.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tests.powershell.case_actions import action_cases
from tests.powershell.case_calls import call_cases, event_cases
from tests.powershell.case_checkpoints import checkpoint_cases
from tests.powershell.case_clusters import cluster_cases
from tests.powershell.case_guests import guest_cases
from tests.powershell.case_kit import Case
from tests.powershell.case_nodes import node_cases
from tests.powershell.case_preflight import preflight_cases
from tests.powershell.case_signals import signal_cases

INSIDE: Final = Path(__file__).with_name("inside")
"""Scripts that run inside the module, one a case: values, errors and sizes that no node shows at will."""

CASES: Final = [
    *node_cases(),
    *cluster_cases(),
    *call_cases(),
    *event_cases(),
    *preflight_cases(),
    *action_cases(),
    *guest_cases(),
    *checkpoint_cases(),
    *signal_cases(),
    *(Case(f"inside: {f.stem}", script=f.read_text(encoding="utf-8")) for f in sorted(INSIDE.glob("*.ps1"))),
]
"""Names are unique; the order is that of `answers.json`."""
