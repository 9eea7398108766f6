"""How the cost service asks a source: within a choice, each question once, and its answers as cells.

A daily answer by service and record type feeds most figures, since every request to Cost Explorer costs a cent.
"""
from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Dict, Iterable, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from aws.charges import COST_METRICS, UNBLENDED, Charge
from aws.parts import LUMPS, NO_SERVICES, Known, added, is_support, parts_of
from aws.queries import CATEGORY, DAILY, MONTHLY, TAG, YEARLY, CostQuery, CostRow, Costs
from aws.sources.base import Inventory, Resource, Source
from aws.utils import Range, Trend, add_months, calculate_cost_trend, complete_until, days_of, validate_date_range
from errors import UsageError

DEFAULT_MONTHS = 6  # that are looked at where no days are named
_BASE = ("service", "record_type")

Where = Mapping[str, Tuple[str, ...]]
Series = Dict[date, Decimal]


class Choice(NamedTuple):
    """What is looked at: days (None: the last months of the source), the metric, and which values dimensions have."""

    first: Optional[date] = None
    last: Optional[date] = None
    metric: str = UNBLENDED
    where: Where = {}


class Asking:
    """Puts questions to one source within one choice; the same question only once.

    `notes` collect what the answers say is missing.
    """

    def __init__(self, source: Source, choice: Optional[Choice] = None) -> None:
        """Remember whom to ask for what; nothing is asked before the first question."""
        self.source = source
        self.choice = choice or Choice()
        self.today = source.options.today
        self.notes: List[str] = []
        self._answers: Dict[str, Costs] = {}
        self._inventory: Optional[Inventory] = None
        self._range: Optional[Range] = None

    @property
    def days(self) -> Range:
        """Return the first and the last day that are looked at; `UsageError` where the source has none of them."""
        if self._range is None:
            held = self.source.period()
            last = self.choice.last or held[1]
            first = self.choice.first or max(held[0], add_months(last.replace(day=1), 1 - DEFAULT_MONTHS))
            self._range = validate_date_range(first, last, held)
        return self._range

    @property
    def complete_last(self) -> date:
        """Return the last day that AWS has wholly told of."""
        return min(self.days[1], complete_until(self.today, self.source.period()[1]))

    @property
    def currency(self) -> str:
        """Return the currency of all amounts."""
        return self.base().currency

    def metrics(self) -> Tuple[str, ...]:
        """Return the metrics of cost that the source knows, the chosen one first; `UsageError` if it does not."""
        known, chosen = self.source.metrics(), self.choice.metric
        if chosen not in known:
            raise UsageError(f"--metric {chosen}: the source does not know it; it knows: {', '.join(known)}")
        return (chosen,) + tuple(one for one in COST_METRICS if one in known and one != chosen)

    def base(self, where: Optional[Where] = None) -> Costs:
        """Return the daily answer by service and record type."""
        return self.ask(DAILY, _BASE, where=where)

    def ask(self, granularity: str, group_by: Tuple[str, ...] = (), within: Optional[Range] = None,
            where: Optional[Where] = None, without: Optional[Where] = None) -> Costs:
        """Return the answer to a question within the choice; years are added up here, since AWS knows none."""
        first, last = within or self.days
        query = CostQuery(first, last, MONTHLY if granularity == YEARLY else granularity, self.metrics(), group_by,
                          {**self.choice.where, **(where or {})}, without or {})
        key = repr((query[:-2], sorted(query.where.items()), sorted(query.without.items())))
        if key not in self._answers:
            self._answers[key] = self.source.costs(query)
            self._note(self._answers[key].notes)
        answer = self._answers[key]
        return answer._replace(rows=_yearly(answer.rows)) if granularity == YEARLY else answer

    def inventory(self) -> Inventory:
        """Return the resources that stood in the days that are looked at, as far as they are chosen."""
        if self._inventory is None:
            found = self.source.inventory(*self.days)
            self._note(found.notes)
            self._inventory = found._replace(resources=tuple(
                one for one in found.resources if _fits(one, self.choice.where)))
        return self._inventory

    def tag_keys(self) -> List[str]:
        """Return the keys of tags in these days."""
        return self.source.tag_keys(*self.days)

    def windows(self) -> Optional[Tuple[Range, Range]]:
        """Return two ranges of complete days of equal length, the later first, by the rule of trends; or None."""
        first, last = self.days[0], self.complete_last
        length = calculate_cost_trend([Decimal(1)] * max(0, (last - first).days + 1)).days
        if not length:
            return None
        now = (last - timedelta(days=length - 1), last)
        return now, (now[0] - timedelta(days=length), now[0] - timedelta(days=1))

    def running_by(self, dimension: str, where: Optional[Where] = None) -> Dict[str, Series]:
        """Return what use cost on each complete day by the values of a dimension; days of unknown cost are left out.

        Fees in a lump, support, tax, credits and refunds are not in it.
        """
        if dimension in _BASE:
            rows = self.base(where).rows
            place = _BASE.index(dimension)
        else:
            support = tuple(sorted({row.keys[0] for row in self.base().rows if is_support(row.keys[0])}))
            rows = self.ask(DAILY, (dimension,), where=where, without=dict(
                {"record_type": NO_SERVICES + LUMPS}, **({"service": support} if support else {}))).rows
            rows, place = tuple(row._replace(keys=(row.keys[0], "")) for row in rows), 0
        return _series(rows, place, self.complete_last, dimension in _BASE)

    def running(self, where: Optional[Where] = None) -> Tuple[List[date], List[Decimal]]:
        """Return the complete days without holes, and what use cost on each; a day of unknown cost begins anew."""
        by_day: Dict[date, List[CostRow]] = {}
        for row in self.base(where).rows:
            by_day.setdefault(row.first, []).append(row)
        days: List[date] = []
        values: List[Decimal] = []
        for day in days_of(self.days[0], self.complete_last):
            cost = parts_of(_amounts(by_day.get(day, ()))).running
            if cost is None:
                days, values = [], []
            else:
                days.append(day)
                values.append(cost)
        return days, values

    def chosen(self, charges: Iterable[Charge]) -> Iterator[Charge]:
        """Yield the lines of a bill that fall into the days and the values that are looked at."""
        first, last = self.days
        for charge in charges:
            if first <= charge.start <= last and all(
                    _value(charge, name) in values for name, values in self.choice.where.items()):
                yield charge

    def trend(self, where: Optional[Where] = None) -> Trend:
        """Return where the daily cost of use is heading."""
        return calculate_cost_trend(self.running(where)[1])

    def _note(self, notes: Sequence[str]) -> None:
        self.notes += [one for one in notes if one not in self.notes]


def cost_of(rows: Sequence[CostRow]) -> Known:
    """Return the sum of rows by the chosen metric."""
    return added(row.amounts[0] for row in rows)


def _amounts(rows: Sequence[CostRow]) -> List[Tuple[str, str, Known]]:
    return [(row.keys[0], row.keys[1], row.amounts[0]) for row in rows]


def _series(rows: Sequence[CostRow], place: int, last: date, has_parts: bool) -> Dict[str, Series]:
    cells: Dict[str, Dict[date, List[CostRow]]] = {}
    for row in rows:
        if row.first <= last:
            cells.setdefault(row.keys[place], {}).setdefault(row.first, []).append(row)
    found: Dict[str, Series] = {}
    for value, days in cells.items():
        costs = {day: parts_of(_amounts(ones)).running if has_parts else cost_of(ones) for day, ones in days.items()}
        found[value] = {day: cost for day, cost in costs.items() if cost is not None}
    return found


def _yearly(rows: Sequence[CostRow]) -> Tuple[CostRow, ...]:
    """Return rows of months as rows of years."""
    found: Dict[Tuple[int, Tuple[str, ...]], List[CostRow]] = {}
    for row in rows:
        found.setdefault((row.first.year, row.keys), []).append(row)
    return tuple(CostRow(min(one.first for one in ones), max(one.last for one in ones), keys,
                         tuple(added(column) for column in zip(*(one.amounts for one in ones))),
                         any(one.estimated for one in ones)) for (_, keys), ones in sorted(found.items()))


def _value(charge: Charge, name: str) -> str:
    for prefix, pairs in ((TAG, charge.tags), (CATEGORY, charge.categories)):
        if name.startswith(prefix):
            return dict(pairs).get(name[len(prefix):], "")
    return str(getattr(charge, name))


def _fits(one: Resource, where: Where) -> bool:
    """Tell whether a resource has the values that are chosen; dimensions that it has not are no reason against it."""
    for name, values in where.items():
        own = one.tags.get(name[len(TAG):], "") if name.startswith(TAG) else getattr(one, name, None)
        if own is not None and own not in values:
            return False
    return True
