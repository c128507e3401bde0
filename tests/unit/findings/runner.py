"""Cases of rules: a scene made of pieces, each of which the rule needs.

With all pieces the rule fires, on the target, as sure as the case says, and no other rule does (`also` excepted). With
one piece left out it must be silent or less sure. Tables of cases are `CASES` and `SILENT` in `cases_<area>.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

from hvtui.findings.finding import Finding, Sure
from tests.unit.findings.scene import Scene

Piece = Callable[[Scene], object]
"""Adds one piece of evidence."""


@dataclass(frozen=True)
class Case:
    """`pieces`: name → what it adds, in the order they happen; a pair is (the piece, what happens in its place).

    `target` is `kind:name` of the finding, `sure` how sure it is with all pieces. `without`: pieces whose loss makes it
    less sure and not silent, and how sure it is then. `also`: other rules that rightly speak in this scene. `guilty`:
    names of the finding's VMs, worst first. `name` tells several cases of one rule apart.
    """

    rule: str
    target: str
    sure: Sure
    pieces: Mapping[str, Piece | tuple[Piece, Piece]]
    without: Mapping[str, Sure] = field(default_factory=dict)
    also: frozenset[str] = frozenset()
    guilty: tuple[str, ...] | None = None
    name: str = ""

    @property
    def id(self) -> str:
        return f"{self.rule}-{self.name}" if self.name else self.rule

    def scene(self, without: str = "") -> Scene:
        """The scene, with one piece left out (or another in its place)."""
        scene = Scene()
        for name, piece in self.pieces.items():
            with_it, instead = piece if isinstance(piece, tuple) else (piece, None)
            if name != without:
                with_it(scene)
            elif instead is not None:
                instead(scene)
        return scene


@dataclass(frozen=True)
class Quiet:
    """A scene in which no rule may speak. `incident`: its number among the catalogue's silent ones, 0 for none."""

    name: str
    build: Piece
    incident: int = 0
    also: frozenset[str] = frozenset()
    """Rules that rightly speak there nevertheless."""

    def scene(self) -> Scene:
        scene = Scene()
        self.build(scene)
        return scene


def cases() -> list[Case]:
    """All cases of all areas."""
    return [case for module in _modules() for case in getattr(module, "CASES", ())]


def quiet_cases() -> list[Quiet]:
    """All scenes of all areas in which nothing may be found."""
    return [case for module in _modules() for case in getattr(module, "SILENT", ())]


def _modules() -> Iterator[object]:
    for path in sorted(Path(__file__).parent.glob("cases_*.py")):
        yield import_module(f"tests.unit.findings.{path.stem}")


def told(findings: list[Finding]) -> str:
    """Findings for an assertion's message."""
    return "\n".join(f"{f.key} ({f.sure.name}): {f.text}" for f in findings) or "nothing"


def found(case: Case, scene: Scene) -> list[Finding]:
    """The findings of the case's rule about its target."""
    return [f for f in scene.ask(case.rule) if f"{f.target.kind}:{f.target.name}" == case.target]
