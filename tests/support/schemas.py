"""Holds what commands print against the schemas in docs/."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry, Resource

DOCS = Path(__file__).resolve().parents[2] / "docs"


def schemas() -> dict[str, Any]:
    """Every schema by its name: `status`, `explain`, …"""
    return {
        path.name.removesuffix(".schema.json"): json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(DOCS.glob("*.schema.json"))
    }


def checked(name: str, text: str) -> Any:
    """The one JSON object in `text`, after every value was found to be as the schema says."""
    known = schemas()
    registry: Registry[Any] = Registry().with_resources(
        [(schema["$id"], Resource.from_contents(schema)) for schema in known.values()]
    )
    value = json.loads(text)
    validator = Draft202012Validator(known[name], registry=registry, format_checker=Draft202012Validator.FORMAT_CHECKER)
    faults = [f"{'/'.join(map(str, e.absolute_path))}: {e.message}" for e in validator.iter_errors(value)]
    assert not faults, faults
    return value
