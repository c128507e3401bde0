"""Keys of a replay. They are alive in a replay only, and there they come before all others."""

from __future__ import annotations

from typing import Final

from hvtui.ui.action import Action

SCOPE: Final = "replay"

REPLAY_ACTIONS: Final[tuple[Action, ...]] = (
    Action("replay.pause", ("space",), "Pause", "Stand still, or go on", "app.replay_pause", SCOPE),
    Action("replay.step", ("}",), "Step", "To the next thing that was told, and stand still", "app.replay_step", SCOPE),
    Action("replay.on", ("ctrl+right",), "A minute on", "A minute on", "app.replay_skip(60)", SCOPE),
    Action("replay.back", ("ctrl+left",), "A minute back", "A minute back", "app.replay_skip(-60)", SCOPE),
    Action("replay.far_on", ("shift+right",), "Ten minutes on", "Ten minutes on", "app.replay_skip(600)", SCOPE),
    Action("replay.far_back", ("shift+left",), "Ten minutes back", "Ten minutes back", "app.replay_skip(-600)", SCOPE),
    Action("replay.faster", ("]",), "Faster", "Faster, up to 600 times", "app.replay_speed(1)", SCOPE),
    Action("replay.slower", ("[",), "Slower", "Slower, down to as it was", "app.replay_speed(-1)", SCOPE),
)
