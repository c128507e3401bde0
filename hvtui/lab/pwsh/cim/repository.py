"""Questions to CIM: class and condition to instances, with the errors Windows has for what cannot be asked."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from hvtui.lab.pwsh.cim import clustering, devices, jobs, schema, spaces, storage, virtualization, windows
from hvtui.lab.pwsh.cim.instances import Provider, View, wire
from hvtui.lab.pwsh.commands import errors
from hvtui.lab.pwsh.commands.answer import Refused
from hvtui.lab.pwsh.wql import Join, Term, WqlError, compile_where, names_in

_PROVIDERS: Final = {
    (provider.namespace, provider.name): provider
    for module in (virtualization, jobs, storage, devices, clustering, windows, spaces)
    for provider in module.PROVIDERS
}
_encode: Final = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Question:
    """What of a class is asked. No names: all properties."""

    namespace: str
    class_name: str
    names: tuple[str, ...] = ()
    where: Term | Join | None = None
    keys_only: bool = False


@dataclass(slots=True)
class _Plan:
    """A question made ready: how to test and how to write an instance of one class."""

    provider: Provider
    names: tuple[str, ...]
    test: Callable[[Callable[[str], Any]], bool] | None
    needed: frozenset[str]
    kept: dict[Hashable, tuple[Hashable, msgspec.Raw | None]] = field(default_factory=dict)
    """Object → its version and its JSON, None when the condition does not hold for it."""


class Repository:
    """The classes of one node. Answers are kept object by object, as long as an object's version stays the same."""

    def __init__(self, view: View, own: Mapping[str, Provider] | None = None) -> None:
        """`own`: classes of root/cimv2 that this computer has instead of a node's."""
        self.view = view
        self._providers = _PROVIDERS if own is None else {(schema.CIMV2, name): one for name, one in own.items()}
        self._plans: dict[Question, list[_Plan]] = {}

    def ask(self, question: Question) -> list[Any]:
        """The instances, as JSON of the channel; raises Refused."""
        plans = self._plans.get(question)
        if plans is None:
            if len(self._plans) > 200:
                self._plans.clear()
            plans = self._plans[question] = self._prepare(question)
        found: list[Any] = []
        for plan in plans:
            self._run(plan, found)
        return found

    # --- making ready ---

    def _prepare(self, question: Question) -> list[_Plan]:
        facts = find_class(self.view, question.namespace, question.class_name)
        unknown = [name for name in question.names if name.lower() not in facts.properties and name[:2] != "__"]
        if unknown:
            raise Refused(errors.cim(errors.INVALID_QUERY, question.class_name))
        providers = [
            provider for one in facts.line() if (provider := self._providers.get((one.namespace, one.name))) is not None
        ]
        if not providers:
            raise Refused(errors.unsupported_cim(f"class {facts.name}"))
        return [self._plan(question, facts, provider) for provider in providers]

    def _plan(self, question: Question, facts: schema.ClassFacts, provider: Provider) -> _Plan:
        own = schema.find(provider.namespace, provider.name)
        properties = (own or facts).properties
        try:
            test = compile_where(question.where, {**facts.types, "__class": "string"})
        except WqlError as error:
            raise Refused(errors.cim(errors.INVALID_QUERY, question.class_name)) from error
        if question.keys_only:
            names = provider.keys
        elif question.names:
            wanted = [properties[name.lower()][0] for name in question.names if name.lower() in properties]
            names = tuple(dict.fromkeys(name for name in wanted if name in provider.properties))
        else:
            names = tuple(provider.properties)
        tested = {properties[name.lower()][0] for name in names_in(question.where) if name.lower() in properties}
        return _Plan(provider, names, test, frozenset(names) | tested)

    # --- running ---

    def _run(self, plan: _Plan, found: list[Any]) -> None:
        provider, view = plan.provider, self.view
        version_of, key_of = provider.version, provider.key
        if version_of is None or key_of is None or plan.needed & provider.live:
            for one in provider.objects(view):
                made = self._write(plan, one)
                if made is not None:
                    found.append(made)
            return
        kept = plan.kept
        count = 0
        for one in provider.objects(view):
            count += 1
            key, version = key_of(one), version_of(view, one)
            held = kept.get(key)
            if held is None or held[0] != version:
                held = kept[key] = (version, self._write(plan, one))
            if held[1] is not None:
                found.append(held[1])
        if len(kept) > 2 * count + 100:
            kept.clear()

    def _write(self, plan: _Plan, one: Any) -> msgspec.Raw | None:
        provider, view = plan.provider, self.view
        properties = provider.properties
        if plan.test is not None and not plan.test(lambda name: _value(provider, view, one, name)):
            return None
        record = {"$cim": provider.path}
        for name in plan.names:
            record[name] = wire(properties[name](view, one))
        return msgspec.Raw(_encode(record))


def _value(provider: Provider, view: View, one: Any, name: str) -> Any:
    """A property by its name in any case; NULL when the world has no fact for it."""
    getter = provider.properties.get(name)
    if getter is None:
        lower = name.lower()
        if lower == "__class":
            return provider.name
        getter = next((part for key, part in provider.properties.items() if key.lower() == lower), None)
    return None if getter is None else getter(view, one)


def find_class(view: View, namespace: str, class_name: str) -> schema.ClassFacts:
    """A class of a namespace on this node; raises Refused with Windows' error."""
    space = schema.namespace(namespace)
    if space is None or (space == schema.VIRTUALIZATION and view.node.faults.not_hyperv):
        raise Refused(errors.cim(errors.INVALID_NAMESPACE, namespace, text="Invalid namespace"))
    facts = schema.find(space, class_name)
    if facts is None or _absent(view, facts.name):
        raise Refused(errors.cim(errors.INVALID_CLASS, f"{namespace}:{class_name}", text="Invalid class"))
    return facts


def _absent(view: View, name: str) -> bool:
    """A class that this node's Windows has not: no hypervisor, or a Windows older than the class."""
    build = int(view.node.build.split(".")[2])
    return (name == windows.PERFORMANCE and view.node.faults.not_hyperv) or build < _SINCE.get(name, 0)


_SINCE: Final = {"MSCluster_AffinityRule": 20348, "Msvm_GpuPartitionSettingData": 20348}
"""Classes that came later → the first build that has them (Windows Server 2022)."""


def provider_of(namespace: str, class_name: str) -> Provider | None:
    """What the world has of a class."""
    facts = schema.find(namespace, class_name)
    return None if facts is None else _PROVIDERS.get((facts.namespace, facts.name))
