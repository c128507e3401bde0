"""How plans are carried out, one module for each kind of run."""

from __future__ import annotations

from typing import Final, Protocol

from hvtui.operations.desk import Desk
from hvtui.operations.plan import Plan, Verb
from hvtui.operations.run import Run, RunState
from hvtui.operations.runs.cancel import CancelRun
from hvtui.operations.runs.checkpoints import CheckpointRun
from hvtui.operations.runs.drain import DrainRun
from hvtui.operations.runs.moves import MoveRun
from hvtui.operations.runs.policy import PolicyRun
from hvtui.operations.runs.resume import ResumeRun
from hvtui.operations.runs.services import ServiceRun, StartRun
from hvtui.operations.runs.vmms import VmmsRun
from hvtui.operations.runs.vss_access import VssAccessRun


class Runner(Protocol):
    """Carries out one kind of plan. It holds nothing of a run itself."""

    def lay_out(self, run: Run) -> None:
        """Fill in the run's items and stages before it begins."""
        ...

    async def run(self, desk: Desk, run: Run) -> RunState:
        """Carry it out. Raises GivenUpError, JournalError and RemoteError when it cannot go on."""
        ...


_RUNNERS: Final[dict[Verb, Runner]] = {
    Verb.MIGRATE: MoveRun(),
    Verb.ISOLATE: MoveRun(),
    Verb.RETURN: MoveRun(),
    Verb.ALIGN: MoveRun(),
    Verb.CANCEL: CancelRun(),
    Verb.DRAIN: DrainRun(),
    Verb.RESUME: ResumeRun(),
    Verb.VMMS: VmmsRun(),
    Verb.START_VMMS: StartRun(),
    Verb.SERVICE: ServiceRun(),
    Verb.POLICY: PolicyRun(),
    Verb.POLICY_UNDO: PolicyRun(),
    Verb.CHECKPOINT: CheckpointRun(),
    Verb.APPLY: CheckpointRun(),
    Verb.REMOVE: CheckpointRun(),
    Verb.START_VM: CheckpointRun(),
    Verb.VSSACCESS: VssAccessRun(),
    Verb.VSSACCESS_REMOVE: VssAccessRun(),
    Verb.VSSACCESS_UNDO: VssAccessRun(),
}


def runner_of(plan: Plan) -> Runner:
    """Who carries out plans of this verb."""
    return _RUNNERS[plan.verb]
