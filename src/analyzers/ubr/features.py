"""Feature Economics: what each feature costs, the revenue that rests on it, who uses it, and what to do with it."""
from __future__ import annotations

from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from analyzers.base import HIGH, LOW, MEDIUM, REVENUE, Analyzer, Recommendation, Results
from analyzers.common import Periods, add, change, monthly, periods, split, usd
from analyzers.pages import features as described
from analyzers.revenue import (
    MAX_UNPRICED_SHARE,
    Book,
    Economics,
    book_row,
    each,
    economics_row,
    grouped,
    nothing_to_compare,
    open_book,
    target_margin,
)
from analyzers.wording import money, numbered, percent
from rollup.cubes import Measures
from rollup.rollup import Rollup

WIDE_ADOPTION = 0.25  # of active customers, and above: a feature that the product is bought for
GROWING = 0.1  # of calls, from one period to the next: below it use stands still
KEEP, INVEST, OPTIMISE, RETIRE, UNKNOWN = QUADRANTS = ("keep", "invest", "optimise", "retire", "unknown")
VERBS = {KEEP: "keep", INVEST: "invest in", OPTIMISE: "optimise", RETIRE: "retire", UNKNOWN: "find the cost of"}
RULE = (f"Margin at or above the target: keep where at least {100 * WIDE_ADOPTION:.0f} % of active customers use the "
        f"feature, else invest; below it: optimise where they do or calls grew by more than {100 * GROWING:.0f} % "
        "from one period to the next, else retire.")
ATTRIBUTION = ("A customer's prorated revenue is shared over its features by its cost on each, or by calls where "
               "none of them cost anything or too many are unpriced; so a customer's features all leave its own "
               "margin, and revenue_by_calls shows what sharing by calls would say instead.")

Feature = Tuple[str, str]  # product and feature
Uses = Dict[str, List[Tuple[Feature, Measures]]]  # of each customer


class Standing(NamedTuple):
    """A feature's sums: revenue shared by cost and by calls, customers, and calls and cost then and now."""

    feature: Feature
    economics: Economics
    revenue_by_calls_nano: int
    customers: int
    active: int
    previous: Optional[Measures]
    current: Optional[Measures]

    @property
    def adoption(self) -> float:
        """Return the share of active customers that use it."""
        return self.customers / self.active

    @property
    def growth(self) -> Optional[float]:
        """Return the change of calls from one period to the next; None without a period before."""
        return change(self.current.calls, self.previous.calls) if self.current and self.previous else None

    @property
    def is_new(self) -> bool:
        """Tell whether all of its use lies in the last period."""
        return self.current is not None and self.current.calls == self.economics.calls

    @property
    def grows(self) -> bool:
        """Tell whether its use clearly rises."""
        return self.is_new or (self.growth is not None and self.growth > GROWING)

    @property
    def by_calls(self) -> Economics:
        """Return the economics with the revenue that sharing by calls gives."""
        return self.economics._replace(revenue_nano=self.revenue_by_calls_nano)


class FeaturesAnalyzer(Analyzer):
    """Cost, attributed revenue, margin, adoption and trend of each feature, and the quadrant it falls in."""

    id = "features"
    title = "Feature Economics"
    description = "What each feature costs and earns, who uses it, and where to invest, optimise or retire"
    category = REVENUE
    rank = 8
    shares = "accounts"
    page = described.PAGE

    def examine(self, rollup: Rollup) -> Results:
        """Return all features with their quadrants, the dearest first, and recommendations."""
        book, pair = open_book(rollup), periods(rollup)
        standings = sorted(_standings(rollup, book, pair), key=lambda one: (-one.economics.cost_nano, one.feature))
        return {
            "headline": self._headline(standings) if standings else nothing_to_compare(book),
            "summary": {**book_row(book), "features": len(standings), "quadrant_rule": RULE,
                        "target_margin_percent": float(100 * target_margin(self.settings)),
                        "attribution_rule": ATTRIBUTION,
                        "periods": _periods(pair)},
            "features": [self._row(one) for one in standings],
            "quadrants": {name: [one.feature[1] for one in standings if self.quadrant(one.economics, one) == name]
                          for name in QUADRANTS},
            "recommendations": [advice for one in standings for advice in self._advice(one, len(book.days))],
        }

    def quadrant(self, economics: Economics, standing: Standing) -> str:
        """Return the quadrant that a feature falls in with these economics (see `RULE`)."""
        if economics.margin_nano is None:
            return UNKNOWN
        wide = standing.adoption >= WIDE_ADOPTION
        # What costs and earns nothing has no share of margin, and nothing to save either.
        if economics.margin_nano >= target_margin(self.settings) * economics.revenue_nano:
            return KEEP if wide else INVEST
        return OPTIMISE if wide or standing.grows else RETIRE

    def _headline(self, standings: Sequence[Standing]) -> str:
        """Return which feature takes most of the cost, what it leaves, and how the features stand."""
        first, whole = standings[0], sum(one.economics.cost_nano for one in standings)
        margin = first.economics.margin_share
        left = "an unknown margin" if margin is None else f"a margin of {percent(margin)}"
        costs = (f"{first.feature[1]} takes {percent(first.economics.cost_nano / whole)} of {money(usd(whole))} of "
                 f"cost and leaves {left}" if whole else "No feature has a known cost")
        found = [self.quadrant(one.economics, one) for one in standings]
        stand = ", ".join(f"{verb} {found.count(name)}" for name, verb in VERBS.items() if name in found)
        return f"{costs}; of {numbered(len(found), 'feature')}, {stand}."

    def _row(self, one: Standing) -> Dict[str, Any]:
        product, feature = one.feature
        by_calls = one.by_calls.margin_share
        return {"feature": feature, "product": product, **economics_row(one.economics),
                "customers": one.customers, "adoption_percent": 100 * one.adoption,
                "cost_per_customer": each(one.economics.cost_nano, one.customers),
                "revenue_by_calls": usd(one.revenue_by_calls_nano),
                "margin_percent_by_calls": None if by_calls is None else 100 * by_calls,
                "trend": _trend(one), "quadrant": self.quadrant(one.economics, one),
                "quadrant_by_calls": self.quadrant(one.by_calls, one)}

    def _advice(self, one: Standing, days: int) -> List[Recommendation]:
        """Return what to do with a feature in its quadrant, if anything."""
        name, quadrant, sums = one.feature[1], self.quadrant(one.economics, one), one.economics
        cost, earned = (monthly(nano, days, self.settings.month_days) for nano in (sums.cost_nano, sums.revenue_nano))
        evidence = (f"It costs ${cost:,} and carries ${earned:,} of revenue a month; {one.customers} of {one.active} "
                    f"active customers use it{_growth_text(one)}.")
        sure = self.quadrant(one.by_calls, one) == quadrant and one.growth is not None
        if quadrant == OPTIMISE:
            spare = sums.revenue_nano * (1 - target_margin(self.settings))
            return [Recommendation(f"Make {name} cheaper to run, until it leaves the target margin",
                                   monthly(sums.cost_nano - int(spare), days, self.settings.month_days), evidence,
                                   HIGH if sure else MEDIUM)]
        if quadrant == RETIRE:
            return [Recommendation(f"Retire {name}, or sell it at its own price", cost,
                                   evidence + " The saving holds if no customer leaves with it.",
                                   MEDIUM if sure else LOW)]
        if quadrant == INVEST:
            # A subscription earns the same however many features are used, so there is no figure to claim.
            return [Recommendation(f"Win more customers for {name}", None, evidence, MEDIUM if sure else LOW)]
        return []


def _standings(rollup: Rollup, book: Book, pair: Optional[Periods]) -> List[Standing]:
    # A question without days is far cheaper, and the same where no day of the log is left out.
    where = {"day": book.days} if book.left_out.calls else None
    uses: Uses = {}
    parts: Dict[Feature, List[Measures]] = {}
    for (customer, product, feature), measures in rollup.by("customer", "product", "feature", where=where):
        uses.setdefault(customer, []).append(((product, feature), measures))
        parts.setdefault((product, feature), []).append(measures)
    earned = {name: one.revenue_nano for name, one in grouped(book.accounts, lambda one: one.customer).items()}
    by_cost, by_calls = _attributed(uses, earned, True), _attributed(uses, earned, False)
    now, before = (_in_period(rollup, period.days if period else None)
                   for period in (pair and pair.current, pair and pair.previous))
    standings = []
    for key, ones in parts.items():
        sums = add(ones)
        standings.append(Standing(
            key, Economics(len(book.days), by_cost[key], sums.cost_nano, sums.calls, sums.unpriced, sums.tokens),
            by_calls[key], len(ones), len(uses), None if before is None else before.get(key, Measures()),
            None if now is None else now.get(key, Measures())))
    return standings


def _attributed(uses: Uses, earned: Mapping[str, int], by_cost: bool) -> Dict[Feature, int]:
    """Return each feature's revenue in nano-dollars; the shares of a customer add up to its revenue exactly."""
    revenue: Dict[Feature, int] = {}
    for customer, used in uses.items():
        total = add(measures for _, measures in used)
        costly = by_cost and total.cost_nano and total.unpriced <= MAX_UNPRICED_SHARE * total.calls
        weights = [one.cost_nano if costly else one.calls for _, one in used]
        for (feature, _), share in zip(used, split(earned.get(customer, 0), weights)):
            revenue[feature] = revenue.get(feature, 0) + share
    return revenue


def _in_period(rollup: Rollup, days: Optional[Sequence[str]]) -> Optional[Dict[Feature, Measures]]:
    if days is None:
        return None
    wanted = set(days)
    parts: Dict[Feature, List[Measures]] = {}
    for (day, product, feature), measures in rollup.by("day", "product", "feature"):
        if day in wanted:
            parts.setdefault((product, feature), []).append(measures)
    return {feature: add(ones) for feature, ones in parts.items()}


def _trend(one: Standing) -> Optional[Dict[str, Any]]:
    now, before = one.current, one.previous
    if now is None or before is None:
        return None
    return {"calls": now.calls, "calls_before": before.calls, "calls_change": one.growth,
            "cost": usd(now.cost_nano), "cost_before": usd(before.cost_nano),
            "cost_change": change(now.cost_nano, before.cost_nano),
            "cost_per_call": each(now.cost_nano, now.calls - now.unpriced),
            "cost_per_call_before": each(before.cost_nano, before.calls - before.unpriced),
            "is_new": one.is_new}


def _growth_text(one: Standing) -> str:
    if one.is_new:
        return ", and it is new in the last period"
    if one.growth is None:
        return ", with nothing before to compare with"
    return f", and calls changed by {100 * one.growth:+.0f} % from one period to the next"


def _periods(pair: Optional[Periods]) -> Optional[Dict[str, str]]:
    if pair is None:
        return None
    return {"current_first": pair.current.first, "current_last": pair.current.last,
            "previous_first": pair.previous.first, "previous_last": pair.previous.last}
