"""A console without a screen, as a process of its own: it begins the restart of VMMS on a node, to be killed meanwhile.

Its standard input has one JSON object: configuration, password, node, and the journal's folder.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from hvtui.clock import SystemClock
from hvtui.config import ClusterConfig
from hvtui.journal.store import Journal
from hvtui.live.monitor import Monitor
from hvtui.operations.audit import Actor
from hvtui.operations.pace import Pace
from hvtui.operations.plan import Verb
from hvtui.operations.run import Run
from hvtui.operations.service import Operations
from hvtui.remote.credentials import Credential, CredentialGate
from tests.live.conftest import QUICK
from tests.support.desk import node
from tests.support.wait import until


async def main() -> None:
    """Print every line of the run, and go on until somebody ends this process."""
    told = json.loads(sys.stdin.read())
    config = ClusterConfig(name="lab", actions=True, refresh=0.5, tls=False, auth="ntlm", **told["config"])
    gate = CredentialGate(Credential(config.username, told["password"]))
    monitor = Monitor(config, credentials=gate, timing=QUICK)
    await monitor.start()
    await until(lambda: len(monitor.state.nodes) == len(config.addresses), 60)
    await until(lambda: all(view.vms is not None for view in monitor.state.nodes.values()), 60)
    await until(lambda: monitor.state.cluster.roles is not None, 60)
    actor = Actor(user="bob", machine="PC8", pid=1, front="cli")
    pace = Pace(tick=0.5, poll=0.5, grace=3.0)
    operations = Operations(
        monitor, Journal(Path(told["journal"])), config=config, actor=actor, clock=SystemClock(), pace=pace
    )
    plan = await operations.plan(Verb.VMMS, [node(told["node"])])

    def tell(run: Run) -> None:
        sys.stdout.write(f"{run.state} {run.lines[-1].text if run.lines else ''}\n")
        sys.stdout.flush()

    operations.subscribe(tell)
    run = await operations.start(plan, confirmed=plan.name)
    await operations.wait(run)


if __name__ == "__main__":
    asyncio.run(main())
