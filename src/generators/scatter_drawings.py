"""A point a row, with names beside as many points as have room."""
from __future__ import annotations

import math
from decimal import Decimal
from typing import Dict, List, NamedTuple, Sequence, Tuple

from generators.chart_data import ChartData
from generators.drawing import (
    BELOW,
    NOTHING,
    PHONE,
    STRETCHED,
    TOP,
    WIDE,
    ValueAxis,
    below_texts,
    fill,
    gutter,
    joined,
    path,
    piece,
    sentences,
    stroke,
    value_axis,
)
from generators.formats import show
from generators.scales import Tick, cut, logarithmic_ticks, text_width, tick_texts
from generators.shapes import n, percent
from generators.templates import Markup, join

Box = Tuple[float, float, float, float]  # left, right, top and bottom

HEIGHT = 260  # pixels between the axes
OVER = 18  # pixels for the name of the axis upwards
MOST_CIRCLES = 150  # more points are drawn as one path, without a text for the mouse each
MOST_NAMES = 12
LONGEST_NAME = 110.0
_LINE = 14.0


class Place(NamedTuple):
    """Where a point stands: across as a share of the width, down in pixels."""

    x: float
    y: float


class PointAxis(NamedTuple):
    """An axis of a scatter: its values, and whether it counts powers of ten."""

    axis: ValueAxis
    logarithmic: bool

    def part(self, value: Decimal) -> float:
        """Return where a value stands: 0 at the low end, 1 at the high one."""
        if not self.logarithmic:
            return self.axis.part(value)
        low, high = (math.log10(end) for end in (self.axis.low, self.axis.high))
        return (math.log10(value) - low) / (high - low)


def point_axis(values: Sequence[Decimal], kind: str, logarithmic: bool) -> PointAxis:
    """Return the axis that holds all values (at least one, all above 0 where it is logarithmic)."""
    if not logarithmic:
        return PointAxis(value_axis(values, kind), False)
    ticks = logarithmic_ticks(min(values), max(values))
    return PointAxis(ValueAxis(ticks[0], ticks[-1], ticks, [tick_texts([tick], kind)[0] for tick in ticks]), True)


def scatter(data: ChartData, axes: Tuple[PointAxis, PointAxis], groups: Sequence[int], label: str) -> Markup:
    """Return the points of two series (across, upwards), coloured by their group."""
    across, upward = axes
    places = [Place(across.part(x or Decimal(0)), _down(upward.part(y or Decimal(0))))
              for x, y in zip(data.series[0].values, data.series[1].values)]
    side_class, gap = gutter(upward.axis.texts)
    height = OVER + TOP + HEIGHT + 2 * BELOW
    ticks = [Tick(across.part(tick), text) for tick, text in zip(across.axis.ticks, across.axis.texts)]
    titles = [piece("axes.svg", "axis_title", x="0", y=12, anchor="start", text=data.series[1].name),
              piece("axes.svg", "axis_title", x="100%", y=height - 6, anchor="end", text=data.series[0].name)]
    side = [piece("axes.svg", "side", y=n(_down(upward.part(tick))), text=text)
            for tick, text in zip(upward.axis.ticks, upward.axis.texts)]
    return piece("scatter.svg", "plot", gutter=side_class, label=label, height=height,
                 rules=_rules(axes), points=_points(data, places, groups, height), names=_names(data, places, gap),
                 ticks=join([*side, below_texts(ticks, PHONE - gap, OVER + TOP + HEIGHT + 18), *titles]))


def _down(share: float) -> float:
    return OVER + TOP + HEIGHT * (1 - share)


def _rules(axes: Tuple[PointAxis, PointAxis]) -> Markup:
    across, upward = axes
    drawn = [piece("axes.svg", "rule", y=n(_down(upward.part(tick)))) for tick in upward.axis.ticks]
    drawn += [piece("axes.svg", "upright", x=percent(across.part(tick)), top=OVER + TOP, bottom=OVER + TOP + HEIGHT)
              for tick in across.axis.ticks]
    return join(drawn)


def _points(data: ChartData, places: Sequence[Place], groups: Sequence[int], height: int) -> Markup:
    if len(places) <= MOST_CIRCLES:
        return join(piece("scatter.svg", "point", colour=fill(group), x=percent(place.x), y=n(place.y),
                          text=_told(data, index)) for index, (place, group) in enumerate(zip(places, groups)))
    paths: Dict[int, str] = {}
    for place, group in zip(places, groups):
        paths[group] = paths.get(group, "") + f"M{n(place.x * STRETCHED)} {n(place.y)}h0"
    return piece("scatter.svg", "many", height=height, groups=join(
        piece("scatter.svg", "group", colour=stroke(group), path=path(drawn)) for group, drawn in paths.items()))


def _told(data: ChartData, index: int) -> Markup:
    return sentences([f"{data.texts[index]}:"] + [f"{one.name} {show(one.values[index], one.kind)}"
                                                  for one in data.series])


def _names(data: ChartData, places: Sequence[Place], gap: int) -> Markup:
    """Return names beside points, the highest first, as far as none covers another or a point; `gap` is the gutter."""
    texts = [cut(text, LONGEST_NAME) for text in data.texts]
    order = sorted(range(len(places)), key=lambda index: (places[index].y, -places[index].x))
    always = named(texts, places, order, PHONE - gap, {})
    roomy = named(texts, places, order, WIDE - gap, always)
    drawn = [piece("scatter.svg", "name", roomy="" if index in always else " roomy", x=percent(places[index].x),
                   y=n(places[index].y), dx=-9 if left else 9, anchor="end" if left else "start", text=texts[index])
             for index, left in roomy.items()]
    return joined(drawn) if drawn else NOTHING


def named(texts: Sequence[str], places: Sequence[Place], order: Sequence[int], width: float,
          already: Dict[int, bool]) -> Dict[int, bool]:
    """Return which points can have their names in a width, and whether at the left; those that have one keep it."""
    taken = [(place.x * width - 6, place.x * width + 6, place.y - 6, place.y + 6) for place in places]
    taken += [_name_box(texts[index], places[index], left, width) for index, left in already.items()]
    found = dict(already)
    for index in order:
        if len(found) >= MOST_NAMES:
            break
        for left in (False, True):
            if index not in found:
                box = _name_box(texts[index], places[index], left, width)
                if box[0] >= 0 and box[1] <= width and not _is_covered(box, taken):
                    taken.append(box)
                    found[index] = left
    return found


def _name_box(text: str, place: Place, left: bool, width: float) -> Box:
    x, long = place.x * width, text_width(text)
    begin = x - 9 - long if left else x + 9
    return begin, begin + long, place.y - _LINE / 2, place.y + _LINE / 2


def _is_covered(box: Box, others: Sequence[Box]) -> bool:
    begin, end, top, bottom = box
    # Most others stand above or below, so that is looked at first: there are hundreds of thousands of pairs.
    return any(top < other[3] and other[2] < bottom and begin < other[1] and other[0] < end for other in others)


def drawable(data: ChartData, logarithmic: bool) -> ChartData:
    """Return the points whose two values are known (and above 0 on powers of ten), with notes of the others."""
    pairs = list(zip(*(one.values for one in data.series[:2]))) if len(data.series) > 1 else []
    known = [index for index, pair in enumerate(pairs) if None not in pair]
    kept: List[int] = [index for index in known if not logarithmic or min(pairs[index]) > 0]
    data = data.take(kept) if len(data.series) > 1 else data.take([])
    data = data.noted(len(known) - len(kept), "point with a value of 0 or less is left out.",
                      "points with a value of 0 or less are left out.")
    return data.noted(len(pairs) - len(known), "point with an unknown value is left out.",
                      "points with an unknown value are left out.")
