"""What findings want to know beyond one picture: the chains of some VMs' disks, signs of forks in whole logs."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from hvtui.config import ClusterConfig
from hvtui.errors import RemoteError
from hvtui.live.picture import Picture, Unread
from hvtui.live.shared import Connecting
from hvtui.model.preflight import ForkCommit
from hvtui.model.signals import ChainPicture, chain_picture
from hvtui.remote.connect import Connector
from hvtui.remote.contract import GET_CHAIN, GET_FORK_COMMIT
from hvtui.remote.credentials import CredentialGate
from hvtui.remote.lane import Lane

MOST: Final = 64
"""VMs whose chains are asked for; of a cluster in which more have a trouble of their disks the first tell enough."""


@dataclass
class More:
    """Answers; chains are in the picture's state. What could not be read is in the picture's `unread`."""

    fork: dict[str, ForkCommit] = field(default_factory=dict)


async def ask_more(
    config: ClusterConfig,
    gate: CredentialGate,
    picture: Picture,
    wanted: Iterable[tuple[str, str]],
    *,
    connector: Connecting | None = None,
    deadline: float = 30.0,
) -> More:
    """Ask for `chain` of VMs and `fork` of nodes, one lane a node; other wishes are left. `deadline`: to open it."""
    state, more = picture.state, More()
    connecting = connector or Connector(config, gate)
    by_node: dict[str, list[tuple[str, str]]] = {}
    chains = 0
    for what, key in wanted:
        node = key if what == "fork" else (state.home(key) or "") if what == "chain" else ""
        chains += what == "chain"
        if node and (what != "chain" or chains <= MOST):
            by_node.setdefault(node, []).append((what, key))

    async def one(node: str, wishes: list[tuple[str, str]]) -> None:
        lane = connecting.lane(node, "picture")
        try:
            async with asyncio.timeout(deadline):
                await lane.open()
            for what, key in wishes:
                await _ask(lane, node, what, key)
        except (RemoteError, TimeoutError) as error:
            text = error.text if isinstance(error, RemoteError) else f"no session within {deadline:.0f} s"
            picture.unread.append(Unread(node, ", ".join(dict(wishes)), text))
        finally:
            await lane.close()

    async def _ask(lane: Lane, node: str, what: str, key: str) -> None:
        try:
            if what == "fork":
                more.fork[state.node_name(node)] = await lane.call(GET_FORK_COMMIT)
            else:
                state.set_chain(key, chain_picture(await lane.call(GET_CHAIN, {"VMId": key})))
        except RemoteError as error:
            if what == "chain":
                state.set_chain(key, ChainPicture(failure=error.text))
            picture.unread.append(Unread(node, what, error.text, error.hint))

    async with asyncio.TaskGroup() as group:
        for node, wishes in by_node.items():
            group.create_task(one(node, wishes))
    return more
