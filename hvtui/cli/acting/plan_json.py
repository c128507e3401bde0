"""Plans and runs as JSON: what `-o` writes, `--plan` reads and `--json` prints. Schemas: docs/plan and docs/run."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any, Final

import msgspec

from hvtui.cli.acting.offers import command_of
from hvtui.cli.picture_json import time_json
from hvtui.errors import InputError
from hvtui.model.severity import Severity
from hvtui.operations.plan import PLAN_VERSION, Left, Plan, Refusal, decode_plan
from hvtui.operations.run import Run, RunItem

LARGEST: Final = 50_000_000
"""Bytes; a larger file is no plan."""


def plan_json(plan: Plan) -> dict[str, Any]:
    """The plan with every field, also the empty ones."""
    return whole(plan)  # type: ignore[no-any-return]


def whole(value: Any) -> Any:
    """A record with all its fields, in plain types."""
    if isinstance(value, msgspec.Struct):
        return {name: whole(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, dict):
        return {str(key): whole(inner) for key, inner in value.items()}
    if isinstance(value, tuple | list):
        return [whole(inner) for inner in value]
    if isinstance(value, datetime):
        return time_json(value)
    return value.value if isinstance(value, Enum) else value


def run_json(
    plan: Plan, run: Run | None, *, outcome: str, code: int, left: tuple[Left, ...], held: tuple[Refusal, ...]
) -> dict[str, Any]:
    """What `--apply --json` prints. Without a run nothing was begun."""
    refusals = run.refusals if run is not None and run.refusals else plan.refusals
    return {
        "outcome": outcome,
        "exit": code,
        "operation": run.id if run is not None else None,
        "started": time_json(run.started) if run is not None and run.started is not None else None,
        "ended": time_json(run.ended) if run is not None and run.ended is not None else None,
        "refusals": whole(refusals),
        "left": whole(left),
        "held": whole(held),
        "items": [item_json(item) for item in (run.items if run is not None else ())],
        "stages": [
            {"action": s.action, "node": s.node, "title": s.title, "state": s.state.value, "text": s.text}
            for s in (run.stages if run is not None else ())
        ],
        "lines": [
            {"time": time_json(line.time), "severity": Severity(line.severity).name.lower(), "text": line.text}
            for line in (run.lines if run is not None else ())
        ],
        "offers": [
            {"text": offer.text, "command": command_of(offer)} for offer in (run.offers if run is not None else ())
        ],
        "plan": plan_json(plan),
    }


def item_json(item: RunItem) -> dict[str, Any]:
    """How one VM, or another target, of a run stands."""
    return {
        "target": whole(item.target),
        "state": item.state.value,
        "percent": item.percent,
        "source": item.source,
        "destination": item.destination,
        "text": item.text,
        "code": item.code,
        "advice": item.advice,
    }


def write_plan(path: Path, plan: Plan) -> None:
    """Write a plan for `--plan`. Raises InputError."""
    text = msgspec.json.format(msgspec.json.encode(plan_json(plan)), indent=2)
    try:
        path.write_bytes(text + b"\n")
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror or error}") from None


def read_plan(path: Path) -> Plan:
    """A plan that `-o` wrote. Raises InputError."""
    try:
        if path.stat().st_size > LARGEST:
            raise InputError(f"{path} is too large for a plan")
        plan = decode_plan(path.read_bytes())
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from None
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not a plan: {error}", hint="`-o FILE` of a dry run writes one") from None
    if plan.version != PLAN_VERSION:
        raise InputError(f"{path} is a plan of version {plan.version}; this hvtui reads {PLAN_VERSION}")
    return plan
