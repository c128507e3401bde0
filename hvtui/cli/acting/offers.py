"""What may be done next, as the command to type."""

from __future__ import annotations

import shlex

from hvtui.operations.plan import Verb
from hvtui.operations.run import Offer
from hvtui.operations.verbs.restart import VMMS


def command_of(offer: Offer) -> str:
    """The command line of an offer: a dry run, as everything that is not said to be applied."""
    node, _, service = offer.targets[0].id.partition("/") if offer.targets else ("", "", "")
    if offer.verb is Verb.RESUME:
        failback = "none" if offer.options.get("failback") == "NoFailback" else "immediate"
        words = ["resume", node, "--failback", failback]
    elif offer.verb is Verb.DRAIN:
        words = ["drain", node]
    elif offer.verb is Verb.START_VMMS:
        words = ["vmms", "--start", node] if service in {"", VMMS} else ["service", node, service]
    elif offer.verb is Verb.SERVICE:
        words = ["service", node, service]
    elif offer.verb is Verb.VMMS:
        words = ["vmms", node]
    else:
        destination = offer.options.get("destination", "")
        words = [offer.verb.value, *(t.id for t in offer.targets), *(["--to", destination] if destination else [])]
    return shlex.join(["hvtui", *words])
