"""The scenario `fork-commit`: every verb refuses what must not be touched, and the rest of the cluster is free."""

from __future__ import annotations

from pathlib import Path

from hvtui.operations.plan import Verb
from tests.support.desk import Stage, node


async def test_nodes_with_a_machine_on_hold_are_neither_drained_nor_restarted(tmp_path: Path) -> None:
    stage = Stage("fork-commit", tmp_path, at=1230)
    try:
        for name, vm in (("HV02", "ERP-DB"), ("HV03", "CRM02")):
            for verb in (Verb.DRAIN, Verb.VMMS):
                plan = await stage.plan(verb, node(name))
                held = {
                    refusal.target.name for refusal in plan.refusals if refusal.rule == "fork-commit" and refusal.target
                }
                assert held == {vm}, (verb, plan.refusals)
            plan = await stage.plan(Verb.MIGRATE, stage.vm(vm), to="HV04")
            rules = {refusal.rule for left in plan.left for refusal in left.refusals} | {r.rule for r in plan.refusals}
            assert "fork-commit" in rules
            assert not plan.moves
        free = await stage.plan(Verb.DRAIN, node("HV04"))
        assert "fork-commit" not in {refusal.rule for refusal in free.refusals}
        stage.assert_unharmed()
    finally:
        await stage.operations.close()
