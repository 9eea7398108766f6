"""Cost Explorer's side of a conversation, answered from a ledger: its rules of dates, groups, metrics, pages, errors.

Sums are made here line by line and not by the ledger's own query, so that one can be told from the other.
"""
from __future__ import annotations

import base64
import json
import threading
from collections import Counter
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, Callable, Dict, Iterable, Iterator, List, Mapping, NamedTuple, Optional, Tuple

from aws.charges import EXACT, ZERO, Charge
from aws.ledger import Ledger

DIMENSIONS = {"SERVICE": "service", "LINKED_ACCOUNT": "account", "REGION": "region", "USAGE_TYPE": "usage_type",
              "OPERATION": "operation", "INSTANCE_TYPE": "instance_type", "RECORD_TYPE": "record_type",
              "RESOURCE_ID": "resource"}
WORDS = {"SERVICE": "NoService", "LINKED_ACCOUNT": "NoLinkedAccount", "REGION": "NoRegion",
         "USAGE_TYPE": "NoUsageType", "OPERATION": "NoOperation", "INSTANCE_TYPE": "NoInstanceType",
         "RECORD_TYPE": "NoRecordType", "RESOURCE_ID": "NoResourceId"}  # for what has no value
METRICS = {"UnblendedCost": "unblended", "AmortizedCost": "amortized", "NetUnblendedCost": "net",
           "NetAmortizedCost": "net_amortized", "BlendedCost": "blended", "UsageQuantity": "usage"}
FORECAST = {"UNBLENDED_COST": "unblended", "AMORTIZED_COST": "amortized", "NET_UNBLENDED_COST": "net",
            "NET_AMORTIZED_COST": "net_amortized", "BLENDED_COST": "blended"}
MOST_GROUPS, MOST_MONTHS, RESOURCE_DAYS = 2, 13, 14
LEAST_FORECAST_DAYS, LOOK_BACK = 28, 28
CENT = Decimal("0.01")

Asked = Mapping[str, Any]


class Refused(Exception):
    """A request that AWS would refuse: the name of its error, and what it says."""

    def __init__(self, kind: str, message: str, status: int = 400) -> None:
        super().__init__(kind, message)
        self.kind, self.message, self.status = kind, message, status

    def body(self) -> Dict[str, str]:
        return {"__type": self.kind, "Message": self.message, "message": self.message}


class Period(NamedTuple):
    """A time period as AWS gives it: the end is not in it."""

    start: date
    end: date

    def as_data(self) -> Dict[str, str]:
        return {"Start": self.start.isoformat(), "End": self.end.isoformat()}


class CostExplorer:
    """Answers requests from a ledger, as if today were a given day; `page` is the most items of one answer.

    `asked` lists all requests, `failures` are raised before the next answers, one each.
    """

    def __init__(self, ledger: Ledger, today: date, page: int = 500) -> None:
        self.charges = list(ledger.charges())
        self._open_days = {one.start for one in self.charges if one.estimated}
        self.currency, self.today, self.page = ledger.currency, today, page
        self.asked: List[Tuple[str, Asked]] = []
        self.failures: List[Refused] = []
        self._answers: Dict[str, List[Any]] = {}
        self._lock = threading.Lock()
        self._operations: Dict[str, Callable[[Asked], Dict[str, Any]]] = {
            "GetCostAndUsage": self._costs, "GetCostAndUsageWithResources": self._costs_with_resources,
            "GetDimensionValues": self._values, "GetTags": self._tags, "GetCostForecast": self._forecast}

    def answer(self, operation: str, asked: Asked) -> Tuple[int, Dict[str, Any]]:
        """Return the status and the body that AWS would answer with."""
        with self._lock:
            self.asked.append((operation, asked))
            try:
                if self.failures:
                    raise self.failures.pop(0)
                if operation not in self._operations:
                    raise Refused("UnknownOperationException", f"{operation} is not answered here")
                return 200, self._operations[operation](asked)
            except Refused as refused:
                return refused.status, refused.body()

    def _costs(self, asked: Asked) -> Dict[str, Any]:
        if "RESOURCE_ID" in _dimensions_asked(asked):
            raise _invalid("RESOURCE_ID is for GetCostAndUsageWithResources alone")
        return self._added(asked)

    def _costs_with_resources(self, asked: Asked) -> Dict[str, Any]:
        if not asked.get("Filter"):
            raise _invalid("Filter is required")
        if "RESOURCE_ID" not in _dimensions_asked(asked):
            raise _invalid("group by RESOURCE_ID, or filter by it")
        if self._period(asked).start < self.today - timedelta(RESOURCE_DAYS):
            raise _invalid(f"resource data is there for the last {RESOURCE_DAYS} days")
        return self._added(asked)

    def _added(self, asked: Asked) -> Dict[str, Any]:
        period = self._period(asked)
        metrics = asked.get("Metrics") or []
        groups = asked.get("GroupBy") or []
        if not metrics or not set(metrics) <= set(METRICS):
            raise _invalid(f"Metrics {sorted(metrics)} are not all of {sorted(METRICS)}")
        if len(groups) > MOST_GROUPS:
            raise _invalid(f"GroupBy has {len(groups)} entries, and at most {MOST_GROUPS} are allowed")
        keys = [_reader(one.get("Type", ""), one.get("Key", "")) for one in groups]
        spans = list(_spans(period, asked.get("Granularity", "")))
        items, token = self._page(asked, lambda: self._items(asked, spans, keys, metrics))
        found: List[Dict[str, Any]] = []
        for place, group in items:
            if not found or found[-1]["TimePeriod"] != spans[place].as_data():
                found.append({"TimePeriod": spans[place].as_data(), "Total": {}, "Groups": [],
                              "Estimated": self._is_open(spans[place])})
            if groups and group:
                found[-1]["Groups"].append(group)
            elif not groups:
                found[-1]["Total"] = group["Metrics"]
        answer = {"ResultsByTime": found, "DimensionValueAttributes": []}
        return dict(answer, **({"GroupDefinitions": groups} if groups else {}), **token)

    def _items(self, asked: Asked, spans: List[Period], keys: List[Any], metrics: List[str]) -> List[Any]:
        """Return pairs of a period's number and a group; a period without any has None for one."""
        fits = _condition(asked.get("Filter"))
        numbers = {one.start + timedelta(day): number for number, one in enumerate(spans)
                   for day in range((one.end - one.start).days)}
        cells: Dict[Tuple[int, Tuple[str, ...]], List[Charge]] = {}
        for charge in self.charges:
            place = numbers.get(charge.start)
            if place is not None and fits(charge):
                cells.setdefault((place, tuple(read(charge) for read in keys)), []).append(charge)
        here_by_place: Dict[int, List[Any]] = {}
        for cell in cells if keys else ((place, ()) for place in range(len(spans))):
            here_by_place.setdefault(cell[0], []).append(cell)
        items: List[Any] = []
        for place in range(len(spans)):
            here = here_by_place.get(place, [])
            items += [(place, {"Keys": list(cell[1]), "Metrics": self._metrics(cells.get(cell, []), metrics)})
                      for cell in here] or [(place, None)]
        return items

    def _metrics(self, charges: List[Charge], metrics: Iterable[str]) -> Dict[str, Dict[str, str]]:
        found = {}
        for name in metrics:
            amounts = [getattr(one.amounts, METRICS[name]) for one in charges]
            unit = self.currency
            if name == "UsageQuantity":
                units = {one.unit for one, amount in zip(charges, amounts) if amount is not None or one.unit}
                unit = units.pop() if len(units) == 1 else "N/A"
                amounts = [amount or ZERO for amount in amounts]
            if None not in amounts:
                found[name] = {"Amount": _text(_sum(amounts)), "Unit": unit or "N/A"}
        return found

    def _values(self, asked: Asked) -> Dict[str, Any]:
        read = _reader("DIMENSION", asked.get("Dimension", ""))
        wanted = str(asked.get("SearchString", "")).lower()
        values = sorted({read(one) for one in self._within(asked)})
        found = [{"Value": one, "Attributes": {"description": f"account {one}"} if asked["Dimension"] ==
                  "LINKED_ACCOUNT" else {}} for one in values if wanted in one.lower()]
        return self._list(asked, "DimensionValues", found)

    def _tags(self, asked: Asked) -> Dict[str, Any]:
        wanted, key = str(asked.get("SearchString", "")).lower(), asked.get("TagKey")
        charges = self._within(asked)
        values = {dict(one.tags).get(key, "") for one in charges} if key else {
            name for one in charges for name, _ in one.tags}
        return self._list(asked, "Tags", [one for one in sorted(values) if wanted in one.lower()])

    def _list(self, asked: Asked, name: str, values: List[Any]) -> Dict[str, Any]:
        if asked.get("NextPageToken") and (asked.get("SearchString") or asked.get("SortBy")):
            raise _invalid("an answer that is searched or sorted has one page")
        items, token = self._page(asked, lambda: values)
        return dict({name: items, "ReturnSize": len(items), "TotalSize": len(values)}, **token)

    def _within(self, asked: Asked) -> List[Charge]:
        period, fits = self._period(asked), _condition(asked.get("Filter"))
        return [one for one in self.charges if period.start <= one.start < period.end and fits(one)]

    def _forecast(self, asked: Asked) -> Dict[str, Any]:
        """Foretell the mean of the last four weeks for every day; a level asked for gives a tenth to either side."""
        period = _read_period(asked)
        granularity, metric = asked.get("Granularity"), asked.get("Metric")
        if metric not in FORECAST:
            raise _invalid(f"Metric {metric} is none of {sorted(FORECAST)}")
        if not period.start <= self.today < period.end:
            raise _invalid("the forecast begins today or before, and ends after today")
        most = {"DAILY": 3, "MONTHLY": 18}.get(str(granularity))
        if most is None or period.end > _months_on(self.today, most):
            raise _invalid(f"Granularity {granularity} cannot be forecast until {period.end}")
        fits = _condition(asked.get("Filter"))
        days = {one.start for one in self.charges}
        if not days or (max(days) - min(days)).days < LEAST_FORECAST_DAYS:
            raise Refused("DataUnavailableException", "there is not enough history for a forecast")
        since = self.today - timedelta(LOOK_BACK)
        whole = _sum(getattr(one.amounts, FORECAST[metric]) or ZERO for one in self.charges
                     if since <= one.start < self.today and fits(one))
        rows = []
        for span in _spans(period, str(granularity)):
            mean = _cents(Fraction(whole) * (span.end - span.start).days / LOOK_BACK)
            row = {"TimePeriod": span.as_data(), "MeanValue": _text(mean)}
            if "PredictionIntervalLevel" in asked:
                row.update(PredictionIntervalLowerBound=_text(mean * 9 / 10),
                           PredictionIntervalUpperBound=_text(mean * 11 / 10))
            rows.append(row)
        total = _sum(Decimal(str(one["MeanValue"])) for one in rows)
        return {"Total": {"Amount": _text(total), "Unit": self.currency}, "ForecastResultsByTime": rows}

    def _page(self, asked: Asked, make: Callable[[], List[Any]]) -> Tuple[List[Any], Dict[str, str]]:
        """Return the items of one page, and the token of the next; a token belongs to the parameters it came with."""
        question = json.dumps({name: one for name, one in asked.items() if name != "NextPageToken"}, sort_keys=True)
        begin = 0
        if asked.get("NextPageToken"):
            try:
                begin, before = json.loads(base64.b64decode(asked["NextPageToken"], validate=True).decode())
            except ValueError:
                raise Refused("InvalidNextTokenException", "this is no token") from None
            if before != question:
                raise Refused("RequestChangedException", "the parameters differ from those of the page before")
        if question not in self._answers:
            self._answers[question] = make()
        items, size = self._answers[question], min(self.page, asked.get("MaxResults", self.page))
        more = json.dumps([begin + size, question]).encode()
        token = {"NextPageToken": base64.b64encode(more).decode()} if begin + size < len(items) else {}
        return items[begin:begin + size], token

    def _period(self, asked: Asked) -> Period:
        """Return the period asked; raises what AWS answers to one that it does not have."""
        period = _read_period(asked)
        oldest = _months_on(self.today.replace(day=1), -MOST_MONTHS)
        if period.start < oldest:
            raise _invalid(f"you haven't enabled historical data beyond 14 months: {oldest} is the first day")
        if period.start > self.today:
            raise _invalid("Start date cannot be in the future")
        if period.end > _months_on(self.today.replace(day=1), 1):
            raise _invalid("end date past the beginning of next month")
        return period

    def _is_open(self, period: Period) -> bool:
        return any(period.start <= day < period.end for day in self._open_days)


def _read_period(asked: Asked) -> Period:
    try:
        period = Period(*(datetime.strptime(asked["TimePeriod"][name], "%Y-%m-%d").date() for name in ("Start", "End")))
    except (KeyError, TypeError, ValueError):
        raise _invalid("TimePeriod needs Start and End as YYYY-MM-DD") from None
    if period.start >= period.end:
        raise _invalid("Start date (and hour) should be before end date (and hour)")
    return period


def _spans(period: Period, granularity: str) -> Iterator[Period]:
    if granularity not in ("DAILY", "MONTHLY"):
        raise _invalid(f"Granularity {granularity!r} is neither DAILY nor MONTHLY")
    start = period.start
    while start < period.end:
        end = start + timedelta(1) if granularity == "DAILY" else _months_on(start.replace(day=1), 1)
        yield Period(start, min(end, period.end))
        start = end


def _months_on(day: date, months: int) -> date:
    number = day.year * 12 + day.month - 1 + months
    month = date(number // 12, number % 12 + 1, 1)
    behind = (month + timedelta(31)).replace(day=1)
    return min(month + timedelta(day.day - 1), behind - timedelta(1))


def _reader(kind: str, key: str) -> Callable[[Charge], str]:
    """Return what gives a charge's key of a group; tags are spelled `KEY$VALUE`."""
    if kind == "DIMENSION" and key in DIMENSIONS:
        return lambda charge: getattr(charge, DIMENSIONS[key]) or WORDS[key]
    if kind in ("TAG", "COST_CATEGORY") and key:
        field = "tags" if kind == "TAG" else "categories"
        return lambda charge: f"{key}${dict(getattr(charge, field)).get(key, '')}"
    raise _invalid(f"{kind} {key} is no dimension, tag or cost category to group by")


def _condition(expression: Optional[Asked]) -> Callable[[Charge], bool]:
    """Return what tells whether a charge fits a filter."""
    if not expression:
        return lambda charge: True
    if len(expression) != 1:
        raise _invalid("an expression has exactly one of And, Or, Not, Dimensions, Tags and CostCategories")
    (name, inner), = expression.items()
    if name in ("And", "Or"):
        if len(inner) < 2:
            raise _invalid(f"{name} joins at least two expressions")
        parts, join = [_condition(one) for one in inner], all if name == "And" else any
        return lambda charge: join(part(charge) for part in parts)
    if name == "Not":
        part = _condition(inner)
        return lambda charge: not part(charge)
    kind = {"Dimensions": "DIMENSION", "Tags": "TAG", "CostCategories": "COST_CATEGORY"}.get(name, name)
    read, options = _reader(kind, inner.get("Key", "")), inner.get("MatchOptions", ["EQUALS"])
    without = WORDS.get(inner["Key"], f"{inner['Key']}$")
    if "ABSENT" in options:
        return lambda charge: read(charge) == without
    if not inner.get("Values"):
        raise _invalid("Values are required")
    front = "" if kind == "DIMENSION" else inner["Key"] + "$"
    values = {front + one for one in inner["Values"]}
    return lambda charge: read(charge) in values


def _dimensions_asked(asked: Asked) -> Dict[str, int]:
    """Return the keys that a request groups by or filters by."""
    found = Counter(one.get("Key", "") for one in asked.get("GroupBy") or [])

    def look(expression: Any) -> None:
        for name, inner in (expression or {}).items():
            if name == "Dimensions":
                found[inner.get("Key", "")] += 1
            for one in inner if isinstance(inner, list) else [inner] if name == "Not" else []:
                look(one)
    look(asked.get("Filter"))
    return found


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    total = ZERO
    for amount in amounts:
        total = EXACT.add(total, amount)
    return total


def _cents(value: Fraction) -> Decimal:
    return Decimal(round(value * 100)) * CENT


def _text(amount: Decimal) -> str:
    return format(amount, "f")


def _invalid(message: str) -> Refused:
    return Refused("ValidationException", message)
