"""Days on which a service cost far more than it usually does, and what drove them.

The statistics are those of the calls' own anomalies: a robust level by weekday, and false-discovery control over all
services and days; but the level is the higher one of those before and after, since a new one is growth and no spike.
Days that follow each other are one spike.
"""
from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Dict, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from analyzers.anomalies import Point, discoveries, robust_days, standing_out
from analyzers.base import HIGH, MEDIUM
from analyzers.common import median
from analyzers.wording import money, numbered, percent
from aws.asking import Series
from aws.insights.findings import Finding, Insight, Purse, Scene
from aws.parts import LUMPS, NO_SERVICES, added
from aws.queries import DAILY, CostRow
from errors import UsageError

DRIVERS = ("resource", "usage_type", "account", "region")  # the first that explains most of a spike is named
USUAL_DAYS = 14  # before a spike, that tell what is usual
LEAST_SHARE = 0.005  # of what all services cost on a mean day: less extra on a day is no spike
LEAST_FACTOR = 1.3  # of the usual: less is no spike, however steady the service
GAP_DAYS = 2  # between two days of one spike
MOST_DAYS = 21  # a cost that stays high so long is a new level, told as growth
MOSTLY = 0.5  # of a spike's extra cost: a driver explains at least so much
_WORDS = {"resource": "resource", "usage_type": "usage type", "account": "account", "region": "region"}


class Spike(NamedTuple):
    """A spike of a service: its days, what they cost, and what was usual for them."""

    service: str
    first: date
    last: date
    cost: Decimal
    usual: Decimal
    p_value: float

    @property
    def extra(self) -> Decimal:
        """Return what it cost beyond the usual."""
        return self.cost - self.usual


class SpikeInsight(Insight):
    """Spikes of services with their drivers."""

    id = "spikes"
    title = "Spikes and their drivers"
    description = "Days on which a service cost far more than usual, and the resource or use that explains most of it"
    rank = 80
    kinds: Mapping[str, str] = {"spike": "Cost spike"}

    def find(self, scene: Scene, purse: Purse) -> Iterator[Finding]:
        """Yield each spike, the dearest first."""
        spikes = find_spikes(scene.whole.running_by("service"))
        for spike in sorted(spikes, key=lambda one: (-one.extra, one.service)):
            yield _finding(scene, spike)


def find_spikes(services: Mapping[str, Series]) -> List[Spike]:
    """Return the spikes of services, given their daily costs."""
    floats = {name: {day.isoformat(): float(cost) for day, cost in series.items()} for name, series in services.items()}
    scopes = [(name, found) for name, series in sorted(floats.items())
              for found in [robust_days(series, looks_ahead=True)] if found]
    if not scopes:
        return []
    days = len({day for series in services.values() for day in series})
    least = LEAST_SHARE * sum(sum(series.values()) for series in floats.values()) / max(1, days)
    high, tests = standing_out(scopes, least)
    found = discoveries(high, [point.p_value for _, point in high], tests)
    by_service: Dict[str, List[Point]] = {}
    for name, point in found:
        if point.value >= LEAST_FACTOR * point.expected:
            by_service.setdefault(name, []).append(point)
    return [spike for name, points in by_service.items() for spike in _spikes(name, services[name], points)]


def _spikes(service: str, series: Series, points: Sequence[Point]) -> Iterator[Spike]:
    """Yield the runs of days that stand out."""
    days = sorted(date(*map(int, point.time.split("-"))) for point in points)
    runs: List[List[date]] = []
    for day in days:
        if runs and (day - runs[-1][-1]).days <= GAP_DAYS:
            runs[-1].append(day)
        else:
            runs.append([day])
    p_values = {point.time: point.p_value for point in points}
    for run in runs:
        if (run[-1] - run[0]).days >= MOST_DAYS:
            continue
        usual = _usual(series, run[0])
        span = [run[0] + timedelta(days=place) for place in range((run[-1] - run[0]).days + 1)]
        cost = added(series.get(day, Decimal(0)) for day in span)
        least = min(p_values[day.isoformat()] for day in run)
        if usual is not None and cost is not None and cost > usual * len(span):
            yield Spike(service, run[0], run[-1], cost, usual * len(span), least)


def _usual(series: Series, first: date) -> Optional[Decimal]:
    """Return the median of the days before, or of all others where there are too few."""
    before = [cost for day, cost in series.items() if timedelta(0) < first - day <= timedelta(days=USUAL_DAYS)]
    before = before if len(before) >= 5 else [cost for day, cost in series.items() if day < first]
    return Decimal(str(round(median([float(one) for one in before]), 6))) if before else None


def _finding(scene: Scene, spike: Spike) -> Finding:
    days = (spike.last - spike.first).days + 1
    driver = _driver(scene, spike)
    still = spike.last >= scene.whole.complete_last
    when = f"on {spike.first}" if days == 1 else f"from {spike.first} to {spike.last}"
    evidence = (f"{money(spike.cost)} {when}, where {money(spike.usual)} are usual: {money(spike.extra)} more"
                + (f"; {driver.text}" if driver else "; no single resource or use explains most of it"))
    action = f"Find out why {spike.service} rose {when}" + (", and still is up" if still else "")
    at = driver.value if driver else ""
    return Finding("spike", action, evidence, HIGH if driver and spike.p_value < 1e-6 else MEDIUM, None,
                   spike.extra.quantize(Decimal("0.01")), spike.service,
                   at if driver and driver.dimension == "resource" else "",
                   at if driver and driver.dimension == "account" else "",
                   at if driver and driver.dimension == "region" else "", spike.first.isoformat())


class Driver(NamedTuple):
    """What explains most of a spike."""

    dimension: str
    value: str
    share: float

    @property
    def text(self) -> str:
        """Return it in words."""
        return f"{percent(min(self.share, 1.0))} of that by {_WORDS[self.dimension]} {self.value}"


def _driver(scene: Scene, spike: Spike) -> Optional[Driver]:
    """Return the first of the dimensions that has one value behind most of the extra cost."""
    within = (max(scene.whole.days[0], spike.first - timedelta(days=USUAL_DAYS)), spike.last)
    for dimension in DRIVERS:
        try:
            rows = scene.whole.ask(DAILY, (dimension,), within, {"service": (spike.service,)},
                                   {"record_type": NO_SERVICES + LUMPS}).rows
        except UsageError:
            continue  # the source does not know it
        extra = _extra(rows, spike)
        if extra:
            value, most = max(extra.items(), key=lambda item: (item[1], item[0]))
            share = float(most / spike.extra)
            if value and share >= MOSTLY:
                return Driver(dimension, value, share)
    return None


def _extra(rows: Sequence[CostRow], spike: Spike) -> Dict[str, Decimal]:
    """Return by value what it cost in a spike beyond its own mean of the days before."""
    sums: Dict[str, Tuple[List[Decimal], List[Decimal]]] = {}
    for row in rows:
        if row.amounts[0] is not None:
            before, during = sums.setdefault(row.keys[0], ([], []))
            (during if row.first >= spike.first else before).append(row.amounts[0])
    days = (spike.last - spike.first).days + 1
    return {value: sum(during, Decimal(0)) - sum(before, Decimal(0)) * days / USUAL_DAYS
            for value, (before, during) in sums.items()}


def spans(spikes: Sequence[Spike]) -> str:
    """Return how many spikes there are, in words."""
    return numbered(len(spikes), "spike")
