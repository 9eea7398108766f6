"""Resource Breakdown: what stands in the accounts, what each thing costs, and what no resource carries."""
from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any, Dict, List

import blocks as b
from analyzers.wording import money, numbered, percent
from aws.cost_service import NO_RESOURCE
from aws.parts import added
from aws.reports.base import MOST_RECOMMENDED, AwsReport, Results
from aws.sources.base import ACTUAL
from aws.utils import ratio

_WHERE = (b.Column("kind", "Kind"), b.Column("service", "Service"), b.Column("account", "Account"),
          b.Column("region", "Region"))
_COST = b.Column("cost", "Cost", b.MONEY, bar=True)
_NO_RESOURCES = "The source names no resources."


class ResourcesReport(AwsReport):
    """What resources cost."""

    id = "aws_resources"
    title = "Resource Breakdown"
    description = "What each resource costs, by service, and how much of the bill no resource carries"
    rank = 3
    page = (
        b.Cards(cards=(
            b.Card("summary.resources", "Resources", b.COUNT),
            b.Card("summary.attributed", "Cost that resources carry", b.MONEY),
            b.Card("summary.attributed_share", "Its share", b.SHARE,
                   note="of services, before credits, refunds, tax and support"),
            b.Card("summary.unattributed", "Cost without a resource", b.MONEY),
            b.Card("summary.dearest_ten_share", "Held by the ten dearest", b.SHARE, note="of what resources carry"),
            b.Card("summary.saving", "Savings found on resources, a month", b.MONEY, report="aws_insights"))),
        b.Section(title="The dearest", blocks=(
            b.Bars("dearest", "The dearest resources", label="name", values=(_COST,), empty=_NO_RESOURCES),
            b.TreeMap("resources", "Cost by service and resource", label="name", group="service", values=(_COST,),
                      empty=_NO_RESOURCES),
            b.Table("resources", "Resources", key="resource", most=1000, empty=_NO_RESOURCES, columns=(
                b.Column("name", "Name"), *_WHERE, _COST, b.Column("basis", "Known by"),
                b.Column("resource", "Id"))))),
        b.Section(title="How much of each service is explained", blocks=(
            b.StackedBars("by_service", "Cost with and without a resource", label="service", values=(
                b.Column("actual", "On the bill of a resource", b.MONEY),
                b.Column("estimated", "Estimated for a resource", b.MONEY),
                b.Column("unattributed", "No resource", b.MONEY))),
            b.Table("by_service", "Services", columns=(
                "service", b.Column("cost", "Cost", b.MONEY, bar=True), b.Column("actual", "On a bill", b.MONEY),
                b.Column("estimated", "Estimated", b.MONEY), b.Column("unattributed", "No resource", b.MONEY),
                b.Column("attributed_share", "With a resource", b.SHARE), b.Column("resources", "Resources", b.COUNT)),
                about="Cost of services, before credits, refunds and tax. Unblended, use under a Savings Plan stands "
                      "on its resource at full price and is taken back without one: amortized tells what each cost."))),
        b.Section(title="What stands there", blocks=(
            b.Bars("by_kind", "Resources by kind", label="kind", values=(b.Column("resources", "Resources", b.COUNT),),
                   empty=_NO_RESOURCES),
            b.Table("by_kind", "Kinds", columns=("kind", b.Column("resources", "Resources", b.COUNT), _COST)),
            b.Table("names", "Names and tags", most=1000, columns=(
                b.Column("name", "Name"), *_WHERE, b.Column("tags", "Tags"), b.Column("resource", "Id"))),
            b.Notes("notes", "What could not be looked at", empty="Nothing was left out."))),
    )

    def examine(self) -> Results:
        """Return resources with their costs, by service and kind, and all names."""
        rows = self.service.get_resource_level_cost_breakdown()
        found = [row for row in rows if row["resource"] != NO_RESOURCE]
        by_service = _by_service(rows)
        summary = _summary(found, by_service)
        advised = [one for one in self.study.examined.findings if one.resource and one.saving]
        summary["saving"] = sum((one.saving for one in advised if one.saving), Decimal(0))
        return {"headline": _headline(summary, found), "summary": summary, "resources": found, "dearest": found[:12],
                "by_service": by_service, "by_kind": _by_kind(found),
                "names": self.service.get_actual_resource_names(), "recommendations": advised[:MOST_RECOMMENDED]}


def _by_service(rows: List[Dict[str, Any]]) -> List[Dict[str, Any]]:
    """Return a row for each service: what resources carry by the bill, by estimate, and what none does."""
    found: Dict[str, List[Dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(row["service"], []).append(row)
    return sorted((_service_row(*one) for one in found.items()), key=lambda row: -(row["cost"] or Decimal(0)))


def _service_row(service: str, rows: List[Dict[str, Any]]) -> Dict[str, Any]:
    known = [row for row in rows if row["cost"] is not None]
    named = [row for row in known if row["resource"] != NO_RESOURCE]
    sums = [added(row["cost"] for row in ones) for ones in (
        [row for row in named if row["basis"] == ACTUAL], [row for row in named if row["basis"] != ACTUAL],
        [row for row in known if row["resource"] == NO_RESOURCE])]
    cost = added(sums)
    return {"service": service, "cost": cost, "actual": sums[0], "estimated": sums[1], "unattributed": sums[2],
            "attributed_share": ratio(added(sums[:2]), cost),
            "resources": sum(1 for row in rows if row["resource"] != NO_RESOURCE)}


def _summary(found: List[Dict[str, Any]], services: List[Dict[str, Any]]) -> Results:
    carried = added(row["cost"] for row in found if row["cost"] is not None)
    whole = added(row["cost"] for row in services)
    top = added(row["cost"] for row in found[:10] if row["cost"] is not None)
    return {"resources": len(found), "cost": whole, "attributed": carried, "attributed_share": ratio(carried, whole),
            "unattributed": added(row["unattributed"] for row in services), "dearest_ten_share": ratio(top, carried)}


def _by_kind(found: List[Dict[str, Any]]) -> List[Dict[str, Any]]:
    counts = Counter(row["kind"] or "(unknown kind)" for row in found)
    return [{"kind": kind, "resources": count, "cost": added(
        row["cost"] for row in found if (row["kind"] or "(unknown kind)") == kind and row["cost"] is not None)}
        for kind, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))]


def _headline(summary: Results, found: List[Dict[str, Any]]) -> str:
    if not found:
        return "The source names no resources: what each costs is unknown. Exports with resource ids tell it."
    share = summary["attributed_share"]
    text = f"{numbered(len(found), 'resource')} carry {money(summary['attributed'])}" + (
        f", {percent(share)} of what services cost" if share is not None else "") + "."
    first = next((row for row in found if row["cost"]), None)
    return text + (f" The dearest is {first['name']} ({first['service']}), {money(first['cost'])}." if first else "")
