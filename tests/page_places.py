"""The places in results that pages name, for the tests that hold pages against what is there."""
from __future__ import annotations

from dataclasses import replace
from typing import Any, Iterator, NamedTuple

import blocks as b
from generators.formats import number
from generators.page_parts import at


class Named(NamedTuple):
    """A place that a page names: a path, and a column of the rows there ("": what stands at the path)."""

    path: str
    column: str = ""
    is_number: bool = False


def named(block: Any) -> Iterator[Named]:
    """Yield all places that a block (not those inside it) or a card names."""
    if isinstance(block, b.Card):
        yield from (Named(path) for path in (block.path, block.change, block.low, block.high) if path)
        if isinstance(block.spark, b.Course):
            yield Named(block.spark.path, block.spark.by)
            yield Named(block.spark.path, block.spark.value, is_number=bool(block.spark.value))
        elif block.spark:
            yield Named(*block.spark.rpartition(".")[::2], is_number=True)
    elif isinstance(block, b.Cards):
        for card in block.cards:
            yield from named(card if not block.path else replace(card, path=f"{block.path}.{card.path}"))
    elif isinstance(block, b.CardRows):
        yield Named(block.path, block.name)
        yield from (Named(f"{block.path}.0.{place.path}", *place[1:]) for place in named(block.card))
    elif isinstance(block, b.Table):
        yield from (Named(block.path, name) for name in [*map(name_of, block.columns), block.key])
    elif isinstance(block, b.Facts):
        yield from (Named(f"{block.path}.{name}".strip(".")) for name in map(name_of, block.names))
    elif isinstance(block, b.Comparison):
        yield from (Named(f"{block.path}.{path}".strip(".")) for row in block.rows for path in row[1:])
    elif isinstance(block, b.Alerts):
        yield from (Named(block.path, name) for name in (block.severity, block.value))
    elif isinstance(block, b.Chart):
        yield from named_by_chart(block)
    elif not isinstance(block, (b.Section, b.Recommendations)):
        yield Named(block.path)


def named_by_chart(block: b.Chart) -> Iterator[Named]:
    """Yield what a chart names."""
    yield Named(block.path)
    texts = [*block.label.split(), getattr(block, "group", ""), getattr(block, "across", "")]
    yield from (Named(block.path, name) for name in texts if name)
    yield from (Named(block.path, name_of(one), True) for one in block.values if block.label)
    if isinstance(block, b.Lines):
        rows = block.then or block.path
        yield from (Named(rows, name, True) for name in (block.low, block.high) if name)
        if block.then:
            yield from (Named(rows, name) for name in block.label.split())


def name_of(column: Any) -> str:
    return column if isinstance(column, str) else str(column.name)


def is_there(place: Named, results: Any) -> bool:
    """Tell whether results hold something at a place: a number where it has to be one."""
    found = at(results, place.path)
    if not place.column:
        return found is not None and found not in ("", [], {})
    rows = found if isinstance(found, list) else [found]
    values = [row[place.column] if isinstance(row, dict) and place.column in row else at(row, place.column)
              for row in rows]
    return any(value is not None and (not place.is_number or isinstance(value, list) or number(value) is not None)
               for value in values)
