"""The cells of a cost export: nulls, amounts, moments and maps, in every spelling that exports have."""
from __future__ import annotations

import json
import re
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any, Optional, Tuple

from aws.charges import ZERO, Pairs
from errors import RecordError

NULLS = frozenset(("", "NULL", "null", "None"))
_AMOUNT = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?\Z")
_MOST_WHOLE_DIGITS, _MOST_PLACES = 18, 30  # sums of a trillion such amounts still have fewer digits than are exact
_MOMENT = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.\d+)?)?)?(?:Z|[+-]00:?00|[+ ]UTC)?\Z",
                     re.ASCII)
_GUARDED = re.compile(r"'[=+\-@\t\r]")
_NO_MAP = (("", ""),)
_DAY = timedelta(1)


def read_text(text: str) -> str:
    """Return a cell's text: '' where it is null; an apostrophe that keeps it from being a formula is taken off."""
    if text in NULLS:
        return ""
    return text[1:] if text[0] == "'" and _GUARDED.match(text) else text


def read_amount(text: str, column: str) -> Optional[Decimal]:
    """Return an amount exactly, None where the cell is null; raises `RecordError` for what is none."""
    if text in NULLS:
        return None
    if not _AMOUNT.match(text):
        raise RecordError(column, f"{text[:40]!r} is no number", "is no number")
    amount = Decimal(text)
    if not amount:
        return ZERO
    if amount.adjusted() >= _MOST_WHOLE_DIGITS or -amount.as_tuple().exponent > _MOST_PLACES:  # type: ignore[operator]
        raise RecordError(column, f"{text[:40]!r} has more digits than any bill", "has more digits than any bill")
    return amount


@lru_cache(maxsize=4096)
def read_days(start: str, end: str, column: str) -> Tuple[date, date]:
    """Return the first day of a charge and the day behind its last; without an end it is for one day.

    Raises `RecordError` for a start that is missing or no moment, and for an end before it.
    """
    first, _ = _moment(start, column)
    if end in NULLS:
        return first, first + _DAY
    last, exact = _moment(end, column)
    behind = max(last if exact else last + _DAY, first + _DAY)
    if last < first:
        raise RecordError(column, f"{start[:40]} comes after its end", "comes after its end")
    return first, behind


def _moment(text: str, column: str) -> Tuple[date, bool]:
    """Return the day of a moment, and whether it is that day's very beginning."""
    found = _MOMENT.match(text)
    try:
        if not found:
            raise ValueError
        year, month, day, *time = found.groups()
        return date(int(year), int(month), int(day)), not any(int(one or 0) for one in time)
    except (ValueError, OverflowError):
        raise RecordError(column, f"{text[:40]!r} is no date", "is no date") from None


@lru_cache(maxsize=4096)
def read_map(text: str) -> Optional[Pairs]:
    """Return the keys and values of a JSON object, sorted; None where a text is none."""
    text = read_text(text)
    if not text:
        return ()
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    return tuple(sorted((key, _as_text(value)) for key, value in found.items()))


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
