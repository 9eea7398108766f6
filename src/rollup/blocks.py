"""The hot path of a scan: a block of clean lines is counted column by column, several times faster than row by row.

A block is clean when every line has the 19 fields in their order, unquoted, in the toolkit's own spelling. That is
checked on whole columns at once (see `rollup.columns`). Whatever fails a check is halved until small pieces of it go
the careful road, record by record; both roads give the same counts.
"""
from __future__ import annotations

from array import array
from bisect import bisect_left
from itertools import compress, repeat
from operator import add, floordiv, gt, lshift
from typing import Dict, List, NamedTuple, Sequence

from calls.line_blocks import LONGEST_LINE
from calls.log_reader import Layout, RecordReader
from calls.record import SUCCESS
from calls.values import parse_nano
from errors import RecordError
from rollup.cells import PART_BITS
from rollup.columns import Columns, NotClean, Slots
from rollup.cubes import CALLER, CIRCUMSTANCE, COUNTED, GRAINS
from rollup.packing import FIELD_BITS, LAYOUT, number_of
from rollup.queries import picker
from rollup.rollup import Rollup

HASH_BUCKETS = 16  # call ids are kept as 61-bit numbers, in so many lists by their highest bits
HASH_SHIFT = 61 - 4
KEPT_CHARACTERS = 10_000  # of a rejected row
KEPT_BYTES = 4 * KEPT_CHARACTERS
_SMALL = 64  # lines; a piece this small goes the careful road when it is not clean
_KIND_BITS = 32  # of a block's cell: the time above the number of its kind
_KIND_MASK = (1 << _KIND_BITS) - 1
_CALLS_MASK = (1 << FIELD_BITS) - 1  # calls stand lowest in packed measures
_MOST_CELLS = 1 << 14  # that wait
_LEAST_ROOM = 1 << 19  # cells of a rollup, before it is seen to whether they are counted several times
# The texts of a kind, as they stand in a line.
_TEXTS = ("customer", "organization", "product", "feature", "provider", "model", "status", "environment", "region",
          "tier", "tier_price", "archetype")
_PRICE = _TEXTS.index("tier_price")
_CALLER, _CIRCUMSTANCE = picker(_TEXTS, CALLER), picker(_TEXTS, CIRCUMSTANCE)
_FAILED_SHIFT = FIELD_BITS * LAYOUT.index("failed")


def id_number(call_id: bytes) -> int:
    """Return the 61-bit number that stands for a call id; it is the same in every process and on every machine."""
    # A whole number's hash is its remainder, while a text's hash is another one in every process.
    return hash(number_of(call_id, "little"))


class Rejected(NamedTuple):
    """A record that is set aside: its first line within what was scanned, the reason, and its bytes or first bytes."""

    line: int
    error: RecordError
    raw: bytes


class Counter:
    """Counts blocks into a rollup, and keeps what is rejected and the numbers that stand for call ids."""

    def __init__(self, layout: Layout) -> None:
        """Begin with nothing counted."""
        self.rejected: List[Rejected] = []
        self.lines = 0
        self.ids: List[array[int]] = [array("q") for _ in range(HASH_BUCKETS)]
        self._layout = layout
        self._reader = RecordReader(layout)
        self._rollup = Rollup()
        self._slots = Slots(_KIND_BITS)
        self._room = _LEAST_ROOM
        self._kinds = _Kinds(self._rollup)
        self._cells: Dict[int, int] = {}

    @property
    def rollup(self) -> Rollup:
        """Return all that is counted so far."""
        self._count_cells()
        return self._rollup

    def count(self, block: bytes, last: bool = False) -> int:
        """Count a block of whole lines; returns the bytes taken, less when a record may go on behind the block.

        Behind the `last` block of a range a call by itself begins, so that no record can go on.
        """
        if b'"' in block or not self._layout.is_canonical or len(block) > LONGEST_LINE:
            return self._count_carefully(block, last)
        self._count_clean_or_halve(block)
        return len(block)

    def _count_clean_or_halve(self, block: bytes) -> None:
        try:
            self.lines += self._count_clean(block)
        except NotClean:
            if block.count(b"\n") <= _SMALL:
                self._count_carefully(block)
                return
            middle = block.index(b"\n", len(block) // 2) + 1
            if middle == len(block):  # its last line takes more than half of it
                middle = block.rindex(b"\n", 0, -1) + 1
            self._count_clean_or_halve(block[:middle])
            self._count_clean_or_halve(block[middle:])

    def _count_carefully(self, block: bytes, last: bool = False) -> int:
        records, taken = self._reader.records(block, last)
        ids = []
        for record in records:
            try:
                call = self._reader.call(record.raw)
            except RecordError as error:
                # An error as it was raised holds on to its traceback, and by that to the whole block.
                bare = RecordError(*error.args)
                self.rejected.append(Rejected(self.lines + record.line, bare, record.raw[:KEPT_BYTES]))
                self._rollup.reject(error.category)
                continue
            self._rollup.add(call)
            ids.append(call.call_id.encode("utf-8"))
        self._keep_ids(ids)
        self.lines += block.count(b"\n", 0, taken)
        return taken

    def _count_clean(self, block: bytes) -> int:
        """Count a block of clean lines and return how many there are."""
        columns = Columns(block)
        slots = columns.slots(self._slots)
        kinds = list(map(self._kinds.__getitem__, columns.texts))
        packed = columns.packed()
        # From here on nothing can fail: a block is counted as a whole or not at all.
        cells = self._cells
        counted = cells.get
        for key, measures in zip(map(add, slots, kinds), packed):
            cells[key] = counted(key, 0) + measures
        if len(cells) > _MOST_CELLS:
            self._count_cells()
        self._count_latencies(columns, kinds)
        self._rollup.see_times(columns.first_ms, columns.last_ms)
        self._keep_ids(columns.ids)
        return columns.rows

    def _count_cells(self) -> None:
        """Add what waits by time and kind to the cubes; such calls are many to a cell, so it is far less work."""
        cells, self._cells = self._cells, {}
        kinds = [key & _KIND_MASK for key in cells]
        slots = [key >> _KIND_BITS for key in cells]
        measures = [packed + ((packed & _CALLS_MASK) << _FAILED_SHIFT) if failed else packed
                    for failed, packed in zip(map(self._kinds.failed.__getitem__, kinds), cells.values())]
        for number, cube in enumerate(COUNTED):
            times = map(lshift, map(floordiv, slots, repeat(GRAINS[cube.time])), repeat(2 * PART_BITS))
            parts = map(self._kinds.parts[number].__getitem__, kinds)
            self._rollup.lay_cells(number, map(add, times, parts), measures)
        if self._rollup.cells > self._room:
            self._room = 2 * self._rollup.settle() + _LEAST_ROOM

    def _count_latencies(self, columns: Columns, kinds: Sequence[int]) -> None:
        """Count the latencies that are known of calls that succeeded."""
        wanted = map(self._kinds.succeeded.__getitem__, kinds)
        if columns.untimed is not None:
            wanted = map(gt, wanted, columns.untimed)
        keys = map(add, map(self._kinds.latency.__getitem__, kinds), columns.buckets())
        self._rollup.latencies.update(compress(keys, wanted))

    def _keep_ids(self, ids: Sequence[bytes]) -> None:
        # As id_number does, a column at a time.
        numbers = sorted(map(hash, map(number_of, ids, repeat("little"))))
        first = 0
        for bucket in range(HASH_BUCKETS):
            last = bisect_left(numbers, bucket + 1 << HASH_SHIFT, first)
            self.ids[bucket].extend(numbers[first:last])
            first = last


class _Kinds(Dict[bytes, int]):
    """From the raw texts of a caller and its circumstances to one number, and what of keys and measures follows.

    By that number: `failed`, `succeeded`, the `latency` key of bucket 0, and for each cube the two lower `parts` of
    its key.
    """

    def __init__(self, rollup: Rollup) -> None:
        super().__init__()
        self._rollup = rollup
        self.failed: List[bool] = []
        self.succeeded: List[bool] = []
        self.latency: List[int] = []
        self.parts: List[List[int]] = [[] for _ in COUNTED]

    def __missing__(self, raw: bytes) -> int:
        texts = raw.decode("utf-8").split(",")
        if len(texts) != len(_TEXTS):
            raise NotClean
        try:
            texts[_PRICE] = str(parse_nano(texts[_PRICE]))
        except ValueError:
            raise NotClean from None
        if not all(map(str.strip, texts)):
            raise NotClean
        number = self[raw] = len(self)
        self._add(self._rollup.callers.number(_CALLER(tuple(texts))),
                  self._rollup.circumstances.number(_CIRCUMSTANCE(tuple(texts))))
        return number

    def _add(self, caller: int, circumstance: int) -> None:
        callers, circumstances = self._rollup.callers.kept, self._rollup.circumstances.kept
        self.succeeded.append(self._rollup.circumstances.texts[circumstance][0] == SUCCESS)
        self.failed.append(not self.succeeded[-1])
        self.latency.append(self._rollup.latency_key(caller, circumstance))
        for number, parts in enumerate(self.parts):
            parts.append((callers[number][caller] << PART_BITS) + circumstances[number][circumstance])
