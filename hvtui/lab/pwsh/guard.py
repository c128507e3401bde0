"""What a client may run on the engine, which is a real one on this machine: the module's functions and little else."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

from hvtui.lab.endpoint.runspace import BUILT_IN, not_found
from hvtui.lab.engine import CommandError
from hvtui.remote.contract import FUNCTIONS

_ENCODED: Final = re.compile(r"_x([0-9A-Fa-f]{4})_")
_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f]|_(?=[xX][0-9A-Fa-f]{4}_)")
_COMMANDS: Final = {name.lower() for name in (*FUNCTIONS, *BUILT_IN)}
_IMPORT: Final = "import-module"
_BAD: Final = "The lab does not understand the pipeline."


@dataclass(frozen=True)
class Guard:
    """Looks at each pipeline before the engine gets it.

    `accepted`: sha256 of the script texts that may run. `replacement`: the file that stands in for the module's
    Windows-only calls, loaded after an accepted script.
    """

    accepted: frozenset[str]
    replacement: Path

    def admit(self, body: bytes) -> bytes:
        """The CreatePipeline message that the engine is to get for this one; raises CommandError with the refusal."""
        try:
            if b"<!" in body:
                raise _refusal(_BAD)
            root = ElementTree.fromstring(body)  # noqa: S314 - no document type, so no entities can be declared
        except ElementTree.ParseError as error:
            raise _refusal(_BAD) from error
        scripts = [text for text, is_script in self._commands(root) if is_script]
        for element in scripts:
            text = _decoded(element.text or "")
            if hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest() not in self.accepted:
                raise _refusal("The lab runs named commands and exactly one script: the text it was told to accept.")
            element.text = _encoded(f"{text}\n{self._stand_in()}\n")
        return ElementTree.tostring(root, encoding="utf-8") if scripts else body

    def _commands(self, root: ElementTree.Element) -> Iterator[tuple[ElementTree.Element, bool]]:
        """Each command's text element and whether it is a script; what is not plain is refused."""
        found = 0
        for members in root.iter():
            named = [(_decoded(child.get("N", "")).lower(), child) for child in members]
            texts = [child for name, child in named if name == "cmd"]
            kinds = [child for name, child in named if name == "isscript"]
            if not texts and not kinds:
                continue
            if len(texts) != 1 or len(kinds) != 1 or kinds[0].text not in {"true", "false"} or texts[0].tag != "S":
                raise _refusal(_BAD)
            found += 1
            is_script = kinds[0].text == "true"
            if not is_script:
                self._named(_decoded(texts[0].text or ""), members)
            yield texts[0], is_script
        if not found:
            raise _refusal(_BAD)

    def _named(self, name: str, members: ElementTree.Element) -> None:
        if name.lower() not in _COMMANDS:
            raise not_found(name)
        if name.lower() == _IMPORT:
            # A name is looked up in the session's module folders; a path would be any file of this machine.
            values = [_decoded(value.text or "") for value in members.iter("S")]
            if any(sign in value for value in values for sign in "/\\:"):
                raise _refusal("The lab imports modules by name only.")

    def _stand_in(self) -> str:
        # Dotted, so that it is the module's own functions that are replaced.
        path = str(self.replacement).replace("'", "''")
        return f"Get-Module -Name HvTui | ForEach-Object {{ . $_ {{ param($Path) . $Path }} '{path}' }}"


def _refusal(text: str) -> CommandError:
    return CommandError(text, error_id="LabScriptNotAccepted", category="PermissionDenied")


def _decoded(text: str) -> str:
    units = _ENCODED.sub(lambda found: chr(int(found[1], 16)), text)
    return units.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _encoded(text: str) -> str:
    return _CONTROL.sub(lambda found: f"_x{ord(found[0]):04X}_", text)
