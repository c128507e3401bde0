"""What one step changed, so that a reader repaints only that."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Change:
    """Names and ids of everything that differs since the last step; empty sets mean untouched.

    `links`: nodes whose connection state changed (`""` is the cluster's own stream). `vms` holds VM keys, those that
    came and went included. `heard`: nodes that sent something, be it only a heartbeat. `told`: those of `vms` of which
    more than the load is another: load moves all the time, and of thousands of VMs at once.
    """

    heard: set[str] = field(default_factory=set)
    links: set[str] = field(default_factory=set)
    cluster: bool = False
    nodes: set[str] = field(default_factory=set)
    csvs: set[str] = field(default_factory=set)
    vms: set[str] = field(default_factory=set)
    writers: set[str] = field(default_factory=set)
    events: bool = False
    told: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.told |= self.vms

    def __bool__(self) -> bool:
        sets = (self.heard, self.links, self.nodes, self.csvs, self.vms, self.writers)
        return self.cluster or self.events or any(sets)

    def add(self, other: Change) -> None:
        """Take in what `other` changed."""
        self.heard |= other.heard
        self.links |= other.links
        self.cluster |= other.cluster
        self.nodes |= other.nodes
        self.csvs |= other.csvs
        self.vms |= other.vms
        self.told |= other.told
        self.writers |= other.writers
        self.events |= other.events
