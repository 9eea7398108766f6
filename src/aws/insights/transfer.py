"""Data transfer: traffic that is paid for because of the way it takes."""
from __future__ import annotations

from decimal import Decimal
from typing import Dict, Iterator, List, Mapping, NamedTuple, Tuple

from analyzers.base import HIGH, MEDIUM
from analyzers.wording import money, percent
from aws.insights.findings import Finding, Insight, Purse, Scene
from aws.queries import CostRow

LEAST_MONTHLY = Decimal("20.00")
NOTABLE = Decimal("0.01")  # of the cost of all services: less traffic of a kind is not worth a change of its way


class Way(NamedTuple):
    """A way that traffic takes: words of its usage types, and what can be done about it."""

    kind: str
    words: Tuple[str, ...]
    what: str
    action: str
    confidence: str


WAYS = (
    Way("nat_traffic", ("NatGateway-Bytes",), "passes NAT gateways",
        "Send traffic to S3, DynamoDB and other AWS services through VPC endpoints instead of NAT gateways", MEDIUM),
    Way("zone_traffic", ("DataTransfer-Regional-Bytes",), "goes from one availability zone to another",
        "Keep chatty services, their caches and replicas within one availability zone", MEDIUM),
    Way("region_traffic", ("AWS-Out-Bytes", "AWS-In-Bytes"), "goes from one region to another",
        "Find out what copies between regions, and whether it still must", MEDIUM),
    Way("internet_traffic", ("DataTransfer-Out-Bytes",), "goes out to the internet",
        "Serve what is fetched often from CloudFront, and compress it", MEDIUM))


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
        rows = scene.costs("service", "usage_type")
        whole = sum((row.amounts[0] or Decimal(0) for row in rows), Decimal(0))
        for way, found in _by_way(rows).items():
            cost = sum((row.amounts[0] or Decimal(0) for row in found), Decimal(0))
            if scene.monthly(cost) < LEAST_MONTHLY or cost < NOTABLE * whole:
                continue
            most = max(found, key=lambda row: (row.amounts[0] or Decimal(0), row.keys))
            sure = HIGH if cost > 5 * NOTABLE * whole else way.confidence
            yield Finding(way.kind, way.action,
                          f"traffic that {way.what} costs {money(scene.monthly(cost))} a month, "
                          f"{percent(float(cost / whole))} of all services; most of it is {most.keys[1]} of "
                          f"{most.keys[0]}", sure, None, scene.monthly(cost), most.keys[0])


def _by_way(rows: List[CostRow]) -> Dict[Way, List[CostRow]]:
    found: Dict[Way, List[CostRow]] = {}
    for row in rows:
        way = next((one for one in WAYS if any(word in row.keys[1] for word in one.words)), None)
        if way:
            found.setdefault(way, []).append(row)
    return found
