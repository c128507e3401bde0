"""What the relay reads and lets pass, without any engine."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape

import pytest

from hvtui.lab.engine import CommandError
from hvtui.lab.pwsh import fragments
from hvtui.lab.pwsh.configuration import OPERATOR, READER, visible_functions
from hvtui.lab.pwsh.fragments import Assembler, BadFragment
from hvtui.lab.pwsh.guard import Guard
from hvtui.lab.pwsh.packets import POOL, Packet, read_packet
from hvtui.remote.contract import FUNCTIONS
from tests.powershell.engine import MANIFEST

GUID: Final = "0b1c2d3e-0000-4000-8000-00000000abcd"
TEXT: Final = "'ä & <b>'\n_x0041_"
ACCEPTED: Final = frozenset({hashlib.sha256(TEXT.encode()).hexdigest()})
GUARD: Final = Guard(ACCEPTED, Path("stand in.ps1"))


def pipeline(*commands: str) -> bytes:
    listed = "".join(commands)
    return f'<Obj><MS><Obj N="PowerShell"><MS><LST N="Cmds">{listed}</LST></MS></Obj></MS></Obj>'.encode()


def command(text: str, script: str = "false", arguments: str = "") -> str:
    return f'<Obj><MS><S N="Cmd">{escape(text)}</S><B N="IsScript">{script}</B>{arguments}</MS></Obj>'


def sent(text: str) -> str:
    return text.replace("_x", "_x005F_x").replace("\n", "_x000A_")


@pytest.mark.parametrize("kind", ["Data", "Command", "Signal", "Close"])
def test_a_packet_is_read_as_it_was_sent(kind: str) -> None:
    packet = Packet(kind, GUID, b"\x00\xff" * 50 if kind == "Data" else b"", "Default" if kind == "Data" else "")
    line = packet.line()
    assert b"\n" not in line
    assert read_packet(line) == packet


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"Welcome!",
        b"<Data Stream='Default' PSGuid='x'>AAAA</Data>",
        f"<Data Stream='Default' PSGuid='{POOL}'>AAA</Data>".encode(),
        f"<DataAck PSGuid='{POOL}' /> and more".encode(),
    ],
)
def test_a_line_that_is_no_packet_is_none(line: bytes) -> None:
    assert read_packet(line) is None


@pytest.mark.parametrize("size", [0, 10, fragments.FRAGMENT, 3 * fragments.FRAGMENT + 7])
def test_a_message_survives_being_cut_and_put_together(size: int) -> None:
    head = (2).to_bytes(4, "little") + fragments.CREATE_PIPELINE.to_bytes(4, "little") + bytes(32)
    parts = fragments.fragmented(7, head + b"x" * size)
    assert all(len(part) <= fragments.FRAGMENT for part in parts)
    assembler = Assembler()
    found = [message for part in parts for message in assembler.feed(part)]
    assert [(m.kind, m.introduction, m.body, m.object_id, m.fragments) for m in found] == [
        (fragments.CREATE_PIPELINE, head, b"x" * size, 7, tuple(parts))
    ]


def test_fragments_in_another_order_are_refused() -> None:
    parts = fragments.fragmented(7, bytes(3 * fragments.FRAGMENT))
    with pytest.raises(BadFragment):
        list(Assembler().feed(parts[1]))
    with pytest.raises(BadFragment):
        list(Assembler().feed(parts[0] + parts[2]))
    with pytest.raises(BadFragment):
        list(Assembler().feed(parts[0] + fragments.fragmented(8, bytes(50))[0]))
    with pytest.raises(BadFragment):
        list(Assembler().feed(parts[0][:-1]))


def test_named_functions_pass_unchanged() -> None:
    for name in FUNCTIONS:
        body = pipeline(command(name.upper()))
        assert GUARD.admit(body) is body


def test_the_accepted_script_passes_with_its_stand_in() -> None:
    admitted = GUARD.admit(pipeline(command(sent(TEXT), "true"))).decode()
    assert sent(escape(TEXT)) in admitted
    assert "stand in.ps1" in admitted


@pytest.mark.parametrize(
    "body",
    [
        pipeline(command("1 + 1", "true")),
        pipeline(command(sent(TEXT + " "), "true")),
        pipeline(command(sent(TEXT), "true"), command("1 + 1", "true")),
        pipeline(command("Invoke-Expression")),
        pipeline(command("Get-HvTuiInfo"), command("Out-File")),
        pipeline(command("Import-Module", arguments='<S N="V">/tmp/evil.psm1</S>')),
        pipeline(command("Import-Module", arguments='<S N="V">_x002F_tmp_x002F_evil</S>')),
        # An attribute may be written with escapes, which the engine decodes.
        pipeline(command("1 + 1", "true").replace("IsScript", "_x0049_sScript")),
        pipeline('<Obj><MS><S N="Cmd">1</S></MS></Obj>'),
        pipeline('<Obj><MS><S N="Cmd">Get-HvTuiInfo</S><S N="cmd">1</S><B N="IsScript">false</B></MS></Obj>'),
        pipeline('<Obj><MS><S N="Cmd">1</S><B N="IsScript">false</B><B N="ISSCRIPT">true</B></MS></Obj>'),
        pipeline(command("Get-HvTuiInfo", "1")),
        pipeline(),
        b"<Obj>",
        b'<!DOCTYPE x [<!ENTITY e "Get-HvTuiInfo">]>' + pipeline(command("Get-HvTuiInfo")),
    ],
)
def test_everything_else_is_refused(body: bytes) -> None:
    with pytest.raises(CommandError):
        GUARD.admit(body)


def test_every_export_is_in_exactly_one_role() -> None:
    reader, operator = visible_functions(READER), visible_functions(OPERATOR)
    assert sorted(reader + operator) == sorted(FUNCTIONS)
    manifest = MANIFEST.read_text(encoding="utf-8")
    for name in FUNCTIONS:
        assert f"'{name}'" in manifest
    assert all(name.startswith(("Get-", "Watch-")) for name in reader)
