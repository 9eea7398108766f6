"""The log by the hour, laid out once for all rules that look at hours.

Hours are whole numbers, counted from the year 1, so that the next hour is one more.
"""
from __future__ import annotations

from datetime import date
from itertools import compress, repeat
from operator import add, mul
from typing import Any, Callable, Collection, Dict, Iterator, NamedTuple, Sequence, Tuple

from calls.record import RATE_LIMIT, SERVER_ERROR, TIMEOUT
from rollup.cells import summed
from rollup.queries import Coded
from rollup.rollup import Rollup

CLOCK = 24
GRAIN = ("hour", "customer", "organization", "feature", "provider", "status", "region")
HOURS_TO_1970 = CLOCK * date(1970, 1, 1).toordinal()
_SERVICE_FAILED = (SERVER_ERROR, TIMEOUT)

Caller = Tuple[str, ...]  # customer, organization, feature
Service = Tuple[str, str]  # provider, region
Row = Tuple[int, str, int, int]  # hour, region, calls, nano-dollars


class Trouble(NamedTuple):
    """An hour with calls that met with trouble: all calls, those, and the nano-dollars of both."""

    calls: int
    hits: int
    nano: int
    hit_nano: int


class HourlyUse:
    """Calls by hour.

    Attributes: the hours with trouble in `limited`, by caller and region those with calls that hit the rate limit, and
    in `services`, by provider and region those with calls that the service failed.
    """

    def __init__(self, rollup: Rollup) -> None:
        """Ask the rollup once."""
        self._cells = cells = rollup.coded(("calls", "cost_nano"), *GRAIN)
        regions = [region for _, region in cells.circumstance_texts]
        self.limited: Dict[Tuple[Caller, str], Dict[int, Trouble]] = _troubles(
            cells, [(texts[:3], region) for texts in cells.caller_texts for region in regions], (RATE_LIMIT,))
        self.services: Dict[Service, Dict[int, Trouble]] = _troubles(
            cells, [(texts[3], region) for texts in cells.caller_texts for region in regions], _SERVICE_FAILED)

    def rows(self, is_wanted: Callable[[Caller, str], bool]) -> Iterator[Tuple[Caller, Row]]:
        """Yield the rows of the callers in the regions that are wanted; several may be of the same hour."""
        cells = self._cells
        callers = [texts[:3] for texts in cells.caller_texts]
        # Few are wanted of very many, and whether they are depends on the pair of numbers alone.
        wanted = [is_wanted(caller, region) for caller in callers for _, region in cells.circumstance_texts]
        flags = list(map(wanted.__getitem__, _pairs(cells)))
        columns = (cells.times, cells.callers, cells.circumstances, *cells.measures)
        for hour, caller, circumstance, calls, nano in zip(*(compress(one, flags) for one in columns)):
            yield callers[caller], (hour + HOURS_TO_1970, cells.circumstance_texts[circumstance][1], calls, nano)


def _pairs(cells: Coded) -> Iterator[int]:
    """Return the number of each cell's caller and circumstances together."""
    return map(add, map(mul, cells.callers, repeat(len(cells.circumstance_texts))), cells.circumstances)


def _troubles(cells: Coded, names: Sequence[Any], statuses: Collection[str]) -> Dict[Any, Dict[int, Trouble]]:
    """Return by name and hour what calls with these statuses there were; `names` are those of the cells' pairs."""
    numbers = {name: number for number, name in enumerate(dict.fromkeys(names))}
    of_pairs = [numbers[name] for name in names]
    # An hour of a name as one number.
    places = list(map(add, map(mul, cells.times, repeat(len(numbers))), map(of_pairs.__getitem__, _pairs(cells))))
    is_hit = [status in statuses for status, _ in cells.circumstance_texts]
    hit = list(map(is_hit.__getitem__, cells.circumstances))
    hits, hit_nano = (summed(compress(places, hit), compress(one, hit)) for one in cells.measures)
    concerned = list(map(hits.__contains__, places))
    calls, nano = (summed(compress(places, concerned), compress(one, concerned)) for one in cells.measures)
    found: Dict[Any, Dict[int, Trouble]] = {}
    by_number = list(numbers)
    for place, number in hits.items():
        hour, name = divmod(place, len(numbers))
        found.setdefault(by_number[name], {})[hour + HOURS_TO_1970] = Trouble(
            calls[place], number, nano[place], hit_nano[place])
    return found


def hourly_use(rollup: Rollup) -> HourlyUse:
    """Return the calls by hour, laid out once for all that ask the same rollup."""
    use: HourlyUse = rollup.remember("hourly use", HourlyUse)
    return use


def hour_text(hour: int) -> str:
    """Return an hour's text."""
    return f"{day_text(hour // CLOCK)}T{hour % CLOCK:02d}"


def day_text(day: int) -> str:
    """Return the text of a day that is counted from the year 1."""
    return date.fromordinal(day).isoformat()
