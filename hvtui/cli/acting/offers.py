"""What may be done next, as the command to type."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import Final

from hvtui.operations.plan import Verb
from hvtui.operations.run import Offer
from hvtui.operations.verbs.restart import VMMS

_MOST: Final = 50
"""Targets that a command line names; with more it is the same command again that goes on with them."""


def command_of(offer: Offer) -> str:
    """The command line of an offer: a dry run, as everything that is not said to be applied.

    Empty when it names too many things: the command that was typed, typed again, leaves out what is done.
    """
    if len(offer.targets) > _MOST and offer.verb not in {Verb.POLICY_UNDO, Verb.VSSACCESS_UNDO}:
        return ""
    return shlex.join(["hvtui", *_WORDS.get(offer.verb, _moves)(offer)])


def _first(offer: Offer) -> tuple[str, str]:
    """The two parts of the first target's id."""
    left, _, right = offer.targets[0].id.partition("/") if offer.targets else ("", "", "")
    return left, right


def _ids(offer: Offer) -> list[str]:
    return [target.id for target in offer.targets]


def _resume(offer: Offer) -> list[str]:
    failback = "none" if offer.options.get("failback") == "NoFailback" else "immediate"
    return ["resume", _first(offer)[0], "--failback", failback]


def _start_service(offer: Offer) -> list[str]:
    node, service = _first(offer)
    return ["vmms", "--start", node] if service in {"", VMMS} else ["service", node, service]


def _access(offer: Offer) -> list[str]:
    account = _first(offer)[1]
    words = ["set", account, offer.options.get("value", "")] if offer.verb is Verb.VSSACCESS else ["remove", account]
    return ["vssaccess", *words, "--node", *dict.fromkeys(target.id.partition("/")[0] for target in offer.targets)]


def _one_checkpoint(action: str) -> Callable[[Offer], list[str]]:
    def words(offer: Offer) -> list[str]:
        vm, checkpoint = _first(offer)
        return ["checkpoint", action, "--vm", vm, "--checkpoint", checkpoint]

    return words


def _take(offer: Offer) -> list[str]:
    name = offer.options.get("name", "")
    return ["checkpoint", "take", "--vm", *_ids(offer), *(["--name", name] if name else [])]


def _undo(command: str) -> Callable[[Offer], list[str]]:
    return lambda offer: [command, "undo", offer.options.get("operation", "")]


def _moves(offer: Offer) -> list[str]:
    destination = offer.options.get("destination", "")
    return [offer.verb.value, *_ids(offer), *(["--to", destination] if destination else [])]


_WORDS: Final[dict[Verb, Callable[[Offer], list[str]]]] = {
    Verb.RESUME: _resume,
    Verb.DRAIN: lambda offer: ["drain", _first(offer)[0]],
    Verb.START_VMMS: _start_service,
    Verb.SERVICE: lambda offer: ["service", *_first(offer)],
    Verb.VMMS: lambda offer: ["vmms", _first(offer)[0]],
    Verb.POLICY: lambda offer: ["policy", "set", offer.options.get("type", ""), "--vm", *_ids(offer)],
    Verb.POLICY_UNDO: _undo("policy"),
    Verb.CHECKPOINT: _take,
    Verb.APPLY: _one_checkpoint("apply"),
    Verb.REMOVE: _one_checkpoint("remove"),
    Verb.START_VM: lambda offer: ["checkpoint", "start", "--vm", *_ids(offer)[:1]],
    Verb.VSSACCESS: _access,
    Verb.VSSACCESS_REMOVE: _access,
    Verb.VSSACCESS_UNDO: _undo("vssaccess"),
}
