"""Whole numbers of a ledger as the amounts that they stand for, many at a time."""
from __future__ import annotations

from decimal import Decimal
from itertools import chain, repeat
from typing import Dict, Iterable, Iterator, List, Optional, Sequence, Tuple

from aws.charges import EXACT

Wholes = Sequence[Optional[int]]
Amounts = Tuple[Optional[Decimal], ...]


def rows_of_decimals(columns: Sequence[Wholes], places: int) -> Iterator[Amounts]:
    """Yield the rows of some columns as amounts, each distinct number converted once: metrics mostly agree."""
    found = decimals_of(set(chain.from_iterable(columns)), places)
    return zip(*(map(found.__getitem__, column) for column in columns))


def decimals_of(wholes: Iterable[Optional[int]], places: int) -> Dict[Optional[int], Optional[Decimal]]:
    """Return amounts by their whole numbers of 10 ** -places: without zeros at the end and without an exponent."""
    known: List[int] = [one for one in wholes if one is not None]
    exact = map(EXACT.normalize, map(EXACT.scaleb, map(Decimal, known), repeat(Decimal(-places))))
    found: Dict[Optional[int], Optional[Decimal]] = dict(zip(known, exact))
    unit = 10 ** places
    for one in known:
        if not one % unit:  # which would be written 1E+2, and 0 with an exponent
            found[one] = Decimal(one // unit)
    found[None] = None
    return found
