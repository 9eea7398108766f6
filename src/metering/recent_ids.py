"""The ids of the last calls of a log: a call that is sent again is known, after a restart too, in bounded memory."""
from __future__ import annotations

import csv
import hashlib
from pathlib import Path
from typing import Set

from calls.log_reader import RecordReader, iterate_records, next_call_start, read_layout

MOST_IDS = 500_000  # remembered at most, some 50 MB; half as many at least
TAIL_BYTES = 128 << 20  # of a log read at the start: more than so many rows usually take


class RecentIds:
    """A set of ids that forgets the oldest ones.

    Each is kept as a 64-bit number: the chance that a new id is taken for one of 500,000 others is 1 in 37 million
    million. A repeated id that was forgotten becomes a second row, which the counts set aside: it costs nothing twice.
    """

    def __init__(self, most: int = MOST_IDS) -> None:
        """Begin empty."""
        self._half = max(1, most // 2)
        self._young: Set[int] = set()
        self._old: Set[int] = set()

    def __contains__(self, call_id: str) -> bool:
        """Tell whether an id is remembered."""
        key = _key(call_id)
        return key in self._young or key in self._old

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def add(self, call_id: str) -> None:
        """Remember an id."""
        self._young.add(_key(call_id))
        if len(self._young) >= self._half:
            self._old, self._young = self._young, set()


def read_recent_ids(path: Path, end: int, most: int = MOST_IDS, tail_bytes: int = TAIL_BYTES) -> RecentIds:
    """Return the ids of the last rows of a log's first `end` bytes; raises `LogError` when it cannot be read."""
    found, layout = RecentIds(most), read_layout(path)
    begin = layout.begin
    if end - tail_bytes > begin:
        with open(path, "rb") as handle:
            begin = next_call_start(handle, RecordReader(layout), end - tail_bytes, end)
    for record in iterate_records(path, layout._replace(begin=begin), end):
        text = record.raw.decode("utf-8", "replace")
        found.add(text.partition(",")[0] if not text.startswith('"') else next(csv.reader([text]), [""])[0])
    return found


def _key(call_id: str) -> int:
    digest = hashlib.blake2b(call_id.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big")
