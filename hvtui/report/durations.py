"""How long each VM's backup took, phase by phase, and which of them are unlike those of earlier nights."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from statistics import median
from typing import Final

import msgspec

from hvtui.model.durations import span_text
from hvtui.window.records import Outcome, Standing, Timeline, VmLine
from hvtui.window.standing import phase_seconds, reached

LEAST: Final = 2
"""Earlier nights with a backup of the VM that are needed before its duration is compared."""
TWICE: Final = 2.0
LONGER: Final = 600.0
"""A duration is unlike the others when it is twice their median and ten minutes more."""
_USUAL: Final = 0.8
"""Share of earlier nights in which a VM was backed up for that to be usual."""


class Took(msgspec.Struct, frozen=True, kw_only=True):
    """The newest backup of a VM. `seconds` is None for one that was not seen from its begin to its end.

    `phases`: phase → seconds. `standing` is the number of `window.records.Standing`.
    """

    vm: str
    name: str
    node: str
    standing: int
    begin: datetime | None = None
    end: datetime | None = None
    seconds: float | None = None
    phases: dict[str, float] = msgspec.field(default_factory=dict)
    outcome: str = ""
    consistency: str = "unknown"
    way: str = ""
    attempts: int = 0
    reason: str = ""


class Outlier(msgspec.Struct, frozen=True, kw_only=True):
    """A VM that did not do as usual, and how: `text` says it, `factor` sorts (0 for what is no duration)."""

    vm: str
    name: str
    text: str
    factor: float = 0.0


def took_of(timeline: Timeline) -> tuple[Took, ...]:
    """Every VM that had or should have had a backup in the window: the worst standing first, then the longest; those
    that only wait for one last.
    """
    made = [_took(line, timeline) for line in timeline.vms if line.standing is not Standing.NONE]
    return tuple(sorted(made, key=_order))


def _order(one: Took) -> tuple[int, float, str, str]:
    standing = 0 if one.standing == Standing.WAITING else one.standing
    return -standing, -(one.seconds or 0.0), one.name.casefold(), one.vm


def _took(line: VmLine, timeline: Timeline) -> Took:
    now, last = timeline.now, line.last
    if last is not None and (last.end or now) < timeline.begin:
        # Of an earlier night.
        last = None
    whole = last is not None and last.end is not None and bool(last.spans) and last.spans[0].exact
    return Took(
        vm=line.vm,
        name=line.name,
        node=line.node,
        standing=int(line.standing),
        begin=last.begin if last is not None else None,
        end=last.end if last is not None else line.last_backup if line.standing is Standing.DONE else None,
        seconds=last.seconds(now) if last is not None and whole else None,
        phases={phase.value: seconds for phase, seconds in phase_seconds(last, now).items()}
        if last is not None
        else {},
        outcome=last.outcome.value if last is not None else "",
        consistency=reached(last),
        way=last.way.value if last is not None else "",
        attempts=line.attempts,
        reason=line.reason,
    )


def outliers(now: Sequence[Took], earlier: Sequence[Iterable[Took]]) -> tuple[Outlier, ...]:
    """VMs that took much longer than in earlier nights, or were backed up then and not now; the furthest first."""
    nights = [{one.vm: one for one in night} for night in earlier]
    made = []
    for one in now:
        before = [night[one.vm] for night in nights if one.vm in night]
        lengths = [past.seconds for past in before if past.seconds is not None and past.outcome == Outcome.DONE.value]
        if one.seconds is not None and len(lengths) >= LEAST:
            usual = median(lengths)
            if one.seconds >= TWICE * usual and one.seconds - usual >= LONGER:
                phase = _grown(one, [past for past in before if past.seconds is not None])
                text = f"{span_text(one.seconds)}, usually {span_text(usual)} ({len(lengths)} nights){phase}"
                made.append(Outlier(vm=one.vm, name=one.name, text=text, factor=one.seconds / max(usual, 1.0)))
                continue
        well = sum(past.standing == Standing.DONE for past in before)
        if one.standing in _NOT_DONE and len(nights) >= LEAST and well >= _USUAL * len(nights):
            words = Standing(one.standing).name.lower()
            made.append(
                Outlier(vm=one.vm, name=one.name, text=f"{words}; done in {well} of {len(nights)} nights before")
            )
    listed = {one.vm for one in now}
    for vm in dict.fromkeys(vm for night in nights for vm in night if vm not in listed):
        held = [night[vm] for night in nights if vm in night]
        well = sum(past.standing == Standing.DONE for past in held)
        if len(nights) >= LEAST and well >= _USUAL * len(nights):
            text = f"nothing is known of a backup; done in {well} of {len(nights)} nights before"
            made.append(Outlier(vm=vm, name=held[-1].name, text=text))
    return tuple(sorted(made, key=lambda one: (one.factor != 0.0, -one.factor, one.name.casefold())))


_NOT_DONE: Final = frozenset({Standing.FAILED, Standing.MISSED, Standing.STALLED, Standing.ENDED, Standing.WAITING})


def _grown(now: Took, before: Sequence[Took]) -> str:
    """The phase that grew most, in words; empty when none stands out."""
    grown = {}
    for phase, seconds in now.phases.items():
        usual = median([past.phases.get(phase, 0.0) for past in before])
        grown[phase] = seconds - usual
    most = max(grown, key=grown.__getitem__, default="")
    return f", longest in {most}: {span_text(now.phases[most])}" if most and grown[most] >= LONGER / 2 else ""
