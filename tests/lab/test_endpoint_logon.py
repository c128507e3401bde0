"""Log-on, message encryption and TLS: what is accepted, what is refused, and how often it is counted."""

from __future__ import annotations

import base64
import os
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
import requests.exceptions
import spnego
from pypsrp.encryption import WinRMEncryption
from pypsrp.exceptions import AuthenticationError, WSManFaultError
from pypsrp.wsman import WSMan

from hvtui.lab.endpoint.accounts import Account
from hvtui.lab.endpoint.cluster import Cluster
from hvtui.lab.pki import Authority
from hvtui.lab.serve import Lab
from tests.lab.endpoint_client import NODE, EchoEngine, connect, opened, run


@pytest.fixture
def lab() -> Iterator[Lab]:
    other = Account("second", "other-password")
    with Lab({NODE: EchoEngine()}, accounts=(other,)) as lab:
        yield lab


def raw(
    lab: Lab, *, ntlm: bytes | None = None, body: bytes = b"", kind: str = "", **options: object
) -> requests.Response:
    """One bare request, on a connection of its own."""
    headers = {"Content-Type": kind} if kind else {}
    if ntlm is not None:
        headers["Authorization"] = f"Negotiate {base64.b64encode(ntlm).decode()}"
    return requests.post(f"http://{lab.addresses[NODE]}/wsman", data=body, headers=headers, timeout=10)


def test_a_wrong_password_is_refused_and_counted_once(lab: Lab) -> None:
    with pytest.raises(AuthenticationError), opened(connect(lab, password="wrong")):
        pass
    assert lab.logons[lab.username].failed == 1
    assert lab.logons[lab.username].succeeded == 0


def test_every_account_is_counted_by_itself(lab: Lab) -> None:
    for user, password in (("LAB\\second", "wrong"), ("second", "other-password"), ("LAB\\nobody", "x")):
        try:
            with opened(connect(lab, username=user, password=password)) as pool:
                assert run(pool, "Invoke-Echo", Text="hello").output == ["hello"]
        except AuthenticationError:
            assert password != "other-password"
    counted = lab.logons
    assert (counted["LAB\\second"].succeeded, counted["LAB\\second"].failed) == (1, 1)
    assert counted["LAB\\nobody"].failed == 1
    assert counted[lab.username].failed == 0


@pytest.mark.parametrize("status", ["expired", "locked"])
def test_an_expired_or_locked_account_is_refused_with_the_right_password(lab: Lab, status: str) -> None:
    lab.on_loop(lambda: setattr(lab.cluster.accounts.find("oncall"), "status", status))
    with pytest.raises(AuthenticationError), opened(connect(lab)):
        pass
    assert lab.logons[lab.username].failed == 1


def test_refusals_in_a_row_lock_an_account() -> None:
    with Lab({NODE: EchoEngine()}, lock_after=3) as lab:
        for _ in range(3):
            with pytest.raises(AuthenticationError), opened(connect(lab, password="wrong")):
                pass
        with pytest.raises(AuthenticationError), opened(connect(lab)):
            pass
        assert lab.logons[lab.username].failed == 4


def test_a_locked_account_is_harm_to_whoever_owns_it() -> None:
    with Lab("empty", lock_after=2) as lab:
        ledger = lab.call(lambda world: world.ledger)
        for count in (0, 1):
            with pytest.raises(AuthenticationError), opened(connect(lab, password="wrong")):
                pass
            assert len(ledger.entries) == count
        with pytest.raises(AuthenticationError), opened(connect(lab)):
            pass
        assert [(harm.kind, harm.target) for harm in ledger.entries] == [("account_locked", lab.username)]


def test_a_password_may_change_under_a_running_client(lab: Lab) -> None:
    with opened(connect(lab)) as pool:
        lab.on_loop(lambda: lab.cluster.accounts.set_password("oncall", "another"))
        assert run(pool, "Invoke-Echo", Text="still on").output == ["still on"]
    with pytest.raises(AuthenticationError), opened(connect(lab)):
        pass
    with opened(connect(lab, password="another")):
        pass


def test_an_account_without_rights_logs_on_and_is_denied(lab: Lab) -> None:
    lab.on_loop(lambda: setattr(lab.cluster.accounts.find("oncall"), "allowed", False))
    with pytest.raises(WSManFaultError) as denied, opened(connect(lab)):
        pass
    assert denied.value.code == 5
    assert lab.logons[lab.username].failed == 0


def test_nothing_is_said_without_a_logon(lab: Lab) -> None:
    answer = raw(lab, body=b"<xml/>", kind="application/soap+xml;charset=UTF-8")
    assert (answer.status_code, answer.headers["WWW-Authenticate"], answer.content) == (401, "Negotiate", b"")


@pytest.mark.parametrize("token", [b"", b"rubbish", b"NTLMSSP\x00\x03\x00\x00\x00", b"\x60\x82\xff\xff" + b"\x00" * 90])
def test_a_token_that_is_none_is_refused(lab: Lab, token: bytes) -> None:
    assert raw(lab, ntlm=token).status_code == 401
    with opened(connect(lab)):
        pass


def test_a_message_in_clear_is_not_read(lab: Lab) -> None:
    with requests.Session() as session:
        context = logged_on(session, lab)
        assert context.complete
        clear = {"Content-Type": "application/soap+xml;charset=UTF-8"}
        answer = session.post(url(lab), data=b"<s:Envelope/>", headers=clear, timeout=10)
        assert (answer.status_code, answer.content) == (500, b"")


def test_a_sealed_message_that_was_changed_is_not_read(lab: Lab) -> None:
    with requests.Session() as session:
        sealing = WinRMEncryption(logged_on(session, lab), WinRMEncryption.SPNEGO)
        kind, sealed = sealing.wrap_message(b"<s:Envelope/>")
        changed = sealed.replace(b"Length=13", b"Length=14")
        headers = {"Content-Type": f'{kind};protocol="{sealing.protocol}";boundary="Encrypted Boundary"'}
        assert changed != sealed
        assert session.post(url(lab), data=changed, headers=headers, timeout=10).status_code == 400


def url(lab: Lab) -> str:
    """Where the node answers."""
    return f"http://{lab.addresses[NODE]}/wsman"


def logged_on(session: requests.Session, lab: Lab) -> spnego.ContextProxy:
    """Log on by hand over a session's one connection."""
    context = spnego.client(lab.username, lab.password, protocol="ntlm", options=spnego.NegotiateOptions.use_ntlm)
    token = context.step()
    while token:
        headers = {"Authorization": f"Negotiate {base64.b64encode(token).decode()}"}
        answer = session.post(url(lab), headers=headers, timeout=10)
        said = answer.headers.get("WWW-Authenticate", "").partition(" ")[2]
        token = context.step(base64.b64decode(said)) if said else None
    assert answer.status_code == 200
    return context


def test_the_bytes_on_the_wire_are_sealed(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bytes] = []
    send = requests.Session.send

    def record(self: requests.Session, request: requests.PreparedRequest, **options: object) -> requests.Response:
        answer = send(self, request, **options)  # type: ignore[arg-type]
        seen.extend((request.body if isinstance(request.body, bytes) else b"", answer.content))
        return answer

    monkeypatch.setattr(requests.Session, "send", record)
    with opened(connect(lab)) as pool:
        run(pool, "Invoke-Echo", Text="secret")
    assert len(seen) > 8
    assert not any(b"Envelope" in data or b"secret" in data for data in seen)


@pytest.mark.parametrize("encryption", ["auto", "always"])
def test_tls_with_the_labs_own_authority(encryption: str) -> None:
    with Lab({NODE: EchoEngine()}, tls=True) as lab, opened(connect(lab, encryption=encryption)) as pool:
        assert run(pool, "Invoke-Echo", Text="over TLS").output == ["over TLS"]


def test_tls_demands_the_channel_binding() -> None:
    with Lab({NODE: EchoEngine()}, tls=True) as lab:
        with pytest.raises(AuthenticationError), opened(connect(lab, negotiate_send_cbt=False)):
            pass
        assert lab.logons[lab.username].failed == 1


def test_a_certificate_of_another_authority_is_refused_by_the_client(tmp_path: Path) -> None:
    stranger = tmp_path / "other.pem"
    stranger.write_bytes(Authority("another").pem)
    with Lab({NODE: EchoEngine()}, tls=True) as lab:
        with (
            pytest.raises(requests.exceptions.SSLError, match="verify failed"),
            opened(connect(lab, cert_validation=str(stranger))),
        ):
            pass
        assert lab.logons[lab.username].failed == 0


def test_an_expired_certificate_is_refused_by_the_client() -> None:
    with Lab({NODE: EchoEngine()}, tls=True, certificate="expired") as lab:
        with pytest.raises(requests.exceptions.SSLError, match="expired"), opened(connect(lab)):
            pass
        assert lab.logons[lab.username].failed == 0


def test_two_labs_in_one_process_have_their_own_accounts() -> None:
    with Lab({NODE: EchoEngine()}) as one, Lab({NODE: EchoEngine()}) as two:
        assert one.password != two.password

        def logon(wsman: WSMan) -> None:
            with opened(wsman):
                pass

        with ThreadPoolExecutor(8) as threads:
            list(threads.map(logon, [connect(lab) for lab in (one, two) for _ in range(4)]))
        with pytest.raises(AuthenticationError), opened(connect(one, password=two.password)):
            pass
        assert one.logons[one.username].succeeded == two.logons[two.username].succeeded == 4


def test_no_file_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with Lab({NODE: EchoEngine()}, tls=True) as lab, opened(connect(lab)):
        assert list(tmp_path.iterdir())
    assert list(tmp_path.iterdir()) == []
    assert "NTLM_USER_FILE" not in os.environ


def test_a_taken_port_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with Lab({NODE: EchoEngine()}) as lab:
        port = int(lab.addresses[NODE].partition(":")[2])
        with pytest.raises(OSError, match=str(port)), Lab({NODE: EchoEngine()}, port=port):
            pass
        assert list(tmp_path.iterdir()) == []
    assert isinstance(lab.cluster, Cluster)
