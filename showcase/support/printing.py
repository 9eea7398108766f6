"""Results as text on a terminal: the tables that pages are described by, with values written as pages write them."""
from __future__ import annotations

from typing import Any, List, Mapping, Sequence

import blocks as b
from generators.files import as_json
from generators.formats import show, words
from generators.page_parts import rows_at
from generators.tables import DrawnColumn, drawn_columns

LINES = 12  # of a table; all are in the JSON


def told(results: Mapping[str, Any], tables: Sequence[b.Table], in_json: bool) -> str:
    """Return results as JSON, or as the headline they have and some of their tables."""
    if in_json:
        return as_json(results).rstrip()
    return "\n\n".join([results["headline"], *(text_table(table, results) for table in tables)])


def text_table(table: b.Table, results: Mapping[str, Any]) -> str:
    """Return a table's title and its first rows in columns; numbers stand to the right."""
    rows = rows_at(results, table.path)
    title = table.title or words(table.path)
    if not rows:
        return f"{title}\n  {table.empty or 'nothing'}"
    most = table.most or LINES
    columns = [_column(one) for one in drawn_columns(table, rows[:most])]
    lines = ["  " + "  ".join(cells).rstrip() for cells in zip(*columns)]
    more = [f"  ... and {len(rows) - most:,} more"] if len(rows) > most else []
    return "\n".join([title, *lines, *more])


def _column(column: DrawnColumn) -> List[str]:
    texts = [column.title] + [show(value, column.kind) for value in column.values]
    width = max(map(len, texts))
    return [text.rjust(width) if column.is_numeric else text.ljust(width) for text in texts]
