"""Who may take part in VSS on which node: the values of VssAccessControl side by side, what they grant, proposals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Final

from hvtui.model.vss_access import VssAccess
from hvtui.operations.plan import Verb
from hvtui.operations.run import Run
from hvtui.operations.vss_access import ABSENT, DENIED, GRANTS, KEY, AccessRow, AccessTable, table, value_text
from hvtui.operations.vss_access import Cell as Value
from hvtui.operations.vss_proposals import Proposal, proposals, unheard_of
from hvtui.operations.vss_verified import Proof, asking
from hvtui.text import safe_text
from hvtui.ui.pointed import NOTHING, Pointed
from hvtui.ui.screens.facts import row, span, text
from hvtui.ui.screens.list_page import ListPage
from hvtui.ui.widgets.document import Line, Section
from hvtui.ui.widgets.matrix import Matrix
from hvtui.ui.widgets.matrix_layout import BLIND, FOLD, Cell, MatrixData

if TYPE_CHECKING:
    from hvtui.ui.acting import Acting

_VERBS: Final = frozenset({Verb.VSSACCESS, Verb.VSSACCESS_REMOVE, Verb.VSSACCESS_UNDO})
_PROOFS: Final = {
    Proof.AGAIN: ("came again", "bad"),
    Proof.CLEAR: ("it helped", "ok"),
    Proof.QUIET: ("quiet so far", "info"),
    Proof.WAITING: ("not proven yet", "warn"),
    Proof.UNREAD: ("not known", "unread"),
}


class AccessPage(ListPage):
    """L sets the account under the cursor, F removes it; the way back is on the operations page."""

    KIND: ClassVar[str] = "vssaccess"
    SHARE: ClassVar[int] = 40

    def __init__(self, acting: Acting) -> None:
        self._answers: Mapping[str, VssAccess | str] = {}
        self._table = AccessTable((), (), {})
        self._proposals: tuple[Proposal, ...] = ()
        self.matrix = Matrix(acting.look, id="access")
        super().__init__(acting, self.matrix)

    # --- the frame's questions ---

    def heading(self) -> tuple[str, str]:
        info = self.acting.feed.state.cluster.info
        count = len(self._table.rows)
        words = f"{count} account{'s' * (count != 1)} listed" if self.was_read else ""
        return (
            "VSS access (VssAccessControl)",
            f"on {info.name if info is not None else self.acting.feed.title}  {words}",
        )

    async def fetch(self) -> None:
        self._answers = await self.acting.operations.vss_access()
        self._table = table(self._answers)

    def show_list(self) -> int:
        events = asking(self.acting.feed.state)
        unheard = unheard_of(self.acting.feed.state)
        self._proposals = proposals(self._answers, events, unheard) if self._answers else ()
        data = matrix_of(self._table, self._proposals, self.look.glyphs.unknown)
        self.matrix.show_data(data)
        return len(data.rows) + 2

    def concerns(self, run: Run) -> bool:
        return run.plan.verb in _VERBS

    def pointed(self) -> Pointed:
        account, node = self._here()
        if not account:
            return NOTHING
        return Pointed("vssaccess", (f"{node}/{account}",), names=(account,))

    def _here(self) -> tuple[str, str]:
        """Account and node under the cursor; the first node that was read when the cursor is on none."""
        cursor = self.matrix.cursor
        if cursor is None or cursor[0] in (FOLD, BLIND):
            return "", ""
        node = cursor[1]
        if node in (FOLD, BLIND):
            read = [name for name in self._table.nodes if name not in self._table.unread]
            node = next(iter(read or self._table.nodes), "")
        return self._spelled(cursor[0]), node

    def _spelled(self, key: str) -> str:
        known = [*(line.account for line in self._table.rows), *(one.account for one in self._proposals)]
        return next((account for account in known if account.lower() == key), key)

    def on_matrix_moved(self, message: Matrix.Moved) -> None:
        """Another cell: what it says stands below."""
        message.stop()
        self.show()

    def on_matrix_opened(self, message: Matrix.Opened) -> None:
        """Enter: everything that can be done with the account."""
        message.stop()
        self.acting.open_menu()

    # --- words ---

    def sections(self) -> list[Section]:
        if not self._answers:
            return []
        made = [*self._account(), self._helped(), *self._proposed(), self._unread(), self._about()]
        return [section for section in made if section is not None]

    def _account(self) -> list[Section]:
        account, node = self._here()
        line = next((one for one in self._table.rows if one.account.lower() == account.lower()), None)
        if line is None:
            return []
        value = line.cells.get(node)
        lines: list[Line] = []
        if value is not None:
            lines += [row(node, span(value.text, _role(value, line))), row("grants", span(_grants(value.value)))]
            if value.sid:
                lines.append(row("SID", span(value.sid, "dim")))
        if line.differs:
            lines.append(row("nodes", span("they do not agree: what works on one is refused on another", "warn")))
        if line.shipped:
            lines.append(row("comes with", span("Windows: hvtui never changes it")))
        if line.wide:
            wide = "it stands for many: whoever logs on may take part in VSS. hvtui sets no such entry; remove it"
            lines.append(row("danger", span(wide, "bad")))
        return [Section(safe_text(line.account), tuple(lines), wide=True)]

    def _helped(self) -> Section | None:
        """What the backups since have shown of the entries that hvtui set."""
        lines: list[Line] = []
        for check in self.acting.operations.access_checks():
            word, role = _PROOFS[check.proof]
            lines.append(row(safe_text(check.account), span(word, role), span(f"  {safe_text(check.text)}")))
        return Section("Did it help? The backups since", tuple(lines), wide=True) if lines else None

    def _proposed(self) -> list[Section]:
        made = []
        account, _ = self._here()
        for one in sorted(self._proposals, key=lambda one: one.account.lower() != account.lower()):
            lines = [
                row("value", span(value_text(one.value), "key"), span(f"  {one.grants}")),
                row("why", span(one.reason)),
                row("on", span(", ".join(one.nodes))),
            ]
            lines += [row("seen" if n == 0 else " ", span(told, "dim")) for n, told in enumerate(one.evidence)]
            if one.caution:
                lines.append(row("mind", span(one.caution, "warn")))
            title = f"{'Proposed' if one.needed else 'May need one'}: {safe_text(one.account)}"
            made.append(Section(title, tuple(lines), wide=True, note="L sets it" if one.needed else ""))
        if not self._proposals and self.was_read:
            said = "none: no event 8194 or 8213 asks for an account, and no service of a backup product lacks one"
            if unheard_of(self.acting.feed.state):
                said = "none yet: not every node's Application log was read"
            made.append(Section("Proposals", (text(span(said, "dim")),), wide=True))
        return made

    def _unread(self) -> Section | None:
        lines = [row(node, span(why, "warn")) for node, why in self._table.unread.items()]
        words = "its Application log: what asks for an entry (8194, 8213) is not known"
        lines += [row(node, span(words, "warn")) for node in unheard_of(self.acting.feed.state)]
        return Section("Not readable", tuple(lines), wide=True, note=str(len(lines))) if lines else None

    def _about(self) -> Section:
        lines = (
            row("key", span(KEY, "dim")),
            *(row(value_text(value), span(words)) for value, words in GRANTS.items()),
            text(
                span(
                    "8194 is a warning: the backups themselves succeed. An entry is a right: give no more than needed."
                )
            ),
        )
        return Section("What a value grants", lines, wide=True)


def _grants(value: int | None) -> str:
    return GRANTS.get(value, "a value that VSS does not know") if value is not None else "it is no number"


def _role(value: Value, line: AccessRow) -> str:
    if value.value is None or (value.value != ABSENT and value.sid == ""):
        return "warn"
    if line.wide and value.value not in (ABSENT, DENIED):
        return "bad"
    return {ABSENT: "dim", DENIED: "warn"}.get(value.value, "" if line.shipped else "info")


def matrix_of(table: AccessTable, proposed: tuple[Proposal, ...], unknown: str) -> MatrixData:
    """Accounts by nodes: those that an event asks for, those listed, then those that only may need one."""
    wanted = {one.account.lower(): one for one in proposed}
    listed = {line.account.lower() for line in table.rows}
    cells: dict[tuple[str, str], Cell] = {}
    for line in table.rows:
        key = line.account.lower()
        for node, value in line.cells.items():
            role = _role(value, line)
            quiet = role in ("", "dim", "info") and not line.differs
            short = "-" if value.value == ABSENT else "?" if value.value is None else str(value.value)
            cells[key, node] = Cell(value.text, role, quiet=quiet, short=short)
    for key, one in wanted.items():
        if one.needed:
            for node in one.nodes:
                known = cells.get((key, node))
                now = known.text if known is not None else value_text(ABSENT)
                cells[key, node] = Cell(f"{now}: needs {one.value}", "warn", quiet=False, short=f"needs {one.value}")
        elif key not in listed:
            for node in one.nodes:
                cells[key, node] = Cell(value_text(ABSENT), "dim", short="-")
    rows = [(key, safe_text(one.account)) for key, one in wanted.items() if one.needed]
    rows += [(line.account.lower(), safe_text(line.account)) for line in table.rows]
    rows += [(key, safe_text(one.account)) for key, one in wanted.items() if key not in listed]
    rows = list(dict(rows).items())
    for node in table.unread:
        for key, _ in rows:
            cells[key, node] = Cell(unknown, "unread", quiet=False)
    return MatrixData(
        rows,
        [(node, safe_text(node, 40)) for node in table.nodes],
        cells,
        lambda some: some[0] if len({cell.text for cell in some}) == 1 else Cell("differ", "warn", short="~"),
        "account",
        fold_row="{n} more",
        fold_column="{n} nodes",
        fold_blind=f"{{n}} {unknown}",
        blind=frozenset(table.unread),
    )
