"""The rollup: a value that holds all counts of a log, merges exactly, and answers `by(...)`.

Equal calls give equal rollups, whatever the order, the blocks or the number of processes they were counted in.
"""
from __future__ import annotations

from array import array
from collections import Counter
from datetime import datetime, timedelta
from functools import lru_cache
from operator import itemgetter
from typing import AbstractSet, Any, Callable, Dict, Iterable, Iterator, List, Mapping, Optional, Sequence

from calls.record import FIELDS, SUCCESS, AICall
from rollup.cells import CALLERS, CIRCUMSTANCES, PART_BITS, TIME, Pile, cells_of, summed
from rollup.cubes import (
    CALLER,
    CIRCUMSTANCE,
    COUNTED,
    CUBES,
    DIMENSIONS,
    GRAINS,
    LATENCY,
    MOST_SQUARED,
    MS_PER_SLOT,
    Measures,
)
from rollup.histogram import Histogram, add_counts
from rollup.packing import column, latency_bucket, mask, pack
from rollup.queries import Coded, Group, Key, Table, Where, groups, picker

__all__ = ["Group", "Key", "Rollup", "Where"]

# A latency's key has narrower parts, so that it stays a small number: counting latencies is a look-up a row.
BUCKET_BITS, PLACE_BITS = 12, 24
MOST_REMEMBERED = 1 << 15  # groups of an answer, of half a kilobyte each
BUCKET_MASK, PLACE_MASK = (1 << BUCKET_BITS) - 1, (1 << PLACE_BITS) - 1
_KEPT = [mask(cube.measures) for cube in COUNTED]  # what is not kept cannot be taken back from
_EPOCH = datetime(1970, 1, 1)
_CALLER_FIELDS = itemgetter(*(FIELDS.index(name) for name in (
    "customer_id", "organization_id", "product_id", "feature_id", "provider", "model")))


class Numbers:
    """Gives each distinct tuple of texts a number, and knows its number in each cube that keeps fewer texts."""

    def __init__(self, names: Sequence[str], kept: Sequence[Sequence[str]]) -> None:
        """`names` are the tuple's dimensions; `kept` those that each cube keeps of them."""
        self.texts: List[Key] = []
        self._numbers: Dict[Key, int] = {}
        self._pickers = [picker(names, one) for one in kept]
        self.kept_texts: List[List[Key]] = [[] for _ in kept]
        self._kept_numbers: List[Dict[Key, int]] = [{} for _ in kept]
        self.kept: List[List[int]] = [[] for _ in kept]

    def number(self, texts: Key) -> int:
        """Return the number of a tuple, a new one when it was not seen before."""
        found = self._numbers.get(texts)
        if found is None:
            found = self._numbers[texts] = len(self.texts)
            self.texts.append(texts)
            for cube, pick in enumerate(self._pickers):
                part = pick(texts)
                numbers = self._kept_numbers[cube]
                if part not in numbers:
                    numbers[part] = len(numbers)
                    self.kept_texts[cube].append(part)
                self.kept[cube].append(numbers[part])
        return found


class Rollup:
    """All counts of a log."""

    def __init__(self) -> None:
        """Begin with nothing counted."""
        self.callers = Numbers(CALLER, [cube.caller for cube in COUNTED + (LATENCY,)])
        self.circumstances = Numbers(CIRCUMSTANCE, [cube.circumstance for cube in COUNTED + (LATENCY,)])
        self._piles = [Pile(cube.measures) for cube in COUNTED]
        self.latencies: Counter[int] = Counter()  # it counts whole columns without a Python loop
        self.rejected: Dict[str, int] = {}
        self.first_ms: Optional[int] = None
        self.last_ms: Optional[int] = None
        self._tables: Dict[int, Table] = {}
        self._made: Dict[str, Any] = {}

    # Counting.

    def add(self, call: AICall, sign: int = 1) -> None:
        """Count one call, or with sign -1 take one back that was counted before."""
        caller = self.callers.number(_CALLER_FIELDS(call) + (
            call.subscription_tier, str(call.tier_price_nano), call.customer_archetype))
        circumstance = self.circumstances.number((call.status, call.environment, call.region))
        packed = pack((1, int(call.status != SUCCESS), int(call.cost_nano is None), int(call.latency_ms is None),
                       call.input_tokens, call.output_tokens, call.latency_ms or 0, call.cost_nano or 0),
                      min(call.input_tokens, MOST_SQUARED) ** 2)
        for number, cube in enumerate(COUNTED):
            time = call.timestamp_ms // MS_PER_SLOT // GRAINS[cube.time]
            key = self._key(number, time, caller, circumstance)
            self._piles[number].add(key, sign * (packed & _KEPT[number]))
        if call.status == SUCCESS and call.latency_ms is not None:
            self.add_latency(caller, circumstance, latency_bucket(call.latency_ms), sign)
        self.see_times(call.timestamp_ms, call.timestamp_ms)
        self._forget_answers()

    def _key(self, number: int, time: int, caller: int, circumstance: int) -> int:
        """Return the key of a cube's cell; the numbers are this rollup's own."""
        return (((time << PART_BITS) + self.callers.kept[number][caller] << PART_BITS)
                + self.circumstances.kept[number][circumstance])

    def lay_cells(self, number: int, keys: Iterable[int], packed: Iterable[int]) -> None:
        """Add packed measures to many cells of one cube, by keys that are made of this rollup's own numbers."""
        self._piles[number].lay(cells_of(summed(keys, packed), COUNTED[number].measures))
        self._forget_answers()

    def settle(self) -> int:
        """Sum up what is counted of the same cells, and return how many cells there are."""
        return sum(len(pile.settled().values) for pile in self._piles)

    @property
    def cells(self) -> int:
        """Return how many cells there are, some of them several times until they are settled."""
        return sum(pile.size for pile in self._piles)

    def add_latency(self, caller: int, circumstance: int, bucket: int, count: int) -> None:
        """Add to a latency's count; the numbers are this rollup's own."""
        self.latencies[self.latency_key(caller, circumstance) + bucket] += count

    def latency_key(self, caller: Optional[int], circumstance: Optional[int]) -> int:
        """Return the key of bucket 0 of a caller in its circumstances, or the part of it that one of them makes."""
        key = 0 if caller is None else self.callers.kept[-1][caller] << PLACE_BITS
        return key + (0 if circumstance is None else self.circumstances.kept[-1][circumstance]) << BUCKET_BITS

    def see_times(self, first_ms: int, last_ms: int) -> None:
        """Widen the range of times."""
        self.first_ms = first_ms if self.first_ms is None else min(self.first_ms, first_ms)
        self.last_ms = last_ms if self.last_ms is None else max(self.last_ms, last_ms)

    def reject(self, category: str, rows: int = 1) -> None:
        """Count rows that were set aside."""
        self.rejected[category] = self.rejected.get(category, 0) + rows

    def merge(self, other: Rollup) -> Rollup:
        """Add another rollup's counts to this one and return it; order and grouping of merges do not matter."""
        for number, theirs in enumerate(other.state()["cells"]):
            callers = _renumbering(other.callers, self.callers, number)
            circumstances = _renumbering(other.circumstances, self.circumstances, number)
            self._piles[number].lay(theirs._replace(columns=(
                theirs.part(TIME), array("I", map(callers.__getitem__, theirs.part(CALLERS))),
                array("I", map(circumstances.__getitem__, theirs.part(CIRCUMSTANCES))))))
        callers = _renumbering(other.callers, self.callers, -1)
        circumstances = _renumbering(other.circumstances, self.circumstances, -1)
        for key, count in other.latencies.items():
            key = (((callers[key >> PLACE_BITS + BUCKET_BITS] << PLACE_BITS)
                    + circumstances[key >> BUCKET_BITS & PLACE_MASK] << BUCKET_BITS) + (key & BUCKET_MASK))
            self.latencies[key] += count
        for category, rows in other.rejected.items():
            self.reject(category, rows)
        if other.first_ms is not None and other.last_ms is not None:
            self.see_times(other.first_ms, other.last_ms)
        self._forget_answers()
        return self

    def _forget_answers(self) -> None:
        if self._tables or self._made:
            self._tables, self._made = {}, {}

    def state(self) -> Dict[str, Any]:
        """Return all counts as plain data, to be kept or sent to another process, the cells as columns."""
        return {"callers": self.callers.texts, "circumstances": self.circumstances.texts,
                "cells": [pile.settled() for pile in self._piles], "latencies": self.latencies,
                "rejected": self.rejected, "first_ms": self.first_ms, "last_ms": self.last_ms}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Rollup:
        """Return the rollup whose `state` this is."""
        rollup = cls()
        for texts in state["callers"]:
            rollup.callers.number(tuple(texts))
        for texts in state["circumstances"]:
            rollup.circumstances.number(tuple(texts))
        for pile, cells in zip(rollup._piles, state["cells"]):
            pile.lay(cells)
        rollup.rejected = state["rejected"]
        rollup.latencies = Counter(state["latencies"])
        rollup.first_ms, rollup.last_ms = state["first_ms"], state["last_ms"]
        return rollup

    # Asking.

    def by(self, *dimensions: str, where: Optional[Where] = None) -> List[Group]:
        """Return the measures of every combination of the dimensions' values that occurs, sorted by key.

        `where` maps dimensions to the text, or the texts, that calls must have. The list is for reading: unless it is
        very long it is kept for who asks the same. Raises LookupError, naming the cubes there are, when no cube holds
        all the dimensions: a mistake in the program, not in the data.
        """
        if where:
            return groups(self._table({*dimensions, *where}).answer(dimensions, where))
        name = f"by {dimensions}"
        found: Optional[List[Group]] = self._made.get(name)
        if found is None:
            found = groups(self._table(set(dimensions)).answer(dimensions, {}))
            if len(found) <= MOST_REMEMBERED:
                self._made[name] = found
        return found

    def sums(self, measure: str, *dimensions: str, where: Optional[Where] = None) -> Dict[Key, int]:
        """Return one measure by the dimensions, unsorted: a quarter of the time that `by` takes to give all of them."""
        return self._table({*dimensions, *(where or ())}, (measure,)).answer(dimensions, where or {}, measure)

    def rows(self, measures: Sequence[str], *dimensions: str, where: Optional[Where] = None) -> Iterator[Any]:
        """Yield (key, measure, ...) for each combination of the dimensions, unsorted: some measures, side by side."""
        sums = self._table({*dimensions, *(where or ())}).answer(dimensions, where or {})
        return zip(sums, *(column(name, sums.values()) for name in measures))

    def coded(self, measures: Sequence[str], *dimensions: str) -> Coded:
        """Return the cells that hold these dimensions as columns of numbers: for who goes through very many of them."""
        return self._table(set(dimensions), measures).coded(measures, dimensions)

    def remember(self, name: str, make: Callable[[Rollup], Any]) -> Any:
        """Return what was made of these counts under this name before, else make it; more counting forgets it."""
        if name not in self._made:
            made = make(self)
            self._made[name] = made
        return self._made[name]

    def total(self, where: Optional[Where] = None) -> Measures:
        """Return the measures of all calls, or of those that fit."""
        groups = self.by(where=where)
        return groups[0].measures if groups else Measures()

    def latency(self, *dimensions: str, where: Optional[Where] = None) -> Dict[Key, Histogram]:
        """Return the latency histogram of successful calls by feature, provider, model or region, sorted by key.

        Raises LookupError when latency is not kept by a dimension.
        """
        names = LATENCY.caller + LATENCY.circumstance
        unknown = {*dimensions, *(where or ())} - {*names}
        if unknown:
            raise LookupError(f"latency is not kept by {min(unknown)}: it is by {', '.join(names)}")
        where = where or {}
        held: Dict[Key, Dict[Key, Histogram]] = self.remember("latencies", lambda one: {names: one._latency_groups()})
        if where or dimensions not in held:
            # The answer with the fewest dimensions that holds them has the fewest buckets to add.
            known = min((one for one in held if {*dimensions, *where} <= set(one)), key=len)
            pick, counts = picker(known, dimensions), {}  # type: Callable[[Key], Key], Dict[Key, Dict[int, int]]
            for texts, histogram in held[known].items():
                if all(texts[known.index(name)] in ({wanted} if isinstance(wanted, str) else wanted)
                       for name, wanted in where.items()):
                    add_counts(counts, pick(texts), histogram.counts)
            answer = {key: Histogram(buckets) for key, buckets in sorted(counts.items())}
            if where:
                return answer
            held[dimensions] = answer
        return held[dimensions]

    def _latency_groups(self) -> Dict[Key, Histogram]:
        """Return the histogram of each combination of all of a latency's dimensions, sorted."""
        by_group: Dict[int, Dict[int, int]] = {}
        for key, count in self.latencies.items():
            if count:
                try:
                    by_group[key >> BUCKET_BITS][key & BUCKET_MASK] = count
                except KeyError:
                    by_group[key >> BUCKET_BITS] = {key & BUCKET_MASK: count}
        callers, circumstances = self.callers.kept_texts[-1], self.circumstances.kept_texts[-1]
        return {key: Histogram(buckets) for key, buckets in sorted(
            (callers[group >> PLACE_BITS] + circumstances[group & PLACE_MASK], buckets)
            for group, buckets in by_group.items())}

    def values(self, dimension: str) -> List[str]:
        """Return the texts of a dimension that occur, sorted."""
        return [group.key[0] for group in self.by(dimension)]

    def canonical(self) -> Dict[str, Any]:
        """Return everything that is counted, free of internal numbers, for telling whether two rollups are equal."""
        cubes = {cube.name: sorted(self._laid_out(number).answer(cube.dimensions, {}).items())
                 for number, cube in enumerate(COUNTED)}
        latency = {key: histogram.counts for key, histogram in
                   self.latency(*LATENCY.caller, *LATENCY.circumstance).items()}
        return {"cubes": cubes, "latency": latency, "rejected": dict(sorted(self.rejected.items())),
                "first_ms": self.first_ms, "last_ms": self.last_ms}

    def _table(self, wanted: AbstractSet[str], measures: Sequence[str] = Measures._fields) -> Table:
        """Return the smallest cube that holds all the dimensions and keeps the measures."""
        held = [(len(self._piles[number].settled().values), number) for number, cube in enumerate(COUNTED)
                if wanted <= set(cube.dimensions) and set(measures) <= set(cube.measures)]
        if not held:
            if not set(measures) <= set(Measures._fields):
                raise ValueError(f"there is no measure {min(set(measures) - set(Measures._fields))}")
            unknown = sorted(set(wanted) - set(DIMENSIONS))
            what = f"there is no dimension {unknown[0]}" if unknown else f"no cube holds {', '.join(sorted(wanted))}"
            raise LookupError(f"{what}; cubes: " + "; ".join(", ".join(cube.dimensions) for cube in CUBES))
        return self._laid_out(min(held)[1])

    def prepare(self) -> None:
        """Lay out what nearly all questions begin with, before this process is forked into several that ask."""
        for number, cube in enumerate(CUBES):
            self._laid_out(number).cells((cube.time, *cube.caller))
        for parts in (CALLER, CIRCUMSTANCE):
            self._table(set(parts)).cells(parts)

    def _laid_out(self, number: int) -> Table:
        """Return a cube, by its place among all, laid out for questions."""
        if number not in self._tables:
            cube = COUNTED[number]
            self._tables[number] = Table(cube, self._piles[number].settled(), self.callers.kept_texts[number],
                                         self.circumstances.kept_texts[number], _TIME_TEXTS[cube.time])
        return self._tables[number]


def _renumbering(source: Numbers, target: Numbers, cube: int) -> List[int]:
    """Return, for each number that a cube of one rollup uses, the number in another rollup."""
    renumbered = [0] * len(source.kept_texts[cube])
    for number, texts in enumerate(source.texts):
        renumbered[source.kept[cube][number]] = target.kept[cube][target.number(texts)]
    return renumbered


@lru_cache(maxsize=None)
def _day_text(day: int) -> str:
    return (_EPOCH + timedelta(days=day)).strftime("%Y-%m-%d").rjust(10, "0")


def _hour_text(hour: int) -> str:
    return f"{_day_text(hour // 24)}T{hour % 24:02d}"


def _ten_minutes_text(slot: int) -> str:
    return f"{_hour_text(slot // 6)}:{slot % 6}0"


_TIME_TEXTS: Dict[str, Callable[[int], str]] = {
    "day": _day_text, "hour": _hour_text, "ten_minutes": _ten_minutes_text}
