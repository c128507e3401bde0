"""What the journal knows of earlier consoles: what they left unfinished, what they stopped, whom they moved."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

from hvtui.errors import RemoteError
from hvtui.journal.entry import Entry
from hvtui.journal.store import JournalError
from hvtui.journal.unfinished import Unfinished, stopped_services, unfinished
from hvtui.operations.desk import Desk
from hvtui.operations.drained import DrainWatch
from hvtui.operations.facts import Was
from hvtui.operations.plan import OF_VMS
from hvtui.operations.policy_past import changed_by
from hvtui.operations.recovery import Truth, drains, plan_of, read_truth, services_of
from hvtui.operations.recovery_access import access_truth
from hvtui.operations.recovery_vms import vms_truth
from hvtui.operations.verbs.vss_access import VSSACCESS

_log = logging.getLogger(__name__)


@dataclass
class Past:
    """As it was last looked back. Event loop thread only."""

    desk: Desk
    left: list[Unfinished] = field(default_factory=list)
    """Operations of this cluster that a console began and did not end, oldest first."""
    stopped: dict[str, Entry] = field(default_factory=dict)
    """`NODE/service` in lower case → the line of the stop, for services that hvtui stopped and did not start again."""
    drains: DrainWatch = field(default_factory=DrainWatch)
    """Drains of this user's hvtui after which no resume of it came."""

    async def look(self) -> None:
        """Read it from the journal. One that cannot be read leaves what was known before."""
        cluster_id, _ = self.desk.audit.cluster()
        if not cluster_id:
            return
        try:
            read = self.desk.audit.read
            self.left = await read(lambda journal: unfinished(journal, cluster_id))
            self.stopped = await read(lambda journal: stopped_services(journal, cluster_id))
            self.drains.heard(await read(lambda journal: drains(journal, cluster_id)), self.desk.state)
        except JournalError as error:
            _log.warning("%s", error)

    async def read_back(self, one: Unfinished) -> Truth:
        """Read what became of an unfinished operation, and what is offered now. Nothing is run."""
        plan = plan_of(one)
        if plan is not None and plan.verb in VSSACCESS:
            return access_truth(one, plan, await self.desk.access_of(change.node for change in plan.changes))
        if plan is not None and plan.verb in OF_VMS:
            await self.desk.fresh(since=self.desk.now())
            return vms_truth(self.desk.state, one, plan, await self.desk.checkpoints_of(plan))
        services = {}
        for service in services_of(one):
            node, _, name = service.partition("/")
            try:
                services[service] = await self.desk.asker.service(node, name)
            except RemoteError as error:
                _log.info("%s: %s", service, error)
        await self.desk.fresh(since=self.desk.now())
        return read_truth(self.desk.state, one, services)

    async def types_of(self, operation: str) -> tuple[Was, ...]:
        """VMs whose checkpoint type an operation of this cluster changed; none when the journal cannot be read."""
        cluster_id, _ = self.desk.audit.cluster()
        try:
            return await self.desk.audit.read(lambda journal: changed_by(journal, cluster_id, operation))
        except JournalError as error:
            _log.warning("%s", error)
            return ()

    async def close(self, operation: str, note: str) -> None:
        """Mark an unfinished operation as closed, with a person's note. Raises JournalError."""
        one = next((one for one in self.left if one.operation == operation), None)
        if one is not None:
            await self.desk.audit.closed(operation, note, one.begun)
            await self.look()
