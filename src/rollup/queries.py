"""Answering questions: cells are rolled up as numbers, on whole columns, by the interpreter's own functions.

A part of a cell's key (its time, its caller, its circumstances) that a question does not ask for at all is rolled
away once for all such questions; numbers become texts only in an answer.
"""
from __future__ import annotations

from functools import reduce
from itertools import repeat
from operator import add, floordiv, itemgetter, mod, mul
from typing import Callable, Collection, Dict, Iterable, List, Mapping, NamedTuple, Optional, Sequence, Tuple, Union

from rollup.cells import CALLERS, CIRCUMSTANCES, TIME, Cells, Parts, summed
from rollup.cubes import Cube, Measures
from rollup.packing import unpack_all

Key = Tuple[str, ...]
Where = Mapping[str, Union[str, Collection[str]]]


class Group(NamedTuple):
    """One answer of `by`: the dimensions' texts in the order asked for, and the measures."""

    key: Key
    measures: Measures


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
        if not cube.circumstance:  # nothing is left to be rolled away
            cells = cells._replace(columns=(*cells.columns[:CIRCUMSTANCES], None))
        self._cells: Dict[Parts, Cells] = {cells.parts: cells}
        self._projections: Dict[Key, Projection] = {}

    def answer(self, dimensions: Sequence[str], where: Where, measure: Optional[str] = None) -> Dict[Key, int]:
        """Return packed measures, or one measure, by the dimensions' texts, of the cells that fit what `where` asks."""
        rolled = self.rolled(dimensions, where, measure)
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

    def rolled(self, dimensions: Collection[str], where: Where, measure: Optional[str] = None) -> Rolled:
        """Return the sums by the dimensions as numbers: of one measure, or packed ones of all."""
        cells = self.cells({*dimensions, *where})
        for name, wanted in where.items():
            cells = cells.kept(self._flags(cells, name, {wanted} if isinstance(wanted, str) else set(wanted)))
        callers, circumstances = (self.projection(place, dimensions) for place in (0, 1))
        count = len(circumstances.texts)
        columns: List[Iterable[int]] = []
        if self._cube.time in dimensions:
            columns.append(map(mul, cells.part(TIME), repeat(len(callers.texts) * count)))
        if callers.names:
            columns.append(map([number * count for number in callers.numbers].__getitem__, cells.part(CALLERS)))
        if circumstances.names:
            columns.append(map(circumstances.numbers.__getitem__, cells.part(CIRCUMSTANCES)))
        if not columns:
            whole = cells.values.total() if measure is None else sum(cells.values.column(measure))
            return Rolled({0: whole} if cells.values else {}, callers, circumstances)
        numbers = cells.values.packed() if measure is None else cells.values.column(measure)
        return Rolled(summed(reduce(_added, columns), numbers), callers, circumstances)

    def coded(self, measures: Sequence[str], dimensions: Collection[str]) -> Coded:
        """Return the cells that hold these dimensions, a time among them."""
        cells = self.cells(dimensions)
        callers, circumstances = (self.projection(place, dimensions) for place in (0, 1))
        return Coded(cells.columns[TIME] or (), list(map(callers.numbers.__getitem__, cells.columns[CALLERS] or ())),
                     list(map(circumstances.numbers.__getitem__, cells.columns[CIRCUMSTANCES] or ())),
                     [cells.values.column(name) for name in measures], callers.texts, circumstances.texts)

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
            self._cells[parts] = min(holding, key=lambda one: len(one.values)).without(parts)
        return self._cells[parts]

    def _flags(self, cells: Cells, name: str, texts: Collection[str]) -> Sequence[bool]:
        """Return which cells have one of these texts in a dimension."""
        if name == self._cube.time:
            times = cells.part(TIME)
            fit = {time: self._time_text(time) in texts for time in set(times)}
            return list(map(fit.__getitem__, times))
        place = 0 if name in self._held[0] else 1
        at, numbers = self._held[place].index(name), cells.part((CALLERS, CIRCUMSTANCES)[place])
        return list(map([one[at] in texts for one in self._texts[place]].__getitem__, numbers))


def _added(one: Iterable[int], other: Iterable[int]) -> Iterable[int]:
    return map(add, one, other)


def _holds(kept: bool, wanted: bool) -> bool:
    return kept or not wanted


def groups(sums: Mapping[Key, int]) -> List[Group]:
    """Return sums as groups, sorted by key."""
    keys = sorted(sums)
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
