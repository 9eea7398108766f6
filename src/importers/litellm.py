"""LiteLLM's spend logs: the table LiteLLM_SpendLogs as CSV or JSON, or the answer of /spend/logs."""
from __future__ import annotations

from typing import Union

from calls.record import SUCCESS, AICall
from calls.values import parse_count
from catalog.usage import Usage
from importers.base import Importer, Skipped
from importers.fields import (
    FAILED,
    count_of,
    elapsed_ms,
    moment,
    nano_of,
    parts_of,
    plain,
    status_of_code,
    value_of,
    word_of,
)
from importers.reading import Row, dig, head_fields, opened


class LiteLLMImporter(Importer):
    """One spend log a call; the spend is LiteLLM's own, cached tokens stand in `metadata.usage_object`."""

    id = "litellm"
    title = "LiteLLM spend log"
    description = "LiteLLM_SpendLogs as CSV or JSON; customers are end_user, costs LiteLLM's"
    columns = ("request_id", "spend", "prompt_tokens", "completion_tokens", "startTime", "model")
    own = {"customer_id": "end_user", "organization_id": "organization_id", "provider": "custom_llm_provider",
           "model": "model"}

    @classmethod
    def recognises(cls, head: bytes) -> bool:
        """Tell the format by its columns."""
        return set(cls.columns) <= head_fields(head)

    def read(self, row: Row) -> Union[AICall, Skipped]:
        """Return the call of a spend log; prompt tokens include the cached ones."""
        status = _status(row)
        latency = value_of(row, "request_duration_ms", parse_count, None)
        return self.filled(
            row, word_of(row, "request_id"), value_of(row, "startTime", moment), _usage(row), status,
            elapsed_ms(row, "startTime", "endTime") if latency is None else latency,
            given=nano_of(row, "spend"), free=plain(dig(row, "cache_hit")).lower() == "true")


def _usage(row: Row) -> Usage:
    detail = opened(dig(row, "metadata.usage_object"))
    name = "cache_read_input_tokens"
    read = count_of(detail, name) if plain(detail.get(name)) else count_of(
        detail, "prompt_tokens_details.cached_tokens")
    return parts_of(value_of(row, "prompt_tokens", parse_count), read, count_of(detail, "cache_creation_input_tokens"),
                    value_of(row, "completion_tokens", parse_count))


def _status(row: Row) -> str:
    code = plain(dig(row, "metadata.error_information.error_code"))
    if plain(row.get("status")).lower() not in ("failure", "failed", "error"):
        return SUCCESS
    return status_of_code(int(code)) if code.isdigit() and len(code) == 3 else FAILED
