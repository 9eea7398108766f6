"""Hand-made bills for the tests of AWS cost: charges with few words, and a source that holds them."""
from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Dict, List, Optional, Sequence, Tuple

from aws.asking import Choice
from aws.charges import Amounts, Charge, pairs
from aws.cost_service import AWSCostService
from aws.ledger import Ledger, LedgerSource
from aws.sources.base import Inventory, Resource, SourceOptions

EC2, S3, RDS = "Amazon Elastic Compute Cloud", "Amazon Simple Storage Service", "Amazon Relational Database Service"
SUPPORT = "AWS Support (Business)"
FIRST, LAST = date(2026, 1, 1), date(2026, 4, 15)
HOSTILE = "</script><img src=x onerror=alert(1)>\u202e=cmd|'\"& \u2028"


def charge(start: date, cost: str, service: str = EC2, days: int = 1, tags: Any = (), **more: Any) -> Charge:
    """Return a line of which unblended and amortized cost are the same."""
    amount = Decimal(cost)
    more.setdefault("account", "000000000001")
    more.setdefault("region", "us-east-1")
    return Charge(start, start + timedelta(days=days), service=service, tags=pairs(dict(tags)),
                  amounts=more.pop("amounts", Amounts(amount, amount)), **more)


def days(first: date = FIRST, last: date = LAST) -> List[date]:
    """Return the days of a range."""
    return [first + timedelta(days=place) for place in range((last - first).days + 1)]


def company() -> List[Charge]:
    """Return 105 days of three services in two accounts, with monthly support, tax, a credit and a refund."""
    lines = []
    for place, day in enumerate(days()):
        lines += [
            charge(day, f"{40 + place % 7}.10", usage_type="BoxUsage:m5.large", operation="RunInstances",
                   instance_type="m5.large", resource="i-1", tags={"team": "shop"}),
            charge(day, "20.05", usage_type="BoxUsage:m4.xlarge", operation="RunInstances",
                   instance_type="m4.xlarge", resource="i-2", account="000000000002"),
            charge(day, "3.33", usage_type="EBS:VolumeUsage.gp2", resource="vol-1", tags={"team": "shop"}),
            charge(day, "12.00", S3, usage_type="TimedStorage-ByteHrs", resource="logs", region="eu-west-1"),
            charge(day, "0.000000000001", S3, usage_type="Requests-Tier1"),
            charge(day, "30.00", RDS, usage_type="InstanceUsage:db.m5.large", resource="arn:aws:rds:x:1:db:main",
                   tags={"team": "data"})]
        if day.day == 1:
            lines += [charge(day, "100", SUPPORT, 30, region=""),
                      charge(day, "55.55", EC2, 30, record_type="Tax", region=""),
                      charge(day, "-25", EC2, record_type="Credit"),
                      charge(day, "-1.50", S3, record_type="Refund")]
    return lines


class BillSource(LedgerSource):
    """A source of given charges and resources."""

    id, title, description = "bill", "A bill made by hand", "for tests"

    def __init__(self, charges: Sequence[Charge], today: date = date(2026, 4, 16),
                 resources: Sequence[Resource] = (), notes: Sequence[str] = ()) -> None:
        super().__init__(SourceOptions(today))
        self._charges, self._resources, self._notes = charges, tuple(resources), tuple(notes)
        self.asked: List[Any] = []

    def load(self) -> Ledger:
        return Ledger(self._charges)

    def costs(self, query: Any) -> Any:
        self.asked.append(query)
        return super().costs(query)

    def inventory(self, first: date, last: date) -> Inventory:
        found = super().inventory(first, last)
        known = {one.id: one for one in self._resources}
        merged = [known.pop(one.id)._replace(cost=one.cost, cost_basis=one.cost_basis) if one.id in known else one
                  for one in found.resources]
        return Inventory(tuple(merged) + tuple(known.values()), self._notes)


def service_of(charges: Sequence[Charge], choice: Optional[Choice] = None, **more: Any) -> AWSCostService:
    """Return a cost service over charges."""
    return AWSCostService(BillSource(charges, **more), choice)


def by(rows: Sequence[Dict[str, Any]], *names: str) -> Dict[Tuple[Any, ...], Any]:
    """Return the costs of rows by the values of some columns."""
    return {tuple(row[name] for name in names): row["cost"] for row in rows}
