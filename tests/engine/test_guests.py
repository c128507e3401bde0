"""Looking into guests on both engines, over the whole chain: what is told, what is not tried, where no password is."""

from __future__ import annotations

import asyncio
import base64
import copy
import io
import logging
import pickle
import re
import traceback
from collections.abc import Iterator
from typing import Any, Final

import pytest

from hvtui.config import ClusterConfig
from hvtui.errors import NodeRefused
from hvtui.lab.serve import EngineKind, Lab
from hvtui.lab.world import World
from hvtui.model.secret import GuestCredential
from hvtui.remote.connect import Connector
from hvtui.remote.contract import GET_GUEST, GET_GUEST_FILE
from hvtui.remote.credentials import Credential, CredentialGate
from hvtui.remote.lane import Lane
from tests.engine.conftest import LaneTo
from tests.engine.engine_lab import accepted
from tests.engine.support.guests import ACCOUNT, CREDENTIAL, asked, scenario
from tests.engine.support.stage import START
from tests.support.processes import children
from tests.support.wait import until

CANARY: Final = "Kanarienvogel-ü-42"
_LANES: Final[dict[Lab, Lane]] = {}
"""One lane to a node of each lab of this module, used by test after test."""
_BASE64: Final = re.compile(rb"[A-Za-z0-9+/]{24,}={0,2}")
_TOLD: Final = ("outcome", "text", "code", "system", "volumes", "services", "writers", "storage", "errors")


@pytest.fixture(scope="module", params=["native", "pwsh"])
def guests(request: pytest.FixtureRequest, pwsh: str) -> Iterator[Lab]:
    """A lab with guests of every kind; its world stands still."""
    kind: EngineKind = request.param
    world = World.load(scenario(), start=START, at=600.0)
    with Lab(world, speed=0, engine=kind, accepted=accepted() if kind == "pwsh" else None) as lab:
        config = ClusterConfig(
            name="lab", seeds=("HV01",), addresses=lab.addresses, username=lab.username, auth="ntlm", tls=False
        )
        _LANES[lab] = Connector(config, CredentialGate(Credential(lab.username, lab.password))).lane("HV01", "test")
        try:
            yield lab
        finally:
            # On a loop of its own, which does not become the thread's.
            with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
                runner.run(_LANES.pop(lab).close())


@pytest.fixture(autouse=True)
def clean(request: pytest.FixtureRequest) -> Iterator[None]:
    """No test leaves a locked account or an entry in the ledger to the next."""
    yield
    if "guests" in request.fixturenames:
        lab: Lab = request.getfixturevalue("guests")
        lab.call(_forget)


def _forget(world: World) -> None:
    accounts = world.guest_accounts
    accounts.log_ons.clear()
    accounts.domain.failures, accounts.domain.locked = 0, False
    world.ledger.entries.clear()


def ids(lab: Lab, *names: str) -> dict[str, str]:
    """VM id → name, of these names or of all."""
    return lab.call(lambda world: {vm.id: vm.name for vm in world.vms.values() if not names or vm.name in names})


async def look(
    lab: Lab, *names: str, lane: Lane | None = None, credential: GuestCredential = CREDENTIAL
) -> dict[str, Any]:
    """The line of each guest by its name; checks that the end comes once and last."""
    chosen = ids(lab, *names)
    order = sorted(chosen, key=lambda id: list(names).index(chosen[id])) if names else list(chosen)
    values = {"VM": ",".join(order), "Credential": credential, "Parallel": 3}
    lines = await asked(lane or _LANES[lab], GET_GUEST, values)
    assert [line.kind for line in lines] == ["guest"] * len(chosen) + ["end"]
    return {chosen[line.vm]: line for line in lines[:-1]}


async def test_every_kind_of_guest_tells_or_says_why_not(guests: Lab) -> None:
    told = await look(guests, *(name for name in ids(guests).values() if name != "OWN"))
    hostile = next(name for name in told if name.startswith("APP "))
    outcomes = {name: line.outcome for name, line in told.items()}
    assert outcomes == {
        "SQL07": "read", "DC01": "read", hostile: "read", "SHY": "read",
        "LNX": "unreachable", "DEAF": "unreachable", "R2": "refused", "OFF": "refused", "AWAY": "refused",
    }  # fmt: skip
    assert told["OFF"].text == "this VM does not run (state 3)"
    assert told["AWAY"].text == "this VM is not on this node"
    assert told["LNX"].code == "0x8007274c"
    sql = told["SQL07"]
    assert [(one.path, one.free) for one in sql.volumes[1:3]] == [("C:", 30 << 30), ("T:", 0)]
    letterless = [one for one in sql.volumes if one.path.startswith("\\\\?\\Volume{")]
    assert [(one.label, one.file_system) for one in letterless] == [("System Reserved", "NTFS"), ("", "ReFS")]
    assert sql.system == "Microsoft Windows Server 2016 Standard"
    assert {one.name for one in sql.services} == {"VSS", "swprv", "vmicvss"}
    # Its last shadow copy failed: a volume is full.
    assert "State: [9] Failed" in sql.writers
    assert "State: [9]" not in told["DC01"].writers
    shy = told["SHY"]
    assert (shy.volumes, shy.storage, shy.writers, shy.system) == (None, None, None, None)
    assert {(one.part, one.kind) for one in shy.errors} == {
        ("system", "timeout"), ("volumes", "denied"), ("storage", "missing"), ("writers", "other"),
    }  # fmt: skip
    assert {one.name for one in told[hostile].services if one.state == "Stopped"} == {"VSS", "swprv", "vmicvss"}
    assert guests.call(lambda world: world.ledger.entries) == []
    assert guests.call(lambda world: {one.account for one in world.guest_accounts.log_ons}) == {ACCOUNT}


async def test_both_engines_tell_the_same(guests: Lab, lane_to: LaneTo) -> None:
    world = World.load(scenario(), start=START, at=600.0)
    with Lab(world, speed=0) as other:
        here, there = await look(guests), await look(other, lane=lane_to(other))
    assert {name: [getattr(line, field) for field in _TOLD] for name, line in here.items()} == {
        name: [getattr(line, field) for field in _TOLD] for name, line in there.items()
    }


async def test_one_wrong_password_is_one_failed_log_on(guests: Lab) -> None:
    wrong = GuestCredential(ACCOUNT, CANARY)
    told = await look(guests, "SQL07", "DC01", "SHY", credential=wrong)
    assert [line.outcome for line in told.values()] == ["denied", "skipped", "skipped"]
    assert told["SQL07"].text == "The credential is invalid."
    assert guests.call(lambda world: [harm.kind for harm in world.ledger.entries]) == ["logon_failed"]


async def test_a_guest_that_nobody_can_enter_does_not_let_the_next_ones_start_together(guests: Lab) -> None:
    wrong = GuestCredential(ACCOUNT, CANARY)
    told = await look(guests, "LNX", "DEAF", "SQL07", "DC01", credential=wrong)
    assert [line.outcome for line in told.values()] == ["unreachable", "unreachable", "denied", "skipped"]
    assert len(guests.call(lambda world: world.guest_accounts.log_ons)) == 1


async def test_a_guest_of_its_own_refuses_the_domains_account_and_no_other_is_begun(guests: Lab) -> None:
    values = {"VM": ",".join(_ordered(guests, "DC01", "OWN", "SQL07")), "Credential": CREDENTIAL, "Parallel": 1}
    lines = await asked(_LANES[guests], GET_GUEST, values)
    assert [line.outcome for line in lines[:-1]] == ["read", "denied", "skipped"]
    own = GuestCredential(".\\administrator", "its own")
    assert (await look(guests, "OWN", credential=own))["OWN"].outcome == "read"


def _ordered(lab: Lab, *names: str) -> list[str]:
    by_name = {name: id for id, name in ids(lab).items()}
    return [by_name[name] for name in names]


async def test_a_locked_account_stays_so(guests: Lab) -> None:
    for _ in range(3):
        await look(guests, "SQL07", credential=GuestCredential(ACCOUNT, CANARY))
    assert (await look(guests, "SQL07"))["SQL07"].outcome == "denied"
    kinds = guests.call(lambda world: [harm.kind for harm in world.ledger.entries])
    assert kinds == ["logon_failed"] * 3 + ["account_locked", "logon_failed"]


async def test_the_largest_files_of_a_volume(guests: Lab) -> None:
    (sql,) = _ordered(guests, "SQL07")
    values: dict[str, Any] = {"VMId": sql, "Credential": CREDENTIAL, "Volume": "t:", "Count": 2}
    (told,) = await asked(_LANES[guests], GET_GUEST_FILE, values)
    assert (told.outcome, told.partial, told.volume, told.errors) == ("read", False, "t:", [])
    assert [one.size for one in told.files] == [30 << 30, 20 << 30]
    assert told.files[1].path == "t:\\Dumps\\a.bak"
    (none,) = await asked(_LANES[guests], GET_GUEST_FILE, {**values, "Volume": "X:"})
    assert (none.outcome, none.files) == ("read", None)
    assert none.errors[0].text == "Cannot find drive. A drive with the name 'X' does not exist."
    line = (await look(guests, "SQL07"))["SQL07"]
    path = next(one.path for one in line.volumes if one.file_system == "ReFS")
    (small,) = await asked(_LANES[guests], GET_GUEST_FILE, {**values, "Volume": path})
    assert (small.outcome, bool(small.files)) == ("read", True)


async def test_a_node_without_its_vms_tries_nobody(guests: Lab) -> None:
    guests.call(lambda world: world.node("HV01").faults.rights.add("hyperv"))
    try:
        told = await look(guests, "SQL07")
    finally:
        guests.call(lambda world: world.node("HV01").faults.rights.discard("hyperv"))
    assert told["SQL07"].outcome == "refused"
    assert "shows nothing to this account" in told["SQL07"].text
    assert guests.call(lambda world: world.guest_accounts.log_ons) == []


async def test_the_password_is_nowhere(guests: Lab, caplog: pytest.LogCaptureFixture) -> None:
    """Not in any decrypted message or fragment, what was logged, an exception with its frames, or the lab's own log."""
    heard: list[bytes] = []
    guests.on_loop(lambda: setattr(guests.node("HV01")._node.trouble, "heard", heard))
    wrong = GuestCredential(ACCOUNT, CANARY)
    (sql,) = _ordered(guests, "SQL07")
    lane = _LANES[guests]
    try:
        with caplog.at_level(logging.DEBUG):
            lines = await asked(lane, GET_GUEST, {"VM": sql, "Credential": wrong})
            with pytest.raises(NodeRefused) as caught:
                await lane.call(GET_GUEST_FILE, {"VMId": "*", "Credential": wrong, "Volume": "C:"})
    finally:
        guests.on_loop(lambda: setattr(guests.node("HV01")._node.trouble, "heard", None))
    assert lines[0].outcome == "denied"
    pieces = [piece for message in heard for piece in _pieces(message)]
    # What is looked through is really what crossed: the account's name is there.
    assert any(ACCOUNT.encode() in piece or b"svc-guests" in piece for piece in pieces)
    told = [repr(lines), str(caught.value), caught.value.code, _frames(caught.value), caplog.text]
    told.append(guests.call(lambda world: repr((world.commands.entries, world.guest_accounts, world.ledger))))
    assert not [piece for piece in pieces if _has(piece)]
    assert not [text[:80] for text in told if _has(text.encode("utf-8", "replace"))]


def _pieces(message: bytes) -> list[bytes]:
    return [
        message,
        *(
            base64.b64decode(one + b"=" * (-len(one) % 4))
            for one in _BASE64.findall(message)
            if len(one.rstrip(b"=")) % 4 != 1
        ),
    ]


def _has(data: bytes) -> bool:
    forms = [CANARY.encode(), CANARY.encode("utf-16-le"), CANARY.encode("utf-16-be"), base64.b64encode(CANARY.encode())]
    return any(form in data for form in forms)


def _frames(error: BaseException) -> str:
    """A traceback with the locals of every frame, as a logger with `show_locals` writes it."""
    text = io.StringIO()
    shown = traceback.TracebackException(type(error), error, error.__traceback__, capture_locals=True)
    text.write("".join(shown.format()))
    return text.getvalue()


def test_a_credential_shows_its_password_to_nobody() -> None:
    one = GuestCredential(ACCOUNT, CANARY)
    shown = [
        repr(one),
        str(one),
        f"{one}",
        repr({"Credential": one}),
        repr(dir(one)),
        repr(getattr(one, "__dict__", "")),
    ]
    assert not [text for text in shown if CANARY in text]
    assert one.reveal() == CANARY
    for store in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="neither copied nor stored"):
            store(one)


@pytest.mark.parametrize("way", ["stopped", "late"])
async def test_nothing_runs_on_when_a_look_ends_in_the_middle(pwsh: str, lane_to: LaneTo, way: str) -> None:
    """A guest whose vssadmin hangs: the session inside it, its program and the job on the node end with the look."""
    world = World.load(scenario(), start=START, at=600.0)
    with Lab(world, speed=0, engine="pwsh", accepted=accepted()) as lab:
        lab.on_loop(lambda: lab.host.control.fail("SQL07", "vssadmin.exe", "hang"))
        lane = lane_to(lab)
        await lane.open()
        (sql,) = _ordered(lab, "SQL07")
        stream = lane.stream(GET_GUEST, {"VM": sql, "Credential": CREDENTIAL}, poll=1.0)
        (engine,) = lab.on_loop(lambda: [one.pid for one in lab.host.sessions])
        assert engine is not None
        await until(lambda: bool(children(engine)), 30)
        if way == "stopped":
            await lane.end(stream)
        else:
            lab.node("HV01").stop()
        await until(lambda: not children(engine), 30)
        assert lab.call(lambda world: [one.accepted for one in world.guest_accounts.log_ons]) == [True]
        if way == "stopped":
            assert (await asked(lane, GET_GUEST, {"VM": "0" * 8 + sql[8:], "Credential": CREDENTIAL}))[
                0
            ].outcome == "refused"
