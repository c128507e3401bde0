"""Other names in the place of real ones, the same one for the same name everywhere in a recording.

Names are learnt where they have a place of their own (a node, a VM, a role, a CSV, an account, a folder), and then
replaced wherever they stand: in records, in event texts, in journal lines. Ids, numbers, Windows' own words and the
names of programs stay.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, Final, TypeVar

import msgspec

from hvtui.live.inputs import Input
from hvtui.recording.keyframe import Keyframe

T = TypeVar("T")

_DIGITS: Final = {"NODE": 2, "VM": 4, "CSV": 2}
_KEPT: Final = frozenset(
    {
        "id", "instance", "type", "kind", "channel", "provider", "build", "version", "contract", "ps_version", "code",
        "codes", "part", "status", "state_class", "error_kind", "service", "advice", "file_system", "v", "word",
        "vmms", "cluster_service", "altitude", "rule", "function", "verb", "call", "operation", "session", "front",
        "services", "modules", "rights", "severity",
    }
)  # fmt: skip
"""Fields that never hold a name of a person's choice."""
_PATHS: Final = frozenset(
    {"configuration", "checkpoints", "paging", "disks", "path", "parent", "file", "files", "pass_through", "volume"}
)
_NAMES: Final = {
    "answered_by": "NODE", "destination": "NODE", "node": "NODE", "cluster_name": "CLUSTER", "vm_name": "VM",
    "anti_affinity": "GROUP", "owner": "NODE", "user": "ACCOUNT", "account": "ACCOUNT", "machine": "MACHINE",
    "originating_machine": "NODE", "service_machine": "NODE",
}  # fmt: skip
"""Field → what a name in it is of."""
_WELL_KNOWN: Final = frozenset(
    {
        "clusterstorage", "virtual machines", "virtual hard disks", "snapshots", "windows", "users", "programdata",
        "microsoft", "hyper-v", "program files", "undologs", "planned virtual machines", "system32", "public",
        "documents", "physicaldrive0",
    }
)  # fmt: skip
_AUTHORITIES: Final = frozenset({"nt authority", "builtin", "nt service", "font driver host", "window manager"})
_TOKEN: Final = re.compile(r"[\w$-]+(?:\.[\w$-]+)*")
_PATH: Final = re.compile(
    r"""(?<![\w\\])(?:[A-Za-z]:|\\\\\?|\\\\[^\\\s"<>|]+)\\(?:[^\\/:*?"<>|\r\n']+\\)*[^\\/:*?"<>|\r\n'\s,;]*"""
)
_ACCOUNT: Final = re.compile(
    r"(?<![\w\\:.-])((?:NT AUTHORITY|NT SERVICE)|[\w.-]+)\\([\w.$-]+)(?![\w\\])", re.IGNORECASE
)
_MAIL: Final = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_SID: Final = re.compile(r"\bS-1-5-21(?:-\d+){3,4}\b")
_ADDRESS: Final = re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])")
_GUID: Final = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_EXTENSION: Final = re.compile(r"\.(?:a?vhdx?|vhds|vmcx|vmrs|vsv|bin|xml|mrt|rct|iso|log)$", re.IGNORECASE)
_LEAST: Final = 3
"""A shorter name is replaced only where it stands alone."""


class Redactor:
    """Remembers which name became which. One for a whole recording."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._counts: dict[str, int] = {}
        self._long: dict[str, list[str]] = {}
        """First word → names of several words that begin with it, longest first."""

    # --- what is replaced ---

    def told(self, told: Input) -> Input:
        """An input under other names."""
        return self._of(told, Input)

    def keyframe(self, key: Keyframe) -> Keyframe:
        """A picture under other names."""
        for node in key.nodes:
            self.learn("NODE", node.name)
        return self._of(key, Keyframe)

    def plain(self, data: Any) -> Any:
        """A note under other names."""
        self._gather(data, "", "")
        return self._walk(data, "")

    def gather(self, value: Any) -> None:
        """Learn the names in something without replacing them yet."""
        self._gather(msgspec.to_builtins(value, builtin_types=(datetime, date)), type(value).__name__, "")

    def learn(self, kind: str, name: str) -> str:
        """The other name of a thing; `kind` is the word it begins with."""
        key = name.casefold()
        known = self._names.get(key)
        if known is not None or not name.strip():
            return known or name
        number = self._counts[kind] = self._counts.get(kind, 0) + 1
        other = self._names[key] = f"{kind}{number:0{_DIGITS.get(kind, 2)}d}"
        words = _TOKEN.findall(key)
        if words and words[0] != key and len(key) >= _LEAST:
            held = self._long.setdefault(words[0], [])
            held.append(key)
            held.sort(key=len, reverse=True)
        return other

    def text(self, text: str) -> str:
        """A text with other names in it."""
        known = self._names.get(text.casefold())
        if known is not None:
            return known
        if "\\" in text:
            text = _PATH.sub(lambda found: self.path(found[0]), text)
            text = _ACCOUNT.sub(self._account, text)
        if "@" in text:
            text = _MAIL.sub(lambda found: self.learn("ACCOUNT", found[0]), text)
        if "S-1-5-21" in text:
            text = _SID.sub(lambda found: self.learn("SID", found[0]), text)
        text = _ADDRESS.sub(self._address, text)
        return self._words(text)

    def path(self, path: str) -> str:
        """A path with other names of its folders and files; what Windows names stays."""
        parts = path.split("\\")
        csv = next((at + 1 for at, part in enumerate(parts) if part.casefold() == "clusterstorage"), -1)
        found = []
        for at, part in enumerate(parts):
            ending = _EXTENSION.search(part)
            stem = part[: ending.start()] if ending else part
            if at == csv and stem:
                found.append(self.learn("CSV", stem))
            elif not stem or len(stem) <= 2 or stem.endswith(":") or stem.casefold() in _WELL_KNOWN:
                found.append(part)
            else:
                found.append(self._stem(stem) + (ending[0] if ending else ""))
        return "\\".join(found)

    # --- helpers ---

    def _of(self, value: T, shape: Any) -> T:
        plain = msgspec.to_builtins(value, builtin_types=(datetime, date))
        self._gather(plain, type(value).__name__, "")
        found: T = msgspec.convert(self._walk(plain, ""), type=shape)
        return found

    def _stem(self, stem: str) -> str:
        """The name of a folder or of a file without its ending: a GUID in it stays."""
        guid = _GUID.search(stem)
        if guid is None:
            return self.learn("FOLDER", stem)
        before, after = stem[: guid.start()], stem[guid.end() :]
        head = before.rstrip("_-{")
        shown = (self.learn("FOLDER", head) if head else "") + before[len(head) :]
        return shown + guid[0] + (self._words(after) if after else "")

    def _account(self, found: re.Match[str]) -> str:
        domain, user = found[1], found[2]
        if domain.casefold() in _AUTHORITIES:
            return found[0]
        if domain.casefold() in self._names and user.casefold() in self._names:
            return f"{self._names[domain.casefold()]}\\{self._names[user.casefold()]}"
        return f"{self.learn('DOMAIN', domain)}\\{self.learn('ACCOUNT', user)}"

    def _address(self, found: re.Match[str]) -> str:
        if any(int(part) > 255 for part in found[0].split(".")) or found[0].startswith(("0.", "127.", "255.")):
            return found[0]
        return self.learn("ADDRESS", found[0])

    def _words(self, text: str) -> str:
        made: list[str] = []
        done = 0
        lower = text.casefold()
        if len(lower) != len(text):
            # A letter that is longer in lower case: places would not fit.
            lower = text.lower() if len(text.lower()) == len(text) else text
        for found in _TOKEN.finditer(text):
            if found.start() < done:
                continue
            start, end, other = self._at(lower, found)
            if other and start >= done:
                made += (text[done:start], other)
                done = end
        return "".join([*made, text[done:]]) if made else text

    def _at(self, lower: str, found: re.Match[str]) -> tuple[int, int, str]:
        """The known name that stands at a word: from, to, and its other name."""
        word = lower[found.start() : found.end()]
        first = word.partition(".")[0]
        for name in (*self._long.get(word, ()), *(self._long.get(first, ()) if first != word else ())):
            start = found.start() - name.index(_TOKEN.search(name)[0])  # type: ignore[index]
            end = start + len(name)
            if start >= 0 and lower[start:end] == name and not lower[end : end + 1].isalnum():
                return start, end, self._names[name]
        for part in (word, word.strip("-$_"), word.rstrip(".")):
            if len(part) >= _LEAST and part in self._names:
                at = found.start() + word.index(part)
                return at, at + len(part), self._names[part]
        if first != word and len(first) >= _LEAST and first in self._names:
            # A name and its domain.
            return found.start(), found.end(), f"{self._names[first]}.domain"
        pieces = [piece for piece in re.split(r"[-_.]", word) if len(piece) >= _LEAST]
        inner = next((piece for piece in pieces if piece in self._names and not piece.isdigit()), "")
        if inner:
            at = found.start() + word.index(inner)
            return at, at + len(inner), self._names[inner]
        return 0, 0, ""

    def _gather(self, value: Any, kind: str, field: str) -> None:
        if isinstance(value, dict):
            tag = value.get("type")
            kind = tag if isinstance(tag, str) else kind
            self._gather_names(value, kind, field)
            for key, inner in value.items():
                self._gather(inner, kind, key)
        elif isinstance(value, list | tuple):
            for inner in value:
                self._gather(inner, kind, field)
        elif isinstance(value, str) and value:
            if field in _PATHS and "\\" in value:
                self.path(value)
            elif field in _NAMES and "\\" not in value and " " not in value[:1]:
                self.learn(_NAMES[field], value)

    def _gather_names(self, value: dict[str, Any], kind: str, field: str) -> None:
        """A record's own name: what it is of is told by the other fields it has."""
        name = value.get("name")
        if not isinstance(name, str) or not name:
            return
        if "slot" in value or "resource_state" in value:
            self.learn("VM", name)
        elif "drain" in value or "processors" in value:
            self.learn("NODE", name)
        elif "quorum_type" in value:
            self.learn("CLUSTER", name)
        elif "volume" in value and "free" in value:
            self.learn("CSV", name)
        elif field == "" and kind.endswith(("Told", "Failed")) and kind != "ChainTold":
            self.learn("NODE", name)
        elif value.get("kind") in {"node", "vm", "csv", "cluster"}:
            self.learn(str(value["kind"]).upper(), name)

    def _walk(self, value: Any, field: str) -> Any:
        if isinstance(value, str):
            if not value or field in _KEPT:
                return value
            return self.path(value) if field in _PATHS and "\\" in value else self.text(value)
        if isinstance(value, dict):
            return {self._key(key): self._walk(inner, key) for key, inner in value.items()}
        if isinstance(value, list | tuple):
            return [self._walk(inner, field) for inner in value]
        return value

    def _key(self, key: str) -> str:
        """Keys are fields, or names and ids of things."""
        if key in _FIELDS:
            return key
        if key.startswith("writers of "):
            return f"writers of {self.text(key[11:])}"
        return self._names.get(key.casefold(), key)


def _fields_of(shapes: Iterable[type[Any]]) -> frozenset[str]:
    return frozenset(field for shape in shapes for field in shape.__struct_fields__)


def _all_structs() -> list[type[Any]]:
    found, left = [], [msgspec.Struct]
    while left:
        for shape in left.pop().__subclasses__():
            found.append(shape)
            left.append(shape)
    return found


_FIELDS: Final = _fields_of(_all_structs())
"""Names of fields of everything that a recording holds: never names of things."""
