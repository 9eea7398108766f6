"""Asks Cost Explorer what resources cost: itself where the account has resource-level data on, else by usage type."""
from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Callable, Dict, Iterable, List, Mapping, Optional, Sequence, Tuple

from aws.charges import CREDIT, EXACT, REFUND, TAX, ZERO
from aws.live.failures import INVALID, Failure
from aws.live.resource_costs import Key, Line, scaled, shared_out, with_actual, with_estimates
from aws.live.usage_types import split_usage_type
from aws.queries import MONTHLY, CostQuery, Costs
from aws.resources.ec2 import COMPUTE
from aws.resources.tagged import SERVICE_OF_TYPE
from aws.sources.base import Resource

Ask = Callable[[CostQuery], Costs]
Known = Optional[Decimal]
_NOT_OF_RESOURCES = {"record_type": (CREDIT, REFUND, TAX)}


class ResourceCosts:
    """Costs of resources over a period: two paid requests at most, whatever the number of resources."""

    def __init__(self, ask: Ask, told: Tuple[date, date], first: date, last: date) -> None:
        """Remember whom to ask, and the days for which single resources are told."""
        self.notes: List[str] = []
        self._ask = ask
        self._period = (first, last)
        self._within = told[0] <= first and last <= told[1]
        self._days = self._period if self._within else told

    def of(self, resources: Sequence[Resource]) -> List[Resource]:
        """Return resources with their costs, actual or estimated, or None."""
        costs = self._told()
        recent = _by_service(costs)
        if self._within:
            found = with_actual(resources, costs)
        else:
            found = with_estimates(resources, scaled(costs, recent, self._whole() if costs else {}))
        # Where a service's resources are told, an estimate beside them could come to more than the service.
        lines = [line for line in self._lines() if line.service not in recent]
        return with_estimates(found, shared_out(found, lines))

    def _told(self) -> Dict[Key, Known]:
        """Return the costs of single resources, '' being what has none; nothing where AWS does not tell them."""
        for services in (tuple(sorted(set(SERVICE_OF_TYPE.values()))), (COMPUTE,)):
            try:
                rows = self._ask(CostQuery(*self._days, MONTHLY, group_by=("service", "resource"),
                                           where={"service": services}, without=_NOT_OF_RESOURCES)).rows
            except Failure as error:
                if error.kind == INVALID and services != (COMPUTE,):
                    continue  # AWS once took no other service here, and a refused request costs nothing
                self.notes.append(f"Costs of single resources are estimated, since {error}; switch on resource-level "
                                  "data in the settings of Cost Explorer to have them.")
                return {}
            return _added((row.keys[0], row.keys[1], row.amounts[0]) for row in rows)
        return {}

    def _whole(self) -> Mapping[str, Known]:
        rows = self._ask(CostQuery(*self._period, MONTHLY, group_by=("service",), without=_NOT_OF_RESOURCES)).rows
        return _by_service(_added((row.keys[0], "", row.amounts[0]) for row in rows))

    def _lines(self) -> List[Line]:
        """Return what was used and what it cost; the same question as of a service's details, so it is paid once."""
        rows = self._ask(CostQuery(*self._period, MONTHLY, group_by=("service", "usage_type"))).rows
        found = []
        for (service, usage_type), cost in _added(
                (row.keys[0], row.keys[1], row.amounts[0]) for row in rows).items():
            region, rest = split_usage_type(usage_type)
            if cost is not None:
                found.append(Line(service, rest, region, cost))
        return found


def _added(amounts: Iterable[Tuple[str, str, Known]]) -> Dict[Key, Known]:
    found: Dict[Key, Known] = {}
    for service, name, amount in amounts:
        before = found.get((service, name), ZERO)
        found[service, name] = None if before is None or amount is None else EXACT.add(before, amount)
    return found


def _by_service(costs: Mapping[Key, Known]) -> Dict[str, Known]:
    return {service: cost for (service, _), cost in _added(
        (service, "", cost) for (service, _), cost in costs.items()).items()}
