"""Questions to the counts: which dimensions, which filters, which form; and the answer as JSON or CSV.

A question is checked before it reaches the counts, so that what cannot be answered is told at once.
"""
from __future__ import annotations

import csv
import io
import re
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from app.messages import CSV_TYPE, JSON_TYPE, json_bytes
from calls.values import BadValue, format_nano, guarded_cell, parse_nano
from rollup.cubes import CUBES, DIMENSIONS, Measures
from rollup.dataset import Dataset

JSON, CSV = FORMS = ("json", "csv")
DEFAULT_ROWS, MOST_ROWS = 10_000, 50_000
MEASURES = ("calls", "failed", "unpriced", "untimed", "input_tokens", "output_tokens", "mean_latency_ms", "cost_usd")


class Question(NamedTuple):
    """What is asked: dimensions, texts that each filtered dimension may have, form, and rows at most."""

    by: Tuple[str, ...]
    where: Mapping[str, Tuple[str, ...]]
    form: str
    limit: int


class Answer(NamedTuple):
    """The body of an answer and its type."""

    body: bytes
    content_type: str


def parse_question(by: str, where: Sequence[str], form: str, limit: str) -> Question:
    """Read a request's texts; raises ValueError for what is written wrongly, LookupError for what is not counted."""
    dimensions = tuple(one.strip() for one in by.split(",") if one.strip())
    filters: Dict[str, Tuple[str, ...]] = {}
    for one in where:
        name, colon, text = one.partition(":")
        if not colon:
            raise ValueError("where is written as dimension:text, like where=provider:openai")
        filters[name] = filters.get(name, ()) + (_stored(name, text),)
    _check(dimensions, filters)
    if form not in FORMS:
        raise ValueError(f"format is one of {', '.join(FORMS)}")
    if not re.fullmatch(r"[0-9]{1,9}", limit) or not 1 <= int(limit) <= MOST_ROWS:
        raise ValueError(f"limit is a whole number from 1 to {MOST_ROWS}")
    return Question(dimensions, filters, form, int(limit))


def answer(question: Question, dataset: Dataset) -> Answer:
    """Ask the counts."""
    groups = dataset.rollup.by(*question.by, where=question.where)
    rows = [[_shown(name, text) for name, text in zip(question.by, group.key)] + _measured(group.measures)
            for group in groups[:question.limit]]
    columns = list(question.by + MEASURES)
    if question.form == CSV:
        return Answer(_as_csv(columns, rows), CSV_TYPE)
    log = {"name": dataset.path.name, "bytes": dataset.size, "calls": dataset.rollup.total().calls}
    return Answer(json_bytes({
        "by": question.by, "where": question.where, "log": log, "total_rows": len(groups),
        "truncated": len(groups) > len(rows), "rows": [dict(zip(columns, row)) for row in rows]}), JSON_TYPE)


def _check(dimensions: Sequence[str], filters: Mapping[str, Any]) -> None:
    asked = list(dimensions) + [one for one in filters if one not in dimensions]
    if not dimensions:
        raise ValueError(f"by needs at least one of {', '.join(DIMENSIONS)}")
    if len(set(dimensions)) < len(dimensions):
        raise ValueError("by names a dimension twice")
    unknown = [one for one in asked if one not in DIMENSIONS]
    if unknown:
        raise ValueError(f"there is no dimension {unknown[0][:40]!r}; there are: {', '.join(DIMENSIONS)}")
    if not any(set(asked) <= set(cube.dimensions) for cube in CUBES):
        raise LookupError(f"{', '.join(asked)} are not counted together; counted are: "
                         + "; ".join(", ".join(cube.dimensions) for cube in CUBES))


def _stored(name: str, text: str) -> str:
    """Return a filter's text as the counts hold it: a tier's price is held in nano-dollars."""
    if name != "tier_price":
        return text
    try:
        return str(parse_nano(text))
    except BadValue as error:
        raise ValueError(f"tier_price {error}") from None


def _shown(name: str, text: str) -> str:
    return format_nano(int(text)) if name == "tier_price" else text


def _measured(one: Measures) -> List[Any]:
    """Return the measures in their order; what no call of the group knew is None."""
    latency: Optional[float] = round(one.latency_ms / one.timed, 3) if one.timed else None
    cost = None if one.unpriced == one.calls else format_nano(one.cost_nano)
    return [one.calls, one.failed, one.unpriced, one.untimed, one.input_tokens, one.output_tokens, latency, cost]


def _as_csv(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(columns)
    texts = len(columns) - len(MEASURES)
    for row in rows:
        writer.writerow([guarded_cell(one) for one in row[:texts]] + list(row[texts:]))  # None: an empty cell
    return text.getvalue().encode("utf-8", "backslashreplace")
