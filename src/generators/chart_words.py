"""What a chart says, as a sentence made from its data: the message above it, and the text for those who listen."""
from __future__ import annotations

from decimal import Decimal
from typing import List, Mapping, NamedTuple

import blocks as b
from generators.chart_data import ChartData, Series, shortened, total
from generators.formats import show

NO_VALUES = "No values."
MOST_SERIES = 3  # so many lines are told one by one
LONGEST_LABEL = 48  # letters of a label in a sentence


def of_rows(data: ChartData) -> str:
    """Return the sentence of bars: the largest and its share, or the highest and the lowest."""
    if not data.known:
        return NO_VALUES
    first = next(one for one in data.series if any(value is not None for value in one.values))
    return of_series(data, first) if len(data.series) == 1 else f"{first.name}. {of_series(data, first, False)}"


def of_series(data: ChartData, one: Series, whole_counts: bool = True) -> str:
    """Return the sentence of one series; of several that are compared, no share of the sum is told."""
    places = [place for place, value in enumerate(one.values) if value is not None]
    named = [place for place in places if not (data.rest and place == len(data.labels) - 1)]
    if len(places) == 1:
        return f"{_label(data, places[0])}: {_value(one, places[0])}."
    whole = total(one.values) or Decimal(0)
    values = [one.values[place] or Decimal(0) for place in places]
    if min(values) == max(values):
        return f"All {len(places):,} are equal: {_value(one, places[0])}."
    most = max(named, key=lambda place: one.values[place] or 0)
    if one.adds and whole_counts and min(values) >= 0:
        return (f"Largest: {_label(data, most)} with {_value(one, most)}, "
                f"{show((one.values[most] or 0) / whole, b.SHARE)} of the {show(whole, one.kind)} shown.")
    least = min(named, key=lambda place: one.values[place] or 0)
    high, low = (f"{_label(data, place)} with {_value(one, place)}" for place in (most, least))
    if one.kind not in (b.MONEY_CHANGE, b.CHANGE):
        return f"Highest: {high}; lowest: {low}."
    if max(values) <= 0:
        return f"Largest fall: {low}; smallest: {high}."
    return f"Largest rise: {high}; {'largest fall' if min(values) < 0 else 'smallest'}: {low}."


def of_stacks(data: ChartData, sums: Series) -> str:
    """Return the sentence of stacked bars: the largest, and which part makes most of all."""
    if not data.known:
        return NO_VALUES
    text = of_series(data, sums)
    if len(data.labels) > 1 and len(set(sums.values)) == 1:  # so only the parts say something
        return f"Each adds up to {_value(sums, 0)}."
    if len(data.series) < 2 or not sums.adds or min(data.known) < 0 or not any(data.known):
        return text
    weights = [total(one.values) or Decimal(0) for one in data.series]
    most = weights.index(max(weights))
    return f"{text} {data.series[most].name}: {show(weights[most] / sum(weights), b.SHARE)} of it all."


def of_lines(data: ChartData, follows: Mapping[int, int]) -> List[str]:
    """Return a sentence for each of the first few lines: first, last and highest; of what is expected, its end."""
    lines = [_Line(data, one, [place for place, value in enumerate(one.values) if value is not None])
             for one in data.series]
    known = [line for index, line in enumerate(lines) if line.places and index not in follows][:MOST_SERIES]
    expected = [lines[index] for index, base in follows.items() if lines[index].places and base < MOST_SERIES]
    ends = {(line.places[0], line.places[-1]) for line in known}
    head = [f"From {_label(data, known[0].places[0])} to {_label(data, known[0].places[-1])}."] \
        if len(known) > 1 and len(ends) == 1 else []
    told = [line.told(f"{line.one.name}: " if len(known) > 1 else "", dated=not head) for line in known]
    return head + told + [line.expected() for line in expected] or [NO_VALUES]


class _Line(NamedTuple):
    """A line and the places of its known values."""

    data: ChartData
    one: Series
    places: List[int]

    def told(self, name: str, dated: bool) -> str:
        first, last = self.places[0], self.places[-1]
        values = [self.one.values[place] or Decimal(0) for place in self.places]
        text = name + self._at(first, dated)
        if first == last:
            return text + "."
        if min(values) == max(values):
            return f"{name}{_value(self.one, first)}, always the same."
        text += f" to {self._at(last, dated)}"
        most = max(self.places, key=lambda place: self.one.values[place] or 0)
        if most in (first, last):
            return f"{text}, {'its' if most == last else 'from its'} highest."
        return f"{text}, highest {self._at(most, True)}."

    def expected(self) -> str:
        first, last = self.places[0], self.places[-1]
        begin = f"{self._at(first, False)} to " if first != last else ""
        return f"{self.one.name}: {begin}{self._at(last, True)}."

    def _at(self, place: int, dated: bool) -> str:
        return _value(self.one, place) + (f" ({_label(self.data, place)})" if dated else "")


def of_points(data: ChartData) -> str:
    """Return the sentence of a scatter of two series: how many points, and the highest."""
    count = len(data.labels)
    if not count:
        return NO_VALUES
    upward = data.series[1]
    most = max(range(count), key=lambda place: upward.values[place] or 0)
    across = data.series[0]
    return (f"{count:,} {'point' if count == 1 else 'points'}. "
            f"Highest {_lower(upward.name)}: {_label(data, most)} with {_value(upward, most)} "
            f"({_lower(across.name)}: {_value(across, most)}).")


def of_cells(data: ChartData) -> str:
    """Return the sentence of a heat map whose series are its columns: the highest and the lowest cell."""
    cells = [(value, place, one) for one in data.series for place, value in enumerate(one.values) if value is not None]
    if not cells:
        return NO_VALUES
    high, low = (choose(cells, key=lambda cell: cell[0]) for choose in (max, min))
    if high[0] == low[0]:
        return f"All {len(cells):,} cells are equal: {show(high[0], high[2].kind)}."
    told = [f"{_label(data, place)}, {one.name}: {show(value, one.kind)}" for value, place, one in (high, low)]
    return f"Highest: {told[0]}. Lowest: {told[1]}."


def _value(one: Series, place: int) -> str:
    return show(one.values[place], one.kind)


def _label(data: ChartData, place: int) -> str:
    return shortened(data.texts[place], LONGEST_LABEL)


def _lower(name: str) -> str:
    """Return a name for the middle of a sentence; abbreviations stay."""
    return name[:1].lower() + name[1:] if name[1:2].islower() else name

