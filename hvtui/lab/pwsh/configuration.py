"""Session configuration files for the engine: restricted endpoints (JEA), and the culture of a node."""

from __future__ import annotations

import re
import uuid
from importlib import resources
from pathlib import Path
from typing import Final

from hvtui.lab.endpoint.runspace import RunspaceOptions
from hvtui.remote.contract import MODULE

READER: Final = "HvTuiReader"
OPERATOR: Final = "HvTuiOperator"
_MODULES: Final = ["CimCmdlets", "FailoverClusters", "Hyper-V", MODULE]
"""A restricted session loads no module by itself, also not one that its functions need."""
CULTURES: Final = {
    "de-DE": ("GregorianCalendar", ",", ".", "-"),
    "th-TH": ("ThaiBuddhistCalendar", ".", ",", "-"),
    "fa-IR": ("PersianCalendar", "/", ",", "\u200e-"),
    "ar-SA": ("UmAlQuraCalendar", "\u066b", "\u066c", "\u061c-"),
    "he-IL": ("HebrewCalendar", ".", ",", "\u200e-"),
}
"""A culture's calendar, decimal and group separator and minus sign, as far as they can change what a program writes."""

_VISIBLE: Final = re.compile(r"^\s*VisibleFunctions\s*=\s*(?:@\()?(.*?)(?:\)|^\s*\w+\s*=|\Z)", re.MULTILINE | re.DOTALL)
_NAME: Final = re.compile("'([^']+)'")

# The engine may lack the data of every culture but the invariant one; that one is changed to behave like another.
_CULTURE: Final = """\
$culture = [cultureinfo]::InvariantCulture.Clone()
$numbers = $culture.NumberFormat
foreach ($kind in 'Number', 'Currency', 'Percent') {{
    $numbers."${{kind}}DecimalSeparator" = '{decimal}'
    $numbers."${{kind}}GroupSeparator" = '{group}'
}}
$numbers.NegativeSign = '{minus}'
$hidden = [System.Reflection.BindingFlags]'NonPublic, Instance'
$field = [System.Globalization.DateTimeFormatInfo].GetField('calendar', $hidden)
$field.SetValue($culture.DateTimeFormat, [System.Globalization.{calendar}]::new())
[cultureinfo]::DefaultThreadCurrentCulture = $culture
# A pipeline's thread begins with the culture of the engine's own user; the first command that is looked up changes it.
$ExecutionContext.SessionState.InvokeCommand.PreCommandLookupAction = {{
    [cultureinfo]::CurrentCulture = [cultureinfo]::DefaultThreadCurrentCulture
}}
"""


def visible_functions(role: str) -> list[str]:
    """The functions that a role of the packaged module shows, from its role capability file."""
    file = resources.files("hvtui").joinpath("powershell", MODULE, "RoleCapabilities", f"{role}.psrc")
    text = re.sub(r"#.*", "", file.read_text(encoding="utf-8-sig"))
    found = _VISIBLE.search(text)
    return _NAME.findall(found[1]) if found else []


def culture_script(culture: tuple[str, str, str, str]) -> str:
    """The script that makes an engine's session behave as under a culture like those of CULTURES."""
    calendar, decimal, group, minus = culture
    return _CULTURE.format(calendar=calendar, decimal=decimal, group=group, minus=minus)


def write_configuration(folder: Path, name: str, options: RunspaceOptions, culture: str = "") -> Path | None:
    """The file for `pwsh -ConfigurationFile`; None for an ordinary session.

    Which account gets which role is the business of Windows; here a session configuration has its role by itself.
    """
    lines = []
    if options.language == "none":
        roles = (READER, OPERATOR) if options.operator else (READER,)
        names = [function for role in roles for function in visible_functions(role)]
        lines = [
            "SessionType = 'RestrictedRemoteServer'",
            "LanguageMode = 'NoLanguage'",
            *(
                [f"ModulesToImport = {_list(_MODULES)}", f"VisibleFunctions = {_list(names)}"]
                if options.installed
                else []
            ),
        ]
    elif options.language == "constrained":
        lines = ["SessionType = 'Default'", "LanguageMode = 'ConstrainedLanguage'"]
    elif culture:
        lines = ["SessionType = 'Default'"]
    if culture:
        script = folder / f"{culture}.ps1"
        script.write_text(culture_script(CULTURES[culture]), encoding="utf-8-sig")
        lines.append(f"ScriptsToProcess = {_list([str(script)])}")
    if not lines:
        return None
    path = folder / f"{_safe(name)}.pssc"
    head = ["SchemaVersion = '2.0.0.0'", f"GUID = '{uuid.uuid4()}'"]
    path.write_text("@{\n" + "\n".join(f"    {line}" for line in [*head, *lines]) + "\n}\n", encoding="utf-8-sig")
    return path


def _list(names: list[str]) -> str:
    return "@(" + ", ".join("'" + name.replace("'", "''") + "'" for name in names) + ")"


def _safe(name: str) -> str:
    return re.sub("[^A-Za-z0-9.]", "_", name)
