"""Latency histograms, to the digit where their buckets are exact."""
from __future__ import annotations

from collections import Counter, defaultdict
from typing import Dict, List

import pytest
from hypothesis import given, strategies as st

from rollup.histogram import Histogram, add_counts
from rollup.packing import EXACT_MS, bucket_latency, latency_bucket


def test_without_calls_every_answer_is_nought() -> None:
    empty = Histogram({})
    assert (empty.calls, empty.percentile(50), empty.maximum, empty.share_within(100)) == (0, 0.0, 0.0, 0.0)


@pytest.mark.parametrize("percent, rank", [(0, 1), (1, 2), (50, 64), (95, 121), (99, 126), (100, 127)])
def test_a_percentile_is_the_call_of_its_rank(percent: int, rank: int) -> None:
    assert Histogram(dict.fromkeys(range(1, 128), 1)).percentile(percent) == rank


@given(st.lists(st.integers(0, EXACT_MS - 1), min_size=1, max_size=50), st.integers(0, EXACT_MS - 1))
def test_a_share_is_that_of_the_calls_that_took_at_most_so_long(latencies: List[int], limit: int) -> None:
    assert Histogram(Counter(latencies)).share_within(limit) == sum(one <= limit for one in latencies) / len(latencies)


def test_a_share_before_the_first_between_and_behind_the_last_call() -> None:
    histogram = Histogram({10: 1, 20: 2, 30: 5})
    shares = [histogram.share_within(limit) for limit in (9, 10, 19, 20, 29, 30, 31)]
    assert shares == [0, 1 / 8, 1 / 8, 3 / 8, 3 / 8, 1, 1]


def test_what_stands_for_a_bucket_is_the_middle_of_its_latencies() -> None:
    held: Dict[int, List[int]] = defaultdict(list)
    for latency in range(20_000):
        held[latency_bucket(latency)].append(latency)
    del held[max(held)]  # whose latencies go on
    assert {bucket: bucket_latency(bucket) for bucket in held} == {
        bucket: (latencies[0] + latencies[-1]) / 2 for bucket, latencies in held.items()}


def test_counts_are_added_to_those_of_their_key_and_the_given_ones_stay() -> None:
    sums: Dict[tuple, Dict[int, int]] = {}
    given_counts = {1: 2, 5: 1}
    for key in (("a",), ("b",), ("a",)):
        add_counts(sums, key, given_counts)
    add_counts(sums, ("a",), {5: 4, 9: 1})
    assert sums == {("a",): {1: 4, 5: 6, 9: 1}, ("b",): {1: 2, 5: 1}} and given_counts == {1: 2, 5: 1}
