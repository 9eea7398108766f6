"""The small drawing in a card: how its figure came about, with a sentence that says the same to who cannot see it."""
from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any, List, Optional

import blocks as b
from generators import chart_words as say
from generators.chart_data import ChartData, label_of, series_of, shortened
from generators.drawing import NOTHING, piece, sentences
from generators.formats import number, show
from generators.line_drawings import spark_columns, spark_line
from generators.page_parts import at, rows_at
from generators.scales import short_time
from generators.templates import Markup
from generators.thinning import kept

TOO_FEW = "No course to draw: fewer than two values are known."
_NONE = "None on any day of the log."
_MOST_POINTS = 200  # more cannot be told apart in a card
_LONGEST = 32  # letters of a label in a caption
_MOST_DAYS = 3660  # a log of more days than that has a wrong date somewhere


def course(card: b.Card, results: Any) -> Markup:
    """Return the drawing of a card's course with its sentence, or why there is none; nothing where none is meant."""
    if not card.spark:
        return NOTHING
    one = card.spark if isinstance(card.spark, b.Course) else _by_day(card.spark, card.title)
    data = _tallied(one, results) if one.tally else _read(one, results)
    known = data.known
    if len(known) < 2:
        return piece("sparkline.svg", "none", text=TOO_FEW)
    if one.tally and not any(known):
        return piece("sparkline.svg", "none", text=sentences([_NONE, *data.notes]))
    said = [say.of_rows(data)] if one.columns else [_of_tally(data)] if one.tally else say.of_lines(data, {})
    places = kept(data.series[:1], _MOST_POINTS)
    values = [None if value is None else float(value) for value in map(data.series[0].values.__getitem__, places)]
    drawn = (spark_columns if one.columns or one.tally else spark_line)(values)
    return piece("sparkline.svg", "spark", shapes=drawn, label=sentences([one.name + ":", *said, *data.notes]),
                 caption=_caption(one, data) if isinstance(card.spark, b.Course) else NOTHING)


def _by_day(spark: str, title: str) -> b.Course:
    path, _, value = spark.rpartition(".")
    return b.Course(path, value, title)


def _read(one: b.Course, results: Any) -> ChartData:
    rows = [row for row in rows_at(results, one.path) if isinstance(row, dict)]
    labels = [label_of(row, one.by) for row in rows]
    return ChartData([raw for raw, _ in labels], [text for _, text in labels],
                     [series_of(rows, b.Column(one.value, kind=one.kind))])


def _tallied(one: b.Course, results: Any) -> ChartData:
    """Return what falls on each day of the log; no day where the log or the rows are unknown."""
    days = _days(at(results, "log.first"), at(results, "log.last")) if at(results, one.path) is not None else []
    sums = dict.fromkeys(days, Decimal(0))
    elsewhere = 0
    for row in rows_at(results, one.path):
        day = str(at(row, one.by))[:10]
        if day in sums:
            sums[day] += number(at(row, one.value)) or 0 if one.value else 1
        else:
            elsewhere += 1
    column = b.Column(one.value, kind=one.kind) if one.value else b.Column("number", kind=b.COUNT)
    data = ChartData(days, days, [series_of([{column.name: sums[day]} for day in days], column)])
    return data.noted(elsewhere, "has no day of its own.", "have no day of their own.")


def _days(first: Optional[str], last: Optional[str]) -> List[str]:
    try:
        begin, end = (date(*map(int, str(time)[:10].split("-"))) for time in (first, last))
    except (TypeError, ValueError):
        return []
    return [(begin + timedelta(days=day)).isoformat() for day in range(min((end - begin).days + 1, _MOST_DAYS))]


def _of_tally(data: ChartData) -> str:
    """Return on how many days something fell, and on which most."""
    one = data.series[0]
    values = [value or Decimal(0) for value in one.values]
    most = values.index(max(values))
    return (f"on {sum(map(bool, values)):,} of {len(values):,} days, most on {data.texts[most]}: "
            f"{show(values[most], one.kind)}.")


def _caption(one: b.Course, data: ChartData) -> Markup:
    """Return what is drawn, and over which time or what is largest, in few words."""
    if one.columns:
        largest = max(zip(data.texts, data.series[0].values), key=lambda pair: pair[1] or Decimal(0))[0]
        return piece("sparkline.svg", "caption", text=f"{one.name}, most: {shortened(largest, _LONGEST)}", time="")
    first, last = (short_time(label) for label in (data.labels[0], data.labels[-1]))
    return piece("sparkline.svg", "caption", text=one.name + ", ", time=f"{first}\u2013{last}")
