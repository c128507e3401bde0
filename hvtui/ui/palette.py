"""Ctrl+P: every command of the registry, every theme, every column to sort by, and any VM, node or CSV by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from hvtui.text import natural, safe_text
from hvtui.ui.actions import ACTIONS
from hvtui.ui.messages import GoTo
from hvtui.ui.widgets.line_table import LineTable

if TYPE_CHECKING:
    from hvtui.ui.app import HvtuiApp

_MOST = 40
"""Hits of one search: nobody reads more, and eight thousand VMs would bury the commands."""


class Commands(Provider):
    """Commands by their titles."""

    def _commands(self) -> Iterator[tuple[str, str, Callable[[], object]]]:
        app = cast("HvtuiApp", self.app)
        for action in ACTIONS:
            if action.palette and (action.scope == "app" or self.screen is app.overview):
                yield action.title, action.help, partial(_run, app, action.call, action.scope)
        for name, palette in app.palettes.items():
            yield f"Theme: {palette.title}", "Use this theme now", partial(app.use_theme, name)
        table = self.focused
        if isinstance(table, LineTable):
            for column in table.columns:
                if column.title:
                    title = f"Sort by {column.title}"
                    yield title, "Order of the focused table", partial(table.sort_on, column.key)

    async def discover(self) -> Hits:
        for title, help_text, run in self._commands():
            yield DiscoveryHit(Content(title), _later(run), title, help_text)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for title, help_text, run in self._commands():
            score = matcher.match(title)
            if score > 0:
                yield Hit(score, matcher.highlight(title), _later(run), title, help_text)


class Places(Provider):
    """Go to a VM, node or CSV by any part of its name."""

    async def search(self, query: str) -> Hits:
        words = query.casefold().split()
        hits: list[tuple[float, tuple[str | int, ...], str, str, str, str]] = []
        for kind, pane, key, name in self._things():
            text = name.casefold()
            if words and all(word in text or word in kind for word in words) and any(word in text for word in words):
                score = 0.9 if text == query.casefold() else 0.8 if text.startswith(words[0]) else 0.6
                hits.append((-score, natural(name), kind, pane, key, safe_text(name)))
        hits.sort()
        for place, (score, _, kind, pane, key, shown) in enumerate(hits[:_MOST]):
            # The palette orders by score alone; equal ones shall stay in the order of names.
            go = _later(partial(self._go, pane, key))
            yield Hit(-score - place / 1000, Content(f"Go to {kind} {shown}"), go, shown)

    def _things(self) -> Iterator[tuple[str, str, str, str]]:
        app = cast("HvtuiApp", self.app)
        state = app.feed.state
        for name in state.nodes:
            yield "node", "nodes", name, name
        for csv in (state.cluster.csvs or {}).values():
            yield "csv", "csvs", csv.id, csv.path.rpartition("\\")[2] or csv.path
        for key, row in app.overview.vms.table.order.rows.items():
            yield "vm", "vms", key, row.name

    def _go(self, pane: str, key: str) -> None:
        cast("HvtuiApp", self.app).overview.post_message(GoTo(pane, key))


def _later(run: Callable[[], object]) -> Callable[[], None]:
    def call() -> None:
        run()

    return call


def _run(app: HvtuiApp, call: str, scope: str) -> None:
    target = app if scope == "app" else app.overview
    app.call_later(app.run_action, call, target)
