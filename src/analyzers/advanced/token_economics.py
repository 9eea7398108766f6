"""Token Economics: what a token costs, how tokens spread over calls, and where they are wasted."""
from __future__ import annotations

from decimal import Decimal
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

from analyzers.base import ADVANCED, Analyzer, Recommendation, Results
from analyzers.common import add, change, mean, median, per_million, periods, quantile, ratio, usd, whole_days
from analyzers.pages import token_economics as described
from analyzers.token_waste import Cells, find_growth, find_waste, recommend
from analyzers.wording import NO_CALLS, money, percent
from calls.record import SUCCESS
from rollup.cubes import Measures
from rollup.rollup import Group, Rollup

GRAIN = ("feature", "provider", "model", "status")
CELL = ("day", "customer", "feature", "provider", "model")  # the nearest to single calls that is counted
SCOPES: Dict[str, Tuple[str, ...]] = {
    "by_model": ("provider", "model"), "by_provider": ("provider",), "by_feature": ("feature",)}
Day = Tuple[int, int, int, int]  # calls, tokens, nano-dollars and unpriced calls of a customer's day
NO_DAY: Day = (0, 0, 0, 0)
QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1.0)


class Basis(NamedTuple):
    """Successful calls of one row: all of them, and those in cells without any unknown cost."""

    all: Measures
    priced: Measures


class TokenEconomicsAnalyzer(Analyzer):
    """Tokens a dollar, dollars per million tokens, distributions, wasteful patterns and the growth of prompts."""

    id = "token_economics"
    title = "Token Economics"
    description = "What a token costs, how tokens spread over calls, and where they are wasted"
    category = ADVANCED
    rank = 10
    page = described.PAGE

    def examine(self, rollup: Rollup) -> Results:
        """Return prices of tokens by scope, distributions, wasteful patterns, prompt growth and recommendations."""
        days = whole_days(rollup)
        groups = rollup.by(*GRAIN)
        cells = [group for group in rollup.by(*CELL) if days and days[0] <= group.key[0] <= days[-1]]
        waste = find_waste(cells)
        growth = find_growth(cells, days)
        overall = _row({}, groups)
        results: Results = {name: _rows(groups, scope) for name, scope in SCOPES.items()}
        advice = recommend(waste, growth, len(days), self.settings.month_days)
        daily = _daily(rollup, days)
        results.update(
            headline=_headline(overall, results["by_feature"], advice),
            daily=[{"day": day, "tokens": one.all.tokens, "usd_per_million_tokens": _price(one.priced)}
                   for day, one in daily.items()],
            trend=_trend(rollup, daily),
            summary={name: overall[name] for name in (
                "input_tokens", "output_tokens", "tokens_per_dollar", "usd_per_million_tokens", "output_input_ratio")},
            overall=overall, failed_calls=_failed(groups), customer_days=_customer_days(cells),
            wasteful=waste.as_data(), prompt_growth=growth.as_data(), notes=_notes(),
            recommendations=advice)
        return results


def _headline(overall: Results, features: Sequence[Results], advice: Sequence[Recommendation]) -> str:
    """Return what a million tokens costs, which feature takes most of them, and what could be saved."""
    if not overall["calls"]:
        return "No call has succeeded, so no token was bought." if features else NO_CALLS
    price, saved = overall["usd_per_million_tokens"], sum((one.monthly_usd or Decimal(0) for one in advice), Decimal(0))
    costs = "The price of a million tokens is unknown" if price is None else f"A million tokens cost {money(price)}"
    first = max(features, key=lambda row: row["tokens"])
    share = ratio(first["tokens"], overall["tokens"])
    takes = "" if share is None else f"; {first['feature']} takes {percent(share)} of them"
    rate = first["usd_per_million_tokens"]
    at = f" at {money(rate)}" if share is not None and share < 1 and rate is not None else ""
    return f"{costs}{takes}{at}; {money(saved)} a month looks wasted." if saved else f"{costs}{takes}{at}."


def _daily(rollup: Rollup, days: Sequence[str]) -> Dict[str, Basis]:
    """Return each whole day's successful calls; all count as without a price where any of the day has none."""
    found = {key[0]: measures for (key, measures) in rollup.by("day", "status") if key[1] == SUCCESS}
    held = {day: found.get(day, Measures()) for day in days}
    return {day: Basis(one, Measures() if one.unpriced else one) for day, one in held.items()}


def _price(priced: Measures) -> Optional[Decimal]:
    return per_million(priced.cost_nano, priced.tokens)


def _trend(rollup: Rollup, daily: Dict[str, Basis]) -> Optional[Results]:
    """Return the price of tokens in the last period beside the one before; None where the log is too short."""
    pair = periods(rollup)
    if pair is None:
        return None
    now, before = ([daily[day] for day in period.days] for period in (pair.current, pair.previous))
    price, price_before = (_price(add(one.priced for one in days)) for days in (now, before))
    tokens, tokens_before = (add(one.all for one in days).tokens for days in (now, before))
    return {"usd_per_million_tokens": price, "usd_per_million_tokens_before": price_before,
            "usd_per_million_tokens_change": change(float(price), float(price_before))
            if price is not None and price_before is not None else None,
            "tokens": tokens, "tokens_before": tokens_before, "tokens_change": change(tokens, tokens_before)}


def _notes() -> List[str]:
    return ["Token counts and prices are those of successful calls; failed_calls shows what the others took. Prices of "
            "tokens leave out cells (feature, model) in which any cost is unknown: unpriced_calls counts those calls.",
            "Tokens are counted by day, customer, feature and model, not call by call: distributions are over such "
            "customer-days of whole days, and wasteful patterns are means over such cells."]


def _row(named: Dict[str, str], groups: Sequence[Group]) -> Results:
    """Return one row of prices and ratios from groups of GRAIN."""
    cells = [group.measures for group in groups if group.key[-1] == SUCCESS]
    basis = Basis(add(cells), add(one for one in cells if not one.unpriced))
    whole, priced = basis.all, basis.priced
    row: Results = dict(named)
    row.update(
        calls=whole.calls, cost=usd(whole.cost_nano), unpriced_calls=whole.unpriced, input_tokens=whole.input_tokens,
        output_tokens=whole.output_tokens, tokens=whole.tokens,
        tokens_per_dollar=ratio(priced.tokens * 1e9, priced.cost_nano),
        usd_per_million_tokens=per_million(priced.cost_nano, priced.tokens),
        output_input_ratio=ratio(whole.output_tokens, whole.input_tokens),
        input_tokens_per_call=ratio(whole.input_tokens, whole.calls),
        output_tokens_per_call=ratio(whole.output_tokens, whole.calls),
        tokens_per_call=ratio(whole.tokens, whole.calls))
    return row


def _rows(groups: Sequence[Group], scope: Sequence[str]) -> List[Results]:
    """Return a row for each value of the scope, the one that costs most first."""
    places = [GRAIN.index(name) for name in scope]
    held: Dict[Tuple[str, ...], List[Group]] = {}
    for group in groups:
        held.setdefault(tuple(group.key[place] for place in places), []).append(group)
    rows = [_row(dict(zip(scope, key)), one) for key, one in held.items()]
    return sorted(rows, key=lambda row: (-row["cost"], [row[name] for name in scope]))


def _failed(groups: Sequence[Group]) -> Results:
    failed = add(group.measures for group in groups if group.key[-1] != SUCCESS)
    return {"calls": failed.calls, "input_tokens": failed.input_tokens, "output_tokens": failed.output_tokens,
            "cost": usd(failed.cost_nano), "unpriced_calls": failed.unpriced}


def _customer_days(cells: Cells) -> Results:
    """Return how tokens and dollars spread over customer-days, and tokens a call over those of each feature."""
    # Plain sums by hand: whole measures for so many cells would take several times as long.
    by_feature: Dict[Tuple[str, str, str], Day] = {}
    for cell in cells:
        one, key = cell.measures, (cell.key[2], cell.key[0], cell.key[1])
        by_feature[key] = _plus(by_feature.get(key, NO_DAY), (one.calls, one.tokens, one.cost_nano, one.unpriced))
    sums: Dict[Tuple[str, str], Day] = {}
    features: Dict[str, List[float]] = {}
    for (feature, day, customer), held in sorted(by_feature.items()):
        features.setdefault(feature, []).append(held[1] / held[0])
        sums[day, customer] = _plus(sums.get((day, customer), NO_DAY), held)
    return {"customer_days": len(sums), "tokens": _spread([float(one[1]) for one in sums.values()]),
            "tokens_per_call": _spread([one[1] / one[0] for one in sums.values()]),
            "usd": _spread([one[2] / 1e9 for one in sums.values() if not one[3]]),
            "tokens_per_call_by_feature": [dict(feature=feature, customer_days=len(values), **_spread(values))
                                           for feature, values in features.items()]}


def _plus(one: Day, two: Day) -> Day:
    return one[0] + two[0], one[1] + two[1], one[2] + two[2], one[3] + two[3]


def _spread(values: Sequence[float]) -> Dict[str, Any]:
    """Return mean, nearest-rank quantiles and maximum; all None without values."""
    ordered = sorted(values)
    row: Dict[str, Any] = {"mean": mean(ordered) if ordered else None}
    for share in QUANTILES:
        name = "max" if share == 1.0 else f"p{share * 100:.0f}"
        row[name] = quantile(ordered, share) if ordered else None
    row["max_over_median"] = ratio(ordered[-1], median(ordered)) if ordered else None
    return row
