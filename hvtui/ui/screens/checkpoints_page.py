"""The checkpoints of one VM: which kind each really became, how old it is, and what applying or removing it does."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from hvtui.model.checkpoint_rows import PRODUCTION, RECOVERY, STANDARD, CheckpointRow, checkpoint_rows
from hvtui.model.checkpoints import Checkpoints
from hvtui.model.enums import CheckpointType, VmState, name_of
from hvtui.model.severity import Severity
from hvtui.model.vm_rows import vm_row
from hvtui.operations.plan import Target
from hvtui.operations.run import Run
from hvtui.ui import format as fmt
from hvtui.ui.pointed import Pointed
from hvtui.ui.screens.facts import Facts, row, span, text
from hvtui.ui.screens.list_page import ListPage
from hvtui.ui.signs import severity_signs
from hvtui.ui.widgets.document import Line, Section
from hvtui.ui.widgets.line_table import Column, LineTable

if TYPE_CHECKING:
    from hvtui.ui.acting import Acting

_ROLES = {PRODUCTION: "ok", STANDARD: "warn", RECOVERY: "warn"}
_APPLIES = {
    PRODUCTION: "The VM comes up from its disks of then, as after a restored backup: applied, it ends Off and must be "
    "started. It holds no memory: the guest's own freeze made it, or the VM was off.",
    STANDARD: "The memory of then returns with the disks: databases, Exchange and domain controllers go on with a "
    "state of the past, and that can harm them and their partners.",
    RECOVERY: "Made by a backup, and removed by it at its end. One that stays is a leftover, and its disk grows: first "
    "make sure in the backup product that no backup runs.",
}


class CheckpointsPage(ListPage):
    """C takes one, P applies, R removes the one under the cursor, B starts the VM."""

    KIND: ClassVar[str] = "checkpoint"

    def __init__(self, acting: Acting, vm: Target) -> None:
        self._signs = severity_signs(acting.look)
        self._answer: Checkpoints | None = None
        self._rows: dict[str, CheckpointRow] = {}
        self._vm = vm
        self.table: LineTable[CheckpointRow] = LineTable(
            self._columns(acting),
            acting.look,
            acting.feed.clock,
            sort="created",
            name=lambda line: line.name,
            trouble=lambda line: line.severity >= Severity.WARN,
            id="checkpoints",
        )
        super().__init__(acting, self.table)

    def _columns(self, acting: Acting) -> list[Column[CheckpointRow]]:
        arrow = acting.look.glyphs.arrow

        def newest(line: CheckpointRow) -> float | None:
            return -line.created.timestamp() if line.created is not None else None

        return [
            Column(key="sign", title="", width=1, priority=0, sort=lambda line: line.severity,
                   cell=lambda line: (self._signs[line.severity], _ROLES.get(line.kind, ""))),
            Column(key="name", title="checkpoint", width=24, grow=6, most=60, priority=0,
                   cell=lambda line: line.name),
            Column(key="kind", title="kind", width=21, grow=1, most=22, priority=0,
                   cell=lambda line: (line.kind, _ROLES.get(line.kind, "unread"))),
            Column(key="created", title="age", width=10, priority=1, right=True, sort=newest,
                   cell=self._age),
            Column(key="here", title="", width=5, priority=2, sort=lambda line: not line.current,
                   cell=lambda line: (f"{arrow} now" if line.current else "", "owner")),
            Column(key="taken", title="taken", width=16, priority=3, sort=newest,
                   cell=lambda line: fmt.day_time(line.created, acting.look.zone)),
            Column(key="parent", title="rests on", width=12, grow=3, most=40, priority=4,
                   cell=lambda line: (line.parent, "dim")),
        ]  # fmt: skip

    def _age(self, line: CheckpointRow) -> str:
        answer = self._answer
        if answer is None or line.created is None:
            return "?"
        now = Facts(self.acting.feed, self.look).node_now(answer.node) or answer.time
        return fmt.age((now - line.created).total_seconds())

    # --- the frame's questions ---

    def heading(self) -> tuple[str, str]:
        shown = vm_row(self.acting.feed.state, self._vm.id)
        count = "" if self._answer is None or self._answer.checkpoints is None else f", {len(self._rows)}"
        kind = self._type() or shown.checkpoint_type
        return f"Checkpoints of {self._vm.name}{count}", f"{shown.state} on {shown.node or '?'}, type {kind}"

    def _type(self) -> str:
        number = self._answer.checkpoint_type if self._answer is not None else None
        return "" if number is None else name_of(CheckpointType, number)

    async def fetch(self) -> None:
        self._answer = await self.acting.operations.checkpoints(self._vm.id)

    def show_list(self) -> int:
        rows = checkpoint_rows(self._answer) if self._answer is not None else None
        now = {line.id: line for line in rows or ()}
        gone: dict[str, CheckpointRow | None] = {key: None for key in self._rows if key not in now}
        self._rows = now
        self.table.update_rows(gone | now)
        # Ages grow.
        self.table.repaint_rows()
        empty = "none" if rows is not None else "not read" if self.was_read or self.failure else "being read"
        if self.table.empty_text != empty:
            self.table.empty_text = empty
            self.table.refresh()
        return len(now) + 2

    def concerns(self, run: Run) -> bool:
        vm = f"{self._vm.id.lower()}/"
        return any(
            target.key == self._vm.key or (target.kind == "checkpoint" and target.id.lower().startswith(vm))
            for target in run.plan.targets
        )

    def pointed(self) -> Pointed:
        line = self._rows.get(self.table.cursor_key or "")
        if line is None:
            # Without a checkpoint one can be taken, and the VM can be started.
            return Pointed("vm", (self._vm.id,))
        return Pointed("checkpoint", (f"{self._vm.id}/{line.id}",), names=(line.name,))

    def sections(self) -> list[Section]:
        facts = Facts(self.acting.feed, self.look)
        made = [self._last(), self._fallbacks(), self._cursor(facts), self._vm_section()]
        if self._answer is not None:
            made.append(facts.problems(self._answer.errors, self._answer.node))
        return [section for section in made if section is not None]

    def _last(self) -> Section | None:
        """What hvtui does with them now, and what it did last."""
        runs = [run for run in self.acting.operations.runs if self.concerns(run) and not run.acknowledged]
        if not runs:
            return None
        run = runs[-1]
        role = {"done": "ok", "running": "busy", "checking": "busy", "failed": "bad", "unknown": "bad"}
        lines = [text(span(f"{run.plan.title}  "), span(run.state.value, role.get(run.state.value, "warn")))]
        lines += [text(span(self.look.plain(line.text))) for line in run.lines[-3:]]
        lines += [text(span("O, Enter: ", "key"), span(offer.text)) for offer in run.offers]
        return Section("Last operation (O has it whole)", tuple(lines), wide=True)

    def _fallbacks(self) -> Section | None:
        found = [one for one in self.acting.operations.fallbacks if one.vm.lower() == self._vm.id.lower()]
        if not found:
            return None
        lines = [text(span(f"{self.look.glyphs.warn} {self.look.plain(one.text)}", "warn")) for one in found[::-1]]
        return Section("Silent fallback to a standard checkpoint", tuple(lines), wide=True, note=str(len(found)))

    def _cursor(self, facts: Facts) -> Section | None:
        line = self._rows.get(self.table.cursor_key or "")
        if line is None:
            return None
        node = self._answer.node if self._answer is not None else ""
        rests = {0: "nothing rests on it", 1: "one checkpoint rests on it"}
        lines: list[Line] = [
            row("kind", span(line.kind, _ROLES.get(line.kind, "unread"))),
            row("taken", facts.moment(line.created, node)),
            row("rests on", span(line.parent or "nothing: it is the first")),
            row("children", span(rests.get(line.children, f"{line.children} checkpoints rest on it"))),
        ]
        if line.current:
            lines.append(row("now", span("the VM runs on it: what changed since is above it")))
        if line.automatic:
            lines.append(row("made by", span("Hyper-V itself, when the VM was started")))
        if line.kind in _APPLIES:
            lines.append(text(span(_APPLIES[line.kind], "warn" if line.kind != PRODUCTION else "")))
        return Section(line.name, tuple(lines), wide=True)

    def _vm_section(self) -> Section | None:
        answer = self._answer
        if answer is None:
            return None
        kind = self._type()
        off = answer.state in {VmState.Off, VmState.Saved, VmState.SavedVendor}
        lines = [
            row("state", span(name_of(VmState, answer.state)), span("  B starts it" if off else "", "key")),
            row("a new one", span(_NEW.get(kind, kind) if kind else None)),
        ]
        return Section(self._vm.name, tuple(lines), wide=True)


_NEW = {
    "Production": "Production: by the guest's own freeze; silently a standard one when the guest cannot",
    "ProductionOnly": "ProductionOnly: by the guest's own freeze, or none at all",
    "Standard": "Standard: with memory, without asking the guest",
    "Disabled": "Disabled: none is taken",
}
