"""The charts of a page: a method each, from its description and rows to a figure and the data for the page's script.

The drawing in the page is what readers without script or network see, in mail and in print; where Chart.js is at hand
it draws the same data over it. To add a chart: a class in `blocks.py`, a method here, a template.
"""
from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

import blocks as b
from generators import chart_words as say
from generators.area_drawings import cell_scale, heat_map, round_parts, tree_map
from generators.bar_drawings import (
    OVER as LYING_OVER,
    BarScale,
    bar_scale,
    lying,
    stack_ends,
    stack_scale,
    stacked,
    standing,
    sums_of,
)
from generators.cell_data import read_cells
from generators.chart_data import (
    ChartData,
    Series,
    as_json,
    bounded,
    group_numbers,
    parts_of_whole,
    plain,
    read,
    series_of,
    unknown_noted,
)
from generators.drawing import (
    BELOW,
    NOTHING,
    PHONE,
    TOP,
    WHOLE,
    WIDE,
    ValueAxis,
    group_legend,
    gutter,
    label_axis,
    legend,
    piece,
    sentences,
    series_legend,
    stroke,
    value_axis,
)
from generators.formats import words
from generators.line_drawings import Band, dots_of, lines
from generators.page_parts import CHARTS, PageParts, at
from generators.scatter_drawings import OVER, drawable, point_axis, scatter
from generators.templates import Markup, join
from generators.thinning import MOST_POINTS, kept


class ChartBlocks(PageParts):
    """Draws each kind of chart by the method of its name."""

    def bars(self, block: b.Bars, results: Any) -> Markup:
        """Return lying bars: one a row, or several side by side."""
        data = unknown_noted(read(block, self.rows(block, results)))
        data = bounded(data, _bound(block, data))
        if not data.known:
            return self._none(block)
        said, scale = [say.of_rows(data)], bar_scale(data)
        return self._figure(block, data, said, lying(data, scale, _label(block, said)),
                            series_legend([one.name for one in data.series]), _lying_json(scale))

    def stacked_bars(self, block: b.StackedBars, results: Any) -> Markup:
        """Return bars of parts, lying or standing; columns in time are thinned, others beyond the bound added up."""
        data = unknown_noted(read(block, self.rows(block, results)))
        data = _thinned(data, [sums_of(data)]) if block.standing else bounded(data, _bound(block, data))
        if not data.known:
            return self._none(block)
        sums = sums_of(data)
        said = [say.of_stacks(data, sums)]
        names = series_legend([one.name for one in data.series])
        if not block.standing:
            scale = stack_scale(data)
            return self._figure(block, data, said, stacked(data, sums, scale, _label(block, said)), names,
                                _lying_json(scale))
        axis = value_axis(stack_ends(data), sums.kind, from_zero=True)
        across = label_axis(data.labels, data.texts, PHONE - gutter(axis.texts)[1], slots=True)
        return self._figure(block, data, said, standing(data, across, axis, _label(block, said)), names,
                            {"standing": True, **_axis_json(axis)})

    def lines(self, block: b.Lines, results: Any) -> Markup:
        """Return a line a value, what is expected after it, and the band of an interval."""
        past, then = self.rows(block, results), at(results, block.then) if block.then else None
        rows = past + list(then or [])
        data = unknown_noted(read(block, rows))
        data, follows = _with_expected(data, len(past)) if then else (data, {})
        ends = [series_of([row if isinstance(row, Mapping) else {} for row in rows], b.Column(name))
                for name in (block.low, block.high) if name]
        count = len(data.series)
        data = _thinned(replace(data, series=data.series + ends), data.series + ends)
        shown, ends = replace(data, series=data.series[:count]), data.series[count:]
        if not shown.known:
            return self._none(block)
        band = Band(ends[0].values, ends[1].values) if block.low and block.high else None
        axis = value_axis(data.known, shown.series[0].kind)
        across = label_axis(data.labels, data.texts, PHONE - gutter(axis.texts)[1])
        said = say.of_lines(shown, follows)
        extra: Dict[str, Any] = {**_axis_json(axis), "places": [round(place * 1000, 1) for place in across.places],
                                 "follows": {str(one): base for one, base in follows.items()},
                                 "dots": [dots_of(one.values) if index not in follows else []
                                          for index, one in enumerate(shown.series)]}
        if band:
            extra.update(low=[plain(value) for value in band.low], high=[plain(value) for value in band.high])
        return self._figure(block, shown, said, lines(shown, across, axis, _label(block, said), band, follows),
                            _line_legend(block, shown, follows), extra)

    def doughnut(self, block: b.Doughnut, results: Any) -> Markup:
        """Return shares of a whole as a ring with the sum in its middle."""
        return self._round(block, results, "doughnut.svg")

    def pie(self, block: b.Pie, results: Any) -> Markup:
        """Return shares of a whole as a pie."""
        return self._round(block, results, "pie.svg")

    def _round(self, block: b.Chart, results: Any, file: str) -> Markup:
        data = parts_of_whole(read(block, self.rows(block, results)), block.most or MOST_POINTS)
        if not data.known:
            return self._none(block, data)
        said = [say.of_rows(data)]
        svg, parts = round_parts(data, file, _label(block, said))
        return self._figure(block, data, said, svg, extra={"inset": [0, 0, 0]}, beside=parts)

    def scatter(self, block: b.Scatter, results: Any) -> Markup:
        """Return a point a row, coloured by its group."""
        data = drawable(read(block, self.rows(block, results)), block.logarithmic)
        if not data.labels:
            return self._none(block, data)
        order = sorted(range(len(data.labels)), key=lambda place: data.series[0].values[place] or 0)
        data = _thinned(data.take(order), data.series[1:2], MOST_POINTS) if len(order) > MOST_POINTS else data
        axes = (point_axis(_known(data.series[0]), data.series[0].kind, block.logarithmic),
                point_axis(_known(data.series[1]), data.series[1].kind, block.logarithmic))
        names, groups = group_numbers(data)
        said = [say.of_points(data)]
        extra = {"groups": names, "group": groups, "logarithmic": block.logarithmic,
                 "across": _ends(axes[0].axis), "range": _ends(axes[1].axis),
                 "inset": [gutter(axes[1].axis.texts)[1], OVER + TOP, 2 * BELOW]}
        return self._figure(block, data, said, scatter(data, axes, groups, _label(block, said)),
                            group_legend(names), extra)

    def heat_map(self, block: b.HeatMap, results: Any) -> Markup:
        """Return a cell for each pair of labels, shaded by its value."""
        data = read_cells(block, self.rows(block, results))
        if not data.known:
            return self._none(block)
        said = [say.of_cells(data)]
        return self._figure(block, data, said, heat_map(data, _label(block, said), WHOLE if self.is_alone else WIDE),
                            cell_scale(data).legend(data.series[0].kind))

    def tree_map(self, block: b.TreeMap, results: Any) -> Markup:
        """Return a rectangle for each row, as large as its share."""
        data = parts_of_whole(read(block, self.rows(block, results)), block.most or MOST_POINTS)
        if not data.known:
            return self._none(block, data)
        names, groups = group_numbers(data)
        said = [say.of_rows(data)]
        return self._figure(block, data, said, tree_map(data, groups, _label(block, said)), group_legend(names),
                            {"groups": names, "group": groups} if names else {})

    def _figure(self, block: b.Chart, data: ChartData, said: Sequence[str], svg: Markup, names: Markup = NOTHING,
                extra: Optional[Mapping[str, Any]] = None, beside: Markup = NOTHING) -> Markup:
        """Return the figure around a drawing, and give its data to the page; `beside` stands next to it."""
        block_id = self.new_id(block)
        kind = _type(block)
        self.data(CHARTS, block_id, {"type": kind, "label": words(block.label), "rest": bool(data.rest),
                                       **as_json(data), **(extra or {})})
        return piece("frame.html", "figure", id=block_id, type=kind, title=_title(block), about=_about(block),
                     message=sentences(said), legend=names, svg=svg, beside=beside,
                     notes=join(piece("frame.html", "note", text=note) for note in data.notes))

    def _none(self, block: b.Chart, data: Optional[ChartData] = None) -> Markup:
        """Return the written state of a chart without values."""
        said = [block.empty or say.NO_VALUES] + (data.notes if data else [])
        self.used.add(CHARTS)
        return piece("frame.html", "none", id=self.new_id(block), title=_title(block), about=_about(block),
                     message=sentences(said))


def _type(block: b.Chart) -> str:
    return "".join("_" + letter.lower() if letter.isupper() else letter for letter in type(block).__name__).strip("_")


def _bound(block: b.Chart, data: ChartData) -> int:
    return min(block.most or MOST_POINTS, MOST_POINTS // max(len(data.series), 1))


def _thinned(data: ChartData, by: Sequence[Series], most: int = 0) -> ChartData:
    """Return at most `most` labels (0: as many as make 1,000 points), with the peaks of the series `by`."""
    places = kept(by, (most or MOST_POINTS // max(len(data.series), 1)) * len(by))
    left = len(data.labels) - len(places)
    return data.take(places).noted(left, "point between the peaks is not drawn.",
                                   "points between the peaks are not drawn.") if left else data


def _known(one: Series) -> List[Decimal]:
    return [value for value in one.values if value is not None]


def _with_expected(data: ChartData, past: int) -> Tuple[ChartData, Dict[int, int]]:
    """Return each series as two, what was and what is expected after it, and which goes on where which ends.

    One that never changes beside others that do (a limit) stays whole.
    """
    gap: List[Optional[Decimal]] = [None]
    changing = [index for index, one in enumerate(data.series) if len(set(one.values)) > 1] or range(len(data.series))
    before, after = list(data.series), []
    for index in changing:
        one = data.series[index]
        before[index] = one._replace(values=one.values[:past] + gap * (len(data.labels) - past))
        after.append(one._replace(name=one.name + ", expected", values=gap * past + one.values[past:]))
    return replace(data, series=before + after), dict(zip(range(len(before), len(before) + len(after)), changing))


def _line_legend(block: b.Lines, data: ChartData, follows: Mapping[int, int]) -> Markup:
    items = [("expected_item" if index in follows else "line_item", stroke(follows.get(index, index)), one.name)
             for index, one in enumerate(data.series)]
    if block.low and block.high:
        items.append(("band_item", "s0", f"{words(block.low)} to {words(block.high).lower()}"))
    return legend(items) if len(items) > 1 else NOTHING


def _lying_json(scale: BarScale) -> Dict[str, Any]:
    """Return the values at both ends of the width, and the pixels left of, over and under the marks."""
    return {"range": scale.ends, "inset": [0, LYING_OVER, 0]}


def _axis_json(axis: ValueAxis) -> Dict[str, Any]:
    return {"range": _ends(axis), "inset": [gutter(axis.texts)[1], TOP, BELOW]}


def _ends(axis: ValueAxis) -> List[Any]:
    return [plain(axis.low), plain(axis.high)]


def _title(block: b.Chart) -> Markup:
    return piece("frame.html", "title", text=_title_text(block))


def _title_text(block: b.Chart) -> str:
    return block.title or words(block.path.rpartition(".")[2]) or words(_type(block))


def _about(block: b.Chart) -> Markup:
    return piece("frame.html", "about", text=block.about) if block.about else NOTHING


def _label(block: b.Chart, said: Sequence[str]) -> Markup:
    """Return the text of a drawing for those who cannot see it: its title and its message."""
    return sentences([_title_text(block) + ".", *said])
