"""Every exported function and every parameter, asked by hvtui's own lane of an engine on each version of Windows.

The way is the real one: lane, pypsrp, WSMan, PSRP, PowerShell, the module, the stand-ins of that version. What the
periods of a stream do (SlowSeconds, LoadSeconds) is tested round by round in `tests/powershell`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import pytest

from hvtui.errors import DeadlinePassed, NodeRefused
from hvtui.lab.world.installed import Update
from hvtui.model.secret import GuestCredential
from hvtui.model.signals import filter_picture
from hvtui.remote.contract import (
    ACCOUNT_PATTERN,
    ACTOR_PATTERN,
    CHANNELS,
    CONTRACT,
    FUNCTIONS,
    GET_CHAIN,
    GET_CHECKPOINT,
    GET_EVENT,
    GET_FILTER,
    GET_FORK_COMMIT,
    GET_GUEST,
    GET_GUEST_FILE,
    GET_HOTFIX,
    GET_INFO,
    GET_PREFLIGHT,
    GET_PROVIDER,
    GET_SERVICE,
    GET_SHADOW,
    GET_VSS_ACCESS,
    GET_WRITER,
    GUID_PATTERN,
    GUIDS_PATTERN,
    MOVE_CSV,
    MOVE_VM,
    NEW_CHECKPOINT,
    NODE_PATTERN,
    NODES_PATTERN,
    REMOVE_CHECKPOINT,
    REMOVE_VSS_ACCESS,
    RESTORE_CHECKPOINT,
    RESUME_NODE,
    SET_CHECKPOINT_TYPE,
    SET_VSS_ACCESS,
    START_SERVICE,
    START_VM,
    STOP_MOVE,
    STOP_SERVICE,
    SUSPEND_NODE,
    TIME_PATTERN,
    TITLE_PATTERN,
    TYPES_PATTERN,
    VOLUME_PATTERN,
    WATCH_CLUSTER,
    WATCH_NODE,
    Function,
    Parameter,
)
from hvtui.remote.module import Source
from tests.engine.support.guests import ACCOUNT, CREDENTIAL, asked
from tests.engine.support.site import BUILDS, CLUSTER, NODE, WITHIN, Site
from tests.engine.support.watching import BASIC
from tests.support.processes import children

_INVALID: Final = "ParameterArgumentValidationError"
_NO_NUMBER: Final = "ParameterArgumentTransformationError"

Value = str | int | GuestCredential | None
Shown = Callable[[Any, Any], object]


def _page(value: Any, page: Any) -> bool:
    return page.events is not None and not page.errors


@dataclass(frozen=True)
class Case:
    """A parameter of a function. `shows`: what an answer tells of a value that was taken."""

    shows: Shown
    beside: tuple[tuple[str, str | int], ...] = ()
    """Parameters that go with it."""
    more: tuple[Value, ...] = ()
    """Good values beside the ends of the range, the choices and the default."""
    absent: bool = False
    """What is asked for is not there: the answer says so among its errors."""


def _waits(value: Any, frame: Any) -> bool:
    # A round that costs more than a tenth of the time makes the wait grow.
    at_least: bool = frame.interval_ms + frame.tick_ms >= value - 1
    return at_least and frame.kind == "full"


def _refused(value: Any, result: Any) -> bool:
    """The value was taken, and as nothing is as the call says, nothing was done."""
    same = result.operation == str(value).lower() or result.operation == _OPERATION
    return same and result.outcome == "refused" and result.rule.startswith("expect.") and not result.command


def _not_tried(value: Any, answer: Any) -> bool:
    return bool((answer.outcome, answer.text) == ("refused", "this VM is not on this node"))


_OPERATION: Final = "0b0d1f5c-39a7-4f52-9f8e-6d1f6a2b7c01"
_NOBODY: Final = "00000000-0000-4000-8000-000000000000"
_ACTED: Final = {"OperationId": _OPERATION, "Actor": "anna@ADMIN7"}
_SEEN: Final[dict[str, str | int]] = {
    "Name": "vmms",
    "ExpectState": "Paused",
    "ExpectProcessId": 1,
    "ExpectStarted": "",
}
ACTIONS: Final[dict[str, dict[str, str | int]]] = {
    # Calls that fit nothing: each differs in two things at least from what is there.
    MOVE_VM.name: {"VMId": _NOBODY, "Node": "HV77", "ExpectOwner": "HV78", "ExpectState": 77},
    STOP_MOVE.name: {"VMId": _NOBODY, "ExpectOwner": "HV78"},
    SUSPEND_NODE.name: {"ExpectState": 1, "ExpectDrain": 1, "ExpectUp": "HV77"},
    RESUME_NODE.name: {"Failback": "NoFailback", "ExpectState": 1, "ExpectDrain": 1},
    STOP_SERVICE.name: dict(_SEEN),
    START_SERVICE.name: dict(_SEEN),
    MOVE_CSV.name: {"CsvId": _NOBODY, "Node": "HV77", "ExpectOwner": "HV78"},
    SET_CHECKPOINT_TYPE.name: {"VM": f"{_NOBODY}:3:5"},
    NEW_CHECKPOINT.name: {"VMId": _NOBODY, "Name": "x", "ExpectState": 77, "ExpectType": 2},
    RESTORE_CHECKPOINT.name: {"VMId": _NOBODY, "CheckpointId": _NOBODY, "ExpectState": 77, "ExpectSaved": 0},
    REMOVE_CHECKPOINT.name: {"VMId": _NOBODY, "CheckpointId": _NOBODY, "ExpectType": 7, "ExpectChildren": 9},
    START_VM.name: {"VMId": _NOBODY, "ExpectState": 77},
    SET_VSS_ACCESS.name: {"Account": "CORP\\nobody", "Value": 1, "ExpectValue": 3, "Undo": 0},
    REMOVE_VSS_ACCESS.name: {"Account": "CORP\\nobody", "ExpectValue": 3},
}
LOOKS: Final[dict[str, dict[str, Any]]] = {
    # A VM that no node has: nobody is tried.
    GET_GUEST.name: {"VM": _NOBODY, "Credential": CREDENTIAL},
    GET_GUEST_FILE.name: {"VMId": _NOBODY, "Credential": CREDENTIAL, "Volume": "C:"},
}
PATTERNS: Final[dict[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    # Good and bad values of each pattern.
    GUID_PATTERN: (
        (_OPERATION, _OPERATION.upper()),
        ("", "*", f"{{{_OPERATION}}}", f"{_OPERATION}\n", f"{_OPERATION[:-1]}g", f"{_OPERATION}'; Get-Process", "HV01"),
    ),
    NODE_PATTERN: (
        ("HV01", "a", "n" * 63, "Node_1-b"),
        ("", "*", "HV0?", "HV01\n", "HV01;HV02", "[H]V01", "hv 01", "$(1)", "n" * 64, "HV01.corp", "nöde", "\\\\HV01"),
    ),
    NODES_PATTERN: (
        ("", "HV01", "HV01,HV02", ",".join(["HV01"] * 64)),
        ("HV01,", ",", "HV01, HV02", "HV01\n", "*", "HV01,HV02;HV03", ",".join(["HV01"] * 65)),
    ),
    ACTOR_PATTERN: (
        ("a", "anna@ADMIN7", "CORP\\Änna 'x' $(1) 漢字", "x" * 200),
        ("", "x" * 201, "anna\n", "an\rna", "tab\t", "\x1b[31mred", "\x7f"),
    ),
    ACCOUNT_PATTERN: (
        ("a", "CORP\\[s]vc*?", "CORP\\Änna 'x' $(1) 漢字", "x" * 256),
        ("", "x" * 257, "CORP\\anna\n", "an\rna", "tab\t", "\x1b[31mred", "\x7f"),
    ),
    GUIDS_PATTERN: (
        (_NOBODY, ",".join([_NOBODY] * 256)),
        ("", ",", f"{_NOBODY},", f"{_NOBODY}, {_NOBODY}", f"{_NOBODY}\n", "*", ",".join([_NOBODY] * 257)),
    ),
    VOLUME_PATTERN: (
        ("C:", "t:", "C:\\Mounts\\Data [1] $(x)", f"\\\\?\\Volume{{{_NOBODY}}}"),
        ("", "C", "C:\\", "\\\\server\\share", "C:\\*", "C:\n", "HKLM:\\x", "\\\\?\\Volume{x}", "C:\\a\x00b"),
    ),
    TYPES_PATTERN: (
        (f"{_NOBODY}:2:5", f"{_NOBODY.upper()}:5:2,{_NOBODY}:3:3", ",".join([f"{_NOBODY}:3:5"] * 1024)),
        (
            "",
            _NOBODY,
            f"{_NOBODY}:1:5",
            f"{_NOBODY}:3:6",
            f"{_NOBODY}:3:5,",
            f"{_NOBODY}:3:5\n",
            f"{_NOBODY}:3:5;x",
            ",".join([f"{_NOBODY}:3:5"] * 1025),
        ),
    ),
    TITLE_PATTERN: (
        ("a", "before *[the]? 'update' $(1) 漢字", "x" * 100),
        ("", "x" * 101, "a\n", "a\rb", "tab\t", "\x1b[31mred", "\x7f"),
    ),
    TIME_PATTERN: (
        ("", "2026-03-01T07:15:02Z", "2026-03-01T07:15:02.1234567Z"),
        ("yesterday", "2026-03-01", "2026-03-01T07:15:02", "2026-03-01T07:15:02+01:00", "2026-03-01T07:15:02Z\n", "*"),
    ),
}
_ONE: Final = (("Count", 1),)
_SYSTEM: Final = (("Channel", "System"), ("Hours", 168))
CASES: Final[dict[tuple[str, str], Case]] = {
    (GET_INFO.name, "Part"): Case(lambda part, info: bool(info.modules) == (part == "All")),
    (WATCH_CLUSTER.name, "IntervalMs"): Case(_waits, _ONE),
    (WATCH_CLUSTER.name, "SlowSeconds"): Case(lambda _, frame: frame.csvs and frame.io, _ONE),
    # Zero and the largest number do not end within a test: streams have tests of their own.
    (WATCH_CLUSTER.name, "Count"): Case(lambda _, frame: frame.roles and frame.seq == 1, more=(1,)),
    (WATCH_NODE.name, "IntervalMs"): Case(_waits, _ONE),
    (WATCH_NODE.name, "SlowSeconds"): Case(lambda _, frame: frame.vms and frame.files, _ONE),
    (WATCH_NODE.name, "LoadSeconds"): Case(lambda _, frame: frame.load is not None and frame.load.vms, _ONE),
    (WATCH_NODE.name, "Count"): Case(lambda _, frame: frame.vms and frame.seq == 1, more=(1,)),
    (GET_WRITER.name, "TimeoutSeconds"): Case(lambda _, text: text.exit_code == 0 and not text.timed_out),
    (GET_EVENT.name, "Channel"): Case(lambda channel, page: _page(None, page) and page.channel == channel),
    (GET_EVENT.name, "AfterRecord"): Case(_page, _SYSTEM[:1]),
    (GET_EVENT.name, "Hours"): Case(
        lambda hours, page: (
            _page(None, page) and all(page.time - event.time <= timedelta(hours=hours) for event in page.events)
        ),
        _SYSTEM[:1],
    ),
    (GET_EVENT.name, "MaxEvents"): Case(lambda most, page: 0 < len(page.events) <= most, _SYSTEM),
}
CASES.update(
    {
        (GET_PREFLIGHT.name, "Part"): Case(
            lambda part, all_: (all_.vms is None) == (part == "Node") and (all_.node is None) == (part == "Vms")
        ),
        (GET_CHECKPOINT.name, "VMId"): Case(
            lambda id, told: told.vm == id.lower() and told.checkpoints is None,
            more=PATTERNS[GUID_PATTERN][0],
            absent=True,
        ),
        (GET_CHAIN.name, "VMId"): Case(
            lambda id, told: told.vm == id.lower() and told.disks is None,
            more=PATTERNS[GUID_PATTERN][0],
            absent=True,
        ),
        (GET_SERVICE.name, "Name"): Case(lambda name, service: service.name == name and service.state),
    }
)
for _name, _values in ACTIONS.items():
    for _parameter in FUNCTIONS[_name].parameters:
        _beside = tuple((_ACTED | _values).items())
        _more = PATTERNS[_parameter.pattern][0] if _parameter.pattern else ()
        CASES[_name, _parameter.name] = Case(_refused, _beside, _more)
for _name, _values in LOOKS.items():
    for _parameter in FUNCTIONS[_name].parameters:
        _taken: tuple[Value, ...] = (_NOBODY,)
        if _parameter.pattern == VOLUME_PATTERN or not _parameter.mandatory:
            _taken = PATTERNS[_parameter.pattern][0] if _parameter.pattern else ()
        elif _parameter.type is GuestCredential:
            _taken = (CREDENTIAL,)
        CASES[_name, _parameter.name] = Case(_not_tried, tuple(_values.items()), _taken)
_TYPES: Final[dict[type, set[str]]] = {
    str: {"System.String"},
    int: {"System.Int32", "System.Int64"},
    GuestCredential: {"System.Management.Automation.PSCredential"},
}


def _good(parameter: Parameter, case: Case) -> list[Value]:
    ends: list[Value] = [*parameter.choices, parameter.minimum, parameter.maximum, parameter.default, *case.more]
    found = [value for value in dict.fromkeys(ends) if value is not None]
    return [value for value in found if parameter.name != "Count" or value not in {0, parameter.maximum}]


def _bad(parameter: Parameter) -> list[tuple[Value, str]]:
    """Values outside, each with the error that names it."""
    if parameter.choices:
        word = parameter.choices[-1]
        texts = ("", None, "$(1)", "*", f"{word}*", f"{word}\n", f"{word}'; Get-Process", f"x{word}", "漢字")
        return [(text, _INVALID) for text in texts]
    if parameter.pattern:
        return [(text, _INVALID) for text in PATTERNS[parameter.pattern][1]]
    if parameter.type is GuestCredential:
        # A name alone would ask for a password, and nobody is there.
        return [(ACCOUNT, _NO_NUMBER), (5, _NO_NUMBER)]
    assert parameter.minimum is not None
    assert parameter.maximum is not None
    found: list[tuple[Value, str]] = [(parameter.minimum - 1, _INVALID), (parameter.maximum + 1, _INVALID)]
    found += [(text, _NO_NUMBER) for text in ("many", "1; Get-Process", "$(1)")]
    return found if parameter.maximum > 1 << 32 else [*found, (1 << 40, _NO_NUMBER)]


async def _ask(site: Site, function: Function, parameters: dict[str, Any]) -> Any:
    if function.guarded or (function.stream and function.mutating):
        return (await asked(site.lane, function, parameters))[0]
    record = await site.lane.call(function, parameters, deadline=WITHIN)
    assert type(record) is function.result
    return record


async def test_the_module_shows_exactly_the_contract_and_each_parameter_has_a_case(site: Site) -> None:
    shown = await site.exports()
    assert site.lane.source is Source.INSTALLED
    assert sorted(shown) == sorted(FUNCTIONS)
    cases = set()
    for name, parameters in shown.items():
        assert [one["name"] for one in parameters] == [one.name for one in FUNCTIONS[name].parameters]
        for one, expected in zip(parameters, FUNCTIONS[name].parameters, strict=True):
            cases.add((name, expected.name))
            assert one["type"] in _TYPES[expected.type]
            assert tuple(filter(None, one["choices"])) == expected.choices
            assert (one["minimum"], one["maximum"]) == (expected.minimum, expected.maximum)
            assert (one["default"], one["mandatory"]) == (expected.default, expected.mandatory)
            assert one["pattern"] == expected.pattern
    assert cases == set(CASES)


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
async def test_every_parameter_takes_what_the_contract_allows(site: Site, function: Function) -> None:
    for parameter in function.parameters:
        case = CASES[function.name, parameter.name]
        for value in _good(parameter, case):
            answer = await _ask(site, function, {**dict(case.beside), parameter.name: value})
            assert bool(answer.errors) is case.absent, (parameter.name, value)
            assert case.shows(value, answer), (parameter.name, value)


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
async def test_every_parameter_refuses_what_lies_outside_and_the_session_goes_on(
    site: Site, function: Function
) -> None:
    await _ask(site, GET_INFO, BASIC)
    engine = site.pid()
    for parameter in function.parameters:
        case = CASES[function.name, parameter.name]
        for value, error in _bad(parameter):
            with pytest.raises(NodeRefused) as caught:
                await _ask(site, function, {**dict(case.beside), parameter.name: value})
            assert caught.value.code == f"{error},{function.name}", (parameter.name, value)
            assert parameter.name in caught.value.text
        if parameter.mandatory:
            with pytest.raises(NodeRefused) as caught:
                await _ask(site, function, {})
            assert caught.value.code == f"MissingMandatoryParameter,{function.name}"
    with pytest.raises(NodeRefused) as caught:
        await _ask(site, function, {"ComputerName": "HV02"})
    assert caught.value.code == f"NamedParameterNotFound,{function.name}"
    assert (await _ask(site, GET_INFO, BASIC)).node == NODE
    assert (site.pid(), site.running()) == (engine, [])


async def test_a_node_says_who_it_is_and_what_it_may(site: Site) -> None:
    info = await _ask(site, GET_INFO, {})
    build, level = BUILDS[site.version]
    assert (info.node, info.contract, info.supported) == (NODE, CONTRACT, True)
    assert info.build == build.rpartition(".")[0]
    assert (info.functional_level, info.cluster_name) == (level, CLUSTER)
    assert set(info.modules) == {"HvTui", "Hyper-V", "FailoverClusters"}
    assert info.services == {"vmms": "Running", "ClusSvc": "Running", "VSS": "Running"}
    assert set(info.rights.values()) == {True}


async def test_the_whole_logs_are_searched_for_uncommitted_forks(site: Site) -> None:
    answer = await _ask(site, GET_FORK_COMMIT, {})
    assert (answer.signs, answer.errors) == ([], [])
    assert [one.wrapped for one in answer.searched] == [False, False]


async def test_who_may_take_part_in_vss_is_told(site: Site) -> None:
    answer = await _ask(site, GET_VSS_ACCESS, {})
    assert (answer.node, answer.key, answer.services, answer.errors) == (NODE, True, [], [])
    (entry,) = answer.entries
    assert (entry.account, entry.value, entry.sid) == ("NT Authority\\NetworkService", 1, "S-1-5-20")


async def test_providers_are_listed(site: Site) -> None:
    answer = await _ask(site, GET_PROVIDER, {})
    assert [(one.id, one.name) for one in answer.providers] == site.lab.call(
        lambda world: [(one.id, one.name) for one in world.node(NODE).providers]
    )


async def test_what_findings_ask_for_is_told(site: Site) -> None:
    shadows = await _ask(site, GET_SHADOW, {})
    assert (shadows.shadows, shadows.errors) == ([], [])
    drivers = filter_picture(await _ask(site, GET_FILTER, {}))
    known = site.lab.call(lambda world: {one.name: one.volumes for one in world.node(NODE).filters})
    assert (drivers.failure, drivers.unreadable) == ("", ())
    assert {one.name: one.volumes for one in drivers.filters or ()} == known
    # A text of which PowerShell's own types make no date is told as it is.
    site.change(lambda world: world.node(NODE).updates.append(Update("KB1", "13/5/2024")))
    updates = await _ask(site, GET_HOTFIX, {})
    assert [(one.id, one.installed) for one in updates.hotfixes] == site.lab.call(
        lambda world: [(one.id, one.installed) for one in world.node(NODE).updates]
    )
    site.change(lambda world: world.node(NODE).updates.pop())
    vm, files, checkpoints, layers = site.lab.call(
        lambda world: next(
            (vm.id, vm.attached(), len(vm.checkpoints), sum(len(disk.layers) for disk in vm.disks))
            for vm in world.node(NODE).vms.values()
            if vm.disks
        )
    )
    chain = await _ask(site, GET_CHAIN, {"VMId": vm})
    assert (chain.vm, chain.checkpoints, chain.errors, chain.layers()) == (vm, checkpoints, [], layers)
    assert [one.attached for one in chain.disks] == files


async def test_events_come_page_by_page(site: Site) -> None:
    pages = {name: await _ask(site, GET_EVENT, {"Channel": name, "Hours": 168, "MaxEvents": 1000}) for name in CHANNELS}
    channel, whole = max(pages.items(), key=lambda item: len(item[1].events))
    assert len(whole.events) > 2
    assert not whole.more
    first = await _ask(site, GET_EVENT, {"Channel": channel, "Hours": 168, "MaxEvents": 2})
    assert (first.more, first.events) == (True, whole.events[:2])
    after = {"Channel": channel, "AfterRecord": first.events[-1].record, "MaxEvents": 1000}
    rest = await _ask(site, GET_EVENT, after)
    assert first.events + rest.events == whole.events
    last = await _ask(site, GET_EVENT, {"Channel": channel, "AfterRecord": whole.newest_record})
    assert (last.events, last.wrapped) == ([], False)


async def test_the_clients_deadline_ends_vssadmin(site: Site) -> None:
    await _ask(site, GET_INFO, BASIC)
    engine = site.pid()
    site.change(lambda world: setattr(world.node(NODE).faults, "vssadmin_hung", True))
    try:
        with pytest.raises(DeadlinePassed, match=f"{NODE} did not finish within 1 s") as caught:
            await site.lane.call(GET_WRITER, {"TimeoutSeconds": 600}, deadline=1)
        assert "stopped on the node" in caught.value.hint
        assert (await _ask(site, GET_INFO, BASIC)).node == NODE
        assert (site.pid(), site.running(), children(engine)) == (engine, [], [])
    finally:
        site.change(lambda world: setattr(world.node(NODE).faults, "vssadmin_hung", False))
    assert (await _ask(site, GET_WRITER, {})).busy is False
