"""WQL, the query language of WMI: parsed, checked against a class, and turned into a test of instances.

The subset is what data queries use: `SELECT properties FROM class WHERE …` with comparisons of a property and a
constant, LIKE, IS NULL, AND, OR, NOT and parentheses (learn.microsoft.com, "WQL (SQL for WMI)"). Strings compare
without regard to case. A comparison with a property that is NULL is false.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from typing import Any, Final

Getter = Callable[[str], Any]
"""Value of a property of the instance that is looked at."""
Test = Callable[[Getter], bool]

_DEEPEST: Final = 64
_LONGEST: Final = 64_000
_TOKEN: Final = re.compile(
    r"""\s*(?:
        (?P<string>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")
      | (?P<number>[-+]?(?:0[xX][0-9a-fA-F]+|\d+(?:\.\d+)?))(?![\w.])
      | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
      | (?P<sign><>|!=|<=|>=|=|<|>|\(|\)|,|\*)
    )""",
    re.VERBOSE | re.DOTALL,
)
_OPERATORS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_TURNED: Final = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_DATE: Final = re.compile(r"(\d{14})\.(\d{6})([+-]\d{3})\Z")
_SPAN: Final = re.compile(r"(\d{8})(\d{2})(\d{2})(\d{2})\.(\d{6}):000\Z")


class WqlError(Exception):
    """A text that WMI refuses as an invalid query (0x80041017)."""


@dataclass(frozen=True, slots=True)
class Term:
    """A comparison: property, operator (`LIKE`, `IS NULL`, … too), constant."""

    name: str
    sign: str
    value: Any


@dataclass(frozen=True, slots=True)
class Join:
    """AND, OR or NOT of others."""

    sign: str
    parts: tuple[Term | Join, ...]


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed query. No names: all properties."""

    names: tuple[str, ...]
    class_name: str
    where: Term | Join | None


@lru_cache(maxsize=256)
def parse(text: str) -> Query:
    """Read a query; raises WqlError."""
    return _Parser(text).query()


@lru_cache(maxsize=256)
def parse_filter(text: str) -> Term | Join:
    """Read what stands after WHERE; raises WqlError."""
    parser = _Parser(text)
    where = parser.expression(0)
    parser.end()
    return where


def names_in(where: Term | Join | None) -> frozenset[str]:
    """The properties a condition looks at, as written."""
    if where is None:
        return frozenset()
    if isinstance(where, Term):
        return frozenset({where.name})
    return frozenset().union(*(names_in(part) for part in where.parts))


def compile_where(where: Term | Join | None, types: Mapping[str, str]) -> Test | None:
    """A test of instances. `types`: lower-case property name → CIM type; raises WqlError for what is not among them."""
    if where is None:
        return None
    if isinstance(where, Join):
        tests = [test for part in where.parts if (test := compile_where(part, types))]
        if where.sign == "NOT":
            (inner,) = tests
            return lambda get: not inner(get)
        if where.sign == "AND":
            return lambda get: all(test(get) for test in tests)
        return lambda get: any(test(get) for test in tests)
    kind = types.get(where.name.lower())
    if kind is None:
        raise WqlError(f"no property {where.name}")
    return _term(where, kind)


def _term(term: Term, kind: str) -> Test:
    name, sign = term.name, term.sign
    if sign in {"IS NULL", "IS NOT NULL"} or term.value is None:
        wanted = sign in {"IS NULL", "="}
        if sign not in {"IS NULL", "IS NOT NULL", "=", "<>", "!="}:
            raise WqlError(f"NULL cannot be compared with {sign}")
        return lambda get: (get(name) is None) is wanted
    if kind.endswith(("[]", " REF")) or kind not in _READERS:
        raise WqlError(f"{name} cannot be compared")
    if sign == "LIKE":
        if kind != "string" or not isinstance(term.value, str):
            raise WqlError(f"LIKE needs a string property, {name} is none")
        matches = like(term.value)
        return lambda get: (value := get(name)) is not None and matches(value)
    wanted_value = _READERS[kind](term.value)
    compare = _OPERATORS[sign]
    if kind == "string":
        return lambda get: (value := get(name)) is not None and compare(value.upper(), wanted_value)
    if kind == "boolean" and sign not in {"=", "<>", "!="}:
        raise WqlError(f"a boolean cannot be compared with {sign}")
    return lambda get: (value := get(name)) is not None and compare(value, wanted_value)


def like(pattern: str) -> Callable[[str], bool]:
    """A test for WQL's LIKE: `%` any characters, `_` one, `[abc]`, `[a-f]`, `[a=f]` and `[^abc]` one of (not) these."""
    out = []
    position = 0
    while position < len(pattern):
        char = pattern[position]
        position += 1
        if char == "%":
            out.append(".*")
        elif char == "_":
            out.append(".")
        elif char == "[":
            # A closing bracket right after the opening one stands for itself.
            start = position + (pattern[position : position + 1] == "^")
            end = pattern.find("]", start + 1)
            if end < 0:
                raise WqlError("a [ in LIKE is not closed")
            out.append(_characters(pattern[position:end]))
            position = end + 1
        else:
            out.append(re.escape(char))
    return re.compile("".join(out), re.IGNORECASE | re.DOTALL).fullmatch  # type: ignore[return-value]


def _characters(inside: str) -> str:
    turned = inside.startswith("^")
    inside = inside.removeprefix("^")
    parts = []
    position = 0
    while position < len(inside):
        first = inside[position]
        if inside[position + 1 : position + 2] in {"-", "="} and position + 2 < len(inside):
            last = inside[position + 2]
            if last < first:
                raise WqlError("a range in LIKE runs backwards")
            parts.append(f"{re.escape(first)}-{re.escape(last)}")
            position += 3
        else:
            parts.append(re.escape(first))
            position += 1
    return f"[{'^' if turned else ''}{''.join(parts)}]"


# --- constants of a property's type ---


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise WqlError("a string property is compared with a number")
    return value.upper()


def _integer(value: Any) -> int | float:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, str):
        try:
            return int(value, 0)
        except ValueError as error:
            raise WqlError(f"{value!r} is no number") from error
    number: int | float = value
    return number


def _real(value: Any) -> float:
    try:
        return float(value)
    except ValueError as error:
        raise WqlError(f"{value!r} is no number") from error


def _boolean(value: Any) -> bool:
    if isinstance(value, str) and value.upper() in {"TRUE", "FALSE"}:
        return value.upper() == "TRUE"
    if isinstance(value, bool) or value in {0, 1}:
        return bool(value)
    raise WqlError(f"{value!r} is no boolean")


def _moment(value: Any) -> datetime | timedelta:
    """`yyyymmddHHMMSS.mmmmmm+UUU`, or an interval `ddddddddHHMMSS.mmmmmm:000`."""
    try:
        if isinstance(value, str):
            if match := _DATE.match(value):
                zone = timezone(timedelta(minutes=int(match[3])))
                return datetime.strptime(match[1] + match[2], "%Y%m%d%H%M%S%f").replace(tzinfo=zone)
            if match := _SPAN.match(value):
                days, hours, minutes, seconds, micro = (int(part) for part in match.groups())
                return timedelta(days, seconds, micro, minutes=minutes, hours=hours)
    except (ValueError, OverflowError) as error:
        raise WqlError(f"{value!r} is no date") from error
    raise WqlError(f"{value!r} is no date")


_READERS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "string": _string,
    "boolean": _boolean,
    "datetime": _moment,
    "real32": _real,
    "real64": _real,
    **{f"{sign}int{bits}": _integer for sign in ("u", "s") for bits in (8, 16, 32, 64)},
}


class _Parser:
    """Recursive descent over the tokens of one text."""

    def __init__(self, text: str) -> None:
        self._tokens = _tokens(text)
        self._at = 0

    def query(self) -> Query:
        self._word("SELECT")
        names: list[str] = []
        if self._take("sign", "*") is None:
            names.append(self._name())
            while self._take("sign", ","):
                names.append(self._name())
        self._word("FROM")
        class_name = self._name()
        where = self.expression(0) if self._take("word", "WHERE") else None
        self.end()
        return Query(tuple(names), class_name, where)

    def expression(self, depth: int) -> Term | Join:
        parts = [self._conjunction(depth)]
        while self._take("word", "OR"):
            parts.append(self._conjunction(depth))
        return parts[0] if len(parts) == 1 else Join("OR", tuple(parts))

    def end(self) -> None:
        """Nothing may follow."""
        if self._at < len(self._tokens):
            raise WqlError(f"unexpected {self._tokens[self._at][1]!r}")

    def _conjunction(self, depth: int) -> Term | Join:
        parts = [self._factor(depth)]
        while self._take("word", "AND"):
            parts.append(self._factor(depth))
        return parts[0] if len(parts) == 1 else Join("AND", tuple(parts))

    def _factor(self, depth: int) -> Term | Join:
        if depth > _DEEPEST:
            raise WqlError("the query is nested too deeply")
        if self._take("word", "NOT"):
            return Join("NOT", (self._factor(depth + 1),))
        if self._take("sign", "("):
            inner = self.expression(depth + 1)
            if not self._take("sign", ")"):
                raise WqlError("a ( is not closed")
            return inner
        return self._comparison()

    def _comparison(self) -> Term:
        kind, text = self._peek()
        if kind == "word" and text.upper() not in {"TRUE", "FALSE", "NULL"}:
            name = self._name()
            if self._take("word", "IS"):
                negated = self._take("word", "NOT") is not None
                self._word("NULL")
                return Term(name, "IS NOT NULL" if negated else "IS NULL", None)
            if self._take("word", "LIKE"):
                return Term(name, "LIKE", self._constant())
            return Term(name, self._sign(), self._constant())
        value = self._constant()
        sign = self._sign()
        return Term(self._name(), _TURNED.get(sign, sign), value)

    def _sign(self) -> str:
        kind, text = self._peek()
        if kind != "sign" or text not in _OPERATORS:
            raise WqlError(f"an operator was expected, not {text!r}")
        self._at += 1
        return text

    def _constant(self) -> Any:
        kind, text = self._peek()
        self._at += 1
        if kind == "string":
            return re.sub(r"\\(.)", r"\1", text[1:-1], flags=re.DOTALL)
        if kind == "number":
            return float(text) if "." in text else int(text, 16 if "x" in text.lower() else 10)
        if kind == "word" and (word := text.upper()) in {"TRUE", "FALSE", "NULL"}:
            return None if word == "NULL" else word == "TRUE"
        raise WqlError(f"a constant was expected, not {text!r}")

    def _name(self) -> str:
        kind, text = self._peek()
        if kind != "word":
            raise WqlError(f"a name was expected, not {text!r}")
        self._at += 1
        return text

    def _word(self, word: str) -> None:
        if not self._take("word", word):
            raise WqlError(f"{word} was expected")

    def _take(self, kind: str, text: str) -> str | None:
        if self._at < len(self._tokens):
            token = self._tokens[self._at]
            if token[0] == kind and token[1].upper() == text:
                self._at += 1
                return token[1]
        return None

    def _peek(self) -> tuple[str, str]:
        if self._at >= len(self._tokens):
            raise WqlError("the query ends too early")
        return self._tokens[self._at]


def _tokens(text: str) -> list[tuple[str, str]]:
    if len(text) > _LONGEST:
        raise WqlError("the query is too long")
    found = []
    position = 0
    text = text.rstrip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise WqlError(f"unexpected character at {position}")
        found.append((match.lastgroup or "", match[match.lastgroup or 0]))
        position = match.end()
    return found
