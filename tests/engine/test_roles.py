"""A reader cannot call what changes something, an operator can: every exported function, on both engines."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hvtui.errors import NodeRefused
from hvtui.lab.pwsh.configuration import OPERATOR, READER, visible_functions
from hvtui.lab.serve import EngineKind, Lab
from hvtui.remote.contract import FUNCTIONS, Function
from tests.engine.conftest import LaneTo
from tests.engine.support.guests import GUESTS, asked
from tests.engine.test_contract import ACTIONS

_ACTED: dict[str, str | int] = {"OperationId": "0b0d1f5c-39a7-4f52-9f8e-6d1f6a2b7c01", "Actor": "anna@ADMIN7"}
CHANGES = [function for function in FUNCTIONS.values() if function.mutating]
GUARDED = [function for function in FUNCTIONS.values() if function.guarded]
OPERATORS = {function.name for function in FUNCTIONS.values() if function.operators}


@pytest.fixture(scope="module", params=["native", "pwsh"])
def roles(request: pytest.FixtureRequest, pwsh: str) -> Iterator[Lab]:
    """A lab with a session of each role."""
    kind: EngineKind = request.param
    sessions = {"Reader": "none", "Operator": "none"}
    with Lab("healthy", speed=0, engine=kind, sessions=sessions, operators=frozenset({"Operator"})) as lab:
        yield lab


def test_the_roles_are_those_of_the_contract() -> None:
    assert sorted(visible_functions(OPERATOR)) == sorted(OPERATORS)
    assert sorted(visible_functions(READER)) == sorted(set(FUNCTIONS) - OPERATORS)


@pytest.mark.parametrize("function", GUARDED, ids=lambda function: str(function.name))
async def test_an_operator_can_look_into_guests_and_a_reader_cannot(
    roles: Lab, lane_to: LaneTo, function: Function
) -> None:
    id = roles.call(
        lambda world: next(vm.id for vm in world.node("HV01").vms.values() if vm.running and vm.guest.session)
    )
    values = {**GUESTS[function.name], "VM" if function.stream else "VMId": id}
    with pytest.raises(NodeRefused) as caught:
        await asked(lane_to(roles, endpoint="Reader"), function, values)
    assert caught.value.code == "CommandNotFoundException"
    assert roles.call(lambda world: list(world.guest_accounts.log_ons)) == []
    answers = await asked(lane_to(roles, endpoint="Operator"), function, values)
    assert [one.outcome for one in answers] == (["read", ""] if function.stream else ["read"])
    roles.call(lambda world: world.guest_accounts.log_ons.clear())


@pytest.mark.parametrize("function", CHANGES, ids=lambda function: str(function.name))
async def test_an_operator_can_and_a_reader_cannot(roles: Lab, lane_to: LaneTo, function: Function) -> None:
    values: dict[str, str | int] = {**_ACTED, **ACTIONS[function.name]}
    with pytest.raises(NodeRefused) as caught:
        await asked(lane_to(roles, endpoint="Reader"), function, values)
    assert caught.value.code == "CommandNotFoundException"
    assert roles.call(lambda world: list(world.commands.changes)) == []
    answer, *_ = await asked(lane_to(roles, endpoint="Operator"), function, values)
    assert (answer.function, answer.outcome) == (function.name, "refused")
    assert answer.rule.startswith("expect.")


async def test_a_change_of_an_operator_is_told_with_who_asked(roles: Lab, lane_to: LaneTo) -> None:
    function = FUNCTIONS["Move-HvTuiVM"]
    id = roles.call(lambda world: next(vm.id for vm in world.node("HV01").vms.values() if vm.running and not vm.busy))
    values: dict[str, str | int] = {**_ACTED, "VMId": id, "Node": "HV02", "ExpectOwner": "HV01", "ExpectState": 2}
    answer = await lane_to(roles, endpoint="Operator").call(function, values)
    assert (answer.outcome, answer.recorded, answer.errors) == ("started", True, [])
    (change,) = roles.call(lambda world: list(world.commands.changes))
    assert (change.asked.function, change.asked.operation, change.asked.actor) == (
        function.name,
        _ACTED["OperationId"],
        _ACTED["Actor"],
    )
