"""The calls as CSV that a spreadsheet can open: texts that would be formulas are made harmless."""
from __future__ import annotations

import csv
from types import SimpleNamespace
from typing import Any, Iterator, List

from calls.record import FIELDS, AICall
from calls.values import guarded_cell
from exporters.base import Choice, Exporter
from rollup.dataset import Dataset

_TEXTS = frozenset(FIELDS.index(name) for name in FIELDS if name not in (
    "timestamp", "input_tokens", "output_tokens", "total_tokens", "cost_usd", "latency_ms", "tier_price_usd"))
_ROWS = 1000  # in one piece


class CallRowsExporter(Exporter):
    """The 19 fields as they stand in the log, bad and repeated rows left out."""

    id = "csv"
    title = "Calls as CSV"
    description = "the 19 fields; a text that a spreadsheet would take for a formula begins with an apostrophe"

    def lines(self, dataset: Dataset, choice: Choice) -> Iterator[str]:
        """Yield header and rows."""
        rows: List[List[str]] = [list(FIELDS)]
        for call in self.wanted_calls(dataset, choice):
            rows.append(_guarded(call))
            if len(rows) == _ROWS:
                yield csv_text(rows)
                rows = []
        yield csv_text(rows)


def csv_text(rows: List[List[str]]) -> str:
    """Return rows as CSV lines."""
    lines: List[str] = []
    # Python quotes a carriage return only where the end of lines holds one; bare it would end a row for readers.
    text: Any = SimpleNamespace(write=lambda line: lines.append(line[:-2] + "\n"))
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return "".join(lines)


def _guarded(call: AICall) -> List[str]:
    return [guarded_cell(text) if place in _TEXTS else text for place, text in enumerate(call.to_row())]
