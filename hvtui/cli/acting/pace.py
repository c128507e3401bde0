"""How long commands that change something wait for what, in seconds; one place, so that tests need not wait so long."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class CliPace:
    """None of these limits ends Windows' work."""

    tick: float = 0.5
    """Longest time between two looks at the picture while something is waited for."""
    picture: float = 120.0
    """Until every node has told its first picture; what has not by then is shown as not read."""
    events: float = 60.0
    """Until a node's events are read back."""
    held: float = 5.0
    """Between two looks, at what the streams tell, whether something is still held."""
    held_most: float = 60.0
    """The nodes are asked again after so long, whatever the streams tell."""


PACE = CliPace()
