"""Everything of one finding: evidence, cause, the next step, what not to do, the way back."""

from __future__ import annotations

from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import Screen

from hvtui.findings.catalogue import Entry, catalogue
from hvtui.findings.finding import Evidence, Sure
from hvtui.findings.standing import Standing
from hvtui.text import safe_text
from hvtui.ui import format as fmt
from hvtui.ui.actions import bindings, key_word
from hvtui.ui.finding_watch import PANES, FindingWatch
from hvtui.ui.footer import KeyLine
from hvtui.ui.look import Look
from hvtui.ui.messages import GoTo
from hvtui.ui.pointed import NOTHING, Pointed
from hvtui.ui.screens.facts import row, span, text
from hvtui.ui.screens.finding_keys import acknowledge, act_on
from hvtui.ui.signs import SEVERITY_ROLES, severity_signs
from hvtui.ui.widgets.document import Document, Line, Section
from hvtui.ui.widgets.styled_line import Piece, StyledLine

_ELSEWHERE: Final = ("verb.cancel", "verb.checkpoint", "verb.start-vm", "detail.read", "findings.evidence")
_SURE: Final = {
    Sure.POSSIBLE: "possible: some of the evidence is missing",
    Sure.LIKELY: "likely: most of the evidence agrees",
    Sure.CERTAIN: "certain: all of the evidence agrees",
}


class FindingScreen(Screen[None]):
    """Over the overview; it goes on as the finding changes, and says when it is gone."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings("detail"),
        *bindings("findings"),
        *bindings("finding"),
        *bindings("acts"),
    ]

    DEFAULT_CSS = """
    FindingScreen { background: $hv-base; layout: vertical; }
    """

    def __init__(self, watch: FindingWatch, look: Look, key: str) -> None:
        super().__init__()
        self._watch = watch
        self._look = look
        self._key = key
        self._last: Standing | None = watch.standing(key)
        self._head = StyledLine(ellipsis=look.glyphs.ellipsis)
        self._page = Document(look)

    def compose(self) -> ComposeResult:
        yield self._head
        yield self._page
        yield KeyLine(
            self._look, "finding", "findings", "detail", "acts", "app", kind=self.pointed().kind, without=_ELSEWHERE
        )

    def on_mount(self) -> None:
        self.set_interval(1.0, self._show)
        self._page.focus()
        self._show()

    def pointed(self) -> Pointed:
        """What the finding is about."""
        target = self._last.finding.target if self._last is not None else None
        return NOTHING if target is None or not target.key else Pointed(target.kind, (target.key,))

    @property
    def text(self) -> str:
        """The page as plain text."""
        return self._page.text

    def _show(self) -> None:
        now = self._watch.standing(self._key)
        gone = now is None
        self._last = now or self._last
        one = self._last
        if one is None:
            self._head.show([Piece(" Finding ", "dim"), Piece("it is not there any more", "strong")])
            return
        finding = one.finding
        state, role = ("over: nothing shows it any more", "ok") if gone else (_SURE[finding.sure].partition(":")[0], "")
        name = safe_text(finding.target.name)
        self._head.show([Piece(" Finding ", "dim"), Piece(name, "strong")], [Piece(f"{state} ", role)])
        self._page.show_sections(finding_page(one, self._watch, self._look))

    # --- keys ---

    def action_back(self) -> None:
        """Back to where the user came from."""
        self.dismiss()

    def action_object(self) -> None:
        """To what the finding is about."""
        target = self._last.finding.target if self._last is not None else None
        pane = PANES.get(target.kind) if target is not None else None
        overview = self.app.get_default_screen()
        self.dismiss()
        if target is not None and pane is not None:
            overview.post_message(GoTo(pane, target.key))

    def action_evidence(self) -> None:
        """It is shown already."""

    def action_acknowledge(self) -> None:
        """Know of it, with a note; again, let it alarm."""
        acknowledge(self.app, self._watch, self._look, self._watch.standing(self._key))

    def action_act(self) -> None:
        """Open what helps."""
        act_on(self.app, self._watch, self._watch.standing(self._key))

    def action_scroll(self, lines: int) -> None:
        """Scroll by lines."""
        self._page.scroll_to(y=self._page.scroll_offset.y + lines, animate=False)

    def action_page(self, halves: int) -> None:
        """Scroll by halves of the page."""
        self.action_scroll(halves * max(1, self._page.size.height // 2))

    def action_edge(self, direction: int) -> None:
        """To the top or the bottom."""
        self._page.scroll_to(y=0 if direction < 0 else self._page.virtual_size.height, animate=False)

    def action_read(self) -> None:
        """Ask for what it was read from."""
        self._watch.feed.refresh("events")
        self._watch.feed.refresh("writers")


def finding_page(one: Standing, watch: FindingWatch, look: Look) -> list[Section]:
    """Sections of the page, what is wrong first."""
    finding, entry = one.finding, catalogue().entries[one.finding.rule]
    sign, role = severity_signs(look)[finding.severity], SEVERITY_ROLES[finding.severity]
    lines = [text(span(f"{sign} {look.plain(finding.text)}", role)), row("how sure", span(_SURE[finding.sure]))]
    if one.unread:
        lines.append(row("now", span(f"as it was last seen; it cannot be read: {one.unread}", "warn")))
    if one.began is not None:
        first = "" if finding.since is not None else " (first seen)"
        lines.append(row("since", span(fmt.day_time(one.began, look.zone)), span(first, "dim")))
    lines.append(row("rule", span(finding.rule, "dim")))
    pages = [Section(entry.title, tuple(lines), wide=True)]
    if one.acknowledged is not None or one.quiet:
        pages.append(_aside(one, look))
    pages.append(Section("How it is known", tuple(_evidence(e, look) for e in finding.evidence), wide=True))
    if len(finding.vms) > 1:
        names = [text(span(f"{place}. {vm.name}")) for place, vm in enumerate(finding.vms[:20], start=1)]
        more = len(finding.vms) - 20
        names += [text(span(f"and {more} more", "dim"))] if more > 0 else []
        pages.append(Section("VMs, worst first", tuple(names), note=str(len(finding.vms))))
    pages.append(_advice(one, entry, watch, look))
    return pages


def _evidence(evidence: Evidence, look: Look) -> Line:
    where = " ".join(word for word in (evidence.node, fmt.day_time(evidence.time, look.zone)) if word)
    when = where if evidence.time is not None else evidence.node
    return text(
        span(f"{look.glyphs.info} "),
        span(f"{when}  " if when else "", "dim"),
        span(look.plain(evidence.text)),
        span(f"  {evidence.source}", "dim"),
    )


def _advice(one: Standing, entry: Entry, watch: FindingWatch, look: Look) -> Section:
    lines = [
        row("looks like", span(entry.looks)),
        row("likely cause", span(entry.cause)),
        row("next step", span(entry.next, "ok")),
        row("never", span(entry.never, "bad")),
        row("way back", span(entry.undo)),
    ]
    helps = watch.helps(one.finding)
    if helps is not None:
        action, pointed = helps
        about = ", ".join(vm.name for vm in one.finding.vms[:3]) if pointed.kind == "vm" else ""
        direct = f", on its row {key_word(action.keys[0])}" if action.keys else ""
        words = f"{action.title}{f' ({about})' if about else ''}: press a{direct}"
        lines.append(row("helps", span(look.plain(words), "key")))
    lines.append(row("known from", span(entry.source, "dim")))
    return Section("What to do", tuple(lines), wide=True)


def _aside(one: Standing, look: Look) -> Section:
    ack = one.acknowledged
    if ack is None:
        return Section("Quiet", (text(span("the configuration calls this VM quiet: recorded, not alarmed", "dim")),))
    return Section(
        "Acknowledged",
        (
            row("by", span(ack.by or "?"), span(f"  {fmt.day_time(ack.time, look.zone)}", "dim")),
            row("note", span(ack.note)),
            text(span("! lets it alarm again; it does by itself when it gets worse", "dim")),
        ),
        wide=True,
    )
