"""The credential for guests: asked for once on the terminal, or taken from where a scheduler keeps it.

It comes from the same sources as a cluster's, and from no argument: what is typed as one is seen by every user of the
machine.
"""

from __future__ import annotations

import sys
from dataclasses import replace

from hvtui.cli.arguments import Arguments
from hvtui.config import ClusterConfig, Secret
from hvtui.errors import InputError, UsageError
from hvtui.model.secret import GuestCredential
from hvtui.remote.credentials import load_credential


def guest_credential(arguments: Arguments, cluster: ClusterConfig) -> GuestCredential:
    """Ask for it. Raises UsageError where nobody can be asked, ConfigError when its source gives none."""
    source = arguments.password_from
    account = (arguments.user or "").strip() or _account()
    password = _first_line() if source.kind == "stdin" else _from_source(cluster, account, source)
    if not password:
        raise UsageError("the password for guests is empty", hint="no guest was asked")
    return GuestCredential(account, password)


def _account() -> str:
    if not sys.stdin.isatty():
        raise UsageError("which account inside the guests?", hint="--user ACCOUNT says so")
    sys.stderr.write("Account inside the guests: ")
    sys.stderr.flush()
    account = sys.stdin.readline().strip()
    if not account:
        raise UsageError("an account inside the guests is needed", hint="--user ACCOUNT says so, too")
    return account


def _from_source(cluster: ClusterConfig, account: str, source: Secret) -> str:
    if source.kind == "keyring" and not source.value:
        source = Secret("keyring", f"hvtui-guests:{cluster.name}")
    name = f"the guests of {cluster.name}"
    return load_credential(
        replace(cluster, name=name, username=account, password=source), _ask if sys.stdin.isatty() else None
    ).password


def _first_line() -> str:
    if sys.stdin.isatty():
        raise UsageError("standard input is a terminal", hint="leave --password-from out to be asked")
    try:
        return sys.stdin.readline().rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise InputError("the password on standard input is not text of this system's encoding") from error


def _ask(prompt: str) -> str:
    from getpass import getpass

    return getpass(prompt)
