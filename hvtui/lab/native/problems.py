"""Why a node cannot tell something, in the words and numbers of Windows."""

from __future__ import annotations

from typing import Final, NamedTuple

from hvtui.lab.world.node import Node


class Trouble(NamedTuple):
    """A reason without its part: kind, text and code of a `Problem`."""

    kind: str
    text: str
    code: str


TIMEOUT: Final = Trouble("timeout", "The operation has timed out.", "0x80041069")
# To an account without rights both namespaces answer with empty lists, not with an error.
NO_MACHINES: Final = Trouble("denied", "root\\virtualization\\v2 shows nothing to this account", "0x80070005")
NO_NODES: Final = Trouble("denied", "root\\MSCluster shows no node to this account", "0x80070005")
WMI_DENIED: Final = Trouble("denied", "Access denied", "0x80041003")
DENIED: Final = Trouble("denied", "Access is denied.", "0x80070005")
LOG_DENIED: Final = Trouble("denied", "Attempted to perform an unauthorized operation.", "0x80070005")
HYPERV_DENIED: Final = Trouble(
    "other",
    "You do not have the required permission to complete this task. Contact the administrator of the authorization "
    "policy for the computer.",
    "",
)
NO_CLASS: Final = Trouble("missing", "Invalid class", "0x80041010")
GONE: Final = Trouble("unavailable", "The RPC server is unavailable.", "0x800706ba")
NO_CLUSTER: Final = Trouble("unavailable", "The cluster service is not running.", "0x800713ac")
NO_NAMESPACE: Final = Trouble("missing", "Invalid namespace", "0x8004100e")

_KINDS: Final = {
    "timeout": TIMEOUT,
    "denied": WMI_DENIED,
    "unavailable": GONE,
    "missing": Trouble("missing", "Not found", "0x80041002"),
    "other": Trouble("other", "Generic failure", "0x80041001"),
}


def hyperv_trouble(node: Node) -> Trouble | None:
    """What a question to root\\virtualization\\v2 runs into; its provider is vmms.exe (windows.md §3.1)."""
    faults = node.faults
    if faults.not_hyperv:
        return NO_NAMESPACE
    if "hyperv" in faults.rights:
        return NO_MACHINES
    if node.services["vmms"].state == "Stopped":
        return GONE
    return TIMEOUT if faults.vmms_hung else None


def cluster_trouble(node: Node) -> Trouble | None:
    """What a question to the cluster service runs into."""
    faults = node.faults
    if "cluster" in faults.rights:
        return DENIED
    if node.services["ClusSvc"].state != "Running":
        return NO_CLUSTER
    return TIMEOUT if faults.cluster_service_hung else None


def part_trouble(node: Node, part: str) -> Trouble | None:
    """A part that this node cannot read for a reason of its own."""
    kind = node.faults.unreadable.get(part)
    return None if kind is None else _KINDS.get(kind, _KINDS["other"])


def part_problem(part: str, kind: str) -> dict[str, str]:
    """The wire record of a part that cannot be read, by the kind of its problem."""
    return problem(part, _KINDS.get(kind, _KINDS["other"]))


def hyperv_command(trouble: Trouble | None) -> Trouble | None:
    """What a Hyper-V command makes of a trouble: that something is denied it says in words, without a number."""
    return HYPERV_DENIED if trouble is not None and trouble.kind == "denied" else trouble


def problem(part: str, trouble: Trouble) -> dict[str, str]:
    """The wire record of a problem."""
    return {"part": part, "kind": trouble.kind, "text": trouble.text, "code": trouble.code}
