"""Lines with interval bands, and the small ones in cards."""
from __future__ import annotations

from decimal import Decimal
from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple

from generators.bar_drawings import FILLED
from generators.chart_data import ChartData
from generators.drawing import (
    BELOW,
    PHONE,
    PLOT,
    STRETCHED,
    TOP,
    LabelAxis,
    ValueAxis,
    below_texts,
    fill,
    gutter,
    joined,
    path,
    piece,
    rules,
    sentences,
    side_texts,
    stroke,
)
from generators.formats import show
from generators.shapes import Point, area, line, n, percent, runs
from generators.templates import Markup

Values = Sequence[Optional[Decimal]]
MOST_DOTS = 16  # points of a line that each have a dot; of longer ones only the highest and the last have
_FLAT = 0.6  # of the highest value: small ones whose lowest is above it begin there, not at 0
_SPARK_TOP, _SPARK_BOTTOM, _SPARK_WIDTH = 3.0, 29.0, 100.0


class Band(NamedTuple):
    """The ends of an interval at each label."""

    low: Values
    high: Values


def lines(data: ChartData, across: LabelAxis, axis: ValueAxis, label: str, band: Optional[Band],
          follows: Dict[int, int]) -> Markup:
    """Return a line a series; `follows` tells which series (expected) goes on where which other ends."""
    drawn = [_band(across, axis, band)] if band else []
    dots: List[Optional[Markup]] = []
    for index, one in enumerate(data.series):
        before = data.series[follows[index]].values if index in follows else None
        values = _from_the_end(one.values, before) if before is not None else one.values
        drawn.append(piece("lines.svg", "expected" if index in follows else "line",
                           colour=stroke(follows.get(index, index)), path=path(line(_points(values, across, axis)))))
        if index not in follows:
            dots += _dots(data, index, across, axis)
    return piece("lines.svg", "plot", gutter=gutter(axis.texts)[0], label=label, height=TOP + PLOT + BELOW,
                 rules=rules(axis), lines=joined(drawn), dots=joined(dots),
                 ticks=joined([side_texts(axis), below_texts(across.ticks, PHONE - gutter(axis.texts)[1])]))


def _points(values: Values, across: LabelAxis, axis: ValueAxis) -> List[Optional[Point]]:
    return [None if value is None else (place * STRETCHED, axis.y(value))
            for place, value in zip(across.places, values)]


def _from_the_end(values: Values, before: Values) -> Values:
    """Return values with the last one of the line before them, so that the two meet."""
    last = max((place for place, value in enumerate(before) if value is not None), default=-1)
    return [before[place] if place == last and value is None else value for place, value in enumerate(values)]


def _band(across: LabelAxis, axis: ValueAxis, band: Band) -> Markup:
    drawn = area(_points(band.high, across, axis), _points(band.low, across, axis))
    return piece("lines.svg", "band", colour="s0", path=path(drawn))


def dots_of(values: Values) -> List[int]:
    """Return the places of a line's dots: all of a short line, else its highest and its last."""
    known = [(value, place) for place, value in enumerate(values) if value is not None]
    if len(known) > MOST_DOTS:
        known = [max(known, key=lambda pair: pair[0]), known[-1]]
    return sorted({place for _, place in known})


def _dots(data: ChartData, index: int, across: LabelAxis, axis: ValueAxis) -> List[Markup]:
    one = data.series[index]
    return [piece("lines.svg", "dot", colour=fill(index), x=percent(across.places[place]),
                  y=n(axis.y(one.values[place] or Decimal(0))),
                  text=sentences([data.texts[place] + ":", show(one.values[place], one.kind)]))
            for place in dots_of(one.values)]


def spark_line(values: Sequence[Optional[float]]) -> Markup:
    """Return the line of a card's course over its area; gaps are unknown values, of which not all may be."""
    known = [value for value in values if value is not None]
    low, high = min(known), max(known)
    low, high = min(low, 0.0) if low <= high * _FLAT else low, max(high, 0.0)
    points = [None if value is None else _spark_point(place, len(values), value, low, high)
              for place, value in enumerate(values)]
    base = n(_spark_y(max(low, 0.0), low, high))
    below = "".join(f"M{n(run[0][0])} {base}L{line([*run])[1:]}L{n(run[-1][0])} {base}Z" for run in runs(points))
    return piece("sparkline.svg", "line", line=path(line(points)), area=path(below))


def spark_columns(values: Sequence[Optional[float]]) -> Markup:
    """Return a column for each value of a card's course; an unknown one, and 0, have none."""
    known = [value for value in values if value is not None]
    low, high, wide = min(0.0, *known), max(0.0, *known), _SPARK_WIDTH / len(values)
    ends = [(place * wide, (place + FILLED) * wide, _spark_y(value, low, high))
            for place, value in enumerate(values) if value]
    base = n(_spark_y(0.0, low, high))
    return piece("sparkline.svg", "columns", path=path("".join(
        f"M{n(left)} {base}L{n(left)} {n(y)}L{n(right)} {n(y)}L{n(right)} {base}Z" for left, right, y in ends)))


def _spark_point(place: int, count: int, value: float, low: float, high: float) -> Tuple[float, float]:
    return round(place / max(count - 1, 1) * _SPARK_WIDTH, 1), _spark_y(value, low, high)


def _spark_y(value: float, low: float, high: float) -> float:
    share = (value - low) / (high - low) if high > low else 0.0
    return round(_SPARK_BOTTOM - (_SPARK_BOTTOM - _SPARK_TOP) * share, 1)
