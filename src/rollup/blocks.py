"""The hot path of a scan: a block of clean lines is counted column by column, several times faster than row by row.

A block is clean when every line has the 19 fields in their order, unquoted, in the toolkit's own spelling. That is
checked on whole columns at once. Whatever fails a check is halved until small pieces of it go the careful road,
record by record; both roads give the same counts.
"""
from __future__ import annotations

import sys
from array import array
from bisect import bisect_left
from itertools import compress, repeat
from operator import add
from typing import Callable, Dict, Iterator, List, NamedTuple, Sequence, Tuple

from calls.log_reader import Layout, RecordReader
from calls.record import FIELDS, SUCCESS
from calls.values import parse_nano, parse_timestamp
from errors import RecordError
from rollup.cubes import CALLER, CIRCUMSTANCE, Measures
from rollup.packing import FIELD_BYTES, latency_bucket
from rollup.rollup import PART_BITS, PART_MASK, Rollup

HASH_BUCKETS = 16  # call ids are kept as 61-bit numbers, in so many lists by their highest bits
HASH_SHIFT = 61 - 4
_SMALL = 64  # lines; a piece this small goes the careful road when it is not clean
_COMMAS = len(FIELDS) - 1
_STAMP = b"0000-00-00T00:00:00.000Z"
_TO_HOUR, _MINUTE, _SECOND = 13, 14, 17  # where the hour's text ends, and the tens of minutes and seconds stand
_DIGITS_TO_ZERO = bytes(ord("0") if chr(code) in "0123456789" else code for code in range(256))
_MOST_DIGITS = 12  # as in calls.values
_MEASURES = len(Measures._fields)
_BUCKETS = [latency_bucket(ms) for ms in range(1 << 16)]
_MS_PER_HOUR = 3_600_000


_number: Callable[[bytes, str], int] = int.from_bytes  # type: ignore[assignment]


def id_number(call_id: bytes) -> int:
    """Return the 61-bit number that stands for a call id; it is the same in every process and on every machine."""
    # A whole number's hash is its remainder, while a text's hash is another one in every process.
    return hash(_number(call_id, "little"))


class Rejected(NamedTuple):
    """A record that is set aside: its first line within what was scanned, the reason, and its raw bytes."""

    line: int
    error: RecordError
    raw: bytes


class NotClean(Exception):
    """A block that the fast road cannot count; nothing of it was."""


class Counter:
    """Counts blocks into a rollup, and keeps what is rejected and the numbers that stand for call ids."""

    def __init__(self, layout: Layout) -> None:
        """Begin with nothing counted."""
        self.rollup = Rollup()
        self.rejected: List[Rejected] = []
        self.lines = 0
        self.ids: List[array[int]] = [array("q") for _ in range(HASH_BUCKETS)]
        self._layout = layout
        self._reader = RecordReader(layout)
        self._hours = _Hours()
        self._callers = _Callers(self.rollup)
        self._circumstances = _Circumstances(self.rollup)

    def count(self, block: bytes, last: bool = False) -> int:
        """Count a block of whole lines; returns the bytes taken, less when a record may go on behind the block.

        Behind the `last` block of a range a call by itself begins, so that no record can go on.
        """
        if b'"' in block or not self._layout.is_canonical:
            return self._count_carefully(block, last)
        self._count_clean_or_halve(block)
        return len(block)

    def _count_clean_or_halve(self, block: bytes) -> None:
        lines = block.count(b"\n")
        try:
            self._count_clean(block)
            self.lines += lines
        except NotClean:
            if lines <= _SMALL:
                self._count_carefully(block)
                return
            middle = block.index(b"\n", len(block) // 2) + 1
            for half in (block[:middle], block[middle:]):
                if half:
                    self._count_clean_or_halve(half)

    def _count_carefully(self, block: bytes, last: bool = False) -> int:
        records, taken = self._reader.records(block, last)
        ids = []
        for record in records:
            try:
                call = self._reader.call(record.raw)
            except RecordError as error:
                self.rejected.append(Rejected(self.lines + record.line, error, record.raw))
                self.rollup.reject(error.category)
                continue
            self.rollup.add(call)
            ids.append(call.call_id.encode("utf-8"))
        self._keep_ids(ids)
        self.lines += block.count(b"\n", 0, taken)
        return taken

    def _count_clean(self, block: bytes) -> None:
        columns = _Columns(block)
        hours = columns.hours(self._hours)
        callers = list(map(self._callers.__getitem__, columns.callers))
        circumstances = list(map(self._circumstances.__getitem__, columns.circumstances))
        failed = list(map(self._circumstances.failed.__getitem__, circumstances))
        packed = columns.packed(failed)
        # From here on nothing can fail: a block is counted as a whole or not at all.
        keys = map(add, map(add, hours, map(self._callers.cells.__getitem__, callers)), circumstances)
        cells: Dict[int, int] = {}
        counted = cells.get
        for key, measures in zip(keys, packed):
            cells[key] = counted(key, 0) + measures
        # Calls of one hour are many to a cell, so the cubes are updated a fraction as often as there are rows.
        for key, measures in cells.items():
            self.rollup.add_cell(key >> 2 * PART_BITS, key >> PART_BITS & PART_MASK, key & PART_MASK, measures)
        if not columns.untimed:
            self._count_latencies(columns, callers, circumstances, failed)
        self.rollup.see_times(columns.first_ms, columns.last_ms)
        self._keep_ids(columns.ids)

    def _count_latencies(self, columns: _Columns, callers: Sequence[int], circumstances: Sequence[int],
                         failed: Sequence[int]) -> None:
        latency_keys = map(add, map(add, map(self._callers.latency.__getitem__, callers),
                                    map(self._circumstances.latency.__getitem__, circumstances)), columns.buckets())
        self.rollup.latencies.update(compress(latency_keys, map(_SUCCEEDED.__getitem__, failed)))

    def _keep_ids(self, ids: Sequence[bytes]) -> None:
        # As id_number does, a column at a time.
        numbers = sorted(map(hash, map(_number, ids, repeat("little"))))
        first = 0
        for bucket in range(HASH_BUCKETS):
            last = bisect_left(numbers, bucket + 1 << HASH_SHIFT, first)
            self.ids[bucket].extend(numbers[first:last])
            first = last


_SUCCEEDED = (1, 0)  # by whether a call failed


class _Columns:
    """A clean block's columns, checked; raises `NotClean` when it is not."""

    def __init__(self, block: bytes) -> None:
        lines = block.replace(b"\r\n", b"\n").split(b"\n") if b"\r" in block else block.split(b"\n")
        lines.pop()
        self.rows = len(lines)
        self._check_bytes(block)
        try:
            self.ids, self.stamps, rests = zip(*[line.split(b",", 2) for line in lines])
            lefts = [rest.rsplit(b",", len(CIRCUMSTANCE))[0] for rest in rests]
            self.callers, taken, given, sums, costs, waits = zip(*[left.rsplit(b",", 5) for left in lefts])
        except ValueError:
            raise NotClean from None
        self.circumstances = [rest[len(left):] for rest, left in zip(rests, lefts)]
        self.input, self.output = self._counts(taken), self._counts(given)
        # Many imported logs know no latency at all; where some rows know it, the careful road tells them apart.
        self.untimed = int(not any(waits))
        self.latencies = [0] * self.rows if self.untimed else self._counts(waits)
        if list(map(add, self.input, self.output)) != self._counts(sums) or not all(self.ids):
            raise NotClean
        self.nanos = self._nanos(costs)
        self.first_ms = self.last_ms = 0

    def _check_bytes(self, block: bytes) -> None:
        odd = b"\0" in block or b"\n " in block or b"\n\t" in block or block[:1] in b" \t"
        if odd or block.count(b",") != self.rows * _COMMAS or block.count(b"\r") not in (0, self.rows):
            raise NotClean
        try:
            if not block.isascii():
                block.decode("utf-8")
        except UnicodeDecodeError:
            raise NotClean from None

    def _counts(self, texts: Sequence[bytes]) -> List[int]:
        if not b"".join(texts).isdigit() or not all(texts) or max(map(len, texts)) > _MOST_DIGITS:
            raise NotClean
        return list(map(int, texts))

    def _nanos(self, texts: Sequence[bytes]) -> List[int]:
        joined = b",".join(texts)
        points = b"".join([text[-10:-9] for text in texts])
        digits = joined.replace(b".", b"")
        if (points == b"." * self.rows == joined.translate(None, b"0123456789,") and max(map(len, texts)) <= 19
                and digits.replace(b",", b"").isdigit() and min(map(len, texts)) > 10):
            # With nine places in each, leaving out the point leaves nano-dollars.
            return list(map(int, digits.split(b",")))
        try:
            return [parse_nano(text.decode("utf-8")) for text in texts]
        except ValueError:
            raise NotClean from None

    def hours(self, known: _Hours) -> Sequence[int]:
        """Return the hour of each row, shifted to its place in a cell's key; notes the first and last time."""
        joined = b"".join(self.stamps)
        if joined.translate(_DIGITS_TO_ZERO) == _STAMP * self.rows:
            if max(joined[_MINUTE::len(_STAMP)] + joined[_SECOND::len(_STAMP)]) > ord("5"):
                raise NotClean
            hours = list(map(known.__getitem__, [stamp[:_TO_HOUR] for stamp in self.stamps]))
            self.first_ms, self.last_ms = (parse_timestamp(end(self.stamps).decode("ascii")) for end in (min, max))
            return hours
        try:
            times = [parse_timestamp(stamp.decode("utf-8")) for stamp in self.stamps]
        except ValueError:
            raise NotClean from None
        self.first_ms, self.last_ms = min(times), max(times)
        if self.first_ms < 0:
            raise NotClean
        return [time // _MS_PER_HOUR << 2 * PART_BITS for time in times]

    def packed(self, failed: Sequence[int]) -> Iterator[int]:
        """Return each row's measures as one number (see `rollup.packing`), laid out for all rows at once."""
        table = array("Q", bytes(FIELD_BYTES * _MEASURES * self.rows))
        ones = array("Q", [1]) * self.rows
        columns = {"calls": ones, "failed": failed, "untimed": [self.untimed] * self.rows, "input_tokens": self.input,
                   "output_tokens": self.output, "latency_ms": self.latencies, "cost_nano": self.nanos}
        try:
            for name, column in columns.items():
                table[Measures._fields.index(name)::_MEASURES] = array("Q", column)
        except OverflowError:
            raise NotClean from None
        if sys.byteorder == "big":
            table.byteswap()
        flat, size = table.tobytes(), FIELD_BYTES * _MEASURES
        return map(_number, [flat[at:at + size] for at in range(0, len(flat), size)], repeat("little"))

    def buckets(self) -> Iterator[int]:
        """Return the latency bucket of each row."""
        if max(self.latencies) < len(_BUCKETS):
            return map(_BUCKETS.__getitem__, self.latencies)
        return map(latency_bucket, self.latencies)


class _Hours(Dict[bytes, int]):
    """From the text of an hour to its number, shifted to its place in a cell's key."""

    def __missing__(self, text: bytes) -> int:
        try:
            hour = parse_timestamp(text.decode("ascii") + ":00:00Z") // _MS_PER_HOUR
        except ValueError:
            raise NotClean from None
        if hour < 0:
            raise NotClean
        self[text] = hour << 2 * PART_BITS
        return self[text]


class _Callers(Dict[bytes, int]):
    """From the raw text of a caller's six fields to its number; `cells` and `latency` are its parts of keys."""

    def __init__(self, rollup: Rollup) -> None:
        super().__init__()
        self._rollup = rollup
        self.cells: List[int] = []
        self.latency: List[int] = []

    def __missing__(self, raw: bytes) -> int:
        number = self[raw] = self._rollup.callers.number(_texts(raw, len(CALLER)))
        while len(self.cells) <= number:
            self.latency.append(self._rollup.latency_key(len(self.cells), None))
            self.cells.append(len(self.cells) << PART_BITS)
        return number


class _Circumstances(Dict[bytes, int]):
    """From the raw text of the last six fields (and the comma before them) to their number."""

    def __init__(self, rollup: Rollup) -> None:
        super().__init__()
        self._rollup = rollup
        self.failed: List[int] = []
        self.latency: List[int] = []

    def __missing__(self, raw: bytes) -> int:
        texts = list(_texts(raw[1:], len(CIRCUMSTANCE)))
        price = CIRCUMSTANCE.index("tier_price")
        try:
            texts[price] = str(parse_nano(texts[price]))
        except ValueError:
            raise NotClean from None
        circumstances = self._rollup.circumstances
        number = self[raw] = circumstances.number(tuple(texts))
        while len(self.failed) <= number:
            self.latency.append(self._rollup.latency_key(None, len(self.failed)))
            self.failed.append(int(circumstances.texts[len(self.failed)][0] != SUCCESS))
        return number


def _texts(raw: bytes, number: int) -> Tuple[str, ...]:
    texts = tuple(raw.decode("utf-8").split(","))
    if len(texts) != number or not all(text.strip() for text in texts):
        raise NotClean
    return texts
