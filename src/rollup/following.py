"""Following a log that grows: its counts stay in memory, and each look reads only what was appended.

A look first makes sure that the counts still hold for the file. A quick one compares the file's identity and the bytes
just before the place reached, which tells a replaced, shrunk or regrown log; a thorough one takes all checksums again,
which also tells an edit in the middle.
"""
from __future__ import annotations

import os
import time
import zlib
from pathlib import Path
from typing import Callable, List, Optional, Tuple, Union

from calls.log_reader import Layout, read_layout
from errors import LogError, explain_os_error
from rollup.checkpoint import SEGMENT_BYTES, checksums_of, load_checkpoint, save_checkpoint
from rollup.counts import Counts
from rollup.dataset import FULL, INCREMENTAL, UNCHANGED, Dataset, forget_rejected_behind, set_aside, summing
from rollup.scan import extend_counts

TAIL_BYTES = 65_536  # before the place reached, compared at each look
_READ_BYTES = 1 << 20
_MOST_LOOKS = 3  # at a log that is replaced again and again


class LogFollower:
    """Holds the counts of one log."""

    def __init__(self, path: Union[str, Path], workers: int = 1, use_checkpoint: bool = True) -> None:
        """Read nothing yet; `workers` are the processes that count a large growth."""
        self.path = Path(path)
        self._workers = workers
        self._use_checkpoint = use_checkpoint
        self._counts: Optional[Counts] = None
        self._layout: Optional[Layout] = None
        self._file: Tuple[int, int] = (0, 0)
        self._tail = 0
        self._checksums: List[int] = []
        self._saved_to = -1
        self._lacks_rejected = False  # in the file where they are set aside

    @property
    def lines(self) -> int:
        """Return how many lines behind the header the counts reach."""
        return self._counts.lines if self._counts else 0

    @property
    def consumed(self) -> int:
        """Return how many bytes of the log the counts reach."""
        return self._counts.consumed if self._counts else 0

    def look(self, report: Optional[Callable[[int, int], None]] = None, thorough: bool = False) -> Dataset:
        """Count what was appended, or everything where the counts no longer hold, and return the counted log.

        `report` is called with bytes done and to do. Raises `LogError` when the log cannot be read; the next look
        then begins anew.
        """
        began = time.perf_counter()
        try:
            for _ in range(_MOST_LOOKS):
                dataset = self._looked(report, thorough)
                if self._identity() == self._file:
                    dataset.seconds = time.perf_counter() - began
                    return dataset
                self.forget()  # another file took its place while it was read
            raise LogError(f"{self.path} is replaced faster than it can be read: try again")
        except OSError as error:
            self.forget()
            raise LogError(explain_os_error("read", self.path, error)) from error
        except BaseException:
            self.forget()  # counts that stopped half way hold for nothing
            raise

    def forget(self) -> None:
        """Drop the counts."""
        self._counts, self._saved_to = None, -1

    def save(self) -> None:
        """Save the checkpoint, unless nothing was counted since; raises `LogError` when it cannot be written.

        None is saved behind rows that could not be set aside: who begins there would never set them aside.
        """
        if self._counts and self._layout and self._use_checkpoint and not self._lacks_rejected \
                and self._saved_to != self._counts.consumed:
            save_checkpoint(self._counts, self.path, self._layout, self._checksums)
            self._saved_to = self._counts.consumed

    def _looked(self, report: Optional[Callable[[int, int], None]], thorough: bool) -> Dataset:
        layout, file, size = read_layout(self.path), self._identity(), os.path.getsize(self.path)
        counts = self._counts if file == self._file and self._holds(layout, size, thorough) else None
        how = INCREMENTAL
        if counts is None:
            counts, how = self._begin(layout, size)
        begin = counts.consumed
        if size > begin:
            extend_counts(counts, self.path, layout, size, self._workers, summing(report, size - begin))
        if counts.consumed == begin and how == INCREMENTAL:
            how = UNCHANGED
        self._counts, self._layout, self._file = counts, layout, file
        self._extend_checksums(begin if self._checksums else 0, counts.consumed)
        self._tail = self._tail_checksum(counts.consumed)
        dataset = Dataset(self.path, counts.rollup, size, size - counts.consumed, how)
        self._set_aside(dataset, append=how != FULL)
        return dataset

    def _begin(self, layout: Layout, size: int) -> Tuple[Counts, str]:
        """Return the checkpoint's counts, or new ones, and how the log is read."""
        found = load_checkpoint(self.path, layout, size) if self._use_checkpoint else None
        counts, self._checksums = found or (Counts(layout.begin), [])
        self._saved_to = counts.consumed if found else -1
        self._lacks_rejected = False
        if found:
            forget_rejected_behind(self.path, counts.lines + 1)
        return counts, INCREMENTAL if found else FULL

    def _holds(self, layout: Layout, size: int, thorough: bool) -> bool:
        """Tell whether the counts are still those of the file's first bytes."""
        counts = self._counts
        if counts is None or layout != self._layout or size < counts.consumed:
            return False
        if self._tail_checksum(counts.consumed) != self._tail:
            return False
        return not thorough or checksums_of(self.path, counts.consumed) == self._checksums

    def _identity(self) -> Tuple[int, int]:
        """Return which file stands at the path now."""
        status = os.stat(self.path)
        return status.st_dev, status.st_ino

    def _tail_checksum(self, end: int) -> int:
        with open(self.path, "rb") as handle:
            handle.seek(max(0, end - TAIL_BYTES))
            return zlib.crc32(handle.read(min(end, TAIL_BYTES)))

    def _extend_checksums(self, begin: int, end: int) -> None:
        """Go on with the checksums without reading again what they cover: an edit of that must not enter them."""
        if not begin:
            self._checksums = checksums_of(self.path, end)
            return
        with open(self.path, "rb") as handle:
            handle.seek(begin)
            while begin < end:
                data = handle.read(min(SEGMENT_BYTES - begin % SEGMENT_BYTES, _READ_BYTES, end - begin))
                if not data:
                    return
                if begin % SEGMENT_BYTES == 0:
                    self._checksums.append(0)
                self._checksums[-1] = zlib.crc32(data, self._checksums[-1])
                begin += len(data)

    def _set_aside(self, dataset: Dataset, append: bool) -> None:
        assert self._counts is not None
        faults, self._counts.new_faults = self._counts.new_faults, []
        if append and not faults:
            return
        try:
            set_aside(dataset, faults, append)
        except LogError as error:
            self._lacks_rejected = True
            dataset.notes.append(str(error))
