"""Many cells as columns: about eighty bytes a cell, where a dictionary of packed numbers takes three times as much.

A cell's key has three parts: its time, and numbers for its caller and its circumstances.
"""
from __future__ import annotations

import struct
import sys
from array import array
from itertools import chain, compress, repeat
from operator import add, and_, lshift, not_, rshift
from typing import (
    AbstractSet,
    Collection,
    Dict,
    Iterable,
    Iterator,
    List,
    Mapping,
    NamedTuple,
    Optional,
    Sequence,
    Tuple,
)

from rollup.cubes import INPUT_SQUARES, Measures
from rollup.packing import FIELD_BYTES, LAYOUT, bytes_of, column, mask, number_of, pack

PART_BITS = 32  # of a cell's key: time above the caller's number above the circumstances' number
PART_MASK = (1 << PART_BITS) - 1
PIECE = 1 << 15  # cells that are packed numbers at once
TIME, CALLERS, CIRCUMSTANCES = range(3)
Parts = Tuple[bool, ...]  # which of them are kept
Names = Tuple[str, ...]


class Values:
    """Measures of many cells: a table of 64-bit numbers, a row a cell, or packed numbers where one needs more bits.

    `names` are the measures that are kept; `table` is in this machine's byte order, and None when `wide` is not.
    """

    def __init__(self, names: Names, table: Optional[array[int]], wide: Sequence[int] = ()) -> None:
        """Hold one of the two."""
        self.names = names
        self.table = table
        self.wide = wide

    @classmethod
    def of(cls, packed: Collection[int], names: Names = LAYOUT) -> Values:
        """Lay out packed measures (see `rollup.packing`)."""
        try:
            joined = b"".join(map(bytes_of, packed, repeat(len(LAYOUT) * FIELD_BYTES), repeat("little")))
        except OverflowError:
            return cls(names, None, list(map(and_, packed, repeat(mask(names)))))
        table = array("Q", joined)
        if sys.byteorder == "big":
            table.byteswap()
        return cls(names, _columns(table, LAYOUT, names))

    def __len__(self) -> int:
        """Return how many cells there are."""
        return len(self.wide) if self.table is None else len(self.table) // len(self.names)

    def column(self, measure: str) -> Sequence[int]:
        """Return one measure of each cell; raises ValueError for one that is not kept."""
        place = self.names.index(measure)
        return list(column(measure, self.wide)) if self.table is None else self.table[place::len(self.names)]

    def packed(self) -> Iterable[int]:
        """Return the measures of each cell as one number; those that are not kept are 0 in it."""
        if self.table is None:
            return self.wide
        table = _columns(self.table, self.names, LAYOUT)
        if sys.byteorder == "big":
            table = table[:]
            table.byteswap()
        return map(number_of, _rows(table, len(LAYOUT)), repeat("little"))

    def total(self) -> int:
        """Return the sum of all cells as one packed number."""
        sums = {name: sum(self.column(name)) for name in self.names}
        return pack([sums.get(name, 0) for name in Measures._fields], sums.get(INPUT_SQUARES, 0))

    def kept(self, flags: Iterable[bool]) -> Values:
        """Return the cells whose flag is set."""
        if self.table is None:
            return Values(self.names, None, list(compress(self.wide, flags)))
        return Values(self.names, array("Q", b"".join(compress(_rows(self.table, len(self.names)), flags))))

    def piece(self, begin: int, end: int) -> Values:
        """Return the cells from one place to another."""
        if self.table is None:
            return Values(self.names, None, self.wide[begin:end])
        return Values(self.names, self.table[begin * len(self.names):end * len(self.names)])

    @classmethod
    def joined(cls, many: Sequence[Values], names: Names) -> Values:
        """Return the cells of all, one behind the other; all keep the same measures."""
        tables = [one.table for one in many if one.table is not None]
        if len(tables) < len(many):
            return cls(names, None, list(chain.from_iterable(one.packed() for one in many)))
        table = array("Q")
        for one in tables:
            table.extend(one)
        return cls(names, table)


def _columns(table: array[int], held: Names, wanted: Names) -> array[int]:
    """Return a table of other measures; those that are not held are 0."""
    if held == wanted:
        return table
    made = array("Q", bytes(len(table) // len(held) * len(wanted) * FIELD_BYTES))
    for place, name in enumerate(wanted):
        if name in held:
            made[place::len(wanted)] = table[held.index(name)::len(held)]
    return made


def _rows(table: array[int], width: int) -> Iterator[bytes]:
    return chain.from_iterable(struct.iter_unpack(f"{width * FIELD_BYTES}s", table))


class Cells(NamedTuple):
    """Cells as columns: the times, callers and circumstances of their keys, each None where it is rolled away."""

    columns: Tuple[Optional[array[int]], ...]
    values: Values

    def part(self, place: int) -> array[int]:
        """Return the times (`TIME`), callers (`CALLERS`) or circumstances (`CIRCUMSTANCES`), which must be kept."""
        column = self.columns[place]
        assert column is not None
        return column

    @property
    def parts(self) -> Parts:
        """Return which parts are kept."""
        return tuple(one is not None for one in self.columns)

    def keys(self) -> Iterable[int]:
        """Return the key of each cell, as far as its parts are kept; one must be."""
        first, *rest = [one for one in self.columns if one is not None]
        keys: Iterable[int] = first
        for one in rest:
            keys = map(add, map(lshift, keys, repeat(PART_BITS)), one)
        return keys

    def kept(self, flags: Sequence[bool]) -> Cells:
        """Return the cells whose flag is set."""
        columns = (None if one is None else array("I", compress(one, flags)) for one in self.columns)
        return Cells(tuple(columns), self.values.kept(flags))

    def split_at(self, times: AbstractSet[int]) -> Tuple[Cells, List[Cells]]:
        """Return the cells of these times, and the others in some pieces."""
        flags = list(map(times.__contains__, self.part(TIME)))
        if not any(flags):
            return self.piece(0, 0), [self]
        # Where a log grows only its last times come again: what stands before them is copied as it is.
        begin, end = flags.index(True), len(flags) - flags[::-1].index(True)
        middle, flags = self.piece(begin, end), flags[begin:end]
        return middle.kept(flags), [self.piece(0, begin), middle.kept(list(map(not_, flags))),
                                    self.piece(end, len(self.values))]

    def without(self, parts: Parts) -> Cells:
        """Return the cells summed, with only these of their parts kept."""
        names, left = self.values.names, self._of_parts(parts)
        if not any(parts):
            return Cells(left.columns, Values.of([self.values.total()] if self.values else [], names))
        if not parts[TIME]:
            return cells_of(summed(left.keys(), left.values.packed()), names, parts)
        # Piece by piece, so that not all cells are packed numbers at once.
        pile = Pile(names)
        for begin in range(0, len(self.values), PIECE):
            one = left.piece(begin, begin + PIECE)
            pile.lay(cells_of(summed(one.keys(), one.values.packed()), names, parts, zeros=True))
        return pile.settled()._of_parts(parts)

    def _of_parts(self, parts: Parts) -> Cells:
        return Cells(tuple(one if kept else None for one, kept in zip(self.columns, parts)), self.values)

    def piece(self, begin: int, end: int) -> Cells:
        """Return the cells from one place to another."""
        return Cells(tuple(None if one is None else one[begin:end] for one in self.columns),
                     self.values.piece(begin, end))


def cells_of(sums: Mapping[int, int], names: Names = LAYOUT, parts: Parts = (True, True, True),
             zeros: bool = False) -> Cells:
    """Return sums by keys of some parts as columns; the other parts are zeros, or left out."""
    columns: List[Optional[array[int]]] = [None, None, None]
    keys: Sequence[int] = list(sums)
    for place in (CIRCUMSTANCES, CALLERS, TIME):
        if parts[place]:
            columns[place] = array("I", map(and_, keys, repeat(PART_MASK)))
            keys = list(map(rshift, keys, repeat(PART_BITS)))
        elif zeros:
            columns[place] = array("I", [0]) * len(sums)
    return Cells(tuple(columns), Values.of(sums.values(), names))


class Pile:
    """All cells of a cube: chunks of columns, and those counted one by one as packed measures by key.

    A key may stand in several chunks until they are settled. Chunks of calls that came in the order of time share few.
    """

    def __init__(self, names: Names) -> None:
        """Begin empty; `names` are the measures that are kept."""
        self._names = names
        self._chunks: List[Cells] = []
        self._single: Dict[int, int] = {}

    def add(self, key: int, packed: int) -> None:
        """Add packed measures, which may be negative, to one cell; only those that are kept may differ from 0."""
        self._single[key] = self._single.get(key, 0) + packed

    def lay(self, cells: Cells) -> None:
        """Put down many cells as a chunk."""
        self._chunks.append(cells)

    @property
    def size(self) -> int:
        """Return how many cells there are, those of different chunks taken apart."""
        return sum(len(one.values) for one in self._chunks) + len(self._single)

    def settled(self) -> Cells:
        """Return all cells, each key once, after making them one chunk."""
        if len(self._chunks) != 1 or self._single:
            seen = {key >> 2 * PART_BITS for key in self._single}
            shared = set(seen)
            for one in self._chunks:
                times = set(one.part(TIME))
                shared |= times & seen
                seen |= times
            sums, chunks = self._single, []  # type: Dict[int, int], List[Cells]
            for one in self._chunks:
                common, alone = one.split_at(shared)
                summed(common.keys(), common.values.packed(), sums)
                chunks += alone
            sums = {key: packed for key, packed in sums.items() if packed}
            chunks.append(cells_of(sums, self._names))
            self._single = {}
            columns: List[array[int]] = []
            for place in (TIME, CALLERS, CIRCUMSTANCES):
                columns.append(array("I"))
                for one in chunks:
                    columns[-1] += one.part(place)
            self._chunks = [Cells(tuple(columns), Values.joined([one.values for one in chunks], self._names))]
        return self._chunks[0]


def summed(keys: Iterable[int], numbers: Iterable[int], sums: Optional[Dict[int, int]] = None) -> Dict[int, int]:
    """Return the sums by key, added to those that are given."""
    if sums is None:
        sums = {}
    found = sums.get
    for key, one in zip(keys, numbers):
        sums[key] = found(key, 0) + one
    return sums
