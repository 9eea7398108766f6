"""The counts so far, beside the log: `<log>.counts`, so that the next look reads only what was appended.

A checkpoint holds only for the very bytes it was made from: their checksums are taken again before it is used. A
replaced, shrunk or edited log, another format version, or any damage to the file means a full scan, silently.
Nothing is unpickled: the file is JSON, then plain arrays, with a digest over both in front.
"""
from __future__ import annotations

import hashlib
import json
import os
import struct
import sys
import zlib
from array import array
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Iterable, Iterator, List, Mapping, Optional, Tuple, Union

from calls.log_reader import Layout
from calls.replacing import replace_file
from rollup.cells import Cells, Values
from rollup.counts import Counts
from rollup.cubes import COUNTED, EXACT_MS, LATENCY, OCTAVE_STEPS
from rollup.packing import number_of
from rollup.rollup import Rollup

MAGIC = b"finops counts 4\n"
_WIDE_BYTES = 80  # of packed measures, where one needs more than 64 bits
SEGMENT_BYTES = 32 << 20  # of the log, to a checksum; they are taken side by side
_DIGEST_BYTES = 32
_READ_BYTES = 4 << 20  # large: a thread that comes back waits for its turn


def checkpoint_path(csv_path: Path) -> Path:
    """Return where the checkpoint of a log stands."""
    return csv_path.with_name(csv_path.name + ".counts")


def save_checkpoint(counts: Counts, csv_path: Path, layout: Layout, checksums: List[int]) -> None:
    """Replace a log's checkpoint as a whole; raises `LogError` when that fails."""
    sections = _sections(counts, layout, checksums)
    replace_file(checkpoint_path(csv_path), _front(sections), *sections)


def load_checkpoint(csv_path: Path, layout: Layout, size: int) -> Optional[Tuple[Counts, List[int]]]:
    """Return the counts that hold for the log as it is now, with its checksums; None when there are none."""
    path = checkpoint_path(csv_path)
    if not path.is_file():  # reading a pipe would wait for its other end
        return None
    try:
        with open(path, "rb") as handle:
            front = handle.read(len(MAGIC) + _DIGEST_BYTES)
            if front != _front(iter(partial(handle.read, _READ_BYTES), b"")):
                return None
            # Only what is as it was written is read, part by part: all at once would take the memory twice.
            handle.seek(len(front))
            head = json.loads(handle.read(int.from_bytes(handle.read(8), "little")).decode("utf-8"))
            if head["schema"] != _schema() or head["layout"] != _plain(layout) or head["consumed"] > size:
                return None
            with _taken_beside(csv_path, _starts(0, head["consumed"]), head["consumed"]) as checksums:
                counts = _counts(head, handle)
                return (counts, head["checksums"]) if list(checksums) == head["checksums"] else None
    except (OSError, ValueError, KeyError, IndexError, EOFError):
        return None


def checksums_of(csv_path: Path, end: int, known: Optional[List[int]] = None, known_end: int = 0) -> List[int]:
    """Return the checksums of a log's first `end` bytes, a segment each; whole segments known already are kept."""
    whole = (known or [])[:known_end // SEGMENT_BYTES]
    with _taken_beside(csv_path, _starts(len(whole), end), end) as checksums:
        return whole + list(checksums)


def _starts(first: int, end: int) -> range:
    return range(first * SEGMENT_BYTES, end, SEGMENT_BYTES)


@contextmanager
def _taken_beside(csv_path: Path, starts: Iterable[int], end: int) -> Iterator[Iterator[int]]:
    """Take segments' checksums in threads, which begin at once: reading and checksums both let other threads run."""
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        yield pool.map(lambda start: _checksum(csv_path, start, min(start + SEGMENT_BYTES, end)), starts)


def _checksum(csv_path: Path, start: int, end: int) -> int:
    value, buffer = 0, memoryview(bytearray(min(_READ_BYTES, end - start)))
    with open(csv_path, "rb", buffering=0) as handle:
        handle.seek(start)
        while start < end:
            taken = handle.readinto(buffer[:end - start])
            if not taken:
                break
            value = zlib.crc32(buffer[:taken], value)
            start += taken
    return value


def _front(pieces: Iterable[Union[bytes, memoryview]]) -> bytes:
    digest = hashlib.sha256()
    for one in pieces:
        digest.update(one)
    return MAGIC + digest.digest()


def _plain(layout: Layout) -> List[Any]:
    return [list(layout.order), layout.columns, layout.begin]


def _schema() -> List[Any]:
    """Return what the arrays mean; a checkpoint of another meaning is of no use."""
    return [[[list(cube.dimensions), list(cube.measures)] for cube in COUNTED], list(LATENCY.dimensions), EXACT_MS,
            OCTAVE_STEPS]


def _sections(counts: Counts, layout: Layout, checksums: List[int]) -> List[Union[bytes, memoryview]]:
    state = counts.rollup.state()
    head = {
        "schema": _schema(), "layout": _plain(layout), "consumed": counts.consumed, "lines": counts.lines,
        "checksums": checksums, "callers": state["callers"], "circumstances": state["circumstances"],
        "rejected": state["rejected"], "first_ms": state["first_ms"], "last_ms": state["last_ms"],
        "cells": [[len(cells.values), cells.values.table is None] for cells in state["cells"]],
        "latencies": len(state["latencies"]),
        "ids": [len(ids) for ids in counts.ids]}
    text = json.dumps(head).encode("utf-8")
    sections: List[Union[bytes, memoryview]] = [len(text).to_bytes(8, "little"), text]
    for cells in state["cells"]:
        sections += [_bytes(cells.part(place)) for place in range(3)]
        values = cells.values
        sections.append(b"".join([one.to_bytes(_WIDE_BYTES, "little") for one in values.wide]) if values.table is None
                        else _bytes(values.table))
    arrays = [array("q", state["latencies"]), array("q", state["latencies"].values()), *counts.ids]
    return sections + list(map(_bytes, arrays))


def _counts(head: Mapping[str, Any], body: BinaryIO) -> Counts:
    def column(count: int, kind: str = "q") -> array[int]:
        found = array(kind)
        found.fromfile(body, count)
        return _little(found)

    def cells(names: Tuple[str, ...], count: int, is_wide: bool) -> Cells:
        columns = tuple(column(count, "I") for _ in range(3))
        if not is_wide:
            return Cells(columns, Values(names, column(count * len(names), "Q")))
        wide = struct.iter_unpack(f"{_WIDE_BYTES}s", body.read(count * _WIDE_BYTES))
        return Cells(columns, Values(names, None, [number_of(one, "little") for one, in wide]))

    laid = [cells(cube.measures, *kept) for cube, kept in zip(COUNTED, head["cells"])]
    latencies = dict(zip(column(head["latencies"]), column(head["latencies"])))
    counts = Counts(head["consumed"])
    counts.lines = head["lines"]
    state = {name: head[name] for name in ("callers", "circumstances", "rejected", "first_ms", "last_ms")}
    counts.rollup = Rollup.from_state(dict(state, cells=laid, latencies=latencies))
    counts.ids = [column(count) for count in head["ids"]]
    return counts


def _bytes(numbers: array[int]) -> memoryview:
    """Return numbers as they stand in the file, without copying them."""
    return memoryview(_little(numbers)).cast("B")


def _little(ids: array[int]) -> array[int]:
    """Return the numbers in the byte order of the file, or from it."""
    if sys.byteorder == "little":
        return ids
    swapped = ids[:]
    swapped.byteswap()
    return swapped
