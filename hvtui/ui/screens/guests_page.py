"""What is inside guests: every volume worst first, with the bytes to free; who could not be read, and why.

Nothing is asked before a person has chosen the guests and given an account; one that is refused is never tried again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

from hvtui.errors import HvtuiError
from hvtui.model.guest_rows import GuestRow, VolumeRow, size_text, worst_first
from hvtui.model.guests import GuestFiles
from hvtui.model.secret import GuestCredential
from hvtui.model.severity import Severity
from hvtui.operations.plan import Target
from hvtui.operations.run import Run
from hvtui.text import safe_text
from hvtui.ui import format as fmt
from hvtui.ui.dialogs.guest_credential import AskGuestAccount
from hvtui.ui.panes.writer_matrix import ROLES
from hvtui.ui.pointed import NOTHING, Pointed
from hvtui.ui.screens.facts import row, span, text
from hvtui.ui.screens.lines import SEVERITY_ROLES
from hvtui.ui.screens.list_page import ListPage
from hvtui.ui.signs import severity_signs
from hvtui.ui.widgets.document import Line, Section
from hvtui.ui.widgets.line_table import Column, LineTable

if TYPE_CHECKING:
    from hvtui.ui.acting import Acting

_DENIED: Final = "denied"
_SKIPPED: Final = "skipped"


@dataclass(frozen=True, slots=True)
class VolumeLine:
    """A volume of a guest; without `volume` a guest of which none is known. `place` is its rank, worst first."""

    key: str
    guest: GuestRow
    volume: VolumeRow | None
    severity: Severity
    place: int


class GuestsPage(ListPage):
    """Enter shows the largest files of the volume under the cursor; r looks again, a asks for another account."""

    KIND: ClassVar[str] = "vm"
    SHARE: ClassVar[int] = 60
    WITHOUT: ClassVar[tuple[str, ...]] = (
        "verb.cancel", "verb.checkpoint", "verb.start-vm", "verb.policy", "acts.guests", "acts.checkpoints",
    )  # fmt: skip

    def __init__(self, acting: Acting, targets: Sequence[Target]) -> None:
        self._signs = severity_signs(acting.look)
        self._targets = tuple(targets)
        self._guests: dict[str, GuestRow] = {}
        self._lines: dict[str, VolumeLine] = {}
        self._files: dict[str, GuestFiles | str] = {}
        """What was found, or why nothing was, of a line's volume; `…` while it is looked for."""
        self._looking: set[asyncio.Task[None]] = set()
        self._stopped = ""
        """The guest that refused the account: nobody else was asked after it."""
        self.table: LineTable[VolumeLine] = LineTable(
            self._columns(),
            acting.look,
            acting.feed.clock,
            sort="sign",
            name=lambda line: f"{line.place:06}",
            trouble=lambda line: line.severity >= Severity.UNKNOWN,
            id="guests",
        )
        super().__init__(acting, self.table)

    def _columns(self) -> list[Column[VolumeLine]]:
        def place(line: VolumeLine) -> int:
            return line.place

        def free(line: VolumeLine) -> int | None:
            return line.volume.free if line.volume is not None else None

        return [
            Column(key="sign", title="", width=1, priority=0, sort=place,
                   cell=lambda line: (self._signs[line.severity], SEVERITY_ROLES.get(line.severity, "ok"))),
            Column(key="vm", title="guest", width=12, grow=4, most=30, priority=0, cell=lambda line: line.guest.name),
            Column(key="volume", title="volume", width=8, grow=3, most=24, priority=0,
                   cell=lambda line: line.volume.path if line.volume is not None else "-"),
            Column(key="free", title="free", width=8, priority=0, right=True, sort=free, cell=self._free),
            Column(key="percent", title="%", width=4, priority=1, right=True, cell=self._percent,
                   sort=lambda line: line.volume.percent if line.volume is not None else None),
            Column(key="size", title="of", width=8, priority=4, right=True, descending=True,
                   cell=lambda line: size_text(line.volume.size) if line.volume is not None else "",
                   sort=lambda line: line.volume.size if line.volume is not None else None),
            Column(key="to_free", title="to free", width=8, priority=2, right=True, descending=True,
                   cell=self._to_free, sort=lambda line: line.volume.to_free if line.volume is not None else None),
            Column(key="label", title="label", width=8, grow=1, most=16, priority=6,
                   cell=lambda line: (line.volume.label if line.volume is not None else "", "dim")),
            Column(key="node", title="node", width=6, grow=1, most=14, priority=5, cell=lambda line: line.guest.node),
            Column(key="why", title="why", width=14, grow=9, most=120, priority=3, cell=self._why),
        ]  # fmt: skip

    def _free(self, line: VolumeLine) -> tuple[str, str]:
        if line.volume is None:
            return "?", "unread"
        return size_text(line.volume.free), SEVERITY_ROLES.get(line.volume.severity, "")

    def _percent(self, line: VolumeLine) -> str:
        if line.volume is None or line.volume.percent is None:
            return "?"
        return f"{line.volume.percent}%"

    def _to_free(self, line: VolumeLine) -> tuple[str, str]:
        volume = line.volume
        if volume is None or not volume.to_free:
            return "", ""
        return size_text(volume.to_free), SEVERITY_ROLES.get(volume.severity, "")

    def _why(self, line: VolumeLine) -> tuple[str, str]:
        guest, volume = line.guest, line.volume
        role = SEVERITY_ROLES.get(line.severity, "dim")
        if volume is None:
            return self.look.plain(f"{guest.word}: {guest.reason}"), role
        if volume.severity is Severity.BAD:
            return "full: no shadow copy can be made in the guest", role
        if volume.severity is Severity.WARN:
            return "low", role
        return (
            ("", "") if guest.word == "ok" or guest.volumes[0] is not volume else (self.look.plain(guest.reason), "dim")
        )

    # --- the frame's questions ---

    def heading(self) -> tuple[str, str]:
        guests = self._guests.values()
        read = sum(guest.read for guest in guests)
        dot = f" {self.look.glyphs.dot} "
        words = [f"{read} of {len(self._targets)} read"]
        full = sum(bool(guest.full) for guest in guests)
        words += [f"{full} full"] if full else []
        silent = sum(not guest.read for guest in guests)
        words += [f"{silent} not readable"] if silent else []
        return f"Inside {_some(self._targets)}", dot.join(words)

    def begin(self) -> None:
        """Ask for the account first; what an earlier look has found is shown behind the dialog."""
        for target in self._targets:
            known = self.acting.operations.guest_knowledge.get(target.id)
            if known is not None:
                self._guests[target.id.lower()] = known
        self.show()
        self.ask_account()

    def ask_account(self) -> None:
        """The dialog that asks for an account of the guests."""
        kept = self.acting.guest_credential
        name = self.acting.guest_account
        self.app.push_screen(AskGuestAccount(self.look, self._targets, name, kept is not None, self._given))

    def _given(self, account: str, password: str) -> None:
        kept = self.acting.guest_credential
        if not password and kept is not None and kept.username != account:
            self.acting.tell("that account needs its own password")
            return
        if password:
            self.acting.guest_account = account
            self.acting.guest_credential = GuestCredential(account, password)
        if self._work is not None and not self._work.done():
            # The look before is still being ended on the nodes: what was given now is for the next one.
            self._work.add_done_callback(lambda _: self.read() if self._open else None)
        else:
            self.read()

    def read(self) -> None:
        if self.acting.guest_credential is None:
            self.ask_account()
        else:
            super().read()

    async def fetch(self) -> None:
        credential = self.acting.guest_credential
        assert credential is not None
        self._stopped = ""
        async with aclosing(self.acting.operations.guests(self._targets, credential, parallel=PARALLEL)) as answers:
            async for guest in answers:
                self._guests[guest.vm.lower()] = guest
                if guest.outcome == _DENIED:
                    # Never tried again: the next reading asks for another password.
                    self._stopped = guest.name
                    self.acting.guest_credential = None
                self.soon()

    def show_list(self) -> int:
        now = {line.key: line for line in self._made()}
        gone: dict[str, VolumeLine | None] = {key: None for key in self._lines if key not in now}
        if now != self._lines:
            self._lines = now
            self.table.update_rows(gone | now)
        empty = "being read" if self.reading else "nothing was asked yet: r asks for an account"
        if self.table.empty_text != empty:
            self.table.empty_text = empty
            self.table.refresh()
        return len(now) + 2

    def _made(self) -> Iterator[VolumeLine]:
        place = 0
        for guest in worst_first(self._guests.values()):
            for volume in guest.volumes or (None,):
                severity = guest.severity if volume is None or volume is guest.volumes[0] else volume.severity
                key = f"{guest.vm.lower()}|{volume.path if volume is not None else ''}"
                yield VolumeLine(key, guest, volume, severity, place)
                place += 1

    def concerns(self, run: Run) -> bool:
        return False

    def pointed(self) -> Pointed:
        line = self._lines.get(self.table.cursor_key or "")
        return NOTHING if line is None else Pointed("vm", (line.guest.vm,))

    # --- words ---

    def sections(self) -> list[Section]:
        line = self._lines.get(self.table.cursor_key or "")
        made = [self._refused()] if self._stopped else []
        if line is None:
            return made
        guest = line.guest
        made += [self._guest(guest)]
        made += [self._largest(line)] if line.key in self._files else []
        if guest.volumes:
            path = line.volume.path if line.volume is not None else ""
            made.append(self._volumes(guest, path))
        if guest.read:
            made += [self._services(guest), self._writers(guest), self._storage(guest)]
        if guest.errors:
            lines = [row(problem.part, span(problem.text or problem.kind, "warn")) for problem in guest.errors]
            made.append(Section("Not readable in it", tuple(lines), wide=True))
        return made

    def _refused(self) -> Section:
        left = sum(guest.outcome == _SKIPPED for guest in self._guests.values())
        said = (
            f"{self._stopped} refused the account. Nothing is tried again with it: accounts lock. r asks for another."
        )
        more = f"{left} more guests were not asked." if left else ""
        return Section("The account was refused", (text(span(said, "warn")), text(span(more))), wide=True)

    def _guest(self, guest: GuestRow) -> Section:
        role = SEVERITY_ROLES.get(guest.severity, "ok")
        sign = self._signs[guest.severity]
        lines: list[Line] = [row("state", span(f"{sign} {guest.word}", role))]
        for n, why in enumerate(guest.reason.split("; ") if guest.reason else ()):
            lines.append(row("why" if n == 0 else " ", span(self.look.plain(why))))
        if guest.system:
            lines.append(row("system", span(guest.system)))
        if guest.time is not None:
            lines.append(row("read", span(fmt.day_time(guest.time, self.look.zone))))
        if guest.command:
            lines.append(row("run inside", span(self.look.plain(guest.command), "key")))
        return Section(guest.name, tuple(lines), wide=True, note=guest.node)

    def _volumes(self, guest: GuestRow, here: str) -> Section:
        lines = []
        for volume in guest.volumes:
            role = SEVERITY_ROLES.get(volume.severity, "")
            least = f"{size_text(volume.least)} must be freed, " if volume.least else ""
            wanted = f"{least}{size_text(volume.to_free)} should be" if volume.to_free else ""
            percent = "?" if volume.percent is None else f"{volume.percent}%"
            lines.append(
                row(
                    volume.path,
                    span(f"{size_text(volume.free)} free of {size_text(volume.size)} ({percent})", role),
                    span(f"  {' '.join(filter(None, (volume.label, volume.file_system)))}", "dim"),
                    span(f"  {wanted}" if wanted else "", role),
                )
            )
        return Section("Volumes", tuple(lines), wide=True, note=f"Enter: the largest files of {safe_text(here)}")

    def _services(self, guest: GuestRow) -> Section:
        if guest.services is None:
            return Section("VSS services", (text(span("not read", "unread")),), wide=True)
        lines = [row(one.name, span(one.state), span(f"  {one.start_mode or '?'}", "dim")) for one in guest.services]
        return Section("VSS services", tuple(lines) or (text(span("none told", "unread")),), wide=True)

    def _writers(self, guest: GuestRow) -> Section:
        report = guest.writers
        if report is None or report.failure:
            why = report.failure if report is not None else "not read"
            return Section("VSS writers", (text(span(why, "unread")),), wide=True)
        bad = [writer for writer in report.writers if writer.state_class != "ok"]
        good = len(report.writers) - len(bad)
        lines = [
            row(writer.name, span(f"[{'?' if writer.code is None else writer.code}] {writer.state_text or '?'}",
                                  ROLES.get(writer.state_class, "warn")),
                span(f"  {writer.error_text}", "dim"))
            for writer in bad
        ]  # fmt: skip
        lines.append(text(span(f"{good} stable", "ok" if good else "unread")))
        return Section("VSS writers", tuple(lines), wide=True, note=str(len(report.writers)))

    def _storage(self, guest: GuestRow) -> Section:
        if guest.storage is None:
            return Section("Shadow storage", (text(span("not read", "unread")),), wide=True)
        lines = [
            row(one.volume, span(f"{size_text(one.used)} used, {size_text(one.allocated)} allocated, at most "
                                 f"{'no limit' if one.maximum is None else size_text(one.maximum)}"),
                span(f"  on {one.store}" if one.store and one.store != one.volume else "", "dim"))
            for one in guest.storage
        ]  # fmt: skip
        return Section("Shadow storage", tuple(lines) or (text(span("none", "dim")),), wide=True)

    # --- the largest files ---

    def on_line_table_opened(self, message: LineTable.Opened) -> None:
        """Enter: the largest files of the volume."""
        message.stop()
        line = self._lines.get(message.key)
        credential = self.acting.guest_credential
        if line is None or line.volume is None:
            return
        if credential is None:
            self.ask_account()
        elif self._files.get(line.key) != _LOOKED_FOR:
            self._files[line.key] = _LOOKED_FOR
            task = asyncio.create_task(self._find(line, credential), name="largest files")
            self._looking.add(task)
            task.add_done_callback(self._looking.discard)
            self.show()

    async def _find(self, line: VolumeLine, credential: GuestCredential) -> None:
        assert line.volume is not None
        target = Target(kind="vm", id=line.guest.vm, name=line.guest.name)
        try:
            found = await self.acting.operations.guest_files(target, credential, line.volume.path)
        except HvtuiError as error:
            self._files[line.key] = error.text
        else:
            self._files[line.key] = found
            if found.outcome == _DENIED:
                self._stopped, self.acting.guest_credential = line.guest.name, None
        self.show()

    def _largest(self, line: VolumeLine) -> Section:
        found = self._files[line.key]
        path = line.volume.path if line.volume is not None else ""
        title = f"Largest files of {path}"
        if isinstance(found, str):
            words = "being looked for, for a minute at most" if found == _LOOKED_FOR else found
            return Section(title, (text(span(words, "busy" if found == _LOOKED_FOR else "warn")),), wide=True)
        if found.files is None:
            return Section(title, (text(span(f"not readable: {found.text or found.outcome}", "warn")),), wide=True)
        lines = [text(span(f"{size_text(one.size):>9}  "), span(one.path)) for one in found.files]
        if found.partial:
            lines.append(text(span("the time ran out: there may be larger ones", "warn")))
        return Section(title, tuple(lines) or (text(span("none", "dim")),), wide=True, note=str(len(found.files)))

    def on_unmount(self) -> None:
        """Textual calls the frame's own, too."""
        for task in self._looking:
            task.cancel()


_LOOKED_FOR: Final = "\0"
PARALLEL: Final = 8
"""Guests of a node that are asked at the same time."""


def _some(targets: Sequence[Target]) -> str:
    return safe_text(targets[0].name) if len(targets) == 1 else f"{len(targets)} guests"
