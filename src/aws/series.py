"""The columns that a bill in memory is kept in, and sums over parts of them.

Whole numbers throughout: of 10 ** -places, where the ledger knows the places. None is an amount nobody told.
"""
from __future__ import annotations

from bisect import bisect_left, bisect_right
from operator import add
from typing import Dict, List, NamedTuple, Optional, Sequence, Set, Tuple

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

    def runs(self, days: Sequence[int]) -> List[Run]:
        """Return which places of sorted days fall into which period; periods without any are left out."""
        found: List[Run] = []
        begin, end = bisect_left(days, self.first), bisect_right(days, self.last)
        if self.daily:
            return [(days[place] - self.first, place, place + 1) for place in range(begin, end)]
        while begin < end:
            number = bisect_right(self.starts, days[begin]) - 1
            behind = bisect_right(days, self.ends[number], begin, end)
            found.append((number, begin, behind))
            begin = behind
        return found


class Sums:
    """Sums of one group of series over all periods of a query."""

    def __init__(self, group: Sequence[Series], periods: Periods) -> None:
        """Find which parts of the series fall into which period."""
        self._periods = periods
        self._parts = [(series, [] if _unbroken(series, periods) else periods.runs(series.days)) for series in group]
        self.mixed_units = False

    def present(self) -> List[int]:
        """Return the numbers of the periods that hold any charge."""
        found: Set[int] = set()
        for series, runs in self._parts:
            found.update([number for number, _, _ in runs] if runs else self._span(series))
        return sorted(found)

    def amounts(self, metric: int) -> List[Optional[int]]:
        """Return the sum of a metric in every period; None where a part of it is unknown, or nothing was used."""
        if metric == USAGE_COLUMN:
            return self._usage()
        totals = [0] * len(self._periods.starts)
        unknown: Set[int] = set()
        for series, runs in self._parts:
            column = series.columns[metric]
            if series.unknown[metric]:
                runs = runs or self._periods.runs(series.days)
                unknown.update(number for number, begin, end in runs if None in column[begin:end])
                column = [one or 0 for one in column]
            _add(totals, column, runs, self._span(series) if not runs else range(0),
                 series.between(self._periods.first, self._periods.last) if not runs else slice(0, 0))
        return [None if number in unknown else one for number, one in enumerate(totals)] if unknown else list(totals)

    def _span(self, series: Series) -> range:
        """Return the numbers of the days that a series has no gap in."""
        part = series.between(self._periods.first, self._periods.last)
        begin = series.days[part.start] - self._periods.first if part.start < part.stop else 0
        return range(begin, begin + part.stop - part.start)

    def _usage(self) -> List[Optional[int]]:
        """Return what was used; a line that names neither an amount nor a unit used nothing, and spoils no sum."""
        totals: Dict[int, int] = {}
        units: Dict[int, str] = {}
        unknown: Set[int] = set()
        for series, _ in self._parts:
            unit, column = series.kind.unit, series.columns[USAGE_COLUMN]
            for number, begin, end in self._periods.runs(series.days):
                known = [one for one in column[begin:end] if one is not None]
                if len(known) < end - begin and unit:
                    unknown.add(number)
                if known:
                    if units.setdefault(number, unit) != unit:
                        unknown.add(number)
                        self.mixed_units = True
                    totals[number] = totals.get(number, 0) + sum(known)
        return [None if number in unknown else totals.get(number) for number in range(len(self._periods.starts))]


def _unbroken(series: Series, periods: Periods) -> bool:
    """Tell whether days are asked, and a series has one after the other of them: then it is added as a whole."""
    part = series.between(periods.first, periods.last)
    length = part.stop - part.start
    return periods.daily and length > 1 and series.days[part.stop - 1] - series.days[part.start] == length - 1


def _add(totals: List[int], column: Sequence[Optional[int]], runs: Sequence[Run], span: range, part: slice) -> None:
    """Add a column that holds no None to totals by period: by its runs, or as a whole where there are none."""
    if not runs:
        totals[span.start:span.stop] = map(add, totals[span.start:span.stop], column[part])
    for number, begin, end in runs:
        totals[number] += column[begin] if end - begin == 1 else sum(column[begin:end])  # type: ignore
