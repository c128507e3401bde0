"""The CIM classes as the stubs' assembly reads them: their documents' members, with one spelling of each type."""

from __future__ import annotations

import json
from typing import Any, Final

# Slips of the documents: upper case, and a letter swapped.
_SLIPS: Final = {"unit": "uint"}


def classes(extract: dict[str, Any], supplement: dict[str, Any]) -> dict[str, Any]:
    """Class name to parent, properties (name to CIM type) and methods."""
    found: dict[str, Any] = {}
    for name, entry in {**extract["cim"], **supplement["cim"]}.items():
        found[name] = {
            "parent": entry["parent"],
            "properties": {key: _type(kind) for key, kind in entry["properties"].items()},
            "methods": entry["methods"],
        }
        if entry.get("open"):
            found[name]["open"] = True
    return found


def classes_text(extract: dict[str, Any], supplement: dict[str, Any]) -> str:
    """The same as JSON."""
    return json.dumps(classes(extract, supplement), separators=(",", ":"))


def _type(text: str) -> str:
    head, array = (text[:-2], "[]") if text.endswith("[]") else (text, "")
    if head.endswith(" REF") or head.startswith(("MSCluster_", "CIM_", "Msvm_")):
        return head + array
    head = head.lower()
    for slip, right in _SLIPS.items():
        if head.startswith(slip):
            head = right + head.removeprefix(slip)
    return head + array
