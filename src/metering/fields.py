"""Reading the values of a document that somebody sent: each fault is named with its field, none is passed over."""
from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any, Callable, Dict, Mapping, Optional, TypeVar

from calls.values import BadValue, parse_call_time, parse_count, parse_nano
from errors import FinOpsError

MOST_TEXT = 200  # characters of a name or id
_MOST_DIGITS = 60  # of a JSON number; Python's own reader takes time with the square of an integer's length
# Characters that end a line for one program or another, or that UTF-8 cannot write.
_UNFIT = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
Value = TypeVar("Value")


class InvalidCall(FinOpsError):
    """What was sent is no call: `fields` says for each field what is wrong with it."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        """Hold the reasons by field."""
        super().__init__(fields)
        self.fields = dict(fields)

    def __str__(self) -> str:
        """Return all reasons as one line."""
        return "; ".join(f"{name} {reason}" for name, reason in self.fields.items())


class Fields:
    """Reads values by name; what is wrong with them is collected until `check`."""

    def __init__(self, values: Mapping[str, Any], prefix: str = "") -> None:
        """`prefix` stands before the names in reasons, for an object within another."""
        self._values = values
        self._prefix = prefix
        self.faults: Dict[str, str] = {}

    def text(self, *names: str, needed: bool = False) -> Optional[str]:
        """Return the first of some texts that is there and not blank; None when none is, a fault when `needed`."""
        for name in names:
            text = self._read(name, _plain_text)
            if text:
                return text
        if needed and names[0] not in self.faults:
            self._fault(names[0], "is missing")
        return None

    def count(self, *names: str, needed: bool = False) -> Optional[int]:
        """Return the first of some whole numbers that is there."""
        return self._first(names, _whole, needed)

    def amount(self, *names: str) -> Optional[int]:
        """Return the first of some amounts of dollars that is there, in nano-dollars."""
        return self._first(names, _nano)

    def factor(self, name: str) -> Optional[Decimal]:
        """Return a number of at least 0."""
        return self._read(name, _factor)

    def time(self, name: str, needed: bool = False) -> Optional[int]:
        """Return an ISO 8601 time in milliseconds since 1970 UTC."""
        return self._first((name,), _time, needed)

    def flag(self, name: str) -> Optional[bool]:
        """Return true or false."""
        return self._read(name, _flag)

    def choice(self, name: str, choices: Mapping[str, Value], needed: bool = False) -> Optional[Value]:
        """Return what stands for a text that is one of some."""
        text = self.text(name, needed=needed)
        if text is not None and text not in choices:
            self._fault(name, f"is none of {', '.join(choices)}")
        return choices.get(text or "")

    def inner(self, name: str) -> Fields:
        """Return the reader of an object within this one; its faults are collected here."""
        value = self._values.get(name)
        if value is not None and not isinstance(value, dict):
            self._fault(name, "is no object")
        found = Fields(value if isinstance(value, dict) else {}, f"{self._prefix}{name}.")
        found.faults = self.faults
        return found

    def check(self) -> None:
        """Raise `InvalidCall` when anything was wrong."""
        if self.faults:
            raise InvalidCall(self.faults)

    def _first(self, names: Any, read: Callable[[Any], Value], needed: bool = False) -> Optional[Value]:
        for name in names:
            value = self._read(name, read)
            if value is not None or self._prefix + name in self.faults:
                return value
        if needed:
            self._fault(names[0], "is missing")
        return None

    def _read(self, name: str, read: Callable[[Any], Value]) -> Optional[Value]:
        value = self._values.get(name)
        if value is None:
            return None
        try:
            return read(value)
        except BadValue as error:
            self._fault(name, str(error))
            return None

    def _fault(self, name: str, reason: str) -> None:
        self.faults.setdefault(self._prefix + name, reason)


def read_json(body: bytes) -> Any:
    """Read JSON with exact numbers; raises ValueError for what is none, or holds a number that no call can have."""
    try:
        return json.loads(body.decode("utf-8"), parse_float=_decimal, parse_int=_integer, parse_constant=_refused)
    except (ValueError, RecursionError) as error:
        raise ValueError("the body is not JSON in UTF-8" if isinstance(error, (UnicodeDecodeError, RecursionError))
                         else f"the body is not JSON: {error}") from None


def _plain_text(value: Any) -> str:
    if not isinstance(value, str):
        raise BadValue("", "is no text")
    if _UNFIT.search(value):
        raise BadValue("", "holds a control character")
    if len(value) > MOST_TEXT:
        raise BadValue("", f"is longer than {MOST_TEXT} characters")
    return value.strip()


def _whole(value: Any) -> int:
    return parse_count(_number(value))


def _nano(value: Any) -> int:
    return parse_nano(value if isinstance(value, str) else _number(value))


def _factor(value: Any) -> Decimal:
    number = Decimal(_number(value))
    if not 0 <= number <= 1000:
        raise BadValue(str(number), "is not between 0 and 1000")
    return number


def _number(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        raise BadValue("", "is no number")
    return str(value)


def _time(value: Any) -> int:
    if not isinstance(value, str):
        raise BadValue("", "is no text with a time")
    return parse_call_time(value.strip())


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise BadValue("", "is neither true nor false")
    return value


def _decimal(text: str) -> Decimal:
    if len(text) > _MOST_DIGITS:
        raise ValueError(f"a number has more than {_MOST_DIGITS} digits")
    return Decimal(text)


def _integer(text: str) -> int:
    if len(text) > _MOST_DIGITS:
        raise ValueError(f"a number has more than {_MOST_DIGITS} digits")
    return int(text)


def _refused(name: str) -> Any:
    raise ValueError(f"{name} is no number of JSON")
