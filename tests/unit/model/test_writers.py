"""The writer parser: any language, any paste; what cannot be read is never healthy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hvtui.model.writer_catalog import HYPER_V, WRITERS, class_of, kind_of
from hvtui.model.writers import Writer, WriterReport, read_writers, writer_picture
from hvtui.remote.contract import SERVICES
from tests.support.builders import HYPER_V_WRITER, SYSTEM_WRITER, problem, writer_lines, writer_text
from tests.support.mangle import CODE_PAGES, KINDS, LINES, MANGLERS

DATA = Path(__file__).parents[2] / "data" / "writers"
CAPTURES = {path.stem: path.read_text("utf-8") for path in sorted(DATA.glob("*.txt"))}


def facts(report: WriterReport) -> list[tuple[Any, ...]]:
    return [(w.name, w.id, w.instance, w.code, w.state_class, w.error_kind) for w in report.writers]


def only(text: str) -> Writer:
    (writer,) = read_writers(text).writers
    return writer


def one(state: str, error: str | None, *, name: str = "Microsoft Hyper-V VSS Writer") -> str:
    lines = [
        f"Writer name: '{name}'",
        "   Writer Id: {66841cd4-6ded-4f4b-8f17-fd23f8ddc3de}",
        "   Writer Instance Id: {6162e336-7448-4371-93a7-29581512b103}",
        f"   State: {state}",
    ]
    return "\n".join(lines + ([] if error is None else [f"   Last error: {error}"])) + "\n"


# --- captures -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", CAPTURES)
def test_captures_are_read_completely(language: str) -> None:
    report = read_writers(CAPTURES[language])
    assert (report.unreadable, report.failure) == ((), "")
    assert [w.code for w in report.writers] == [1, 1, 1, 1, 5, 5, 1, 11, 1, 9, 1, 1, 12, 1]
    assert [w.state_class for w in report.writers] == [
        *["ok"] * 4, "failed", "busy", "ok", "failed", "ok", "failed", "ok", "ok", "failed", "ok",
    ]  # fmt: skip
    names = [w.name for w in report.writers]
    assert names[4] == "Microsoft Hyper-V VSS Writer"
    assert names[6:8] == ["SqlServerWriter", "SqlServerWriter"]
    assert names[-1] == "Contoso 'Vault' Writer (v2)"
    assert len({w.instance for w in report.writers}) == 14
    hyper_v = report.writers[4]
    assert (hyper_v.id, hyper_v.error_kind, hyper_v.service) == (HYPER_V, "retryable", "vmms")
    assert "10102" in hyper_v.advice


def test_the_states_and_errors_keep_the_words_of_their_language() -> None:
    german = read_writers(CAPTURES["german"]).writers
    assert (german[4].state_text, german[4].error_text) == ("Warten auf Abschluss", "Wiederholbarer Fehler")
    french = read_writers(CAPTURES["french"]).writers
    assert (french[4].state_text, french[4].error_text) == ("En attente de la conclusion", "Erreur récupérable")


@pytest.mark.parametrize("mangler", MANGLERS)
@pytest.mark.parametrize("language", CAPTURES)
def test_a_mangled_capture_gives_the_same_writers(language: str, mangler: str) -> None:
    report = read_writers(MANGLERS[mangler](CAPTURES[language]))
    assert facts(report) == facts(read_writers(CAPTURES[language]))
    assert report.unreadable == ()


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_capture_mangled_in_several_ways_gives_the_same_writers(data: st.DataObject) -> None:
    language = data.draw(st.sampled_from(sorted(CAPTURES)))
    text = CAPTURES[language]
    for kind in KINDS:
        name = data.draw(st.sampled_from(["", *kind]))
        if name:
            text = kind[name](text)
    got, whole = facts(read_writers(text)), facts(read_writers(CAPTURES[language]))
    assert got[:-1] == whole[:-1]
    # The last one's name is known nowhere: a wrong code page may have eaten characters of it.
    assert got[-1][1:] == whole[-1][1:]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "cp850"])
@pytest.mark.parametrize("language", CAPTURES)
def test_bytes_are_read_whatever_their_encoding(language: str, encoding: str) -> None:
    data = CAPTURES[language].replace("’", "'").encode(encoding)
    report = read_writers(data)
    assert facts(report) == facts(read_writers(CAPTURES[language]))
    assert [w.error_text for w in report.writers] == [w.error_text for w in read_writers(CAPTURES[language]).writers]


def test_an_unknown_language_is_read_by_what_its_stable_writers_have_in_common() -> None:
    text = CAPTURES["english"]
    for word, strange in {
        "No error": "Ninguno de nada",
        "Retryable error": "Algo malo",
        "Non-retryable error": "Algo peor",
        "Timed out": "Tarde",
        "Not responding": "Mudo",
        "Last error": "Lo último",
        "Writer name": "Nombre",
        "State": "Estado",
    }.items():
        text = text.replace(word, strange)
    report = read_writers(text)
    assert [w.state_class for w in report.writers] == [w.state_class for w in read_writers(CAPTURES["english"]).writers]
    assert [w.error_kind for w in report.writers][3:6] == ["none", "other", "none"]


def test_one_waiting_writer_in_an_unknown_language_is_neither_busy_nor_failed() -> None:
    text = one("[5] Várakozás", "Nincs hiba").replace("Last error", "Utolsó hiba")
    writer = only(text)
    assert (writer.code, writer.state_class, writer.error_kind) == (5, "unreadable", "other")


# --- states and errors --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "error", "state_class", "kind"),
    [
        (0, "No error", "failed", "none"),
        (1, "No error", "ok", "none"),
        (1, "Retryable error", "ok", "retryable"),
        *[(code, "No error", "busy", "none") for code in (2, 3, 4, 5)],
        *[(code, "Timed out", "failed", "timeout") for code in (2, 3, 4, 5)],
        *[(code, "No error", "failed", "none") for code in range(6, 16)],
        (5, "Retryable error", "failed", "retryable"),
        (5, "Non-retryable error", "failed", "nonretryable"),
        (5, "Unexpected error", "failed", "unexpected"),
        (5, "Out of resources", "failed", "resources"),
        (5, "Inconsistent shadow copy", "failed", "inconsistent"),
        (5, "Not responding", "failed", "not_responding"),
        (7, "The thing broke", "failed", "other"),
        (16, "No error", "unreadable", "none"),
        (42, "Retryable error", "unreadable", "retryable"),
        (5, "0x800423F4 - something", "failed", "nonretryable"),
        (5, "(0x800423f2)", "failed", "timeout"),
        (5, "0x00000000 (S_OK)", "busy", "none"),
        (9, "0x80070005", "failed", "other"),
    ],
)
def test_classes_and_kinds(code: int, error: str, state_class: str, kind: str) -> None:
    writer = only(one(f"[{code}] Some state", error))
    assert (writer.code, writer.state_class, writer.error_kind) == (code, state_class, kind)


def test_retryable_is_not_found_inside_non_retryable() -> None:
    assert kind_of("Non-retryable error") == "nonretryable"
    assert kind_of("Erreur non récupérable") == "nonretryable"
    assert kind_of("non-retryable error.") == "nonretryable"


def test_every_failed_or_waiting_writer_has_advice_and_no_healthy_one() -> None:
    report = read_writers(CAPTURES["english"])
    for writer in report.writers:
        assert bool(writer.advice) == (writer.state_class != "ok"), writer


def test_the_hyper_v_writers_advice_tells_whether_a_restart_is_needed() -> None:
    assert "no restart needed" in only(one("[5] Waiting for completion", "Retryable error")).advice
    killed = only(one("[5] Waiting for completion", "Unexpected error")).advice
    assert "drain" in killed
    assert "1 GB" in killed
    assert "key V, `hvtui vmms NODE`" in killed


def test_what_hvtui_restarts_is_named_with_its_key_and_command() -> None:
    told = {known.service: known.restart for known in WRITERS.values()}
    assert "key V, `hvtui vmms NODE`" in told["vmms"]
    for service in ("VSS", "CryptSvc", "BITS", "SQLWriter"):
        assert f"key W, `hvtui service NODE {service}`" in told[service]
    assert {name for name, text in told.items() if "`hvtui " in text} <= set(SERVICES)


def test_nobody_is_told_to_restart_the_cluster_service() -> None:
    text = writer_lines(
        {("Cluster Shared Volume VSS Writer", "1072ae1c-e5a7-4ea1-9e4a-6f7964656570"): (9, "Timed out")}
    )
    advice = next(w.advice for w in read_writers(text).writers if w.state_class == "failed")
    assert "do not restart ClusSvc" in advice


# --- what is missing ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", "\n\n", "   ", "\0\0\0", "…", b"", b"\xff\xfe", b"\xff\xfe\xfd" * 50])
def test_nothing_to_read_is_a_failure_never_an_empty_good_answer(text: str | bytes) -> None:
    report = read_writers(text)
    assert report.writers == ()
    assert report.failure


@pytest.mark.parametrize(
    "text",
    [
        "Error: You don't have the correct permissions to run this command.",
        "hello\nworld",
        "   State: [1] Stable\n   Last error: No error\n",
        "{66841cd4-6ded-4f4b-8f17-fd23f8dd",
        '{"v":1,"text":null}',
    ],
)
def test_text_without_a_writer_is_unreadable_line_by_line(text: str) -> None:
    report = read_writers(text)
    assert report.writers == ()
    assert report.failure
    assert report.unreadable


def test_without_its_state_line_a_writer_is_unreadable() -> None:
    text = CAPTURES["english"].replace("   State: [1] Stable\n", "")
    report = read_writers(text)
    assert len(report.writers) == 14
    assert {w.state_class for w in report.writers} == {"unreadable", "failed", "busy"}


def test_without_its_error_line_a_writer_is_unreadable_unless_its_state_is_failed() -> None:
    assert only(one("[1] Stable", None)).state_class == "unreadable"
    assert only(one("[5] Waiting for completion", None)).state_class == "unreadable"
    assert only(one("[9] Failed", None)).state_class == "failed"
    text = CAPTURES["english"].replace("   Last error: No error\n", "")
    report = read_writers(text)
    assert [w.name for w in report.writers] == [w.name for w in read_writers(CAPTURES["english"]).writers]
    assert "ok" not in {w.state_class for w in report.writers}


@pytest.mark.parametrize("line", range(1, 5))
def test_a_lost_line_of_one_writer_does_not_touch_the_others(line: int) -> None:
    lines = CAPTURES["english"].splitlines()
    start = next(i for i, text in enumerate(lines) if "Registry Writer" in text)
    del lines[start + line]
    report = read_writers("\n".join(lines))
    whole = facts(read_writers(CAPTURES["english"]))
    got = facts(report)
    assert got[:9] == whole[:9]
    assert got[-4:] == whole[-4:]
    assert got[9][4] in ("unreadable", "failed")


def test_a_name_line_lost_is_named_by_its_guid() -> None:
    text = CAPTURES["english"].replace("Writer name: 'System Writer'\n", "")
    assert [w.name for w in read_writers(text).writers][3] == "System Writer"


@pytest.mark.parametrize("broken", ["[123] Stable", "[] Stable", "[x] Stable", "(1) Stable", "Stable", "[1 Stable"])
def test_a_state_that_is_no_number_in_brackets_is_unreadable(broken: str) -> None:
    writer = only(one(broken, "No error"))
    assert (writer.code, writer.state_class) == (None, "unreadable")


def test_a_broken_guid_is_reported_and_the_state_still_counts() -> None:
    text = one("[9] Failed", "Timed out").replace("{66841cd4-6ded-4f4b-8f17-fd23f8ddc3de}", "{66841cd4-6ded-4f4b")
    report = read_writers(text)
    assert [(w.id, w.state_class) for w in report.writers] == [("", "failed")]
    assert len(report.unreadable) == 1


def test_lines_run_together_are_unreadable_not_guessed() -> None:
    text = CAPTURES["english"].replace("\n   ", " ")
    report = read_writers(text)
    assert report.writers == ()
    assert len(report.unreadable) >= 14


def states_by_instance(text: str) -> dict[str, tuple[int | None, str]]:
    return {w.instance: (w.code, w.state_class) for w in read_writers(text).writers if w.instance}


@pytest.mark.parametrize("language", CAPTURES)
def test_text_cut_anywhere_never_makes_a_writer_better_than_it_is(language: str) -> None:
    text = CAPTURES[language]
    whole = states_by_instance(text)
    for end in range(0, len(text), 3):
        report = read_writers(text[:end])
        assert report.writers or report.failure
        for writer in report.writers:
            if not writer.instance:
                assert writer.state_class == "unreadable"
                continue
            code, state_class = whole[writer.instance]
            assert writer.code in (code, None)
            assert writer.state_class in (state_class, "unreadable")


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(CAPTURES)), st.integers(0, 60), st.integers(0, 60), st.sampled_from(["", *LINES]))
def test_text_cut_at_both_ends_never_makes_a_writer_better(language: str, head: int, tail: int, name: str) -> None:
    lines = CAPTURES[language].splitlines(keepends=True)
    text = "".join(lines[head : len(lines) - tail])
    whole = states_by_instance(CAPTURES[language])
    report = read_writers(LINES[name](text) if name else text)
    assert report.writers or report.failure
    for writer in report.writers:
        if writer.state_class == "ok":
            assert whole[writer.instance] == (1, "ok")


# --- from a node --------------------------------------------------------------------------------------------------


def test_a_nodes_answer_becomes_a_picture() -> None:
    text = writer_lines({HYPER_V_WRITER: (5, "Retryable error")})
    picture = writer_picture(writer_text(text), read_at=12.0)
    assert [(w.name, w.state_class) for w in picture.writers] == [
        (SYSTEM_WRITER[0], "ok"),
        (HYPER_V_WRITER[0], "failed"),
    ]
    assert (picture.failure, picture.read_at, picture.duration_ms) == ("", 12.0, 900)


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        (writer_text(None, timed_out=True), "did not answer"),
        (writer_text(None, busy=True), "another read"),
        (writer_text(None, errors=[problem("writers", text="Access is denied.")]), "Access is denied."),
        (writer_text("Error: no rights", errors=[problem("writers", text="not elevated")]), "not elevated"),
        (writer_text(""), "empty"),
        (writer_text(None), "no text"),
    ],
)
def test_a_node_that_gave_no_writers_says_why(answer: Any, word: str) -> None:
    picture = writer_picture(answer)
    assert picture.writers == ()
    assert word in picture.failure


@pytest.mark.parametrize("code", [*range(17), None, -1, 99])
@pytest.mark.parametrize("kind", ["none", "retryable", "other", "unreadable"])
def test_only_stable_is_ok(code: int | None, kind: str) -> None:
    assert (class_of(code, kind) == "ok") == (code == 1 and kind != "unreadable")


def test_every_code_page_of_the_manglers_is_tried_on_a_language_with_accents() -> None:
    assert any(change(CAPTURES["french"]) != CAPTURES["french"] for change in CODE_PAGES.values())
