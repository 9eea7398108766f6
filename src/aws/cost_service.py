"""`AWSCostService`: what AWS costs, asked of any source and answered as plain data.

Amounts are exact decimals in the source's currency, None where the source does not know. Days are inclusive. The
groups of an answer add up to its whole: what the source gives to no group is a row of its own.
"""
from __future__ import annotations

from datetime import date
from decimal import ROUND_DOWN, Decimal
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple

from aws.asking import Asking, Where, cost_of
from aws.parts import NO_SERVICES, Known, Parts, added, less, parts_of
from aws.queries import DAILY, MONTHLY, YEARLY, CostQuery, CostRow, Costs, checked_query
from aws.sources.base import ACTUAL, ESTIMATED, Resource
from aws.utils import Range, days_of, month_end, ratio
from errors import UsageError

UNATTRIBUTED = "(not attributed)"  # what a source gives to no group
NONE = "(none)"  # where a charge has no value of a dimension
NO_RESOURCE = "(no resource)"  # a service's cost that no resource carries
CUT = "estimated, cut to its service's cost"
DETAILS = ("usage_type", "operation", "region", "account", "instance_type", "record_type")
_CENT = Decimal("0.01")
_STARTS: Mapping[str, Callable[[date], date]] = {
    DAILY: lambda day: day, MONTHLY: lambda day: day.replace(day=1), YEARLY: lambda day: day.replace(month=1, day=1)}
_ENDS: Mapping[str, Callable[[date], date]] = {
    DAILY: lambda day: day, MONTHLY: month_end, YEARLY: lambda day: day.replace(month=12, day=31)}

Data = Dict[str, Any]


class AWSCostService(Asking):
    """Costs of one source within one choice, by period, service, any dimension, and resource."""

    def get_costs(self, granularity: str = MONTHLY, group_by: Sequence[str] = (), within: Optional[Range] = None,
                  where: Optional[Where] = None) -> List[Data]:
        """Return a row for each period and group: its values, cost, and whether it is complete and estimated.

        Raises `UsageError` for a granularity or dimension that there is not.
        """
        names = tuple(group_by)
        checked_query(CostQuery(*(within or self.days), granularity, group_by=names))
        rows = list(self.ask(granularity, names, within, where).rows)
        if names:
            rows += _unattributed(rows, self.ask(granularity, (), within, where).rows, len(names))
        return [dict({"first": row.first.isoformat(), "last": row.last.isoformat()},
                     **{name: key or NONE for name, key in zip(names, row.keys)}, cost=row.amounts[0],
                     complete=row.last <= self.complete_last, estimated=row.estimated) for row in rows]

    def get_monthly_costs(self, within: Optional[Range] = None) -> List[Data]:
        """Return a row for each month: its parts, gross, credits and net, and whether it is whole, and final."""
        return self._periods(MONTHLY, within)

    def get_yearly_costs(self, within: Optional[Range] = None) -> List[Data]:
        """Return a row for each year, like those of the months."""
        return self._periods(YEARLY, within)

    def get_daily_costs(self, within: Optional[Range] = None) -> List[Data]:
        """Return a row for each day, also those without a charge: its parts, and `running`, what use of it cost."""
        return self._periods(DAILY, within)

    def get_costs_by_service(self, group_by: str = "service") -> List[Data]:
        """Return a row for each value of a dimension, the dearest first: cost, share of the whole, parts, change.

        `now` and `before` are what use cost in two windows of complete days of equal length, None with too few days.
        """
        rows = self.base().rows if group_by == "service" else self.ask(MONTHLY, (group_by, "record_type")).rows
        whole = cost_of(self.base().rows)
        found: Dict[str, List[CostRow]] = {}
        for row in rows:
            found.setdefault(row.keys[0], []).append(row)
        changes = self._changes(group_by)
        data = [dict({group_by: value or NONE}, **_parts_row(group_by, ones, whole), **changes.get(value, _UNCHANGED))
                for value, ones in found.items()]
        rest = less(whole, cost_of(rows))
        if rest:
            data.append(dict({group_by: UNATTRIBUTED, "cost": rest, "share": ratio(rest, whole), "gross": rest,
                              "credits": Decimal(0), "tax": Decimal(0)}, **_UNCHANGED))
        return sorted(data, key=lambda row: _dearest(row, group_by))

    def get_service_detailed_costs(self, service: str) -> Data:
        """Return a service's cost by each of `DETAILS`; every list adds up to the service's cost."""
        whole = cost_of([row for row in self.base().rows if row.keys[0] == service])
        found: Data = {"service": service, "cost": whole}
        for name in DETAILS:  # asked for all services together: the next service then costs no request
            rows = self.base().rows if name == "record_type" else self.ask(MONTHLY, ("service", name)).rows
            found[f"by_{name}"] = _by_key(name, [(row.keys[1], row.amounts[0]) for row in rows
                                                 if row.keys[0] == service], whole)
        return found

    def get_actual_resource_names(self, service: str = "") -> List[Data]:
        """Return what stands in the accounts: name, id, kind, place and tags, sorted by service and name."""
        rows = [dict(_described(one), tags=dict(one.tags)) for one in self.inventory().resources
                if not service or one.service == service]
        return sorted(rows, key=lambda row: (row["service"], row["name"], row["resource"]))

    def get_resource_level_cost_breakdown(self, service: str = "") -> List[Data]:
        """Return what each resource costs, the dearest first, and for each service what no resource carries.

        The rows of a service add up to its cost without credits, refunds and tax. What is estimated and comes to more
        than is left of that is cut by one share, so that resources never cost more than their service.
        """
        found = self.resource_costs()
        rows = [row for name, whole in self._service_totals().items() if not service or name == service
                for row in _resource_rows(name, whole, [one for one in found if one.service == name])]
        return sorted(rows, key=lambda row: _dearest(row, "resource"))

    def resource_costs(self) -> List[Resource]:
        """Return the resources with their cost by the chosen metric: of the bill where it names resources at all."""
        known = {(one.service, one.id): one for one in self.inventory().resources}
        billed = self._billed()
        if billed is None:
            return list(known.values())
        found = [known.get(key, Resource(key[1], "", key[0], key[1]))._replace(cost=cost, cost_basis=ACTUAL)
                 for key, cost in billed.items()]
        # What the bill does not name is kept, for its estimate or for its name.
        return found + [one if one.cost_basis == ESTIMATED else one._replace(cost=None, cost_basis="")
                        for key, one in known.items() if key not in billed]

    def generate_ai_recommendations(self, settings: Any = None, budget: Optional[Decimal] = None) -> List[Data]:
        """Return what the rules of `aws/insights/` find, the most dollars a month first, nothing counted twice."""
        # Imported here, since the rules are put by way of this service.
        from aws.insights.findings import examine
        return [one.as_data() for one in examine(self, settings, budget).findings]

    def total(self) -> Parts:
        """Return all parts of the days that are looked at."""
        return _parts(self.base().rows)

    def by_metric(self) -> List[Data]:
        """Return the cost by every metric that the source knows: views of one bill, never to be added."""
        rows = self.base().rows
        return [{"metric": name, "cost": added(row.amounts[place] for row in rows)}
                for place, name in enumerate(self.metrics())]

    def _periods(self, granularity: str, within: Optional[Range]) -> List[Data]:
        first, last = within or self.days
        found: Dict[date, List[CostRow]] = {}
        for row in self.base().rows:
            if first <= row.first <= last:
                found.setdefault(_STARTS[granularity](row.first), []).append(row)
        starts = sorted({_STARTS[granularity](day) for day in days_of(first, last)})
        return [self._period(granularity, start, found.get(start, []), (first, last)) for start in starts]

    def _period(self, granularity: str, start: date, rows: Sequence[CostRow], within: Range) -> Data:
        end, parts = _ENDS[granularity](start), _parts(rows)
        return dict({"first": max(start, within[0]).isoformat(), "last": min(end, within[1]).isoformat()},
                    **parts.as_data(), running=parts.running,
                    complete=within[0] <= start and end <= min(within[1], self.complete_last),
                    estimated=any(row.estimated for row in rows))

    def _changes(self, dimension: str) -> Dict[str, Data]:
        """Return by value what use cost in both windows, and the difference."""
        windows = self.windows()
        if windows is None:
            return {}
        found = {}
        for value, series in self.running_by(dimension).items():
            now, before = (added(cost for day, cost in series.items() if first <= day <= last)
                           for first, last in windows)
            difference = less(now, before)
            found[value] = {"now": now, "before": before, "difference": difference,
                            "change": ratio(difference, before)}
        return found

    def _service_totals(self) -> Dict[str, Known]:
        found: Dict[str, List[Known]] = {}
        for row in self.base().rows:
            if row.keys[1] not in NO_SERVICES:
                found.setdefault(row.keys[0], []).append(row.amounts[0])
        return {service: added(ones) for service, ones in found.items()}

    def _billed(self) -> Optional[Dict[Tuple[str, str], Known]]:
        """Return what the bill gives to each service and resource; None where it names no resource."""
        try:
            answer: Costs = self.ask(MONTHLY, ("service", "resource"), without={"record_type": NO_SERVICES})
        except UsageError:
            return None  # a source without resources in its bill: the inventory tells what it can
        found: Dict[Tuple[str, str], List[Known]] = {}
        for row in answer.rows:
            if row.keys[1]:
                found.setdefault((row.keys[0], row.keys[1]), []).append(row.amounts[0])
        return {key: added(ones) for key, ones in found.items()} or None


_UNCHANGED: Data = {"now": None, "before": None, "difference": None, "change": None}


def _parts(rows: Sequence[CostRow]) -> Parts:
    return parts_of((row.keys[0], row.keys[1], row.amounts[0]) for row in rows)


def _parts_row(name: str, rows: Sequence[CostRow], whole: Known) -> Data:
    parts = parts_of((row.keys[0] if name == "service" else "", row.keys[1], row.amounts[0]) for row in rows)
    return {"cost": parts.net, "share": ratio(parts.net, whole), "gross": parts.gross,
            "credits": added((parts.credits, parts.refunds)), "tax": parts.tax}


def _dearest(row: Data, name: str) -> Tuple[bool, Decimal, str]:
    return row["cost"] is None, -(row["cost"] or Decimal(0)), row[name]


def _unattributed(rows: Sequence[CostRow], totals: Sequence[CostRow], width: int) -> List[CostRow]:
    """Return for each period a row of what its total has beyond its groups, where there is anything."""
    rest = []
    for total in totals:
        left = less(total.amounts[0], cost_of([row for row in rows if row.first == total.first]))
        if left:
            rest.append(total._replace(keys=(UNATTRIBUTED,) * width, amounts=(left,)))
    return rest


def _by_key(name: str, amounts: Sequence[Tuple[str, Known]], whole: Known) -> List[Data]:
    """Return amounts added up by their keys, the dearest first, with what the whole has beyond them."""
    found: Dict[str, List[Known]] = {}
    for key, amount in amounts:
        found.setdefault(key or NONE, []).append(amount)
    rest = less(whole, added(amount for _, amount in amounts))
    if rest:
        found[UNATTRIBUTED] = [rest]
    rows = [{name: key, "cost": added(ones), "share": ratio(added(ones), whole)} for key, ones in found.items()]
    return sorted(rows, key=lambda row: _dearest(row, name))


def _described(one: Resource) -> Data:
    return {"service": one.service, "name": one.name or one.id, "resource": one.id, "kind": one.kind,
            "account": one.account, "region": one.region}


def _resource_rows(service: str, whole: Known, found: Sequence[Resource]) -> List[Data]:
    """Return a service's resources and the rest of its cost; estimates are cut where they come to more than is left."""
    left = less(whole, added(one.cost for one in found if one.cost_basis == ACTUAL))
    guessed = added(one.cost for one in found if one.cost_basis == ESTIMATED and one.cost is not None)
    cut = left is not None and guessed is not None and guessed > max(left, Decimal(0))
    rows = []
    for one in found:
        cost, basis = one.cost, one.cost_basis or None
        if cost is not None and basis == ESTIMATED and cut:
            cost, basis = (max(left or Decimal(0), Decimal(0)) * cost / (guessed or 1)).quantize(
                _CENT, ROUND_DOWN), CUT
        rows.append(dict(_described(one), cost=cost, share=ratio(cost, whole), basis=basis))
    rest = less(whole, added(row["cost"] for row in rows if row["cost"] is not None))
    if rest:
        rows.append({"service": service, "name": NO_RESOURCE, "resource": NO_RESOURCE, "kind": None, "account": None,
                     "region": None, "cost": rest, "share": ratio(rest, whole), "basis": ACTUAL})
    return rows

