"""Latency histograms: mergeable counts by bucket, and the percentiles read off them."""
from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from itertools import accumulate
from typing import Dict, Mapping, Tuple

from rollup.packing import bucket_latency, latency_bucket


class Histogram:
    """How many calls took how long; percentiles are nearest-rank, exact below 128 ms, within 0.8 % above."""

    def __init__(self, counts: Mapping[int, int]) -> None:
        """Take counts by bucket (see `rollup.packing.latency_bucket`)."""
        self.counts = counts
        self._buckets = sorted(counts)
        self._passed = list(accumulate(map(counts.__getitem__, self._buckets)))
        self.calls = self._passed[-1] if self._passed else 0

    def percentile(self, percent: float) -> float:
        """Return the latency in milliseconds that so many percent of calls do not exceed; 0.0 without calls."""
        if not self.calls:
            return 0.0
        rank = max(1, math.ceil(self.calls * percent / 100))
        return bucket_latency(self._buckets[bisect_left(self._passed, rank)])

    @property
    def maximum(self) -> float:
        """Return the longest latency in milliseconds; 0.0 without calls."""
        return bucket_latency(self._buckets[-1]) if self._buckets else 0.0

    def share_within(self, milliseconds: int) -> float:
        """Return the share of calls that took at most so long; 0.0 without calls."""
        place = bisect_right(self._buckets, latency_bucket(milliseconds))
        return self._passed[place - 1] / self.calls if place else 0.0


def add_counts(sums: Dict[Tuple[str, ...], Dict[int, int]], key: Tuple[str, ...], counts: Mapping[int, int]) -> None:
    """Add counts by bucket to those of a key."""
    held = sums.get(key)
    if held is None:
        sums[key] = dict(counts)
        return
    for bucket, count in counts.items():
        held[bucket] = held.get(bucket, 0) + count
