"""All nodes of a simulated cluster, served together: one set of accounts, one port a node."""

from __future__ import annotations

import asyncio
import json
import secrets
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from hvtui.lab.endpoint.accounts import Account, Accounts
from hvtui.lab.endpoint.node import DEFAULT_SESSION, LabNode, NodeOptions, Tls
from hvtui.lab.endpoint.runspace import Language, RunspaceOptions, whole_build
from hvtui.lab.endpoint.service import NewSession
from hvtui.lab.engine import Engine
from hvtui.remote.contract import CONTRACT
from hvtui.remote.packaged import module_hash

if TYPE_CHECKING:
    from hvtui.lab.pki import Authority

USER: Final = "oncall"
_SEEDS: Final = 3


@dataclass(frozen=True)
class ClusterOptions:
    """How a cluster is served.

    `port`: the first node's, the others follow; 0 takes free ones. `tls`: HTTPS with an own authority and
    a `certificate` that is good or has expired.
    `installed`: whether the HvTui module of this contract is on the nodes, or which version of it.
    `accepted`: sha256 of the only scripts that run; None is the text of the packaged module. `language` and `sessions`
    (configuration name → language): how restricted the sessions are. `batching_ms`: how long WinRM collects output.
    `operators` names the restricted sessions that have the operator's functions beside the reader's.
    `idle_close`: seconds until an unused connection is closed. `accounts` are there beside `oncall`; `lock_after`
    refusals in a row lock one.
    """

    port: int = 0
    tls: bool = False
    certificate: Literal["good", "expired"] = "good"
    installed: bool | str = True
    accepted: frozenset[str] | None = None
    language: Language = "full"
    sessions: Mapping[str, Language] = field(default_factory=dict)
    operators: frozenset[str] = frozenset()
    batching_ms: int = 0
    idle_close: float = 120.0
    max_shells: int = 25
    accounts: tuple[Account, ...] = ()
    lock_after: int = 0


class Cluster:
    """Serves engines by node name. Made and used on one event loop."""

    def __init__(
        self,
        name: str,
        engines: Mapping[str, Engine],
        options: ClusterOptions,
        builds: Mapping[str, str] | None = None,
        sessions: Callable[[str, NodeOptions], NewSession | None] | None = None,
    ) -> None:
        """`sessions` gives what makes the sessions of a node, None for those of its engine."""
        self.name = name
        self.options = options
        self.username = f"LAB\\{USER}"
        self.password = secrets.token_urlsafe(12)
        self.authority: Authority | None = None
        self.ca: Path | None = None
        """The authority's certificate as a file, None without TLS."""
        self._folder: Path | None = None
        self.kept_checkpoints: tuple[str, ...] = ()
        """VMs whose Recovery checkpoint the backup product keeps on purpose."""
        tls = self._tls() if options.tls else None
        self.accounts = Accounts([Account(USER, self.password), *options.accounts], lock_after=options.lock_after)
        self.nodes = {
            node: self._node(node, engine, (builds or {}).get(node), tls, sessions) for node, engine in engines.items()
        }

    @property
    def addresses(self) -> dict[str, str]:
        """Node name → `127.0.0.1:port`."""
        return {name: node.address for name, node in self.nodes.items()}

    async def start(self) -> None:
        """Listen on every node's port; when one is taken nothing is left behind."""
        try:
            for number, node in enumerate(self.nodes.values()):
                await node.start(self.options.port + number if self.options.port else 0)
        except OSError:
            await self.stop()
            raise

    async def stop(self) -> None:
        """End every node and remove the temporary files."""
        try:
            await asyncio.gather(*(node.stop() for node in self.nodes.values()))
        finally:
            if self._folder is not None:
                shutil.rmtree(self._folder, ignore_errors=True)

    def config_text(self) -> str:
        """A complete hvtui configuration with which a second terminal connects without a prompt."""
        text = _toml
        lines = [
            "# Written by hvtui's lab: a simulated cluster on this machine, with a password of its own for each run.",
            "allow_plain_password = true",
            f"default = {text(self.name)}",
            "",
            f"[clusters.{text(self.name)}]",
            f"seeds = {text(list(self.nodes)[:_SEEDS])}",
            'auth = "ntlm"',
            f"username = {text(self.username)}",
            f"password = {{ plain = {text(self.password)} }}",
            f"tls = {'true' if self.options.tls else 'false'}",
            "actions = true",
            *([f"kept_checkpoints = {text(list(self.kept_checkpoints))}"] if self.kept_checkpoints else []),
            *([f"ca = {text(str(self.ca))}"] if self.ca else []),
            "",
            f"[clusters.{text(self.name)}.addresses]",
            *(f"{text(name)} = {text(address)}" for name, address in self.addresses.items()),
        ]
        return "\n".join(lines) + "\n"

    def _node(
        self,
        name: str,
        engine: Engine,
        build: str | None,
        tls: Tls | None,
        sessions: Callable[[str, NodeOptions], NewSession | None] | None,
    ) -> LabNode:
        options = self._node_options(build)
        new_session = sessions(name, options) if sessions else None
        return LabNode(name, engine, self.accounts, options=options, tls=tls, new_session=new_session)

    def _tls(self) -> Tls:
        from hvtui.lab.pki import Authority  # noqa: PLC0415 - plain labs need no certificates

        self.authority = Authority()
        self._folder = Path(tempfile.mkdtemp(prefix="hvtui-lab-"))
        self.ca = self._folder / "ca.pem"
        self.ca.write_bytes(self.authority.pem)
        return self.authority.issue(expired=self.options.certificate == "expired").tls()

    def _node_options(self, build: str | None) -> NodeOptions:
        options = self.options
        installed = options.installed if isinstance(options.installed, str) else CONTRACT if options.installed else ""
        accepted = frozenset({module_hash()}) if options.accepted is None else options.accepted
        whole = whole_build(build or "20348.2700")
        return NodeOptions(
            sessions={
                name: RunspaceOptions(language, installed, accepted, whole, name in options.operators)
                for name, language in {DEFAULT_SESSION: options.language, **options.sessions}.items()
            },
            max_shells=options.max_shells,
            batching_ms=options.batching_ms,
            idle_close=options.idle_close,
        )


def _toml(value: object) -> str:
    """A string or list as TOML: JSON's spelling of them is TOML's too."""
    return json.dumps(value, ensure_ascii=False)
