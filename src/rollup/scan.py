"""From a CSV file to its counts: ranges of whole records, several processes, repeated calls counted once."""
from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import traceback
from contextlib import contextmanager
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional, Set, Tuple, Union, cast

from calls.line_blocks import LineBlocks
from calls.log_reader import Layout, Record, RecordReader, iterate_records, next_call_start
from errors import LogError, RecordError, explain_os_error
from rollup.blocks import KEPT_BYTES, Counter, id_number
from rollup.counts import REPEATED, Counts, Faulty, range_result

BLOCK_BYTES = 1 << 18  # read and counted at once: larger ones cost more, since memory goes back and forth each time
RANGE_BYTES = 16_000_000  # the least that is worth a process of its own
REPORT_BYTES = 16_000_000

Report = Callable[[int], None]


class Range(NamedTuple):
    """Bytes of a log that begin and end at records; nothing is known to follow an `open_ended` one."""

    begin: int
    end: int
    open_ended: bool


def count_range(path: Union[str, Path], layout: Layout, piece: Range, report: Report) -> Dict[str, Any]:
    """Count one range; `report` is called with the bytes done now and then.

    Half a line, or a record that is still open, at the end of an open-ended range is left for the next look.
    """
    counter, reported = Counter(layout), piece.begin
    with open(path, "rb") as handle, collector_paused():
        blocks = LineBlocks(handle, piece.begin, piece.end, BLOCK_BYTES)
        for block in blocks:
            blocks.take(counter.count(block, last=not blocks.left and not piece.open_ended))
            done = piece.end - blocks.left
            if done - reported >= REPORT_BYTES:
                report(done - reported)
                reported = done
    return range_result(counter.rollup, counter.rejected, counter.lines, counter.ids, blocks.consumed)


@contextmanager
def collector_paused() -> Iterator[None]:
    """Keep Python from looking for circles of dead objects: counting makes many objects and no circle."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def extend_counts(counts: Counts, path: Union[str, Path], layout: Layout, end: int, workers: int,
                  report: Optional[Report] = None) -> None:
    """Count a log from where the counts end up to byte `end`; a call id met before is counted once.

    Raises `LogError` when the file cannot be read.
    """
    first_new_line = counts.lines + 2
    suspects: Set[int] = set()
    try:
        ranges = _ranges(path, layout, counts.consumed, end, workers)
        if len(ranges) == 1:
            suspects |= counts.extend(count_range(path, layout, ranges[0], report or _ignore))
        else:
            for result in _in_processes(path, layout, ranges, report or _ignore):
                suspects |= counts.extend(result)
        if suspects:
            _take_back_repeats(counts, path, layout, suspects, first_new_line)
    except OSError as error:
        raise LogError(explain_os_error("read", path, error)) from error


def _ignore(done: int) -> None:
    """Report nothing."""


def _ranges(path: Union[str, Path], layout: Layout, begin: int, end: int, workers: int) -> List[Range]:
    """Cut what is to be read into as many ranges as there are workers; each begins at a call by itself."""
    number = max(1, min(workers, (end - begin) // RANGE_BYTES))
    cuts = [begin]
    with open(path, "rb") as handle:
        reader = RecordReader(layout)
        for index in range(1, number):
            cut = next_call_start(handle, reader, begin + (end - begin) * index // number, end)
            if cuts[-1] < cut < end:
                cuts.append(cut)
    cuts.append(end)
    return [Range(first, last, last == end) for first, last in zip(cuts, cuts[1:])]


def _in_processes(path: Union[str, Path], layout: Layout, ranges: List[Range], report: Report) -> List[Dict[str, Any]]:
    """Count the ranges side by side, the first in this process, and return their results in order."""
    workers: Dict[Any, Tuple[int, Any]] = {}
    results: Dict[int, Dict[str, Any]] = {}

    def take_answers(seconds: Optional[float]) -> None:
        for here in cast("List[Any]", wait(list(workers), seconds)):
            answer = _received(here)
            if isinstance(answer, int):
                report(answer)
                continue
            number, process = workers.pop(here)
            results[number] = answer
            process.join()

    def report_all(done: int) -> None:
        report(done)
        take_answers(0)

    try:
        for number, piece in enumerate(ranges[1:], 1):
            here, there = multiprocessing.Pipe(duplex=False)
            process = multiprocessing.Process(target=_work, args=(there, path, layout, piece), daemon=True)
            process.start()
            there.close()
            workers[here] = (number, process)
        results[0] = count_range(path, layout, ranges[0], report_all)
        while workers:
            take_answers(None)
    finally:
        for _, process in workers.values():
            process.terminate()
    return [results[number] for number in range(len(ranges))]


def _received(here: Any) -> Any:
    try:
        answer = here.recv()
    except EOFError:
        raise LogError("a process that counted calls was ended from outside: run the command again") from None
    if isinstance(answer, tuple):
        error, trace = answer
        raise error from RuntimeError(trace)
    return answer


def _work(there: Any, path: Union[str, Path], layout: Layout, piece: Range) -> None:
    """Be a worker: count a range and send it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        there.send(count_range(path, layout, piece, there.send))
    except BrokenPipeError:
        os._exit(1)
    except Exception as error:  # noqa: BLE001 (whatever it is, the parent raises it)
        there.send((error, traceback.format_exc()))


def _take_back_repeats(counts: Counts, path: Union[str, Path], layout: Layout, suspects: Set[int],
                       first_new_line: int) -> None:
    """Read the log once more for the calls whose ids may be repeated, and take back all but the first of each.

    Equal numbers only raise suspicion; the ids themselves decide. Calls before the first new line were settled by
    an earlier count.
    """
    reader, seen = RecordReader(layout), set()
    for record in iterate_records(path, layout, counts.consumed):
        number = _id_number(record, layout)
        if number is not None and number not in suspects:
            continue
        try:
            call = reader.call(record.raw)
        except RecordError:
            continue
        if call.call_id not in seen:
            seen.add(call.call_id)
        elif record.line + 2 >= first_new_line:
            counts.rollup.add(call, -1)
            counts.rollup.reject(REPEATED.category)
            counts.new_faults.append(Faulty(record.line + 2, REPEATED, record.raw[:KEPT_BYTES]))
    counts.new_faults.sort(key=lambda fault: fault.line)


def _id_number(record: Record, layout: Layout) -> Optional[int]:
    """Return the number of a record's call id where it can be told without parsing, else None."""
    if layout.order[0] != 0 or record.raw[:1] == b'"':
        return None
    return id_number(record.raw.partition(b",")[0])
