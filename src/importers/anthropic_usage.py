"""Anthropic's usage report: the answers of /v1/organizations/usage_report/messages."""
from __future__ import annotations

from typing import Union

from calls.record import AICall
from calls.values import parse_count
from catalog.usage import Usage
from importers.base import Skipped
from importers.buckets import BucketImporter
from importers.fields import count_of, moment, plain, value_of
from importers.reading import Row, head_fields

_LONGER = {"0-200k": False, "200k-1m": True}
_GLOBAL = ("", "global", "not_available")


class AnthropicUsageImporter(BucketImporter):
    """One row a bucket's result. Fresh, read and written tokens are counted apart, writes by how long they are kept."""

    id = "anthropic_usage"
    title = "Anthropic usage report"
    description = "JSON pages of organizations/usage_report/messages; customers by --customer-from, as workspace_id"
    begins = "starting_at"
    own = {"product_id": "workspace_id", "provider": "provider", "model": "model"}

    @classmethod
    def recognises(cls, head: bytes) -> bool:
        """Tell the format by the names of a result."""
        return {"starting_at", "results", "uncached_input_tokens", "output_tokens"} <= head_fields(head)

    def result(self, bucket: Row, row: Row) -> Union[AICall, Skipped]:
        """Return the row of a result; its time is the bucket's beginning."""
        written, written_1h = (
            count_of(row, f"cache_creation.ephemeral_{kept}_input_tokens")
            + count_of(row, f"cache_creation_{kept}_input_tokens") for kept in ("5m", "1h"))
        usage = Usage(value_of(row, "uncached_input_tokens", parse_count), value_of(row, "output_tokens", parse_count),
                      count_of(row, "cache_read_input_tokens"), written, written_1h)
        searches = count_of(row, "server_tool_use.web_search_requests")
        if searches:
            self.notes["web searches are not in the costs: they are charged beside tokens"] += searches
        return self.summed(
            bucket, {"provider": "anthropic", **row}, value_of(bucket, self.begins, moment), usage,
            batch=_word(row, "service_tier") == "batch", longer=_LONGER.get(_word(row, "context_window")),
            unpriced=unpriced_reason(row))


def unpriced_reason(row: Row) -> str:
    """Return why the prices of the catalogue are not those of such usage; empty where they are."""
    if _word(row, "service_tier") not in ("", "standard", "batch"):
        return "their service tier has other prices than the catalogue's"
    if _word(row, "inference_geo") not in _GLOBAL or _word(row, "speed") not in ("", "standard"):
        return "their place or speed of inference has other prices than the catalogue's"
    return ""


def _word(row: Row, name: str) -> str:
    return plain(row.get(name)).lower()
