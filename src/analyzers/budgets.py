"""Budget against actual: a month's budget shared out over owners, and held against the same days' cost."""
from __future__ import annotations

import calendar
from decimal import Decimal
from fractions import Fraction
from itertools import groupby
from typing import Dict, List, Mapping, NamedTuple, Optional, Sequence

from analyzers.common import split
from calls.values import NANO_PER_USD

DERIVED_GROWTH = Fraction(11, 10)  # of the month before: the budget where none is set


class Month(NamedTuple):
    """A calendar month of a log: how many of its days are whole in the log, and each owner's cost on them."""

    month: str
    days: int
    calendar_days: int
    cost_nano: Mapping[str, int]

    @property
    def whole(self) -> bool:
        """Tell whether the log has all of it."""
        return self.days == self.calendar_days

    @property
    def total_nano(self) -> int:
        """Return the cost of all owners."""
        return sum(self.cost_nano.values())


class Budget(NamedTuple):
    """A month's budget in nano-dollars, in all and by owner, and for as many days as the log has of the month.

    `basis` is the whole month it was split by, and derived from when `derived`; without one no owner has a share.
    """

    month: Month
    basis: Optional[Month]
    derived: bool
    total_nano: int
    owners_nano: Optional[Dict[str, int]]

    def to_date(self, nano: int) -> int:
        """Return the part of a month's budget that falls on the days that the log has, half to even."""
        return round(Fraction(nano * self.month.days, self.month.calendar_days))


def months_of(days: Sequence[str], costs: Mapping[str, Mapping[str, int]]) -> List[Month]:
    """Return the months that whole days, in their order, fall in; `costs` are nano-dollars by day and owner."""
    months = []
    for month, inside in groupby(days, key=lambda day: day[:7]):
        within, sums = list(inside), {}  # type: List[str], Dict[str, int]
        for day in within:
            for owner, nano in costs.get(day, {}).items():
                sums[owner] = sums.get(owner, 0) + nano
        months.append(Month(month, len(within), calendar.monthrange(int(month[:4]), int(month[5:7]))[1], sums))
    return months


def budget_of(months: Sequence[Month], monthly_usd: float) -> Optional[Budget]:
    """Return the last month's budget; None where none is set and no whole month before could give one.

    It is split by the last whole month before the budget's own month; a budget that is set but has no such month
    is split by its own month when that is whole, and not at all otherwise, nor by a month that cost nothing.
    """
    if not months:
        return None
    current, derived = months[-1], monthly_usd <= 0
    before = [one for one in months[:-1] if one.whole]
    basis = before[-1] if before else current if current.whole and not derived else None
    if derived and basis is None:
        return None
    total = (round(basis.total_nano * DERIVED_GROWTH) if derived and basis
             else int(Decimal(str(monthly_usd)) * NANO_PER_USD))
    owners = None
    if basis and basis.total_nano:
        names = sorted(basis.cost_nano)
        owners = dict(zip(names, split(total, [basis.cost_nano[name] for name in names])))
    return Budget(current, basis, derived, total, owners)
