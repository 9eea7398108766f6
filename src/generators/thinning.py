"""Fewer points of a long chart, so that every peak and every trough survives.

The points are cut into buckets, and each bucket keeps the lowest and the highest value of each series, with the places
where they stand. "Largest triangle three buckets" gives a smoother look, but keeps one point a bucket, so one of two
peaks side by side, or the trough beside a peak, is lost, and several series could not share their labels.
"""
from __future__ import annotations

from decimal import Decimal
from typing import List, Sequence, Set

from generators.chart_data import Series

MOST_POINTS = 1000  # of a chart, over all its series


def kept(series: Sequence[Series], most: int = MOST_POINTS) -> List[int]:
    """Return which places to keep, in order, so that the series together have at most `most` points.

    First and last stay, and a gap keeps one of its places in each bucket, so that no line is drawn across it.
    """
    length = len(series[0].values) if series else 0
    places = max(most // max(len(series), 1), 1)
    if length <= places:
        return list(range(length))
    with_gaps = any(value is None for one in series for value in one.values)
    buckets = max((places - 2) // (len(series) * (3 if with_gaps else 2)), 1)
    keep: Set[int] = {0, length - 1}
    for bucket in range(buckets):
        span = range(bucket * length // buckets, (bucket + 1) * length // buckets)
        for one in series:
            keep.update(_extremes(one, span))
    return sorted(keep)


def _extremes(series: Series, span: Sequence[int]) -> Set[int]:
    """Return the places of the lowest and the highest value, and of the first gap."""
    values = series.values
    known = [index for index in span if values[index] is not None]
    gap = {next(index for index in span if values[index] is None)} if len(known) < len(span) else set()
    if not known:
        return gap

    def value(index: int) -> Decimal:
        return values[index] or Decimal(0)

    return gap | {min(known, key=value), max(known, key=value)}
