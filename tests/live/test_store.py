"""The bell that tells a store's readers."""

from __future__ import annotations

import asyncio
import threading
from contextvars import ContextVar

from hvtui.clock import SystemClock
from hvtui.live.store import Store
from hvtui.model.change import Change

READER: ContextVar[str] = ContextVar("READER", default="nobody")


async def test_a_listener_runs_in_its_own_context_whoever_rings() -> None:
    store = Store(SystemClock())
    heard: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def listen(change: Change) -> None:
        heard.set_result(READER.get())

    READER.set("the console")
    store.subscribe(listen)
    loop = asyncio.get_running_loop()
    # A lane's thread has none of the console's variables, and what it posts to the loop has none either.
    thread = threading.Thread(
        target=lambda: loop.call_soon_threadsafe(store.changed, Change(links={""})), name="not a lane"
    )
    thread.start()
    assert await asyncio.wait_for(heard, 10) == "the console"
    thread.join()


async def test_who_unsubscribed_hears_nothing_more() -> None:
    store = Store(SystemClock())
    heard: list[str] = []
    leave = store.subscribe(lambda change: heard.append("first"))
    store.subscribe(lambda change: heard.append("second"))
    leave()
    leave()
    store.changed(Change(links={""}))
    store.close()
    assert heard == ["second"]
