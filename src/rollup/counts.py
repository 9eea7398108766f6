"""The state of a count: the rollup, how far it reaches in the file, and what is needed to go on from there."""
from __future__ import annotations

from array import array
from bisect import bisect_left
from itertools import chain, compress, islice
from operator import eq
from typing import Any, Dict, List, Mapping, NamedTuple, Set, Tuple

from errors import RecordError
from rollup.blocks import HASH_BUCKETS, Rejected
from rollup.rollup import Rollup

FEW = 16  # times less than what is known: new numbers are inserted one by one
REPEATED = RecordError("call_id", "is repeated", "is repeated")


class Faulty(NamedTuple):
    """A row that was set aside: its line in the file, the reason, and its raw bytes."""

    line: int
    error: RecordError
    raw: bytes


class Counts:
    """What was counted up to the byte `consumed` of a log, which is behind line `lines` + 1 (the header is line 1).

    `ids` stands for the accepted call ids: 61-bit numbers in sorted lists by their highest bits, 8 bytes a row.
    """

    def __init__(self, consumed: int) -> None:
        """Begin with nothing counted, at the first byte behind the header."""
        self.rollup = Rollup()
        self.consumed = consumed
        self.lines = 0
        self.ids: List[array[int]] = [array("q") for _ in range(HASH_BUCKETS)]
        self.new_faults: List[Faulty] = []

    def extend(self, result: Mapping[str, Any]) -> Set[int]:
        """Add what a range behind this one held, and return the numbers of ids that may be repeated."""
        found = Rollup.from_state(result["rollup"])
        self.rollup = self.rollup.merge(found) if self.lines else found
        self.new_faults += [Faulty(self.lines + 2 + one.line, one.error, one.raw) for one in result["rejected"]]
        self.lines += result["lines"]
        self.consumed = result["consumed"]
        suspects: Set[int] = set()
        for place, new in enumerate(result["ids"]):
            self.ids[place], repeated = _merged(self.ids[place], new)
            suspects |= repeated
        return suspects


def range_result(rollup: Rollup, rejected: List[Rejected], lines: int, ids: List[Any], consumed: int) -> Dict[str, Any]:
    """Return what one range held in a form that can be sent between processes; the lists of ids get sorted."""
    ids = [array("q", sorted(numbers)) for numbers in ids]
    return {"rollup": rollup.state(), "rejected": rejected, "lines": lines, "ids": ids, "consumed": consumed}


def _merged(known: array[int], new: array[int]) -> Tuple[array[int], Set[int]]:
    """Return two sorted lists as one, and the new numbers that stand in it more than once."""
    if len(new) * FEW < len(known):
        return _inserted(known, new)
    # Sorting takes the two as they are and merges them; equal numbers are neighbours then.
    numbers = sorted(chain(known, new))
    if not any(map(eq, numbers, islice(numbers, 1, None))):
        return array("q", numbers), set()
    same = map(eq, numbers, islice(numbers, 1, None))
    return array("q", numbers), set(compress(numbers, same)).intersection(new)


def _inserted(known: array[int], new: array[int]) -> Tuple[array[int], Set[int]]:
    """Do the same for a few new numbers: what stands between them is copied as it is."""
    merged, same, first = array("q"), set(), 0
    for number in new:
        place = bisect_left(known, number, first)
        merged += known[first:place]
        if number in known[place:place + 1] or number in merged[-1:]:
            same.add(number)
        merged.append(number)
        first = place
    return merged + known[first:], same
