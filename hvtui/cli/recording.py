"""`hvtui recording show|copy`: what a recording is of; a copy of it, with other names or made whole."""

from __future__ import annotations

from collections import Counter

from hvtui.cli.arguments import Arguments
from hvtui.cli.exits import Exit
from hvtui.cli.output import complain, say, show_json
from hvtui.cli.picture_json import time_json
from hvtui.errors import UsageError
from hvtui.recording.copying import copy
from hvtui.recording.names import size_text
from hvtui.recording.reader import Recording


def run(arguments: Arguments) -> int:
    """0 fine, 1 it ends early (`show` says where), 2 it is no recording or cannot be read."""
    if arguments.action == "copy" and arguments.out is None:
        raise UsageError("where does the copy go?", hint="name it: -o FILE")
    with Recording.open(arguments.recording) as recording:
        if arguments.action == "copy" and arguments.out is not None:
            copy(recording, arguments.out, redact=arguments.redact)
            say(f"copied to {arguments.out}, {size_text(arguments.out.stat().st_size)}")
            return Exit.FINE
        return _show(recording, json=arguments.json)


def _show(recording: Recording, *, json: bool) -> Exit:
    about = recording.about
    notes = Counter(note.kind for note in recording.notes())
    cursor = recording.cursor()
    cursor.seek(about.ended)
    nodes, vms = len(cursor.state.nodes), sum(1 for _ in cursor.state.vm_keys())
    if json:
        show_json(
            {
                "cluster": about.cluster or about.title,
                "cluster_id": about.cluster_id,
                "began": time_json(about.began),
                "ended": time_json(about.ended),
                "whole": about.clean,
                "problem": about.problem,
                "redacted": about.redacted,
                "beginning_dropped": about.dropped,
                "program": about.program,
                "bytes": recording.file.stat().st_size,
                "nodes": nodes,
                "vms": vms,
                "notes": dict(notes),
            }
        )
    else:
        say(f"{about.cluster or about.title}: {nodes} nodes, {vms} VMs at its end")
        local = about.began.astimezone(), about.ended.astimezone()
        say(
            f"from {local[0]:%Y-%m-%d %H:%M:%S} to {local[1]:%Y-%m-%d %H:%M:%S %Z} ({_span(about.ended - about.began)})"
        )
        say(f"{size_text(recording.file.stat().st_size)}, written by hvtui {about.program}")
        say(f"{notes['finding']} notes of findings, {notes['action']} of operations")
        if about.redacted:
            say("names were replaced")
        if about.dropped:
            say("its beginning was dropped for room")
    if about.problem:
        complain(about.problem)
        return Exit.WRONG
    return Exit.FINE


def _span(span: object) -> str:
    return str(span).partition(".")[0]
