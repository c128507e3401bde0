"""Commands, output, errors and streams through real pypsrp."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator

import pytest
from pypsrp.complex_objects import CommandType, PSInvocationState
from pypsrp.messages import GetCommandMetadata
from pypsrp.powershell import PowerShell, RunspacePool

from hvtui.lab.serve import Lab
from hvtui.remote.packaged import module_text
from tests.lab.endpoint_client import (
    NODE,
    EchoEngine,
    begin,
    connect,
    finish,
    ids,
    opened,
    run,
    script,
    stop,
    until,
)

MODULE = "New-Module -Name HvTui -ScriptBlock { } | Import-Module"
ACCEPTED = frozenset({hashlib.sha256(MODULE.encode()).hexdigest()})


@pytest.fixture
def engine() -> EchoEngine:
    return EchoEngine()


@pytest.fixture
def lab(engine: EchoEngine) -> Iterator[Lab]:
    with Lab({NODE: engine}, accepted=ACCEPTED) as lab:
        yield lab


@pytest.fixture
def pool(lab: Lab) -> Iterator[RunspacePool]:
    with opened(connect(lab)) as pool:
        yield pool


@pytest.mark.parametrize("auth", ["ntlm", "negotiate"])
def test_a_pool_opens_and_runs_a_command(lab: Lab, auth: str) -> None:
    with opened(connect(lab, auth=auth)) as pool:
        assert pool.protocol_version == "2.3"
        shell = run(pool, "Get-HvTuiInfo", Part="Basic")
        assert json.loads(shell.output[0]) == {"Part": "Basic"}
        assert shell.state == PSInvocationState.COMPLETED


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Ünïcode 漢字 \U0001f600",
        "a\x1b[31mb\r\n\t\x00\x7f\x9f",
        "_x000D_ _X0041_ _x_ __x0020_",
        '<b a="1">&amp;</b>]]>',
        "x" * 3_000_000,
    ],
    ids=["empty", "unicode", "control", "escapes", "markup", "large"],
)
def test_text_comes_as_it_was_written(pool: RunspacePool, engine: EchoEngine, text: str) -> None:
    engine.text = text
    assert run(pool, "Invoke-Echo").output == [text]


def test_the_first_pipeline_says_that_modules_are_prepared(pool: RunspacePool) -> None:
    said = [run(pool, "Invoke-Echo", Text="x").streams.progress for _ in range(2)]
    assert [[record.activity for record in records] for records in said] == [["Preparing modules for first use."], []]


def test_metadata_is_refused_instead_of_left_hanging(pool: RunspacePool) -> None:
    shell = PowerShell(pool)
    shell._invoke(GetCommandMetadata(["*"], CommandType.ALL, None, None))
    finish(shell)
    assert ids(shell) == ["LabNoMetadata"]


def test_an_unknown_command_is_not_recognised(pool: RunspacePool) -> None:
    shell = run(pool, "Get-Nothing")
    assert shell.state == PSInvocationState.FAILED
    assert ids(shell) == ["CommandNotFoundException"]
    record = shell.streams.error[0]
    assert str(record).startswith("The term 'Get-Nothing' is not recognized as the name of a cmdlet")
    assert (record.category, record.reason) == (13, "CommandNotFoundException")
    assert run(pool, "Invoke-Echo", Text="still there").output == ["still there"]


def test_error_records_carry_windows_ids_and_categories(pool: RunspacePool) -> None:
    shell = run(pool, "Invoke-Failure")
    assert ids(shell) == ["Part", "Denied,Invoke-Failure"]
    first, last = shell.streams.error
    assert (str(first), first.category, first.target_name) == ("one part failed", 22, "disk")
    assert (str(last), last.category, last.reason) == ("Access is denied.", 18, "UnauthorizedAccessException")
    assert shell.state == PSInvocationState.FAILED


def test_an_error_may_hold_any_text(pool: RunspacePool, engine: EchoEngine) -> None:
    engine.text = "a\x1b[31mb <&> _x000D_\r\n漢字"
    assert str(run(pool, "Invoke-Failure").streams.error[-1]) == engine.text


@pytest.mark.parametrize(
    ("parameters", "error"),
    [
        ({"Part": "Some"}, "ParameterArgumentValidationError,Get-HvTuiInfo"),
        ({"Parts": "All"}, "NamedParameterNotFound,Get-HvTuiInfo"),
    ],
)
def test_parameters_are_bound_as_powershell_binds_them(
    pool: RunspacePool, parameters: dict[str, str], error: str
) -> None:
    assert ids(run(pool, "Get-HvTuiInfo", **parameters)) == [error]


def test_names_are_matched_in_any_case(pool: RunspacePool) -> None:
    assert json.loads(run(pool, "get-hvtuiINFO", part="basic").output[0]) == {"Part": "Basic"}


def test_several_statements_run_one_after_another(pool: RunspacePool) -> None:
    shell = PowerShell(pool)
    shell.add_cmdlet("Invoke-Echo").add_parameter("Text", "one").add_statement()
    shell.add_cmdlet("Invoke-Echo").add_parameter("Text", "two")
    shell.begin_invoke()
    finish(shell)
    assert shell.output == ["one", "two"]


def test_only_the_accepted_script_runs_and_brings_the_functions(engine: EchoEngine) -> None:
    with Lab({NODE: engine}, accepted=ACCEPTED, installed=False) as lab, opened(connect(lab)) as pool:
        assert ids(run(pool, "Get-HvTuiInfo")) == ["CommandNotFoundException"]
        assert ids(run(pool, "Import-Module", Name="HvTui", RequiredVersion="1.0.0")) == [
            "Modules_ModuleWithVersionNotFound,Microsoft.PowerShell.Commands.ImportModuleCommand"
        ]
        assert ids(script(pool, MODULE + " ")) == ["LabScriptNotAccepted"]
        assert ids(run(pool, "Get-HvTuiInfo")) == ["CommandNotFoundException"]
        assert script(pool, MODULE).state == PSInvocationState.COMPLETED
        assert run(pool, "Get-HvTuiInfo").output == ["{}"]
        with opened(connect(lab)) as other:
            assert ids(run(other, "Get-HvTuiInfo")) == ["CommandNotFoundException"], "a runspace shares nothing"


def test_the_packaged_module_is_the_script_a_lab_accepts_by_itself(engine: EchoEngine) -> None:
    with Lab({NODE: engine}, installed=False) as lab, opened(connect(lab)) as pool:
        assert ids(script(pool, module_text() + "\n")) == ["LabScriptNotAccepted"]
        assert script(pool, module_text()).state == PSInvocationState.COMPLETED
        assert run(pool, "Get-HvTuiInfo").output == ["{}"]


def test_a_module_larger_than_one_envelope_is_accepted(engine: EchoEngine) -> None:
    text = "# " + "filler " * 100_000
    accepted = frozenset({hashlib.sha256(text.encode()).hexdigest()})
    with Lab({NODE: engine}, accepted=accepted, installed=False) as lab, opened(connect(lab)) as pool:
        assert script(pool, text).state == PSInvocationState.COMPLETED
        assert run(pool, "Get-HvTuiInfo").output == ["{}"]


def test_an_installed_module_of_another_version_is_not_the_one(engine: EchoEngine) -> None:
    with Lab({NODE: engine}, accepted=ACCEPTED, installed="0.9.0") as lab, opened(connect(lab)) as pool:
        wanted = run(pool, "Import-Module", Name="HvTui", RequiredVersion="1.0.0", ErrorAction="Stop")
        assert wanted.state == PSInvocationState.FAILED
        modules = run(pool, "Get-Module", Name="HvTui", ListAvailable=True).output
        assert [module.extended_properties["Version"] for module in modules] == ["0.9.0"]


def test_a_jea_session_shows_the_functions_and_refuses_everything_else(engine: EchoEngine) -> None:
    with (
        Lab({NODE: engine}, accepted=ACCEPTED, sessions={"HvTui": "none"}) as lab,
        opened(connect(lab), configuration_name="HvTui") as pool,
    ):
        refused = script(pool, MODULE)
        assert ids(refused) == ["ScriptsNotAllowed"]
        assert "no-language mode" in str(refused.streams.error[0])
        assert ids(run(pool, "Import-Module", Name="HvTui")) == ["CommandNotFoundException"]
        assert ids(run(pool, "Get-Module")) == ["CommandNotFoundException"]
        assert run(pool, "Get-HvTuiInfo").output == ["{}"]


def test_constrained_language_refuses_the_script_and_loads_the_module(engine: EchoEngine) -> None:
    with Lab({NODE: engine}, accepted=ACCEPTED, language="constrained") as lab, opened(connect(lab)) as pool:
        assert ids(script(pool, MODULE)) == ["MethodInvocationNotSupportedInConstrainedLanguage"]
        assert not ids(run(pool, "Import-Module", Name="HvTui", RequiredVersion="1.0.0"))
        assert run(pool, "Get-HvTuiInfo").output == ["{}"]


def test_get_command_lists_what_is_there(pool: RunspacePool) -> None:
    found = run(pool, "Get-Command", Name="Get-HvTuiInfo").output
    assert [command.extended_properties["Name"] for command in found] == ["Get-HvTuiInfo"]
    missing = run(pool, "Get-Command", Name="Get-Nothing")
    assert missing.output == []
    assert missing.streams.error


def test_a_stream_brings_items_as_they_come(pool: RunspacePool) -> None:
    shell = begin(pool, "Watch-Ticks", Count=20)
    while len(shell.output) < 20:
        shell.poll_invoke()
    finish(shell)
    assert shell.output == [f"tick {number}" for number in range(20)]


def test_stop_ends_a_stream_and_says_so(pool: RunspacePool, engine: EchoEngine) -> None:
    shell = begin(pool, "Watch-Ticks")
    while len(shell.output) < 3:
        shell.poll_invoke()
    stop(shell)
    assert shell.state == PSInvocationState.STOPPED
    assert engine.log[-1] == "end Watch-Ticks"
    assert run(pool, "Invoke-Echo", Text="next").output == ["next"]


def test_stop_ends_a_command_that_does_not_listen(pool: RunspacePool, engine: EchoEngine) -> None:
    shell = begin(pool, "Wait-Ever")
    until(lambda: bool(engine.log))
    stop(shell)
    assert shell.state == PSInvocationState.STOPPED
    assert engine.log == ["begin Wait-Ever", "end Wait-Ever"]


def test_a_second_pipeline_waits_for_the_runspace(pool: RunspacePool, engine: EchoEngine) -> None:
    first = begin(pool, "Wait-Ever")
    second = begin(pool, "Invoke-Echo", Text="later")
    until(lambda: engine.log == ["begin Wait-Ever"])
    stop(first)
    finish(second)
    assert second.output == ["later"]
    assert engine.log.index("end Wait-Ever") < engine.log.index("begin Invoke-Echo")


def test_two_runspaces_run_two_pipelines(lab: Lab) -> None:
    with opened(connect(lab), max_runspaces=2) as pool:
        first = begin(pool, "Wait-Ever")
        assert run(pool, "Invoke-Echo", Text="at once").output == ["at once"]
        stop(first)
        assert pool.get_available_runspaces() == 2


def test_a_closed_command_is_gone(pool: RunspacePool, engine: EchoEngine) -> None:
    shell = begin(pool, "Watch-Ticks")
    shell.poll_invoke()
    pool.shell.signal("http://schemas.microsoft.com/wbem/wsman/1/windows/shell/signal/Terminate", shell.id)
    until(lambda: engine.log[-1] == "end Watch-Ticks")
    assert run(pool, "Invoke-Echo", Text="next").output == ["next"]


def test_a_writer_waits_while_nobody_reads(pool: RunspacePool, engine: EchoEngine) -> None:
    shell = begin(pool, "Write-Flood", Count=100)
    until(lambda: bool(engine.log))
    assert engine.written == 0, "nothing is written before the first Receive"
    shell.poll_invoke()
    until(lambda: engine.written >= 10)
    most = engine.written
    assert most < 40, "the buffer is bounded"
    finish(shell)
    assert sum(len(text) for text in shell.output) == 10_000_000


@pytest.mark.parametrize("batching_ms", [50, 500])
def test_batching_collects_output(engine: EchoEngine, batching_ms: int) -> None:
    with Lab({NODE: engine}, batching_ms=batching_ms) as lab, opened(connect(lab)) as pool:
        shell = begin(pool, "Watch-Ticks", Every=5, Count=400)
        sizes: list[int] = []
        started = time.monotonic()
        while len(sizes) < 3:
            before = len(shell.output)
            shell.poll_invoke()
            sizes.append(len(shell.output) - before)
        assert time.monotonic() - started >= 3 * batching_ms / 1_000
        assert max(sizes) > 1
        stop(shell)
