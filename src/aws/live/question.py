"""A query in Cost Explorer's words: dimensions, metrics, filters and days, and the way back.

Only two dimensions fit into a request, so conditions on them are met here and cost no request of their own.
"""
from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Dict, FrozenSet, List, Mapping, NamedTuple, Tuple

from aws.charges import COST_METRICS, METRICS
from aws.live.operations import GET_COST_AND_USAGE, GET_COST_WITH_RESOURCES, Operation
from aws.live.record_types import spellings
from aws.queries import CATEGORY, DAILY, MONTHLY, MOST_GROUPS, TAG, CostQuery

METRIC_NAMES = dict(zip(METRICS, ("UnblendedCost", "AmortizedCost", "NetUnblendedCost", "NetAmortizedCost",
                                  "BlendedCost", "UsageQuantity")))  # one request brings them all for one price
DIMENSION_NAMES = {"service": "SERVICE", "account": "LINKED_ACCOUNT", "region": "REGION", "usage_type": "USAGE_TYPE",
                   "operation": "OPERATION", "instance_type": "INSTANCE_TYPE", "record_type": "RECORD_TYPE",
                   "resource": "RESOURCE_ID"}
NOTHING = {"service": "NoService", "account": "NoLinkedAccount", "region": "NoRegion", "usage_type": "NoUsageType",
           "operation": "NoOperation", "instance_type": "NoInstanceType", "record_type": "NoRecordType",
           "resource": "NoResourceId"}  # what Cost Explorer says where a charge has no value
FORECAST_NAMES = dict(zip(COST_METRICS, ("UNBLENDED_COST", "AMORTIZED_COST", "NET_UNBLENDED_COST",
                                         "NET_AMORTIZED_COST", "BLENDED_COST")))  # as GetCostForecast spells them
_BASE = {"service", "record_type"}  # asked for by days, from which every report takes most of its figures
_KEPT_ALONG = "record_type"  # grouped by where there is room: gross, credits and net then are one request

Condition = Tuple[str, bool, Tuple[str, ...]]  # dimension, whether to keep, values


class Question(NamedTuple):
    """What one request asks of one account: first and last day, daily or monthly, groups, and conditions."""

    first: date
    last: date
    granularity: str
    group_by: Tuple[str, ...]
    conditions: FrozenSet[Condition]

    @property
    def operation(self) -> Operation:
        """Return the operation that answers it."""
        names = set(self.group_by) | {name for name, _, _ in self.conditions}
        return GET_COST_WITH_RESOURCES if "resource" in names else GET_COST_AND_USAGE

    def parameters(self, account: str = "") -> Dict[str, Any]:
        """Return it as the parameters of the operation; `account` narrows it to that account's own costs."""
        asked: Dict[str, Any] = {
            "TimePeriod": {"Start": self.first.isoformat(), "End": (self.last + timedelta(days=1)).isoformat()},
            "Granularity": self.granularity.upper(), "Metrics": list(METRIC_NAMES.values())}
        if self.group_by:
            asked["GroupBy"] = [_group(name) for name in self.group_by]
        return _filtered(asked, self.conditions, account)

    def covers(self, other: "Question") -> bool:
        """Tell whether the answer to another question can be added up from the answer to this one.

        By account it cannot: such an answer loses what is shared out over accounts.
        """
        same_days = (self.first, self.last, self.granularity) == (other.first, other.last, other.granularity)
        finer = self.granularity == DAILY and self.first <= other.first and other.last <= self.last
        here = {name for name, _, _ in other.conditions - self.conditions}
        loses = "account" in self.group_by and "account" not in other.group_by
        return (not loses and (same_days or finer) and self.conditions <= other.conditions
                and (set(other.group_by) | here) <= set(self.group_by))


def conditions_of(query: CostQuery) -> FrozenSet[Condition]:
    """Return a query's conditions."""
    return frozenset((name, keep, tuple(sorted(values))) for keep, held in ((True, query.where), (False, query.without))
                     for name, values in held.items())


def question_of(query: CostQuery, first: date, last: date) -> Question:
    """Return what is to be asked of AWS for a query within these days, with record types where there is room."""
    groups = query.group_by
    if _has_room(query):
        groups += (_KEPT_ALONG,)
    conditions = frozenset(one for one in conditions_of(query) if one[0] not in groups or one[0] == "resource")
    daily = query.granularity == DAILY or (set(groups) == _BASE and not conditions)
    return Question(first, last, DAILY if daily else MONTHLY, groups, conditions)


def _has_room(query: CostQuery) -> bool:
    """Tell whether record types may come along: of other groups' days they would only make more pages to pay for."""
    return (len(query.group_by) < MOST_GROUPS and _KEPT_ALONG not in query.group_by
            and (query.granularity != DAILY or set(query.group_by) <= _BASE))


class ForecastQuestion(NamedTuple):
    """What is asked of AWS's own forecast: from today to a last day, a metric of cost, and conditions."""

    today: date
    last: date
    metric: str
    conditions: FrozenSet[Condition]

    def parameters(self, account: str = "") -> Dict[str, Any]:
        """Return it as the parameters of GetCostForecast; days, since a month's figure may hold what is billed."""
        return _filtered({
            "TimePeriod": {"Start": self.today.isoformat(), "End": (self.last + timedelta(days=1)).isoformat()},
            "Granularity": DAILY.upper(), "Metric": FORECAST_NAMES[self.metric]}, self.conditions, account)


def value_of(name: str, key: str) -> str:
    """Return a group's key as this toolkit writes the value of a dimension."""
    if name.startswith((TAG, CATEGORY)):
        return key.partition("$")[2]
    if key == NOTHING[name]:
        return ""
    return spellings(key)[0] if name == _KEPT_ALONG else key


def _filtered(asked: Dict[str, Any], conditions: FrozenSet[Condition], account: str) -> Dict[str, Any]:
    """Return parameters with conditions as their filter; `account` narrows them to that account's own costs."""
    parts = [_expression(one) for one in sorted(conditions)]
    if account:
        parts.append(_expression(("account", True, (account,))))
    if parts:
        asked["Filter"] = parts[0] if len(parts) == 1 else {"And": parts}
    return asked


def _group(name: str) -> Dict[str, str]:
    for prefix, kind in ((TAG, "TAG"), (CATEGORY, "COST_CATEGORY")):
        if name.startswith(prefix):
            return {"Type": kind, "Key": name[len(prefix):]}
    return {"Type": "DIMENSION", "Key": DIMENSION_NAMES[name]}


def _expression(condition: Condition) -> Dict[str, Any]:
    name, keep, values = condition
    group = _group(name)
    member = {"TAG": "Tags", "COST_CATEGORY": "CostCategories", "DIMENSION": "Dimensions"}[group["Type"]]
    parts: List[Mapping[str, Any]] = []
    if member == "Dimensions":
        values = tuple(one or NOTHING[name] for one in values)
        if name == _KEPT_ALONG:
            values = tuple(spelling for one in values for spelling in spellings(one))
    elif "" in values:
        parts.append({member: {"Key": group["Key"], "MatchOptions": ["ABSENT"]}})
        values = tuple(one for one in values if one)
    if values:
        parts.append({member: {"Key": group["Key"], "Values": list(values)}})
    whole = parts[0] if len(parts) == 1 else {"Or": parts}
    return dict(whole) if keep else {"Not": whole}
