"""What resources cost: of the bill where Cost Explorer tells it, else an estimate that says so.

An estimate is a part of what the bill holds for the resource's own usage, so that all resources of a service never come
to more than the service: each line of the bill is shared out once, rounded down.
"""
from __future__ import annotations

from decimal import ROUND_DOWN, Context, Decimal
from typing import Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from aws.charges import ZERO, exact_sum
from aws.resources.base import discover_services
from aws.sources.base import ACTUAL, ESTIMATED, Resource

_PLACES = Decimal("0.0001")
_DOWN = Context(prec=40, rounding=ROUND_DOWN)

Key = Tuple[str, str]  # service and id of a resource


class Line(NamedTuple):
    """What a usage type of a service cost, without its region's prefix, in that region."""

    service: str
    usage_type: str
    region: str
    cost: Decimal


def with_actual(resources: Sequence[Resource], costs: Mapping[Key, Optional[Decimal]]) -> List[Resource]:
    """Return resources with the costs that the bill tells of them; those that it does not name stay as they are."""
    return [one if costs.get((one.service, one.id)) is None
            else one._replace(cost=costs[one.service, one.id], cost_basis=ACTUAL) for one in resources]


def scaled(costs: Mapping[Key, Optional[Decimal]], recent: Mapping[str, Optional[Decimal]],
           asked: Mapping[str, Optional[Decimal]]) -> Dict[Key, Decimal]:
    """Return what resources cost in the period asked, if their part of their service is that of the recent days.

    `recent` and `asked` are the service's costs in these days and in the period.
    """
    found = {}
    for (service, identity), cost in costs.items():
        part, whole = recent.get(service), asked.get(service)
        if cost is not None and part and whole and cost > 0 < part and whole > 0:
            found[service, identity] = _cut(whole, min(cost, part), part)
    return found


def with_estimates(resources: Sequence[Resource], estimates: Mapping[Key, Decimal]) -> List[Resource]:
    """Return resources with estimates where they have no cost."""
    return [one if one.cost is not None or (one.service, one.id) not in estimates
            else one._replace(cost=estimates[one.service, one.id], cost_basis=ESTIMATED) for one in resources]


def shared_out(resources: Sequence[Resource], lines: Sequence[Line]) -> Dict[Key, Decimal]:
    """Return what each resource without a cost is likely to have cost, from its service's lines.

    A line goes to the resources in its region whose usage it is, by weight: gigabytes, calls, or evenly.
    """
    services = [one() for one in discover_services().values()]
    usage = {(one.service, one.id): [pair for service in services if _is_of(service.id, one)
                                     for pair in service.usage(one)] for one in resources if one.cost is None}
    found: Dict[Key, List[Decimal]] = {}
    for line in lines:
        here = [one for one in resources if (one.service, one.region) == (line.service, line.region)
                and usage.get((one.service, one.id))]
        for key, cost in _shares(line, here, usage).items():
            found.setdefault(key, []).append(cost)
    return {key: exact_sum(ones) for key, ones in found.items()}


def _shares(line: Line, resources: Sequence[Resource], usage: Mapping[Key, Sequence[Tuple[str, float]]]
            ) -> Dict[Key, Decimal]:
    if line.cost <= ZERO:
        return {}
    weights: Dict[Key, Decimal] = {}
    for one in resources:
        key = (one.service, one.id)
        weight = sum(weight for name, weight in usage[key] if name in ("", line.usage_type))
        if weight > 0:
            weights[key] = Decimal(weight)
    whole = sum(weights.values(), ZERO)
    return {key: _cut(line.cost, weight, whole) for key, weight in weights.items()}


def _is_of(service: str, resource: Resource) -> bool:
    return resource.kind.partition(":")[0] == service


def _cut(cost: Decimal, part: Decimal, whole: Decimal) -> Decimal:
    """Return a part of a cost, rounded down so that all parts never come to more."""
    return _DOWN.divide(_DOWN.multiply(cost, part), whole).quantize(_PLACES, ROUND_DOWN)
