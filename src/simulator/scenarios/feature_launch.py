"""A new feature: adoption spike along an S-curve, then a plateau."""
from __future__ import annotations

import math
from random import Random
from typing import List

from simulator.calendar import MS_PER_HOUR, Moment
from simulator.core import AICallSimulator, Event
from simulator.customers import Customer, Lane

LAUNCHED = "meeting_notes"
LAUNCH, HALFWAY, STEEPNESS = 0.3, 0.42, 45.0  # of the calendar
CURIOSITY, CURIOSITY_PEAK, CURIOSITY_WIDTH = 0.8, 0.5, 0.05  # people try the new thing more often than they keep it
PLATEAU = 0.6  # of a customer's other traffic


class FeatureLaunchSimulator(AICallSimulator):
    """At 30 % of the calendar a feature launches; use climbs an S-curve, overshoots, and settles."""

    id = "feature_launch"
    title = "Feature launch"
    description = "A new feature: S-curve of adoption with a spike, then a plateau"
    rank = 8

    def prepare(self, people: List[Customer], chance: Random) -> List[Customer]:
        """Give every customer a lane for the new feature, on the model of its first one."""
        feature = self.feature(LAUNCHED)
        start = self.calendar.start_ms + int(LAUNCH * self.calendar.hours) * MS_PER_HOUR
        self.events.append(Event("feature_launch", start, self.calendar.end_ms, PLATEAU))
        return [one._replace(lanes=one.lanes + (Lane(feature, one.lanes[0].model, PLATEAU),)) for one in people]

    def lane_volume(self, lane: Lane, moment: Moment) -> float:
        """Return 1 for what was there before, and the adoption of the new feature."""
        return adoption(moment.progress) if lane.feature.feature == LAUNCHED else 1.0


def adoption(progress: float) -> float:
    """Return the use of the launched feature against its plateau, at a share of the calendar."""
    if progress < LAUNCH:
        return 0.0
    curve = 1 / (1 + math.exp(-STEEPNESS * (progress - HALFWAY)))
    spike = CURIOSITY * math.exp(-((progress - CURIOSITY_PEAK) / CURIOSITY_WIDTH) ** 2)
    return curve * (1 + spike)
