"""`hvtui guests` against guests of the lab, through its nodes over PowerShell Remoting: one lab for all.

No guest is ever asked twice with a wrong password, and the password is in nothing that is printed or kept.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from hvtui.lab.serve import Lab
from hvtui.lab.world import World
from hvtui.paths import log_file, state_dir
from tests.support.cli import Ran, Shell
from tests.support.desk import small
from tests.support.schemas import checked

pytestmark = [pytest.mark.timeout(300)]

ACCOUNT: Final = "CORP\\svc-guests"
PASSWORD: Final = "c4nary-Guest-pässwörd"
MORE: Final = """
[guests]
password = "c4nary-Guest-pässwörd"
lockout = 3

[[vms]]
name = "FULL"
guest = "windows-2016"
nodes = ["HV01"]
csvs = ["Volume1"]
volumes = [
  { name = "C:", size_gb = 127, free_gb = 60 },
  { name = "T:", size_gb = 60, free_gb = 0, label = "Temp", files = [
    { path = "Dumps\\\\a.bak", size_gb = 21.5 }, { path = "b.mdf", size_gb = 12.0 }, { path = "c.txt", size_gb = 0.5 },
  ] },
]

[[vms]]
name = "LNX"
guest = "linux"
nodes = ["HV01"]

[[vms]]
name = "OFF"
state = "Off"
nodes = ["HV01"]
"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    folder = tmp_path_factory.mktemp("lab")
    with Lab(small(folder, vms='nodes = ["HV01", "HV02"]', more=MORE), speed=1.0) as running:
        yield running


class Guests:
    """The command line on the lab; what it printed is kept, for whoever looks for the password in it."""

    def __init__(self, lab: Lab, shell: Shell, config: Path) -> None:
        self.lab = lab
        self.shell = shell
        self.config = config
        self.printed = ""
        config.write_text(lab.config_text(), encoding="utf-8")

    def __call__(self, *words: str) -> Ran:
        ran = self.shell("guests", "--config", str(self.config), "--user", ACCOUNT, *words)
        self.printed += ran.out + ran.err
        assert ran.out or ran.code, ran.err
        return ran

    def log_ons(self) -> list[tuple[str, bool]]:
        """Log-ons since the last look: the guest, and whether it let in."""

        def look(world: World) -> list[tuple[str, bool]]:
            names = {vm.id: vm.name for vm in world.vms.values()}
            found = [(names.get(one.vm, one.vm), one.accepted) for one in world.guest_accounts.log_ons]
            world.guest_accounts.log_ons.clear()
            return found

        found: list[tuple[str, bool]] = self.lab.call(look)
        return found


@pytest.fixture
def guests(lab: Lab, shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Guests]:
    monkeypatch.setenv("GUEST_PASSWORD", PASSWORD)
    here = Guests(lab, shell, tmp_path / "lab.toml")
    here.log_ons()
    yield here
    files = [path for path in state_dir().rglob("*") if path.is_file()]
    kept = b"".join(path.read_bytes() for path in files)
    assert files
    for secret in (PASSWORD, "c4nary", PASSWORD.encode("utf-16-le").decode("latin-1")):
        assert secret not in here.printed
        assert secret.encode() not in kept
        assert secret.encode("utf-16-le") not in kept
    assert not log_file().exists() or "c4nary" not in log_file().read_text(encoding="utf-8")


FROM_ENV: Final = ("--password-from", "env:GUEST_PASSWORD")


def by_name(told: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {guest["vm"]["name"]: guest for guest in told["guests"]}


def test_all_guests_of_a_node_worst_first(guests: Guests) -> None:
    ran = guests("--node", "HV01", *FROM_ENV, "--json")
    assert ran.out, ran.err
    told = checked("guests", ran.out)
    assert (ran.code, told["exit"], told["denied"], told["gaps"]) == (1, 1, None, [])
    names = [guest["vm"]["name"] for guest in told["guests"]]
    assert names[0] == "FULL"
    assert set(names[1:3]) == {"LNX", "OFF"}, "those that could not be read come before those that are well"
    full = told["guests"][0]
    assert (full["word"], full["severity"]) == ("full", "bad")
    volume = full["volumes"][0]
    assert (volume["path"], volume["free"], volume["label"]) == ("T:", 0, "Temp")
    assert volume["least"] == 1024**3
    assert volume["to_free"] == 9 * 1024**3, "15 % of 60 GB"
    assert any(one["path"].startswith("\\\\?\\Volume{") for one in full["volumes"]), "letterless ones, too"
    assert {one["name"] for one in full["services"]} == {"VSS", "swprv", "vmicvss"}
    assert full["writers"]
    for name, why in (("LNX", "is no Windows"), ("OFF", "it is Off")):
        guest = by_name(told)[name]
        assert (guest["read"], guest["word"], guest["volumes"]) == (False, "not readable", [])
        assert why.lower() in guest["reason"].lower()
        assert guest["command"]
    asked = guests.log_ons()
    assert {name for name, _ in asked} == set(names) - {"LNX", "OFF"}
    assert all(accepted for _, accepted in asked)
    assert len(asked) == len(names) - 2, "each once"


def test_a_person_reads_lines_as_they_come_and_a_table(guests: Guests) -> None:
    ran = guests("--vm", "FULL", "LNX", *FROM_ENV)
    assert ran.code == 1
    lines = ran.out.splitlines()
    assert any("FULL on HV01: full" in line for line in lines)
    assert "Guests: 1 of 2 read" in ran.out
    row = next(line for line in lines if "T:" in line and "Temp" in line)
    assert "0 MB" in row
    assert "9.0 GB" in row
    assert "Not readable: 1" in ran.out
    assert "→ inside: " in ran.out
    assert "df -h; systemctl status" in ran.out
    assert "System Writer" in ran.out


def test_lines_of_json_as_they_come(guests: Guests) -> None:
    ran = guests("--vm", "FULL", "OFF", *FROM_ENV, "--jsonl")
    lines = [checked("line", line) for line in ran.out.splitlines()]
    assert [line["kind"] for line in lines] == ["guest", "guest", "end"]
    assert lines[-1]["counts"] == {"full": 1, "not readable": 1}
    assert lines[-1]["exit"] == ran.code == 1


def test_a_wrong_password_is_one_failed_log_on(guests: Guests, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GUEST_PASSWORD", "c4nary wrong")
    ran = guests("--all", *FROM_ENV, "--json")
    told = checked("guests", ran.out)
    assert (ran.code, told["exit"]) == (3, 3)
    assert told["denied"] is not None
    outcomes = [guest["outcome"] for guest in told["guests"]]
    assert outcomes.count("denied") == 1
    assert set(outcomes) == {"denied", "skipped", "refused"}
    assert "it was not tried again, because accounts lock" in ran.err
    assert guests.log_ons() == [(told["denied"]["name"], False)]


def test_the_largest_files_of_a_volume(guests: Guests) -> None:
    ran = guests("--files", "T:", "--vm", "FULL", "--count", "2", *FROM_ENV, "--json")
    told = checked("guest-files", ran.out)
    assert ran.code == 0, ran.err
    assert [file["path"].lower() for file in told["files"]] == ["t:\\dumps\\a.bak", "t:\\b.mdf"]
    assert told["files"][0]["size"] > told["files"][1]["size"] > 0
    ran = guests("--files", "T:", "--vm", "FULL", *FROM_ENV)
    assert ran.code == 0
    assert "3 largest files" in ran.out
    ran = guests("--files", "C:", "--vm", "OFF", *FROM_ENV)
    assert ran.code == 2
    assert "not readable" in ran.err


def test_the_password_on_standard_input(guests: Guests, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(PASSWORD + "\r\nnot this\n"))
    ran = guests("--vm", "FULL", "--password-from", "stdin", "--json")
    assert by_name(json.loads(ran.out))["FULL"]["read"]
    assert guests.log_ons() == [("FULL", True)]


def test_a_person_is_asked_once_for_the_account_and_its_password(
    guests: Guests, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    asked: list[str] = []

    def getpass(prompt: str) -> str:
        asked.append(prompt)
        return PASSWORD

    monkeypatch.setattr("sys.stdin", Terminal(f" {ACCOUNT} \n"))
    monkeypatch.setattr("getpass.getpass", getpass)
    ran = guests.shell("guests", "--config", str(guests.config), "--vm", "FULL", "APP01", "APP02", "--json")
    guests.printed += ran.out + ran.err
    told = checked("guests", ran.out)
    assert [guest["read"] for guest in told["guests"]] == [True, True, True]
    assert "Account inside the guests: " in ran.err
    assert asked == [f"Password of {ACCOUNT} for the guests of CLU-OPS: "]
    assert sorted(guests.log_ons()) == [("APP01", True), ("APP02", True), ("FULL", True)]


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("--vm", "FULL"), "Nobody can be asked for the password"),
        (("--vm", "FULL", "--password-from", "env:NOT_SET"), "no variable NOT_SET"),
        (("--vm", "FULL", "--password-from", "env:EMPTY"), "is empty"),
        (FROM_ENV, "which VMs"),
        (("--files", "T:", "--node", "HV01", *FROM_ENV), "--files looks into one VM"),
        (("--vm", "FULL", "--parallel", "17", *FROM_ENV), "from 1 to 16"),
    ],
)
def test_what_makes_no_sense_asks_nobody(
    words: tuple[str, ...], text: str, guests: Guests, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMPTY", "")
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    ran = guests(*words)
    assert (ran.code, ran.out) == (64, "")
    assert text in ran.err
    assert guests.log_ons() == []
    state_dir().mkdir(parents=True, exist_ok=True)
    (state_dir() / "kept").write_text("", encoding="utf-8")


def test_what_is_typed_where_a_source_is_wanted_is_not_repeated(guests: Guests) -> None:
    ran = guests("--vm", "FULL", "--password-from", PASSWORD)
    assert ran.code == 64
    assert "not one of prompt, stdin" in ran.err
    state_dir().mkdir(parents=True, exist_ok=True)
    (state_dir() / "kept").write_text("", encoding="utf-8")


def test_a_vm_that_is_not_there_is_refused(guests: Guests) -> None:
    ran = guests("--vm", "NOBODY", *FROM_ENV)
    assert ran.code == 3
    assert guests.log_ons() == []
