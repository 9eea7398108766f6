"""The Azure LLM inference traces: time, prompt tokens and generated tokens of each request, and nothing else."""
from __future__ import annotations

import csv
from pathlib import Path
from typing import Iterator, List

from calls.record import SUCCESS, AICall
from calls.values import BadValue, parse_count, parse_timestamp
from errors import RecordError
from importers.base import Imported, Importer

COLUMNS = ("TIMESTAMP", "ContextTokens", "GeneratedTokens")


class AzureTraceImporter(Importer):
    """TIMESTAMP, ContextTokens, GeneratedTokens as CSV; model and business fields come from options."""

    id = "azure_llm_trace"
    title = "Azure LLM inference trace"
    description = "CSV of TIMESTAMP, ContextTokens, GeneratedTokens; latency is not known"

    @classmethod
    def recognises(cls, head: bytes) -> bool:
        """Tell the format by its three column names."""
        return head.lstrip(b"\xef\xbb\xbf").startswith(",".join(COLUMNS).encode("ascii"))

    def calls(self, path: Path) -> Iterator[Imported]:
        """Yield a call a row; its id is made of line, time and tokens, so that a second import repeats it."""
        with self.opened(path) as handle:
            rows = csv.reader(handle)
            next(rows, None)
            for row in rows:
                try:
                    yield rows.line_num, self._call(rows.line_num, row)
                except RecordError as error:
                    yield rows.line_num, error

    def _call(self, line: int, row: List[str]) -> AICall:
        if len(row) < len(COLUMNS):
            raise RecordError("row", f"has {len(row)} fields instead of {len(COLUMNS)}")
        values: List[int] = []
        for name, read, text in zip(COLUMNS, (parse_timestamp, parse_count, parse_count), row):
            try:
                values.append(read(text))
            except BadValue as error:
                raise RecordError(name, str(error), error.kind) from None
        moment, taken, given = values
        return self.call(f"azure-{line}-{moment}-{taken}-{given}", moment, taken, given, SUCCESS)
