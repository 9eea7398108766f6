"""What several tests of the simulator share: scenarios played alone in memory, and the measures for their shapes."""
from __future__ import annotations

import math
from datetime import date
from functools import lru_cache
from typing import Dict, List, NamedTuple, Sequence, Type

from calls.values import parse_nano, parse_timestamp
from catalog.loader import load_catalog
from simulator.calendar import MS_PER_DAY, MS_PER_HOUR, Calendar, Moment, local_hour, local_weekday
from simulator.core import DAY_MINUTES, WEEKEND, AICallSimulator
from simulator.customers import build_population, cohort_of
from simulator.traffic import Tables

START, DAYS, CUSTOMERS = date(2026, 1, 1), 90, 500
OFFSETS = {one.region: one.utc_offset_hours for one in load_catalog().regions}


class Line(NamedTuple):
    """What shapes are measured by: a few fields of one generated line."""

    ms: int
    customer: str
    organization: str
    feature: str
    model: str
    region: str
    status: str
    cost_nano: int

    @property
    def local_hour(self) -> int:
        return local_hour(self.ms // MS_PER_HOUR * MS_PER_HOUR, OFFSETS[self.region])

    @property
    def local_day(self) -> int:
        """Return the days since 1970 on the clock of the call's region."""
        return (self.ms + OFFSETS[self.region] * MS_PER_HOUR) // MS_PER_DAY

    @property
    def on_weekend(self) -> bool:
        return local_weekday(self.ms // MS_PER_HOUR * MS_PER_HOUR, OFFSETS[self.region]) in WEEKEND


class Played:
    """A scenario that was settled and generated alone over 90 days, with its lines."""

    def __init__(self, scenario: AICallSimulator, lines: List[Line]) -> None:
        self.scenario, self.lines = scenario, lines
        self._start_ms, hours = scenario.calendar.start_ms, scenario.calendar.hours
        self.per_hour = [0] * hours
        for line in lines:
            self.per_hour[(line.ms - self._start_ms) // MS_PER_HOUR] += 1
        self.per_day = by_day(self.per_hour)

    def day(self, line: Line) -> int:
        """Return the day of the calendar, from 0."""
        return (line.ms - self._start_ms) // MS_PER_DAY

    def within(self, first: float, last: float) -> List[Line]:
        """Return the lines of a stretch of the calendar, given in shares of it."""
        return [line for line in self.lines if first <= self.day(line) / DAYS < last]


@lru_cache(maxsize=None)
def tables() -> Tables:
    return Tables(load_catalog())


def settled(kind: Type[AICallSimulator], seed: int = 1, days: int = DAYS, start: date = START) -> AICallSimulator:
    """Return a scenario that knows its calendar and customers."""
    calendar = Calendar(start, days * 24)
    scenario = kind(seed=seed)
    scenario.settle(calendar, build_population(load_catalog(), seed, cohort_of(CUSTOMERS, start, days)), tables())
    return scenario


@lru_cache(maxsize=2)  # a test compares two at most, and many lists of lines would keep the collector busy
def played(kind: Type[AICallSimulator], calls_per_day: int = 500, seed: int = 1) -> Played:
    """Play a scenario alone; `calls_per_day` is what the population calls where the scenario's volume is 1."""
    scenario = settled(kind, seed)
    scale = calls_per_day / math.fsum(one.mean_calls for one in scenario.customers)
    lines: List[Line] = []
    for piece in scenario.calendar.slices(DAY_MINUTES):
        for batch in scenario.generate(piece, scale, "test", piece.number).batches:
            lines += map(_line, batch.decode().splitlines())
    return Played(scenario, lines)


_minutes: Dict[str, int] = {}


def _line(text: str) -> Line:
    cell = text.split(",")
    minute = cell[1][:16]
    if minute not in _minutes:
        _minutes[minute] = parse_timestamp(minute)
    return Line(_minutes[minute] + int(cell[1][17:19]) * 1000 + int(cell[1][20:23]), cell[2], cell[3], cell[5],
                cell[7], cell[15], cell[13], parse_nano(cell[11]))


def moments(scenario: AICallSimulator) -> List[Moment]:
    """Return every hour of a scenario's calendar."""
    calendar = scenario.calendar
    return [calendar.moment(at) for at in range(calendar.start_ms, calendar.end_ms, MS_PER_HOUR)]


def volumes(scenario: AICallSimulator) -> List[float]:
    """Return a scenario's own volume of every hour of its calendar."""
    return [scenario.volume(moment) for moment in moments(scenario)]


def by_day(hours: Sequence[float]) -> List[float]:
    """Add up the hours of each day."""
    return [math.fsum(hours[first:first + 24]) for first in range(0, len(hours), 24)]


def mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def correlation(left: Sequence[float], right: Sequence[float]) -> float:
    """Return Pearson's correlation."""
    a, b = mean(left), mean(right)
    both = math.fsum((x - a) * (y - b) for x, y in zip(left, right))
    return both / math.sqrt(math.fsum((x - a) ** 2 for x in left) * math.fsum((y - b) ** 2 for y in right))
