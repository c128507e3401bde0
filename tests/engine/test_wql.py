"""WQL: parsed as WMI does, evaluated as a plain reading of the same condition would."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hvtui.lab.pwsh.wql import Join, Query, Term, WqlError, compile_where, like, names_in, parse, parse_filter

TYPES = {
    "name": "string",
    "number": "uint32",
    "flag": "boolean",
    "when": "datetime",
    "ratio": "real64",
    "list": "uint16[]",
    "link": "Msvm_ComputerSystem REF",
}


def holds(condition: str, **values: Any) -> bool:
    test = compile_where(parse_filter(condition), TYPES)
    assert test is not None
    lower = {key.lower(): value for key, value in values.items()}
    return test(lambda name: lower.get(name.lower()))


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("SELECT * FROM Win32_Service", Query((), "Win32_Service", None)),
        ("select Name, State from Win32_Service", Query(("Name", "State"), "Win32_Service", None)),
        ("SELECT A FROM B WHERE C = 'd'", Query(("A",), "B", Term("C", "=", "d"))),
        ('SELECT A FROM B WHERE C <> "d"', Query(("A",), "B", Term("C", "<>", "d"))),
        ("SELECT A FROM B WHERE 5 < C", Query(("A",), "B", Term("C", ">", 5))),
        ("SELECT A FROM B WHERE C IS NOT NULL", Query(("A",), "B", Term("C", "IS NOT NULL", None))),
        (
            "SELECT A FROM B WHERE a=1 OR b=2 AND NOT c=3",
            Query(
                ("A",),
                "B",
                Join(
                    "OR",
                    (
                        Term("a", "=", 1),
                        Join("AND", (Term("b", "=", 2), Join("NOT", (Term("c", "=", 3),)))),
                    ),
                ),
            ),
        ),
    ],
)
def test_queries_are_read(text: str, query: Query) -> None:
    assert parse(text) == query


@pytest.mark.parametrize(
    "text",
    [
        "",
        "SELECT",
        "SELECT FROM B",
        "SELECT A FROM",
        "SELECT A, FROM B",
        "SELECT A FROM B WHERE",
        "SELECT A FROM B WHERE C",
        "SELECT A FROM B WHERE C = ",
        "SELECT A FROM B WHERE C = 'd",
        "SELECT A FROM B WHERE C = d",
        "SELECT A FROM B WHERE C == 1",
        "SELECT A FROM B WHERE (C = 1",
        "SELECT A FROM B WHERE C = 1)",
        "SELECT A FROM B WHERE C = 1 D = 2",
        "SELECT A FROM B; DROP",
        "DELETE FROM B",
        "SELECT A FROM B WHERE " + "(" * 5000 + "C = 1" + ")" * 5000,
        "SELECT A FROM B WHERE " + "NOT " * 5000 + "C = 1",
    ],
)
def test_what_is_no_query_is_refused(text: str) -> None:
    with pytest.raises(WqlError):
        parse(text)


@pytest.mark.parametrize(
    ("condition", "values", "wanted"),
    [
        ("Name = 'VMMS'", {"name": "vmms"}, True),
        ("Name = 'vmm'", {"name": "vmms"}, False),
        ("name <> 'x'", {"name": "vmms"}, True),
        ("Name = 'it\\'s'", {"name": "it's"}, True),
        ('Name = "a\\\\b"', {"name": "a\\b"}, True),
        ("Name > 'a' AND Name < 'c'", {"name": "B"}, True),
        ("Number = 4294967295", {"number": 4294967295}, True),
        ("Number = '7'", {"number": 7}, True),
        ("Number >= 0x10", {"number": 16}, True),
        ("Number <> 3", {"number": None}, False),
        ("Number IS NULL", {"number": None}, True),
        ("Number = NULL", {"number": None}, True),
        ("Number <> NULL", {"number": 0}, True),
        ("Number IS NOT NULL", {"number": None}, False),
        ("Flag = TRUE", {"flag": True}, True),
        ("Flag = 'true'", {"flag": True}, True),
        ("Flag <> TRUE", {"flag": False}, True),
        ("Flag = 0", {"flag": False}, True),
        ("Ratio > 0.25", {"ratio": 0.5}, True),
        ("Link IS NULL", {"link": None}, True),
        ("NOT (Number = 1 OR Number = 2)", {"number": 3}, True),
        ("When >= '20261124010000.000000+060'", {"when": datetime(2026, 11, 24, tzinfo=UTC)}, True),
        ("When < '20261124000000.000000+000'", {"when": datetime(2026, 11, 24, tzinfo=UTC)}, False),
        ("When = '00000001020304.000005:000'", {"when": timedelta(1, 4, 5, hours=2, minutes=3)}, True),
    ],
)
def test_conditions_hold_or_not(condition: str, values: dict[str, Any], wanted: bool) -> None:
    assert holds(condition, **values) is wanted


@pytest.mark.parametrize(
    "condition",
    [
        "Nothing = 1",
        "Name = 1",
        "Number = 'seven'",
        "Number LIKE '7%'",
        "Name LIKE 7",
        "Flag = 'perhaps'",
        "Flag < TRUE",
        "Number > NULL",
        "List = 1",
        "Link = 'x'",
        "When = 'yesterday'",
        "When = 5",
        "When = '20269924010000.000000+060'",
        "Name LIKE '[abc'",
        "Name LIKE '[z-a]'",
    ],
)
def test_a_condition_that_does_not_fit_the_class_is_refused(condition: str) -> None:
    with pytest.raises(WqlError):
        compile_where(parse_filter(condition), TYPES)


@pytest.mark.parametrize(
    ("pattern", "text", "wanted"),
    [
        ("sql%", "SQL07", True),
        ("%07", "sql07", True),
        ("sql_7", "sql07", True),
        ("sql_7", "sql7", False),
        ("[a-f]%", "Beta", True),
        ("[a=f]%", "zeta", False),
        ("[^ab]%", "c", True),
        ("[^ab]%", "a", False),
        ("100[%]", "100%", True),
        ("a[_]b", "a_b", True),
        ("[]]x", "]x", True),
        ("[-a]", "-", True),
        (".*", "anything", False),
        ("%", "two\nlines", True),
        ("", "", True),
    ],
)
def test_like(pattern: str, text: str, wanted: bool) -> None:
    assert bool(like(pattern)(text)) is wanted


@given(st.text())
def test_a_name_between_quotes_matches_itself_and_nothing_else(name: str) -> None:
    quoted = name.replace("\\", "\\\\").replace("'", "\\'")
    assert holds(f"Name = '{quoted}'", name=name)
    assert not holds(f"Name = '{quoted}'", name=name + "x")


@given(st.text())
def test_a_pattern_of_escaped_characters_matches_itself(name: str) -> None:
    escaped = re.sub(r"([%_\[])", r"[\1]", name)
    assert like(escaped)(name)


@given(st.text(max_size=60))
def test_any_text_is_a_query_or_an_error_of_its_own(text: str) -> None:
    for read in (parse, parse_filter):
        try:
            read(text)
        except WqlError:
            continue


_leaf = st.builds(
    Term, st.sampled_from(["a", "b"]), st.sampled_from(["=", "<>", "<", "<=", ">", ">="]), st.integers(0, 3)
)
_tree: st.SearchStrategy[Term | Join] = st.recursive(
    _leaf,
    lambda inner: st.one_of(
        st.builds(lambda one: Join("NOT", (one,)), inner),
        st.builds(
            lambda sign, parts: Join(sign, tuple(parts)), st.sampled_from(["AND", "OR"]), st.lists(inner, min_size=2)
        ),
    ),
    max_leaves=12,
)


def written(one: Term | Join) -> str:
    if isinstance(one, Term):
        return f"{one.name} {one.sign} {one.value}"
    if one.sign == "NOT":
        return f"NOT ({written(one.parts[0])})"
    return "(" + f") {one.sign} (".join(written(part) for part in one.parts) + ")"


def value_of(one: Term | Join, values: dict[str, int]) -> bool:
    if isinstance(one, Term):
        left, right = values[one.name], one.value
        meaning: dict[str, bool] = {
            "=": left == right,
            "<>": left != right,
            "<": left < right,
            "<=": left <= right,
            ">": left > right,
            ">=": left >= right,
        }
        return meaning[one.sign]
    parts = [value_of(part, values) for part in one.parts]
    return not parts[0] if one.sign == "NOT" else all(parts) if one.sign == "AND" else any(parts)


@given(_tree, st.integers(0, 3), st.integers(0, 3))
def test_a_condition_means_what_it_says(condition: Term | Join, a: int, b: int) -> None:
    text = written(condition)
    read = parse_filter(text)
    test = compile_where(read, {"a": "uint32", "b": "uint32"})
    assert test is not None
    values = {"a": a, "b": b}
    assert test(lambda name: values[name]) is value_of(condition, values)
    assert names_in(read) == names_in(condition)
