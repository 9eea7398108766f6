"""A bill in memory: charges added up by day and all their dimensions, which answers any query exactly.

Memory grows with distinct combinations, not with lines. `LedgerSource` answers the questions of a source from one.
"""
from __future__ import annotations

from datetime import date
from typing import Iterable, List, Tuple

from aws.charges import Charge
from aws.queries import CostQuery, Costs
from aws.sources.base import Source


class Ledger:
    """Charges, added up. One ledger has one currency; a second one is a `UsageError` that names both."""

    def __init__(self, charges: Iterable[Charge] = ()) -> None:
        """Begin with some charges."""
        raise NotImplementedError

    def add(self, charge: Charge) -> None:
        """Add a line."""
        raise NotImplementedError

    def costs(self, query: CostQuery) -> Costs:
        """Answer a query; any number of dimensions to group by."""
        raise NotImplementedError

    def period(self) -> Tuple[date, date]:
        """Return the first and last day of its charges."""
        raise NotImplementedError

    def values(self, dimension: str, first: date, last: date) -> List[str]:
        """Return the values of a dimension that have charges in a period, sorted."""
        raise NotImplementedError


class LedgerSource(Source):
    """A source that holds its whole bill: subclasses give the `ledger`, made at the first question."""

    @property
    def ledger(self) -> Ledger:
        """Return the bill."""
        raise NotImplementedError
