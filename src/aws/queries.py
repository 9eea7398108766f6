"""The one question that every source of AWS cost answers, and its answer: the shape of Cost Explorer's own.

Days are inclusive on both ends, as people say them; a source adds the day where AWS wants the end exclusive.
"""
from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import List, Mapping, NamedTuple, Optional, Tuple

from aws.charges import METRICS, UNBLENDED
from errors import UsageError, listed

DAILY, MONTHLY, YEARLY = GRANULARITIES = ("daily", "monthly", "yearly")
DIMENSIONS = ("service", "account", "region", "usage_type", "operation", "instance_type", "record_type", "resource",
              "provider")  # of which Cost Explorer knows none but AWS: bills of several come as FOCUS
TAG, CATEGORY = "tag:", "category:"  # prefixes: `tag:Team` groups by the values of the tag Team, '' where it is missing
MOST_GROUPS = 2  # that Cost Explorer takes in one request; a ledger takes any number


class CostQuery(NamedTuple):
    """What is asked: days, granularity, metrics, up to two dimensions, and which values they may have.

    `where` keeps, `without` leaves out: dimension (or `tag:KEY`, `category:KEY`) to values.
    """

    first: date
    last: date
    granularity: str = MONTHLY
    metrics: Tuple[str, ...] = (UNBLENDED,)
    group_by: Tuple[str, ...] = ()
    where: Mapping[str, Tuple[str, ...]] = {}
    without: Mapping[str, Tuple[str, ...]] = {}


class CostRow(NamedTuple):
    """One group in one period: its first and last day, the group's values, and an amount for each metric asked.

    An amount is None where the source does not know it for a part of the group. `estimated` marks periods that may
    still change.
    """

    first: date
    last: date
    keys: Tuple[str, ...]
    amounts: Tuple[Optional[Decimal], ...]
    estimated: bool = False


class Costs(NamedTuple):
    """The answer: rows in order of period and keys; periods without any charge have no row.

    `notes` say in sentences what is missing or was left out, for people.
    """

    query: CostQuery
    currency: str
    rows: Tuple[CostRow, ...]
    notes: Tuple[str, ...] = ()


def checked_query(query: CostQuery) -> CostQuery:
    """Return a query as it is; raises `UsageError` for whatever nobody could answer, naming what there is."""
    if query.first > query.last:
        raise UsageError(f"the period begins on {query.first} and ends on {query.last}: the first day comes first")
    if query.granularity not in GRANULARITIES:
        raise UsageError(f"{query.granularity!r} is no granularity; there are: {', '.join(GRANULARITIES)}")
    for name in query.metrics:
        if name not in METRICS:
            raise UsageError(f"{name!r} is no metric; there are: {', '.join(METRICS)}")
    for name in (*query.group_by, *query.where, *query.without):
        checked_dimension(name)
    return query


def checked_dimension(name: str) -> str:
    """Return a dimension as it is; raises `UsageError` for one that there is not, naming those there are."""
    if name not in DIMENSIONS and not any(name.startswith(one) and name != one for one in (TAG, CATEGORY)):
        raise UsageError(f"{name!r} is no dimension; there are: {listed(DIMENSIONS)}, {TAG}KEY, {CATEGORY}KEY")
    return name


def period_starts(query: CostQuery) -> List[int]:
    """Return for each day asked the first day of its period, as ordinals; the first period begins where asked."""
    first, last = query.first.toordinal(), query.last.toordinal()
    if query.granularity == DAILY:
        return list(range(first, last + 1))
    starts: List[int] = []
    for ordinal in range(first, last + 1):
        day = date.fromordinal(ordinal)
        begins = day.day == 1 and (query.granularity == MONTHLY or day.month == 1)
        starts.append(ordinal if begins or not starts else starts[-1])
    return starts
