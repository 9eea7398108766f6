"""The calls as CSV that a spreadsheet can open: texts that would be formulas are made harmless."""
from __future__ import annotations

import csv
import io
from types import SimpleNamespace
from typing import Iterator, List

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
    """Return rows as CSV lines.

    The writer is to end lines by CR LF, since older Pythons quote only cells that hold a character of the line's end.
    """
    text = io.StringIO()
    ended = SimpleNamespace(write=lambda line: text.write(line[:-2] + "\n"))
    csv.writer(ended).writerows(rows)
    return text.getvalue()


def _guarded(call: AICall) -> List[str]:
    return [guarded_cell(text) if place in _TEXTS else text for place, text in enumerate(call.to_row())]
