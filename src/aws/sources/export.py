"""A bill from AWS cost exports: CSV files as they come, told apart by their headers."""
from __future__ import annotations

import os
from collections import Counter
from typing import Counter as Counts, Dict, Iterator, List, Sequence

from aws.charges import AWS, Charge
from aws.exports.copies import Sketch, check_copies
from aws.exports.files import select_files
from aws.exports.reading import Export, Faults, open_export, read_charges
from aws.ledger import Ledger, LedgerSource
from errors import AwsError, UsageError, listed


class ExportSource(LedgerSource):
    """Legacy CUR, CUR 2.0 or FOCUS: a file, or a folder with the deliveries of many billing periods."""

    id = "export"
    title = "Cost export"
    description = "AWS cost and usage reports or FOCUS as CSV or CSV.gz: a file or a folder"

    def load(self) -> Ledger:
        """Read all files; raises `AwsError` where they cannot be, or where they would count a bill twice."""
        path = self.options.path
        if not path:
            raise UsageError("an export is read from somewhere: give its file or folder")
        selection = select_files(path)
        exports = [open_export(one) for one in selection.paths]
        _check_formats(exports)
        faults, notes = Faults(), Counter()  # type: Faults, Counts[str]
        sketches = {one.path: Sketch() for one in exports} if selection.is_loose else {}
        ledger = Ledger(self._charges(exports, faults, notes, sketches))
        check_copies(sketches)
        if not ledger.currency:
            raise AwsError(f"{path} holds no charges" + "".join(f": {one[:-1]}" for one in faults.notes()[:1])
                           + "; choose another export")
        providers = ledger.values("provider", *ledger.period())
        if providers != [AWS]:
            ledger.notes.append(f"The bill holds charges of {listed(providers)}: what is said of prices and discounts "
                                "is AWS's.")
        ledger.notes += [*selection.notes, *(f"{count:,} {text}." for text, count in notes.items()), *faults.notes()]
        return ledger

    def _charges(self, exports: Sequence[Export], faults: Faults, notes: Counts[str],
                 sketches: Dict[str, Sketch]) -> Iterator[Charge]:
        sizes: List[int] = [os.path.getsize(one.path) for one in exports]
        done, whole = 0, max(sum(sizes), 1)
        for export, size in zip(exports, sizes):
            def told(read: int, before: int = done, what: str = os.path.basename(export.path)) -> None:
                self.progress(f"reading {what}", (before + read) / whole)

            yield from read_charges(export, faults, notes, told, sketches.get(export.path))
            done += size


def _check_formats(exports: Sequence[Export]) -> None:
    """Refuse files of two formats: most likely they hold the same bill, and it would count twice."""
    for one in exports:
        first = exports[0]
        if one.format.id != first.format.id:
            raise AwsError(f"{os.path.dirname(one.path)} holds {first.format.title} ({os.path.basename(first.path)}) "
                           f"and {one.format.title} ({os.path.basename(one.path)}): the bill would count twice; give "
                           "one of them")
