"""What the id of a resource tells of it, and the resources that a bill names."""
from __future__ import annotations

from decimal import Decimal
from typing import Dict, Iterable, NamedTuple, Optional, Tuple

from aws.charges import EXACT, REDUCING, ZERO, Charge
from aws.sources.base import ACTUAL, Resource

# The beginnings of ids that bills give without an ARN, and the kinds of the tagging API.
_PREFIXES = {
    "i-": "ec2:instance", "vol-": "ec2:volume", "snap-": "ec2:snapshot", "eipalloc-": "ec2:elastic-ip",
    "eni-": "ec2:network-interface", "nat-": "ec2:natgateway", "ami-": "ec2:image", "vpce-": "ec2:vpc-endpoint",
    "tgw-": "ec2:transit-gateway", "vpn-": "ec2:vpn-connection"}
_BUCKETS = "Amazon Simple Storage Service"
_NAMELESS = {"s3": "s3:bucket", "sns": "sns:topic", "sqs": "sqs:queue"}  # whose ARNs do not say what they are of


class _Found(NamedTuple):
    """A resource that a bill names: the charge that tells most of it, and what all of them came to."""

    charge: Charge
    cost: Optional[Decimal]


def kind_of(identity: str, service: str = "") -> str:
    """Return the kind of a resource, `ec2:instance`, from its id or ARN; '' where they do not tell."""
    if identity.startswith("arn:"):
        parts = identity.split(":", 5)
        if len(parts) < 6:
            return ""
        name, rest = parts[2], parts[5]
        if name in _NAMELESS:
            return _NAMELESS[name]
        kind = rest.replace("/", ":").partition(":")[0]
        return f"{name}:{kind}" if kind != rest else name
    for prefix, kind in _PREFIXES.items():
        if identity.startswith(prefix):
            return kind
    return "s3:bucket" if service == _BUCKETS else ""


def billed_resources(charges: Iterable[Charge]) -> Tuple[Resource, ...]:
    """Return what charges name, dearest first; credits and refunds do not lessen a resource's cost."""
    found: Dict[Tuple[str, str], _Found] = {}
    for charge in charges:
        if not charge.resource or charge.record_type in REDUCING:
            continue
        before = found.get((charge.account, charge.resource), _Found(charge, ZERO))
        amount = charge.amounts.unblended
        cost = None if amount is None or before.cost is None else EXACT.add(before.cost, amount)
        latest = charge if charge.instance_type or not before.charge.instance_type else before.charge
        found[charge.account, charge.resource] = _Found(latest, cost)
    return tuple(sorted((_resource(*one) for one in found.values()), key=_by_cost))


def _resource(charge: Charge, cost: Optional[Decimal]) -> Resource:
    tags = dict(charge.tags)
    facts = {"instance_type": charge.instance_type} if charge.instance_type else {}
    return Resource(charge.resource, kind_of(charge.resource, charge.service), charge.service,
                    tags.get("Name", "") or charge.resource.replace("/", ":").rpartition(":")[2], charge.account,
                    charge.region, tags, facts, {}, cost, ACTUAL if cost is not None else "")


def _by_cost(one: Resource) -> Tuple[Decimal, str]:
    return (-(one.cost or ZERO), one.id)
