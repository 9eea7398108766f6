"""Data transfer: traffic that is paid for because of the way it takes."""
from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Dict, Iterator, List, Mapping, NamedTuple, Tuple

from analyzers.base import HIGH, MEDIUM
from analyzers.common import median
from analyzers.wording import money, percent
from aws.insights.findings import Finding, Insight, Purse, Scene
from aws.queries import CostRow
from aws.utils import days_of

INTERNET, CACHED = "internet_traffic", "CloudFront"  # which already is what the advice would be
LEAST_MONTHLY = Decimal("20.00")
NOTABLE = Decimal("0.01")  # of the cost of all services: less traffic of a kind is not worth a change of its way


class Way(NamedTuple):
    """A way that traffic takes: words of its usage types, and what can be done about it."""

    kind: str
    words: Tuple[str, ...]
    what: str
    action: str


WAYS = (
    Way("nat_traffic", ("NatGateway-Bytes",), "passes NAT gateways",
        "Send traffic to S3, DynamoDB and other AWS services through VPC endpoints instead of NAT gateways"),
    Way("zone_traffic", ("DataTransfer-Regional-Bytes",), "goes from one availability zone to another",
        "Keep chatty services, their caches and replicas within one availability zone"),
    Way("region_traffic", ("AWS-Out-Bytes", "AWS-In-Bytes"), "goes from one region to another",
        "Find out what copies between regions, and whether it still must"),
    Way(INTERNET, ("DataTransfer-Out-Bytes",), "goes out to the internet",
        "Serve what is fetched often from CloudFront, and compress it"))


class TransferInsight(Insight):
    """Traffic by the way it takes, where it makes a notable part of the bill."""

    id = "transfer"
    title = "Data transfer"
    description = "Traffic through NAT gateways, between zones and regions and to the internet, and a cheaper way"
    rank = 60
    kinds: Mapping[str, str] = {"nat_traffic": "Traffic through NAT gateways",
                                "zone_traffic": "Traffic between zones", "region_traffic": "Traffic between regions",
                                "internet_traffic": "Traffic to the internet"}

    def find(self, scene: Scene, purse: Purse) -> Iterator[Finding]:
        """Yield the ways whose traffic costs a notable part of all services."""
        whole = sum((row.amounts[0] or Decimal(0) for row in scene.costs("service")), Decimal(0))
        for way, found in _by_way(scene.daily_usage()).items():
            costs = {key: _steady(scene, days) for key, days in found.items()}
            cost = sum(costs.values(), Decimal(0))
            if scene.monthly(cost) < LEAST_MONTHLY or cost < NOTABLE * whole:
                continue
            service, usage_type = max(costs, key=lambda key: (costs[key], key))
            yield Finding(way.kind, way.action,
                          f"traffic that {way.what} usually costs {money(scene.monthly(cost))} a month, "
                          f"{percent(float(cost / whole))} of all services; most of it is {usage_type} of {service}",
                          HIGH if cost > 5 * NOTABLE * whole else MEDIUM, None, scene.monthly(cost), service)


def _by_way(rows: List[CostRow]) -> Dict[Way, Dict[Tuple[str, str], Dict[date, Decimal]]]:
    """Return what each way cost by service, usage type and day."""
    found: Dict[Way, Dict[Tuple[str, str], Dict[date, Decimal]]] = {}
    for row in rows:
        service, usage_type = row.keys
        way = next((one for one in WAYS if any(word in usage_type for word in one.words)), None)
        if way and row.amounts[0] is not None and not (way.kind == INTERNET and CACHED in service):
            days = found.setdefault(way, {}).setdefault((service, usage_type), {})
            days[row.first] = days.get(row.first, Decimal(0)) + row.amounts[0]
    return found


def _steady(scene: Scene, by_day: Mapping[date, Decimal]) -> Decimal:
    """Return the cost of all days at the usual one: what a spike cost is told as a spike."""
    usual = median([float(by_day.get(day, Decimal(0))) for day in days_of(*scene.recent.days)])
    return Decimal(str(round(usual, 6))) * scene.days
