"""The log by the hour, laid out once for all rules that look at hours.

Hours are whole numbers, counted from the year 1, so that the next hour is one more.
"""
from __future__ import annotations

from datetime import date
from itertools import compress, repeat
from operator import add, itemgetter, mul
from typing import Dict, List, Tuple

from analyzers.anomalies import WEEKEND
from calls.record import RATE_LIMIT, SERVER_ERROR, TIMEOUT
from rollup.queries import Coded, summed
from rollup.rollup import Rollup

CLOCK = 24
WEEK = 7 * CLOCK
GRAIN = ("hour", "customer", "organization", "feature", "provider", "status", "region")
HOURS_TO_1970 = CLOCK * date(1970, 1, 1).toordinal()
_SERVICE_FAILED = (SERVER_ERROR, TIMEOUT)

Hours = Dict[int, int]  # a number of calls, or of nano-dollars, by hour
Caller = Tuple[str, ...]  # customer, organization, feature
Service = Tuple[str, str]  # provider, region
Row = Tuple[int, str, str, int, int]  # hour, region, status, calls, nano-dollars
ROW_HOUR, ROW_REGION, ROW_CALLS = itemgetter(0), itemgetter(1), itemgetter(3)


class HourlyUse:
    """Calls by hour.

    Attributes: `callers`, calls of each caller; `rows`, each caller's rows in no order, several of which may be of the
    same hour, region and status; `limited`, each caller's calls that hit the rate limit, where there are any;
    `services`, by provider, region and hour the calls, the calls that the service failed and the nano-dollars of
    these, where it failed some.
    """

    def __init__(self, rollup: Rollup) -> None:
        """Ask the rollup once."""
        cells = rollup.coded(("calls", "cost_nano"), *GRAIN)
        self.rows = _rows(cells)
        self.callers: Dict[Caller, Hours] = {
            caller: summed(map(ROW_HOUR, rows), map(ROW_CALLS, rows)) for caller, rows in self.rows.items()}
        self.services = _services(cells)
        self.limited: Dict[Caller, int] = {}
        is_limited = [status == RATE_LIMIT for status, _ in cells.circumstance_texts]
        hits = list(map(is_limited.__getitem__, cells.circumstances))
        for number, calls in zip(compress(cells.callers, hits), compress(cells.measures[0], hits)):
            caller = cells.caller_texts[number][:3]
            self.limited[caller] = self.limited.get(caller, 0) + calls

    def cost(self, caller: Caller, first: int, last: int) -> int:
        """Return the nano-dollars of a caller from one hour to another."""
        return sum(row[4] for row in self.rows[caller] if first <= row[0] <= last)


def _rows(cells: Coded) -> Dict[Caller, List[Row]]:
    found: Dict[Caller, List[Row]] = {}
    # What a caller calls differs by provider, so that several numbers stand for the same caller.
    appends = [found.setdefault(texts[:3], []).append for texts in cells.caller_texts]
    statuses, regions = zip(*cells.circumstance_texts) if cells.circumstance_texts else ((), ())
    rows = zip(map(add, cells.times, repeat(HOURS_TO_1970)), map(regions.__getitem__, cells.circumstances),
               map(statuses.__getitem__, cells.circumstances), *cells.measures)
    for append, row in zip(map(appends.__getitem__, cells.callers), rows):
        append(row)
    return {caller: rows for caller, rows in found.items() if rows}


def _services(cells: Coded) -> Dict[Service, Dict[int, List[int]]]:
    """Return the hours in which a service failed calls: all its calls, those, and their nano-dollars."""
    names = [(texts[3], region) for texts in cells.caller_texts for _, region in cells.circumstance_texts]
    services = {name: number for number, name in enumerate(dict.fromkeys(names))}
    count = len(cells.circumstance_texts)
    numbers = [services[name] for name in names]
    pairs = map(add, map(mul, cells.callers, repeat(count)), cells.circumstances)
    # An hour of a service as one number.
    places = list(map(add, map(mul, cells.times, repeat(len(services))), map(numbers.__getitem__, pairs)))
    is_failed = [status in _SERVICE_FAILED for status, _ in cells.circumstance_texts]
    failed = list(map(is_failed.__getitem__, cells.circumstances))
    calls, costs = (summed(compress(places, failed), compress(one, failed)) for one in cells.measures)
    concerned = list(map(calls.__contains__, places))
    every = summed(compress(places, concerned), compress(cells.measures[0], concerned))
    found: Dict[Service, Dict[int, List[int]]] = {}
    by_number = list(services)
    for place, number in calls.items():
        hour, service = divmod(place, len(services))
        found.setdefault(by_number[service], {})[hour + HOURS_TO_1970] = [every[place], number, costs[place]]
    return found


def hourly_use(rollup: Rollup) -> HourlyUse:
    """Return the calls by hour, laid out once for all that ask the same rollup."""
    use: HourlyUse = rollup.remember("hourly use", HourlyUse)
    return use


# The hour of the day, 24 later on weekends, of an hour by its remainder: the first day of the year 1 was a Monday.
_CLASSES = [hour % CLOCK + CLOCK * ((hour // CLOCK - 1) % 7 >= WEEKEND) for hour in range(WEEK)]


def hour_class(hour: int) -> int:
    """Return the hour of the day, 24 later on weekends."""
    return _CLASSES[hour % WEEK]


def hour_text(hour: int) -> str:
    """Return an hour's text."""
    return f"{day_text(hour // CLOCK)}T{hour % CLOCK:02d}"


def day_text(day: int) -> str:
    """Return the text of a day that is counted from the year 1."""
    return date.fromordinal(day).isoformat()
