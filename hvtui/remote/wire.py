"""From the JSON text of an answer to its record."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from hvtui.errors import BadReply
from hvtui.model.records import Record
from hvtui.remote.contract import FUNCTIONS, WIRE, Function
from hvtui.text import safe_text

# Made before any lane's thread runs: two threads that make the first decoder of a record at one time crash the process.
_DECODERS: Final[dict[type[Record], msgspec.json.Decoder[Any]]] = {
    function.result: msgspec.json.Decoder(function.result) for function in FUNCTIONS.values()
}


def decode(function: Function, text: str, node: str) -> Any:
    """An instance of `function.result`; raises BadReply for anything that is not of the contract's shape."""
    if not text:
        raise BadReply(f"{function.name} on {node} answered nothing", node=node)
    try:
        record = _DECODERS[function.result].decode(text)
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
