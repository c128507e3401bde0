"""Parameter binding: what PowerShell checks before a function runs, from the one table of the contract."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from hvtui.lab.engine import CommandError
from hvtui.model.secret import GuestCredential
from hvtui.remote.contract import FUNCTIONS, Parameter

_COMMON: Final = frozenset({"erroraction", "warningaction", "informationaction", "verbose", "debug", "outbuffer"})
_NET: Final = {str: "String", int: "Int32", bool: "Boolean"}
_EXCEPTION: Final = "System.Management.Automation.ParameterBindingException"


def bind(function: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters as the function sees them, by their exact names, defaults left out.

    Raises CommandError with the ids and categories of Windows PowerShell 5.1. A function that the contract does not
    list takes what comes.
    """
    entry = FUNCTIONS.get(function)
    if entry is None:
        return dict(given)
    known = {parameter.name.lower(): parameter for parameter in entry.parameters}
    bound: dict[str, Any] = {}
    for name, value in given.items():
        if name.lower() in _COMMON:
            continue
        parameter = known.get(name.lower())
        if parameter is None:
            raise _refused(
                f"A parameter cannot be found that matches parameter name '{name}'.", "NamedParameterNotFound", function
            )
        bound[parameter.name] = _value(function, parameter, value)
    for parameter in entry.parameters:
        if parameter.mandatory and parameter.name not in bound:
            raise _refused(
                f"Cannot process command because of one or more missing mandatory parameters: {parameter.name}.",
                "MissingMandatoryParameter",
                function,
            )
    return bound


def _value(function: str, parameter: Parameter, value: Any) -> str | int | GuestCredential:
    if parameter.type is GuestCredential:
        if isinstance(value, GuestCredential):
            return value
        raise CommandError(
            f"Cannot process argument transformation on parameter '{parameter.name}'. Cannot convert the \"{value}\" "
            f'value of type "System.{_NET.get(type(value), "Object")}" to type '
            '"System.Management.Automation.PSCredential".',
            error_id=f"ParameterArgumentTransformationError,{function}",
            category="InvalidData",
            exception="System.Management.Automation.ParameterBindingArgumentTransformationException",
        )
    if parameter.type is str:
        text = str(value)
        if parameter.choices:
            exact = next((choice for choice in parameter.choices if choice.lower() == text.lower()), None)
            if exact is None:
                raise _invalid(
                    function,
                    parameter,
                    f'The argument "{text}" does not belong to the set "{",".join(parameter.choices)}" specified by '
                    "the ValidateSet attribute. Supply an argument that is in the set and then try the command again.",
                )
            return exact
        if parameter.pattern and not re.search(parameter.pattern, text, re.IGNORECASE):
            raise _invalid(
                function,
                parameter,
                f'The argument "{text}" does not match the "{parameter.pattern}" pattern. Supply an argument that '
                f'matches "{parameter.pattern}" and try the command again.',
            )
        return text
    try:
        number = int(value)
    except (TypeError, ValueError):
        raise CommandError(
            f"Cannot process argument transformation on parameter '{parameter.name}'. Cannot convert value "
            f'"{value}" to type "System.Int64". Error: "Input string was not in a correct format."',
            error_id=f"ParameterArgumentTransformationError,{function}",
            category="InvalidData",
            exception="System.Management.Automation.ParameterBindingArgumentTransformationException",
        ) from None
    if parameter.minimum is not None and number < parameter.minimum:
        raise _invalid(
            function,
            parameter,
            f"The {number} argument is less than the minimum allowed range of {parameter.minimum}. Supply an argument "
            f"that is greater than or equal to {parameter.minimum} and then try the command again.",
        )
    if parameter.maximum is not None and number > parameter.maximum:
        raise _invalid(
            function,
            parameter,
            f"The {number} argument is greater than the maximum allowed range of {parameter.maximum}. Supply an "
            f"argument that is less than or equal to {parameter.maximum} and then try the command again.",
        )
    return number


def _refused(text: str, error_id: str, function: str) -> CommandError:
    return CommandError(text, error_id=f"{error_id},{function}", category="InvalidArgument", exception=_EXCEPTION)


def _invalid(function: str, parameter: Parameter, why: str) -> CommandError:
    return CommandError(
        f"Cannot validate argument on parameter '{parameter.name}'. {why}",
        error_id=f"ParameterArgumentValidationError,{function}",
        category="InvalidData",
        exception="System.Management.Automation.ParameterBindingValidationException",
    )
