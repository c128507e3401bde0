"""Findings while the console runs: looks at most once a second, keeps acknowledgements, says what a key is about."""

from __future__ import annotations

import asyncio
import logging
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hvtui.config import ClusterConfig
from hvtui.errors import HvtuiError
from hvtui.findings.engine import BUDGET, EVERY, Engine
from hvtui.findings.finding import Finding
from hvtui.findings.kept import acknowledged_path
from hvtui.findings.look import Answers
from hvtui.findings.standing import Acknowledged, Standing
from hvtui.live.feed import Feed
from hvtui.model.change import Change
from hvtui.text import natural
from hvtui.ui.action import Action
from hvtui.ui.actions import by_id
from hvtui.ui.pointed import Pointed

if TYPE_CHECKING:
    from hvtui.operations.service import Operations

_LOG = logging.getLogger(__name__)

ASK_AGAIN: Final = 1800.0
"""Seconds after which a rule's wish is asked of the same node or VM again."""
AT_ONCE: Final = 8
"""Wishes asked in one go."""
PANES: Final = {"node": "nodes", "csv": "csvs", "vm": "vms"}
"""Kind of a target → the pane that lists it."""


class FindingWatch:
    """One for the console. Event loop thread only. `folder` keeps acknowledgements; None: in memory only."""

    def __init__(
        self,
        feed: Feed,
        operations: Operations | None = None,
        config: ClusterConfig | None = None,
        folder: Path | None = None,
    ) -> None:
        self.feed = feed
        self.engine = Engine(config)
        self.every = EVERY
        """Seconds between two looks, by the reader's own clock."""
        self.budget: float | None = BUDGET
        """Seconds that a look may work; None: no limit."""
        self.version = 0
        """Grows whenever the findings are others."""
        self.looked_at: float | None = None
        """When the last look was, by the feed's monotonic clock."""
        self._operations = operations
        self._folder = folder
        self._kept = ""
        self._asked: dict[tuple[str, str], float] = {}
        self._work: asyncio.Task[None] | None = None
        self._paced = float("-inf")

    # --- looking ---

    def note(self, change: Change) -> None:
        """Remember what changed for the next look."""
        self.engine.note(change)

    def look(self) -> bool:
        """Look, when the last look is a second ago by the reader's own clock; True when the findings are others."""
        if time.monotonic() - self._paced < self.every:
            return False
        began = time.monotonic()
        self._remember()
        now = self.feed.clock.monotonic()
        changed = self.engine.look(self.feed.state, now, self._answers(), budget=self.budget)
        self.looked_at = now
        self._paced = began
        self._ask_for_more(now)
        self.version += changed
        return changed

    def _ask_for_more(self, now: float) -> None:
        """What a rule would like to know is asked once, and again only after a long time: it is no watching."""
        left: dict[tuple[str, str], None] = {}
        nodes: dict[str, list[str]] = {"access": [], "fork": []}
        room = AT_ONCE
        for what, key in self.engine.wanted:
            if now - self._asked.get((what, key), float("-inf")) < ASK_AGAIN:
                continue
            busy = what in nodes and (self._work is not None or self._operations is None)
            if not room or busy:
                left[what, key] = None
                continue
            room -= 1
            self._asked[what, key] = now
            if what in nodes:
                nodes[what].append(key)
            else:
                self.feed.refresh("chain" if what == "chain" else "signals", key)
        self.engine.wanted = left
        if any(nodes.values()) and self._operations is not None:
            self._work = asyncio.create_task(self._read(self._operations, nodes), name="read for findings")

    def restart(self) -> None:
        """The time was turned back: what was found and remembered is of the future."""
        self.engine = Engine(self.engine.config, self.engine.acknowledged)
        self.version += 1
        self._paced = float("-inf")

    def close(self) -> None:
        """Ask nothing more."""
        if self._work is not None:
            self._work.cancel()

    async def _read(self, operations: Operations, nodes: dict[str, list[str]]) -> None:
        try:
            await operations.read_access(nodes["access"])
            await operations.read_fork_signs(nodes["fork"])
        except HvtuiError as error:
            _LOG.info("what findings asked for: %s", error)
        finally:
            self._work = None
        # The rule that wanted it is asked anew.
        self.engine.ask_again("cluster", "")

    def _remember(self) -> None:
        """Acknowledgements are read once it is known which cluster this is."""
        info = self.feed.state.cluster.info
        if info is not None and info.id != self._kept:
            self._kept = info.id
            if self._folder is not None:
                self.engine.know(Acknowledged.load(acknowledged_path(info.id, self._folder)))

    def _answers(self) -> Answers:
        operations = self._operations
        if operations is None:
            return Answers()
        asked, node_name = operations.asked, self.feed.state.node_name
        return Answers(
            preflight={node_name(node): answer for node, (_, answer) in asked.preflight.items()},
            fork={node_name(node): answer for node, (_, answer) in asked.fork.items()},
            vss_access={node_name(node): answer for node, (_, answer) in asked.access.items()},
            checkpoints={vm: answer for vm, (_, answer) in asked.checkpoints.items()},
            guests=operations.guest_knowledge.rows(),
            backup_stopped=operations.backups_said(),
        )

    # --- what was found ---

    def standing(self, key: str) -> Standing | None:
        """What stands under a finding's key."""
        return next((one for one in self.engine.standing if one.finding.key == key), None)

    def unseen(self) -> list[str]:
        """What no rule can speak of now: nodes that are not heard, rules that failed, a file that cannot be read."""
        found = [
            f"{view.name} is {view.link.status.value}"
            for view in sorted(self.feed.state.nodes.values(), key=lambda view: natural(view.name))
            if not view.heard
        ]
        if not self.feed.state.nodes:
            found.append("no node was heard yet")
        found += [f"the rule {rule} failed" for rule in self.engine.failed]
        return found + [self.engine.acknowledged.problem] * bool(self.engine.acknowledged.problem)

    # --- what a person does ---

    def acknowledge(self, key: str, note: str) -> str:
        """Keep that a person knows of it; why that could not be kept, empty when it was."""
        by = self._operations.actor.text if self._operations is not None else ""
        try:
            found = self.engine.acknowledge(key, note, by, self.feed.clock.now())
        except OSError as error:
            return f"it could not be kept: {error}"
        self.version += 1
        return "" if found else "it is not there any more"

    def withdraw(self, key: str) -> str:
        """Let it alarm again; why that could not be kept, empty when it was."""
        try:
            self.engine.withdraw(key)
        except OSError as error:
            return f"it could not be kept: {error}"
        self.version += 1
        return ""

    def helps(self, finding: Finding) -> tuple[Action, Pointed] | None:
        """The action that helps, and what it is about; None when there is none."""
        if not finding.action:
            return None
        action, target = by_id(finding.action), finding.target
        if "vm" in action.on and finding.vms:
            return action, Pointed("vm", tuple(vm.key for vm in finding.vms), marked=len(finding.vms) > 1)
        if target.kind in action.on or not action.on:
            return action, Pointed(target.kind, (target.key,))
        if "node" in action.on:
            state = self.feed.state
            csv = (state.cluster.csvs or {}).get(target.key)
            node = state.home(target.key) if target.kind == "vm" else csv.owner if csv is not None else None
            if node:
                return action, Pointed("node", (state.node_name(node),))
        return action, Pointed(target.kind, (target.key,))
