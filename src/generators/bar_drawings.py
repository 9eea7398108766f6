"""Bars that lie, bars that are stacked, and columns that stand."""
from __future__ import annotations

from decimal import Decimal
from typing import Iterator, List, NamedTuple, Optional, Sequence, Tuple

from generators.chart_data import ChartData, Series, total
from generators.drawing import (
    BELOW,
    NOTHING,
    PHONE,
    PLOT,
    STRETCHED,
    TOP,
    LabelAxis,
    ValueAxis,
    below_texts,
    fill,
    full_text,
    gutter,
    path,
    piece,
    rules,
    sentences,
    side_texts,
)
from generators.formats import show
from generators.scales import cut, text_width
from generators.shapes import n, part, percent
from generators.templates import Markup, join

OVER = 2  # pixels over the first row
NAME, THICK, BETWEEN, AFTER = 15, 8, 4, 15  # of a row: its name, a bar, between its bars, after them; the script's too
BASE = 10  # from the top of a row to the line that its name stands on
BEYOND = 2  # pixels that the line at 0 is longer than a bar is high, at both ends
GROUPED = 12  # a bar that has its value beside it is as high as the text
MOST_AREAS = 40  # columns that say their numbers to a mouse
FILLED = 0.72  # of a column's space


class BarScale(NamedTuple):
    """What the width of bars means: from `low` to `high`, over the first `room` (0 to 1) of the width."""

    low: Decimal
    high: Decimal
    room: float = 1.0

    def x(self, value: Decimal) -> float:
        """Return where a value stands, 0 to 1."""
        return part(value, self.low, self.high) * self.room

    @property
    def ends(self) -> List[float]:
        """Return the values at both ends of the whole width."""
        low, high = float(self.low), float(self.high)
        return [low, low + (high - low) / self.room if high > low else low + 1]


def bar_scale(data: ChartData) -> BarScale:
    """Return the scale of lying bars; several a row leave room for their values behind them."""
    known = data.known or [Decimal(0)]
    texts = [show(value, one.kind) for one in data.series for value in one.values]
    room = max(1 - (max(map(text_width, texts), default=0) + 8) / PHONE, 0.4) if len(data.series) > 1 else 1.0
    return BarScale(min(*known, Decimal(0)), max(*known, Decimal(0)), room)


def lying(data: ChartData, scale: BarScale, label: str) -> Markup:
    """Return a row of bars for each label: the name above, the value at the right, or behind each of several bars."""
    several = len(data.series) > 1
    thick = GROUPED if several else THICK
    height = NAME + len(data.series) * (thick + BETWEEN) - BETWEEN + AFTER
    rows: List[Markup] = []
    marks: List[Markup] = []
    for place, text in enumerate(data.texts):
        top = OVER + place * height
        rows += _name(text, "" if several else show(data.series[0].values[place], data.series[0].kind), top)
        for index, one in enumerate(data.series):
            y = top + NAME + index * (thick + BETWEEN)
            rows.append(piece("bars.svg", "track", y=y, width=percent(scale.room), height=thick))
            if several:
                rows.append(piece("bars.svg", "end", x=percent(scale.room), y=n(y + thick / 2),
                                  text=show(one.values[place], one.kind)))
            if one.values[place]:
                marks.append(_bar(data, index, place, scale, y, thick))
    bottom = OVER + len(data.labels) * height
    return piece("bars.svg", "plot", label=label, height=bottom, rows=join(rows), marks=join(marks),
                 origin=_origin(scale, height, bottom))


def _name(text: str, value: str, top: int) -> List[Markup]:
    """Return a row's name, cut to what the value leaves on a phone, and the value."""
    shown = cut(text, PHONE - text_width(value) - 12)
    name = piece("bars.svg", "name", y=top + BASE, text=shown, full=full_text(text, shown))
    return [name, piece("bars.svg", "value", y=top + BASE, text=value)] if value else [name]


def _bar(data: ChartData, index: int, place: int, scale: BarScale, y: int, thick: int) -> Markup:
    """Return the bar of a known value, from 0 to it."""
    one = data.series[index]
    begin, end = sorted((scale.x(Decimal(0)), scale.x(one.values[place] or Decimal(0))))
    told = [data.texts[place] + ":"] + ([one.name + ":"] if len(data.series) > 1 else []) + [
        show(one.values[place], one.kind)]
    return piece("bars.svg", "bar", colour=fill(index, bool(data.rest) and place == len(data.labels) - 1),
                 x=percent(begin), y=y, width=percent(end - begin), height=thick, text=sentences(told))


def _origin(scale: BarScale, height: int, bottom: int) -> Markup:
    """Return the line at 0, where it is not at the edge; it leaves out the texts of the rows."""
    zero = scale.x(Decimal(0))
    dash = height - NAME - AFTER + 2 * BEYOND
    return piece("bars.svg", "origin", x=percent(zero), top=OVER + NAME - BEYOND, bottom=bottom, dash=dash,
                 gap=height - dash) if zero > 0 else NOTHING


def stack_scale(data: ChartData) -> BarScale:
    """Return the scale of lying stacks."""
    return BarScale(min(stack_ends(data) + [Decimal(0)]), max(stack_ends(data) + [Decimal(0)]))


def stacked(data: ChartData, sums: Series, scale: BarScale, label: str) -> Markup:
    """Return a bar of parts for each label; parts below 0 lie to the left of 0."""
    rows: List[Markup] = []
    marks: List[Markup] = []
    height = NAME + GROUPED + AFTER
    for place, text in enumerate(data.texts):
        top = OVER + place * height
        rows += _name(text, show(sums.values[place], sums.kind), top)
        rows.append(piece("bars.svg", "track", y=top + NAME, width="100%", height=GROUPED))
        for index, begin, end in _stack(data, place):
            one = data.series[index]
            marks.append(piece("stacked_bars.svg", "segment", colour=fill(index), x=percent(scale.x(begin)),
                               y=top + NAME, width=percent(scale.x(end) - scale.x(begin)), height=GROUPED,
                               text=sentences([one.name + ":", show(one.values[place], one.kind)])))
    bottom = OVER + len(data.labels) * height
    return piece("stacked_bars.svg", "plot", label=label, height=bottom, rows=join(rows), marks=join(marks),
                 origin=_origin(scale, height, bottom))


def _stack(data: ChartData, place: int) -> Iterator[Tuple[int, Decimal, Decimal]]:
    """Return (series, low end, high end) of a label's parts: those above 0 upwards, those below 0 downwards."""
    above = below = Decimal(0)
    for index, one in enumerate(data.series):
        value = one.values[place]
        if value and value > 0:
            yield index, above, above + value
            above += value
        elif value:
            yield index, below + value, below
            below += value


def _ends(data: ChartData, place: int) -> Tuple[Decimal, Decimal]:
    ends = [end for _, low, high in _stack(data, place) for end in (low, high)] or [Decimal(0)]
    return min(ends), max(ends)


def stack_ends(data: ChartData) -> List[Decimal]:
    """Return the lowest and highest end of each label's stack, which an axis has to hold."""
    return [end for place in range(len(data.labels)) for end in _ends(data, place)] or [Decimal(0)]


def sums_of(data: ChartData) -> Series:
    """Return the sums of each label's parts."""
    kind = data.series[0].kind if data.series else ""
    values: List[Optional[Decimal]] = [total([one.values[place] for one in data.series])
                                       for place in range(len(data.labels))]
    return Series("Total", kind, values, all(one.adds for one in data.series))


def standing(data: ChartData, across: LabelAxis, axis: ValueAxis, label: str) -> Markup:
    """Return a column of parts for each label, as one path a series."""
    width = _column_width(across.places)
    paths = [""] * len(data.series)
    for place, middle in enumerate(across.places):
        for index, low, high in _stack(data, place):
            left, top = (middle - width / 2) * STRETCHED, axis.y(high)
            paths[index] += (f"M{n(left)} {n(top)}h{n(width * STRETCHED)}v{n(axis.y(low) - top)}"
                             f"h{n(-width * STRETCHED)}z")
    columns = join(piece("stacked_bars.svg", "columns", colour=fill(index), path=path(drawn))
                   for index, drawn in enumerate(paths) if drawn)
    ticks = join([side_texts(axis), below_texts(across.ticks, PHONE - gutter(axis.texts)[1])])
    return piece("stacked_bars.svg", "standing", gutter=gutter(axis.texts)[0], label=label, height=TOP + PLOT + BELOW,
                 rules=rules(axis), columns=columns, ticks=ticks, areas=_areas(data, across.places, width))


def _column_width(places: Sequence[float]) -> float:
    gaps = [later - one for one, later in zip(places, places[1:])]
    return FILLED * (min(gaps) if gaps else 0.3)


def _areas(data: ChartData, places: Sequence[float], width: float) -> Markup:
    if len(places) > MOST_AREAS:
        return NOTHING
    return join(piece("stacked_bars.svg", "area", x=percent(middle - width / 2), y=TOP, width=percent(width),
                      height=PLOT, text=_told(data, place)) for place, middle in enumerate(places))


def _told(data: ChartData, place: int) -> Markup:
    return sentences([data.texts[place]] + [f"{one.name}: {show(one.values[place], one.kind)}" for one in data.series])
