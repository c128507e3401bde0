"""VssAccessControl for the front ends: all nodes side by side, what a wish is about, and what an undo gives back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hvtui.model.vss_access import VssAccess
from hvtui.operations.desk import Desk
from hvtui.operations.facts import Was
from hvtui.operations.plan import Target, Verb
from hvtui.operations.verbs.vss_access import access_target, access_targets
from hvtui.operations.vss_access import node_and_account
from hvtui.operations.vss_past import changed_by, last_operation
from hvtui.operations.vss_proposals import unheard_of


@dataclass
class Access:
    """One for a cluster. Event loop thread only."""

    desk: Desk

    async def table(self) -> dict[str, VssAccess | str]:
        """Node → who may take part in VSS there, or why that could not be read.

        The events that ask for an entry are read back once on each node that is heard, too.
        """
        state, desk = self.desk.state, self.desk
        unheard = [name for name in unheard_of(state) if state.node(name).heard]
        for node in unheard:
            desk.nodes.refresh("events", node)
        answers = await desk.access_of(state.node_names())
        await desk.watcher.until(lambda: not set(unheard) & set(unheard_of(state)), desk.pace.fresh)
        return answers

    async def wish(
        self, verb: Verb, targets: Sequence[Target], options: dict[str, str]
    ) -> tuple[tuple[Target, ...], dict[str, str], tuple[Was, ...]]:
        """The entries a wish is about, its options, and what an undo would give back. Raises JournalError.

        An undo without an operation is one of the last that changed an entry and was not undone.
        """
        state = self.desk.state
        if verb is not Verb.VSSACCESS_UNDO:
            named = access_targets(state.node_names(), targets, options.get("account", ""))
            return tuple(self._spelled(target) for target in named), options, ()
        cluster_id, _ = self.desk.audit.cluster()
        read = self.desk.audit.read
        operation = options.get("operation", "") or await read(lambda journal: last_operation(journal, cluster_id))
        undo = await read(lambda journal: changed_by(journal, cluster_id, operation)) if operation else ()
        chosen = {self._spelled(target).key for target in targets if target.kind == "vssaccess"}
        undo = tuple(one for one in undo if not chosen or one.target.key in chosen)
        return tuple(one.target for one in undo), {**options, "operation": operation}, undo

    def _spelled(self, target: Target) -> Target:
        """With the node's name as the picture spells it."""
        node, account = node_and_account(target)
        return access_target(self.desk.state.node_name(node), account)
