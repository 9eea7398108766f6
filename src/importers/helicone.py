"""Helicone's requests: rows of its table request_response_rmt, as CSV or JSON."""
from __future__ import annotations

from typing import Optional, Union

from calls.record import SUCCESS, AICall
from calls.values import parse_count, parse_nano
from catalog.usage import Usage
from importers.base import Importer, Skipped
from importers.fields import FAILED, count_of, moment, nano_of, plain, status_of_code, value_of, word_of
from importers.reading import Row, dig, head_fields

_NEGATIVE = {"-1", "-2", "-3", "-4"}  # Helicone's own codes where no provider answered


class HeliconeImporter(Importer):
    """One request a call. The table counts fresh and cached tokens apart, and costs in billionths of a dollar."""

    id = "helicone"
    title = "Helicone request table"
    description = "request_response_rmt as CSV or JSON; customers are user_id, organisations organization_id"
    columns = ("request_id", "request_created_at", "model", "status", "prompt_tokens", "completion_tokens")
    own = {"customer_id": "user_id", "organization_id": "organization_id", "provider": "provider", "model": "model"}

    @classmethod
    def recognises(cls, head: bytes) -> bool:
        """Tell the format by its columns."""
        return set(cls.columns) <= head_fields(head)

    def read(self, row: Row) -> Union[AICall, Skipped]:
        """Return the call of a request; one that Helicone's own cache answered cost nothing."""
        code = word_of(row, "status")
        cached = plain(dig(row, "cached")).lower() in ("1", "true")
        status = FAILED if code in _NEGATIVE else status_of_code(value_of(row, "status", parse_count))
        usage = Usage(
            value_of(row, "prompt_tokens", parse_count, 0),
            value_of(row, "completion_tokens", parse_count, 0) + count_of(row, "reasoning_tokens"),
            count_of(row, "prompt_cache_read_tokens"), count_of(row, "prompt_cache_write_tokens"))
        if status == SUCCESS and not plain(row.get("prompt_tokens")) + plain(row.get("completion_tokens")):
            self.notes["calls have no token counts, which read 0"] += 1
        return self.filled(row, word_of(row, "request_id"), value_of(row, "request_created_at", moment), usage, status,
                           value_of(row, "latency", parse_count, None), given=0 if cached else self._cost(row),
                           free=cached)

    def _cost(self, row: Row) -> Optional[int]:
        text = plain(row.get("cost"))
        if not text or not text.isdigit():
            return nano_of(row, "cost")
        self.notes["costs are whole numbers, which Helicone's table holds in billionths of a dollar"] += 1
        return value_of(row, "cost", parse_nano) // 1_000_000_000
