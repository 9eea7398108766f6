"""Quarterly, monthly and weekly cycles."""
from __future__ import annotations

import calendar
import math

from simulator.calendar import Moment
from simulator.core import AICallSimulator

WEEK = (1.25, 1.15, 1.05, 1.0, 0.85, 0.95, 0.95)  # Monday first
MONTH_SWING, QUARTER_SWING = 0.35, 0.3


class SeasonalPatternSimulator(AICallSimulator):
    """Work piles up towards the end of months and quarters, and on Mondays."""

    id = "seasonal_pattern"
    title = "Seasonal pattern"
    description = "Quarterly, monthly and weekly business cycles"
    rank = 2

    def volume(self, moment: Moment) -> float:
        """Peak at the end of each month and each quarter, and early in the week."""
        days = calendar.monthrange(moment.date.year, moment.date.month)[1]
        month = 1 + MONTH_SWING * math.cos(2 * math.pi * (moment.date.day - days) / days)
        into_quarter = ((moment.date.month - 1) % 3 + moment.date.day / days) / 3
        quarter = 1 + QUARTER_SWING * math.cos(2 * math.pi * (into_quarter - 1))
        return month * quarter * WEEK[moment.weekday]
