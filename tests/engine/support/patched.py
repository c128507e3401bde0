"""The module with one check edited out of its text, on a real engine. The product has no switch for that."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from hvtui.lab.pwsh import stubs
from hvtui.lab.pwsh.cim.instances import View
from hvtui.lab.pwsh.cim.repository import Repository
from hvtui.lab.world import World
from tests.engine.support.changes import script
from tests.engine.support.module import ModuleSession
from tests.engine.support.stage import Stage
from tests.support.prevented import edited

_FUNCTION: Final = re.compile(r"function ([\w-]+)")
_EXPECTS: Final = re.compile(r"if \(-not \(Test-HvTuiExpectation .*-Name '(\w+)' .*\{ return \}$")
_DENIES: Final = re.compile(r"Deny-HvTuiAction -Action \$Action -Rule '([\w.]+)'")
_RETURNS: Final = re.compile(r"return( \$false)?$")


@dataclass(frozen=True)
class Place:
    """Where the module refuses: the file, the numbers of its first and last line (from 0), and the rule it names."""

    file: str
    first: int
    last: int
    rule: str


def places() -> dict[str, Place]:
    """Every place where the module refuses a change: function, rule, and a number where it has several such."""
    found: list[tuple[str, Place]] = []
    for file in sorted((stubs.MODULE / "Private").glob("*.ps1")):
        found += _places(f"Private/{file.name}", file.read_text(encoding="utf-8").splitlines())
    names = [name for name, _ in found]
    numbered = [
        f"{name} {names[: place + 1].count(name)}" if names.count(name) > 1 else name
        for place, name in enumerate(names)
    ]
    return {name: place for name, (_, place) in zip(numbered, found, strict=True)}


def _places(file: str, lines: list[str]) -> Iterator[tuple[str, Place]]:
    function = ""
    for number, line in enumerate(lines):
        begins = _FUNCTION.match(line)
        if begins is not None:
            function = begins[1]
        expects, denies = _EXPECTS.search(line), _DENIES.search(line)
        if expects is not None:
            rule = f"expect.{expects[1]}"
            yield f"{function} {rule}", Place(file, number, number, rule)
        elif denies is not None:
            # Of a block that is left at once, the leaving goes with it.
            leaves = _RETURNS.match(lines[number + 1].strip()) is not None
            yield f"{function} {denies[1]}", Place(file, number, number + leaves, denies[1])


@dataclass(frozen=True)
class Edit:
    """One text of a file of the module that reads differently; it is there once."""

    file: str
    before: str
    after: str


class Patched:
    """Engines, one for each version, whose module is a copy that was edited. One world stands on the stage."""

    def __init__(self, stage: Stage, folder: Path) -> None:
        self.stage = stage
        self._folder = folder
        self._sessions: dict[str, tuple[ModuleSession, str, stubs.StubSet]] = {}
        self._loaded: dict[str, tuple[object, ...]] = {}
        self._copies = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for session, _, _ in self._sessions.values():
            session.close()

    def put(self, world: World) -> None:
        """Put a world on the stage."""

        def act() -> None:
            self.stage.control.heal()
            self.stage.control.world = world

        self.stage.do(act)

    def call(
        self,
        node: str,
        function: str,
        values: dict[str, Any],
        *,
        without: tuple[str, ...] = (),
        edits: tuple[Edit, ...] = (),
        version: str = "",
    ) -> dict[str, Any]:
        """Call a function of the module, without these places and with these edits, on a node of the world."""
        session = self.session(node, without=without, edits=edits, version=version)
        return session.call(script(function, values))

    def session(
        self, node: str, *, without: tuple[str, ...] = (), edits: tuple[Edit, ...] = (), version: str = ""
    ) -> ModuleSession:
        """An engine that stands for a node, with the edited module loaded."""
        world = self.stage.world
        found = world.node(node)
        version = version or stubs.version_of(found.build)
        session, token, made = self._session(version, node)

        def point() -> None:
            self.stage.control._sessions[token] = Repository(View(world, found))

        self.stage.do(point)
        if self._loaded.get(version) != (without, edits):
            copy = self._copy(made.installed / "HvTui", without, edits)
            load = f"Remove-Module -Name HvTui; Import-Module -Name '{copy}'; (Get-Module -Name HvTui).ModuleBase"
            assert session.run(load).output == [str(copy)]
            self._loaded[version] = (without, edits)
        return session

    def _session(self, version: str, node: str) -> tuple[ModuleSession, str, stubs.StubSet]:
        if version not in self._sessions:
            token = self.stage.do(lambda: self.stage.control.session(node))
            made = stubs.stub_set(version, pwsh=self.stage.pwsh)
            environment = made.environment(self.stage.control.address, token)
            self._sessions[version] = (ModuleSession(self.stage.pwsh, environment), token, made)
        return self._sessions[version]

    def _copy(self, installed: Path, without: tuple[str, ...], edits: tuple[Edit, ...]) -> Path:
        self._copies += 1
        copy = self._folder / str(self._copies) / "HvTui"
        shutil.copytree(installed, copy)
        known = places()
        # From the end, so that the numbers of the lines before stay right.
        for place in sorted((known[name] for name in without), key=lambda place: -place.first):
            file = copy / place.file
            lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
            del lines[place.first : place.last + 1]
            file.write_text("".join(lines), encoding="utf-8")
        for edit in edits:
            file = copy / edit.file
            file.write_text(edited(file.read_text(encoding="utf-8"), edit.before, edit.after), encoding="utf-8")
        return copy


Call = Callable[[str, str, dict[str, Any]], str]


def answers_of(patched: Patched, world: World, without: tuple[str, ...]) -> Call:
    """What answers mutating calls out of a world that somebody else lets go on: node, function, values → JSON."""

    def call(node: str, function: str, values: dict[str, Any]) -> str:
        patched.put(world)
        return json.dumps(patched.call(node, function, values, without=without))

    return call
