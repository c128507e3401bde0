"""The endpoint's parts by themselves, against input that no client sends."""

from __future__ import annotations

import asyncio
import base64
import struct
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import spnego
from hypothesis import given
from hypothesis import strategies as st
from pypsrp.encryption import WinRMEncryption
from pypsrp.serializer import Serializer

from hvtui.lab.endpoint import encryption, faults, records, soap
from hvtui.lab.endpoint.accounts import Account, Accounts
from hvtui.lab.endpoint.auth import Logon
from hvtui.lab.endpoint.binding import bind
from hvtui.lab.endpoint.buffer import OutputBuffer
from hvtui.lab.endpoint.errors import BadMessage, LogonFailed
from hvtui.lab.engine import CommandError
from hvtui.remote.contract import FUNCTIONS

ENVELOPE = (
    '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" '
    'xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd" '
    'xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing">'
    "<s:Header><a:MessageID>uuid:1</a:MessageID>{}</s:Header><s:Body/></s:Envelope>"
)


class Reversed:
    """A security context that turns bytes round, for tests of the frame alone."""

    def wrap_winrm(self, data: bytes) -> tuple[bytes, bytes, int]:
        """Seal."""
        return b"signature-16byte", data[::-1], 0

    def unwrap_winrm(self, header: bytes, data: bytes) -> bytes:
        """Open."""
        if header != b"signature-16byte":
            raise ValueError("bad signature")
        return data[::-1]


# --- envelopes ---


@pytest.mark.parametrize("data", [b"", b"no xml", b"<a/>", b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", b"\xff\xfe"])
def test_what_is_no_envelope_is_a_fault(data: bytes) -> None:
    with pytest.raises(faults.Fault) as fault:
        soap.parse(data)
    assert fault.value.code == faults.MALFORMED


@given(st.binary(max_size=300))
def test_any_bytes_are_an_envelope_or_a_fault(data: bytes) -> None:
    with pytest.raises(faults.Fault):
        soap.parse(data)


@pytest.mark.parametrize(
    ("text", "value"),
    [("PT20S", 20.0), ("PT1.500S", 1.5), ("P0DT0H2M3S", 123.0), ("P1D", 86_400.0), ("PT-1S", None), ("20", None)],
)
def test_durations(text: str, value: float | None) -> None:
    assert soap.seconds(text) == value


def test_a_timeout_that_is_none_is_windows_fault() -> None:
    with pytest.raises(faults.Fault) as fault:
        soap.parse(ENVELOPE.format("<w:OperationTimeout>PT-1S</w:OperationTimeout>").encode())
    assert fault.value.code == faults.BAD_HEADER
    assert b"<a:RelatesTo>uuid:1</a:RelatesTo>" in soap.fault(fault.value, fault.value.relates_to, "HV01")


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=50))
def test_a_fault_is_well_formed_whatever_it_says(text: str) -> None:
    error = faults.Fault(5, "w:AccessDenied", text)
    root = ElementTree.fromstring(soap.fault(error, text, text))
    assert (root.findtext(f".//{soap.A}RelatesTo") or "") == text.replace("\r", "\n")


# --- the sealed frame ---


@given(st.binary(max_size=2_000))
def test_the_frame_is_pypsrps(message: bytes) -> None:
    ours = encryption.wrap(Reversed(), message)
    theirs = WinRMEncryption(Reversed(), WinRMEncryption.SPNEGO).wrap_message(message)[1]
    assert encryption.unwrap(Reversed(), theirs) == message
    assert encryption.unwrap(Reversed(), ours) == message


@given(st.binary(max_size=400), st.integers(0, 400), st.integers(1, 5))
def test_a_frame_that_was_cut_or_made_up_is_refused(message: bytes, at: int, length: int) -> None:
    whole = encryption.wrap(Reversed(), message)
    cut = whole[:at] + whole[at + length :]
    for body in (message, cut[: len(cut) // 2]):
        with pytest.raises(BadMessage):
            encryption.unwrap(Reversed(), body)


# --- CLIXML ---


@given(st.text())
def test_a_string_is_read_back_as_it_was(text: str) -> None:
    data = records.string(text)
    assert Serializer().deserialize(data.decode()) == text
    assert not any(byte < 0x20 for byte in data)


# --- parameters ---


def test_ranges_are_the_contracts() -> None:
    watch = FUNCTIONS["Watch-HvTuiNode"].name
    assert bind(watch, {"intervalms": "750"}) == {"IntervalMs": 750}
    for value in (499, 60_001):
        with pytest.raises(CommandError, match="IntervalMs") as error:
            bind(watch, {"IntervalMs": value})
        assert error.value.error_id == f"ParameterArgumentValidationError,{watch}"
    with pytest.raises(CommandError) as error:
        bind(watch, {"IntervalMs": "soon"})
    assert error.value.error_id == f"ParameterArgumentTransformationError,{watch}"


def test_a_mandatory_parameter_is_asked_for() -> None:
    with pytest.raises(CommandError) as error:
        bind("Get-HvTuiEvent", {"Hours": 3, "ErrorAction": "Stop"})
    assert error.value.error_id == "MissingMandatoryParameter,Get-HvTuiEvent"


# --- log-on ---


def token_of(client: Any, logon: Logon) -> bool:
    """Let a client log on; whether it was accepted."""
    token = client.step()
    while token:
        answer = logon.step(f"Negotiate {base64.b64encode(token).decode()}")
        if logon.account is not None:
            return True
        token = client.step(answer)
    return False


@pytest.mark.parametrize("protocol", ["ntlm", "negotiate"])
@pytest.mark.parametrize("user", ["LAB\\oncall", "lab\\ONCALL", "oncall", "oncall@LAB"])
def test_an_account_may_be_spelt_as_windows_allows(protocol: str, user: str) -> None:
    accounts = Accounts([Account("oncall", "pässword")])
    logon = Logon(accounts, None)
    assert token_of(spnego.client(user, "pässword", protocol=protocol), logon)
    assert logon.account is not None
    assert logon.account.principal == "LAB\\oncall"
    assert accounts.logons["LAB\\oncall"].succeeded == 1


@given(st.binary(max_size=200))
def test_any_token_is_refused_and_breaks_nothing(rubbish: bytes) -> None:
    accounts = Accounts([Account("oncall", "x")])
    logon = Logon(accounts, None)
    for token in (rubbish, b"NTLMSSP\x00" + struct.pack("<I", 3) + rubbish):
        with pytest.raises(LogonFailed):
            logon.step(f"Negotiate {base64.b64encode(token).decode()}")


@pytest.mark.parametrize("password", ["a:b", "a\nb", "", "漢字 é"])
def test_any_password_works(password: str) -> None:
    accounts = Accounts([Account("oncall", password)])
    assert token_of(spnego.client("LAB\\oncall", password, protocol="ntlm"), Logon(accounts, None))


def test_an_account_of_another_domain_is_another_account() -> None:
    accounts = Accounts([Account("oncall", "x")])
    with pytest.raises(LogonFailed):
        token_of(spnego.client("ELSEWHERE\\oncall", "x", protocol="ntlm"), Logon(accounts, None))
    assert {name: counted.failed for name, counted in accounts.logons.items()} == {
        "LAB\\oncall": 0,
        "ELSEWHERE\\oncall": 1,
    }


def test_outside_the_lab_the_provider_reads_its_own_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "users"
    file.write_text("OTHER:somebody:secret\n")
    monkeypatch.setenv("NTLM_USER_FILE", str(file))
    client = spnego.client("OTHER\\somebody", "secret", protocol="ntlm")
    server = spnego.server(protocol="ntlm", options=spnego.NegotiateOptions.use_ntlm)
    token = client.step()
    while token:
        token = server.step(token)
        token = client.step(token) if token else None
    assert server.client_principal == "OTHER\\somebody"


# --- the output buffer ---


async def test_a_buffer_gives_at_most_what_fits_and_at_least_one() -> None:
    buffer = OutputBuffer()
    for data in (b"a" * 60, b"b" * 60, b"c"):
        buffer.put(data)
    assert await buffer.ready(1)
    assert buffer.take(100) == ([b"a" * 60], False)
    assert buffer.take(10) == ([b"b" * 60], False)
    buffer.finish()
    assert buffer.take(100) == ([b"c"], True)


async def test_a_buffer_tells_that_nothing_came() -> None:
    assert not await OutputBuffer().ready(0.01)


async def test_everyone_who_waits_is_told_of_the_end() -> None:
    buffer = OutputBuffer()
    waits = [asyncio.ensure_future(buffer.ready(30)) for _ in range(2)]
    await asyncio.sleep(0)
    buffer.fail(faults.aborted())
    for wait in waits:
        with pytest.raises(faults.Fault):
            await wait


async def test_an_interruption_ends_the_waits_of_now_only() -> None:
    buffer = OutputBuffer()
    wait = asyncio.ensure_future(buffer.ready(30))
    await asyncio.sleep(0)
    buffer.put(b"data")
    buffer.interrupt(faults.disconnected())
    with pytest.raises(faults.Fault):
        await wait
    assert await buffer.ready(1)
    assert buffer.take(100) == ([b"data"], False)


async def test_a_writer_goes_on_when_room_is_made() -> None:
    buffer = OutputBuffer(limit=10)
    writer = asyncio.ensure_future(buffer.room())
    await asyncio.sleep(0)
    assert not writer.done()
    assert not await buffer.ready(0.01)
    await writer
    buffer.put(b"0123456789")
    writer = asyncio.ensure_future(buffer.room())
    await asyncio.sleep(0)
    assert not writer.done()
    buffer.take(10)
    await writer
