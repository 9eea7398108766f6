"""Commitments: what is bought on demand day after day, and what is committed but not used.

Only the floor counts, what nine days in ten use, and only what other findings leave of it: a commitment is worth
making for what still runs when everything else is done.
"""
from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Dict, Iterator, Mapping, NamedTuple, Optional, Tuple

from analyzers.base import HIGH, MEDIUM
from analyzers.common import quantile
from analyzers.wording import money, percent
from aws.charges import AMORTIZED
from aws.insights.findings import Finding, Insight, Purse, Scene
from aws.parts import added
from aws.utils import days_of, ratio

COVERED = ("SavingsPlanCoveredUsage", "DiscountedUsage")
UNUSED = ("SavingsPlanRecurringFee", "RIFee")  # whose amortized cost is what nobody used
LEAST_DAYS = 14  # complete days before a commitment is talked of
FLOOR = 0.1  # quantile of daily cost: nine days in ten use more
NOTABLE_UNUSED = 0.03  # of what is committed


class Offer(NamedTuple):
    """A commitment that is sold: its name among the discounts, in words, and words of the usage types it is for."""

    id: str

    name: str
    words: Tuple[str, ...]


OFFERS = (
    Offer("compute", "a Compute Savings Plan", ("BoxUsage", "HeavyUsage")),
    Offer("containers", "a Compute Savings Plan for containers", ("Fargate-",)),
    Offer("functions", "a Compute Savings Plan for functions", ("Lambda-GB-Second",)),
    Offer("databases", "reserved database instances", ("InstanceUsage:", "Multi-AZUsage:")),
    Offer("nodes", "reserved cache or search nodes", ("NodeUsage:", "ESInstance:")))


class CommitmentInsight(Insight):
    """Steady use without a commitment, and commitments without use."""

    id = "commitments"
    title = "Commitment coverage"
    description = "Steady use that is paid by the hour at full price, and commitments that nobody uses"
    rank = 70
    kinds: Mapping[str, str] = {"low_coverage": "Steady use without a commitment",
                                "unused_commitment": "Unused commitment"}

    def find(self, scene: Scene, purse: Purse) -> Iterator[Finding]:
        """Yield unused commitments, then the floor that could be committed, the most of each service."""
        yield from _unused(scene)
        if scene.days < LEAST_DAYS:
            return
        covered = covered_costs(scene)
        taken = _taken(scene, purse)
        for service, costs in _on_demand(scene).items():
            for offer, by_day in costs.items():
                found = _offered(scene, service, offer, by_day, covered.get(service, Decimal(0)),
                                 taken.get(service, Decimal(0)))
                if found:
                    yield found


def covered_costs(scene: Scene) -> Dict[str, Decimal]:
    """Return by service the recent cost, at the chosen metric, of use that commitments cover."""
    found: Dict[str, Decimal] = {}
    for row in scene.recent.base().rows:
        if row.keys[1] in COVERED and row.amounts[0] is not None:
            found[row.keys[0]] = found.get(row.keys[0], Decimal(0)) + row.amounts[0]
    return found


def _taken(scene: Scene, purse: Purse) -> Dict[str, Decimal]:
    """Return by service what the findings before this rule save in a month."""
    return {row.keys[0]: max(Decimal(0), scene.monthly(row.amounts[0]) - purse.left(row.keys[0]))
            for row in scene.costs("service") if row.amounts[0] is not None and row.amounts[0] > 0}


def _on_demand(scene: Scene) -> Dict[str, Dict[Offer, Dict[date, Decimal]]]:
    """Return what could be committed: cost of on-demand use by service, offer and day."""
    found: Dict[str, Dict[Offer, Dict[date, Decimal]]] = {}
    for row in scene.daily_usage():
        offer = next((one for one in OFFERS if any(word in row.keys[1] for word in one.words)), None)
        if offer and row.amounts[0] is not None:
            days = found.setdefault(row.keys[0], {}).setdefault(offer, {})
            days[row.first] = days.get(row.first, Decimal(0)) + row.amounts[0]
    return dict(sorted(found.items()))


def _offered(scene: Scene, service: str, offer: Offer, by_day: Mapping[date, Decimal], covered: Decimal,
             taken: Decimal) -> Optional[Finding]:
    whole = sum(by_day.values(), Decimal(0))
    floor = Decimal(str(quantile([float(by_day.get(day, Decimal(0))) for day in days_of(*scene.recent.days)], FLOOR)))
    steady = scene.monthly(floor * scene.days) - taken
    discount = scene.discounts.share("commitments", offer.id)
    saving = (steady * discount).quantize(Decimal("0.01"))
    if saving <= 0:
        return None
    coverage = ratio(covered, covered + whole)
    return Finding("low_coverage", f"Buy {offer.name} for the steady part of {service}",
                   f"{money(scene.monthly(whole))} a month are on demand, {percent(coverage or 0.0)} of such use is "
                   f"covered; nine days in ten need {money(steady)} a month"
                   + (" beside what other findings take away" if taken else "")
                   + f", for which one year without upfront payment lists at {percent(float(discount))} less",
                   MEDIUM, saving, scene.monthly(whole), service)


def utilization(scene: Scene) -> Optional[Tuple[Decimal, Decimal]]:
    """Return what commitments cost of late and what of it nobody used, amortized; None where that is not known."""
    metrics = scene.recent.metrics()
    if AMORTIZED not in metrics:
        return None
    place = metrics.index(AMORTIZED)
    sums = [added(row.amounts[place] for row in scene.recent.base().rows if row.keys[1] in types)
            for types in (COVERED + UNUSED, UNUSED)]
    return None if sums[0] is None or sums[1] is None or not sums[0] else (sums[0], sums[1])


def _unused_service(scene: Scene) -> str:
    """Return the service whose commitments are most of what nobody uses."""
    place = scene.recent.metrics().index(AMORTIZED)
    sums: Dict[str, Decimal] = {}
    for row in scene.recent.base().rows:
        if row.keys[1] in UNUSED:
            sums[row.keys[0]] = sums.get(row.keys[0], Decimal(0)) + (row.amounts[place] or Decimal(0))
    return max(sums, key=lambda service: (sums[service], service))


def _unused(scene: Scene) -> Iterator[Finding]:
    found = utilization(scene)
    if found is None or found[1] < Decimal(str(NOTABLE_UNUSED)) * found[0]:
        return
    whole, unused = found
    yield Finding("unused_commitment", "Move steady work under the commitments that are paid for, or let them run out",
                  f"{money(scene.monthly(unused))} a month of {money(scene.monthly(whole))} in Savings Plans and "
                  f"reservations are used by nothing: {percent(float(1 - unused / whole))} are used", HIGH, None,
                  scene.monthly(unused), _unused_service(scene))
