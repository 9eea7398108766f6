"""Revenue and cost of each customer in each calendar month: the one place where a price is compared with a cost.

The rule: a customer is active from the first to the last day of its calls in the log, clipped to the log's whole
days (`common.whole_days`); days between without calls count. A day's price is the tier price that most of its calls
carry (of equals the higher), and holds until a later day carries another. A month's revenue is the sum over its
active days of price / days of that calendar month, rounded once, half to even, to whole nano-dollars. Its cost is
that of the same days. Calls on a partial first or last day are left out on both sides and shown as left out.
"""
from __future__ import annotations

import calendar
from bisect import bisect_left
from collections import Counter
from decimal import Decimal
from fractions import Fraction
from itertools import accumulate
from typing import Any, Callable, Dict, Hashable, Iterable, List, NamedTuple, Optional, Sequence, Tuple
from weakref import WeakKeyDictionary

from analyzers.common import add, daily_series, ratio, usd, whole_days
from analyzers.wording import NO_CALLS
from config import Settings
from errors import UsageError
from rollup.cubes import Measures
from rollup.rollup import Rollup

RULE = ("Revenue is the tier price prorated to the days from a customer's first to its last call day in the log, "
        "within the log's whole days; cost is that of the same days.")
NO_WHOLE_DAY = "The log holds no whole day yet, so revenue cannot be compared with cost."
_KEYS = ("day", "customer", "tier", "tier_price", "archetype")
_MONTHS = 28 * 29 * 15 * 31  # a number that the days of every month divide
MAX_UNPRICED_SHARE = 0.05  # of calls: with more of them unpriced a cost is taken for unknown


class Economics(NamedTuple):
    """What was earned and spent on the same days: active days, whole nano-dollars, calls and tokens."""

    days: int = 0
    revenue_nano: int = 0
    cost_nano: int = 0
    calls: int = 0
    unpriced: int = 0
    tokens: int = 0

    @property
    def cost_known(self) -> bool:
        """Tell whether enough calls are priced for the cost to be more than a lower bound."""
        return self.unpriced <= MAX_UNPRICED_SHARE * self.calls

    @property
    def margin_nano(self) -> Optional[int]:
        """Return revenue less cost; None when the cost is unknown, unless what is priced makes a loss already."""
        margin = self.revenue_nano - self.cost_nano
        return margin if self.cost_known or margin < 0 else None

    @property
    def margin_share(self) -> Optional[float]:
        """Return the margin as a share of revenue; None without revenue or without a known margin."""
        return None if self.margin_nano is None else ratio(self.margin_nano, self.revenue_nano)


class Account(NamedTuple):
    """A customer in a calendar month; tier, monthly price and archetype are those of its last active day there."""

    customer: str
    month: str
    tier: str
    price_nano: int
    archetype: str
    calendar_days: int
    economics: Economics


class Book(NamedTuple):
    """All accounts of a log by customer and month, its whole days, and what calls on partial days came to."""

    days: Sequence[str]
    accounts: Sequence[Account]
    left_out: Measures


class _Plan(NamedTuple):
    """What a call says of its customer's plan."""

    tier: str
    price_nano: int
    archetype: str


_Days = Dict[int, Tuple[_Plan, int]]  # by place among the whole days: the plan, and how many calls carried it
_books: WeakKeyDictionary[Rollup, Tuple[Hashable, Book]] = WeakKeyDictionary()


def open_book(rollup: Rollup) -> Book:
    """Return the accounts of a log, worked out once for all analysers that share its rollup."""
    stamp = (rollup.total(), rollup.first_ms, rollup.last_ms)
    kept = _books.get(rollup)
    if kept is None or kept[0] != stamp:
        kept = _books[rollup] = (stamp, _book(rollup, whole_days(rollup)))
    return kept[1]


def book_of(rollup: Rollup, days: Sequence[str]) -> Book:
    """Return the accounts of some days that follow each other, by the rule, as if the log held nothing else.

    So revenue of two spans of equal length compares: in a log as a whole less is seen towards its ends, where a
    customer's first call is still to come, or its next one not yet in the log.
    """
    return _book(rollup, days)


def rolling(rollup: Rollup, length: int, step: int) -> List[Tuple[Sequence[str], Economics]]:
    """Return the sums of spans of `length` whole days, each by itself as in `book_of`, the last ending with the log.

    Each ends `step` days after the one before. Revenue is rounded once a span, not once a customer and month.
    """
    days = whole_days(rollup)
    ends = range(len(days), length - 1, -step) if length else ()
    spans = [(end - length, end) for end in reversed(ends)]
    daily = daily_series(rollup, days)
    found: List[Tuple[Sequence[str], Economics]] = []
    for (first, behind), revenue in zip(spans, _revenues(rollup, days, spans)):
        used = add(daily[first:behind])
        found.append((days[first:behind],
                      Economics(length, revenue, used.cost_nano, used.calls, used.unpriced, used.tokens)))
    return found


def prorated(nano: int, days: int, calendar_days: int) -> int:
    """Return a monthly amount for some of a month's days, rounded half to even."""
    return round(Fraction(nano * days, calendar_days))


def each(nano: int, count: int) -> Optional[Decimal]:
    """Return an amount per piece in dollars, rounded to the nano-dollar; None without pieces."""
    return usd(round(Fraction(nano, count))) if count else None


def combined(parts: Iterable[Economics]) -> Economics:
    """Return the sum; days add up to customer-days."""
    columns = list(zip(*parts))
    return Economics(*map(sum, columns)) if columns else Economics()


def grouped(accounts: Iterable[Account], key: Callable[[Account], Any]) -> Dict[Any, Economics]:
    """Return the sums of accounts by a key, sorted by it."""
    parts: Dict[Any, List[Economics]] = {}
    for account in accounts:
        parts.setdefault(key(account), []).append(account.economics)
    return {name: combined(parts[name]) for name in sorted(parts)}


def latest(accounts: Iterable[Account]) -> Dict[str, Account]:
    """Return each customer's last account."""
    return {account.customer: account for account in accounts}


def economics_row(economics: Economics) -> Dict[str, Any]:
    """Return economics as part of a result row; margins are None where the cost is unknown."""
    margin, share = economics.margin_nano, economics.margin_share
    return {"revenue": usd(economics.revenue_nano), "cost": usd(economics.cost_nano),
            "margin": None if margin is None else usd(margin),
            "margin_percent": None if share is None else 100 * share,
            "calls": economics.calls, "unpriced": economics.unpriced, "tokens": economics.tokens}


def book_row(book: Book) -> Dict[str, Any]:
    """Return what a summary says of a book: the days compared, the sums, the rule, and what is left out."""
    return {"first_day": book.days[0] if book.days else None, "last_day": book.days[-1] if book.days else None,
            "days": len(book.days), "customers": len({one.customer for one in book.accounts}),
            "compared": economics_row(combined(one.economics for one in book.accounts)), "rule": RULE,
            "left_out": {"calls": book.left_out.calls, "cost": usd(book.left_out.cost_nano),
                         "why": "on a partial first or last day"}}


def nothing_to_compare(book: Book) -> str:
    """Return the headline of a report over a book without accounts."""
    return NO_WHOLE_DAY if book.left_out.calls else NO_CALLS


def target_margin(settings: Settings) -> Fraction:
    """Return the margin to aim at as an exact share; one of 100 % or more is a `UsageError`."""
    if settings.target_margin >= 1:
        raise UsageError(f"target_margin: {settings.target_margin} is not below 1; a share such as 0.6 is meant")
    return Fraction(str(settings.target_margin))


def _revenues(rollup: Rollup, days: Sequence[str], spans: Sequence[Tuple[int, int]]) -> List[int]:
    """Return the revenue of spans of places among the days, summed up along each customer's days only once."""
    calendar_days = [calendar.monthrange(int(day[:4]), int(day[5:7]))[1] for day in days]
    parts = [_MONTHS // length for length in calendar_days]  # of a monthly price, that each day earns
    before = [0, *accumulate(parts)]
    sums = [0] * len(spans)
    for plans in _plans(rollup, days).values():
        places = sorted(plans)
        prices = [plans[place][0].price_nano for place in places]
        earned = [0, *accumulate(price * (before[later] - before[place])
                                 for price, place, later in zip(prices, places, places[1:]))]
        for number, (begin, behind) in enumerate(spans):
            first, last = bisect_left(places, begin), bisect_left(places, behind) - 1
            if first <= last:
                sums[number] += earned[last] - earned[first] + prices[last] * parts[places[last]]
    return [round(Fraction(one, _MONTHS)) for one in sums]


def _plans(rollup: Rollup, days: Sequence[str]) -> Dict[str, _Days]:
    """Return the plans of each customer's days with calls."""
    places = {day: place for place, day in enumerate(days)}
    plans: Dict[str, _Days] = {}
    for (day, customer, tier, price, archetype), measures in rollup.by(*_KEYS):
        if day in places:
            _carry(plans.setdefault(customer, {}), places[day], _Plan(tier, int(price), archetype), measures.calls)
    return plans


def _book(rollup: Rollup, days: Sequence[str]) -> Book:
    places = {day: place for place, day in enumerate(days)}
    months = [day[:7] for day in days]
    plans = _plans(rollup, days)
    used: Dict[Tuple[str, str], List[Measures]] = {}
    left_out = []
    for (day, customer, *_), measures in rollup.by(*_KEYS):
        place = places.get(day)
        if place is None:
            left_out.append(measures)
            continue
        used.setdefault((customer, months[place]), []).append(measures)
    accounts = [account for customer in sorted(plans) for account in _accounts(customer, plans[customer], months, used)]
    return Book(days, accounts, Measures(*map(sum, zip(*left_out))))


def _carry(plans: _Days, place: int, plan: _Plan, calls: int) -> None:
    known = plans.get(place)
    if known is None or (calls, plan.price_nano) > (known[1], known[0].price_nano):
        plans[place] = (plan, calls)


def _accounts(customer: str, plans: _Days, months: Sequence[str],
              used: Dict[Tuple[str, str], List[Measures]]) -> List[Account]:
    """Return a customer's accounts, one for each month between its first and its last active day."""
    owed: Dict[str, List[int]] = {}
    ends: Dict[str, _Plan] = {}
    for plan, first, behind in _stretches(plans):
        for month, days in Counter(months[first:behind]).items():
            sums = owed.setdefault(month, [0, 0])
            sums[0] += days
            sums[1] += days * plan.price_nano
            ends[month] = plan
    accounts = []
    for month, (days, numerator) in owed.items():
        calendar_days = calendar.monthrange(int(month[:4]), int(month[5:7]))[1]
        economics = _economics(days, prorated(numerator, 1, calendar_days), used.get((customer, month), []))
        accounts.append(Account(customer, month, *ends[month], calendar_days=calendar_days, economics=economics))
    return accounts


def _stretches(plans: _Days) -> List[Tuple[_Plan, int, int]]:
    """Return stretches of days with one plan: the plan, the first place, and the one behind the last."""
    ordered = sorted(plans)
    stretches = [(plans[ordered[0]][0], ordered[0], ordered[0] + 1)]
    for place in ordered[1:]:
        plan, first, _ = stretches[-1]
        if plans[place][0] == plan:
            stretches[-1] = (plan, first, place + 1)
        else:
            stretches[-1] = (plan, first, place)
            stretches.append((plans[place][0], place, place + 1))
    return stretches


def _economics(days: int, revenue_nano: int, used: Sequence[Measures]) -> Economics:
    return Economics(days, revenue_nano, sum(one.cost_nano for one in used), sum(one.calls for one in used),
                     sum(one.unpriced for one in used), sum(one.tokens for one in used))
