"""What analysers share: money at the edge, periods that can be compared, and robust statistics."""
from __future__ import annotations

import math
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any, Dict, Iterable, List, Mapping, NamedTuple, Optional, Sequence

from calls.values import NANO_PER_USD
from rollup.cubes import Measures
from rollup.rollup import Group, Rollup

_MS_PER_DAY = 86_400_000
MAD_TO_SIGMA = 1.4826  # of a normal distribution
LONGEST_PERIOD = 30  # days compared with as many before


class Period(NamedTuple):
    """Whole days, first and last included, as ISO texts."""

    days: Sequence[str]

    @property
    def first(self) -> str:
        """Return the first day."""
        return self.days[0]

    @property
    def last(self) -> str:
        """Return the last day."""
        return self.days[-1]


class Periods(NamedTuple):
    """The last whole period of a log and the one of equal length before it."""

    current: Period
    previous: Period


def usd(nano: int) -> Decimal:
    """Return nano-dollars as exact dollars."""
    return Decimal(nano) / NANO_PER_USD


def ratio(part: float, whole: float) -> Optional[float]:
    """Return part / whole, or None where there is no whole to compare with."""
    return part / whole if whole else None


def change(now: float, before: float) -> Optional[float]:
    """Return the relative change, or None where there was nothing before."""
    return (now - before) / before if before else None


def monthly(nano: int, days: int, month_days: float) -> Decimal:
    """Return what a cost over so many days comes to in a month, in dollars rounded to the cent."""
    return (usd(nano) * Decimal(month_days) / max(1, days)).quantize(Decimal("0.01"))


def measures_row(names: Sequence[str], group: Group, **extra: Any) -> Dict[str, Any]:
    """Return a group as one row of a result table: its key under the names, then cost, calls and tokens."""
    counted = group.measures
    row: Dict[str, Any] = dict(zip(names, group.key))
    row.update(cost=usd(counted.cost_nano), calls=counted.calls, failed=counted.failed, unpriced=counted.unpriced,
               input_tokens=counted.input_tokens, output_tokens=counted.output_tokens, tokens=counted.tokens)
    row.update(extra)
    return row


def by_cost(groups: Iterable[Group]) -> List[Group]:
    """Return groups with the dearest first."""
    return sorted(groups, key=lambda group: (-group.measures.cost_nano, group.key))


def add(measures: Iterable[Measures]) -> Measures:
    """Return the sum of measures."""
    columns = list(zip(*measures))
    return Measures(*map(sum, columns)) if columns else Measures()


def whole_days(rollup: Rollup) -> List[str]:
    """Return the days of a log from the first to the last whole one, without holes: a day without calls counts.

    The first and the last day are whole when the log's first or last call stands no further from the day's edge
    than an hour, or than three times the mean gap between calls.
    """
    if rollup.first_ms is None or rollup.last_ms is None:
        return []
    gap = (rollup.last_ms - rollup.first_ms) / max(1, rollup.total().calls)
    slack = max(3_600_000.0, 3 * gap)
    first, last = rollup.first_ms // _MS_PER_DAY, rollup.last_ms // _MS_PER_DAY
    first += rollup.first_ms % _MS_PER_DAY > slack
    last -= _MS_PER_DAY - rollup.last_ms % _MS_PER_DAY > slack
    start = date(1970, 1, 1)
    return [(start + timedelta(days=day)).isoformat() for day in range(first, last + 1)]


def periods(rollup: Rollup) -> Optional[Periods]:
    """Return the last whole days and as many before, at most 30 each, whole weeks where there are any; else None."""
    days = whole_days(rollup)
    length = min(LONGEST_PERIOD, len(days) // 2)
    if length >= 7 and length < LONGEST_PERIOD:
        length -= length % 7
    if not length:
        return None
    return Periods(Period(days[-length:]), Period(days[-2 * length:-length]))


def daily_series(rollup: Rollup, days: Sequence[str], where: Optional[Mapping[str, Any]] = None) -> List[Measures]:
    """Return the measures of each day, zero where nothing was called."""
    found = {group.key[0]: group.measures for group in rollup.by("day", where=where)}
    return [found.get(day, Measures()) for day in days]


def mean(values: Sequence[float]) -> float:
    """Return the mean; 0.0 of nothing."""
    return math.fsum(values) / len(values) if values else 0.0


def deviation(values: Sequence[float], middle: Optional[float] = None) -> float:
    """Return the population standard deviation; 0.0 of nothing. Who knows the mean may give it as `middle`."""
    if middle is None:
        middle = mean(values)
    return math.sqrt(mean([(value - middle) ** 2 for value in values]))


def median(values: Sequence[float]) -> float:
    """Return the median; 0.0 of nothing."""
    ordered = sorted(values)
    half = len(ordered) // 2
    if not ordered:
        return 0.0
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def robust_sigma(values: Sequence[float]) -> float:
    """Return the spread that a normal distribution with this median absolute deviation would have."""
    middle = median(values)
    return MAD_TO_SIGMA * median([abs(value - middle) for value in values])


def quantile(values: Sequence[float], share: float) -> float:
    """Return the nearest-rank quantile; 0.0 of nothing."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, math.ceil(share * len(ordered)) - 1))] if ordered else 0.0


def concentration(values: Sequence[int], share: float = 0.1) -> Optional[float]:
    """Return what part of the sum the largest `share` of the values holds; None of nothing."""
    ordered = sorted(values, reverse=True)
    top = max(1, round(len(ordered) * share))
    return ratio(sum(ordered[:top]), sum(ordered)) if ordered else None


@lru_cache(maxsize=None)
def weekday(day: str) -> int:
    """Return the weekday of an ISO day, Monday 0."""
    return date(int(day[:4]), int(day[5:7]), int(day[8:10])).weekday()


def per_million(nano: int, tokens: int) -> Optional[Decimal]:
    """Return dollars per million tokens, rounded to a millionth; None without tokens."""
    return (Decimal(nano) / (1000 * tokens)).quantize(Decimal("0.000001")) if tokens else None


def split(nano: int, weights: Sequence[int]) -> List[int]:
    """Return an amount in whole parts by weight that add up to it exactly; equal parts where all weights are 0.

    What rounding down leaves goes, one unit each, to the largest remainders, and of equals to the first.
    """
    weights = weights if any(weights) else [1] * len(weights)
    whole = sum(weights)
    parts = [nano * weight // whole for weight in weights]
    order = sorted(range(len(weights)), key=lambda place: -(nano * weights[place] % whole))
    for place in order[:nano - sum(parts)]:
        parts[place] += 1
    return parts
