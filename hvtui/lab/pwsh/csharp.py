"""The C# text of one Windows version's stubs: real enums, classes and commands from the facts of the extract."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from hvtui.lab.pwsh.binding import Command, Parameter

# C#'s own words among the names of properties, parameters and enum members.
_KEYWORDS: Final = frozenset(
    {"base", "checked", "class", "default", "event", "fixed", "in", "internal", "is", "new"}
) | {
    *("null", "object", "out", "override", "private", "public", "ref", "static", "string", "switch", "using", "virtual")
}
# Members of every command's base class; a parameter of that name hides it, as in the real commands.
_INHERITED: Final = frozenset({"CommandOrigin", "CommandRuntime", "CurrentPSTransaction", "Events", "Host"}) | {
    *("InvokeCommand", "InvokeProvider", "JobManager", "JobRepository", "MyInvocation", "PagingParameters"),
    *("ParameterSetName", "SessionState", "Stopping"),
}
_SHORT: Final = {
    "string": "string",
    "switch": "System.Management.Automation.SwitchParameter",
    "SwitchParameter": "System.Management.Automation.SwitchParameter",
    "int": "int",
    "long": "long",
    "bool": "bool",
    "byte": "byte",
    "uint16": "ushort",
    "uint32": "uint",
    "uint64": "ulong",
    "int16": "short",
    "guid": "System.Guid",
    "datetime": "System.DateTime",
    "timespan": "System.TimeSpan",
    # Only Windows' own engine has this enum.
    "EventLogEntryType": "HvTuiLab.EventLogEntryType",
    "version": "System.Version",
    "uri": "System.Uri",
    "xml": "System.Xml.XmlDocument",
    "hashtable": "System.Collections.Hashtable",
    "scriptblock": "System.Management.Automation.ScriptBlock",
    "IDictionary": "System.Collections.IDictionary",
    "psobject": "System.Management.Automation.PSObject",
    "pscredential": "System.Management.Automation.PSCredential",
    "securestring": "System.Security.SecureString",
    "CimSession": "Microsoft.Management.Infrastructure.CimSession",
    "ciminstance": "HvTuiLab.CimInstance",
    "cimclass": "HvTuiLab.CimClass",
    "ServiceController": "HvTuiLab.ServiceController",
    # Types of documents, which name them without their namespace.
    "String": "string",
    "Boolean": "bool",
    "Int32": "int",
    "Int64": "long",
    "UInt32": "uint",
    "UInt64": "ulong",
    "Guid": "System.Guid",
    "PSCredential": "System.Management.Automation.PSCredential",
    "PSObject": "System.Management.Automation.PSObject",
    "StringCollection": "System.Collections.Specialized.StringCollection",
}
_OWN: Final = {"Microsoft.Management.Infrastructure.CimInstance": "HvTuiLab.CimInstance"}
_NAME: Final = re.compile(r"[A-Za-z_][\w.]*(?:\+\w+)?")
# Classes of which the engine has one of that name that works on Windows only.
_SHADOWED: Final = ("System.Diagnostics.Eventing.Reader.", "System.ServiceProcess.ServiceController")

_ENTRY_TYPE: Final = (
    "namespace HvTuiLab { public enum EventLogEntryType { Error = 1, Warning = 2, Information = 4, "
    "SuccessAudit = 8, FailureAudit = 16 } }"
)
_FACT: Final = (
    'namespace HvTuiLab { [System.Management.Automation.Cmdlet("Get", "HvTuiLabFact")] '
    "public sealed class GetHvTuiLabFactCommand : FactCmdlet { } }"
)
# A provider is found in the assembly that is the module.
_REGISTRY: Final = (
    'namespace HvTuiLab { [System.Management.Automation.Provider.CmdletProvider("Registry", '
    "System.Management.Automation.Provider.ProviderCapabilities.ShouldProcess)] "
    "public sealed class RegistryProvider : RegistryBase { } }"
)


class Source:
    """Makes the C# texts of one version; `texts()` gives them."""

    def __init__(self, extract: dict[str, Any], supplement: dict[str, Any], version: str) -> None:
        self._supplement = supplement
        self._absent: dict[str, dict[str, str]] = supplement["absent"].get(version, {})
        self._enums: dict[str, dict[str, int]] = dict(extract["enums"])
        self._enums.update({name: entry[0] for name, entry in supplement["enums"].items()})
        self._classes: dict[str, dict[str, str]] = {
            name: members for name, members in extract["classes"].items() if ".Commands." not in name
        }
        for name, members in supplement["classes"].items():
            self._classes[name] = {member: entry[0] for member, entry in members.items()}
        for name, members in self._absent.items():
            self._classes[name] = {key: kind for key, kind in self._classes[name].items() if key not in members}
        self._by_short = {name.rsplit(".", 1)[1]: name for name in (*self._classes, *self._enums)}
        self._opaque: set[str] = set()

    def texts(self, commands: list[Command]) -> dict[str, str]:
        """Assembly name to text: HvTuiLab with the types that all share, and one of the commands of each module."""
        found: dict[str, list[str]] = {}
        for command in commands:
            found.setdefault(command.module, []).append(self._command(command))
        found["HvTuiWindows"] += [_FACT, _REGISTRY]
        parts = [self._absences(), _ENTRY_TYPE]
        parts.extend(self._enum(name, members) for name, members in self._enums.items())
        parts.extend(self._class(name, members) for name, members in self._classes.items())
        done: set[str] = set()
        while self._opaque - done:
            # Types of which only the name is known; one may bring in another.
            for name in sorted(self._opaque - done):
                done.add(name)
                parts.append(self._class(name, {}))
        return {"HvTuiLab": "\n".join(parts), **{module: "\n".join(lines) for module, lines in found.items()}}

    def _enum(self, name: str, members: dict[str, int]) -> str:
        space, short = name.rsplit(".", 1)
        values = set(members.values())
        flags = 4 in values and 3 not in values and all(value & (value - 1) == 0 or value < 0 for value in values)
        kind = self._supplement["underlying"].get(name, "int")
        body = ", ".join(f"{_safe(member)} = {value}" for member, value in members.items())
        mark = "[System.Flags] " if flags else ""
        return f"namespace {space} {{ {mark}public enum {short} : {kind} {{ {body} }} }}"

    def _class(self, name: str, members: dict[str, str]) -> str:
        space, short = name.rsplit(".", 1)
        base = self._supplement["bases"].get(name)
        inherited: dict[str, str] = {}
        if base is not None:
            inherited = self._members(base)
            missing = {key for key, kind in inherited.items() if members.get(key) != kind}
            if missing:
                raise ValueError(f"{name} is no {base}: it lacks {sorted(missing)}")
        own = {key: kind for key, kind in members.items() if key not in inherited}
        settable = self._supplement["settable"].get(name, {}).get("properties", ())
        lines = [self._property(key, kind, settable=key in settable) for key, kind in sorted(own.items())]
        heads = [] if base is None else [self._type(base)]
        shadowed = name.startswith(_SHADOWED)
        if shadowed:
            space = "HvTuiLab"
            heads.append("INoted")
            if short != "EventLogRecord":
                wrapped = "System.Management.Automation.PSObject"
                lines.append(f'{wrapped} INoted.Note() {{ return Noted.As(this, "{name}"); }}')
        if members.get("Name") == "System.String" and name.startswith("Microsoft.FailoverClusters."):
            lines.append("public override string ToString() { return Name; }")
        elif short == "VirtualMachine":
            shown = '"VirtualMachine (Name = \'" + Name + "\') [Id = \'" + Id + "\']"'
            lines.append(f"public override string ToString() {{ return {shown}; }}")
        follows = " : " + ", ".join(heads) if heads else ""
        body = " ".join(lines)
        return f"namespace {space} {{ public partial class {short}{follows} {{ internal {short}() {{ }} {body} }} }}"

    def _property(self, name: str, kind: str, *, settable: bool) -> str:
        """A property of an answer; one that is settable writes through to the cluster, and has a twin that does not."""
        of = self._type(kind)
        if not settable:
            return f"public {of} {_safe(name)} {{ get; internal set; }}"
        write = f'HvTuiLab.Settable.Write(this, Id, "{name}", value); Raw_{name} = value;'
        public = f"public {of} {name} {{ get {{ return Raw_{name}; }} set {{ {write} }} }}"
        return f"internal {of} Raw_{name} {{ get; set; }} {public}"

    def _members(self, name: str) -> dict[str, str]:
        if name in self._classes:
            return self._classes[name]
        self._opaque.add(name)
        return {}

    def _absences(self) -> str:
        names = [f"{name}.{member}" for name, members in self._absent.items() for member in members]
        texts = ", ".join(f'"{name}"' for name in names)
        return (
            "namespace HvTuiLab { internal static class Absent { private static readonly "
            "System.Collections.Generic.HashSet<string> Names = new System.Collections.Generic.HashSet<string> "
            f"{{ {texts} }}; internal static bool Has(string type, string member) "
            '{ return Names.Contains(type + "." + member); } } }'
        )

    def _command(self, command: Command) -> str:
        space, short = command.type_name.rsplit(".", 1)
        verb, noun = command.name.split("-", 1)
        extra = ""
        if command.asks:
            extra += ", SupportsShouldProcess = true"
            if command.impact:
                extra += f", ConfirmImpact = System.Management.Automation.ConfirmImpact.{command.impact}"
        if command.default_set:
            extra += f', DefaultParameterSetName = "{command.default_set}"'
        lines = [f'[System.Management.Automation.Cmdlet("{verb}", "{noun}"{extra})]']
        lines.append(f"public class {short} : {command.base} {{")
        if command.asks:
            lines.append("protected override bool Asks { get { return true; } }")
        for parameter in command.parameters:
            lines.extend(self._parameter(parameter))
        lines.append("}")
        return f"namespace {space} {{ {' '.join(lines)} }}"

    def _parameter(self, parameter: Parameter) -> Iterator[str]:
        for name, flags in parameter.sets.items():
            said = []
            if name != "*":
                said.append(f'ParameterSetName = "{name}"')
            if flags.mandatory:
                said.append("Mandatory = true")
            if flags.position is not None:
                said.append(f"Position = {flags.position}")
            if flags.by_value:
                said.append("ValueFromPipeline = true")
            if flags.by_name:
                said.append("ValueFromPipelineByPropertyName = true")
            yield f"[System.Management.Automation.Parameter({', '.join(said)})]"
        if parameter.aliases:
            yield f"[System.Management.Automation.Alias({_texts(parameter.aliases)})]"
        if parameter.not_null:
            yield "[System.Management.Automation.ValidateNotNull]"
        if parameter.not_empty:
            yield "[System.Management.Automation.ValidateNotNullOrEmpty]"
        if parameter.values:
            yield f"[System.Management.Automation.ValidateSet({_texts(parameter.values)})]"
        kind = self._type(parameter.type)
        if parameter.range:
            inner = kind.removesuffix("[]").removeprefix("System.Nullable<").removesuffix(">")
            bounds = ", ".join(f"({inner})({bound})" for bound in parameter.range)
            yield f"[System.Management.Automation.ValidateRange({bounds})]"
        if parameter.ps_type and kind.startswith("System.Management.Automation.PSObject"):
            # Other types say for themselves what they take.
            yield f'[System.Management.Automation.PSTypeName("{parameter.ps_type}")]'
        hides = "new " if parameter.name in _INHERITED else ""
        yield f"public {hides}{kind} {_safe(parameter.name)} {{ get; set; }}"

    def _type(self, text: str) -> str:
        """A type of the facts as C# writes it; a name that no fact explains becomes a class without members."""
        return _NAME.sub(
            lambda found: self._type_name(found.group()),
            text.replace("[]", "\0").replace("[", "<").replace("]", ">").replace("\0", "[]"),
        )

    def _type_name(self, name: str) -> str:
        if "+" in name:
            outer, inner = name.split("+")
            name = outer.rsplit(".", 1)[0] + "." + inner
        if name in _SHORT:
            return _SHORT[name]
        if name in _OWN:
            return _OWN[name]
        if name.startswith("Microsoft.HyperV.PowerShell.Commands.RestartVM."):
            name = name.replace("RestartVM.", "")
        if "." not in name:
            # Documents leave the namespace out; what they alone know is taken as it comes.
            name = self._by_short.get(name, "System.Object")
        if name.startswith(_SHADOWED):
            return "HvTuiLab." + name.rsplit(".", 1)[1] if name in self._classes else name
        if name in self._classes or name in self._enums or name.startswith(("System.", "Microsoft.Management.")):
            return name
        self._opaque.add(name)
        return name


def types_xml(module: str, members: dict[str, dict[str, list[str]]]) -> str:
    """The type data of a module: alias members, and for CIM the adapter that shows an instance's properties."""
    parts = []
    if module == "CimCmdlets":
        parts.append(
            "<Type><Name>HvTuiLab.CimInstance</Name><TypeAdapter><TypeName>HvTuiLab.CimAdapter</TypeName></TypeAdapter></Type>"
        )
    for name, aliases in members.items():
        if (module == "Hyper-V") != name.startswith("Microsoft.HyperV.") or module not in ("Hyper-V", "HvTuiWindows"):
            continue
        own = f"HvTuiLab.{name.rsplit('.', 1)[1]}" if name.startswith(_SHADOWED) else name
        texts = "".join(
            f"<AliasProperty><Name>{alias}</Name><ReferencedMemberName>{entry[0]}</ReferencedMemberName></AliasProperty>"
            for alias, entry in aliases.items()
        )
        parts.append(f"<Type><Name>{own}</Name><Members>{texts}</Members></Type>")
    return f'<?xml version="1.0" encoding="utf-8"?>\n<Types>{"".join(parts)}</Types>\n'


def _safe(name: str) -> str:
    return "@" + name if name in _KEYWORDS else name


def _texts(values: tuple[str, ...]) -> str:
    return ", ".join('"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"' for value in values)
