"""`hvtui findings`: what is wrong, how that is known, how sure it is, and the safe next step."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Final

from hvtui.cli.arguments import Arguments
from hvtui.cli.connecting import choose, gate_for
from hvtui.cli.exits import Exit
from hvtui.cli.output import complain, say, show_json
from hvtui.cli.picture_json import Json, cluster_json, time_json
from hvtui.cli.status import MARKS, show_unread, unread_json
from hvtui.clock import SystemClock
from hvtui.config import ClusterConfig
from hvtui.findings.catalogue import catalogue
from hvtui.findings.engine import Engine
from hvtui.findings.finding import Evidence, Sure, Target
from hvtui.findings.kept import acknowledged_of
from hvtui.findings.look import Answers
from hvtui.findings.standing import Ack, Standing
from hvtui.live.more import ask_more
from hvtui.live.picture import Picture, Unread, take_picture
from hvtui.live.pins import Pins
from hvtui.model.link import LinkStatus
from hvtui.model.severity import Severity
from hvtui.model.state import ClusterState
from hvtui.model.views import ClusterView, NodeView, problem_text
from hvtui.paths import state_dir
from hvtui.recording.reader import Recording
from hvtui.remote.credentials import CredentialGate

PLAYED: Final = timedelta(hours=2)
"""How much of a recording's end is played."""
STEP: Final = 10.0
"""Seconds of it between two looks."""
SURE: Final = {Sure.POSSIBLE: "possible", Sure.LIKELY: "likely", Sure.CERTAIN: "certain"}


def run(arguments: Arguments) -> int:
    """0 nothing found, 1 findings, 2 nothing found but something could not be read: that is not the same."""
    if arguments.of_recording is not None:
        return _of_recording(arguments.of_recording, json=arguments.json)
    config, cluster = choose(arguments)
    engine, picture = asyncio.run(_look(cluster, gate_for(cluster), Pins(state_dir(), config.path)))
    if arguments.json:
        show_json(_json(engine, picture, cluster.name))
    else:
        _show(engine, picture, cluster.name)
    return ending(engine, complete=not picture.unread)


async def _look(cluster: ClusterConfig, gate: CredentialGate, pins: Pins) -> tuple[Engine, Picture]:
    """A picture and what is found in it; what a rule still wants to know is asked once."""
    picture = await take_picture(cluster, gate, pins=pins, writers=True, past=True)
    state = picture.state
    engine = Engine(cluster, acknowledged_of(state))
    engine.look(state, SystemClock().monotonic(), Answers(vss_access=picture.access))
    if engine.wanted:
        more = await ask_more(cluster, gate, picture, engine.wanted)
        # Looked at from the beginning: the answers may be about anything.
        engine = Engine(cluster, engine.acknowledged)
        engine.look(state, SystemClock().monotonic(), Answers(vss_access=picture.access, fork=more.fork))
    return engine, picture


def _of_recording(file: Path, *, json: bool) -> Exit:
    """What stood when the recording ended: its last hours are played, for what only time tells."""
    engine = Engine()
    with Recording.open(file) as recording:
        about = recording.about
        cursor = recording.cursor()
        cursor.seek(about.ended - PLAYED)
        engine.look(cursor.state, cursor.clock.monotonic())
        for change in cursor.play(step=STEP):
            engine.note(change)
            engine.look(cursor.state, cursor.clock.monotonic())
        unread = _unheard(cursor.state)
        picture = Picture(cursor.state, about.ended, unread)
        name = about.cluster or about.title
        if json:
            show_json(_json(engine, picture, name))
        else:
            _show(engine, picture, f"{name}, as of {about.ended:%Y-%m-%d %H:%M:%S} UTC")
        if about.problem:
            complain(f"{file}: {about.problem}")
    return ending(engine, complete=not unread)


def _unheard(state: ClusterState) -> list[Unread]:
    """What the recording could not tell at its end, and why."""
    views: dict[str, ClusterView | NodeView] = {"": state.cluster, **state.nodes}
    found = [
        Unread(name, "node" if name else "cluster", view.link.text or view.link.status.value, view.link.hint)
        for name, view in views.items()
        if view.link.status is not LinkStatus.LIVE
    ]
    return found + [Unread(name, p.part, problem_text(p)) for name, view in views.items() for p in view.problems]


def ending(engine: Engine, *, complete: bool) -> Exit:
    """The exit code of what an engine found; `complete`: everything was read."""
    if engine.alarms():
        return Exit.WRONG
    return Exit.FINE if complete and not engine.failed and not engine.acknowledged.problem else Exit.NOTHING


# --- for people ---


def _show(engine: Engine, picture: Picture, name: str) -> None:
    if picture.empty:
        glyph, mood = MARKS[Severity.BAD]
        say(f"{glyph} {name}: no picture, nothing could be read", mood)
    else:
        show_standing(engine, name)
    show_unread(picture.unread)


def show_standing(engine: Engine, name: str) -> None:
    """What stands, for people: alarms whole, the rest in a line each."""
    alarms = engine.alarms()
    count = "no findings" if not alarms else "1 finding" if len(alarms) == 1 else f"{len(alarms)} findings"
    rest = len(engine.standing) - len(alarms)
    glyph, mood = MARKS[alarms[0].finding.severity if alarms else Severity.OK]
    say(f"{glyph} {name}: {count}{f', {rest} acknowledged or quiet' if rest else ''}", mood)
    for one in engine.standing:
        if one.alarming:
            say()
            _show_one(one)
    if rest:
        say()
    for one in engine.standing:
        if not one.alarming:
            say(f"{_aside(one)}: {one.finding.text}", "dim")
    for rule, fault in engine.failed.items():
        complain(f"the rule {rule} failed, what it would say is not known: {fault}")
    if engine.acknowledged.problem:
        complain(engine.acknowledged.problem)


def _aside(one: Standing) -> str:
    ack = one.acknowledged
    if ack is None:
        return "quiet"
    return f"acknowledged by {ack.by} {ack.time:%Y-%m-%d %H:%M} UTC{f' ({ack.note})' if ack.note else ''}"


def _show_one(one: Standing) -> None:
    finding, entry = one.finding, catalogue().entries[one.finding.rule]
    glyph, mood = MARKS[finding.severity]
    say(f"{glyph} {finding.text} [{SURE[finding.sure]}]", mood)
    if one.unread:
        say(f"  as it was last seen; it cannot be read now: {one.unread}", "warn")
    if one.began is not None:
        say(f"  since    {'' if finding.since else 'first seen '}{one.began:%Y-%m-%d %H:%M} UTC")
    if len(finding.vms) > 1:
        say(f"  VMs      {', '.join(vm.name for vm in finding.vms)}")
    for evidence in finding.evidence:
        say(f"  seen     {_evidence(evidence)}")
    say(f"  cause    {entry.cause}")
    say(f"  next     {entry.next}")
    say(f"  never    {entry.never}")
    say(f"  undo     {entry.undo}")
    say(f"  rule     {finding.rule}", "dim")


def _evidence(evidence: Evidence) -> str:
    where = " ".join(word for word in (evidence.node, f"{evidence.time:%H:%M:%S} UTC" if evidence.time else "") if word)
    return f"{f'{where}: ' if where else ''}{evidence.text} ({evidence.source})"


# --- for programs ---


def _json(engine: Engine, picture: Picture, name: str) -> Json:
    return {
        "cluster": cluster_json(picture.state, name)["name"],
        "configured_as": name,
        **findings_json(engine),
        "unread": [unread_json(one) for one in picture.unread],
        "as_of": time_json(picture.as_of),
    }


def findings_json(engine: Engine) -> Json:
    """The part of docs/findings.schema.json that tells what stands."""
    return {
        "findings": [_standing_json(one) for one in engine.standing],
        "failed_rules": [{"rule": rule, "why": why} for rule, why in engine.failed.items()],
        "acknowledgements_unread": engine.acknowledged.problem or None,
    }


def _standing_json(one: Standing) -> Json:
    finding = one.finding
    entry = catalogue().entries[finding.rule]
    return {
        "key": finding.key,
        "rule": finding.rule,
        "title": entry.title,
        "text": finding.text,
        "severity": finding.severity.name.lower(),
        "sure": SURE[finding.sure],
        "target": _target_json(finding.target),
        "vms": [_target_json(vm) for vm in finding.vms],
        "since": None if finding.since is None else time_json(finding.since),
        "first_seen": None if one.seen is None else time_json(one.seen),
        "evidence": [
            {
                "text": evidence.text,
                "node": evidence.node or None,
                "time": None if evidence.time is None else time_json(evidence.time),
                "source": evidence.source,
            }
            for evidence in finding.evidence
        ],
        "cause": entry.cause,
        "next": entry.next,
        "never": entry.never,
        "undo": entry.undo,
        "action": finding.action or None,
        "quiet": one.quiet,
        "acknowledged": None if one.acknowledged is None else _ack_json(one.acknowledged),
        "unread": one.unread or None,
    }


def _target_json(target: Target) -> Json:
    return {"kind": target.kind, "key": target.key, "name": target.name}


def _ack_json(ack: Ack) -> Json:
    return {"by": ack.by, "note": ack.note, "time": time_json(ack.time)}
