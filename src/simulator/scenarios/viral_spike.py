"""1x, then 50x, then 5x."""
from __future__ import annotations

import math
from random import Random
from typing import List

from simulator.calendar import MS_PER_HOUR, Moment
from simulator.core import AICallSimulator, Event
from simulator.customers import Customer

TAKEOFF, PEAK, CALM = 0.55, 0.6, 0.68  # of the calendar
HIGHEST, AFTER = 50.0, 5.0


class ViralSpikeSimulator(AICallSimulator):
    """A product goes viral: traffic climbs exponentially to fifty times, falls, and stays at five times."""

    id = "viral_spike"
    title = "Viral spike"
    description = "Exponential growth from 1x to 50x, settling at 5x"
    rank = 12

    def prepare(self, people: List[Customer], chance: Random) -> List[Customer]:
        """Note when it happens."""
        first, last = (self.calendar.start_ms + int(share * self.calendar.hours) * MS_PER_HOUR
                       for share in (TAKEOFF, CALM))
        self.events.append(Event("viral_spike", first, last, HIGHEST))
        return people

    def volume(self, moment: Moment) -> float:
        """Climb and fall evenly on a logarithmic scale."""
        if moment.progress < TAKEOFF:
            return 1.0
        if moment.progress < PEAK:
            return math.exp(math.log(HIGHEST) * (moment.progress - TAKEOFF) / (PEAK - TAKEOFF))
        fall = min(1.0, (moment.progress - PEAK) / (CALM - PEAK))
        return math.exp(math.log(HIGHEST) + fall * math.log(AFTER / HIGHEST))
