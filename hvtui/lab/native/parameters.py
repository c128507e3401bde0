"""Parameter binding as PowerShell does it: names in any case, ranges and sets checked, the module's defaults."""

from __future__ import annotations

from typing import Any, Final

from hvtui.lab.engine import CommandError
from hvtui.remote.contract import Function, Parameter

_TRUE_RANGE: Final = 2**63


def bind(function: Function, given: dict[str, Any]) -> dict[str, Any]:
    """Values of all parameters; raises CommandError with the ids of PowerShell's own binding errors."""
    known = {parameter.name.lower(): parameter for parameter in function.parameters}
    values: dict[str, Any] = {parameter.name: parameter.default for parameter in function.parameters}
    seen = set()
    for name, value in given.items():
        parameter = known.get(name.lower())
        if parameter is None:
            raise _error(
                function,
                f"A parameter cannot be found that matches parameter name '{name}'.",
                "NamedParameterNotFound",
                "InvalidArgument",
            )
        seen.add(parameter.name)
        values[parameter.name] = _value(function, parameter, value)
    missing = [p.name for p in function.parameters if p.mandatory and p.name not in seen]
    if missing:
        raise _error(
            function,
            "Cannot process command because of one or more missing mandatory parameters: " + " ".join(missing) + ".",
            "MissingMandatoryParameter",
            "InvalidArgument",
        )
    return values


def _value(function: Function, parameter: Parameter, value: Any) -> Any:
    if parameter.type is int:
        return _number(function, parameter, value)
    text = "" if value is None else str(value)
    if parameter.choices:
        for choice in parameter.choices:
            if choice.lower() == text.lower():
                return choice
        raise _invalid(
            function,
            parameter,
            f'The argument "{text}" does not belong to the set "{",".join(parameter.choices)}" specified by the '
            "ValidateSet attribute. Supply an argument that is in the set and then try the command again.",
        )
    return text


def _number(function: Function, parameter: Parameter, value: Any) -> int:
    try:
        number = round(float(value)) if isinstance(value, float) else int(value)
    except (TypeError, ValueError) as error:
        raise _error(
            function,
            f"Cannot process argument transformation on parameter '{parameter.name}'. "
            f'Cannot convert value "{value}" to type "System.Int32".',
            "ParameterArgumentTransformationError",
            "InvalidData",
        ) from error
    low = parameter.minimum if parameter.minimum is not None else -_TRUE_RANGE
    high = parameter.maximum if parameter.maximum is not None else _TRUE_RANGE
    if number < low:
        raise _invalid(
            function,
            parameter,
            f"The {number} argument is less than the minimum allowed range of {low}. Supply an argument that is "
            f"greater than or equal to {low} and then try the command again.",
        )
    if number > high:
        raise _invalid(
            function,
            parameter,
            f"The {number} argument is greater than the maximum allowed range of {high}. Supply an argument that is "
            f"less than or equal to {high} and then try the command again.",
        )
    return number


def _invalid(function: Function, parameter: Parameter, text: str) -> CommandError:
    return _error(
        function,
        f"Cannot validate argument on parameter '{parameter.name}'. {text}",
        "ParameterArgumentValidationError",
        "InvalidData",
    )


def _error(function: Function, text: str, error_id: str, category: str) -> CommandError:
    return CommandError(text, error_id=f"{error_id},{function.name}", category=category, target="")
