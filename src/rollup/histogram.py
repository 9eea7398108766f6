"""Latency histograms: mergeable counts by bucket, and the percentiles read off them."""
from __future__ import annotations

import math
from typing import Dict, Mapping

from rollup.packing import bucket_latency, latency_bucket


class Histogram:
    """How many calls took how long; percentiles are nearest-rank, exact below 128 ms, within 0.8 % above."""

    def __init__(self, counts: Mapping[int, int]) -> None:
        """Take counts by bucket (see `rollup.packing.latency_bucket`)."""
        self.counts: Dict[int, int] = dict(sorted(counts.items()))
        self.calls = sum(self.counts.values())

    def percentile(self, percent: float) -> float:
        """Return the latency in milliseconds that so many percent of calls do not exceed; 0.0 without calls."""
        rank, passed, latency = math.ceil(self.calls * percent / 100), 0, 0.0
        for bucket, count in self.counts.items():
            passed += count
            latency = bucket_latency(bucket)
            if passed >= max(1, rank):
                break
        return latency

    @property
    def maximum(self) -> float:
        """Return the longest latency in milliseconds; 0.0 without calls."""
        return bucket_latency(max(self.counts)) if self.counts else 0.0

    def share_within(self, milliseconds: int) -> float:
        """Return the share of calls that took at most so long; 0.0 without calls."""
        limit = latency_bucket(milliseconds)
        within = sum(count for bucket, count in self.counts.items() if bucket <= limit)
        return within / self.calls if self.calls else 0.0
