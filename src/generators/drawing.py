"""What all drawings share: colours, gutters, value axes with their rules, labels below, legends.

Places across are percent of the width and texts have their size in pixels, so that a drawing fills a phone and a wide
screen alike without its words shrinking or growing. Lines and columns lie in an inner drawing that is stretched.
"""
from __future__ import annotations

import bisect
import math
from decimal import Decimal
from typing import Any, List, NamedTuple, Optional, Sequence, Tuple

import blocks as b
from generators.chart_data import OTHER
from generators.scales import Tick, cut, moments, nice_ticks, range_of, short_time, text_width, tick_texts, time_ticks
from generators.shapes import n, part, percent
from generators.templates import Markup, join, parts

PHONE, WIDE, WHOLE = 290, 370, 480  # pixels that a drawing has on a phone, at least on a wide screen, and alone there
TOP, PLOT, BELOW = 10, 200, 24  # pixels over, of and under the space between the axes
STRETCHED = 1000  # the width of an inner drawing, in its own units
MOST_LABELS, MOST_TICK = 6, 64.0  # texts below, and pixels of each
MOST_COLUMNS = 31  # columns in time that are told by their own labels, not by round times
_COLOURS = 8
_REST = "rest"
_GUTTERS = (("s", 36), ("m", 52), ("l", 72), ("xl", 104), ("xxl", 136))
_BETWEEN_TEXTS = 6
_MARGIN = 10  # pixels between a gutter's texts and its ends
_WHOLE_KINDS = frozenset((b.COUNT, b.COMPACT, b.BYTES))


def piece(file: str, name: str, **values: Any) -> Markup:
    """Return a part of a chart's template, filled."""
    return parts("charts/" + file)[name].fill(**values)


NOTHING = Markup("")


def fill(index: int, rest: bool = False) -> str:
    """Return the class of a series' areas; "other" has a colour of its own."""
    return f"s-{_REST}" if rest else f"s{index % _COLOURS}"


def stroke(index: int) -> str:
    """Return the class of a series' lines."""
    return f"l{index % _COLOURS}"


def gutter(texts: Sequence[str]) -> Tuple[str, int]:
    """Return the class and the width of the space that texts at the left need."""
    need = max(map(text_width, texts), default=0.0) + _MARGIN
    return next((one for one in _GUTTERS if one[1] >= need), _GUTTERS[-1])


class ValueAxis(NamedTuple):
    """An axis of values from `low` to `high`, with ticks and their texts; upwards it has the height of the plot."""

    low: Decimal
    high: Decimal
    ticks: List[Decimal]
    texts: List[str]

    def part(self, value: Decimal) -> float:
        """Return where a value stands: 0 at the low end, 1 at the high one."""
        return part(value, self.low, self.high)

    def y(self, value: Decimal) -> float:
        """Return how many pixels below the top of the drawing a value stands."""
        return TOP + PLOT * (1 - self.part(value))


def value_axis(values: Sequence[Decimal], kind: str, from_zero: bool = False) -> ValueAxis:
    """Return the axis that holds all values (at least one)."""
    whole = kind in _WHOLE_KINDS and all(value == value.to_integral_value() for value in values)
    ticks = nice_ticks(*range_of(values, from_zero), whole=whole)
    return ValueAxis(ticks[0], ticks[-1], ticks, tick_texts(ticks, kind))


def rules(axis: ValueAxis) -> Markup:
    """Return the lines across at each tick; that of 0 is stronger."""
    return join(piece("axes.svg", "rule" if tick else "zero", y=n(axis.y(tick))) for tick in axis.ticks)


def side_texts(axis: ValueAxis) -> Markup:
    """Return the texts of the ticks, in the gutter."""
    return join(piece("axes.svg", "side", y=n(axis.y(tick)), text=text) for tick, text in zip(axis.ticks, axis.texts))


class LabelAxis(NamedTuple):
    """Where each label stands across (0 to 1), and the ticks (at 0 to 1) that are written below."""

    places: List[float]
    ticks: List[Tick]


def label_axis(labels: Sequence[str], texts: Sequence[str], width: float, slots: bool = False) -> LabelAxis:
    """Return an axis of times where all labels are times, else of labels evenly apart; `slots` gives each a middle.

    `width` is that of the plot on a phone, in pixels.
    """
    times = moments(labels)
    count = len(labels)
    places = [(index + 0.5) / count if slots else index / max(count - 1, 1) for index in range(count)]
    if times is not None:
        span = times[-1] - times[0]
        places = places if slots else [(time - times[0]) / span for time in times]
        texts = [short_time(label) for label in labels]
        if count > (MOST_COLUMNS if slots else MOST_LABELS):
            return LabelAxis(places, [Tick(_between(tick.at, times, places), tick.text)
                                      for tick in time_ticks(times[0], times[-1])])
    need = min(max(map(text_width, texts), default=0.0), MOST_TICK) + _BETWEEN_TEXTS
    step = max(-(-count // MOST_LABELS), math.ceil(need * count / width), 1)
    room = width * step / max(count, 1) - _BETWEEN_TEXTS
    return LabelAxis(places, [Tick(places[index], cut(texts[index], room)) for index in range(0, count, step)])


def _between(time: float, times: Sequence[float], places: Sequence[float]) -> float:
    """Return where a time stands between the places of the times around it."""
    after = max(bisect.bisect_left(times, time), 1)
    share = (time - times[after - 1]) / (times[after] - times[after - 1])
    return places[after - 1] + (places[after] - places[after - 1]) * share


def below_texts(ticks: Sequence[Tick], width: float, y: float = TOP + PLOT + 18) -> Markup:
    """Return the texts below, inside a plot of `width` pixels on a phone; what has room only on wider screens waits."""
    drawn: List[Markup] = []
    end = -math.inf
    for tick in ticks:
        anchor, begin = _anchor(tick, width)
        roomy = begin < end + _BETWEEN_TEXTS
        end = end if roomy else begin + text_width(tick.text)
        drawn.append(piece("axes.svg", "below", x=percent(tick.at), y=n(y), text=tick.text, anchor=anchor,
                           roomy=" roomy" if roomy else ""))
    return join(drawn)


def _anchor(tick: Tick, width: float) -> Tuple[str, float]:
    """Return how a text is held at its place, and where it begins, in pixels; one at the right end stays inside."""
    place, long = tick.at * width, text_width(tick.text)
    if place + long / 2 > width + _MARGIN / 2:
        return "end", place - long
    return "middle", place - long / 2


def sentences(said: Sequence[str]) -> Markup:
    """Return sentences, each with a bound on its own length."""
    return join(piece("frame.html", "sentence", text=sentence) for sentence in said)


def full_text(text: str, shown: str) -> Markup:
    """Return the whole text for a mouse that rests on one that was cut."""
    return piece("axes.svg", "full", text=text) if shown != text else NOTHING


def legend(items: Sequence[Tuple[str, str, str]]) -> Markup:
    """Return what the colours mean, as (part of the template, class of the colour, text)."""
    if not items:
        return NOTHING
    return piece("frame.html", "legend", items=join(
        piece("frame.html", name, colour=colour, text=text) for name, colour, text in items))


def series_legend(names: Sequence[str], item: str = "item") -> Markup:
    """Return the legend of several series; a single one needs none."""
    if len(names) < 2:
        return NOTHING
    colour = stroke if item == "line_item" else fill
    return legend([(item, colour(index), name) for index, name in enumerate(names)])


def group_legend(names: Sequence[str]) -> Markup:
    """Return the legend of groups; what was added up has a colour of its own."""
    if len(names) < 2:
        return NOTHING
    return legend([("item", fill(index, name == OTHER), name) for index, name in enumerate(names)])


def path(text: str) -> Markup:
    """Return a path of numbers, which is as long as it is and holds nothing to escape."""
    if not set(text) <= set("MLAHVZhvz0123456789.- "):
        raise ValueError("a path holds letters of its own and numbers only")
    return Markup(text)


def joined(pieces: Sequence[Optional[Markup]]) -> Markup:
    """Return the pieces that are there, one after the other."""
    return join(one for one in pieces if one)
