"""The words of a `/` filter."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hvtui.model.filter import parse_filter
from hvtui.model.rows import CsvRow, NodeRow, Severity, VmRow, csv_row, node_row
from tests.support.builders import csv_id, small_state

SQL = VmRow(
    key="1",
    name="SQL07",
    role="Database of Zürich",
    state="Running",
    node="HV01",
    csvs=("Volume1", "Data [x]"),
    owners=("HV02",),
    drift=True,
    split=False,
    checkpoint_type="ProductionOnly",
    checkpoints="1R 2S",
    checkpoint_count=3,
    recovery_count=1,
    activity="backup 37%",
    percent=37,
    cpu=51,
    memory_mb=65_536,
    severity=Severity.WARN,
    reasons=("paused",),
)
BARE = VmRow(key="2", name="bare", severity=Severity.UNKNOWN)


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("", True),
        ("sql", True),
        ("SQL07", True),
        ("zürich", True),
        ("sql backup", True),
        ("sql nothing", False),
        ("-sql", False),
        ("-web", True),
        ("-", True),
        ('"backup 37%"', True),
        ('"backup 38%"', False),
        ('"of Zürich', True),
        ("[x]", True),
        ("state:running", True),
        ("state:run", True),
        ("STATE:Running", True),
        ("state:off", False),
        ("-state:off", True),
        ("node:hv01 state:running", True),
        ("node:hv0 -node:hv01", False),
        ("csv:volume1", True),
        ("csv:volume", True),
        ("csv:=volume1", True),
        ("csv:=volume", False),
        ('csv:="data [x]"', True),
        ("csv:none", False),
        ("drift:yes", True),
        ("drift:y", True),
        ("drift:no", False),
        ("drift:?", False),
        ("drift:maybe", False),
        ("-drift:yes", False),
        ("split:no", True),
        ("cpu:>50", True),
        ("cpu:>51", False),
        ("cpu:>=51", True),
        ("cpu:<51", False),
        ("cpu:<=51", True),
        ("cpu:51", True),
        ("cpu:=51", True),
        ("cpu:50", False),
        ("cpu:>50%", True),
        ("cpu:abc", False),
        ("mem:>=64g", True),
        ("mem:>64gb", False),
        ("memory:65536", True),
        ("chk:>2", True),
        ("recovery:1", True),
        ("type:productiononly", True),
        ("type:production", True),
        ("type:=production", False),
        ("severity:warn", True),
        ("severity:bad", False),
        ("reason:paused", True),
        ("activity:backup", True),
        ("stale:none", True),
        ("nosuchfield:x", False),
        ("-nosuchfield:x", True),
        ("cpu:", True),
        (":", False),
        ("=", True),
    ],
)
def test_matches(text: str, matches: bool) -> None:
    assert parse_filter(text).matches(SQL) is matches


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("drift:?", True),
        ("drift:unknown", True),
        ("drift:yes", False),
        ("drift:no", False),
        ("cpu:>0", False),
        ("cpu:<1", False),
        ("cpu:?", True),
        ("state:?", True),
        ("type:?", True),
        ("csv:none", True),
        ("role:none", True),
        ("severity:unknown", True),
    ],
)
def test_what_was_not_read_is_neither_yes_nor_no_nor_zero(text: str, matches: bool) -> None:
    assert parse_filter(text).matches(BARE) is matches


def test_a_path_is_a_word_not_a_field() -> None:
    row = VmRow(key="3", name=r"C:\ClusterStorage\x")
    assert parse_filter(r"c:\clusterstorage").matches(row)


def test_nodes_and_volumes_are_filtered_by_their_own_fields() -> None:
    state = small_state()
    assert parse_filter("cpu:>40 state:up vmms:running").matches(node_row(state, "HV01"))
    assert not parse_filter("cpu:>40").matches(node_row(state, "HV02"))
    volume = csv_row(state, csv_id("Volume10"))
    assert parse_filter("owner:hv02 drift:>0 free:>=50 backup:no io:direct").matches(volume)
    assert parse_filter("csv:=volume10").matches(volume)


def test_a_comparison_without_a_number_is_a_problem_that_is_told() -> None:
    assert parse_filter("cpu:>x").problems == ("cpu:>x needs a number after >",)
    assert parse_filter("cpu:>50 sql").problems == ()


@given(st.text())
def test_any_text_is_a_filter(text: str) -> None:
    found = parse_filter(text)
    rows: list[VmRow | NodeRow | CsvRow] = [
        SQL,
        BARE,
        NodeRow(key="n", name="n"),
        CsvRow(key="c", name="c"),
    ]
    for row in rows:
        assert found.matches(row) in (True, False)


@given(st.sampled_from(sorted(VmRow.FIELDS)), st.text(min_size=1, max_size=20))
def test_a_part_and_its_inverse_never_both_match(field: str, value: str) -> None:
    quoted = value.replace('"', "")
    plain, inverse = parse_filter(f'{field}:"{quoted}"'), parse_filter(f'-{field}:"{quoted}"')
    for row in (SQL, BARE):
        if plain:
            assert plain.matches(row) != inverse.matches(row)


def test_every_field_of_every_row_can_be_asked() -> None:
    for kind in (VmRow, NodeRow, CsvRow):
        assert set(kind.FIELDS.values()) <= set(kind.__struct_fields__)
