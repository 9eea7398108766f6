"""Service Analysis: each service by use, operation, place, account and time."""
from __future__ import annotations

from decimal import Decimal
from typing import Any, Dict, List, Sequence, Tuple

import blocks as b
from analyzers.wording import money, percent
from aws.cost_service import DETAILS, AWSCostService
from aws.reports.base import MOST_RECOMMENDED, AwsReport, Results

DAILY_SERVICES = 6  # that have a line of their own by day
DETAILED_SERVICES = 12  # whose details are given, the dearest
MOST_ROWS = 40  # of one detail of a service; the rest is added up as "other"
OTHER = "(other)"
KINDS = ("spike", "growth", "low_coverage", "unused_commitment", "nat_traffic", "zone_traffic", "region_traffic",
         "internet_traffic")

_DETAILS = {"usage_type": "Usage types", "operation": "Operations", "region": "Regions", "account": "Accounts",
            "instance_type": "Instance types", "record_type": "Kinds of charges"}
_COST = (b.Column("cost", "Net cost", b.MONEY, bar=True), b.Column("share", "Share of the service", b.SHARE))


def _page(names: Sequence[str] = ()) -> Tuple[b.Block, ...]:
    """Return the page; the lines by day carry these names."""
    lines = tuple(b.Column(f"top_{place}", name, b.MONEY) for place, name in enumerate(names, 1))
    return (
        b.Cards(cards=(
            b.Card("summary.services", "Services with cost", b.COUNT),
            b.Card("summary.first_cost", "The dearest service", b.MONEY, note="net, in all days looked at"),
            b.Card("summary.first_share", "Its share", b.SHARE),
            b.Card("summary.risen", "Services that rose", b.COUNT,
                   note="by a tenth and more, against as many days before"),
            b.Card("summary.fallen", "Services that fell", b.COUNT, note="by a tenth and more"))),
        b.Section(title="Services", blocks=(
            b.TreeMap("by_service", "Net cost by service", label="service",
                      values=(b.Column("cost", "Cost", b.MONEY),)),
            b.Bars("changes", "What changed most", label="service",
                   values=(b.Column("difference", "Change, amount", b.MONEY_CHANGE),),
                   empty="There are too few complete days to compare one time with another."),
            b.Table("by_service", "All services", columns=(
                "service", b.Column("cost", "Net cost", b.MONEY, bar=True), b.Column("share", "Share", b.SHARE),
                b.Column("gross", "Gross", b.MONEY), b.Column("credits", "Credits and refunds", b.MONEY),
                b.Column("now", "Use, last days", b.MONEY), b.Column("before", "Use, as many before", b.MONEY),
                b.Column("change", "Change", b.CHANGE))))),
        b.Section(title="Day by day", wide=True, blocks=(
            b.Lines("daily", "What use of the dearest services costs a day", label="day", values=lines,
                    empty="There is no complete day to draw."),)),
        b.Section(title="What a service is made of", blocks=(
            b.HeatMap("by_region", "Services by region", label="service", across="region",
                      values=(b.Column("cost", "Cost", b.MONEY),)),
            b.HeatMap("by_account", "Services by account", label="service", across="account",
                      values=(b.Column("cost", "Cost", b.MONEY),)),
            *(b.Table(f"by_{name}", title, columns=("service", name, *_COST), most=300)
              for name, title in _DETAILS.items()))))


class ServicesReport(AwsReport):
    """What each service costs, and why."""

    id = "aws_services"
    title = "Service Analysis"
    description = "Each service by day, use, operation, region, account and kind of charge, and what changed"
    rank = 2
    page = _page()

    @staticmethod
    def described(results: Results) -> Tuple[b.Block, ...]:
        """Return the page, whose lines have the names of this bill's services."""
        return _page(results.get("top", ()))

    def examine(self) -> Results:
        """Return services with their changes, their days, and their details."""
        rows = self.service.get_costs_by_service()
        used = sorted((row for row in rows if row["now"]), key=lambda row: -row["now"])
        top = [row["service"] for row in used[:DAILY_SERVICES]]
        first = rows[0] if rows else None
        moved = [row for row in rows if row["difference"]]
        results: Results = {
            "headline": _headline(rows), "by_service": rows, "top": top,
            "summary": {"services": len(rows), "first_service": first and first["service"],
                        "first_cost": first and first["cost"], "first_share": first and first["share"],
                        "risen": _count(rows, 1), "fallen": _count(rows, -1)},
            "changes": sorted(moved, key=lambda row: -abs(row["difference"]))[:10],
            "daily": _daily(self.service, top),
            "recommendations": [one for one in self.study.examined.findings
                                if one.kind in KINDS][:MOST_RECOMMENDED]}
        results.update(details(self.service, [row["service"] for row in rows[:DETAILED_SERVICES]]))
        return results


def details(service: AWSCostService, names: List[str]) -> Dict[str, List[Dict[str, Any]]]:
    """Return for each detail a row for each service and value; those of a service add up to its cost."""
    found: Dict[str, List[Dict[str, Any]]] = {f"by_{name}": [] for name in DETAILS}
    for one in names:
        detailed = service.get_service_detailed_costs(one)
        for name in DETAILS:
            found[f"by_{name}"] += [dict({"service": one}, **row)
                                    for row in _bounded(name, detailed[f"by_{name}"])]
    return found


def _bounded(name: str, rows: List[Dict[str, Any]]) -> List[Dict[str, Any]]:
    """Return the dearest rows, and the others added up."""
    if len(rows) <= MOST_ROWS:
        return rows
    rest = rows[MOST_ROWS:]
    costs, shares = [row["cost"] for row in rest], [row["share"] for row in rest]
    return rows[:MOST_ROWS] + [{name: f"{OTHER}: {len(rest)} more",
                                "cost": None if None in costs else sum(costs, Decimal(0)),
                                "share": None if None in shares else sum(shares)}]


def _daily(service: AWSCostService, names: List[str]) -> List[Dict[str, Any]]:
    """Return a row for each complete day with what use of each service cost; the first stands in `top_1`."""
    series = service.running_by("service")
    return [dict({"day": day.isoformat()}, **{f"top_{place}": series.get(name, {}).get(day, Decimal(0))
                                              for place, name in enumerate(names, 1)})
            for day in service.running()[0]]


def _count(rows: List[Dict[str, Any]], sign: int) -> int:
    return sum(1 for row in rows if row["change"] is not None and sign * row["change"] >= 0.1)


def _headline(rows: List[Dict[str, Any]]) -> str:
    if not rows or rows[0]["cost"] is None or rows[0]["share"] is None:
        return "No service has a known cost in these days."
    top = rows[0]
    text = (f"{top['service']} is the dearest of {len(rows)} services: {money(top['cost'])} net, "
            f"{percent(top['share'])}.")
    risen = [row for row in rows if row["difference"] is not None and row["difference"] > 0]
    if risen:
        most = max(risen, key=lambda row: row["difference"])
        text += f" {most['service']} rose most, by {money(most['difference'])}" + (
            f" ({percent(most['change'])})." if most["change"] is not None else ".")
    return text
