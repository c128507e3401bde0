"""What commands do that only read, with a session: connect, ask, end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Final, TypeVar

from hvtui.cli.acting import session as sessions
from hvtui.cli.acting.session import Session
from hvtui.cli.arguments import Arguments
from hvtui.cli.connecting import choose, gate_for
from hvtui.errors import RemoteError

T = TypeVar("T")
K = TypeVar("K")

_AT_ONCE: Final = 8


def with_session(arguments: Arguments, work: Callable[[Session], Awaitable[T]]) -> T:
    """What `work` gives back. Raises RemoteError without a picture, and what `work` raises."""
    config, cluster = choose(arguments)
    gate = gate_for(cluster)

    async def connected() -> T:
        async with sessions.open_session(config, cluster, gate) as session:
            return await work(session)

    return asyncio.run(connected())


async def ask_each(keys: Iterable[K], question: Callable[[K], Awaitable[T]]) -> dict[K, T | str]:
    """The answer for each, several at a time, in their order; in its place the reason where there was none."""
    slots = asyncio.Semaphore(_AT_ONCE)

    async def one(key: K) -> T | str:
        async with slots:
            try:
                return await question(key)
            except RemoteError as error:
                return str(error)

    wanted = list(dict.fromkeys(keys))
    return dict(zip(wanted, await asyncio.gather(*map(one, wanted)), strict=True))
