"""What `hvtui doctor` tries on a node, step by step, and the command that mends each failure.

The steps go from the outside in; the first that fails ends the way, and those behind it are not tried. Log-ons pass
the cluster's gate, so a refused password is tried once and never again, whatever the number of nodes.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

import hvtui
from hvtui.cli.rights import Step, judge
from hvtui.clock import Clock
from hvtui.config import ClusterConfig
from hvtui.errors import (
    BadReply,
    DeadlinePassed,
    FunctionMissing,
    NotAuthenticated,
    NotAuthorised,
    RemoteError,
    Unreachable,
    Untrusted,
)
from hvtui.model.records import Info
from hvtui.remote.connect import Connector
from hvtui.remote.contract import CONTRACT, GET_INFO, MODULE
from hvtui.remote.lane import Lane

CONNECT_SECONDS: Final = 5.0


@dataclass(frozen=True)
class Examined:
    """All steps of a node that were tried; `info` is what it said of itself, None when it was not reached."""

    node: str
    steps: tuple[Step, ...]
    info: Info | None = None

    @property
    def fine(self) -> bool:
        """No step failed."""
        return all(step.ok is not False for step in self.steps)


async def examine(config: ClusterConfig, node: str, connector: Connector, clock: Clock) -> Examined:
    """Try every step on one node; never raises for anything about the node."""
    where = connector.address(node)
    if where is None:
        entry = f'`addresses = {{ {node} = "host:port" }}` or `template = "{{node}}.your.domain"`'
        text = "the configuration gives no address, so it is not contacted"
        return Examined(node, (Step("address", False, text, f"in [clusters.{config.name}]: {entry}"),))
    host, port = where
    steps = [await _connect(host, port)]
    if not steps[-1].ok:
        return Examined(node, tuple(_address_and_port(host, port, steps[-1])))
    steps = [Step("address", True, f"{host}:{port}"), steps[-1]]
    lane = connector.lane(node, "doctor")
    try:
        steps += await _session(config, node, lane)
        if not steps[-1].ok:
            return Examined(node, tuple(steps))
        info, offset = await _info(lane, clock)
        return Examined(node, (*steps, *judge(info, config.username or "NAME", offset)), info)
    except RemoteError as error:
        fix = f"on {node}: Get-Service vmms, ClusSvc, Winmgmt"
        return Examined(node, (*steps, Step("answer", False, f"Get-HvTuiInfo: {error.text}", fix)))
    finally:
        await lane.close()


def _address_and_port(host: str, port: int, failed: Step) -> Iterator[Step]:
    if failed.name == "port":
        yield Step("address", True, f"{host}:{port}")
    yield failed


async def _connect(host: str, port: int) -> Step:
    """Does the name exist, does anything listen? Only a TCP connection, closed at once."""
    rule = "WINRM-HTTP-In-TCP" if port != 5986 else "WINRM-HTTPS-In-TCP"
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            _, writer = await asyncio.open_connection(host, port)
    except TimeoutError:
        return Step(
            "port",
            False,
            f"no answer from {host}:{port} within {CONNECT_SECONDS:g} s",
            f"on the node: Enable-NetFirewallRule -Name {rule}; or from here: Test-NetConnection {host} -Port {port}",
        )
    except OSError as error:
        if isinstance(error, socket.gaierror):
            return Step("address", False, f"the name {host} is not known", f"from here: Resolve-DnsName {host}")
        fix = "on the node: Enable-PSRemoting -Force" if port != 5986 else f"on the node: {_HTTPS_LISTENER}"
        text = "nothing listens at" if isinstance(error, ConnectionRefusedError) else "no way to"
        return Step("port", False, f"{text} {host}:{port}", fix)
    writer.close()
    return Step("port", True, "open")


_HTTPS_LISTENER: Final = (
    r"New-Item WSMan:\localhost\Listener -Transport HTTPS -Address * -CertificateThumbPrint THUMBPRINT -Force"
)


async def _session(config: ClusterConfig, node: str, lane: Lane) -> list[Step]:
    """Open a session: TLS, log-on, the right to it, the module. What an error is about says how far it came."""
    names = ["TLS", "authentication", "session", "module"]
    passed = {
        "TLS": _tls_text(config),
        "authentication": f"accepted ({config.auth}{', ' + config.username if config.username else ''})",
        "session": config.endpoint,
    }
    try:
        await lane.open()
    except RemoteError as error:
        failed, fix = _failure(config, node, error)
        before = names[: names.index(failed)] if failed in names else []
        return [*(_passed(config, n, passed[n]) for n in before), Step(failed, False, error.text, fix)]
    source = f"HvTui {CONTRACT}, {lane.source.value if lane.source is not None else 'there'}"
    return [*(_passed(config, n, passed[n]) for n in names[:-1]), Step("module", True, source)]


def _passed(config: ClusterConfig, name: str, text: str) -> Step:
    """A step that must have gone well, because a later one was reached. Without TLS or its check there is none."""
    skipped = name == "TLS" and not (config.tls and config.verify)
    return Step(name, None if skipped else True, text)


def _tls_text(config: ClusterConfig) -> str:
    if not config.tls:
        return "not used; messages are encrypted by the log-on"
    if not config.verify:
        return "not checked (`verify = false`): any machine can pose as this node"
    return f"certificate accepted ({config.ca.name if config.ca else 'authorities of this system'})"


def _failure(config: ClusterConfig, node: str, error: RemoteError) -> tuple[str, str]:
    """Which step an error belongs to, and what mends it."""
    for kind, step, fix in _FAILURES:
        if isinstance(error, kind):
            return step, fix(config, node, error)
    return "session", error.hint or f"on {node}: Get-PSSessionConfiguration {config.endpoint}"


def _tls_fix(config: ClusterConfig, node: str, error: RemoteError) -> str:
    if "expired" in error.text:
        return f"on {node}, with a renewed certificate: {_HTTPS_LISTENER}"
    if "CA" in error.text:
        return (
            f'put the authority\'s certificate beside the configuration; in [clusters.{config.name}]: `ca = "FILE.pem"`'
        )
    return error.hint


def _log_on_fix(config: ClusterConfig, node: str, error: RemoteError) -> str:
    name = config.username.rpartition("\\")[2].partition("@")[0] or "NAME"
    return (
        f"correct `username` or `password` of [clusters.{config.name}]; is the account locked or its password expired? "
        f"Get-ADUser {name} -Properties LockedOut, PasswordExpired; Unlock-ADAccount {name}"
    )


def _session_fix(config: ClusterConfig, node: str, error: RemoteError) -> str:
    return (
        f"on {node}: Add-LocalGroupMember -Group 'Remote Management Users' -Member '{config.username}'; "
        f"or Set-PSSessionConfiguration {config.endpoint} -ShowSecurityDescriptorUI"
    )


def _module_fix(config: ClusterConfig, node: str, error: RemoteError) -> str:
    folder = f"C:\\Program Files\\WindowsPowerShell\\Modules\\{MODULE}\\{CONTRACT}"
    here = Path(hvtui.__file__).parent / "powershell" / MODULE
    return f"$s = New-PSSession {node}; Copy-Item -ToSession $s -Recurse '{here}' '{folder}'"


def _port_fix(config: ClusterConfig, node: str, error: RemoteError) -> str:
    return f"{error.hint or 'is it WinRM that listens there?'} From here: Test-WSMan {node}"


def _restart_fix(config: ClusterConfig, node: str, error: RemoteError) -> str:
    return f"on {node}: Restart-Service WinRM (running sessions end)"


_FAILURES: Final[tuple[tuple[type[RemoteError], str, Callable[[ClusterConfig, str, RemoteError], str]], ...]] = (
    (Untrusted, "TLS", _tls_fix),
    (NotAuthenticated, "authentication", _log_on_fix),
    (NotAuthorised, "session", _session_fix),
    (FunctionMissing, "module", _module_fix),
    (BadReply, "WinRM", _port_fix),
    (DeadlinePassed, "session", _restart_fix),
    (Unreachable, "WinRM", _port_fix),
)


async def _info(lane: Lane, clock: Clock) -> tuple[Info, timedelta]:
    """What the node says of itself, and how far its clock is from this machine's."""
    before, began = clock.now(), clock.monotonic()
    # The short answer for the clock: the whole one takes long on a node where something hangs.
    basic: Info = await lane.call(GET_INFO, {"Part": "Basic"})
    # The node read its clock somewhere between the question and the answer.
    middle = before + timedelta(seconds=(clock.monotonic() - began) / 2)
    info: Info = await lane.call(GET_INFO, {"Part": "All"})
    return info, basic.time - middle
