"""The log by the hour, laid out once for all rules that look at hours.

Hours are whole numbers, counted from the year 1, so that the next hour is one more.
"""
from __future__ import annotations

from datetime import date
from typing import Dict, List, Mapping, Sequence, Tuple

from analyzers.anomalies import WEEKEND
from calls.record import RATE_LIMIT, SERVER_ERROR, TIMEOUT
from rollup.rollup import Key, Rollup

CLOCK = 24
GRAIN = ("hour", "customer", "organization", "feature", "provider", "status", "region")
_SERVICE_FAILED = (SERVER_ERROR, TIMEOUT)

Hours = Dict[int, int]  # a number of calls, or of nano-dollars, by hour
Caller = Tuple[str, ...]  # customer, organization, feature
Service = Tuple[str, str]  # provider, region
Row = Tuple[int, str, str, int, int]  # hour, region, status, calls, nano-dollars


class HourlyUse:
    """Calls by hour.

    Attributes: `callers`, calls of each caller; `rows`, each caller's rows in no order; `limited`, each caller's calls
    that hit the rate limit, where there are any; `services`, by provider, region and hour the calls, the calls that
    the service failed and the nano-dollars of these, where it failed some.
    """

    def __init__(self, rollup: Rollup) -> None:
        """Ask the rollup once."""
        self.callers: Dict[Caller, Hours] = {}
        self.rows: Dict[Caller, List[Row]] = {}
        self.limited: Dict[Caller, int] = {}
        hours = _HourNumbers()
        cells = list(rollup.rows(("calls", "cost_nano"), *GRAIN))
        self.services = _services(cells, hours)
        for key, number, nano in cells:
            hour, caller, status = hours[key[0]], key[1:4], key[5]
            try:
                rows, sums = self.rows[caller], self.callers[caller]
            except KeyError:
                rows, sums = self.rows[caller], self.callers[caller] = [], {}
            rows.append((hour, key[6], status, number, nano))
            sums[hour] = sums.get(hour, 0) + number
            if status == RATE_LIMIT:
                self.limited[caller] = self.limited.get(caller, 0) + number

    def cost(self, caller: Caller, first: int, last: int) -> int:
        """Return the nano-dollars of a caller from one hour to another."""
        return sum(row[4] for row in self.rows[caller] if first <= row[0] <= last)


def _services(cells: Sequence[Tuple[Key, int, int]],
              hours: Mapping[str, int]) -> Dict[Service, Dict[int, List[int]]]:
    failed: Dict[Tuple[str, str, str], List[int]] = {}
    for key, number, nano in cells:
        if key[5] in _SERVICE_FAILED:
            cell = failed.setdefault((key[0], key[4], key[6]), [0, 0, 0])
            cell[1] += number
            cell[2] += nano
    for key, number, _ in cells:
        # Most hours of most services fail nothing, so that looking first is cheapest.
        place = (key[0], key[4], key[6])
        if place in failed:
            failed[place][0] += number
    services: Dict[Service, Dict[int, List[int]]] = {}
    for (text, provider, region), cell in failed.items():
        services.setdefault((provider, region), {})[hours[text]] = cell
    return services


def hourly_use(rollup: Rollup) -> HourlyUse:
    """Return the calls by hour, laid out once for all that ask the same rollup."""
    use: HourlyUse = rollup.remember("hourly use", HourlyUse)
    return use


class _HourNumbers(Dict[str, int]):
    """The numbers of the hours that were met."""

    def __missing__(self, text: str) -> int:
        self[text] = hour_number(text)
        return self[text]


def hour_number(text: str) -> int:
    """Return the number of an hour such as 2026-01-31T05."""
    return CLOCK * date(int(text[:4]), int(text[5:7]), int(text[8:10])).toordinal() + int(text[11:13])


def hour_class(hour: int) -> int:
    """Return the hour of the day, 24 later on weekends."""
    day, clock = divmod(hour, CLOCK)
    # The first day of the year 1 was a Monday.
    return clock + CLOCK * ((day - 1) % 7 >= WEEKEND)


def hour_text(hour: int) -> str:
    """Return an hour's text."""
    return f"{day_text(hour // CLOCK)}T{hour % CLOCK:02d}"


def day_text(day: int) -> str:
    """Return the text of a day that is counted from the year 1."""
    return date.fromordinal(day).isoformat()
