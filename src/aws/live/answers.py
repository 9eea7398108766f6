"""Cost Explorer's answers as exact cells, and cells added up to the rows that a query asks for."""
from __future__ import annotations

from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Dict, FrozenSet, Iterable, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from aws.charges import COST_METRICS, EXACT, METRICS, USAGE_METRIC, ZERO, exact_sum
from aws.live.question import METRIC_NAMES, Question, conditions_of, value_of
from aws.queries import CostQuery, CostRow, period_starts
from errors import AwsError, UsageError

NO_UNITS = ("", "N/A")  # what Cost Explorer gives as unit of usage that has none, or several
ROUNDING = Decimal("0.000001")  # differences up to it come from Cost Explorer's ten places, not from charges

Keys = Tuple[str, ...]


class Cell(NamedTuple):
    """One group on one day or in one month: amounts in the order of `METRICS`, and the unit of what was used."""

    start: date
    keys: Keys
    amounts: Tuple[Optional[Decimal], ...]
    unit: str


class Answer(NamedTuple):
    """The cells that answer a question, the first days of periods that may still change, and the currency."""

    question: Question
    cells: Tuple[Cell, ...]
    estimated: FrozenSet[date]
    currency: str


def read_answer(question: Question, periods: Iterable[Mapping[str, Any]]) -> Answer:
    """Return Cost Explorer's periods, of any number of pages and accounts, as an answer."""
    cells: List[Cell] = []
    estimated = set()
    currencies: Dict[str, None] = {}
    for period in periods:
        # A month that is asked for in part begins where it was asked for.
        start = max(question.first, date.fromisoformat(period["TimePeriod"]["Start"][:10]))
        if period.get("Estimated"):
            estimated.add(start)
        for keys, metrics in _groups(question, period):
            cells.append(Cell(start, keys, tuple(_amount(metrics, name) for name in METRICS),
                              metrics.get(METRIC_NAMES[USAGE_METRIC], {}).get("Unit", "")))
            currencies.update((metrics[METRIC_NAMES[name]]["Unit"], None) for name in COST_METRICS
                              if METRIC_NAMES[name] in metrics)
    known = sorted(one for one in currencies if one not in NO_UNITS)
    if len(known) > 1:
        raise UsageError(f"costs are in {known[0]} and in {known[1]}: a sum of both means nothing; ask for the "
                         "accounts of each currency by themselves")
    return Answer(question, tuple(cells), frozenset(estimated), known[0] if known else "USD")


def read_forecast(days: Iterable[Mapping[str, Any]]) -> Optional[Decimal]:
    """Return what Cost Explorer foretells for its days together; None where it tells of none."""
    found = [_number(day["MeanValue"]) for day in days]
    return exact_sum(found) if found else None


def rows_of(query: CostQuery, answer: Answer, lost: Sequence[Cell] = ()) -> Tuple[CostRow, ...]:
    """Return the rows of a query, added up from an answer that covers it and from what the answer lost."""
    first, starts = query.first.toordinal(), period_starts(query)
    ends = {start: first + number for number, start in enumerate(starts)}  # the last day of each period stays
    groups: Dict[Tuple[int, Keys], List[Cell]] = {}
    for cell in (*_fitting(query, answer), *lost):
        keys = tuple(cell.keys[answer.question.group_by.index(name)] for name in query.group_by)
        groups.setdefault((starts[cell.start.toordinal() - first], keys), []).append(cell)
    changing = {starts[day.toordinal() - first] for day in answer.estimated if query.first <= day <= query.last}
    places = [METRICS.index(name) for name in query.metrics]
    return tuple(CostRow(date.fromordinal(start), date.fromordinal(ends[start]), keys,
                         tuple(_added(cells, place) for place in places), start in changing)
                 for (start, keys), cells in sorted(groups.items(), key=lambda item: item[0]))


def lost_cells(query: CostQuery, answer: Answer, whole: Answer) -> List[Cell]:
    """Return what an answer by account lacks of the whole, as cells of no account.

    Cost Explorer loses support and taxes that are shared out over accounts (boto/boto3 #2140).
    """
    groups = answer.question.group_by
    shared = [name for name in groups if name in whole.question.group_by and name != "account"]
    missing: Dict[Tuple[int, Keys], List[Optional[Decimal]]] = {}
    units: Dict[Tuple[int, Keys], str] = {}
    starts, first = period_starts(query), query.first.toordinal()
    for part, sign in ((whole, 1), (answer, -1)):
        for cell in _fitting(query, part):
            key = (starts[cell.start.toordinal() - first],
                   tuple(cell.keys[part.question.group_by.index(name)] for name in shared))
            sums = missing.setdefault(key, [ZERO] * len(METRICS))
            units.setdefault(key, cell.unit)
            missing[key] = [_signed(before, amount, sign) for before, amount in zip(sums, cell.amounts)]
    return [Cell(date.fromordinal(start), tuple(dict(zip(shared, keys)).get(name, "") for name in groups),
                 tuple(ZERO if one is None else one for one in sums), units[start, keys])
            for (start, keys), sums in missing.items()
            if any(one is not None and abs(one) > ROUNDING for one in sums[:len(COST_METRICS)])]


def _groups(question: Question, period: Mapping[str, Any]) -> Iterator[Tuple[Keys, Mapping[str, Any]]]:
    """Yield keys and metrics of a period: its groups, or its total where nothing was grouped."""
    if not question.group_by:
        yield (), period.get("Total", {})
    for group in period.get("Groups", ()):
        yield tuple(value_of(name, key) for name, key in zip(question.group_by, group["Keys"])), group["Metrics"]


def _amount(metrics: Mapping[str, Any], name: str) -> Optional[Decimal]:
    """Return a metric as the decimal that AWS wrote; None where it gives none."""
    text = metrics.get(METRIC_NAMES[name], {}).get("Amount")
    return None if text is None else _number(text)


def _number(text: str) -> Decimal:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        raise AwsError(f"Cost Explorer gives {text!r} for an amount, which is no number: try again later") from None
    if not amount.is_finite():
        raise AwsError(f"Cost Explorer gives {text!r} for an amount, which is no number: try again later")
    return amount


def _fitting(query: CostQuery, answer: Answer) -> List[Cell]:
    """Return the cells of a query's days that meet those of its conditions that AWS was not told of."""
    groups = answer.question.group_by
    here = [(groups.index(name), keep, set(values)) for name, keep, values
            in conditions_of(query) - answer.question.conditions]
    return [cell for cell in answer.cells if query.first <= cell.start <= query.last
            and all((cell.keys[place] in values) is keep for place, keep, values in here)]


def _added(cells: Sequence[Cell], place: int) -> Optional[Decimal]:
    """Return the sum of a metric; None where a part is unknown, and of usage where units differ or nothing has one."""
    total, unit = ZERO, None
    for cell in cells:
        amount = cell.amounts[place]
        if METRICS[place] == USAGE_METRIC:
            if not amount and cell.unit in NO_UNITS:
                continue  # tax, fees and such use nothing
            if cell.unit in NO_UNITS or (unit is not None and cell.unit != unit):
                return None
            unit = cell.unit
        if amount is None:
            return None
        total = EXACT.add(total, amount)
    return None if METRICS[place] == USAGE_METRIC and unit is None else total


def _signed(before: Optional[Decimal], amount: Optional[Decimal], sign: int) -> Optional[Decimal]:
    if before is None or amount is None:
        return None
    return EXACT.add(before, amount) if sign > 0 else EXACT.subtract(before, amount)
