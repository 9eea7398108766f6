"""Writing charges as an export: rows in pieces of text, so that a bill of any size takes no memory."""
from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Dict, Iterable, Iterator, List, Mapping, Optional, Sequence, Tuple

from aws.charges import METRICS, Charge
from aws.ledger import Ledger
from calls.replacing import replace_text
from calls.values import guarded_cell
from exporters.call_rows import csv_text

_ROWS = 1000  # in one piece
Cells = Mapping[str, object]  # by column: texts, and amounts as they are


class ChargeWriter:
    """Base of writers: a subclass sets `columns` and tells the `rows` of a charge.

    `charges` counts those written; `notes` holds what the file cannot say, and of how many charges.
    """

    columns: Tuple[str, ...] = ()

    def __init__(self) -> None:
        """Begin a file."""
        self.charges = 0
        self.notes: Dict[str, int] = {}

    def rows(self, charge: Charge) -> Sequence[Cells]:
        """Return what the rows of a charge have in some of the columns; None and absent ones are empty."""
        raise NotImplementedError

    def names(self, metrics: Sequence[str]) -> Sequence[str]:
        """Return the columns of a file whose charges tell some metrics."""
        return self.columns

    def lines(self, charges: Iterable[Charge], metrics: Sequence[str] = METRICS) -> Iterator[str]:
        """Yield header and rows; a charge of unknown cost is left out, which a note says."""
        names = self.names(metrics)
        rows: List[List[str]] = [list(names)]
        for charge in charges:
            if charge.amounts.unblended is None:
                self.note("charges have no known cost and are left out")
                continue
            self.charges += 1
            rows += [[_cell(cells.get(name)) for name in names] for cells in self.rows(charge)]
            if len(rows) >= _ROWS:
                yield csv_text(rows)
                rows = []
        yield csv_text(rows)

    def write(self, ledger: Ledger, path: Path) -> None:
        """Write a bill into a file, which is there whole or not at all; raises `LogError` where it cannot be."""
        replace_text(path, self.lines(ledger.charges(), ledger.metrics()))

    def note(self, what: str) -> None:
        """Count a charge of which something is to be said."""
        self.notes[what] = self.notes.get(what, 0) + 1


def plain_amount(amount: Optional[Decimal]) -> str:
    """Return an amount with a point and all its digits, never with an exponent; '' for an unknown one."""
    if amount is None:
        return ""
    text = format(amount, "f")
    return text if "." in text else text + ".0"


def _cell(value: object) -> str:
    if value is None or isinstance(value, Decimal):
        return plain_amount(value)
    return guarded_cell(str(value))
