"""The simulated cluster: a world that obeys Windows' rules, not hvtui's."""

from hvtui.lab.world.scenario import ScenarioError, scenario_names
from hvtui.lab.world.world import World

__all__ = ["ScenarioError", "World", "scenario_names"]
