"""A bill in memory: charges added up by day and all their dimensions, which answers any query exactly.

Memory grows with distinct combinations, not with lines. `LedgerSource` answers the questions of a source from one.
"""
from __future__ import annotations

import gc
import threading
from contextlib import contextmanager
from datetime import date, timedelta
from decimal import Decimal, Inexact
from itertools import chain, repeat
from typing import Any, Dict, Iterable, Iterator, List, Optional, Set, Tuple

from aws.charges import EXACT, METRICS, ZERO, Amounts, Charge
from aws.decimals import rows_of_decimals
from aws.queries import CATEGORY, TAG, CostQuery, CostRow, Costs, checked_dimension, checked_query
from aws.resource_ids import billed_resources
from aws.series import Kind, Periods, Series, Sums
from aws.sources.base import Inventory, Source
from errors import UsageError, listed

_PLACES = 12  # of the whole numbers that amounts are kept as, until a line has more
_MIXED_UNITS = "Usage is left open where a group holds more than one unit: group by usage type."


class Ledger:
    """Charges, added up. One ledger has one currency; a second one is a `UsageError` that names both.

    `notes` say what the reader of its answers should know, and stand in each of them.
    """

    def __init__(self, charges: Iterable[Charge] = ()) -> None:
        """Begin with some charges."""
        self.notes: List[str] = []
        self.currency = ""
        self._places = _PLACES
        self._kinds: Dict[Kind, Series] = {}
        self._estimated: Set[int] = set()
        self._columns: Dict[str, List[str]] = {}
        for charge in charges:
            self.add(charge)

    def add(self, charge: Charge) -> None:
        """Add a line."""
        if charge.currency != self.currency:
            if self.currency:
                raise UsageError(f"costs are in {self.currency} and in {charge.currency}: "
                                 "a sum of both means nothing; give the files of each currency by themselves")
            self.currency = charge.currency
        kind = Kind(charge.account, charge.service, charge.region, charge.usage_type, charge.operation,
                     charge.instance_type, charge.record_type, charge.resource, charge.unit, charge.tags,
                     charge.categories, charge.provider, charge.publisher, charge.issuer,
                     (charge.end - charge.start).days)
        series = self._kinds.get(kind)
        if series is None:
            series = self._kinds[kind] = Series(kind)
            self._columns = {}
        day = charge.start.toordinal()
        series.add(day, self._whole(charge.amounts))
        if charge.estimated:
            self._estimated.add(day)

    def __len__(self) -> int:
        """Return how many sums are kept."""
        return sum(len(series.days) for series in self._kinds.values())

    def charges(self) -> Iterator[Charge]:
        """Yield the sums as lines, day after day; lines that differed in nothing but their amounts are one."""
        cells = [(day, number, place) for number, series in enumerate(self._kinds.values())
                 for place, day in enumerate(series.days)]
        every = list(self._kinds.values())
        for day, number, place in sorted(cells):
            series, start = every[number], date.fromordinal(day)
            yield self._charge(series, start, start + timedelta(series.kind.length),
                               (column[place] for column in series.columns), day in self._estimated)

    def totals(self, first: date, last: date) -> Iterator[Charge]:
        """Yield what each combination of dimensions came to in a period, as one line from its first to its last day."""
        for series in self._kinds.values():
            part = series.between(first.toordinal(), last.toordinal())
            if part.start < part.stop:
                days = series.days[part]
                sums = (None if None in column[part] else sum(column[part])  # type: ignore[arg-type]
                        for column in series.columns)
                yield self._charge(series, date.fromordinal(days[0]), date.fromordinal(days[-1] + 1), sums,
                                   not self._estimated.isdisjoint(days))

    def _charge(self, series: Series, start: date, end: date, amounts: Iterable[Optional[int]],
                estimated: bool) -> Charge:
        kind = series.kind
        return Charge(start, end, kind.account, kind.service, Amounts(*map(self._decimal, amounts)), kind.region,
                      kind.usage_type, kind.operation, kind.instance_type, kind.record_type, kind.resource, kind.unit,
                      self.currency, kind.tags, kind.categories, estimated, kind.provider, kind.publisher,
                      kind.issuer)

    def costs(self, query: CostQuery) -> Costs:
        """Answer a query; any number of dimensions to group by."""
        with _uncollected():
            return self._answer(query)

    def _answer(self, query: CostQuery) -> Costs:
        periods = Periods(checked_query(query))
        groups: Dict[Tuple[str, ...], List[Series]] = {}
        for keys, series in self._wanted(query):
            part = series.between(periods.first, periods.last)
            if part.start < part.stop:
                groups.setdefault(keys, []).append(series)
        notes = list(self.notes)
        open_periods = {periods.number(day) for day in self._estimated}
        spans = [(date.fromordinal(first), date.fromordinal(last), number in open_periods)
                 for number, (first, last) in enumerate(zip(periods.starts, periods.ends))]
        rows: List[List[CostRow]] = [[] for _ in spans]
        for keys in sorted(groups):
            sums = Sums(groups[keys], periods)
            present = sums.present()
            columns = [sums.amounts(METRICS.index(name)) for name in query.metrics]
            if len(present) < len(spans):
                columns = [[column[number] for number in present] for column in columns]
            for number, amounts in zip(present, rows_of_decimals(columns, self._places) if columns else repeat(())):
                first, last, is_open = spans[number]
                rows[number].append(CostRow(first, last, keys, amounts, is_open))
            if sums.mixed_units and _MIXED_UNITS not in notes:
                notes.append(_MIXED_UNITS)
        return Costs(query, self.currency or "USD", tuple(chain.from_iterable(rows)), tuple(notes))

    def period(self) -> Tuple[date, date]:
        """Return the first and last day that charges are booked on; raises `UsageError` where there are none."""
        if not self._kinds:
            raise UsageError("there are no charges: choose another source")
        every = self._kinds.values()
        return (date.fromordinal(min(series.days[0] for series in every)),
                date.fromordinal(max(series.days[-1] for series in every)))

    def metrics(self) -> Tuple[str, ...]:
        """Return the metrics that are known of some charge."""
        every = list(self._kinds.values())
        return tuple(name for number, name in enumerate(METRICS) if any(
            not series.unknown[number] or any(one is not None for one in series.columns[number]) for series in every))

    def values(self, dimension: str, first: date, last: date) -> List[str]:
        """Return the values of a dimension that have charges in a period, sorted."""
        column = self._column(checked_dimension(dimension))
        return sorted({value for value, series in zip(column, self._kinds.values()) if _has_days(series, first, last)})

    def tag_keys(self, first: date, last: date) -> List[str]:
        """Return the keys of tags that charges of a period carry, sorted."""
        return sorted({key for kind, series in self._kinds.items() if kind.tags and _has_days(series, first, last)
                       for key, _ in kind.tags})

    def category_keys(self, first: date, last: date) -> List[str]:
        """Return the names of cost categories that charges of a period fall into, sorted."""
        return sorted({key for kind, series in self._kinds.items() if kind.categories
                       and _has_days(series, first, last) for key, _ in kind.categories})

    def _wanted(self, query: CostQuery) -> Iterator[Tuple[Tuple[str, ...], Series]]:
        """Yield the series that a query's conditions leave, with their keys."""
        every = list(self._kinds.values())
        keys: Iterable[Tuple[str, ...]] = zip(*map(self._column, query.group_by)) if query.group_by else [()] * len(
            every)
        kept = [True] * len(every)
        for conditions, wanted in ((query.where, True), (query.without, False)):
            for name, texts in conditions.items():
                known = set(texts)
                kept = [before and (text in known) is wanted for before, text in zip(kept, self._column(name))]
        return ((key, series) for key, series, fits in zip(keys, every, kept) if fits)

    def _column(self, dimension: str) -> List[str]:
        """Return the value of a dimension for each series; '' where it has none."""
        column = self._columns.get(dimension)
        if column is None:
            for prefix, field in ((TAG, "tags"), (CATEGORY, "categories")):
                if dimension.startswith(prefix):
                    key = dimension[len(prefix):]
                    column = [dict(getattr(kind, field)).get(key, "") for kind in self._kinds]
            if column is None:
                column = [getattr(kind, dimension) for kind in self._kinds]
            self._columns[dimension] = column
        return column

    def _whole(self, amounts: Amounts) -> List[Optional[int]]:
        """Return amounts as whole numbers of the ledger's places, which grow where a line has more."""
        found: List[Optional[int]] = []
        before: Any = None
        for amount in amounts:
            if amount is not None and amount is before:  # as it is for most lines, and costs more to convert again
                found.append(found[-1])
                continue
            before = amount
            try:
                found.append(None if amount is None else int(EXACT.to_integral_exact(EXACT.scaleb(
                    amount, self._places))))
            except Inexact:
                self._widen(max(-one.as_tuple().exponent for one in amounts if one is not None))  # type: ignore
                return self._whole(amounts)
        return found

    def _widen(self, places: int) -> None:
        """Keep amounts with more places from now on."""
        if places <= self._places:
            raise UsageError("an amount has more digits than can be added without rounding: correct the line")
        factor = 10 ** (places - self._places)
        for series in self._kinds.values():
            for column in series.columns:
                column[:] = [None if one is None else one * factor for one in column]
        self._places = places

    def _decimal(self, whole: Optional[int]) -> Optional[Decimal]:
        """Return a whole number as the amount it stands for, without zeros at the end and without an exponent."""
        if whole is None:
            return None
        return EXACT.add(EXACT.normalize(EXACT.scaleb(Decimal(whole), -self._places)), ZERO)  # 0 has no exponent


class LedgerSource(Source):
    """A source that holds its whole bill: a subclass gives it by `load`, which runs at the first question."""

    _ledger: Optional[Ledger] = None
    _loading = threading.Lock()

    @property
    def ledger(self) -> Ledger:
        """Return the bill."""
        with self._loading:
            if self._ledger is None:
                self._ledger = self.load()
        return self._ledger

    def load(self) -> Ledger:
        """Read or make the bill; raises `AwsError` where it cannot be."""
        raise NotImplementedError

    def period(self) -> Tuple[date, date]:
        """Return the first and last day of the bill."""
        return self.ledger.period()

    def metrics(self) -> Tuple[str, ...]:
        """Return the metrics that some charge of the bill tells."""
        return self.ledger.metrics()

    def providers(self, first: date, last: date) -> List[str]:
        """Return whose charges a period holds, sorted."""
        return self.ledger.values("provider", first, last)

    def costs(self, query: CostQuery) -> Costs:
        """Answer a query; a metric that no charge tells is a `UsageError` that names those that are there."""
        unknown = [name for name in query.metrics if name not in self.metrics()]
        if unknown:
            raise UsageError(f"{unknown[0]!r} is not told by this source; there are: {listed(self.metrics())}")
        return self.ledger.costs(query)

    def values(self, dimension: str, first: date, last: date) -> List[str]:
        """Return the values of a dimension that have charges in a period, sorted."""
        return self.ledger.values(dimension, first, last)

    def tag_keys(self, first: date, last: date) -> List[str]:
        """Return the keys of tags that charges of a period carry, sorted."""
        return self.ledger.tag_keys(first, last)

    def inventory(self, first: date, last: date) -> Inventory:
        """Return the resources that charges of a period name, with what they cost by the bill."""
        return Inventory(billed_resources(self.ledger.totals(first, last)))


@contextmanager
def _uncollected() -> Iterator[None]:
    """Keep the garbage collector from looking, over and over, at rows of an answer, of which none is garbage."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _has_days(series: Series, first: date, last: date) -> bool:
    part = series.between(first.toordinal(), last.toordinal())
    return bool(part.start < part.stop)
