"""The BurstGPT traces: seconds from the first day's midnight, model and tokens of each request."""
from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Iterator

from calls.record import SUCCESS, AICall
from calls.values import parse_count, parse_nano
from catalog.usage import Usage
from errors import RecordError, UsageError
from importers.base import Imported, Importer
from importers.fields import FAILED, value_of
from importers.reading import Row, head_fields

_EPOCH_DAY = date(1970, 1, 1).toordinal()
_MS_PER_DAY = 86_400_000


class BurstGPTImporter(Importer):
    """Timestamp, Model, Request tokens, Response tokens as CSV; the trace has no date, so that one must be given."""

    id = "burstgpt"
    title = "BurstGPT trace"
    description = "CSV of Timestamp, Model, Request tokens, Response tokens; --start gives its first day"
    columns = ("Timestamp", "Model", "Request tokens", "Response tokens")
    own = {"model": "Model", "feature_id": "Log Type"}

    @classmethod
    def recognises(cls, head: bytes) -> bool:
        """Tell the format by its columns."""
        return set(cls.columns) <= head_fields(head)

    def calls(self, path: Path) -> Iterator[Imported]:
        """Yield a call a row; its id is made of line, time and tokens, so that a second import repeats it."""
        if self.start is None:
            raise UsageError(f"{path} counts seconds from a first day that it does not name: give it with --start "
                             "YYYY-MM-DD")
        begin = (self.start.toordinal() - _EPOCH_DAY) * _MS_PER_DAY
        for line, row in self.rows(path):
            try:
                yield line, row if isinstance(row, RecordError) else self._call(line, begin, row)
            except RecordError as error:
                yield line, error

    def _call(self, line: int, begin: int, row: Row) -> AICall:
        after = value_of(row, "Timestamp", _milliseconds)
        given, taken = (value_of(row, name, parse_count) for name in ("Response tokens", "Request tokens"))
        return self.filled(row, f"burstgpt-{line}-{begin + after}-{taken}-{given}", begin + after,
                           Usage(taken, given), SUCCESS if given else FAILED,
                           value_of(row, "Elapsed time", _milliseconds, None), given=None)


def _milliseconds(seconds: str) -> int:
    """Read decimal seconds; amounts of dollars are read to nine places, and so can seconds be."""
    return parse_nano(seconds) // 1_000_000
