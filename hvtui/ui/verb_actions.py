"""What changes a cluster, and what belongs to it. Each mutating action opens a dialog; none does anything by itself."""

from __future__ import annotations

from typing import Final

from hvtui.operations.plan import Verb
from hvtui.ui.action import Action, Confirm


def _verb(
    verb: Verb,
    key: str,
    title: str,
    help_text: str,
    *,
    on: tuple[str, ...],
    confirm: Confirm = Confirm.TYPED,
    footer: str = "",
) -> Action:
    return Action(
        id=f"verb.{verb.value}",
        keys=(key,) if key else (),
        title=title,
        help=help_text,
        call=f"app.verb('{verb.value}')",
        scope="acts",
        footer=footer,
        palette=True,
        mutating=True,
        confirm=confirm,
        verb=verb.value,
        on=on,
    )


VERB_ACTIONS: Final[tuple[Action, ...]] = (
    _verb(
        Verb.MIGRATE,
        "M",
        "Migrate",
        "Move the VM, or all marked ones, to another node",
        on=("vm",),
        confirm=Confirm.ARMED,
        footer="migrate",
    ),
    _verb(
        Verb.CANCEL,
        "X",
        "Cancel migration",
        "End a VM's migration, or an operation, as far as Windows can",
        on=("vm", "run"),
        confirm=Confirm.ARMED,
        footer="cancel",
    ),
    _verb(
        Verb.ALIGN,
        "A",
        "Align",
        "VMs to the owner of their CSV, of this one or of all",
        on=("csv",),
        confirm=Confirm.ARMED,
        footer="align",
    ),
    _verb(
        Verb.DRAIN,
        "D",
        "Drain node",
        "Pause the node and let the cluster move its roles away",
        on=("node",),
        footer="drain",
    ),
    _verb(
        Verb.RESUME,
        "U",
        "Resume node",
        "Let a paused node take roles again; asks if its roles come back",
        on=("node",),
        confirm=Confirm.ARMED,
    ),
    _verb(
        Verb.VMMS,
        "V",
        "Restart VMMS",
        "Drain, stop, start, resume, guided; marked nodes one by one",
        on=("node", "writer"),
        footer="restart VMMS",
    ),
    _verb(
        Verb.START_VMMS,
        "S",
        "Start VMMS",
        "Start a VMMS that hvtui stopped",
        on=("node",),
        confirm=Confirm.ARMED,
    ),
    _verb(
        Verb.SERVICE,
        "W",
        "Restart a writer's service",
        "Restart the service that hosts a VSS writer",
        on=("writer", "node"),
    ),
    _verb(
        Verb.ISOLATE,
        "",
        "Isolate suspects",
        "Gather the marked VMs and a clean one as control on one node",
        on=("vm",),
    ),
    _verb(
        Verb.RETURN,
        "",
        "Return from isolation",
        "Send isolated VMs back to where they were",
        on=("vm", "run"),
        confirm=Confirm.ARMED,
    ),
    Action(
        "acts.menu", (".",), "Actions", "What can be done with the row under the cursor", "app.act_menu", "acts",
        "actions", True,
    ),
    Action(
        "acts.page", ("7", "O"), "Operations", "What runs, what was done, what failed, and the command log",
        "app.operations", "acts", "operations", True,
    ),
    Action(
        "acts.copy", ("y",), "Copy the incident", "For a ticket: what was seen, what was done, what is open",
        "app.copy_incident", "acts", "", True,
    ),
    Action(
        "acts.read_only", ("f8",), "Read-only on or off",
        "Let this console change nothing, and lift that again",
        "app.read_only", "acts", "", True,
    ),
    # The operations page
    Action("run.offer", ("enter",), "Next step", "What may be done next about the operation",
           "next_step", "operations", "next step"),
    Action("run.seen", ("a",), "Seen", "I have seen how it ended: it leaves the first line", "seen",
           "operations", "seen"),
    Action("run.log", ("c",), "Command log", "Every call that changed something, verbatim, and back", "log",
           "operations", "command log"),
    Action("run.read", ("r", "f5"), "Read back", "What became of an operation that a console left unfinished",
           "read_back", "operations", "read back"),
    Action("run.back", ("escape", "backspace"), "Back", "Back to the panes", "back", "operations", "back"),
    # Dialogs
    Action("dialog.cancel", ("escape",), "Cancel", "Close the dialog; nothing is done", "leave", "dialog"),
    Action("dialog.enter", ("enter",), "Enter", "Press the button that has the focus: Cancel", "enter", "dialog"),
    Action("dialog.yes", ("y",), "Confirm", "Do it, while the button is armed and no name must be typed",
           "yes", "dialog"),
    Action("dialog.override", ("f2",), "Set aside", "Set aside the rules that may be, then type the name", "override",
           "dialog"),
    Action("dialog.stopped", ("f3",), "Backup stopped",
           "Say, typed, that the backup job was stopped in the backup product", "say_stopped", "dialog"),
    Action("dialog.failback", ("f4",), "Failback", "Resume with or without bringing the roles back", "failback",
           "dialog"),
    Action("dialog.read", ("f5",), "Read again", "Ask the nodes again and plan anew", "read_again", "dialog"),
    Action("dialog.down", ("down", "j"), "Down", "A line down", "scroll(1)", "dialog"),
    Action("dialog.up", ("up", "k"), "Up", "A line up", "scroll(-1)", "dialog"),
    Action("dialog.page_down", ("pagedown", "d", "space"), "Page down", "Half a page down", "page(1)", "dialog"),
    Action("dialog.page_up", ("pageup", "u"), "Page up", "Half a page up", "page(-1)", "dialog"),
)  # fmt: skip
"""In the order of the row's action menu."""
