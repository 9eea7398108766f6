"""What stands around the cost service: amounts as text, ranges of days, CSV files, and trends.

Days are inclusive at both ends, and today is handed in.
"""
from __future__ import annotations

import calendar
import csv
import io
import re
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, List, Mapping, NamedTuple, Optional, Sequence, Tuple, Union

from analyzers.common import LONGEST_PERIOD, median
from analyzers.wording import money
from aws.charges import EXACT, exact_sum
from blocks import in_currency
from calls.values import guarded_cell
from errors import UsageError
from generators.files import write_whole

Range = Tuple[date, date]
LAG_DAYS = 2  # today and yesterday: AWS fills a day in over one to two days
UNKNOWN = "unknown"
STEADY = 0.03  # of the level: a smaller change between two windows is none
RISING, FALLING, LEVEL = "rising", "falling", "steady"
_NAMED = re.compile(r"last-(\d{1,4})-(days|months)", re.ASCII)
RANGES = ("this-month", "last-month", "this-year", "last-N-days", "last-N-months")


class Trend(NamedTuple):
    """Where a daily series is heading.

    `change` is the relative change from a window of `days` to the one after it, of equal length; `slope` the median
    rise in a day (Theil and Sen), in the currency. All are None, and the direction is unknown, with too few days.
    """

    direction: str = UNKNOWN
    days: int = 0
    before: Optional[Decimal] = None
    now: Optional[Decimal] = None
    change: Optional[float] = None
    slope: Optional[Decimal] = None


def format_currency(amount: Optional[Decimal], currency: str = "USD") -> str:
    """Return an amount for people: $1,234.56, with two digits that are not 0 for tiny ones; None is unknown."""
    if amount is None:
        return UNKNOWN
    with in_currency(currency):
        return money(amount)


def get_date_range(name: str, today: date) -> Range:
    """Return the days that a name stands for; days and months in the past end yesterday and with the last month.

    `name` is one of `RANGES`, with a number for N. Raises `UsageError` for any other.
    """
    month = today.replace(day=1)
    if name == "this-month":
        return month, today
    if name == "this-year":
        return today.replace(month=1, day=1), today
    if name == "last-month":
        return add_months(month, -1), month - timedelta(days=1)
    match = _NAMED.fullmatch(name)
    if not match or not int(match.group(1)):
        raise UsageError(f"{name!r} is no range of days; there are: {', '.join(RANGES)}")
    count = int(match.group(1))
    if match.group(2) == "days":
        return today - timedelta(days=count), today - timedelta(days=1)
    return add_months(month, -count), month - timedelta(days=1)


def add_months(day: date, months: int) -> date:
    """Return the same day so many months later, or the last one of a month that is shorter."""
    place = day.year * 12 + day.month - 1 + months
    year, month = divmod(place, 12)
    if not 1 <= year <= 9999:
        raise UsageError(f"{months} months from {day} is outside the calendar")
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def month_end(day: date) -> date:
    """Return the last day of a day's month."""
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])


def validate_date_range(first: date, last: date, held: Range) -> Range:
    """Return the days of a range that a source tells of; `UsageError` when it has none, or they are the wrong way."""
    if first > last:
        raise UsageError(f"the range begins on {first}, behind its end on {last}: swap --from and --to")
    if first > held[1] or last < held[0]:
        raise UsageError(f"the source has nothing from {first} to {last}: it tells of {held[0]} to {held[1]}")
    return max(first, held[0]), min(last, held[1])


def days_of(first: date, last: date) -> List[date]:
    """Return all days of a range."""
    return [first + timedelta(days=place) for place in range((last - first).days + 1)]


def complete_until(today: date, last: date) -> date:
    """Return the last day that AWS has wholly told of, of a source that ends on `last`."""
    return min(last, today - timedelta(days=LAG_DAYS))


def calculate_cost_trend(values: Sequence[Decimal]) -> Trend:
    """Return where costs of complete days (oldest first, without holes) are heading.

    Two windows of equal length are compared, whole weeks where there is one, at most 30 days each: a part of a month
    is never held against a whole one. Rising and falling need a change that is worth the name, and a slope that agrees.
    """
    length = min(LONGEST_PERIOD, len(values) // 2)
    length -= length % 7 if 7 <= length < LONGEST_PERIOD else 0
    if length < 2:
        return Trend()
    now, before = exact_sum(values[-length:]), exact_sum(values[-2 * length:-length])
    slope = _slope(values[-2 * length:])
    change = float(Fraction(now - before) / Fraction(before)) if before > 0 else None
    direction = UNKNOWN if change is None else LEVEL
    if change is not None and abs(change) >= STEADY and (slope > 0) == (change > 0):
        direction = RISING if change > 0 else FALLING
    return Trend(direction, length, before, now, change, Decimal(str(round(slope, 6))))


def _slope(values: Sequence[Decimal]) -> float:
    known = [float(value) for value in values]
    return median([(known[late] - known[early]) / (late - early)
                   for late in range(len(known)) for early in range(late)])


def ratio(part: Optional[Decimal], whole: Optional[Decimal]) -> Optional[float]:
    """Return a part's share of a whole; None where either is unknown, or there is no whole."""
    return float(part / whole) if part is not None and whole else None


def monthly_amount(cost: Decimal, days: int, month_days: float) -> Decimal:
    """Return what a cost over so many days comes to in a month, rounded to the cent."""
    return (cost * Decimal(str(month_days)) / max(1, days)).quantize(Decimal("0.01"))


def minus(whole: Decimal, part: Decimal) -> Decimal:
    """Return an exact difference."""
    return EXACT.subtract(whole, part)


def as_csv(rows: Sequence[Mapping[str, Any]], columns: Optional[Sequence[str]] = None) -> str:
    """Return rows as CSV by RFC 4180, without any line before the header; unknown is empty.

    Amounts have all their digits. A text that a spreadsheet would take for a formula gets an apostrophe.
    """
    names = list(columns) if columns else list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([guarded_cell(name) for name in names])
    writer.writerows([_cell(row.get(name)) for name in names] for row in rows)
    return text.getvalue()


def export_to_csv(rows: Sequence[Mapping[str, Any]], path: Union[str, Path],
                  columns: Optional[Sequence[str]] = None) -> int:
    """Write rows to a CSV file, replaced as a whole; returns how many. Raises `LogError` when it cannot be written."""
    write_whole(Path(path), as_csv(rows, columns))
    return len(rows)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, Mapping):
        value = "; ".join(f"{name}={one}" for name, one in value.items())
    elif isinstance(value, (list, tuple)):
        value = ", ".join(map(str, value))
    return guarded_cell(str(value))

