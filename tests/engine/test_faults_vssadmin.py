"""What vssadmin may do instead of listing writers: it is told as it was, and never taken for healthy writers."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from hvtui.lab.native.calls import NOT_ELEVATED
from hvtui.lab.native.vssadmin_text import HEAD, vssadmin_text
from hvtui.lab.pwsh.commands.answer import Answer
from hvtui.lab.pwsh.commands.call import CommandCall
from hvtui.lab.pwsh.commands.registry import COMMANDS
from hvtui.model.records import WriterText
from hvtui.model.writers import WriterPicture, writer_picture
from tests.engine.support.module import ModuleSession
from tests.engine.support.stage import Stage

_PLACE: Final = ("healthy", "HV01", 60.0)
_DATA: Final = Path(__file__).parents[1] / "data" / "writers"
_FRENCH_REFUSAL: Final = (
    "vssadmin 1.1 - Outil ligne de commande d'administration du service de cliché instantané de volume\r\n"
    "(C) Copyright 2001-2013 Microsoft Corp.\r\n\r\n"
    "Erreur : vous ne disposez pas des autorisations nécessaires pour exécuter cette commande.\r\n"
)
Prints = Callable[..., None]


@pytest.fixture
def prints(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Prints:
    """Let vssadmin print these bytes and end with this code, on a node of a language."""
    scenario, node, at = _PLACE
    world = stage.load(scenario, at=at)

    def put(data: bytes, exit: int = 0, *, language: str = "en", errors: str = "") -> None:
        world.node(node).language = language

        async def answer(call: CommandCall) -> Answer:
            assert call.names("Arguments") == ["list", "writers"]
            record = {"$bytes": base64.b64encode(data).decode()}
            return Answer([record], exit=exit, more={"stderr": errors})

        monkeypatch.setitem(COMMANDS, "vssadmin.exe", answer)

    return put


def _read(stage: Stage) -> tuple[dict[str, Any], WriterPicture]:
    """The module's answer, and what the console makes of it."""
    answer = stage.engine(_PLACE[1]).call("Get-HvTuiWriter -TimeoutSeconds 60")
    return answer, writer_picture(msgspec.convert(answer, WriterText, strict=False))


def _problems(answer: dict[str, Any]) -> list[tuple[str, str]]:
    assert all(problem["text"] for problem in answer["errors"])
    return [(problem["part"], problem["kind"]) for problem in answer["errors"]]


@pytest.mark.parametrize("exit", [1, 2, -2147024891], ids=["1", "2", "E_ACCESSDENIED"])
def test_an_exit_code_without_a_word(stage: Stage, prints: Prints, exit: int) -> None:
    prints(b"", exit & 0xFF)
    answer, picture = _read(stage)
    assert (answer["text"], answer["exit_code"], answer["timed_out"]) == ("", exit & 0xFF, False)
    assert _problems(answer) == [("writers", "other")]
    assert picture.writers == ()
    assert picture.failure == f"vssadmin ended with exit code {exit & 0xFF}"


@pytest.mark.parametrize(
    ("text", "language", "page"),
    [(NOT_ELEVATED, "en", "cp437"), (_FRENCH_REFUSAL, "fr", "cp850")],
    ids=["english", "french"],
)
def test_not_elevated(stage: Stage, prints: Prints, text: str, language: str, page: str) -> None:
    """Known by the caller's rights, not by words."""
    stage.world.node(_PLACE[1]).faults.rights.add("elevated")
    prints(text.encode(page), 2, language=language)
    answer, picture = _read(stage)
    assert (answer["text"], answer["exit_code"]) == (text, 2)
    assert _problems(answer) == [("writers", "denied")]
    assert picture.writers == ()
    assert "vssadmin ended with exit code 2" in picture.failure
    assert text.splitlines()[-1] in picture.failure


@pytest.mark.parametrize(
    "data", [b"", b"\r\n\r\n", HEAD.encode(), b"\x00" * 64], ids=["nothing", "blank lines", "heading", "zeros"]
)
def test_success_without_writers(stage: Stage, prints: Prints, data: bytes) -> None:
    """Exit code 0 and not one writer: the node tells what it got, the console that there is nothing to show."""
    prints(data)
    answer, picture = _read(stage)
    assert (answer["text"], answer["exit_code"], answer["errors"]) == (data.decode("ascii"), 0, [])
    assert picture.writers == ()
    assert picture.failure


def test_garbage(stage: Stage, prints: Prints) -> None:
    """Every byte there is, many times: it comes through as the code page has it, as valid JSON, and is no writer."""
    data = bytes(range(256)) * 512
    prints(data)
    answer, picture = _read(stage)
    assert answer["text"] == data.decode("cp437")
    assert answer["exit_code"] == 0
    assert picture.writers == ()
    assert picture.failure


@pytest.mark.parametrize("exit", [0, 1])
@pytest.mark.parametrize("part", [0.3, 0.5, 0.77])
def test_output_that_is_cut(stage: Stage, prints: Prints, part: float, exit: int) -> None:
    """Whole writers are told; the broken one has no state that it did not print, and what is wrong is said."""
    whole = vssadmin_text(stage.world.node(_PLACE[1]))
    text = whole[: int(part * len(whole))]
    prints(text.encode("cp437"), exit)
    answer, picture = _read(stage)
    assert (answer["text"], answer["exit_code"]) == (text, exit)
    assert len(_problems(answer)) == exit
    complete = text.count("   Last error: No error\r\n")
    healthy = [one for one in picture.writers if one.state_class == "ok" and one.error_kind == "none"]
    assert len(healthy) == complete < len(stage.world.node(_PLACE[1]).writers)
    assert len(picture.writers) > complete or picture.unreadable
    if exit:
        assert f"vssadmin ended with exit code {exit}" in picture.unreadable


def test_an_exit_code_beside_a_whole_list(stage: Stage, prints: Prints) -> None:
    """The list may be cut between two writers: nothing of the text says so, the exit code does."""
    whole = vssadmin_text(stage.world.node(_PLACE[1]))
    text = whole[: whole.index("Writer name: 'ASR Writer'")]
    prints(text.encode("cp437"), 3)
    answer, picture = _read(stage)
    assert _problems(answer) == [("writers", "other")]
    assert 0 < len(picture.writers) == text.count("Writer Id:")
    assert "vssadmin ended with exit code 3" in picture.unreadable


@pytest.mark.parametrize(
    ("name", "language", "page"), [("german", "fr", "cp850"), ("french", "fr", "cp850"), ("english", "en", "cp437")]
)
def test_texts_of_other_languages(stage: Stage, prints: Prints, name: str, language: str, page: str) -> None:
    """Bytes of the system's OEM code page become the text they were."""
    text = (_DATA / f"{name}.txt").read_text(encoding="utf-8")
    data = text.encode(page, "replace")
    prints(data, language=language)
    answer, picture = _read(stage)
    assert answer["text"] == data.decode(page)
    assert answer["errors"] == []
    assert len(picture.writers) == len(re.findall(r": \[\d+\]", text)) > 5
    assert picture.failure == ""


def test_words_on_the_error_stream_are_no_text(stage: Stage, prints: Prints) -> None:
    prints(b"", 1, errors="Access denied\n" * 20_000)
    answer, picture = _read(stage)
    assert (answer["text"], answer["exit_code"]) == ("", 1)
    assert picture.failure


@contextmanager
def _path(engine: ModuleSession, path: str) -> Iterator[None]:
    """Let the module look for vssadmin there."""
    function = "& (Get-Module HvTui) { $f = ${function:Get-HvTuiVssAdminPath}; "
    kept = "$global:LabPath = $f; function script:Get-HvTuiVssAdminPath { $global:LabWhere } }"
    assert engine.run(f"$global:LabWhere = '{path}'; {function}{kept}").errors == []
    try:
        yield
    finally:
        back = "& (Get-Module HvTui) { Set-Item -Path function:script:Get-HvTuiVssAdminPath -Value $global:LabPath }"
        assert engine.run(back).errors == []


def test_vssadmin_is_not_there(stage: Stage, tmp_path: Path) -> None:
    """Nor is a file that is no program taken for one."""
    scenario, node, at = _PLACE
    stage.load(scenario, at=at)
    engine = stage.engine(node)
    nothing, no_program = tmp_path / "vssadmin.exe", tmp_path / "text.exe"
    no_program.write_text("no program", encoding="ascii")
    for place, kind in ((nothing, "missing"), (no_program, "other")):
        with _path(engine, str(place)):
            answer, picture = _read(stage)
        assert (answer["text"], answer["exit_code"], answer["timed_out"], answer["busy"]) == (None, None, False, False)
        assert _problems(answer) == [("writers", kind)]
        assert picture.writers == ()
        assert str(place) in picture.failure or "vssadmin" in picture.failure
    # The lock was given back.
    assert len(_read(stage)[1].writers) > 5
