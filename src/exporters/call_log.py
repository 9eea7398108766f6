"""A part of the log as a log of its own: for keeping some days, or some customers, and letting the others go."""
from __future__ import annotations

from typing import List

from calls.record import AICall
from exporters.call_rows import CallRowsExporter


class CallLogExporter(CallRowsExporter):
    """The 19 fields with every text as it is, so that nothing but the missing calls tells the export from the log."""

    id = "calls"
    title = "Calls as a log"
    description = "the 19 fields unchanged, to be read as a log again; not for spreadsheets, which might run a text"

    def row(self, call: AICall) -> List[str]:
        """Return a call's texts as they stand in a log."""
        return call.to_row()
