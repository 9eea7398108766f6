"""The columns that a bill in memory is kept in, and sums over parts of them.

Whole numbers throughout: of 10 ** -places, where the ledger knows the places. None is an amount nobody told.
"""
from __future__ import annotations

from bisect import bisect_left, bisect_right
from operator import add
from typing import List, NamedTuple, Optional, Sequence, Set, Tuple

from aws.charges import METRICS, USAGE_METRIC, Pairs
from aws.queries import DAILY, CostQuery, period_starts

USAGE_COLUMN = METRICS.index(USAGE_METRIC)
Run = Tuple[int, int, int]  # a period's number, and the places in a series that fall into it: from, and up to


class Kind(NamedTuple):
    """All that charges of one series share; `length` is in days."""

    account: str
    service: str
    region: str
    usage_type: str
    operation: str
    instance_type: str
    record_type: str
    resource: str
    unit: str
    tags: Pairs
    categories: Pairs
    provider: str
    publisher: str
    issuer: str
    length: int


class Series:
    """Charges of one kind by the day they are booked on, sorted by it: a column of amounts for each metric."""

    __slots__ = ("kind", "days", "columns", "unknown")

    def __init__(self, kind: Kind) -> None:
        """Begin without a day."""
        self.kind = kind
        self.days: List[int] = []
        self.columns: Tuple[List[Optional[int]], ...] = tuple([] for _ in METRICS)
        self.unknown = [False] * len(METRICS)  # whether a column holds a None

    def add(self, day: int, amounts: Sequence[Optional[int]]) -> None:
        """Add to a day, given as an ordinal; a sum with something unknown is unknown."""
        days = self.days
        place = len(days) - 1 if days and days[-1] == day else bisect_left(days, day)
        new = place == len(days) or days[place] != day
        if new:
            days.insert(place, day)
        for number, amount in enumerate(amounts):
            column = self.columns[number]
            if new:
                column.insert(place, amount)
            else:
                before = column[place]
                column[place] = None if before is None or amount is None else before + amount
            if amount is None:
                self.unknown[number] = True

    def between(self, first: int, last: int) -> slice:
        """Return which places hold the days of a period, both ends included."""
        return slice(bisect_left(self.days, first), bisect_right(self.days, last))


class Periods:
    """The periods of a query, numbered: the first and last day of each, as ordinals."""

    def __init__(self, query: CostQuery) -> None:
        """Cut a query's days into days, months or years."""
        self.first, self.last = query.first.toordinal(), query.last.toordinal()
        self.daily = query.granularity == DAILY
        self.starts = sorted(set(period_starts(query)))
        self.ends = [start - 1 for start in self.starts[1:]] + [self.last]

    def number(self, day: int) -> Optional[int]:
        """Return which period a day falls into."""
        return bisect_right(self.starts, day) - 1 if self.first <= day <= self.last else None

    def numbers(self, days: Sequence[int], part: slice) -> Sequence[int]:
        """Return which day each place in a part of sorted days falls on, for queries by day."""
        length = part.stop - part.start
        if length and days[part.stop - 1] - days[part.start] == length - 1:  # without a gap
            begin = days[part.start] - self.first
            return range(begin, begin + length)
        return [day - self.first for day in days[part]]

    def runs(self, days: Sequence[int], part: slice) -> List[Run]:
        """Return which places in a part of sorted days fall into which period; periods without any are left out."""
        if self.daily:
            return [(number, place, place + 1) for place, number in enumerate(self.numbers(days, part), part.start)]
        found: List[Run] = []
        begin, end = part.start, part.stop
        while begin < end:
            number = bisect_right(self.starts, days[begin]) - 1
            behind = bisect_right(days, self.ends[number], begin, end)
            found.append((number, begin, behind))
            begin = behind
        return found


class Sums:
    """Sums of one group of series over all periods of a query."""

    def __init__(self, group: Sequence[Series], periods: Periods) -> None:
        """Find which parts of the series fall into the periods."""
        self._periods = periods
        self._parts = [(series, series.between(periods.first, periods.last)) for series in group]
        self.mixed_units = False

    def present(self) -> List[int]:
        """Return the numbers of the periods that hold any charge."""
        found: Set[int] = set()
        for series, part in self._parts:
            found.update(self._periods.numbers(series.days, part) if self._periods.daily else
                         [number for number, _, _ in self._periods.runs(series.days, part)])
        return sorted(found)

    def amounts(self, metric: int) -> List[Optional[int]]:
        """Return the sum of a metric in every period; None where a part of it is unknown, or nothing was used."""
        if metric == USAGE_COLUMN:
            return self._usage()
        totals = [0] * len(self._periods.starts)
        unknown: Set[int] = set()
        for series, part in self._parts:
            column = series.columns[metric]
            if series.unknown[metric]:
                unknown.update(number for number, begin, end in self._periods.runs(series.days, part)
                               if None in column[begin:end])
                column = [one or 0 for one in column]
            if self._periods.daily:
                _add_days(totals, column[part], self._periods.numbers(series.days, part))
            else:
                for number, begin, end in self._periods.runs(series.days, part):
                    totals[number] += sum(column[begin:end])  # type: ignore[arg-type]
        return [None if number in unknown else one for number, one in enumerate(totals)] if unknown else list(totals)

    def _usage(self) -> List[Optional[int]]:
        """Return what was used; a line that names neither an amount nor a unit used nothing, and spoils no sum."""
        count = len(self._periods.starts)
        totals, unknown = [0] * count, set()  # type: List[int], Set[int]
        units: List[Optional[str]] = [None] * count  # of what is known
        for series, part in self._parts:
            unit, column = series.kind.unit, series.columns[USAGE_COLUMN][part]
            holes = column.count(None) if series.unknown[USAGE_COLUMN] else 0
            if holes == len(column) and not unit:
                continue
            numbers = self._periods.numbers(series.days, part) if self._periods.daily else ()
            if isinstance(numbers, range) and not holes and units[numbers.start:numbers.stop].count(
                    None) + units[numbers.start:numbers.stop].count(unit) == len(numbers):
                units[numbers.start:numbers.stop] = [unit] * len(numbers)
                _add_days(totals, column, numbers)
            else:
                self._add_used(series, part, totals, units, unknown)
        return [None if number in unknown or units[number] is None else one for number, one in enumerate(totals)]

    def _add_used(self, series: Series, part: slice, totals: List[int], units: List[Optional[str]],
                  unknown: Set[int]) -> None:
        """Add what one series used, period by period, to totals in units; those that are none become unknown."""
        unit, column = series.kind.unit, series.columns[USAGE_COLUMN]
        for number, begin, end in self._periods.runs(series.days, part):
            known = [one for one in column[begin:end] if one is not None]
            if len(known) < end - begin and unit:
                unknown.add(number)
            if known:
                if units[number] not in (None, unit):
                    unknown.add(number)
                    self.mixed_units = True
                else:
                    units[number] = unit
                totals[number] += sum(known)


def _add_days(totals: List[int], column: Sequence[Optional[int]], numbers: Sequence[int]) -> None:
    """Add a column that holds no None to totals by day: as a whole where its days have no gap."""
    if isinstance(numbers, range):
        totals[numbers.start:numbers.stop] = map(add, totals[numbers.start:numbers.stop], column)
        return
    for number, amount in zip(numbers, column):
        totals[number] += amount  # type: ignore[operator]
