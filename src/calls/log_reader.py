"""Reading a call log: where its columns are, where records begin and end, and what is wrong with a bad one.

A record is a line, or several when a quoted field holds newlines. A line that is a complete valid call by itself
is always a record of its own, so that a quote that is never closed cannot swallow the rest of the log, and a scan
may begin at any such line.
"""
from __future__ import annotations

import csv
import os
import stat
from pathlib import Path
from typing import BinaryIO, Iterator, List, NamedTuple, Sequence, Tuple, Union

from calls.line_blocks import LONGEST_LINE, LineBlocks
from calls.record import FIELDS, AICall
from errors import LogError, RecordError, explain_os_error

MOST_LINES, MOST_BYTES = 100, 65_536  # of a record with newlines in quotes
_HEADER_BYTES = 65_536
_BOM = b"\xef\xbb\xbf"


class Layout(NamedTuple):
    """Where a log's fields stand: `order[i]` is the column of field i; data begin at byte `begin`."""

    order: Tuple[int, ...]
    columns: int
    begin: int

    @property
    def is_canonical(self) -> bool:
        """Tell whether the columns are just the 19 fields in their order."""
        return self.columns == len(FIELDS) and self.order == tuple(range(len(FIELDS)))


class Record(NamedTuple):
    """A record's raw bytes, the number of its first line within its block, and how many lines it takes."""

    raw: bytes
    line: int
    lines: int


def read_layout(path: Union[str, Path]) -> Layout:
    """Read a log's header line; raises `LogError` when there is none, or naming the columns it misses."""
    try:
        check_ordinary("read", path, os.stat(path))  # opening a pipe would wait for its other end
        with open(path, "rb") as handle:
            head = handle.read(_HEADER_BYTES)
    except OSError as error:
        raise LogError(_unreadable(path, error)) from error
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise LogError(f"{path} is UTF-16: save it as UTF-8")
    line, newline, _ = head.partition(b"\n")
    if not newline:
        raise LogError(f"{path} has no header line yet: make a log with run_all_simulators.py, or import one with "
                       "import_calls.py")
    text = line[len(_BOM):] if line.startswith(_BOM) else line
    names = [name.strip() for name in next(csv.reader([text.decode("utf-8", "replace").strip()]), [])]
    missing = [field for field in FIELDS if field not in names]
    if missing:
        raise LogError(f"{path} has no column {', '.join(missing)}: these fields are needed in the header line "
                       "(import_calls.py makes a log of other tools' files)")
    return Layout(tuple(map(names.index, FIELDS)), len(names), len(line) + 1)


def check_ordinary(action: str, path: Union[str, Path], found: os.stat_result) -> None:
    """Raise `LogError` where a path names neither a file nor a folder: opening a folder says so itself."""
    if not (stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)):
        raise LogError(f"cannot {action} {path}: it is no ordinary file: name another")


def _unreadable(path: Union[str, Path], error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return f"{path} is not there: make a log with run_all_simulators.py, or name another with --csv"
    return explain_os_error("read", path, error)


class RecordReader:
    """Turns raw bytes of a log into records and calls, the careful way."""

    def __init__(self, layout: Layout) -> None:
        """Hold where the fields stand."""
        self._layout = layout

    def call(self, raw: bytes) -> AICall:
        """Read one record; raises `RecordError` with the reason."""
        if len(raw) > LONGEST_LINE:
            raise RecordError("row", f"is longer than {LONGEST_LINE:,} bytes")
        return AICall.from_row(self._fields(raw))

    def is_call(self, line: bytes) -> bool:
        """Tell whether a line is a complete valid call by itself."""
        try:
            self.call(line)
        except RecordError:
            return False
        return True

    def records(self, block: bytes, last: bool = False) -> Tuple[List[Record], int]:
        """Split a block of whole lines into records; returns them and the bytes that they take.

        A record that is still open at the end of the block is left for the next one (at the end of a log it waits
        for what may yet be written), unless the block is the `last`: a call by itself begins behind it.
        """
        lines = block.split(b"\n")[:-1]
        records: List[Record] = []
        number = taken = 0
        while number < len(lines):
            span = self._span(lines, number) or (1 if last else 0)
            if not span:
                break
            raw = b"\n".join(lines[number:number + span]) if span > 1 else lines[number]
            if raw.strip(b"\r"):
                records.append(Record(raw, number, span))
            number += span
            taken += len(raw) + 1
        return records, taken

    def _span(self, lines: Sequence[bytes], number: int) -> int:
        """Return how many lines the record at a line takes; 0 when the block ends before that is known."""
        quotes, size = lines[number].count(b'"'), len(lines[number])
        if quotes % 2 == 0 or size > MOST_BYTES:
            return 1
        for ahead in range(1, MOST_LINES):
            if number + ahead >= len(lines):
                return 0
            line = lines[number + ahead]
            size += len(line) + 1
            if size > MOST_BYTES or self.is_call(line):
                return 1
            quotes += line.count(b'"')
            if quotes % 2 == 0:
                return ahead + 1
        return 1

    def _fields(self, raw: bytes) -> List[str]:
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError:
            raise RecordError("row", "is not UTF-8 text") from None
        if "\0" in text:
            raise RecordError("row", "holds a NUL byte")
        text = text[:-1] if text.endswith("\r") else text
        fields = text.split(",") if '"' not in text else _quoted(text)
        if len(fields) != self._layout.columns:
            raise RecordError("row", f"has {len(fields)} fields instead of {self._layout.columns}")
        return [fields[column] for column in self._layout.order]


def _quoted(text: str) -> List[str]:
    if text.count('"') % 2:
        raise RecordError("row", "has a quote that is not closed")
    try:
        rows = list(csv.reader(text.splitlines(keepends=True), strict=True))
    except csv.Error as error:
        raise RecordError("row", f"is not valid CSV: {error}", "is not valid CSV") from None
    if len(rows) != 1:
        raise RecordError("row", "has a quote that is not closed")
    return rows[0]


def next_call_start(handle: BinaryIO, reader: RecordReader, offset: int, end: int) -> int:
    """Return the first place at or behind `offset` where a line begins that is a call by itself; else `end`."""
    handle.seek(max(0, offset - 1))
    begins = not offset
    offset = max(0, offset - 1)
    while offset < end:
        part = handle.readline(LONGEST_LINE)
        if not part or begins and reader.is_call(part.rstrip(b"\n")):
            return offset if part else end
        begins = part.endswith(b"\n")
        offset += len(part)
    return end


def iterate_records(path: Union[str, Path], layout: Layout, end: int, block_bytes: int = 1 << 20) -> Iterator[Record]:
    """Yield the records of a log's first `end` bytes in order, lines numbered from 0 behind the header.

    Half a line, or a record that is still open, at the end is left out.
    """
    reader, lines = RecordReader(layout), 0
    with open(path, "rb") as handle:
        blocks = LineBlocks(handle, layout.begin, end, block_bytes)
        for block in blocks:
            records, taken = reader.records(block)
            blocks.take(taken)
            for record in records:
                yield record._replace(line=lines + record.line)
            lines += block.count(b"\n", 0, taken)
