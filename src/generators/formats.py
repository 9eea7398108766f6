"""How values are written for people: one rule a kind, and the kind that a name tells.

`assets/formats.js` follows the same rules for the rows that a page draws later; a test holds both against each other.
"""
from __future__ import annotations

import math
import re
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any, Optional, Tuple

import blocks as b

UNKNOWN = "unknown"
NUMERIC = frozenset((b.MONEY, b.MONEY_CHANGE, b.COUNT, b.COMPACT, b.SHARE, b.CHANGE, b.PERCENT, b.NUMBER,
                     b.MILLISECONDS, b.BYTES))
_NOISE = Decimal("0.00005")  # dollars; a change below is what rounding left over, not a change
_SLIGHT = Decimal("0.05")  # percent; a change below is none that a reader would act on
_MINUS = "\u2212"
_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,9})?\s*", re.ASCII)
_FURTHEST = 300
_ROOMY = Context(prec=1000)
_COMPACT = ((10 ** 12, " T"), (10 ** 9, " B"), (10 ** 6, " M"), (10 ** 3, " K"))
_BYTES = ((10 ** 9, " GB"), (10 ** 6, " MB"), (10 ** 3, " KB"))

# The first pattern that is found in a name tells its kind.
_BY_NAME: Tuple[Tuple["re.Pattern[str]", str], ...] = tuple((re.compile(pattern), kind) for pattern, kind in (
    (r"(^|_)(severity|confidence|class|standing|quadrant|state|kind)$", b.BADGE),
    (r"_percent$", b.PERCENT),
    (r"(^|_)(difference|over|overrun)$", b.MONEY_CHANGE),
    (r"(^|_)(change|growth)$", b.CHANGE),
    (r"(^|_)(share|coverage|used|utilization|retention|idle)($|_)|(^|_)rate$", b.SHARE),
    (r"_ms$|^latency$", b.MILLISECONDS),
    (r"(^|_)bytes$", b.BYTES),
    (r"(^|_)unpriced|calls|customers$|_score$|^score$|factor|ratio|index", b.COUNT),
    (r"(^|_)(tokens_per_dollar)$", b.COMPACT),
    (r"usd|cost|revenue|margin|price|saving|saved|budget|spent|charged|loss|dollars|amount|monthly"
     r"|(^|_)(direct|shared|unattributed)$", b.MONEY),
    (r"tokens", b.COMPACT),
    (r"(^|_)(first|last|time|generated_at)$", b.TIME),
    (r"(^|_)(day|first_day|last_day|first_active|last_active)$", b.DAY)))


def kind_of(name: str, value: Any = None) -> str:
    """Return the kind that a name (and a value under it) tells."""
    if isinstance(value, bool):
        return b.YES_NO
    named = next((kind for pattern, kind in _BY_NAME if pattern.search(name)), "")
    if named in (b.TIME, b.DAY, b.BADGE):
        return named if isinstance(value, str) or value is None else b.COUNT
    if value is not None and number(value) is None:
        return b.TEXT
    if named:
        return named
    if isinstance(value, int):
        return b.COUNT
    return b.NUMBER if isinstance(value, float) else b.TEXT  # a decimal in memory is a text in its JSON


def words(name: str) -> str:
    """Return a name as words, the first with a capital: `p95_ms` as "P95", `by_provider` as "By provider"."""
    text = re.sub(r"_(ms|percent|usd)$", "", name).replace("_", " ")
    return text[:1].upper() + text[1:]


def number(value: Any) -> Optional[Decimal]:
    """Return a number as exact decimal, also one that is written as text; None for anything else.

    A number whose first digit stands `_FURTHEST` places from the point or further is no figure that people read.
    """
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, (int, Decimal)) and not _NUMBER.fullmatch(str(value)):
        return None
    exact = Decimal(value if isinstance(value, (int, Decimal)) else str(value))
    return exact if exact.is_finite() and abs(exact.adjusted()) < _FURTHEST else None


def show(value: Any, kind: str = b.TEXT) -> str:
    """Return a value as text for people; None is "unknown", never 0."""
    if value is None:
        return UNKNOWN
    if kind == b.YES_NO or isinstance(value, bool):
        return "yes" if value else "no"
    if kind == b.TIME:
        text = str(value)[:16].replace("T", " ")
        return text + (":00" if len(text) == 13 else "") + (" UTC" if len(text) > 10 else "")
    exact = number(value) if kind in NUMERIC else None
    return _plain(value) if exact is None else _numeric(exact, kind)


def full(value: Any, kind: str) -> str:
    """Return the value with all its digits where `show` leaves some out, else an empty text."""
    exact = number(value) if kind in NUMERIC else None
    if exact is None:
        return ""
    if kind in (b.SHARE, b.CHANGE):
        return ""
    whole = f"{exact:,f}"
    return whole if kind in (b.COMPACT, b.BYTES) and abs(exact) >= 1000 or kind in (b.MONEY, b.MONEY_CHANGE) else ""


def _numeric(exact: Decimal, kind: str) -> str:
    if kind in (b.MONEY, b.MONEY_CHANGE):
        noise = kind == b.MONEY_CHANGE and abs(exact) < _NOISE
        return _signed(exact, b.SIGN.get() + _dollars(Decimal(0) if noise else abs(exact)), kind == b.MONEY_CHANGE)
    if kind in (b.SHARE, b.CHANGE, b.PERCENT):
        percent = exact if kind == b.PERCENT else exact * 100
        percent = Decimal(0) if kind == b.CHANGE and abs(percent) < _SLIGHT else percent
        return _signed(percent, _percent(abs(percent)) + " %", kind == b.CHANGE)
    if kind == b.MILLISECONDS:
        return _signed(exact, _duration(abs(exact)))
    if kind in (b.COMPACT, b.BYTES):
        return _signed(exact, _scaled(abs(exact), kind))
    if kind == b.COUNT and exact == exact.to_integral_value():
        return _signed(exact, f"{abs(exact):,.0f}")
    return _signed(exact, _significant(abs(exact), 3))


def _signed(exact: Decimal, text: str, plus: bool = False) -> str:
    zero = not any(digit in "123456789" for digit in text)
    return text if zero else (_MINUS if exact < 0 else "+" if plus else "") + text


def _rounded(exact: Decimal, places: int) -> str:
    return f"{exact.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP, _ROOMY):,f}"


def _significant(exact: Decimal, digits: int) -> str:
    """Round to so many digits, but never whole digits away; zeros at the end of a fraction go."""
    if not exact:
        return "0"
    text = _rounded(exact, min(12, max(0, digits - 1 - exact.adjusted())))
    return text.rstrip("0").rstrip(".") if "." in text else text


def _dollars(exact: Decimal) -> str:
    """Two places; below half a cent, two digits that are not 0."""
    return _rounded(exact, 2) if not exact or exact >= Decimal("0.005") else _significant(exact, 2)


def _percent(exact: Decimal) -> str:
    return _rounded(exact, 1) if exact >= 1 or not exact else _significant(exact, 2)


def _duration(exact: Decimal) -> str:
    return _rounded(exact, 0) + " ms" if exact < 1000 else _rounded(exact / 1000, 1) + " s"


def _scaled(exact: Decimal, kind: str) -> str:
    for size, unit in _BYTES if kind == b.BYTES else _COMPACT:
        if exact >= size - size / Decimal(20_000):  # what would round to 1,000.0 of the smaller unit is 1.0 of this one
            return _rounded(exact / size, 1) + unit
    return (_rounded(exact, 0) if exact == exact.to_integral_value() else _significant(exact, 3)) + (
        " B" if kind == b.BYTES else "")


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return "; ".join(f"{words(str(name))}: {_plain(one)}" for name, one in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_plain, value))
    if isinstance(value, float) and not math.isfinite(value):
        return UNKNOWN
    return UNKNOWN if value is None else str(value)
