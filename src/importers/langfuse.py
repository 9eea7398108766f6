"""Langfuse: exported observations, of which generations are calls."""
from __future__ import annotations

import re
from typing import Dict, Tuple, Union

from calls.record import SUCCESS, AICall
from calls.values import parse_count
from catalog.usage import Usage
from errors import RecordError
from importers.base import Importer, Skipped
from importers.fields import FAILED, elapsed_ms, moment, nano_of, plain, value_of, word_of
from importers.reading import Row, head_fields, opened

_CAPITAL = re.compile(r"(?<!^)([A-Z])")
_WRITTEN = ("cache_creation_input_tokens", "input_cache_creation", "input_cache_write_tokens",
            "input_cache_creation_5m", "cache_creation_input_tokens_5m")
_WRITTEN_1H = ("input_cache_creation_1h", "cache_creation_input_tokens_1h")
_READ = ("input_cached_tokens", "cache_read_input_tokens", "input_cache_read", "input_cache_read_tokens")


class LangfuseImporter(Importer):
    """One generation a call. Latency is the time between start and end: the column `latency` changed its unit."""

    id = "langfuse"
    title = "Langfuse observations export"
    description = "observations as CSV or JSON; generations are calls, customers user_id, features trace_name"
    columns = ("id", "type", "start_time", "usage_details")
    own = {"customer_id": "user_id", "product_id": "project_id", "feature_id": "trace_name",
           "environment": "environment", "model": "provided_model_name"}

    @classmethod
    def recognises(cls, head: bytes) -> bool:
        """Tell the format by its columns, in the spelling of exports or of the API."""
        return {"id", "type", "start_time", "usage_details"} <= {_snake(name) for name in head_fields(head)}

    def read(self, row: Row) -> Union[AICall, Skipped]:
        """Return the call of a generation."""
        row = {_snake(name): value for name, value in row.items()}
        kind = word_of(row, "type")
        if kind.upper() != "GENERATION":
            return Skipped(f"type is {kind}, not GENERATION")
        total = nano_of(row, "total_cost")
        return self.filled(
            row, word_of(row, "id"), value_of(row, "start_time", moment), _usage(opened(row.get("usage_details"))),
            FAILED if plain(row.get("level")).upper() == "ERROR" else SUCCESS,
            elapsed_ms(row, "start_time", "end_time"),
            given=nano_of(row, "cost_details.total") if total is None else total)


def _snake(name: str) -> str:
    return _CAPITAL.sub(r"_\1", name).lower()


def _usage(detail: Row) -> Usage:
    """Return disjoint counts: whether input and output include their parts is told from the total."""
    counts = {name: value_of(detail, name, parse_count, 0) for name in detail}
    total = counts.pop("total", None)
    fresh, output = counts.pop("input", 0), counts.pop("output", 0)
    read, written, written_1h = (_taken(counts, names) for names in (_READ, _WRITTEN, _WRITTEN_1H))
    cached = read + written + written_1h
    more_in = sum(count for name, count in counts.items() if name.startswith("input"))
    more_out = sum(counts.values()) - more_in
    beside_in, beside_out = _beside(total, fresh + output, cached + more_in, more_out)
    if beside_in:
        fresh += more_in
    else:
        fresh -= cached
    if fresh < 0:
        raise RecordError("usage_details", "has more cached tokens than input tokens")
    return Usage(fresh, output + (more_out if beside_out else 0), read, written, written_1h)


def _beside(total: object, plain_sum: int, more_in: int, more_out: int) -> Tuple[bool, bool]:
    """Tell whether parts of input and of output are counted beside them, by which sum makes the total."""
    if not more_in and not more_out:
        return True, True
    for beside_in, beside_out in ((True, True), (False, False), (True, False), (False, True)):
        if total == plain_sum + more_in * beside_in + more_out * beside_out:
            return beside_in, beside_out
    raise RecordError("usage_details", "has a total from which its parts cannot be told" if total is not None else
                      "has no total to tell from whether input includes cached tokens")


def _taken(counts: Dict[str, int], names: Tuple[str, ...]) -> int:
    return sum(counts.pop(name, 0) for name in names)
