"""Lanes to nodes of a lab; every lane is closed at the end, and none may leave a thread."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, Protocol

import pytest

from hvtui.config import ClusterConfig
from hvtui.lab.serve import Lab
from hvtui.remote.connect import Connector
from hvtui.remote.credentials import Credential, CredentialGate
from hvtui.remote.lane import Lane
from tests.support.wait import until


class Reachable(Protocol):
    """A lab, here or in another process."""

    @property
    def addresses(self) -> dict[str, str]: ...
    @property
    def username(self) -> str: ...
    @property
    def password(self) -> str: ...
    @property
    def ca(self) -> Path | None: ...


def config_for(lab: Reachable, **changes: Any) -> ClusterConfig:
    """The configuration with which a client reaches a lab."""
    fields: dict[str, Any] = {
        "name": "lab",
        "seeds": tuple(lab.addresses)[:1],
        "addresses": lab.addresses,
        "username": lab.username,
        "auth": "ntlm",
        "tls": lab.ca is not None,
        "ca": lab.ca,
    }
    return ClusterConfig(**{**fields, **changes})


def gate_for(lab: Reachable, password: str | None = None) -> CredentialGate:
    return CredentialGate(Credential(lab.username, lab.password if password is None else password))


@pytest.fixture
async def lane_to() -> AsyncIterator[Callable[..., Lane]]:
    before = set(threading.enumerate())
    lanes: list[Lane] = []

    def make(
        lab: Lab, node: str = "HV01", *, gate: CredentialGate | None = None, purpose: str = "test", **changes: Any
    ) -> Lane:
        lane = Connector(config_for(lab, **changes), gate or gate_for(lab)).lane(node, purpose)
        lanes.append(lane)
        return lane

    yield make
    for lane in lanes:
        await lane.close()
    await until(lambda: not [t for t in set(threading.enumerate()) - before if t.name.endswith(" test")])
