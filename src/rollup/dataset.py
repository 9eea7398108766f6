"""A call log, counted: `load_dataset` gives analysers their rollup and what there is to say about the file."""
from __future__ import annotations

import csv
import io
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable, List, Optional, Union

from calls.log_reader import read_layout
from calls.replacing import replace_file
from calls.values import guarded_cell
from errors import LogError, explain_os_error
from rollup.blocks import KEPT_CHARACTERS
from rollup.checkpoint import checksums_of, load_checkpoint, save_checkpoint
from rollup.counts import Counts, Faulty
from rollup.rollup import Rollup
from rollup.scan import extend_counts

FULL, INCREMENTAL, UNCHANGED = "full", "incremental", "unchanged"
_REJECTED_HEADER = ("line", "reason", "row")


@dataclass
class Dataset:
    """A counted log: its rollup, its size in bytes, and how it was read.

    `pending_bytes` stand behind the last whole record and wait for the next look. `how` is `full`, `incremental`
    (from a checkpoint) or `unchanged`.
    """

    path: Path
    rollup: Rollup
    size: int = 0
    pending_bytes: int = 0
    how: str = FULL
    seconds: float = 0.0
    notes: List[str] = field(default_factory=list)

    @property
    def rejected_path(self) -> Path:
        """Return where rejected rows are set aside."""
        return rejected_path(self.path)


def rejected_path(csv_path: Path) -> Path:
    """Return where a log's rejected rows are set aside: line, reason and row, as CSV."""
    return csv_path.with_name(csv_path.name.replace(".csv", "") + ".rejected.csv")


def load_dataset(csv_path: Union[str, Path], workers: int = 1, use_checkpoint: bool = True,
                 report: Optional[Callable[[int, int], None]] = None) -> Dataset:
    """Count a log, from its checkpoint on where one holds; rejected rows are set aside in a file beside it.

    `report` is called with the bytes done and to do. Raises `LogError` when the log is missing, has no usable
    header or cannot be read; a checkpoint or file of rejected rows that cannot be written is only noted.
    """
    path, began = Path(csv_path), time.perf_counter()
    layout = read_layout(path)
    size = os.path.getsize(path)
    found = load_checkpoint(path, layout, size) if use_checkpoint else None
    counts, checksums = found or (Counts(layout.begin), [])
    begin, how = counts.consumed, INCREMENTAL if found else FULL
    if found:
        forget_rejected_behind(path, counts.lines + 1)
    if size > begin:
        extend_counts(counts, path, layout, size, workers, summing(report, size - begin))
    dataset = Dataset(path, counts.rollup, size, size - counts.consumed, how)
    try:
        if not found or counts.new_faults:
            set_aside(dataset, counts.new_faults, append=bool(found))
        if counts.consumed == begin and found:
            dataset.how = UNCHANGED
        elif use_checkpoint:
            checksums = checksums_of(path, counts.consumed, checksums, begin)
            save_checkpoint(counts, path, layout, checksums)
    except LogError as error:
        dataset.notes.append(str(error))
    dataset.seconds = time.perf_counter() - began
    return dataset


def validate_dataset(csv_file: Union[str, Path]) -> List[str]:
    """Return every fault of a log as `Line 7: cost_usd: '-1' is negative`, in the order of lines.

    An empty list means that every row is sound. Raises `LogError` when the file cannot be read at all.
    """
    layout = read_layout(csv_file)
    counts = Counts(layout.begin)
    extend_counts(counts, csv_file, layout, os.path.getsize(csv_file), os.cpu_count() or 1)
    faults = [f"Line {fault.line}: {fault.error}" for fault in counts.new_faults]
    pending = os.path.getsize(csv_file) - counts.consumed
    if pending > 0:
        faults.append(f"Line {counts.lines + 2}: the last {pending} bytes are no whole row yet")
    return faults


def summing(report: Optional[Callable[[int, int], None]], whole: int) -> Callable[[int], None]:
    """Return what takes bytes as they are counted, and tells `report` of their sum and the whole."""
    done = 0

    def add(more: int) -> None:
        nonlocal done
        done += more
        if report:
            report(done, whole)
    return add


def set_aside(dataset: Dataset, faults: List[Faulty], append: bool) -> None:
    """Write rejected rows to their file; where nothing is rejected none is left behind."""
    path = dataset.rejected_path
    try:
        if not append and not faults:
            if path.exists():
                path.unlink()
            return
        begin = not append or not path.exists()
        with open(path, "w" if begin else "a", newline="", encoding="utf-8", errors="backslashreplace") as handle:
            writer = csv.writer(handle)
            if begin:
                writer.writerow(_REJECTED_HEADER)
            for fault in faults:
                # A NUL would make the file one that csv cannot read before Python 3.11.
                row = fault.raw.decode("utf-8", "backslashreplace")[:KEPT_CHARACTERS].replace("\0", "\\x00")
                writer.writerow((fault.line, str(fault.error), guarded_cell(row)))
            handle.flush()
            os.fsync(handle.fileno())  # a checkpoint that is on the disk takes them for set aside
    except OSError as error:
        raise LogError(explain_os_error("write", path, error)) from error


def forget_rejected_behind(csv_path: Path, last_line: int) -> None:
    """Drop the rejected rows behind a line: a process that was killed wrote them, and they are found again."""
    path = rejected_path(csv_path)
    try:
        with open(path, newline="", encoding="utf-8") as handle:
            header, *rows = csv.reader(handle)
        kept = [row for row in rows if len(row) == len(_REJECTED_HEADER) and int(row[0]) <= last_line]
        if len(kept) < len(rows):
            text = io.StringIO(newline="")
            csv.writer(text).writerows([header, *kept])
            replace_file(path, text.getvalue().encode("utf-8"))
    except (OSError, ValueError, IndexError, csv.Error, LogError):
        pass  # there is none, or it is not ours: the counts are right without it
