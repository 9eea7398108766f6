"""OpenAI's usage report: the answers of /v1/organization/usage/completions."""
from __future__ import annotations

from typing import Union

from calls.record import AICall
from calls.values import parse_count
from importers.base import Skipped
from importers.buckets import BucketImporter
from importers.fields import count_of, parts_of, plain, seconds_ms, value_of
from importers.reading import Row, head_fields

_OTHER_TOKENS = ("input_audio_tokens", "input_cached_audio_tokens", "output_audio_tokens", "input_image_tokens",
                 "input_cached_image_tokens", "output_image_tokens")
_LONGER_KEPT = "input_cache_write_12h_tokens"


class OpenAIUsageImporter(BucketImporter):
    """One row a bucket's result. Input includes cached tokens, those written to the cache, audio and images."""

    id = "openai_usage"
    title = "OpenAI usage report"
    description = "JSON pages of organization/usage/completions; customers are user_id, products project_id"
    begins = "start_time"
    own = {"customer_id": "user_id", "product_id": "project_id", "provider": "provider", "model": "model"}

    @classmethod
    def recognises(cls, head: bytes) -> bool:
        """Tell the format by the names of a result."""
        return {"start_time", "results", "num_model_requests", "input_tokens"} <= head_fields(head)

    def result(self, bucket: Row, row: Row) -> Union[AICall, Skipped]:
        """Return the row of a result; its time is the bucket's beginning."""
        usage = parts_of(value_of(row, "input_tokens", parse_count), count_of(row, "input_cached_tokens"),
                         count_of(row, "input_cache_write_tokens"), value_of(row, "output_tokens", parse_count),
                         count_of(row, _LONGER_KEPT))
        unpriced = ""
        if any(count_of(row, name) for name in _OTHER_TOKENS):
            unpriced = "they hold audio or image tokens, whose prices the catalogue does not have"
        elif usage.cache_write_1h:
            unpriced = "they hold cache writes of 12 hours, whose prices the catalogue does not have"
        elif plain(row.get("service_tier")).lower() not in ("", "default", "auto", "standard"):
            unpriced = "their service tier has other prices than the catalogue's"
        return self.summed(bucket, {"provider": "openai", **row}, value_of(bucket, self.begins, seconds_ms),
                           usage, batch=row.get("batch") is True, unpriced=unpriced)
