"""What a runspace of the lab knows: its language mode, the HvTui module, and the few commands beside it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from hvtui.lab.endpoint import records
from hvtui.lab.endpoint.binding import bind
from hvtui.lab.engine import Call, CommandError, Engine, Spent
from hvtui.remote.contract import CONTRACT, FUNCTIONS, MODULE

Language = Literal["full", "constrained", "none"]
"""FullLanguage; ConstrainedLanguage (an application control policy); NoLanguage (a JEA endpoint)."""

BUILT_IN: Final = frozenset({"Import-Module", "Get-Command", "Get-Module"})
_AUTOMATION: Final = "System.Management.Automation"
_COMMANDS: Final = "Microsoft.PowerShell.Commands"
_JEA_VISIBLE: Final = frozenset({"Get-Command"})


def whole_build(build: str) -> str:
    """A node's Windows with its major and minor version: what begins with neither 10.0 nor 6 is a build of 10.0."""
    return build if build.startswith(("10.0.", "6.")) else f"10.0.{build}"


@dataclass
class RunspaceOptions:
    """How a node's sessions are set up. `installed` is the version of the module on disk, empty without one.

    `accepted`: sha256 of the script texts that a session runs; the lab refuses every other script. `build` is the
    node's Windows, such as 10.0.17763.1971; PowerShell's own version follows from it. `operator`: a restricted session
    has the operator's functions, too.
    """

    language: Language = "full"
    installed: str = ""
    accepted: frozenset[str] = frozenset()
    build: str = "10.0.20348.2700"
    operator: bool = False


@dataclass
class Command:
    """One command of a pipeline as the client sent it: a name with parameters, or script text."""

    text: str
    is_script: bool
    parameters: dict[str, Any] = field(default_factory=dict)


class Runspace:
    """One session's state. A function of the engine exists here once the module is loaded."""

    def __init__(self, engine: Engine, options: RunspaceOptions) -> None:
        self._engine = engine
        self._options = options
        self._spent = Spent()
        self.loaded = bool(options.language == "none" and options.installed)
        self.fresh = options.language != "none"
        """Whether the first pipeline is still to come: PowerShell then says that it prepares modules."""

    def check_script(self, text: str) -> None:
        """Run a script pipeline; raises CommandError for what this session does not run."""
        if self._options.language == "none":
            raise CommandError(
                "The syntax is not supported by this runspace. This can occur if the runspace is in no-language mode.",
                error_id="ScriptsNotAllowed",
                category="ParserError",
                target=text,
                exception="System.Management.Automation.ParseException",
            )
        if self._options.language == "constrained":
            raise CommandError(
                "Cannot invoke method. Method invocation is supported only on core types in this language mode.",
                error_id="MethodInvocationNotSupportedInConstrainedLanguage",
                category="InvalidOperation",
                exception="System.Management.Automation.PSNotSupportedException",
            )
        if hashlib.sha256(text.encode()).hexdigest() not in self._options.accepted:
            raise CommandError(
                "The lab runs named commands and exactly one script: the text of the module it was told to accept.",
                error_id="LabScriptNotAccepted",
                category="PermissionDenied",
            )
        self.loaded = True

    def _functions(self) -> set[str]:
        """The engine's functions that this session shows: a restricted one changes nothing without that role."""
        found = set(self._engine.functions())
        if self._options.language == "none" and not self._options.operator:
            found = {name for name in found if name not in FUNCTIONS or not FUNCTIONS[name].operators}
        return found

    def function(self, name: str) -> str | None:
        """The exact name of an engine function that exists here, None without it."""
        known = {entry.lower(): entry for entry in self._functions()}
        found = known.get(name.lower())
        if found and not self.loaded and self._options.language != "none" and self._options.installed == CONTRACT:
            # PowerShell finds an exported command in an installed module and loads that by itself.
            self.loaded = True
        return found if self.loaded else None

    def built_in(self, name: str) -> str | None:
        """The exact name of one of the lab's own commands, None when this session has no such."""
        visible = _JEA_VISIBLE if self._options.language == "none" else BUILT_IN
        return next((entry for entry in visible if entry.lower() == name.lower()), None)

    def call(self, name: str, parameters: Mapping[str, Any]) -> Call:
        """Bind a function's parameters; raises CommandError."""
        # A restricted endpoint runs whatever version is installed; elsewhere the client sees to it that it is this one.
        restricted = self._options.language == "none"
        contract = self._options.installed if restricted else CONTRACT
        return Call(name, bind(name, parameters), spent=self._spent, contract=contract)

    def run_built_in(self, name: str, parameters: Mapping[str, Any]) -> tuple[list[Any], list[CommandError]]:
        """Output objects and non-terminating errors of one of the lab's own commands."""
        given = {key.lower(): value for key, value in parameters.items()}
        asked = given.get("name", given.get("", "*"))
        names = [str(entry) for entry in asked] if isinstance(asked, list) else [str(asked)]
        errors: list[CommandError] = []
        found: list[Any] = []
        for entry in names:
            if name == "Import-Module":
                error = self._import(entry, str(given.get("requiredversion") or ""))
                if error:
                    errors.append(error)
            elif name == "Get-Module":
                found.extend(self._modules(entry, listed=bool(given.get("listavailable"))))
            else:
                found.extend(self._commands(entry, errors))
        if errors and str(given.get("erroraction", "")).lower() in ("stop", "1"):
            raise errors[0]
        if str(given.get("erroraction", "")).lower() in ("silentlycontinue", "ignore", "0", "4"):
            errors = []
        return found, errors

    def _import(self, module: str, version: str) -> CommandError | None:
        installed = self._options.installed
        if module.lower() == MODULE.lower() and installed and version in ("", installed):
            # Another version's functions are not this contract's; the session then has none that the lab can answer.
            self.loaded = installed == CONTRACT
            return None
        if module.lower() == MODULE.lower() and self.loaded and version in ("", CONTRACT):
            return None
        with_version = f" with version '{version}'" if version else ""
        return CommandError(
            f"The specified module '{module}'{with_version} was not loaded because no valid module file was found in "
            "any module directory.",
            error_id=f"Modules_Module{'WithVersion' if version else ''}NotFound,{_COMMANDS}.ImportModuleCommand",
            category="ResourceUnavailable",
            target=module,
            exception="System.IO.FileNotFoundException",
        )

    def _modules(self, pattern: str, *, listed: bool) -> list[Any]:
        version = self._options.installed if listed else (CONTRACT if self.loaded else "")
        if not version or pattern.lower() not in ("*", MODULE.lower()):
            return []
        names = (f"{_AUTOMATION}.PSModuleInfo", "System.Object")
        return [records.custom_object(names, Name=MODULE, Version=version)]

    def _commands(self, pattern: str, errors: list[CommandError]) -> list[Any]:
        if pattern == "*":
            names = sorted((*(self._functions() if self.loaded else ()), *BUILT_IN))
        else:
            exact = self.function(pattern) or self.built_in(pattern)
            if exact is None:
                errors.append(
                    not_found(pattern, "CommandNotFoundException,Microsoft.PowerShell.Commands.GetCommandCommand")
                )
            names = [exact] if exact else []
        kind = (
            "System.Management.Automation.FunctionInfo",
            "System.Management.Automation.CommandInfo",
            "System.Object",
        )
        return [
            records.custom_object(kind, Name=name, Source=MODULE if name in FUNCTIONS else "", Version=CONTRACT)
            for name in names
        ]


def not_found(name: str, error_id: str = "CommandNotFoundException") -> CommandError:
    """What PowerShell 5.1 says of a name it does not know."""
    return CommandError(
        f"The term '{name}' is not recognized as the name of a cmdlet, function, script file, or operable program. "
        "Check the spelling of the name, or if a path was included, verify that the path is correct and try again.",
        error_id=error_id,
        category="ObjectNotFound",
        target=name,
        exception="System.Management.Automation.CommandNotFoundException",
    )
