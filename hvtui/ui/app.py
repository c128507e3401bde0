"""The application: themes, the road from the feed to the screens, dialogs, and what happens when something breaks."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from rich.text import Text
from textual import events
from textual.app import App
from textual.binding import Binding, BindingsMap, BindingType
from textual.command import CommandPalette, Provider
from textual.screen import Screen
from textual.scrollbar import ScrollBar, ScrollBarRender
from textual.widgets import Input

import hvtui
from hvtui.config import ClusterConfig
from hvtui.live.feed import Feed
from hvtui.model.change import Change
from hvtui.model.link import LinkStatus
from hvtui.operations.plan import Verb
from hvtui.recording.feed import WHY, ReplayFeed
from hvtui.text import safe_text
from hvtui.ui.acting import Acting
from hvtui.ui.actions import bindings
from hvtui.ui.copying import copy_incident
from hvtui.ui.credential import CredentialScreen, LogsOn
from hvtui.ui.finding_watch import FindingWatch
from hvtui.ui.gc_policy import IdleCollector
from hvtui.ui.help import HelpScreen
from hvtui.ui.look import Look
from hvtui.ui.messages import OpenDetail
from hvtui.ui.notice import NoticeScreen
from hvtui.ui.overview import Overview
from hvtui.ui.palette import Commands, Places
from hvtui.ui.pointed import NOTHING, Pointed, Points
from hvtui.ui.recording import ConsoleRecorder
from hvtui.ui.themes import DEFAULT, Palette, load_themes, theme_dirs
from hvtui.ui.watching import KINDS as WATCHED
from hvtui.ui.watching import News, ring
from hvtui.ui.window_feed import WindowFeed

if TYPE_CHECKING:
    from hvtui.operations.service import Operations

_LOG = logging.getLogger(__name__)

_COALESCE = 0.05
"""Seconds in which changes are gathered before the panes see them: 64 nodes speak 32 times a second."""


class _WholeCells(ScrollBarRender):
    """Scroll bars without glyphs: a thumb is blanks on a colour, also in ASCII mode."""

    VERTICAL_BARS: ClassVar[list[str]] = [" "] * 8
    HORIZONTAL_BARS: ClassVar[list[str]] = [" "] * 8


ScrollBar.renderer = _WholeCells


class HvtuiApp(App[None]):
    """The console on one cluster. It never asks a node itself: it shows `feed.state` and what changes in it."""

    TITLE = "hvtui"
    BINDINGS: ClassVar[list[BindingType]] = bindings("app")
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {Commands, Places}
    COMMAND_PALETTE_BINDING = "ctrl+p"
    ENABLE_COMMAND_PALETTE = True
    ANIMATION_LEVEL = "none"

    # No icons and no borders in Textual's own widgets: they would not survive `--ascii`.
    CSS = """
    Toast {
        background: $hv-head-bg; color: $hv-text; padding: 0 1; max-width: 80%;
        &.-information, &.-warning, &.-error { border-left: none; }
        &.-warning { color: $hv-warn; }
        &.-error { color: $hv-bad; }
    }
    CommandPalette {
        background: $hv-base 60%;
        & > Vertical { margin-top: 2; width: 90; max-width: 100%; background: $hv-head-bg; }
        & #--input { border: none; height: 3; background: $hv-head-bg; }
        & #--input.--list-visible { border: none; }
        & SearchIcon { display: none; }
        & CommandInput { padding-left: 1; color: $hv-text; background: $hv-head-bg; }
        & LoadingIndicator { display: none; }
        & CommandList { border: none; background: $hv-head-bg; color: $hv-text; max-height: 60vh; }
        & CommandList:focus { border: none; }
        & CommandList > .option-list--option { color: $hv-text; }
        & CommandList > .option-list--option-highlighted { color: $hv-cursor; background: $hv-cursor-bg; }
        & > .command-palette--help-text { color: $hv-dim; text-style: none; }
        & > .command-palette--highlight { text-style: bold underline; }
    }
    """

    def __init__(
        self,
        feed: Feed,
        *,
        operations: Operations | None = None,
        config: ClusterConfig | None = None,
        folder: Path | None = None,
        look: Look | None = None,
        theme: str = DEFAULT,
        user_themes: Path | None = None,
        log_file: Path | None = None,
        own_process: bool = False,
        bells: bool = True,
        recordings: Path | None = None,
    ) -> None:
        """Without `operations` it only watches. `folder` keeps what people know of findings, None: nobody does.

        `own_process`: the app may decide when garbage is collected. `recordings`: another folder for them.
        """
        self.palettes: dict[str, Palette]
        self.palettes, self._theme_problems = load_themes(theme_dirs(user_themes))
        super().__init__()
        self.feed = feed
        self.look = look or Look()
        self.acting = None if operations is None else Acting(self, feed, self.look, operations)
        self.findings = FindingWatch(feed, operations, config, folder)
        self.overview = Overview(feed, self.look, self.ask_again, self.findings, self.acting)
        self.window = WindowFeed(feed, config, self._ring)
        self._bells = bells
        self.overview.show_watching(self.window.watching)
        journal = None if operations is None else operations.journal_folder
        self.recording = ConsoleRecorder(feed, self.findings, folder=recordings, journal=journal)
        self.overview.header.recording = lambda: self.recording.pieces(self.look)
        if isinstance(feed, ReplayFeed):
            # Before those of the tables: there, space marks a row, and nothing can be done with a mark.
            first = [replace(one, priority=True) for one in bindings("replay") if isinstance(one, Binding)]
            self._bindings = BindingsMap.merge([self._bindings, BindingsMap(first)])
        self.failed = False
        self._log_file = log_file
        self._pending: Change | None = None
        self._unsubscribe: Callable[[], None] = lambda: None
        self._starting: asyncio.Task[None] | None = None
        self._asked_for = ""
        self._told_stop = ""
        self._last_key = 0.0
        self._collector = IdleCollector(time.monotonic()) if own_process else None
        for palette in self.palettes.values():
            self.register_theme(palette.theme())
        if theme not in self.palettes:
            self._theme_problems.append(f"there is no theme {theme!r}; known: {', '.join(self.palettes)}")
        self.theme = theme if theme in self.palettes else DEFAULT

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return dict(self.palettes[DEFAULT].theme().variables)

    def get_default_screen(self) -> Screen[Any]:
        return self.overview

    # --- from start to end ---

    def on_mount(self) -> None:
        self._look_for_findings()
        self.window.apply(Change())
        self._unsubscribe = self.feed.subscribe(self._heard)
        self.set_interval(1.0, self._each_second)
        # The first frame comes before the first packet: a dead cluster must not look like a dead console.
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        if self._collector is not None:
            self._collector.begin()
        if self.acting is not None:
            self.acting.begin()
        for problem in self._theme_problems:
            self.overview.tell(problem, severity="warning")
        self._starting = asyncio.create_task(self._start_feed(), name="feed")

    async def _start_feed(self) -> None:
        try:
            await self.feed.start()
        except Exception as error:
            _LOG.exception("the feed did not start")
            self.overview.header.show_trouble(f"hvtui cannot start watching: {error}")

    async def on_unmount(self) -> None:
        self._unsubscribe()
        self.findings.close()
        await self.recording.end()
        if self._starting is not None and not self._starting.done():
            self._starting.cancel()

    # --- changes ---

    def _heard(self, change: Change) -> None:
        if self._pending is None:
            self._pending = Change()
            self.set_timer(_COALESCE, self._deliver)
        self._pending.add(change)
        self.findings.note(change)

    def _deliver(self) -> None:
        change, self._pending = self._pending, None
        if change is not None and self.is_running:
            self.window.apply(change)
            self.overview.apply(change)
            self._ask_for_credential()
            self._tell_stop()

    def _each_second(self) -> None:
        if self._collector is not None:
            self._collector.second(time.monotonic(), self._last_key)
        # Textual drops a timer whose task gets going only after its time; what it was to deliver must not stay.
        self._deliver()
        self.window.second(self.acting)
        self._look_for_findings()
        self._ask_for_credential()

    def _look_for_findings(self) -> None:
        try:
            if self.findings.look():
                self.recording.found()
        except Exception as error:
            # Whatever goes wrong in there must not take the console away from the person on call.
            _LOG.exception("looking for findings")
            self.overview.findings.show_failure(f"{type(error).__name__} in hvtui itself; see the log")

    def _ask_for_credential(self) -> None:
        feed = self.feed
        if not isinstance(feed, LogsOn):
            return
        refusal = feed.refusal
        if refusal and refusal != self._asked_for and not isinstance(self.screen, CredentialScreen):
            self._asked_for = refusal
            self.push_screen(CredentialScreen(self.look, feed.username, refusal, feed.give_credential))
        elif not refusal:
            self._asked_for = ""

    def ask_again(self) -> bool:
        """Open the password dialog again; False when no log-on was refused."""
        self._asked_for = ""
        self._ask_for_credential()
        return isinstance(self.screen, CredentialScreen)

    def _tell_stop(self) -> None:
        """Why hvtui stopped by itself (another cluster answers, say) is told whole, with the command that helps."""
        link = self.feed.state.cluster.link
        reason = f"{link.text} {link.hint}" if link.status is LinkStatus.STOPPED else ""
        if reason and reason != self._told_stop:
            self.push_screen(NoticeScreen(self.look, "hvtui has stopped asking this cluster", link.text, link.hint))
        self._told_stop = reason

    # --- what users ask for ---

    async def on_event(self, event: events.Event) -> None:
        """Keys act at once, in the order they were typed.

        Textual sends a key to the focused widget and lets it bubble up, so that in a fast `3 Enter` the Enter may come
        before the 3 has moved the focus, and open something else.
        """
        if isinstance(event, events.InputEvent):
            self._last_key = time.monotonic()
            if isinstance(event, events.Key) and not event.is_forwarded and await self._take_key(event):
                return
        await super().on_event(event)

    async def _take_key(self, event: events.Key) -> bool:
        field = self.focused
        if isinstance(field, Input) and event.is_printable and event.character is not None:
            if field.selection.is_empty:
                field.insert_text_at_cursor(event.character)
            else:
                field.replace(event.character, *field.selection)
            return True
        return await self._check_bindings(event.key, priority=True) or await self._check_bindings(event.key)

    def on_open_detail(self, message: OpenDetail) -> None:
        """Everything known of one thing, on a screen of its own."""
        from hvtui.ui.screens.detail import detail_screen  # noqa: PLC0415  # not needed for the first frame

        message.stop()
        if message.kind == "finding":
            from hvtui.ui.screens.finding_page import FindingScreen  # noqa: PLC0415

            self.push_screen(FindingScreen(self.findings, self.look, message.key))
            return
        self.push_screen(detail_screen(self.feed, self.look, message.kind, message.key))

    def _able(self) -> Acting | None:
        """Who changes things; without it a word why nothing can be."""
        if self.acting is None:
            why = f"read-only: {WHY}" if isinstance(self.feed, ReplayFeed) else "this console only watches"
            self.overview.tell(why)
        return self.acting

    def action_window(self) -> None:
        """The backup window on a time axis."""
        from hvtui.ui.screens.window_page import WindowPage  # noqa: PLC0415  # not needed for the first frame

        if not isinstance(self.screen, WindowPage):
            self.push_screen(WindowPage(self.window, self.look))

    def action_watch(self) -> None:
        """Watch the VMs or CSVs under the cursor, or no more."""
        self.toggle_watch(self.screen.pointed() if isinstance(self.screen, Points) else NOTHING)

    def toggle_watch(self, pointed: Pointed) -> None:
        """Watch these rows, or no more when all of them are."""
        if pointed.kind not in WATCHED or not pointed.keys:
            self.overview.tell("Watch: put the cursor on a VM (3) or a CSV (2) first")
            return
        self.overview.tell(self.window.toggle(pointed))
        self.overview.watched(pointed)

    def _ring(self, news: News) -> None:
        self.overview.tell(news.text, severity=news.severity)
        if self._bells:
            ring(news, bell=self.bell, terminal=self._driver)

    def action_watch_or_restart(self) -> None:
        """One key: it watches a VM or a CSV, of which nothing could be restarted, and restarts a writer's service."""
        pointed = self.screen.pointed() if isinstance(self.screen, Points) else NOTHING
        if pointed.kind in WATCHED:
            self.toggle_watch(pointed)
        else:
            self.action_verb(Verb.SERVICE.value)

    def action_verb(self, verb: str) -> None:
        """Ask for a change of the rows under the cursor: opens its dialog, whatever the key."""
        acting = self._able()
        if acting is not None:
            acting.ask(Verb(verb))

    def action_act_menu(self) -> None:
        """What can be done with the row under the cursor."""
        acting = self._able()
        if acting is not None:
            acting.open_menu()

    def action_checkpoints(self) -> None:
        """The checkpoints of the VM under the cursor."""
        self._open_page("acts.checkpoints")

    def action_guests(self) -> None:
        """A look into guests."""
        self._open_page("acts.guests")

    def action_access(self) -> None:
        """Who may take part in VSS."""
        self._open_page("acts.access")

    def _open_page(self, page: str) -> None:
        acting = self._able()
        if acting is not None:
            acting.open_page(page)

    def action_operations(self) -> None:
        """What runs, what was done, what failed."""
        from hvtui.ui.screens.operations_page import OperationsPage  # noqa: PLC0415  # not needed for the first frame

        acting = self._able()
        if acting is not None and not isinstance(self.screen, OperationsPage):
            self.push_screen(OperationsPage(acting))

    def action_read_only(self) -> None:
        """Let this console change nothing, or lift that."""
        acting = self._able()
        if acting is not None:
            acting.toggle_read_only()

    # --- recording, and what only a replay has ---

    async def action_record(self) -> None:
        """Record, or end that."""
        self.overview.tell(await self.recording.toggle())
        self.overview.header.tick()

    async def action_record_or_remove(self) -> None:
        """One key: it records where panes are, and removes a checkpoint where checkpoints are listed."""
        if self.screen is self.overview:
            await self.action_record()
        else:
            self.action_verb(Verb.REMOVE.value)

    def action_replay_pause(self) -> None:
        """Stand still, or go on."""
        self._replay(lambda feed: feed.pause())

    def action_replay_step(self) -> None:
        """To the next thing that was told."""
        self._replay(lambda feed: feed.step())

    def action_replay_speed(self, by: int) -> None:
        """Faster or slower."""
        self._replay(lambda feed: feed.faster(by))

    def action_replay_skip(self, seconds: int) -> None:
        """On or back."""
        self._replay(lambda feed: feed.skip(seconds))
        if seconds < 0:
            # What was remembered between two looks is of a time that has not come yet.
            self.findings.restart()
            self.window.restart()

    def _replay(self, do: Callable[[ReplayFeed], None]) -> None:
        feed = self.feed
        if isinstance(feed, ReplayFeed):
            do(feed)
            self._deliver()

    async def action_quit(self) -> None:
        """Leave; while operations run, only after that was said."""
        acting = self.acting
        if acting is None or not acting.asks_before_leaving():
            self.exit()

    def action_copy_incident(self) -> None:
        """The incident for a ticket, to the clipboard."""
        copy_incident(self)

    def action_command_palette(self) -> None:
        """Commands, and places to go to."""
        if not isinstance(self.screen, CommandPalette):
            self.push_screen(CommandPalette(placeholder="a command, or a VM, node or CSV", id="--command-palette"))

    def action_help(self) -> None:
        """Keys and signs."""
        if not isinstance(self.screen, HelpScreen):
            self.push_screen(HelpScreen(self.look, hvtui.__version__))

    def action_next_theme(self) -> None:
        """The next theme, at once."""
        names = list(self.palettes)
        self.use_theme(names[(names.index(self.theme) + 1) % len(names)])

    def use_theme(self, name: str) -> None:
        """Change colours while running."""
        self.theme = name
        self.overview.tell(f"theme: {self.palettes[name].title}")

    # --- when hvtui itself breaks ---

    def _fatal_error(self) -> None:
        # Textual would print every local variable, and those can hold a password.
        error = self._exception
        self.failed = True
        _LOG.critical("hvtui stopped", exc_info=error)
        where = f" Details are in {self._log_file}." if self._log_file is not None else ""
        self._exit_renderables = [
            Text(
                f"hvtui stopped because of an error in itself: {type(error).__name__}: {safe_text(str(error))}.{where}"
            )
        ]
        self._close_messages_no_wait()
