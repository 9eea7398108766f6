"""Latencies and speed of any part of a log."""
from __future__ import annotations

from typing import Dict, Iterable, List, Optional, Tuple

from analyzers.common import ratio
from rollup.cubes import EXACT_MS, OCTAVE_STEPS, Measures
from rollup.histogram import Histogram
from rollup.rollup import Group, Key

PRECISION = f"exact below {EXACT_MS:,} ms and within {50 / OCTAVE_STEPS:.1f} % above"  # of a percentile, for notes
LIMIT_PRECISION = f"{100 / OCTAVE_STEPS:.1f} %"  # by how much more than a limit a call may take and count as within
_MEDIAN_BAND = 98.0  # percent over the root of the calls: the 95 % interval of a median's rank is 50 ± this


def percentiles_row(histogram: Optional[Histogram]) -> Dict[str, Optional[float]]:
    """Return P50, P95, P99 and maximum in milliseconds; each None without timed calls."""
    if histogram is None or not histogram.calls:
        return {"p50_ms": None, "p95_ms": None, "p99_ms": None, "max_ms": None}
    return {"p50_ms": histogram.percentile(50), "p95_ms": histogram.percentile(95),
            "p99_ms": histogram.percentile(99), "max_ms": histogram.maximum}


def mean_ms(measures: Measures) -> Optional[float]:
    """Return the mean latency of the calls whose latency is known."""
    return ratio(measures.latency_ms, measures.timed)


def tokens_per_second(successes: Iterable[Measures]) -> Optional[float]:
    """Return output tokens a second of latency over cells of successful calls.

    A cell where some latency is unknown is left out: which of its tokens were timed is unknown too.
    """
    cells = [one for one in successes if not one.untimed]
    return ratio(1000.0 * sum(one.output_tokens for one in cells), sum(one.latency_ms for one in cells))


def median_interval(histogram: Histogram) -> Tuple[float, float]:
    """Return the 95 % interval of the median in milliseconds, from the ranks that bound it."""
    band = _MEDIAN_BAND / max(1, histogram.calls) ** 0.5
    return histogram.percentile(max(0.0, 50 - band)), histogram.percentile(min(100.0, 50 + band))


def regroup(groups: Iterable[Group], *places: int) -> Dict[Key, List[Measures]]:
    """Return the measures of groups, gathered by some places of their keys, sorted."""
    gathered: Dict[Key, List[Measures]] = {}
    for group in groups:
        gathered.setdefault(tuple(group.key[place] for place in places), []).append(group.measures)
    return dict(sorted(gathered.items()))
