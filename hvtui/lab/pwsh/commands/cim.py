"""Get-CimInstance, Get-CimAssociatedInstance and Invoke-CimMethod."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from hvtui.lab.native.services import control
from hvtui.lab.pwsh.cim import jobs, schema, virtualization
from hvtui.lab.pwsh.cim.repository import Question, find_class, provider_of
from hvtui.lab.pwsh.commands import errors, trouble
from hvtui.lab.pwsh.commands.answer import Answer, Refused
from hvtui.lab.pwsh.commands.call import CommandCall, Handler
from hvtui.lab.pwsh.wql import Join, Query, Term, WqlError, parse, parse_filter

_DEFAULT: Final = "root/cimv2"
_ELSEWHERE: Final = ("CimSession", "ComputerName", "ResourceUri")
_PRIVATE: Final = "roles.vm"


async def get_instance(call: CommandCall) -> Answer:
    """Get-CimInstance by class, query or instance."""
    _only_here(call)
    question = _question(call)
    facts = find_class(call.view, question.namespace, question.class_name)
    shown = await _provider_answers(call, facts)
    if not shown:
        return Answer()
    part = _PRIVATE if _asks_private(question, facts.name) else facts.name
    trouble.raise_for(trouble.unreadable(call.node, part), lambda one: errors.cim_trouble(one, question.class_name))
    found = call.repository.ask(question)
    if not found and call.get("InputObject") is not None:
        raise Refused(errors.cim(errors.NOT_FOUND, question.class_name, text="Not found"))
    if facts.name == "Msvm_ComputerSystem" and trouble.unreadable(call.node, "vms.last_backup"):
        # A provider that leaves out one property says nothing about it.
        names = tuple(name for name in question.names if name.lower() != "lastsuccessfulbackuptime")
        found = call.repository.ask(Question(question.namespace, question.class_name, names, question.where))
    return Answer(found)


def _asks_private(question: Question, class_name: str) -> bool:
    """The VMs' private properties are a part of their own."""
    return class_name == "MSCluster_Resource" and "PrivateProperties" in question.names


def _only_here(call: CommandCall) -> None:
    for name in _ELSEWHERE:
        if call.get(name) is not None:
            raise Refused(errors.unsupported_cim(f"-{name}"))


def _question(call: CommandCall) -> Question:
    space = str(call.get("Namespace", _DEFAULT)).replace("\\", "/")
    instance = call.get("InputObject")
    if instance is not None:
        return _again(instance)
    try:
        query = _query(call)
    except WqlError as error:
        raise Refused(errors.cim(errors.INVALID_QUERY, str(call.get("Query", call.get("Filter"))))) from error
    return Question(space, query.class_name, query.names, query.where, keys_only=bool(call.get("KeyOnly")))


def _query(call: CommandCall) -> Query:
    text = call.get("Query")
    if text is not None:
        if str(call.get("QueryDialect", "WQL")).upper() != "WQL":
            raise Refused(errors.unsupported_cim(f"query dialect {call.get('QueryDialect')}"))
        return parse(str(text))
    where = call.get("Filter")
    return Query(
        tuple(call.names("Property")),
        str(call.get("ClassName", "")),
        None if where is None else parse_filter(str(where)),
    )


def _again(instance: dict[str, Any]) -> Question:
    """The question for one instance that was read before."""
    space, _, name = str(instance.get("$cim", "")).rpartition("/")
    provider = provider_of(space, name)
    if provider is None:
        raise Refused(errors.unsupported_cim(f"reading {name} again"))
    terms = tuple(Term(key, "=", instance[key]) for key in provider.keys if instance.get(key) is not None)
    if not terms:
        raise Refused(errors.cim(errors.INVALID_PARAMETER, name))
    return Question(space, name, (), terms[0] if len(terms) == 1 else Join("AND", terms))


async def _provider_answers(call: CommandCall, facts: schema.ClassFacts) -> bool:
    """Wait for what is behind a class, at most as long as the command says; False when it shows nothing."""
    limit = call.get("OperationTimeoutSec")
    seconds = min(float(limit), call.world.deadline) if limit else None
    if facts.namespace == schema.VIRTUALIZATION:
        return await trouble.hyperv_answers(call, seconds)
    if facts.namespace == schema.CLUSTER:
        return await trouble.cluster_answers(call, seconds)
    return True


async def get_associated(call: CommandCall) -> Answer:
    """Get-CimAssociatedInstance between a VM, its settings and checkpoints, and its jobs."""
    _only_here(call)
    instance = call.get("InputObject", {})
    space, _, name = str(instance.get("$cim", "")).rpartition("/")
    facts = find_class(call.view, space, name)
    if not await _provider_answers(call, facts):
        return Answer()
    result = str(call.get("ResultClassName", "")).lower()
    found = _associated(call, facts.name, instance)
    wanted = [one for one in found if not result or one[0].lower() == result]
    if not found and facts.name not in {"Msvm_ComputerSystem", "Msvm_VirtualSystemSettingData", *_JOBS}:
        raise Refused(errors.unsupported_cim(f"an association of {facts.name}"))
    output: list[Any] = []
    for class_name, key, value in wanted:
        output += call.repository.ask(Question(space, class_name, (), Term(key, "=", value)))
    return Answer(output)


_JOBS: Final = frozenset({"Msvm_ConcreteJob", "Msvm_StorageJob", "Msvm_MigrationJob"})


def _associated(call: CommandCall, name: str, instance: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Class, key property and key of each instance at the other end."""
    view = call.view
    if name in _JOBS:
        id = str(instance.get("InstanceID", "")).lower()
        job = view.node.jobs.get(id)
        return [("Msvm_ComputerSystem", "Name", job.vm.upper())] if job is not None else []
    if name == "Msvm_VirtualSystemSettingData":
        return [("Msvm_ComputerSystem", "Name", str(instance.get("VirtualSystemIdentifier", "")))]
    if name != "Msvm_ComputerSystem":
        return []
    id = str(instance.get("Name", "")).lower()
    settings = [
        ("Msvm_VirtualSystemSettingData", "InstanceID", f"Microsoft:{one.guid}")
        for one in virtualization.settings(view)
        if one.vm.id == id
    ]
    work = [
        (str(jobs.reference(job).path.rpartition("/")[2]), "InstanceID", job.id.upper())
        for job in view.node.jobs.values()
        if job.vm == id
    ]
    return settings + work


async def invoke_method(call: CommandCall) -> Answer:
    """Invoke-CimMethod: services are stopped and started; every other change is refused aloud."""
    _only_here(call)
    if call.get("Query") is not None:
        return await _invoke_each(call)
    instance = call.get("InputObject") or {}
    space, _, name = str(instance.get("$cim", "")).rpartition("/")
    space = space or str(call.get("Namespace", _DEFAULT)).replace("\\", "/")
    name = name or str(call.get("ClassName", ""))
    facts = find_class(call.view, space, name)
    await _provider_answers(call, facts)
    method = str(call.get("MethodName", ""))
    if method.lower() not in {one.lower() for one in facts.methods}:
        raise Refused(errors.cim(errors.METHOD_NOT_FOUND, method, text="This method is not implemented in any class"))
    if facts.name == "Msvm_VirtualSystemManagementService" and method.lower() == "getsummaryinformation":
        rows = call.repository.ask(Question(space, "Msvm_SummaryInformation"))
        return Answer([{"$type": "System.Collections.Hashtable", "ReturnValue": 0, "SummaryInformation": rows}])
    raise Refused(errors.unsupported_cim(f"{facts.name}.{method}"))


async def _invoke_each(call: CommandCall) -> Answer:
    """A method of every instance that a query finds."""
    question = _question(call)
    facts = find_class(call.view, question.namespace, question.class_name)
    trouble.raise_for(
        trouble.unreadable(call.node, facts.name), lambda one: errors.cim_trouble(one, question.class_name)
    )
    method = str(call.get("MethodName", ""))
    if method.lower() not in {one.lower() for one in facts.methods}:
        raise Refused(errors.cim(errors.METHOD_NOT_FOUND, method, text="This method is not implemented in any class"))
    if facts.name != "Win32_Service" or method.lower() not in {"stopservice", "startservice"}:
        raise Refused(errors.unsupported_cim(f"{facts.name}.{method}"))
    keys = Question(question.namespace, question.class_name, ("Name",), question.where)
    names = [msgspec.json.decode(one)["Name"] for one in call.repository.ask(keys)]
    returned = [control(call.world, call.node, name, method, asked=call.asked) for name in names]
    call.world.changed()
    return Answer([{"$type": "System.Collections.Hashtable", "ReturnValue": value} for value in returned])


COMMANDS: Final[dict[str, Handler]] = {
    "Get-CimInstance": get_instance,
    "Get-CimAssociatedInstance": get_associated,
    "Invoke-CimMethod": invoke_method,
}
