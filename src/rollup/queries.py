"""Answering questions: cells are rolled up as numbers, on whole columns, by the interpreter's own functions.

A cell's key has three parts: its time, and numbers for its caller and its circumstances. A part that a question does
not ask for at all is rolled away once for all such questions; numbers become texts only in an answer.
"""
from __future__ import annotations

from array import array
from functools import reduce
from itertools import compress, repeat
from operator import add, and_, floordiv, itemgetter, lshift, mod, mul, rshift
from typing import Callable, Collection, Dict, Iterable, List, Mapping, NamedTuple, Optional, Sequence, Tuple, Union

from rollup.cubes import Cube, Measures
from rollup.packing import column, unpack_all

PART_BITS = 32  # of a cell's key: time above the caller's number above the circumstances' number
PART_MASK = (1 << PART_BITS) - 1
Key = Tuple[str, ...]
Where = Mapping[str, Union[str, Collection[str]]]
Parts = Tuple[bool, ...]  # which of times, callers and circumstances are kept


class Group(NamedTuple):
    """One answer of `by`: the dimensions' texts in the order asked for, and the measures."""

    key: Key
    measures: Measures


class Cells(NamedTuple):
    """Cells as columns: the three parts of their keys, each None where it is rolled away, and what they count."""

    times: Optional[array[int]]
    callers: Optional[array[int]]
    circumstances: Optional[array[int]]
    packed: Sequence[int]

    @property
    def parts(self) -> Parts:
        """Return which parts are kept."""
        return self.times is not None, self.callers is not None, self.circumstances is not None

    def kept(self, flags: Sequence[bool]) -> Cells:
        """Return the cells whose flag is set."""
        times, callers, circumstances = (
            None if one is None else array("I", compress(one, flags))
            for one in (self.times, self.callers, self.circumstances))
        return Cells(times, callers, circumstances, list(compress(self.packed, flags)))


def cells_of(keys: Collection[int], packed: Iterable[int]) -> Cells:
    """Return a cube's cells as columns."""
    callers = map(and_, map(rshift, keys, repeat(PART_BITS)), repeat(PART_MASK))
    return Cells(array("I", map(rshift, keys, repeat(2 * PART_BITS))), array("I", callers),
                 array("I", map(and_, keys, repeat(PART_MASK))), list(packed))


class Projection:
    """Numbers for what is left of texts when only some dimensions are asked for; they ascend with the texts."""

    def __init__(self, texts: Sequence[Key], held: Sequence[str], wanted: Collection[str]) -> None:
        """Give a number to what is left of each of the `texts`, whose dimensions are `held`."""
        self.names = tuple(name for name in held if name in wanted)
        left = list(map(picker(held, self.names), texts))
        self.texts = sorted(set(left))
        numbers = {one: number for number, one in enumerate(self.texts)}
        self.numbers = list(map(numbers.__getitem__, left))


class Rolled(NamedTuple):
    """Sums by number: a time (0 when it is rolled away) times `groups`, plus the number of a group.

    A group's number is that of its caller's texts times the number of circumstances there are, plus theirs.
    """

    sums: Dict[int, int]
    callers: Projection
    circumstances: Projection

    @property
    def groups(self) -> int:
        """Return how many numbers there are for groups."""
        return len(self.callers.texts) * len(self.circumstances.texts)

    def texts(self, groups: Sequence[int]) -> Iterable[Key]:
        """Return the texts of groups."""
        count = len(self.circumstances.texts)
        return map(add, map(self.callers.texts.__getitem__, map(floordiv, groups, repeat(count))),
                   map(self.circumstances.texts.__getitem__, map(mod, groups, repeat(count))))


class Coded(NamedTuple):
    """Cells that are not summed, as columns: times (counted from 1970), callers and circumstances, numbers for texts.

    Several cells may have the same numbers. `measures` are those asked for, in their order.
    """

    times: Sequence[int]
    callers: Sequence[int]
    circumstances: Sequence[int]
    measures: Sequence[Sequence[int]]
    caller_texts: Sequence[Key]
    circumstance_texts: Sequence[Key]


class Table:
    """A cube laid out for questions; `callers` and `circumstances` are the texts behind its numbers."""

    def __init__(self, cube: Cube, cells: Cells, callers: Sequence[Key], circumstances: Sequence[Key],
                 time_text: Callable[[int], str]) -> None:
        """Hold the cells; everything else is made when it is asked for first."""
        self._cube = cube
        self._texts = (callers, circumstances)
        self._held = (cube.caller, cube.circumstance)
        self._time_text = time_text
        self._cells: Dict[Parts, Cells] = {cells.parts: cells}
        self._projections: Dict[Key, Projection] = {}

    def answer(self, dimensions: Sequence[str], where: Where) -> Dict[Key, int]:
        """Return packed measures by the dimensions' texts, as far as cells fit what `where` asks for."""
        rolled = self.rolled(dimensions, where)
        # Numbers are sorted in less time than texts, and ascend with them.
        keys = sorted(rolled.sums)
        names = rolled.callers.names + rolled.circumstances.names
        if self._cube.time not in dimensions:
            named: Iterable[Key] = rolled.texts(keys)
        else:
            names = (self._cube.time,) + names
            times = list(map(floordiv, keys, repeat(rolled.groups)))
            texts = {time: (self._time_text(time),) for time in set(times)}
            named = map(add, map(texts.__getitem__, times), rolled.texts(list(map(mod, keys, repeat(rolled.groups)))))
        if names != tuple(dimensions):
            named = map(picker(names, dimensions), named)
        return dict(zip(named, map(rolled.sums.__getitem__, keys)))

    def rolled(self, dimensions: Collection[str], where: Where) -> Rolled:
        """Return the sums by the dimensions as numbers."""
        cells = self.cells({*dimensions, *where})
        for name, wanted in where.items():
            cells = cells.kept(self._flags(cells, name, {wanted} if isinstance(wanted, str) else set(wanted)))
        callers, circumstances = (self.projection(place, dimensions) for place in (0, 1))
        count = len(circumstances.texts)
        columns: List[Iterable[int]] = []
        if self._cube.time in dimensions and cells.times is not None:
            columns.append(map(mul, cells.times, repeat(len(callers.texts) * count)))
        if callers.names and cells.callers is not None:
            columns.append(map([number * count for number in callers.numbers].__getitem__, cells.callers))
        if circumstances.names and cells.circumstances is not None:
            columns.append(map(circumstances.numbers.__getitem__, cells.circumstances))
        if not columns:
            return Rolled({0: sum(cells.packed)} if cells.packed else {}, callers, circumstances)
        return Rolled(summed(reduce(_added, columns), cells.packed), callers, circumstances)

    def coded(self, measures: Sequence[str], dimensions: Collection[str]) -> Coded:
        """Return the cells that hold these dimensions, a time among them."""
        cells = self.cells(dimensions)
        if not all(cells.packed):
            cells = cells.kept(list(map(bool, cells.packed)))
        callers, circumstances = (self.projection(place, dimensions) for place in (0, 1))
        return Coded(cells.times or (), list(map(callers.numbers.__getitem__, cells.callers or ())),
                     list(map(circumstances.numbers.__getitem__, cells.circumstances or ())),
                     [list(column(name, cells.packed)) for name in measures], callers.texts, circumstances.texts)

    def projection(self, place: int, dimensions: Collection[str]) -> Projection:
        """Return the numbers for the dimensions of callers (place 0) or circumstances (1) that are asked for."""
        held = self._held[place]
        wanted = tuple(name for name in held if name in dimensions)
        key = (str(place),) + wanted
        if key not in self._projections:
            self._projections[key] = Projection(self._texts[place] or [("",) * len(held)], held, wanted)
        return self._projections[key]

    def cells(self, dimensions: Collection[str]) -> Cells:
        """Return the cells, with each part rolled away of which no dimension is asked for."""
        parts = (self._cube.time in dimensions, *(any(name in dimensions for name in held) for held in self._held))
        if parts not in self._cells:
            holding = [one for one in self._cells.values() if all(map(_holds, one.parts, parts))]
            self._cells[parts] = _without(min(holding, key=lambda one: len(one.packed)), parts)
        return self._cells[parts]

    def _flags(self, cells: Cells, name: str, texts: Collection[str]) -> Sequence[bool]:
        """Return which cells have one of these texts in a dimension."""
        if name == self._cube.time:
            assert cells.times is not None
            fit = {time: self._time_text(time) in texts for time in set(cells.times)}
            return list(map(fit.__getitem__, cells.times))
        place = 0 if name in self._held[0] else 1
        at, numbers = self._held[place].index(name), (cells.callers, cells.circumstances)[place] or ()
        return list(map([one[at] in texts for one in self._texts[place]].__getitem__, numbers))


def _added(one: Iterable[int], other: Iterable[int]) -> Iterable[int]:
    return map(add, one, other)


def _above(one: Iterable[int], other: Iterable[int]) -> Iterable[int]:
    return map(add, map(lshift, one, repeat(PART_BITS)), other)


def _holds(kept: bool, wanted: bool) -> bool:
    return kept or not wanted


def _without(cells: Cells, parts: Parts) -> Cells:
    """Return cells summed without the parts that are not to be kept."""
    held = (cells.times, cells.callers, cells.circumstances)
    columns: List[Iterable[int]] = [one for one, kept in zip(held, parts) if kept and one is not None]
    if not columns:
        return Cells(None, None, None, [sum(cells.packed)] if cells.packed else [])
    sums = summed(reduce(_above, columns), cells.packed)
    made: List[Optional[array[int]]] = [None, None, None]
    left: Sequence[int] = list(sums)
    for place in (2, 1, 0):
        if parts[place]:
            made[place] = array("I", map(and_, left, repeat(PART_MASK)))
            left = list(map(rshift, left, repeat(PART_BITS)))
    return Cells(made[0], made[1], made[2], list(sums.values()))


def summed(keys: Iterable[int], packed: Iterable[int]) -> Dict[int, int]:
    """Return the sums by key."""
    sums: Dict[int, int] = {}
    found = sums.get
    for key, one in zip(keys, packed):
        sums[key] = found(key, 0) + one
    return sums


def groups(sums: Mapping[Key, int]) -> List[Group]:
    """Return sums that are not nothing as groups, sorted by key."""
    keys = sorted(sums if all(sums.values()) else [key for key, packed in sums.items() if packed])
    return list(map(Group, keys, unpack_all(list(map(sums.__getitem__, keys)))))


def picker(names: Sequence[str], wanted: Sequence[str]) -> Callable[[Key], Key]:
    """Return a function that picks the wanted dimensions out of a tuple of texts."""
    places = [names.index(name) for name in wanted]
    if places == list(range(len(names))):
        return lambda texts: texts
    if len(places) == 1:
        place = places[0]
        return lambda texts: (texts[place],)
    return itemgetter(*places) if places else lambda texts: ()
