"""What every command that contacts a cluster does first: choose it, and get its credential."""

from __future__ import annotations

import sys

from hvtui.cli.arguments import COMMANDS, Arguments
from hvtui.config import ClusterConfig, Config, nearest
from hvtui.config_file import load_config
from hvtui.errors import UsageError
from hvtui.remote.credentials import CredentialGate, load_credential


def choose(arguments: Arguments) -> tuple[Config, ClusterConfig]:
    """The configuration and the cluster that was named, or the default one. Raises ConfigError, UsageError."""
    config = load_config(arguments.config)
    try:
        return config, config.cluster(arguments.cluster)
    except UsageError as error:
        # `hvtui statsu` is taken for a cluster's name.
        command = nearest(arguments.cluster, COMMANDS) if arguments.cluster else ""
        if not command or arguments.command != "console":
            raise
        raise UsageError(error.text, hint=f"did you mean the command `hvtui {command}`? {error.hint}") from None


def gate_for(cluster: ClusterConfig) -> CredentialGate:
    """The gate all log-ons of this cluster pass, with the credential; asks for a password only on a terminal."""
    return CredentialGate(load_credential(cluster, _ask if sys.stdin.isatty() else None))


def _ask(prompt: str) -> str:
    from getpass import getpass

    return getpass(prompt)
