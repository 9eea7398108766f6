"""The call record: one LLM call as the 19 fields of the log, read, checked and written."""
from __future__ import annotations

from decimal import Decimal
from typing import Any, Callable, List, NamedTuple, Optional, Sequence

from calls.values import BadValue, format_nano, format_timestamp, parse_call_time, parse_count, parse_nano
from errors import RecordError

FIELDS = ("call_id", "timestamp", "customer_id", "organization_id", "product_id", "feature_id", "provider", "model",
          "input_tokens", "output_tokens", "total_tokens", "cost_usd", "latency_ms", "status", "environment", "region",
          "subscription_tier", "tier_price_usd", "customer_archetype")
HEADER = ",".join(FIELDS)
SUCCESS, TIMEOUT, RATE_LIMIT, AUTH_ERROR, SERVER_ERROR = STATUSES = (
    "success", "timeout", "rate_limit", "auth_error", "server_error")
REFUSED = frozenset({RATE_LIMIT, AUTH_ERROR, SERVER_ERROR})


class AICall(NamedTuple):
    """One call. Times are milliseconds since 1970 UTC, amounts whole nano-dollars, latency whole milliseconds.

    None stands for what is unknown, an empty text in the log: a cost whose price nobody knew, a latency that nobody
    measured. It is never counted as zero.
    """

    call_id: str
    timestamp_ms: int
    customer_id: str
    organization_id: str
    product_id: str
    feature_id: str
    provider: str
    model: str
    input_tokens: int
    output_tokens: int
    total_tokens: int
    cost_nano: Optional[int]
    latency_ms: Optional[int]
    status: str
    environment: str
    region: str
    subscription_tier: str
    tier_price_nano: int
    customer_archetype: str

    @classmethod
    def from_row(cls, row: Sequence[str]) -> AICall:
        """Read the 19 texts of a row in the order of `FIELDS`; raises `RecordError` naming the first bad field."""
        if len(row) != len(FIELDS):
            raise RecordError("row", f"has {len(row)} fields instead of {len(FIELDS)}")
        values: List[Any] = []
        for field, text, read in zip(FIELDS, row, _READERS):
            try:
                values.append(read(text))
            except BadValue as error:
                raise RecordError(field, str(error), error.kind) from None
        call = cls(*values)
        if call.total_tokens != call.input_tokens + call.output_tokens:
            raise RecordError("total_tokens", f"{call.total_tokens} is not {call.input_tokens} input "
                                              f"+ {call.output_tokens} output tokens", "is not input + output")
        return call

    def to_row(self) -> List[str]:
        """Write the call as the 19 texts of its row."""
        values = list(map(str, self))
        values[1] = format_timestamp(self.timestamp_ms)
        values[11] = "" if self.cost_nano is None else format_nano(self.cost_nano)
        values[12] = "" if self.latency_ms is None else str(self.latency_ms)
        values[17] = plain_amount(self.tier_price_nano)
        return values

    def faults(self) -> List[str]:
        """Return what breaks the rules for calls that this toolkit writes; imported calls may differ."""
        found = []
        if self.status not in STATUSES:
            found.append(f"status: {self.status!r} is none of {', '.join(STATUSES)}")
        if self.status in REFUSED and (self.output_tokens or self.cost_nano):
            found.append(f"status: a call refused with {self.status} has output tokens or a cost")
        if self.status == TIMEOUT and self.output_tokens:
            found.append("status: a call that timed out has output tokens")
        return found


def plain_amount(nano: int) -> str:
    """Write nano-dollars as the shortest plain decimal: 29 dollars are `29`, not `29.000000000`."""
    return format(Decimal(format_nano(nano)).normalize(), "f")


def _text(text: str) -> str:
    if not text.strip():
        raise BadValue("", "is empty")
    return text


def _cost(text: str) -> Optional[int]:
    return parse_nano(text) if text else None


def _latency(text: str) -> Optional[int]:
    return parse_count(text) if text else None


_READERS: List[Callable[[str], object]] = [_text] * len(FIELDS)
for _field, _reader in (("timestamp", parse_call_time), ("input_tokens", parse_count), ("output_tokens", parse_count),
                        ("total_tokens", parse_count), ("cost_usd", _cost), ("latency_ms", _latency),
                        ("tier_price_usd", parse_nano)):
    _READERS[FIELDS.index(_field)] = _reader
