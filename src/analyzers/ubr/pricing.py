"""Pricing Strategy: other price plans replayed over the months that customers really had.

A replay assumes that nobody changes use or leaves because of the price; results say what use as it was would pay.
"""
from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

from analyzers.base import LOW, MEDIUM, REVENUE, Analyzer, Recommendation, Results
from analyzers.common import monthly, quantile, ratio, usd
from analyzers.pages import pricing as described
from analyzers.revenue import (
    Account,
    Book,
    Economics,
    book_row,
    combined,
    economics_row,
    grouped,
    nothing_to_compare,
    open_book,
    prorated,
    target_margin,
)
from analyzers.wording import money, numbered, percent
from rollup.rollup import Rollup

SAME_BILL = 0.01  # of today's bill: a smaller change counts as none
BILL_SHOCK = 0.25  # of today's bill: a larger rise makes customers think again
MOST_SHOCKED = 0.1  # of customers: a plan that shocks more is not recommended
MOST_FROM_ONE = 0.5  # of a plan's gain: when one customer pays more of it, the gain hangs on that one
TOP = 10  # largest rises and falls named
CENT = 10_000_000  # nano-dollars: a price a month is whole cents
RATE_STEP = 100_000  # nano-dollars: a price per million tokens has four decimals
MILLION = 1_000_000


class Plan(NamedTuple):
    """A price plan: how its parameters came from the data, the parameters, and each account's bill in nano-dollars.

    `prices` are the parameters that are prices, in nano-dollars; all bills grow in proportion to them.
    """

    id: str
    title: str
    how: str
    prices: Dict[str, int]
    limits: Dict[str, int]
    bills: Sequence[int]


class PricingAnalyzer(Analyzer):
    """Flat, usage-based, tiered and hybrid plans against today's prices, customer by customer."""

    id = "pricing"
    title = "Pricing Strategy"
    description = "What other price plans would have earned, who would pay more, and the price that reaches a margin"
    category = REVENUE
    rank = 7
    shares = "accounts"
    page = described.PAGE

    def examine(self, rollup: Rollup) -> Results:
        """Return the plans with revenue, margin and bills, all customers' bills, and a recommendation.

        `recommended` is the row of the plan that earns most, today's where none earns more; None without a plan.
        """
        book, target = open_book(rollup), target_margin(self.settings)
        plans = _plans(book.accounts, target)
        today = plans[0] if plans else None
        bills = {plan.id: _by_customer(book.accounts, plan.bills) for plan in plans}
        rows = [self._plan(plan, book, bills, target) for plan in plans]
        best = _best(rows)
        return {
            "headline": _headline(rows, best) if best else nothing_to_compare(book),
            "summary": {**book_row(book), "target_margin_percent": float(100 * target),
                        "recommended_plan": best["plan"] if best else None,
                        "assumption": "Use stays as it was, and nobody leaves because of the price."},
            "plans": rows,
            "recommended": best,
            "customers": self._customers(book, bills) if today else [],
            "recommendations": self._recommendations(rows, best, book),
        }

    def _plan(self, plan: Plan, book: Book, bills: Dict[str, Dict[str, int]], target: Fraction) -> Dict[str, Any]:
        """Return one plan's row; dollars a month are over the whole log, so that they add up."""
        used = grouped(book.accounts, lambda one: one.customer)
        billed = {name: one._replace(revenue_nano=bills[plan.id][name]) for name, one in used.items()}
        losses = [-one.margin_nano for one in billed.values() if one.margin_nano is not None and one.margin_nano < 0]
        return {"plan": plan.id, "title": plan.title, "how": plan.how,
                "prices": {name: usd(nano) for name, nano in plan.prices.items()}, "limits": plan.limits,
                **economics_row(combined(billed.values())),
                "monthly_revenue": self._monthly(sum(plan.bills), book),
                "unprofitable_customers": len(losses), "lost_monthly": self._monthly(sum(losses), book),
                **self._movement(bills["today"], bills[plan.id], book),
                "target": _target(plan, combined(used.values()), target)}

    def _movement(self, today: Dict[str, int], bills: Dict[str, int], book: Book) -> Dict[str, Any]:
        """Return who pays more or less than today, and how much a month."""
        changes = sorted((bills[name] - today[name], name) for name in today)
        more = [(nano, name) for nano, name in reversed(changes) if nano > SAME_BILL * today[name]]
        less = [(nano, name) for nano, name in changes if -nano > SAME_BILL * today[name]]
        shocked = sum(nano > BILL_SHOCK * today[name] for nano, name in more)
        return {"change_monthly": self._monthly(sum(nano for nano, _ in changes), book),
                "paying_more": self._side(more, today, bills, book),
                "paying_less": self._side(less, today, bills, book),
                "paying_same": {"customers": len(today) - len(more) - len(less)},
                "shocked_share": ratio(shocked, len(today))}

    def _side(self, moved: Sequence[Tuple[int, str]], today: Dict[str, int], bills: Dict[str, int],
              book: Book) -> Dict[str, Any]:
        largest = [{"customer": name, "today_monthly": self._monthly(today[name], book),
                    "bill_monthly": self._monthly(bills[name], book), "change_monthly": self._monthly(nano, book)}
                   for nano, name in moved[:TOP]]
        return {"customers": len(moved), "change_monthly": self._monthly(sum(nano for nano, _ in moved), book),
                "largest": largest}

    def _customers(self, book: Book, bills: Dict[str, Dict[str, int]]) -> List[Dict[str, Any]]:
        """Return each customer's cost and bill under every plan over the log, the dearest customer first."""
        used = grouped(book.accounts, lambda one: one.customer)
        return [{"customer": name, "cost": usd(one.cost_nano), "unpriced": one.unpriced, "tokens": one.tokens,
                 **{plan: usd(billed[name]) for plan, billed in bills.items()}}
                for name, one in sorted(used.items(), key=lambda item: (-item[1].cost_nano, item[0]))]

    def _recommendations(self, rows: Sequence[Dict[str, Any]], best: Optional[Dict[str, Any]],
                         book: Book) -> List[Recommendation]:
        """Return at most one: plans exclude each other, so their gains must not be added."""
        if best is None:
            return []
        now, more = rows[0], best["paying_more"]
        if best is now:
            return _raise_today(now, len(book.days))
        gain = best["change_monthly"]
        top = more["largest"][0] if more["largest"] else None
        spread = top is not None and top["change_monthly"] <= gain * Decimal(MOST_FROM_ONE)
        months = len({one.month for one in book.accounts})
        evidence = (f"Replayed over {numbered(months, 'calendar month')} it earns ${best['monthly_revenue']:,} a month "
                    f"instead of ${now['monthly_revenue']:,}; "
                    f"{numbered(more['customers'], 'customer pays', 'customers pay')} more, "
                    f"{_so_many(best['paying_less']['customers'])} less, and {best['unprofitable_customers']} instead "
                    f"of {now['unprofitable_customers']} make a loss.")
        if top:
            evidence += f" {top['customer']} alone pays ${top['change_monthly']:,} a month more."
        return [Recommendation(f"Introduce the plan \"{best['title']}\"", gain, evidence,
                               MEDIUM if spread and months > 1 else LOW)]

    def _monthly(self, nano: int, book: Book) -> Decimal:
        return monthly(nano, len(book.days), self.settings.month_days)


def _plans(accounts: Sequence[Account], target: Fraction) -> List[Plan]:
    """Return today's prices and the plans that the data allow: those by use need a cost that is known."""
    if not accounts:
        return []
    today, rate = _today(accounts), _token_rate(accounts, target)
    by_use = [_usage(accounts, rate), _hybrid(accounts, rate)] if rate else []
    return [today, _flat(accounts), *by_use[:1], _tiered(accounts), *by_use[1:]]


def _today(accounts: Sequence[Account]) -> Plan:
    return Plan("today", "Today's prices", "the tier prices in the log", _tier_prices(accounts), {},
                [one.economics.revenue_nano for one in accounts])


def _flat(accounts: Sequence[Account]) -> Plan:
    months = sum((Fraction(one.economics.days, one.calendar_days) for one in accounts), Fraction(0))
    price = _stepped(sum(one.economics.revenue_nano for one in accounts) / months, CENT)
    return Plan("flat", "One price for all", "today's revenue / months of activity, to the cent",
                {"monthly_price": price}, {},
                [prorated(price, one.economics.days, one.calendar_days) for one in accounts])


def _usage(accounts: Sequence[Account], rate: int) -> Plan:
    return Plan("usage_based", "Pay per token",
                "mean cost per million tokens / (1 - target margin), to a hundredth of a cent",
                {"per_million_tokens": rate}, {}, [_metered(one, rate) for one in accounts])


def _tiered(accounts: Sequence[Account]) -> Plan:
    """Return bands of use at today's price points, each as large as the share of months sold at that price."""
    prices = sorted({one.price_nano for one in accounts})
    used = [float(_full_month_tokens(one)) for one in accounts]
    limits, below = [], 0
    for price in prices[:-1]:
        below += sum(one.price_nano == price for one in accounts)
        limits.append(int(quantile(used, below / len(accounts))))
    bills = []
    for one in accounts:
        band = sum(_full_month_tokens(one) > limit for limit in limits)
        bills.append(prorated(prices[band], one.economics.days, one.calendar_days))
    return Plan("tiered", "Bands of use",
                "today's price points; a band holds as many customer-months, by tokens, as are sold at its price now",
                {f"band_{number}": price for number, price in enumerate(prices, 1)},
                {f"band_{number}_up_to_tokens": limit for number, limit in enumerate(limits, 1)}, bills)


def _hybrid(accounts: Sequence[Account], rate: int) -> Plan:
    """Return the tier price as a commitment that use is charged against: the higher of price and metered use."""
    prices = _tier_prices(accounts)
    included = {f"{name}_included_tokens": price * MILLION // rate for name, price in prices.items()}
    return Plan("hybrid", "Tokens included, more by use",
                "tier prices include the tokens they pay for at the rate of pay per token; further tokens at that rate",
                {**prices, "per_million_tokens": rate}, included,
                [max(one.economics.revenue_nano, _metered(one, rate)) for one in accounts])


def _tier_prices(accounts: Sequence[Account]) -> Dict[str, int]:
    """Return the monthly prices by tier; a tier that was sold at several prices has each named with its amount."""
    found = {(one.price_nano, one.tier) for one in accounts}
    tiers = [tier for _, tier in found]
    return {tier if tiers.count(tier) == 1 else f"{tier}_at_{usd(price)}": price for price, tier in sorted(found)}


def _token_rate(accounts: Sequence[Account], target: Fraction) -> Optional[int]:
    """Return nano-dollars per million tokens that leave the target margin on mean cost; None when it is unknown.

    Unpriced calls are taken to have as many tokens as the others.
    """
    sums = combined(one.economics for one in accounts)
    priced = sums.calls - sums.unpriced
    if not (sums.cost_known and sums.cost_nano and sums.tokens):
        return None
    cost = Fraction(sums.cost_nano * sums.calls * MILLION, priced * sums.tokens)
    return max(RATE_STEP, _stepped(cost / (1 - target), RATE_STEP))


def _metered(account: Account, rate: int) -> int:
    return round(Fraction(account.economics.tokens * rate, MILLION))


def _full_month_tokens(account: Account) -> Fraction:
    return Fraction(account.economics.tokens * account.calendar_days, account.economics.days)


def _stepped(amount: Fraction, step: int) -> int:
    return round(amount / step) * step


def _by_customer(accounts: Sequence[Account], bills: Sequence[int]) -> Dict[str, int]:
    sums: Dict[str, int] = {}
    for account, bill in zip(accounts, bills):
        sums[account.customer] = sums.get(account.customer, 0) + bill
    return sums


def _target(plan: Plan, used: Economics, target: Fraction) -> Optional[Dict[str, Any]]:
    """Return what to multiply a plan's prices by to reach the target margin, and the prices; None if unknown."""
    if not (used.cost_known and used.cost_nano and sum(plan.bills)):
        return None
    factor = used.cost_nano / (1 - target) / sum(plan.bills)
    prices = {}
    for name, price in plan.prices.items():
        step = RATE_STEP if name == "per_million_tokens" else CENT
        # Rounded up, for a price rounded down would miss the target.
        prices[name] = usd(-(-price * factor // step) * step)
    return {"factor": float(factor), "prices": prices}


def _best(rows: Sequence[Dict[str, Any]]) -> Optional[Dict[str, Any]]:
    """Return the plan that earns most of those that earn no less than today, lose no more, and shock few."""
    fitting = [row for row in rows if row["plan"] == "today" or (
        row["change_monthly"] > 0 and row["lost_monthly"] <= rows[0]["lost_monthly"]
        and (row["shocked_share"] or 0) <= MOST_SHOCKED)]
    return max(fitting, key=lambda row: Decimal(row["revenue"])) if fitting else None


def _so_many(customers: int) -> str:
    return f"{customers:,}" if customers else "nobody"


def _headline(rows: Sequence[Dict[str, Any]], best: Dict[str, Any]) -> str:
    """Return whether another plan would earn more than today's prices."""
    now = rows[0]
    earned = f"Today's prices earn {money(now['monthly_revenue'])} a month"
    if best is not now:
        return (f"{earned}; the plan \"{best['title']}\" would earn {money(best['change_monthly'])} more if use stays "
                f"as it is: {numbered(best['paying_more']['customers'], 'customer')} would pay more, "
                f"{_so_many(best['paying_less']['customers'])} less.")
    target = now["target"]
    short = "" if target is None or target["factor"] <= 1 else (
        f", and {percent(target['factor'] - 1)} more would reach the target margin")
    return f"{earned}; none of {numbered(len(rows) - 1, 'other plan')} earns more without raising many bills{short}."


def _raise_today(now: Dict[str, Any], days: int) -> List[Recommendation]:
    """Return the rise that reaches the target margin, where today's prices miss it and no plan does better."""
    target = now["target"]
    if target is None or target["factor"] <= 1:
        return []
    gain = (now["monthly_revenue"] * Decimal(target["factor"] - 1)).quantize(Decimal("0.01"))
    margin = f"{now['margin_percent']:.1f} %" if now["margin_percent"] is not None else "an unknown share"
    return [Recommendation(
        f"Raise today's prices by {100 * (target['factor'] - 1):.1f} %", gain,
        f"They leave {margin} of ${now['monthly_revenue']:,} a month over {days} whole days, below the target; none "
        f"of the plans earns more without raising many bills by over {100 * BILL_SHOCK:.0f} %.", LOW)]
