"""Labs and stub sets on a real PowerShell engine, or a skip with the reason."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Protocol

import pytest

from hvtui.config import ClusterConfig
from hvtui.lab.pwsh import stubs
from hvtui.lab.pwsh.stubs import VERSIONS
from hvtui.lab.serve import Lab
from hvtui.remote.connect import Connector
from hvtui.remote.credentials import Credential, CredentialGate
from hvtui.remote.lane import Lane
from tests.engine.engine_lab import accepted
from tests.engine.stub_control import StubControl
from tests.engine.stub_session import EngineSession, engine
from tests.engine.support.site import Site, site_of
from tests.engine.support.stage import Stage
from tests.support.fuller import FULLER

collect_ignore = (
    []
    if FULLER
    else [
        "test_by_keys.py",
        "test_incident.py",
        "test_prevented.py",
        "test_screens.py",
        "test_whole.py",
    ]
)
"""Too long for every run; the fuller one has them."""

SHOWN = VERSIONS if FULLER else VERSIONS[:1]
"""Windows versions that the contract is held against: all of them, or the oldest, which has the least."""


class LaneTo(Protocol):
    """Makes a lane to a node of a lab."""

    def __call__(self, lab: Lab, node: str = "HV01", endpoint: str = "Microsoft.PowerShell") -> Lane:
        """The lane; it is closed at the end of the test."""


@pytest.fixture(scope="module")
def pwsh() -> str:
    """The engine's program."""
    return engine()


@pytest.fixture(scope="module")
def lab(pwsh: str) -> Iterator[Lab]:
    """A small cluster on the engine, with ordinary and restricted sessions; its world stands still."""
    sessions = {"Reader": "none", "Operator": "none"}
    with Lab(
        "healthy", speed=0, engine="pwsh", accepted=accepted(), sessions=sessions, operators=frozenset({"Operator"})
    ) as lab:
        yield lab


@pytest.fixture
async def lane_to() -> AsyncIterator[LaneTo]:
    """Makes hvtui's own lanes to a node of a lab; they are closed at the end."""
    lanes: list[Lane] = []

    def make(lab: Lab, node: str = "HV01", endpoint: str = "Microsoft.PowerShell") -> Lane:
        config = ClusterConfig(
            name="lab",
            seeds=(node,),
            addresses=lab.addresses,
            username=lab.username,
            auth="ntlm",
            tls=False,
            endpoint=endpoint,
        )
        lane = Connector(config, CredentialGate(Credential(lab.username, lab.password))).lane(node, "test")
        lanes.append(lane)
        return lane

    yield make
    for lane in lanes:
        await lane.close()


@pytest.fixture(scope="module", params=SHOWN)
def site(request: pytest.FixtureRequest, pwsh: str) -> Iterator[Site]:
    """A node of each version of Windows in turn, at the end of hvtui's own lane."""
    with site_of(request.param) as made:
        yield made


@pytest.fixture(scope="session")
def stage() -> Iterator[Stage]:
    """A control channel with engines behind it, for worlds that stand still."""
    with Stage(engine()) as stage:
        yield stage


@pytest.fixture(scope="module")
def control() -> Iterator[StubControl]:
    """The tiny server that the session of this module asks."""
    with StubControl() as made:
        yield made


@pytest.fixture(scope="module")
def session(control: StubControl, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineSession]:
    """An engine with the newest stub set."""
    found = stubs.stub_set("2025", pwsh=engine())
    with EngineSession(found, tmp_path_factory.mktemp("session"), control.address) as made:
        yield made


@pytest.fixture
def forgotten(control: StubControl) -> None:
    """The server without the answers and requests of the test before."""
    control.answers.clear()
    control.requests.clear()
