"""Our own 19 fields, in any order of columns, with or without others beside them."""
from __future__ import annotations

import os
from pathlib import Path
from typing import Iterator

from calls.log_reader import RecordReader, iterate_records, read_layout
from calls.record import FIELDS
from errors import RecordError
from importers.base import Imported, Importer


class CallsImporter(Importer):
    """Calls as this toolkit writes them; rows are checked, and written in the order of the log."""

    id = "calls"
    title = "The 19 fields"
    description = "CSV with the 19 fields of the call log in any order; further columns are left out"

    @classmethod
    def recognises(cls, head: bytes) -> bool:
        """Tell the format by all 19 names in the first line."""
        names = head.partition(b"\n")[0].decode("utf-8", "replace").replace('"', "").lstrip("\ufeff").strip().split(",")
        return set(FIELDS) <= {name.strip() for name in names}

    def calls(self, path: Path) -> Iterator[Imported]:
        """Yield a call a record."""
        layout = read_layout(path)
        reader = RecordReader(layout)
        for record in iterate_records(path, layout, os.path.getsize(path)):
            try:
                yield record.line + 2, reader.call(record.raw)
            except RecordError as error:
                yield record.line + 2, error
