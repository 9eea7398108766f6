"""The block that is a table: its first rows as markup, and all that the page carries as data for its script."""
from __future__ import annotations

import math
import re
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Dict, Iterable, List, Mapping, NamedTuple, Optional, Sequence, Set

import blocks as b
from generators.formats import NUMERIC, full, kind_of, number, show, words
from generators.page_parts import TABLES, anchor, at
from generators.templates import Markup, join, parts
from generators.text_blocks import TextBlocks, heading

FIRST_ROWS = 10  # that stand in the markup, and on each sheet that the script turns
LONGEST_CARRIED = 1000  # characters of a text that a page carries; the JSON file holds all
LONG_TEXT, SHORT_NAME = 60, 28  # characters of a text that needs room, and of a name that is not broken
_VALUE = "value"  # the name of the only column of rows that are single values
_EXACT_UP_TO = 2 ** 53  # whole numbers beyond are read inexactly by scripts
_NESTED = (Mapping, list, tuple)
_TONE = re.compile(r"[A-Za-z0-9_-]+")
_NOTHING = Markup("")


class DrawnColumn(NamedTuple):
    """A column as it is drawn: its name, title and kind, its values row by row, and for bars their largest size.

    `look` is the class of its cells.
    """

    name: str
    title: str
    kind: str
    values: List[Any]
    largest: Optional[Decimal]
    look: str = ""

    @property
    def word(self) -> str:
        """What its values are: the end of a name that is a path."""
        return _last(self.name)

    @property
    def is_numeric(self) -> bool:
        """Whether its values stand to the right."""
        return self.kind in NUMERIC


class TableBlocks(TextBlocks):
    """Draws tables."""

    def begin(self, report: str, homes: Mapping[str, str]) -> None:
        """Begin the page of a report, on which no row has an id yet."""
        super().begin(report, homes)
        self._keys: Set[str] = set()

    def table(self, block: b.Table, results: Any) -> Markup:
        """Return rows as a table with its first ones, and put all that the page carries into the page's data."""
        found = self.rows(block, results)
        carried = found[:block.most] if block.most else found
        columns = drawn_columns(block, carried)
        if not columns:
            return self.empty(block)
        key = next((one for one in columns if one.name == block.key and block.key not in self._keys), None)
        self._keys.update([key.name] if key else [])
        block_id = self.new_id(block)
        links = [self._links(column, block) for column in columns]
        ids = _row_ids(key) if key else []
        self.data(TABLES, block_id, _data(block.path or block_id, columns, links, key, len(found)))
        count = min(FIRST_ROWS, len(carried))
        rows = (_row(columns, links, index, ids[index] if ids else None) for index in range(count))
        return _part("table", id=block_id, heading=heading(block), caption=block.title or words(_last(block.path)),
                     heads=join(_part("head", look=_look(one), title=one.title) for one in columns),
                     rows=join(rows), note=_note(count, len(carried), len(found)))

    def _links(self, column: DrawnColumn, block: b.Table) -> List[Optional[str]]:
        """Return where each value's row stands; none for the ids that this table itself is the home of."""
        first = next((self.link(column.word, one) for one in column.values if one is not None), None)
        if first is None or column.name == block.key and first.startswith("#"):
            return []
        return [self.link(column.word, one) for one in column.values]


def drawn_columns(block: b.Table, rows: Sequence[Any]) -> List[DrawnColumn]:
    """Return the columns that a block names, or all that its rows have, with their values; none without rows."""
    if not rows:
        return []
    records = [row if isinstance(row, Mapping) else {_VALUE: row} for row in rows]
    named = block.columns or tuple(dict.fromkeys(name for record in records for name in record))
    return [_drawn(b.Column(one) if isinstance(one, str) else one, records) for one in named]


def _drawn(column: b.Column, records: Sequence[Mapping[str, Any]]) -> DrawnColumn:
    found = [one[column.name] if column.name in one else at(one, column.name) for one in records]
    values = [_carried(one) for one in found]
    is_nested = any(isinstance(one, _NESTED) for one in found)
    kind = column.kind or (b.TEXT if is_nested else _kind(_last(column.name), values))
    if kind not in NUMERIC and kind != b.YES_NO:
        values = [one if one is None else _bounded(show(one)) for one in values]
    values = [str(one) if isinstance(one, int) and abs(one) > _EXACT_UP_TO else one for one in values]
    sizes = [abs(one) for one in map(number, values) if one is not None] if column.bar else []
    return DrawnColumn(column.name, column.title or words(_last(column.name)), kind, values, max(sizes, default=None),
                       _look_of(kind, values))


def _look_of(kind: str, values: Sequence[Any]) -> str:
    """Return the class of cells: figures to the right, times and short names on one line, room for long texts."""
    if kind in NUMERIC:
        return "number"
    if kind in (b.DAY, b.TIME):
        return "when"
    texts = [one for one in values if isinstance(one, str)] if kind == b.TEXT else []
    longest = max(map(len, texts), default=0)
    is_name = 0 < longest <= SHORT_NAME and " " not in "".join(texts)
    return "prose" if longest > LONG_TEXT else "name" if is_name else ""


def _carried(value: Any) -> Any:
    """Return a value as the JSON file holds it, so that results from there and from memory give the same page."""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, _NESTED):
        return _bounded(show(value))
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _bounded(text: str) -> str:
    return text if len(text) <= LONGEST_CARRIED else text[:LONGEST_CARRIED - 1] + "\u2026"


def _kind(name: str, values: Iterable[Any]) -> str:
    """Return the kind that all values of a column have, or the one that can show them all."""
    samples = {type(one): one for one in values if one is not None}
    kinds = {kind_of(name, one) for one in samples.values()}
    if kinds == {b.COUNT, b.NUMBER}:
        return b.NUMBER
    kind = kinds.pop() if len(kinds) == 1 else b.TEXT if kinds else kind_of(name)
    numeric_texts = kind in NUMERIC and str in samples
    return b.TEXT if numeric_texts and any(one is not None and number(one) is None for one in values) else kind


def _row_ids(key: DrawnColumn) -> List[Optional[str]]:
    """Return the element id of each row; of rows with the same id the first has it."""
    seen: Set[str] = set()
    ids: List[Optional[str]] = []
    for value in key.values:
        name = None if value is None else anchor(key.word, value)
        ids.append(None if name in seen else name)
        seen.update([name] if name else [])
    return ids


def _data(name: str, columns: Sequence[DrawnColumn], links: Sequence[Sequence[Optional[str]]],
          key: Optional[DrawnColumn], total: int) -> Dict[str, Any]:
    """Return the table for the page's script: its columns with all their values, its row ids, its whole length."""
    data: Dict[str, Any] = {"name": name, "total": total, "sheet": FIRST_ROWS,
                            "columns": [_column_data(*pair) for pair in zip(columns, links)]}
    if key:
        data["ids"] = dict(_by_prefix(key.values, _row_ids(key), f"{key.word}-"), column=columns.index(key))
    return data


def _column_data(column: DrawnColumn, links: Sequence[Optional[str]]) -> Dict[str, Any]:
    data: Dict[str, Any] = {"name": column.name, "title": column.title, "kind": column.kind, "values": column.values}
    if column.largest is not None:
        data["largest"] = column.largest
    if column.look:
        data["look"] = column.look
    if links:
        first = next(one for one in links if one is not None)
        data["links"] = _by_prefix(column.values, links, first[:first.index("#") + 1] + f"{column.word}-")
    return data


def _by_prefix(values: Sequence[Any], names: Sequence[Optional[str]], prefix: str) -> Dict[str, Any]:
    """Return names as a prefix to the values, and by row those that are not (null: none)."""
    odd = {str(row): name for row, (value, name) in enumerate(zip(values, names))
           if name != (None if value is None else f"{prefix}{value}")}
    return {"prefix": prefix, "odd": odd}


def _row(columns: Sequence[DrawnColumn], links: Sequence[Sequence[Optional[str]]], row: int,
         row_id: Optional[str]) -> Markup:
    cells = Markup("".join(_cell(place, column, column.values[row], links[place][row] if links[place] else None)
                           for place, column in enumerate(columns)))
    return _part("row", cells=cells) if row_id is None else _part("row_of", id=row_id, cells=cells)


def _cell(place: int, column: DrawnColumn, value: Any, href: Optional[str]) -> Markup:
    text = show(value, column.kind)
    digits = full(value, column.kind)
    return _part("cell" if place else "first", look=_look(column), value=_written(column, value, text, href),
                 full=_part("full", full=digits) if digits and digits != text else _NOTHING)


def _written(column: DrawnColumn, value: Any, text: str, href: Optional[str]) -> Any:
    """Return what a cell holds: the text, linked, coloured, muted or with its bar."""
    if value is None:
        return _part("unknown", text=text)
    if column.kind == b.BADGE:
        return _part("badge", tone=tone(column.word, text), text=text.replace("_", " "))
    if column.largest:
        return _bar(text, number(value), column.largest)
    return _part("link", href=href, text=text) if href else text


def _bar(text: str, exact: Optional[Decimal], largest: Decimal) -> Any:
    if exact is None:
        return text
    width = (abs(exact) / largest * 100).quantize(Decimal("0.1"), ROUND_HALF_UP)
    return _part("bar_below" if exact < 0 else "bar", value=text, width=width)


def tone(name: str, text: str) -> str:
    """Return the class of a badge: only severities are coloured as such; a high confidence is no alarm."""
    word = text if _TONE.fullmatch(text) else "other"
    return f"severity-{word}" if name.endswith("severity") else f"is-{word}"


def _note(shown: int, carried: int, total: int) -> Markup:
    """Return how many rows are not there, and where they are."""
    if shown == total:
        return _NOTHING
    text = "The first {:,} of {:,} rows; the results as JSON hold all."
    return _part("note", text=text.format(shown, total), carried=text.format(carried, total))


def _look(column: DrawnColumn) -> Markup:
    return _part("look", look=column.look) if column.look else _NOTHING


def _last(path: str) -> str:
    return path.rpartition(".")[2]


def _part(which: str, **values: Any) -> Markup:
    return parts("table.html")[which].fill(**values)
