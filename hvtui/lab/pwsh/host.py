"""All engines of a lab: which stub set a node's sessions get, their environment, and that none is left behind."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final, Self

from hvtui.lab.endpoint.node import NodeOptions
from hvtui.lab.endpoint.runspace import RunspaceOptions, whole_build
from hvtui.lab.endpoint.service import NewSession
from hvtui.lab.endpoint.session import Outlet
from hvtui.lab.engine import EngineMissing
from hvtui.lab.pwsh import configuration, stubs
from hvtui.lab.pwsh.control import Control
from hvtui.lab.pwsh.guard import Guard
from hvtui.lab.pwsh.session import EngineStart, PwshSession
from hvtui.lab.pwsh.stub_files import StubsFailed
from hvtui.lab.pwsh.stubs import StubSet
from hvtui.lab.world import World
from hvtui.remote.contract import CONTRACT

MOST_NODES: Final = 16
"""A cluster of more nodes has engines only on the first `FEW_NODES` of them: an engine takes 40 MB."""
FEW_NODES: Final = 3
_FLAGS: Final = ("-NoLogo", "-NoProfile")
_VERSION: Final = re.compile(r"\d{1,9}(\.\d{1,9}){1,3}")
_SAYS_VERSION: Final = (("HvTui.psd1", "ModuleVersion        = "), ("Private/Info.ps1", "$script:Contract = "))
"""Where a module says which version it is, in single quotes."""


class PwshHost:
    """Makes the sessions of a world's nodes on a real engine. Belongs to the lab's loop; `start` before use."""

    def __init__(self, world: World, *, culture: str = "", patience: float) -> None:
        if culture and culture not in configuration.CULTURES:
            raise ValueError(f"no culture {culture!r}, there are {', '.join(configuration.CULTURES)}")
        self.world = world
        self.control = Control(world)
        self.sessions: dict[PwshSession, str] = {}
        """The sessions that live, with their node's name."""
        self._culture = culture
        self._patience = patience
        self._pwsh = ""
        self._stubs: dict[str, StubSet] = {}
        self.folder: Path | None = None
        """Where the sessions' configuration files are, while it runs."""
        self._slot = asyncio.Semaphore(max(2, os.cpu_count() or 1))
        self._made = 0

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Find the engine and make the stub sets of the nodes' versions; raises EngineMissing."""
        self._pwsh = need_engine()
        nodes = [self.world.nodes[name] for name in self.nodes]
        try:
            for version in sorted({stubs.version_of(whole_build(node.build)) for node in nodes}):
                self._stubs[version] = await asyncio.to_thread(stubs.stub_set, version, pwsh=self._pwsh)
        except (StubsFailed, OSError) as error:
            raise EngineMissing(f"the stand-ins for Windows' commands cannot be made: {error}") from error
        self.folder = Path(tempfile.mkdtemp(prefix="hvtui-lab-"))
        await self.control.start()

    async def stop(self) -> None:
        """Nothing of it is left: no process, no port, no file. The cluster was stopped before."""
        await asyncio.gather(*(session.close(at_once=True) for session in list(self.sessions)))
        await self.control.stop()
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def nodes(self) -> list[str]:
        """The nodes whose sessions run on an engine."""
        names = list(self.world.nodes)
        return names if len(names) <= MOST_NODES else names[:FEW_NODES]

    def kill(self) -> None:
        """End every engine at once, also one whose session is closing."""
        for session in list(self.sessions):
            session.kill()

    def sessions_of(self, node: str, options: NodeOptions) -> NewSession | None:
        """What makes the sessions of a node; None for a node without an engine."""
        if node not in self.nodes:
            return None
        known = {name.lower(): (name, one) for name, one in options.sessions.items()}
        for one in options.sessions.values():
            if one.installed and not _VERSION.fullmatch(one.installed):
                raise ValueError(f"{one.installed!r} is no version of a module")
        files = {name: self._configuration(name, one) for name, one in options.sessions.items()}

        def new_session(wanted: str, outlet: Outlet) -> PwshSession | None:
            if wanted.lower() not in known:
                return None
            name, runspace = known[wanted.lower()]
            return self._session(node, runspace, files[name], outlet)

        return new_session

    def _configuration(self, name: str, options: RunspaceOptions) -> Path | None:
        assert self.folder is not None
        self._made += 1
        return configuration.write_configuration(self.folder, f"{name}.{self._made}", options, self._culture)

    def _session(self, node: str, options: RunspaceOptions, file: Path | None, outlet: Outlet) -> PwshSession:
        found = self._stubs[stubs.version_of(whole_build(self.world.nodes[node].build))]
        token = self.control.session(node)

        def ended() -> None:
            self.control.end(token)
            self.sessions.pop(session, None)

        start = EngineStart(
            command=[self._pwsh, *_FLAGS, *(["-ConfigurationFile", str(file)] if file else []), "-s"],
            environment=self._environment(found, token, options),
            slot=self._slot,
            ended=ended,
            patience=self._patience,
            guard=None if options.language == "none" else Guard(options.accepted, found.replacement),
        )
        session = PwshSession(start, outlet)
        self.sessions[session] = node
        return session

    def _environment(self, found: StubSet, token: str, options: RunspaceOptions) -> Mapping[str, str]:
        if options.installed not in {"", CONTRACT}:
            found = replace(found, installed=self._other_version(found.installed, options.installed))
        own = found.environment(self.control.address, token, installed=bool(options.installed))
        # Modules and settings of whoever runs the lab are none of a node's.
        homes = dict.fromkeys(("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"), str(self.folder))
        return {**os.environ, **own, **homes}

    def _other_version(self, installed: Path, version: str) -> Path:
        """The module as a node has it that was installed with another version of hvtui: it says that it is that one."""
        assert self.folder is not None
        copy = self.folder / f"{installed.name}-{version}"
        if not copy.is_dir():
            shutil.copytree(installed, copy)
            for name, before in _SAYS_VERSION:
                file = copy / "HvTui" / name
                text = file.read_text(encoding="utf-8")
                said, other = f"{before}'{CONTRACT}'", f"{before}'{version}'"
                if said not in text:
                    raise ValueError(f"{file} does not say {said}")
                file.write_text(text.replace(said, other), encoding="utf-8")
        return copy


def need_engine() -> str:
    """The engine's program; raises EngineMissing."""
    named = os.environ.get("HVTUI_PWSH")
    found = stubs.find_engine()
    if found is None:
        raise EngineMissing("there is no `pwsh` on the PATH")
    if shutil.which(found) is None:
        raise EngineMissing(f"HVTUI_PWSH names {named}, which is no program")
    return found
