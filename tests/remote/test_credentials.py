"""Where passwords come from, and the gate in front of every log-on."""

from __future__ import annotations

import sys
import threading
import time

import pytest

from hvtui.config import ClusterConfig, Secret
from hvtui.errors import ConfigError, NotAuthenticated, Unreachable
from hvtui.remote.credentials import Credential, CredentialGate, load_credential


def _config(secret: Secret, username: str = r"LAB\oncall") -> ClusterConfig:
    return ClusterConfig("prod", ("HV01",), username=username, password=secret)


def test_a_password_is_never_shown() -> None:
    credential = Credential(r"LAB\oncall", "s3cret")
    assert "s3cret" not in repr(credential) + str(credential) + f"{credential}"


def test_without_an_account_whoever_is_logged_on_is_used() -> None:
    assert load_credential(_config(Secret("prompt"), username="")) == Credential()


def test_prompt_names_account_and_cluster() -> None:
    asked: list[str] = []

    def ask(prompt: str) -> str:
        asked.append(prompt)
        return "typed"

    assert load_credential(_config(Secret("prompt")), ask).password == "typed"
    assert asked == [r"Password of LAB\oncall for prod: "]
    with pytest.raises(ConfigError, match="Nobody can be asked"):
        load_credential(_config(Secret("prompt")))


def test_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HVTUI_TEST_PASSWORD", "from env")
    assert load_credential(_config(Secret("env", "HVTUI_TEST_PASSWORD"))).password == "from env"
    monkeypatch.delenv("HVTUI_TEST_PASSWORD")
    with pytest.raises(ConfigError, match="HVTUI_TEST_PASSWORD"):
        load_credential(_config(Secret("env", "HVTUI_TEST_PASSWORD")))


def test_command_gives_its_first_line() -> None:
    line = f'"{sys.executable}" -c "print(1234); print(5)"'
    assert load_credential(_config(Secret("command", line))).password == "1234"


@pytest.mark.parametrize(
    ("code", "says"),
    [("raise SystemExit(3)", "exit code 3"), ("pass", "printed nothing")],
)
def test_command_that_fails(code: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        load_credential(_config(Secret("command", f'"{sys.executable}" -c "{code}"')))
    with pytest.raises(ConfigError, match="did not run"):
        load_credential(_config(Secret("command", "no-such-program-of-hvtui")))


def test_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    keyring = pytest.importorskip("keyring")
    held = {("hvtui:prod", r"LAB\oncall"): "kept", ("mine", r"LAB\oncall"): "own"}
    monkeypatch.setattr(keyring, "get_password", lambda service, user: held.get((service, user)))
    assert load_credential(_config(Secret("keyring"))).password == "kept"
    assert load_credential(_config(Secret("keyring", "mine"))).password == "own"
    with pytest.raises(ConfigError, match="keyring set other"):
        load_credential(_config(Secret("keyring", "other")))


def test_one_at_a_time_and_a_refusal_stops_all_who_wait() -> None:
    gate = CredentialGate(Credential("u", "wrong"))
    tried: list[str] = []
    refused: list[str] = []

    def log_on(node: str) -> None:
        try:
            with gate.attempt(node) as attempt:
                tried.append(node)
                time.sleep(0.05)
                attempt.ended(accepted=False)
        except NotAuthenticated as error:
            refused.append(error.node)

    threads = [threading.Thread(target=log_on, args=(f"HV{n:02}",)) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(tried) == 1
    assert len(refused) == 19
    with pytest.raises(NotAuthenticated, match="refused the log-on of u"):
        gate.check("HV01")


def test_a_connection_that_breaks_decides_nothing() -> None:
    gate = CredentialGate(Credential("u", "p"))
    with pytest.raises(ConnectionError), gate.attempt("HV01"):
        raise ConnectionError
    with gate.attempt("HV02") as attempt:
        attempt.ended(accepted=True)
    assert gate.refusal == ""
    assert gate.proven


def test_replacing_opens_the_gate_and_a_late_refusal_of_the_old_one_counts_no_more() -> None:
    gate = CredentialGate(Credential("u", "old"))
    told: list[str] = []
    gate.listen(lambda: told.append(gate.refusal))
    with gate.attempt("HV01") as late:
        gate.replace(Credential("u", "new"))
        late.ended(accepted=False)
    assert gate.refusal == ""
    with gate.attempt("HV02") as attempt:
        assert attempt.credential.password == "new"
        attempt.ended(accepted=False)
    assert gate.refusal
    assert told == ["", gate.refusal]


def test_who_is_given_up_does_not_wait_for_ever() -> None:
    gate = CredentialGate(Credential("u", "p"))
    with gate.attempt("HV01"), pytest.raises(Unreachable), gate.attempt("HV02", abandoned=lambda: True):
        pass


def test_a_slow_log_on_holds_up_nobody_once_the_credential_was_good(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CredentialGate, "OVERTAKE_SECONDS", 0.0)
    gate = CredentialGate(Credential("u", "p"))
    with gate.attempt("HV01") as first:
        first.ended(accepted=True)
    with gate.attempt("HV02"), gate.attempt("HV03") as third:
        third.ended(accepted=True)
