"""The contract of a format of cost export: it knows its header, and makes a charge of each row under it."""
from __future__ import annotations

from collections import Counter
from datetime import date
from decimal import Decimal
from operator import itemgetter
from typing import Counter as Counts, Dict, FrozenSet, List, NamedTuple, Optional, Sequence, Tuple, Type

import aws.exports
from aws.charges import Amounts, Charge, Pairs
from aws.exports.cells import NULLS, read_amount, read_days, read_map
from aws.exports.copies import Sketch
from discovery import discover

SPLIT_COSTS = "split-cost rows (EKS pods, ECS tasks) were left out: they repeat the cost of the instances they ran on"
NO_MAPS = "different tags or cost categories are no JSON object: their rows count without them"
_ABSENT = -1  # the place of a column that a file has not: that of the empty cell at the end of each row
_MOST_SORTS = 20000  # remembered at a time
_NO_DAY = date(1, 1, 1)

Place = Tuple[str, int]  # of a column: its name, and where it stands


class Sort(NamedTuple):
    """What rows that differ in nothing but days and amounts share: a charge without these, and how it is costed.

    `repeats` marks rows that say again what others cost; `mark` stands for it all where copies are looked for.
    """

    charge: Charge
    rule: str = ""
    repeats: bool = False
    mark: int = 0


class Lines:
    """The rows under one header: a subclass names the columns and tells `sort` and `amounts`.

    `counts` holds what a note should say, and of how many; `sketch`, where it is set, is told of each row.
    """

    start: Sequence[str] = ()  # the columns that the first moment of a charge may stand in
    end: Sequence[str] = ()  # and the end, which does not belong to it

    def __init__(self, header: Sequence[str]) -> None:
        """Find the columns; the first of two with one name counts."""
        self.counts: Counts[str] = Counter()
        self.sketch: Optional[Sketch] = None
        self._places = {name: place for place, name in reversed(list(enumerate(header)))}
        self._start, self._end = self.column(*self.start), self.column(*self.end)
        self._sorts: Dict[Tuple[str, ...], Sort] = {}
        self._keys = self.keys()
        self._key = itemgetter(*[place for _, place in self._keys])

    def keys(self) -> List[Place]:
        """Return the columns, two or more, that tell the sort of a row."""
        raise NotImplementedError

    def sort(self, cells: Dict[str, str]) -> Sort:
        """Return the sort of the rows that have these cells in the columns of `keys`; absent columns are ''."""
        raise NotImplementedError

    def amounts(self, row: List[str], sort: Sort) -> Amounts:
        """Return what a row costs; raises `RecordError` where that cannot be told."""
        raise NotImplementedError

    def column(self, *names: str) -> Place:
        """Return the first of some columns that is there."""
        return next(((name, self._places[name]) for name in names if name in self._places), (names[0], _ABSENT))

    def has(self, *names: str) -> bool:
        """Tell whether some column is there."""
        return any(name in self._places for name in names)

    def charge(self, row: List[str]) -> Optional[Charge]:
        """Return the charge of a row that has an empty cell at its end; None for one that repeats others' cost.

        Raises `RecordError` for a row that cannot be used.
        """
        key = self._key(row)
        sort = self._sorts.get(key)
        if sort is None:
            if len(self._sorts) >= _MOST_SORTS:
                self._sorts.clear()
            sort = self.sort({name: text for (name, _), text in zip(self._keys, key)})
            if self.sketch:
                sort = sort._replace(mark=self.sketch.mark(sort.charge))
            self._sorts[key] = sort
        if sort.repeats:
            self.counts[SPLIT_COSTS] += 1
            return None
        name, place = self._start
        first, behind = read_days(row[place], row[self._end[1]], name)
        same, amounts = sort.charge, self.amounts(row, sort)
        if self.sketch:
            self.sketch.add(sort.mark, row[place], amounts)
        return Charge(first, behind, same[2], same[3], amounts, *same[5:])

    def amount(self, row: List[str], column: Place) -> Optional[Decimal]:
        """Return the amount in a column; None where it is null or the column absent."""
        text = row[column[1]]
        return None if text in NULLS else read_amount(text, column[0])

    def map(self, text: str) -> Pairs:
        """Return the pairs of a cell that holds a JSON object; none, and a count, where it holds something else."""
        found = read_map(text)
        if found is None:
            self.counts[NO_MAPS] += 1
        return found or ()


class Format:
    """Base of all formats: a subclass sets `id`, `title`, `description` and columns, and opens files."""

    id = ""
    title = ""
    description = ""
    telling: FrozenSet[str] = frozenset()  # columns that tell the format
    needed: Sequence[Sequence[str]] = ()  # columns without which nothing is known; of each line one will do

    def recognises(self, header: Sequence[str]) -> bool:
        """Tell whether a header is of this format."""
        return self.telling <= set(header)

    def missing(self, header: Sequence[str]) -> List[str]:
        """Return the needed columns that a header lacks."""
        return [names[0] for names in self.needed if not set(names) & set(header)]

    def lines(self, header: Sequence[str]) -> Lines:
        """Return what reads the rows under a header."""
        raise NotImplementedError


def without_days(account: str, service: str, **more: object) -> Charge:
    """Return a charge to be filled in with days and amounts."""
    return Charge(_NO_DAY, _NO_DAY, account, service, Amounts(), **more)  # type: ignore[arg-type]


def discover_formats() -> Dict[str, Type[Format]]:
    """Return all formats by id: every file in `aws/exports/` that defines one."""
    return discover(aws.exports, Format)
