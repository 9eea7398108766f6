"""Cost Explorer's side of a conversation, answered from a ledger: filters, groups, pages, and its rules of dates."""
from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Dict, List, Mapping, Optional, Sequence, Set, Tuple

from aws.charges import METRICS, Charge
from aws.ledger import Ledger
from aws.queries import DAILY, MONTHLY, CostQuery
from scripted_aws import Said, ScriptedAws, refusal

NAMES = {"SERVICE": "service", "LINKED_ACCOUNT": "account", "REGION": "region", "USAGE_TYPE": "usage_type",
         "OPERATION": "operation", "INSTANCE_TYPE": "instance_type", "RECORD_TYPE": "record_type",
         "RESOURCE_ID": "resource"}
EMPTY = {"SERVICE": "NoService", "LINKED_ACCOUNT": "NoLinkedAccount", "REGION": "NoRegion",
         "USAGE_TYPE": "NoUsageType", "OPERATION": "NoOperation", "INSTANCE_TYPE": "NoInstanceType",
         "RECORD_TYPE": "NoRecordType", "RESOURCE_ID": "NoResourceId"}
METRIC_NAMES = ("UnblendedCost", "AmortizedCost", "NetUnblendedCost", "NetAmortizedCost", "BlendedCost",
                "UsageQuantity")
PREFIXES = {"TAG": "tag:", "COST_CATEGORY": "category:"}


def serve_ledger(aws: ScriptedAws, ledger: Ledger, today: date, groups_on_a_page: int = 300) -> None:
    """Have a stand-in answer from a ledger."""
    conversation = _Conversation(ledger, today, groups_on_a_page)
    aws.say("GetCostAndUsage", conversation.answer)
    aws.say("GetCostAndUsageWithResources", conversation.answer_with_resources)
    aws.say("GetTags", lambda asked: (200, {"Tags": ledger.tag_keys(*_days(asked)), "ReturnSize": 1, "TotalSize": 1}))


class _Conversation:
    def __init__(self, ledger: Ledger, today: date, groups_on_a_page: int) -> None:
        self.charges = list(ledger.charges())
        self.today, self.size = today, groups_on_a_page
        self.answered: Dict[str, List[Dict[str, Any]]] = {}

    def answer_with_resources(self, asked: Mapping[str, Any]) -> Said:
        if "Filter" not in asked or _days(asked)[0] < self.today - timedelta(days=13):
            return refusal("ValidationException", "a filter and the last 14 days are required")
        return self.answer(asked)

    def answer(self, asked: Mapping[str, Any]) -> Said:
        first, last = _days(asked)
        month_end = (self.today.replace(day=1) + timedelta(days=32)).replace(day=1)
        if first > last or first > self.today or last >= month_end:
            return refusal("ValidationException", f"{first} to {last} is no period to ask for")
        if len(asked.get("GroupBy", ())) > 2 or not asked["Metrics"]:
            return refusal("ValidationException", "too many groups")
        question = repr({name: one for name, one in asked.items() if name != "NextPageToken"})
        if question not in self.answered:
            self.answered[question] = self._periods(asked, first, last)
        periods = self.answered[question]
        flat = [(number, group) for number, one in enumerate(periods) for group in one["Groups"]]
        start = int(asked.get("NextPageToken", "0"))
        page = flat[start:start + self.size]
        here = [dict(one, Groups=[group for place, group in page if place == number])
                for number, one in enumerate(periods)]
        more = {"NextPageToken": str(start + self.size)} if start + self.size < len(flat) else {}
        return 200, dict({"ResultsByTime": here}, **more)

    def _periods(self, asked: Mapping[str, Any], first: date, last: date) -> List[Dict[str, Any]]:
        names = [PREFIXES[one["Type"]] + one["Key"] if one["Type"] in PREFIXES else NAMES[one["Key"]]
                 for one in asked.get("GroupBy", ())]
        kept = Ledger(one for one in self.charges if _fits(asked.get("Filter"), one))
        answer = kept.costs(CostQuery(first, last, DAILY if asked["Granularity"] == "DAILY" else MONTHLY,
                                      METRICS, tuple(names)))
        units = _units(kept, first, last, answer.query, names)
        found: Dict[Tuple[date, date], List[Any]] = {}
        for row in answer.rows:
            found.setdefault((row.first, row.last), []).append(row)
        return [{"TimePeriod": {"Start": start.isoformat(), "End": (end + timedelta(days=1)).isoformat()},
                 "Estimated": rows[0].estimated, "Total": {},
                 "Groups": [{"Keys": [_key(one, key) for one, key in zip(asked["GroupBy"], row.keys)],
                             "Metrics": _metrics(row.amounts, units.get((row.first, row.keys), set()))}
                            for row in reversed(rows)]}  # Cost Explorer sorts by nothing in particular
                for (start, end), rows in found.items()]


def _days(asked: Mapping[str, Any]) -> Tuple[date, date]:
    period = asked["TimePeriod"]
    return date.fromisoformat(period["Start"]), date.fromisoformat(period["End"]) - timedelta(days=1)


def _units(ledger: Ledger, first: date, last: date, query: CostQuery, names: Sequence[str]) -> Dict[Any, Set[str]]:
    """Return the units of each group."""
    found: Dict[Any, Set[str]] = {}
    for charge in ledger.charges():
        if first <= charge.start <= last and charge.unit:
            start = charge.start if query.granularity == DAILY else max(first, charge.start.replace(day=1))
            found.setdefault((start, tuple(_value(charge, name) for name in names)), set()).add(charge.unit)
    return found


def _value(charge: Charge, name: str) -> str:
    for prefix, held in (("tag:", charge.tags), ("category:", charge.categories)):
        if name.startswith(prefix):
            return dict(held).get(name[len(prefix):], "")
    return str(getattr(charge, name))


def _metrics(amounts: Sequence[Any], units: Set[str]) -> Dict[str, Any]:
    costs = {name: {"Amount": str(amount), "Unit": "USD"} for name, amount in zip(METRIC_NAMES, amounts)
             if amount is not None}
    # A sum of several units means nothing, and Cost Explorer gives it all the same, without a unit.
    usage = (str(amounts[5] or 0), *units) if len(units) == 1 else (str(len(units)), "N/A")
    return dict(costs, UsageQuantity=dict(zip(("Amount", "Unit"), usage)))


def _key(group: Mapping[str, str], key: str) -> str:
    return f"{group['Key']}${key}" if group["Type"] in PREFIXES else key or EMPTY[group["Key"]]


def _fits(condition: Optional[Mapping[str, Any]], charge: Charge) -> bool:
    if not condition:
        return True
    (kind, inner), = condition.items()
    if kind == "And":
        return all(_fits(one, charge) for one in inner)
    if kind == "Or":
        return any(_fits(one, charge) for one in inner)
    if kind == "Not":
        return not _fits(inner, charge)
    prefix = {"Tags": "tag:", "CostCategories": "category:", "Dimensions": ""}[kind]
    value = _value(charge, prefix + inner["Key"] if prefix else NAMES[inner["Key"]])
    if inner.get("MatchOptions") == ["ABSENT"]:
        return not value
    return (value or EMPTY.get(inner["Key"], "")) in inner["Values"]
