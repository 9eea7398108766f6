"""The one question that every source of AWS cost answers, and its answer: the shape of Cost Explorer's own.

Days are inclusive on both ends, as people say them; a source adds the day where AWS wants the end exclusive.
"""
from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Mapping, NamedTuple, Optional, Tuple

from aws.charges import UNBLENDED

DAILY, MONTHLY, YEARLY = GRANULARITIES = ("daily", "monthly", "yearly")
DIMENSIONS = ("service", "account", "region", "usage_type", "operation", "instance_type", "record_type", "resource")
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
