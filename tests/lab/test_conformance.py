"""The lab's answers held against recorded exchanges with real WinRM, from pypsrp's source distribution.

The archive is fetched by the test command's set-up. It holds what a Windows host answered, envelope by envelope; the
lab must say nothing that Windows does not, and leave out only what is listed here.
"""

from __future__ import annotations

import contextlib
import re
import tarfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from pypsrp.exceptions import WSManFaultError
from pypsrp.powershell import PowerShell, RunspacePool

from hvtui.lab.endpoint import faults, soap
from hvtui.lab.serve import Lab
from tests.lab.endpoint_client import NODE, EchoEngine, begin, connect, run, stop

ARCHIVE = Path(__file__).parents[2] / ".cache" / "pypsrp-0.9.1.tar.gz"
RECORDS = "tests_pypsrp/responses/test_"

Paths = set[str]

# What Windows says and the lab leaves out: where in Windows a fault comes from. Of the configuration, some hundred
# settings, the lab gives those that clients ask for.
LEFT_OUT = {
    "fault": "s:Body/s:Fault/s:Detail/f:WSManFault/f:Message/f:ProviderFault",
    "GetResponse": "s:Body/cfg:Config/",
}
PREFIXES = {
    soap.S: "s",
    soap.A: "a",
    soap.W: "w",
    soap.P: "p",
    soap.RSP: "rsp",
    soap.PWSH: "pwsh",
    f"{{{soap.TRANSFER.rstrip('/')}}}": "x",
    f"{{{soap.ENUMERATION.rstrip('/')}}}": "n",
    f"{{{soap.CONFIG}}}": "cfg",
    "{http://schemas.microsoft.com/wbem/wsman/1/wsmanfault}": "f",
    "{http://www.w3.org/XML/1998/namespace}": "xml",
    "": "",
}


def recordings() -> Iterator[str]:
    """Every envelope of the archive's PSRP and WSMan records."""
    if not ARCHIVE.exists():
        pytest.skip(f"{ARCHIVE.name} is not there: `python -m tests` fetches it before the tests")
    with tarfile.open(ARCHIVE) as archive:
        for member in archive:
            if f"{RECORDS}psrp" in member.name or f"{RECORDS}wsman" in member.name:
                file = archive.extractfile(member)
                assert file is not None
                yield from re.findall(r"<s:Envelope.*?</s:Envelope>", file.read().decode(), re.DOTALL)


def shape(envelope: str | bytes) -> tuple[str, Paths]:
    """The kind of an answer (last word of its action), and the paths of its elements and attributes."""
    root = ElementTree.fromstring(envelope)
    paths: Paths = set()

    def walk(element: ElementTree.Element, at: str) -> None:
        paths.update(f"{at}@{short(name)}" for name in element.attrib)
        for child in element:
            path = f"{at}/{short(child.tag)}".lstrip("/")
            paths.add(path)
            walk(child, path)

    walk(root, "")
    return (root.findtext(f"{soap.S}Header/{soap.A}Action") or "").rpartition("/")[2], paths


def short(name: str) -> str:
    """A qualified name with a short prefix."""
    space, _, local = name.rpartition("}")
    prefix = PREFIXES[space + "}" if space else ""]
    return f"{prefix}:{local}" if prefix else local


@pytest.fixture(scope="module")
def windows() -> dict[str, list[Paths]]:
    """Every recorded answer's paths by kind."""
    found: dict[str, list[Paths]] = defaultdict(list)
    for envelope in recordings():
        kind, paths = shape(envelope)
        if kind.endswith("Response") or kind == "fault":
            found[kind].append(paths)
    return found


@pytest.fixture(scope="module")
def lab_answers() -> dict[str, list[Paths]]:
    """The paths of every answer of a session that uses each operation, in the way the records do."""
    found: dict[str, list[Paths]] = defaultdict(list)
    with pytest.MonkeyPatch.context() as patch, Lab({NODE: EchoEngine()}) as lab:

        def watch(make: Any) -> Any:
            def watched(*arguments: Any, **options: Any) -> bytes:
                envelope: bytes = make(*arguments, **options)
                kind, paths = shape(envelope)
                found[kind].append(paths)
                return envelope

            return watched

        patch.setattr(soap, "envelope", watch(soap.envelope))
        _use_everything(lab)
    return found


def _use_everything(lab: Lab) -> None:
    with connect(lab) as wsman, connect(lab) as other:
        wsman.update_max_payload_size()
        pool = RunspacePool(wsman)
        pool.open()
        run(pool, "Invoke-Echo", Text="x")
        shell = PowerShell(pool)
        shell.add_cmdlet("Invoke-Echo")
        shell.invoke(entry for entry in ("input",))
        shell.close()
        stop(begin(pool, "Watch-Ticks"))
        waiting = begin(pool, "Wait-Ever")
        assert pool.is_alive()
        with contextlib.suppress(WSManFaultError):
            pool._receive(waiting.id, timeout=1)
        pool.disconnect()
        pool.connect()
        pool.disconnect()
        (found,) = RunspacePool.get_runspace_pools(other)
        found.connect()
        (command,) = found.pipelines.values()
        command.connect_async()  # type: ignore[no-untyped-call]
        stop(command)
        found.close()
        with pytest.raises(WSManFaultError):
            begin(found, "Invoke-Echo")


KINDS = [
    *(f"{verb}Response" for verb in ("Create", "Command", "Send", "Receive", "Signal", "Delete")),
    *(f"{verb}Response" for verb in ("Disconnect", "Reconnect", "Connect", "Enumerate", "Get")),
    "fault",
]


@pytest.mark.parametrize("kind", KINDS)
def test_the_lab_says_nothing_that_windows_does_not(
    kind: str, windows: dict[str, list[Paths]], lab_answers: dict[str, list[Paths]]
) -> None:
    assert lab_answers[kind], "the session made no such answer"
    known = set().union(*windows[kind])
    assert known, "no such answer was recorded"
    assert set().union(*lab_answers[kind]) - known == set()


@pytest.mark.parametrize("kind", KINDS)
def test_the_lab_leaves_out_only_what_is_listed(
    kind: str, windows: dict[str, list[Paths]], lab_answers: dict[str, list[Paths]]
) -> None:
    missing = set().union(*windows[kind]) - set().union(*lab_answers[kind])
    listed = LEFT_OUT.get(kind)
    assert {path for path in missing if not (listed and path.startswith(listed))} == set()


def test_fault_codes_are_windows(windows: dict[str, list[Paths]]) -> None:
    recorded = {int(code) for text in recordings() for code in re.findall(r'WSManFault[^>]* Code="(\d+)"', text)}
    assert {faults.TIMED_OUT, faults.UNKNOWN, faults.BAD_HEADER} <= recorded
