"""The XPath that Windows' event log understands, turned into a test of records.

The subset is Windows' own (learn.microsoft.com, "Consuming Events", XPath 1.0 limitations): `*` or `Event` with
conditions on System, EventData and UserData, joined with `and` and `or`; functions `timediff` and `band`.
"""

from __future__ import annotations

import operator
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

from hvtui.lab.world.events import LogEvent

SPACE: Final = "{http://schemas.microsoft.com/win/2004/08/events/event}"
_TOKEN: Final = re.compile(
    r"""\s*(?:(?P<string>'[^']*'|"[^"]*")|(?P<number>0[xX][0-9a-fA-F]+|-?\d+(?:\.\d+)?)
      |(?P<name>[A-Za-z_][\w.-]*)|(?P<sign>!=|<=|>=|=|<|>|\(|\)|\[|\]|,|/|@|\*|\.))""",
    re.VERBOSE,
)
_COMPARE: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class XPathError(Exception):
    """A query that the event log calls invalid (15001)."""


@dataclass(frozen=True, slots=True)
class Record:
    """A record that is tested: its values, its XML (made when needed), and the clock of its node."""

    event: LogEvent
    channel: str
    computer: str
    now: datetime
    xml: Callable[[], str]


Test = Callable[[Record], bool]
Value = Callable[[Record], list[str]]
"""The texts that a path finds."""


@dataclass(frozen=True, slots=True)
class Query:
    """A query: its test, and the record number after which matches can begin."""

    test: Test
    after: int = 0


@lru_cache(maxsize=512)
def parse(text: str) -> Query:
    """Read a query; raises XPathError."""
    if text.strip() == "*":
        return Query(lambda _record: True)
    parser = _Parser(text)
    test = parser.event()
    return Query(test, parser.after if parser.plain else 0)


def system_values(name: str, attribute: str) -> Value:
    """An element or attribute of System."""
    simple: dict[tuple[str, str], Callable[[Record], Any]] = {
        ("EventID", ""): lambda one: one.event.id,
        ("EventRecordID", ""): lambda one: one.event.record,
        ("Level", ""): lambda one: one.event.level,
        ("Provider", "Name"): lambda one: one.event.provider,
        ("Channel", ""): lambda one: one.channel,
        ("Computer", ""): lambda one: one.computer,
        ("TimeCreated", "SystemTime"): lambda one: _stamp(one.event.time),
    }
    found = simple.get((name, attribute))
    if found is not None:
        return lambda one: [str(found(one))]
    return _tree(["System", name], attribute)


def _stamp(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def _tree(path: list[str], attribute: str, name: str = "") -> Value:
    """Texts of the elements at a path (any namespace), or their attribute; of those with that Name only."""

    def find(one: Record) -> list[str]:
        nodes = [ET.fromstring(_readable(one.xml()))]  # noqa: S314 - reads only what this lab wrote
        for step in path:
            nodes = [child for node in nodes for child in node if step in {"*", child.tag.rpartition("}")[2]}]
        if name:
            nodes = [node for node in nodes if node.get("Name") == name]
        if attribute:
            return [value for node in nodes if (value := node.get(attribute)) is not None]
        return ["".join(node.itertext()) for node in nodes]

    return find


def _readable(text: str) -> str:
    """Control characters, which this reader refuses, become spaces."""
    return re.sub(r"&#x(?:[0-8BCEF]|1[0-9A-F]);", " ", text)


class _Parser:
    """Recursive descent over the tokens of one query. `plain`: only `and` so far; `after`: its EventRecordID bound."""

    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        position, text = 0, text.rstrip()
        while position < len(text):
            match = _TOKEN.match(text, position)
            if match is None:
                raise XPathError(f"unexpected character at {position}")
            self._tokens.append((match.lastgroup or "", match[match.lastgroup or 0]))
            position = match.end()
        self._at = 0
        self._depth = 0
        self.plain = True
        self.after = 0

    def event(self) -> Test:
        """`*[…]`, `Event[…]`, `Event/System[…]`, several conditions after each other."""
        if not (self._take("*") or self._take("Event")):
            raise XPathError("the query must begin with * or Event")
        tests: list[Test] = []
        if self._take("/"):
            tests.append(self._part())
        while self._take("["):
            tests.append(self._either(self._part))
            self._need("]")
        if self._at < len(self._tokens):
            raise XPathError(f"unexpected {self._tokens[self._at][1]!r}")
        return _all(tests)

    def _either(self, one: Callable[[], Test]) -> Test:
        self._depth += 1
        if self._depth > 32:
            raise XPathError("the query is nested too deeply")
        tests = [self._both(one)]
        while self._take("or"):
            self.plain = False
            tests.append(self._both(one))
        self._depth -= 1
        return tests[0] if len(tests) == 1 else lambda record: any(test(record) for test in tests)

    def _both(self, one: Callable[[], Test]) -> Test:
        tests = [self._group(one)]
        while self._take("and"):
            tests.append(self._group(one))
        return _all(tests)

    def _group(self, one: Callable[[], Test]) -> Test:
        if self._take("("):
            inner = self._either(one)
            self._need(")")
            return inner
        return one()

    def _part(self) -> Test:
        """System[…], EventData[…], UserData[…] or a path below them with a comparison."""
        part = self._name()
        if part not in {"System", "EventData", "UserData"}:
            raise XPathError(f"{part} is no part of an event")
        tests: list[Test] = []
        inner = self._system if part == "System" else lambda: self._data([part])
        if self._take("/"):
            tests.append(inner())
        while self._take("["):
            tests.append(self._either(inner))
            self._need("]")
        if not tests:
            return lambda record: bool(_tree([part], "")(record))
        return _all(tests)

    def _system(self) -> Test:
        for name, function in (("timediff", self._age), ("band", self._bits)):
            if self._take(name):
                return function("")
        name = self._name()
        if self._take("["):
            test = self._either(lambda: self._attribute(name))
            self._need("]")
            return test
        if self._take("/"):
            return self._attribute(name)
        if name in {"Keywords", "Task", "Opcode", "Version"} and self._take("("):
            raise XPathError(f"{name} is no function")
        return self._comparison(system_values(name, ""), name)

    def _attribute(self, name: str) -> Test:
        for word, function in (("timediff", self._age), ("band", self._bits)):
            if self._take(word):
                return function(name)
        self._need("@")
        return self._comparison(system_values(name, self._name()), "")

    def _age(self, name: str) -> Test:
        """`timediff(@SystemTime) <= milliseconds`, by the clock of the node."""
        self._need("(")
        self._need("@")
        if self._name() != "SystemTime" or name not in {"", "TimeCreated"}:
            raise XPathError("timediff takes SystemTime of TimeCreated")
        self._need(")")
        compare, milliseconds = self._operator(), self._number()

        def test(record: Record) -> bool:
            return compare((record.now - record.event.time).total_seconds() * 1000, milliseconds)

        return test

    def _bits(self, name: str) -> Test:
        """`band(Keywords, mask)`."""
        self._need("(")
        values = system_values(name or self._name(), "")
        self._need(",")
        mask = int(self._number())
        self._need(")")
        return lambda record: any(int(text, 0) & mask for text in values(record) if text)

    def _data(self, path: list[str]) -> Test:
        """A path below EventData or UserData, with `[@Name='x']`, and a comparison or none."""
        path = [*path, "*" if self._take("*") else self._name()]
        while self._take("/"):
            path.append("*" if self._take("*") else self._name())
        name = ""
        if self._take("["):
            self._need("@")
            if self._name() != "Name":
                raise XPathError("only @Name chooses data")
            self._need("=")
            name = self._string()
            self._need("]")
        return self._comparison(_tree(path, "", name), "")

    def _comparison(self, values: Value, name: str) -> Test:
        if self._at >= len(self._tokens) or self._tokens[self._at][1] not in _COMPARE:
            return lambda record: bool(values(record))
        sign = self._tokens[self._at][1]
        compare = self._operator()
        kind, _ = self._peek()
        if kind == "number":
            number = self._number()
            if name == "EventRecordID" and sign in {">", ">="}:
                self.after = max(self.after, int(number) - (sign == ">="))
            return lambda record: any(
                compare(found, number) for one in values(record) if (found := _real(one)) is not None
            )
        wanted = self._string()
        return lambda record: any(compare(one, wanted) for one in values(record))

    # --- tokens ---

    def _operator(self) -> Callable[[Any, Any], bool]:
        text = self._peek()[1]
        if text not in _COMPARE:
            raise XPathError(f"a comparison was expected, not {text!r}")
        self._at += 1
        return _COMPARE[text]

    def _number(self) -> float:
        kind, text = self._peek()
        if kind != "number":
            raise XPathError(f"a number was expected, not {text!r}")
        self._at += 1
        return int(text, 16) if text.lower().startswith("0x") else float(text)

    def _string(self) -> str:
        kind, text = self._peek()
        if kind != "string":
            raise XPathError(f"a string was expected, not {text!r}")
        self._at += 1
        return text[1:-1]

    def _name(self) -> str:
        kind, text = self._peek()
        if kind != "name":
            raise XPathError(f"a name was expected, not {text!r}")
        self._at += 1
        return text

    def _need(self, text: str) -> None:
        if not self._take(text):
            raise XPathError(f"{text} was expected")

    def _take(self, text: str) -> bool:
        if self._at < len(self._tokens) and self._tokens[self._at] in {("sign", text), ("name", text)}:
            self._at += 1
            return True
        return False

    def _peek(self) -> tuple[str, str]:
        if self._at >= len(self._tokens):
            raise XPathError("the query ends too early")
        return self._tokens[self._at]


def _all(tests: list[Test]) -> Test:
    return tests[0] if len(tests) == 1 else lambda record: all(test(record) for test in tests)


def _real(text: str) -> float | None:
    try:
        return float(int(text, 0))
    except ValueError:
        return None
