"""From 100 % to 200 %, linear."""
from __future__ import annotations

from simulator.calendar import Moment
from simulator.core import AICallSimulator


class SteadyGrowthSimulator(AICallSimulator):
    """Traffic doubles over the calendar, the same amount added every day."""

    id = "steady_growth"
    title = "Steady growth"
    description = "Linear growth from 100 % to 200 %"
    rank = 11

    def volume(self, moment: Moment) -> float:
        """Grow from 1 to 2."""
        return 1 + moment.progress
