"""From the JSON text of an answer to its record."""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec

from hvtui.errors import BadReply
from hvtui.model.records import Record
from hvtui.remote.contract import WIRE, Function
from hvtui.text import safe_text


@cache
def _decoder(kind: type[Record]) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind)


def decode(function: Function, text: str, node: str) -> Any:
    """An instance of `function.result`; raises BadReply for anything that is not of the contract's shape."""
    if not text:
        raise BadReply(f"{function.name} on {node} answered nothing", node=node)
    try:
        record = _decoder(function.result).decode(text)
    except msgspec.ValidationError as error:
        raise BadReply(
            f"{function.name} on {node} does not keep the contract: {safe_text(str(error))}", node=node
        ) from error
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        start = safe_text(text, 60)
        raise BadReply(
            f"{function.name} on {node} sent no JSON ({safe_text(str(error))}): {start}", node=node
        ) from error
    if record.v != WIRE:
        raise BadReply(f"{function.name} on {node} speaks wire version {record.v}, this hvtui {WIRE}", node=node)
    return record
