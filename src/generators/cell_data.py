"""The cells of a heat map: a label across and a label down for each value."""
from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any, Dict, List, Mapping, Optional, Sequence

import blocks as b
from generators.chart_data import ChartData, Series, exact, kind_for, label_of, read
from generators.formats import words
from generators.page_parts import at
from generators.thinning import MOST_POINTS

MOST_COLUMNS = 100


def read_cells(block: b.HeatMap, rows: Sequence[Any]) -> ChartData:
    """Return rows of cells, the columns as series; at most 1,000 cells."""
    found = [row for row in rows if isinstance(row, Mapping)]
    columns = [b.Column(column) if isinstance(column, str) else column for column in block.values]
    lists = [columns[0]] if columns and any(_listed(at(row, columns[0].name)) for row in found) else []
    if lists:
        data = _of_lists(block, found, lists[0])
    elif block.across and columns:
        data = _of_pairs(block, found, columns[0])
    else:  # a column of cells for each column of values
        data = read(block, rows)
    return _bounded(data)


def _listed(value: Any) -> bool:
    return isinstance(value, (list, tuple))


def _of_lists(block: b.HeatMap, rows: Sequence[Mapping[str, Any]], column: b.Column) -> ChartData:
    """Return a cell for each value of the lists, numbered from 0 behind what `across` calls them."""
    lists = [list(at(row, column.name) or ()) for row in rows]
    kind = kind_for(column, next((value for one in lists for value in one if exact(value) is not None), None))
    name = words(block.across) + " " if block.across else ""
    series = [Series(f"{name}{place}", kind, [exact(one[place]) if place < len(one) else None for one in lists])
              for place in range(max(map(len, lists), default=0))]
    labels = [label_of(row, block.label) for row in rows]
    return ChartData([raw for raw, _ in labels], [text for _, text in labels], series)


def _of_pairs(block: b.HeatMap, rows: Sequence[Mapping[str, Any]], column: b.Column) -> ChartData:
    """Return a cell for each pair; of several rows of one pair the first counts, and a note tells of the others."""
    cells: Dict[str, Dict[str, Optional[Decimal]]] = {}
    texts: Dict[str, str] = {}
    across: Dict[str, str] = {}
    double = 0
    for row in rows:
        (down, text), (over, head) = label_of(row, block.label), label_of(row, block.across)
        texts.setdefault(down, text)
        across.setdefault(over, head)
        line = cells.setdefault(down, {})
        double += over in line
        line.setdefault(over, exact(at(row, column.name)))
    known = (at(row, column.name) for row in rows if exact(at(row, column.name)) is not None)
    kind = kind_for(column, next(known, None))
    series = [Series(head, kind, [cells[down].get(over) for down in texts]) for over, head in across.items()]
    data = ChartData(list(texts), list(texts.values()), series)
    name = (column.title or words(column.name)).lower()
    return data.noted(double, f"further {name} of a cell that has one is left out.",
                      f"further values of {name}, of cells that have one, are left out.")


def _bounded(data: ChartData) -> ChartData:
    """Return at most 1,000 cells: neighbours become one cell with their highest value, so that peaks survive."""
    columns = _groups(len(data.series), MOST_COLUMNS)
    if len(columns) < len(data.series):
        series = [_highest_of([data.series[place] for place in group]) for group in columns]
        data = replace(data, series=series).noted(len(columns[0]), "columns share a cell, which shows their highest.")
    rows = _groups(len(data.labels), max(MOST_POINTS // max(len(data.series), 1), 1))
    if len(rows) == len(data.labels):
        return data
    series = [one._replace(values=[_highest([one.values[place] for place in group]) for group in rows])
              for one in data.series]
    texts = [_span(data.texts[group[0]], data.texts[group[-1]]) for group in rows]
    folded = replace(data, labels=[data.labels[group[0]] for group in rows], texts=texts, series=series)
    return folded.noted(len(rows[0]), "rows share a cell, which shows their highest.")


def _groups(count: int, most: int) -> List[range]:
    size = max(-(-count // most), 1)
    return [range(begin, min(begin + size, count)) for begin in range(0, count, size)]


def _highest(values: Sequence[Optional[Decimal]]) -> Optional[Decimal]:
    return max((value for value in values if value is not None), default=None)


def _highest_of(columns: Sequence[Series]) -> Series:
    return columns[0]._replace(name=_span(columns[0].name, columns[-1].name),
                               values=[_highest(values) for values in zip(*(one.values for one in columns))])


def _span(first: str, last: str) -> str:
    return first if first == last else f"{first} \u2013 {last}"
