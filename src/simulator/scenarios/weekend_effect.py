"""Weekends and holidays down to about a third."""
from __future__ import annotations

from datetime import date

from catalog.loader import Rhythm
from simulator.core import WEEKEND, AICallSimulator

QUIET = 1 / 3
HOLIDAYS = frozenset({(1, 1), (5, 1), (7, 4), (12, 24), (12, 25), (12, 26), (12, 31)})  # month, day


class WeekendEffectSimulator(AICallSimulator):
    """Business customers: whatever their rhythm, weekends and holidays carry a third of a working day."""

    id = "weekend_effect"
    title = "Weekend effect"
    description = "Weekends and holidays fall to about a third of a working day"
    rank = 6

    def quiet_factor(self, rhythm: Rhythm, weekday: int, on: date) -> float:
        """Return a third on Saturdays, Sundays and common holidays."""
        return QUIET if weekday in WEEKEND or (on.month, on.day) in HOLIDAYS else 1.0
