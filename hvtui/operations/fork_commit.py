"""Signs that a checkpoint's fork was not committed: together with an unmerged AVHDX, a move or restart destroys data.

Source: peers.md §0.1 and §B 30.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from hvtui.model.event_catalog import vm_of
from hvtui.model.events import NodeEvent
from hvtui.model.preflight import ForkCommit, ForkSign

CODES: Final = frozenset({"0x80048102", "0x800480bd", "0x800480bc", "0x800703ee"})
EVENT: Final = 3216
_WORKER: Final = "microsoft-windows-hyper-v-worker"


def signs_by_vm(answers: Iterable[ForkCommit], events: Iterable[NodeEvent]) -> dict[str, list[ForkSign]]:
    """VM → its signs, from the searched logs of any node, as it may have been elsewhere then, and from events since."""
    found: dict[str, list[ForkSign]] = {}
    for answer in answers:
        for sign in answer.signs or ():
            found.setdefault(sign.vm.lower(), []).append(sign)
    for held in events:
        event = held.event
        worker = event.id == EVENT and event.provider.lower().startswith(_WORKER)
        code = next((code for code in event.codes if code in CODES), "")
        vm = vm_of(event)[0] if worker or code else ""
        if vm:
            sign = ForkSign(vm=vm, channel=event.channel, record=event.record, id=event.id, time=event.time, code=code)
            found.setdefault(vm.lower(), []).append(sign)
    return found


def unsearched(answers: Mapping[str, ForkCommit]) -> str:
    """How far back signs could be searched for, where logs dropped older records; empty when every log is whole."""
    begins = {}
    for node, answer in answers.items():
        wrapped = [log.oldest for log in answer.searched if log.wrapped is not False]
        if wrapped:
            known = [oldest for oldest in wrapped if oldest is not None]
            begins[node] = max(known) if len(known) == len(wrapped) else None
    if not begins:
        return ""
    said = [f"{node} from {f'{at:%Y-%m-%d %H:%M} UTC' if at else '?'}" for node, at in sorted(begins.items())]
    more = f" and {len(said) - 6} nodes more" if len(said) > 6 else ""
    return f"older fork-commit signs cannot be seen, the logs have wrapped: {', '.join(said[:6])}{more}"
