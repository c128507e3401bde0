"""CLIXML that goes to the client: output strings and error records as Windows PowerShell writes them."""

from __future__ import annotations

import re
from typing import Any, Final
from xml.sax.saxutils import escape

from psrpcore.types import ErrorCategory, ErrorCategoryInfo, ErrorRecord, NETException, PSObject, add_note_property

from hvtui.lab.engine import CommandError

_ENCODED: Final = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\U00010000-\U0010ffff]|_(?=[xX])")
_RESULT_ERROR: Final = -2146233087

# Base types between the exception and System.Exception; a client may test for any of them.
_RUNTIME: Final = ("System.Management.Automation.RuntimeException", "System.SystemException")
_BASES: Final = {
    "System.Management.Automation.RuntimeException": ("System.SystemException",),
    "System.Management.Automation.ParentContainsErrorRecordException": ("System.SystemException",),
    "System.IO.FileNotFoundException": ("System.IO.IOException", "System.SystemException"),
    "System.UnauthorizedAccessException": ("System.SystemException",),
    "Microsoft.Management.Infrastructure.CimException": (),
    "Microsoft.PowerShell.Commands.WriteErrorException": ("System.SystemException",),
}


def string(text: str) -> bytes:
    """A string object. Control characters and surrogate halves are written `_xHHHH_`, as .NET does it."""
    return f"<S>{escape(_encoded(text))}</S>".encode()


def _encoded(text: str) -> str:
    return _ENCODED.sub(_encode, text)


def _encode(match: re.Match[str]) -> str:
    units = match.group().encode("utf-16-be", "surrogatepass")
    return "".join(f"_x{units[at : at + 2].hex().upper()}_" for at in range(0, len(units), 2))


def error_record(error: CommandError, *, activity: str) -> Any:
    """The error record of an error; `activity` is the command that says it, empty for the engine itself."""
    name = error.exception.rpartition(".")[2]
    exception = NETException(Message=error.text, HResult=_RESULT_ERROR)
    exception.PSObject.type_names = [
        error.exception,
        *_BASES.get(error.exception, _RUNTIME),
        "System.Exception",
        "System.Object",
    ]
    # psrpcore writes ToString as it is.
    exception.PSObject.to_string = _encoded(f"{error.exception}: {error.text}")
    record = ErrorRecord(
        Exception=exception,
        CategoryInfo=ErrorCategoryInfo(
            Category=ErrorCategory[error.category],
            Activity=activity,
            Reason=name,
            TargetName=error.target,
            TargetType="String" if error.target else "",
        ),
        TargetObject=error.target or None,
        FullyQualifiedErrorId=error.error_id,
    )
    record.PSObject.to_string = _encoded(error.text)
    return record


def custom_object(type_names: tuple[str, ...], **properties: Any) -> Any:
    """An object with note properties, such as what Get-Command gives."""
    thing = PSObject()
    thing.PSObject.type_names = list(type_names)
    for key, value in properties.items():
        add_note_property(thing, key, value)
    return thing
