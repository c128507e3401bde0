"""The configuration: which clusters there are and how their nodes are reached."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import time
from pathlib import Path


@dataclass(frozen=True)
class BackupWindow:
    """A span of the day in a time zone (IANA name); it may cross midnight."""

    start: time
    end: time
    zone: str = "UTC"


@dataclass(frozen=True)
class Secret:
    """Where a password comes from, never the password itself.

    `kind` is `keyring`, `prompt`, `env`, `command` or `plain` (only after `allow_plain_password = true`).
    `value` is the service name, variable, command line or, for `plain`, the password; it is not in the repr.
    """

    kind: str
    value: str = field(default="", repr=False)


@dataclass(frozen=True)
class ClusterConfig:
    """One cluster. A node is contacted only at an address that `addresses` or `template` gives."""

    name: str
    seeds: tuple[str, ...]
    """Nodes asked first, by name."""
    addresses: dict[str, str] = field(default_factory=dict)
    """Node name → `host` or `host:port`."""
    template: str = ""
    """Such as `{node}.corp.example`, with an optional `:port`."""
    auth: str = "negotiate"
    """`negotiate`, `kerberos` or `ntlm`."""
    username: str = ""
    password: Secret = Secret("prompt")
    port: int = 0
    """0 = 5986 with TLS, 5985 without."""
    tls: bool = True
    ca: Path | None = None
    verify: bool = True
    refresh: float = 2.0
    """Seconds between two looks of a node at itself."""
    windows: tuple[BackupWindow, ...] = ()
    actions: bool = False
    protected: bool = False

    def address(self, node: str) -> tuple[str, int] | None:
        """Host and port of a node, None when the configuration gives no address: it is then not contacted."""
        host = next((a for n, a in self.addresses.items() if n.lower() == node.lower()), "")
        if not host and self.template:
            host = self.template.replace("{node}", node)
        if not host:
            return None
        name, colon, port = host.rpartition(":")
        default = self.port or (5986 if self.tls else 5985)
        return (name, int(port)) if colon and port.isdigit() else (host, default)


@dataclass(frozen=True)
class Config:
    """A whole configuration file. `path` is where it came from, None when there is none."""

    path: Path | None
    clusters: dict[str, ClusterConfig]
    default: str = ""
    theme: str = "dark"
    ascii: bool = False
