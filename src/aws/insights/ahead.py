"""What a month will come to, and whether that keeps to the budget.

What has been billed of the month stands as it is; for the days that are missing or incomplete, use is foretold, and
what comes once a month (tax, support, fees) is taken from the last whole month as far as this one has none yet.
"""
from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, Dict, Iterator, List, Mapping, NamedTuple, Optional

from analyzers.base import HIGH, LOW, MEDIUM
from analyzers.budgets import DERIVED_GROWTH
from analyzers.forecast import HORIZON, LEAST_DAYS, Forecast, forecast
from analyzers.wording import money, percent
from aws.asking import Asking
from aws.insights.findings import Finding, Insight, Purse, Scene
from aws.parts import Known, added, less
from aws.utils import RISING, add_months, days_of, month_end, ratio

CENT = Decimal("0.01")
NOTABLE_GROWTH = 0.1  # from one window of days to the next


class Ahead(NamedTuple):
    """What is foretold: daily use behind the last complete day, and the month that this day stands in.

    `to_date` is the month's net cost until the last complete day; `month`, `low` and `high` are the whole month's.
    """

    first: date
    days: List[Dict[str, Any]]
    forecast: Optional[Forecast]
    month_first: date
    to_date: Known
    month: Optional[Decimal]
    low: Optional[Decimal]
    high: Optional[Decimal]
    last_month: Known


class BudgetInsight(Insight):
    """Months that will cost more than their budget, and growth."""

    id = "ahead"
    title = "Forecast and budget"
    description = "What the month will come to against its budget, and use that grows"
    rank = 100
    kinds: Mapping[str, str] = {"over_budget": "Over budget", "growth": "Growing use"}

    def find(self, scene: Scene, purse: Purse) -> Iterator[Finding]:
        """Yield a month that passes its budget, then growth."""
        ahead = look_ahead(scene.whole)
        yield from _over_budget(scene, ahead)
        trend = scene.whole.trend()
        if trend.direction == RISING and trend.change is not None and trend.change > NOTABLE_GROWTH:
            assert trend.now is not None and trend.before is not None
            extra = scene.monthly(trend.now - trend.before) if trend.days == scene.days else (
                (trend.now - trend.before) * Decimal(str(scene.settings.month_days)) / trend.days).quantize(CENT)
            yield Finding("growth", f"Look into the growth of use, {percent(trend.change)} in {trend.days} days",
                          f"use cost {money(trend.now)} in the last {trend.days} complete days, {money(trend.before)} "
                          "in as many before; see what changed by service", MEDIUM, None, extra)


def _over_budget(scene: Scene, ahead: Ahead) -> Iterator[Finding]:
    if not scene.budget or ahead.month is None or ahead.month <= scene.budget:
        return
    over = (ahead.month - scene.budget).quantize(CENT)
    sure = HIGH if ahead.low is not None and ahead.low > scene.budget else LOW if ahead.low is None else MEDIUM
    yield Finding("over_budget",
                  f"Bring {ahead.month_first:%B} back to its budget of {money(scene.budget)}, or raise it",
                  f"it will come to {money(ahead.month)}, {percent(float(over / scene.budget))} more"
                  + (f" (between {money(ahead.low)} and {money(ahead.high)})" if ahead.low is not None
                     and ahead.high is not None else ""), sure, None, over)


def derived_budget(last_month: Known) -> Optional[Decimal]:
    """Return the budget where none is set: the last whole month and a tenth; None without a whole month."""
    if last_month is None or last_month <= 0:
        return None
    whole = Fraction(last_month) * DERIVED_GROWTH
    return (Decimal(whole.numerator) / Decimal(whole.denominator)).quantize(CENT)


def look_ahead(service: Asking) -> Ahead:
    """Return what the days and the month behind the last complete day will come to."""
    days, values = service.running()
    last = service.complete_last
    month_first = last.replace(day=1)
    rest = (month_end(last) - last).days
    enough = len(values) >= LEAST_DAYS and sum(values) > 0 and min(values) >= 0
    told = forecast([float(value) for value in values], max(HORIZON, rest)) if enough else None
    rows = [] if told is None else [
        {"day": (last + timedelta(days=step)).isoformat(), "cost": _cents(cost), "low": _cents(low),
         "high": _cents(high)} for step, (cost, low, high) in enumerate(zip(told.daily, told.low, told.high), 1)]
    to_date, last_month = _net(service, month_first, last), _last_month(service, month_first)
    if told is None or to_date is None or service.days[0] > month_first:
        whole = to_date if not rest and service.days[0] <= month_first else None
        return Ahead(last + timedelta(days=1), rows, told, month_first, to_date, whole, whole, whole, last_month)
    once = _still_to_come(service, month_first, last)
    sure = to_date + once
    share = sum(told.daily[:rest])
    spread = (told.total_high - told.total) / told.total if told.total else 0.0
    wider = min(1.0, spread * (len(told.daily) / rest) ** 0.5) if rest else 0.0
    return Ahead(last + timedelta(days=1), rows, told, month_first, to_date, _cents(float(sure) + share),
                 _cents(float(sure) + share * (1 - wider)), _cents(float(sure) + share * (1 + wider)), last_month)


def _cents(value: float) -> Decimal:
    return Decimal(str(round(value, 2))).quantize(CENT)


def _net(service: Asking, first: date, last: date) -> Known:
    return added(row.amounts[0] for row in service.base().rows if first <= row.first <= last)


def _last_month(service: Asking, month_first: date) -> Known:
    """Return the net cost of the month before, None where the days that are looked at do not hold all of it."""
    first = add_months(month_first, -1)
    return _net(service, first, month_end(first)) if service.days[0] <= first else None


def _still_to_come(service: Asking, month_first: date, last: date) -> Decimal:
    """Return what the month before had beside use on days that this month has not reached."""
    before = add_months(month_first, -1)
    if service.days[0] > before:
        return Decimal(0)
    span = days_of(add_months(last, -1) + timedelta(days=1), month_end(before))
    if not span:
        return Decimal(0)
    net = _net(service, span[0], span[-1])
    use = added(cost for series in service.running_by("service").values() for day, cost in series.items()
                if span[0] <= day <= span[-1])
    return less(net, use) or Decimal(0)


def share_of_budget(ahead: Ahead, budget: Optional[Decimal]) -> Optional[float]:
    """Return what share of the budget the month will take."""
    return ratio(ahead.month, budget)
