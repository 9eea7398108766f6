"""What a month will come to, and whether that keeps to the budget.

What has been billed of the month stands as it is. For the days that are missing or incomplete use is foretold; tax and
support follow what services cost as they did last month, and fees in a lump come again. Credits are not foretold.
"""
from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, Dict, Iterator, List, Mapping, NamedTuple, Optional, Tuple

from analyzers.base import HIGH, LOW, MEDIUM
from analyzers.budgets import DERIVED_GROWTH
from analyzers.forecast import HORIZON, LEAST_DAYS, Forecast, forecast
from analyzers.wording import money, percent
from aws.asking import Asking
from aws.insights.findings import Finding, Insight, Purse, Scene
from aws.parts import Known, Parts, added, parts_of
from aws.utils import RISING, add_months, month_end, ratio

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
    billed, before = _parts(service, month_first, last), _last_month(service, month_first)
    months = _whole_month(told, rest, billed, before) if service.days[0] <= month_first else (None, None, None)
    return Ahead(last + timedelta(days=1), rows, told, month_first, billed.net, *months, before.net if before else None)


def month_by_aws(service: Asking) -> Known:
    """Return what today's month comes to by AWS's own forecast from today, behind what is billed until yesterday.

    None where the source foretells nothing, or where the month that runs is not the one that is looked at.
    """
    today, first = service.today, service.complete_last.replace(day=1)
    yesterday = today - timedelta(days=1)
    if first != today.replace(day=1) or service.days[0] > first or service.days[1] < yesterday:
        return None
    told = service.source.forecast(month_end(today), service.choice.metric, service.choice.where)
    return None if told is None else added((_parts(service, first, yesterday).net, told))


Months = Tuple[Optional[Decimal], Optional[Decimal], Optional[Decimal]]


def _whole_month(told: Optional[Forecast], rest: int, billed: Parts, before: Optional[Parts]) -> Months:
    """Return what a month comes to, at least and at most; None where its days to come cannot be foretold."""
    if billed.net is None or (told is None and rest):
        return None, None, None
    if told is None or not rest:
        whole = billed.net.quantize(CENT)
        return whole, whole, whole
    use = sum(told.daily[:rest])
    spread = (told.total_high - told.total) / told.total if told.total else 0.0
    wider = min(1.0, spread * (len(told.daily) / rest) ** 0.5)
    fees = _fees_to_come(billed, before)
    return (_month(billed, before, use, fees), _month(billed, before, use * (1 - wider), fees),
            _month(billed, before, use * (1 + wider), fees))


def _month(billed: Parts, before: Optional[Parts], use: float, fees: Decimal) -> Optional[Decimal]:
    """Return a month's net cost, given what use of its days to come costs; credits to come are not foretold."""
    if billed.services is None or billed.net is None:
        return None
    more = _cents(use) + fees
    services = billed.services + more
    if before and before.services:
        # Tax and support follow what services cost, and of a month that runs AWS has billed a part at most.
        for own, old in ((billed.tax, before.tax), (billed.support, before.support)):
            if own is not None and old is not None:
                more += max(Decimal(0), old * services / before.services - own)
    return (billed.net + more).quantize(CENT)


def _fees_to_come(billed: Parts, before: Optional[Parts]) -> Decimal:
    """Return the fees in a lump that last month had beyond those of this one."""
    if before is None or before.lumps is None or billed.lumps is None:
        return Decimal(0)
    return max(Decimal(0), before.lumps - billed.lumps)


def _cents(value: float) -> Decimal:
    return Decimal(str(round(value, 2))).quantize(CENT)


def _parts(service: Asking, first: date, last: date) -> Parts:
    return parts_of((row.keys[0], row.keys[1], row.amounts[0]) for row in service.base().rows
                    if first <= row.first <= last)


def _last_month(service: Asking, month_first: date) -> Optional[Parts]:
    """Return the month before, None where the days that are looked at do not hold all of it."""
    first = add_months(month_first, -1)
    return _parts(service, first, month_end(first)) if service.days[0] <= first else None


def share_of_budget(ahead: Ahead, budget: Optional[Decimal]) -> Optional[float]:
    """Return what share of the budget the month will take."""
    return ratio(ahead.month, budget)
