"""`hvtui lab`: serves the simulated cluster in the foreground."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from hvtui.cli.arguments import Arguments
from hvtui.cli.exits import Exit
from hvtui.config import nearest
from hvtui.errors import InputError, UsageError
from hvtui.lab.endpoint.cluster import Cluster, ClusterOptions
from hvtui.lab.engine import EngineMissing
from hvtui.lab.serve import serve
from hvtui.lab.world.scenario import ScenarioError, scenario_names


def run(arguments: Arguments) -> int:
    """Serve until Ctrl+C, SIGTERM or (for the demo) the end of standard input."""
    check_scenario(arguments.scenario)
    check_engine(arguments.engine)
    return asyncio.run(_serve(arguments))


def check_scenario(name: str) -> None:
    """Raise UsageError for a scenario that does not exist; a path to a scenario file is one, too."""
    known = scenario_names()
    if name in known or (Path(name).suffix == ".toml" and Path(name).is_file()):
        return
    near = nearest(name, known)
    hint = f"did you mean `{near}`? " if near else ""
    raise UsageError(
        f"there is no scenario `{name}`", hint=f"{hint}there are: {', '.join(known)}; or give a .toml file"
    )


def check_engine(name: str) -> None:
    """Raise UsageError for a real engine that this machine does not have."""
    if name != "pwsh":
        return
    from hvtui.lab.pwsh.host import need_engine

    try:
        need_engine()
    except EngineMissing as error:
        raise _no_engine(error) from None


def _no_engine(error: EngineMissing) -> UsageError:
    hint = "put PowerShell 7 (`pwsh`) on the PATH or name it in HVTUI_PWSH"
    return UsageError(f"--engine pwsh cannot be used: {error}", hint=hint)


async def _serve(arguments: Arguments) -> int:
    loop = asyncio.get_running_loop()
    end = asyncio.Event()

    def stop(*_: object) -> None:
        loop.call_soon_threadsafe(end.set)

    signal.signal(signal.SIGTERM, stop)
    if arguments.with_parent:
        # Ctrl+C reaches every process of the terminal; this one ends when the console does.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        threading.Thread(target=_await_parent, args=(stop,), daemon=True).start()
    else:
        signal.signal(signal.SIGINT, stop)

    def ready(cluster: Cluster) -> None:
        if arguments.write_config is not None:
            write_config(arguments.write_config, cluster.config_text())
        if arguments.with_parent:
            sys.stdout.write(cluster.config_text())
        addresses = list(cluster.addresses.values())
        sys.stdout.write(f"ready: {cluster.name}, {len(addresses)} nodes at {addresses[0]} and following\n")
        sys.stdout.flush()

    try:
        await serve(
            arguments.scenario,
            ready=ready,
            end=end,
            speed=arguments.speed,
            at=arguments.at,
            options=ClusterOptions(port=arguments.port),
            engine=arguments.engine,
        )
    except EngineMissing as error:
        raise _no_engine(error) from None
    except ScenarioError as error:
        raise UsageError(f"the scenario {arguments.scenario} cannot be used: {error}") from None
    except OSError as error:
        raise InputError(f"the nodes cannot listen: {error.strerror or error}", hint="another --port?") from None
    return Exit.FINE


def write_config(path: Path, text: str) -> None:
    """Write a configuration that holds a password: readable by its owner only, where the system knows that."""
    try:
        path.unlink(missing_ok=True)
        with path.open("x", encoding="utf-8") as file:
            path.chmod(0o600)
            file.write(text)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror or error}") from None


def _await_parent(stop: Callable[[], None]) -> None:
    """Standard input is a pipe from the console: it ends when that does, killed or not, on every system."""
    # Not through sys.stdin: its lock, held by a thread that waits, would spoil the end of the interpreter.
    while os.read(sys.stdin.fileno(), 4096):
        pass
    stop()
