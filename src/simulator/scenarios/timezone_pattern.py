"""Americas, Europe and Asia-Pacific follow the sun."""
from __future__ import annotations

from random import Random
from typing import Dict, List

from simulator.core import AICallSimulator
from simulator.customers import Customer

RHYTHM = "office"


class TimezonePatternSimulator(AICallSimulator):
    """A global business: customers work office hours in three parts of the world, a third of the traffic each."""

    id = "timezone_pattern"
    title = "Time zone pattern"
    description = "Americas, Europe and Asia-Pacific follow the sun around the clock"
    rank = 7

    def prepare(self, people: List[Customer], chance: Random) -> List[Customer]:
        """Deal customers, the biggest first, to the part of the world with the least traffic so far."""
        areas: Dict[str, List[str]] = {}
        for place in self.regions():
            areas.setdefault(place.area, []).append(place.region)
        load = dict.fromkeys(areas, 0.0)
        placed = {}
        for one in sorted(people, key=lambda each: (each.cohort, -each.mean_calls, each.customer_id)):
            area = min(load, key=lambda name: load[name])
            load[area] += one.mean_calls
            region = areas[area][int(chance.random() * len(areas[area]))]
            placed[one.customer_id] = one._replace(region=region, rhythm=RHYTHM)
        return [placed[one.customer_id] for one in people]
