"""Regrouping cells: what is done to each of them is done by the interpreter's own functions, on whole columns."""
from __future__ import annotations

from array import array
from itertools import compress, repeat
from operator import add, and_, floordiv, itemgetter, mod, mul, rshift
from typing import Any, Callable, Collection, Dict, Iterable, List, Mapping, NamedTuple, Sequence, Tuple, TypeVar, Union

from rollup.cubes import Measures
from rollup.packing import unpack_all

PART_BITS = 32  # of a cell's key: time above the caller's number above the circumstances' number
PART_MASK = (1 << PART_BITS) - 1
Key = Tuple[str, ...]
Where = Mapping[str, Union[str, Collection[str]]]
AnyKey = TypeVar("AnyKey", int, Key)


class Group(NamedTuple):
    """One answer of `by`: the dimensions' texts in the order asked for, and the measures."""

    key: Key
    measures: Measures


class Columns(NamedTuple):
    """The three parts of a cube's keys, each as a column."""

    times: array[int]
    callers: array[int]
    circumstances: array[int]


def columns_of(keys: Collection[int]) -> Columns:
    """Return the parts of cells' keys."""
    callers = map(and_, map(rshift, keys, repeat(PART_BITS)), repeat(PART_MASK))
    return Columns(array("I", map(rshift, keys, repeat(2 * PART_BITS))), array("I", callers),
                   array("I", map(and_, keys, repeat(PART_MASK))))


class Projection:
    """Numbers for what is left of a cube's texts when only some dimensions are asked for."""

    def __init__(self, texts: Sequence[Key], held: Sequence[str], wanted: Collection[str]) -> None:
        """Give a number to what is left of each of the `texts`, whose dimensions are `held`."""
        pick = picker(held, [name for name in held if name in wanted])
        seen: Dict[Key, int] = {}
        self.numbers = [seen.setdefault(pick(one), len(seen)) for one in texts] or [0]
        self.texts = list(seen) or [()]


def rolled(columns: Columns, packed: Iterable[int], callers: Projection, circumstances: Projection,
           time_text: Callable[[int], str], keep_time: bool) -> Dict[Key, int]:
    """Return packed measures summed by what is left of their cells' keys, as texts, time first if it is kept."""
    of_callers, of_circumstances = len(callers.texts), len(circumstances.texts)
    shifted = [number * of_circumstances for number in callers.numbers]
    keys = map(add, map(shifted.__getitem__, columns.callers),
               map(circumstances.numbers.__getitem__, columns.circumstances))
    if keep_time:
        keys = map(add, keys, map(mul, columns.times, repeat(of_callers * of_circumstances)))
    sums = summed(keys, packed)
    named = map(circumstances.texts.__getitem__, map(mod, sums, repeat(of_circumstances)))
    rest = list(map(floordiv, sums, repeat(of_circumstances)))
    named = map(add, map(callers.texts.__getitem__, map(mod, rest, repeat(of_callers))), named)
    if keep_time:
        times = list(map(floordiv, rest, repeat(of_callers)))
        texts = {time: (time_text(time),) for time in set(times)}
        named = map(add, map(texts.__getitem__, times), named)
    return dict(zip(named, sums.values()))


def summed(keys: Iterable[AnyKey], packed: Iterable[int]) -> Dict[AnyKey, int]:
    """Return the sums by key."""
    sums: Dict[AnyKey, int] = {}
    found = sums.get
    for key, one in zip(keys, packed):
        sums[key] = found(key, 0) + one
    return sums


def add_counts(sums: Dict[Key, Dict[int, int]], key: Key, counts: Mapping[int, int]) -> None:
    """Add counts by bucket to those of a key."""
    if key not in sums:
        sums[key] = dict(counts)
        return
    held = sums[key]
    for bucket, count in counts.items():
        held[bucket] = held.get(bucket, 0) + count


def regrouped(cells: Mapping[Key, int], names: Sequence[str], wanted: Sequence[str]) -> Dict[Key, int]:
    """Return cells, whose dimensions are `names`, summed by the wanted ones."""
    places = [names.index(name) for name in wanted]
    if not places:
        return {(): sum(cells.values())} if cells else {}
    picked: Iterable[Any] = map(itemgetter(*places), cells)
    keys: Iterable[Key] = picked if len(places) > 1 else zip(picked)
    return summed(keys, cells.values())


def fitting(cells: Mapping[Key, int], names: Sequence[str], where: Where) -> Mapping[Key, int]:
    """Return the cells whose texts are those, or among those, that `where` asks for."""
    for name, wanted in where.items():
        texts = {wanted} if isinstance(wanted, str) else set(wanted)
        fit = map(texts.__contains__, map(itemgetter(names.index(name)), cells))
        cells = dict(compress(cells.items(), fit))
    return cells


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
