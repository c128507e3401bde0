"""Keeps a fault of hvtui itself where it can be sent to its makers, without anything secret in it."""

from __future__ import annotations

import platform
import sys
import traceback
from datetime import UTC, datetime

import hvtui
from hvtui.paths import log_file


def report(error: BaseException, command: str) -> str:
    """Append the fault to the log and give back the line for the user.

    Only the command's name and the stack are written: arguments, values of variables and the environment are not, and
    of the error's own text nothing, because an error may quote what it choked on.
    """
    where = traceback.extract_tb(error.__traceback__)
    stack = "".join(f"  {frame.filename}:{frame.lineno} in {frame.name}\n" for frame in where)
    entry = (
        f"{datetime.now(UTC).isoformat(timespec='seconds')} hvtui {hvtui.__version__} {command or '(arguments)'}, "
        f"Python {platform.python_version()}, {platform.system()} {platform.release()}\n"
        f"{_kinds(error)}\n{stack}\n"
    )
    path = log_file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(entry)
    except OSError as broken:
        sys.stderr.write(entry)
        return f"a fault in hvtui itself ({type(error).__name__}); the log {path} cannot be written: {broken.strerror}"
    return f"a fault in hvtui itself ({type(error).__name__}). Details, without any secrets, are in {path}"


def _kinds(error: BaseException) -> str:
    """The error's type and those behind it."""
    names: list[str] = []
    link: BaseException | None = error
    while link is not None and len(names) < 10:
        names.append(f"{type(link).__module__}.{type(link).__qualname__}")
        link = link.__cause__ or link.__context__
    return " from ".join(names)
