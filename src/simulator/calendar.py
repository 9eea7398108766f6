"""Simulated time: a calendar of whole hours in UTC, and the slices in which it is generated."""
from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache
from typing import List, NamedTuple

MS_PER_MINUTE = 60_000
MS_PER_HOUR = 60 * MS_PER_MINUTE
MS_PER_DAY = 24 * MS_PER_HOUR
_EPOCH = date(1970, 1, 1)
_EPOCH_WEEKDAY = 3  # 1970-01-01 was a Thursday


class Moment(NamedTuple):
    """An hour of the calendar: `progress` runs from 0 to 1 over the calendar, `weekday` from Monday 0."""

    progress: float
    day: int
    hour: int
    weekday: int
    date: date


class Slice(NamedTuple):
    """A stretch of the calendar that is generated at once; bounds are milliseconds since 1970 UTC."""

    number: int
    start_ms: int
    end_ms: int


class Calendar(NamedTuple):
    """`hours` hours from midnight UTC of `start`."""

    start: date
    hours: int

    @property
    def start_ms(self) -> int:
        """Return the first instant, in milliseconds since 1970."""
        return (self.start - _EPOCH).days * MS_PER_DAY

    @property
    def end_ms(self) -> int:
        """Return the first instant after the calendar, in milliseconds since 1970."""
        return self.start_ms + self.hours * MS_PER_HOUR

    @property
    def last_day(self) -> date:
        """Return the last day that the calendar touches."""
        return self.start + timedelta(days=(self.hours - 1) // 24)

    def moment(self, at_ms: int) -> Moment:
        """Return the hour that holds an instant."""
        return _moment(self, (at_ms - self.start_ms) // MS_PER_HOUR)

    def slices(self, minutes: int) -> List[Slice]:
        """Cut the calendar into slices of so many minutes; the last one may be shorter."""
        step = minutes * MS_PER_MINUTE
        starts = range(self.start_ms, self.end_ms, step)
        return [Slice(number, start, min(start + step, self.end_ms)) for number, start in enumerate(starts)]


@lru_cache(maxsize=4096)
def _moment(calendar: Calendar, hour: int) -> Moment:
    # Every scenario asks for the same hours.
    on = calendar.start + timedelta(days=hour // 24)
    return Moment((hour + 0.5) / calendar.hours, hour // 24, hour % 24, on.weekday(), on)


def local_hour(hour_ms: int, utc_offset_hours: int) -> int:
    """Return the local hour of the day of an instant."""
    return (hour_ms // MS_PER_HOUR + utc_offset_hours) % 24


def local_weekday(hour_ms: int, utc_offset_hours: int) -> int:
    """Return the local weekday of an instant, Monday 0."""
    return ((hour_ms // MS_PER_HOUR + utc_offset_hours) // 24 + _EPOCH_WEEKDAY) % 7


def day_of(at_ms: int) -> date:
    """Return the UTC date of an instant."""
    return _EPOCH + timedelta(days=at_ms // MS_PER_DAY)
