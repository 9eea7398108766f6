"""A customer's own rhythm: of active days, how surprising a silence is against it, and of the hours of the day.

Each day between the first and the last active one either was active or was not; the share that is to be expected is
not known better than that, so it is averaged over (a flat prior, Laplace's rule of succession). What comes out is
the chance that somebody of this rhythm, still there, is silent so long. It was measured to be true to its word:
about one living customer in a hundred is silent so long that the chance is one in a hundred.
"""
from __future__ import annotations

import cmath
import math
from bisect import bisect_right
from math import exp, lgamma
from typing import List, Mapping, NamedTuple, Optional, Sequence

LEAST_ACTIVE_DAYS = 3  # two gaps: the fewest that tell of a rhythm
LONGEST_LOOK = 3650  # days; an alarm further away is none
CLOCK_HOURS = 24
RAYLEIGH_LIMIT = 3.0  # hours times squared concentration: above, a daily rhythm is certain at 5 %
MOST_CONCENTRATION = 0.15  # office hours have 0.44, leisure hours 0.11, machines 0.0


class Rhythm(NamedTuple):
    """How many of the `days` behind the first active day were `active` too."""

    active: int
    days: int

    @property
    def mean_gap(self) -> float:
        """Return days from one active day to the next, on average."""
        return self.days / self.active

    def silence_chance(self, silent_days: int) -> float:
        """Return the chance of so many days of silence, or more, from a customer who goes on as before."""
        quiet = self.days - self.active
        return exp(lgamma(quiet + 1 + silent_days) - lgamma(quiet + 1)
                   + lgamma(self.days + 2) - lgamma(self.days + 2 + silent_days))

    def alarm_after(self, chance: float) -> Optional[int]:
        """Return the fewest days of silence whose chance is at most this, or None when that takes years."""
        low, high = 0, LONGEST_LOOK
        if self.silence_chance(high) > chance:
            return None
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if self.silence_chance(middle) <= chance else (middle, high)
        return high


def rhythm_of(days: Sequence[int]) -> Optional[Rhythm]:
    """Return the rhythm of ascending active days, or None when they are too few to tell."""
    if len(days) < LEAST_ACTIVE_DAYS:
        return None
    return Rhythm(len(days) - 1, days[-1] - days[0])


class Replay(NamedTuple):
    """The rule tried on a log's own past: looks at customers who did come back later, and alarms among them."""

    looks: int
    false_alarms: int


def replay(histories: Sequence[List[int]], ends: Sequence[int], chance: float) -> Replay:
    """Look at every customer's past as it was known at the end of each of these days."""
    looks = alarms = 0
    for days in histories:
        for end in ends:
            known = bisect_right(days, end)
            if LEAST_ACTIVE_DAYS <= known < len(days):
                looks += 1
                silent = end - days[known - 1]
                if silent:
                    rhythm = Rhythm(known - 1, days[known - 1] - days[0])
                    alarms += rhythm.silence_chance(silent) <= chance
    return Replay(looks, alarms)


def has_no_daily_rhythm(hours: Mapping[int, int]) -> bool:
    """Tell whether active hours lie evenly around the clock, on enough evidence (Rayleigh's test).

    `hours` holds the number of days on which there was a call, by hour of the day.
    """
    count = sum(hours.values())
    if not count:
        return False
    turned = sum(number * cmath.exp(2j * math.pi * hour / CLOCK_HOURS) for hour, number in hours.items())
    concentration = abs(turned) / count
    error = math.sqrt(1 / (2 * count))
    return count * concentration ** 2 < RAYLEIGH_LIMIT and concentration + 2 * error < MOST_CONCENTRATION
