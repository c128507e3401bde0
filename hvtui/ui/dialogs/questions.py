"""What is asked before a plan is made: which failback, which service, is a restart needed, which VM is the control."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from hvtui.live.feed import Feed
from hvtui.model.enums import VmState
from hvtui.model.severity import Severity
from hvtui.model.vm_rows import vm_row
from hvtui.model.writer_catalog import HYPER_V, STABLE, WRITERS
from hvtui.operations.guest_knowledge import GuestKnowledge
from hvtui.operations.guest_knowledge import guilty as guilty_of
from hvtui.operations.plan import Target
from hvtui.operations.verbs.restart import RESTARTABLE
from hvtui.text import natural
from hvtui.ui.dialogs.menu import Choice, MenuScreen
from hvtui.ui.look import Look
from hvtui.ui.screens.facts import span, text
from hvtui.ui.widgets.document import Line

_VERDICTS: Final = {True: "bad", False: "ok", None: "warn"}
"""Roles of what is known of a guest: it is still full, it is not, nobody looked."""


def resume_question(feed: Feed, look: Look, node: str, choose: Callable[[str], None]) -> MenuScreen:
    """Resume always names its failback."""
    choices = [
        Choice("Immediate", "Immediate", "1", word="its roles come back at once",
               about=_lines("Resume-ClusterNode -Failback Immediate: roles that the drain took away are moved back.")),
        Choice("NoFailback", "NoFailback", "2", word="its roles stay where they are now",
               about=_lines("Resume-ClusterNode -Failback NoFailback: the node takes roles again, none is moved.",
                            "For when a VM that would come back is held, or the node has to show that it is well.")),
    ]  # fmt: skip
    return MenuScreen(look, feed.clock, f"Resume {node}: what becomes of its roles?", choices, choose,
                      protected=feed.protected)  # fmt: skip


def needed_question(
    feed: Feed,
    look: Look,
    nodes: Sequence[str],
    go_on: Callable[[str], None],
    *,
    knowledge: GuestKnowledge,
    look_inside: Callable[[Sequence[str]], None],
) -> MenuScreen | None:
    """Is a restart of VMMS needed at all? None when everything was read and nothing speaks against it.

    `knowledge` is what looks into guests have found; `look_inside` opens the page of guests for these VMs.
    """
    guilty = {vm: name for node in nodes for vm, name in guilty_of(feed.state, node).items()}
    stable = [node for node in nodes if _writer_code(feed, node) == STABLE]
    unread = [node for node in nodes if feed.state.events.read_at(node) is None]
    if not guilty and not stable and not unread:
        return None
    inside: list[str] = []
    names = ", ".join(sorted(guilty.values(), key=natural)) or "no guest"
    if guilty:
        heading = "Is there room again in the guests whose shadow copy failed?"
        now = feed.clock.monotonic()
        known = sorted((knowledge.verdict(vm, name, now) for vm, name in guilty.items()), key=lambda one: -one.severity)
        told = _lines(
            f"Event 10102 names: {names}.",
            "A restart brings the writer back. While a guest's volume is full, the next backup run sticks it again.",
        ) + tuple(text(span(look.plain(one.text), _VERDICTS.get(one.full, "warn"))) for one in known)
        inside = [vm for vm in guilty if feed.state.vm(vm) is not None]
        choices = [
            Choice("freed", "They have room again", "1", word="plan the restart", about=told),
            Choice("unknown", "I do not know", "2", word="plan it, and look into the guests before the next backup",
                   about=told),
            Choice("full", "They are still full", "3", word="free space first; a restart helps until the next run only",
                   about=told),
            Choice("leave", "Leave it for now", "4", word="nothing is done", about=told),
        ]  # fmt: skip
        if inside:
            look_now = Choice(
                "look", "Look into them", "5", word="their volumes, with an account of theirs", about=told
            )
            choices.append(look_now)
    elif unread:
        heading = f"The events of {', '.join(unread)} were not read yet"
        told = _lines(
            "Whether a full volume of a guest is the cause is not known: then a restart helps until the next run."
        )
        choices = [
            Choice("leave", "Wait for them", "1", word="nothing is done", about=told),
            Choice("unread", "Restart VMMS all the same", "2", word="plan the restart", about=told),
        ]
    else:
        heading = f"The Hyper-V writer of {', '.join(stable)} is [1] Stable"
        told = _lines("A writer that is stable needs no restart of VMMS.")
        choices = [
            Choice("leave", "Leave it", "1", word="nothing is done", about=told),
            Choice("stable", "Restart VMMS all the same", "2", word="plan the restart", about=told),
        ]
    answers = {
        "freed": f"You said: the guests have room again ({names}).",
        "unknown": f"You did not know whether the guests have room again ({names}).",
        "full": f"You said: the guests are still full ({names}). The writer will stick again with the next backup.",
        "unread": "Which guests failed was not read when you asked.",
        "stable": "The Hyper-V writer is stable; you restart VMMS all the same.",
    }

    def chosen(answer: str) -> None:
        if answer == "look":
            look_inside(inside)
        elif answer != "leave":
            go_on(answers[answer])

    return MenuScreen(look, feed.clock, heading, choices, chosen, protected=feed.protected)


def _writer_code(feed: Feed, node: str) -> int | None:
    view = feed.state.nodes.get(node)
    if view is None or view.writers is None:
        return None
    return next((writer.code for writer in view.writers.writers if writer.id == HYPER_V), None)


def service_question(feed: Feed, look: Look, node: str, choose: Callable[[str], None]) -> MenuScreen:
    """Which of the services that hvtui restarts."""
    choices = []
    for place, service in enumerate(RESTARTABLE, start=1):
        hosted = sorted(known.name for known in WRITERS.values() if known.service.lower() == service.lower())
        word = ", ".join(hosted) or "no writer that hvtui knows"
        about = _lines(f"Hosts: {word}.", "It is refused while services that run depend on it, or while a backup runs.")
        choices.append(Choice(service, service, str(place), word=word, about=about))
    return MenuScreen(look, feed.clock, f"Restart which service on {node}?", choices, choose, protected=feed.protected)


def control_question(feed: Feed, look: Look, suspects: Sequence[Target], choose: Callable[[str], None]) -> MenuScreen:
    """Which clean VM goes with the suspects: when its backup fails there too, the node is at fault."""
    out = {target.id for target in suspects}
    rows = [vm_row(feed.state, key) for key in feed.state.vm_keys() if key not in out]
    clean = [
        row
        for row in rows
        if row.severity <= Severity.INFO and row.state == VmState.Running.name and feed.state.role(row.key) is not None
    ]
    clean.sort(key=lambda row: natural(row.name))
    told = _lines("The control must be a VM whose backups succeed: when it fails there too, the node is at fault.")
    choices = [
        Choice(row.key, row.name, word=f"{row.state} on {row.node or '?'}, {', '.join(row.csvs) or '?'}", about=told)
        for row in clean
    ]
    names = ", ".join(target.name for target in suspects[:4]) + (" …" if len(suspects) > 4 else "")
    return MenuScreen(look, feed.clock, f"Isolate {names}: which clean VM is the control?", choices, choose,
                      protected=feed.protected)  # fmt: skip


def _lines(*words: str) -> tuple[Line, ...]:
    return tuple(text(span(word)) for word in words)
