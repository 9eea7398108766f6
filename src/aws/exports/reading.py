"""Reading one file of a cost export: opened plain or unzipped, told by its header, row after row."""
from __future__ import annotations

import csv
import gzip
import io
import os
import zlib
from collections import Counter
from contextlib import contextmanager
from typing import IO, Callable, Counter as Counts, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple, cast

from aws.charges import Charge
from aws.exports.base import Format, discover_formats
from aws.exports.copies import Sketch
from errors import AwsError, RecordError, explain_os_error

_GZIP, _PARQUET, _ZIP = b"\x1f\x8b", b"PAR1", b"PK\x03\x04"
_REFUSED = {
    _PARQUET: "is Parquet, which needs more than the standard library: choose CSV (text/csv, gzip) as the format of "
              "the export, or write it as CSV with a tool such as DuckDB",
    _ZIP: "is a ZIP archive: unpack it and give the CSV in it, or choose gzip as the compression of the export"}
_MOST_CHARACTERS = 1 << 20  # of a cell
_STEP = 8192  # rows between two reports of progress


class Export(NamedTuple):
    """A file whose header is known."""

    path: str
    format: Format
    header: Sequence[str]


class Faults:
    """Rows that were set aside, by reason; the first of each is named."""

    def __init__(self) -> None:
        """Begin without any."""
        self.counts: Counts[str] = Counter()
        self._first: Dict[str, str] = {}

    def add(self, reason: str, path: str, line: int, rows: int = 1) -> None:
        """Count a row, or what stands in for more of them."""
        self.counts[reason] += rows
        self._first.setdefault(reason, f"{os.path.basename(path)}, line {line}")

    def notes(self) -> List[str]:
        """Return a sentence for each reason."""
        return [f"{count:,} row{'s' if count > 1 else ''} set aside, which no sum holds: {reason} "
                f"(first: {self._first[reason]})." for reason, count in self.counts.most_common()]


def open_export(path: str) -> Export:
    """Return a file with its format and header; raises `AwsError` for one that is no CSV of a known format."""
    with _text(path) as (handle, _):
        try:
            header = next(csv.reader(handle), [])
        except csv.Error:
            header = []
    names = [name.strip() for name in header]
    for cls in discover_formats().values():
        format = cls()
        if format.recognises(names):
            missing = format.missing(names)
            if missing:
                raise AwsError(f"{path} is {format.title}, but lacks the column {missing[0]}: "
                               "add it to the columns of the export")
            return Export(path, format, names)
    raise AwsError(f"{path} is no AWS cost export: its first line has neither lineItem/UnblendedCost (legacy CUR) nor "
                   "line_item_unblended_cost (CUR 2.0) nor BilledCost and ChargePeriodStart (FOCUS); give one of these "
                   "as CSV")


def read_charges(export: Export, faults: Faults, notes: Counts[str],
                 progress: Callable[[int], None], sketch: Optional[Sketch] = None) -> Iterator[Charge]:
    """Yield the charges of a file, in its order, with memory that does not grow with it.

    Rows that cannot be used go into `faults`, what else should be known into `notes`; `progress` is told how many bytes
    are read, `sketch` of each row. Raises `AwsError` where the file ends in its middle or cannot be read.
    """
    lines = export.format.lines(export.header)
    lines.sketch = sketch
    width = len(export.header)
    with _text(export.path) as (handle, raw):
        reader = csv.reader(handle)
        _next(reader)
        while True:
            before = reader.line_num
            try:
                row = _next(reader)
                if not row:
                    if reader.line_num == before:
                        break
                    continue
                if len(row) != width:
                    raise RecordError("row", f"has {len(row)} cells instead of {width}", "has not the header's columns")
                row.append("")
                charge = lines.charge(row)
                if charge is not None:
                    yield charge
            except RecordError as error:
                faults.add(error.category, export.path, before + 1, max(reader.line_num - before, 1))
            if not before % _STEP:
                progress(raw.tell())
    notes.update(lines.counts)


def _next(reader: Iterator[List[str]]) -> List[str]:
    """Return the next row, [] at the end; raises `RecordError` for what is no CSV."""
    try:
        return next(reader, [])
    except csv.Error as error:
        reason = "is too long" if "limit" in str(error) else "is no CSV"
        raise RecordError("row", reason) from None


@contextmanager
def _text(path: str) -> Iterator[Tuple[IO[str], IO[bytes]]]:
    """Open a file as text, unzipped where it is zipped, and as the bytes below it."""
    csv.field_size_limit(_MOST_CHARACTERS)
    try:
        with open(path, "rb") as raw:
            head = raw.read(4)
            raw.seek(0)
            for magic, refusal in _REFUSED.items():
                if head == magic:
                    raise AwsError(f"{path} {refusal}")
            data = cast(IO[bytes], gzip.GzipFile(fileobj=raw)) if head[:2] == _GZIP else raw
            # A byte that is no UTF-8 must not cost the row its money: it is shown as a question mark in a lozenge.
            with io.TextIOWrapper(cast(io.BufferedReader, data), "utf-8-sig", "replace", newline="") as handle:
                yield handle, raw
    except (EOFError, zlib.error) as error:
        raise AwsError(f"{path} ends in its middle or is damaged: fetch it again") from error
    except OSError as error:
        if error.errno is None:  # gzip's own
            raise AwsError(f"{path} is damaged: fetch it again") from error
        raise AwsError(explain_os_error("read", path, error)) from error
