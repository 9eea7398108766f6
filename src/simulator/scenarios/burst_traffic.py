"""Unpredictable spikes of five to twenty times the traffic."""
from __future__ import annotations

from random import Random
from typing import List

from simulator.calendar import MS_PER_HOUR, Moment
from simulator.core import AICallSimulator, Event
from simulator.customers import Customer

HOURS_BETWEEN = 60.0
SMALLEST, LARGEST = 5.0, 20.0
SHORTEST_HOURS, LONGEST_HOURS = 1, 4


class BurstTrafficSimulator(AICallSimulator):
    """Every two or three days, for one to four hours, traffic is five to twenty times as high."""

    id = "burst_traffic"
    title = "Burst traffic"
    description = "Unpredictable spikes of 5x to 20x for one to four hours"
    rank = 3

    def prepare(self, people: List[Customer], chance: Random) -> List[Customer]:
        """Draw the bursts of the whole calendar."""
        self._factors = {}
        hour = int(HOURS_BETWEEN * 0.2 * (1 + chance.random()))
        while hour < self.calendar.hours:
            length = SHORTEST_HOURS + int(chance.random() * (LONGEST_HOURS - SHORTEST_HOURS + 1))
            factor = SMALLEST + (LARGEST - SMALLEST) * chance.random()
            self._factors.update({hour + ahead: factor for ahead in range(length)})
            start = self.calendar.start_ms + hour * MS_PER_HOUR
            self.events.append(Event("burst", start, start + length * MS_PER_HOUR, round(factor, 2)))
            hour += length + int(HOURS_BETWEEN * (0.4 + 1.2 * chance.random()))
        return people

    def volume(self, moment: Moment) -> float:
        """Return the factor of the burst that this hour belongs to."""
        return self._factors.get(moment.day * 24 + moment.hour, 1.0)
