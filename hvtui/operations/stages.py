"""Words of `Stage.action`: the steps a runbook is made of. Plan builders write them, the runner carries them out."""

from __future__ import annotations

from typing import Final

DRAIN: Final = "drain"
STOP: Final = "stop"
"""Stop the service, after nothing is left on the node and no job runs there."""
START: Final = "start"
"""Start the service and verify: running with a new process, the same VMs, the Hyper-V writer back and stable."""
RESUME: Final = "resume"
"""Resume with the plan's failback, and verify that the roles are home."""
MOVE_CSV: Final = "csv"
"""Move a CSV (`Stage.target`) to the stage's node."""

RUNBOOK: Final = (DRAIN, STOP, START, RESUME)
