"""Text to exact values and back: money in nano-dollars, whole counts, times in milliseconds since 1970 UTC.

Python's own `int` and `float` accept more than a log may hold (underscores, other scripts' digits, `inf`), so
every number passes a pattern first. Each reader raises ValueError with the reason alone.
"""
from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from decimal import ROUND_HALF_EVEN, Decimal

NANO_PER_USD = 1_000_000_000
MAX_DIGITS = 12  # of a count, and before the point of an amount: no sum over a log leaves the range of its field
_COUNT = re.compile(r"\d{1,12}", re.ASCII)
_AMOUNT = re.compile(r"(\d{1,12})(?:\.(\d{1,9}))?", re.ASCII)
_NUMBER = re.compile(r"[+-]?\d{1,40}(?:\.\d{1,40})?(?:[eE][+-]?\d{1,3})?", re.ASCII)
_TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?\s?(Z|z|[+-]\d\d:?\d\d)?)?", re.ASCII)
_EPOCH = datetime(1970, 1, 1)
_MILLISECOND = timedelta(milliseconds=1)
_FIRST_MS, _LAST_MS = (datetime.min - _EPOCH) // _MILLISECOND, (datetime.max - _EPOCH) // _MILLISECOND
_ONE_NANO = Decimal("1e-9")


class BadValue(ValueError):
    """A text that is no value: `kind` says what is wrong without the text, for counting faults by reason."""

    def __init__(self, text: str, kind: str) -> None:
        """Put the text (shortened when long) before the kind to make the message."""
        super().__init__(f"{_shown(text)} {kind}" if text else kind)
        self.kind = kind


def parse_count(text: str) -> int:
    """Read a whole number of at least 0."""
    if _COUNT.fullmatch(text):
        return int(text)
    number = _plain_number(text)
    if number < 0:
        raise BadValue(text, "is negative")
    if number != int(number):
        raise BadValue(text, "is not a whole number")
    if number >= 10 ** MAX_DIGITS:
        raise BadValue(text, "is too large")
    return int(number)


def parse_nano(text: str) -> int:
    """Read an amount of dollars of at least 0 as nano-dollars; more than 9 decimals are rounded half to even."""
    plain = _AMOUNT.fullmatch(text)
    if plain:
        return int(plain.group(1)) * NANO_PER_USD + int((plain.group(2) or "").ljust(9, "0"))
    amount = _plain_number(text)
    if amount < 0:
        raise BadValue(text, "is negative")
    if amount >= 10 ** MAX_DIGITS:
        raise BadValue(text, "is too large")
    return int(amount.quantize(_ONE_NANO, ROUND_HALF_EVEN) * NANO_PER_USD)


def format_nano(nano: int) -> str:
    """Write nano-dollars as a plain decimal of dollars with all nine places; negative amounts keep their sign."""
    dollars, rest = divmod(abs(nano), NANO_PER_USD)
    return f"{'-' if nano < 0 else ''}{dollars}.{rest:09d}"


def parse_timestamp(text: str) -> int:
    """Read an ISO 8601 time as milliseconds since 1970 in UTC; a naive time is UTC, an offset is honoured."""
    match = _TIME.fullmatch(text)
    if not match:
        raise BadValue(text, "is not an ISO 8601 time such as 2026-01-31T12:00:00.000Z")
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    try:
        moment = datetime(int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0))
    except ValueError as error:
        raise BadValue(text, f"is no possible time: {error}") from None
    milliseconds = (moment - _EPOCH) // _MILLISECOND + int((fraction or "")[:3].ljust(3, "0"))
    milliseconds -= _offset_minutes(zone) * 60_000
    if not _FIRST_MS <= milliseconds <= _LAST_MS:
        raise BadValue(text, "is no possible time: in UTC it is outside the years 1 to 9999")
    return milliseconds


CALLS_END_MS = (datetime(2100, 1, 1) - _EPOCH) // _MILLISECOND


def parse_call_time(text: str) -> int:
    """Read the time of a call like `parse_timestamp`, from 1970 to 2099.

    What is compared day by day would otherwise fill a calendar of ages for one row of a clock that ran away.
    """
    milliseconds = parse_timestamp(text)
    if milliseconds < 0:
        raise BadValue(text, "is before 1970")
    if milliseconds >= CALLS_END_MS:
        raise BadValue(text, "is after 2099")
    return milliseconds


def format_timestamp(milliseconds: int) -> str:
    """Write milliseconds since 1970 as ISO 8601 UTC with milliseconds and Z."""
    return (_EPOCH + milliseconds * _MILLISECOND).isoformat(timespec="milliseconds") + "Z"


def milliseconds_of(moment: datetime) -> int:
    """Return an aware datetime as milliseconds since 1970 in UTC; a naive one is taken as UTC."""
    aware = moment.astimezone(timezone.utc).replace(tzinfo=None) if moment.tzinfo else moment
    return (aware - _EPOCH) // _MILLISECOND


def _offset_minutes(zone: str) -> int:
    if not zone or zone in "Zz":
        return 0
    minutes = int(zone[1:3]) * 60 + int(zone[-2:])
    if minutes >= 24 * 60 or int(zone[-2:]) > 59:
        raise BadValue(zone, "is no possible offset from UTC")
    return -minutes if zone[0] == "-" else minutes


def _plain_number(text: str) -> Decimal:
    if not text:
        raise BadValue("", "is empty")
    if not _NUMBER.fullmatch(text):
        raise BadValue(text, "is not a plain number")
    return Decimal(text)


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:37] + "...")


def guarded_cell(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula: one that begins like one gets an apostrophe."""
    return "'" + text if text[:1] in ("=", "+", "-", "@", "\t", "\r") and text else text
