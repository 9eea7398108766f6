"""The BurstGPT traces: seconds from the first day's midnight, model and tokens of each request."""
from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Iterator

from calls.record import SUCCESS, AICall
from calls.values import parse_count
from catalog.usage import Usage
from errors import RecordError, UsageError
from importers.base import Imported, Importer
from importers.fields import FAILED, seconds_ms, value_of
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
        moment = value_of(row, "Timestamp", lambda text: seconds_ms(text, begin))
        given, taken = (value_of(row, name, parse_count) for name in ("Response tokens", "Request tokens"))
        return self.filled(row, f"burstgpt-{line}-{moment}-{taken}-{given}", moment, Usage(taken, given),
                           SUCCESS if given else FAILED, value_of(row, "Elapsed time", _duration, None), given=None)


def _duration(seconds: str) -> int:
    """Read decimal seconds as milliseconds."""
    return parse_count(str(seconds_ms(seconds)))
