"""`hvtui report FILE`: the night of a recording in one page, for a ticket or a browser."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from hvtui.cli.arguments import Arguments
from hvtui.cli.exits import Exit
from hvtui.cli.output import complain, say
from hvtui.config import ClusterConfig
from hvtui.config_file import load_config
from hvtui.errors import ConfigError, InputError
from hvtui.recording.copying import copy
from hvtui.recording.format import SUFFIX
from hvtui.recording.reader import Recording, RecordingError

if TYPE_CHECKING:
    from hvtui.report.durations import Took
    from hvtui.report.night import Night


def run(arguments: Arguments) -> int:
    """0 written, 1 written although the recording ends early or an earlier one could not be read, 2 no recording."""
    html = arguments.html or (not arguments.md and _is_page(arguments.out))
    night, complete = _night(arguments)
    # Each brings what it needs: the page has a style sheet and a picture.
    if html:
        from hvtui.report.page import html_of

        text = html_of(night)
    else:
        from hvtui.report.markdown import markdown_of

        text = markdown_of(night)
    _write(arguments.out, text)
    if night.about.problem:
        complain(f"{arguments.recording}: {night.about.problem}")
    return Exit.FINE if complete and not night.about.problem else Exit.WRONG


def _night(arguments: Arguments) -> tuple[Night, bool]:
    from hvtui.report.night import night_of

    with Recording.open(arguments.recording) as recording:
        config = _config(arguments, recording.about.title)
        earlier, complete = _earlier(recording, config, arguments.compare)
        with tempfile.TemporaryDirectory(prefix="hvtui-") as folder:
            if not arguments.redact or recording.about.redacted:
                return night_of(recording, config, earlier=earlier, told=_progress(recording.file.name)), complete
            # Names are replaced as in a redacted copy, so that both agree; the copy goes with its folder.
            made = Path(folder) / f"redacted{SUFFIX}"
            copy(recording, made, redact=True)
            with Recording.open(made) as redacted:
                return night_of(redacted, config, earlier=earlier, told=_progress(recording.file.name)), complete


def _config(arguments: Arguments, title: str) -> ClusterConfig | None:
    """The cluster's part of the configuration: its windows and kept checkpoints. A report needs none."""
    try:
        return load_config(arguments.config).clusters.get(title)
    except ConfigError:
        if arguments.config is not None:
            raise
        return None


def _earlier(
    recording: Recording, config: ClusterConfig | None, most: int
) -> tuple[list[tuple[datetime, tuple[Took, ...]]], bool]:
    """Durations of the newest earlier recordings of the same cluster in the same folder, and whether all were read."""
    from hvtui.report.night import took_in

    about, found, complete = recording.about, [], True
    others: list[tuple[datetime, Path]] = []
    beside = recording.file.resolve().parent
    # Somebody may have named his recordings in his own way.
    endings = {SUFFIX, recording.file.suffix} - {""}
    files = [file for file in beside.iterdir() if file.suffix in endings and file.is_file()] if most else []
    for file in files:
        if file.samefile(recording.file):
            continue
        with suppress(RecordingError, OSError), Recording.open(file) as other:
            if other.about.cluster_id == about.cluster_id and about.cluster_id and other.about.began < about.began:
                others.append((other.about.began, file))
    for _, file in sorted(others, reverse=True)[:most]:
        told = _progress(file.name)
        try:
            with Recording.open(file) as other:
                found.append((other.about.began, took_in(other, config)))
        except RecordingError as error:
            complain(f"{file.name} is left out: {error.text}")
            complete = False
        told(1.0)
    return found[::-1], complete


def _progress(name: str) -> Callable[[float], None]:
    """Tells a person who waits how far it is; nothing into a pipe."""

    def told(share: float) -> None:
        if sys.stderr.isatty():
            sys.stderr.write(f"\r{name[:50]:<50} {share:4.0%}")
            sys.stderr.write("\n" if share >= 1 else "")
            sys.stderr.flush()

    return told


def _is_page(out: Path | None) -> bool:
    return out is not None and out.suffix.lower() in {".html", ".htm"}


def _write(out: Path | None, text: str) -> None:
    if out is None or str(out) == "-":
        # A page says that it is UTF-8, and a code page of a terminal must not make it another one.
        buffer = getattr(sys.stdout, "buffer", None)
        if buffer is not None:
            sys.stdout.flush()
            buffer.write(text.encode())
        else:
            sys.stdout.write(text)
        return
    try:
        out.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise InputError(f"{out} cannot be written: {error.strerror or error}") from None
    say(f"written to {out}")
