"""The command line's entry: parses, runs one command, and turns every way of failing into one line and an exit code.

Nothing heavy is imported here: each command brings what it needs when it runs.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module

from hvtui.cli.arguments import COMMANDS, Arguments, parse
from hvtui.cli.exits import Exit, code_of
from hvtui.cli.output import complain
from hvtui.errors import HvtuiError


def main(argv: Sequence[str] | None = None) -> int:
    """Run `hvtui` with these arguments and give back its exit code."""
    arguments = Arguments()
    try:
        parse(sys.argv[1:] if argv is None else argv, arguments)
        code = _run(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        code = _reader_left(applies=getattr(arguments, "apply", False))
    except KeyboardInterrupt:
        code = Exit.INTERRUPTED
    except HvtuiError as error:
        complain(*getattr(error, "problems", ()), error.text, *([error.hint] if error.hint else []))
        code = code_of(error)
    except Exception as error:  # the last line of defence: a fault of hvtui itself, kept for a report
        from hvtui.cli.crash import report

        complain(report(error, getattr(arguments, "command", "")))
        code = Exit.INTERNAL
    return code


def _run(arguments: Arguments) -> int:
    module = import_module(f"hvtui.cli.{COMMANDS[arguments.command].module}")
    code: int = module.run(arguments)
    return code


def _reader_left(*, applies: bool) -> int:
    """`hvtui … | head`: the reader has what it wanted. Python must not complain at exit that it cannot flush.

    What was to be carried out may not have begun, or not have ended well, and nobody was told: that is not fine.
    """
    devnull = os.open(os.devnull, os.O_WRONLY)
    os.dup2(devnull, sys.stdout.fileno())
    os.close(devnull)
    return Exit.WRONG if applies else Exit.FINE
