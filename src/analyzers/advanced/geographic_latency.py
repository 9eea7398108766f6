"""Geographic Latency: where calls are slow or fail, like for like, and which route would be quicker."""
from __future__ import annotations

import math
from collections import Counter
from typing import Dict, Iterable, List, NamedTuple, Optional, Sequence, Tuple

from analyzers.base import ADVANCED, LOW, MEDIUM, Analyzer, Recommendation, Results
from analyzers.common import add, ratio, usd
from analyzers.latency import PRECISION, mean_ms, median_interval, percentiles_row, regroup
from analyzers.pages import geographic_latency as described
from analyzers.wording import NO_CALLS, numbered, percent
from calls.record import SUCCESS
from catalog.loader import load_catalog
from rollup.cubes import Measures
from rollup.histogram import Histogram
from rollup.rollup import Group, Key, Rollup

GRAIN = ("feature", "provider", "model", "region", "status")
SERVED = GRAIN[:4]  # calls of one feature to one model of one provider in one region: like work, like place
MIN_ROUTE_CALLS = 300  # timed calls on both sides; the median of typical latencies is then known to about a tenth
MIN_GAIN_MS = 100.0  # a smaller gain is below what people notice
MIN_GAIN_SHARE = 0.1  # of the median now
MAX_ERROR_RISE = 0.005  # of calls: a route that fails more often by more than this is no improvement
MIN_CELL_CALLS = 30  # timed calls of the same work in a region, before its median counts for the region
FIT_ROUNDS = 30  # of fitting work and region in turn; changes are then far below the noise of a median
SLOW_RATIO = 1.2  # times what the same work takes in the quickest region; such a region is worth a recommendation
TOP = 20  # routes that are listed, and MOST_ROUTES recommended
MOST_ROUTES = 5


class Route(NamedTuple):
    """A better way for the calls of `source`: medians in milliseconds; `sure_ms` is gained even at the worst."""

    source: Key
    target: Key
    calls: int
    target_calls: int
    now_ms: float
    then_ms: float
    sure_ms: float
    errors_now: float
    errors_then: float

    @property
    def gain_ms(self) -> float:
        """Return how much quicker the median is."""
        return self.now_ms - self.then_ms


class GeographicLatencyAnalyzer(Analyzer):
    """Latency and errors by region and by provider and region, and routes that would be quicker."""

    id = "geographic_latency"
    title = "Geographic Latency"
    description = "Where calls are slow or fail, and which route would be quicker"
    category = ADVANCED
    rank = 11
    shares = "latency"
    page = described.PAGE

    def examine(self, rollup: Rollup) -> Results:
        """Return tables by region, routes with enough calls behind them, and recommendations."""
        groups = rollup.by(*GRAIN)
        regions = _rows(groups, rollup, ("region",))
        routes = find_routes(groups, rollup)
        known = [row for row in regions if row["latency_index"] is not None]
        slowest = max(known, key=lambda row: row["latency_index"]) if known else None
        fastest = min(known, key=lambda row: row["latency_index"]) if known else None
        return {
            "headline": _headline(regions, slowest, fastest, len(routes)),
            "summary": {"regions": len(regions), "slowest_region": slowest and slowest["region"],
                        "slowest_index": slowest and slowest["latency_index"],
                        "fastest_region": fastest and fastest["region"],
                        "fastest_index": fastest and fastest["latency_index"], "routes": len(routes)},
            "by_region": regions, "by_provider_and_region": _rows(groups, rollup, ("provider", "region")),
            "routes": [_route_row(route) for route in routes[:TOP]],
            "thresholds": {"min_calls_on_both_sides": MIN_ROUTE_CALLS, "min_gain_ms": MIN_GAIN_MS,
                           "min_gain_share": MIN_GAIN_SHARE, "max_error_rise": MAX_ERROR_RISE,
                           "slow_ratio": SLOW_RATIO, "min_calls_in_index": MIN_CELL_CALLS},
            "notes": _notes(),
            "recommendations": _recommend_routes(routes) + _recommend_regions(known)}


def _headline(regions: Sequence[Results], slowest: Optional[Results], fastest: Optional[Results], routes: int) -> str:
    """Return how much slower the slowest region is than the quickest for the same work, and what could be routed."""
    if not regions:
        return NO_CALLS
    where = f"Calls are served in {numbered(len(regions), 'region')}"
    if slowest is None or fastest is None or slowest is fastest:
        text = f"{where}, with too few of the same work in several to tell which is quicker"
    else:
        more = slowest["latency_index"] / fastest["latency_index"] - 1
        text = f"{where}: the same work takes {percent(more)} longer in {slowest['region']} than in {fastest['region']}"
    return f"{text}; {numbered(routes, 'route')} would be quicker." if routes else f"{text}."


def _notes() -> List[str]:
    return [f"Percentiles are those of successful calls whose latency is known, {PRECISION}; error rates are of all "
            "calls.",
            "The index tells how slow the same features and models are in a region, 1 being usual: the factors that "
            f"explain their medians best, from at least {MIN_CELL_CALLS} timed calls each, so a region is not slow "
            "for calling slow models. Where there is nothing to compare with, it is unknown.",
            f"A route needs {MIN_ROUTE_CALLS} timed calls of the same feature on both sides, medians whose 95 % "
            "intervals stand apart, and no more failures. It goes to another provider's model of the same class in "
            "the same region, or to another region of the same area for the same model."]


def _rows(groups: Sequence[Group], rollup: Rollup, scope: Tuple[str, ...]) -> List[Results]:
    """Return a row for each value of the scope, the one with most calls first."""
    held: Dict[Key, List[Group]] = {}
    for group in groups:
        held.setdefault(tuple(group.key[GRAIN.index(name)] for name in scope), []).append(group)
    histograms, index = rollup.latency(*scope), _indices(rollup, scope)
    rows = []
    for key, cells in held.items():
        whole, histogram = add(cell.measures for cell in cells), histograms.get(key)
        row: Results = dict(zip(scope, key))
        row.update(calls=whole.calls, cost=usd(whole.cost_nano), failed=whole.failed,
                   error_rate=ratio(whole.failed, whole.calls), timed_calls=histogram.calls if histogram else 0,
                   mean_ms=mean_ms(add(_successes(cells))), latency_index=index.get(key))
        row.update(percentiles_row(histogram))
        rows.append(row)
    return sorted(rows, key=lambda row: (-row["calls"], [row[name] for name in scope]))


def _successes(groups: Iterable[Group]) -> List[Measures]:
    return [group.measures for group in groups if group.key[-1] == SUCCESS]


def _indices(rollup: Rollup, scope: Tuple[str, ...]) -> Dict[Key, float]:
    """Return how slow the same work is in each region, 1 being usual; within each provider where the scope has it."""
    parts: Dict[Key, Dict[Key, Tuple[float, float]]] = {}
    for key, one in rollup.latency(*SERVED).items():
        middle = one.percentile(50)
        if one.calls >= MIN_CELL_CALLS and middle:
            part = tuple(key[SERVED.index(name)] for name in scope if name != "region")
            parts.setdefault(part, {})[key] = (math.sqrt(one.calls), math.log(middle))
    return {part + (region,): index for part, cells in parts.items()
            for region, index in _region_factors(cells).items()}


def _region_factors(cells: Dict[Key, Tuple[float, float]]) -> Dict[str, float]:
    """Return the factors that explain medians best as (what the work takes) x (how slow the region is).

    `cells` are weight and log median by (feature, provider, model, region); work seen in one region only compares
    with nothing. Plain averages over regions would not do: work that one region dominates sets its own standard.
    """
    spread = Counter(key[:3] for key in cells)
    compared = {key: cell for key, cell in cells.items() if spread[key[:3]] > 1}
    region_of: Dict[Key, float] = {key[3:]: 0.0 for key in compared}
    for _ in range(FIT_ROUNDS):
        work = _weighted((key[:3], weight, log - region_of[key[3:]]) for key, (weight, log) in compared.items())
        region_of = _weighted((key[3:], weight, log - work[key[:3]]) for key, (weight, log) in compared.items())
    usual = _weighted(((), weight, region_of[key[3:]]) for key, (weight, _) in compared.items()).get((), 0.0)
    return {key[0]: math.exp(factor - usual) for key, factor in region_of.items()}


def _weighted(values: Iterable[Tuple[Key, float, float]]) -> Dict[Key, float]:
    """Return the mean of each key's values, which come with their weights."""
    sums: Dict[Key, Tuple[float, float]] = {}
    for key, weight, value in values:
        weights, total = sums.get(key, (0.0, 0.0))
        sums[key] = weights + weight, total + weight * value
    return {key: total / weights for key, (weights, total) in sums.items()}


def find_routes(groups: Sequence[Group], rollup: Rollup) -> List[Route]:
    """Return the best route away from each (feature, provider, model, region), the most time saved first."""
    held = regroup(groups, 0, 1, 2, 3)
    errors = {key: ratio(add(cells).failed, add(cells).calls) or 0.0 for key, cells in held.items()}
    enough = {key: one for key, one in rollup.latency(*SERVED).items() if one.calls >= MIN_ROUTE_CALLS}
    medians = {key: (one.percentile(50),) + median_interval(one) for key, one in enough.items()}
    features: Dict[str, List[Key]] = {}
    for key in enough:
        features.setdefault(key[0], []).append(key)
    routes = []
    for source in enough:
        options = [_route(source, target, enough, medians, errors) for target in features[source[0]]
                   if _comparable(source, target)]
        better = [option for option in options if option]
        if better:
            routes.append(max(better, key=lambda route: (route.gain_ms, route.target)))
    return sorted(routes, key=lambda route: (-route.gain_ms * route.calls, route.source))


def _comparable(source: Key, target: Key) -> bool:
    """Tell whether a route is one that may be taken: one thing changes, the class of model and the area do not."""
    if source[3] == target[3]:
        return source[1] != target[1] and _class_of(source) == _class_of(target) is not None
    return source[:3] == target[:3] and _area_of(source[3]) == _area_of(target[3]) is not None


def _class_of(key: Key) -> Optional[str]:
    known = load_catalog().find(key[1], key[2])
    return known.capability if known else None


def _area_of(region: str) -> Optional[str]:
    return next((one.area for one in load_catalog().regions if one.region == region), None)


def _route(source: Key, target: Key, histograms: Dict[Key, Histogram], medians: Dict[Key, Tuple[float, float, float]],
           errors: Dict[Key, float]) -> Optional[Route]:
    """Return the route if it is surely and notably quicker and no less reliable, else None."""
    now, least_now, _ = medians[source]
    then, _, most_then = medians[target]
    notable = now - then >= max(MIN_GAIN_MS, MIN_GAIN_SHARE * now)
    if not notable or least_now <= most_then or errors[target] > errors[source] + MAX_ERROR_RISE:
        return None
    return Route(source, target, histograms[source].calls, histograms[target].calls, now, then, least_now - most_then,
                 errors[source], errors[target])


def _route_row(route: Route) -> Results:
    row: Results = {"feature": route.source[0]}
    row.update(zip(("from_provider", "from_model", "from_region"), route.source[1:]))
    row.update(zip(("to_provider", "to_model", "to_region"), route.target[1:]))
    row.update(calls=route.calls, target_calls=route.target_calls, p50_now_ms=route.now_ms, p50_then_ms=route.then_ms,
               gain_ms=route.gain_ms, sure_gain_ms=route.sure_ms, error_rate_now=route.errors_now,
               error_rate_then=route.errors_then)
    return row


def _recommend_routes(routes: Sequence[Route]) -> List[Recommendation]:
    """Return the routes that save most time; each call is in at most one. Latency is no dollars."""
    found = []
    for route in routes[:MOST_ROUTES]:
        feature, provider, model, region = route.source
        moved = route.target[3] != region
        place = f"to {route.target[3]}" if moved else f"to {route.target[1]}/{route.target[2]}"
        caution = "the way to the other region is not in these times" if moved else "answers were not compared"
        evidence = (f"{route.gain_ms:,.0f} ms less at the median ({route.then_ms:,.0f} instead of {route.now_ms:,.0f}; "
                    f"at least {route.sure_ms:,.0f} with 95 % certainty) for {route.calls:,} calls, judged by "
                    f"{route.target_calls:,} on the other side (at least {MIN_ROUTE_CALLS} on both); errors "
                    f"{percent(route.errors_then)} against {percent(route.errors_now)}; {caution}")
        found.append(Recommendation(f"{feature} in {region}: route calls of {provider}/{model} {place}", None, evidence,
                                    LOW if moved else MEDIUM))
    return found


def _recommend_regions(regions: Sequence[Results]) -> List[Recommendation]:
    """Return regions that are slow for the same work; the gain is what the quickest region's level would bring."""
    sound = [row for row in regions if row["timed_calls"] >= MIN_ROUTE_CALLS]
    if len(sound) < 2:
        return []
    best = min(sound, key=lambda row: row["latency_index"])
    found = []
    for row in sound:
        times = row["latency_index"] / best["latency_index"]
        if times >= SLOW_RATIO:
            found.append(Recommendation(
                f"{row['region']}: serve its calls from capacity nearer to it", None,
                f"the same features and models take {times:.2f} times as long as in {best['region']}; at its level "
                f"{row['p50_ms'] * (1 - 1 / times):,.0f} ms less at the median for {row['timed_calls']:,} calls "
                f"(judged by {best['timed_calls']:,}, at least {MIN_ROUTE_CALLS} on both sides); overlaps with routes "
                "within the region", MEDIUM))
    return found
