"""The writer parser against texts nobody means well with: it never raises, stays quick, and never calls ill healthy."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hvtui.model.writer_text import LIMIT
from hvtui.model.writers import UNREADABLE_LIMIT, read_writers
from tests.unit.model.test_writers import CAPTURES, states_by_instance

junk = st.one_of(
    st.text(max_size=300),
    st.binary(max_size=300),
    st.lists(
        st.sampled_from(
            [
                "Writer name: 'X'",
                "   Writer Id: {66841cd4-6ded-4f4b-8f17-fd23f8ddc3de}",
                "   Writer Instance Id: {6162e336-7448-4371-93a7-29581512b103}",
                "   State: [5] Waiting",
                "   State: [1] Stable",
                "   Last error: No error",
                "   Last error: Retryable error",
                "",
                "'",
                "{",
                "[1]",
                "::",
                "\\n\\n\\n",
                '"',
                "PS C:\\>",
                "&#39;&quot;&#x110000;",
                "\\u0000\\ud800",
                "66841cd4-6ded-4f4b-8f17-fd23f8ddc3de [1] 66841cd4-6ded-4f4b-8f17-fd23f8ddc3de",
            ]
        ),
        max_size=25,
    ).map("\n".join),
)


@settings(max_examples=400, deadline=None)
@given(junk)
@example("[" * 100_000)
@example('{"a":' * 50_000)
@example('"' + "\\u" * 1000)
@example("\ud800'\udfff: [1]")
def test_nothing_makes_it_raise_and_nothing_is_healthy_without_its_lines(text: str | bytes) -> None:
    report = read_writers(text)
    assert report.writers or report.failure
    for writer in report.writers:
        assert writer.state_class in ("ok", "busy", "failed", "unreadable")
        if writer.state_class == "ok":
            assert writer.code == 1
            assert writer.error_text


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(sorted(CAPTURES)), st.data())
def test_noise_between_the_lines_never_makes_a_failed_writer_healthy(language: str, data: st.DataObject) -> None:
    lines = CAPTURES[language].split("\n")
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, len(lines)))
        if data.draw(st.booleans()) and at < len(lines):
            del lines[at]
        else:
            lines.insert(
                at, data.draw(st.sampled_from(["x", "noise: [3]", "''", "a: b", "{}", "Last error: No error"]))
            )
    whole = states_by_instance(CAPTURES[language])
    for writer in read_writers("\n".join(lines)).writers:
        if writer.state_class == "ok" and writer.instance in whole:
            assert whole[writer.instance][0] == 1


@pytest.mark.parametrize(
    "piece",
    [
        "x",
        "\n",
        "'",
        "{",
        "[5]",
        "\\",
        "\\n",
        "&",
        "<",
        "*`_",
        "é",
        "66841cd4-",
        "Writer name: 'a'\n",
        " ",
        "…",
        "> ",
        ":",
        "-",
    ],
)
def test_a_huge_text_is_answered_at_once(piece: str) -> None:
    text = piece * (LIMIT * 2 // len(piece))
    begin = time.process_time()
    report = read_writers(text)
    assert time.process_time() - begin < 20
    assert report.failure
    assert len(report.unreadable) <= UNREADABLE_LIMIT + 2
    assert all(len(line) <= 300 for line in report.unreadable)


def test_a_text_longer_than_the_limit_says_that_its_rest_was_not_read() -> None:
    text = CAPTURES["english"] + " \n" * LIMIT
    report = read_writers(text)
    assert len(report.writers) == 14
    assert "not read" in report.unreadable[-1]
