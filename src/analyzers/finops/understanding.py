"""Understanding Usage & Cost: where the money goes, what it will be, and why it changed."""
from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Dict, List, Optional

from analyzers.base import FINOPS, HIGH, MEDIUM, Analyzer, Recommendation, Results
from analyzers.common import (
    Period,
    Periods,
    add,
    by_cost,
    change,
    concentration,
    daily_series,
    measures_row,
    monthly,
    periods,
    ratio,
    usd,
    whole_days,
)
from analyzers.decompose import Parts, summed, what_changed
from analyzers.forecast import Forecast, forecast
from analyzers.pages import understanding as described
from analyzers.wording import NO_CALLS, money, numbered, percent
from catalog.loader import load_catalog
from rollup.rollup import Group, Rollup

BREAKDOWNS = ("provider", "model", "customer", "organization", "product", "feature", "tier", "environment", "region")
SCOPES_OF_CHANGE = ("organization", "feature", "model")
TOP = 10  # spenders that are named
DRIVERS = 3  # organisations that moved the cost most, told with their days
PARETO_SHARES = (0.01, 0.05, 0.1, 0.2, 0.5)
CENT = Decimal("0.01")
STEADY = 0.01  # of cost; a smaller change of the headline's figure is none
CAUSES = {  # in words, where the part made the cost fall and rise, and by itself
    "volume": ("fewer calls", "more calls", "Number of calls"),
    "model_mix": ("a cheaper mix of models", "a dearer mix of models", "Mix of models"),
    "failed_calls": ("more failed calls", "fewer failed calls", "Calls that fail"),
    "tokens_per_call": ("fewer tokens a call", "more tokens a call", "Tokens a call"),
    "price": ("lower prices", "higher prices", "Prices")}
NOTABLE_FAILED_SHARE = 0.05  # of calls; above, failures are worth a look
NOTABLE_GROWTH = 0.1  # of cost from one period to the next
NOTABLE_CONCENTRATION = 0.5  # of cost with the top 10 % of customers


class UnderstandingAnalyzer(Analyzer):
    """Cost, calls and tokens by every dimension, who spends most, the forecast, and what changed."""

    id = "understanding"
    title = "Understanding Usage & Cost"
    description = "Where the money goes, what it will come to, and what changed"
    category = FINOPS
    rank = 1
    page = described.PAGE
    highlights = described.HIGHLIGHTS

    def examine(self, rollup: Rollup) -> Results:
        """Return breakdowns, series, concentration, efficiency, forecast, changes and recommendations."""
        days, pair = whole_days(rollup), periods(rollup)
        series = daily_series(rollup, days)
        ahead = forecast([float(day.cost_nano) for day in series])
        results: Results = {f"by_{name}": _breakdown(rollup, name) for name in BREAKDOWNS}
        changed = _changes(rollup, pair) if pair else None
        results.update(
            daily=[{"day": day, "cost": usd(one.cost_nano), "calls": one.calls, "tokens": one.tokens}
                   for day, one in zip(days, series)],
            top_spenders=results["by_customer"][:TOP],
            concentration=_concentration(rollup),
            token_efficiency=_efficiency(rollup),
            forecast=_forecast(days, ahead),
            what_changed=changed)
        results["summary"] = self._summary(rollup, pair, ahead, days)
        results["headline"] = _headline(rollup, results)
        results["recommendations"] = self._recommendations(rollup, results, len(days))
        return results

    def _summary(self, rollup: Rollup, pair: Optional[Periods], ahead: Optional[Forecast], days: List[str]) -> Results:
        counted = rollup.total()
        now, before = ([add(daily_series(rollup, period.days)) for period in (pair.current, pair.previous)]
                       if pair else (None, None))
        return {
            "total_tokens": counted.tokens, "failed_calls": counted.failed, "unpriced_calls": counted.unpriced,
            "cost_per_call": usd(counted.cost_nano) / counted.calls if counted.calls else None,
            "cost_per_thousand_calls": usd(1000 * counted.cost_nano) / counted.calls if counted.calls else None,
            "whole_days": len(days), "customers": len(rollup.by("customer")),
            "current_period": _period(pair.current) if pair else None,
            "previous_period": _period(pair.previous) if pair else None,
            "current_cost": usd(now.cost_nano) if now else None,
            "previous_cost": usd(before.cost_nano) if before else None,
            "cost_change": change(now.cost_nano, before.cost_nano) if now and before else None,
            "current_calls": now.calls if now else None,
            "calls_change": change(now.calls, before.calls) if now and before else None,
            "forecast_30_days": _dollars(ahead.total) if ahead else None}

    def _recommendations(self, rollup: Rollup, results: Results, days: int) -> List[Recommendation]:
        found = []
        changed = results["what_changed"]
        if changed and (results["summary"]["cost_change"] or 0) > NOTABLE_GROWTH:
            found.append(_growth(changed, self.settings.month_days))
        counted = rollup.total()
        failed = add(group.measures for group in rollup.by("status") if group.key[0] != "success")
        if failed.cost_nano and counted.failed > NOTABLE_FAILED_SHARE * counted.calls:
            found.append(Recommendation(
                "Find out why calls fail, and stop paying for the input of those that time out",
                monthly(failed.cost_nano, days, self.settings.month_days),
                f"{counted.failed:,} of {counted.calls:,} calls failed and cost ${usd(failed.cost_nano):,.2f}", HIGH))
        top = results["concentration"]["top_10_percent_share"]
        if top and top > NOTABLE_CONCENTRATION:
            found.append(Recommendation(
                "Watch the few customers that make most of the cost one by one: budgets and alerts for each", None,
                f"the top 10 % of customers hold {percent(top, 0)} of the cost", HIGH))
        if counted.unpriced:
            found.append(Recommendation(
                "Add prices for the models that have none: their cost is unknown and missing from every total", None,
                f"{counted.unpriced:,} calls have no cost", HIGH))
        return found


def _breakdown(rollup: Rollup, name: str) -> List[Dict[str, Any]]:
    groups = by_cost(rollup.by(name))
    whole = sum(group.measures.cost_nano for group in groups)
    return [measures_row((name,), group, share=ratio(group.measures.cost_nano, whole)) for group in groups]


def _concentration(rollup: Rollup) -> Results:
    costs = [group.measures.cost_nano for group in rollup.by("customer")]
    return {"top_10_percent_share": concentration(costs),
            "pareto": [{"customers_share": share, "cost_share": concentration(costs, share)}
                       for share in PARETO_SHARES] if costs else []}


def _efficiency(rollup: Rollup) -> List[Dict[str, Any]]:
    rows = []
    for group in by_cost(rollup.by("feature", "model")):
        counted = group.measures
        priced = counted.calls - counted.unpriced
        rows.append({
            "feature": group.key[0], "model": group.key[1], "calls": counted.calls, "cost": usd(counted.cost_nano),
            "usd_per_million_tokens": _per_million(group) if priced and counted.tokens else None,
            "tokens_per_call": ratio(counted.tokens, counted.calls),
            "output_per_input": ratio(counted.output_tokens, counted.input_tokens)})
    return rows


def _per_million(group: Group) -> Decimal:
    return (usd(group.measures.cost_nano) * 1_000_000 / group.measures.tokens).quantize(Decimal("0.000001"))


def _forecast(days: List[str], ahead: Optional[Forecast]) -> Optional[Results]:
    if ahead is None or not days:
        return None
    last = date(*map(int, days[-1].split("-")))
    rows = [{"day": (last + timedelta(days=step)).isoformat(), "cost": _dollars(cost), "low": _dollars(low),
             "high": _dollars(high)}
            for step, (cost, low, high) in enumerate(zip(ahead.daily, ahead.low, ahead.high), 1)]
    return {"daily": rows, "total": _dollars(ahead.total), "low": _dollars(ahead.total_low),
            "high": _dollars(ahead.total_high), "interval": 0.8,
            "backtest": ahead.backtest._asdict() if ahead.backtest else None}


def _changes(rollup: Rollup, pair: Periods) -> Results:
    found: Results = {"current": _period(pair.current), "previous": _period(pair.previous)}
    for scope, parts in what_changed(rollup, pair, SCOPES_OF_CHANGE, load_catalog()).items():
        found[f"by_{scope}"] = [dict({scope: value}, **_parts(one)) for value, one in parts.items()]
        if scope == "organization":
            found["drivers"] = _drivers(rollup, pair, found["by_organization"][:DRIVERS])
            found["total"] = _parts(summed(list(parts.values())))
            found["by_cause"] = [{"cause": name, "title": CAUSES[name][-1], "change": found["total"][name]}
                                 for name in Parts._fields]
    return found


def _drivers(rollup: Rollup, pair: Periods, rows: List[Results]) -> List[Results]:
    """Return what moved the cost most, with its cost in both periods and on each of their days."""
    days = [*pair.previous.days, *pair.current.days]
    spent: Dict[str, Dict[str, int]] = {row["organization"]: dict.fromkeys(days, 0) for row in rows}
    for (day, name), nano in rollup.rows(["cost_nano"], "day", "organization"):
        if name in spent and day in spent[name]:
            spent[name][day] += nano
    found = []
    for row in rows:
        daily = spent[row["organization"]]
        before, now = (sum(daily[day] for day in period.days) for period in (pair.previous, pair.current))
        found.append({"organization": row["organization"], "change": row["change"], "cost_change": change(now, before),
                      "previous_cost": usd(before), "current_cost": usd(now),
                      "daily": [{"day": day, "cost": usd(nano)} for day, nano in daily.items()]})
    return found


def _parts(parts: Parts) -> Results:
    data: Results = {name: usd(nano) for name, nano in parts._asdict().items()}
    data["change"] = usd(parts.total)
    return data


def _growth(changed: Results, month_days: float) -> Recommendation:
    total = changed["total"]
    cause = max((name for name in Parts._fields), key=lambda name: total[name])
    first = changed["by_organization"][0]
    return Recommendation(
        f"Look into the growth of cost, first into {cause.replace('_', ' ')}, and first at {first['organization']}",
        (total["change"] * Decimal(month_days) / changed["current"]["days"]).quantize(CENT),
        f"cost rose by ${total['change']:,.2f} against the period before, ${total[cause]:,.2f} of it by "
        f"{cause.replace('_', ' ')}; {first['organization']} alone changed by ${first['change']:,.2f}", MEDIUM)


def _period(period: Period) -> Results:
    return {"first": period.first, "last": period.last, "days": len(period.days)}


def _headline(rollup: Rollup, results: Results) -> str:
    """Return what was spent last, how that compares with before, and why it changed."""
    summary, whole = results["summary"], rollup.total()
    if not whole.calls:
        return NO_CALLS
    if whole.unpriced == whole.calls:
        return f"What the {numbered(whole.calls, 'call')} cost is unknown: no price is known for their models."
    missing = f" {numbered(whole.unpriced, 'call')} without a known price cannot be in it." if whole.unpriced else ""
    period, risen = summary["current_period"], summary["cost_change"]
    if period is None:
        return (f"Spend was {money(usd(whole.cost_nano))} for {numbered(whole.calls, 'call')}; the log is too short to "
                f"compare one period with another.{missing}")
    span = f"the {period['days']} days" if period["days"] > 1 else "the day"
    text = f"Spend was {money(summary['current_cost'])} in {span} to {period['last']}"
    if risen is not None:
        text += f", {'up' if risen > 0 else 'down'} {percent(abs(risen))}: {_cause(results['what_changed'])}" \
            if abs(risen) >= STEADY else ", about as much as in the same time before"
    return f"{text}.{missing}"


def _cause(changed: Results) -> str:
    """Return the part that moved the cost most in the direction it went, and the organisation it moved most at."""
    sign = 1 if changed["total"]["change"] > 0 else -1
    moved = {name: sign * changed["total"][name] for name in Parts._fields}
    name = max(moved, key=lambda one: moved[one])
    places = {row["organization"]: sign * row[name] for row in changed["by_organization"]}
    first = max(places, key=lambda one: places[one])
    return (f"{'mostly' if _is_most(moved, name) else 'first of all'} {CAUSES[name][sign > 0]}, "
            f"{'most of it' if _is_most(places, first) else 'above all'} at {first}")


def _is_most(parts: Dict[str, Decimal], name: str) -> bool:
    """Tell whether a part is more than half of all that went its way."""
    return 2 * parts[name] > sum(part for part in parts.values() if part > 0)


def _dollars(nano: float) -> Decimal:
    return usd(round(nano)).quantize(CENT)
