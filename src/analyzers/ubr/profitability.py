"""Customer Profitability: what each customer earns and costs on the same days, and who is served at a loss."""
from __future__ import annotations

import math
import statistics
from decimal import Decimal
from fractions import Fraction
from typing import Any, Dict, Iterable, List, NamedTuple, Optional, Sequence, Set

from analyzers.base import HIGH, LOW, MEDIUM, REVENUE, Analyzer, Recommendation, Results
from analyzers.common import Period, change, monthly, periods, usd
from analyzers.pages import profitability as described
from analyzers.revenue import (
    Account,
    Book,
    Economics,
    book_of,
    book_row,
    combined,
    each,
    economics_row,
    grouped,
    latest,
    nothing_to_compare,
    open_book,
    rolling,
)
from analyzers.wording import money, numbered, percent
from rollup.rollup import Rollup

HIGH_MARGIN = 0.7  # of revenue, and above: what subscription software is expected to leave
MEDIUM_MARGIN = 0.4  # of revenue, and above: pays its part of the fixed costs; below it is low
CLASSES = ("high", "medium", "low", "unprofitable", "unknown")
LEAST_DAYS = 14  # active days, below which a customer's loss may be a matter of chance
TREND_RULE = ("Each period is taken by itself, so that both compare: a customer's revenue runs from its first to its "
              "last call day within the period.")
WEEK = 7  # days from one period of the rolling margin to the next
CENT = 10_000_000  # nano-dollars
NAMED = 10  # unprofitable customers with a recommendation each; the others share one


class Loss(NamedTuple):
    """An unprofitable customer: its last account, its sums, and months with a loss among all its months.

    `full_months` is its activity in calendar months, a part of one by its days.
    """

    last: Account
    sums: Economics
    months_lost: int
    months: int
    full_months: Fraction

    @property
    def nano(self) -> int:
        """Return what was lost, in nano-dollars."""
        return self.sums.cost_nano - self.sums.revenue_nano

    @property
    def break_even_nano(self) -> int:
        """Return the monthly price that would have paid the cost, rounded up to the cent."""
        return math.ceil(self.sums.cost_nano / self.full_months / CENT) * CENT


class ProfitabilityAnalyzer(Analyzer):
    """Margin by customer, month, tier and archetype, break-even use, typical customers, and losses to stop."""

    id = "profitability"
    title = "Customer Profitability"
    description = "What each customer earns and costs on the same days, and who is served at a loss"
    category = REVENUE
    rank = 6
    shares = "accounts"
    page = described.PAGE
    highlights = described.HIGHLIGHTS

    def examine(self, rollup: Rollup) -> Results:
        """Return margins, classes, break-even use, typical and unprofitable customers, and recommendations."""
        book = open_book(rollup)
        last, sums = latest(book.accounts), grouped(book.accounts, lambda one: one.customer)
        prices = sorted({one.price_nano for one in last.values()})
        losses = _losses(book, last, sums)
        unprofitable = [self._unprofitable(loss, prices, len(book.days)) for loss in losses]
        summary = self._summary(book, sums, losses)
        return {
            "headline": _headline(summary) if book.accounts else nothing_to_compare(book), "summary": summary,
            "trend": _trend(rollup),
            "rolling": _rolling(rollup),
            "customers": [self._customer(last[name], sums[name]) for name in _dearest(sums)],
            "customer_months": [_customer_month(account) for account in book.accounts],
            "months": _table("month", book.accounts),
            "classes": _classes(sums),
            "by_tier": _table("tier", book.accounts),
            "by_archetype": _table("archetype", book.accounts),
            "break_even": _break_even(rollup),
            "typical_customers": self._typical(last, sums),
            "unprofitable": unprofitable,
            "recommendations": _recommendations(unprofitable, len(book.days)),
        }

    def _summary(self, book: Book, sums: Dict[str, Economics], losses: Sequence[Loss]) -> Results:
        return {**book_row(book), "months": len({one.month for one in book.accounts}),
                "unprofitable_customers": len(losses),
                "lost_monthly": self._monthly(sum(loss.nano for loss in losses), len(book.days)),
                "unknown_customers": sum(class_of(one) == "unknown" for one in sums.values()),
                "thresholds_percent": {"high": 100 * HIGH_MARGIN, "medium": 100 * MEDIUM_MARGIN, "low": 0.0}}

    def _customer(self, last: Account, sums: Economics) -> Dict[str, Any]:
        return {"customer": last.customer, "tier": last.tier, "archetype": last.archetype, "active_days": sums.days,
                **economics_row(sums), "class": class_of(sums),
                "monthly_cost": self._monthly(sums.cost_nano, sums.days)}

    def _typical(self, last: Dict[str, Account], sums: Dict[str, Economics]) -> List[Dict[str, Any]]:
        """Return the median customer of each tier, each customer taken at its rate for a month of activity."""
        members: Dict[str, List[Economics]] = {}
        for name, account in last.items():
            members.setdefault(account.tier, []).append(sums[name])
        return [{"tier": tier, "customers": len(ones),
                 "median_monthly_cost": _median([self._monthly(one.cost_nano, one.days) for one in ones]),
                 "median_monthly_revenue": _median([self._monthly(one.revenue_nano, one.days) for one in ones]),
                 "median_monthly_calls": statistics.median(self._rate(one.calls, one.days) for one in ones),
                 "median_monthly_tokens": statistics.median(self._rate(one.tokens, one.days) for one in ones)}
                for tier, ones in sorted(members.items())]

    def _unprofitable(self, loss: Loss, prices: Sequence[int], log_days: int) -> Dict[str, Any]:
        """Return a loss with what would end it: a price, a tier that covers the cost, or a cap on calls."""
        last, sums = loss.last, loss.sums
        fitting = [price for price in prices if price >= loss.break_even_nano]
        priced = sums.calls - sums.unpriced
        return {"customer": last.customer, "tier": last.tier, "tier_price": usd(last.price_nano),
                "archetype": last.archetype, "active_days": sums.days, **economics_row(sums),
                "lost_monthly": self._monthly(loss.nano, log_days),
                "months_lost": loss.months_lost, "months": loss.months,
                "break_even_price": usd(loss.break_even_nano),
                "already_repriced": last.price_nano >= loss.break_even_nano,
                "covering_tier_price": usd(fitting[0]) if fitting else None,
                "cap_calls_monthly": last.price_nano * priced // sums.cost_nano}

    def _monthly(self, nano: int, days: int) -> Decimal:
        return monthly(nano, days, self.settings.month_days)

    def _rate(self, count: int, days: int) -> float:
        return float(count * Fraction(self.settings.month_days) / max(1, days))


def _headline(summary: Results) -> str:
    """Return what was earned and left of it, and who is served at a loss."""
    sums, customers = summary["compared"], numbered(summary["customers"], "customer")
    text = (f"{customers} paid {money(sums['revenue'])} in {numbered(summary['days'], 'day')} and cost "
            f"{money(sums['cost'])}")
    text += (": too many calls have no price to tell the margin" if sums["margin"] is None else "" if
             sums["margin_percent"] is None else f": a margin of {percent(sums['margin_percent'] / 100)}")
    losses = summary["unprofitable_customers"]
    return text + (f"; {numbered(losses, 'customer')} served at a loss cost {money(summary['lost_monthly'])} a month."
                   if losses else "; no customer is served at a loss." if sums["margin"] is not None else ".")


def _dearest(sums: Dict[str, Economics]) -> List[str]:
    return sorted(sums, key=lambda name: (-sums[name].cost_nano, name))


def _trend(rollup: Rollup) -> Optional[Results]:
    """Return the last period beside the one before it, each by itself; None where the log is too short for two."""
    pair = periods(rollup)
    if pair is None:
        return None

    def of(period: Period) -> Results:
        sums = combined(one.economics for one in book_of(rollup, period.days).accounts)
        return {"first": period.first, "last": period.last, **economics_row(sums)}

    now, before = of(pair.current), of(pair.previous)
    return {"current": now, "previous": before, "rule": TREND_RULE, **{
        f"{name}_change": _risen(now[name], before[name]) for name in ("revenue", "cost", "margin")}}


def _rolling(rollup: Rollup) -> List[Results]:
    """Return the periods, as long as the last one and by the same rule, that end with each week, counted from its end.

    None where the log is too short for two.
    """
    pair = periods(rollup)
    return [{"day": days[-1], "first_day": days[0], **economics_row(sums)}
            for days, sums in (rolling(rollup, len(pair.current.days), WEEK) if pair else ())]


def _risen(now: Optional[Decimal], before: Optional[Decimal]) -> Optional[float]:
    """Return the relative change; None where one is unknown, or there was nothing to grow from."""
    return change(float(now), float(before)) if now is not None and before is not None and before > 0 else None


def class_of(economics: Economics) -> str:
    """Return the class of a margin; `unknown` where too many calls are unpriced to tell."""
    margin, share = economics.margin_nano, economics.margin_share
    if margin is None:
        return "unknown"
    if margin < 0:
        return "unprofitable"
    # Without revenue and without cost there is nothing to be proud of.
    share = share or 0.0
    return "high" if share >= HIGH_MARGIN else "medium" if share >= MEDIUM_MARGIN else "low"


def _customer_month(account: Account) -> Dict[str, Any]:
    return {"customer": account.customer, "month": account.month, "tier": account.tier,
            "archetype": account.archetype, "tier_price": usd(account.price_nano),
            "active_days": account.economics.days, "calendar_days": account.calendar_days,
            **economics_row(account.economics), "class": class_of(account.economics)}


def _table(name: str, accounts: Sequence[Account]) -> List[Dict[str, Any]]:
    """Return sums by one attribute of accounts; a customer that changed counts in each value it had."""
    customers: Dict[str, Set[str]] = {}
    for one in accounts:
        customers.setdefault(getattr(one, name), set()).add(one.customer)
    return [{name: key, "customers": len(customers[key]), **economics_row(sums)}
            for key, sums in grouped(accounts, lambda one: getattr(one, name)).items()]


def _classes(sums: Dict[str, Economics]) -> List[Dict[str, Any]]:
    members: Dict[str, List[Economics]] = {name: [] for name in CLASSES}
    for one in sums.values():
        members[class_of(one)].append(one)
    return [{"class": name, "customers": len(ones), **economics_row(combined(ones))} for name, ones in members.items()]


def _break_even(rollup: Rollup) -> List[Dict[str, Any]]:
    """Return the use at which each tier's price equals cost, at the mean cost of the tier's priced calls."""
    rows = []
    for (tier, price_text), used in rollup.by("tier", "tier_price"):
        price, priced = int(price_text), used.calls - used.unpriced
        spent = used.cost_nano
        rows.append({
            "tier": tier, "tier_price": usd(price), "calls": used.calls, "unpriced": used.unpriced,
            "cost_per_call": each(spent, priced),
            "tokens_per_call": used.tokens / used.calls if used.calls else None,
            # None: nothing that was priced costs anything, so no amount of use eats the price up.
            "break_even_calls": price * priced // spent if spent else None,
            "break_even_tokens": price * priced * used.tokens // (spent * used.calls) if spent else None})
    return rows


def _losses(book: Book, last: Dict[str, Account], sums: Dict[str, Economics]) -> List[Loss]:
    """Return the unprofitable customers, the largest loss first."""
    months: Dict[str, List[bool]] = {}
    active: Dict[str, Fraction] = {}
    for one in book.accounts:
        months.setdefault(one.customer, []).append(class_of(one.economics) == "unprofitable")
        part = Fraction(one.economics.days, one.calendar_days)
        active[one.customer] = active.get(one.customer, Fraction(0)) + part
    losses = [Loss(last[name], one, sum(months[name]), len(months[name]), active[name])
              for name, one in sums.items() if class_of(one) == "unprofitable"]
    return sorted(losses, key=lambda loss: (-loss.nano, loss.last.customer))


def _recommendations(rows: Sequence[Dict[str, Any]], days: int) -> List[Recommendation]:
    """Return one for each of the largest losses and one for all others, so that no loss is counted twice.

    A customer whose last price would have paid its whole cost needs none any more.
    """
    rows = [row for row in rows if not row["already_repriced"]]
    named = [Recommendation(_remedy(row), row["lost_monthly"], _evidence(row), _confidence(row))
             for row in rows[:NAMED]]
    rest = rows[NAMED:]
    if rest:
        named.append(Recommendation(
            f"Reprice or cap the other {len(rest)} unprofitable customers", sum(_column(rest, "lost_monthly")),
            f"Together they paid ${sum(_column(rest, 'revenue')):,.2f} and cost ${sum(_column(rest, 'cost')):,.2f} "
            f"in the log's {days} whole days; they are listed with a price and a cap each.", MEDIUM))
    return named


def _remedy(row: Dict[str, Any]) -> str:
    cap = f"or cap it at {row['cap_calls_monthly']:,} calls a month"
    if row["covering_tier_price"] is not None:
        return (f"Move {row['customer']} from {row['tier']} to the plan at ${row['covering_tier_price']:,} a month, "
                f"{cap}")
    return f"Reprice {row['customer']} ({row['tier']}) to at least ${row['break_even_price']:,} a month, {cap}"


def _evidence(row: Dict[str, Any]) -> str:
    return (f"It paid ${row['revenue']:,.2f} for {row['active_days']} active days and cost ${row['cost']:,.2f} on "
            f"them; {row['months_lost']} of its {row['months']} months made a loss.")


def _confidence(row: Dict[str, Any]) -> str:
    if row["active_days"] < LEAST_DAYS or 2 * row["months_lost"] < row["months"]:
        return LOW
    return HIGH if row["months_lost"] == row["months"] else MEDIUM


def _column(rows: Iterable[Dict[str, Any]], name: str) -> List[Any]:
    return [row[name] for row in rows]


def _median(values: Sequence[Decimal]) -> Optional[Decimal]:
    return statistics.median(values) if values else None
