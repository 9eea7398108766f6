"""The tables of a report as CSV: all rows, under the names that the page's own downloads have."""
from __future__ import annotations

import csv
import io
from typing import Any, Dict, List, Mapping, Sequence, Tuple, Union

import blocks as b
from calls.values import guarded_cell
from generators.formats import number
from generators.generic import page_of
from generators.page_parts import rows_at
from generators.tables import DrawnColumn, drawn_columns


def csv_tables(report: Any, results: Mapping[str, Any]) -> Dict[str, str]:
    """Return the tables of a report by file name, each as CSV with a header, safe to open in a spreadsheet.

    Unknown values are empty cells; a text that a spreadsheet would run as a formula gets an apostrophe before it.
    """
    named: Dict[str, Dict[str, Union[b.Column, str]]] = {}
    for block in b.walk(page_of(report, results)):
        if isinstance(block, b.Table):  # two tables of a page may show different columns of the same rows
            named.setdefault(block.path, {}).update((one if isinstance(one, str) else one.name, one)
                                                    for one in block.columns)
    return {f"{report.id}-{path}.csv": _as_csv(*_table(b.Table(path, columns=tuple(columns.values())), results))
            for path, columns in named.items()}


def _table(block: b.Table, results: Mapping[str, Any]) -> Tuple[Sequence[str], List[Sequence[str]]]:
    """Return the names of the columns and the cells, row by row."""
    columns = drawn_columns(block, rows_at(results, block.path))
    if not columns:  # a table without rows has the columns that its page names
        return [one if isinstance(one, str) else one.name for one in block.columns], []
    cells = [[_cell(column, value) for value in column.values] for column in columns]
    return [column.name for column in columns], list(zip(*cells))


def _cell(column: DrawnColumn, value: Any) -> str:
    if value is None:
        return ""
    is_number = column.is_numeric and number(value) is not None
    return str(value) if is_number else guarded_cell(str(value))


def _as_csv(names: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([[guarded_cell(name) for name in names], *rows])
    return text.getvalue()
