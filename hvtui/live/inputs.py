"""What comes into a Store, one record per kind: enough to put a recorded stream through a Store again.

A picture that is made of an answer (writers, signals) is kept as it was made, so that a recording needs no texts.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from hvtui.model.link import LinkStatus
from hvtui.model.records import ClusterFrame, EventPage, Info, Load, NodeFrame, Provider
from hvtui.model.signals import ChainPicture, FilterPicture, HotfixPicture, ShadowPicture
from hvtui.model.writers import WriterPicture


class Told(msgspec.Struct, frozen=True, tag=True):
    """Base of all inputs; `name` is a node, `""` the cluster's stream."""

    name: str


class Restarted(Told, frozen=True, tag=True):
    """A stream begins anew."""


class Linked(Told, frozen=True, tag=True):
    """The state of a connection was set."""

    status: LinkStatus
    text: str = ""
    hint: str = ""


class ClusterTold(Told, frozen=True, tag=True):
    """A message of the cluster's stream."""

    frame: ClusterFrame


class NodeTold(Told, frozen=True, tag=True):
    """A message of a node's stream; `hanging` names what on the node does not answer."""

    frame: NodeFrame
    hanging: str = ""
    hint: str = ""


class LoadTold(Told, frozen=True, tag=True):
    """Load figures of a node and its VMs apart from any message: a recording gathers them."""

    load: Load


class InfoTold(Told, frozen=True, tag=True):
    """What a node says about itself."""

    info: Info


class WritersTold(Told, frozen=True, tag=True):
    """What a read of a node's writers gave, that it has begun or that it failed."""

    picture: WriterPicture
    providers: tuple[Provider, ...] | None = None


class ShadowsTold(Told, frozen=True, tag=True):
    """The shadow copies of a node."""

    picture: ShadowPicture


class FiltersTold(Told, frozen=True, tag=True):
    """The filter drivers of a node."""

    picture: FilterPicture


class HotfixesTold(Told, frozen=True, tag=True):
    """The updates of a node."""

    picture: HotfixPicture


class ChainTold(Told, frozen=True, tag=True):
    """The chains of a VM's disks; `name` is the VM's id."""

    picture: ChainPicture


class EventsTold(Told, frozen=True, tag=True):
    """A page of a node's event log."""

    page: EventPage


class EventsFailed(Told, frozen=True, tag=True):
    """Why a channel of a node could not be read."""

    channel: str
    text: str
    kind: str = "other"


class Forgotten(Told, frozen=True, tag=True):
    """A node turned out to be known under another name."""


Input = (
    Restarted
    | Linked
    | ClusterTold
    | NodeTold
    | LoadTold
    | InfoTold
    | WritersTold
    | ShadowsTold
    | FiltersTold
    | HotfixesTold
    | ChainTold
    | EventsTold
    | EventsFailed
    | Forgotten
)
Tap = Callable[[Input], None]
"""Is told each input after it was applied; must not raise and must not keep the event loop."""
