"""The configuration: which clusters there are and how their nodes are reached."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import time
from pathlib import Path

from hvtui.errors import UsageError


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
    `value` is the service name (empty: `hvtui:` and the cluster's name), variable, command line or, for `plain`, the
    password; it is not in the repr.
    """

    kind: str
    value: str = field(default="", repr=False)

    def describe(self) -> str:
        """Where the password comes from, without anything that could be one."""
        if self.kind in {"keyring", "env"}:
            return f"{self.kind} {self.value}".rstrip()
        if self.kind == "command":
            return f"command {self.value.split(maxsplit=1)[0]} …"
        return self.kind if self.kind == "prompt" else f"{self.kind} (hidden)"


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
    endpoint: str = "Microsoft.PowerShell"
    """Session configuration on the nodes; another name for a restricted (JEA) endpoint."""
    refresh: float = 2.0
    """Seconds between two looks of a node at itself."""
    windows: tuple[BackupWindow, ...] = ()
    groups: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Group → its VMs by name, `*` standing for anything: a backup job whose VMs must share one node."""
    quiet: tuple[str, ...] = ()
    """VMs by name, `*` standing for anything, or names of groups: findings about them are recorded, not alarmed."""
    kept_checkpoints: tuple[str, ...] = ()
    """VMs by name, `*` standing for anything, or names of groups: the backup product keeps their Recovery checkpoint
    between two jobs on purpose."""
    actions: bool = False
    protected: bool = False

    def address(self, node: str) -> tuple[str, int] | None:
        """Host and port of a node, None when the configuration gives no address: it is then not contacted."""
        host = next((a for n, a in self.addresses.items() if n.lower() == node.lower()), "")
        if not host and self.template:
            host = self.template.replace("{node}", node)
        if not host:
            return None
        name, port = split_address(host)
        return name, port or self.port or (5986 if self.tls else 5985)


@dataclass(frozen=True)
class Config:
    """A whole configuration file. `path` is where it came from, None when there is none."""

    path: Path | None
    clusters: dict[str, ClusterConfig]
    default: str = ""
    theme: str = "dark"
    ascii: bool = False
    bells: bool = True
    """Whether the terminal rings for what is watched: the bell, and a notification (OSC 9)."""

    def cluster(self, name: str = "") -> ClusterConfig:
        """The cluster of that name; without one the default, or the only one. Raises UsageError."""
        wanted = name or self.default or (next(iter(self.clusters)) if len(self.clusters) == 1 else "")
        found = next((c for n, c in self.clusters.items() if n.lower() == wanted.lower()), None)
        if found is not None:
            return found
        known = ", ".join(sorted(self.clusters))
        if not self.clusters:
            where = f" in {self.path}" if self.path else ""
            raise UsageError(
                f"no cluster is configured{where}",
                hint="`hvtui config init` writes a file to start from; `hvtui demo` needs none",
            )
        if not wanted:
            raise UsageError("which cluster?", hint=f'say one of: {known}; or set `default = "…"` in {self.path}')
        near = nearest(wanted, self.clusters)
        hint = f"did you mean `{near}`? " if near else ""
        raise UsageError(f"no cluster `{wanted}` is configured", hint=f"{hint}known: {known}")


def split_address(address: str) -> tuple[str, int]:
    """Host and port of `host`, `host:port`, `[v6]:port` or a bare IPv6 address; port 0 when none is given."""
    if address.startswith("["):
        host, _, rest = address[1:].partition("]")
        return host, int(rest[1:]) if rest[1:].isdigit() else 0
    host, colon, port = address.rpartition(":")
    return (host, int(port)) if colon and port.isdigit() and ":" not in host else (address, 0)


def nearest(wrong: str, names: Iterable[str]) -> str:
    """The name somebody probably meant, empty when none is near."""
    by_lower = {name.lower(): name for name in names}
    found = difflib.get_close_matches(wrong.lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[found[0]] if found else ""
