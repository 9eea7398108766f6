"""Exact values out of other tools' records: each reader names the field when its text is no such value."""
from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, Callable, Optional, TypeVar

from calls.record import SUCCESS, TIMEOUT
from calls.values import CALLS_END_MS, MAX_DIGITS, BadValue, parse_call_time, parse_count, parse_nano
from catalog.usage import Usage
from errors import RecordError
from importers.reading import Row, dig

FAILED = "failed"  # a source says that a call failed, and not how
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SHORT_ZONE = re.compile(r"[+-]\d\d\Z", re.ASCII)
_BY_CODE = {401: "auth_error", 403: "auth_error", 408: TIMEOUT, 429: "rate_limit", 504: TIMEOUT, 524: TIMEOUT}
Value = TypeVar("Value")


def value_of(row: Row, name: str, read: Callable[[str], Value], default: Any = ...) -> Value:
    """Return a field read by one of the readers of values; raises `RecordError` naming it.

    An empty one is the default, where there is one.
    """
    text = plain(dig(row, name))
    if not text and default is not ...:
        return default  # type: ignore[no-any-return]
    try:
        return read(text)
    except BadValue as error:
        raise RecordError(name, str(error), error.kind) from None


def count_of(row: Row, name: str) -> int:
    """Return a count that is 0 where the field is missing or empty."""
    return value_of(row, name, parse_count, 0)


def nano_of(row: Row, name: str) -> Optional[int]:
    """Return an amount of dollars in nano-dollars, None where the field is missing or empty."""
    return value_of(row, name, parse_nano, None)


def word_of(row: Row, name: str) -> str:
    """Return a text that must be there; raises `RecordError`."""
    text = plain(dig(row, name))
    if not text:
        raise RecordError(name, "is empty")
    return text


def moment(text: str) -> int:
    """Read a time as databases write it (`+00`, ` UTC`) or ISO 8601, as milliseconds since 1970; raises `BadValue`."""
    text = text[:-4] + "Z" if text.endswith(" UTC") else text
    text = text + ":00" if _SHORT_ZONE.search(text[11:]) else text
    return parse_call_time(text)


def seconds_ms(text: str, since_ms: int = 0) -> int:
    """Read decimal seconds since a moment as milliseconds since 1970; raises `BadValue`."""
    milliseconds = since_ms + parse_nano(text) // 1_000_000  # amounts are read to nine places, and so can seconds be
    if milliseconds >= CALLS_END_MS:
        raise BadValue(text, "is after 2099")
    return milliseconds


def elapsed_ms(row: Row, first: str, last: str) -> Optional[int]:
    """Return the milliseconds between two times of a row; None where one is missing or they are out of order."""
    begin, end = value_of(row, first, moment, None), value_of(row, last, moment, None)
    if begin is None or end is None or end < begin:
        return None
    if end - begin >= 10 ** MAX_DIGITS:
        raise RecordError(last, f"is years behind {first}")
    return end - begin


def status_of_code(code: int) -> str:
    """Return the status of an HTTP answer."""
    if 200 <= code < 400:
        return SUCCESS
    return _BY_CODE.get(code, "server_error" if 500 <= code < 600 else "client_error")


def parts_of(prompt: int, read: int, written: int, output: int, written_1h: int = 0) -> Usage:
    """Return the usage of a source whose prompt tokens include the cached ones; raises `RecordError`."""
    fresh = prompt - read - written - written_1h
    if fresh < 0:
        raise RecordError("row", "has more cached tokens than prompt tokens")
    return Usage(fresh, output, read, written, written_1h)


def plain(value: Any) -> str:
    """Return a value as one line of text, empty for None; numbers without exponents."""
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return format(value, "f") if abs(value.adjusted()) < 40 else str(value)
    text = " ".join(_CONTROL.sub(" ", str(value)).split())
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")  # half a character is none
