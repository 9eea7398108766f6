"""Axes: round ticks with their texts, ticks of time, and how wide a text is."""
from __future__ import annotations

import datetime
import math
import re
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Iterator, List, NamedTuple, Optional, Sequence, Tuple

import blocks as b

ELLIPSIS = "\u2026"
MINUS = "\u2212"
_STEPS = (Decimal(1), Decimal(2), Decimal("2.5"), Decimal(5), Decimal(10))
_UNITS = tuple((Decimal(10) ** power, unit) for power, unit in ((12, " T"), (9, " B"), (6, " M"), (3, " K")))
_BYTE_UNITS = tuple((Decimal(10) ** power, unit) for power, unit in ((9, " GB"), (6, " MB"), (3, " KB"), (0, " B")))
_SCALED_FROM = 10_000  # smaller numbers are short enough as they are
_TIME = re.compile(r"(\d{4})-(\d\d)(?:-(\d\d)(?:[T ](\d\d)(?::(\d\d)(?::(\d\d))?)?)?)?")
_HOURS, _DAYS = (1 / 60, 1 / 12, 1 / 4, 1 / 2, 1, 2, 3, 6, 12), (1, 2, 7, 14)
_MONTHS = (1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200, 6000, 24000)
_MONTH_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
# Widths at 12 px of the widest of the usual system fonts; what is not listed is taken as wide.
_WIDTHS = {letter: width for letters, width in (
    ("ijl.,:;'|!I ", 3.8), ("frt()[]/-\\\"`", 4.9), ("abcdeghknopqsuvxyz_*+~=0123456789?$#<>^J", 7.4),
    ("ABCDEFGHKLNOPQRSTUVXYZ&", 8.8), ("mwMW%@", 11.0)) for letter in letters}


class Tick(NamedTuple):
    """A mark of an axis: where it stands in the axis's values, and what it says."""

    at: float
    text: str


def nice_ticks(low: Decimal, high: Decimal, most: int = 5, whole: bool = False) -> List[Decimal]:
    """Return at most `most` round numbers, evenly apart, that enclose low to high; `whole` allows no fractions."""
    if low == high:
        low, high = (min(low, Decimal(0)), max(high, Decimal(0))) if low else (Decimal(0), Decimal(1))
    wanted = (high - low) / (most - 1)
    power = wanted.adjusted()
    for factor in _STEPS + (Decimal(20), Decimal(25), Decimal(50)):
        step = factor.scaleb(power)
        if whole and step != step.to_integral_value():
            continue
        first = (low / step).to_integral_value(ROUND_FLOOR)
        last = (high / step).to_integral_value(ROUND_CEILING)
        if last - first < most:
            return [(first + index) * step for index in range(int(last - first) + 1)]
    return [Decimal(math.floor(low)), Decimal(math.ceil(high))]  # whole numbers between which there is no round one


def tick_texts(ticks: Sequence[Decimal], kind: str) -> List[str]:
    """Return short texts for ticks, all in the one unit that suits the largest."""
    largest = max(map(abs, ticks))
    prefix = b.SIGN.get() if kind in (b.MONEY, b.MONEY_CHANGE) else ""
    size, unit = _unit(largest, kind)
    scaled = [tick / size for tick in ticks]
    cents = bool(prefix) and any(one != one.to_integral_value() for one in scaled) and \
        all(one == one.quantize(Decimal("0.01")) for one in scaled)
    return [(MINUS if one < 0 else "") + prefix + (f"{abs(one):,.2f}" if cents and one else _digits(abs(one))) +
            (unit if one or kind in (b.SHARE, b.CHANGE, b.PERCENT) else "") for one in scaled]


def _unit(largest: Decimal, kind: str) -> Tuple[Decimal, str]:
    if kind in (b.SHARE, b.CHANGE):
        return Decimal("0.01"), " %"
    if kind == b.PERCENT:
        return Decimal(1), " %"
    if kind == b.MILLISECONDS:
        return (Decimal(1000), " s") if largest >= 1000 else (Decimal(1), " ms")
    if kind == b.BYTES:
        return next((one for one in _BYTE_UNITS if largest >= one[0]), _BYTE_UNITS[-1])
    if largest >= _SCALED_FROM:
        return next(one for one in _UNITS if largest >= one[0])
    return Decimal(1), ""


def _digits(value: Decimal) -> str:
    return f"{value.normalize():,f}"


def logarithmic_ticks(low: Decimal, high: Decimal, most: int = 6) -> List[Decimal]:
    """Return 1, 2, 5 times powers of ten (powers alone, where those are too many) that enclose numbers above 0."""
    for factors in ((1, 2, 5), (1,)):
        ladder = [Decimal(factor).scaleb(power) for power in range(low.adjusted(), high.adjusted() + 2)
                  for factor in factors]
        first = max(index for index, step in enumerate(ladder) if step <= low)
        last = max(min(index for index, step in enumerate(ladder) if step >= high), first + 1)
        if last - first < most:
            return ladder[first:last + 1]
    every = -(-(last - first) // (most - 1))
    return [ladder[first].scaleb(every * index) for index in range(-(-(last - first) // every) + 1)]


def moment(label: str) -> Optional[float]:
    """Return a month, day or time as days since the year 1, or None for any other text."""
    match = _TIME.match(label)
    if match is None or not re.fullmatch(r"(\.\d+)?(Z|\+00:00| UTC)?", label[match.end():]):
        return None
    year, month, day, hour, minute, second = (int(part) if part else None for part in match.groups())
    try:
        date = datetime.date(year or 0, month or 0, 1 if day is None else day)
    except ValueError:
        return None
    return date.toordinal() + ((hour or 0) * 3600 + (minute or 0) * 60 + (second or 0)) / 86400


def moments(labels: Sequence[str]) -> Optional[List[float]]:
    """Return the moments of all labels when all are times that go forward, else None."""
    found = [moment(label) for label in labels]
    known = [one for one in found if one is not None]
    rising = all(one < later for one, later in zip(known, known[1:]))
    return known if len(known) == len(labels) and len(known) > 1 and rising else None


def time_ticks(first: float, last: float, most: int = 6) -> List[Tick]:
    """Return at most `most` ticks at full hours, days (weeks begin on Monday) or months from first to last (days)."""
    for unit, steps in (("hour", _HOURS), ("day", _DAYS)):
        for step in steps:
            days = step / 24 if unit == "hour" else step
            if (last - first) / days < most:
                begin = math.ceil(round((first - 1) / days, 6))  # day 1 of the year 1 was a Monday
                marks = [1 + index * days for index in range(begin, math.floor(round((last - 1) / days, 6)) + 1)]
                return [Tick(mark, _hour(mark) if unit == "hour" else _day(mark)) for mark in marks]
    for step in _MONTHS:
        ticks = list(_month_ticks(first, last, step))
        if len(ticks) <= most:
            break
    return ticks


def _month_ticks(first: float, last: float, step: int) -> Iterator[Tick]:
    begin, end = _date(first), _date(last)
    for month in range(begin.year * 12 + begin.month - 1, end.year * 12 + end.month):
        mark = datetime.date(month // 12, month % 12 + 1, 1).toordinal()
        if month % step == 0 and first <= mark <= last:
            is_year = month % 12 == 0 and (begin.year != end.year or step >= 12)
            yield Tick(mark, str(month // 12) if is_year else _MONTH_NAMES[month % 12])


def short_time(label: str) -> str:
    """Return a month as "Jan 2026", a day as "31 Jan", an hour as "14:00"; any other text as it is."""
    mark, match = moment(label), _TIME.match(label)
    if mark is None or match is None:
        return label
    if match.group(3) is None:
        return f"{_MONTH_NAMES[_date(mark).month - 1]} {_date(mark).year}"
    return _day(mark) if match.group(4) is None else _hour(mark)


def _date(mark: float) -> datetime.date:
    return datetime.date.fromordinal(int(mark))


def _day(mark: float) -> str:
    return f"{_date(mark).day} {_MONTH_NAMES[_date(mark).month - 1]}"


def _hour(mark: float) -> str:
    minutes = round((mark - int(mark)) * 1440)
    return f"{minutes // 60:02d}:{minutes % 60:02d}" if minutes % 1440 else _day(round(mark))


def text_width(text: str) -> float:
    """Return about how many pixels a text takes at 12 px; rather too many than too few."""
    return sum(_WIDTHS.get(letter, 12.0) for letter in text)


def cut(text: str, width: float) -> str:
    """Return a text, cut with an ellipsis where it would be wider than `width` pixels at 12 px."""
    if text_width(text) <= width:
        return text
    left = width - text_width(ELLIPSIS)
    if left < 0:
        return ""
    for index, letter in enumerate(text):
        left -= text_width(letter)
        if left < 0:
            return text[:index].rstrip() + ELLIPSIS
    return text


def range_of(values: Sequence[Decimal], from_zero: bool = False) -> Tuple[Decimal, Decimal]:
    """Return where an axis begins and ends: with 0, unless all values lie far from it and close together."""
    low, high = min(values), max(values)
    if from_zero or low <= high * Decimal("0.6") or low == high:
        low = min(low, Decimal(0))
    if from_zero or high >= low * Decimal("0.6") or low == high:
        high = max(high, Decimal(0))
    return low, high

